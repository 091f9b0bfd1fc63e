"""Dropout that a killed run can resume.

`tf.nn.dropout` and `tf.nn.rnn_cell.DropoutWrapper` draw from stateful ops, whose streams start afresh in every session.
Here a mask is a function of the graph's seed, the global step, the layer and the time step, and of nothing else.
"""

from tf1 import tf


def dropout(x, keep_prob, layer, time_step=0):
    """Keeps each element of `x` with probability `keep_prob`, scaled by 1 / keep_prob, and sets the others to 0.

    Args:
      x: float32, any static shape.
      keep_prob: the probability, a float in (0, 1].
      layer: an int that tells masks of one training step apart, as `time_step`, an int below 65,536, does.
    """
    graph_seed, _ = tf.random.get_seed(0)
    step = tf.cast(tf.train.get_or_create_global_step(), tf.int64)
    seed = tf.stack([tf.constant(graph_seed + (layer << 32), tf.int64), step * 65536 + time_step])
    kept = tf.random.stateless_uniform(x.shape, seed) < keep_prob
    return tf.where(kept, x / keep_prob, tf.zeros_like(x))


class DropoutWrapper:
    """A cell whose outputs pass through `dropout`; each call makes the next time step of an unrolled graph.

    Source: Zaremba, Sutskever and Vinyals 2014, "Recurrent Neural Network Regularization": dropout acts on what goes up
    from layer to layer, never on what goes on from step to step.
    """

    def __init__(self, cell, output_keep_prob, layer):
        self._cell = cell
        self._keep_prob = output_keep_prob
        self._layer = layer
        self._time_step = 0
        self.state_size = cell.state_size
        self.output_size = cell.output_size

    def zero_state(self, batch_size, dtype):
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        output, state = self._cell(inputs, state)
        output = dropout(output, self._keep_prob, self._layer, self._time_step)
        self._time_step += 1
        return output, state
