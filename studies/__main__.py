"""Lists the studies: `python -m studies`."""

import ast
import pathlib

from studies import __doc__ as usage
from tf1 import app


def studies():
    """Name -> question: the first line of its docstring."""
    paths = sorted(pathlib.Path(__file__).parent.glob("[!_]*.py"))
    return {path.stem: ast.get_docstring(ast.parse(path.read_bytes())).splitlines()[0] for path in paths}


@app.command
def main(argv=None):
    app.ArgumentParser("python -m studies", usage).parse_args(argv)
    print(usage)
    for name, question in studies().items():
        print(f"  {name:24}{question}")


if __name__ == "__main__":
    main()
