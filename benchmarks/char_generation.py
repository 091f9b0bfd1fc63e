"""Generating a text: the loop in the graph against the tutorial's, a `session.run` for each character.

    python -m benchmarks.char_generation

alternates the two five times at the small config's sizes, with weights as they are drawn, and prints the characters a
second and the median ratio; the texts are the same, or it says where they part.
"""

import functools
import time

import numpy as np

import char_gru
import configs
from tf1 import app, tf


def parse_args(argv=None):
    parser = app.ArgumentParser("char_generation.py", __doc__)
    parser.add_argument("--characters", type=int, default=500, help="that are generated (default: %(default)s)")
    return parser.parse_args(argv)


def build_next_id(model, temperature, top_k):
    """The tensor [] of the id that is drawn after the characters that are fed to the model."""
    drawing = functools.partial(char_gru.draw, temperature=temperature, top_k=top_k)
    # Compiled as well: XLA's random numbers are others than TensorFlow's.
    compiled = tf.function(drawing, jit_compile=True, autograph=False)
    return compiled(model.logits[-1:], model.seed, model.position)


def generate_step_by_step(session, model, next_id, config, start, count, seed):
    """The tutorial's loop: the ids that `char_gru.generate` yields, a list, with one `session.run` a character."""
    state, read, ids = char_gru.zero_state(config, 1), list(start), []
    for position in range(count):
        feed_dict = {model.initial_state: state, model.input_data: np.array(read)[:, None]}
        feed_dict.update({model.position: position, model.seed: seed})
        predict_id, state = session.run([next_id, model.final_state], feed_dict)
        ids.append(predict_id)
        read = [predict_id]
    return ids


@app.command
def main(argv=None):
    args = parse_args(argv)
    config, vocab_size = configs.CharGRUSmallConfig(), 65
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        with tf.variable_scope("Model"):
            model = char_gru.CharGRU(False, config, vocab_size)
            model.build_generation(temperature=1.0, top_k=None)
            next_id = build_next_id(model, temperature=1.0, top_k=None)
        session.run(tf.global_variables_initializer())

        def write(generate, *tensors):
            begin = time.perf_counter()
            ids = np.hstack(list(generate(session, model, *tensors, config, [0], args.characters, seed=1)))
            return ids, args.characters / (time.perf_counter() - begin)

        rates = []
        for _ in range(6):
            ids, in_graph = write(char_gru.generate)
            expected, step_by_step = write(generate_step_by_step, next_id)
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
