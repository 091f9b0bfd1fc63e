"""What `--rnn_mode` and `--precision` mean on this machine."""

import re

from tf1 import tf
from tf1.app import UserError

_CPU_INFO = "/proc/cpuinfo"


def choose_rnn_mode(rnn_mode):
    """The mode itself, or what `auto` stands for: `cudnn` where there is a GPU, else `fused`.

    Raises:
      UserError: `cudnn` without a GPU.
    """
    if rnn_mode in ("basic", "fused"):
        return rnn_mode
    has_gpu = tf.test.is_gpu_available()
    if rnn_mode == "cudnn" and not has_gpu:
        raise UserError("--rnn_mode=cudnn needs a GPU that TensorFlow can use, and there is none: give another mode")
    return "cudnn" if has_gpu else "fused"


def choose_precision(precision, rnn_mode):
    """The precision itself, or `fp32`, with a notice, where the CPU cannot multiply in bf16.

    Raises:
      UserError: `bf16` in another mode than `fused`.
    """
    if precision == "bf16" and rnn_mode != "fused":
        raise UserError(f"--precision=bf16 goes with --rnn_mode=fused, not with {rnn_mode}: leave one of the two out")
    if precision == "bf16" and not _has_bf16():
        print("This CPU has no bf16 instructions: the run is in fp32")
        return "fp32"
    return precision


def _has_bf16():
    try:
        with open(_CPU_INFO, encoding="utf-8") as file:
            # x86's avx512_bf16 and amx_bf16, ARM's bf16
            return bool(re.search(r"^(flags|Features)\s*:.*\b(avx512_|amx_)?bf16\b", file.read(), re.MULTILINE))
    except OSError:  # not Linux
        return False
