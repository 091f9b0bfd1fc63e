"""`tf1/streams.py` against a network in NumPy that reads one item after the other."""

import numpy as np
import pytest

from tf1 import streams

NUM_IDS, UNITS = 7, 4


def network(memory):
    """`read` of a network whose state forgets by the factor `memory` a step, and how many rows it was asked for."""
    random = np.random.RandomState(0)
    embedding, logits = random.normal(size=[NUM_IDS, UNITS]), random.normal(size=[UNITS, NUM_IDS])
    calls = []

    def read(inputs, targets, state, with_losses=True):
        calls.append(inputs.shape)
        state, losses = state[0], np.empty(inputs.shape)
        for step in range(inputs.shape[1]):
            state = memory * state + embedding[inputs[:, step]]
            z = state @ logits
            losses[:, step] = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), targets[:, step]]
        return losses, [state]

    return read, calls


def one_by_one(read, ids, first):
    losses, _ = read(ids[None, :-1], ids[None, 1:], np.zeros([1, 1, UNITS]))
    return np.mean(losses[0, first - 1 :])


@pytest.mark.parametrize("memory", [0.5, 0.99])  # guesses are good, and bad
@pytest.mark.parametrize("first", [1, 2, 9])
@pytest.mark.parametrize("length", [10, 11, 40, 97, 500])
def test_the_mean_is_that_of_one_item_after_the_other(length, first, memory):
    ids = np.random.RandomState(length).randint(0, NUM_IDS, length)
    read, _ = network(memory)
    for batch_size, num_steps in (1, 1), (3, 2), (4, 10), (20, 3):
        zeros = np.zeros([1, batch_size, UNITS])
        found = streams.mean_loss(read, ids, first, zeros, num_steps, warm_up=20, tolerance=1e-9)
        if first == 1:
            assert found == pytest.approx(one_by_one(read, ids, first), abs=1e-7)
        else:  # row 0 begins at most num_steps - 1 items late
            context = [one_by_one(read, ids[skip:], first - skip) for skip in range(min(first, num_steps))]
            assert min(abs(found - mean) for mean in context) < 1e-7


def test_unchecked_guesses_read_everything_once():
    ids = np.random.RandomState(0).randint(0, NUM_IDS, 1000)
    read, calls = network(0.5)
    found = streams.mean_loss(read, ids, 100, np.zeros([1, 10, UNITS]), 10, warm_up=30, tolerance=np.inf)
    assert found == pytest.approx(one_by_one(read, ids, 100), abs=1e-6)  # 0.5 ** 30
    assert len(calls) == 1 + 3 + 9  # the line above, the warm-up, 90 items a row


def test_a_state_that_is_nan_comes_to_an_end():
    read = lambda inputs, targets, state, with_losses: (np.full(inputs.shape, np.nan), state * np.nan)
    assert np.isnan(streams.mean_loss(read, np.zeros(50, int), 1, np.zeros([1, 3, UNITS]), 2))


def test_it_can_be_stopped():
    read, _ = network(0.5)

    def watched(items):
        yield next(iter(items))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streams.mean_loss(read, np.zeros(50, int), 1, np.zeros([1, 3, UNITS]), 2, watched=watched)
