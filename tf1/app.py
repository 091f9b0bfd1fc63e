"""What `tf.app` and `tf.flags` did for the tutorials: flags, errors and signals, the same in every script."""

import argparse
import codecs
import contextlib
import errno
import functools
import math
import os
import re
import signal
import sys
import threading

VERSION = "1.0"  # of the project: --version, CITATION.cff and CHANGELOG.md have it


class UserError(ValueError):
    """What the user can put right: ends a script with one line on stderr and `status`, without a traceback."""

    def __init__(self, message, status=2):
        super().__init__(" ".join(str(message).split()))  # one line, whatever a file name or a parser's text holds
        self.status = status


MAX_NATS = 700  # a word or character; a training that can go on never comes near it, and fp64 ends at exp(709)


class Diverged(UserError):
    """A training whose loss is NaN or infinite, or one that no perplexity can express.

    Args:
      name, value: of the loss.
      place: where in the run, such as "in epoch 1 at step 3 of 10".
    """

    def __init__(self, name, value, place):
        super().__init__(
            f"the {name} became {value:g} {place}, what was saved before is kept: lower --set learning_rate=X "
            "(a run with another config needs another --save_path)",
            1,
        )

    @classmethod
    def check(cls, name, value, place, most=math.inf):
        """Raises it where the value is NaN, or not below `most`."""
        if not value < most:
            raise cls(name, value, place)


def write_file(path, text):
    """Makes the file hold `text`, UTF-8: at every moment it is the old one or the new one.

    Raises:
      UserError: it cannot be written.
    """
    temporary = f"{path}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it may not even have been made
            os.remove(temporary)
        raise UserError(f"{path} cannot be written: {error.strerror}", 1) from error


def nearest_that_exists(path):
    """The absolute path, or the nearest folder above it that is there.

    Raises:
      UserError: the path is relative, and the current folder has been deleted.
    """
    try:
        path = os.path.abspath(path)
    except FileNotFoundError as error:
        raise UserError("the current folder has been deleted: change to another one") from error
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def is_notebook(stream):
    """Whether a notebook shows what is written to the stream, which calls itself no terminal then."""
    return type(stream).__module__.partition(".")[0] == "ipykernel"


def what_hides(name):
    """What is wrong where the module `name` is not this project's; None: it is, or it is not imported yet."""
    project = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    spec = getattr(sys.modules.get(name), "__spec__", None)
    found = spec and (spec.origin or next(iter(spec.submodule_search_locations)))
    if not found or os.path.abspath(found).startswith(os.path.join(project, name)):
        return None
    return f"{found} hides this project's {name}: put {project} before it in PYTHONPATH, or rename it"


class _Replaced(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        parser.error(f"{option_string} is not a flag here: {self.const}")


class ArgumentParser(argparse.ArgumentParser):
    """argparse's parser whose errors are one line (without the usage) and whose flags cannot be abbreviated."""

    def __init__(self, prog, doc):
        """`prog` is the command's name; `doc` is the script's docstring, which --help shows as it is written."""
        for name in "configs", "reader":
            if reason := what_hides(name):
                raise UserError(reason)
        super().__init__(
            prog, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        self.add_argument("--version", action="version", version=f"{prog} {VERSION}")

    def add_common(self, *flags):
        """Adds those of COMMON_FLAGS that are named."""
        for flag in flags:
            self.add_argument(flag, **COMMON_FLAGS[flag])

    def add_replaced(self, **others):
        """Refuses flags of the published tutorial, and names what takes their place; `others` are sentences by name."""
        for flag, advice in others.items():
            self.add_argument(f"--{flag}", nargs="?", action=_Replaced, help=argparse.SUPPRESS, const=advice)

    def parse_args(self, argv=None):
        """argparse's, with one value more, `given`: the flags that were given, whatever their values."""
        args = super().parse_args(argv)
        words = sys.argv[1:] if argv is None else argv
        args.given = {word.partition("=")[0] for word in words if word.startswith("--")}
        return args

    def error(self, message):
        if message.startswith("unrecognized arguments: --worker_hosts"):  # which tf1.cluster has added
            message = "this script cannot train on several workers, ptb_word_lm.py and char_gru.py can"
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())} (see --help)\n")


class BadValue(argparse.ArgumentTypeError, ValueError):
    """What is wrong with the text of a value; argparse shows it, where it words another ValueError itself."""


_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf(inity)?)", re.ASCII | re.IGNORECASE)


def integer(text):
    """The integer that `text` is, in ASCII digits: Python's int() takes 1_0 for 10, too, and other scripts' digits."""
    if not _INTEGER.fullmatch(text):
        raise BadValue(f"{text!a} is not an integer")
    return int(text)


def truth(text):
    """True or False, written so."""
    if text not in ("True", "False"):
        raise BadValue(f"{text!a} is neither True nor False")
    return text == "True"


def number(text):
    """The same for a number with a point or an exponent, also NaN and infinity."""
    if not _NUMBER.fullmatch(text):
        raise BadValue(f"{text!a} is not a number")
    return float(text)


def seed(text):
    """The type of --seed: what both NumPy and TensorFlow take."""
    value = integer(text)
    if not 0 <= value < 2**31:
        raise BadValue(f"{value} is not in the range from 0 to {2**31 - 1}")
    return value


def positive_int(text):
    """The type of a number of things, of which there is at least one."""
    value = integer(text)
    if not 1 <= value < 2**31:
        raise BadValue(f"{value} is not in the range from 1 to {2**31 - 1}")
    return value


def temperature(text):
    """The type of --temperature."""
    value = number(text)
    if not (value == 0 or 1e-3 <= value <= 1e3):
        raise BadValue(f"{text} is neither 0 nor in the range from 0.001 to 1000")
    return value


def path(text):
    """The type of --data_path and --save_path: not empty (an unset shell variable), and a name that can be printed.

    A shell expands ~ at the start of a word, and not after the = of a flag; here it is expanded in both.
    """
    if not text:
        raise BadValue("the path is empty")
    text = os.path.expanduser(text)
    if text.startswith("~"):
        raise BadValue(f"{text!a} names the home of nobody: write ./{ascii(text)[1:-1]} for a file")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"{text!a} is not valid UTF-8") from error
    return text


def save_every(text):
    """The type of --save_every: "seconds" or "steps", and how many."""
    found = re.fullmatch(r"(\d+)steps|(\d+(?:\.\d+)?)", text, re.ASCII)
    if not found or not float(found[1] or found[2]) > 0:
        raise BadValue(f"{text!a} is neither a number of seconds, like 30, nor of steps, like 200steps")
    return ("steps", int(found[1])) if found[1] else ("seconds", float(found[2]))


def encoding(text):
    """The type of --encoding: a text encoding of Python's."""
    try:
        with contextlib.suppress(UnicodeDecodeError):  # a byte can be half a character
            b"a".decode(text)  # refuses codecs such as rot13 and zlib, whose results are no text
        codecs.getincrementaldecoder(text)
    except (LookupError, UnicodeError, ValueError) as error:
        raise BadValue(f"{text!a} is not a text encoding of Python's") from error
    return text


def _is_host_name(name):
    """Whether the name can be looked up: an empty part, or one of more than 63 characters, cannot."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def check_hosts(text):
    """The addresses in a list like a:2222,b:2222; ValueError says what is wrong with it."""
    hosts = text.split(",")
    for host in hosts:
        found = re.fullmatch(r"([^\s:/,\0-\x1f]+|\[[0-9a-fA-F:.%]+\]):(\d{1,5})", host, re.ASCII)
        if not found or not 1 <= int(found[2]) <= 65535 or not _is_host_name(found[1]):
            raise ValueError(f"{host!a} is no address like host:2222")
    if doubles := sorted({host for host in hosts if hosts.count(host) > 1}):
        raise ValueError(f"{doubles[0]} is there twice")
    return hosts


def worker_hosts(text):
    """The type of --worker_hosts."""
    try:
        return check_hosts(text)
    except ValueError as error:
        raise BadValue(str(error)) from error


def peer_timeout(text):
    """The type of --peer_timeout."""
    value = number(text)
    if not 1 <= value <= 1e6:
        raise BadValue(f"{text} is not in the range from 1 to a million seconds")
    return value


RNN_MODES = ("auto", "basic", "fused", "cudnn")
PRECISIONS = ("fp32", "bf16")
_PUBLISHED_MODES = {"BASIC": "basic", "BLOCK": "fused", "CUDNN": "cudnn"}  # of the published ptb_word_lm.py


def rnn_mode(text):
    """The type of --rnn_mode; `choices` checks it."""
    if text in _PUBLISHED_MODES:
        raise BadValue(f"{text} is {_PUBLISHED_MODES[text]} here: give that")
    return text


COMMON_FLAGS = {
    "--rnn_mode": {
        "type": rnn_mode,
        "choices": RNN_MODES,
        "default": "auto",
        "help": "basic: the tutorial's cells; fused: whole-sequence layers; cudnn: on a GPU; auto: the fastest of them "
        "(default: %(default)s)",
    },
    "--precision": {
        "choices": PRECISIONS,
        "default": "fp32",
        "help": "of the operands of matrix products; bf16 goes with --rnn_mode=fused (default: %(default)s)",
    },
    "--save_every": {
        "type": save_every,
        "metavar": "30|200steps",
        "help": "seconds or steps between two checkpoints (default: at the end of each epoch, or of the training)",
    },
    "--save_path": {
        "type": path,
        "help": "folder for checkpoints, events, metrics and pictures; a run there goes on",
    },
    "--encoding": {
        "type": encoding,
        "help": "of the text: latin-1, gb18030, utf-16 or another of Python's (default: utf-8, or by its mark)",
    },
    "--init_from": {
        "type": path,
        "help": "folder of a trained network of this script: a new run starts from its weights",
    },
    "--worker_hosts": {
        "type": worker_hosts,
        "metavar": "HOST:PORT,...",
        "help": "addresses of all processes that train together, alike in each (default: TF_CONFIG's, or none)",
    },
    "--task_index": {"type": integer, "help": "which of --worker_hosts this process is, from 0 on"},
    "--peer_timeout": {
        "type": peer_timeout,
        "default": 60.0,
        "help": "seconds without an answer after which a process counts as lost (default: %(default)g)",
    },
    "--generate": {
        "type": positive_int,
        "metavar": "N",
        "help": "writes N words or characters with the network in --save_path, instead of training",
    },
    "--start_string": {"help": "what a text starts with (default: a new sentence; of characters: Q, or the first)"},
    "--temperature": {
        "type": temperature,
        "default": 1.0,
        "help": "divides the logits: below 1 the likely becomes more likely, 0 is argmax (default: %(default)s)",
    },
    "--top_k": {"type": positive_int, "help": "only the k likeliest are drawn, or shown (default: all, and 10)"},
    "--no_unk": {"action": "store_true", "help": "<unk> is never drawn"},
    "--next_word": {
        "metavar": "TEXT",
        "help": "shows what follows the text, and how likely, by the network in --save_path",
    },
    "--score": {
        "metavar": "FILE",
        "type": path,
        "help": "the perplexity of a text, - for the standard input, by the network in --save_path",
    },
    "--verbose": {"action": "store_true", "help": "with --score, a line for each sentence"},
    "--each_alone": {"action": "store_true", "help": "with --score, each sentence without those before it"},
    "--export_dir": {
        "metavar": "DIR",
        "type": path,
        "help": "writes the network in --save_path as a SavedModel to a new folder",
    },
    "--seed": {"type": seed, "default": 42, "help": "of all random numbers (default: %(default)s)"},
    "--set": {
        "dest": "overrides",
        "metavar": "NAME=VALUE",
        "action": "append",
        "default": [],
        "help": "replaces a value of the config; repeatable",
    },
}


# Ctrl-C, a request to end, a lost terminal (which Windows does not know).
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def _heeded(numbers=SIGNALS):
    """Those of the signals that are not ignored: `nohup`, or a script's `&`, has them ignored, and so they stay."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


class Interrupted(Exception):
    """A signal asked the run to end, and everything worth keeping has been kept."""

    def __init__(self, signum, message):
        super().__init__(message)
        self.signum, self.status = signum, 128 + signum


class StopRequest(contextlib.AbstractContextManager):
    """Turns the first SIGINT, SIGTERM or SIGHUP into `signum`, which a training loop reads between two steps.

    A KeyboardInterrupt could come between a step's update of the weights and the arrival of its RNN state in Python,
    and a checkpoint of the two would belong to no step. A second signal ends the program at once; in a notebook, where
    the program is the kernel with all that was computed in it, the cell alone.
    """

    def __enter__(self):
        # Python delivers signals to the main thread only; elsewhere (a notebook's worker) they are left alone.
        self._previous = {}
        self.signum = _terminated[-1] if _terminated else None
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _heeded()}
        return self

    def __exit__(self, *exc_info):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, signum, frame):
        self.signum = signum
        for number, handler in self._previous.items():
            signal.signal(number, handler if is_notebook(sys.stdout) else signal.SIG_DFL)


def _say(line):
    """Prints the last line of a command, whose reader may have gone away, and whose disk may be full."""
    try:
        print(line, flush=True)
    except OSError:
        turn_stdout_off()


def turn_stdout_off():
    """Gives what Python flushes once more at its exit somewhere to go; a notebook's stream has nothing to flush."""
    if is_notebook(sys.stdout):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def signals_deferred():
    """Holds SIGNALS back until its block ends: a library's import may turn what they raise into an error."""
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, lambda signum, frame: received.append(signum)) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for number in received:
            signal.raise_signal(number)


_SIGPIPE = getattr(signal, "SIGPIPE", 13)  # Windows has none
_terminated = []  # signals; Python drops an exception that is raised in the midst of a weakref's callback


def _terminate(signum, frame):
    _terminated.append(signum)
    raise SystemExit(128 + signum)


def _is_out_of_memory(error):
    tensorflow = sys.modules.get("tensorflow")  # whoever has not imported it has not met its errors
    return isinstance(error, MemoryError) or tensorflow and isinstance(error, tensorflow.errors.ResourceExhaustedError)


def _command_name(main):
    """How `main`'s command is called: python -m data.prepare, or ptb_word_lm.py."""
    module = sys.modules.get(main.__module__)
    spec = getattr(module, "__spec__", None)  # `python script.py` has none
    if spec and "." in spec.name:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return os.path.basename(getattr(module, "__file__", None) or main.__name__)  # in a notebook's cell there is no file


def command(main):
    """Makes `main(argv=None)` end as a command should.

    A `UserError` becomes one line on stderr and its status, an interrupt status 128 + signal, a reader that has gone
    away (`| head`) a quiet end. Everything else is a defect and keeps its traceback. In a notebook SystemExit, which is
    shown as an error, stands for errors alone.
    """

    @functools.wraps(main)
    def wrapper(argv=None):
        name = _command_name(main)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # Whoever follows a log file wants each line now; a file name may have letters that the stream has not.
                stream.reconfigure(line_buffering=True, errors="backslashreplace")
        if argv is None and is_notebook(sys.stdout) and main.__module__ != "__main__":
            argv = []  # sys.argv is the kernel's own, unless %run has made it that of a script
        in_main_thread = threading.current_thread() is threading.main_thread()
        previous = {}
        if in_main_thread:  # the default action of these would leave temporary files
            previous = {number: signal.signal(number, _terminate) for number in _heeded(SIGNALS[1:])}
        _terminated.clear()
        try:
            try:
                result = main(argv)
            finally:
                if progress := sys.modules.get("tf1.progress"):
                    progress.end_bars()  # before a last line
            if _terminated:
                raise SystemExit(128 + _terminated[-1])
            return result
        except SystemExit as end:
            if end.code or not is_notebook(sys.stdout):
                raise
            return None  # --help
        except UserError as error:
            print(f"{name}: error: {error}", file=sys.stderr)
            raise SystemExit(error.status) from error
        except Interrupted as interrupted:
            _say(interrupted)
            raise SystemExit(interrupted.status) from interrupted
        except KeyboardInterrupt as interrupted:
            _say("Stopped")
            raise SystemExit(128 + signal.SIGINT) from interrupted
        except BrokenPipeError as error:
            turn_stdout_off()
            raise SystemExit(128 + _SIGPIPE) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            turn_stdout_off()  # it may be what is full
            print(
                f"{name}: error: {error.filename or 'the output'} cannot be written: {error.strerror}", file=sys.stderr
            )
            raise SystemExit(1) from error
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            print(f"{name}: error: the network does not fit in memory: lower its sizes with --set", file=sys.stderr)
            raise SystemExit(2) from error
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    return wrapper
