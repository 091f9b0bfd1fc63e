"""The decoders of TensorFlow 1.0, against TensorFlow 1.0.0 (recorded)."""

import numpy as np
import pytest

from conftest import set_variables
from tf1 import tf

SEQ2SEQ = tf.contrib.seq2seq
LENGTHS = [5, 3, 1]
IDS = np.array([[1, 2, 3, 4, 5], [2, 3, 4, 0, 0], [6, 0, 0, 0, 0]])
MEMORY = np.cos(np.arange(3 * 6 * 8)).reshape(3, 6, 8).astype(np.float32)
STATE = 0.3 * np.sin(np.arange(24)).reshape(3, 8).astype(np.float32)


def gru():
    return tf.contrib.rnn.GRUCell(8), tf.constant(STATE)


def lstm():
    return tf.contrib.rnn.BasicLSTMCell(8), tf.contrib.rnn.LSTMStateTuple(tf.constant(STATE), tf.constant(-STATE))


def layers():
    cells = [tf.contrib.rnn.GRUCell(8), tf.contrib.rnn.GRUCell(8)]
    return tf.contrib.rnn.MultiRNNCell(cells), (tf.constant(STATE), tf.constant(-STATE))


def translate(build, option=None, end=6, maximum_length=10):
    """The outputs and the state in training, and the logits and the state in inference with the same weights."""
    cell, encoder_state = build()
    embeddings = tf.get_variable("embeddings", [7, 4])
    logits_of = lambda outputs: tf.matmul(outputs, projection)
    with tf.variable_scope("decoder") as scope:
        inputs = tf.nn.embedding_lookup(embeddings, IDS)
        ids = embeddings, 1, end, maximum_length, 7
        if option:
            attention = SEQ2SEQ.prepare_attention(tf.constant(MEMORY), option, 8)
            train = SEQ2SEQ.attention_decoder_fn_train(encoder_state, *attention)
        else:
            train = SEQ2SEQ.simple_decoder_fn_train(encoder_state)
        outputs, state, _ = SEQ2SEQ.dynamic_rnn_decoder(cell, train, inputs, LENGTHS, scope=scope)
        projection = tf.get_variable("projection", [8, 7])
        scope.reuse_variables()
        if option:
            if option == "bahdanau":  # for luong, what was prepared for training serves here, too
                attention = SEQ2SEQ.prepare_attention(tf.constant(MEMORY), option, 8, reuse=True)
            infer = SEQ2SEQ.attention_decoder_fn_inference(logits_of, encoder_state, *(attention + ids))
        else:
            infer = SEQ2SEQ.simple_decoder_fn_inference(logits_of, encoder_state, *ids)
        logits, last, _ = SEQ2SEQ.dynamic_rnn_decoder(cell, infer, scope=scope)
    return outputs, state, logits, last


@pytest.mark.parametrize(
    "build, options, steps, sizes",
    [  # TensorFlow 1.0.0: the steps in inference; sums of absolute outputs, states, logits, states and gradients
        (gru, (), 11, [15.1744, 4.19642, 23.8744, 6.35852, 72.4297]),
        (lstm, (), 11, [7.42152, 6.2625, 5.30282, 9.56561, 21.3786]),
        (layers, (None, 99, 4), 5, [18.9819, 10.5572, 11.6665, 14.1601, 160.365]),
        (gru, (None, 3, 8), 9, [15.1744, 4.19642, 13.0653, 5.93289, 72.4297]),
        (gru, ("luong",), 11, [48.3157, 6.669, 61.8366, 8.96237, 2426.55]),
        (lstm, ("bahdanau", 99, 3), 4, [40.7461, 15.8324, 15.9525, 22.6691, 778.543]),
        (layers, ("bahdanau", 3, 8), 9, [33.5723, 11.844, 32.6256, 14.3168, 715.659]),
    ],
)
def test_decoders_are_those_of_tensorflow_1_0(session, build, options, steps, sizes):
    outputs, state, logits, last = translate(build, *options)
    variables = tf.trainable_variables()
    gradients = tf.gradients(tf.nn.l2_loss(outputs) * 2, variables)
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    session.run(tf.global_variables_initializer())
    set_variables(session)
    found = session.run([tf.nest.flatten(values) for values in (outputs, state, logits, last, gradients)])
    assert found[2][0].shape == (3, steps, 7)
    np.testing.assert_allclose([sum(np.abs(array).sum() for array in arrays) for arrays in found], sizes, rtol=1e-4)
    names = {variable.op.name for variable in variables if "attention" in variable.op.name}
    own = {"luong": [], "bahdanau": ["score/attnW", "score/attnV"]}[options[0]] if options and options[0] else None
    expected = [] if own is None else ["keys/weights", *own, "construct/weights"]
    assert names == {f"decoder/attention_{name}" for name in expected}


@pytest.mark.parametrize("time_major", [False, True])
def test_a_function_of_its_own(session, time_major):
    """One that doubles the outputs and adds them up; what is after a row's end is zeros, and its state stays."""
    cell, encoder_state = gru()
    inputs = tf.constant(np.sin(np.arange(60)).reshape(3, 5, 4), tf.float32)
    expected = tf.nn.dynamic_rnn(cell, inputs, LENGTHS, encoder_state)

    def decoder_fn(time, cell_state, cell_input, cell_output, context_state):
        if cell_state is None:
            return None, encoder_state, cell_input, cell_output, tf.zeros([3])
        return None, cell_state, cell_input, 2 * cell_output, context_state + tf.reduce_sum(cell_output, 1)

    steps = tf.transpose(inputs, [1, 0, 2]) if time_major else inputs
    with tf.variable_scope("rnn", reuse=True):
        found = SEQ2SEQ.dynamic_rnn_decoder(cell, decoder_fn, steps, LENGTHS, time_major=time_major)
    session.run(tf.global_variables_initializer())
    (outputs, state, sums), (rows, last) = session.run([found, expected])
    np.testing.assert_allclose(np.swapaxes(outputs, 0, 1) if time_major else outputs, 2 * rows, atol=1e-6)
    np.testing.assert_allclose(state, last, atol=1e-6)
    assert sums[0] == pytest.approx(rows[0].sum(), abs=1e-5)


def test_what_cannot_be_is_refused():
    with tf.Graph().as_default():
        cell, encoder_state = gru()
        infer = SEQ2SEQ.simple_decoder_fn_inference(None, encoder_state, tf.zeros([7, 4]), 1, 6, 5, 7)
        with pytest.raises(ValueError, match="takes no inputs"):
            SEQ2SEQ.dynamic_rnn_decoder(cell, infer, tf.zeros([3, 5, 4]), LENGTHS)
        with pytest.raises(ValueError, match="attention_option is 'additive'"):
            SEQ2SEQ.prepare_attention(tf.constant(MEMORY), "additive", 8)
