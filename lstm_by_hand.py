"""A multi-layer LSTM twice: through TensorFlow's API, and written out by hand; the two are the same mathematics.

Source: seed 003's notes (2020, in Chinese), for TensorFlow 1.13. Sections, in their order:

    api            MultiRNNCell of BasicLSTMCells, dynamic_rnn and its parameters by example, [cell] * n
    by_hand        the class LSTM, and the distributions that its weights can begin with
    equality       with the same weights: the API's LSTM, the one by hand, and one with weights for x and h apart
    train          both learn to predict the next value of a time series from the 30 before it
    initial_state  a trainable initial state against zeros, over 5 seeds

Commands, the MSE of the LSTM by hand, and the time on 2 cores:

    python lstm_by_hand.py --section=train     MSE over the whole range: 0.000768, with 43,777 numbers to train     30 s
    python lstm_by_hand.py                                                                                  2 minutes

No section trains longer than some seconds at a time, so nothing is saved but the picture.

The code by hand keeps the names and sizes of the source, which does not run as printed. What was changed:

* `__init__` creates `weights` and `biases`, which `lstm_init` fills; there is one `lstm_init`, not two.
* `encoder_lstm` takes no `args`; `lstm_init` makes the placeholder that it reads.
* `x[t]` is sliced and not squeezed: at input width 1 or batch size 1 the source loses a dimension.
* h = o * tanh(c), the LSTM's output (Hochreiter and Schmidhuber 1997; Gers et al. 2000). The source has
  h = o * tanh(candidate), which leaves the memory c out of the output; `train` measures both.
* `lstm_one_shift` returns new lists and leaves its caller's alone.
* `first_guess`, which the source explains and ignores, is added to the truncated normal distribution.
* A weight's file must hold numbers only, and a bias's file has its shape checked too.
* The constructor takes what the source fixes (`time_step`, the distribution) and the two variants that are measured;
  `gates` is apart from `lstm_unit`, for the per-gate form; `output`, `initial_state` and `final_state` are kept.
* The weights of the initial state are made after the others, so that with and without them the others begin the same.
* The API's part: `BasicLSTMCell[(num_units=n) ...]` is a call; `tf.contrib.layers.fully_connected` without activation
  is `tf.layers.dense`.
"""

import itertools
import os
import tempfile

import numpy as np

import configs
import reader
from tf1 import app, plots, progress, tf
from tf1.app import UserError

_CSV_CHARACTERS = 1 << 22  # 600 for each number of the largest weight
DISTRIBUTIONS = ("tn", "xavier", "dl", "he", "glorot_bengio")


def parse_args(argv=None):
    parser = app.ArgumentParser("lstm_by_hand.py", __doc__)
    parser.add_argument("--section", choices=(*SECTIONS, "all"), default="all", help="default: %(default)s")
    parser.add_argument("--config", default="small", help="small or test (default: %(default)s)")
    parser.add_argument(
        "--distribution",
        type=app.path,
        default="dl",
        help=f"of the weights by hand at the start: {', '.join(DISTRIBUTIONS)}, or CSV files, one for each weight, as "
        "in weights/{name}.csv, where {name} stands for LSTMWf1 and so on (default: %(default)s)",
    )
    parser.add_common("--seed", "--set")
    return parser.parse_args(argv)


def read_csv(path, var_name, shape):
    """The array of `shape`, one or two dimensions, in a file of numbers separated by commas: float32.

    Raises:
      UserError, a ValueError: there is no such file, it holds something else than numbers, or another shape.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_CSV_CHARACTERS + 1)
        if len(text) > _CSV_CHARACTERS:
            raise UserError(f"{path} is too large for the weights of {var_name}")
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        array = np.array([line.split(",") for line in lines], float)
    except FileNotFoundError as error:
        raise UserError(f"--distribution: {path} is neither a file nor one of {', '.join(DISTRIBUTIONS)}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path} must hold numbers separated by commas, for {var_name}: {error}") from error
    if len(shape) == 1 and 1 in array.shape:
        array = array.reshape(-1)
    if array.shape != tuple(shape):
        expected, found = (" x ".join(map(str, dimensions)) for dimensions in (shape, array.shape))
        raise UserError(f"{path} is not of the shape of {var_name}: expected {expected} numbers, found {found}")
    if not np.all(np.abs(array) <= np.finfo(np.float32).max):  # not true of NaN either
        raise UserError(f"{path} has numbers for {var_name} that are not finite")
    return array.astype(np.float32)


def weight_shapes(width, trainable_start=True):
    """The shapes of an LSTM's weights by name, for layers of `width[1:]` units over inputs of `width[0]` values."""
    shapes = {}
    layers = list(enumerate(zip(width, width[1:]), start=1))
    for i, (n1, n2) in layers:
        for gate in "fico":
            shapes[f"LSTMW{gate}{i}"] = [n2 + n1, n2]  # rows for h, then for x
    for i, (n1, n2) in layers if trainable_start else ():
        shapes[f"WEH{i}"] = shapes[f"WEC{i}"] = [n1, n2]  # make the initial h and c
    return shapes


class LSTM:
    """Three layers of LSTM units in basic operations, with a placeholder `x` that is time-major.

    Args:
      input_dim: values of an input.
      time_step: how many inputs a sequence has.
      distribution: of the weights at the start, see `weight_variable`; {name} in a file's name stands for the weight's.
      trainable_start: the initial h and c of each layer come from x[0] through trainable tanh layers; else zeros.
      candidate_output: h = o * tanh(candidate), the source's slip, instead of the LSTM's h = o * tanh(c).

    Attributes:
      weights, biases: the variables by name.
      output: the top layer's h, a list of time_step tensors [batch_size, width[-1]].
      final_state: the h and the c of each layer behind the last time step, two lists.
    """

    def __init__(self, input_dim, time_step=30, distribution="dl", trainable_start=True, candidate_output=False):
        self.input_dim = input_dim
        self.width = [input_dim, 32, 32, 64]
        self.time_step = time_step
        self.distribution = distribution
        self.trainable_start = trainable_start
        self.candidate_output = candidate_output
        self.weights, self.biases = {}, {}
        self.lstm_init()
        self.output = self.encoder_lstm()

    def weight_shapes(self):
        return weight_shapes(self.width, self.trainable_start)

    def lstm_init(self):
        """Makes the placeholder and all weights and biases."""
        self.x = tf.placeholder(tf.float32, [self.time_step, None, self.input_dim])
        for name, shape in self.weight_shapes().items():
            distribution = self.distribution.replace("{name}", name)
            self.weights[name] = self.weight_variable(shape, name, distribution, scale=1 / shape[1])
        for i, n2 in enumerate(self.width[1:], start=1):
            for gate in "fico":
                self.biases[f"LSTMb{gate}{i}"] = self.bias_variable([n2], f"LSTMb{gate}{i}")

    def encoder_lstm(self):
        """The top layer's h at each time step, a list of tensors [batch_size, width[-1]].

        x[t] -> layer 1 -> h -> layer 2 -> h -> layer 3 -> output[t]
                 h, c |          h, c |          h, c |
                      v               v               v          to the same layers at t + 1
        """
        h, c = [], []
        input_h = input_c = self.x[0]  # [batch_size, input_dim]
        for i, n2 in enumerate(self.width[1:], start=1):
            if self.trainable_start:
                input_h = tf.nn.tanh(tf.matmul(input_h, self.weights[f"WEH{i}"]))
                input_c = tf.nn.tanh(tf.matmul(input_c, self.weights[f"WEC{i}"]))
            else:
                input_h = input_c = tf.zeros([tf.shape(self.x)[1], n2])
            h.append(input_h)  # [batch_size, n2]
            c.append(input_c)
        self.initial_state = h, c

        output = []
        for t in range(self.time_step):
            h, c = self.lstm_one_shift(self.x[t], h, c, len(self.width) - 1)
            output.append(h[-1])
        self.final_state = h, c
        return output

    def lstm_one_shift(self, x, h, c, num_lstm):
        """One time step of all layers.

        Args:
          x: the input, [batch_size, input_dim].
          h, c: of each layer at the time step before, lists of tensors [batch_size, width of the layer].
          num_lstm: the number of layers.
        Returns:
          h and c of each layer at this time step.
        """
        new_h, new_c = [], []
        for j in range(num_lstm):
            x, layer_c = self.lstm_unit(x, h[j], c[j], j + 1)
            new_h.append(x)
            new_c.append(layer_c)
        return new_h, new_c

    def lstm_unit(self, x, h, c, k):
        """One time step of layer `k`, from 1 on.

        Args:
          x: [batch_size, n1], the layer's input.
          h, c: [batch_size, n2], its output and its memory at the time step before.
        Returns:
          h and c at this time step.
        """
        f, i, candidate, o = self.gates(x, h, k)
        f, i, candidate, o = tf.nn.sigmoid(f), tf.nn.sigmoid(i), tf.nn.tanh(candidate), tf.nn.sigmoid(o)
        c = f * c + i * candidate
        h = o * tf.nn.tanh(candidate if self.candidate_output else c)
        return h, c

    def gates(self, x, h, k):
        """What the forget gate, the input gate, the candidate and the output gate of layer `k` are made from.

        Four tensors [batch_size, n2], before their sigmoid or tanh.
        """
        hx = tf.concat([h, x], axis=1)  # [batch_size, n2 + n1]
        return [tf.nn.xw_plus_b(hx, self.weights[f"LSTMW{gate}{k}"], self.biases[f"LSTMb{gate}{k}"]) for gate in "fico"]

    def weight_variable(self, shape, var_name, distribution="tn", scale=0.1, first_guess=0):
        """A variable for a weight matrix.

        Args:
          shape: [m, n].
          var_name: its name.
          distribution: of its values at the start:
              tn             truncated normal, of standard deviation `scale`, around `first_guess`
              xavier         uniform, +- 4 sqrt(6 / (m + n)): Glorot and Bengio 2010, for sigmoid units
              dl             uniform, +- 1 / sqrt(m): Goodfellow et al. 2016, section 8.4
              he             normal, of standard deviation sqrt(2 / m): He et al. 2015, for ReLU units
              glorot_bengio  uniform, +- sqrt(6 / (m + n)): Glorot and Bengio 2010, for tanh units
            or the name of a CSV file that has them.
          scale: the standard deviation of `tn`.
          first_guess: a number or an array of the same shape, for `tn`.
        Raises:
          UserError, a ValueError: the file does not have an array of this shape.
        """
        m, n = shape
        if distribution == "tn":
            initial = first_guess + tf.truncated_normal(shape, stddev=scale)
        elif distribution == "xavier":
            initial = tf.random_uniform(shape, -4 * np.sqrt(6 / (m + n)), 4 * np.sqrt(6 / (m + n)))
        elif distribution == "dl":
            initial = tf.random_uniform(shape, -1 / np.sqrt(m), 1 / np.sqrt(m))
        elif distribution == "he":
            initial = tf.random_normal(shape, stddev=np.sqrt(2 / m))
        elif distribution == "glorot_bengio":
            initial = tf.random_uniform(shape, -np.sqrt(6 / (m + n)), np.sqrt(6 / (m + n)))
        else:
            initial = read_csv(distribution, var_name, shape)
        return tf.Variable(initial, name=var_name, dtype=tf.float32)

    def bias_variable(self, shape, var_name, distribution=""):
        """A variable for a bias vector of `shape` [n]: zeros, or the numbers of the CSV file `distribution`."""
        initial = read_csv(distribution, var_name, shape) if distribution else tf.zeros(shape)
        return tf.Variable(initial, name=var_name, dtype=tf.float32)


class PerGateLSTM(LSTM):
    """The form at the end of the source, W_x x + W_h h + b for each gate: eight weight arrays a layer, not four."""

    def weight_shapes(self):
        shapes = {}
        for name, (m, n2) in super().weight_shapes().items():
            if name.startswith("LSTMW"):
                shapes[name.replace("W", "Wh")] = [n2, n2]
                shapes[name.replace("W", "Wx")] = [m - n2, n2]
            else:
                shapes[name] = [m, n2]
        return shapes

    def gates(self, x, h, k):
        return [
            tf.matmul(x, self.weights[f"LSTMWx{gate}{k}"])
            + tf.matmul(h, self.weights[f"LSTMWh{gate}{k}"])
            + self.biases[f"LSTMb{gate}{k}"]
            for gate in "fico"
        ]


def api_layout(values, k):
    """The arrays of layer `k` by hand as BasicLSTMCell has them: kernel [n1 + n2, 4 n2] and bias [4 n2].

        by hand, for each gate           BasicLSTMCell, all gates side by side
            W_f, W_i, W_c, W_o               i     c     f     o
        h   [n2, n2]                     x   [n1, 4 n2]
        x   [n1, n2]                     h   [n2, 4 n2]

    Args:
      values: weights and biases, or their gradients, by name.
    """
    weights, biases = ([values[f"LSTM{kind}{gate}{k}"] for gate in "icfo"] for kind in "Wb")
    kernel = np.hstack([np.roll(weight, -weight.shape[1], axis=0) for weight in weights])
    return kernel, np.concatenate(biases)


def per_gate_layout(values):
    """The arrays by hand as `PerGateLSTM` has them, by its names."""
    apart = {}
    for name, value in values.items():
        if name.startswith("LSTMW"):
            n2 = value.shape[1]
            apart[name.replace("W", "Wh")], apart[name.replace("W", "Wx")] = value[:n2], value[n2:]
        else:
            apart[name] = value
    return apart


def api_lstm(inputs, num_units, initial_state=None, time_major=False):
    """The API's layers over `inputs` [batch_size, time_step, input_dim]: outputs, final states and the cells."""
    cells = [tf.nn.rnn_cell.BasicLSTMCell(n) for n in num_units]
    cell = tf.nn.rnn_cell.MultiRNNCell(cells)
    outputs, states = tf.nn.dynamic_rnn(
        cell, inputs, initial_state=initial_state, time_major=time_major, dtype=tf.float32
    )
    return outputs, states, cells


class NextValueModel:
    """Predicts the value behind a sequence, from the last h of an LSTM through one linear layer.

    Args:
      config: the hyperparameters.
      x: a placeholder for the sequences.
      last_output: [batch_size, units].
      time_major: how `x` is laid out: [time_step, batch_size, 1], or [batch_size, time_step, 1].
    """

    def __init__(self, config, x, last_output, time_major):
        self.x, self._time_major = x, time_major
        self.y = tf.placeholder(tf.float32, [None, 1])
        # tf.contrib.layers.fully_connected(last_output, 1, activation_fn=None)
        # With an op seed, so that it begins the same behind different LSTMs.
        kernel_initializer = tf.glorot_uniform_initializer(seed=1)
        self.predictions = tf.layers.dense(last_output, 1, kernel_initializer=kernel_initializer)  # [batch_size, 1]
        self.loss = tf.reduce_mean(tf.square(self.predictions - self.y))  # MSE
        optimizer = tf.train.AdamOptimizer(config.learning_rate)
        grads_and_vars = optimizer.compute_gradients(self.loss)
        self.untrained = [variable.op.name for gradient, variable in grads_and_vars if gradient is None]
        self.training_op = optimizer.apply_gradients(grads_and_vars)

    def feed_dict(self, X, y):
        """For `X` [batch_size, time_step, 1] and `y` [batch_size, 1]."""
        return {self.x: X.transpose(1, 0, 2) if self._time_major else X, self.y: y}


def build_api_model(config, num_units):
    x = tf.placeholder(tf.float32, [None, config.time_step, 1])
    outputs, _, _ = api_lstm(x, num_units)
    return NextValueModel(config, x, outputs[:, -1, :], time_major=False)  # the last h, not the last c


def build_model_by_hand(config, distribution, **settings):
    lstm = LSTM(1, config.time_step, distribution, **settings)
    return NextValueModel(config, lstm.x, lstm.output[-1], time_major=True)


def run_training(session, model, config, random, verbose=False):
    """Trains on batches of the series from `random`, a RandomState; returns the MSE of evenly spread sequences.

    Returns:
      The MSE, and the times, the truth and the predictions that it is made from, each [number of sequences].
    """
    with progress.bar(config.n_iterations) as iterations:
        for iteration in iterations:
            X_batch, y_batch = reader.next_batch(config.batch_size, config.time_step, random)
            feed_dict = model.feed_dict(X_batch, y_batch[:, -1])
            _, mse = session.run([model.training_op, model.loss], feed_dict)
            if not np.isfinite(mse):
                raise UserError(f"the MSE became {mse:g} at iteration {iteration}: lower --set learning_rate=X", 1)
            if verbose and iteration % 100 == 0:
                progress.write(f"{iteration} \tMSE: {mse!s}")
    starts = np.arange(reader.T_MIN, reader.T_MAX - config.time_step * reader.RESOLUTION, reader.RESOLUTION)
    times = starts[:, None] + np.arange(config.time_step + 1) * reader.RESOLUTION
    values = reader.time_series(times)
    feed_dict = model.feed_dict(values[:, :-1, None], values[:, -1:])
    mse, predictions = session.run([model.loss, model.predictions], feed_dict)
    return float(mse), times[:, -1], values[:, -1], predictions[:, 0]


def plot_predictions(truth, predictions, folder):
    """`truth` is (times, values); `predictions`, of the values at these times, and their MSE by the model's name."""
    figure, axes = plots.new_figure()
    axes.plot(*truth, color="black", linewidth=3, alpha=0.3, label="truth")
    for name, (mse, values) in predictions.items():
        axes.plot(truth[0], values, linewidth=1, label=f"{name}, MSE {mse:.4f}")
    axes.set(xlabel="time", ylabel="value", title="The next value, from the values before it")
    axes.grid(alpha=0.3)
    axes.legend()
    return plots.save(figure, folder, "lstm_by_hand_predictions")


def api(config, distribution, seed):
    """Returns `outputs`, `states` and `predictions` of the two-layer LSTM for one batch."""
    hidden_size = [20, 30]
    X_batch = np.random.RandomState(seed).rand(2, 5, 3)  # [batch_size, seq_length, input_dim]

    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        X = tf.placeholder(tf.float32, [None, None, 3])
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(i) for i in hidden_size])

        def rnn(inputs, **parameters):  # every call builds layers over the same weights
            with tf.variable_scope("rnn", reuse=tf.AUTO_REUSE) as scope:
                return tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32, scope=scope, **parameters)

        outputs, states = rnn(X)
        predictions = tf.layers.dense(outputs[:, -1, :], 1)
        time_major_outputs, _ = rnn(tf.transpose(X, [1, 0, 2]), time_major=True)
        short_outputs, short_states = rnn(X, sequence_length=[5, 3])
        _, first_states = rnn(X[:, :2])
        rest_outputs, _ = rnn(X[:, 2:], initial_state=first_states)
        sequential_outputs, _ = rnn(X, parallel_iterations=1)
        swapped_outputs, _ = rnn(X, swap_memory=True)
        fetches = outputs, states, predictions, time_major_outputs, short_outputs, short_states, rest_outputs
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            outputs, states, predictions, time_major, short, short_states, rest, sequential, swapped = sess.run(
                [*fetches, sequential_outputs, swapped_outputs], feed_dict={X: X_batch}
            )
        names = [f"{variable.op.name} {variable.shape}" for variable in tf.trainable_variables()]

    def same(a, b):
        return f"the same numbers, to {np.max(np.abs(a - b)):.0e}"

    print(f"inputs  {X_batch.shape}: batch_size, seq_length, input_dim")
    print(f"outputs {outputs.shape}: the last layer's h at every time step")
    for layer, (c, h) in enumerate(states):
        print(f"states[{layer}]: c {c.shape}, h {h.shape}, of layer {layer} behind the last time step")
    print(f"states[-1].h and outputs[:, -1]: {same(states[-1].h, outputs[:, -1])}")
    print(f"predictions {predictions.shape}: the last output, h and not c, through one linear layer")
    print(*names, sep="\n")
    print()
    print(f"time_major=True: inputs and outputs {time_major.shape}; {same(time_major, outputs.transpose(1, 0, 2))}")
    print(
        f"sequence_length=[5, 3]: outputs[1, 3:] are {np.unique(short[1, 3:])}, and states[-1].h[1] is outputs[1, 2]:"
    )
    print(f"    {same(short_states[-1].h[1], outputs[1, 2])}")
    print(f"initial_state=the states behind 2 steps, and the other 3 steps as inputs: {same(rest, outputs[:, 2:])}")
    print(f"parallel_iterations=1 (default 32; ops of a loop that may run at a time): {same(sequential, outputs)}")
    print(f"swap_memory=True (a GPU's memory for gradients moves to the host's): {same(swapped, outputs)}")
    print()

    for num_units, input_dim in ([128, 64], 3), ([20, 20], 3), ([20, 20], 20):
        shared = num_units[0] == num_units[1]
        with tf.Graph().as_default():
            X = tf.placeholder(tf.float32, [None, 5, input_dim])
            basic_cell = tf.nn.rnn_cell.BasicLSTMCell(num_units[0])
            cells = [basic_cell] * 2 if shared else [tf.nn.rnn_cell.BasicLSTMCell(num_units=n) for n in num_units]
            title = f"[cell] * 2 of {num_units[0]} units" if shared else f"num_units = {num_units}"
            verbosity = tf.logging.get_verbosity()
            tf.logging.set_verbosity(tf.logging.ERROR)  # TensorFlow warns of shared cells
            try:
                stacked_outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), X, dtype=tf.float32)
                kernels = [v.shape.as_list() for v in tf.trainable_variables() if "kernel" in v.op.name]
                end = f"outputs {stacked_outputs.shape}, kernels {kernels}"
                if shared:
                    end += ", no error, and both layers have the same one"
            except ValueError as error:
                end = f"ValueError, {str(error).partition(' for ')[0]}"
            finally:
                tf.logging.set_verbosity(verbosity)
        print(f"{title} over inputs of width {input_dim}: {end}")
    print("One cell object is one set of weights: a list needs an object for each layer.")
    return {"outputs": outputs, "states": states, "predictions": predictions}


def by_hand(config, distribution, seed):
    """Returns `output`, the h of the top layer [time_step, batch_size, 64], for one batch."""
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        lstm = LSTM(1, config.time_step, distribution)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            x = np.random.RandomState(seed).rand(config.time_step, 2, 1)
            output = np.array(sess.run(lstm.output, feed_dict={lstm.x: x}))
            numbers = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
            print(f"x {x.shape}: time_step, batch_size, input_dim; output: {len(lstm.output)} times {output[0].shape}")
            print(f"{len(lstm.weights)} weights and {len(lstm.biases)} biases, {numbers:,} numbers; of layer 2:")
            for name, variable in {**lstm.weights, **lstm.biases}.items():
                if name.endswith("2"):
                    print(f"    {name} {variable.shape}")

            print("Distributions of a weight [64, 32]:      mean   standard deviation      least   greatest")
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "weight.csv")
                np.savetxt(path, np.random.RandomState(seed).uniform(-1, 1, [64, 32]), delimiter=",")
                for name in (*DISTRIBUTIONS, path):
                    weight = lstm.weight_variable([64, 32], "weight", name)
                    sess.run(weight.initializer)
                    value = sess.run(weight)
                    title = "a CSV file" if name == path else name
                    numbers = value.mean(), value.std(), value.min(), value.max()
                    print("    {:32} {:9.4f} {:20.4f} {:10.4f} {:10.4f}".format(title, *numbers))
                try:
                    lstm.weight_variable([32, 64], "weight", path)
                except ValueError as error:
                    print(f"The same file for a weight [32, 64]: {error}".replace(path, "weight.csv"))
    return {"output": output}


def equality(config, distribution, seed):
    """Gives three LSTMs the same weights and inputs, and compares them with the one by hand.

    Returns the largest differences: `api` and `per_gate`, of outputs; `api_gradients` and `per_gate_gradients`, of the
    gradients of inputs, weights and biases, in proportion to the largest gradient.
    """
    forget_bias = 1.0  # BasicLSTMCell's default, which it adds to the forget gate's bias
    random = np.random.RandomState(seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        lstm = LSTM(1, config.time_step, distribution)
        per_gate = PerGateLSTM(1, config.time_step)
        initial_state = tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for h, c in zip(*lstm.initial_state))
        outputs, _, cells = api_lstm(lstm.x, lstm.width[1:], initial_state, time_major=True)

        def with_gradients(output, *sources):
            return output, tf.gradients(tf.reduce_sum(tf.square(output)), sources)

        names = [*lstm.weights, *lstm.biases]
        hand_fetches = with_gradients(tf.stack(lstm.output), lstm.x, *lstm.weights.values(), *lstm.biases.values())
        api_fetches = with_gradients(outputs, lstm.x, *itertools.chain(*(cell.weights for cell in cells)))
        per_gate_names = [*per_gate.weights, *per_gate.biases]
        per_gate_fetches = with_gradients(
            tf.stack(per_gate.output), per_gate.x, *per_gate.weights.values(), *per_gate.biases.values()
        )
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            # Zeros, as biases begin, would hide that one of them is in the wrong place.
            sess.run([tf.assign(bias, random.uniform(-1, 1, bias.shape)) for bias in lstm.biases.values()])
            values = sess.run({**lstm.weights, **lstm.biases})
            for k, cell in enumerate(cells, start=1):
                kernel, bias = api_layout(values, k)
                n2 = lstm.width[k]
                bias[2 * n2 : 3 * n2] -= forget_bias
                sess.run([tf.assign(cell.weights[0], kernel), tf.assign(cell.weights[1], bias)])
            apart = per_gate_layout(values)
            sess.run([tf.assign(v, apart[name]) for name, v in {**per_gate.weights, **per_gate.biases}.items()])

            x = random.uniform(-1, 1, [config.time_step, 4, 1])
            feed_dict = {lstm.x: x, per_gate.x: x}
            fetches = [hand_fetches, api_fetches, per_gate_fetches]
            (output, grads), (api_output, api_grads), (per_gate_output, per_gate_grads) = sess.run(fetches, feed_dict)
    grads, x_grad = dict(zip(names, grads[1:])), grads[0]
    expected_api = [x_grad, *itertools.chain(*(api_layout(grads, k) for k in range(1, len(cells) + 1)))]
    apart = per_gate_layout(grads)
    expected_per_gate = [x_grad, *(apart[name] for name in per_gate_names)]

    def difference(arrays, expected_arrays):
        scale = max(np.max(np.abs(expected)) for expected in expected_arrays)
        return float(max(np.max(np.abs(a - expected)) for a, expected in zip(arrays, expected_arrays)) / scale)

    results = {
        "api": float(np.max(np.abs(api_output - output))),
        "api_gradients": difference(api_grads, expected_api),
        "per_gate": float(np.max(np.abs(per_gate_output - output))),
        "per_gate_gradients": difference(per_gate_grads, expected_per_gate),
    }
    print(f"The same weights in three forms, {config.time_step} time steps, 4 sequences; the one by hand against")
    for name, title in ("api", "BasicLSTMCell"), ("per_gate", "W_x x + W_h h + b"):
        outputs_difference, gradients_difference = results[name], results[f"{name}_gradients"]
        print(f"    {title:18} outputs differ by {outputs_difference:.1e}, gradients by {gradients_difference:.1e}")
    print(
        "BasicLSTMCell has [x, h] where the code by hand has [h, x], its gates in the order input, candidate, forget,"
    )
    print(
        "output, and adds a forget bias of 1, which was taken off the bias that it got. What is left is the rounding of"
    )
    print("fp32, which large weights (--distribution=xavier) amplify from step to step.")
    return results


def train(config, distribution, seed):
    """Returns `mse` by the model's name."""
    models = {
        "API, [20, 30]": lambda: build_api_model(config, [20, 30]),
        "API, [128, 64]": lambda: build_api_model(config, [128, 64]),
        "by hand": lambda: build_model_by_hand(config, distribution),
        "by hand, o * tanh(candidate)": lambda: build_model_by_hand(config, distribution, candidate_output=True),
    }
    predictions = {}
    for name, build in models.items():
        print(name)
        with tf.Graph().as_default():
            tf.set_random_seed(seed)
            model = build()
            with tf.Session() as sess:
                sess.run(tf.global_variables_initializer())
                mse, *truth, predicted = run_training(sess, model, config, np.random.RandomState(seed), verbose=True)
            numbers = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
        print(f"MSE over the whole range: {mse:.6f}, with {numbers:,} numbers to train")
        if model.untrained:
            print(f"No gradient reaches {', '.join(model.untrained)}: they stay as they began")
        predictions[name] = mse, predicted
    print(
        f"(Always the mean would have an MSE of {np.var(truth[1]):.2f}.) With o * tanh(candidate) the memory c does not"
    )
    print("reach the output, nor do the gates that make it.")
    if picture := plot_predictions(truth, predictions, "plots"):
        print(f"Picture: {picture}")
    return {"mse": {name: mse for name, (mse, _) in predictions.items()}}


def compare_initial_states(config, distribution, seed):
    """Returns `trainable` and `zeros`, the MSE after training by seed."""
    results = {"trainable": [], "zeros": []}
    print("seed  MSE, trainable initial state  MSE, zeros")
    for run_seed in range(seed, seed + config.n_seeds):
        for name, mses in results.items():
            with tf.Graph().as_default():
                tf.set_random_seed(run_seed)
                model = build_model_by_hand(config, distribution, trainable_start=name == "trainable")
                with tf.Session() as sess:
                    sess.run(tf.global_variables_initializer())
                    mses.append(run_training(sess, model, config, np.random.RandomState(run_seed))[0])
        print(f"{run_seed:4}  {results['trainable'][-1]:28.6f}  {results['zeros'][-1]:10.6f}")
    trainable, zeros = (np.array(mses) for mses in results.values())
    means = {}
    for name, mses in {**results, "trainable - zeros": trainable - zeros}.items():
        means[name] = np.mean(mses), np.std(mses, ddof=1) / np.sqrt(len(mses))
        print("{}: mean {:.6f}, standard error {:.6f}".format(name, *means[name]))
    difference, error = means["trainable - zeros"]
    verdict = "beyond" if abs(difference) > 2 * error else "within"
    print(f"The difference is {verdict} two standard errors; the other weights began the same.")
    return results


SECTIONS = {
    "api": (api, "MultiRNNCell of BasicLSTMCells, and dynamic_rnn's parameters"),
    "by_hand": (by_hand, "the class LSTM"),
    "equality": (equality, "the same mathematics"),
    "train": (train, "the next value of a series"),
    "initial_state": (compare_initial_states, "a trainable initial state against zeros"),
}


def get_config(args):
    """The config that the flags name."""
    config = configs.get_config(configs.LSTM_CONFIGS, args.config, args.overrides)
    if config.time_step * reader.RESOLUTION >= reader.T_MAX - reader.T_MIN:
        raise UserError(
            f"--set time_step={config.time_step}: the series has {reader.T_MAX / reader.RESOLUTION:.0f} values"
        )
    if config.n_seeds < 2:
        raise UserError(f"--set n_seeds={config.n_seeds}: a comparison takes at least 2")
    return config


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    if args.distribution not in DISTRIBUTIONS:
        for name, shape in weight_shapes([1, 32, 32, 64]).items():
            read_csv(args.distribution.replace("{name}", name), name, shape)
    results = {}
    for section, (run, headline) in SECTIONS.items():
        if args.section in (section, "all"):
            print(f"--section={section}: {headline}\n")
            results[section] = run(config, args.distribution, args.seed)
            print()
    return results if args.section == "all" else results[args.section]


if __name__ == "__main__":
    main()
