"""The decoders of tf.contrib.seq2seq, against TensorFlow 1.15 (recorded) and against `dynamic_rnn`."""

import numpy as np
import pytest

from conftest import set_variables
from tf1 import seq2seq, tf
from tf1.attention import AttentionWrapper, BahdanauAttention, LuongAttention

LENGTHS = [5, 3, 1]
X = np.sin(np.arange(60)).reshape(3, 5, 4).astype(np.float32)
CELLS = tf.nn.rnn_cell


def decoder_of(cell, helper, size=7, **state):
    """With an embedding [7, 4] that GreedyEmbeddingHelper reads, and a layer to `size` logits."""
    layer, initial_state = tf.layers.Dense(size, name="proj"), cell.zero_state(3, tf.float32)
    return seq2seq.BasicDecoder(cell, helper, initial_state.clone(**state) if state else initial_state, layer)


def greedy(end_token=6):
    return seq2seq.GreedyEmbeddingHelper(tf.get_variable("emb", [7, 4]), tf.zeros([3], tf.int32), end_token)


def training():
    tf.get_variable("emb", [7, 4])
    return seq2seq.TrainingHelper(X, LENGTHS)


def lstm():
    return CELLS.BasicLSTMCell(5)


def luong_scaled():
    attention = LuongAttention(5, X, LENGTHS, scale=True)
    cell = AttentionWrapper(lstm(), attention, attention_layer_size=4, alignment_history=True)
    return decoder_of(cell, greedy())


def bahdanau():
    return decoder_of(AttentionWrapper(lstm(), BahdanauAttention(6, X, LENGTHS)), training())


def bahdanau_normalised():
    attention = BahdanauAttention(6, tf.constant(X), normalize=True)
    cell = AttentionWrapper(lstm(), attention, attention_layer_size=3, output_attention=False)
    state = CELLS.LSTMStateTuple(tf.ones([3, 5]), 0.5 * tf.ones([3, 5]))
    return decoder_of(cell, greedy(), cell_state=state)


def scheduled(probability):
    embedding = tf.get_variable("emb", [7, 4])
    helper = seq2seq.ScheduledEmbeddingTrainingHelper(X, LENGTHS, embedding, probability, seed=5, scheduling_seed=7)
    return decoder_of(lstm(), helper)


def own_outputs(probability, **options):
    helper = seq2seq.ScheduledOutputTrainingHelper(tf.constant(X), LENGTHS, probability, seed=5, **options)
    return decoder_of(lstm(), helper, 4)


def custom():
    embedding = tf.get_variable("emb", [7, 4])
    embed = lambda ids: tf.nn.embedding_lookup(embedding, ids)
    helper = seq2seq.CustomHelper(
        lambda: (tf.tile([False], [3]), embed([0, 1, 2])),
        lambda time, outputs, state: (tf.argmin(outputs, 1, output_type=tf.int32) + time) % 7,
        lambda time, outputs, state, sample_ids: (tf.equal(sample_ids, 2), embed(sample_ids), state),
    )
    return decoder_of(lstm(), helper)


def inference():
    """What a step writes are numbers, which the next step reads."""
    tf.get_variable("emb", [7, 4])
    arguments = tf.sin, [4], tf.float32, tf.constant(X[:, 0]), lambda samples: samples[:, 1] > 0.195
    return decoder_of(lstm(), seq2seq.InferenceHelper(*arguments), 4)


def two_attentions():
    attentions = [BahdanauAttention(6, X, LENGTHS), LuongAttention(5, tf.constant(X))]
    return decoder_of(AttentionWrapper(lstm(), attentions, attention_layer_size=[3, 2]), training())


def of_layers():
    layers = CELLS.MultiRNNCell([CELLS.GRUCell(5), CELLS.GRUCell(5)])
    cell = AttentionWrapper(layers, LuongAttention(5, X, LENGTHS), 4, cell_input_fn=lambda inputs, attention: inputs)
    return decoder_of(cell, training())


@pytest.mark.parametrize(
    "build, impute, logits, size, ids, lengths",
    [  # TensorFlow 1.15.5: the first three logits, the sum of all absolute ones, of the ids, and the lengths
        (lambda: decoder_of(lstm(), greedy(4)), True, [0.32328, 0.18583, -0.37117], 5.3033, 12, [1, 1, 1]),
        (luong_scaled, False, [0.365147, 0.131014, -0.398908], 34.699, 54, [6, 6, 6]),
        (bahdanau, True, [0.21567, 0.2207, -0.27254], 14.6762, 35, LENGTHS),
        (bahdanau_normalised, False, [0.55159, 0.4383, -0.66454], 45.717, 72, [6, 6, 6]),
        (two_attentions, False, [0.32328, 0.26098, -0.39053], 23.4027, 60, LENGTHS),
        (of_layers, False, [0.35695, 0.12798, -0.38992], 28.4277, 45, LENGTHS),
        (lambda: scheduled(1.0), True, [0.31102, 0.17812, -0.35692], 14.4997, 28, LENGTHS),
        (lambda: scheduled(0.0), True, [0.31102, 0.17812, -0.35692], 14.8604, -9, LENGTHS),
        (lambda: own_outputs(1.0), True, [0.31976, 0.18518, -0.36748], 8.81384, 9, LENGTHS),
        (
            lambda: own_outputs(1.0, next_inputs_fn=lambda x: 2 * x),
            False,
            [0.31976, 0.18518, -0.36748],
            14.6227,
            15,
            LENGTHS,
        ),
        (lambda: own_outputs(1.0, auxiliary_inputs=X[:, :, :2]), True, [0.3166, 0.19867, -0.3678], 8.87832, 9, LENGTHS),
        (lambda: own_outputs(0.0), True, [0.31976, 0.18518, -0.36748], 8.9107, 0, LENGTHS),
        (custom, True, [0.32328, 0.18583, -0.37117], 20.1623, 27, [4, 4, 4]),
        (inference, False, [0.31976, 0.18518, -0.36748], 8.82339, 0.391288, [3, 1, 1]),
    ],
)
def test_decoders_are_those_of_tensorflow_1_15(session, build, impute, logits, size, ids, lengths):
    outputs, _, found = seq2seq.dynamic_decode(build(), impute_finished=impute, maximum_iterations=6)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    outputs, found = session.run([outputs, found])
    np.testing.assert_allclose(outputs.rnn_output[0, 0, :3], logits, atol=1e-5)
    assert np.abs(outputs.rnn_output).sum() == pytest.approx(size, rel=2e-5)
    assert outputs.sample_id.sum() == pytest.approx(ids, rel=1e-5)
    assert found.tolist() == lengths


@pytest.mark.parametrize("time_major", [False, True])
def test_reading_the_target_is_dynamic_rnn(session, time_major):
    expected = tf.nn.dynamic_rnn(lstm(), tf.constant(X), LENGTHS, dtype=tf.float32)
    cell = lstm()
    helper = seq2seq.TrainingHelper(np.swapaxes(X, 0, 1) if time_major else X, LENGTHS, time_major)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(3, tf.float32))
    outputs, state, _ = seq2seq.dynamic_decode(decoder, time_major, impute_finished=True)
    rows = tf.transpose(outputs.rnn_output, [1, 0, 2]) if time_major else outputs.rnn_output
    session.run(tf.global_variables_initializer())
    set_variables(session)
    for ours, theirs in zip(session.run([rows, *state]), session.run([expected[0], *expected[1]])):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_what_a_long_target_costs(session):
    """The gradient of its steps is put together once, and no step makes one as large as all of them."""
    inputs, cell = tf.constant(X), lstm()
    decoder = seq2seq.BasicDecoder(cell, seq2seq.TrainingHelper(inputs, LENGTHS), cell.zero_state(3, tf.float32))
    outputs, _, _ = seq2seq.dynamic_decode(decoder, impute_finished=True)
    expected, _ = tf.nn.dynamic_rnn(cell, inputs, LENGTHS, dtype=tf.float32, scope="decoder")
    (ours,), (theirs,) = (tf.gradients(tf.sin(rows), inputs) for rows in (outputs.rnn_output, expected))
    assert "StridedSliceGrad" not in {op.type for op in session.graph.get_operations()}
    session.run(tf.global_variables_initializer())
    np.testing.assert_allclose(*session.run([ours, theirs]), atol=1e-6)


def test_alignments_are_weights_of_what_is_there(session):
    _, state, _ = seq2seq.dynamic_decode(luong_scaled(), maximum_iterations=6)
    session.run(tf.global_variables_initializer())
    alignments, history = session.run([state.alignments, state.alignment_history.stack()])
    assert history.shape == (6, 3, 5)
    np.testing.assert_array_equal(history[-1], alignments)
    np.testing.assert_allclose(history.sum(axis=2), 1, rtol=1e-6)
    assert np.all(history[:, 1, 3:] == 0) and np.all(history[:, 2, 1:] == 0) and np.all(history[:, 0] > 0)


def test_attention_in_dynamic_rnn(session):
    attention = LuongAttention(5, X, LENGTHS, score_mask_value=-1.0)
    cell = AttentionWrapper(lstm(), attention, attention_layer_size=4)
    outputs, state = tf.nn.dynamic_rnn(cell, tf.constant(X), LENGTHS, dtype=tf.float32)
    session.run(tf.global_variables_initializer())
    outputs, last, time, alignments = session.run([outputs, state.attention, state.time, state.alignments])
    np.testing.assert_array_equal(last, outputs[range(3), np.subtract(LENGTHS, 1)])
    assert np.all(outputs[1, 3:] == 0) and time == 5
    assert np.all(alignments > 0)  # a mask of -1 is a low score, and no ban


def test_a_target_that_is_never_left(session):
    """With the probability 0 a decoder reads what `TrainingHelper` gives it."""
    outputs, _, _ = seq2seq.dynamic_decode(scheduled(0.0))
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        expected, _, _ = seq2seq.dynamic_decode(decoder_of(lstm(), training()), scope="decoder")
    session.run(tf.global_variables_initializer())
    outputs, expected = session.run([outputs, expected.rnn_output])
    np.testing.assert_array_equal(outputs.rnn_output, expected)
    assert np.all(outputs.sample_id == -1)


@pytest.mark.parametrize("build", [scheduled, own_outputs])
def test_draws_come_in_the_order_of_the_steps(session, build):
    """They wait for a step's outputs: what does not, a loop runs as early as it can, and for any step first."""
    seq2seq.dynamic_decode(build(0.5))
    operations = session.graph.get_operations()
    (draw,) = [op for op in operations if op.type == "RandomUniform" and op.name.startswith("decoder/while/random")]
    (shape,) = draw.inputs
    assert "decoder/while/proj/BiasAdd" in [op.name for op in shape.op.control_inputs]


def test_drawn_ids_follow_their_probabilities(session):
    logits = tf.log(tf.tile([[0.2, 0.3, 0.5]], [3000, 1]))
    draw = lambda *arguments: seq2seq.SampleEmbeddingHelper(lambda ids: ids, tf.zeros([3000], tf.int32), 9, *arguments)
    ids, cold = session.run([draw(None, 1).sample(0, logits, None), draw(0.01).sample(0, logits, None)])
    # 4 standard errors of 3,000 draws.
    np.testing.assert_allclose(np.bincount(ids) / 3000, [0.2, 0.3, 0.5], atol=4 * 0.5 / np.sqrt(3000))
    assert np.all(cold == 2)


def test_rows_several_times(session):
    found = session.run(seq2seq.tile_batch((tf.constant([[1], [2]]), tf.constant([3, 4])), 2))
    assert [array.tolist() for array in found] == [[[1], [1], [2], [2]], [3, 3, 4, 4]]


def test_a_script_of_its_own_decoder_and_helper(session):
    """A decoder that counts, and says its outputs backwards; one that lacks a method is refused when it is made."""

    class Counter(seq2seq.Decoder):
        batch_size, output_dtype = 2, tf.int32

        def initialize(self, name=None):
            return tf.constant([False, False]), tf.constant([0, 10]), tf.constant([2, 3])

        def step(self, time, inputs, state, name=None):
            return inputs, state, inputs + 1, time + 1 >= state

        def finalize(self, outputs, final_state, sequence_lengths):
            return tf.reverse(outputs, [0]), final_state

    outputs, state, lengths = session.run(seq2seq.dynamic_decode(Counter()))
    assert outputs.tolist() == [[2, 1, 0], [12, 11, 10]]
    assert (state.tolist(), lengths.tolist()) == ([2, 3], [2, 3])
    for base in seq2seq.Decoder, seq2seq.Helper:
        with pytest.raises(TypeError, match="abstract"):
            type("Unfinished", (base,), {"initialize": Counter.initialize})()


MEMORY = np.cos(np.arange(3 * 6 * 8)).reshape(3, 6, 8).astype(np.float32)


def attending(*attentions, **options):
    mechanisms = [attention(5, tf.constant(MEMORY), [6, 4, 2]) for attention in attentions]
    return AttentionWrapper(CELLS.GRUCell(5), mechanisms if len(mechanisms) > 1 else mechanisms[0], **options)


def of_other_keys(attention, change=lambda keys, values: (keys * 2 + 1, values - 0.5), size=3, lengths=(6, 4, 2)):
    mechanism = attention(5, tf.constant(MEMORY), lengths, custom_key_value_fn=change)
    return AttentionWrapper(CELLS.GRUCell(5), mechanism, size)


def brightest(mechanism, output, state, layer):
    """An `attention_fn`: what is seen is not the mean of the memory, but in each unit the most."""
    alignments, state = mechanism(output, state=state)
    seen = tf.reduce_max(alignments[:, :, None] * mechanism.values, 1)
    return tf.tanh(seen if layer is None else layer(tf.concat([output, seen], 1))), alignments, state


def own_layers():
    return [tf.layers.Dense(3, tf.tanh, name="mine"), tf.layers.Dense(2)]


@pytest.mark.parametrize(
    "build, size, attention, of_gradients, layers",
    [  # TensorFlow 1.15.5: sums of absolute outputs, of the last attention and of gradients; the layers' variables
        (lambda: of_other_keys(BahdanauAttention), 34.6503, 7.4834, 1190.93, "attention_layer/kernel"),
        (lambda: of_other_keys(LuongAttention), 35.1545, 7.6471, 1166.16, "attention_layer/kernel"),
        (
            lambda: of_other_keys(LuongAttention, lambda keys, values: (keys[:, :4], values[:, :4, :6]), None, None),
            10.3218,
            2.6087,
            85.3833,
            "",
        ),
        (
            lambda: attending(LuongAttention, attention_layer=own_layers()[0]),
            15.9281,
            3.3728,
            193.238,
            "mine/kernel mine/bias",
        ),
        (
            lambda: attending(LuongAttention, BahdanauAttention, attention_layer=own_layers()),
            22.2047,
            4.3815,
            264.807,
            "mine/kernel mine/bias dense/kernel dense/bias",
        ),
        (
            lambda: attending(LuongAttention, attention_layer_size=3, attention_fn=brightest),
            9.5536,
            2.1206,
            83.5458,
            "attention_layer/kernel",
        ),
        (lambda: attending(LuongAttention, attention_fn=brightest, dtype=tf.float32), 22.7861, 4.5217, 9.20077, ""),
    ],
)
def test_own_parts_of_an_attention(session, build, size, attention, of_gradients, layers):
    cell = build()
    decoder = seq2seq.BasicDecoder(cell, seq2seq.TrainingHelper(X, LENGTHS), cell.zero_state(3, tf.float32))
    outputs, state, _ = seq2seq.dynamic_decode(decoder)
    assert outputs.rnn_output.shape[2] == cell.output_size
    values, trained = (
        [outputs.rnn_output, state.attention, *tf.nest.flatten(state.alignments)],
        tf.trainable_variables(),
    )
    scope = "decoder/attention_wrapper/"
    own = [name for name in layers.split() if f"{scope}{name}" in {variable.op.name for variable in trained}]
    assert own == layers.split()
    gradients = tf.gradients(tf.add_n([tf.reduce_sum(tf.square(value)) for value in values]), trained)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    values, gradients = session.run([values, gradients])
    found = [np.abs(value).sum() for value in values[:2]]
    assert found == pytest.approx([size, attention], rel=1e-4)
    assert sum(np.abs(array).sum() for array in gradients) == pytest.approx(of_gradients, rel=1e-4)


@pytest.mark.parametrize(
    "attentions, options, message",
    [  # as in TensorFlow 1.15.5
        (1, {"attention_layer_size": [3, 2]}, "attention_layer_size must .* exactly one .*: 2 for 1"),
        (2, {"attention_layer": tf.layers.Dense(3)}, "attention_layer must .* exactly one .*: 1 for 2"),
        (1, {"attention_layer_size": 3, "attention_layer": tf.layers.Dense(3)}, "Only one of attention_layer_size and"),
    ],
)
def test_layers_must_fit_the_mechanisms(session, attentions, options, message):
    with pytest.raises(ValueError, match=message):
        attending(*[LuongAttention] * attentions, **options)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_memory_without_steps_is_refused(session, is_known):
    """Else its alignments are NaN."""
    lengths = [6, 4, 0] if is_known else tf.placeholder_with_default([6, 4, 0], [None])
    with pytest.raises(tf.errors.InvalidArgumentError, match="All values in memory_sequence_length must be greater"):
        attention = BahdanauAttention(5, tf.constant(MEMORY), lengths)
        alignments, _ = attention(tf.zeros([3, 5]), tf.zeros([3, 6]))
        session.run(tf.global_variables_initializer())
        session.run(alignments)


def rows(count):
    return tf.placeholder_with_default(count, [])


def first_state(batch_size, **options):
    return attending(LuongAttention, **options).zero_state(batch_size, tf.float32).cell_state


def called(batch_size):
    state, attention, inputs = (tf.zeros([batch_size, size]) for size in (5, 8, 4))
    cell = attending(LuongAttention)
    return cell(inputs, cell.zero_state(3, tf.float32)._replace(cell_state=state, attention=attention))[0]


@pytest.mark.parametrize(
    "build, message",
    [  # as in TensorFlow 1.15.5, where the graph knows the number of rows and where it does not
        (lambda: first_state(6), "When calling zero_state of .* Non-matching batch sizes"),
        (lambda: first_state(rows(6)), "When calling zero_state of .* Non-matching batch sizes"),
        (
            lambda: first_state(3, initial_cell_state=tf.zeros([6, 5])),
            "When constructing .* Non-matching batch sizes .* initial_cell_state",
        ),
        (
            lambda: first_state(3, initial_cell_state=tf.zeros([rows(6), 5])),
            "When constructing .* Non-matching batch sizes .* initial_cell_state",
        ),
        (lambda: called(6), "When applying .* Non-matching batch sizes .* You may need to tile your memory"),
        (lambda: called(rows(6)), "When applying .* Non-matching batch sizes .* You may need to tile your memory"),
    ],
)
def test_a_memory_has_as_many_rows_as_the_decoder(session, build, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        values = build()
        session.run(tf.global_variables_initializer())
        session.run(values)


LOGITS = np.sin(np.arange(60)).reshape(3, 4, 5).astype(np.float32)
WEIGHTS = np.array([[1, 0.5, 0, 0], [2, 0, 0, 0], [1, 1, 0.25, 0]], np.float32)


def loss_of(*arguments, **options):
    targets = tf.constant(np.arange(12).reshape(3, 4) % 5)
    return seq2seq.sequence_loss(tf.constant(LOGITS), targets, tf.constant(WEIGHTS), *arguments, **options)


STEPS, ROWS = [2.500125, 2.66675, 2.272431, 0], [2.090696, 2.7964, 2.595505]


@pytest.mark.parametrize(
    "arguments, expected",
    [  # TensorFlow 1.15.5; across time steps and the batch: averaged, averaged, summed, summed
        ((True, True), 2.533693),
        ((True, False), ROWS),
        ((False, True), STEPS),
        ((False, False, True, True), 2.428122),
        ((False, False, True, False), [1.568022, 5.592801, 1.946629]),
        ((False, False, False, True), [3.3335, 2.000063, 0.568108, 0]),
        ((True, False, False, True), ROWS),  # the sum is left out where something is averaged
        ((False, True, True, False), STEPS),
        ((False, False, True, True, lambda labels, logits: tf.reduce_sum(logits, 1)), 0.140185),
    ],
)
def test_sums_and_averages_of_a_loss(session, arguments, expected):
    np.testing.assert_allclose(session.run(loss_of(*arguments)), expected, rtol=1e-5)


def test_the_order_of_tensorflow_1_0(session):
    """The sixth and seventh arguments were the function and the name."""
    own = lambda labels, logits: tf.reduce_sum(logits, 1)
    old, new = loss_of(True, True, own, "cost"), loss_of(True, True, softmax_loss_function=own)
    plain = loss_of(True, True, None, "plain")
    assert (old.op.name.split("/")[0], plain.op.name.split("/")[0]) == ("cost", "plain")
    old, new, plain = session.run([old, new, plain])
    assert old == new != plain and plain == pytest.approx(2.533693, rel=1e-5)


@pytest.mark.parametrize(
    "build, message",
    [  # as in TensorFlow 1.15.5
        (lambda: loss_of(True, False, True), "average_across_timesteps and sum_over_timesteps cannot"),
        (lambda: loss_of(False, True, False, True), "average_across_batch and sum_over_batch cannot"),
        (lambda: seq2seq.sequence_loss(tf.zeros([4, 5]), tf.zeros([3, 4], tf.int32), WEIGHTS), "Logits must be a"),
        (lambda: seq2seq.sequence_loss(LOGITS, tf.zeros([4], tf.int32), WEIGHTS), "Targets must be a"),
        (lambda: seq2seq.sequence_loss(LOGITS, tf.zeros([3, 4], tf.int32), WEIGHTS[0]), "Weights must be a"),
        (lambda: seq2seq.TrainingHelper(X, [LENGTHS]), "Expected sequence_length to be a vector"),
        (lambda: seq2seq.TrainingHelper(X, 5), "Expected sequence_length to be a vector"),
        (lambda: seq2seq.GreedyEmbeddingHelper(tf.zeros([7, 4]), 0, 1), "start_tokens must be a vector"),
        (lambda: seq2seq.SampleEmbeddingHelper(tf.zeros([7, 4]), [[0]], 1), "start_tokens must be a vector"),
        (lambda: seq2seq.GreedyEmbeddingHelper(tf.zeros([7, 4]), [0], [1]), "end_token must be a scalar"),
    ],
)
def test_what_does_not_fit(session, build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_what_a_helper_shows_and_leaves_out(session):
    """A script that steps a decoder itself may call it with what it needs."""
    inputs, state = tf.constant(X), tf.zeros([3, 2])
    helper = seq2seq.TrainingHelper(inputs, LENGTHS)
    assert helper.inputs is inputs and helper.sequence_length.shape == [3]
    step = helper.next_inputs(0, inputs[:, 0], state)
    samples = helper.sample(0, inputs[:, 0]), helper.sample(time=1, outputs=inputs[:, 1], state=None, name="n")
    samples, lengths, (is_over, read, _) = session.run([samples, helper.sequence_length, step])
    assert [array.tolist() for array in samples] == [X[:, step].argmax(1).tolist() for step in (0, 1)]
    assert lengths.tolist() == LENGTHS and is_over.tolist() == [False, False, True]
    np.testing.assert_array_equal(read, X[:, 1])


def test_the_size_of_what_a_decoder_puts_out(session):
    helper = training()
    plain, with_layer = seq2seq.BasicDecoder(lstm(), helper, None), decoder_of(lstm(), helper)
    assert plain.output_size == seq2seq.BasicDecoderOutput(5, tf.TensorShape([]))
    assert with_layer.output_size == seq2seq.BasicDecoderOutput(tf.TensorShape([7]), tf.TensorShape([]))
