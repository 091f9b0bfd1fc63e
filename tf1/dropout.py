"""Dropout that a killed run can resume.

`tf.nn.dropout` and `tf.nn.rnn_cell.DropoutWrapper` draw from stateful ops, whose streams start afresh in every session.
Here a mask is a function of the graph's seed, the global step, the layer and the time step, and of nothing else.
"""

import contextlib
import weakref

import numpy as np

from tf1 import tf

_PHILOX = 1  # in TensorFlow's list of generators


_part = [(0, 1)]  # the number of this process among those that the rows are dealt to, and how many there are


@contextlib.contextmanager
def for_part(part, parts):
    """Within its block the rows are those of one of several processes: their masks are a part of the whole batch's."""
    _part.append((part, parts))
    try:
        yield
    finally:
        _part.pop()


def dropout(x, keep_prob, layer, time_step=0, rows_axis=0):
    """Keeps each element of `x` with probability `keep_prob`, scaled by 1 / keep_prob, and sets the others to 0.

    Args:
      x: float32, any shape.
      keep_prob: the probability in (0, 1], a float or a tensor [].
      layer: an int that tells masks of one training step apart.
      time_step: the same, an int or a tensor [], below 65,536.
      rows_axis: which axis of `x` is the batch's, 0 or 1; None: it has none, and all processes have the same mask.
    """
    graph_seed, _ = tf.random.get_seed(0)
    step = tf.cast(tf.train.get_or_create_global_step(), tf.int64)
    seed = tf.stack([tf.constant(graph_seed + (layer << 32), tf.int64), step * 65536 + tf.cast(time_step, tf.int64)])
    is_whole = _part[-1][1] == 1 or rows_axis is None
    uniform = tf.random.stateless_uniform(tf.shape(x), seed) if is_whole else _uniform_part(x, seed, rows_axis)
    return tf.where(uniform < keep_prob, x / keep_prob, tf.zeros_like(x))


def _uniform_part(x, seed, rows_axis):
    """What `stateless_uniform` gives these rows as a part of all, without making the others' numbers."""
    part, parts = _part[-1]
    blocks, block = (1, x.shape.as_list()) if rows_axis == 0 else (x.shape[0].value, x.shape.as_list()[1:])
    count = int(np.prod(block))  # numbers that stand together; shapes are known where a batch is dealt out
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    numbers = []
    for index in range(blocks):
        start = (index * parts + part) * count
        # The generator, Philox, makes four numbers at each value of its counter.
        place = counter + tf.constant([start // 4, 0], tf.uint64)
        shape = [start % 4 + count]
        made = tf.raw_ops.StatelessRandomUniformV2(shape=shape, key=key, counter=place, alg=_PHILOX)
        numbers.append(made[start % 4 :] if start % 4 else made)
    return tf.reshape(tf.stack(numbers) if len(numbers) > 1 else numbers[0], x.shape)


_INPUTS, _OUTPUTS, _STATES = range(3)  # of a cell
_time_steps = []  # of the loop of the graph that is being built, where there is one
_wrappers = weakref.WeakKeyDictionary()  # how many each graph has


@contextlib.contextmanager
def at_time_step(time_step):
    """Within its block the cells are called for `time_step`, an int or a tensor [], however often they are called."""
    _time_steps.append(time_step)
    try:
        yield
    finally:
        _time_steps.pop()


class DropoutWrapper:
    """A cell whose inputs, outputs or states pass through `dropout`: `tf.nn.rnn_cell.DropoutWrapper` with its arguments
    for that, without those for variational dropout.

    Source: Zaremba, Sutskever and Vinyals 2014, "Recurrent Neural Network Regularization": dropout acts on what goes up
    from layer to layer (inputs and outputs), not on what goes on from step to step (states).

    The n-th wrapper of a graph, counted from 1, has the masks of layer n. Where a graph is unrolled, each call makes
    the next time step; in a loop of the graph, `rnn.dynamic_rnn` says which one it is.

    Args:
      cell: the cell; its inputs and state are tensors, the state may also be an LSTM's (of which c is never dropped).
      input_keep_prob, output_keep_prob, state_keep_prob: floats, or tensors [].

    Attributes:
      cell: the same.
      keeps_state: whether the states stay as they are.
    """

    def __init__(self, cell, input_keep_prob=1.0, output_keep_prob=1.0, state_keep_prob=1.0):
        graph = tf.get_default_graph()
        self._layer = _wrappers[graph] = _wrappers.get(graph, 0) + 1
        self._keep_probs = input_keep_prob, output_keep_prob, state_keep_prob
        self._calls = 0
        self.cell, self.keeps_state = cell, is_one(state_keep_prob)
        self.output_size, self.state_size = cell.output_size, cell.state_size

    def zero_state(self, batch_size, dtype):
        return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        time_step = self._time_step(state)
        output, state = self.cell(self._drop(inputs, _INPUTS, time_step), state)
        output = self._drop(output, _OUTPUTS, time_step)
        if hasattr(state, "h"):
            return output, state._replace(h=self._drop(state.h, _STATES, time_step))
        return output, self._drop(state, _STATES, time_step)

    def drop_inputs(self, sequence):
        """What the calls for all time steps do to the inputs: `sequence` [T, batch_size, n]."""
        return self._drop_sequence(sequence, _INPUTS)

    def drop_outputs(self, sequence):
        """The same for the outputs."""
        return self._drop_sequence(sequence, _OUTPUTS)

    def _time_step(self, state):
        if _time_steps:
            return _time_steps[-1]
        if _is_in_loop(tf.nest.flatten(state)[0]):
            raise ValueError("a DropoutWrapper in a loop of the graph needs the time step: call tf1.rnn.dynamic_rnn")
        self._calls += 1
        return self._calls - 1

    def _drop(self, x, place, time_step):
        keep_prob = self._keep_probs[place]
        return x if is_one(keep_prob) else dropout(x, keep_prob, 3 * self._layer + place, time_step)

    def _drop_sequence(self, sequence, place):
        if is_one(self._keep_probs[place]):
            return sequence
        return tf.stack([self._drop(x, place, time_step) for time_step, x in enumerate(tf.unstack(sequence))])


def is_one(keep_prob):
    """Whether the probability is known to be 1."""
    return isinstance(keep_prob, (int, float)) and keep_prob == 1


def _is_in_loop(tensor):
    """Whether the tensor goes round in a `tf.while_loop`: each step gets it from a Switch, through an Identity."""
    return tensor.op.type == "Identity" and tensor.op.inputs[0].op.type in ("Switch", "RefSwitch")
