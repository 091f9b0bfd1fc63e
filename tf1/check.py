"""`python -m tf1 --check`: what a script and the modules beside it use that is not there. Nothing of them is run."""

import ast
import importlib
import importlib.util
import os
import types

from tf1 import contrib, facade
from tf1.__main__ import package_of, read_source

# Names that only Python 2 has, and what stands for them today.
_PYTHON_2 = {
    "unicode": "str",
    "unichr": "chr",
    "basestring": "str",
    "reload": "importlib.reload",
    "iteritems": "items",
    "itervalues": "values",
    "iterkeys": "keys",
    "has_key": "in",
}
# Its modules, and where they are today.
_PYTHON_2_MODULES = {
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "StringIO": "io",
    "__builtin__": "builtins",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "HTMLParser": "html.parser",
    "Tkinter": "tkinter",
    "httplib": "http.client",
    "commands": "subprocess",
    "thread": "_thread",
}
_NEEDS_CUDA = " needs a GPU with CUDA: to name it is no error, to make one is"


def _is_tensorflow(name):
    return name.partition(".")[0] == "tensorflow"  # and not tensorflow_hub, for one


class _Uses(ast.NodeVisitor):
    """Collects what a module uses of TensorFlow, and what it imports.

    Attributes:
      names: line and dotted path, such as (12, "tensorflow.nn.dynamic_rnn"), of what must be there.
      modules: line and name of each imported module that the script has no other way without.
      own: names of modules that may be the script's own, those of relative imports with their dots.
      python_2: line and name of what only Python 2 has.
    """

    def __init__(self, tree):
        self.names, self.modules, self.own, self.python_2 = [], [], [], []
        self._aliases, self._assigned, self._guarded = {}, [], 0
        self._defined = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._defined |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        self._defined |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        self._defined |= {
            (alias.asname or alias.name)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        self.visit(tree)

    def visit_Try(self, node):
        self._guarded += 1
        for child in node.body:
            self.visit(child)
        self._guarded -= 1
        for child in [*node.handlers, *node.orelse, *node.finalbody]:
            self.visit(child)

    def visit_Import(self, node):
        for alias in node.names:
            self._module(node.lineno, alias.name)
            self.own.append(alias.name)
            if _is_tensorflow(alias.name):
                self._aliases[alias.asname or "tensorflow"] = alias.name if alias.asname else "tensorflow"

    def visit_ImportFrom(self, node):
        package = "." * node.level + (node.module or "")
        # What is imported may be a module, too.
        self.own += [package, *(f"{package}{'.' * bool(node.module)}{alias.name}" for alias in node.names)]
        if node.level:
            return
        self._module(node.lineno, node.module)
        for alias in node.names:
            if _is_tensorflow(node.module) and alias.name != "*":
                self._aliases[alias.asname or alias.name] = path = f"{node.module}.{alias.name}"
                self._use(node.lineno, path)

    def visit_Attribute(self, node):
        parts, value = [node.attr], node.value
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name) and value.id in self._aliases:
            path = ".".join([self._aliases[value.id], *parts[::-1]])
            if isinstance(node.ctx, ast.Store):  # a name that the script sets there itself, such as tf.model
                self._assigned.append(f"{path}.")
            elif not f"{path}.".startswith(tuple(self._assigned)):
                self._use(node.lineno, path)
            return
        if node.attr in ("iteritems", "itervalues", "iterkeys", "has_key"):
            self.python_2.append((node.lineno, node.attr))
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id in _PYTHON_2 and node.id not in self._defined and not self._guarded:
            self.python_2.append((node.lineno, node.id))

    def _module(self, line, name):
        if not self._guarded:
            self.modules.append((line, name))

    def _use(self, line, path):
        if not self._guarded:
            self.names.append((line, path))


def _problem(path):
    """What is wrong with a dotted path from `tensorflow` on; None: it is there."""
    value, parts = importlib.import_module("tensorflow"), path.split(".")
    for place, part in enumerate(parts[1:], start=1):
        if not isinstance(value, types.ModuleType):
            return None  # an object's own attribute, which only a run can tell
        try:
            value = getattr(value, part)
        except AttributeError as error:
            module = ".".join(parts[: place + 1])
            try:
                value = importlib.import_module(module)
            except ImportError:
                return str(error) if "on the shelf" in str(error) else facade.missing(module, dir(value))
    if isinstance(value, type) and issubclass(value, contrib.NeedsCuda):
        return f"{path.replace('tensorflow', 'tf', 1)}{_NEEDS_CUDA}"
    return None


def _is_installed(name):
    """Whether the module is found, and is none of this project's own, which a run takes out of Python's path."""
    spec = importlib.util.find_spec(name)
    if spec is None or name == "tf1":
        return spec is not None
    project = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    place = spec.origin or next(iter(spec.submodule_search_locations), "")
    return os.path.dirname(place) not in (project, os.path.join(project, name))


def _own_file(name, path, folders):
    """The file of a module of the script's own; None: it is not one. `path` is of the module that imports it."""
    dots = len(name) - len(name.lstrip("."))
    folders = [os.path.join(os.path.dirname(path), *[".."] * (dots - 1))] if dots else folders
    bases = [os.path.join(folder, *name[dots:].split(".")) for folder in folders]
    files = [file for base in bases for file in (f"{base}.py", os.path.join(base, "__init__.py"))]
    return next((os.path.normpath(file) for file in files if os.path.isfile(file)), None)


def _findings(path, folders, seen):
    """Yields file, line and a sentence for all that a module and those that it imports from `folders` lack."""
    tree = ast.parse(read_source(path), path)
    uses, found = _Uses(tree), []
    for name in uses.own:
        file = _own_file(name, path, folders)
        if file and file not in seen:
            seen.add(file)
            yield from _findings(file, folders, seen)
    for line, name in uses.modules:
        top = name.partition(".")[0]
        is_folder = any(os.path.isdir(os.path.join(folder, top)) for folder in folders)
        if is_folder or _own_file(name, path, folders) or _own_file(top, path, folders):
            continue
        if _is_tensorflow(name):
            found.append((line, _problem(name)))
        elif top in _PYTHON_2_MODULES:
            found.append((line, f"the module {top} is Python 2; today it is {_PYTHON_2_MODULES[top]}"))
        elif not _is_installed(top):
            found.append((line, f"the module {top} is not installed (pip install {top}, if it is a public one)"))
    found += [(line, _problem(name)) for line, name in uses.names]
    found += [(line, f"{name} is Python 2; today it is {_PYTHON_2[name]}") for line, name in uses.python_2]
    for line, sentence in sorted({(line, sentence) for line, sentence in found if sentence}):
        yield path, line, sentence


def check(script):
    """Prints a line for each thing that the script lacks, and returns their number, without names for a GPU."""
    facade.put_on()
    _, folders = package_of(read_source(script), script)
    if not os.path.isabs(script):  # what is found is named as the script is
        folders = [os.path.relpath(folder) for folder in folders]
    found = list(_findings(script, folders, {os.path.normpath(script)}))
    for path, line, sentence in found:
        print(f"{path}:{line}: {sentence}")
    count = sum(not sentence.endswith(_NEEDS_CUDA) for _, _, sentence in found)
    print(f"{script}: " + {0: "nothing is missing", 1: "1 thing is missing"}.get(count, f"{count} things are missing"))
    return count
