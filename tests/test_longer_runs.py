"""More of the same run, and new runs from trained weights."""

import json
import os
import re

import numpy as np
import pytest

import binary_echo
import char_gru
import lstm_by_hand
import ptb_word_lm
import reader
import rnn_basics
import soak
import time_series
from conftest import slow
from tf1 import tf

TEXT = "it was the best of times, it was the worst of times;\n" * 40


@pytest.fixture(autouse=True)
def in_a_folder_with_texts(corpus, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus("a b c d e f \n" * 60, "a b c \n" * 40, "c d e \n" * 40)
    corpus("f a c <unk> \n" * 60, "a b c \n" * 40, "c d e \n" * 40, name="other")
    images()
    for name, text in ("book.txt", TEXT), ("other.txt", TEXT[:1000].replace("best", "west")), ("odd.txt", "Ω" + TEXT):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


PTB = ["--config=test", "--data_path=corpus", "--set", "batch_size=4", "--set", "keep_prob=0.5"]
CHAR = ["--config=test", "--data_path=book.txt", "--set", "batch_size=4", "--set", "max_length=20"]
CHAR += ["--set", "keep_prob=0.5", "--set", "num_generate=30"]
MNIST = ["--section=mnist", "--config=test", "--data_path=images", "--set", "batch_size=10"]
# By script: main, its flags, what says how long a run is, and a short and a long one.
RUNS = {
    "ptb_word_lm": (ptb_word_lm.main, PTB, "max_max_epoch", 1, 3),
    "char_gru": (char_gru.main, CHAR, "n_epochs", 1, 3),
    "rnn_basics": (rnn_basics.main, MNIST, "n_epochs", 1, 3),
    "time_series": (time_series.main, ["--config=test"], "n_iterations", 102, 205),
    "time_series dropout": (time_series.main, ["--config=test", "--model=dropout"], "n_iterations", 100, 150),
    "lstm_by_hand": (lstm_by_hand.main, ["--config=test", "--section=train"], "n_iterations", 3, 105),
    "binary_echo": (binary_echo.main, ["--config=test", "--rnn_mode=basic"], "num_epochs", 1, 2),
}


@pytest.mark.parametrize("name", ["rnn_basics", *map(slow, sorted({*RUNS} - {"rnn_basics"}))])
def test_a_finished_run_goes_on_as_if_it_had_been_longer_at_first(name, capsys):
    main, flags, length, few, many = RUNS[name]
    main([*flags, "--set", f"{length}={many}", "--save_path=whole"])
    expected = soak.outcome("whole", capsys.readouterr().out)
    main([*flags, "--set", f"{length}={few}", "--save_path=parts"])
    first = capsys.readouterr().out
    main([*flags, "--set", f"{length}={many}", "--save_path=parts"])
    found = soak.outcome("parts", first + capsys.readouterr().out)
    assert found.metrics == expected.metrics
    assert set(found.tensors) == set(expected.tensors)
    assert all(np.array_equal(found.tensors[key], expected.tensors[key]) for key in expected.tensors)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["time_series", "ptb_word_lm", "char_gru", "rnn_basics", "binary_echo"])
def test_a_shorter_one_says_that_it_is_finished(name, capsys):
    main, flags, length, few, many = RUNS[name]
    main([*flags, "--set", f"{length}={many}", "--save_path=run"])
    before = soak.outcome("run", "")
    capsys.readouterr()
    main([*flags, "--set", f"{length}={few}", "--save_path=run"])
    assert "The run in run is finished" in capsys.readouterr().out
    after = soak.outcome("run", "")
    assert all(np.array_equal(after.tensors[key], before.tensors[key]) for key in before.tensors)


@pytest.mark.slow
def test_another_text_to_write_is_no_other_run():
    char_gru.main([*CHAR, "--save_path=run"])
    assert len(char_gru.main([*CHAR, "--save_path=run", "--set", "num_generate=7"])["text"]) == 8


def weights(folder):
    reader = tf.train.load_checkpoint(folder)
    others = re.compile("resume/|.*(Adam|beta._power|global_step|Model/Variable)")  # the last is PTB's learning rate
    names = [name for name in reader.get_variable_to_shape_map() if not others.match(name)]
    return {name: reader.get_tensor(name) for name in names}


def first_weights(name, *flags):
    """The weights that a run starts with: those of one whose learning rate is next to nothing."""
    main, settings, length, few, _ = RUNS[name]
    main([*settings, *flags, "--set", f"{length}={few}", "--set", "learning_rate=1e-30", "--save_path=start"])
    return weights("start")


@pytest.mark.parametrize("name", ["rnn_basics", *map(slow, ["ptb_word_lm", "char_gru", "time_series"])])
def test_a_new_run_from_trained_weights(name, capsys):
    main, flags, *_ = RUNS[name]
    main([*flags, "--save_path=trained"])
    expected = weights("trained")
    found = first_weights(name, "--init_from=trained", "--seed=7")
    moving = [key for key in expected if np.any(expected[key])]
    assert len(moving) > 2 and "Starting from the weights in trained/model-" in capsys.readouterr().out
    for key in moving:
        np.testing.assert_allclose(found[key], expected[key], atol=1e-6)
    before = {key: value for key, value in weights("trained").items()}
    first_weights(name, "--init_from=trained", "--seed=7")  # goes on: finished
    assert "Going on from start" in capsys.readouterr().out
    assert all(np.array_equal(before[key], value) for key, value in weights("trained").items())


@pytest.mark.slow
def test_another_text_with_the_trained_vocabulary(capsys):
    char_gru.main([*CHAR, "--save_path=trained"])
    char_gru.main([*CHAR, "--data_path=other.txt", "--init_from=trained", "--save_path=run"])
    assert json.load(open("run/vocabulary.json")) == json.load(open("trained/vocabulary.json"))
    ptb_word_lm.main([*PTB, "--save_path=words"])
    capsys.readouterr()
    ptb_word_lm.main([*PTB, "--data_path=other", "--init_from=words", "--save_path=other_words"])
    assert json.load(open("other_words/vocabulary.json")) == json.load(open("words/vocabulary.json"))
    assert "ptb.train.txt: 60 words that the vocabulary lacks (dropped" in capsys.readouterr().out


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a trained network of char_gru."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "book.txt").write_text(TEXT)
    char_gru.main([*CHAR, f"--data_path={folder}/book.txt", "--set", "n_epochs=1", f"--save_path={folder}"])
    return folder


@pytest.mark.parametrize(
    "main, flags, message",
    [
        (char_gru.main, [*CHAR, "--init_from=nowhere"], "--init_from=nowhere is not a folder"),
        (char_gru.main, [*CHAR, "--init_from=corpus"], "corpus/vocabulary.json cannot be read"),
        (char_gru.main, [*CHAR, "--init_from=~nobody-at-all"], "names the home of nobody"),
        (char_gru.main, [*CHAR, "--init_from=trained", "--data_path=odd.txt"], "has 'Ω', which the trained network's"),
        (char_gru.main, [*CHAR, "--init_from=trained", "--set", "hidden_units=9"], "holds another network, with"),
        (
            ptb_word_lm.main,
            [*PTB, "--init_from=trained", "--vocab_size=0"],
            "--init_from=trained holds a network of characters: name one of words",
        ),
        (char_gru.main, [*CHAR, "--init_from=words"], "--init_from=words holds a network of words"),
        (time_series.main, ["--config=test", "--init_from=corpus"], "--init_from=corpus holds no checkpoint"),
        (time_series.main, ["--config=test", "--init_from=trained"], "--init_from=trained holds a network of char_gru"),
    ],
)
def test_what_no_run_can_start_from(trained, capsys, main, flags, message):
    os.symlink(trained, "trained")
    os.mkdir("words")
    reader.Vocabulary("words", ["to", "be"]).save("words")
    with pytest.raises(SystemExit) as exit_:
        main([*flags, "--save_path=run"])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error, error
    assert not [name for name in (os.listdir("run") if os.path.isdir("run") else ()) if "model" in name]
