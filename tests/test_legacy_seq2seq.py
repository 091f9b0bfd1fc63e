"""`tf.contrib.legacy_seq2seq`, against TensorFlow 1.15 (recorded) and against itself."""

import numpy as np
import pytest

from conftest import set_variables, slow
from tf1 import cells, legacy_seq2seq, old, tf

ENCODER, DECODER = [[1, 2, 3], [0, 4, 2], [2, 2, 1]], [[0, 0, 0], [3, 1, 5], [2, 4, 1], [5, 0, 1]]
SIZES = 5, 6, 4  # ids of the encoder and of the decoder, and the width of their embeddings
CELLS = tf.nn.rnn_cell


def constants(lists):
    return [tf.constant(values) for values in lists]


def inputs(steps, width):
    return constants(np.sin(np.arange(steps * 3 * width)).reshape(steps, 3, width).astype(np.float32))


def gru():
    return CELLS.GRUCell(6)


def attention(feed_previous, cell=None, **options):
    arguments = constants(ENCODER), constants(DECODER), cell or gru(), *SIZES
    return legacy_seq2seq.embedding_attention_seq2seq(*arguments, feed_previous=feed_previous, **options)


def projected(feed_previous):
    projection = tf.get_variable("w", [6, 6]), tf.get_variable("b", [6])
    return attention(feed_previous, output_projection=projection)


def two_layers():
    return cells.MultiRNNCell([CELLS.BasicLSTMCell(5)] * 2)


def tied(feed_previous, **options):
    arguments = constants(ENCODER), constants(DECODER), gru(), 6, 4
    return legacy_seq2seq.embedding_tied_rnn_seq2seq(*arguments, feed_previous=feed_previous, **options)


def words(*output_projection):
    arguments = constants(DECODER), tf.zeros([3, 6]), gru(), 6, 4
    return legacy_seq2seq.embedding_rnn_decoder(*arguments, output_projection)


def in_parts(feed_previous):
    """Each matrix in two variables, and no bias of a linear layer; with one in parts the sums are others."""
    with tf.variable_scope("parts", partitioner=tf.fixed_size_partitioner(2)):
        return attention(feed_previous)


def one_to_many(feed_previous):
    decoders = {"a": constants(DECODER), "b": constants(DECODER[:2])}
    of_both = dict.fromkeys("ab", 6)
    arguments = constants(ENCODER), decoders, gru(), {"a": gru(), "b": gru()}, 5, of_both, 4
    outputs, state = legacy_seq2seq.one2many_rnn_seq2seq(*arguments, feed_previous=feed_previous)
    return outputs["a"] + outputs["b"], (state["a"], state["b"])


def own_loop(feed_previous):
    del feed_previous
    state = gru().zero_state(3, tf.float32)
    memory = tf.stack(inputs(5, 4), axis=1)
    return legacy_seq2seq.attention_decoder(inputs(4, 3), state, memory, gru(), 3, 2, lambda output, _: output / 2)


@pytest.mark.parametrize(
    "build, feed_previous, expected",
    [  # TensorFlow 1.15.5: sums of the absolute values of the outputs, of the final state and of all gradients
        (attention, False, [21.1146, 4.4749, 462.284]),
        slow(attention, True, [21.0263, 4.54396, 468.978]),
        (attention, "tensor", [21.0263, 4.54396, 464.36]),
        (
            lambda feed: attention(feed, two_layers(), num_heads=2, initial_state_attention=True),
            False,
            [35.8056, 20.95, 751.197],
        ),
        slow(projected, True, [23.2859, 4.54396, 371.308]),
        (tied, True, [24.9108, 2.74966, 234.747]),
        slow(tied, "tensor", [24.9108, 2.74966, 223.195]),
        (one_to_many, True, [37.9931, 6.40116, 382.819]),
        slow(own_loop, True, [21.4661, 5.46372, 289.614]),
        (in_parts, False, [51.4315, 6.57358, 1385.37]),
    ],
)
def test_models_are_those_of_tensorflow_1_15(session, build, feed_previous, expected):
    outputs, state = build(tf.constant(True) if feed_previous == "tensor" else feed_previous)
    cost = tf.add_n([tf.reduce_sum(tf.square(output)) for output in outputs])
    gradients = [gradient for gradient in tf.gradients(cost, tf.trainable_variables()) if gradient is not None]
    session.run(tf.global_variables_initializer())
    set_variables(session)
    found = session.run([outputs, tf.nest.flatten(state), [tf.convert_to_tensor(gradient) for gradient in gradients]])
    assert [sum(np.abs(array).sum() for array in group) for group in found] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("feed_previous", [True, "tensor"])
@pytest.mark.parametrize("model", [legacy_seq2seq.embedding_rnn_seq2seq, legacy_seq2seq.embedding_attention_seq2seq])
def test_a_decoder_reads_its_own_words(session, model, feed_previous):
    with tf.variable_scope("model"):
        feeds = tf.constant(True) if feed_previous == "tensor" else True
        outputs, _ = model(constants(ENCODER), constants(DECODER), gru(), *SIZES, feed_previous=feeds)
    with tf.variable_scope("model", reuse=True):
        read = [tf.constant(DECODER[0])] + [tf.cast(tf.argmax(output, 1), tf.int32) for output in outputs[:-1]]
        expected, _ = model(constants(ENCODER), read, gru(), *SIZES)
    session.run(tf.global_variables_initializer())
    for ours, theirs in zip(*session.run([outputs, expected])):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
        assert ours.shape == (3, 6)


def test_a_tensor_decides_in_each_run(session):
    feeds, cell = tf.placeholder(tf.bool, []), gru()
    chosen, _ = attention(feeds, cell)
    session.run(tf.global_variables_initializer())
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        for value in False, True:
            expected, _ = attention(value, gru())
            for ours, theirs in zip(session.run(chosen, {feeds: value}), session.run(expected)):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def buckets_of(model_with_buckets, *arguments, **options):
    """A model for buckets of 2 + 3 and 3 + 4 steps with one object as both layers; the last target does not count."""
    cell = cells.MultiRNNCell([gru()] * 2)
    lists = constants(ENCODER), constants(DECODER), constants(DECODER[1:] + DECODER[:1])
    weights = constants([[1.0, 1.0, 0.0]] * 4)
    build = lambda encoder, decoder: legacy_seq2seq.embedding_attention_seq2seq(encoder, decoder, cell, *SIZES)
    return model_with_buckets(*lists, weights, [(2, 3), (3, 4)], *arguments, build, **options)


def test_buckets_share_their_weights(session):
    outputs, losses = buckets_of(legacy_seq2seq.model_with_buckets)
    names = [variable.op.name for variable in tf.trainable_variables()]
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        _, of_rows = buckets_of(legacy_seq2seq.model_with_buckets, per_example_loss=True)
        _, of_pairs = buckets_of(old.model_with_buckets, 6)  # TF 0.7
        _, of_names = buckets_of(old.model_with_buckets, num_decoder_symbols=6)
    assert names == [variable.op.name for variable in tf.trainable_variables()]
    assert len([name for name in names if "cell_1/gru_cell/gates/kernel" in name]) == 2  # encoder and decoder
    session.run(tf.global_variables_initializer())
    outputs, losses, of_rows, *others = session.run([outputs, losses, of_rows, of_pairs, of_names])
    assert others == [losses, losses]
    for steps, logits, loss, rows in zip((3, 4), outputs, losses, of_rows):
        targets = np.array((DECODER[1:] + DECODER[:1])[:steps])
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        expected = -np.log(np.take_along_axis(probabilities, targets[:, :, None], 2)[:, :, 0]).mean(axis=0) * [1, 1, 0]
        np.testing.assert_allclose(rows, expected, rtol=1e-5)
        assert loss == pytest.approx(expected.mean(), rel=1e-5)


def test_the_embedding_was_as_wide_as_the_cell(session):
    arguments = constants(ENCODER), constants(DECODER), gru(), 5, 6
    old.SEQ2SEQ["embedding_attention_seq2seq"](*arguments, feed_previous=False)
    shapes = [
        variable.shape.as_list() for variable in tf.trainable_variables() if variable.op.name.endswith("embedding")
    ]
    assert shapes == [[5, 6], [6, 6]]


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: legacy_seq2seq.attention_decoder([], None, tf.zeros([3, 2, 4]), gru()), "needs at least one input"),
        (
            lambda: legacy_seq2seq.attention_decoder(inputs(2, 3), None, tf.zeros([3, 2, 4]), gru(), num_heads=0),
            "num_heads is 0",
        ),
        (lambda: attention(False, output_projection=(tf.zeros([6, 6]), tf.zeros([5]))), "incompatible"),
        # So are the models without attention, and in TensorFlow 1.15.5 only these check the weights.
        (lambda: words(tf.zeros([6, 5]), tf.zeros([6])), "incompatible"),
        (lambda: words(tf.zeros([6, 6]), tf.zeros([5])), "incompatible"),
        (lambda: words(tf.zeros([6, 6], tf.float64), tf.zeros([6])), "float64"),
        (lambda: tied(False, output_projection=(tf.zeros([6, 5]), tf.zeros([6]))), "incompatible"),
        (lambda: tied(False, output_projection=(tf.zeros([6, 6]), tf.zeros([5]))), "incompatible"),
        (
            lambda: legacy_seq2seq.one2many_rnn_seq2seq([], {"a": []}, gru(), {"b": gru()}, 5, {"a": 6}, 4),
            r"cells for \['b'\], but inputs for \['a'\]",
        ),
        (
            lambda: legacy_seq2seq.model_with_buckets([0], [0], [0], [0], [(1, 2)], attention),
            "1 targets are fewer than the last bucket's 2",
        ),
    ],
)
def test_what_does_not_fit(session, build, message):
    with pytest.raises(ValueError, match=message):
        build()
