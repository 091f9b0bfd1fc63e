"""Which outputs feed the loss of seq-to-seq, seq-to-vector, vector-to-seq and encoder-decoder networks?

    python -m studies.sequence_kinds        3 seconds

For each kind this draws the network, and prints the norms of d loss / d Y(t), where the loss is the mean square of the
outputs that the kind uses. A zero: that output feeds no loss.

    seq-to-seq         0.033  0.031  0.046  0.044                 all four outputs
    seq-to-vector      0      0      0      0.176                 the last one
    vector-to-seq      0.033  0.030  0.027  0.027                 all four
    encoder-decoder    0      0      0      0.061  0.057  0.057   the decoder's three; what the encoder knows goes
                                                                  through its last state alone

Source: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14, "Input
and Output Sequences", https://github.com/ageron/handson-ml; for the last kind: Sutskever, Vinyals and Le 2014,
"Sequence to Sequence Learning with Neural Networks", https://arxiv.org/abs/1409.3215.
"""

import inspect

import numpy as np

import configs
import studies
from tf1 import app, tf

KINDS = {
    "seq_to_seq": """
    seq-to-seq: every output feeds the loss (*); a price series in, the series shifted by a day out

        *Y0    *Y1    *Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0     X1     X2     X3
    """,
    "seq_to_vector": """
    seq-to-vector: only the last output does; a sentence in, its mood out

         Y0     Y1     Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0     X1     X2     X3
    """,
    "vector_to_seq": """
    vector-to-seq: one input, then zeros; a picture in, its caption out

        *Y0    *Y1    *Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0      0      0      0
    """,
    "encoder_decoder": """
    encoder-decoder: a seq-to-vector network, whose last state a vector-to-seq network begins with; a sentence in,
    its translation out, which can wait for the sentence's end

         Y0     Y1     Y2    *Y'0   *Y'1   *Y'2
         ^      ^      ^      ^      ^      ^
        h0 --> h1 --> h2 --> h'0 -> h'1 -> h'2
         ^      ^      ^      ^      ^      ^
        X0     X1     X2      0      0      0
        encoder               decoder
    """,
}


def build(kind, config):
    """The graph of a network of the `kind`.

    Returns:
      Its inputs, a placeholder [batch_size, 4, n_inputs]; its outputs, a list of [batch_size, number of time steps,
      n_neurons]; and the loss.
    """

    def rnn(inputs, initial_state=None, scope=None):
        cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons)
        return tf.nn.dynamic_rnn(cell, inputs, initial_state=initial_state, dtype=tf.float32, scope=scope)

    X = tf.placeholder(tf.float32, [config.batch_size, 4, config.n_inputs])
    if kind == "seq_to_seq":
        outputs, _ = rnn(X)
        used = outputs
    elif kind == "seq_to_vector":
        outputs, _ = rnn(X)
        used = outputs[:, -1]
    elif kind == "vector_to_seq":
        outputs, _ = rnn(tf.concat([X[:, :1], tf.zeros_like(X[:, 1:])], axis=1))
        used = outputs
    else:
        encoder_outputs, code = rnn(X[:, :3], scope="encoder")
        decoder_outputs, _ = rnn(tf.zeros_like(X[:, :3]), initial_state=code, scope="decoder")
        return X, [encoder_outputs, decoder_outputs], tf.reduce_mean(tf.square(decoder_outputs))
    return X, [outputs], tf.reduce_mean(tf.square(used))


@app.command
def main(argv=None):
    """Returns for each kind of network the norms of d loss / d Y(t), [number of outputs]: 0 where Y(t) is not used."""
    args, config = studies.parse_args(__file__, __doc__, configs.SEQUENCE_KINDS_CONFIGS, argv)
    results = {}
    for kind, figure in KINDS.items():
        with tf.Graph().as_default():
            tf.set_random_seed(args.seed)
            X, outputs, loss = build(kind, config)
            gradients = tf.gradients(loss, outputs, unconnected_gradients="zero")
            norms = tf.norm(tf.concat(gradients, axis=1), axis=[0, 2])
            init = tf.global_variables_initializer()
            with tf.Session() as sess:
                init.run()
                X_batch = np.random.RandomState(args.seed).rand(*X.shape.as_list())
                results[kind] = norms_val = sess.run(norms, feed_dict={X: X_batch})
        print(inspect.cleandoc(figure))
        print("norms of d loss / d Y(t):", norms_val, "\n")
    print("A zero: that output feeds no loss. (The loss is the mean square of the outputs with a star.)")
    return results


if __name__ == "__main__":
    main()
