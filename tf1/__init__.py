"""What TF 1.x gave the tutorials and today's TensorFlow does not; the one place that imports TensorFlow.

    from tf1 import tf

`tf` is `tensorflow.compat.v1` with 2.x behaviour off. It is imported at the first attribute access, not before, so
that `--help` and wrong arguments are answered without the three seconds that the import takes. Statements at a
script's module level must therefore not touch `tf.`.
"""

import gc
import importlib
import logging
import os
import re
import sys
import tempfile
import types
import warnings

from tf1.app import UserError, signals_deferred

# What TensorFlow writes to stderr at every start, however healthy the machine: native lines that come before its log
# level applies, and the CUDA library's complaint that a machine without a GPU has no GPU.
_BANNER = re.compile(
    r"All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    r"|oneDNN custom operations are on"
    r"|Could not find cuda drivers on your machine"
    r"|failed call to cuInit"
    r"|Unable to register cu\w+ (factory|plugin)"
    r"|Cannot dlopen some GPU libraries|Skipping registering GPU devices|download and setup the required libraries"
)


class _DeprecationFilter(logging.Filter):
    """Drops the notes that graph mode's own API is old: in these scripts it is what the reader came for."""

    def filter(self, record):
        return not re.search(r"is deprecated|Instructions for updating", record.getMessage())


def _without_banner(function):
    """Calls `function`; what it writes to file descriptor 2, TensorFlow's banner apart, is passed on afterwards."""
    if sys.stderr is None:  # closed by the caller, 2>&-
        return function()
    try:
        captured = tempfile.TemporaryFile()
    except OSError as error:
        raise UserError(f"no temporary file can be made ({error.strerror}): set TMPDIR to a folder for them") from error
    with captured:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            return function()
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines(keepends=True):
                if not _BANNER.search(line):
                    os.write(2, line.encode())


def _import():
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # with Keras 3, tf.nn.rnn_cell and tf.layers raise "not available"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # native INFO lines; warnings and errors still show
    logging.getLogger("tensorflow").addFilter(_DeprecationFilter())
    warnings.filterwarnings("ignore", message=r".*`tf\.(nn\.rnn_cell|layers)\.\w+` is deprecated")
    try:
        v1 = importlib.import_module("tensorflow.compat.v1")
        tf_keras = importlib.import_module("tf_keras")
    except ModuleNotFoundError as error:
        raise UserError(f"{error.name} is not installed: pip install -r requirements.txt") from error
    release, keras_release = (".".join(module.__version__.split(".")[:2]) for module in (v1, tf_keras))
    if release != keras_release:
        raise UserError(
            f"tensorflow {release} needs tf_keras {release}, but tf_keras {keras_release} is installed: "
            "pip install -r requirements.txt"
        )
    # Not disable_eager_execution alone: with it tf.set_random_seed does not reach the cells' kernels.
    v1.disable_v2_behavior()
    if hasattr(sys, "ps1"):  # where Python is interactive, as in a notebook, TensorFlow says more than in a program
        v1.logging.set_verbosity(v1.logging.WARN)
    v1.config.list_physical_devices()  # the first look at the devices writes the last lines of the banner
    gc.freeze()  # TensorFlow's modules are not garbage: each search through their 270,000 objects takes 0.15 s
    return v1


class _LazyTensorFlow(types.ModuleType):
    """`tensorflow.compat.v1`, imported when its first attribute is used, with `contrib` and `estimator`."""

    def __getattr__(self, name):
        if name.startswith("__"):  # introspection (inspect, doctest, pytest) is no use of TensorFlow
            raise AttributeError(name)
        if "_module" not in self.__dict__:
            with signals_deferred():
                self.__dict__["_module"] = _without_banner(_import)
        if name in ("contrib", "estimator"):
            value = getattr(importlib.import_module("tf1.facade"), name.upper())
        else:
            value = getattr(self.__dict__["_module"], name)
        self.__dict__[name] = value
        return value

    def __dir__(self):
        return dir(self.__dict__.get("_module", object))


tf = _LazyTensorFlow("tf")
