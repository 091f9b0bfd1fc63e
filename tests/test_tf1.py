"""What the scripts need of `tf1`: a fast start, a quiet one, clear endings."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios

import pytest

from conftest import ROOT
from tf1 import plots, progress

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


def test_closed_stderr(tmp_path):
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


def test_a_bar_on_a_terminal_and_plain_lines_in_a_file(tmp_path):
    code = f"""
import sys, time; sys.path.insert(0, {str(ROOT)!r})
from tf1 import plots, progress
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
