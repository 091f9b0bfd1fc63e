"""What the scripts need of `tf1`: a fast start, a quiet one, clear endings."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios

import pytest

import reader
from conftest import ROOT, slow
from data import sample
from tf1 import app, plots, progress

SCRIPTS = ["ptb_word_lm.py", "rnn_basics.py", "time_series.py", "lstm_by_hand.py", "char_gru.py", "binary_echo.py"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_and_errors_do_not_import_tensorflow(run_script, script):
    module = script.removesuffix(".py")
    for arguments, status in (["--help"], 0), (["--nonsense"], 2), (["--data_path=nowhere"], 2):
        code = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}\n"
            f"try:\n    {module}.main({arguments!r})\nexcept SystemExit as end:\n    assert end.code == {status}\n"
            "assert not {'tensorflow', 'matplotlib', 'tf_keras'} & set(sys.modules)"
        )
        process = run_script("-c", code)
        assert process.returncode == 0, process.stderr


def test_importing_a_script_has_no_side_effect(run_script, tmp_path):
    for script in SCRIPTS:
        process = run_script(
            "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {script.removesuffix('.py')}"
        )
        assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


def test_start_is_quiet_and_real_messages_are_not(run_script):
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tf1 import tf
cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(2)])
cell(tf.zeros([1, 2]), cell.zero_state(1, tf.float32))
tf.train.range_input_producer(3)
with tf.Session() as session:
    session.run(tf.zeros([]))
tf.logging.warning("something that matters")
"""
    process = run_script("-c", code)
    assert (process.returncode, process.stdout) == (0, "")
    assert process.stderr == "WARNING:tensorflow:something that matters\n"


def test_missing_tf_keras_is_one_line(run_script, tmp_path):
    (tmp_path / "tf_keras.py").write_text("raise ModuleNotFoundError('No module', name='tf_keras')")
    env = {"PYTHONPATH": str(tmp_path)}
    process = run_script("ptb_word_lm.py", "--config=test", env=env)
    assert process.returncode == 2
    assert process.stderr == "ptb_word_lm.py: error: tf_keras is not installed: pip install -r requirements.txt\n"


def test_tf_keras_of_another_release_is_one_line(run_script, tmp_path):
    (tmp_path / "tf_keras.py").write_text("__version__ = '1.2.3'")
    process = run_script("ptb_word_lm.py", "--config=test", env={"PYTHONPATH": str(tmp_path)})
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1 and "but tf_keras 1.2 is installed" in process.stderr


def test_a_picture_that_cannot_be_written_ends_nothing(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    figure, _ = plots.new_figure()
    assert plots.save(figure, str(tmp_path / "file"), "name") is None
    assert "name.png cannot be written" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_closed_stderr():
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tf1 import tf; print(tf.float32.name)"
    process = subprocess.run(f'"{sys.executable}" -c "{code}" 2>&-', shell=True, stdout=subprocess.PIPE, text=True)
    assert (process.returncode, process.stdout) == (0, "float32\n")


def test_a_closed_pipe_ends_quietly(tmp_path):
    command = [sys.executable, str(ROOT / "ptb_word_lm.py"), "--config=test"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 141


@pytest.mark.parametrize("total", [1, 2, 9, 10, 11, 19, 20, 99, 109, 110, 111, 119, 2323, 100_000])
def test_ten_lines_an_epoch_whatever_its_size(total):
    steps = progress.report_steps(total)
    assert len(steps) == min(total, 10)
    assert min(steps) >= 0 and max(steps) < total


def test_lines_of_the_penn_treebank_epoch_are_the_tutorials():
    assert progress.report_steps(2323) == {step for step in range(2323) if step % (2323 // 10) == 10}


def test_a_bar_on_a_terminal_and_plain_lines_in_a_file():
    code = f"""
import sys, time; sys.path.insert(0, {str(ROOT)!r})
from data import sample
from tf1 import app, plots, progress
with progress.bar(4) as steps:
    for step in range(4):
        time.sleep(0.15)
        progress.write(f"line {{step}}")
        steps.update()
"""
    expected = "".join(f"line {step}\n" for step in range(4))
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.stdout, process.stderr) == (expected, "")
    controller, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # a new one has no columns
    process = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, text=True)
    assert process.stdout == expected
    assert select.select([controller], [], [], 0)[0] and b"step/s" in os.read(controller, 100_000)


PICTURE = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tf1 import plots
@plots.picture
def draw(folder):
    figure, axes = plots.new_figure()
    axes.plot([1, 2], label=r"$\\frac{{1}}{{2}}$ und ä")
    axes.set(title="A title", xlabel="x")
    axes.legend()
    return plots.save(figure, folder, "picture")
print(draw("."))
"""


@pytest.mark.parametrize(
    "backend, rc",
    [
        ("module://matplotlib_inline.backend_inline", ""),
        slow("TkAgg", ""),
        slow("nonsense", ""),
        slow("", "text.usetex: True"),
        ("", "backend: nonsense\nfigure.dpi: -3\nsavefig.bbox: tight\nfigure.constrained_layout.use: maybe"),
        ("", "font.family: No Such Font\naxes.prop_cycle: cycler('color', ['r'])"),
    ],
)
def test_pictures_depend_on_no_settings(run_script, tmp_path, backend, rc):
    expected = run_script("-c", PICTURE)
    assert (expected.stdout, expected.stderr) == ("./picture.png\n", "")
    picture = (tmp_path / "picture.png").read_bytes()
    (tmp_path / "matplotlibrc").write_text(rc)
    process = run_script("-c", PICTURE, env={"MPLBACKEND": backend} if backend else {})
    assert (process.stdout, process.stderr) == ("./picture.png\n", "")
    assert (tmp_path / "picture.png").read_bytes() == picture


def test_whatever_fails_in_drawing_is_one_line(tmp_path, capsys):
    @plots.picture
    def draw(values):
        figure, axes = plots.new_figure()
        axes.plot(values, [1, 2])
        return plots.save(figure, str(tmp_path), "picture")

    assert draw([1, 2, 3]) is None
    output = capsys.readouterr().out
    assert (
        output.startswith("A picture cannot be drawn (draw): ValueError: x and y must have") and output.count("\n") == 1
    )
    assert draw([1, 2]) == str(tmp_path / "picture.png")


def test_the_users_settings_stay():
    import matplotlib

    with matplotlib.rc_context({"lines.linewidth": 7}):
        plots.picture(lambda: plots.new_figure())()
        assert matplotlib.rcParams["lines.linewidth"] == 7


@pytest.mark.parametrize("text, value", [("10", 10), ("-3", -3), ("+7", 7), ("007", 7)])
def test_integers(text, value):
    assert app.integer(text) == value


@pytest.mark.parametrize("text", ["1_0", "１２", "٣", "1.0", "", " 1", "0x10", "1e3", "²", "--1", "1\n"])
def test_what_is_not_an_integer(text):
    with pytest.raises(ValueError, match="is not an integer"):
        app.integer(text)


@pytest.mark.parametrize(
    "text, value", [("1", 1), ("-1.5", -1.5), (".5", 0.5), ("2.", 2), ("1e-3", 1e-3), ("INF", float("inf"))]
)
def test_numbers(text, value):
    assert app.number(text) == value


@pytest.mark.parametrize("text", ["1_000.5", "１.５", "1,5", "", "0x1p3", "1e", "1.5.2", "٣.٥", "one", "1 2"])
def test_what_is_not_a_number(text):
    with pytest.raises(ValueError, match="is not a number"):
        app.number(text)


@pytest.mark.parametrize("flag", ["--save_path", "--data_path"])
def test_a_home_in_a_flag(monkeypatch, tmp_path, capsys, flag):
    monkeypatch.setenv("HOME", str(tmp_path))
    import ptb_word_lm

    for text in f"{flag}=~/runs", [flag, "~/runs"]:
        args = ptb_word_lm.parse_args([text] if isinstance(text, str) else text)
        assert getattr(args, flag[2:]) == f"{tmp_path}/runs"
    assert getattr(ptb_word_lm.parse_args([f"{flag}=a~b"]), flag[2:]) == "a~b"
    with pytest.raises(SystemExit):
        ptb_word_lm.parse_args([f"{flag}=~nobody-of-this-name/runs"])
    assert "names the home of nobody" in capsys.readouterr().err


def test_no_home_folder(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what Python does without HOME and an entry
    with pytest.raises(app.UserError, match="no home folder is known.*set XDG_CACHE_HOME"):
        sample.cache_folder()


def test_no_temporary_folder(run_script):
    code = f"""
import sys, tempfile; sys.path.insert(0, {str(ROOT)!r})
def nowhere(*args, **kwargs):
    raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")
tempfile.TemporaryFile = nowhere
import ptb_word_lm
ptb_word_lm.main(["--config=test"])
"""
    process = run_script("-c", code)
    assert process.returncode == 2 and process.stderr.count("\n") == 1 and "set TMPDIR" in process.stderr


def test_a_main_without_a_file():
    """As in a notebook's cell, or a script that was given to exec."""
    found = {"__name__": "cell", "app": app}
    exec("@app.command\ndef main(argv=None):\n    raise app.UserError('wrong')\n", found)
    with pytest.raises(SystemExit) as exit_:
        found["main"]([])
    assert exit_.value.code == 2


def test_ignored_signals_stay_ignored():
    code = f"""
import os, signal, sys; sys.path.insert(0, {str(ROOT)!r})
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
from tf1 import app
@app.command
def main(argv):
    with app.signals_deferred():
        os.kill(os.getpid(), signal.SIGTERM)
    with app.StopRequest() as stop:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        print("goes on", stop.signum)
main()
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.stdout, process.stderr, process.returncode) == ("goes on None\n", "", 0)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_other_signals_are_heeded(name):
    number = getattr(signal, name)
    with app.StopRequest() as stop:
        os.kill(os.getpid(), number)
        assert stop.signum == number
    assert app.Interrupted(number, "").status == 128 + number


@pytest.mark.parametrize(
    "flag, message",
    [
        ("--model=small", "give --config"),
        ("--use_fp16", "give --precision=bf16"),
        ("--use_fp16=True", "give --precision=bf16"),
        ("--num_gpus=2", "one GPU is used, if any"),
        ("--rnn_mode=BASIC", "BASIC is basic here"),
        ("--rnn_mode=CUDNN", "CUDNN is cudnn here"),
        ("--rnn_mode=BLOCK", "BLOCK is fused here"),
    ],
)
def test_flags_of_the_published_tutorial(capsys, flag, message):
    import ptb_word_lm

    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main([flag])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error


def test_a_folder_that_hides_ours(run_script, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "__init__.py").write_text("")
    process = run_script("-m", "ptb_word_lm", "--help", env={"PYTHONPATH": str(ROOT)})
    last = process.stderr.splitlines()[-1]
    assert process.returncode and last.startswith(
        f"ImportError: {tmp_path}/data/__init__.py hides this project's data: "
    )


def test_a_module_that_hides_ours(run_script, tmp_path):
    (tmp_path / "configs.py").write_text("PTB_CONFIGS = {}")
    process = run_script("-m", "ptb_word_lm", "--config=test", env={"PYTHONPATH": str(ROOT)})
    assert process.returncode == 2 and process.stderr.count("\n") == 1
    assert f"{tmp_path}/configs.py hides this project's configs" in process.stderr


@pytest.mark.parametrize("place", ["project", "elsewhere"])
def test_the_command_that_fetches_data_works_where_it_is_printed(tmp_path, monkeypatch, place):
    monkeypatch.chdir(ROOT if place == "project" else tmp_path)
    command = reader._fetch_command("ptb")
    assert command.endswith("python -m data.prepare ptb") and ("cd " in command) == (place == "elsewhere")
    command = command.replace("python -m", f"{sys.executable} -m")
    assert subprocess.run(f"{command} --help", shell=True, capture_output=True).returncode == 0


def test_data_prepare_is_a_program_anywhere(run_script):
    assert run_script(str(ROOT / "data" / "prepare.py"), "--help").returncode == 0


@pytest.mark.slow
def test_where_there_is_no_posix(run_script, corpus, tmp_path):
    """As on Windows: no os.sysconf, no os.sched_getaffinity, no SIGPIPE and SIGHUP, no /proc."""
    folder = corpus(*["a b c d e f \n" * 60] * 3)
    (tmp_path / "book.txt").write_text("it was the best of times\n" * 40)
    code = f"""
import builtins, os, signal, sys; sys.path.insert(0, {str(ROOT)!r})
del os.sysconf, os.sched_getaffinity, signal.SIGPIPE, signal.SIGHUP
opened = builtins.open
def open_(path, *args, **kwargs):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "No such file", path)
    return opened(path, *args, **kwargs)
builtins.open = open_
import binary_echo, char_gru, lstm_by_hand, ptb_word_lm, rnn_basics, time_series
small = ["--config=test", "--set", "batch_size=4"]
ptb_word_lm.main([*small, {f"--data_path={folder}"!r}, "--precision=bf16", "--save_path=ptb"])
char_gru.main([*small, "--data_path=book.txt", "--set", "max_length=20", "--set", "n_epochs=1"])
rnn_basics.main(["--section=static"])
time_series.main(["--config=test", "--save_path=series"])
lstm_by_hand.main(["--config=test", "--section=train"])
binary_echo.main(["--config=test", "--set", "num_epochs=1"])
print("all six")
"""
    process = run_script("-c", code)
    assert process.returncode == 0 and process.stdout.endswith("all six\n"), process.stderr
    assert "This CPU has no bf16 instructions: the run is in fp32" in process.stdout
