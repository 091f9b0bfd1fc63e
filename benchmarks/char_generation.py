"""Generating a text: the loop in the graph against the tutorial's, a `session.run` for each character.

    python -m benchmarks.char_generation

alternates the two five times at the small config's sizes, with weights as they are drawn, and prints the characters a
second and the median ratio; the texts are the same, or it says where they part.
"""

import time

import numpy as np

import char_gru
import configs
from tf1 import app, tf


def parse_args(argv=None):
    parser = app.ArgumentParser("char_generation.py", __doc__)
    parser.add_argument("--characters", type=int, default=500, help="that are generated (default: %(default)s)")
    return parser.parse_args(argv)


@app.command
def main(argv=None):
    args = parse_args(argv)
    config, vocab_size = configs.CharGRUSmallConfig(), 65
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        with tf.variable_scope("Model"):
            model = char_gru.CharGRU(False, config, vocab_size)
            model.build_generation(temperature=1.0, top_k=None)
        session.run(tf.global_variables_initializer())

        def write(generate):
            begin = time.perf_counter()
            ids = np.hstack(list(generate(session, model, config, [0], args.characters, seed=1)))
            return ids, args.characters / (time.perf_counter() - begin)

        rates = []
        for _ in range(6):
            ids, in_graph = write(char_gru.generate)
            expected, step_by_step = write(char_gru.generate_step_by_step)
            rates.append((in_graph, step_by_step))
    rates = np.array(rates[1:])  # the first run also optimizes the graph
    in_graph, step_by_step = np.median(rates, axis=0)
    ratio = float(np.median(rates[:, 0] / rates[:, 1]))
    same = np.array_equal(ids, expected)
    where = "the texts are the same" if same else f"the texts part at character {np.argmax(ids != expected)}"
    print(f"in the graph {in_graph:,.0f} characters/s, step by step {step_by_step:,.0f}, ratio {ratio:.1f}; {where}")
    return {"ratio": ratio, "same": same}


if __name__ == "__main__":
    main()
