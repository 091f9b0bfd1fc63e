"""Generating a text: the loop in the graph against what users of the tutorials write, a `session.run` for each item.

    python -m benchmarks.generation

alternates the two five times, for the small configs of both language models with weights as they are drawn, and prints
the words or characters a second and the median ratio; the texts are the same, or it says where they part.
"""

import time

import numpy as np

import char_gru
import configs
import ptb_word_lm
from tf1 import app, sampling, tf

VOCAB_SIZES = {"words": 10_000, "characters": 65}  # of the Penn Treebank, and of Shakespeare


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.generation", __doc__)
    parser.add_argument("--items", type=app.positive_int, default=500, help="to generate (default: %(default)s)")
    return parser.parse_args(argv)


def build(kind):
    """The small model for `kind`, with random weights, and the tensors that read an item: ids, state, logits, state."""
    with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.1, 0.1)):
        if kind == "words":
            config = configs.SmallConfig()
            config.num_steps = 1
            model = ptb_word_lm.PTBModel(False, config, ptb_word_lm.PTBInput(config))
        else:
            model = char_gru.CharGRU(False, configs.CharGRUSmallConfig(), VOCAB_SIZES[kind])
        ids, state = tf.placeholder(tf.int32, [1]), tf.placeholder(tf.float32, model.network.state_shape(1))
        return model.network, (ids, state, *model.network.step(ids, state))


def choose(logits, uniform, temperature=1.0, top_k=None, excluded=()):
    """What `sampling.choose` computes in the graph, in NumPy."""
    logits = logits.astype(np.float64)
    logits[list(excluded)] = -np.inf
    if temperature == 0:
        return int(np.argmax(logits))
    if top_k:
        logits[logits < np.sort(logits)[-min(top_k, len(logits))]] = -np.inf
    ends = np.cumsum(np.exp((logits - np.max(logits)) / temperature))
    return int(np.searchsorted(ends, uniform * ends[-1], side="right"))


def generate_step_by_step(session, network, tensors, start, count, seed, **choice):
    """The ids that a `Sampler` draws, a list, with one `session.run` for each of them and of the start's."""
    ids, state, logits, final_state = tensors
    state_value, random, generated, read = network.zero_state(1), np.random.RandomState(seed), [], list(start)
    for place in range(len(start) + count - 1):
        logits_value, state_value = session.run([logits, final_state], {ids: [read[place]], state: state_value})
        if place >= len(start) - 1:
            generated.append(choose(logits_value[0], random.random_sample(), **choice))
            read.append(generated[-1])
    return generated


def compare(kind, items):
    """Alternates the two ways; prints and returns the median of the ratios of their speeds, and whether texts agree."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        network, tensors = build(kind)
        sampler = sampling.Sampler(network)
        session.run(tf.global_variables_initializer())
        in_graph = lambda: np.concatenate(list(sampler.ids(session, [0], items, 1)))
        step_by_step = lambda: generate_step_by_step(session, network, tensors, [0], items, 1)

        def timed(generate):
            begin = time.perf_counter()
            return generate(), items / (time.perf_counter() - begin)

        rates = []
        for _ in range(6):
            (ids, fast), (expected, slow) = timed(in_graph), timed(step_by_step)
            rates.append((fast, slow))
    rates = np.array(rates[1:])  # the first run also compiles and optimizes the graph
    fast, slow = np.median(rates, axis=0)
    ratio, same = float(np.median(rates[:, 0] / rates[:, 1])), np.array_equal(ids, expected)
    where = "the texts are the same" if same else f"the texts part at number {np.argmax(ids != np.array(expected))}"
    print(f"{kind} a second: in the graph {fast:,.0f}, step by step {slow:,.0f}, ratio {ratio:.1f}; {where}")
    return {"ratio": ratio, "same": bool(same)}


@app.command
def main(argv=None):
    args = parse_args(argv)
    return {kind: compare(kind, args.items) for kind in VOCAB_SIZES}


if __name__ == "__main__":
    main()
