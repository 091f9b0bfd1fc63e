"""Runs a TensorFlow 1.x script, unedited, on today's TensorFlow.

    python -m tf1 old_script.py ARGS...         runs it, or a notebook, with TensorFlow 1.15's names before it
    python -m tf1 --fast old_script.py ARGS...  the same with whole-sequence recurrent layers (tf1/rnn.py)
    python -m tf1 --check old_script.py         runs nothing; lists what it uses that is not there
    python -m tf1 --inspect CHECKPOINT          the variables of a checkpoint

docs/old_scripts.md tells the rest: what cannot be had, and how to port a script for good.
"""

import argparse
import ast
import builtins
import glob
import json
import linecache
import os
import re
import sys
import traceback
import types

from tf1 import app, tf
from tf1.app import UserError


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m tf1", __doc__)
    parser.add_argument("--fast", action="store_true", help="recurrent layers in whole sequences")
    parser.add_argument("--check", action="store_true", help="lists what the script uses that is not there")
    parser.add_argument("--inspect", action="store_true", help="lists the variables of a checkpoint")
    parser.add_argument("script", type=app.path, help="the script; with --inspect, a checkpoint or its folder")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="of the script").required = False
    args = parser.parse_args(argv)
    if args.fast + args.check + args.inspect > 1:
        parser.error("--fast, --check and --inspect exclude each other")
    return args


def source_of_notebook(text):
    """The code cells of a notebook, one below the other; what IPython alone reads is left out.

    Raises:
      ValueError: it is no notebook.
    """
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        sources = ["".join(cell.get("source", cell.get("input"))) for cell in cells if cell["cell_type"] == "code"]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError("it has no cells of a notebook") from error
    return "\n\n".join(map(without_magics, sources)).encode()


def without_magics(source):
    """A cell without what IPython alone reads: %magics, !commands, help?, and cells in another language."""
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError):
        first = re.match(r"%%(\w+)", source)
        if first and first[1] not in ("time", "timeit", "capture", "prun"):
            return ""
        source = re.sub(r"^([ \t]*)%time[ \t]+(?=\S)", r"\1", source, flags=re.MULTILINE)  # of a statement
        return re.sub(r"^([ \t]*)(%{1,2}\w|!|\?).*|^([ \t]*)[\w.]+\?+[ \t]*$", r"\1\3pass", source, flags=re.MULTILINE)


def read_source(path):
    """A script's text, as Python reads it, or a notebook's code.

    Raises:
      UserError: it cannot be read, or it is not Python 3.
    """
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    try:
        if path.endswith(".ipynb"):
            source = source_of_notebook(source)
            # Errors and warnings show lines of the code, and not of the notebook's file.
            linecache.cache[path] = len(source), None, source.decode().splitlines(keepends=True), path
        ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        raise UserError(syntax_advice(path, error)) from error
    return source


def syntax_advice(path, error):
    """One line about a file that Python 3 cannot read."""
    number = getattr(error, "lineno", None) or 1
    line, place = linecache.getline(path, number).strip(), f"{path}:{number}"
    if not isinstance(error, SyntaxError):
        return f"{place} is not a Python script: {error}"
    if error.msg.startswith("from __future__"):  # no Python 3 takes that, and no converter helps
        return f"{place}: {error.msg}"
    script, first = os.path.basename(path), ""
    if path.endswith(".ipynb"):
        script, first = script.replace(".ipynb", ".py"), f"`jupyter nbconvert --to script {script}`, then "
    return (
        f"{place} is not Python 3 ({error.msg}): {line}; if it is Python 2, convert it first: {first}"
        f"`2to3 -w {script}` of Python 3.12 or older, or `pip install fissix` and `fissix -w`"
    )


def is_table(checkpoint):
    """Whether its index, or a checkpoint of TensorFlow before 0.12, which is one file, ends as their format wants it.

    TensorFlow's reader would warn on stderr before it raises its error.
    """
    path = checkpoint if os.path.isfile(checkpoint) else f"{checkpoint}.index"
    with open(path, "rb") as file:
        file.seek(-8, os.SEEK_END)
        return file.read() == bytes.fromhex("57fb808b247547db")


def inspect(path):
    """Prints a checkpoint's variables with their shapes and sizes; returns them, shapes by name."""
    checkpoint = path
    if os.path.isdir(path):
        # A folder that was packed or put together has no `checkpoint` file, which names the newest.
        indexes = sorted(glob.glob(os.path.join(glob.escape(path), "*.index")), key=os.path.getmtime)
        checkpoint = tf.train.latest_checkpoint(path) or (indexes[-1].removesuffix(".index") if indexes else None)
    try:
        if checkpoint is None or not is_table(checkpoint):
            raise ValueError("no checkpoint there")
        reader = tf.train.NewCheckpointReader(checkpoint)
    except (tf.errors.OpError, ValueError, OSError) as error:
        raise UserError(
            f"{path} holds no checkpoint that TensorFlow can read: name a folder, or the path before .index"
        ) from error
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    width, total = max(map(len, shapes), default=0), 0
    print(f"{checkpoint}:")
    for name, shape in sorted(shapes.items()):
        count = 1
        for size in shape:
            count *= size
        total += count * max(dtypes[name].size or 0, 0)
        print(f"  {name:{width}}  {dtypes[name].name:8}  {' x '.join(map(str, shape)) or 'scalar':>14}  {count:>12,}")
    print(f"{len(shapes)} variables, {total / 1e6:.2f} MB")
    return shapes


def package_of(source, path):
    """The package of a script with relative imports, "" for another one, and the folders that its imports begin in.

    They are the script's own and, before it, the one that the package lies in, where `python -m package.script` begins.
    """
    folder = root = os.path.dirname(os.path.realpath(path))
    names = []
    if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(source, path))):
        while not names or os.path.isfile(os.path.join(root, "__init__.py")):
            root, name = os.path.split(root)
            names.insert(0, name)
    return ".".join(names), [root, folder] if names else [folder]


def run(source, path, argv, fast):
    """Executes the script as `__main__`, in this process; what it raises goes up."""
    from tf1 import facade, old

    facade.put_on(fast)
    for name in "reader", "configs", "data", "data.sample", "tables":
        sys.modules.pop(name, None)  # ours: a script has a reader of its own
    package, folders = package_of(source, path)
    sys.argv, sys.path[:1] = [path, *argv], folders
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins, __package__=package or None)
    sys.modules["__main__"] = module
    sys.meta_path.insert(0, old.Modules(folders[0]))
    exec(old.compile_script(source, path), module.__dict__)


@app.command
def prepare(argv=None):
    """Does what needs no script to run, and returns the arguments of `run` where one is to, else None."""
    args = parse_args(argv)
    if args.inspect:
        inspect(args.script)
        return None
    source = read_source(args.script)
    if args.check:
        from tf1 import check

        sys.exit(1 if check.check(args.script) else 0)
    _ = tf.VERSION  # imports TensorFlow, which may be missing
    return source, args.script, args.args, args.fast


def main(argv=None):
    """Not as a whole an `app.command`: the script's own signals and endings are its own."""
    prepared = prepare(argv)
    if prepared is None:
        return
    try:
        run(*prepared)
    except UserError as error:
        print(f"{prepared[1]}: error: {error}", file=sys.stderr)
        sys.exit(error.status)
    except SyntaxError as error:  # of a module beside the script
        if not error.filename or not error.filename.endswith(".py"):
            raise
        print(f"python -m tf1: error: {syntax_advice(error.filename, error)}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename != prepared[1]:
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames or error.__traceback__)
        sys.exit(1)


if __name__ == "__main__":
    # The project in place of the current folder, where the script's own reader.py may lie.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    main()
