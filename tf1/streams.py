"""The losses of one long stream of words or characters, its pieces read side by side.

A network that carries its state reads a stream one item after the other, and the tutorials do so with batch size 1.
Here the rows of a batch read successive pieces of the stream, each from the state that the row above ends with. Those
states are guessed by reading the last items before the piece from a zero state, and checked afterwards; where a guess
was off, the pieces are read again from the states just found (row i is right in round i + 1 at the latest).

    stream    0 1 2 3 4 5 6 7 8 9 ...             items; each is predicted from all before it
    row 0    ~0 |1 2 3 4| s0                      s0 = the start of row 1?
    row 1    ~s0 |5 6 7 8| s1                     s1 = the start of row 2?  ...
    row 2    ~s1 |9 _ _ _|                        what lies after the stream's end does not count
"""

import math

import numpy as np

from tf1.app import UserError
from tf1.cluster import ALONE

# Measured on PTB's small model: a state that has forgotten all but the last 256 words is off by 0.7, 1,024 words: 2e-4,
# 2,048 words: rounding. An error of 0.2 (512 words) changes the perplexity by 2e-6 of its value.
WARM_UP = 2048
# By which a guess may be off; with bf16 the same words read twice, from states that differ by rounding, differ by 0.03.
TOLERANCES = {"fp32": 1e-4, "bf16": 0.1}


def mean_loss(read, ids, first, zero_state, num_steps, **options):
    """The mean of the `item_losses`, in nats; of the losses of all workers, where a cluster is among the options."""
    losses = item_losses(read, ids, first, zero_state, num_steps, **options)
    return options.get("cluster", ALONE).total(float(np.sum(losses, dtype=np.float64))) / len(losses)


def item_losses(
    read,
    ids,
    first,
    zero_state,
    num_steps,
    warm_up=WARM_UP,
    tolerance=TOLERANCES["fp32"],
    watched=iter,
    cluster=ALONE,
):
    """The losses of `ids[first:]`, in nats, each predicted from all before it.

    Args:
      read: a function from inputs and targets, [batch_size, num_steps] each, a state, and whether losses are wanted, to
        the losses, [batch_size, num_steps], and the state after them.
      ids: the stream, [number of items], of more than `first` items; `first` is at least 1.
      zero_state: the state before the stream, an array whose axis before the last is the batch's.
      num_steps: items of a row that are read at once.
      warm_up: items that a state is guessed from.
      tolerance: by which a guess may be off, in any number of the state. Infinite: guesses are not checked, and an item
        is predicted from at least `warm_up` before it.
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
      cluster: whose workers each read their own rows, where the tolerance is infinite; `read` gets those.
    Returns:
      [number of items - first]; 0 in the rows of other workers.
    """
    if cluster.size > 1 and tolerance < math.inf:
        raise ValueError("the workers of a cluster do not compare the states between their rows")
    ids = np.asarray(ids)
    if not 1 <= first < len(ids):
        raise UserError(f"a stream of {len(ids)} items has none to predict from item {first} on")
    batch_size, count = zero_state.shape[-2], len(ids) - first
    length = math.ceil(count / batch_size)  # of a row
    if tolerance < math.inf:  # a row's end is the end of a batch, so that its state is there to compare
        length = math.ceil(length / num_steps) * num_steps
    rows = first + length * np.arange(batch_size)[:, None]  # the first target of each
    rows, zero_state = cluster.own_rows(rows), cluster.own_rows(zero_state)
    is_used = rows[:, 0] < len(ids)
    found_losses = None

    def read_rows(state, begin, end):
        """Reads all rows from the place `begin` to `end`, keeps their losses, and returns the states at the end."""
        nonlocal found_losses
        for start in watched(range(begin, end, num_steps)):
            places = np.arange(start, start + num_steps)
            targets = rows + places
            indices = np.clip(targets, 1, len(ids) - 1)
            losses, state = read(ids[indices - 1], ids[indices], state, start >= 0)
            if np.any(has_not_begun := targets[:, 0] < 1):
                state = np.array(state)
                state[..., has_not_begun, :] = 0
            if start >= 0:
                if found_losses is None:
                    found_losses = np.zeros(count, losses.dtype)
                counts = (places < length) & (targets < len(ids))
                found_losses[targets[counts] - first] = losses[counts]
        return np.array(state)

    warm_up = min(warm_up, rows[is_used][-1, 0] - 1) if is_used.any() else 0
    starts = read_rows(zero_state, -math.ceil(warm_up / num_steps) * num_steps, 0)
    while True:
        ends = read_rows(starts, 0, length)
        if tolerance == math.inf:
            return found_losses
        found = np.concatenate([starts[..., :1, :], ends[..., :-1, :]], axis=-2)
        if not np.max(np.abs(found - starts)[..., is_used, :]) > tolerance:
            return found_losses
        starts = found
