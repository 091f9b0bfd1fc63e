"""Nothing is lost: kills at any moment, two runs in one folder, full disks, long runs."""

import importlib
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

import binary_echo
import char_gru
import lstm_by_hand
import ptb_word_lm
import rnn_basics
import soak
import time_series
from conftest import ROOT, slow
from tf1 import app, checkpoints, progress, tf

SERIES = ["--config=test", "--save_path=run"]


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name, kills",
    [
        ("time_series every step", 1),  # all others: make soak
        slow("ptb_word_lm fused bf16", 1),
    ],
)
def test_a_killed_run_ends_like_one_that_was_not(tmp_path, name, kills):
    expected, seconds = soak.run_unharmed(soak.RUNS[name], tmp_path / "whole", tmp_path)
    assert expected.lines and expected.metrics and expected.tensors
    chance = random.Random(name)  # the moments differ all the same, with the machine's speed
    for found, save_path in soak.runs_with_kills(soak.RUNS[name], tmp_path, kills, seconds, chance):
        assert not list(soak.differences(found, expected))
        assert not [name for name in os.listdir(save_path) if "temp" in name or "tmp" in name]


def test_differences_are_seen():
    a = soak.Outcome(["x"], [{"loss": 1.0}], {"w": 1.0, "v": 2.0})
    assert not list(soak.differences(a, a))
    for b in (
        soak.Outcome([], a.metrics, a.tensors),
        soak.Outcome(["x", "y"], a.metrics, a.tensors),
        soak.Outcome(a.lines, [{"loss": 1.5}], a.tensors),
        soak.Outcome(a.lines, a.metrics * 2, a.tensors),
        soak.Outcome(a.lines, a.metrics, {"w": 1.0 + 2**-52, "v": 2.0}),
        soak.Outcome(a.lines, a.metrics, {"w": 1.0}),
    ):
        assert len(list(soak.differences(b, a))) == 1


@pytest.mark.parametrize(
    "text, expected", [("30", ("seconds", 30.0)), ("0.5", ("seconds", 0.5)), ("7steps", ("steps", 7))]
)
def test_save_every(text, expected):
    assert time_series.parse_args([f"--save_every={text}"]).save_every == expected


@pytest.mark.parametrize("text", ["", "0", "0steps", "-1", "1.5steps", "5 steps", "nan", "inf", "1e3", "10epochs", "³"])
def test_what_save_every_does_not_take(in_tmp_path, capsys, text):
    with pytest.raises(SystemExit) as exit_:
        time_series.main([*SERIES, f"--save_every={text}"])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and "--save_every" in error
    assert not os.listdir()


def test_save_every_goes_with_save_path(in_tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        time_series.main(["--config=test", "--save_every=3"])
    assert exit_.value.code == 2 and "--save_every goes with --save_path" in capsys.readouterr().err
    assert not os.listdir()


def test_checkpoints_between_the_epochs(in_tmp_path, monkeypatch):
    saved = []
    save = checkpoints.Checkpoints.save

    def note(self, session, values, *args):
        saved.append(values["position"]["step"])
        save(self, session, values, *args)

    monkeypatch.setattr(checkpoints.Checkpoints, "save", note)
    time_series.main([*SERIES, "--save_every=40steps"])
    assert saved == [40, 80, 102]


def test_a_checkpoint_of_an_earlier_version_is_refused(in_tmp_path, capsys, monkeypatch):
    dumps = checkpoints.json.dumps

    def as_it_was(value):
        if "identity" in value:
            value = {"identity": value["identity"], "progress": value["values"]}
        return dumps(value)

    monkeypatch.setattr(checkpoints.json, "dumps", as_it_was)
    time_series.main(SERIES)
    monkeypatch.undo()
    monkeypatch.chdir(in_tmp_path)
    with pytest.raises(SystemExit) as exit_:
        time_series.main(SERIES)
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and "is of an earlier version of this program" in error


def test_what_is_computed_is_saved_when_the_reader_goes_away(tmp_path):
    """Ctrl-C under `| tee log` ends tee as well: the next line meets a closed pipe before the signal is obeyed."""
    command = ["binary_echo.py", "--config=test", "--rnn_mode=basic", "--set", "num_epochs=500", "--save_path=run"]
    process = soak.start(command, tmp_path)
    while "Average loss" not in process.stdout.readline():
        assert process.poll() is None
    process.stdout.close()
    assert process.wait(60) == 141
    assert [name for name in os.listdir(tmp_path / "run") if name.endswith(".index")]


def test_the_folder_belongs_to_one_run(in_tmp_path, capsys):
    command = [*soak.RUNS["time_series projection"], "--save_path=run", "--set", "n_iterations=1000000"]
    process = soak.start(command, os.getcwd())
    try:
        while not any(name.endswith(".index") for name in (os.listdir("run") if os.path.isdir("run") else ())):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.1)
        with pytest.raises(SystemExit) as exit_:
            time_series.main([*command[1:]])
        error = capsys.readouterr().err
        assert exit_.value.code == 2 and error.count("\n") == 1 and "another run writes to --save_path=run" in error
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
    # The lock ends with its process: another seed is refused for another reason.
    with pytest.raises(SystemExit):
        time_series.main([*command[1:], "--seed=7"])
    assert "holds a run with seed 42, now 7" in capsys.readouterr().err


def test_another_script_is_refused(in_tmp_path, capsys):
    time_series.main(SERIES)
    with pytest.raises(SystemExit) as exit_:
        binary_echo.main(SERIES)
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1
    assert "--save_path=run holds a run of time_series.py: use that script, or name another folder" in error


def test_two_runs_of_one_process_follow_each_other(in_tmp_path, capsys):
    first = time_series.main(SERIES)
    assert time_series.main(SERIES)["mse"] == first["mse"]
    assert "is finished" in capsys.readouterr().out


def test_a_step_that_is_saved_twice_has_two_checkpoints(in_tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.get_or_create_global_step()
        tf.get_variable("w", [])
        saved = checkpoints.Checkpoints("run", None, {"script": "x"}, {})
        with saved:
            session.run(tf.global_variables_initializer())
            for number in range(4):
                saved.save(session, {"number": number}, {})
                assert saved.restore(session) == ({"number": number}, {})
        assert sorted(name for name in os.listdir("run") if name.endswith(".index")) == [
            "model-0_2.index",
            "model-0_3.index",
        ]


def test_what_a_killed_save_left_is_removed_and_nothing_else(in_tmp_path):
    time_series.main(SERIES)
    whole = set(os.listdir("run"))
    left = ["model-7.data-00000-of-00001.tempstate123", "model-7.index.tempstate45", "model-7.data-00000-of-00001"]
    left += ["checkpoint.tmp0a1b2c", "mnist_learning_curve.png.4711.tmp"]
    own = ["notes.tmp", "model-7.data", "other.data-00000-of-00001", "model-x.index"]
    for name in left + own:
        open(os.path.join("run", name), "w").close()
    own.append("model-8.data-00000-of-00001")
    os.mkdir(os.path.join("run", own[-1]))
    time_series.main(SERIES)
    assert set(os.listdir("run")) - {name for name in os.listdir("run") if "tfevents" in name} == (whole | set(own)) - {
        name for name in whole if "tfevents" in name
    }


def test_weights_that_are_no_numbers_are_not_saved(in_tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.get_or_create_global_step()
        w = tf.get_variable("w", [2])
        saved = checkpoints.Checkpoints("run", None, {"script": "x"}, {})
        with saved:
            session.run(tf.global_variables_initializer())
            saved.save(session, {}, {})
            session.run(tf.assign(w, [1.0, float("nan")]))
            with pytest.raises(ValueError, match="the weights are not finite after step 0"):
                saved.save(session, {}, {})
        assert [name for name in os.listdir("run") if name.endswith(".index")] == ["model-0.index"]
        with pytest.raises(ValueError, match="not finite"):  # nor is a run without a folder a success
            checkpoints.Checkpoints(None, None, {"script": "x"}, {}).save(session, {}, {})


@pytest.mark.parametrize(
    "script, arguments",
    [
        slow("ptb_word_lm.py", ["--data_path=corpus", "--set", "max_max_epoch=2"]),
        slow("char_gru.py", ["--data_path=book.txt", "--set", "batch_size=8"]),
        slow("rnn_basics.py", ["--section=mnist"]),
        ("time_series.py", ["--save_every=40steps"]),
        slow("lstm_by_hand.py", ["--section=train", "--save_every=1steps"]),
        slow("binary_echo.py", []),
    ],
)
def test_a_full_disk(corpus, in_tmp_path, capsys, run_script, script, arguments):
    corpus(*["a b c d e f \n" * 100] * 3)
    with open("book.txt", "w") as file:
        file.write("abcd " * 400)
    arguments = ["--config=test", *arguments, "--save_path=run"]
    module = script.removesuffix(".py")
    # From the second checkpoint on no file may have more than 100 bytes.
    code = f"""
import resource, signal, sys; sys.path.insert(0, {str(ROOT)!r})
from tf1 import checkpoints
import {module}
save, calls = checkpoints.Checkpoints.save, []
def save_on_a_full_disk(*args):
    calls.append(args)
    if len(calls) == 2:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    save(*args)
checkpoints.Checkpoints.save = save_on_a_full_disk
{module}.main({arguments!r})
"""
    process = run_script("-c", code)
    assert process.returncode == 1 and "Traceback" not in process.stderr, process.stderr
    (error,) = (line for line in process.stderr.splitlines() if not re.match(r"W\d{4} ", line))  # TensorFlow's warning
    assert error.startswith(f"{script}: error: no checkpoint can be saved in run: ") and "File too large" in error
    (index,) = (name for name in os.listdir("run") if name.endswith(".index"))
    assert not [name for name in os.listdir("run") if "temp" in name or "tmp" in name]
    importlib.import_module(module).main(arguments)
    assert f"Going on from run/{index.removesuffix('.index')}\n" in capsys.readouterr().out


@pytest.mark.slow
def test_events_on_a_full_disk(run_script):
    code = f"""
import resource, signal, sys; sys.path.insert(0, {str(ROOT)!r})
import time_series
run_epoch = time_series.run_epoch
def run_on_a_full_disk(*args):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    return run_epoch(*args)
time_series.run_epoch = run_on_a_full_disk
time_series.main({SERIES!r})
"""
    process = run_script("-c", code)
    assert process.returncode == 1 and process.stderr.count("\n") == 1, process.stderr
    assert "no event can be written in run: " in process.stderr and "File too large" in process.stderr


@pytest.mark.slow
def test_standard_output_on_a_full_disk(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        command = [sys.executable, str(ROOT / "time_series.py"), "--config=test"]
        process = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert process.returncode == 1
    assert process.stderr == "time_series.py: error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_program_starts(tmp_path, number, status):
    process = soak.start(["ptb_word_lm.py", "--config=small", f"--save_path={tmp_path}/run"], tmp_path)
    while not process.stdout.readline().startswith("Corpus: "):  # comes before the graph is built
        assert process.poll() is None
    process.send_signal(number)
    begin = time.monotonic()
    output, _ = process.communicate()
    assert process.returncode == status and "Traceback" not in output and time.monotonic() - begin < 5, output


def test_a_signal_when_the_reader_is_gone(tmp_path):
    code = f"""
import os, signal, sys; sys.path.insert(0, {str(ROOT)!r})
from tf1 import app
@app.command
def main(argv):
    sys.stdin.readline()
    raise app.Interrupted(signal.SIGINT, "Stopped: saved in run")
main()
"""
    (tmp_path / "script.py").write_text(code)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, **pipes)
    process.stdout.close()
    _, error = process.communicate(b"\n")
    assert process.returncode == 130 and not error


def test_signals_wait_for_an_import():
    seen = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with app.signals_deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            assert not seen
        assert seen == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, previous)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exit_that_python_has_dropped(in_tmp_path):
    """An exception in a finaliser is printed and forgotten; the signal that has raised it is not."""

    class Forgetful:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)

    @app.command
    def main(argv):
        Forgetful()
        with app.StopRequest() as stop:
            assert stop.signum == signal.SIGTERM

    with pytest.raises(SystemExit) as exit_:
        main([])
    assert exit_.value.code == 143


@pytest.mark.parametrize("closed, status", [slow("2>&-", 0), (">&-", 0), (">&- --config=nowhere", 2)])
def test_closed_streams(tmp_path, closed, status):
    script = f"{sys.executable} {ROOT}/time_series.py --config=test --save_path=run {closed}"
    process = subprocess.run(script, cwd=tmp_path, shell=True, capture_output=True, text=True, timeout=120)
    assert process.returncode == status and "Traceback" not in process.stdout + process.stderr, process


@pytest.mark.slow
def test_the_graph_is_final_while_a_network_trains(images, corpus, in_tmp_path, monkeypatch):
    seen, bar = [], progress.bar

    def check(*args):
        assert tf.get_default_graph().finalized
        seen.append(args)
        return bar(*args)

    monkeypatch.setattr(progress, "bar", check)
    with open("book.txt", "w") as file:
        file.write("abcd " * 4000)
    text = "a b c d e f \n" * 100
    for main, arguments in [
        (ptb_word_lm.main, [f"--data_path={corpus(text, text, text)}"]),
        (char_gru.main, ["--data_path=book.txt", "--set", "batch_size=8"]),
        (rnn_basics.main, ["--section=mnist", f"--data_path={images()}", "--set", "batch_size=10"]),
        (time_series.main, []),
        (lstm_by_hand.main, ["--section=train"]),
        (binary_echo.main, []),
    ]:
        seen.clear()
        main(["--config=test", *arguments])
        assert seen


@pytest.mark.slow
@pytest.mark.parametrize("saves", [[], ["--save_path=run"], ["--save_path=run", "--save_every=50steps"]])
def test_memory_stays_flat(corpus, run_script, saves):
    text = "a b c d e f \n" * 300
    arguments = ["--config=test", f"--data_path={corpus(text, text, text)}", "--set", "max_max_epoch=5", *saves]
    code = f"""
import os, sys; sys.path.insert(0, {str(ROOT)!r})
import ptb_word_lm
plot = ptb_word_lm.plot_learning_curve
def measure(*args):  # is called after each epoch
    result = plot(*args)
    with open("/proc/self/statm") as file:
        print("resident", int(file.read().split()[1]))
    return result
ptb_word_lm.plot_learning_curve = measure
ptb_word_lm.main({arguments!r})
"""
    process = run_script("-c", code)
    assert process.returncode == 0, process.stderr
    pages = [int(line.split()[1]) for line in process.stdout.splitlines() if line.startswith("resident")]
    # After the first epoch XLA compiles the loop that writes the sample. 1.017 with checkpoints at the ends of epochs:
    # from the second on the heap has the 8 MB TensorFlow writes with.
    assert len(pages) == 6 and max(pages) <= 1.02 * pages[1]


def test_a_folder_can_be_moved(tmp_path):
    """The file `checkpoint` names what lies beside it, also where --save_path was absolute."""
    time_series.main(["--config=test", "--save_every=40steps", f"--save_path={tmp_path}/run"])
    os.rename(tmp_path / "run", tmp_path / "moved")
    assert tf.train.latest_checkpoint(str(tmp_path / "moved")) == f"{tmp_path}/moved/model-102"
    assert tf.train.load_checkpoint(str(tmp_path / "moved")).has_tensor("resume/json")
    state = tf.train.get_checkpoint_state(str(tmp_path / "moved"))
    assert list(state.all_model_checkpoint_paths) == [f"{tmp_path}/moved/model-80", f"{tmp_path}/moved/model-102"]
