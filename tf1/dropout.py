"""Dropout that a killed run can resume.

`tf.nn.dropout` and `tf.nn.rnn_cell.DropoutWrapper` draw from stateful ops, whose streams start afresh in every session.
Here a mask is a function of the graph's seed, the global step, the layer and the time step, and of nothing else.
"""

from tf1 import tf


def dropout(x, keep_prob, layer, time_step=0):
    """Keeps each element of `x` with probability `keep_prob`, scaled by 1 / keep_prob, and sets the others to 0.

    Args:
      x: float32, any shape.
      keep_prob: the probability in (0, 1], a float or a tensor [].
      layer: an int that tells masks of one training step apart.
      time_step: the same, an int or a tensor [], below 65,536.
    """
    graph_seed, _ = tf.random.get_seed(0)
    step = tf.cast(tf.train.get_or_create_global_step(), tf.int64)
    seed = tf.stack([tf.constant(graph_seed + (layer << 32), tf.int64), step * 65536 + tf.cast(time_step, tf.int64)])
    kept = tf.random.stateless_uniform(tf.shape(x), seed) < keep_prob
    return tf.where(kept, x / keep_prob, tf.zeros_like(x))


INPUTS, OUTPUTS, STATES = range(3)  # of a cell


def dropout_sequence(sequence, keep_prob, layer, place):
    """What the `DropoutWrapper` of `layer` does to INPUTS or OUTPUTS of its cell, the whole `sequence` [T, B, n]."""
    steps = enumerate(tf.unstack(sequence))
    return tf.stack([dropout(x, keep_prob, 3 * layer + place, step) for step, x in steps])


class DropoutWrapper:
    """A cell whose inputs, outputs or states pass through `dropout`: `tf.nn.rnn_cell.DropoutWrapper` with its arguments
    for that, without those for variational dropout.

    Source: Zaremba, Sutskever and Vinyals 2014, "Recurrent Neural Network Regularization": dropout acts on what goes up
    from layer to layer (inputs and outputs), not on what goes on from step to step (states).

    Args:
      cell: the cell; its inputs and state are tensors, the state may also be an LSTM's (of which c is never dropped).
      input_keep_prob, output_keep_prob, state_keep_prob: floats, or tensors [].
      layer: an int from 1 on that no other wrapper of the graph has.
      in_loop: the cell is called in a loop of the graph, as by `dynamic_rnn`: the time step travels in the state, which
        is a pair, the cell's state and [batch_size, 1]. Otherwise each call makes the next step of an unrolled graph.
    """

    def __init__(self, cell, input_keep_prob=1.0, output_keep_prob=1.0, state_keep_prob=1.0, *, layer, in_loop):
        self._cell, self._layer, self._in_loop = cell, layer, in_loop
        self._keep_probs = input_keep_prob, output_keep_prob, state_keep_prob
        self._time_step = 0
        self.output_size = cell.output_size
        self.state_size = (cell.state_size, 1) if in_loop else cell.state_size

    def zero_state(self, batch_size, dtype):
        state = self._cell.zero_state(batch_size, dtype)
        return (state, tf.zeros([batch_size, 1], tf.int32)) if self._in_loop else state

    def __call__(self, inputs, state, scope=None):
        if self._in_loop:
            state, time_steps = state
            time_step = time_steps[0, 0]
        else:
            time_step = self._time_step
            self._time_step += 1

        def drop(x, place):
            keep_prob = self._keep_probs[place]
            if isinstance(keep_prob, float) and keep_prob == 1:
                return x
            return dropout(x, keep_prob, 3 * self._layer + place, time_step)

        output, state = self._cell(drop(inputs, INPUTS), state)
        output = drop(output, OUTPUTS)
        state = state._replace(h=drop(state.h, STATES)) if hasattr(state, "h") else drop(state, STATES)
        return output, (state, time_steps + 1) if self._in_loop else state
