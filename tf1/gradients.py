"""Gradients as an optimizer takes them."""

from tf1 import tf


def in_fixed_order(gradient):
    """The gradient, or an equal one, that the optimizer adds up in the same order in each run.

    From 1,024 rows on TensorFlow divides IndexedSlices among its threads; who comes first subtracts first, and words
    that occur twice are rounded in the one order or in the other.
    """
    if not isinstance(gradient, tf.IndexedSlices) or gradient.indices.shape.num_elements() < 1024:
        return gradient
    words, rows = tf.unique(gradient.indices)
    values = tf.unsorted_segment_sum(gradient.values, rows, tf.size(words))
    return tf.IndexedSlices(values, words, gradient.dense_shape)
