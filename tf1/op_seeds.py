"""Op seeds: the weights of recordings made under TensorFlow 1.x."""

from tf1 import tf


def kernel_seeds(*op_seeds):
    """A scope whose kernels are drawn as the recording's were: each, in the order of creation, with its op seed.

    For a random op without an op seed TF 1.x took the number of ops in the graph, and TF 2 counts in another way; with
    the op seeds given, today's numbers are the recorded ones. Kernels beyond the list get what TF 2 counts.
    """
    seeds = iter(op_seeds)

    def initializer(shape, dtype=None, partition_info=None):
        return tf.glorot_uniform_initializer(seed=next(seeds, None))(shape, dtype=dtype)

    return tf.variable_scope(tf.get_variable_scope(), initializer=initializer)
