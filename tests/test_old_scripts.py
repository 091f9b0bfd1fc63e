"""`python -m tf1`: scripts in the style of each year run unedited, and what cannot be had is said in one line."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT, slow
from tf1 import __main__, tf
from tf1.app import UserError

FOLDER = ROOT / "tests" / "old_scripts"
TEXT = "".join(f"the {noun} sees the {other} \n" for noun in ("cat", "dog", "cow") for other in ("hen", "pig")) * 30


@pytest.fixture
def run_old(tmp_path, corpus):
    """Runs a script of tests/old_scripts, or a text, with or without `-m tf1`; returns the finished process.

    `installed` is a folder of further packages.
    """

    def run(script, *args, options=("-m", "tf1"), timeout=120, installed=None):
        path = FOLDER / script
        if not script.endswith((".py", ".ipynb")):
            path = tmp_path / "script.py"
            path.write_text(script, encoding="utf-8")
        if any("CORPUS" in arg for arg in args):
            folder = corpus(TEXT, valid="the cat sees the pig \n" * 40)
            args = [arg.replace("CORPUS", folder) for arg in args]
        packages = os.pathsep.join(map(str, filter(None, [ROOT, installed])))
        env = {**os.environ, "PYTHONPATH": packages, "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [sys.executable, *options, str(path), *args]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=timeout)

    return run


SCRIPTS = {  # its arguments, and a pattern of the losses that it prints
    "ptb_supervisor_012.py": (["--data_path=CORPUS", "--log_dir=log"], r"Train Perplexity: ([\d.]+)"),
    "char_rnn_decoder_10.py": (["--text=corpus.txt"], r"train_loss = ([\d.]+)"),
    "queues_10.py": ([], r"loss ([\d.]+)"),
    "mnist_rows_11.py": ([], r"Loss= ([\d.]+)"),
    "sine_layers_12.py": ([], r"MSE: ([\d.e-]+)"),
    "buckets_012.py": ([], r"loss ([\d.]+)"),
    "seq2seq_loss_13.py": ([], r"loss: ([\d.]+)"),
    "beams_14.py": ([], r"loss ([\d.]+)"),
    "bidirectional_14.py": ([], r"Loss= ([\d.]+)"),
    "lengths_15.py": ([], r"loss ([\d.]+)"),
    "monitored_115.py": ([], r"loss ([\d.]+)"),
    "tagger_110.py": ([], r"loss ([\d.]+)"),
}
OFTEN = ("ptb_supervisor_012.py", "monitored_115.py")


@pytest.mark.parametrize("script", [name if name in OFTEN else slow(name) for name in SCRIPTS])
def test_old_scripts_run_unedited(run_old, tmp_path, script):
    (tmp_path / "corpus.txt").write_text(TEXT)
    arguments, pattern = SCRIPTS[script]
    process = run_old(script, *arguments)
    assert process.returncode == 0, process.stderr
    losses = [float(loss) for loss in re.findall(pattern, process.stdout)]
    assert len(losses) >= 2 and losses[-1] < 0.7 * losses[0], process.stdout
    for right, count in re.findall(r"right: (\d+) of (\d+)", process.stdout):
        assert int(right) >= 0.75 * int(count)
    if script == "ptb_supervisor_012.py":  # [cell] * 2, in a model that is built twice
        assert process.stdout.count("kernel") == 2


@pytest.mark.parametrize("script", [slow(name) if name != "monitored_115.py" else name for name in SCRIPTS])
def test_old_scripts_fail_on_todays_tensorflow_alone(run_old, tmp_path, script):
    (tmp_path / "corpus.txt").write_text(TEXT)
    process = run_old(script, *SCRIPTS[script][0], options=())
    assert process.returncode == 1
    assert re.search(r"(Attribute|ModuleNotFound|Import|Value)Error", process.stderr)


def test_layers_of_one_cell_have_weights_of_their_own(run_old):
    process = run_old(
        """
import tensorflow as tf
keep_prob = tf.placeholder_with_default(0.5, [])
cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicLSTMCell(4), output_keep_prob=keep_prob)
for reuse in False, True:  # the second time, the cell has been used
    with tf.variable_scope("", reuse=reuse):
        tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell([cell] * 3), tf.zeros([2, 3, 4]), dtype=tf.float32)
print(*[v.op.name for v in tf.trainable_variables() if v.op.name.endswith("kernel")], tf.__version__)
"""
    )
    layers = " ".join(f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/kernel" for layer in range(3))
    assert process.stdout == f"{layers} 1.15.0\n", process.stderr


CHECKED = """\
from __future__ import print_function
import numpy as np
import tensorflow as tf
import no_such_module
import beside
from tensorflow.contrib import eager, rnn
try:
    import another_one
except ImportError:
    pass
cell = rnn.BasicLSTMCel(3)
other = tf.contrib.rnn.GRUCell(3)
lstm = tf.contrib.cudnn_rnn.CudnnLSTM(1, 2)
layer = tf.contrib.slim.fully_connected
tf.nn.dynamic_rnn_(cell)
tf.train.AdamOptimizer().minimise  # of an object: only a run can tell
tf.model = cell
tf.model.build()  # which the script has set there
import tensorflow_nothing
for i in xrange(3):
    print(np.Inf, unicode(i))
import studies  # a module of this project's, which the script does not see
"""
FOUND = [
    "beside.py:2: tf.contrib.nothing is neither in TensorFlow 2.21 nor on the shelf: ",
    "script.py:4: the module no_such_module is not installed",
    "script.py:6: tf.contrib.eager is neither in TensorFlow 2.21 nor on the shelf: today's TensorFlow",
    "script.py:11: tf.contrib.rnn.BasicLSTMCel is neither in TensorFlow 2.21 nor on the shelf: the nearest is ",
    "script.py:13: tf.contrib.cudnn_rnn.CudnnLSTM needs a GPU with CUDA",
    "script.py:14: tf.contrib.slim is neither in TensorFlow 2.21 nor on the shelf: pip install tf_slim",
    "script.py:15: tf.nn.dynamic_rnn_ is neither in TensorFlow 2.21 nor on the shelf: the nearest is dynamic_rnn",
    "script.py:19: the module tensorflow_nothing is not installed",
    "script.py:21: unicode is Python 2; today it is str",
    "script.py:22: the module studies is not installed",
    "script.py: 9 things are missing",
]


def test_check_lists_what_is_missing_and_runs_nothing(run_old, tmp_path):
    (tmp_path / "beside.py").write_text("import tensorflow as tf\ntf.contrib.nothing\nopen('was_run', 'w')\n")
    process = run_old(CHECKED, options=("-m", "tf1", "--check"))
    lines = process.stdout.splitlines()
    assert len(lines) == len(FOUND), process.stdout + process.stderr
    for line, found in zip(lines, FOUND):
        assert line.startswith(str(tmp_path / found)), line
    assert process.returncode == 1 and not (tmp_path / "was_run").exists()


@pytest.mark.parametrize("script", ["ptb_supervisor_012.py", slow("monitored_115.py"), slow("queues_10.py")])
def test_check_finds_nothing_in_scripts_that_run(run_old, script):
    process = run_old(script, options=("-m", "tf1", "--check"))
    assert (process.returncode, process.stdout.splitlines()[-1]) == (0, f"{FOLDER / script}: nothing is missing")


def test_a_script_in_a_package(run_old, tmp_path):
    """As `python -m package.script`: relative imports are those of its package, absolute ones begin above that.

    What stands beside the script is found by its own name, too, as `python package/script.py` would find it.
    """
    package = tmp_path / "package"
    (package / "utils").mkdir(parents=True)
    for name in "__init__.py", "utils/__init__.py":
        (package / name).write_text("")
    (package / "utils" / "sizes.py").write_text("from .. import model\nfrom package import model as again\nUNITS = 3\n")
    (package / "model.py").write_text("import beside\nimport tensorflow as tf\ncell = tf.contrib.rnn.NASCell\n")
    (package / "beside.py").write_text("")
    script = package / "script.py"
    script.write_text(
        "from . import model\nfrom .utils import sizes\n"
        "print(__package__, model.cell(sizes.UNITS).output_size, sizes.model is sizes.again)\n"
    )
    process = run_old(str(script))
    assert (process.returncode, process.stdout) == (0, "package 3 True\n"), process.stderr
    (package / "model.py").write_text("import beside, package.script\nimport tensorflow as tf\n")
    (package / "beside.py").write_text("import tensorflow as tf\ntf.contrib.nothing\n")
    process = run_old(str(script), options=("-m", "tf1", "--check"))
    first, last = process.stdout.splitlines()
    assert process.returncode == 1 and first.startswith(f"{package / 'beside.py'}:2: tf.contrib.nothing is neither")


@pytest.mark.parametrize(
    "line, reason",
    [
        ('print "perplexity"', "Missing parentheses in call to 'print'"),
        ("except Exception, error:", ""),
        ("if a <> b: pass", ""),
        ("mode = 0777", "leading zeros"),
        ("exec 'a = 1' in b", ""),
    ],
)
def test_python_2_is_recognised_before_anything_runs(run_script, tmp_path, line, reason):
    body = f"try:\n    pass\n{line}\n    pass\n" if line.startswith("except") else f"a = 1\n\n{line}\n"
    (tmp_path / "old.py").write_text(f"open('was_run', 'w')\n{body}")
    process = run_script("-c", MAIN, str(tmp_path / "old.py"))
    assert process.returncode == 2 and not (tmp_path / "was_run").exists()
    (message,) = process.stderr.splitlines()
    assert f"old.py:4 is not Python 3 ({reason}" in message and f"): {line}" in message and "2to3" in message
    assert process.stdout == ""


MAIN = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tf1 import __main__; __main__.main()"


def test_python_2_beside_the_script(run_old, tmp_path):
    (tmp_path / "model.py").write_text("print 'x'\n")
    process = run_old("import model\n")
    assert process.returncode == 2 and "model.py:1 is not Python 3" in process.stderr.splitlines()[-1]


def test_errors_are_the_scripts_own(run_old):
    process = run_old("import tensorflow as tf\nprint(1)\n\ndef f():\n    tf.contrib.rnn.BasicLSTMCel(3)\nf()\n")
    assert (process.returncode, process.stdout) == (1, "1\n")
    lines = process.stderr.splitlines()
    assert lines[0].startswith("Traceback") and 'script.py", line 6' in lines[1]
    assert "tf.contrib.rnn.BasicLSTMCel is neither in TensorFlow 2.21 nor on the shelf: the nearest is" in lines[-1]


def test_imports_of_what_is_nowhere_are_explained(run_old):
    lines = [
        "from tensorflow.contrib.rnn import BasicLSTMCel",
        "from tensorflow.contrib.rnn.python.ops.core_rnn_cell import BasicLSTMCel",
        "from tensorflow.python.ops.rnn_cell_impl import BasicLSTMCel",
        "from tensorflow.contrib.layers.python.layers import conv2d",
        "import tensorflow.contrib.slim as slim",
        "from tensorflow.contrib import slim",
    ]
    process = run_old(
        f"for line in {lines}:\n    try:\n        exec(line)\n    except ImportError as error:\n        print(error)\n"
    )
    found = process.stdout.splitlines()
    assert len(found) == len(lines), process.stderr
    for line, message in zip(lines, found):
        assert re.match(rf"tf\..*{line.split()[3 if 'from' in line else 1].split('.')[-1]} is neither in Tens", message)


def test_what_old_modules_cells_and_errors_were_like(run_old, tmp_path):
    """A module beside the script takes int() of an array, cells take input_size; a wrong value of ours is one line."""
    (tmp_path / "beside.py").write_text("import numpy as np\nsize = int(np.array([[3]]))\n")
    process = run_old(
        """
import beside
import tensorflow as tf
import tensorflow.models.rnn.ptb.reader as reader
from tensorflow.models.rnn.translate import data_utils
cells = tf.nn.rnn_cell
made = [cells.LSTMCell(3, 4), cells.BasicLSTMCell(3, 0.0, 4), cells.GRUCell(3, 4), cells.BasicRNNCell(3, input_size=4)]
for place, cell in enumerate(made):
    tf.nn.dynamic_rnn(cell, tf.zeros([2, 5, 4]), dtype=tf.float32, scope="rnn_%d" % place)
print(beside.size, len(tf.trainable_variables()), made[1].get_config()["forget_bias"], data_utils.EOS_ID)
reader.ptb_raw_data("nowhere")
"""
    )
    assert process.stdout == "3 10 0.0 2\n" and process.returncode == 2, process.stderr
    assert "nowhere/ptb.train.txt is missing" in process.stderr.splitlines()[-1]
    assert not (tmp_path / "__pycache__").exists()


MODULES = """
import numpy as np
from tensorflow.data import Dataset
import tensorflow.layers as layers
from tensorflow.summary import FileWriter
from tensorflow.python.framework import ops, tensor_shape
from tensorflow.python.layers.normalization import BatchNormalization, batch_norm
from tensorflow.python.ops import control_flow_ops, random_ops, variables, variable_scope as vs
from tensorflow.contrib.framework import arg_scope, get_variables
import tensorflow.contrib.slim as slim
import tensorflow as tf
step = Dataset.range(3).make_one_shot_iterator().get_next()
x = tf.placeholder(tf.float32, tensor_shape.matrix(1, 2))
with vs.variable_scope("scope"):
    layers.dense(x, 3)
print(isinstance(x, ops.Tensor), isinstance(get_variables("scope")[0], variables.Variable), layers is tf.layers)
print(tensor_shape.scalar(), tensor_shape.vector(3), BatchNormalization, FileWriter is tf.summary.FileWriter)
sign = control_flow_ops.cond(tf.reduce_sum(x) > 0, lambda: 1, lambda: -1)
count = control_flow_ops.while_loop(lambda i: i < 5, lambda i: i + 1, [0])
with tf.Session() as session:
    print(*session.run([step, sign, count], {x: [[-2, 1]]}))
print(arg_scope(), slim.arg_scope(), tf.contrib.layers.conv2d(), tf.contrib.layers.flatten(x).shape)
tf.contrib.layers.conv4d
"""


def test_modules_by_their_public_and_private_paths(run_old, tmp_path):
    """They are TF 1.15's; tf_slim, where it is installed, has the rest of contrib.layers and contrib.framework."""
    (tmp_path / "tf_slim").mkdir()
    (tmp_path / "tf_slim" / "__init__.py").write_text("arg_scope = lambda: 'scope'\n")
    (tmp_path / "tf_slim" / "layers.py").write_text("conv2d = lambda: 'conv'\nflatten = None  # ours comes first\n")
    process = run_old(MODULES, installed=tmp_path)
    lines = ["True True True", f"() (3,) {tf.layers.BatchNormalization} True", "0 -1 5", "scope scope conv (1, 2)"]
    assert process.stdout.splitlines() == lines, process.stderr
    missing = "tf.contrib.layers.conv4d is neither in TensorFlow 2.21 nor on the shelf: pip install tf_slim"
    assert missing in process.stderr and process.returncode == 1


KERAS = """
import keras
from keras.preprocessing.sequence import pad_sequences
from keras.layers.core import Dense
from keras.utils.np_utils import to_categorical
from keras.engine.topology import Layer
import keras.backend as K
import tensorflow as tf
import tensorflow.contrib.keras as kr
from tensorflow.contrib.keras.python.keras.layers import Embedding
print(keras.__version__, pad_sequences([[1], [2, 3]]).tolist(), kr.preprocessing.sequence.pad_sequences([[4]]).tolist())
print(to_categorical([0, 1]).tolist(), K.floatx(), issubclass(Dense, Layer), issubclass(Embedding, Layer))
model = keras.models.Sequential([keras.layers.LSTM(4, input_shape=(3, 2)), Dense(1)])
print(model(tf.zeros([5, 3, 2])).shape, len(tf.trainable_variables()))
"""


def test_keras_is_keras_2(run_old, tmp_path):
    """Today's Keras 3 cannot build graphs; a module keras.py beside the script is the script's."""
    process = run_old(KERAS)
    assert process.stdout.splitlines() == ["2.3.1 [[0, 1], [2, 3]] [[4]]", *process.stdout.splitlines()[1:]]
    others = ["[[1.0, 0.0], [0.0, 1.0]] float32 True True", "(5, 1) 5"]
    assert process.stdout.splitlines()[1:] == others, process.stderr
    (tmp_path / "keras.py").write_text("name = 'own'\n")
    assert run_old("import tensorflow, keras\nprint(keras.name)\n").stdout == "own\n"


PLACES = """
from tensorflow.contrib.tensorboard.plugins import projector
import tensorflow.contrib.distributions as ds
from tensorflow.contrib.legacy_seq2seq.python.ops.seq2seq import *
from tensorflow.contrib.rnn.python.ops.core_rnn_cell import *
from tensorflow.contrib.seq2seq.python.ops.attention_wrapper import _BaseAttentionMechanism, _compute_attention
from tensorflow.contrib.seq2seq.python.ops.attention_wrapper import _maybe_mask_score, AttentionWrapper
from tensorflow.models.rnn import linear
from tensorflow.python.framework import graph_util
from tensorflow.python.framework.graph_util import convert_variables_to_constants
from tensorflow.python.ops.nn import dynamic_rnn, rnn_cell as cells
from tensorflow.python.ops.functional_ops import map_fn
from tensorflow.python.ops.ctc_ops import ctc_loss
from tensorflow.python.pywrap_tensorflow import NewCheckpointReader
from tensorflow.python import pywrap_tensorflow
from tensorflow.python.eager import context
import xml.etree.cElementTree as ET
import tensorflow as tf
x = tf.constant([[1.0, 2.0]])
print(rnn_decoder.__name__, BasicLSTMCell is cells.BasicLSTMCell, ds.Normal.__name__, context.in_graph_mode())
print(linear.linear([x], 3, True, 0.0, "scope").shape, [variable.op.name for variable in tf.trainable_variables()])
losses = [tf.nn.ctc_loss(tf.SparseTensor([[0, 0]], [1], [1, 1]), sequence_length=[2], logits=tf.zeros([2, 1, 3]))]
losses.append(ctc_loss(tf.zeros([2, 1, 3]), tf.SparseTensor([[0, 0]], [1], [1, 1]), [2]))
with tf.Session() as session:
    print(session.run(losses), NewCheckpointReader is pywrap_tensorflow.NewCheckpointReader)
config = projector.ProjectorConfig()
config.embeddings.add().tensor_name = "embedding"
projector.visualize_embeddings(tf.summary.FileWriter("logs"), config)
print(open("logs/projector_config.pbtxt").read().split())
"""


def test_names_by_the_places_that_scripts_have_them_from(run_old):
    lines = ["rnn_decoder True Normal True", "(1, 3) ['scope/kernel', 'scope/bias']"]
    lines.append("[array([1.0986123], dtype=float32), array([1.0986123], dtype=float32)] True")
    lines.append("['embeddings', '{', 'tensor_name:', '\"embedding\"', '}']")
    process = run_old(PLACES)
    assert process.stdout.splitlines() == lines, process.stderr


NUMPY_1 = """
import numpy as np
import tensorflow as tf
x = tf.constant([[1.0, 2.0]])
with tf.Session() as session:
    print(session.run([np.square(x), np.multiply(x, 2.0), np.abs(-x)]))
o = np.empty(1, object)
o[0] = np.array([7])  # stays an array
print(len(o[0]), np.sum(size for size in (2, 3)), np.round_(2.6), np.unicode("a"), np.array(np.arange(3), copy=False))
class A: pass
a = A.a = np.zeros(3)
b = [0]
a[1] = np.array([[5.0]])
A.a[2] = np.array([[6.0]])
b[0] = np.array([7.0])
print(a, b, "%.2f and %s and %d" % (np.array([1.5]), "s", np.array([[3]])), "%s" % np.array([2.0]))
np.save("ragged.npy", [[1, 2], [3]])
print(np.load("ragged.npy"), np.vstack(map(np.array, [[1, 2], [3, 4]])).tolist())
"""


def test_what_numpy_1_allowed(run_old):
    lines = [
        "[array([[1., 4.]], dtype=float32), array([[2., 4.]], dtype=float32), array([[1., 2.]], dtype=float32)]",
        "1 5 3.0 a [0 1 2]",
        "[0. 5. 6.] [array([7.])] 1.50 and s and 3 [2.]",
        "[list([1, 2]) list([3])] [[1, 2], [3, 4]]",
    ]
    process = run_old(NUMPY_1)
    assert process.stdout.splitlines() == lines, process.stderr


BEFORE_1 = """
import itertools, string
import numpy as np
import tensorflow as tf
rnn_cell = tf.nn.rnn_cell
x = [tf.constant(np.sin(np.arange(8) + step).reshape(2, 4), tf.float32) for step in range(3)]
for state_is_tuple in (True, False):  # the first with one tensor for c and h of both layers, all the same
    tf.set_random_seed(3)
    with tf.variable_scope("model", initializer=tf.random_uniform_initializer(-1, 1, seed=1)) as scope:
        cells = [rnn_cell.BasicLSTMCell(n, state_is_tuple=state_is_tuple) for n in (5, 3)]
        cell = rnn_cell.MultiRNNCell(cells, state_is_tuple=state_is_tuple)
        state = tf.reshape(tf.linspace(-1.0, 1.0, 32), [2, 16])
        with tf.variable_scope("static"):
            outputs, final = tf.nn.rnn(cell, x, initial_state=state)
        with tf.variable_scope("dynamic"):
            again, final_again = tf.nn.dynamic_rnn(cell, tf.pack(x), initial_state=state, time_major=True)
    with tf.Session() as session:
        session.run(tf.initialize_all_variables())
        for tensor in session.run([outputs[-1], final, again[-1], final_again]):
            print(tensor.shape, "%.5f" % np.sum(tensor * np.arange(tensor.size).reshape(tensor.shape)))
    tf.reset_default_graph()
    x = [tf.constant(np.sin(np.arange(8) + step).reshape(2, 4), tf.float32) for step in range(3)]
array = tf.TensorArray(tf.float32, 3).unpack(tf.constant([1.0, 2.0, 3.0])).pack()
labels = tf.SparseTensor(indices=[[0, 0], [0, 1]], values=[1, 0], shape=[1, 2])
logits = tf.constant(np.sin(np.arange(12)).reshape(4, 1, 3), tf.float32)
losses = tf.nn.ctc_loss(logits, labels, [4]), tf.nn.ctc_loss(labels, logits, [4])
with tf.Session() as session:
    first, second = session.run(losses)
    print(session.run(array), first == second)
print(np.asarray([[1, 2], [3]]).shape, string.letters[:3], list(itertools.izip("a", "b")))
print([float(run["a"]) for run in tf.contrib.learn.run_n({"a": tf.constant(1)}, n=2)], tf.contrib.learn.ModeKeys.TRAIN)
"""


@pytest.mark.parametrize("options", [("-m", "tf1"), slow(("-m", "tf1", "--fast"))])
def test_what_was_there_before_tf_1(run_old, options):
    process = run_old(BEFORE_1, options=options)
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    assert lines[:4] == lines[4:8] and lines[0].startswith("(2, 3) ") and lines[1].startswith("(2, 16) ")
    assert lines[8:] == ["[1. 2. 3.] [ True]", "(2,) abc [('a', 'b')]", "[1.0, 1.0] train"]


OF_TF_1_1 = """
import inspect, string
from imp import reload
import numpy as np
import tensorflow as tf
from tensorflow.contrib.compiler import jit
from tensorflow.contrib.layers import safe_embedding_lookup_sparse
from tensorflow.contrib.seq2seq import dynamic_decode
from tensorflow.contrib.seq2seq.python.ops import decoder_fn
tf.app.flags.DEFINE_float("size", 2, "an int that stayed one")
size = tf.app.flags.FLAGS.size
print("reuse" in inspect.getargspec(tf.contrib.rnn.BasicLSTMCell.__init__).args)  # the published PTB script asks that
print([1, 2, 3][3 * size - 5 :], list(range(size)), size / 4, isinstance(size, float), tf.constant(size).dtype)
cell = tf.contrib.rnn.GRUBlockCell(3)
helper = tf.contrib.seq2seq.TrainingHelper(tf.zeros([2, 4, 3]), [4, 1])
decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
outputs, state = dynamic_decode(decoder)
_, again = tf.contrib.seq2seq.dynamic_decode(decoder, scope="again")
_, _, lengths = dynamic_decode(decoder, scope="of_1_2")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print([array.shape for array in session.run([outputs.rnn_output, state, again])], session.run(lengths))
print(reload(string) is string, [np.float32(1.5)], tf.contrib.signal.frame(tf.zeros([8]), 4, 2).shape)
print(decoder_fn.prepare_attention.__module__, jit.experimental_jit_scope, sep="\\n")
"""


def test_what_was_there_in_tf_1_1(run_old):
    """`dynamic_decode` of two values, an int of DEFINE_float as an index, and the imports of its years."""
    process = run_old(OF_TF_1_1)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[:5] == [
        "True",
        "[2, 3] [0, 1] 0.5 True <dtype: 'float32'>",
        "[(2, 4, 3), (2, 3), (2, 3)] [4 1]",
        "True [1.5] (3, 4)",
        "tf1.decoder_fn",
    ]


OF_1_15 = """
import base64, sys
import numpy as np
import tensorflow as tf
from distutils.version import LooseVersion
from tensorflow.contrib import learn
from tensorflow.contrib.learn.python.learn import datasets, preprocessing
from tensorflow.contrib.learn.python.learn.datasets.mnist import DataSet, read_data_sets
from tensorflow.contrib.learn.python.learn.preprocessing import VocabularyProcessor
from tensorflow.contrib.learn.python.learn.preprocessing.categorical_vocabulary import CategoricalVocabulary
from tensorflow.contrib.learn.python.learn.preprocessing.text import VocabularyProcessor as of_text
from tensorflow.contrib.training.python.training.hparam import HParams, parse_values
print(VocabularyProcessor is of_text is learn.preprocessing.VocabularyProcessor is preprocessing.VocabularyProcessor)
print(DataSet is datasets.mnist.DataSet, HParams is tf.contrib.training.HParams, LooseVersion(tf.__version__) >= "1.4")
open("vocab", "wb").write(base64.b64decode(sys.argv[1]))
vocabulary = VocabularyProcessor.restore("vocab")
vocabulary.vocabulary_.add("a")
print(list(vocabulary.transform(["c b a"]))[0], *vocabulary.reverse([[0, 1, 2]]), vocabulary.vocabulary_._freq["a"])
flags, FLAGS = tf.app.flags, tf.app.flags.FLAGS
flags.DEFINE_string("data_dir", "/tmp", help="of data")
flags.DEFINE_integer(name="n", default=3, help="of n")
flags.DEFINE_float(flag_name="rate", default_value=0.5, docstring="of rate")
flags.DEFINE_boolean("is_new", default_value=True, docstring="of is_new")
flags.DEFINE_integer("few", 3, "of few", 1, 9)
print(FLAGS.data_dir, FLAGS.n, FLAGS.rate, FLAGS.is_new, FLAGS.few, FLAGS["n"].help, FLAGS["rate"].help)
try:
    FLAGS.few = 10
except flags.IllegalFlagValueError as error:
    print(error)
count, flag = len(FLAGS), FLAGS["n"]
del FLAGS.n
print(count - len(FLAGS), "n" in FLAGS, "n" in dir(FLAGS), "is_new" in dir(FLAGS), "[no]is_new" in str(FLAGS))
FLAGS["n"] = flag
FLAGS.invented = 1
print(count - len(FLAGS), FLAGS.n, FLAGS.invented, "invented" in dir(FLAGS))
del FLAGS.invented
for name in "invented", "nowhere":
    try:
        FLAGS.__delattr__(name)
    except AttributeError as error:
        print(name in str(error))
for k in list(FLAGS._flags()):
    FLAGS.__delattr__(k)
print(len(FLAGS), list(FLAGS))
flags.DEFINE_string("data_dir", "/new", "again")
flags.DEFINE_string("log_dir", "/log", "one of absl's own")
print(FLAGS.data_dir, FLAGS.log_dir, len(FLAGS))
"""
# What TensorFlow 1.15.5 saved of VocabularyProcessor(4, min_frequency=1).fit(["a b b", "b a c"]).
SAVED = (
    "gANjdGVuc29yZmxvdy5jb250cmliLmxlYXJuLnB5dGhvbi5sZWFybi5wcmVwcm9jZXNzaW5nLnRleHQKVm9jYWJ1bGFyeVByb2Nlc3NvcgpxAC"
    "mBcQF9cQIoWBMAAABtYXhfZG9jdW1lbnRfbGVuZ3RocQNLBFgNAAAAbWluX2ZyZXF1ZW5jeXEESwFYCwAAAHZvY2FidWxhcnlfcQVjdGVuc29y"
    "Zmxvdy5jb250cmliLmxlYXJuLnB5dGhvbi5sZWFybi5wcmVwcm9jZXNzaW5nLmNhdGVnb3JpY2FsX3ZvY2FidWxhcnkKQ2F0ZWdvcmljYWxWb2"
    "NhYnVsYXJ5CnEGKYFxB31xCChYDgAAAF91bmtub3duX3Rva2VucQlYBQAAADxVTks+cQpYCAAAAF9tYXBwaW5ncQt9cQwoaApLAFgBAAAAYnEN"
    "SwFYAQAAAGFxDksCdVgQAAAAX3N1cHBvcnRfcmV2ZXJzZXEPiFgQAAAAX3JldmVyc2VfbWFwcGluZ3EQXXERKGgKaA1oDmVYBQAAAF9mcmVxcR"
    "J9cRMoaA1LA2gOSwJ1WAcAAABfZnJlZXplcRSIdWJYCgAAAF90b2tlbml6ZXJxFWN0ZW5zb3JmbG93LmNvbnRyaWIubGVhcm4ucHl0aG9uLmxl"
    "YXJuLnByZXByb2Nlc3NpbmcudGV4dAp0b2tlbml6ZXIKcRZ1Yi4="
)


def test_flags_imports_and_files_of_1_15(run_old):
    """What TensorFlow 1.15.5 prints for the same script, but for the flag that it invents."""
    process = run_old(OF_1_15, SAVED)
    assert process.stdout.splitlines() == [
        "True",
        "True True True",
        "[0 1 2 0] <UNK> b a 3",
        "/tmp 3 0.5 True 3 of n of rate",
        "flag --few=10: 10 is not an integer in the range [1, 9]",
        "1 False False True True",
        "0 3 1 True",
        "True",
        "True",
        "0 []",
        "/new /log 2",
    ], process.stderr


def test_a_notebook(run_old, tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# A title"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import tensorflow as tf\n", "tf.Session?\n"]},
        {"cell_type": "code", "source": "%%bash\nls | head"},
        {"cell_type": "code", "source": "if True:\n    !ls\n%time cell = tf.contrib.rnn.BasicRNNCell(3)"},
        {"cell_type": "code", "source": "print('%d'\n %cell.output_size)"},
    ]
    for name, notebook in ("4", {"cells": cells}), ("3", {"worksheets": [{"cells": cells}]}):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook))
    process = run_old(str(tmp_path / "4.ipynb"))
    assert (process.returncode, process.stdout) == (0, "3\n"), process.stderr
    assert __main__.read_source(str(tmp_path / "4.ipynb")) == __main__.read_source(str(tmp_path / "3.ipynb"))
    cells[-1] = {"cell_type": "code", "source": "import warnings\nwarnings.warn('old')\nx = 1 / 0\n"}
    (tmp_path / "4.ipynb").write_text(json.dumps({"cells": cells}, indent=1))
    process = run_old(str(tmp_path / "4.ipynb"))
    assert "  warnings.warn('old')\n" in process.stderr and "\n    x = 1 / 0\n" in process.stderr
    cells[-1] = {"cell_type": "code", "source": "x = # Your code here"}  # an exercise
    (tmp_path / "5.ipynb").write_text(json.dumps({"cells": cells}, indent=1))
    with pytest.raises(
        UserError, match=r"5.ipynb:\d+ is not Python 3 .*: x = # Your code here; .* 5.ipynb`, then .* 5.py`"
    ):
        __main__.read_source(str(tmp_path / "5.ipynb"))
    for text in "{", "[]", '{"cells": [1]}':
        (tmp_path / "bad.ipynb").write_text(text)
        with pytest.raises(UserError, match="bad.ipynb:1 is not a Python script"):
            __main__.read_source(str(tmp_path / "bad.ipynb"))


def test_a_late_future_import_is_not_called_python_2(run_old):
    process = run_old("import os\nfrom __future__ import division\n")
    message = process.stderr.splitlines()[-1]
    assert process.returncode == 2 and "script.py:2: from __future__ imports must occur" in message
    assert "2to3" not in message


def test_a_gpu_is_asked_for_by_name(run_old):
    process = run_old("monitored_115.py", "--rnn_mode=cudnn")
    assert process.returncode == 1
    assert "CudnnLSTM computes with cuDNN, on a GPU with CUDA alone" in process.stderr.splitlines()[-1]


def test_status_and_arguments(run_old):
    process = run_old("import sys\nprint(sys.argv[1:], __name__, __file__)\nsys.exit(3)\n", "--check", "-x")
    assert process.returncode == 3, process.stderr
    assert re.fullmatch(r"\['--check', '-x'\] __main__ .*script.py\n", process.stdout)


def test_wrong_commands(run_script, tmp_path):
    (tmp_path / "binary.py").write_bytes(b"\0\1\2")
    for arguments, message in (
        ([], "the following arguments are required: script"),
        (["nowhere.py"], "nowhere.py cannot be read: No such file"),
        ([str(tmp_path)], "cannot be read: Is a directory"),
        ([str(tmp_path / "binary.py")], "source code string cannot contain null bytes"),
        (["--fast", "--check", "x.py"], "exclude each other"),
        (["--quick", "x.py"], "unrecognized arguments: --quick"),
    ):
        process = run_script("-c", MAIN, *arguments)
        assert process.returncode == 2 and process.stdout == ""
        (line,) = process.stderr.splitlines()
        assert message in line


def test_inspect_lists_a_checkpoint(run_script, tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("rnn/lstm_cell/kernel", [6, 8])
        tf.get_variable("global_step", [], tf.int64, tf.zeros_initializer())
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "save" / "model"), 7)
    process = run_script("-c", MAIN, "--inspect", str(tmp_path / "save"))
    lines = process.stdout.splitlines()
    assert lines[0] == f"{path}:" and lines[-1] == "2 variables, 0.00 MB", process.stderr
    assert lines[1].split() == ["global_step", "int64", "scalar", "1"]
    assert lines[2].split() == ["rnn/lstm_cell/kernel", "float32", "6", "x", "8", "48"]
    assert __main__.inspect(path) == {"global_step": [], "rnn/lstm_cell/kernel": [6, 8]}
    os.remove(tmp_path / "save" / "checkpoint")  # which a packed folder has not
    assert __main__.inspect(str(tmp_path / "save")) == __main__.inspect(path)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    for argument in "nowhere", str(tmp_path), str(tmp_path / "binary"):
        with pytest.raises(UserError, match="holds no checkpoint that TensorFlow can read"):
            __main__.inspect(argument)


def test_block_cells_and_basic_cells_load_each_others_checkpoints(tmp_path):
    from tf1 import cells

    x = np.random.RandomState(1).uniform(-1, 1, [3, 4, 5])

    def build(cell):
        with tf.variable_scope("Model"):
            outputs, _ = tf.nn.dynamic_rnn(cell, tf.constant(x, tf.float32), dtype=tf.float32)
        return outputs

    with tf.Graph().as_default(), tf.Session() as session:
        outputs = build(cells.LSTMBlockCell(6, forget_bias=0.5))
        session.run(tf.global_variables_initializer())
        expected = session.run(outputs)
        names = [variable.op.name for variable in tf.trainable_variables()]
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    assert names == ["Model/rnn/lstm_cell/kernel", "Model/rnn/lstm_cell/bias"]
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = build(tf.nn.rnn_cell.BasicLSTMCell(6, forget_bias=0.5, name="lstm_cell"))
        tf.train.Saver().restore(session, path)
        np.testing.assert_allclose(session.run(outputs), expected, rtol=1e-6, atol=1e-7)


FAST = """
import numpy as np, tensorflow as tf
tf.set_random_seed(1)
x = tf.constant(np.random.RandomState(0).uniform(-1, 1, [4, 6, 5]), tf.float32)
cells = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.LSTMBlockCell(7), tf.contrib.rnn.GRUCell(3)])
outputs, state = tf.nn.dynamic_rnn(cells, x, dtype=tf.float32, sequence_length=[6, 1, 0, 4])
both, _ = tf.nn.bidirectional_dynamic_rnn(tf.nn.rnn_cell.LSTMCell(4), tf.nn.rnn_cell.LSTMCell(4), x, dtype=tf.float32)
steps, _, _ = tf.contrib.rnn.static_bidirectional_rnn(
    tf.nn.rnn_cell.GRUCell(4), tf.nn.rnn_cell.BasicRNNCell(4), tf.unstack(x, axis=1), dtype=tf.float32)
loss = tf.add_n([tf.reduce_sum(tf.sin(y)) for y in (outputs, *both, *steps)])
gradients = tf.gradients(loss, tf.trainable_variables())
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for value in session.run([loss, *[tf.norm(g) for g in gradients]]):
        print("%.5f" % value)
print(any(op.type in ("Enter", "While") for op in tf.get_default_graph().get_operations()))
"""


def test_fast_gives_the_same_without_loops(run_old):
    found = []
    for options in ("-m", "tf1"), ("-m", "tf1", "--fast"):
        process = run_old(FAST, options=options)
        assert process.returncode == 0, process.stderr
        *values, loops = process.stdout.splitlines()
        found.append(([float(value) for value in values], loops))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=2e-5, atol=2e-5)
    assert (found[0][1], found[1][1]) == ("True", "False")


def test_contrib_is_there_below_the_import_of_the_project():
    with tf.Graph().as_default():
        cell = tf.contrib.rnn.OutputProjectionWrapper(tf.contrib.rnn.BasicRNNCell(3), output_size=2)
        outputs, _ = tf.nn.dynamic_rnn(cell, tf.zeros([2, 4, 5]), dtype=tf.float32)
        assert outputs.shape.as_list() == [2, 4, 2]
    with pytest.raises(AttributeError, match="tf.contrib.rnn.Nothing is neither in TensorFlow"):
        tf.contrib.rnn.Nothing  # noqa: B018
