"""The module `tensorflow` that a TF 1.x script imports: TF 1.15's face on today's TensorFlow.

`put_on()` sets it into `sys.modules`. Behind its names stand `tensorflow.compat.v1`, the shelf (`contrib.py`), and what
was older (`old.py`). `import tensorflow.contrib.X`, and any path below that, is shelf X; a public module, such as
`tensorflow.layers`, is the face's; other modules that have moved since are in `_modules`. All else is TensorFlow's own.
"""

import difflib
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import re
import sys
import types

from tf1 import cells, contrib, estimator, old, rnn, tf, tutorials

VERSION = "1.15.0"
_KERAS_VERSION = "2.3.1"  # the last one for TensorFlow 1.x
_GONE = r"learn\.(models|monitors|\w*(Estimator|Regressor|Classifier|SKCompat|Experiment|RunConfig|ModelFnOps))"
_READY_MADE = r"estimator\.(DNN|Linear|Boosted|Baseline)\w+"
_ADVICE = {  # what others offer for packages and names that are gone, by a pattern of their paths
    r"contrib\.slim": "pip install tf_slim",
    r"contrib\.(layers|framework)": "pip install tf_slim, if it has this",
    r"contrib\.eager": "today's TensorFlow is eager without it, and a graph-mode script does not need it",
    rf"{_READY_MADE}|{_GONE}": "tf.estimator.Estimator, with a model function, is what is left of the estimators",
}


class Face(types.ModuleType):
    """A module with names of its own, and after them those of other modules; one that is a string is imported late."""

    def __init__(self, name, own, *others, path=()):
        super().__init__(name)
        self.__path__ = list(path)
        self.__dict__.update(own)
        self._others = others

    def __getattr__(self, name):
        if name.startswith("__") and name != "__internal__":  # which Keras asks for
            raise AttributeError(name)
        for module in self._after():
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(missing(f"{self.__name__}.{name}", dir(self)))

    def __dir__(self):
        return sorted({name for names in (vars(self), *map(dir, self._after())) for name in names})

    def _after(self):
        return (importlib.import_module(module) if isinstance(module, str) else module for module in self._others)


def missing(path, names):
    """What is said of a name that is nowhere; `names` are those that stand beside it."""
    path = path.replace("tensorflow", "tf", 1)
    near = difflib.get_close_matches(path.rpartition(".")[2], names, 1)
    advice = next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, path)), None)
    hint = advice or (f"the nearest is {near[0]}" if near else "docs/old_scripts.md tells how to add it")
    return f"{path} is neither in TensorFlow {tf.VERSION.rpartition('.')[0]} nor on the shelf: {hint}"


# The modules of contrib's packages, below their `python`, that have something of the shelf.
_LAYOUT = set(
    "python ops layers framework training learn datasets preprocessing core_rnn core_rnn_cell core_rnn_cell_impl rnn "
    "rnn_cell rnn_cell_impl lstm_ops gru_ops fused_rnn_cell cudnn_rnn_ops cudnn_rnn loss seq2seq crf initializers "
    "regularizers optimizers utils hparam variables mnist base text attention_wrapper basic_decoder decoder "
    "helper beam_search_decoder beam_search_ops decoder_fn attention_decoder_fn categorical_vocabulary".split()
)


def _part(shelf, name):
    """The part of a shelf that a module of that name has: `preprocessing` of `learn`; else the whole of it."""
    part = vars(shelf).get(name)
    return part if isinstance(part, (Face, types.SimpleNamespace)) else shelf


def _face_within(module, name):
    """The face of that name in a face; None: there is none."""
    found = vars(module).get(name) if isinstance(module, Face) else None
    return found if isinstance(found, Face) else None


def keras_module(fullname, path):
    """Keras 2's module of that path, for `keras` and `tf.contrib.keras`: the Keras of today cannot build TF 1.x graphs.

    What is no module there, such as `layers.core`, `utils.np_utils` and `engine.topology`, is the one above it.
    """
    module = tf.keras
    for name in path:
        found = getattr(module, "layers" if name == "engine" else name, None)
        module = found if isinstance(found, types.ModuleType) else module
    names = dir(module)  # which imports it, where that is done late
    own = {name: getattr(module, name) for name in names if name[0] != "_"}
    return Face(fullname, own if path else {"__version__": _KERAS_VERSION, **own}, module)


def _has_own_keras():
    """Whether a script's folder has a `keras` of its own."""
    spec = importlib.machinery.PathFinder.find_spec("keras")
    return spec is not None and not re.search("(site|dist)-packages", spec.origin or "site-packages")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that only the face has."""

    def __init__(self, modules):
        self._modules = modules

    def find_spec(self, fullname, path=None, target=None):
        module, parent = self._modules.get(fullname) or self._public(fullname), fullname.rpartition(".")[0]
        if module is None and fullname.partition(".")[0] == "keras" and not _has_own_keras():
            module = keras_module(fullname, fullname.split(".")[1:])
        if fullname.startswith("tensorflow.contrib.") and module is None:
            _, _, package, *below = fullname.split(".")
            shelf = self._modules.get(f"tensorflow.contrib.{package}")
            # A package's own layout, such as python.ops.core_rnn_cell, all of which is its shelf, or a part of that.
            if below and below[0] in ("python", "core_rnn_cell", "core_rnn") and _LAYOUT.issuperset(below) and shelf:
                part = functools.reduce(_part, below[1:], shelf)
                module = Face(fullname, {name: value for name, value in vars(part).items() if name[0] != "_"}, part)
            elif below and package == "keras":
                module = keras_module(fullname, [name for name in below if name not in ("python", "keras", "api")])
            elif below:
                module = functools.reduce(_face_within, below, shelf)
            parent = f"tensorflow.contrib.{package}" if below else "tensorflow.contrib"
        if module is None and parent in self._modules and not self._modules[parent].__path__:
            # No ModuleNotFoundError, which `from X import name` would replace by a poorer one.
            raise ImportError(missing(fullname, dir(self._modules[parent])), name=fullname)
        if module is None:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        spec.loader_state = module
        return spec

    def _public(self, fullname):
        """The face's module of that name, where it is one of those that TensorFlow 1.15 documents; else None."""
        first, *below = fullname.split(".")
        if first != "tensorflow" or below[0] in ("compat", "contrib", "keras", "lite") or not hasattr(tf, below[0]):
            return None  # contrib is the shelf; TensorFlow itself finds the others, as it does `python` and its like
        module = functools.reduce(lambda module, part: getattr(module, part, None), below, self._modules[first])
        if isinstance(module, types.ModuleType) and not isinstance(module, Face):
            module = Face(fullname, {name: value for name, value in vars(module).items() if name[0] != "_"}, module)
        return module if isinstance(module, Face) else None

    def create_module(self, spec):
        return spec.loader_state

    def exec_module(self, module):
        pass


# Those of `tensorflow.python` that have given names away.
_SCATTERED = "framework.ops framework.tensor_shape ops.control_flow_ops ops.random_ops ops.variable_scope ops.variables"
# What was contrib.slim, with the rest of contrib.layers and contrib.framework, is a package of its own now.
_SLIM = {"slim": "tf_slim", "layers": "tf_slim.layers", "framework": "tf_slim"}
_PRIVATE = "tensorflow.python.ops.rnn_cell_impl"
RNN_CELL = Face("tensorflow.nn.rnn_cell", old.RNN_CELL, tf.nn.rnn_cell, importlib.import_module(_PRIVATE))


def _contrib():
    shelves = {name: Face(f"tensorflow.contrib.{name}", names) for name, names in contrib.SHELVES.items()}
    if importlib.util.find_spec("tf_slim"):
        for name, other in _SLIM.items():
            shelves[name] = Face(f"tensorflow.contrib.{name}", contrib.SHELVES.get(name, {}), other)
    shelves["deprecated"] = Face("tensorflow.contrib.deprecated", old.DEPRECATED)
    shelves["rnn"] = Face("tensorflow.contrib.rnn", contrib.SHELVES["rnn"], RNN_CELL)
    shelves["rnn"].core_rnn_cell = shelves["rnn"].core_rnn = shelves["rnn"]  # of TF 1.0
    for name in "attention_wrapper", "basic_decoder", "beam_search_decoder", "beam_search_ops", "decoder", "helper":
        setattr(shelves["seq2seq"], name, shelves["seq2seq"])
    datasets = {**tutorials.DATASETS, "mnist": Face("tensorflow.contrib.learn.datasets.mnist", tutorials.INPUT_DATA)}
    shelves["learn"].datasets = Face("tensorflow.contrib.learn.datasets", datasets)
    lookup = importlib.import_module("tensorflow.python.ops.lookup_ops")
    own = {"HashTable": tf.lookup.StaticHashTable, "MutableHashTable": tf.lookup.experimental.MutableHashTable}
    shelves["lookup"] = Face("tensorflow.contrib.lookup", own, lookup)
    shelves["signal"] = Face("tensorflow.contrib.signal", {}, tf.signal)
    distributions = contrib.SHELVES["distributions"]
    shelves["distributions"] = Face("tensorflow.contrib.distributions", distributions, tf.distributions)
    path = "tensorflow.contrib.tensorboard"
    projector = Face(f"{path}.plugins.projector", {}, "tensorboard.plugins.projector")
    shelves["tensorboard"] = Face(path, {"plugins": Face(f"{path}.plugins", {"projector": projector})})
    shelves["keras"] = Face("tensorflow.contrib.keras", {"__version__": _KERAS_VERSION}, tf.keras)
    for shelf in shelves.values():
        shelf.python = shelf.ops = shelf  # a package's own layout
    return Face("tensorflow.contrib", shelves)


def _estimator():
    parts = {"export": estimator.EXPORT, "inputs": estimator.INPUTS, "experimental": estimator.HOOKS}
    parts = {name: Face(f"tensorflow.estimator.{name}", names) for name, names in parts.items()}
    return Face("tensorflow.estimator", {**estimator.SHELF, **parts})


CONTRIB, ESTIMATOR = _contrib(), _estimator()
_FASTER = "dynamic_rnn static_rnn bidirectional_dynamic_rnn static_bidirectional_rnn"
_GROUPS = min(2, os.cpu_count())  # of a batch's rows, side by side; a session of the script's has a thread for each
_FAST = {name: functools.partial(getattr(rnn, name), groups=_GROUPS) for name in _FASTER.split()}


def _nn(fast):
    names = {**old.NN, "rnn_cell": RNN_CELL}
    names["seq2seq"] = Face("tensorflow.nn.seq2seq", old.SEQ2SEQ)
    if fast:
        names.update(_FAST, rnn=_FAST["static_rnn"], bidirectional_rnn=_FAST["static_bidirectional_rnn"])
    return Face("tensorflow.nn", names, tf.nn)


def _private(face, layouts):
    """The modules of `tensorflow.python` that had names which they have no more; `layouts` are those of the cells."""
    modules = {f"tensorflow.python.ops.{name}": module for name, module in layouts.items() if name != "rnn"}

    def add(name, own, *others):
        path = f"tensorflow.python.{name}"
        modules[path] = Face(path, own, importlib.import_module(path), *others)
        return modules[path]

    for name, own in ("array_ops", old.TF), ("math_ops", old.TF), ("nn_ops", old.NN), ("rnn", vars(face.nn)):
        add(f"ops.{name}", own, tf, face.nn, face.nn.rnn_cell)
    for name in _SCATTERED.split():  # what they have no more is public
        add(name, {}, tf)
    shapes = modules["tensorflow.python.framework.tensor_shape"]
    shapes.scalar = shapes.vector = shapes.matrix = lambda *sizes: tf.TensorShape(sizes)
    CONTRIB.framework.nest = add("util.nest", {"is_sequence": tf.nest.is_nested})
    add("framework.graph_util", {}, tf.graph_util)
    add("ops.nn", vars(face.nn), tf, face.nn)
    add("ops.functional_ops", {}, tf)
    add("ops.ctc_ops", {"ctc_loss": old.ctc_loss})
    add("pywrap_tensorflow", {"NewCheckpointReader": tf.train.NewCheckpointReader})
    add("eager.context", {"in_graph_mode": lambda: not tf.executing_eagerly()})
    path = "tensorflow.python.layers.normalization"  # TensorFlow's looks for a module that tf_keras does not have
    own = {"BatchNorm": tf.layers.BatchNormalization, "batch_norm": tf.layers.batch_normalization}
    modules[path] = Face(path, own, tf.layers)
    for name in "gfile", "flags", "app":
        modules[f"tensorflow.python.platform.{name}"] = getattr(face, name)
    return modules


def _modules(fast):
    """The face's modules by name."""
    real = sys.modules["tensorflow"]
    if fast:
        CONTRIB.rnn.__dict__.update({name: _FAST[name] for name in ("static_rnn", "static_bidirectional_rnn")})
    nn, flags = _nn(fast), Face("tensorflow.flags", old.FLAGS, tf.flags)
    gfile = Face("tensorflow.gfile", old.GFILE, tf.gfile)
    names = {
        **old.TF,
        "__version__": VERSION,
        "VERSION": VERSION,
        "nn": nn,
        "train": Face("tensorflow.train", old.TRAIN, tf.train),
        "flags": flags,
        "app": Face("tensorflow.app", {"flags": flags}, tf.app),
        "gfile": gfile,
        "estimator": ESTIMATOR,
        "contrib": CONTRIB,
        "python": sys.modules["tensorflow.python"],
    }
    face = Face("tensorflow", names, tf, real, path=real.__path__)
    layouts = {"rnn_cell": nn.rnn_cell, "seq2seq": nn.seq2seq, "rnn": nn, "rnn_cell_impl": nn.rnn_cell}
    ptb = Face("tensorflow.models.rnn.ptb", {"reader": Face("tensorflow.models.rnn.ptb.reader", tutorials.PTB_READER)})
    path = "tensorflow.models.rnn.translate"
    translate = Face(path, {"data_utils": Face(f"{path}.data_utils", tutorials.TRANSLATE_DATA_UTILS)})
    layouts["linear"] = Face("tensorflow.models.rnn.linear", {"linear": cells.linear})
    models = {f"tensorflow.models.rnn.{name}": module for name, module in layouts.items()}
    input_data = Face("tensorflow.examples.tutorials.mnist.input_data", tutorials.INPUT_DATA)
    return {
        "tensorflow": face,
        "tensorflow.nn": nn,
        "tensorflow.nn.rnn_cell": RNN_CELL,
        "tensorflow.contrib": CONTRIB,
        "tensorflow.estimator": ESTIMATOR,
        **{f"tensorflow.estimator.{name}": getattr(ESTIMATOR, name) for name in ("export", "inputs", "experimental")},
        **{shelf.__name__: shelf for shelf in vars(CONTRIB).values() if isinstance(shelf, Face)},
        **_private(face, layouts),
        "tensorflow.models": Face("tensorflow.models", {}),
        "tensorflow.models.rnn": Face("tensorflow.models.rnn", layouts),
        **models,
        "tensorflow.models.rnn.ptb": ptb,
        "tensorflow.models.rnn.ptb.reader": ptb.reader,
        "tensorflow.models.rnn.translate": translate,
        "tensorflow.models.rnn.translate.data_utils": translate.data_utils,
        "tensorflow.examples": Face("tensorflow.examples", {}),
        "tensorflow.examples.tutorials": Face("tensorflow.examples.tutorials", {}),
        "tensorflow.examples.tutorials.mnist": Face("tensorflow.examples.tutorials.mnist", {"input_data": input_data}),
        "tensorflow.examples.tutorials.mnist.input_data": input_data,
    }


def put_on(fast=False):
    """Makes `import tensorflow` give the face, in this process, from now on.

    Args:
      fast: `dynamic_rnn`, `static_rnn` and the bidirectional ones are those of `tf1.rnn`.
    """
    old.restore()
    logging.getLogger("tensorflow").propagate = False  # tf.app.run gives the root a handler: each line came twice
    for wrapper in (tf.nn.rnn_cell.DropoutWrapper, tf.nn.rnn_cell.ResidualWrapper, tf.nn.rnn_cell.DeviceWrapper):
        wrapper._cell = property(lambda self: self.cell)  # the name that it had
    for name, place in {"BasicRNNCell": 0, "BasicLSTMCell": 1, "LSTMCell": 0, "GRUCell": 0}.items():
        cell = getattr(tf.nn.rnn_cell, name)
        cell.__init__ = old.without_input_size(cell.__init__, place)
        cell.call = old.with_state_as_one(cell.call)
    CONTRIB.rnn.MultiRNNCell.call = old.with_state_as_one(CONTRIB.rnn.MultiRNNCell.call)
    tf.SparseTensor.__init__ = old.with_shape(tf.SparseTensor.__init__)
    tf.Tensor.__array__ = old.as_object(tf.Tensor.__array__)
    tf.TensorArray.pack, tf.TensorArray.unpack = tf.TensorArray.stack, tf.TensorArray.unstack
    modules = _modules(fast)
    for name, module in modules.items():
        if name in sys.modules:  # TensorFlow's own code has what it needs already
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            if parent in sys.modules and parent != "tensorflow":
                setattr(sys.modules[parent], child, module)
    sys.meta_path.insert(0, _Finder(modules))
