"""Beam search, against TensorFlow 1.15 (recorded), against a greedy decoder, and against all sequences one by one."""

import itertools

import numpy as np
import pytest

from conftest import set_variables
from tf1 import beam_search, seq2seq, tf
from tf1.attention import AttentionWrapper, BahdanauAttention

LENGTHS = [5, 3, 1]
X = np.sin(np.arange(60)).reshape(3, 5, 4).astype(np.float32)
VOCAB_SIZE, END = 7, 6
CELLS = tf.nn.rnn_cell


def rows():
    """The number of rows, as a tensor that the graph does not know; so does TensorFlow 1.15 sort the history, too."""
    return tf.placeholder_with_default(3, [])


def with_attention(width):
    memory = seq2seq.tile_batch(tf.placeholder_with_default(X, [None, None, 4]), width)
    attention = BahdanauAttention(6, memory, seq2seq.tile_batch(tf.constant(LENGTHS), width))
    return AttentionWrapper(CELLS.GRUCell(5), attention, attention_layer_size=3, alignment_history=True)


def decoder_of(cell, width, end=END, **options):
    """Starts the three rows with the ids 0, 1 and 2."""
    embedding, layer = tf.get_variable("emb", [VOCAB_SIZE, 4]), tf.layers.Dense(VOCAB_SIZE, name="proj")
    start, state = tf.range(rows()), cell.zero_state(rows() * width, tf.float32)
    return beam_search.BeamSearchDecoder(cell, embedding, start, end, state, width, layer, **options)


def plain(width=3, **options):
    return decoder_of(CELLS.BasicLSTMCell(5), width, **options)


def attending(width=3, **options):
    return decoder_of(with_attention(width), width, **options)


@pytest.mark.parametrize(
    "build, expected",
    [  # TensorFlow 1.15.5: sums of the scores, without signs, of ids, of steps' ids, of lengths and log_probs
        (plain, [221.166, 156, 147, 45, 73.7013]),
        (lambda: plain(end=4), [69.5008, 72, 75, 18, 29.5534]),
        (lambda: plain(end=4, length_penalty_weight=1.3), [149.155, 6, 30, 45, 76.6592]),
        (lambda: attending(end=4, length_penalty_weight=0.6), [170.546, 84, 74, 37, 66.3296]),
        (
            lambda: attending(end=4, length_penalty_weight=0.6, coverage_penalty_weight=0.7),
            [196.723, 48, 44, 45, 80.6615],
        ),
    ],
)
def test_beams_are_those_of_tensorflow_1_15(session, build, expected):
    outputs, state, _ = seq2seq.dynamic_decode(build(), maximum_iterations=5)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    of_steps = outputs.beam_search_decoder_output
    arrays = of_steps.scores, outputs.predicted_ids, of_steps.predicted_ids, state.lengths, state.log_probs
    found = [np.abs(array).sum() for array in session.run(arrays)]
    assert [float(number) for number in found] == pytest.approx(expected, rel=1e-4)


def test_one_beam_is_the_greedy_decoder(session):
    beams, _, _ = seq2seq.dynamic_decode(plain(1, end=4), maximum_iterations=8)
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        cell, helper = CELLS.BasicLSTMCell(5), seq2seq.GreedyEmbeddingHelper(tf.get_variable("emb"), tf.range(3), 4)
        layer = tf.layers.Dense(VOCAB_SIZE, name="proj")
        decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(3, tf.float32), layer)
        greedy, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=8, scope="decoder")
    session.run(tf.global_variables_initializer())
    set_variables(session, 2.4)
    ids, expected, lengths = session.run([beams.predicted_ids, greedy.sample_id, lengths])
    assert ids.shape[1:] == (expected.shape[1], 1) and len(set(lengths)) > 1
    for row, other, length in zip(ids[:, :, 0], expected, lengths):
        assert row[:length].tolist() == other[:length].tolist() and set(row[length:]) <= {4}


class Table(CELLS.RNNCell):
    """Logits by the last id alone; the inputs are ids."""

    LOGITS = np.random.RandomState(3).normal(size=[4, 4]).astype(np.float32)
    state_size, output_size = 1, 4

    def call(self, inputs, state):
        return tf.gather(self.LOGITS, tf.cast(inputs[:, 0], tf.int32)), state + inputs


def test_beams_that_are_wide_enough_find_the_best_sequences(session):
    steps, end, first = 3, 0, 2
    cell = Table()
    decoder = beam_search.BeamSearchDecoder(
        cell, lambda ids: tf.cast(ids[..., None], tf.float32), [first], end, cell.zero_state(40, tf.float32), 40
    )
    outputs, state, _ = seq2seq.dynamic_decode(decoder, output_time_major=True, maximum_iterations=steps)
    ids, log_probs, lengths, sums = session.run(
        [outputs.predicted_ids, state.log_probs, state.lengths, state.cell_state]
    )
    table = Table.LOGITS - np.log(np.exp(Table.LOGITS).sum(axis=1, keepdims=True))
    scores = {}
    for sequence in itertools.product(range(4), repeat=steps):
        length = sequence.index(end) + 1 if end in sequence else steps
        pairs = list(zip((first, *sequence), sequence))[:length]
        scores[sequence[:length] + (end,) * (steps - length)] = sum(table[pair] for pair in pairs), length
    found = [tuple(ids[:, 0, beam]) for beam in range(len(scores))]
    assert set(found) == set(scores)
    np.testing.assert_allclose(log_probs[0, : len(found)], [scores[sequence][0] for sequence in found], rtol=1e-5)
    assert np.all(np.diff(log_probs[0, : len(found)]) <= 0)
    assert lengths[0, : len(found)].tolist() == [scores[sequence][1] for sequence in found]
    # The states went with their beams: of a sequence that has not ended, the ids that were read are added up.
    for beam, sequence in enumerate(found):
        if end not in sequence:
            assert sums[0, beam, 0] == first + sum(sequence[:-1])


def test_the_history_goes_with_the_beams(session):
    outputs, state, _ = seq2seq.dynamic_decode(attending(4, end=1), maximum_iterations=8)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    history = session.run(state.cell_state.alignment_history)
    assert history.shape == (8, 12, 5)
    np.testing.assert_allclose(history.sum(axis=2), 1, rtol=1e-6)
    np.testing.assert_allclose(history[:, 8:, 0], 1, rtol=1e-6)  # a row with one step to attend to
    by_place = np.sum(history.ravel() * np.sin(np.arange(history.size)))
    assert by_place == pytest.approx(-0.23815, abs=1e-4)  # of TensorFlow 1.15.5


def test_gather_tree(session):
    """Of TensorFlow's own documentation, and rows that end before the last step."""
    ids = np.transpose([[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [4, 5, 9], [7, 8, 9]]], (1, 0, 2))
    parents = np.transpose([[[0, 0, 0], [0, 1, 1], [2, 1, 2]]] * 2, (1, 0, 2))
    found = session.run(beam_search.gather_tree(np.int32(ids), np.int32(parents), [3, 2], 9))
    assert found[:, 0].tolist() == [[2, 2, 2], [6, 5, 6], [7, 8, 9]]
    assert found[:, 1].tolist() == [[1, 2, 2], [4, 5, 9], [9, 9, 9]]


def test_what_does_not_fit():
    with tf.Graph().as_default():
        cell = CELLS.GRUCell(5)
        for start, end, weight, message in (
            ([0, 1, 2], END, 0.5, "needs a cell with attention"),
            (0, END, 0.0, "start_tokens must be a vector"),
            ([0, 1, 2], [END], 0.0, "end_token must be a scalar"),
        ):
            with pytest.raises(ValueError, match=message):
                arguments = cell, tf.zeros([VOCAB_SIZE, 4]), start, end, cell.zero_state(6, tf.float32), 2
                beam_search.BeamSearchDecoder(*arguments, coverage_penalty_weight=weight).initialize()
