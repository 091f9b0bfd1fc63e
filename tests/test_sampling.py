"""The loop that writes a text: against the same text step by step, and against the distribution that is predicted."""

import numpy as np
import pytest

from benchmarks.generation import choose, generate_step_by_step
from conftest import slow
from tf1 import rnn, sampling, tf
from tf1.language import LanguageModel

CHOICES = [{}, {"temperature": 0.0}, {"temperature": 0.5, "top_k": 3}, {"temperature": 2.0, "excluded": [1, 5]}]


def build(kind, num_layers, vocab_size, units=7, embedding_size=7):
    """A `LanguageModel` whose weights are random and large enough to matter."""
    with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.8, 0.8, seed=3)):
        embedding = tf.get_variable("embedding", [vocab_size, embedding_size])
        if kind == "lstm":
            cells = [tf.nn.rnn_cell.BasicLSTMCell(units, forget_bias=0.5) for _ in range(num_layers)]
            cell = tf.nn.rnn_cell.MultiRNNCell(cells)
            cell(tf.zeros([1, embedding_size]), cell.zero_state(1, tf.float32))
        else:
            sizes, cells = [embedding_size, *[units] * num_layers], []
            for layer, size in enumerate(sizes[:-1]):
                shapes = {f"kernel_{layer}": [size, 3 * units], f"recurrent_kernel_{layer}": [units, 3 * units]}
                shapes[f"bias_{layer}"] = [2, 3 * units]
                cells.append(rnn.GRUCell(*(tf.get_variable(name, shape) for name, shape in shapes.items())))
        softmax_w, softmax_b = tf.get_variable("w", [units, vocab_size]), tf.get_variable("b", [vocab_size])
        return LanguageModel(embedding, cells, softmax_w, softmax_b)


NETWORKS = [("lstm", 2, 101), ("gru", 2, 9), ("lstm", 1, 2), ("gru", 1, 1000)]
OFTEN = {("lstm", 0), ("gru", 1), ("lstm", 2), ("gru", 3)}  # of the two layers: each choice with one of the networks


@pytest.mark.parametrize(
    "kind, num_layers, vocab_size, choice",
    [
        (*network, choice) if network[1] == 2 and (network[0], place) in OFTEN else slow(*network, choice)
        for network in NETWORKS
        for place, choice in enumerate(CHOICES)
    ],
    ids=str,
)
def test_a_text_does_not_depend_on_how_it_is_generated(monkeypatch, kind, num_layers, vocab_size, choice):
    if vocab_size == 2:
        choice = {name: value for name, value in choice.items() if name != "excluded"}
    start, texts = [1, 0, 1, 1, 0], []
    for items_a_run in 100, 3:
        monkeypatch.setattr(sampling, "ITEMS_A_RUN", items_a_run)
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            network = build(kind, num_layers, vocab_size)
            sampler = sampling.Sampler(network, **choice, is_compiled=items_a_run == 100)
            ids, state = tf.placeholder(tf.int32, [1]), tf.placeholder(tf.float32, network.state_shape(1))
            step = ids, state, *network.step(ids, state)
            session.run(tf.global_variables_initializer())
            for seed in 5, 6:
                texts.append(np.concatenate(list(sampler.ids(session, start, 150, seed))).tolist())
                if items_a_run == 100:
                    assert texts[-1] == generate_step_by_step(session, network, step, start, 150, seed, **choice)
    assert texts[:2] == texts[2:] and len(texts[0]) == 150
    assert (texts[0] == texts[1]) == (choice.get("temperature") == 0)
    assert not set(choice.get("excluded", ())) & set(texts[0])


def test_whole_sequences_and_steps_are_one_network():
    for kind in "lstm", "gru":
        with tf.Graph().as_default(), tf.Session() as session:
            network = build(kind, 2, 11)
            ids, state = np.array([[3, 1, 4], [1, 5, 9]]), network.zero_state(2) + 0.1
            logits, final_state = network.sequence(tf.constant(ids, tf.int32), tf.constant(state))
            for place in range(3):
                step_logits, state = network.step(tf.constant(ids[:, place], tf.int32), tf.convert_to_tensor(state))
            session.run(tf.global_variables_initializer())
            found = session.run([logits[:, -1], final_state, step_logits, state])
        np.testing.assert_allclose(found[0], found[2], atol=1e-6)
        np.testing.assert_allclose(found[1], found[3], atol=1e-6)


@pytest.mark.parametrize("temperature, top_k", [(1.0, None), (0.5, None), (3.0, None), (1.0, 4), (0.7, 1)])
@pytest.mark.parametrize("vocab_size", [9, slow(50)])
def test_ids_are_drawn_from_the_distribution_that_is_predicted(vocab_size, temperature, top_k):
    random, count = np.random.RandomState(1), 4000
    logits, uniform = random.normal(0, 2, vocab_size).astype(np.float32), random.random_sample(count)
    with tf.Graph().as_default(), tf.Session() as session:
        number = tf.placeholder(tf.float32, [None])
        excluded = [int(np.argmax(logits))]
        options = {"temperature": temperature, "top_k": top_k, "excluded": excluded}
        chosen = tf.map_fn(lambda u: sampling.choose(tf.constant(logits), u, **options), number, tf.int32)
        drawn = session.run(chosen, {number: uniform})
    # The same number leads to the same id, but where two ids' ranges meet.
    expected = [choose(logits, u, temperature, top_k, excluded) for u in uniform]
    assert np.mean(drawn != expected) < 2e-3
    probabilities = np.exp(logits.astype(float) / temperature)
    probabilities[excluded] = 0
    probabilities[np.argsort(probabilities)[: -top_k if top_k else 0]] = 0
    probabilities /= probabilities.sum()
    counts = np.bincount(drawn, minlength=vocab_size)
    assert np.all(counts[probabilities == 0] == 0)
    likely = count * probabilities > 5
    expected = count * probabilities[likely]
    # Chi-square with at most 49 degrees of freedom: above 95 with probability 1e-4, and the draws are always the same.
    assert np.sum((counts[likely] - expected) ** 2 / expected) < (30 if vocab_size == 9 else 95)


@pytest.mark.parametrize("logits", [[0, 1e4, -1e4], [-np.inf, 0, -np.inf], [0] * 10, [-3e38, 3e38, 0], [5] * 7 + [-60]])
def test_an_id_of_no_probability_is_never_drawn(logits):
    """Nor one that lies beyond the vocabulary, whatever the number: 1 is what float32 makes of the largest below it."""
    numbers = [0.0, 1e-8, 0.1, 0.5, 1 / 3, 0.99999994, 1.0]
    with tf.Graph().as_default(), tf.Session() as session:
        drawn = session.run([sampling.choose(tf.constant(logits, tf.float32), tf.constant(u)) for u in numbers])
    assert all(logits[index] >= np.max(logits) - 50 for index in drawn)


@pytest.mark.parametrize("k", [1, 2, 5, 8])
def test_the_largest_are_those_of_top_k(k):
    values = np.array([-1.5, 3.0, -1e-30, 0.0, 2.5, -np.inf, 1e-30, -7.0, 3.0], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        found, top = session.run([sampling._is_among_largest(tf.constant(values), k), tf.nn.top_k(values, k)])
    assert np.array_equal(found, values >= top.values[-1])
