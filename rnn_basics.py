"""RNN basics: by hand, static, packed, dynamic, variable length, deep; rows of MNIST images as sequences.

Source: seed 001's tutorial, notes in Chinese on chapter 14 of Hands-On Machine Learning with Scikit-Learn and
TensorFlow (2017), whose notebook recorded the outputs. Sections, in the tutorial's order (those with a star go beyond
its code, and measure or show what it says in words):

    sequences*  seq-to-seq, seq-to-vector, vector-to-seq, encoder-decoder: which outputs feed the loss
    manual      two time steps written by hand
    static      the same through static_rnn
    packed      one placeholder for all time steps
    dynamic     dynamic_rnn
    memory*     graph and peak memory of the two at 2, 20 and 200 steps
    seqlen      sequences of different lengths
    training*   the gradients flow through exactly the outputs that the cost uses, and are summed over time steps
    mnist       an image as a sequence of 28 rows; four models
    deep        three layers
    long*       how far a gradient reaches back, and what the tutorial's remedies give

With the default seed the book's values appear, to 1e-6 (deep: 2e-6). Commands, MNIST's last line, and the time that
they take on 2 cores:

    python rnn_basics.py                                                                                 30 seconds
    python rnn_basics.py --section=mnist      99 Train accuracy: 0.99333334 Test accuracy: 0.9804        4 minutes

Departures from the tutorial, each with its reason:

* Kernels get explicit op seeds: TF 2 counts the seeds of random ops in another way than TF 1.x, and without them other
  weights would be drawn than in 2017.
* `tensorflow.examples.tutorials.mnist` is gone: reader.py reads the files, holds out the same images, and shuffles as
  the book's notebook does.
* The last batch of an epoch goes through Python twice (to learn from it, and for its accuracy), all others once.
* A checkpoint holds the place in the epoch, so that a stopped run goes on.
"""

import contextlib
import inspect
import itertools
import math
import time

import numpy as np

import configs
import reader
from tf1 import app, checkpoints, layers, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.metrics import Metrics
from tf1.modes import check_memory, choose_groups, choose_rnn_mode
from tf1.op_seeds import glorot_uniform

MNIST_CHECKSUM = "e6625e56"  # of the four files' content
# Test accuracy by epoch.
RECORDED = {
    "basic": {0: 0.9288, 1: 0.9471, 98: 0.9803, 99: 0.9744},
    "multilayer": {0: 0.938, 9: 0.976},
    "lstm": {0: 0.9563},
    "gru": {},
}
N_STEPS, N_INPUTS, N_OUTPUTS = 28, 28, 10  # rows of an image, pixels of a row, digits


def parse_args(argv=None):
    parser = app.ArgumentParser("rnn_basics.py", __doc__)
    parser.add_argument(
        "--section", choices=(*SECTIONS, "all"), default="all", help="all (default): all but mnist, which is long"
    )
    parser.add_argument(
        "--model", choices=tuple(configs.MNIST_CONFIGS), help="of --section=mnist (default: basic, one layer)"
    )
    parser.add_argument("--config", default="small", help="of mnist and long: small or test (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="folder with the four IDX files of MNIST, gzipped or not")
    parser.add_common("--rnn_mode", "--save_path", "--save_every", "--seed", "--set")
    parser.set_defaults(rnn_mode="basic")  # the recorded digits depend on the order of additions
    return parser.parse_args(argv)


X0_BATCH = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 0, 1]])  # t = 0, [instances, n_inputs]
X1_BATCH = np.array([[9, 8, 7], [0, 0, 0], [6, 5, 4], [3, 2, 1]])  # t = 1
X_BATCH = np.stack([X0_BATCH, X1_BATCH], axis=1)  # [instances, n_steps, n_inputs]; instance 2 has one step, and padding


@contextlib.contextmanager
def reset_graph(seed):
    """The block's ops go to a graph of their own, whose random numbers come from `seed`."""
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        yield


KINDS = {
    "seq_to_seq": """
    seq-to-seq: every output feeds the loss (*); a price series in, the series shifted by a day out

        *Y0    *Y1    *Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0     X1     X2     X3
    """,
    "seq_to_vector": """
    seq-to-vector: only the last output does; a sentence in, its mood out

         Y0     Y1     Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0     X1     X2     X3
    """,
    "vector_to_seq": """
    vector-to-seq: one input, then zeros; a picture in, its caption out

        *Y0    *Y1    *Y2    *Y3
         ^      ^      ^      ^
        h0 --> h1 --> h2 --> h3
         ^      ^      ^      ^
        X0      0      0      0
    """,
    "encoder_decoder": """
    encoder-decoder: a seq-to-vector network, whose last state a vector-to-seq network begins with; a sentence in,
    its translation out, which can wait for the sentence's end

         Y0     Y1     Y2    *Y'0   *Y'1   *Y'2
         ^      ^      ^      ^      ^      ^
        h0 --> h1 --> h2 --> h'0 -> h'1 -> h'2
         ^      ^      ^      ^      ^      ^
        X0     X1     X2      0      0      0
        encoder               decoder
    """,
}


def sequences(seed):
    """Returns for each kind of network the norms of d loss / d Y(t), [number of outputs]: 0 where Y(t) is not used."""

    def rnn(inputs, initial_state=None, scope=None):
        cell = tf.nn.rnn_cell.BasicRNNCell(num_units=5)
        return tf.nn.dynamic_rnn(cell, inputs, initial_state=initial_state, dtype=tf.float32, scope=scope)

    results = {}
    for kind, figure in KINDS.items():
        with reset_graph(seed):
            X = tf.placeholder(tf.float32, [None, 4, 3])
            if kind == "seq_to_seq":
                outputs, _ = rnn(X)  # [instances, n_steps, n_neurons]
                loss = tf.reduce_mean(tf.square(outputs))
            elif kind == "seq_to_vector":
                outputs, _ = rnn(X)
                loss = tf.reduce_mean(tf.square(outputs[:, -1]))
            elif kind == "vector_to_seq":
                outputs, _ = rnn(tf.concat([X[:, :1], tf.zeros_like(X[:, 1:])], axis=1))
                loss = tf.reduce_mean(tf.square(outputs))
            else:
                encoder_outputs, code = rnn(X[:, :3], scope="encoder")
                decoder_outputs, _ = rnn(tf.zeros_like(X[:, :3]), initial_state=code, scope="decoder")
                outputs = [encoder_outputs, decoder_outputs]
                loss = tf.reduce_mean(tf.square(decoder_outputs))
            gradients = tf.gradients(loss, outputs, unconnected_gradients="zero")
            norms = tf.norm(tf.concat(gradients, axis=1), axis=[0, 2])
            init = tf.global_variables_initializer()
            with tf.Session() as sess:
                init.run()
                random = np.random.RandomState(seed)
                results[kind] = norms_val = sess.run(norms, feed_dict={X: random.rand(4, 4, 3)})
        print(inspect.cleandoc(figure))
        print("norms of d loss / d Y(t):", norms_val, "\n")
    print("A zero: that output feeds no loss. (The loss is the mean square of the outputs with a star.)")
    return results


def manual(seed):
    """Returns `Y0` and `Y1`, the outputs of the two steps, [instances, n_neurons]."""
    n_inputs, n_neurons = 3, 5
    with reset_graph(seed):
        X0 = tf.placeholder(tf.float32, [None, n_inputs])
        X1 = tf.placeholder(tf.float32, [None, n_inputs])

        Wx = tf.Variable(tf.random_normal(shape=[n_inputs, n_neurons], dtype=tf.float32, seed=5))
        Wy = tf.Variable(tf.random_normal(shape=[n_neurons, n_neurons], dtype=tf.float32, seed=14))
        b = tf.Variable(tf.zeros([1, n_neurons], dtype=tf.float32))

        Y0 = tf.tanh(tf.matmul(X0, Wx) + b)  # [instances, n_neurons]
        Y1 = tf.tanh(tf.matmul(Y0, Wy) + tf.matmul(X1, Wx) + b)

        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            Y0_val, Y1_val = sess.run([Y0, Y1], feed_dict={X0: X0_BATCH, X1: X1_BATCH})
    print(Y0_val)
    print(Y1_val)
    print("Y0, then Y1: a row for each of the 4 instances, a column for each of the 5 neurons; most are saturated.")
    return {"Y0": Y0_val, "Y1": Y1_val}


def static(seed):
    """Returns `Y0`, `Y1` and the final `states`, [instances, n_neurons]."""
    n_inputs, n_neurons = 3, 5
    with reset_graph(seed):
        X0 = tf.placeholder(tf.float32, [None, n_inputs])
        X1 = tf.placeholder(tf.float32, [None, n_inputs])

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with glorot_uniform(20):
            output_seqs, states = tf.nn.static_rnn(basic_cell, [X0, X1], dtype=tf.float32)
        Y0, Y1 = output_seqs

        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            Y0_val, Y1_val, states_val = sess.run([Y0, Y1, states], feed_dict={X0: X0_BATCH, X1: X1_BATCH})
    print(Y0_val)
    print(Y1_val)
    print(states_val)
    print("Y0, Y1, and the final states, which for this cell are the last outputs, Y1.")
    return {"Y0": Y0_val, "Y1": Y1_val, "states": states_val}


def packed(seed):
    """Returns `outputs` [instances, n_steps, n_neurons], `states`, and the inputs as static_rnn takes them.

    These are `X_seqs`, a list of n_steps arrays [instances, n_inputs], and `X_test`, the same as one array.
    """
    n_steps, n_inputs, n_neurons = 2, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        X_test = tf.transpose(X, perm=[1, 0, 2])  # [n_steps, instances, n_inputs]: time-major
        X_seqs = tf.unstack(X_test)  # n_steps of [instances, n_inputs], what static_rnn takes

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with glorot_uniform(22):
            output_seqs, states = tf.nn.static_rnn(basic_cell, X_seqs, dtype=tf.float32)
        outputs = tf.transpose(tf.stack(output_seqs), perm=[1, 0, 2])  # [instances, n_steps, n_neurons]: batch-major

        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            outputs_val, states_val = sess.run([outputs, states], feed_dict={X: X_BATCH})
            X_seqs_val = sess.run(X_seqs, feed_dict={X: X_BATCH})  # run, not eval: it is a list
            X_test_val = sess.run(X_test, feed_dict={X: X_BATCH})
    print(outputs_val)
    print(X_seqs_val)
    print(X_test_val)
    print("The outputs by instance; the inputs as static_rnn takes them, a list of time steps; the same as one array.")
    return {"outputs": outputs_val, "states": states_val, "X_seqs": X_seqs_val, "X_test": X_test_val}


def dynamic(seed):
    """Returns `outputs` [instances, n_steps, n_neurons] and the final `states` [instances, n_neurons]."""
    n_steps, n_inputs, n_neurons = 2, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with glorot_uniform(87):
            outputs, states = tf.nn.dynamic_rnn(basic_cell, X, dtype=tf.float32)

        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            outputs_val, states_val = sess.run([outputs, states], feed_dict={X: X_BATCH})
    print(outputs_val)
    print("By instance, then time step: dynamic_rnn takes and gives one batch-major array, without unstack and stack.")
    return {"outputs": outputs_val, "states": states_val}


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


def memory(seed):
    """Returns a dict for each row: `rnn`, `n_steps`, `operations`, `graph_bytes`, `forward_bytes`, `training_bytes`."""
    n_inputs, n_neurons, instances = 28, 100, 50
    print("rnn      n_steps  operations  GraphDef KB  peak MB, forward  peak MB, with gradients")
    rows = []
    for n_steps, rnn in itertools.product((2, 20, 200), ("static", "dynamic")):
        with reset_graph(seed):
            X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
            basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
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
                feed_dict = {X: np.zeros([instances, n_steps, n_inputs])}
                row["forward_bytes"] = traced_peak(sess, states, feed_dict)
                row["training_bytes"] = traced_peak(sess, gradients, feed_dict)
        rows.append(row)
        print(
            f"{rnn:7}  {n_steps:7}  {row['operations']:10,}  {row['graph_bytes'] / 1e3:11.1f}"
            f"  {row['forward_bytes'] / 1e6:16.1f}  {row['training_bytes'] / 1e6:23.1f}"
        )
    print(
        "static_rnn's graph grows with the steps, dynamic_rnn's does not. Of tensors (the graph comes on top) both need"
    )
    print("about the same for gradients, which take every step's outputs; dynamic_rnn with swap_memory=True can move")
    print("these out of a GPU's memory. Without gradients dynamic_rnn needs more: it copies its inputs twice.")
    return rows


def seqlen(seed):
    """Returns what `dynamic` does."""
    n_steps, n_inputs, n_neurons = 2, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        seq_length = tf.placeholder(tf.int32, [None])

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with glorot_uniform(106):
            outputs, states = tf.nn.dynamic_rnn(basic_cell, X, dtype=tf.float32, sequence_length=seq_length)

        init = tf.global_variables_initializer()
        seq_length_batch = np.array([2, 1, 2, 2])
        with tf.Session() as sess:
            init.run()
            outputs_val, states_val = sess.run([outputs, states], feed_dict={X: X_BATCH, seq_length: seq_length_batch})
    print(outputs_val)
    print(states_val)
    print("The second instance has one step: its output after the end is zero, its state a copy of its last real one.")
    return {"outputs": outputs_val, "states": states_val}


def training(seed):
    """The cost uses the outputs Y(2), Y(3), Y(4) of five. Every step gets copies of the weights, to tell them apart.

    Returns norms by time step, [5]: `direct`, of d cost / d Y(t) as the cost itself sees it; `total`, with what comes
    back through the later steps; `Wx` and `Wy`, of the steps' parts of the gradients of the weights; and `difference`,
    the largest of any element between the parts' sums and the gradients of the shared weights.
    """
    n_steps, n_inputs, n_neurons = 5, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        Wx = tf.Variable(tf.random_normal([n_inputs, n_neurons], stddev=0.5, seed=5))
        Wy = tf.Variable(tf.random_normal([n_neurons, n_neurons], stddev=0.5, seed=14))
        b = tf.Variable(tf.zeros([1, n_neurons]))

        Y, Ys, outputs, copies = tf.zeros([tf.shape(X)[0], n_neurons]), [], [], []
        for t in range(n_steps):
            Wx_t, Wy_t, b_t = step_copies = [tf.identity(weights) for weights in (Wx, Wy, b)]
            Y = tf.tanh(tf.matmul(X[:, t], Wx_t) + tf.matmul(Y, Wy_t) + b_t)
            Ys.append(Y)  # goes on to the next step and to its output
            outputs.append(tf.identity(Y))  # goes to the cost alone
            copies.append(step_copies)
        cost = tf.add_n([tf.reduce_mean(tf.square(output)) for output in outputs[2:]])

        direct = [tf.norm(gradient) for gradient in tf.gradients(cost, outputs, unconnected_gradients="zero")]
        total = [tf.norm(gradient) for gradient in tf.gradients(cost, Ys)]
        parts = [tf.stack(tf.gradients(cost, list(step_copies))) for step_copies in zip(*copies)]  # [n_steps, ...]
        sums = tf.gradients(cost, [Wx, Wy, b])
        errors = [tf.reduce_max(tf.abs(tf.reduce_sum(part, axis=0) - all_)) for part, all_ in zip(parts, sums)]
        fetches = {"direct": direct, "total": total, "difference": tf.reduce_max(errors)}
        fetches["Wx"], fetches["Wy"] = (tf.norm(part, axis=[1, 2]) for part in parts[:2])
        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            results = sess.run(fetches, feed_dict={X: np.random.RandomState(seed).rand(4, n_steps, n_inputs)})
    print("cost = mean squares of Y(2) + Y(3) + Y(4); norms of gradients:")
    print("t  d cost / d Y(t)  with the later steps'  part of d cost / d Wx  of d cost / d Wy")
    for t, (direct, total, Wx, Wy) in enumerate(zip(*(results[name] for name in ("direct", "total", "Wx", "Wy")))):
        print(f"{t}  {direct:15.6f}  {total:21.6f}  {Wx:21.6f}  {Wy:15.6f}")
    print(
        "The cost reaches Y(0) and Y(1) through the later steps only, and yet all five have their part in the weights'"
    )
    print("gradients (step 0 none in Wy's: the state before it is zero).")
    print(f"The parts' sums are the gradients of the shared Wx, Wy and b, to {results['difference']:.1e}.")
    return results


def deep(seed):
    """Returns what the book recorded, and the outputs for the tutorial's own smaller input as `tutorial_outputs`."""
    n_neurons, n_layers = 100, 3
    results = {}
    for prefix, n_steps, n_inputs in (("tutorial_", 5, 2), ("", 20, 5)):
        with reset_graph(seed):
            X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])

            cells = [tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons) for _ in range(n_layers)]
            multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells)
            with glorot_uniform(115, 136, 157):
                outputs, states = tf.nn.dynamic_rnn(multi_layer_cell, X, dtype=tf.float32)

            init = tf.global_variables_initializer()
            X_batch = np.random.RandomState(seed).rand(2, n_steps, n_inputs)
            with tf.Session() as sess:
                init.run()
                outputs_val, states_val = sess.run([outputs, states], feed_dict={X: X_batch})
        if not prefix:
            print(outputs_val)
        print(f"Input {X_batch.shape}: outputs {outputs_val.shape}, states {len(states_val)} x {states_val[0].shape}")
        results[f"{prefix}outputs"], results[f"{prefix}states"] = outputs_val, states_val
    print("The outputs are the top layer's; each layer has a final state, and the top layer's is its last output.")
    return results


class BatchNormRNNCell:
    """A `BasicRNNCell` with batch normalisation in each time step, as in Cooijmans et al. 2016, section 3.

    What comes from the input and what comes from the state are normalised over the batch on their own; their scales
    begin at 0.1, because larger ones saturate the activation.
    """

    def __init__(self, num_units, activation):
        self.state_size = self.output_size = num_units
        self._activation = activation

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs] and `state` [batch_size, num_units]; returns the new state twice."""
        with tf.variable_scope(scope or "batch_norm_rnn_cell"):
            sums = tf.get_variable("bias", [self.state_size], initializer=tf.zeros_initializer())
            for name, part in ("input", inputs), ("state", state):
                kernel = tf.get_variable(f"{name}_kernel", [part.shape[1], self.state_size])
                gamma = tf.get_variable(f"{name}_gamma", [self.state_size], initializer=tf.constant_initializer(0.1))
                product = tf.matmul(part, kernel)
                mean, variance = tf.nn.moments(product, axes=[0])
                sums = sums + tf.nn.batch_normalization(product, mean, variance, None, gamma, 1e-5)
        output = self._activation(sums)
        return output, output


def recurrent_initializer(recurrent):
    """For the kernel [n_inputs + n_neurons, n_neurons] of a basic cell: `recurrent` makes its square lower part."""

    def initializer(shape, dtype=None, partition_info=None):
        n_inputs = shape[0] - shape[1]
        upper = tf.glorot_uniform_initializer()([n_inputs, shape[1]], dtype)
        return tf.concat([upper, recurrent([shape[1], shape[1]], dtype)], axis=0)

    return initializer


def identity(shape, dtype):
    return tf.eye(shape[0], dtype=dtype)


class RecallModel:
    """The graph that is to give back, behind the last time step, the value that was the input of the first.

    Args:
      config: the hyperparameters, a `LongSmallConfig`.
      cell: `tanh`, `relu`, `lstm` or `gru`.
      initialisation, batch_norm, clipping, adam, truncate: whether the remedy is applied. The recurrent weights of
        `relu` begin as the identity (Le, Jaitly and Hinton 2015), those of `tanh` as an orthogonal matrix.
    """

    def __init__(
        self, config, cell, initialisation=False, batch_norm=False, clipping=False, adam=False, truncate=False
    ):
        activation = {"tanh": tf.tanh, "relu": tf.nn.relu}.get(cell)
        if cell == "lstm":
            rnn_cell = tf.nn.rnn_cell.BasicLSTMCell(config.n_neurons)
        elif cell == "gru":
            rnn_cell = tf.nn.rnn_cell.GRUCell(config.n_neurons)
        elif batch_norm:
            rnn_cell = BatchNormRNNCell(config.n_neurons, activation)
        else:
            rnn_cell = tf.nn.rnn_cell.BasicRNNCell(config.n_neurons, activation=activation)
        initializer = None
        if initialisation:
            initializer = recurrent_initializer(identity if cell == "relu" else tf.orthogonal_initializer())

        self.X = tf.placeholder(tf.float32, [config.batch_size, config.n_steps, config.n_inputs])
        state = rnn_cell.zero_state(config.batch_size, tf.float32)
        piece = config.truncated_steps if truncate else config.n_steps
        for start in range(0, config.n_steps, piece):
            with tf.variable_scope("rnn", initializer=initializer, reuse=start > 0):
                state = tf.nest.map_structure(tf.stop_gradient, state)
                inputs = self.X[:, start : start + piece]
                outputs, state = tf.nn.dynamic_rnn(rnn_cell, inputs, initial_state=state)
        prediction = tf.layers.dense(outputs[:, -1], config.n_inputs)  # [batch_size, n_inputs]
        self.loss = tf.reduce_mean(tf.square(prediction - self.X[:, 0]))

        # How much the prediction (the sum of its values) changes with each input, on average over the batch: [n_steps],
        # the last step first.
        gradients = tf.gradients(prediction, self.X)[0]  # [batch_size, n_steps, n_inputs]
        self.gradient_norms = tf.reduce_mean(tf.norm(gradients, axis=2), axis=0)[::-1]

        if adam:
            optimizer = tf.train.AdamOptimizer(config.adam_learning_rate)
        else:
            optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
        grads, tvars = zip(*optimizer.compute_gradients(self.loss))
        self.global_norm = tf.global_norm(grads)
        if clipping:
            grads, _ = tf.clip_by_global_norm(grads, config.max_grad_norm, self.global_norm)
        self.training_op = optimizer.apply_gradients(zip(grads, tvars))


GUESSING = 1 / 3  # the mean square of numbers from [-1, 1)
LONG_RUNS = {  # by the name that is printed
    "tanh": {"cell": "tanh"},
    "tanh, orthogonal start": {"cell": "tanh", "initialisation": True},
    "tanh, batch normalisation": {"cell": "tanh", "batch_norm": True},
    "tanh, clipping": {"cell": "tanh", "clipping": True},
    "tanh, Adam": {"cell": "tanh", "adam": True},
    "tanh, clipping, truncated": {"cell": "tanh", "clipping": True, "truncate": True},
    "ReLU": {"cell": "relu"},
    "ReLU, identity start": {"cell": "relu", "initialisation": True},
    "ReLU, batch normalisation": {"cell": "relu", "batch_norm": True},
    "ReLU, clipping": {"cell": "relu", "clipping": True},
    "ReLU, Adam": {"cell": "relu", "adam": True},
    "tanh, start, clipping, Adam": {"cell": "tanh", "initialisation": True, "clipping": True, "adam": True},
    "ReLU, start, clipping, Adam": {"cell": "relu", "initialisation": True, "clipping": True, "adam": True},
    "LSTM": {"cell": "lstm"},
    "LSTM, clipping, Adam": {"cell": "lstm", "clipping": True, "adam": True},
    "GRU": {"cell": "gru"},
    "GRU, clipping, Adam": {"cell": "gru", "clipping": True, "adam": True},
}


def recall_batch(config, random):
    """[batch_size, n_steps, n_inputs]: the first step from [-1, 1), which is to be recalled; then a tenth of that."""
    batch = random.uniform(-1, 1, [config.batch_size, config.n_steps, config.n_inputs])
    batch[:, 1:] /= 10
    return batch


def print_conclusions(results, config):
    """Says what the numbers of `long` show."""
    far = config.n_steps - 1
    first, last = ({name: result["gradient_norms"][d] for name, result in results.items()} for d in (0, far))
    starts = [name for name in results if name in ("tanh", "ReLU", "LSTM", "GRU") or name.endswith((" start", "ation"))]
    ratios = "; ".join(f"{name} {last[name] / first[name]:.1g}" for name in starts)
    print(f"Gradient at distance {far} in proportion to distance 0: {ratios}")
    learned = {name: result["loss"] for name, result in results.items() if result["loss"] < GUESSING / 2}
    print("Less than half the loss of guessing:", "; ".join(sorted(learned, key=learned.get)) or "none")
    print("Ended by an infinite loss:", "; ".join(n for n, r in results.items() if r["loss"] == math.inf) or "none")


def long(config, folder, seed):
    """Returns a dict of `gradient_norms`, [n_steps] from distance 0 on, `max_norm` and `loss` for each of LONG_RUNS."""
    distances = sorted({0, 1, 2, 5, 10, 20, config.n_steps - 1} & set(range(config.n_steps)))
    print(f"Task: recall the first of {config.n_steps} inputs. Guessing 0 has a loss of {GUESSING:.4f}.")
    print(f"{'gradient norm at distance':27}", *(f"{d:8}" for d in distances), " largest    loss at the end")
    results = {}
    for name, settings in LONG_RUNS.items():
        with reset_graph(seed):
            model = RecallModel(config, **settings)
            check_memory()
            init = tf.global_variables_initializer()
            random, losses, max_norm = np.random.RandomState(seed), [], 0.0
            with tf.Session() as sess:
                init.run()
                gradient_norms = sess.run(model.gradient_norms, feed_dict={model.X: recall_batch(config, random)})
                while len(losses) < config.n_iterations and np.all(np.isfinite(losses[-1:])):
                    fetches = [model.training_op, model.loss, model.global_norm]
                    _, loss, norm = sess.run(fetches, feed_dict={model.X: recall_batch(config, random)})
                    losses.append(loss)
                    max_norm = max(max_norm, norm)
        last = losses[-max(1, config.n_iterations // 10) :]
        loss = float(np.mean(last)) if np.all(np.isfinite(last)) else math.inf
        results[name] = {"gradient_norms": gradient_norms, "max_norm": float(max_norm), "loss": loss}
        end = f"{loss:.4f}" if math.isfinite(loss) else f"infinite after {len(losses)} iterations"
        print(f"{name:27}", *(f"{gradient_norms[d]:8.2g}" for d in distances), f"{max_norm:8.2g}    {end}")
    print_conclusions(results, config)
    if picture := plot_gradient_norms(results, config, folder):
        print(f"Picture: {picture}")
    return results


class MNISTModel:
    """The graph that reads an image row by row, 28 time steps of 28 pixels, and tells the digit.

    Args:
      config: the hyperparameters, of the class that `configs.MNIST_CONFIGS` has for `model`.
      model: `basic`, one layer of tanh units; `multilayer`, ReLU layers, whose final states all feed the dense layer;
        `lstm` and `gru`, layers of such cells, of which the top one's h does.
      rnn_mode: how the recurrent layers are built; the variables are the same in all modes.
      groups: with `fused`, groups of images that are computed side by side.
    """

    def __init__(self, config, model, rnn_mode="basic", groups=1):
        self.X = tf.placeholder(tf.float32, [None, N_STEPS, N_INPUTS])
        self.y = tf.placeholder(tf.int32, [None])
        op_seeds, dense_seed = {
            "basic": ([88], 135),
            "multilayer": ([116, 137, 158], 211),
            "lstm": ([158, 192, 226], 296),
            "gru": ([], None),
        }[model]
        with glorot_uniform(*op_seeds):
            # features: [number of images, n_neurons], or n_neurons * n_layers
            if rnn_mode == "basic":
                features = getattr(self, f"_build_{model}")(config)
            else:
                features = self._build_whole_sequences(config, model, rnn_mode, groups)
        kernel_initializer = tf.glorot_uniform_initializer(seed=dense_seed)
        logits = tf.layers.dense(features, N_OUTPUTS, kernel_initializer=kernel_initializer, name="softmax")
        self.predictions = tf.argmax(logits, axis=1)

        xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self.y, logits=logits)
        self.loss = tf.reduce_mean(xentropy)
        self.learning_rate = config.learning_rate
        optimizer = tf.train.AdamOptimizer(learning_rate=config.learning_rate)
        grads_and_vars = optimizer.compute_gradients(self.loss)
        self.gradient_norm = tf.global_norm([gradient for gradient, _ in grads_and_vars])
        self.training_op = optimizer.apply_gradients(grads_and_vars, tf.train.get_or_create_global_step())
        correct = tf.nn.in_top_k(logits, self.y, 1)
        self.accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

    def _build_basic(self, config):
        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons)
        _, states = tf.nn.dynamic_rnn(basic_cell, self.X, dtype=tf.float32)
        return states

    def _build_multilayer(self, config):
        cells = [
            tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
            for _ in range(config.n_layers)
        ]
        _, states = tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), self.X, dtype=tf.float32)
        return tf.concat(states, axis=1)

    def _build_lstm(self, config):
        cells = [tf.nn.rnn_cell.BasicLSTMCell(num_units=config.n_neurons) for _ in range(config.n_layers)]
        _, states = tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), self.X, dtype=tf.float32)
        return states[-1].h

    def _build_gru(self, config):
        cells = [tf.nn.rnn_cell.GRUCell(num_units=config.n_neurons) for _ in range(config.n_layers)]
        _, states = tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), self.X, dtype=tf.float32)
        return states[-1]

    def _build_whole_sequences(self, config, model, rnn_mode, groups):
        """The layers of `basic`, `multilayer` and `lstm`, each a function of the whole sequence."""
        lstm = {"fused": layers.lstm, "cudnn": layers.cudnn_lstm}[rnn_mode]
        rnn = {"fused": layers.rnn, "cudnn": layers.cudnn_rnn}[rnn_mode]
        output = tf.stack(tf.unstack(self.X, axis=1))  # time-major, [N_STEPS, number of images, N_INPUTS]
        zeros, states = tf.zeros([tf.shape(self.X)[0], config.n_neurons]), []
        for layer in range(1 if model == "basic" else config.n_layers):
            cell = "basic_lstm_cell" if model == "lstm" else "basic_rnn_cell"
            with tf.variable_scope(f"rnn/{'' if model == 'basic' else f'multi_rnn_cell/cell_{layer}/'}{cell}"):
                gates = 4 if model == "lstm" else 1
                kernel = tf.get_variable("kernel", [output.shape[2] + config.n_neurons, gates * config.n_neurons])
                bias = tf.get_variable("bias", [gates * config.n_neurons], initializer=tf.zeros_initializer())
            if model == "lstm":
                state = (zeros, zeros)
                output, (_, state) = layers.in_groups(lstm, groups, output, state, kernel, bias, forget_bias=1.0)
            else:
                activation = "tanh" if model == "basic" else "relu"
                output, state = layers.in_groups(rnn, groups, output, zeros, kernel, bias, activation)
            states.append(state)
        return tf.concat(states, axis=1) if model == "multilayer" else states[-1]


def run_epoch(session, model, batches, total, first_step=0, after_step=None):
    """Trains on an epoch's batches, and returns the accuracy on the last of them, which it has just learned from.

    Args:
      session: a session with the variables initialised.
      model: an `MNISTModel`.
      batches: the epoch's images and labels, an iterator of pairs.
      total: how many there are.
      first_step: how many of them were used before the run was stopped.
      after_step: called after each step with the number of steps done and the loss.
    """
    for _ in range(first_step):
        X_batch, y_batch = next(batches)
    with progress.bar(total, first_step) as steps:
        for step in steps:
            X_batch, y_batch = next(batches)
            _, loss = session.run([model.training_op, model.loss], feed_dict={model.X: X_batch, model.y: y_batch})
            if not math.isfinite(loss):
                norm = session.run(model.gradient_norm, feed_dict={model.X: X_batch, model.y: y_batch})
                raise Diverged("loss", loss, f"at step {step} of {total}", model.learning_rate, norm)
            if after_step:
                after_step(step + 1, loss)
    return session.run(model.accuracy, feed_dict={model.X: X_batch, model.y: y_batch})


def plot_gradient_norms(results, config, folder):
    figure, axes = plots.new_figure()
    for name, result in results.items():
        settings = LONG_RUNS[name]
        if not set(settings) & {"clipping", "adam", "truncate"}:  # the others begin like one of these
            axes.plot(result["gradient_norms"], "-" if len(settings) == 1 else ":", label=name)
    axes.set(yscale="log", xlabel="distance in time steps", ylabel="norm of d prediction / d input")
    axes.set(title="How far a gradient reaches back, before training")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    return plots.save(figure, folder, "gradient_norms")


def plot_learning_curve(records, recorded, title, folder):
    """Accuracy by epoch; `recorded` is the book's test accuracy by epoch."""
    figure, axes = plots.new_figure()
    epochs = [record["epoch"] for record in records]
    axes.plot(epochs, [record["acc_train"] for record in records], color="C0", alpha=0.4, label="train, last batch")
    axes.plot(epochs, [record["acc_test"] for record in records], "o-", markersize=3, color="C1", label="test")
    if recorded := {epoch: accuracy for epoch, accuracy in recorded.items() if epoch <= epochs[-1]}:
        axes.plot(recorded.keys(), recorded.values(), "k*", markersize=10, label="test, recorded in the book")
    axes.set(xlabel="epoch", ylabel="accuracy", title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return plots.save(figure, folder, "mnist_learning_curve")


def plot_misclassified(images, labels, predictions, title, folder):
    """The first of the test images that are read wrongly, `label > prediction` above each.

    Args:
      images: [number of images, 28, 28], 0 to 1.
      labels, predictions: [number of images].
    """
    rows, columns = 5, 12
    wrong = np.flatnonzero(labels != predictions)
    canvas = np.ones([rows * 36, columns * 32])
    figure, axes = plots.new_figure()
    for place, index in enumerate(wrong[: rows * columns]):
        top, left = place // columns * 36 + 8, place % columns * 32 + 2
        canvas[top : top + 28, left : left + 28] = 1 - images[index]
        axes.text(left + 14, top - 1, f"{labels[index]} > {predictions[index]}", ha="center", fontsize=8)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
    axes.set_title(f"{title}: {len(wrong):,} of {len(labels):,} read wrongly (label > reading)")
    return plots.save(figure, folder, "mnist_misclassified")


def mnist(config, model, rnn_mode, data_path, save_path, save_every, seed):
    """Trains `model` and returns `acc_train`, on the last batch, and `acc_test`: lists by epoch."""
    data_path, is_sample = reader.find_data("mnist", data_path)
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(data_path)
    checksum = reader.checksum(data_path, "mnist")
    rnn_mode = choose_rnn_mode(rnn_mode)
    held_out = len(X_train) // 12
    X_train, X_test = (images.astype(np.float32) / 255 for images in (X_train[held_out:], X_test))
    y_train = y_train[held_out:]
    data = "the embedded sample" if is_sample else "MNIST" if checksum == MNIST_CHECKSUM else "own images"
    print(f"Images: {data}, {len(X_train):,} to train on, {len(X_test):,} to test on, {held_out:,} held out")
    if len(X_train) < config.batch_size:
        raise UserError(
            f"{len(X_train)} images cannot fill a batch of {config.batch_size}: lower --set batch_size=N, or take more"
        )
    epoch_size = len(X_train) // config.batch_size
    identity = {"script": "rnn_basics", "model": model, "config": configs.values(config), "seed": seed}
    identity["data"] = f"{len(X_train):,} + {len(X_test):,} images, checksum {checksum}"

    with tf.Graph().as_default(), app.StopRequest() as stop:
        tf.set_random_seed(seed)
        gates = 4 if model == "lstm" else 1
        groups, session_config = choose_groups(rnn_mode, config.batch_size, config.n_neurons, gates)
        m = MNISTModel(config, model, rnn_mode, groups)
        check_memory()
        saved = checkpoints.Checkpoints(save_path, save_every, identity, {})
        global_step = tf.train.get_global_step()
        init = tf.global_variables_initializer()
        tf.get_default_graph().finalize()

        with saved, tf.Session(config=session_config) as session:
            session.run(init)
            records, first_step, wall = [], 0, 0.0
            if restored := saved.restore(session):
                values, _ = restored
                records, first_step, wall = values["records"], values["step"], values["wall_s"]
            metrics = Metrics(save_path, session.run(global_step))
            metrics.write(records)
            random, start_time = np.random.RandomState(seed), time.time() - wall
            kept = f"saved in {save_path}" if save_path else "without --save_path nothing is saved"

            def report(record):
                acc_train, acc_test = np.float32(record["acc_train"]), np.float32(record["acc_test"])
                print(record["epoch"], "Train accuracy:", acc_train, "Test accuracy:", acc_test)

            def save(step):
                wall_s = time.time() - start_time
                saved.save(session, {"records": records, "step": step, "wall_s": wall_s}, {})
                metrics.write(records)

            def after_step(step, loss):
                if step % max(1, epoch_size // 10) == 0:
                    metrics.event(session.run(global_step), loss=loss)
                if stop.signum:
                    save(step)
                    place = f"epoch {len(records)} at step {step} of {epoch_size}"
                    raise app.Interrupted(stop.signum, f"Stopped in {place}: {kept}")
                if saved.is_due():
                    save(step)

            if len(records) == config.n_epochs:
                print(f"The run in {save_path} is finished; its last line again:")
                report(records[-1])
            for epoch in range(config.n_epochs):
                batches = reader.shuffle_batch(X_train, y_train, config.batch_size, random)
                if epoch < len(records):
                    next(batches)  # takes the epoch's permutation
                    continue
                acc_train = run_epoch(session, m, batches, epoch_size, first_step, after_step)
                acc_test = session.run(m.accuracy, feed_dict={m.X: X_test, m.y: y_test})
                curves = {"acc_train": float(acc_train), "acc_test": float(acc_test)}
                step, first_step = int(session.run(global_step)), 0
                metrics.event(step, **curves)
                records.append({"epoch": epoch, "step": step, **curves, "wall_s": time.time() - start_time})
                report(records[-1])
                save(0)
            predictions = session.run(m.predictions, feed_dict={m.X: X_test})
            if stop.signum:
                raise app.Interrupted(stop.signum, f"Stopped behind the training: {kept}")

    title, folder = f"Digits row by row, {model} model, {data}", save_path or "plots"
    published = {**configs.values(configs.MNIST_CONFIGS[model]["small"]), "n_epochs": config.n_epochs}
    recorded = RECORDED[model] if data == "MNIST" and configs.values(config) == published else {}
    for picture in (
        plot_learning_curve(records, recorded, title, folder),
        plot_misclassified(X_test, y_test, predictions, title, folder),
    ):
        if picture:
            print(f"Picture: {picture}")
    return {name: [record[name] for record in records] for name in ("acc_train", "acc_test")}


SECTIONS = {
    "sequences": (sequences, "four kinds of networks"),
    "manual": (manual, "two time steps by hand"),
    "static": (static, "static_rnn"),
    "packed": (packed, "one placeholder, static_rnn"),
    "dynamic": (dynamic, "dynamic_rnn"),
    "memory": (memory, "graph size and peak memory of static_rnn and dynamic_rnn"),
    "seqlen": (seqlen, "sequences of different lengths"),
    "training": (training, "the way of the gradients"),
    "mnist": (mnist, "rows of images as sequences"),
    "deep": (deep, "three layers"),
    "long": (long, "long sequences"),
}


def get_config(args):
    """The config that the flags name, of `mnist` or of `long`; the other sections have none."""
    table = configs.MNIST_CONFIGS[args.model or "basic"] if args.section == "mnist" else configs.LONG_CONFIGS
    return configs.get_config(table, args.config, args.overrides)


@app.command
def main(argv=None):
    args = parse_args(argv)
    if args.section != "mnist" and (args.model or args.data_path):
        raise UserError("--model and --data_path go with --section=mnist: add it, or leave them out")
    if args.section not in ("mnist", "long", "all") and (args.overrides or args.save_path):
        raise UserError(f"--set and --save_path go with --section=mnist, long or all, not with {args.section}")
    if args.rnn_mode != "basic" and (args.section != "mnist" or args.model == "gru"):
        # tf.nn.rnn_cell.GRUCell resets before the product, layers.gru and cuDNN behind it.
        raise UserError("--rnn_mode goes with --section=mnist, and there with all models but gru: leave it out")
    config = get_config(args)
    checkpoints.check_flags(args)
    results = {}
    for section, (run, headline) in SECTIONS.items():
        if section != args.section and (args.section != "all" or section == "mnist"):
            continue
        print(f"--section={section}: {headline}\n")
        if section == "mnist":
            paths = args.data_path, args.save_path, args.save_every
            results[section] = mnist(config, args.model or "basic", args.rnn_mode, *paths, args.seed)
        elif section == "long":
            results[section] = long(config, args.save_path or "plots", args.seed)
        else:
            results[section] = run(args.seed)
        print()
    return results if args.section == "all" else results[args.section]


if __name__ == "__main__":
    main()
