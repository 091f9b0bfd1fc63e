"""Attention of `tf.contrib.seq2seq` that never looks back, or that is a script's own, against TensorFlow 1.15."""

import numpy as np
import pytest

from conftest import set_variables
from tf1 import tf

SEQ2SEQ = tf.contrib.seq2seq
LENGTHS = [5, 3, 1]
X = np.sin(np.arange(60)).reshape(3, 5, 4).astype(np.float32)
MEMORY = np.cos(np.arange(3 * 6 * 8)).reshape(3, 6, 8).astype(np.float32)
OF_MEMORY = [6, 4, 2]


class Location(SEQ2SEQ.BahdanauAttention):
    """The score also depends on where the steps before looked, as in speech synthesis (Tacotron 2)."""

    def __call__(self, query, state):
        with tf.variable_scope(None, "location", [query]):
            where = tf.layers.dense(state[:, :, None], self._num_units, use_bias=False)
            v = tf.get_variable("attention_variable", [self._num_units])
            sums = self.keys + self.query_layer(query)[:, None] + where
        alignments = self._probability_fn(tf.reduce_sum(v * tf.tanh(sums), 2), state)
        return alignments, alignments + state


class Fading(SEQ2SEQ.AttentionMechanism):
    """No scores: it looks evenly, and less and less."""

    def __init__(self, memory):
        self.values, self.keys, self.batch_size = memory, memory, tf.shape(memory)[0]

    alignments_size, state_size, dtype = 6, 6, tf.float32

    def initial_alignments(self, batch_size, dtype):
        return tf.zeros([batch_size, 6], dtype)

    def initial_state(self, batch_size, dtype):
        return tf.ones([batch_size, 6], dtype)

    def __call__(self, query, state):
        return state / 6, state / 2


class Own(SEQ2SEQ._BaseAttentionMechanism):
    """Luong's score, written out as scripts did it."""

    def __init__(self, num_units, memory, memory_sequence_length):
        layer = tf.layers.Dense(num_units, use_bias=False, name="memory_layer")
        super().__init__(None, memory, lambda scores, previous: tf.nn.softmax(scores), memory_sequence_length, layer)

    def __call__(self, query, state):
        alignments = self._probability_fn(tf.reduce_sum(self._keys * query[:, None], 2), state)
        return alignments, alignments


def attention(name, *args, **kwargs):
    return getattr(SEQ2SEQ, name)(5, tf.constant(MEMORY), OF_MEMORY, *args, **kwargs)


def decode(mechanism):
    cell = SEQ2SEQ.AttentionWrapper(tf.contrib.rnn.GRUCell(5), mechanism, attention_layer_size=3)
    helper = SEQ2SEQ.TrainingHelper(tf.constant(X), LENGTHS)
    decoder = SEQ2SEQ.BasicDecoder(cell, helper, cell.zero_state(3, tf.float32))
    outputs, state, _ = SEQ2SEQ.dynamic_decode(decoder)
    return outputs.rnn_output, state.alignments, state.attention_state


BUILDS = {
    "parallel": lambda: attention("BahdanauMonotonicAttention", True, score_bias_init=-0.3),
    "recursive": lambda: attention("BahdanauMonotonicAttention", mode="recursive"),
    "luong": lambda: attention("LuongMonotonicAttention", True),
    "hard": lambda: attention("LuongMonotonicAttention", mode="hard", score_mask_value=-1.0),
    "hardmax": lambda: attention("LuongAttention", probability_fn=SEQ2SEQ.hardmax),
    "location": lambda: Location(5, tf.placeholder_with_default(MEMORY, [None, None, 8]), OF_MEMORY),
    "fading": lambda: Fading(tf.constant(MEMORY)),
}


MONOTONIC = "attention_v attention_g attention_b attention_score_bias"


@pytest.mark.parametrize(
    "name, alignments, size, of_state, of_gradients, variables",
    [  # TensorFlow 1.15.5: the last alignments of the first row; sums of absolute outputs, states and gradients
        ("parallel", [0.0927059, 0.231747, 0.202118], 17.8835, 1.91263, 199.494, f"query_layer/kernel {MONOTONIC}"),
        (
            "recursive",
            [0.0446809, 0.193901, 0.160335],
            16.1727,
            1.5885,
            208.009,
            "query_layer/kernel attention_v attention_score_bias",
        ),
        ("luong", [0.0702159, 0.167605, 0.184537], 15.6223, 1.67825, 133.719, "attention_g attention_score_bias"),
        ("hard", [1.0, 0.0, 0.0], 41.5085, 3, 623.619, "attention_score_bias"),
        ("hardmax", [0.0, 0.0, 1.0], 43.7377, 3, 564.491, ""),
        (
            "location",
            [0.134875, 0.22355, 0.151472],
            22.0638,
            15,
            431.85,
            "dense/kernel attention_variable query_layer/kernel",
        ),
        ("fading", [0.0104167, 0.0104167, 0.0104167], 8.5979, 0.5625, 44.5163, ""),
    ],
)
def test_attention_is_that_of_tensorflow_1_15(session, name, alignments, size, of_state, of_gradients, variables):
    outputs, *states = decode(BUILDS[name]())
    trained = tf.trainable_variables()
    own = [
        variable.op.name for variable in trained if "attention/" in variable.op.name or "location/" in variable.op.name
    ]
    assert [path.split("/", 3)[3] for path in own] == variables.split()
    gradients = [gradient for gradient in tf.gradients(tf.nn.l2_loss(outputs) * 2, trained) if gradient is not None]
    session.run(tf.global_variables_initializer())
    set_variables(session)
    outputs, (found, state), gradients = session.run([outputs, states, gradients])
    np.testing.assert_allclose(found[0, :3], alignments, atol=1e-6)
    assert np.abs(outputs).sum() == pytest.approx(size, rel=1e-5)
    assert np.abs(state).sum() == pytest.approx(of_state, rel=1e-5)
    assert sum(np.abs(array).sum() for array in gradients) == pytest.approx(of_gradients, rel=1e-4)


def test_monotonic_attention_in_small(session):
    """A step that stops with probability 1/2 at each place, after one that stopped at the first or at the second."""
    arguments = [[0.5, 0.5, 0.5]], [[0.5, 0.5, 0.0]]
    for mode in "recursive", "parallel":
        # From the first place 1/2, 1/4, 1/8, and from the second 0, 1/2, 1/4.
        found = session.run(SEQ2SEQ.monotonic_attention(*arguments, mode))
        np.testing.assert_allclose(found, [[0.25, 0.375, 0.1875]], rtol=1e-6)
    hard = SEQ2SEQ.monotonic_attention([[1.0, 0.0, 1.0, 1.0]], [[0.0, 1.0, 0.0, 0.0]], "hard")
    assert session.run(hard).tolist() == [[0, 0, 1, 0]]
    with pytest.raises(ValueError, match="mode is 'soft'"):
        SEQ2SEQ.monotonic_attention(*arguments, "soft")


def test_a_mechanism_of_a_scripts_own(session):
    alignments = []
    for scope, mechanism in ("own", Own), ("ours", SEQ2SEQ.LuongAttention):
        with tf.variable_scope(scope):
            one = mechanism(5, tf.constant(MEMORY), OF_MEMORY)
            query = tf.constant(X[:, 0, :1] * np.ones(5, np.float32))
            alignments.append(one(query, one.initial_state(3, tf.float32))[0])
            assert (one.alignments_size, one.batch_size, one.memory_layer.units) == (6, 3, 5)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    own, ours = session.run(alignments)
    np.testing.assert_allclose(own, ours, rtol=1e-5)
    scores = session.run(SEQ2SEQ._maybe_mask_score(tf.ones([3, 6]), OF_MEMORY, -2.0))
    np.testing.assert_array_equal(scores, np.where(np.arange(6) < np.array(OF_MEMORY)[:, None], 1, -2))
    with pytest.raises(ValueError, match="to have fully defined inner dims"):
        Own(5, tf.placeholder(tf.float32, [3, 6, None]), OF_MEMORY)


def test_noise_is_seeded_and_blurs(session):
    noisy = [attention("LuongMonotonicAttention", sigmoid_noise=2.0, sigmoid_noise_seed=seed) for seed in (1, 1, 2)]
    previous = noisy[0].initial_alignments(3, tf.float32)
    first, again, other = session.run([mechanism._probability_fn(tf.zeros([3, 6]), previous) for mechanism in noisy])
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01 and not np.allclose(first[0], 0.5 ** np.arange(1, 7))
