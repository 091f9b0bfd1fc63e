"""RNN basics: by hand, static, packed, dynamic, variable length, deep; rows of MNIST images as sequences.

Source: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14, in a
document with notes in Chinese, whose sections these are, in its order:

    manual      two time steps written by hand
    static      the same through static_rnn
    packed      one placeholder for all time steps
    dynamic     dynamic_rnn
    seqlen      sequences of different lengths
    mnist       an image as a sequence of 28 rows; four models
    deep        three layers

The book's notebook, 14_recurrent_neural_networks.ipynb at https://github.com/ageron/handson-ml, recorded the outputs:
`manual`, `static` and `packed` in 2017, `dynamic` and `seqlen` in May 2018, MNIST in December 2018. The default seed
gives its arrays, to 1e-6 (deep: 2e-6). Commands, MNIST's last epoch, and the time that they take on 2 cores:

    python rnn_basics.py                      all sections but mnist                               3 seconds
    python rnn_basics.py --section=mnist      99 Train accuracy: 0.99333334 Test accuracy: 0.9804  4 minutes

What the document says in words is measured in studies/: sequence_kinds.py, rnn_memory.py, gradient_paths.py and
gradient_reach.py. Departures from it, each with its reason:

* Kernels get explicit op seeds: TF 2 counts the seeds of random ops in another way than TF 1.x, and without them other
  weights would be drawn than in the notebook.
* `tensorflow.examples.tutorials.mnist` is gone: reader.py reads the files, holds out the same images, and shuffles as
  the notebook does.
* A checkpoint holds the place in the epoch, so that a stopped run goes on.
"""

import contextlib

import numpy as np

import configs
import reader
from tf1 import app, checkpoints, layers, plots, progress, rnn, tf, trained
from tf1.app import Diverged, UserError
from tf1.modes import check_choice, choose_modes
from tf1.op_seeds import kernel_seeds
from tf1.training import Position, Run, epoch_size_of

# Test accuracy by epoch, of the notebook.
RECORDED = {
    "basic": {0: 0.9288, 1: 0.9471, 98: 0.9803, 99: 0.9744},
    "multilayer": {0: 0.938, 9: 0.976},
    "lstm": {0: 0.9563, 9: 0.9871},
    "gru": {},
}
SIZES = 28, 28, 10  # of MNIST: n_steps, rows of an image; n_inputs, pixels of a row; n_outputs, digits
PIXELS_AT_ONCE = 2_000 * 28 * 28  # of test images in one session.run: 60,000 images would take gigabytes


def parse_args(argv=None):
    parser = app.ArgumentParser("rnn_basics.py", __doc__)
    parser.add_argument(
        "--section", choices=(*SECTIONS, "all"), default="all", help="all (default): all but mnist, which is long"
    )
    parser.add_argument(
        "--model", choices=tuple(configs.MNIST_CONFIGS), help="of --section=mnist (default: basic, one layer)"
    )
    parser.add_argument("--config", default="small", help="of mnist: small or test (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="folder with four IDX files, of MNIST or other images")
    parser.add_common("--rnn_mode", "--save_path", "--save_every", "--init_from", "--seed", "--set", "--export_dir")
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


def manual(seed):
    """Returns `Y0` and `Y1`, the outputs of the two steps, [instances, n_neurons].

    A recurrent neuron takes the inputs of a time step and what its layer output in the step before. A layer is
    n_neurons of them. Neuron j has column j of the weights: Y1[:, j] = tanh(X1 Wx[:, j] + Y0 Wy[:, j] + b[:, j]).
    At t = 0 there is no previous output, so Y0 has no product with Wy. All steps use the same 15 + 25 + 5 = 45 weights:

             Y0                  Y1            [instances, n_neurons]
              ^                   ^
            tanh --- Y0 Wy ---> tanh --->      Wy [n_neurons, n_neurons]
              ^                   ^
          X0 Wx + b           X1 Wx + b        Wx [n_inputs, n_neurons], b [1, n_neurons]
    """
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

        # A memory cell is a layer together with its state, what it remembers from one step to the next. This one is the
        # layer of `manual`: each call takes a step's inputs and the last state, and returns an output and a new state.
        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with kernel_seeds(20):
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
    """Returns `outputs` [instances, n_steps, n_neurons], `states`, and the inputs by time step: `X_seqs`, `X_test`."""
    n_steps, n_inputs, n_neurons = 2, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        X_test = tf.transpose(X, perm=[1, 0, 2])  # [n_steps, instances, n_inputs]: time-major
        X_seqs = tf.unstack(X_test)  # n_steps of [instances, n_inputs], what static_rnn takes

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with kernel_seeds(22):
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

        # A step needs the state that the step before it computes, so the steps come one after the other, in a loop. An
        # instance needs no other one, so in each step all of them are computed side by side, as rows of one product.
        # Only the products X Wx can be computed for all steps at once, as `tf1/layers.py` does.
        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with kernel_seeds(87):
            outputs, states = tf.nn.dynamic_rnn(basic_cell, X, dtype=tf.float32)

        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            outputs_val, states_val = sess.run([outputs, states], feed_dict={X: X_BATCH})
    print(outputs_val)
    print("By instance, then time step: dynamic_rnn takes and gives one batch-major array, without unstack and stack.")
    return {"outputs": outputs_val, "states": states_val}


def seqlen(seed):
    """Returns what `dynamic` does."""
    n_steps, n_inputs, n_neurons = 2, 3, 5
    with reset_graph(seed):
        X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        seq_length = tf.placeholder(tf.int32, [None])

        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons)
        with kernel_seeds(106):
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


class MNISTInput:
    """The batches of the images that are trained on, in an order that depends on the seed and the epoch alone.

    Args:
      config: its `batch_size` is used.
      X, y: images, [number of images, n_steps, n_inputs], and labels.
      seed: of the epochs' permutations.
    """

    def __init__(self, config, X, y, seed):
        if len(X) != len(y):
            raise UserError(f"{len(X)} images and {len(y)} labels: there must be one for each image")
        if len(X) < config.batch_size:
            raise UserError(f"{len(X)} images cannot fill a batch of {config.batch_size}: lower --set batch_size=N")
        self._X, self._y, self._batch_size, self._seed = X, y, config.batch_size, seed
        self._random, self._next_epoch = np.random.RandomState(seed), 1
        self.epoch_size = len(X) // config.batch_size

    def batches(self, epoch):
        """Yields the images and labels of an epoch, counted from 1: all batches, for `run_epoch` reads the last."""
        if epoch < self._next_epoch:
            self._random, self._next_epoch = np.random.RandomState(self._seed), 1
        for _ in range(self._next_epoch, epoch):
            self._random.permutation(len(self._X))  # of an epoch before
        self._next_epoch = epoch + 1
        yield from reader.shuffle_batch(self._X, self._y, self._batch_size, self._random)


class MNISTModel:
    """The graph that reads an image row by row, MNIST's in 28 time steps of 28 pixels, and predicts the digit.

    Args:
      config: the hyperparameters, of the class that `configs.MNIST_CONFIGS` has for `model`.
      model: `basic`, one layer of tanh units; `multilayer`, ReLU layers, whose final states all feed the dense layer;
        `lstm` and `gru`, layers of such cells, of which the top one's h does.
      rnn_mode: "basic", the tutorial's graph, or how `tf1/rnn.py` computes the same; the variables are the same.
      precision, groups: with "fused", see `tf1/rnn.py`.
      input_: an `MNISTInput`, for `run_epoch`.
      sizes: n_steps, n_inputs and n_outputs, which another image set has in `reader.Images.sizes`.
      is_training: with a training operation.

    Attributes:
      X, y: what is fed: images [number of images, n_steps, n_inputs], and their labels [number of images].
    """

    def __init__(
        self, config, model, rnn_mode="basic", precision="fp32", groups=1, input_=None, sizes=SIZES, is_training=True
    ):
        check_choice("model", model, tuple(configs.MNIST_CONFIGS))
        if model != "basic" and not hasattr(config, "n_layers"):
            raise UserError(f"model {model} has n_layers: take a config of configs.MNIST_CONFIGS[{model!r}]")
        n_steps, n_inputs, n_outputs = sizes
        self.input, self._model, self._n_outputs = input_, model, n_outputs
        self.X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
        self.y = tf.placeholder(tf.int32, [None])
        op_seeds, self._dense_seed = {
            "basic": ([88], 135),
            "multilayer": ([116, 137, 158], 211),
            "lstm": ([158, 192, 226], 296),
            "gru": ([], None),
        }[model]

        def new_cell():
            if model == "multilayer":
                return tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
            if model == "lstm":
                return tf.nn.rnn_cell.BasicLSTMCell(num_units=config.n_neurons)
            if model == "gru":
                return tf.nn.rnn_cell.GRUCell(num_units=config.n_neurons)
            return tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons)

        if model == "basic":
            self.cell = new_cell()
        else:
            self.cell = tf.nn.rnn_cell.MultiRNNCell([new_cell() for _ in range(config.n_layers)])
        modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
        with kernel_seeds(*op_seeds):
            _, states = rnn.dynamic_rnn(self.cell, self.X, dtype=tf.float32, **modes)
        self.logits = self.read_out(states)  # [number of images, n_outputs]
        self.predictions = tf.argmax(self.logits, axis=1)  # [number of images]

        labels = layers.labels_in_range(self.y, n_outputs)
        xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=self.logits)
        self.loss = tf.reduce_mean(xentropy)
        if is_training:
            optimizer = tf.train.AdamOptimizer(learning_rate=config.learning_rate)
            self.training_op = optimizer.minimize(self.loss, global_step=tf.train.get_or_create_global_step())
        self.correct = tf.nn.in_top_k(self.logits, labels, 1)  # [number of images]
        self.accuracy = tf.reduce_mean(tf.cast(self.correct, tf.float32))

    def read_out(self, states, reuse=None):
        """The logits [number of images, n_outputs] of the cell's states after the last row."""
        if self._model == "basic":
            features = states  # [number of images, n_neurons]
        elif self._model == "multilayer":
            features = tf.concat(states, axis=1)  # [number of images, n_layers * n_neurons]
        else:
            # A cell's output goes to the layer above, its state to the next step. An LSTM's state is c and h, its
            # output h; in a GRU the two are equal. A MultiRNNCell has every layer's state and the top layer's output.
            features = states[-1].h if self._model == "lstm" else states[-1]  # [number of images, n_neurons]
        initializer = tf.glorot_uniform_initializer(seed=self._dense_seed)
        return tf.layers.dense(features, self._n_outputs, kernel_initializer=initializer, name="softmax", reuse=reuse)


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over the batches of an epoch.

    Args:
      session: a session with the variables initialised.
      model: an `MNISTModel` with an `input_`.
      eval_op: run in every step, `model.training_op` for training.
      verbose: prints progress ten times.
      position: a `Position` to begin at, kept up to date; None: the beginning of the first epoch.
      steps: yields the numbers of the steps that are still to do; None: those that the epoch still has.
    Returns:
      The accuracy on the epoch's last batch, after the last step.
    """
    position, epoch_size = position or Position(), epoch_size_of(model)
    fetches = {"loss": model.loss}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    report_steps, batches = progress.report_steps(epoch_size), model.input.batches(position.epoch)
    for _ in range(position.step):
        X_batch, y_batch = next(batches)  # those that were used before the run was stopped

    for step in range(position.step, epoch_size) if steps is None else steps:
        X_batch, y_batch = next(batches)
        vals = session.run(fetches, feed_dict={model.X: X_batch, model.y: y_batch})
        position.step, position.loss = step + 1, float(vals["loss"])
        Diverged.check("loss", position.loss, f"in epoch {position.epoch} at step {step} of {epoch_size}")
        if verbose and step in report_steps:
            progress.write(f"{step / epoch_size:.3f} loss: {position.loss:.4f}")
    return session.run(model.accuracy, feed_dict={model.X: X_batch, model.y: y_batch})


def evaluate(session, model, X, y, watched=iter):
    """Reads images in pieces that fit in memory.

    Args:
      session, model, X, y: as for `run_epoch` and for `MNISTInput`.
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
    Returns:
      The accuracy, exact for all images together, and the predictions, [number of images].
    """
    length = max(1, PIXELS_AT_ONCE // (X.shape[1] * max(X.shape[2], 28)))  # a row takes memory for its state, too
    correct, predictions = np.empty(len(X), bool), np.empty(len(X), int)
    for start in watched(range(0, len(X), length)):
        piece = slice(start, start + length)
        feed_dict = {model.X: X[piece], model.y: y[piece]}
        correct[piece], predictions[piece] = session.run([model.correct, model.predictions], feed_dict)
    return np.float32(np.mean(correct)), predictions


@plots.picture
def plot_learning_curve(records, recorded, model, title, folder):
    """Accuracy by epoch, from 0 as the tutorial counts; `recorded` is the notebook's test accuracy by epoch."""
    figure, axes = plots.new_figure()
    epochs = [record["epoch"] - 1 for record in records]
    axes.plot(epochs, [record["acc_train"] for record in records], color="C0", alpha=0.4, label="train, last batch")
    axes.plot(epochs, [record["acc_test"] for record in records], "o-", markersize=3, color="C1", label="test")
    if recorded := {epoch: accuracy for epoch, accuracy in recorded.items() if epoch <= epochs[-1]}:
        axes.plot(recorded.keys(), recorded.values(), "k*", markersize=10, label="test, recorded in the notebook")
    axes.set(xlabel="epoch", ylabel="accuracy", title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return plots.save(figure, folder, f"mnist_learning_curve_{model}")


@plots.picture
def plot_misclassified(images, predictions, model, title, folder):
    """The first of the test images of a `reader.Images` that are read wrongly, `label > prediction` above each."""
    wrong = np.flatnonzero(images.y_test != predictions)
    pairs = zip(images.y_test[wrong] + images.first_label, predictions[wrong] + images.first_label)
    figure, axes = plots.new_figure()
    plots.draw_images(axes, images.X_test[wrong[:60]], [f"{label} > {reading}" for label, reading in pairs])
    axes.set_title(f"{title}: {len(wrong):,} of {len(predictions):,} read wrongly (label > reading)")
    return plots.save(figure, folder, f"mnist_misclassified_{model}")


def results_of(model, records, images, predictions, recorded, folder):
    """What `main` returns, by the tutorial's names; draws the pictures."""
    title = f"Images row by row, {model} model, {images.name}"
    learning_curve = plot_learning_curve(records, recorded, model, title, folder)
    plots.say(learning_curve, plot_misclassified(images, predictions, model, title, folder))
    return {name: [record[name] for record in records] for name in ("acc_train", "acc_test")}


def mnist(args, config):
    """Trains a model and returns `acc_train`, on the last batch, and `acc_test`: lists by epoch."""
    model = args.model or "basic"
    images = reader.Images(args.data_path)
    train_input = MNISTInput(config, images.X_train, images.y_train, args.seed)
    gates = {"lstm": 4, "gru": 3}.get(model, 1)
    modes, session_config = choose_modes(args, config.batch_size, config.n_neurons, gates)
    published = {**configs.values(configs.MNIST_CONFIGS[model]["small"]), "n_epochs": config.n_epochs}
    recorded = RECORDED[model] if images.is_mnist and configs.values(config) == published else {}

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        m = MNISTModel(config, model, input_=train_input, sizes=images.sizes, **modes)

        identity = {"script": "rnn_basics", "model": model, "config": configs.identity(config), "seed": args.seed}
        identity.update(data=images.description, sizes=images.sizes, first_label=images.first_label)
        with Run(args, identity, m.input.epoch_size, session_config, curves=("loss",)) as run:
            session = run.session
            if run.position.epoch > config.n_epochs:
                run.say_finished()
                acc_train, acc_test = (np.float32(run.records[-1][name]) for name in ("acc_train", "acc_test"))
                print(len(run.records) - 1, "Train accuracy:", acc_train, "Test accuracy:", acc_test)
                _, predictions = evaluate(session, m, images.X_test, images.y_test, run.watched)
            for epoch in range(run.position.epoch - 1, config.n_epochs):
                acc_train = run_epoch(session, m, m.training_op, position=run.position, steps=run.steps())
                acc_test, predictions = evaluate(session, m, images.X_test, images.y_test, run.watched)
                print(epoch, "Train accuracy:", acc_train, "Test accuracy:", acc_test)
                run.end_epoch(acc_train=float(acc_train), acc_test=float(acc_test))
    return results_of(model, run.records, images, predictions, recorded, args.save_path or "plots")


def deep(seed):
    """Returns what the notebook recorded, and the outputs for the document's smaller input as `tutorial_outputs`."""
    n_neurons, n_layers = 100, 3
    results = {}
    # The document's input has 5 steps of 2 values; the one that the notebook recorded has 20 of 5.
    for prefix, n_steps, n_inputs in (("tutorial_", 5, 2), ("", 20, 5)):
        with reset_graph(seed):
            X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])

            cells = [tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons) for _ in range(n_layers)]
            multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells)
            with kernel_seeds(115, 136, 157):
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


SECTIONS = {
    "manual": (manual, "two time steps by hand"),
    "static": (static, "static_rnn"),
    "packed": (packed, "one placeholder, static_rnn"),
    "dynamic": (dynamic, "dynamic_rnn"),
    "seqlen": (seqlen, "sequences of different lengths"),
    "mnist": (mnist, "rows of images as sequences"),
    "deep": (deep, "three layers"),
}


def get_config(args):
    """The config that the flags name, of `mnist`; the other sections have none."""
    return configs.get_config(configs.MNIST_CONFIGS[args.model or "basic"], args.config, args.overrides)


@app.command
def main(argv=None):
    args = parse_args(argv)
    is_mnist = args.section == "mnist"
    if not is_mnist and (flags := sorted(args.given - {"--section", "--seed"})):
        raise UserError(f"{flags[0]} goes with --section=mnist: add that, or leave {flags[0]} out")
    config = get_config(args)
    if trained.is_wanted(args):
        return trained.export_images(args, "rnn_basics", config, MNISTModel)
    checkpoints.check_flags(args)
    results = {}
    for section, (compute, header) in SECTIONS.items():
        if section == args.section or args.section == "all" and section != "mnist":
            print(f"--section={section}: {header}\n")
            results[section] = mnist(args, config) if section == "mnist" else compute(args.seed)
            print()
    return results if args.section == "all" else results[args.section]


if __name__ == "__main__":
    main()
