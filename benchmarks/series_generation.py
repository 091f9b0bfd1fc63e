"""Generating a series: the loop in the graph against the tutorial's, a `session.run` for each value.

    python -m benchmarks.series_generation

alternates the two five times for each model, with weights as they are drawn, and prints the largest difference of the
values, the milliseconds, and the median ratio of the times.
"""

import time

import numpy as np

import configs
import reader
import time_series
from tf1 import app, tf


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.series_generation", __doc__)
    parser.add_argument("--values", type=app.positive_int, default=300, help="to generate (default: %(default)s)")
    return parser.parse_args(argv)


def generate_step_by_step(session, model, sequence, count):
    """The tutorial's loop: `sequence` and `count` values more, a list, each from a `session.run` of its own."""
    sequence = list(sequence)
    for _ in range(count):
        X_batch = np.array(sequence[-model.n_steps :]).reshape(1, model.n_steps, 1)
        y_pred = session.run(model.outputs, feed_dict={model.X: X_batch})
        sequence.append(y_pred[0, -1, 0])
    return sequence


@app.command
def main(argv=None):
    args = parse_args(argv)
    results = {}
    for name, table in configs.TIME_SERIES_CONFIGS.items():
        config = table["small"]()
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(42)
            model = time_series.TimeSeriesModel(config, name)
            session.run(tf.global_variables_initializer())
            start = reader.time_series(np.arange(config.n_steps) * reader.RESOLUTION)
            time_series.generate(session, model, start, args.values)  # the first run of each also optimizes the graph
            generate_step_by_step(session, model, start, 1)
            ours, tutorials = [], []
            for _ in range(5):
                begin = time.perf_counter()
                values = time_series.generate(session, model, start, args.values)
                middle = time.perf_counter()
                expected = generate_step_by_step(session, model, start, args.values)
                ours.append(middle - begin)
                tutorials.append(time.perf_counter() - middle)
        difference = np.max(np.abs(values - expected))
        ratio = float(np.median(np.divide(tutorials, ours)))
        results[name] = ratio
        print(
            f"{name}: in the graph {np.median(ours) * 1e3:.1f} ms, value by value {np.median(tutorials) * 1e3:.1f} ms, "
            f"ratio {ratio:.1f}; the values differ by {difference:.0e}"
        )
    return results


if __name__ == "__main__":
    main()
