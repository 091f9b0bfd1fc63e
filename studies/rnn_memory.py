"""What does dynamic_rnn save? Graph and peak memory of it and of static_rnn, at 2, 20 and 200 time steps.

    python -m studies.rnn_memory        6 seconds

With 100 neurons and a batch of 50 sequences of 28 inputs; operations and GraphDef with the gradients (the peaks differ
by some tenths from run to run, with the order in which TensorFlow's threads come to the ops):

    rnn      n_steps  operations  GraphDef KB  peak MB, forward  peak MB, with gradients
    static         2          68          9.6               0.1                      0.2
    dynamic        2         217         29.2               0.1                      0.2
    static        20         356         59.1               0.2                      1.4
    dynamic       20         217         29.2               0.2                      1.1
    static       200       3,236        562.5               1.2                     11.4
    dynamic      200         217         29.2               2.3                     10.3

The graph: dynamic_rnn's is the same for any number of steps, static_rnn's grows with them. Of tensors (the graph comes
on top) both need about the same for gradients, which take every step's outputs.

Source: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14,
https://github.com/ageron/handson-ml, which says that static_rnn builds a cell for each time step, and may run out of
memory in back-propagation, and that dynamic_rnn can move what it needs there out of the GPU's memory.
"""

import itertools

import numpy as np

import configs
import studies
from tf1 import app, tf


def traced_peak(sess, fetches, feed_dict):
    """The most bytes that the tensors of a `sess.run` take at one moment, from TensorFlow's record of allocations.

    The median of five runs: in which order its threads come to the ops differs from run to run.
    """
    sess.run(fetches, feed_dict)  # the first run also optimizes the graph
    options, peaks = tf.RunOptions(trace_level=tf.RunOptions.SOFTWARE_TRACE), []
    for _ in range(5):
        run_metadata = tf.RunMetadata()
        sess.run(fetches, feed_dict, options=options, run_metadata=run_metadata)
        changes = [
            (record.alloc_micros, record.alloc_bytes)  # negative where memory is given back
            for device in run_metadata.step_stats.dev_stats
            for node in device.node_stats
            for memory_used in node.memory
            for record in memory_used.allocation_records
        ]
        changes.sort(key=lambda change: (change[0], -change[1]))  # in the same microsecond: first taken, then given
        peaks.append(max(itertools.accumulate(number for _, number in changes)))
    return sorted(peaks)[2]


def measure(rnn, n_steps, config):
    """A row of the table, a dict: `rnn`, `n_steps`, `operations`, `graph_bytes`, `forward_bytes`, `training_bytes`."""
    X = tf.placeholder(tf.float32, [None, n_steps, config.n_inputs])
    basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons)
    if rnn == "static":
        _, states = tf.nn.static_rnn(basic_cell, tf.unstack(X, axis=1), dtype=tf.float32)
    else:
        _, states = tf.nn.dynamic_rnn(basic_cell, X, dtype=tf.float32)
    gradients = tf.gradients(tf.reduce_sum(states), tf.trainable_variables())
    init = tf.global_variables_initializer()
    graph = tf.get_default_graph()
    row = {"rnn": rnn, "n_steps": n_steps, "operations": len(graph.get_operations())}
    row["graph_bytes"] = graph.as_graph_def().ByteSize()
    with tf.Session() as sess:
        init.run()
        feed_dict = {X: np.zeros([config.batch_size, n_steps, config.n_inputs])}
        row["forward_bytes"] = traced_peak(sess, states, feed_dict)
        row["training_bytes"] = traced_peak(sess, gradients, feed_dict)
    return row


@app.command
def main(argv=None):
    """Returns the rows of the table, a list of what `measure` returns."""
    args, config = studies.parse_args(__file__, __doc__, configs.RNN_MEMORY_CONFIGS, argv)
    print("rnn      n_steps  operations  GraphDef KB  peak MB, forward  peak MB, with gradients")
    rows = []
    lengths = sorted({max(1, config.n_steps // part) for part in (100, 10, 1)})
    for n_steps, rnn in itertools.product(lengths, ("static", "dynamic")):
        with tf.Graph().as_default():
            tf.set_random_seed(args.seed)
            row = measure(rnn, n_steps, config)
        rows.append(row)
        print(
            f"{rnn:7}  {n_steps:7}  {row['operations']:10,}  {row['graph_bytes'] / 1e3:11.1f}"
            f"  {row['forward_bytes'] / 1e6:16.1f}  {row['training_bytes'] / 1e6:23.1f}"
        )
    print(
        "static_rnn's graph grows with the steps, dynamic_rnn's does not. Of tensors (the graph comes on top) both need"
    )
    print("about the same for gradients, which take every step's outputs; dynamic_rnn with swap_memory=True can move")
    print("these out of a GPU's memory. Without gradients dynamic_rnn needs more where sequences are long: it copies")
    print("its inputs twice.")
    return rows


if __name__ == "__main__":
    main()
