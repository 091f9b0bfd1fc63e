"""What all tests share: a folder of real data where there is one, a cache of their own, small corpora."""

import functools
import gzip
import os
import pathlib
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest

from tf1 import tf

slow = functools.partial(pytest.param, marks=pytest.mark.slow)  # a case of a test, for make soak alone
ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Samples and token caches go to a temporary folder, also those of started processes."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def own_data(tmp_path_factory):
    """What was fetched into `data/` is not read: without RNN_DATA_DIR the tests take the sample."""
    if not os.environ.get("RNN_DATA_DIR"):
        os.environ["RNN_DATA_DIR"] = str(tmp_path_factory.mktemp("no_data"))


@pytest.fixture(scope="session", autouse=True)
def signals_of_a_terminal():
    """Where the tests were started with signals ignored, by `&` in a script, they heed them all the same."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture
def session():
    """A session of a graph of its own, whose random numbers begin with 1."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        yield session


def set_variables(session, size=0.4):
    """Gives all trainable variables numbers that do not come from a random generator, by their shapes; none is 0."""
    for variable in tf.trainable_variables():
        shape = variable.shape.as_list()
        value = size * np.sin(1.7 * np.arange(np.prod(shape, dtype=int)) + len(shape)) if shape else np.array(size)
        session.run(tf.assign(variable, value.reshape(shape)))


def real_data(name):
    folder = pathlib.Path(os.environ.get("RNN_DATA_DIR", "nowhere")) / name
    if not folder.is_dir():
        pytest.skip(f"RNN_DATA_DIR has no {name}")
    return folder


@pytest.fixture
def real_ptb():
    """The folder of the real Penn Treebank; the test is skipped where RNN_DATA_DIR does not have it."""
    return real_data("ptb")


@pytest.fixture
def real_mnist():
    """The same for MNIST."""
    return real_data("mnist")


@pytest.fixture
def real_shakespeare():
    """The same for Shakespeare."""
    return real_data("shakespeare")


@pytest.fixture
def images(tmp_path):
    """Makes a folder with the four IDX files from lists of labels, an image's pixels all 20 * label, and returns it.

    `names` is the form of the files' names, `test_name` how the test set is called in them.
    """

    def make(
        train=tuple(range(10)) * 5,
        test=tuple(range(10)),
        name="images",
        size=(28, 28),
        names="{split}-{kind}-idx{rank}-ubyte",
        test_name="t10k",
    ):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)

        def write(content, **parts):
            file = names.format(**parts)
            (folder / file).write_bytes(gzip.compress(content) if file.endswith(".gz") else content)

        for split, labels in (("train", train), (test_name, test)):
            pixels = b"".join(bytes([20 * label % 256]) * size[0] * size[1] for label in labels)
            header = struct.pack(">IIII", 0x0803, len(labels), *size)
            write(header + pixels, split=split, kind="images", rank=3)
            header = struct.pack(">II", 0x0801, len(labels))
            write(header + bytes(labels), split=split, kind="labels", rank=1)
        return str(folder)

    return make


@pytest.fixture
def corpus(tmp_path):
    """Makes a folder with the three PTB files from three texts, and returns its path."""

    def make(train, valid="a b \n", test="a b \n", name="corpus"):
        folder = tmp_path / name
        folder.mkdir()
        for split, text in (("train", train), ("valid", valid), ("test", test)):
            (folder / f"ptb.{split}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(folder)

    return make


@pytest.fixture
def run_script(tmp_path):
    """Runs a script of the project as a user would, in a folder of its own, and returns the finished process."""

    def run(*args, env=None, timeout=120):
        command = [sys.executable, *(str(ROOT / arg) if arg.endswith(".py") else arg for arg in args)]
        return subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **(env or {})}, timeout=timeout, capture_output=True, text=True
        )

    return run
