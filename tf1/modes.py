"""What `--rnn_mode` and `--precision` mean on this machine, and what fits on it."""

import os
import re

from tf1 import tf
from tf1.app import PRECISIONS, RNN_MODES, UserError

_CPU_INFO = "/proc/cpuinfo"
_CACHE_BYTES = 1 << 20  # half of a core's second-level cache, or all of it
_LEAST_ROWS = 10  # of a group
_MANY_ROWS = 32  # of a group, enough for products with a matrix of any size


def choose_rnn_mode(rnn_mode):
    """The mode itself, or what `auto` stands for: `cudnn` where there is a GPU, else `fused`.

    Raises:
      UserError: `cudnn` without a GPU, or an unknown mode.
    """
    check_choice("rnn_mode", rnn_mode, RNN_MODES)
    if rnn_mode in ("basic", "fused"):
        return rnn_mode
    # is_gpu_available starts the devices, with as many threads as there are cores, for all sessions of the process; the
    # first look does not.
    has_gpu = bool(tf.config.list_physical_devices("GPU")) and tf.test.is_gpu_available()
    if rnn_mode == "cudnn" and not has_gpu:
        raise UserError("--rnn_mode=cudnn needs a GPU that TensorFlow can use, and there is none: give another mode")
    return "cudnn" if has_gpu else "fused"


def mode_of_graph(rnn_mode, precision="fp32"):
    """`choose_rnn_mode` for a graph that may be built on another machine than it runs on: `cudnn` needs no GPU here.

    Raises:
      UserError: an unknown mode or precision, or `bf16` in another mode than `fused`.
    """
    rnn_mode = rnn_mode if rnn_mode == "cudnn" else choose_rnn_mode(rnn_mode)
    _check_precision(precision, rnn_mode)
    return rnn_mode


def _check_precision(precision, rnn_mode):
    check_choice("precision", precision, PRECISIONS)
    if precision == "bf16" and rnn_mode != "fused":
        raise UserError(f"--precision=bf16 goes with --rnn_mode=fused, not with {rnn_mode}: leave one of the two out")


def check_choice(name, value, choices):
    """`value`, which must be one of `choices`; else UserError lists them."""
    if value not in choices:
        raise UserError(f"{name} {value!r} is not known: choose one of {', '.join(choices)}")
    return value


def choose_precision(precision, rnn_mode):
    """The precision itself, or `fp32`, with a notice, where the CPU cannot multiply in bf16.

    Raises:
      UserError: `bf16` in another mode than `fused`, or an unknown precision.
    """
    _check_precision(precision, rnn_mode)
    if precision == "bf16" and not has_bf16():
        print("This CPU has no bf16 instructions: the run is in fp32")
        return "fp32"
    return precision


def choose_groups(rnn_mode, batch_size, units, gates):
    """How many groups the rows of a batch are computed in side by side, and the session's configuration for that.

    A recurrent matrix that stays in a core's cache makes products so small that they gain little from a second core.
    With groups of rows each core has products of its own, and what is between them, too. A larger matrix is better read
    once, by all cores together, unless there are many rows.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    groups, config = 1, tf.ConfigProto()
    if rnn_mode == "fused":
        least_rows = _LEAST_ROWS if 4 * gates * units**2 <= _CACHE_BYTES else _MANY_ROWS
        groups = max(1, min(cores, batch_size // least_rows))
    if groups > 1:
        config.inter_op_parallelism_threads = groups
        config.intra_op_parallelism_threads = cores // groups
        # A process has one pool of threads for all operations, made by its first session or by its first tf.function,
        # and that one would have as many threads as there are cores in each group.
        tf.Session(config=config).close()
    return groups, config


def choose_modes(args, batch_size, units, gates):
    """What the flags mean for a network of `units` a layer, each with so many `gates`.

    Returns:
      The arguments of a model, a dict of `rnn_mode`, `precision` and `groups`, and the session's configuration.
    """
    precision = getattr(args, "precision", "fp32")
    # With bf16 `auto` is the fastest mode that can do it, also where there is a GPU.
    rnn_mode = choose_rnn_mode("fused" if (args.rnn_mode, precision) == ("auto", "bf16") else args.rnn_mode)
    precision = choose_precision(precision, rnn_mode)
    groups, session_config = choose_groups(rnn_mode, batch_size, units, gates)
    return {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}, session_config


def check_memory():
    """UserError where the variables of the graph are larger than the machine's memory, if that is known."""
    if not hasattr(os, "sysconf"):  # Windows
        return
    needed = sum(variable.shape.num_elements() * variable.dtype.size for variable in tf.global_variables())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise UserError(
            f"the variables of this network take {needed / 2**30:,.0f} GiB, this machine has {memory / 2**30:,.0f}: "
            "lower the sizes of its layers with --set"
        )


def has_bf16():
    """Whether the CPU has instructions for products of bfloat16 numbers."""
    try:
        with open(_CPU_INFO, encoding="utf-8") as file:
            # x86's avx512_bf16 and amx_bf16, ARM's bf16
            return bool(re.search(r"^(flags|Features)\s*:.*\b(avx512_|amx_)?bf16\b", file.read(), re.MULTILINE))
    except OSError:  # not Linux
        return False
