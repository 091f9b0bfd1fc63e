"""What goes beyond the tutorials' code, one question a file: `python -m studies.NAME --config --seed --set`."""

import os

import configs
from tf1 import app


def parse_args(file, doc, table, argv=None):
    """The flags and the config of a study.

    Args:
      file, doc: its `__file__` and `__doc__`.
      table: the configs it takes, one of `configs`' tables.
    """
    parser = app.ArgumentParser(f"python -m studies.{os.path.basename(file).removesuffix('.py')}", doc)
    parser.add_argument("--config", default="small", help=f"{', '.join(table)} (default: %(default)s)")
    parser.add_common("--seed", "--set")
    args = parser.parse_args(argv)
    return args, configs.get_config(table, args.config, args.overrides)
