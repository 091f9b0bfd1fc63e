"""Runs that are killed again and again, against runs that are not.

    make soak

kills every script in every mode, tries to read what a fuzzer makes up, and writes a summary to results/soak.md; it
takes 50 minutes. tests/test_resume.py does it for two of them.
"""

import concurrent.futures
import contextlib
import dataclasses
import io
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent

_DROPOUT = ["--set", "keep_prob=0.5", "--set", "num_layers=2"]
_PTB = ["ptb_word_lm.py", "--config=test", *_DROPOUT, "--set", "hidden_size=20", "--set", "max_max_epoch=3"]
_PTB += ["--set", "batch_size=40", "--set", "num_steps=10"]
_CHAR = [
    "char_gru.py",
    "--config=test",
    *_DROPOUT,
    "--set",
    "max_length=20",
    "--set",
    "n_epochs=6",
    "--set",
    "patience=3",
]
_MNIST = ["rnn_basics.py", "--section=mnist", "--config=test", "--set", "n_epochs=10"]
_SERIES = ["time_series.py", "--config=test", "--set", "n_iterations=1501"]
_LSTM = ["lstm_by_hand.py", "--section=train", "--config=test", "--set", "n_iterations=1501"]
_ECHO = ["binary_echo.py", "--config=test", "--set", "num_epochs=20"]
# By script and mode: a command of some seconds after its start, with checkpoints all the time.
RUNS = {
    "ptb_word_lm basic": [*_PTB, "--rnn_mode=basic", "--save_every=20steps"],
    "ptb_word_lm fused": [*_PTB, "--rnn_mode=fused", "--save_every=0.3"],
    "ptb_word_lm fused bf16": [*_PTB, "--rnn_mode=fused", "--precision=bf16", "--save_every=30steps"],
    "char_gru basic": [*_CHAR, "--rnn_mode=basic", "--save_every=7steps"],
    "char_gru fused": [*_CHAR, "--rnn_mode=fused", "--save_every=0.3"],
    "char_gru fused bf16": [*_CHAR, "--rnn_mode=fused", "--precision=bf16", "--batching=tutorial"],
    "rnn_basics basic": [*_MNIST, "--save_every=20steps"],
    "rnn_basics lstm fused": [*_MNIST, "--model=lstm", "--rnn_mode=fused", "--save_every=0.3"],
    "time_series projection": [*_SERIES, "--save_every=50steps"],
    "time_series every step": [*_SERIES[:2], "--set", "n_iterations=201", "--save_every=1steps"],
    "time_series projection fused": [*_SERIES, "--rnn_mode=fused", "--save_every=0.2"],
    "time_series dropout": [*_SERIES, "--model=dropout", "--save_every=50steps"],
    "lstm_by_hand": [*_LSTM, "--save_every=50steps"],
    "lstm_by_hand api": [*_LSTM, "--model=api", "--save_every=0.2"],
    "binary_echo auto": [*_ECHO, "--save_every=0.1"],
    "binary_echo basic": [*_ECHO, "--rnn_mode=basic", "--model=static", "--save_every=300steps"],
}
# The lines that are the same whenever they are printed, but for a rate; others have a speed or a path in them.
_LINES = re.compile(
    r"Epoch: \d+ (Train|Valid) Perplexity|Test Perplexity|Epoch \d+ Loss|\d+ Train accuracy|\d+ (\tMSE|Training MSE)|"
    r"MSE over the whole range|Average loss at|Loss at the end|The best weights|X at distance"
)
_RATE = re.compile(r" \d+ characters/s$")
_BAD_INPUT = "bad or damaged or not_take or cannot_be or may_not or wrong"  # in the names of those tests
_RATES = ("wall_s", "words_per_second", "characters_per_second")


def start(command, folder):
    """The process of one of our scripts, on the embedded sample, its output in pipes."""
    script, *arguments = command
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=folder,
        env={**os.environ, "RNN_DATA_DIR": str(ROOT / "tests")},  # where no data is
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@dataclasses.dataclass
class Outcome:
    """What is left of a run.

    Attributes:
      lines: of its output, those that are the same in each run, in their order, without the rates.
      metrics: the records of metrics.jsonl without the rates.
      tensors: of the newest checkpoint, by name, without those of the run's progress; and of those that are kept.
    """

    lines: list
    metrics: list
    tensors: dict


def outcome(save_path, output):
    from tf1 import tf

    with open(os.path.join(save_path, "metrics.jsonl"), encoding="utf-8") as file:
        metrics = [json.loads(line) for line in file]
    metrics = [{name: value for name, value in record.items() if name not in _RATES} for record in metrics]
    kept = {name.removesuffix(".index") for name in _checkpoints(save_path) if name.startswith("ckpt")}
    tensors = {}
    for checkpoint in ("", *kept):  # first the newest, as the folder's name alone stands for it
        reader = tf.train.load_checkpoint(os.path.join(save_path, checkpoint))
        for name in set(reader.get_variable_to_shape_map()) - {"resume/json"}:
            tensors[f"{checkpoint} {name}"] = reader.get_tensor(name)
    lines = [_RATE.sub("", line) for line in output.splitlines() if _LINES.match(line)]
    return Outcome(lines, metrics, tensors)


def run_unharmed(command, save_path, folder):
    """The `Outcome` of a run from its start to its end, and its seconds."""
    begin = time.monotonic()
    process = start([*command, f"--save_path={save_path}"], folder)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return outcome(save_path, output), time.monotonic() - begin


def runs_with_kills(command, folder, kills, seconds, chance):
    """Yields an `Outcome` and its folder for each of some runs that are killed, `kills` times in all.

    A process that was killed is started again with the same command, until the run comes to its end. Every other kill
    comes soon after a checkpoint of its process, which makes them all the time; the others come at any moment.

    Args:
      seconds: how long a run takes that is not harmed. A process is killed between 30 and 75 % of that, or up to 15 %
        after its first checkpoint.
      chance: a `random.Random`.
    """
    survived = 0
    for number in itertools.count():
        save_path, outputs = os.path.join(folder, f"killed_{number}"), []
        while True:
            begin, old = time.monotonic(), _checkpoints(save_path)
            process = start([*command, f"--save_path={save_path}"], folder)
            if survived == kills:
                timeout = None
            elif survived % 2:
                timeout = chance.uniform(0.3 * seconds, 0.75 * seconds)
            else:
                while process.poll() is None and _checkpoints(save_path) <= old:
                    time.sleep(0.005)
                timeout = chance.uniform(0.0, 0.15 * seconds)
            try:
                outputs.append(process.communicate(timeout=timeout)[0])
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                outputs.append(process.communicate()[0])
                survived += 1
        assert not old or "Going on from" in outputs[-1], outputs[-1]
        assert process.returncode == 0, outputs[-1]
        yield outcome(save_path, "".join(outputs)), save_path
        if survived == kills:
            return
        if len(outputs) == 1:  # it ended before its kill: the machine is faster now
            seconds = min(seconds, time.monotonic() - begin)


def _checkpoints(save_path):
    """The names of the checkpoints in a folder, a set."""
    return {name for name in os.listdir(save_path) if name.endswith(".index")} if os.path.isdir(save_path) else set()


def differences(found, expected):
    """What two outcomes differ in, one line each; bit for bit."""
    if missing := [line for line in expected.lines if line not in found.lines]:
        yield f"lines missing: {missing}"
    if others := [line for line in found.lines if line not in expected.lines]:
        yield f"other lines: {others}"
    if found.metrics != expected.metrics:
        yield f"metrics.jsonl {found.metrics}, expected {expected.metrics}"
    if set(found.tensors) != set(expected.tensors):
        yield f"tensors {sorted(found.tensors)}, expected {sorted(expected.tensors)}"
    for name in sorted(set(found.tensors) & set(expected.tensors)):
        if not np.array_equal(found.tensors[name], expected.tensors[name]):
            yield f"{name} differs"


def fuzz_quietly(seconds):
    """`fuzz.fuzz_for` without what the readers print, in a folder of its own."""
    import fuzz

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ["XDG_CACHE_HOME"] = folder
        return fuzz.fuzz_for(seconds, folder)


def main(kills=3, fuzz_seconds=600):
    """Kills all RUNS, fuzzes all readers, runs the tests of bad input; writes the summary, and fails where they do."""
    begin, survived, lost = time.monotonic(), 0, 0
    lines = ["| run | kills survived, in so many runs | differences |", "| --- | --- | --- |"]
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        fuzzing = executor.submit(fuzz_quietly, fuzz_seconds)  # beside the kills
        for name, command in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                expected, seconds = run_unharmed(command, f"{folder}/whole", folder)
                found = list(runs_with_kills(command, folder, kills, seconds, random.Random(name)))
            different = [difference for run, _ in found for difference in differences(run, expected)]
            lost, survived = lost + len(different), survived + kills
            lines.append(f"| {name} | {kills} in {len(found)} | {'; '.join(different) or 0} |")
            print(lines[-1], flush=True)
        counts, number = fuzzing.result()
    tests = ["-q", "-p", "no:cacheprovider", "-k", _BAD_INPUT]
    process = subprocess.run([sys.executable, "-m", "pytest", *tests], cwd=ROOT, capture_output=True, text=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow"]
    slow = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    read, refused = (sum(count[kind] for count in counts.values()) for kind in ("read", "refused"))
    summary = [
        f"Kills survived: {survived}. Bytes lost: {'0' if not lost else f'{lost} differences'}.",
        f"Files made up in {fuzz_seconds} s, seeds 1 to {number}: {read:,} were read, {refused:,} refused.",
        f"Tests of bad input: {process.stdout.strip().splitlines()[-1].strip('= ')}.",
        f"Slow tests: {slow.stdout.strip().splitlines()[-1].strip('= ')}.",
        f"Minutes: {(time.monotonic() - begin) / 60:.0f}.",
    ]
    text = "\n".join(["# The last `make soak`", "", *(f"* {line}" for line in summary), "", *lines, ""])
    (ROOT / "results" / "soak.md").write_text(text, encoding="utf-8")
    print("\n".join(summary))
    return 1 if lost or process.returncode or slow.returncode else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tf1 import app

    app.ArgumentParser("soak.py", __doc__).parse_args()
    sys.exit(main())
