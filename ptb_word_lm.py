"""The PTB word language model: predicts the next word of a text with LSTM layers, trained by truncated BPTT.

Source: the TensorFlow tutorial "Recurrent Neural Networks" (ptb_word_lm.py, 2015 to 2018), with the models of Zaremba,
Sutskever and Vinyals 2014, "Recurrent Neural Network Regularization", https://arxiv.org/abs/1409.2329. Published
perplexities:

    config   epochs   train   valid    test
    small        13   37.99  121.39  115.91
    medium       39   48.45   86.16   82.07
    large        55   37.87   82.62   78.29

Commands, and their last line on the real Penn Treebank:

    python ptb_word_lm.py --config=small                              Test Perplexity: 114.182
    python ptb_word_lm.py --config=small --precision=bf16             Test Perplexity: 113.729
    python ptb_word_lm.py --config=small --rnn_mode=basic             Test Perplexity: 113.187

Departures from the tutorial, each with its reason:

* The default `--rnn_mode=auto` computes the same layers in whole sequences, which is faster; `basic` is the tutorial's
  graph.
* The tokens are read slice by slice, and not a constant of the graph, which grows with the corpus and ends at 2 GB.
* A checkpoint holds the place in the epoch, the RNN state and the cost so far, so that a stopped run goes on; dropout
  is keyed by seed and step for the same reason.
* Progress is printed ten times an epoch whatever the epoch's size.
* The test set is read as the tutorial reads it, one stream in which each token is predicted from all before it, but by
  `evaluate`, which computes the tutorial's number in a small part of its time.
"""

import copy
import math
import time

import numpy as np

import configs
import reader
from data import sample
from tf1 import app, checkpoints, layers, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.dropout import OUTPUTS, DropoutWrapper, dropout, dropout_sequence
from tf1.metrics import Metrics
from tf1.modes import check_memory, choose_groups, choose_precision, choose_rnn_mode
from tf1.progress import Position

PUBLISHED = {"small": (37.99, 121.39, 115.91), "medium": (48.45, 86.16, 82.07), "large": (37.87, 82.62, 78.29)}


def parse_args(argv=None):
    parser = app.ArgumentParser("ptb_word_lm.py", __doc__)
    parser.add_argument("--config", default="small", help=f"{', '.join(configs.PTB_CONFIGS)} (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt")
    parser.add_argument("--vocab_size", type=int, help="replaces the config's; 0: every word of the corpus")
    parser.add_common("--rnn_mode", "--precision", "--save_path", "--save_every", "--seed", "--set")
    return parser.parse_args(argv)


class PTBInput:
    """The batches of one data set.

    Args:
      config: its `batch_size` and `num_steps` are used.
      data: ids, [number of tokens].
      name: of the operations.
    """

    def __init__(self, config, data, name=None):
        self.batch_size = config.batch_size
        self.num_steps = config.num_steps
        self.epoch_size = reader.epoch_steps(len(data), self.batch_size, self.num_steps)
        # Both [batch_size, num_steps].
        self.input_data, self.targets = reader.ptb_producer(data, self.batch_size, self.num_steps, name=name)


def in_fixed_order(gradient):
    """The gradient, or an equal one, that the optimizer adds up in the same order in each run.

    From 1,024 rows on TensorFlow divides IndexedSlices among its threads; who comes first subtracts first, and words
    that occur twice are rounded in the one order or in the other.
    """
    if not isinstance(gradient, tf.IndexedSlices) or gradient.indices.shape.num_elements() < 1024:
        return gradient
    words, rows = tf.unique(gradient.indices)
    values = tf.unsorted_segment_sum(gradient.values, rows, tf.size(words))
    return tf.IndexedSlices(values, words, gradient.dense_shape)


class PTBModel:
    """The graph of `num_steps` time steps: embedding, LSTM layers, softmax, and for training the update.

    Args:
      is_training: with dropout and a training operation.
      config: the hyperparameters.
      input_: a `PTBInput`.
      rnn_mode: how the recurrent layers are built; the variables, and so the checkpoints, are the same in all modes.
      precision: of the operands of the matrix products, "fp32", or with `fused` "bf16".
      groups: with `fused`, groups of the batch's rows that are computed side by side.
    """

    def __init__(self, is_training, config, input_, rnn_mode="basic", precision="fp32", groups=1):
        self._input, self._is_training, self._precision = input_, is_training, precision
        self._groups = min(groups, input_.batch_size)
        size, vocab_size = config.hidden_size, config.vocab_size
        keep_prob = config.keep_prob if is_training else 1.0

        # The look-up stays on the CPU, as in the tutorial: the table is large, and only a few rows are needed.
        with tf.device("/cpu:0"):
            embedding = tf.get_variable("embedding", [vocab_size, size], dtype=tf.float32)
            inputs = tf.nn.embedding_lookup(embedding, input_.input_data)  # [batch_size, num_steps, size]
        if keep_prob < 1:
            inputs = dropout(inputs, keep_prob, layer=0)

        build = {"basic": self._build_basic, "fused": self._build_fused, "cudnn": self._build_cudnn}[rnn_mode]
        output = build(inputs, config, keep_prob)  # [batch_size * num_steps, size], row by row, then step by step

        softmax_w = tf.get_variable("softmax_w", [size, vocab_size], dtype=tf.float32)
        softmax_b = tf.get_variable("softmax_b", [vocab_size], dtype=tf.float32)
        targets = tf.reshape(input_.targets, [-1])
        if rnn_mode == "fused":
            sizes = [
                len(rows) for rows in np.array_split(np.arange(input_.batch_size * input_.num_steps), self._groups)
            ]
            losses = [
                layers.softmax_cross_entropy(*rows, softmax_w, softmax_b, precision, is_training)
                for rows in zip(tf.split(output, sizes), tf.split(targets, sizes))
            ]
            loss = tf.concat(losses, axis=0)
        else:
            logits = tf.matmul(output, softmax_w) + softmax_b  # [batch_size * num_steps, vocab_size]
            # tf.contrib.legacy_seq2seq.sequence_loss_by_example with weights of 1.
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
        # Summed over the time steps, averaged over the rows: cost / num_steps is nats for a word.
        self._cost = tf.reduce_sum(loss) / input_.batch_size

        self._gradient_norm = None
        if not is_training:
            return

        self._lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        # Truncated BPTT: the gradient ends at initial_state, which is fed, so it covers num_steps steps.
        grads, rate = tf.gradients(self._cost, tvars), self._lr
        if rnn_mode == "basic":
            grads, self._gradient_norm = tf.clip_by_global_norm(grads, config.max_grad_norm)
        else:  # the learning rate takes the factor of all gradients, which saves a pass over them
            self._gradient_norm = tf.global_norm(grads)
            clipping = config.max_grad_norm * tf.minimum(1 / self._gradient_norm, 1 / config.max_grad_norm)
            rate = self._lr * clipping
        grads = [in_fixed_order(gradient) for gradient in grads]
        optimizer = tf.train.GradientDescentOptimizer(rate)
        self._train_op = optimizer.apply_gradients(zip(grads, tvars), tf.train.get_or_create_global_step())

        self._new_lr = tf.placeholder(tf.float32, shape=[], name="new_learning_rate")
        self._lr_update = tf.assign(self._lr, self._new_lr)

    def _build_basic(self, inputs, config, keep_prob):
        """The tutorial's layers: a MultiRNNCell of BasicLSTMCells, unrolled over the time steps."""

        def lstm_cell(layer):
            cell = tf.nn.rnn_cell.BasicLSTMCell(config.hidden_size, forget_bias=0.0, state_is_tuple=True)
            return (
                DropoutWrapper(cell, output_keep_prob=keep_prob, layer=layer + 1, in_loop=False)
                if keep_prob < 1
                else cell
            )

        cell = tf.nn.rnn_cell.MultiRNNCell([lstm_cell(layer) for layer in range(config.num_layers)])
        self._initial_state = state = cell.zero_state(self.input.batch_size, tf.float32)
        outputs = []
        with tf.variable_scope("RNN"):
            for time_step in range(self.input.num_steps):
                if time_step > 0:
                    tf.get_variable_scope().reuse_variables()
                cell_output, state = cell(inputs[:, time_step, :], state)  # cell_output: [batch_size, size]
                outputs.append(cell_output)
        self._final_state = state
        return tf.reshape(tf.concat(outputs, 1), [-1, config.hidden_size])

    def _build_fused(self, inputs, config, keep_prob):
        """The same, each layer a function of the whole sequence."""

        def lstm(inputs, initial_state, kernel, bias):
            return layers.in_groups(
                layers.lstm, self._groups, inputs, initial_state, kernel, bias, precision=self._precision
            )

        return self._build_layers(lstm, inputs, config, keep_prob)

    def _build_cudnn(self, inputs, config, keep_prob):
        """The same through cuDNN, on a GPU."""

        def lstm(inputs, initial_state, kernel, bias):
            return layers.cudnn_lstm(inputs, initial_state, kernel, bias, is_training=self._is_training)

        return self._build_layers(lstm, inputs, config, keep_prob)

    def _build_layers(self, lstm, inputs, config, keep_prob):
        """The layers of `lstm`, with the variables and the dropout of the cells of `_build_basic`."""
        size, batch_size = config.hidden_size, self.input.batch_size
        # Time-major, [num_steps, batch_size, size]; tf.transpose takes 1 ms for what takes 0.1 ms so.
        output = tf.stack(tf.unstack(inputs, axis=1))
        initial_states, final_states = [], []
        for layer in range(config.num_layers):
            with tf.variable_scope(f"RNN/multi_rnn_cell/cell_{layer}/basic_lstm_cell"):
                kernel = tf.get_variable("kernel", [2 * size, 4 * size])
                bias = tf.get_variable("bias", [4 * size], initializer=tf.zeros_initializer())
            c, h = (tf.zeros([batch_size, size]) for _ in range(2))
            output, final_state = lstm(output, (c, h), kernel, bias)
            if keep_prob < 1:
                output = dropout_sequence(output, keep_prob, layer + 1, OUTPUTS)
            initial_states.append(tf.nn.rnn_cell.LSTMStateTuple(c, h))
            final_states.append(tf.nn.rnn_cell.LSTMStateTuple(*final_state))
        self._initial_state, self._final_state = tuple(initial_states), tuple(final_states)
        return tf.reshape(tf.stack(tf.unstack(output), axis=1), [-1, size])

    def assign_lr(self, session, lr_value):
        session.run(self._lr_update, feed_dict={self._new_lr: lr_value})

    @property
    def input(self):
        return self._input

    @property
    def initial_state(self):
        """For each layer the c and h, each [batch_size, hidden_size], that the first time step starts from."""
        return self._initial_state

    @property
    def cost(self):
        return self._cost

    @property
    def final_state(self):
        return self._final_state

    @property
    def lr(self):
        return self._lr

    @property
    def gradient_norm(self):
        """Of all gradients together, before clipping; None: the model is not for training."""
        return self._gradient_norm

    @property
    def train_op(self):
        return self._train_op


def run_epoch(session, model, eval_op=None, verbose=False, position=None, after_step=None):
    """Runs the model over its data once, the state carried from batch to batch.

    Args:
      session: a session with the variables initialised.
      model: a `PTBModel`.
      eval_op: run in every step, `model.train_op` for training.
      verbose: prints progress ten times.
      position: a `Position` to begin at, kept up to date.
      after_step: called after each step.
    Returns:
      The perplexity, exp of the mean cost of a word.
    """
    start_time = time.time()
    position = position or Position()
    first_step = position.step
    num_steps, epoch_size = model.input.num_steps, model.input.epoch_size
    fetches = {"cost": model.cost, "final_state": model.final_state}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
        if model.gradient_norm is not None:
            fetches["gradient_norm"] = model.gradient_norm
    state = session.run(model.initial_state) if position.state is None else position.state
    for _ in range(first_step):
        session.run(model.input.input_data)  # the batches that were used before the run was stopped
    report_steps = progress.report_steps(epoch_size)

    with progress.bar(epoch_size, first_step) as steps:
        for step in steps:
            feed_dict = {}
            for i, (c, h) in enumerate(model.initial_state):
                feed_dict[c], feed_dict[h] = state[i]
            vals = session.run(fetches, feed_dict)
            state = vals["final_state"]
            position.step, position.costs, position.state = step + 1, position.costs + float(vals["cost"]), state
            nats = position.costs / (position.step * num_steps)
            if not nats < 700:  # NaN, or more than a perplexity can express
                loss, norm = float(vals["cost"]) / num_steps, vals.get("gradient_norm")
                lr_value = None if norm is None else session.run(model.lr)
                raise Diverged("loss", loss, f"at step {step} of {epoch_size}", lr_value, norm)
            words = (position.step - first_step) * num_steps * model.input.batch_size
            position.speed = words / (time.time() - start_time)
            if verbose and step in report_steps:
                progress.write(
                    f"{step / epoch_size:.3f} perplexity: {np.exp(nats):.3f} speed: {position.speed:.0f} wps"
                )
            if after_step:
                after_step()
    return np.exp(position.costs / (position.step * num_steps))


# Measured on the trained small model: a state that has forgotten all but the last 256 words is off by 0.7, 1,024 words:
# 2e-4, 2,048 words: rounding. An error of 0.2 (512 words) changes the perplexity by 2e-6 of its value.
WARM_UP_WORDS = 2048
STATE_TOLERANCE = 1e-4  # of c and h


def evaluate(session, model, step_model, data, after_step=None):
    """Perplexity of `data` as one stream: each token but the first is predicted once, from all before it.

    The tutorial reads the test set with batch size 1, one word a `session.run`. Here the rows of a batch read
    successive pieces of the stream side by side, each from the state that the row above ends with. Those states are
    guessed by reading the last words of the row above from a zero state, and checked afterwards; where a guess was off,
    the pieces are read again from the states just found (row i is right in round i + 1 at the latest).

        row 0    0 |w1 w2 w3 w4 w5 w6| s0        s0 = the start of row 1?
        row 1  ~s0 |w7 ...        w12| s1        s1 = the start of row 2?  ...
        the rest of the stream, less than a batch, one word at a time from the last row's end

    Args:
      model: a `PTBModel`, not for training, of any batch size and number of steps.
      step_model: the same with batch size 1 and one step.
      data: ids, [number of tokens], at least 2.
      after_step: called after each batch.
    """
    batch_size, num_steps = model.input.batch_size, model.input.num_steps
    num_batches = (len(data) - 1) // (batch_size * num_steps)
    length = num_batches * num_steps  # words of a row
    inputs = data[: batch_size * length].reshape(batch_size, length)
    targets = data[1 : batch_size * length + 1].reshape(batch_size, length)

    def read(starts, first_batch, fetches):
        """Reads all rows from `first_batch` on; returns the final states and the sum of the costs, where fetched."""
        state, costs = as_state(starts), 0.0
        for start in range(first_batch * num_steps, length, num_steps):
            feed_dict = {model.initial_state: state, model.input.input_data: inputs[:, start : start + num_steps]}
            feed_dict[model.input.targets] = targets[:, start : start + num_steps]
            vals = session.run({"final_state": model.final_state, **fetches}, feed_dict)
            state, costs = vals["final_state"], costs + float(vals.get("cost", 0.0))
            if after_step:
                after_step()
        return np.array(state), costs * batch_size

    def row_starts(final_state):
        """The start of each row, [num_layers, 2, batch_size, size]: zeros, then the ends of the rows above."""
        starts = np.roll(final_state, 1, axis=2)
        starts[:, :, 0] = 0
        return starts

    def as_state(array):
        return tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in array)

    costs, state = 0.0, session.run(step_model.initial_state)
    if num_batches:
        first_batch = max(0, num_batches - math.ceil(WARM_UP_WORDS / num_steps))
        final_state, _ = read(session.run(model.initial_state), first_batch, {})
        error = math.inf
        while error > STATE_TOLERANCE:
            starts = row_starts(final_state)
            final_state, costs = read(starts, 0, {"cost": model.cost})
            error = np.max(np.abs(row_starts(final_state) - starts))
        state = as_state(final_state[:, :, -1:])
    for position in range(batch_size * length, len(data) - 1):
        feed_dict = {step_model.input.input_data: [[data[position]]], step_model.input.targets: [[data[position + 1]]]}
        feed_dict[step_model.initial_state] = state
        cost, state = session.run([step_model.cost, step_model.final_state], feed_dict)
        costs += float(cost)
        if after_step:
            after_step()
    return np.exp(costs / (len(data) - 1))


def plot_learning_curve(records, published, title, folder):
    """Train and valid perplexity by epoch; `published` are the tutorial's for train, valid and test, or None."""
    figure, axes = plots.new_figure()
    epochs = [record["epoch"] for record in records]
    for index, split in enumerate(("train", "valid")):
        axes.plot(epochs, [record[f"{split}_perplexity"] for record in records], "o-", color=f"C{index}", label=split)
        if published:
            label = f"{split}, published: {published[index]}"
            axes.axhline(published[index], color=f"C{index}", linestyle=":", label=label)
    axes.set(xlabel="epoch", ylabel="perplexity", title=title, yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_minor_formatter("{x:.0f}")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    return plots.save(figure, folder, "ptb_learning_curve")


def check_corpus(config, train_data, valid_data, test_data, vocabulary):
    """Raises UserError where the corpus does not fit the config."""
    if vocabulary > config.vocab_size:
        raise UserError(
            f"the corpus has {vocabulary} words, more than vocab_size {config.vocab_size}: "
            "give --vocab_size=0, which takes all of them"
        )
    train_name, valid_name, test_name = reader.FILES["ptb"]
    reader.epoch_steps(len(train_data), config.batch_size, config.num_steps, train_name)
    reader.epoch_steps(len(valid_data), config.batch_size, config.num_steps, valid_name)
    reader.epoch_steps(len(test_data), 1, 1, test_name)


def get_config(args):
    """The config that the flags name."""
    overrides = args.overrides + ([] if args.vocab_size is None else [f"vocab_size={args.vocab_size}"])
    return configs.get_config(configs.PTB_CONFIGS, args.config, overrides)


@app.command
def main(argv=None):
    args = parse_args(argv)
    config = get_config(args)
    checkpoints.check_flags(args)
    data_path, is_sample = reader.find_data("ptb", args.data_path)
    train_data, valid_data, test_data, vocabulary = reader.ptb_raw_data(data_path)
    if not config.vocab_size:
        config.vocab_size = vocabulary
    check_corpus(config, train_data, valid_data, test_data, vocabulary)
    counts = [len(train_data), len(valid_data), len(test_data)]
    is_ptb = (*counts, vocabulary) == (929_589, 73_760, 82_430, 10_000)
    corpus = "the embedded sample" if is_sample else "the Penn Treebank" if is_ptb else "own corpus"
    sizes = f"{' / '.join(f'{count:,}' for count in counts)} tokens, {vocabulary:,} words"
    print(f"Corpus: {corpus}, {sizes}")
    results = {}
    if is_sample:  # what a network can reach on it
        results["perfect_perplexity"] = sample.word_perplexity()
        results["back_off_perplexity"] = sample.back_off_perplexity(train_data, test_data, vocabulary)
    rnn_mode = choose_rnn_mode(args.rnn_mode)
    precision = choose_precision(args.precision, rnn_mode)
    groups, session_config = choose_groups(rnn_mode, config.batch_size, config.hidden_size, gates=4)
    modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
    is_published = is_ptb and configs.values(config) == configs.values(configs.PTB_CONFIGS[args.config])
    published = PUBLISHED.get(args.config) if is_published else None
    title, folder = f"PTB word language model, {args.config} config, {corpus}", args.save_path or "plots"
    eval_config = copy.copy(config)
    eval_config.batch_size = 1
    eval_config.num_steps = 1

    with tf.Graph().as_default(), app.StopRequest() as stop:
        tf.set_random_seed(args.seed)
        initializer = tf.random_uniform_initializer(-config.init_scale, config.init_scale)
        with tf.name_scope("Train"):
            train_input = PTBInput(config=config, data=train_data, name="TrainInput")
            with tf.variable_scope("Model", reuse=None, initializer=initializer):
                m = PTBModel(is_training=True, config=config, input_=train_input, **modes)
        with tf.name_scope("Valid"):
            valid_input = PTBInput(config=config, data=valid_data, name="ValidInput")
            with tf.variable_scope("Model", reuse=True, initializer=initializer):
                mvalid = PTBModel(is_training=False, config=config, input_=valid_input, **modes)
        with tf.name_scope("Test"):
            test_input = PTBInput(config=eval_config, data=test_data, name="TestInput")
            with tf.variable_scope("Model", reuse=True, initializer=initializer):
                mtest = PTBModel(is_training=False, config=eval_config, input_=test_input, **modes)

        data = f"{sizes}, checksum {reader.checksum(data_path, 'ptb')}"
        identity = {"script": "ptb_word_lm", "config": configs.values(config), "seed": args.seed, "data": data}
        identity["precision"] = precision
        no_state = np.zeros([config.num_layers, 2, config.batch_size, config.hidden_size], np.float32)
        saved = checkpoints.Checkpoints(args.save_path, args.save_every, identity, {"rnn_state": no_state})
        global_step = tf.train.get_global_step()
        check_memory()
        initialize = tf.global_variables_initializer()
        tf.get_default_graph().finalize()

        with saved, tf.Session(config=session_config) as session:
            session.run(initialize)
            records, position = [], Position()
            if restored := saved.restore(session):
                values, arrays = restored
                records = values["records"]
                state = arrays["rnn_state"] if values["step"] else None
                position = Position(values["step"], values["costs"], state, values["speed"])
            metrics = Metrics(args.save_path, session.run(global_step))
            start_time = time.time() - (values["wall_s"] if restored else 0.0)

            def save():
                values = {"records": records, "step": position.step, "costs": position.costs, "speed": position.speed}
                values["wall_s"] = time.time() - start_time
                state = no_state if position.state is None else np.array(position.state)
                saved.save(session, values, {"rnn_state": state})
                metrics.write(records)

            def after_step():
                if stop.signum:
                    place = "the test, behind the last epoch"
                    if len(records) < config.max_max_epoch:  # else the last epoch's end is saved
                        place = f"epoch {len(records) + 1} at step {position.step} of {m.input.epoch_size}"
                        save()
                    kept = f"saved in {args.save_path}" if args.save_path else "without --save_path nothing is saved"
                    raise app.Interrupted(stop.signum, f"Stopped in {place}: {kept}")

            def after_training_step():
                if position.step % max(1, m.input.epoch_size // 100) == 0:
                    nats = position.costs / (position.step * config.num_steps)
                    metrics.event(session.run(global_step), loss=nats, words_per_second=position.speed)
                after_step()
                if saved.is_due():
                    save()

            if len(records) == config.max_max_epoch:
                print(f"The run in {args.save_path} is finished; its last lines again:")
                print(f"Epoch: {len(records)} Train Perplexity: {records[-1]['train_perplexity']:.3f}")
                print(f"Epoch: {len(records)} Valid Perplexity: {records[-1]['valid_perplexity']:.3f}")
            # What the last evaluation needs in memory is taken before hours of training, not after them.
            evaluate(session, mvalid, mtest, test_data[: config.batch_size * config.num_steps + 2])
            for i in range(len(records), config.max_max_epoch):
                lr_value = config.learning_rate * config.lr_decay ** max(i + 1 - config.max_epoch, 0.0)
                m.assign_lr(session, lr_value)
                print(f"Epoch: {i + 1} Learning rate: {session.run(m.lr):.3f}")
                train_perplexity = run_epoch(session, m, m.train_op, True, position, after_training_step)
                print(f"Epoch: {i + 1} Train Perplexity: {train_perplexity:.3f}")
                valid_perplexity = run_epoch(session, mvalid, after_step=after_step)
                print(f"Epoch: {i + 1} Valid Perplexity: {valid_perplexity:.3f}")
                curves = {
                    "learning_rate": lr_value,
                    "train_perplexity": train_perplexity,
                    "valid_perplexity": valid_perplexity,
                    "words_per_second": position.speed,
                }
                step = int(session.run(global_step))
                metrics.event(step, **curves)
                records.append({"epoch": i + 1, "step": step, **curves, "wall_s": time.time() - start_time})
                position = Position()
                save()
                plot_learning_curve(records, published, title, folder)

            test_perplexity = evaluate(session, mvalid, mtest, test_data, after_step)
            print(f"Test Perplexity: {test_perplexity:.3f}")
            if not metrics.has("test_perplexity"):
                metrics.event(session.run(global_step), test_perplexity=test_perplexity)
            metrics.write([*records, {"test_perplexity": test_perplexity}])

    for name in ("train_perplexity", "valid_perplexity"):
        results[name] = [record[name] for record in records]
    results["test_perplexity"] = test_perplexity
    if is_sample:
        print(
            f"On this corpus a perfect model would reach {results['perfect_perplexity']:.3f}, "
            f"a count model of order 2 with back-off reaches {results['back_off_perplexity']:.3f}"
        )
    if picture := plot_learning_curve(records, published, title, folder):
        print(f"Picture: {picture}")
    return results


if __name__ == "__main__":
    main()
