"""A multi-layer LSTM twice: through TensorFlow's API, and written out by hand; the two are the same mathematics.

Source: notes in Chinese by 烟酒僧 (29 March 2020) on LSTMs in TensorFlow 1.13. In studies/: lstm_equality,
output_gate, initial_state, weight_distributions, dynamic_rnn_parameters, shared_cells. Sections, in their order:

    api      MultiRNNCell of BasicLSTMCells, and dynamic_rnn
    by_hand  the class LSTM
    train    an LSTM, by hand or through the API, learns to predict the next value of a series from the 30 before it

Commands, the MSE over the whole range that the training ends with, and the time on 2 cores:

    python lstm_by_hand.py                                  0.000768, with 43,777 numbers to train    25 s
    python lstm_by_hand.py --section=train --model=api      0.334387, with 7,911 numbers to train     10 s

The code by hand keeps the names and sizes of the source, which does not run as printed. What was changed:

* `__init__` creates `weights` and `biases`, which `lstm_init` fills; there is one `lstm_init`, not two.
* `encoder_lstm` takes no `args`; `lstm_init` makes the placeholder that it reads. What it starts from is a method.
* `x[t]` is sliced and not squeezed: at input width 1 or batch size 1 the source loses a dimension.
* h = o * tanh(c), the LSTM's output (Hochreiter and Schmidhuber 1997; Gers et al. 2000). The source has
  h = o * tanh(candidate), which leaves the memory c out of the output.
* `lstm_one_shift` returns new lists and leaves its caller's alone.
* `first_guess`, which the source explains and ignores, is added to the truncated normal distribution.
* A weight's file must hold numbers only, and a bias's file has its shape checked too.
* The constructor takes what the source fixes, `time_step` and the distribution, and keeps the output and the states.
* The weights of the initial state are made after the others, so that without them the others begin the same.
* The API's part: `BasicLSTMCell[(num_units=n) ...]` is a call; `tf.contrib.layers.fully_connected` without activation
  is `tf.layers.dense`.
"""

import numpy as np

import configs
import reader
from tf1 import app, checkpoints, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.training import Position, Run

DISTRIBUTIONS = ("tn", "xavier", "dl", "he", "glorot_bengio")
WIDTH, HIDDEN_SIZE = [32, 32, 64], [20, 30]  # units of each layer, by hand and through the API
MODELS = {"by_hand": "by hand", "api": f"API, {HIDDEN_SIZE}"}
REPORT_INTERVAL = 100  # iterations from line to line


def parse_args(argv=None):
    parser = app.ArgumentParser("lstm_by_hand.py", __doc__)
    parser.add_argument("--section", choices=(*SECTIONS, "all"), default="all", help="default: %(default)s")
    parser.add_argument("--model", choices=tuple(MODELS), help="that --section=train trains (default: by_hand)")
    parser.add_argument("--config", default="small", help="small or test (default: %(default)s)")
    parser.add_argument(
        "--distribution",
        type=app.path,
        default="dl",
        help=f"of the weights by hand at the start: {', '.join(DISTRIBUTIONS)}, or CSV files, one for each weight, as "
        "in weights/{name}.csv, where {name} stands for LSTMWf1 and so on (default: %(default)s)",
    )
    parser.add_common("--save_path", "--save_every", "--init_from", "--seed", "--set")
    return parser.parse_args(argv)


class LSTM:
    """Three layers of LSTM units in basic operations, with a placeholder `x` that is time-major.

    Args:
      input_dim: values of an input.
      time_step: how many inputs a sequence has.
      distribution: of the weights at the start, see `weight_variable`; {name} in a file's name stands for the weight's.

    Attributes:
      weights, biases: the variables by name.
      initial_state: the h and the c of each layer before the first time step, two lists.
      output: the top layer's h, a list of time_step tensors [batch_size, width[-1]].
      final_state: the h and the c of each layer after the last time step, two lists.
    """

    def __init__(self, input_dim, time_step=30, distribution="dl"):
        self.input_dim = input_dim
        self.width = [input_dim, *WIDTH]
        self.time_step = time_step
        self.distribution = distribution
        self.weights, self.biases = {}, {}
        self.lstm_init()
        self.output = self.encoder_lstm()

    @staticmethod
    def weight_shapes(width):
        """The shapes of the weights by name, for layers of `width[1:]` units over inputs of `width[0]` values."""
        shapes = {}
        layers = list(enumerate(zip(width, width[1:]), start=1))
        for i, (n1, n2) in layers:
            for gate in "fico":
                shapes[f"LSTMW{gate}{i}"] = [n2 + n1, n2]  # rows for h, then for x
        for i, (n1, n2) in layers:
            shapes[f"WEH{i}"] = shapes[f"WEC{i}"] = [n1, n2]  # make the initial h and c
        return shapes

    def lstm_init(self):
        """Makes the placeholder and all weights and biases."""
        self.x = tf.placeholder(tf.float32, [self.time_step, None, self.input_dim])
        for name, shape in self.weight_shapes(self.width).items():
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
        h, c = self.initial_state = self.first_state()
        output = []
        for t in range(self.time_step):
            h, c = self.lstm_one_shift(self.x[t], h, c, len(self.width) - 1)
            output.append(h[-1])
        self.final_state = h, c
        return output

    def first_state(self):
        """The h and the c of each layer at the start, which trainable tanh layers make from x[0]."""
        h, c = [], []
        input_h = input_c = self.x[0]  # [batch_size, input_dim]
        for i in range(1, len(self.width)):
            input_h = tf.nn.tanh(tf.matmul(input_h, self.weights[f"WEH{i}"]))
            input_c = tf.nn.tanh(tf.matmul(input_c, self.weights[f"WEC{i}"]))
            h.append(input_h)  # [batch_size, width[i]]
            c.append(input_c)
        return h, c

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
        hx = tf.concat([h, x], axis=1)  # [batch_size, n2 + n1]
        f, i, candidate, o = (
            tf.nn.xw_plus_b(hx, self.weights[f"LSTMW{gate}{k}"], self.biases[f"LSTMb{gate}{k}"]) for gate in "fico"
        )
        f, i, candidate, o = tf.nn.sigmoid(f), tf.nn.sigmoid(i), tf.nn.tanh(candidate), tf.nn.sigmoid(o)
        c = f * c + i * candidate
        h = o * tf.nn.tanh(c)
        return h, c

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
            initial = reader.read_weights(distribution, var_name, shape)
        return tf.Variable(initial, name=var_name, dtype=tf.float32)

    def bias_variable(self, shape, var_name, distribution=""):
        """A variable for a bias vector of `shape` [n]: zeros, or the numbers of the CSV file `distribution`."""
        initial = reader.read_weights(distribution, var_name, shape) if distribution else tf.zeros(shape)
        return tf.Variable(initial, name=var_name, dtype=tf.float32)


class NextValueModel:
    """Predicts the value after a sequence, from the last h of an LSTM through one linear layer.

    Args:
      config: the hyperparameters.
      x: a placeholder for the sequences, as `time_major` says.
      last_output: [batch_size, units].
      time_major: how `x` is laid out: [time_step, batch_size, 1], or [batch_size, time_step, 1].
      seed: of the batches.
    """

    def __init__(self, config, x, last_output, time_major, seed):
        series = reader.TutorialSeries(config.time_step)
        self.input = reader.SeriesInput(series, config.batch_size, config.n_iterations, seed)
        self.x, self._time_major = x, time_major
        self.y = tf.placeholder(tf.float32, [None, 1])
        # tf.contrib.layers.fully_connected(last_output, 1, activation_fn=None)
        # With an op seed, so that it begins the same after different LSTMs.
        kernel_initializer = tf.glorot_uniform_initializer(seed=1)
        self.predictions = tf.layers.dense(last_output, 1, kernel_initializer=kernel_initializer)  # [batch_size, 1]
        self.loss = tf.reduce_mean(tf.square(self.predictions - self.y))  # MSE
        optimizer = tf.train.AdamOptimizer(config.learning_rate)
        self.training_op = optimizer.minimize(self.loss, tf.train.get_or_create_global_step())

    def feed_dict(self, X, y):
        """For `X` [batch_size, time_step, 1] and `y` [batch_size, 1]."""
        return {self.x: X.transpose(1, 0, 2) if self._time_major else X, self.y: y}


def build_model(model, config, distribution, seed):
    """The network that --model names; `distribution` is of the weights by hand, `seed` of the batches."""
    if model == "by_hand":
        lstm = LSTM(1, config.time_step, distribution)
        return NextValueModel(config, lstm.x, lstm.output[-1], True, seed)
    x = tf.placeholder(tf.float32, [None, config.time_step, 1])
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(i) for i in HIDDEN_SIZE])
    outputs, states = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    return NextValueModel(config, x, outputs[:, -1, :], False, seed)  # the last h, not the last c


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over the batches of its input; a training is one epoch.

    Args:
      session: a session with the variables initialised.
      model: a `NextValueModel`.
      eval_op: run in every step, `model.training_op` for training.
      verbose: prints a line every 100 iterations.
      position: a `Position` to begin at, kept up to date, with the `mse` of the last line; None: the beginning.
      steps: yields the numbers of the steps that are still to do; None: those that the epoch still has.
    Returns:
      The MSE of one more batch, after the last step.
    """
    position = position or Position()
    fetches = {"mse": model.loss}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    batches = model.input.batches(position)
    steps = range(position.step, model.input.epoch_size) if steps is None else steps

    for iteration, (X_batch, y_batch) in zip(steps, batches):
        mse = session.run(fetches, feed_dict=model.feed_dict(X_batch, y_batch[:, -1]))["mse"]
        Diverged.check("MSE", mse, f"at iteration {iteration}")
        position.step = iteration + 1
        if iteration % REPORT_INTERVAL == 0:
            position.mse = float(mse)
            if verbose:
                progress.write(mse_line(iteration, mse))

    X_batch, y_batch = next(batches)
    mse = session.run(model.loss, feed_dict=model.feed_dict(X_batch, y_batch[:, -1]))
    Diverged.check("MSE", mse, "after the last iteration")
    return mse


def mse_line(iteration, mse):
    return f"{iteration} \tMSE: {np.float32(mse)!s}"


def evaluate(session, model, time_step):
    """The MSE on evenly spread sequences; the times, truth and predictions of their next values, one of each."""
    starts = np.arange(reader.T_MIN, reader.T_MAX - time_step * reader.RESOLUTION, reader.RESOLUTION)
    times = starts[:, None] + np.arange(time_step + 1) * reader.RESOLUTION
    values = reader.time_series(times)
    feed_dict = model.feed_dict(values[:, :-1, None], values[:, -1:])
    mse, predictions = session.run([model.loss, model.predictions], feed_dict=feed_dict)
    return float(mse), times[:, -1], values[:, -1], predictions[:, 0]


@plots.picture
def plot_predictions(folder, model, mse, times, truth, predictions):
    """`truth` and `predictions` of the network called `model`, at the `times`."""
    figure, axes = plots.new_figure()
    axes.plot(times, truth, color="black", linewidth=3, alpha=0.3, label="truth")
    axes.plot(times, predictions, linewidth=1, label=f"{MODELS[model]}, MSE {mse:.4f}")
    axes.set(xlabel="time", ylabel="value", title="The next value, from the values before it")
    axes.grid(alpha=0.3)
    axes.legend()
    return plots.save(figure, folder, f"lstm_by_hand_predictions_{model}")


def api(args, config):
    """Returns `outputs`, `states` and `predictions` of the two-layer LSTM for one batch."""
    X_batch = np.random.RandomState(args.seed).rand(2, 5, 3)  # [batch_size, seq_length, input_dim]
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        X = tf.placeholder(tf.float32, [None, None, 3])
        # An object for each layer: [cell] * 2 would be one set of weights (studies/shared_cells.py).
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(i) for i in HIDDEN_SIZE])
        outputs, states = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)
        predictions = tf.layers.dense(outputs[:, -1, :], 1)  # of the last output, h and not c
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            outputs_val, states_val, predictions_val = sess.run([outputs, states, predictions], {X: X_batch})
        names = [f"{variable.op.name} {variable.shape}" for variable in tf.trainable_variables()]

    print(f"inputs  {X_batch.shape}: batch_size, seq_length, input_dim")
    print(f"outputs {outputs_val.shape}: the last layer's h at every time step")
    for layer, (c, h) in enumerate(states_val):
        print(f"states[{layer}]: c {c.shape}, h {h.shape}, of layer {layer} after the last time step")
    difference = np.max(np.abs(states_val[-1].h - outputs_val[:, -1]))
    print(f"states[-1].h and outputs[:, -1]: the same numbers, to {difference:.0e}")
    print(f"predictions {predictions_val.shape}: the last output, h and not c, through one linear layer")
    print(*names, sep="\n")
    return {"outputs": outputs_val, "states": states_val, "predictions": predictions_val}


def by_hand(args, config):
    """Returns `output`, the h of the top layer [time_step, batch_size, 64], for one batch."""
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        lstm = LSTM(1, config.time_step, args.distribution)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            x = np.random.RandomState(args.seed).rand(config.time_step, 2, 1)
            output = np.array(sess.run(lstm.output, feed_dict={lstm.x: x}))
        numbers = sum(variable.shape.num_elements() for variable in tf.trainable_variables())

    print(f"x {x.shape}: time_step, batch_size, input_dim; output: {len(lstm.output)} times {output[0].shape}")
    print(f"{len(lstm.weights)} weights and {len(lstm.biases)} biases, {numbers:,} numbers; of layer 2:")
    for name, variable in {**lstm.weights, **lstm.biases}.items():
        if name.endswith("2"):
            print(f"    {name} {variable.shape}")
    return {"output": output}


def train(args, config):
    """Returns `mse`, over the whole range, by the name of the model."""
    model, folder = args.model or "by_hand", args.save_path or "plots"
    identity = {"script": "lstm_by_hand", "model": model, "config": configs.identity(config), "seed": args.seed}
    if model == "by_hand":
        identity["distribution"] = args.distribution
    print(MODELS[model])
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        m = build_model(model, config, args.distribution, args.seed)
        with Run(args, identity, m.input.epoch_size, mse=None) as run:
            if run.position.step >= m.input.epoch_size:
                run.say_finished()
                print(mse_line(run.records[-1]["iteration"], run.records[-1]["mse"]))
            else:
                steps = run.recorded_steps(REPORT_INTERVAL, "mse")
                run_epoch(run.session, m, m.training_op, True, run.position, steps)
                run.save()
            mse, times, truth, predictions = evaluate(run.session, m, config.time_step)
            numbers = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
            print(f"MSE over the whole range: {mse:.6f}, with {numbers:,} numbers to train")
            run.end(whole_range_mse=mse)
    print(f"(Always predicting the mean would give an MSE of {np.var(truth):.2f}.)")
    plots.say(plot_predictions(folder, model, mse, times, truth, predictions))
    return {"mse": {MODELS[model]: mse}}


SECTIONS = {
    "api": (api, "MultiRNNCell of BasicLSTMCells, and dynamic_rnn"),
    "by_hand": (by_hand, "the class LSTM"),
    "train": (train, "the next value of a series"),
}


def get_config(args):
    """The config that the flags name."""
    config = configs.get_config(configs.LSTM_CONFIGS, args.config, args.overrides)
    count = round((reader.T_MAX - reader.T_MIN) / reader.RESOLUTION)
    if config.time_step >= count:
        raise UserError(f"--set time_step={config.time_step}: the series has {count} values")
    return config


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    taken = {"api": set(), "by_hand": {"--config", "--set", "--distribution"}}.get(args.section, args.given)
    if flags := sorted(args.given - taken - {"--section", "--seed"}):
        raise UserError(f"--section={args.section} does not take {', '.join(flags)}: leave that out")
    if "--distribution" in args.given and args.model == "api":
        raise UserError("--distribution is of the weights by hand: leave it out here")
    checkpoints.check_flags(args)
    if args.distribution not in DISTRIBUTIONS:
        for name, shape in LSTM.weight_shapes([1, *WIDTH]).items():
            reader.read_weights(args.distribution.replace("{name}", name), name, shape)
    results = {}
    for section, (run, header) in SECTIONS.items():
        if args.section in (section, "all"):
            print(f"--section={section}: {header}\n")
            results[section] = run(args, config)
            print()
    return results if args.section == "all" else results[args.section]


if __name__ == "__main__":
    main()
