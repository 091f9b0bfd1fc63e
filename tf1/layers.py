"""Recurrent layers over whole sequences.

The variables of a GRU layer are in one layout, Keras' for `reset_after=True`, whatever computes the layer:

    kernel            [input_size, 3 * units]   the gates side by side: z (update), r (reset), the candidate
    recurrent_kernel  [units, 3 * units]
    bias              [2, 3 * units]            of the inputs' product, of the state's product
"""

from tf1 import tf


def cudnn_gru_params(kernel, recurrent_kernel, bias):
    """A GRU layer's variables as the one vector that cuDNN reads.

    Source: NVIDIA's cuDNN documentation, cudnnGetRNNWeightParams: first the matrices, then the biases, each in the
    order of the linLayerID: reset, update and new memory gate of the inputs, then the same of the state. A matrix has a
    row for each unit. cuDNN adds two biases, and its new memory gate resets the state's product, bias and all.
    """
    matrices, biases = [], []
    for weights, bias_vector in ((kernel, bias[0]), (recurrent_kernel, bias[1])):
        (z, r, candidate), (z_bias, r_bias, candidate_bias) = tf.split(weights, 3, axis=1), tf.split(bias_vector, 3)
        matrices += [tf.reshape(tf.transpose(matrix), [-1]) for matrix in (r, z, candidate)]
        biases += [r_bias, z_bias, candidate_bias]
    return tf.concat(matrices + biases, axis=0)


def cudnn_gru(inputs, initial_state, kernel, recurrent_kernel, bias, is_training):
    """The layer through cuDNN, on the first GPU.

    Args:
      inputs: float32 [num_steps, batch_size, input_size].
      initial_state: [batch_size, units].
      is_training: keeps what the gradient needs.
    Returns:
      The outputs, [num_steps, batch_size, units], and the final state.
    """
    num_steps, batch_size = tf.unstack(tf.shape(inputs)[:2])
    sequence_lengths = tf.fill([batch_size], num_steps)  # in the host's memory, where the op wants them
    with tf.device("/gpu:0"):
        outputs, final_state, *_ = tf.raw_ops.CudnnRNNV3(
            input=inputs,
            input_h=initial_state[None],
            input_c=tf.zeros([0]),  # an LSTM's
            params=cudnn_gru_params(kernel, recurrent_kernel, bias),
            sequence_lengths=sequence_lengths,
            rnn_mode="gru",
            is_training=is_training,
        )
        return outputs, final_state[0]
