"""Scoring sentences one independent of the other: side by side, as --each_alone does, and each by itself.

    python -m benchmarks.scoring

scores random sentences, as many words long as the Penn Treebank's are, with the small model and weights as they are
drawn, and prints the words a second of both ways, which take turns, and the median ratio.
"""

import copy
import functools
import time

import numpy as np

import configs
from ptb_word_lm import PTBInput, PTBModel
from tf1 import app, scoring, tf
from tf1.modes import choose_modes
from tf1.training import with_rewrites

MEAN_WORDS = 21  # of a sentence of the Penn Treebank


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.scoring", __doc__)
    parser.add_argument("--sentences", type=app.positive_int, default=2000, help="(default: %(default)s)")
    parser.add_argument("--alone", type=app.positive_int, default=50, help="of them, each by itself (%(default)s)")
    parser.add_common("--rnn_mode", "--precision")
    return parser.parse_args(argv)


def draw_sentences(count, vocab_size):
    """Ids of `count` sentences, each of which ends with the id 0."""
    random = np.random.RandomState(1)
    lengths = random.poisson(MEAN_WORDS, count)
    return np.concatenate([np.append(random.randint(1, vocab_size, length), 0) for length in lengths]), lengths


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = configs.SmallConfig()
    config.batch_size, config.num_steps = scoring.ROWS, scoring.STEPS
    modes, session_config = choose_modes(args, config.batch_size, config.hidden_size, gates=4)
    single = copy.copy(config)
    single.batch_size = single.num_steps = 1
    ids, lengths = draw_sentences(args.sentences, config.vocab_size)
    few = ids[: int(np.sum(lengths[: args.alone] + 1))]
    with tf.Graph().as_default(), tf.Session(config=with_rewrites(session_config)) as session:
        tf.set_random_seed(42)
        with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.1, 0.1)):
            together = PTBModel(False, config, PTBInput(config), **modes)
        with tf.variable_scope("Model", reuse=True):
            alone = PTBModel(False, single, PTBInput(single))
        session.run(tf.global_variables_initializer())

        def words_a_second(model, ids):
            begin = time.perf_counter()
            zero_state = model.network.zero_state(model.input.batch_size)
            read = functools.partial(model.read, session)
            scores = scoring.of_each_alone(read, ids, np.zeros(len(ids), bool), 0, zero_state, model.input.num_steps)
            return scores.losses, len(ids) / (time.perf_counter() - begin)

        rates = []
        for _ in range(4):
            (losses, fast), (expected, slow) = words_a_second(together, ids), words_a_second(alone, few)
            rates.append((fast, slow))
    rates = np.array(rates[1:])  # the first run also optimizes the graph
    fast, slow = np.median(rates, axis=0)
    ratio = float(np.median(rates[:, 0] / rates[:, 1]))
    difference = float(np.max(np.abs(losses[: len(few)] - expected)))
    print(
        f"words a second: side by side {fast:,.0f}, each sentence by itself {slow:,.0f}, ratio {ratio:.1f}; "
        f"the losses differ by at most {difference:.1e}"
    )
    return {"words_per_second": float(fast), "ratio": ratio, "difference": difference}


if __name__ == "__main__":
    main()
