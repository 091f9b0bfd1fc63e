"""Time series: predicts each next value of a series, and lets the trained network write a series of its own.

Source: seed 001's tutorial, notes in Chinese on chapter 14 of Hands-On Machine Learning with Scikit-Learn and
TensorFlow (2017), its parts on time series, on creative generation and on dropout. Three models:

    projection   one layer of 100 ReLU units, each output through OutputProjectionWrapper
    dense        the same with one dense layer on the stacked outputs
    dropout      three layers of 100 tanh units, each with dropout on its inputs

Commands, the last MSE that they print in training, and the time on 2 cores:

    python time_series.py                       1400     MSE: 0.041900795                 11 s
    python time_series.py --model=dense         1400     MSE: 0.043747626                 12 s
    python time_series.py --model=dropout       1400 Training MSE: 3.116109            21 s

A series of your own, one number a line or a column of a CSV file with a headline:

    python time_series.py --data_path=series.csv --column=price

Departures from the tutorial, each with its reason:

* Kernels get explicit op seeds: TF 2 counts the seeds of random ops in another way than TF 1.x, and without them other
  weights would be drawn than in 2017.
* A series is generated inside the graph, all of it in one `session.run`; the tutorial's loop, a `session.run` for each
  value, stays as `generate_step_by_step`.
* The second creative sequence starts from (t_max - t_min) / 3. The tutorial has t_max-t_min/3, which is the end of the
  range: --second_start=recorded.
* Dropout's masks are keyed by seed and step, so that a stopped run goes on with the same ones.
* The white stars of the targets have a black edge: on white they cannot be seen.
"""

import csv
import math
import zlib

import numpy as np

import configs
from reader import RESOLUTION, T_MAX, T_MIN, next_batch, time_series
from tf1 import app, checkpoints, layers, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.dropout import INPUTS, DropoutWrapper, dropout_sequence
from tf1.metrics import Metrics
from tf1.modes import check_memory, choose_groups, choose_rnn_mode
from tf1.op_seeds import glorot_uniform

N_INPUTS = N_OUTPUTS = 1
_LINE_CHARACTERS = 1 << 16


def parse_args(argv=None):
    parser = app.ArgumentParser("time_series.py", __doc__)
    parser.add_argument(
        "--model", choices=tuple(configs.TIME_SERIES_CONFIGS), default="projection", help="default: %(default)s"
    )
    parser.add_argument("--config", default="small", help="small or test (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="a series of your own, one number a line, or a CSV file")
    parser.add_argument("--column", help="of the CSV file, by its name in the headline")
    parser.add_argument(
        "--second_start",
        choices=("third", "recorded"),
        default="third",
        help="where the second creative sequence starts: (t_max - t_min) / 3, or at the end of the range as recorded",
    )
    parser.add_common("--rnn_mode", "--save_path", "--save_every", "--seed", "--set")
    parser.set_defaults(rnn_mode="basic")  # the recorded digits depend on the order of additions
    return parser.parse_args(argv)


def _lines(file, path):
    """Yields the lines of a file that need not end, nor its lines."""
    while line := file.readline(_LINE_CHARACTERS):
        if len(line) == _LINE_CHARACTERS:
            raise UserError(f"--data_path={path} has a line of {_LINE_CHARACTERS} characters: it holds no series")
        yield line


def read_series(path, column):
    """The numbers of a user's series: a file with one number a line, or the `column` of a CSV file with a headline.

    Raises:
      UserError: it cannot be read, has something else than finite numbers, or no such column.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(_lines(file, path))
            rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except FileNotFoundError as error:
        raise UserError(f"--data_path={path} is not a file: name one with a number a line, or a CSV file") from error
    except OSError as error:
        raise UserError(f"--data_path={path} cannot be read: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"--data_path={path} is not a text file of numbers: {error}") from error
    index = 0
    if column is not None:
        names = [cell.strip() for cell in rows[0][1]] if rows else []
        if names.count(column) != 1:
            raise UserError(f"--column={column}: {path} has the columns {', '.join(names)[:200] or 'of an empty file'}")
        index, rows = names.index(column), rows[1:]
    values = np.empty(len(rows))
    for number, (line, row) in enumerate(rows):
        if column is None and len(row) != 1:
            raise UserError(f"{path} has {len(row)} columns in line {line}: name one of its headline, --column=NAME")
        cell = row[index].strip() if index < len(row) else ""
        try:
            values[number] = float(cell)
        except ValueError as error:
            advice = ", a headline needs --column=NAME" if column is None else ""
            advice = ", columns are separated by commas" if ";" in cell else advice
            raise UserError(f"{path} has {cell[:40]!r} in line {line}, which is no number{advice}") from error
        if not math.isfinite(values[number]):
            raise UserError(f"{path} has {cell} in line {line}: fill or cut gaps first")
        if abs(values[number]) > 1e100:  # its square is no number any more
            raise UserError(f"{path} has {cell[:40]} in line {line}: rescale the series")
    return values


class OutputProjectionWrapper:
    """`tf.contrib.rnn.OutputProjectionWrapper`, which is gone: a cell whose outputs pass through one linear layer."""

    def __init__(self, cell, output_size):
        self._cell = cell
        self.state_size, self.output_size = cell.state_size, output_size

    def zero_state(self, batch_size, dtype):
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs]; returns [batch_size, output_size] and the new state."""
        with tf.variable_scope(scope or "output_projection_wrapper"):
            output, state = self._cell(inputs, state)
            self.kernel = tf.get_variable("kernel", [self._cell.output_size, self.output_size])
            self.bias = tf.get_variable("bias", [self.output_size], initializer=tf.zeros_initializer())
            return tf.matmul(output, self.kernel) + self.bias, state


class TimeSeriesModel:
    """The graph that reads `n_steps` values of a series, and at each of them tells the value that follows.

    Args:
      config: the hyperparameters, of the class that `configs.TIME_SERIES_CONFIGS` has for `model`.
      model: `projection`, `dense` or `dropout`.
      rnn_mode: how the recurrent layers are built; the variables are the same in all modes.
      groups: with `fused`, groups of instances that are computed side by side.
    """

    def __init__(self, config, model, rnn_mode="basic", groups=1):
        self.n_steps = config.n_steps
        global_step = tf.train.get_or_create_global_step()  # here: dropout would make it in the scope of its layer
        self.X = tf.placeholder(tf.float32, [None, config.n_steps, N_INPUTS])
        self.y = tf.placeholder(tf.float32, [None, config.n_steps, N_OUTPUTS])
        self.keep_prob = tf.placeholder_with_default(1.0, shape=())
        # [batch_size, n_steps, N_OUTPUTS]
        if rnn_mode == "basic":
            self.outputs = getattr(self, f"_build_{model}")(config)
        else:
            self.outputs = self._build_whole_sequences(config, model, rnn_mode, groups)

        self.loss = tf.reduce_mean(tf.square(self.outputs - self.y))  # MSE
        optimizer = tf.train.AdamOptimizer(learning_rate=config.learning_rate)
        grads_and_vars = optimizer.compute_gradients(self.loss)
        self.gradient_norm = tf.global_norm([gradient for gradient, _ in grads_and_vars])
        self.training_op = optimizer.apply_gradients(grads_and_vars, global_step)

        self.start = tf.placeholder(tf.float32, [config.n_steps])
        self.n_values = tf.placeholder(tf.int32, [])
        self.values = self._build_generation()  # [n_values]

    def _build_projection(self, config):
        basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
        cell = OutputProjectionWrapper(basic_cell, output_size=N_OUTPUTS)
        with glorot_uniform(88, 109):
            outputs, _ = tf.nn.dynamic_rnn(cell, self.X, dtype=tf.float32)
        self._layers, self._activation = [basic_cell.weights], "relu"
        self._kernel, self._bias = cell.kernel, cell.bias
        return outputs

    def _build_dense(self, config):
        cell = tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons, activation=tf.nn.relu)
        with glorot_uniform(88):
            rnn_outputs, _ = tf.nn.dynamic_rnn(cell, self.X, dtype=tf.float32)
        self._layers, self._activation = [cell.weights], "relu"
        stacked_outputs = self._build_dense_layer(rnn_outputs, config, tf.glorot_uniform_initializer(seed=137))
        return tf.reshape(stacked_outputs, [-1, config.n_steps, N_OUTPUTS])

    def _build_dropout(self, config):
        cells = [tf.nn.rnn_cell.BasicRNNCell(num_units=config.n_neurons) for _ in range(config.n_layers)]
        cells_drop = [
            DropoutWrapper(cell, input_keep_prob=self.keep_prob, layer=layer, in_loop=True)
            for layer, cell in enumerate(cells, start=1)
        ]
        multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells_drop)
        rnn_outputs, _ = tf.nn.dynamic_rnn(multi_layer_cell, self.X, dtype=tf.float32)
        self._layers, self._activation = [cell.weights for cell in cells], "tanh"
        stacked_outputs = self._build_dense_layer(rnn_outputs, config, None)
        return tf.reshape(stacked_outputs, [-1, config.n_steps, N_OUTPUTS])

    def _build_dense_layer(self, rnn_outputs, config, kernel_initializer):
        stacked_rnn_outputs = tf.reshape(rnn_outputs, [-1, config.n_neurons])  # [batch_size * n_steps, n_neurons]
        dense = tf.layers.Dense(N_OUTPUTS, kernel_initializer=kernel_initializer, name="dense")
        stacked_outputs = dense(stacked_rnn_outputs)  # [batch_size * n_steps, N_OUTPUTS]
        self._kernel, self._bias = dense.kernel, dense.bias
        return stacked_outputs

    def _build_whole_sequences(self, config, model, rnn_mode, groups):
        """The same three models, each recurrent layer a function of the whole sequence."""
        rnn = {"fused": layers.rnn, "cudnn": layers.cudnn_rnn}[rnn_mode]
        output = tf.transpose(self.X, [1, 0, 2])  # time-major, [n_steps, batch_size, N_INPUTS]
        zeros = tf.zeros([tf.shape(self.X)[0], config.n_neurons])
        scopes = {"projection": ["output_projection_wrapper/"], "dense": [""]}.get(model)
        scopes = scopes or [f"multi_rnn_cell/cell_{layer}/" for layer in range(config.n_layers)]
        self._layers, self._activation = [], "tanh" if model == "dropout" else "relu"
        with glorot_uniform(*([] if model == "dropout" else [88, 109])):
            for layer, scope in enumerate(scopes, start=1):
                with tf.variable_scope(f"rnn/{scope}basic_rnn_cell"):
                    kernel = tf.get_variable("kernel", [output.shape[2] + config.n_neurons, config.n_neurons])
                    bias = tf.get_variable("bias", [config.n_neurons], initializer=tf.zeros_initializer())
                if model == "dropout":
                    output = dropout_sequence(output, self.keep_prob, layer, INPUTS)
                output, _ = layers.in_groups(rnn, groups, output, zeros, kernel, bias, self._activation)
                self._layers.append((kernel, bias))
            if model == "projection":
                with tf.variable_scope("rnn/output_projection_wrapper"):
                    self._kernel = tf.get_variable("kernel", [config.n_neurons, N_OUTPUTS])
                    self._bias = tf.get_variable("bias", [N_OUTPUTS], initializer=tf.zeros_initializer())
                stacked_outputs = tf.matmul(tf.reshape(output, [-1, config.n_neurons]), self._kernel) + self._bias
        if model != "projection":
            dense_initializer = tf.glorot_uniform_initializer(seed=137) if model == "dense" else None
            stacked_outputs = self._build_dense_layer(output, config, dense_initializer)
        return tf.transpose(tf.reshape(stacked_outputs, [config.n_steps, -1, N_OUTPUTS]), [1, 0, 2])

    def _build_generation(self):
        """`n_values` values that follow `start`, each told from the n_steps values before it.

        Every value is read by n_steps windows, in each at another place. They are kept side by side: row i of a layer's
        state has read i + 1 values, and a new value moves all rows on by one step, in one matrix product. The last row
        has then read a whole window, and tells the next value; a new window, with a state of zeros, begins at row 0.

            windows    value 5         value 6
            row 0      5               6
            row 1      4 5             5 6
            row 2      3 4 5 -> 6      4 5 6 -> 7
        """

        def read(value, states):
            """`value` [1, 1]; `states` and the new states, of each layer [n_steps, n_neurons]."""
            inputs, new_states = tf.tile(value, [self.n_steps, 1]), []
            for (kernel, bias), state in zip(self._layers, states):
                shifted = tf.pad(state[:-1], [[1, 0], [0, 0]])
                inputs = activate(tf.matmul(tf.concat([inputs, shifted], axis=1), kernel) + bias)
                new_states.append(inputs)
            return tf.matmul(inputs[-1:], self._kernel) + self._bias, new_states

        activate = {"tanh": tf.tanh, "relu": tf.nn.relu}[self._activation]
        states = [tf.zeros([self.n_steps, bias.shape[0]]) for _, bias in self._layers]
        for step in range(self.n_steps):
            value, states = read(tf.reshape(self.start[step], [1, 1]), states)

        def body(index, value, states, values):
            values = values.write(index, value[0, 0])
            return index + 1, *read(value, states), values

        values = tf.TensorArray(tf.float32, self.n_values)
        loop = tf.while_loop(lambda index, *_: index < self.n_values, body, [0, value, states, values], back_prop=False)
        return loop[-1].stack()


def generate_step_by_step(session, model, sequence, count):
    """The tutorial's loop: `sequence`, a list, and `count` values more, each from a `session.run` of its own."""
    sequence = list(sequence)
    for _ in range(count):
        X_batch = np.array(sequence[-model.n_steps :]).reshape(1, model.n_steps, 1)
        y_pred = session.run(model.outputs, feed_dict={model.X: X_batch})
        sequence.append(y_pred[0, -1, 0])
    return sequence


def generate(session, model, sequence, count):
    """The same from one `session.run`: an array [len(sequence) + count]."""
    feed_dict = {model.start: sequence[-model.n_steps :], model.n_values: count}
    return np.concatenate([sequence, session.run(model.values, feed_dict=feed_dict)])


def windows(values, n_steps):
    """All pieces of n_steps values, and of the values behind them: inputs and targets [pieces, n_steps, 1]."""
    pieces = np.lib.stride_tricks.sliding_window_view(values, n_steps + 1)
    return pieces[:, :-1, None], pieces[:, 1:, None]


def predict(session, model, values):
    """The prediction of each value behind a whole window: [len(values) - n_steps]."""
    X, _ = windows(values, model.n_steps)
    predictions = []
    for start in range(0, len(X), 1000):  # a long series' windows all at once would take gigabytes
        outputs = session.run(model.outputs, feed_dict={model.X: X[start : start + 1000]})
        predictions.append(outputs[:, -1, 0])
    return np.concatenate(predictions)


def run_training(session, model, config, name, make_batch, first_iteration=0, verbose=False, after_step=None):
    """Trains on the batches of `make_batch()`, inputs and targets.

    Args:
      session: a session with the variables initialised.
      model: a `TimeSeriesModel`, of the kind `name`.
      first_iteration: how many iterations are done; their batches are drawn and not used.
      verbose: prints the tutorial's line every 100 iterations.
      after_step: called after each iteration with the number of iterations done, and every 100 with the MSE, else None.
    """

    def check(mse, iteration):
        if not math.isfinite(mse):
            norm = session.run(model.gradient_norm, feed_dict=feed_dict)
            raise Diverged("MSE", mse, f"at iteration {iteration}", config.learning_rate, norm)

    for _ in range(first_iteration):
        make_batch()
    with progress.bar(config.n_iterations, first_iteration) as iterations:
        for iteration in iterations:
            X_batch, y_batch = make_batch()
            feed_dict = {model.X: X_batch, model.y: y_batch}
            keep_prob = {model.keep_prob: config.train_keep_prob} if name == "dropout" else {}
            _, mse = session.run([model.training_op, model.loss], feed_dict={**feed_dict, **keep_prob})
            check(mse, iteration)
            reported = None
            if iteration % 100 == 0:
                # As in the tutorial: of the training run for the dropout model, else of the weights behind it.
                reported = mse if name == "dropout" else session.run(model.loss, feed_dict=feed_dict)
                check(reported, iteration)
                if verbose:
                    progress.write(mse_line(name, iteration, reported))
            if after_step:
                after_step(iteration + 1, reported)
    check(session.run(model.loss, feed_dict=feed_dict), config.n_iterations)


def mse_line(name, iteration, mse):
    return f"{iteration} {'Training MSE:' if name == 'dropout' else chr(9) + 'MSE:'} {np.float32(mse)!s}"


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


def plot_prediction(folder, t_instance, y_pred):
    figure, axes = plots.new_figure()
    plot_instance(axes, t_instance)
    axes.plot(t_instance[1:], y_pred[0, :, 0], "r.", markersize=10, label="prediction")
    axes.set(title="Testing the model", xlabel="Time", ylabel="Value")
    axes.legend(loc="upper left")
    return plots.save(figure, folder, "time_series_pred_plot")


def plot_creation(axes, t, sequence, n_steps, title):
    """A generated sequence; the values that it starts from are drawn bold."""
    axes.plot(t, sequence, "b-")
    axes.plot(t[:n_steps], sequence[:n_steps], "b-", linewidth=3)
    axes.set(xlabel="Time", ylabel="Value", title=title)


def plot_held_out(folder, values, predictions, split, n_steps):
    """What a model that was trained on the times before `split` says, and its error beside the whole range's model's.

    `predictions` are by the model's name, the one that is drawn on the left the first.
    """
    figure, (left, right) = plots.new_figure(columns=2)
    times = np.arange(len(values)) * RESOLUTION
    left.plot(times, values, color="black", linewidth=3, alpha=0.3, label="truth")
    for name, predicted in predictions.items():
        if not left.lines[1:]:
            left.plot(times[n_steps:], predicted, "r-", linewidth=1, label=f"next value, {name}")
        right.plot(times[n_steps:], np.abs(predicted - values[n_steps:]), linewidth=1, label=name)
    left.set(title="The next value", xlabel="Time", ylabel="Value")
    right.set(title="Its error", xlabel="Time", ylabel="|prediction - truth|", yscale="log")
    for axes in (left, right):
        axes.axvspan(split, times[-1], color="orange", alpha=0.2, label="held out")
        axes.legend(loc="lower left")
    return plots.save(figure, folder, "time_series_held_out")


def plot_forecast(folder, values, split, predictions, forecast, n_steps):
    """A user's series, the predictions of each next value behind the split, and the forecast from there on."""
    figure, axes = plots.new_figure()
    axes.plot(values, color="black", alpha=0.5, label="truth")
    axes.axvline(split, color="gray", linestyle=":")
    behind = np.arange(split, len(values))
    axes.plot(behind, predictions, "r.", markersize=3, label="each next value, from those before it")
    axes.plot(behind, forecast, "b-", linewidth=1, label="forecast from the dotted line on")
    axes.set(title="Trained on the left of the dotted line", xlabel="position in the series", ylabel="value")
    axes.legend(loc="upper left")
    return plots.save(figure, folder, "series_forecast")


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

    figure, axes = plots.new_figure()
    plot_creation(axes, np.arange(len(sequence)) * RESOLUTION, sequence, n_steps, "From zeros")
    pictures = [plot_series(folder, t, t_instance), plot_prediction(folder, t_instance, y_pred)]
    pictures.append(plots.save(figure, folder, "creative_sequence"))
    figure, (left, right) = plots.new_figure(columns=2)
    plot_creation(left, t, sequence1, n_steps, "From zeros")
    plot_creation(right, t, sequence2, n_steps, f"From the series at {start:g}")
    pictures.append(plots.save(figure, folder, "creative_sequence_plot"))
    for picture in filter(None, pictures):
        print(f"Picture: {picture}")
    return {"y_pred": y_pred, "sequence": sequence, "sequence1": sequence1, "sequence2": sequence2}


def hold_out(config, model, rnn_mode, seed, values, whole_predictions, folder):
    """Does training on the whole range overfit? Trains afresh on the first two thirds and compares the next values.

    Args:
      values: the series on its grid, [number of values].
      whole_predictions: of the model that was trained on the whole range, [number of values - n_steps].
    Returns:
      `train_mse` and `held_out_mse` of the new model, on the first part and on the rest; `whole_range_mse`, both of the
      other. They are those of the value behind a whole window.
    """
    split = T_MIN + (T_MAX - T_MIN) * 2 / 3
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        groups, session_config = choose_groups(rnn_mode, config.batch_size, config.n_neurons, gates=1)
        m = TimeSeriesModel(config, model, rnn_mode, groups)
        init, random = tf.global_variables_initializer(), np.random.RandomState(seed)
        tf.get_default_graph().finalize()
        with tf.Session(config=session_config) as session:
            session.run(init)
            run_training(
                session, m, config, model, lambda: next_batch(config.batch_size, config.n_steps, random, split)
            )
            predictions = {f"trained on t < {split:g}": predict(session, m, values)}
    predictions["trained on the whole range"] = whole_predictions
    index = round((split - T_MIN) / RESOLUTION) - config.n_steps
    print(f"MSE of the next value    on t < {split:g}    on the rest")
    mses = []
    for name, predicted in predictions.items():
        errors = (predicted - values[config.n_steps :]) ** 2
        mses.append((float(np.mean(errors[:index])), float(np.mean(errors[index:]))))
        print("{:26} {:9.5f}  {:9.5f}".format(name, *mses[-1]))
    if picture := plot_held_out(folder, values, predictions, split, config.n_steps):
        print(f"Picture: {picture}")
    (train_mse, held_out_mse), whole_range_mse = mses
    return {"train_mse": train_mse, "held_out_mse": held_out_mse, "whole_range_mse": whole_range_mse}


def forecast(session, model, values, split, mean, deviation, folder):
    """What a model trained on `values[:split]` makes of a user's series behind it.

    Returns `train_mse` and `held_out_mse`, in units of the deviation squared, `predictions` of each next value, and
    `forecast`, which is generated from the split on; both [len(values) - split], in the series' units.
    """
    scaled = (values - mean) / deviation
    predictions = predict(session, model, scaled)
    errors = (predictions - scaled[model.n_steps :]) ** 2
    train_mse, held_out_mse = np.mean(errors[: split - model.n_steps]), np.mean(errors[split - model.n_steps :])
    generated = generate(session, model, scaled[:split], len(values) - split)[split:]
    predictions, generated = (array * deviation + mean for array in (predictions[split - model.n_steps :], generated))
    error, naive = (np.sqrt(np.mean((values[split:] - guess) ** 2)) for guess in (predictions, values[split - 1 : -1]))
    print(f"MSE of the next value, scaled: {train_mse:.5f} on the first {split} values, {held_out_mse:.5f} on the rest")
    print(f"Root mean square error on the rest: {error:.4g}; of always saying the last value: {naive:.4g}")
    if picture := plot_forecast(folder, values, split, predictions, generated, model.n_steps):
        print(f"Picture: {picture}")
    return {
        "train_mse": float(train_mse),
        "held_out_mse": float(held_out_mse),
        "predictions": predictions,
        "forecast": generated,
    }


def get_config(args):
    """The config that the flags name."""
    return configs.get_config(configs.TIME_SERIES_CONFIGS[args.model], args.config, args.overrides)


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    if args.column is not None and not args.data_path:
        raise UserError("--column goes with --data_path: name the file that has the column")
    checkpoints.check_flags(args)
    folder, random = args.save_path or "plots", np.random.RandomState(args.seed)
    if args.data_path:
        values = read_series(args.data_path, args.column)
        split = len(values) * 4 // 5
        if split < config.n_steps + 1 or split == len(values):
            raise UserError(
                f"{args.data_path} has {len(values)} values, too few for n_steps {config.n_steps} and the value behind "
                "them in the first four fifths: lower --set n_steps=N, or take a longer series"
            )
        mean, deviation = np.mean(values[:split]), np.std(values[:split])
        if not deviation > 1e-12 * abs(mean):
            raise UserError(f"{args.data_path} is constant in its first {split} values, or nearly: nothing to learn")
        if np.max(np.abs(values - mean)) > 1e15 * deviation:  # its square is no fp32 any more
            raise UserError(f"{args.data_path} has a value 1e15 times as far from the mean as the others: correct it")
        X, y = windows((values[:split] - mean) / deviation, config.n_steps)
        print(f"Series: {len(values):,} values, the first {split:,} to train on, scaled to mean 0 and deviation 1")
        data = f"{len(values)} values, checksum {zlib.crc32(values.tobytes()):08x}"

        def make_batch():
            chosen = random.randint(0, len(X), config.batch_size)
            return X[chosen], y[chosen]
    else:
        if config.n_steps > 99:
            raise UserError(f"--set n_steps={config.n_steps}: a third of the series, which is held out, has 100 values")
        data = "t sin(t) / 3 + 2 sin(5 t)"

        def make_batch():
            return next_batch(config.batch_size, config.n_steps, random)

    identity = {"script": "time_series", "model": args.model, "config": configs.values(config), "seed": args.seed}
    identity["data"] = data
    rnn_mode = choose_rnn_mode(args.rnn_mode)
    with tf.Graph().as_default(), app.StopRequest() as stop:
        tf.set_random_seed(args.seed)
        groups, session_config = choose_groups(rnn_mode, config.batch_size, config.n_neurons, gates=1)
        m = TimeSeriesModel(config, args.model, rnn_mode, groups)
        check_memory()
        saved = checkpoints.Checkpoints(args.save_path, args.save_every, identity, {})
        init = tf.global_variables_initializer()
        tf.get_default_graph().finalize()

        def use(session):
            if args.data_path:
                return forecast(session, m, values, split, mean, deviation, folder)
            series = time_series(np.arange(T_MIN, T_MAX, RESOLUTION))
            results = create(session, m, args.second_start, folder)
            return {**results, "series": series, "whole_predictions": predict(session, m, series)}

        with saved:
            with tf.Session(config=session_config) as session:
                session.run(init)
                records, iteration = [], 0
                if restored := saved.restore(session):
                    progress_, _ = restored
                    records, iteration = progress_["records"], progress_["iteration"]
                metrics = Metrics(args.save_path, iteration - 1)  # an iteration's event has its number, from 0 on
                metrics.write(records)

                def save(iteration):
                    saved.save(session, {"records": records, "iteration": iteration}, {})
                    metrics.write(records)

                def after_step(iteration, mse):
                    if mse is not None:
                        records.append({"iteration": iteration - 1, "mse": float(mse)})
                        metrics.event(iteration - 1, mse=mse)
                    if stop.signum:
                        save(iteration)
                        kept = (
                            f"saved in {args.save_path}" if args.save_path else "without --save_path nothing is saved"
                        )
                        raise app.Interrupted(stop.signum, f"Stopped behind iteration {iteration - 1}: {kept}")
                    if saved.is_due() and iteration < config.n_iterations:  # the last one's MSE is not known yet
                        save(iteration)

                if iteration == config.n_iterations:
                    print(f"The run in {args.save_path} is finished; its last line again:")
                    print(mse_line(args.model, **records[-1]))
                else:
                    run_training(session, m, config, args.model, make_batch, iteration, True, after_step)
                    save(config.n_iterations)
                if not args.save_path:
                    results = use(session)
            if args.save_path:
                with tf.Session(config=session_config) as session:
                    saved.restore(session, "Restored from")
                    results = use(session)
        if stop.signum:
            raise app.Interrupted(stop.signum, "Stopped behind the training, before the held-out part was measured")
    results["mse"] = [record["mse"] for record in records]
    if not args.data_path:
        series, predictions = results.pop("series"), results.pop("whole_predictions")
        results.update(hold_out(config, args.model, rnn_mode, args.seed, series, predictions, folder))
    return results


if __name__ == "__main__":
    main()
