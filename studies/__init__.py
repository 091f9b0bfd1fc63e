"""What goes beyond the tutorials' code, one question a file: `python -m studies.NAME --config --seed --set`."""

import os

import numpy as np

import configs
from tf1 import app
from tf1.app import UserError


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
    config = configs.get_config(table, args.config, args.overrides)
    if getattr(config, "n_seeds", 2) < 2:
        raise UserError(f"--set n_seeds={config.n_seeds}: a comparison takes at least 2")
    return args, config


def difference(first, second):
    """The mean of first - second by seed, its standard error, and whether it is `beyond` two of them, or `within`."""
    mean, error = mean_and_error(np.subtract(first, second))
    return mean, error, "beyond" if abs(mean) > 2 * error else "within"


def mean_and_error(values):
    """The mean of numbers by seed, and its standard error."""
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def compare(results):
    """Prints the means of two results, and whether they differ by more than chance.

    Args:
      results: two names, each with its numbers by seed; the seeds are the same.
    """
    (one, first), (other, second) = results.items()
    *of_both, verdict = difference(first, second)
    rows = {one: mean_and_error(first), other: mean_and_error(second), f"{one} - {other}": of_both}
    for name, (mean, error) in rows.items():
        print(f"{name}: mean {mean:.6f}, standard error {error:.6f}")
    print(f"The difference is {verdict} two standard errors.")
