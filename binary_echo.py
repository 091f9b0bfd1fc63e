"""The X/Y dependency RNN: a tiny network that is to find out on which inputs of the past an output depends.

Source: seed 004's tutorial (in Chinese). X is a sequence of fair coin throws. Y(t) is 1 with probability 0.5, plus 0.5
where X(t-3) is 1, less 0.25 where X(t-8) is 1. What a network has found shows in its loss, in nats, for theory gives:

    0.6616  nothing
    0.5192  the dependency at distance 3
    0.4545  both

Commands, what they end with, and the time on 2 cores:

    python binary_echo.py                           Loss at the end: 0.5199; learned: distance 3                   10 s
    python binary_echo.py --config=medium           0.4558; learned: distance 3 and distance 8                      7 s
    python binary_echo.py --section=truncation      a table of num_steps 1, 2, 3, 5, 8, 10, 15                     33 s

Losses are those of training, on data that come once.

Departures from the tutorial, each with its reason:

* The training loop is part of the graph and compiled (--rnn_mode=auto): many steps a `session.run`. The tutorial's,
  a `session.run` for each step, is --rnn_mode=basic.
* The first average of an epoch covers steps 1 to 100; the tutorial divides the 101 losses of steps 0 to 100 by 100.
* `gen_data` draws the same numbers without a Python loop. Its indices i - 3 and i - 8 wrap around at the start, as the
  tutorial's negative ones do.
"""

import copy
import itertools
import math

import numpy as np

import configs
from tf1 import app, checkpoints, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.metrics import Metrics
from tf1.modes import check_memory

NUM_CLASSES = 2
LAGS, EFFECTS = (3, 8), (0.5, -0.25)
TRUNCATIONS = 1, 2, 3, 5, 8, 10, 15
MEASURED_STEPS = 1_000  # at most, of the data on which effects are measured
STEPS_A_RUN = 3_333  # of the loop in the graph: a run takes less than a tenth of a second


def parse_args(argv=None):
    parser = app.ArgumentParser("binary_echo.py", __doc__)
    parser.add_argument(
        "--section",
        choices=("train", "truncation"),
        default="train",
        help="train (default); truncation: compares lengths of back-propagation, and saves its picture only",
    )
    parser.add_argument(
        "--model",
        choices=("manual", "static", "dynamic"),
        default="manual",
        help="the cell written by hand, BasicRNNCell with static_rnn, or with dynamic_rnn (default: %(default)s)",
    )
    parser.add_argument("--config", default="small", help=f"{', '.join(configs.ECHO_CONFIGS)} (default: %(default)s)")
    parser.add_argument("--lags", type=lags, default=LAGS, help="distances that Y depends on (default: 3,8)")
    parser.add_argument("--effects", type=effects, default=EFFECTS, help="of them on its probability (0.5,-0.25)")
    parser.add_argument(
        "--rnn_mode",
        choices=("auto", "basic"),
        default="auto",
        help="basic: one session.run a step; auto (default): the loop in the graph",
    )
    parser.add_common("--save_path", "--save_every", "--seed", "--set")
    return parser.parse_args(argv)


def lags(text):
    """The type of --lags."""
    values = tuple(int(part) for part in text.split(","))
    if len(values) > 8 or len(set(values)) < len(values) or not all(0 <= value <= 1000 for value in values):
        raise ValueError  # argparse words it
    return values


def effects(text):
    """The type of --effects."""
    values = tuple(float(part) for part in text.split(","))
    if not all(-1 <= value <= 1 for value in values):
        raise ValueError
    return values


def probability(sums):
    """Of Y = 1, where the effects of the inputs that are 1 add up to `sums`."""
    return np.clip(0.5 + sums, 0, 1)


def gen_data(size=1000000, random=np.random, lags=LAGS, effects=EFFECTS):
    """X, fair coin throws, and Y, which depends on X at the distances `lags`: two integer arrays [size]."""
    X = np.array(random.choice(2, size=(size,)))
    sums = np.zeros(size)
    for lag, effect in zip(lags, effects):
        sums += effect * np.roll(X, lag)
    Y = (random.rand(size) <= probability(sums)).astype(X.dtype)
    return X, Y


def levels(lags=LAGS, effects=EFFECTS):
    """The least loss, in nats, of who knows of some of the dependencies: by the tuple of their lags, the largest first.

    For the known inputs' values, each equally likely, it is the entropy of Y, whose probability is the mean over the
    values of the inputs that are not known.
    """
    found = {}
    for count in range(len(lags) + 1):
        for known in itertools.combinations(range(len(lags)), count):
            entropies = []
            for values in itertools.product((0, 1), repeat=count):
                fixed = dict(zip(known, values))
                rest = [index for index in range(len(lags)) if index not in fixed]
                p = np.mean(
                    [
                        probability(
                            sum(effects[index] * value for index, value in [*fixed.items(), *zip(rest, others)])
                        )
                        for others in itertools.product((0, 1), repeat=len(rest))
                    ]
                )
                entropies.append(-sum(q * math.log(q) for q in (p, 1 - p) if q > 0))
            found[tuple(lags[index] for index in known)] = float(np.mean(entropies))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def windows(raw_data, batch_size, num_steps):
    """All batches of an epoch: inputs and labels, int32 [number of steps, batch_size, num_steps].

    The data are cut into `batch_size` rows, and these into windows, so that row i of a batch goes on in row i of the
    next one; what is left over is dropped. For batch_size 2 and num_steps 2:

        a b c d e f g h i j k      row 0   [a b]  [c d]
                                   row 1   [f g]  [h i]
    """
    batch_partition_length = len(raw_data[0]) // batch_size
    epoch_size = batch_partition_length // num_steps
    return tuple(
        raw[: batch_size * batch_partition_length]
        .reshape(batch_size, batch_partition_length)[:, : epoch_size * num_steps]
        .reshape(batch_size, epoch_size, num_steps)
        .transpose(1, 0, 2)
        .astype(np.int32)
        for raw in raw_data
    )


def gen_batch(raw_data, batch_size, num_steps):
    """Yields the batches of an epoch, x and y, int32 [batch_size, num_steps]."""
    yield from zip(*windows(raw_data, batch_size, num_steps))


def gen_epochs(n, num_steps, batch_size=3, **data):
    """Yields `n` times the batches of new data; `data` are arguments of `gen_data`."""
    for _ in range(n):
        yield gen_batch(gen_data(**data), batch_size, num_steps)


class EchoModel:
    """The graph of `num_steps` time steps, its training step, and the loop of many such steps.

    Args:
      config: the hyperparameters.
      model: `manual`, `static` or `dynamic`.
      loop_steps: how many steps a run of the loop makes at most.
    """

    def __init__(self, config, model, loop_steps):
        self._config, self._build = config, getattr(self, f"_build_{model}")
        batch_size, num_steps, state_size = config.batch_size, config.num_steps, config.state_size
        self.x = tf.placeholder(tf.int32, [batch_size, num_steps], name="input_placeholder")
        self.y = tf.placeholder(tf.int32, [batch_size, num_steps], name="labels_placeholder")
        self.init_state = tf.zeros([batch_size, state_size])
        self.total_loss, self.final_state, logits = self._build_loss(self.x, self.y, self.init_state)
        self.probabilities = tf.nn.softmax(tf.stack(logits, axis=1))[:, :, 1]  # of Y = 1, [batch_size, num_steps]
        optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
        grads_and_vars = optimizer.compute_gradients(self.total_loss)
        self.gradient_norm = tf.global_norm([gradient for gradient, _ in grads_and_vars])
        self.train_step = optimizer.apply_gradients(grads_and_vars, tf.train.get_or_create_global_step())

        self.xs = tf.placeholder(tf.int32, [loop_steps, batch_size, num_steps])
        self.ys = tf.placeholder(tf.int32, [loop_steps, batch_size, num_steps])
        self.count = tf.placeholder(tf.int32, [])  # how many of these steps are made
        self._build_loop(loop_steps)

    def _build_loss(self, x, y, init_state):
        """The mean loss of a batch, the state behind it, [batch_size, state_size], and each step's logits."""
        x_one_hot = tf.one_hot(x, NUM_CLASSES)  # [batch_size, num_steps, NUM_CLASSES]
        # num_steps of [batch_size, state_size]
        rnn_outputs, final_state = self._build(x_one_hot, init_state)
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

    def _build_manual(self, x_one_hot, state):
        state_size = self._config.state_size

        def rnn_cell(rnn_input, state, reuse):
            with tf.variable_scope("rnn_cell", reuse=reuse):
                W = tf.get_variable("W", [NUM_CLASSES + state_size, state_size])
                b = tf.get_variable("b", [state_size], initializer=tf.constant_initializer(0.0))
            return tf.tanh(tf.matmul(tf.concat([rnn_input, state], 1), W) + b)

        rnn_outputs = []
        for rnn_input in tf.unstack(x_one_hot, axis=1):
            state = rnn_cell(rnn_input, state, reuse=bool(rnn_outputs) or None)
            rnn_outputs.append(state)
        return rnn_outputs, rnn_outputs[-1]

    def _build_static(self, x_one_hot, state):
        cell = tf.nn.rnn_cell.BasicRNNCell(self._config.state_size)
        return tf.nn.static_rnn(cell, tf.unstack(x_one_hot, axis=1), initial_state=state)

    def _build_dynamic(self, x_one_hot, state):
        cell = tf.nn.rnn_cell.BasicRNNCell(self._config.state_size)
        rnn_outputs, final_state = tf.nn.dynamic_rnn(cell, x_one_hot, initial_state=state)
        return tf.unstack(rnn_outputs, axis=1), final_state

    def _build_loop(self, loop_steps):
        """`count` training steps over `xs` and `ys` from `init_state` on, in the graph.

        The weights go round in the loop as tensors: a custom getter gives them to the code that builds a step where it
        asks for its variables. XLA makes machine code of the whole, which has no op to dispatch any more; that is where
        the time goes at this size.
        """
        tvars = tf.trainable_variables()
        names = [variable.op.name for variable in tvars]

        def step(index, weights, state, losses, xs, ys):
            def weight(getter, name, *args, **kwargs):
                return weights[names.index(name)]

            with tf.variable_scope(tf.get_variable_scope(), custom_getter=weight):
                loss, state, _ = self._build_loss(xs[index], ys[index], state)
            gradients = tf.gradients(loss, weights)
            weights = [w - self._config.learning_rate * gradient for w, gradient in zip(weights, gradients)]
            return index + 1, weights, state, losses.write(index, loss)

        def loop(weights, state, xs, ys, count):
            losses = tf.TensorArray(tf.float32, loop_steps)
            _, weights, state, losses = tf.while_loop(
                lambda index, *_: index < count,
                lambda *loop_variables: step(*loop_variables, xs, ys),
                [0, weights, state, losses],
                back_prop=False,
                parallel_iterations=1,
            )
            return weights, state, losses.stack()

        compiled = tf.function(loop, jit_compile=True, autograph=False)
        weights = [variable.read_value() for variable in tvars]
        weights, self.loop_state, self.loop_losses = compiled(weights, self.init_state, self.xs, self.ys, self.count)
        update = [tf.assign(variable, weight) for variable, weight in zip(tvars, weights)]
        self.loop_train = tf.group(*update, tf.assign_add(tf.train.get_global_step(), tf.cast(self.count, tf.int64)))


def run_steps(session, model, xs, ys, state, rnn_mode):
    """Trains on the batches `xs` and `ys`, [number of steps, batch_size, num_steps], from `state` on.

    Returns:
      The losses, [number of steps], and the state behind them.
    """
    if rnn_mode == "basic":
        losses = []
        for X, Y in zip(xs, ys):
            feed_dict = {model.x: X, model.y: Y, model.init_state: state}
            fetches = [model.total_loss, model.final_state, model.train_step]
            loss, state, _ = session.run(fetches, feed_dict=feed_dict)
            losses.append(loss)
        return np.array(losses), state
    count, loop_steps = len(xs), model.xs.shape[0].value
    padding = [(0, loop_steps - count), (0, 0), (0, 0)]
    feed_dict = {model.xs: np.pad(xs, padding), model.ys: np.pad(ys, padding), model.count: count}
    feed_dict[model.init_state] = state
    losses, state, _ = session.run([model.loop_losses, model.loop_state, model.loop_train], feed_dict=feed_dict)
    return losses[:count], state


def measure_effects(session, model, config, random, lags, effects):
    """How much the probability of Y = 1 moves with each input that it depends on, on data that are new to the network.

    Returns:
      For each of `lags` a pair: by how much the network's probability moves, and by how much the data's does.
    """
    X, Y = gen_data(min(config.size, MEASURED_STEPS * config.batch_size * config.num_steps), random, lags, effects)
    state, probabilities = np.zeros([config.batch_size, config.state_size]), []
    for x in windows((X, Y), config.batch_size, config.num_steps)[0]:
        feed_dict = {model.x: x, model.init_state: state}
        probability, state = session.run([model.probabilities, model.final_state], feed_dict=feed_dict)
        probabilities.append(probability)
    network = np.concatenate(probabilities, axis=1)  # [batch_size, steps], row by row as `windows` cuts the data
    length = len(X) // config.batch_size
    found = {}
    for lag in lags:
        rows = [
            array[: config.batch_size * length].reshape(config.batch_size, length)[:, lag : network.shape[1]]
            for array in (np.roll(X, lag), Y)
        ]
        was_one = rows[0] == 1
        found[lag] = tuple(
            float(np.mean(values[was_one]) - np.mean(values[~was_one])) for values in (network[:, lag:], rows[1])
        )
    return found


class Progress:
    """Where a training stands between two steps.

    Attributes:
      epoch, step: the epoch, and how many of its steps are done.
      state: the RNN state behind them, [batch_size, state_size].
      recent: the losses since the last average was made.
      training_losses: all averages of 100 steps.
    """

    def __init__(self, state, epoch=0, step=0, recent=(), training_losses=()):
        self.state, self.epoch, self.step = state, epoch, step
        self.recent, self.training_losses = list(recent), list(training_losses)


def run_epoch(session, model, raw_data, config, rnn_mode, position, verbose=False, after_run=None):
    """Trains on an epoch's data, from `position` on, which is kept up to date.

    Args:
      session: a session with the variables initialised.
      model: an `EchoModel`.
      raw_data: X and Y.
      verbose: prints the average loss every 100 steps.
      after_run: called after each run of at most STEPS_A_RUN steps, with their number.
    """
    xs, ys = windows(raw_data, config.batch_size, config.num_steps)
    loop_steps = model.xs.shape[0].value
    with progress.bar(len(xs), position.step) as bar:
        while position.step < len(xs):
            piece = slice(position.step, position.step + loop_steps)
            losses, position.state = run_steps(session, model, xs[piece], ys[piece], position.state, rnn_mode)
            if not np.all(np.isfinite(losses)):
                first = position.step + int(np.argmin(np.isfinite(losses)))
                norm = session.run(model.gradient_norm, {model.x: xs[first], model.y: ys[first]})
                place = f"in epoch {position.epoch} at step {first} of {len(xs)}"
                raise Diverged("loss", losses[first - position.step], place, config.learning_rate, norm)
            lines = []
            for loss in losses.tolist():
                if position.step > 0:
                    position.recent.append(loss)
                if len(position.recent) == 100:
                    average = sum(position.recent) / 100
                    lines.append(f"Average loss at step {position.step} for last 100 steps: {average}")
                    position.training_losses.append(average)
                    position.recent = []
                position.step += 1
            bar.update(len(losses))
            try:
                for line in lines if verbose else ():
                    progress.write(line)
            finally:  # Ctrl-C also ends `| tee log`, and the losses are to be saved all the same
                if after_run:
                    after_run(len(losses))
    position.epoch, position.step, position.recent = position.epoch + 1, 0, []
    position.state = np.zeros_like(position.state)


def train(config, model, rnn_mode, lags, effects, seed, save_path=None, save_every=None, verbose=True):
    """Trains a network on `config.num_epochs` epochs, each with data of its own.

    Returns:
      The averages of 100 losses, a list, and what `measure_effects` finds.
    """
    random = np.random.RandomState(seed)
    identity = {"script": "binary_echo", "model": model, "config": configs.values(config), "seed": seed}
    identity.update(lags=list(lags), effects=list(effects))
    epoch_size = config.size // config.batch_size // config.num_steps
    unit, interval = save_every or ("steps", STEPS_A_RUN)
    loop_steps = min(STEPS_A_RUN, epoch_size, interval if unit == "steps" else STEPS_A_RUN)
    per_epoch = (epoch_size - 1) // 100  # averages
    zero_state = np.zeros([config.batch_size, config.state_size], np.float32)
    with tf.Graph().as_default(), app.StopRequest() as stop:
        tf.set_random_seed(seed)
        m = EchoModel(config, model, loop_steps)
        check_memory()
        saved = checkpoints.Checkpoints(save_path, save_every, identity, {"rnn_state": zero_state})
        global_step = tf.train.get_global_step()
        init = tf.global_variables_initializer()
        tf.get_default_graph().finalize()
        with saved, tf.Session() as session:
            session.run(init)
            position = Progress(zero_state)
            if restored := saved.restore(session):
                values, arrays = restored
                position = Progress(arrays["rnn_state"], **values)
            if position.epoch == config.num_epochs:
                print(f"The run in {save_path} is finished")
            metrics = Metrics(save_path, session.run(global_step))
            kept = f"saved in {save_path}" if save_path else "without --save_path nothing is saved"

            def save():
                names = ("epoch", "step", "recent", "training_losses")
                values = {name: getattr(position, name) for name in names}
                saved.save(session, values, {"rnn_state": position.state})
                write_metrics()

            def write_metrics():
                averages = np.array_split(
                    position.training_losses[: position.epoch * per_epoch], max(1, position.epoch)
                )
                metrics.write(
                    [{"epoch": i, "loss": float(np.mean(part))} for i, part in enumerate(averages) if len(part)]
                )

            write_metrics()

            def after_run(steps):
                if position.training_losses:
                    metrics.event(session.run(global_step), loss=position.training_losses[-1])
                if stop.signum:
                    save()
                    place = f"epoch {position.epoch} at step {position.step} of {epoch_size}"
                    raise app.Interrupted(stop.signum, f"Stopped in {place}: {kept}")
                if saved.is_due(steps):
                    save()

            for epoch in range(config.num_epochs):
                raw_data = gen_data(config.size, random, lags, effects)
                if epoch < position.epoch:
                    continue
                if verbose:
                    print("\nEPOCH", epoch)
                run_epoch(session, m, raw_data, config, rnn_mode, position, verbose, after_run)
                save()
            found = measure_effects(session, m, config, np.random.RandomState([seed, 1]), lags, effects)
            if stop.signum:
                raise app.Interrupted(stop.signum, f"Stopped behind the training: {kept}")
    return position.training_losses, found


def train_network(num_epochs, num_steps, state_size=4, verbose=True):
    """The tutorial's function: trains with its other numbers, and returns the average losses of each 100 steps.

    Weights and data come from seed 42, not from NumPy's global state: the same call returns the same list.
    """
    config = configs.EchoSmallConfig()
    config.num_epochs, config.num_steps, config.state_size = num_epochs, num_steps, state_size
    training_losses, _ = train(config, "manual", "auto", LAGS, EFFECTS, seed=42, verbose=verbose)
    return training_losses


def final_loss(training_losses):
    """The mean of the last tenth of the averages."""
    return float(np.mean(training_losses[-max(1, len(training_losses) // 10) :]))


def learned_lags(found):
    """The lags of which the network's probability shows at least half of the data's effect."""
    return tuple(lag for lag, (network, data) in found.items() if network * data > 0 and abs(network) >= abs(data) / 2)


def name_lags(known):
    return " and ".join(f"distance {lag}" for lag in known) or "nothing"


def draw_levels(axes, all_levels):
    """The levels of who knows of nothing, of the dependency that tells the most, of one more, and so on to all."""
    chain = [()]
    while len(chain) < max(map(len, all_levels)) + 1:
        larger = [known for known in all_levels if len(known) == len(chain) and set(known) > set(chain[-1])]
        chain.append(min(larger, key=all_levels.get))
    for index, known in enumerate(chain, start=1):
        label = f"knows of {name_lags(known)}: {all_levels[known]:.4f}"
        axes.axhline(all_levels[known], linestyle=":", color=f"C{index}", label=label)


def plot_training(training_losses, all_levels, title, folder):
    figure, axes = plots.new_figure()
    steps = 100 * np.arange(1, len(training_losses) + 1)
    axes.plot(steps, training_losses, linewidth=0.8, color="C0", label="average of 100 steps")
    draw_levels(axes, all_levels)
    axes.set(xlabel="steps", ylabel="loss in nats", title=title, xscale="log")
    figure.legend(loc="outside lower center", ncols=2)
    return plots.save(figure, folder, "binary_echo_loss")


def plot_truncation(losses, all_levels, title, folder):
    figure, axes = plots.new_figure()
    axes.plot(losses.keys(), losses.values(), "o-", color="C0", label="loss at the end")
    draw_levels(axes, all_levels)
    axes.set(xlabel="num_steps, at which back-propagation is cut", ylabel="loss in nats", title=title)
    figure.legend(loc="outside lower center", ncols=2)
    return plots.save(figure, folder, "binary_echo_truncation")


def learn(config, settings, all_levels, save_path, save_every, folder):
    """Returns `training_losses`, `levels`, by the known lags, and `learned`, the lags that the network knows."""
    for known, level in all_levels.items():
        print(f"Who knows of {name_lags(known)}: at least {level:.4f} nats")
    training_losses, found = train(config, save_path=save_path, save_every=save_every, **settings)
    learned = learned_lags(found)
    for lag, (network, data) in found.items():
        print(f"X at distance {lag} moves the probability of Y = 1 by {data:+.3f}, the network's by {network:+.3f}")
    print(f"Loss at the end: {final_loss(training_losses):.4f}; learned: {name_lags(learned)}")
    title = f"Binary echo, {config.state_size} units, batches of {config.batch_size}, {config.num_steps} steps"
    if picture := plot_training(training_losses, all_levels, title, folder):
        print(f"Picture: {picture}")
    return {"training_losses": training_losses, "levels": all_levels, "learned": learned}


def compare_truncations(config, settings, all_levels, folder):
    """Cuts back-propagation at different lengths; returns `losses`, the loss at the end by num_steps."""
    losses = {}
    effects = "  ".join(f"effect at {lag:2}" for lag in settings["lags"])
    print(f"num_steps  loss at the end  {effects}  learned")
    for num_steps in TRUNCATIONS:
        cut = copy.copy(config)
        cut.num_steps = num_steps
        training_losses, found = train(cut, verbose=False, **settings)
        losses[num_steps] = final_loss(training_losses)
        effects = "  ".join(f"{network:+12.3f}" for network, _ in found.values())
        print(f"{num_steps:9}  {losses[num_steps]:15.4f}  {effects}  {name_lags(learned_lags(found))}")
    title = f"Binary echo, {config.state_size} units: what truncated back-propagation learns"
    if picture := plot_truncation(losses, all_levels, title, folder):
        print(f"Picture: {picture}")
    return {"losses": losses}


def get_config(args):
    """The config that the flags name."""
    config = configs.get_config(configs.ECHO_CONFIGS, args.config, args.overrides)
    num_steps = [config.num_steps] if args.section == "train" else TRUNCATIONS
    needed = config.batch_size * 101 * max(num_steps)
    if config.size < needed:
        raise UserError(
            f"size {config.size} makes no average of 100 steps of batch_size {config.batch_size}, it takes {needed}: "
            "raise --set size=N, or lower --set batch_size=N"
        )
    row = min(MEASURED_STEPS, config.size // config.batch_size // min(num_steps)) * min(num_steps)
    if max(args.lags) > row // 2:
        raise UserError(
            f"--lags has {max(args.lags)}, and its effect is measured on {row} values: {row // 2} is the most"
        )
    return config


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    if len(args.lags) != len(args.effects):
        raise UserError(f"--lags has {len(args.lags)} numbers and --effects {len(args.effects)}: give one for each")
    checkpoints.check_flags(args)
    all_levels, folder = levels(args.lags, args.effects), args.save_path or "plots"
    settings = {"model": args.model, "rnn_mode": args.rnn_mode, "lags": args.lags, "effects": args.effects}
    settings["seed"] = args.seed
    if args.section == "train":
        return learn(config, settings, all_levels, args.save_path, args.save_every, folder)
    return compare_truncations(config, settings, all_levels, folder)


if __name__ == "__main__":
    main()
