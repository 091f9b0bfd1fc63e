"""The recorded runs: what each is called, the command that makes it, and where its numbers are."""

import json
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))
SEEDS = (1, 2, 3)

PTB = {
    "ptb_small": "ptb_word_lm.py --config=small",
    "ptb_small_bf16": "ptb_word_lm.py --config=small --precision=bf16",
    "ptb_small_older": "ptb_word_lm.py --config=small --precision=bf16 --set max_epoch=5",
}
# Name -> command, without --save_path. An `older` run's learning rate falls one epoch later (docs/tutorials.md).
RUNS = {
    **PTB,
    "ptb_small_basic": "ptb_word_lm.py --config=small --rnn_mode=basic",
    **{f"{name}_seed{seed}": f"{command} --seed={seed}" for name, command in PTB.items() for seed in SEEDS},
    "ptb_medium": "ptb_word_lm.py --config=medium --seed=1",
    "ptb_medium_older": "ptb_word_lm.py --config=medium --precision=bf16 --seed=1 --set max_epoch=7",
    "ptb_large": "ptb_word_lm.py --config=large",
    "sample_small": "ptb_word_lm.py --config=small",  # where no data is: what `make run` does
    "mnist_basic": "rnn_basics.py --section=mnist",
    "mnist_multilayer": "rnn_basics.py --section=mnist --model=multilayer --set n_epochs=100",
    "mnist_lstm": "rnn_basics.py --section=mnist --model=lstm",
    "mnist_gru": "rnn_basics.py --section=mnist --model=gru",
    "mnist_gru_100": "rnn_basics.py --section=mnist --model=gru --set n_epochs=100",
    "time_series_projection": "time_series.py",
    "time_series_dense": "time_series.py --model=dense",
    "time_series_dropout": "time_series.py --model=dropout",
    "lstm_by_hand": "lstm_by_hand.py --section=train",
    "lstm_by_hand_api": "lstm_by_hand.py --section=train --model=api",
    "char_gru_small_basic_contiguous": "char_gru.py --config=small --rnn_mode=basic --set n_epochs=3",
    "char_gru_small_basic_tutorial": "char_gru.py --config=small --rnn_mode=basic --set n_epochs=3 --batching=tutorial",
    "char_gru_small": "char_gru.py --config=small --precision=bf16",
    "char_gru_medium": "char_gru.py --config=medium --precision=bf16",
    "char_gru_large": "char_gru.py --config=large --precision=bf16",
    "binary_echo_small": "binary_echo.py",
    "binary_echo_medium": "binary_echo.py --config=medium",
}


def path_of(name, extension):
    return os.path.join(FOLDER, f"{name}.{extension}")


def records_of(name):
    """The run's metrics, a dict for each line of its metrics.jsonl; None if it has not been recorded."""
    if not os.path.exists(path_of(name, "jsonl")):
        return None
    with open(path_of(name, "jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def machines():
    """Name -> the machine that the run was recorded on, in words."""
    with open(path_of("machines", "json"), encoding="utf-8") as file:
        return json.load(file)
