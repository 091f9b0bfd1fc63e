"""Binary echo: the training loop in the graph against a `session.run` for each step, and the generator.

    python -m benchmarks.echo_training

alternates the two five times for each model at the small config's sizes, and prints steps a second, the median ratio,
and the largest difference of the losses; then the time of a million values of X and Y.
"""

import itertools
import time

import numpy as np

import binary_echo
import configs
from tf1 import app, tf
from tf1.training import Position


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.echo_training", __doc__)
    parser.add_argument("--steps", type=app.positive_int, default=3333, help="of a run, 10 to 3333 (%(default)s)")
    return parser.parse_args(argv)


@app.command
def main(argv=None):
    args = parse_args(argv)
    config, results = configs.EchoSmallConfig(), {}
    input_ = binary_echo.EchoInput(config, seed=42)
    batches = list(itertools.islice(input_.batches(Position()), min(args.steps, binary_echo.STEPS_A_RUN)))
    few = len(batches) // 10  # steps of one session.run each
    for name in "manual", "static", "dynamic":
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(42)
            model = binary_echo.EchoModel(config, input_, name, "auto")
            state = model.start["state"]
            session.run(tf.global_variables_initializer())
            tvars, ratios = tf.trainable_variables(), []
            back_to_start = [tf.assign(variable, value) for variable, value in zip(tvars, session.run(tvars))]
            for number in range(6):
                session.run(back_to_start)
                begin = time.perf_counter()
                losses, _ = binary_echo.run_steps(session, model, batches, state, model.train_loop)
                middle = time.perf_counter()
                session.run(back_to_start)
                start = time.perf_counter()
                expected, _ = binary_echo.run_steps(session, model, batches[:few], state, model.train_step)
                rates = len(batches) / (middle - begin), few / (time.perf_counter() - start)
                if number:  # the first run compiles
                    ratios.append(rates[0] / rates[1])
        results[name] = float(np.median(ratios))
        print(
            f"{name}: in the graph {rates[0]:,.0f} steps a second, step by step {rates[1]:,.0f}, "
            f"ratio {results[name]:.1f}; the losses differ by {np.max(np.abs(np.subtract(losses[:few], expected))):.0e}"
        )
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        binary_echo.gen_data()
        times.append(time.perf_counter() - begin)
    print(f"gen_data: 1,000,000 values in {np.median(times):.3f} s")
    return results


if __name__ == "__main__":
    main()
