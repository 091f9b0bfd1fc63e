"""The X/Y dependency RNN: a tiny network that has to find out which earlier inputs an output depends on.

Source: R2RT 2016, "Recurrent Neural Networks in Tensorflow I",
https://r2rt.com/recurrent-neural-networks-in-tensorflow-i.html, as Shi Xiaowen retells it in Chinese,
https://www.jianshu.com/p/b38760250281.

X is a sequence of fair coin throws. Y(t) is 1 with probability 0.5, plus 0.5 where X(t-3) is 1, less 0.25 where X(t-8)
is 1. What a network has found shows in its loss, in nats, for theory gives:

    0.6616  nothing
    0.5192  the dependency at distance 3
    0.4545  both

Commands, what they end with (the training loss; no batch comes twice), and the time on 2 cores. The last one trains
step by step, as the tutorial and its function `train_network(5, num_steps=10)` do:

    python binary_echo.py                      Loss at the end: 0.5199; learned: distance 3                   10 s
    python binary_echo.py --config=medium      0.4558; learned: distance 3 and distance 8                      7 s
    python binary_echo.py --rnn_mode=basic     0.5199; learned: distance 3                                    80 s

Departures from the tutorial, each with its reason:

* The training loop is part of the graph and compiled (--rnn_mode=auto): many steps a `session.run`. The tutorial's,
  a `session.run` for each step, is --rnn_mode=basic.
* The first average of an epoch covers steps 1 to 100; the tutorial divides the 101 losses of steps 0 to 100 by 100.
* `gen_data` draws the same numbers without a Python loop. Its indices i - 3 and i - 8 wrap around at the start, as the
  tutorial's negative ones do. Its numbers, and the first weights, come from --seed, so that a run can be repeated.
"""

import itertools

import numpy as np

import configs
from tf1 import app, checkpoints, layers, loop, plots, progress, tf
from tf1.app import BadValue, Diverged, UserError
from tf1.modes import check_choice
from tf1.training import Position, Run

NUM_CLASSES = 2
LAGS, EFFECTS = (3, 8), (0.5, -0.25)
MEASURED_STEPS = 1_000  # at most, of the data on which effects are measured
STEPS_A_RUN = 3_333  # of the loop in the graph: a run takes less than a tenth of a second


def parse_args(argv=None):
    parser = app.ArgumentParser("binary_echo.py", __doc__)
    models = "the cell written by hand, BasicRNNCell with static_rnn, or with dynamic_rnn (default: %(default)s)"
    parser.add_argument("--model", choices=("manual", "static", "dynamic"), default="manual", help=models)
    parser.add_argument("--config", default="small", help=f"{', '.join(configs.ECHO_CONFIGS)} (default: %(default)s)")
    parser.add_argument("--lags", type=lag_list, default=LAGS, help="distances that Y depends on (default: 3,8)")
    parser.add_argument("--effects", type=effect_list, default=EFFECTS, help="of each on P(Y = 1) (default: 0.5,-0.25)")
    parser.add_argument("--rnn_mode", choices=("auto", "basic"), default="auto", help="basic: one session.run a step")
    parser.add_common("--save_path", "--save_every", "--init_from", "--seed", "--set")
    return parser.parse_args(argv)


def gen_data(size=1000000, random=np.random, lags=LAGS, effects=EFFECTS):
    """X, fair coin throws, and Y, which depends on X at the distances `lags`: two integer arrays [size]."""
    X = np.array(random.choice(2, size=(size,)))
    sums = np.zeros(size)
    for lag, effect in zip(lags, effects):
        sums += effect * np.roll(X, lag)  # X[i - lag]
    Y = (random.rand(size) <= 0.5 + sums).astype(X.dtype)
    return X, Y


def gen_batch(raw_data, batch_size, num_steps):
    """Yields the batches of an epoch, x and y, int32 [batch_size, num_steps].

    The data are cut into `batch_size` rows, and these into windows, so that row i of a batch goes on in row i of the
    next one; what is left over is dropped. For batch_size 2 and num_steps 2:

        a b c d e f g h i j k      row 0   [a b]  [c d]
                                   row 1   [f g]  [h i]
    """
    batch_partition_length = len(raw_data[0]) // batch_size
    epoch_size, windows = batch_partition_length // num_steps, []
    for raw in raw_data:
        data = raw[: batch_size * batch_partition_length].reshape(batch_size, batch_partition_length)
        data = data[:, : epoch_size * num_steps].reshape(batch_size, epoch_size, num_steps)
        windows.append(data.transpose(1, 0, 2).astype(np.int32))  # [epoch_size, batch_size, num_steps]
    yield from zip(*windows)


def gen_epochs(n, num_steps, batch_size=3, **data):
    """Yields `n` times the batches of new data; `data` are arguments of `gen_data`."""
    for _ in range(n):
        yield gen_batch(gen_data(**data), batch_size, num_steps)


class EchoInput:
    """The batches of a training, in the sizes of `config`: an epoch's data are the next that come from `seed`."""

    def __init__(self, config, seed, lags=LAGS, effects=EFFECTS):
        self.epoch_size = config.size // config.batch_size // config.num_steps
        self._config, self._seed, self._data = config, seed, {"lags": lags, "effects": effects}
        self._epoch = 0  # of the batches that were asked for last

    def batches(self, position):
        """Those that the position's epoch still has; the data of epochs that are passed over are drawn as well."""
        if not 0 < self._epoch < position.epoch:
            config, random = self._config, np.random.RandomState(self._seed)
            sizes = config.num_epochs, config.num_steps, config.batch_size
            self._epochs = enumerate(gen_epochs(*sizes, size=config.size, random=random, **self._data), start=1)
        self._epoch = position.epoch
        batches = next(batches for epoch, batches in self._epochs if epoch == position.epoch)
        return itertools.islice(batches, position.step, None)


class EchoModel:
    """The graph of `num_steps` time steps and its training step.

    Args:
      config: the hyperparameters.
      input_: an `EchoInput`.
      model: "manual", "static" or "dynamic".
      rnn_mode: "basic": `train_op` is the tutorial's training step; "auto": a loop of `steps_a_run` steps at most.
    """

    def __init__(self, config, input_, model="manual", rnn_mode="basic"):
        self.input = input_
        rnns = {"manual": self._manual_rnn, "static": self._static_rnn, "dynamic": self._dynamic_rnn}
        self._config, self._rnn = config, rnns[check_choice("model", model, rnns)]
        batch_size, num_steps, state_size = config.batch_size, config.num_steps, config.state_size
        self.x = tf.placeholder(tf.int32, [batch_size, num_steps], name="input_placeholder")
        self.y = tf.placeholder(tf.int32, [batch_size, num_steps], name="labels_placeholder")
        self.init_state = tf.zeros([batch_size, state_size])
        self.total_loss, self.final_state, logits = self._build(self.x, self.y, self.init_state)
        self.predictions = [tf.nn.softmax(logit) for logit in logits]  # num_steps of [batch_size, NUM_CLASSES]
        optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
        self.train_step = optimizer.minimize(self.total_loss, tf.train.get_or_create_global_step())
        # What a `Position` has besides: the state, the last 100 losses, their mean, and the epoch's averages so far.
        self.start = {"recent": [], "training_loss": 0.0, "training_losses": []}
        self.start["state"] = np.zeros([batch_size, state_size], np.float32)

        self.train_op, self.train_loop, self.steps_a_run = self.train_step, None, 1
        if rnn_mode == "auto":
            self.steps_a_run = min(STEPS_A_RUN, input_.epoch_size)
            # Of many steps, [number of steps, batch_size, num_steps].
            self.xs, self.ys = (tf.placeholder(tf.int32, [None, batch_size, num_steps]) for _ in range(2))
            ys = layers.labels_in_range(self.ys, NUM_CLASSES)
            self.loop_losses, self.loop_state, self.train_loop = loop.train(
                self._build, self.xs, ys, self.init_state, config.learning_rate, self.steps_a_run
            )
            self.train_op = self.train_loop

    def _build(self, x, y, init_state):
        """The mean loss of a batch, the state after it, [batch_size, state_size], and each time step's logits."""
        x_one_hot = tf.one_hot(x, NUM_CLASSES)  # [batch_size, num_steps, NUM_CLASSES]
        rnn_outputs, final_state = self._rnn(x_one_hot, init_state)  # num_steps of [batch_size, state_size]
        with tf.variable_scope("softmax"):
            W = tf.get_variable("W", [self._config.state_size, NUM_CLASSES])
            b = tf.get_variable("b", [NUM_CLASSES], initializer=tf.constant_initializer(0.0))
        logits = [tf.matmul(rnn_output, W) + b for rnn_output in rnn_outputs]
        y_as_list = tf.unstack(y, axis=1)
        losses = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logit)
            for logit, label in zip(logits, y_as_list)
        ]
        return tf.reduce_mean(losses), final_state, logits

    def _manual_rnn(self, x_one_hot, state):
        # tf.Variable makes a new variable in every call. tf.get_variable makes one, and in a scope with reuse=True it
        # returns the one that already has the name. The tutorial asks for W and b in every step: with reuse=True all
        # steps share them, without it TensorFlow says "Variable rnn_cell/W already exists, disallowed". tf.Variable
        # would give each step weights of its own, and no error. Here both are made once, before the steps. The loop in
        # the graph (`tf1/loop.py`) needs get_variable too, since it replaces the variables by name.
        state_size, rnn_inputs = self._config.state_size, tf.unstack(x_one_hot, axis=1)
        with tf.variable_scope("rnn_cell"):
            W = tf.get_variable("W", [NUM_CLASSES + state_size, state_size])
            b = tf.get_variable("b", [state_size], initializer=tf.constant_initializer(0.0))

        def rnn_cell(rnn_input, state):
            return tf.tanh(tf.matmul(tf.concat([rnn_input, state], 1), W) + b)

        rnn_outputs = []
        for rnn_input in rnn_inputs:
            state = rnn_cell(rnn_input, state)
            rnn_outputs.append(state)
        return rnn_outputs, rnn_outputs[-1]

    def _static_rnn(self, x_one_hot, state):
        cell = tf.nn.rnn_cell.BasicRNNCell(self._config.state_size)
        return tf.nn.static_rnn(cell, tf.unstack(x_one_hot, axis=1), initial_state=state)

    def _dynamic_rnn(self, x_one_hot, state):
        cell = tf.nn.rnn_cell.BasicRNNCell(self._config.state_size)
        rnn_outputs, final_state = tf.nn.dynamic_rnn(cell, x_one_hot, initial_state=state)
        return tf.unstack(rnn_outputs, axis=1), final_state


def run_steps(session, model, batches, state, eval_op=None):
    """Runs the model over `batches` from `state` on; returns the losses, a list, and the state after them.

    Where `eval_op` is `model.train_loop`, all batches go into one `session.run`.
    """
    if eval_op is not None and eval_op is model.train_loop:
        xs, ys = (np.concatenate(arrays).reshape(-1, *model.x.shape) for arrays in zip(*batches))
        feed_dict = {model.xs: xs, model.ys: ys, model.init_state: state}
        losses, state, _ = session.run([model.loop_losses, model.loop_state, eval_op], feed_dict=feed_dict)
        return losses.tolist(), state
    losses, fetches = [], [model.total_loss, model.final_state, *([] if eval_op is None else [eval_op])]
    for X, Y in batches:
        loss, state, *_ = session.run(fetches, feed_dict={model.x: X, model.y: Y, model.init_state: state})
        losses.append(float(loss))
    return losses, state


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over an epoch's data, the state carried from batch to batch.

    Args:
      session: a session with the variables initialised.
      model: an `EchoModel`.
      eval_op: `model.train_op` for training.
      verbose: prints the average loss every 100 steps.
      position: a `Position` with the values of `model.start` to begin at, kept up to date; None: the beginning.
      steps: yields the steps that are still to do in pieces, each its first step and its end; None: all of them.
    Returns:
      The averages of 100 losses each, a list.
    """
    epoch_size, most = model.input.epoch_size, model.steps_a_run
    position = position or Position(**model.start)
    if steps is None:
        steps = ((start, min(start + most, epoch_size)) for start in range(position.step, epoch_size, most))
    batches = model.input.batches(position)
    for start, end in steps:
        losses, state = run_steps(session, model, itertools.islice(batches, end - start), position.state, eval_op)
        if not np.all(np.isfinite(losses)):
            first = int(np.argmin(np.isfinite(losses)))
            raise Diverged("loss", losses[first], f"in epoch {position.epoch} at step {start + first} of {epoch_size}")
        recent, averages = list(position.recent), {}
        for step, loss in enumerate(losses, start):
            recent.append(loss)
            if step % 100 == 0 and step > 0:
                averages[step] = sum(recent[-100:]) / 100
        position.step, position.state, position.recent = end, state, recent[-100:]
        position.training_losses = [*position.training_losses, *averages.values()]
        position.training_loss = sum(position.recent) / len(position.recent)
        for step, average in averages.items() if verbose else ():
            progress.write(f"Average loss at step {step} for last 100 steps: {average}")
    return position.training_losses


def levels(lags=LAGS, effects=EFFECTS):
    """The lowest possible loss in nats, knowing some of the dependencies: by the tuple of their lags, highest first.

    It is the entropy of Y given the inputs that are known; over the others its probability is averaged.
    """
    inputs = np.indices([2] * len(lags))  # each combination of their values, 0 and 1, is equally likely
    p = np.clip(0.5 + np.tensordot(effects, inputs, axes=1), 0, 1)  # of Y = 1, [2, ..., 2], an axis for each input
    found = {}
    for count in range(len(lags) + 1):
        for known in itertools.combinations(range(len(lags)), count):
            p_known = np.mean(p, axis=tuple(axis for axis in range(len(lags)) if axis not in known))
            ps = np.stack([p_known, 1 - p_known])
            entropies = -np.sum(ps * np.log(np.where(ps > 0, ps, 1)), axis=0)
            found[tuple(lags[axis] for axis in known)] = float(np.mean(entropies))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def measure_effects(session, model, raw_data, lags, watched=iter):
    """How much the probability of Y = 1 moves with X at each of the distances `lags`.

    Args:
      raw_data: X and Y, which are new to the network.
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
    Returns:
      By lag a pair: by how much the network's probability moves, and by how much the data's does.
    """
    batch_size, num_steps = model.x.shape.as_list()
    batches = list(gen_batch(raw_data, batch_size, num_steps))
    X, Y = (np.concatenate(arrays, axis=1) for arrays in zip(*batches))  # [batch_size, length]
    state, probabilities = model.start["state"], []
    for x, _ in watched(batches):
        predictions, state = session.run([model.predictions, model.final_state], {model.x: x, model.init_state: state})
        probabilities += [prediction[:, 1] for prediction in predictions]
    network, found = np.stack(probabilities, axis=1), {}  # [batch_size, length]
    for lag in lags:
        was_one = X[:, : X.shape[1] - lag] == 1
        found[lag] = tuple(float(np.mean(p[:, lag:][was_one]) - np.mean(p[:, lag:][~was_one])) for p in (network, Y))
    return found


def learned_lags(found, effects=EFFECTS):
    """The lags of which the network's probability, as `measure_effects` found it, shows at least half of the effect."""
    pairs = zip(found.items(), effects)
    return tuple(lag for (lag, (network, _)), effect in pairs if network * effect >= effect**2 / 2 > 0)


def train(args, config, verbose=True):
    """Trains a network on `config.num_epochs` epochs; returns the averages of 100 losses, and the effects it shows."""
    identity = {"script": "binary_echo", "model": args.model, "config": configs.identity(config), "seed": args.seed}
    identity.update(lags=list(args.lags), effects=list(args.effects))
    measured = min(config.size, MEASURED_STEPS * config.batch_size * config.num_steps)
    new_data = gen_data(measured, np.random.RandomState([args.seed, 1]), args.lags, args.effects)
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        m = EchoModel(config, EchoInput(config, args.seed, args.lags, args.effects), args.model, args.rnn_mode)
        with Run(args, identity, m.input.epoch_size, curves=("training_loss",), **m.start) as run:
            if run.position.epoch > config.num_epochs:
                run.say_finished()
            for idx in range(run.position.epoch - 1, config.num_epochs):
                if verbose:
                    print("\nEPOCH", idx)
                losses = run_epoch(run.session, m, m.train_op, verbose, run.position, run.pieces(m.steps_a_run))
                run.end_epoch(loss=float(np.mean(losses)), training_losses=losses)
            found = measure_effects(run.session, m, new_data, args.lags, run.watched)
    return [loss for record in run.records for loss in record["training_losses"]], found


def train_network(num_epochs, num_steps, state_size=4, verbose=True):
    """The tutorial's function: trains its network, step by step, with these numbers; returns the list of averages."""
    numbers = [f"--set=num_epochs={num_epochs}", f"--set=num_steps={num_steps}", f"--set=state_size={state_size}"]
    args = parse_args(["--rnn_mode=basic", *numbers])
    return train(args, get_config(args), verbose)[0]


def final_loss(training_losses):
    """The mean of the last tenth of the averages."""
    return float(np.mean(training_losses[-max(1, len(training_losses) // 10) :]))


def name_lags(known):
    return " and ".join(f"distance {lag}" for lag in known) or "nothing"


def draw_levels(axes, all_levels):
    """The lowest of the levels that know no dependency, of those that know one, two, and so on to all."""
    for count in range(max(map(len, all_levels)) + 1):
        known = min((known for known in all_levels if len(known) == count), key=all_levels.get)
        label = f"knowing {name_lags(known)}: {all_levels[known]:.4f}"
        axes.axhline(all_levels[known], linestyle=":", color=f"C{count + 1}", label=label)


@plots.picture
def plot_training(training_losses, all_levels, model, title, folder):
    figure, axes = plots.new_figure()
    steps = 100 * np.arange(1, len(training_losses) + 1)
    axes.plot(steps, training_losses, linewidth=0.8, color="C0", label="average of 100 steps")
    draw_levels(axes, all_levels)
    axes.set(xlabel="steps", ylabel="loss in nats", title=title, xscale="log")
    figure.legend(loc="outside lower center", ncols=2)
    return plots.save(figure, folder, f"binary_echo_loss_{model}")


def lag_list(text):
    """The type of --lags."""
    values = tuple(app.integer(part) for part in text.split(","))
    if len(values) > 8 or len(set(values)) < len(values) or not all(0 <= value <= 1000 for value in values):
        raise BadValue(f"{text} is not a list of up to 8 different distances from 0 to 1000")
    return values


def effect_list(text):
    """The type of --effects."""
    values = tuple(app.number(part) for part in text.split(","))
    lowest, highest = (0.5 + sum(limit(value, 0) for value in values) for limit in (min, max))
    if not 0 <= round(lowest, 9) <= round(highest, 9) <= 1:
        raise BadValue(f"{text} would move the probability of Y = 1 into {lowest:g} to {highest:g}: lower them")
    return values


def get_config(args):
    """The config that the flags name."""
    config = configs.get_config(configs.ECHO_CONFIGS, args.config, args.overrides)
    if config.size < (needed := config.batch_size * 101 * config.num_steps):
        raise UserError(
            f"size {config.size} makes no average of 100 steps of batch_size {config.batch_size}, it takes {needed}: "
            "raise --set size=N, or lower --set batch_size=N"
        )
    row = min(MEASURED_STEPS, config.size // config.batch_size // config.num_steps) * config.num_steps
    if (lag := max(args.lags)) > row // 2:
        raise UserError(f"--lags has {lag}, and its effect is measured on {row} values: {row // 2} is the most")
    if len(args.lags) != len(args.effects):
        raise UserError(f"--lags has {len(args.lags)} distances, --effects {len(args.effects)} numbers: give as many")
    return config


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    checkpoints.check_flags(args)
    all_levels = levels(args.lags, args.effects)
    for known, level in all_levels.items():
        print(f"Lowest possible loss knowing {name_lags(known)}: {level:.4f} nats")
    training_losses, found = train(args, config)
    learned = learned_lags(found, args.effects)
    for lag, (network, data) in found.items():
        print(f"X at distance {lag} moves the probability of Y = 1 by {data:+.3f}, the network's by {network:+.3f}")
    print(f"Loss at the end: {final_loss(training_losses):.4f}; learned: {name_lags(learned)}")
    title = f"Binary echo, {config.state_size} units, batches of {config.batch_size}, {config.num_steps} steps"
    plots.say(plot_training(training_losses, all_levels, args.model, title, args.save_path or "plots"))
    return {"training_losses": training_losses, "levels": all_levels, "learned": learned}


if __name__ == "__main__":
    main()
