"""The character GRU: learns to write like a text, character by character.

Source: a tutorial by "Chunyan" (醇岩) on SegmentFault, in Chinese, which retells "Text Generation using a RNN" of Yash
Katariya and Google (TensorFlow, 2018),
https://github.com/tensorflow/tensorflow/blob/r1.11/tensorflow/contrib/eager/python/examples/generative_examples/text_generation.ipynb
Both train a GRU on Shakespeare in eager mode; this is graph mode. Losses are in nats a character, bits are nats / ln 2.

Commands, and the last line of 3 epochs on the real text, of 3 minutes each on 2 cores; then any text in UTF-8:

    python char_gru.py --rnn_mode=basic --set n_epochs=3                  Validation loss 1.7454 (2.518 bits)
    python char_gru.py --data_path=book.txt --save_path=runs/book
    python char_gru.py --save_path=runs/book --generate=500 --start_string="It was"

Departures from the tutorial, each with its reason:

* The tutorial carries the state from batch to batch, but in the next batch row i does not go on where row i ended, so
  that every row starts from the state of another place. That is `--batching=tutorial`. By default the text is cut into
  as many streams as a batch has rows, and the carried state is the right one: after 3 epochs of the small model the
  validation loss is 1.7454, in the tutorial's order 1.8369.
* Training is on the first 90 % of the text, so that there is a validation loss; a character there is predicted from at
  least the `max_length` characters before it. `--train_part=1` trains on all of it, in the tutorial's 174 batches.
* The GRU resets after the product with the state, as the tutorial's layer, CuDNNGRU, does; its text describes the form
  that resets before (`studies/gru_bptt.py` has both).
* Characters are drawn by their probability; `--temperature=0` is the tutorial's argmax, which soon goes in circles.
* cuDNN is used where there is a GPU: the tutorial tests `tf.test.is_gpu_available` without calling it.
* A text is generated inside the graph, and not with a call for each character (`benchmarks/char_generation.py`).
"""

import argparse
import math
import os
import time
import types

import numpy as np

import configs
import reader
from data import sample
from tf1 import app, checkpoints, plots, progress, rnn, streams, tf
from tf1.app import Diverged, UserError
from tf1.cluster import ALONE, Cluster
from tf1.dropout import dropout
from tf1.modes import choose_modes, choose_rnn_mode, mode_of_graph
from tf1.training import Position, Run

SAMPLE_CHARACTERS = 200  # of the text that is shown after each epoch
MAX_LOSS = 700  # of a training that goes on; its exponential is infinite in fp64
KEPT_EPOCHS = 5  # every fifth epoch's weights are kept
CHARACTERS_A_RUN = 200  # that one session.run reads and draws


def positive_int(text):
    value = app.integer(text)
    if not 1 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{value} is not in the range from 1 to {2**31 - 1}")
    return value


def temperature(text):
    value = app.number(text)
    if not (value == 0 or 1e-3 <= value <= 1e3):
        raise argparse.ArgumentTypeError(f"{text} is neither 0 nor in the range from 0.001 to 1000")
    return value


def train_part(text):
    value = app.number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value


def parse_args(argv=None):
    parser = app.ArgumentParser("char_gru.py", __doc__)
    parser.add_argument("--section", choices=("train", "gradients"), default="train", help="default: train")
    parser.add_argument("--config", help=f"{', '.join(configs.CHAR_GRU_CONFIGS)} (default: small)")
    parser.add_argument("--data_path", type=app.path, help="a text file, UTF-8, or the folder of shakespeare.txt")
    parser.add_argument(
        "--train_part", type=train_part, default=0.9, help="of the text; the rest validates (default: %(default)s)"
    )
    parser.add_argument(
        "--batching",
        choices=("contiguous", "tutorial"),
        default="contiguous",
        help="contiguous (default): row i of a batch goes on in row i of the next one; tutorial: chunk below chunk",
    )
    parser.add_argument(
        "--generate",
        type=positive_int,
        metavar="N",
        help="writes N characters with the network in --save_path, and does not train; config and vocabulary are there",
    )
    parser.add_argument("--start_string", help="what a generated text starts with (default: Q, or the first character)")
    parser.add_argument(
        "--temperature",
        type=temperature,
        default=1.0,
        help="the logits are divided by it: below 1 the likely becomes more likely, 0 is argmax (default: %(default)s)",
    )
    parser.add_argument("--top_k", type=positive_int, help="only the k likeliest characters are drawn (default: all)")
    parser.add_common(
        "--encoding", "--rnn_mode", "--precision", "--save_path", "--save_every", "--init_from", "--seed", "--set"
    )
    parser.add_common("--worker_hosts", "--task_index", "--peer_timeout")
    return parser.parse_args(argv)


class CharGRU:
    """The graph: embedding, GRU layers, a dense layer to the vocabulary, and for training the update.

    All of it is time-major, [num_steps, batch_size, ...]; both sizes are those of what is fed.

    Args:
      is_training: with dropout and a training operation.
      config: the hyperparameters.
      vocab_size: the number of distinct characters.
      rnn_mode, precision, groups: of `rnn.dynamic_rnn`. The variables, and so the checkpoints, are the same in all
        modes; `fused` takes sequences of max_length alone.
      input_: a `reader.CharInput`, for `run_epoch`.
      cluster: its workers have an equal number of the batch's rows each.
    """

    def __init__(
        self, is_training, config, vocab_size, rnn_mode="basic", precision="fp32", groups=1, input_=None, cluster=ALONE
    ):
        self.config, self.input, self.cluster, rnn_mode = config, input_, cluster, mode_of_graph(rnn_mode)
        units, keep_prob = config.hidden_units, config.keep_prob if is_training else 1.0
        # What travels to other workers has known sizes.
        rows = len(cluster.rows(config.batch_size)) if is_training and cluster.size > 1 else None
        num_steps = config.max_length if rnn_mode == "fused" or rows else None
        self.input_data = tf.placeholder(tf.int32, [num_steps, rows])  # [num_steps, batch_size]
        self.targets = tf.placeholder(tf.int32, [None, None])
        self.initial_state = tf.placeholder(tf.float32, [config.num_layers, None, units])
        self.learning_rate = tf.placeholder_with_default(config.learning_rate, [])

        with tf.device("/cpu:0"):  # the look-up needs a few rows of the table
            uniform = tf.random_uniform_initializer(-0.05, 0.05)
            self._embedding = tf.get_variable("embedding", [vocab_size, config.embedding_dim], initializer=uniform)
            # [num_steps, batch_size, embedding_dim]
            output = tf.nn.embedding_lookup(self._embedding, self.input_data)
        self._cells, final_states = [], []
        modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
        for layer, state in enumerate(tf.unstack(self.initial_state)):  # [batch_size, units]
            if keep_prob < 1:
                output = dropout(output, keep_prob, layer, rows_axis=1)
            with tf.variable_scope(f"gru_{layer}"):
                kernel = tf.get_variable("kernel", [output.shape[-1].value, 3 * units])
                recurrent_kernel = tf.get_variable("recurrent_kernel", [units, 3 * units])
                bias = tf.get_variable("bias", [2, 3 * units], initializer=tf.zeros_initializer())
            cell = rnn.GRUCell(kernel, recurrent_kernel, bias)
            # [num_steps, batch_size, units] and [batch_size, units]
            output, state = rnn.dynamic_rnn(cell, output, initial_state=state, time_major=True, **modes)
            self._cells.append(cell)
            final_states.append(state)
        self.final_state = tf.stack(final_states)
        if keep_prob < 1:
            output = dropout(output, keep_prob, config.num_layers, rows_axis=1)

        # [num_steps * batch_size, units]; the last step is the last batch_size rows.
        output = tf.reshape(output, [-1, units])
        self._dense_kernel = tf.get_variable("dense/kernel", [units, vocab_size])
        self._dense_bias = tf.get_variable("dense/bias", [vocab_size], initializer=tf.zeros_initializer())
        self.logits = tf.matmul(output, self._dense_kernel) + self._dense_bias  # [num_steps * batch_size, vocab_size]
        labels = tf.reshape(self.targets, [-1])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=self.logits)
        self.losses = tf.reshape(losses, tf.shape(self.targets))  # [num_steps, batch_size]
        self.loss = tf.reduce_mean(losses)
        if is_training:
            optimizer, global_step = tf.train.AdamOptimizer(self.learning_rate), tf.train.get_or_create_global_step()
            # An op of the gradient runs where the op that it belongs to does.
            loss = self.loss / cluster.size
            grads, tvars = zip(*optimizer.compute_gradients(loss, colocate_gradients_with_ops=True))
            self.loss, *grads = cluster.add_up(loss, *grads)  # over the rows of all workers
            self.train_op = optimizer.apply_gradients(zip(grads, tvars), global_step)

    def build_generation(self, temperature, top_k):
        """Adds what `generate` runs; the batch size is 1 there.

        The whole loop is compiled by XLA: it is a chain of small operations, and of products of a vector with a matrix,
        which XLA computes on all cores. It reads a transposed matrix faster, row by row.
        """
        self.seed = tf.placeholder(tf.int32, [])
        self.position = tf.placeholder(tf.int32, [])  # in the generated text, of the first character that is drawn
        self.given = tf.placeholder(tf.int32, [CHARACTERS_A_RUN])  # to be read; -1: what was drawn before
        self.character = tf.placeholder(tf.int32, [])  # drawn last
        self.count = tf.placeholder(tf.int32, [])  # of the steps, at most CHARACTERS_A_RUN

        def loop(given, character, states, seed, position, count, table, cells, dense_kernel, dense_bias):
            def body(index, character, states, drawn):
                character = tf.where(given[index] < 0, character, given[index])
                x, new_states = tf.gather(table, character[None]), []
                for state, (kernel, recurrent_kernel, bias) in zip(states, cells):
                    if new_states:
                        x = tf.matmul(new_states[-1], kernel, transpose_b=True) + bias[0]
                    h = tf.matmul(state, recurrent_kernel, transpose_b=True) + bias[1]
                    new_states.append(rnn.gru_step(x, h, state))
                logits = tf.matmul(new_states[-1], dense_kernel, transpose_b=True) + dense_bias
                character = draw(logits, seed, position + index, temperature, top_k)
                return index + 1, character, new_states, drawn.write(index, character)

            loop_vars = [0, character, states, tf.TensorArray(tf.int32, CHARACTERS_A_RUN)]
            condition = lambda index, *_: index < count
            _, character, states, drawn = tf.while_loop(condition, body, loop_vars, back_prop=False)
            return drawn.stack(), character, tf.stack(states)

        cells = [(tf.transpose(c.kernel), tf.transpose(c.recurrent_kernel), c.bias.read_value()) for c in self._cells]
        # The first layer's product with its inputs, for each character of the vocabulary: [vocab_size, 3 * units].
        table = tf.matmul(self._embedding, self._cells[0].kernel) + self._cells[0].bias[0]
        dense = tf.transpose(self._dense_kernel), self._dense_bias.read_value()
        place = self.seed, self.position, self.count
        compiled = tf.function(loop, jit_compile=True, autograph=False)
        # [CHARACTERS_A_RUN], [] and [num_layers, 1, units]
        self.drawn, self.last_character, self.last_state = compiled(
            self.given, self.character, tf.unstack(self.initial_state), *place, table, cells, *dense
        )


def draw(logits, seed, position, temperature, top_k):
    """The id of the character at `position`, int32 [], from its `logits` [1, vocab_size]."""
    if temperature == 0:
        return tf.argmax(logits[0], output_type=tf.int32)
    if top_k and top_k < logits.shape[1].value:
        least = tf.nn.top_k(logits[0], top_k).values[-1]
        logits = tf.where(logits < least, tf.fill(tf.shape(logits), -np.inf), logits)
    return tf.random.stateless_categorical(logits / temperature, 1, tf.stack([seed, position]), dtype=tf.int32)[0, 0]


def zero_state(config, batch_size):
    return np.zeros([config.num_layers, batch_size, config.hidden_units], np.float32)


def generate(session, model, config, start, count, seed):
    """Yields `count` ids that follow the ids `start`, in pieces, each from one `session.run`.

    Which character is drawn is keyed by `seed` and by its place, so the text does not depend on the pieces.
    """
    state, character = zero_state(config, 1), 0
    before = len(start) - 1  # steps that read the start string; what they draw is not used
    for begin in range(0, before + count, CHARACTERS_A_RUN):
        steps = min(CHARACTERS_A_RUN, before + count - begin)
        given = np.full(CHARACTERS_A_RUN, -1)
        piece = start[begin : begin + CHARACTERS_A_RUN]
        given[: len(piece)] = piece
        feed_dict = {model.given: given, model.character: character, model.initial_state: state, model.count: steps}
        feed_dict.update({model.seed: seed, model.position: begin - before})
        drawn, character, state = session.run([model.drawn, model.last_character, model.last_state], feed_dict)
        yield drawn[max(0, before - begin) : steps]


def learning_rate_of(epoch, config):
    """Adam's learning rate in an epoch, which is counted from 1."""
    return config.learning_rate * config.lr_decay ** max(epoch - config.max_epoch, 0)


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over its input once, the state carried from batch to batch.

    Args:
      session: a session with the variables initialised.
      model: a `CharGRU` with an input.
      eval_op: run in every step, `model.train_op` for training.
      verbose: prints the loss of every hundredth batch, as the tutorial does.
      position: a `Position` with `costs` and `state` to begin at, kept up to date; None: the beginning.
      steps: yields the numbers of the steps that are still to do; None: those of the whole epoch.
    Returns:
      The mean loss.
    """
    start_time, config, epoch_size = time.time(), model.config, model.input.epoch_size
    position = position or Position(costs=0.0, state=model.cluster.own_rows(zero_state(config, config.batch_size)))
    fetches = {"loss": model.loss, "final_state": model.final_state}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    lr_value, first_step = learning_rate_of(position.epoch, config), position.step
    steps = range(first_step, epoch_size) if steps is None else steps

    for batch, (input_text, labels_text) in zip(steps, model.input.batches(position)):
        feed_dict = {model.input_data: input_text.T, model.targets: labels_text.T}
        feed_dict.update({model.initial_state: position.state, model.learning_rate: lr_value})
        vals = session.run(fetches, feed_dict)
        costs, loss = position.costs + float(vals["loss"]), vals["loss"]
        position.step, position.costs, position.state = batch + 1, costs, vals["final_state"]

        position.loss = costs / position.step
        if not loss < MAX_LOSS:
            raise Diverged("loss", loss, f"in epoch {position.epoch} at step {batch} of {epoch_size}")
        characters = (position.step - first_step) * input_text.size * model.cluster.size
        position.characters_per_second = characters / (time.time() - start_time)
        if verbose and batch % 100 == 0:
            progress.write(f"Epoch {position.epoch} Batch {batch} Loss {loss:.4f}")
    return position.costs / position.step


def evaluate(session, model, ids, split, watched=iter):
    """The mean loss of the characters from `split` on, each predicted from at least the max_length before it."""

    def read(input_text, labels_text, state, with_losses):
        feed_dict = {model.input_data: input_text.T, model.targets: labels_text.T, model.initial_state: state}
        losses, state = session.run([model.losses if with_losses else [], model.final_state], feed_dict)
        return np.transpose(losses), state

    zeros, max_length = zero_state(model.config, model.config.batch_size), model.config.max_length
    return streams.mean_loss(read, ids, split, zeros, max_length, max_length, math.inf, watched, model.cluster)


class BestWeights:
    """A copy of the weights, in variables of its own: `keep` makes it, `use` puts it back."""

    def __init__(self):
        tvars, zeros = tf.trainable_variables(), tf.zeros_initializer()
        copies = [tf.get_variable(f"best/{v.op.name}", v.shape, initializer=zeros, trainable=False) for v in tvars]
        self.keep = [tf.assign(copy, variable) for copy, variable in zip(copies, tvars)]
        self.use = [tf.assign(variable, copy) for copy, variable in zip(copies, tvars)]


def best_epoch(records):
    """The record of the least validation loss, the earliest where two are equal."""
    return min(records, key=lambda record: record["validation_loss"])


def is_finished(records, config):
    if config.patience and records and len(records) - best_epoch(records)["epoch"] >= config.patience:
        return True
    return len(records) >= config.n_epochs


def in_bits(nats):
    return f"{nats:.4f} ({nats / math.log(2):.3f} bits)"


def epoch_line(epoch, train_loss, characters_per_second, validation_loss=None, **_):
    """The line after an epoch, from its record."""
    validation = "" if validation_loss is None else f"Validation loss {in_bits(validation_loss)} "
    return f"Epoch {epoch} Loss {in_bits(train_loss)} {validation}{characters_per_second:.0f} characters/s"


@plots.picture
def plot_learning_curve(records, perfect_loss, title, folder):
    """The losses by epoch, in nats on the left and in bits on the right; `perfect_loss`, where it is known."""
    figure, axes = plots.new_figure()
    epochs = [record["epoch"] for record in records]
    for name, label in ("train_loss", "train, mean over the epoch"), ("validation_loss", "validation, after the epoch"):
        if name in records[0]:
            axes.plot(epochs, [record[name] for record in records], "o-", label=label)
    if perfect_loss:
        axes.axhline(perfect_loss, color="C2", linestyle=":", label=f"a perfect model: {perfect_loss:.3f}")
    axes.set(xlabel="epoch", ylabel="nats a character", title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    bits = axes.secondary_yaxis("right", functions=(lambda nats: nats / math.log(2), lambda bits: bits * math.log(2)))
    bits.set_ylabel("bits a character")
    axes.grid(alpha=0.3)
    axes.legend()
    return plots.save(figure, folder, "char_gru_learning_curve")


def choose_start_string(start_string, vocabulary):
    """That of --start_string, else Q, else the text's first character; UserError where the network cannot read it."""
    if start_string is None:
        return "Q" if "Q" in vocabulary.items else vocabulary.first
    if unknown := sorted(set(start_string) - set(vocabulary.items)):
        shown = ", ".join(map(repr, unknown[:20]))
        raise UserError(f"--start_string has {shown}, which the text does not have: leave that out")
    return start_string


def write_text(session, model, characters, start_string, num_generate, seed, watched=iter):
    """Prints `start_string` and `num_generate` characters after it as they come; returns all of them."""
    char2idx = {value: idx for idx, value in enumerate(characters)}
    idx2char = dict(enumerate(characters))
    input_eval = [char2idx[s] for s in start_string]
    text_generated = ""
    print(start_string, end="", flush=True)
    try:
        for ids in watched(generate(session, model, model.config, input_eval, num_generate, seed)):
            piece = "".join(idx2char[predict_id] for predict_id in ids)
            print(piece, end="", flush=True)
            text_generated += piece
    finally:
        print()
    return start_string + text_generated


def get_config(args):
    """The config that the flags name."""
    return configs.get_config(configs.CHAR_GRU_CONFIGS, "small" if args.config is None else args.config, args.overrides)


def show_gradients(args):
    """The tutorial's introduction to eager execution, in graph mode; prints and returns what it computed."""

    def value_and_gradients_function(f):
        """tf.contrib.eager's, which is gone: a function that returns f's value and its gradients, one an argument."""

        def value_and_gradients(*args):
            args = [tf.convert_to_tensor(arg) for arg in args]
            value = f(*args)
            return value, tf.gradients(value, args)

        return value_and_gradients

    def gradients_function(f):
        """The same without the value."""
        return lambda *args: value_and_gradients_function(f)(*args)[1]

    was_eager = []

    def log(x):
        was_eager.append(tf.executing_eagerly())
        return tf.math.log(x)

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        w = tf.get_variable("w", [1, 1], initializer=tf.ones_initializer(), use_resource=True)  # as tfe.Variable was
        with tf.GradientTape() as tape:
            loss = w * w
        x = tf.constant(2.0)
        # tfe.py_func: Python code that runs eagerly, here in the middle of a graph, and that gradients flow through.
        y = tf.py_function(log, [x], tf.float32)
        ids = tf.constant([3, 0, 3])
        embedding = tf.random_normal([5, 4])
        fetches = {
            "tape_gradient": tape.gradient(loss, w),
            "graph_gradient": tf.gradients(w * w, w)[0],
            "gradients": gradients_function(lambda a, b: a * a * b)(3.0, 2.0),
            "value_and_gradients": value_and_gradients_function(lambda a, b: a * a * b)(3.0, 2.0),
            "py_function": y,
            "py_function_gradient": tf.gradients(y, x)[0],
            "embedding_lookup": tf.nn.embedding_lookup(embedding, ids),
            "one_hot_product": tf.matmul(tf.one_hot(ids, 5), embedding),
        }
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            results = session.run(fetches)
    results["executing_eagerly"] = all(was_eager)
    value, gradients = results["value_and_gradients"]
    print(f"d(w * w) / dw at 1, tf.GradientTape: {results['tape_gradient']}; tf.gradients: {results['graph_gradient']}")
    print(f"tfe.gradients_function of a * a * b at 3, 2: {[float(gradient) for gradient in results['gradients']]}")
    print(f"tfe.value_and_gradients_function: {float(value)} and {[float(gradient) for gradient in gradients]}")
    print(
        f"tf.py_function (tfe.py_func), eager inside the graph: {results['executing_eagerly']}; "
        f"log 2 = {results['py_function']:.6f}, its derivative {results['py_function_gradient']}"
    )
    difference = float(np.max(np.abs(results["embedding_lookup"] - results["one_hot_product"])))
    print(f"Embedding look-up against one-hot vectors times the matrix: difference at most {difference}")
    return {**results, "embedding_difference": difference}


def results_of(records, perfect_loss, title, folder):
    """The losses that `train` returns; says what could be reached, and draws the learning curve."""
    names = ("train_loss", "validation_loss")
    results = {name: [record[name] for record in records] for name in names if name in records[0]}
    if perfect_loss:
        results["perfect_bits"] = perfect_loss / math.log(2)
        print(f"On this text a perfect model would reach {in_bits(perfect_loss)}")
    if picture := plot_learning_curve(records, perfect_loss, title, folder):
        print(f"Picture: {picture}")
    return results


def train(args, config, cluster):
    """Trains on a text; returns `train_loss` and `validation_loss`, lists by epoch, and `text`."""
    text = reader.Text(args.data_path, args.train_part, args.encoding, reader.Vocabulary.of(args.init_from))
    validates = text.split < len(text.ids)
    if config.patience and not validates:
        raise UserError("--train_part=1 leaves nothing to validate, and patience needs that: add --set patience=0")
    vocabulary, vocab_size = text.vocabulary, len(text.vocabulary.items)
    start_string = choose_start_string(args.start_string, vocabulary)
    rows = cluster.rows(config.batch_size)
    input_ = reader.CharInput(text.ids[: text.split], config.batch_size, config.max_length, args.batching, rows)
    modes, session_config = choose_modes(args, len(rows), config.hidden_units, gates=3)
    perfect_loss = sample.play_bits_per_character() * math.log(2) if text.is_sample else None
    title, folder = f"Character GRU, {args.config or 'small'} config, {text.name}", cluster.folder_of(args)

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        with tf.variable_scope("Model"):
            m = CharGRU(True, config, vocab_size, input_=input_, cluster=cluster, **modes)
        with tf.variable_scope("Model", reuse=True):
            mvalid = CharGRU(False, config, vocab_size, cluster=cluster, **modes)
            mvalid.build_generation(args.temperature, args.top_k)
        best = BestWeights() if config.patience else None

        identity = {"script": "char_gru", "config": configs.identity(config), "seed": args.seed}
        identity.update(batching=args.batching, train_part=args.train_part, precision=modes["precision"])
        identity.update(data=text.description, vocabulary=vocabulary.description)
        start = {"costs": 0.0, "loss": 0.0, "characters_per_second": 0.0}
        start["state"] = zero_state(config, config.batch_size)
        curves = ("loss", "characters_per_second")
        with Run(args, identity, m.input.epoch_size, session_config, curves, cluster, **start) as run:
            session = run.session
            vocabulary.save(args.save_path)
            if is_finished(run.records, config):
                run.say_finished()
                print(epoch_line(**run.records[-1]))
            while not is_finished(run.records, config):
                position = run.position
                values = {"learning_rate": learning_rate_of(position.epoch, config)}
                values["train_loss"] = run_epoch(session, m, m.train_op, True, position, run.steps())
                if validates:
                    loss = values["validation_loss"] = evaluate(session, mvalid, text.ids, text.split, run.watched)
                    if not loss < MAX_LOSS:
                        raise Diverged("loss", loss, f"in the validation after epoch {position.epoch}")
                    run.event(bits_per_character=loss / math.log(2))
                    if best and loss < min([record["validation_loss"] for record in run.records], default=math.inf):
                        session.run(best.keep)
                values["characters_per_second"] = position.characters_per_second
                print(epoch_line(position.epoch, **values))
                run.end_epoch(f"ckpt-{position.epoch}" if position.epoch % KEPT_EPOCHS == 0 else None, **values)
                plot_learning_curve(run.records, perfect_loss, title, folder)
                print("Sample:")
                if cluster.is_chief:
                    write_text(session, mvalid, vocabulary.items, start_string, SAMPLE_CHARACTERS, args.seed)

            if best:
                session.run(best.use)
                record = best_epoch(run.records)
                print(f"The best weights are those of epoch {record['epoch']}: {in_bits(record['validation_loss'])}")
            print(f"{config.num_generate} characters from {start_string!r}:")
            arguments = session, mvalid, vocabulary.items, start_string, config.num_generate, args.seed, run.watched
            generated = cluster.by_chief(lambda: write_text(*arguments))

    return {**results_of(run.records, perfect_loss, title, folder), "text": generated}


def write(args):
    """Generates with the newest checkpoint in `--save_path`, whose config and vocabulary count; returns `text`."""
    if not args.save_path:
        raise UserError("--generate goes with --save_path: name the folder of a trained network")
    if args.section != "train":
        raise UserError("--generate goes with --section=train alone: leave --section out")
    if args.data_path is not None:
        reader.find_text(args.data_path)  # not needed here, but a path that leads nowhere is a mistake
    given_config = configs.identity(get_config(args))
    found = checkpoints.find(args.save_path) if os.path.isdir(args.save_path) else None
    if not found:
        raise UserError(f"--save_path={args.save_path} holds no checkpoint: train first, the same without --generate")
    identity = found[1]["identity"]
    given_names = given_config if args.config else [override.partition("=")[0] for override in args.overrides]
    given_values = {name: given_config[name] for name in given_names if name in given_config}
    expected = {**identity["config"], **given_values}
    checkpoints.check_identity(args.save_path, identity, {**identity, "script": "char_gru", "config": expected})
    choose_rnn_mode(args.rnn_mode)
    config = types.SimpleNamespace(**identity["config"])
    vocabulary = reader.Vocabulary.load(args.save_path, identity["vocabulary"])
    start_string = choose_start_string(args.start_string, vocabulary)
    with tf.Graph().as_default():
        with tf.variable_scope("Model"):
            m = CharGRU(is_training=False, config=config, vocab_size=len(vocabulary.items))
            m.build_generation(args.temperature, args.top_k)
        with tf.Session() as session:
            checkpoints.load_weights(session, found)
            text = write_text(session, m, vocabulary.items, start_string, args.generate, args.seed)
    return {"text": text}


@app.command
def main(argv=None):
    args = parse_args(argv)
    if args.start_string == "":
        raise UserError("--start_string is empty: give at least one character")
    if args.worker_hosts and (args.generate or args.section != "train"):
        raise UserError("--worker_hosts goes with a training alone: leave it out")
    if args.generate:
        return write(args)
    config = get_config(args)
    checkpoints.check_flags(args)
    if args.section == "gradients":
        return show_gradients(args)
    with Cluster(args, config.batch_size) as cluster:
        return train(args, config, cluster)


if __name__ == "__main__":
    main()
