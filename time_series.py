"""Time series: predicts each next value of a series, and lets the trained network write a series of its own.

Source: notes in Chinese on chapter 14 of Aurélien Géron, "Hands-On Machine Learning with Scikit-Learn and TensorFlow"
(2017), its parts on time series, on creative generation and on dropout. What is called recorded is in its notebook,
14_recurrent_neural_networks.ipynb at https://github.com/ageron/handson-ml, as of 6 August 2018. Three models:

    projection   one layer of 100 ReLU units, each output through OutputProjectionWrapper
    dense        the same with one dense layer on the stacked outputs
    dropout      three layers of 100 tanh units, each with dropout on its inputs

Commands, the last MSE that they print in training, the recorded one, and the time on 2 cores:

    python time_series.py                       1400     MSE: 0.041900795        0.041784383              8 s
    python time_series.py --model=dense         1400     MSE: 0.043747626        0.043140374              8 s
    python time_series.py --model=dropout       1400 Training MSE: 3.116109      2.2 to 4.5 from 300 on  17 s

The first two print the recorded MSE of iteration 0 to the last digit, 11.967254 and 13.907029. What follows depends on
how the CPU rounds: `dense` prints the 0.5056698 of iteration 100 to 3e-6 with AVX-512, to 1.1e-4 with AVX2 alone. A
series of your own is one number a line, or a column of a table, by its name or number, with commas, semicolons, tabs or
blanks between columns; --forecast says what follows its end:

    python time_series.py --data_path=series.csv --column=price --forecast=30

Departures from the tutorial, each with its reason:

* Kernels get explicit op seeds: TF 2 counts the seeds of random ops in another way than TF 1.x, and without them other
  weights would be drawn than in the notebook.
* A series is generated inside the graph, all of it in one `session.run`, not one for each value.
* The second creative sequence starts from (t_max - t_min) / 3. The tutorial has t_max-t_min/3, which is the end of the
  range: --second_start=recorded.
* Dropout's masks are keyed by seed and step, so that a stopped run goes on with the same ones.
* The mean of the squares is taken in float64, so that its last digit does not depend on the CPU.
* The white stars of the targets have a black edge: on white they cannot be seen.
"""

import numpy as np

import configs
import reader
from data import tables
from reader import RESOLUTION, T_MAX, T_MIN, time_series
from tf1 import app, checkpoints, forecasting, plots, progress, rnn, tf
from tf1.app import Diverged, UserError
from tf1.dropout import DropoutWrapper
from tf1.modes import check_choice, choose_modes
from tf1.op_seeds import kernel_seeds
from tf1.training import Position, Run, epoch_size_of

N_INPUTS = N_OUTPUTS = 1
REPORT_INTERVAL = 100  # iterations from line to line


def parse_args(argv=None):
    parser = app.ArgumentParser("time_series.py", __doc__)
    parser.add_argument(
        "--model", choices=tuple(configs.TIME_SERIES_CONFIGS), default="projection", help="default: %(default)s"
    )
    parser.add_argument("--config", default="small", help="small or test (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="a series of your own: a number a line, or a table (CSV)")
    parser.add_argument("--column", help="of the table, by its name in the header, or by its number from 1 on")
    parser.add_argument(
        "--decimal", choices=tuple(tables.DECIMALS), help="how the table's decimals are written (default: as it shows)"
    )
    parser.add_argument(
        "--missing",
        choices=tables.MISSING,
        help="refuse missing values (the default), or fill them from their neighbours",
    )
    parser.add_argument(
        "--forecast",
        type=forecasting.count,
        metavar="N",
        help="N values after the series' last one, with their errors: printed, drawn, and written to forecast.csv",
    )
    parser.add_argument(
        "--second_start",
        choices=("third", "recorded"),
        default="third",
        help="where the second creative sequence starts: (t_max - t_min) / 3, or at the end of the range as recorded",
    )
    parser.add_common("--encoding", "--rnn_mode", "--save_path", "--save_every", "--init_from", "--seed", "--set")
    parser.set_defaults(rnn_mode="basic")  # the recorded digits depend on the order of additions
    return parser.parse_args(argv)


class TimeSeriesModel:
    """The graph that reads `n_steps` values of a series, and at each of them predicts the value that follows.

    Args:
      config: the hyperparameters, of the class that `configs.TIME_SERIES_CONFIGS` has for `model`.
      model: `projection`, `dense` or `dropout`.
      rnn_mode, precision, groups: see `tf1/rnn.py`; the variables are the same in all modes.
      input_: what `run_epoch` runs over, a `reader.SeriesInput`.
    """

    def __init__(self, config, model, rnn_mode="basic", precision="fp32", groups=1, input_=None):
        self.name, self.n_steps, self.input = model, config.n_steps, input_
        self.train_keep_prob = config.train_keep_prob if model == "dropout" else 1.0
        global_step = tf.train.get_or_create_global_step()  # here, or dropout would make it in its layer's scope
        self.X = tf.placeholder(tf.float32, [None, config.n_steps, N_INPUTS])
        self.y = tf.placeholder(tf.float32, [None, config.n_steps, N_OUTPUTS])
        self.keep_prob = tf.placeholder_with_default(1.0, shape=())

        build = {"projection": self._build_projection, "dense": self._build_dense, "dropout": self._build_dropout}
        modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
        self.outputs = build[check_choice("model", model, build)](config, modes)  # [batch_size, n_steps, N_OUTPUTS]

        # The mean in float64: in float32 its last digit depends on how many numbers the CPU adds up side by side.
        squares = tf.cast(tf.square(self.outputs - self.y), tf.float64)
        self.loss = tf.cast(tf.reduce_mean(squares), tf.float32)  # MSE
        optimizer = tf.train.AdamOptimizer(learning_rate=config.learning_rate)
        self.training_op = optimizer.minimize(self.loss, global_step)

        self.start = tf.placeholder(tf.float32, [config.n_steps])
        self.n_values = tf.placeholder(tf.int32, [])
        self.values = self._build_generation()  # [n_values]

    def _build_projection(self, config, modes):
        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
        cell = rnn.OutputProjectionWrapper(basic_cell, output_size=N_OUTPUTS)
        with kernel_seeds(88, 109):
            outputs, states = rnn.dynamic_rnn(cell, self.X, dtype=tf.float32, **modes)
        self._cells, self._activation, self._last_layer = [basic_cell], tf.nn.relu, cell
        return outputs

    def _build_dense(self, config, modes):
        cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
        with kernel_seeds(88):
            rnn_outputs, states = rnn.dynamic_rnn(cell, self.X, dtype=tf.float32, **modes)
        self._cells, self._activation = [cell], tf.nn.relu
        return self._build_dense_layer(rnn_outputs, config, tf.glorot_uniform_initializer(seed=137))

    def _build_dropout(self, config, modes):
        cells = [tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons) for layer in range(config.n_layers)]
        cells_drop = [DropoutWrapper(cell, input_keep_prob=self.keep_prob) for cell in cells]
        multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells_drop)
        rnn_outputs, states = rnn.dynamic_rnn(multi_layer_cell, self.X, dtype=tf.float32, **modes)
        self._cells, self._activation = cells, tf.tanh
        return self._build_dense_layer(rnn_outputs, config)

    def _build_dense_layer(self, rnn_outputs, config, kernel_initializer=None):
        stacked_rnn_outputs = tf.reshape(rnn_outputs, [-1, config.n_neurons])  # [batch_size * n_steps, n_neurons]
        # tf.layers.dense(stacked_rnn_outputs, n_outputs), as an object that has its kernel and bias
        self._last_layer = tf.layers.Dense(N_OUTPUTS, kernel_initializer=kernel_initializer, name="dense")
        stacked_outputs = self._last_layer(stacked_rnn_outputs)  # [batch_size * n_steps, N_OUTPUTS]
        return tf.reshape(stacked_outputs, [-1, config.n_steps, N_OUTPUTS])

    def _build_generation(self):
        """`n_values` values that follow `start`, each predicted from the n_steps values before it.

        Every value is read by n_steps windows, in each at another place. They are kept side by side: row i of a layer's
        state has read i + 1 values, and a new value moves all rows on by one step, in one matrix product. The last row
        has then read a whole window, and predicts the next value; a new window, with a state of zeros, begins at row 0.

            windows    value 5         value 6
            row 0      5               6
            row 1      4 5             5 6
            row 2      3 4 5 -> 6      4 5 6 -> 7
        """

        def read(value, states):
            """`value` [1, 1]; `states` and the new states, of each layer [n_steps, n_neurons]."""
            inputs, new_states = tf.tile(value, [self.n_steps, 1]), []
            for cell, state in zip(self._cells, states):
                kernel, bias = cell.weights
                shifted = tf.pad(state[:-1], [[1, 0], [0, 0]])
                inputs = self._activation(tf.matmul(tf.concat([inputs, shifted], axis=1), kernel) + bias)
                new_states.append(inputs)
            return tf.matmul(inputs[-1:], self._last_layer.kernel) + self._last_layer.bias, new_states

        states = [tf.zeros([self.n_steps, cell.output_size]) for cell in self._cells]
        for step in range(self.n_steps):
            value, states = read(tf.reshape(self.start[step], [1, 1]), states)

        def body(index, value, states, values):
            values = values.write(index, value[0, 0])
            return index + 1, *read(value, states), values

        values = tf.TensorArray(tf.float32, self.n_values)
        loop = tf.while_loop(lambda index, *_: index < self.n_values, body, [0, value, states, values], back_prop=False)
        return loop[-1].stack()


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over the batches of its input; a training is one epoch.

    Args:
      session: a session with the variables initialised.
      model: a `TimeSeriesModel` with an input.
      eval_op: run in every step, `model.training_op` for training.
      verbose: prints the tutorial's line every 100 iterations.
      position: a `Position` to begin at, kept up to date, with the `mse` of the last line; None: the beginning.
      steps: yields the numbers of the steps that are still to do; None: those that the epoch still has.
    Returns:
      The MSE of one more batch, after the last step.
    """
    position, epoch_size = position or Position(), epoch_size_of(model)
    fetches = {"mse": model.loss}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    keep_prob = 1.0 if eval_op is None else model.train_keep_prob
    batches = model.input.batches(position)
    steps = range(position.step, epoch_size) if steps is None else steps

    for iteration, (X_batch, y_batch) in zip(steps, batches):
        feed_dict = {model.X: X_batch, model.y: y_batch}
        mse = session.run(fetches, feed_dict={**feed_dict, model.keep_prob: keep_prob})["mse"]
        Diverged.check("MSE", mse, f"at iteration {iteration}")
        is_reported = iteration % REPORT_INTERVAL == 0
        if is_reported and model.name != "dropout":  # as in the tutorial: of the weights after the step
            mse = session.run(model.loss, feed_dict=feed_dict)
            Diverged.check("MSE", mse, f"at iteration {iteration}")
        position.step = iteration + 1
        if is_reported:
            position.mse = float(mse)
            if verbose:
                progress.write(mse_line(model.name, iteration, mse))

    X_batch, y_batch = next(batches)
    mse = session.run(model.loss, feed_dict={model.X: X_batch, model.y: y_batch})
    Diverged.check("MSE", mse, "after the last iteration")
    return mse


def mse_line(name, iteration, mse):
    return f"{iteration} {'Training MSE:' if name == 'dropout' else chr(9) + 'MSE:'} {np.float32(mse)!s}"


def generate(session, model, sequence, count):
    """`sequence` and `count` values more, an array: the tutorial's loop, in the graph."""
    feed_dict = {model.start: sequence[-model.n_steps :], model.n_values: count}
    return np.concatenate([sequence, session.run(model.values, feed_dict=feed_dict)])


def predict(session, model, values, watched=iter):
    """The prediction of each value after a whole window: [len(values) - n_steps].

    Args:
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
    """
    X, _ = reader.windows(values, model.n_steps)
    predictions = []
    for start in watched(range(0, len(X), 1000)):  # a long series' windows all at once would take gigabytes
        outputs = session.run(model.outputs, feed_dict={model.X: X[start : start + 1000]})
        predictions.append(outputs[:, -1, 0])
    return np.concatenate(predictions)


@plots.picture
def plot_series(folder, t, t_instance):
    """The series, and a training instance beside its target."""
    figure, (left, right) = plots.new_figure(columns=2)
    left.plot(t, time_series(t), color="C0", alpha=0.6, label=r"$t \cdot \sin(t) / 3 + 2 \cdot \sin(5t)$")
    left.plot(t_instance[:-1], time_series(t_instance[:-1]), "b-", linewidth=3, label="A training instance")
    left.set(title="A time series (generated)", xlabel="Time", ylabel="Value", xlim=(0, 30), ylim=(-17, 13))
    left.legend(loc="lower left")
    right.set(title="A training instance", xlabel="Time")
    plot_instance(right, t_instance)
    return plots.save(figure, folder, "time_series_plot")


def plot_instance(axes, t_instance):
    """Inputs as blue dots, targets as white stars, which a black edge makes visible on white."""
    axes.plot(t_instance[:-1], time_series(t_instance[:-1]), "bo", markersize=10, label="instance")
    axes.plot(t_instance[1:], time_series(t_instance[1:]), "w*", markersize=14, markeredgecolor="black", label="target")
    axes.legend(loc="upper left")


@plots.picture
def plot_prediction(folder, t_instance, y_pred, model_name):
    """`y_pred` [1, n_steps, 1] beside the instance and its target."""
    figure, axes = plots.new_figure()
    plot_instance(axes, t_instance)
    axes.plot(t_instance[1:], y_pred[0, :, 0], "r.", markersize=10, label="prediction")
    axes.set(title="Testing the model", xlabel="Time", ylabel="Value")
    axes.legend(loc="upper left")
    return plots.save(figure, folder, f"time_series_pred_plot_{model_name}")


@plots.picture
def plot_creations(folder, name, creations, n_steps):
    """Generated sequences side by side; the values that each starts from are drawn bold.

    Args:
      creations: the sequences by their titles.
    """
    figure, columns = plots.new_figure(columns=len(creations))
    for axes, (title, sequence) in zip(np.atleast_1d(columns), creations.items()):
        t = np.arange(len(sequence)) * RESOLUTION
        axes.plot(t, sequence, "b-")
        axes.plot(t[:n_steps], sequence[:n_steps], "b-", linewidth=3)
        axes.set(xlabel="Time", ylabel="Value", title=title)
    return plots.save(figure, folder, name)


def create(session, model, second_start, folder):
    """The tutorial's end: a prediction, three creative sequences, and their pictures.

    Returns `y_pred` [1, n_steps, 1], `sequence` [n_steps + 300], and `sequence1` and `sequence2` [300].
    """
    n_steps = model.n_steps
    t = np.linspace(T_MIN, T_MAX, int((T_MAX - T_MIN) / RESOLUTION))
    t_instance = np.linspace(12.2, 12.2 + RESOLUTION * (n_steps + 1), n_steps + 1)
    y_pred = session.run(model.outputs, feed_dict={model.X: time_series(t_instance[:-1]).reshape(-1, n_steps, 1)})

    sequence = generate(session, model, np.zeros(n_steps), 300)
    sequence1 = generate(session, model, np.zeros(n_steps), len(t) - n_steps)
    starts = {"recorded": T_MAX - T_MIN / 3, "third": (T_MAX - T_MIN) / 3}
    start = starts[second_start]
    sequence2 = generate(session, model, time_series(np.arange(n_steps) * RESOLUTION + T_MIN + start), len(t) - n_steps)
    print(f"The second creative sequence starts with the series from {start:g} on (--second_start={second_start})")

    both = {"From zeros": sequence1, f"From the series at {start:g}": sequence2}
    plots.say(
        plot_series(folder, t, t_instance),
        plot_prediction(folder, t_instance, y_pred, model.name),
        plot_creations(folder, f"creative_sequence_{model.name}", {"From zeros": sequence}, n_steps),
        plot_creations(folder, f"creative_sequence_plot_{model.name}", both, n_steps),
    )
    return {"y_pred": y_pred, "sequence": sequence, "sequence1": sequence1, "sequence2": sequence2}


def get_config(args):
    """The config that the flags name."""
    return configs.get_config(configs.TIME_SERIES_CONFIGS[args.model], args.config, args.overrides)


def find_series(args, n_steps):
    """The series that the flags name."""
    if args.data_path:
        if "--second_start" in args.given:
            raise UserError("--second_start is of the tutorial's series: leave it out with --data_path")
        return reader.OwnSeries(args.data_path, args.column, n_steps, args.encoding, args.missing, args.decimal)
    if flags := sorted(args.given & {"--column", "--decimal", "--missing", "--encoding", "--forecast"}):
        raise UserError(f"{flags[0]} goes with --data_path: name the file of a series")
    return reader.TutorialSeries(n_steps)


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    folder = args.save_path or "plots"
    checkpoints.check_flags(args)
    forecast_path = forecasting.path_of(folder, args.data_path) if args.forecast and args.data_path else None
    series = find_series(args, config.n_steps)
    modes, session_config = choose_modes(args, config.batch_size, config.n_neurons, gates=1)

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        input_ = reader.SeriesInput(series, config.batch_size, config.n_iterations, args.seed)
        m = TimeSeriesModel(config, args.model, input_=input_, **modes)
        identity = {"script": "time_series", "model": args.model, "config": configs.identity(config), "seed": args.seed}
        identity["data"] = series.description
        with Run(args, identity, m.input.epoch_size, session_config, mse=None) as run:
            session = run.session
            if run.position.step >= m.input.epoch_size:
                run.say_finished()
                print(mse_line(args.model, run.records[-1]["iteration"], run.records[-1]["mse"]))
            else:
                steps = run.recorded_steps(REPORT_INTERVAL, "mse")
                run_epoch(session, m, m.training_op, True, run.position, steps)
                run.save()
            if args.data_path:
                predictions = predict(session, m, series.scaled, run.watched)
                results = forecasting.held_out(session, m, series, predictions, folder)
                if args.forecast:
                    results |= forecasting.forecast(session, m, series, args.forecast, forecast_path, run.watched)
            else:
                results = create(session, m, args.second_start, folder)
    return {**results, "mse": [record["mse"] for record in run.records]}


if __name__ == "__main__":
    main()
