"""What was there when the scripts were written: TensorFlow before 1.0, and names that NumPy and Python have dropped.

TensorFlow 1.0 turned arguments round (`concat`, `split`, the cross-entropies) and renamed functions. Each function here
takes both orders, and tells them apart by the types. The tables at the end say where each stands.
"""

import ast
import builtins
import collections
import collections.abc
import copy
import fractions
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import itertools
import math
import operator
import os
import pickle
import re
import string
import sys
import time
import types
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import numpy as np

from tf1 import cells, contrib, legacy_seq2seq, tf


def concat(*args, **kwargs):
    """TF 1.x: concat(values, axis); before: concat(concat_dim, values)."""
    before = lambda concat_dim, values, name="concat": tf.concat(values, concat_dim, name)
    return (before if _is_before("concat_dim", args, kwargs) else tf.concat)(*args, **kwargs)


def split(*args, **kwargs):
    """TF 1.x: split(value, num_or_size_splits, axis); before: split(split_dim, num_split, value)."""
    before = lambda split_dim, num_split, value, name="split": tf.split(value, num_split, split_dim, name=name)
    return (before if _is_before("split_dim", args, kwargs) else tf.split)(*args, **kwargs)


def _is_before(name, args, kwargs):
    """Whether an axis, `name`, stands at the first place, as it did before TF 1.0."""
    return name in kwargs or bool(args) and isinstance(args[0], (int, np.integer))


def reverse(tensor, axis=None, name=None, dims=None):
    """TF 1.x: the axes; before: `dims`, a bool for each axis."""
    axis = dims if axis is None else axis
    if isinstance(axis, (list, tuple, np.ndarray)) and np.asarray(axis).dtype == bool:
        axis = np.flatnonzero(axis).tolist()
    return tf.reverse(tensor, axis, name)


def _cross_entropy(function):
    """A cross-entropy, which takes labels and logits by name; before TF 1.0: logits, labels, by their place."""

    @functools.wraps(function)  # sequence_loss asks for the names of its parameters
    def cross_entropy(*args, **kwargs):
        if "targets" in kwargs:
            kwargs["labels"] = kwargs.pop("targets")
        first, *others = args or [kwargs.pop("_sentinel", None)]
        if first is None:  # TF 1.x, where the first place is a sentinel
            return function(*others, **kwargs)
        return function(**dict(zip(("logits", "labels", "name"), args)), **kwargs)

    return cross_entropy


def _sampled_loss(function):
    """TF 1.x: weights, biases, labels, inputs; before: weights, biases, inputs, labels."""

    def loss(weights, biases, labels, inputs, *args, **kwargs):
        if tf.as_dtype(tf.convert_to_tensor(inputs).dtype).is_integer:
            labels, inputs = inputs, labels
        return function(weights, biases, labels, inputs, *args, **kwargs)

    return loss


def ctc_loss(labels, inputs=None, sequence_length=None, *args, logits=None, **kwargs):
    """TF 1.x: labels, inputs (or logits); before: inputs, labels. The labels are a SparseTensor."""
    inputs = logits if inputs is None else inputs
    if isinstance(inputs, tf.SparseTensor):
        labels, inputs = inputs, labels
    return tf.nn.ctc_loss(labels, inputs, sequence_length, *args, **kwargs)


def batch_matmul(x, y, adj_x=False, adj_y=False, name=None):
    return tf.matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)


def scalar_summary(tags, values, collections=None, name=None):
    """Before TF 1.0 a summary's tag was not its op's name, and no name scope went before it; `tags` may be several."""
    return _summary("ScalarSummary", name, collections, tags=tags, values=values)


def histogram_summary(tag, values, collections=None, name=None):
    return _summary("HistogramSummary", name, collections, tag=tag, values=values)


def image_summary(tag, tensor, max_images=3, collections=None, name=None):
    return _summary("ImageSummary", name, collections, tag=tag, tensor=tensor, max_images=max_images)


def _summary(op, name, collections, **inputs):
    with tf.name_scope(name, op, list(inputs.values())) as scope:
        summary = getattr(tf.raw_ops, op)(**inputs, name=scope)
    return _collected(summary, [tf.GraphKeys.SUMMARIES] if collections is None else collections)


def _collected(summary, collections):
    for key in collections:
        tf.add_to_collection(key, summary)
    return summary


def merge_summary(inputs, collections=None, name=None):
    with tf.name_scope(name, "MergeSummary", inputs):
        return _collected(tf.raw_ops.MergeSummary(inputs=inputs, name=name), collections or [])


def merge_all_summaries(key=tf.GraphKeys.SUMMARIES):
    summaries = tf.get_collection(key)
    return merge_summary(summaries) if summaries else None


class Text(str):
    """A file's text, which a script may decode as if it were bytes."""

    def decode(self, encoding="utf-8", errors="strict"):
        return str(self)


class GFile(tf.gfile.GFile):
    """A file whose text can be decoded, as it could in the scripts' Python 2."""

    def read(self, n=-1):
        content = super().read(n)
        return Text(content) if isinstance(content, str) else content

    def readline(self):
        content = super().readline()
        return Text(content) if isinstance(content, str) else content


_THEIRS = {*tf.flags.FLAGS}  # absl's and TensorFlow's own, which were none in TF 1.4


class Flags:
    """`tf.app.flags.FLAGS`, which until TF 1.4 took any attribute."""

    def __getattr__(self, name):
        if name == "_parse_flags":
            return lambda: tf.flags.FLAGS.flag_values_dict()  # the first look at a flag parses them
        if name == "__flags":
            return {name: value for name, value in tf.flags.FLAGS.flag_values_dict().items() if name not in _THEIRS}
        return getattr(tf.flags.FLAGS, name)

    def __setattr__(self, name, value):
        if name in tf.flags.FLAGS:
            setattr(tf.flags.FLAGS, name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name):
        if name in tf.flags.FLAGS:
            delattr(tf.flags.FLAGS, name)
        else:
            object.__delattr__(self, name)

    def __dir__(self):
        return sorted({*dir(tf.flags.FLAGS), *object.__dir__(self)})

    def __str__(self):
        return str(tf.flags.FLAGS)

    def __len__(self):
        return len(tf.flags.FLAGS)

    def __getitem__(self, name):
        return tf.flags.FLAGS[name]

    def __setitem__(self, name, flag):
        tf.flags.FLAGS[name] = flag

    def __iter__(self):
        return iter(tf.flags.FLAGS)

    def __contains__(self, name):
        return name in tf.flags.FLAGS

    def __call__(self, argv, known_only=False):
        return tf.flags.FLAGS(argv, known_only)


class Whole(float):
    """The default of a DEFINE_float that is an int, and stayed one until TF 1.4: scripts slice by it."""

    def __index__(self):
        return int(self)


def _of_whole(name):
    """The method `name` of float, whose result is a `Whole` where all numbers are whole ones."""
    compute = getattr(float, name)

    def method(self, other):
        result = compute(self, other)
        is_whole = isinstance(other, (int, Whole)) and isinstance(result, float) and result.is_integer()
        return Whole(result) if is_whole else result

    return method


for _name in "add radd sub rsub mul rmul floordiv rfloordiv mod rmod".split():
    setattr(Whole, f"__{_name}__", _of_whole(f"__{_name}__"))


def _define(kind):
    """`tf.app.flags.DEFINE_<kind>`; a script's `log_dir` takes the place of the one that absl has meanwhile."""
    convert = {"integer": int, "float": float, "string": str}.get(kind, lambda default: default)

    def define(name, default, help="", *args, **kwargs):
        was_int = isinstance(default, int) and not isinstance(default, bool)
        if was_int or isinstance(default, float):
            default = convert(default)  # a learning rate of 1, a size of 1e3
        options = {"allow_override": True} if name in _THEIRS else {}
        holder = getattr(tf.flags, f"DEFINE_{kind}")(name, default, help, *args, **options, **kwargs)
        if was_int and kind == "float":
            tf.flags.FLAGS[name].value = Whole(default)
        return holder

    # Until TF 1.4 the parameters had other names, which TF 1.15 takes, too.
    names = {"flag_name": "name", "default_value": "default", "docstring": "help"}
    return lambda *args, **kwargs: define(*args, **{names.get(name, name): kwargs[name] for name in kwargs})


class Calls(ast.NodeTransformer):
    """Calls that have another result today, replaced by ones that have the old one.

    NumPy 2 refuses int(x) and float(x) of arrays with one element, such as [[3]], "%.3f" % x of them, a place in
    another array for them (x[i] = y), x.tostring(), and np.sum of a generator. dynamic_decode gave back two values in
    TF 1.1, and three from TF 1.2 on: where a script takes two, it gets two.
    """

    def visit_Assign(self, node):
        self.generic_visit(node)
        function = getattr(node.value, "func", None)
        is_two = all(isinstance(target, ast.Tuple) and len(target.elts) == 2 for target in node.targets)
        if is_two and "dynamic_decode" in (getattr(function, "attr", None), getattr(function, "id", None)):
            first_two = ast.Slice(None, ast.Constant(2), None)
            node.value = ast.copy_location(ast.Subscript(node.value, first_two, ast.Load()), node.value)
        (target, *others) = node.targets
        if not others and isinstance(target, ast.Subscript) and _is_path(target.value):
            node.value = self._call("__placed__", node, [copy.deepcopy(target.value), node.value])
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        is_format = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
        if is_format and isinstance(node.op, ast.Mod):
            return self._call("__formatted__", node, [node.left, node.right])
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("int", "float") and len(node.args) == 1:
            node.args = [self._call("__scalar__", node, node.args)]
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "tostring" and not (node.args or node.keywords):
            return self._call("__tostring__", node, [node.func.value])
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "sum" and len(node.args) == 1:
            is_numpys = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
            if is_numpys and isinstance(node.args[0], ast.GeneratorExp) and not node.keywords:
                return self._call("sum", node, node.args)
        return node

    @staticmethod
    def _call(name, node, args):
        name = ast.copy_location(ast.Name(name, ast.Load()), node)
        return ast.copy_location(ast.Call(name, args, []), node)


def _is_path(node):
    """Whether the expression is a name, or an attribute of one: it may be looked up twice."""
    return isinstance(node, ast.Name) or isinstance(node, ast.Attribute) and _is_path(node.value)


def scalar(value):
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


def placed(array, value):
    """`value`, for a place in `array`, if that is one of numbers: without its dimensions, where it has one element."""
    is_one = isinstance(array, np.ndarray) and isinstance(value, np.ndarray) and value.size == 1
    return value.reshape(()) if is_one and array.dtype != object else value


def formatted(text, values):
    """`text % values`, where arrays of one element may stand for numbers."""
    try:
        return text % values
    except TypeError:
        return text % (tuple(map(scalar, values)) if isinstance(values, tuple) else scalar(values))


def tostring(value):
    return value.tobytes() if isinstance(value, (np.ndarray, np.generic)) else value.tostring()


class Modules(importlib.abc.MetaPathFinder):
    """Imports the modules beside a script with their `Calls` replaced; no bytecode is kept of them.

    Args:
      folder: the script's.
    """

    def __init__(self, folder):
        self._folder = os.path.join(folder, "")

    def find_spec(self, fullname, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        path = os.path.realpath(spec.origin)
        if not path.startswith(self._folder) or "site-packages" in path:
            return None
        spec.loader = _Loader(fullname, spec.origin)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        return compile_script(self.get_data(self.path), self.path)


def compile_script(source, path):
    """The code of a script, or of a module beside it."""
    tree = ast.fix_missing_locations(Calls().visit(ast.parse(source, path)))
    return compile(tree, path, "exec", dont_inherit=True)


def _ragged(function):
    """`np.array` and its kin, which until NumPy 1.24 made an array of objects from rows of several lengths.

    Until NumPy 2 `copy=False` meant a copy where one is needed.
    """

    @functools.wraps(function)
    def array(*args, **kwargs):
        if kwargs.get("copy", None) is False and np.lib.NumpyVersion(np.__version__) >= "2.0.0" and not _is_librarys():
            kwargs["copy"] = None
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            if "inhomogeneous" not in str(error) or len(args) > 1 or "dtype" in kwargs or _is_librarys():
                raise
            return function(*args, dtype=object, **kwargs)

    return array


array, asarray, asanyarray = _ragged(np.array), _ragged(np.asarray), _ragged(np.asanyarray)


def save(file, arr, *args, **kwargs):
    """`np.save`, whose rows could have several lengths."""
    _save(file, array(arr) if isinstance(arr, (list, tuple)) else arr, *args, **kwargs)


def _of_any(function):
    """`np.vstack` or one of its kin, which until NumPy 1.16 took the arrays from any iterable."""

    @functools.wraps(function)
    def stack(*args, **kwargs):
        args = [list(arg) if not place and not hasattr(arg, "__getitem__") else arg for place, arg in enumerate(args)]
        return function(*args, **kwargs)

    return stack


def as_object(array):
    """`__array__` of tf.Tensor: until NumPy 1.20 a script's np.square(tensor) was tensor * tensor, and not an error."""

    @functools.wraps(array)
    def __array__(self, *args, **kwargs):
        if _is_librarys():
            return array(self, *args, **kwargs)
        found = np.empty((), object)
        found[()] = self
        return found

    return __array__


def fromstring(string, dtype=float, count=-1, *, sep="", **kwargs):
    """`np.fromstring`, which until NumPy 2.3 read bytes, too."""
    if sep == "":
        string = string.encode() if isinstance(string, str) else string
        return np.frombuffer(string, dtype, count).copy()
    return _fromstring(string, dtype, count, sep=sep, **kwargs)


def linspace(start, stop, num=50, *args, **kwargs):
    """`np.linspace`, which until NumPy 1.18 took 30.0 for 30."""
    return _linspace(start, stop, int(num) if isinstance(num, float) else num, *args, **kwargs)


def load(file, *args, **kwargs):
    """`np.load`, which until NumPy 1.16.3 read arrays of objects unasked."""
    if len(args) < 2 and not _is_librarys():
        kwargs.setdefault("allow_pickle", True)
    return _load(file, *args, **kwargs)


def _is_librarys():
    """Whether the function that asks was called by an installed library, and not by a script."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename == __file__:  # one function of these calls another
        frame = frame.f_back
    return "site-packages" in frame.f_code.co_filename


_fromstring, _linspace, _load, _save = np.fromstring, np.linspace, np.load, np.save


@functools.total_ordering
class LooseVersion:
    """`distutils.version.LooseVersion`: numbers and words, in the order of lists; a text is made one, too.

    Attributes:
      vstring, version: the text, and its parts.
    """

    def __init__(self, vstring):
        self.vstring, self.version = vstring, self._parse(vstring)

    @staticmethod
    def _parse(text):
        parts = [part for part in re.split(r"(\d+|[a-z]+|\.)", text) if part not in ("", ".")]
        return [int(part) if part.isdigit() else part for part in parts]

    def __str__(self):
        return self.vstring

    def __repr__(self):
        return f"{type(self).__name__} ('{self}')"

    def _rank(self):
        return self.version

    def _compare(self, other, compare):
        other = type(self)(other) if isinstance(other, str) else other
        return compare(self._rank(), other._rank()) if isinstance(other, type(self)) else NotImplemented

    def __eq__(self, other):
        return self._compare(other, operator.eq)

    def __lt__(self, other):
        return self._compare(other, operator.lt)


class StrictVersion(LooseVersion):
    """`distutils.version.StrictVersion`, which the published PTB script compares TensorFlow's version by.

    Attributes:
      version: three numbers.
      prerelease: ("a" or "b", number), or None.
    """

    def _parse(self, text):
        match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?", text)
        if match is None:
            raise ValueError(f"invalid version number '{text}'")
        *numbers, kind, number = match.groups("0")
        self.prerelease = None if kind == "0" else (kind, int(number))
        return tuple(map(int, numbers))

    def __str__(self):
        numbers = self.version if self.version[2] else self.version[:2]
        return ".".join(map(str, numbers)) + "".join(map(str, self.prerelease or ()))

    def _rank(self):
        return self.version, self.prerelease or ("z",)


def getargspec(function):
    """`inspect.getargspec`, which Python 3.11 dropped, and which 3.10 refuses for what `without_input_size` wraps."""
    spec = inspect.getfullargspec(inspect.unwrap(function))
    return collections.namedtuple("ArgSpec", "args varargs keywords defaults")(*spec[:4])


def without_input_size(init, place):
    """`init` of a cell, which until TF 1.1 took `input_size`: by name, or `place` arguments after num_units."""

    @functools.wraps(init)
    def __init__(self, num_units, *args, input_size=None, **kwargs):
        if len(args) > place and isinstance(args[place], (int, np.integer)) and not isinstance(args[place], bool):
            args = *args[:place], *args[place + 1 :]
        init(self, num_units, *args, **kwargs)

    return __init__


def _with_embedding_size(function, place):
    """A model whose embedding was as wide as its cell until TF 0.7, without the argument `place` after the cell."""

    @functools.wraps(function)
    def model(encoder_inputs, decoder_inputs, cell, *args, **kwargs):
        if len(args) <= place:
            kwargs.setdefault("embedding_size", cell.output_size)
        return function(encoder_inputs, decoder_inputs, cell, *args, **kwargs)

    return model


def model_with_buckets(*args, num_decoder_symbols=None, **kwargs):
    """Until TF 0.7 the number of symbols stood before the function."""
    args = [arg for place, arg in enumerate(args) if place != 5 or callable(arg)]
    return legacy_seq2seq.model_with_buckets(*args, **kwargs)


def with_shape(init):
    """`init` of SparseTensor, whose `dense_shape` was called `shape` before TF 1.0."""

    @functools.wraps(init)
    def __init__(self, indices, values, dense_shape=None, shape=None):
        init(self, indices, values, dense_shape if shape is None else shape)

    return __init__


def with_state_as_one(call):
    """`call` of a cell, whose state could be one tensor until TF 0.9: c and h, and the layers', side by side."""

    @functools.wraps(call)
    def wrapper(self, inputs, state, *args, **kwargs):
        if not (isinstance(state, tf.Tensor) and tf.nest.is_nested(self.state_size)):
            return call(self, inputs, state, *args, **kwargs)
        parts = tf.split(state, tf.nest.flatten(self.state_size), axis=1)
        state = tf.nest.pack_sequence_as(self.state_size, parts)
        output, state = call(self, inputs, state, *args, **kwargs)
        return output, tf.concat(tf.nest.flatten(state), axis=1)

    return wrapper


_FLAGS = {f"DEFINE_{kind}": _define(kind) for kind in ("string", "boolean", "bool", "integer", "float")}

TF = {
    "concat": concat,
    "concat_v2": tf.concat,
    "split": split,
    "reverse": reverse,
    "pack": tf.stack,
    "unpack": tf.unstack,
    "mul": tf.multiply,
    "sub": tf.subtract,
    "neg": tf.negative,
    "inv": tf.reciprocal,
    "complex_abs": tf.abs,
    "select": tf.where,
    "batch_matmul": batch_matmul,
    "scalar_summary": scalar_summary,
    "histogram_summary": histogram_summary,
    "image_summary": image_summary,
    "merge_summary": merge_summary,
    "merge_all_summaries": merge_all_summaries,
    "initialize_all_tables": tf.tables_initializer,
}
NN = {
    "softmax_cross_entropy_with_logits": _cross_entropy(tf.nn.softmax_cross_entropy_with_logits),
    "softmax_cross_entropy_with_logits_v2": tf.nn.softmax_cross_entropy_with_logits_v2,
    "sparse_softmax_cross_entropy_with_logits": _cross_entropy(tf.nn.sparse_softmax_cross_entropy_with_logits),
    "sigmoid_cross_entropy_with_logits": _cross_entropy(tf.nn.sigmoid_cross_entropy_with_logits),
    "sampled_softmax_loss": _sampled_loss(tf.nn.sampled_softmax_loss),
    "nce_loss": _sampled_loss(tf.nn.nce_loss),
    "ctc_loss": ctc_loss,
    "rnn": tf.nn.static_rnn,
    "bidirectional_rnn": tf.nn.static_bidirectional_rnn,
    "state_saving_rnn": tf.nn.static_state_saving_rnn,
}
RNN_CELL = {
    **contrib.SHELVES["rnn"],
    "linear": cells.linear,
    "_Linear": cells.Linear,
    "_checked_scope": lambda cell, scope, reuse=None, **kwargs: tf.variable_scope(scope, reuse=reuse, **kwargs),
    "_RNNCell": tf.nn.rnn_cell.RNNCell,
    "LayerRNNCell": tf.nn.rnn_cell.BasicLSTMCell.__base__,
    "_like_rnncell": lambda cell: all(hasattr(cell, name) for name in ("output_size", "state_size", "zero_state")),
    "_WEIGHTS_VARIABLE_NAME": "kernel",
    "_BIAS_VARIABLE_NAME": "bias",
}
SEQ2SEQ = {
    **legacy_seq2seq.SHELF,
    "embedding_rnn_seq2seq": _with_embedding_size(legacy_seq2seq.embedding_rnn_seq2seq, 2),
    "embedding_attention_seq2seq": _with_embedding_size(legacy_seq2seq.embedding_attention_seq2seq, 2),
    "embedding_tied_rnn_seq2seq": _with_embedding_size(legacy_seq2seq.embedding_tied_rnn_seq2seq, 1),
    "model_with_buckets": model_with_buckets,
}
_SUMMARIES = scalar_summary, histogram_summary, image_summary, merge_summary, merge_all_summaries
DEPRECATED = {function.__name__: function for function in _SUMMARIES}
TRAIN = {"SummaryWriter": tf.summary.FileWriter}
FLAGS = {"FLAGS": Flags(), **_FLAGS}
GFILE = {"GFile": GFile, "Open": GFile, "FastGFile": GFile}

_NUMPY = {
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "PINF": np.inf,
    "NINF": -np.inf,
    "NaN": np.nan,
    "NAN": np.nan,
    "float": float,
    "float_": np.float64,
    "int": int,
    "bool": bool,
    "object": object,
    "str": str,
    "complex": complex,
    "unicode": str,
    "unicode_": np.str_,
    "complex_": np.complex128,
    "round_": np.round,
    "string_": np.bytes_,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "alltrue": np.all,
    "sometrue": np.any,
    "bool8": np.bool_,
    "asfarray": lambda array, dtype=float: np.asarray(array, dtype),
    "mat": np.asmatrix,
    "math": math,
    "asscalar": lambda array: array.item(),
    "rank": np.ndim,
    "in1d": np.isin,
    "row_stack": np.vstack,
    "trapz": getattr(np, "trapezoid", None),  # new in NumPy 2, which may have both
}
_ABCS = (
    "Callable Container Hashable Iterable Iterator Mapping MutableMapping MutableSequence Sequence Set Sized".split()
)


def restore():
    """Puts back what NumPy and Python have dropped, for the whole process; what they still have stays as it is."""
    dropped = [(builtins, "xrange", range), (builtins, "raw_input", input)]
    dropped += [(builtins, "__scalar__", scalar), (builtins, "__tostring__", tostring)]
    dropped += [(builtins, "__placed__", placed), (builtins, "__formatted__", formatted)]
    dropped += [(np, name, value) for name, value in _NUMPY.items()]
    dropped += [(collections, name, getattr(collections.abc, name)) for name in _ABCS]
    dropped += [(time, "clock", time.perf_counter), (fractions, "gcd", math.gcd)]
    dropped += [(urllib, name, getattr(urllib.request, name)) for name in ("urlopen", "urlretrieve")]
    dropped += [(urllib, name, getattr(urllib.parse, name)) for name in ("quote", "unquote", "urlencode")]
    dropped += [(itertools, "izip", zip), (itertools, "imap", map), (itertools, "ifilter", filter)]
    dropped += [(string, "letters", string.ascii_letters), (string, "lowercase", string.ascii_lowercase)]
    dropped += [(string, "uppercase", string.ascii_uppercase), (string, "maketrans", str.maketrans)]
    dropped += [(sys, "maxint", sys.maxsize)]
    for module, name, value in dropped:
        if name not in vars(module):
            setattr(module, name, value)
    sys.modules.setdefault("cPickle", pickle)
    sys.modules.setdefault("xml.etree.cElementTree", xml.etree.ElementTree)
    if importlib.util.find_spec("imp") is None:  # from Python 3.12 on, as the next one
        sys.modules["imp"] = imp = types.ModuleType("imp")
        imp.reload = importlib.reload
    if importlib.util.find_spec("distutils") is None:
        version = types.ModuleType("distutils.version")
        version.StrictVersion, version.LooseVersion = StrictVersion, LooseVersion
        sys.modules["distutils"] = package = types.ModuleType("distutils")
        sys.modules["distutils.version"] = package.version = version
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        np.set_printoptions(legacy="1.25")  # a list of numbers is [1.5], and not [np.float32(1.5)]
    np.array, np.asarray, np.asanyarray = array, asarray, asanyarray
    np.fromstring, np.linspace, np.load, np.save = fromstring, linspace, load, save
    for name in "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack":
        setattr(np, name, _of_any(getattr(np, name)))
    inspect.getargspec = getargspec
