"""Records runs: makes each, and keeps its log, its metrics, its picture and its machine in results/.

    python -m results.record ptb_small_seed1 mnist_gru --runs=/somewhere/runs

A run's folder, --runs and its name, holds its checkpoints and its log. A recording that was stopped goes on there, so
the folder belongs outside the work tree; what it has reached is kept in results/, too. Data is found as the scripts
find it (RNN_DATA_DIR). Then `python -m results` writes the tables.
"""

import glob
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys

from results.runs import FOLDER, RUNS, machines, path_of
from tf1 import app
from tf1.app import UserError, write_file

INSTRUCTIONS = {"amx_bf16": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}  # the widest that the processor names counts


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m results.record", __doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help="of runs, as results/runs.py has them")
    parser.add_argument("--runs", type=app.path, required=True, help="the folder of the runs' folders")
    args = parser.parse_args(argv)
    if unknown := sorted(set(args.names) - set(RUNS)):
        raise UserError(f"there is no run {', '.join(unknown)}: choose among {', '.join(RUNS)}")
    return args


def machine():
    """The cores that this process may use, and what they are, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model, features = platform.processor() or platform.machine(), ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            text = file.read()
        if found := re.search(r"^model name\s*: (.*)$", text, re.MULTILINE):  # ARM has none
            model = found[1]
        features = next((f", {name}" for flag, name in INSTRUCTIONS.items() if flag in text), "")
    model = re.sub(r"\((R|TM)\)| Processor\b| @.*", "", model)
    return f"{cores} core{'s' * (cores > 1)} ({model}{features})"


def train(name, folder):
    """Runs the command to its end, or goes on with it; its output goes to the log and to the screen.

    Signals go to the run, which saves and says so before it ends.

    Returns:
      Whether it had ended before: then it only says its last lines again, which do not stay in the log.
    """
    root = os.path.dirname(FOLDER)
    command = [sys.executable, *shlex.split(RUNS[name]), f"--save_path={folder}", "--save_every=600"]
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}.log", "a", encoding="utf-8") as log:
        start, had_ended = log.tell(), False
        # In a session of its own: a terminal's Ctrl-C would reach the run twice.
        options = {"text": True, "encoding": "utf-8", "start_new_session": True}
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, **options)
        numbers = [number for number in app.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        pass_on = lambda number, frame: process.send_signal(number)
        previous = {number: signal.signal(number, pass_on) for number in numbers}
        try:
            for line in process.stdout:
                log.write(line)
                log.flush()
                had_ended |= line.endswith(" is finished; its last lines again:\n")
                print(line, end="")
        except OSError:  # a full disk, or nobody reads the lines any more
            process.terminate()
            process.communicate()
            raise
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if had_ended:
            log.truncate(start)
    if status := process.wait():
        raise UserError(f"{name} ended with status {status}; the same command goes on", status)
    return had_ended


def keep(name, folder):
    """Copies what the run has left into results/; in its log the runs' folder is called `runs`.

    Returns whether there was anything: a run that was stopped in its first epoch has recorded nothing.
    """
    if not os.path.exists(os.path.join(folder, "metrics.jsonl")):
        return False
    with open(f"{folder}.log", encoding="utf-8") as file:
        log = file.read().replace(os.path.dirname(folder), "runs")
    with open(path_of(name, "log"), "w", encoding="utf-8") as file:
        file.write(log)
    shutil.copyfile(os.path.join(folder, "metrics.jsonl"), path_of(name, "jsonl"))
    for picture in glob.glob(os.path.join(folder, "*learning_curve*.png")):
        shutil.copyfile(picture, path_of(name, "png"))
    return True


def keep_machine(name):
    """Notes that the run was recorded here: a run that had ended keeps the machine that it ended on."""
    known = machines() | {name: machine()}
    write_file(path_of("machines", "json"), json.dumps(known, indent=1, sort_keys=True) + "\n")


@app.command
def main(argv=None):
    args = parse_args(argv)
    for name in args.names:
        folder = os.path.join(os.path.abspath(args.runs), name)
        had_ended = False
        try:
            had_ended = train(name, folder)
        finally:  # also of a run that was stopped
            if keep(name, folder) and (not had_ended or name not in machines()):
                keep_machine(name)


if __name__ == "__main__":
    main()
