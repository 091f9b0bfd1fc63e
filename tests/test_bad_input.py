"""Flags that all scripts share, and networks that no machine holds; each script's own bad input is in its own tests."""

import importlib
import os
import tempfile

import pytest
from test_tf1 import SCRIPTS

SECTIONS = {"rnn_basics.py": ["--section=mnist"], "lstm_by_hand.py": ["--section=train"]}  # that train
CASES = [
    (["--seed=x"], "--seed"),
    (["--seed=4294967296"], "--seed: 4294967296 is not in the range from 0 to 2147483647"),
    (["--config="], "--config= is not known here: choose one of"),
    (["--set"], "--set"),
    (["--set", "learning_rate"], "--set learning_rate: expected name=value with a name among"),
    (["--set", "learning_rate=nan"], "learning_rate must be at least"),
    (["--set", "learning_rate=1e999"], "learning_rate must be at least"),
    (["--set", "batch_size=1.5"], "batch_size is of type int"),
    (["--set", "batch_size=0"], "batch_size must be at least 1"),
    (["--save_path"], "--save_path"),
    (["--save_path=file"], "--save_path=file cannot be a folder"),
    (["--save_path=a\nb/../file"], "cannot be a folder"),
    (["--save_path=runs/lr[1]"], "--save_path=runs/lr[1] has one of * ? ["),
    (["--save_path=what?"], "--save_path=what? has one of * ? ["),
    (["--save_path=gs://bucket"], "--save_path=gs://bucket has one of"),
    (["--save_every=0"], "--save_every"),
    (["--save_every=5"], "--save_every goes with --save_path"),
]
TOO_LARGE = {
    "ptb_word_lm.py": "hidden_size",
    "char_gru.py": "hidden_units",
    "rnn_basics.py": "n_neurons",
    "time_series.py": "n_neurons",
    "binary_echo.py": "state_size",
}


def refuse(script, arguments, capsys):
    """Runs the script in a folder with an empty file; returns its one line on stderr, and has seen what it left."""
    open("file", "w").close()
    module = importlib.import_module(script.removesuffix(".py"))
    with pytest.raises(SystemExit) as exit_:
        module.main(["--config=test", *SECTIONS.get(script, []), *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and error.startswith(f"{script}: error: "), error
    assert os.listdir() == ["file"] and not os.path.getsize("file")
    return error


@pytest.mark.parametrize("arguments, message", CASES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_bad_input(tmp_path, monkeypatch, capsys, script, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refuse(script, arguments, capsys)


@pytest.fixture
def as_another_user(monkeypatch):
    """A folder in which the test is nobody: root may read and write whatever the modes of files say."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        monkeypatch.chdir(folder)
        user = os.geteuid()
        yield lambda: os.setresuid(65534, 65534, 0) if user == 0 else None
        if user == 0:
            os.setresuid(0, 0, 0)
        for parent, names, _ in os.walk(folder):
            for name in names:
                os.chmod(os.path.join(parent, name), 0o755)


@pytest.mark.parametrize(
    "script, arguments, message",
    [
        ("ptb_word_lm.py", ["--data_path=files"], "ptb.train.txt cannot be read: Permission denied"),
        ("ptb_word_lm.py", ["--data_path=closed"], "closed"),
        ("char_gru.py", ["--data_path=files/ptb.train.txt"], "ptb.train.txt cannot be read: Permission denied"),
        ("char_gru.py", ["--generate=5", "--save_path=closed"], "--save_path=closed cannot be read: Permission denied"),
        ("rnn_basics.py", ["--data_path=files"], "train-images-idx3-ubyte cannot be read: Permission denied"),
        ("time_series.py", ["--data_path=files/ptb.train.txt"], "ptb.train.txt cannot be read: Permission denied"),
        ("lstm_by_hand.py", ["--distribution=files/ptb.train.txt"], "ptb.train.txt cannot be read: Permission denied"),
        *((script, ["--save_path=files"], "--save_path=files: ") for script in SCRIPTS),
        *((script, ["--save_path=files/run"], "files is not writable: name another folder") for script in SCRIPTS),
    ],
)
def test_what_another_user_may_not_do(as_another_user, capsys, script, arguments, message):
    os.mkdir("files", 0o755)
    os.mkdir("closed", 0o000)
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for name in [*(f"ptb.{split}.txt" for split in ("train", "valid", "test")), *names]:
        os.close(os.open(f"files/{name}", os.O_CREAT, 0o000))
    os.chmod("files", 0o555)
    module = importlib.import_module(script.removesuffix(".py"))
    as_another_user()
    with pytest.raises(SystemExit) as exit_:
        module.main(["--config=test", *SECTIONS.get(script, []), *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error, error
    assert sorted(os.listdir()) == ["closed", "files"] and "run" not in os.listdir("files")


@pytest.mark.parametrize("size", [300_000, 16_777_216])
@pytest.mark.parametrize("script", TOO_LARGE)
def test_a_network_that_is_too_large(tmp_path, monkeypatch, capsys, script, size):
    monkeypatch.chdir(tmp_path)
    message = "the variables of this network take" if size < 1 << 24 else "below 16777216"
    assert message in refuse(script, ["--set", f"{TOO_LARGE[script]}={size}"], capsys)
