"""The character GRU: learns to write like a text, character by character.

Source: seed 002's tutorial (in Chinese, after Yash Katariya), which trains a GRU on Shakespeare in eager mode; this is
graph mode. Losses are in nats a character, beside them bits a character, which are nats / ln 2.

Command, the last line of 3 epochs on the real text, and the time an epoch takes on 2 cores:

    python char_gru.py --rnn_mode=basic --set n_epochs=3    Validation loss 1.7454 (2.518 bits)    3 minutes

Any text in UTF-8, and what a trained network writes:

    python char_gru.py --data_path=book.txt --save_path=runs/book
    python char_gru.py --save_path=runs/book --generate=500 --start_string="It was"

The GRU. A layer has an update gate z, which tells how much of the state stays, and a reset gate r, which tells how much
of it the candidate sees:

    z, r = sigmoid(x W + h U + b),    candidate = tanh(x W_h + r * (h U_h + b_h)),    h = z * h + (1 - z) * candidate

The tutorial describes the older form, which resets before the product, tanh(x W_h + (r * h) U_h). The layer that it
uses, CuDNNGRU, resets after the product, and so does this script in all modes: only then is h U_h a part of the one
product h U with all three gates side by side, and only so does a checkpoint move between cuDNN and the CPU.
`--section=bptt` has both forms in NumPy with their back-propagation through time.

Batches. The tutorial carries the state from batch to batch, but puts one chunk of the text below the other: in the next
batch row i does not go on where row i ended, so that every row starts from the state of another place
(`--batching=tutorial`). By default the text is cut into as many streams as a batch has rows, and the carried state is
the right one. Validation loss behind 3 epochs of the small model: 1.7454 by default, 1.8369 in the tutorial's order.

Departures from the tutorial, each with its reason:

* Training is on the first 90 % of the text, so that there is a validation loss; a character there is predicted from at
  least the `max_length` characters before it.
* Characters are drawn from the distribution that the network tells; the tutorial's argmax, which soon goes in circles,
  is --temperature=0.
* cuDNN is used where there is a GPU: the tutorial tests `tf.test.is_gpu_available` without calling it.
* A text is generated inside the graph; the tutorial's way, a call for each character, stays as `generate_step_by_step`.
"""

import argparse
import json
import math
import os
import time
import types
import zlib

import numpy as np

import configs
import reader
from data import sample
from tf1 import app, checkpoints, layers, plots, progress, tf
from tf1.app import Diverged, UserError
from tf1.dropout import dropout
from tf1.metrics import Metrics
from tf1.modes import check_memory, choose_groups, choose_precision, choose_rnn_mode
from tf1.progress import Position

TRAIN_PART = 0.9  # of the text; the rest validates
SAMPLE_CHARACTERS = 200  # of the text that is shown behind each epoch
MAX_LOSS = 700  # of a training that goes on; its exponential is no fp64 any more
KEPT_EPOCHS = 5  # every fifth epoch's weights are kept
CHARACTERS_A_RUN = 200  # that one session.run reads and draws
VOCABULARY = "vocabulary.json"


def positive_int(text):
    value = int(text)
    if not 1 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{value} is not in the range from 1 to {2**31 - 1}")
    return value


def temperature(text):
    value = float(text)
    if not (value == 0 or 1e-3 <= value <= 1e3):
        raise argparse.ArgumentTypeError(f"{text} is neither 0 nor in the range from 0.001 to 1000")
    return value


def parse_args(argv=None):
    parser = app.ArgumentParser("char_gru.py", __doc__)
    parser.add_argument("--section", choices=("train", "gradients", "bptt"), default="train", help="default: train")
    parser.add_argument("--config", help=f"{', '.join(configs.CHAR_GRU_CONFIGS)} (default: small)")
    parser.add_argument("--data_path", type=app.path, help="a text file, UTF-8, or the folder of shakespeare.txt")
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
    parser.add_common("--rnn_mode", "--precision", "--save_path", "--save_every", "--seed", "--set")
    return parser.parse_args(argv)


def gru_step(x, h, state):
    """A time step of a layer.

    Args:
      x, h: the products of inputs and state with their kernels, biases added, [batch_size, 3 * units]: z, r, candidate.
      state: [batch_size, units].
    Returns:
      The new state.
    """
    units = state.shape[-1]
    z, r = tf.split(tf.sigmoid(x[:, : 2 * units] + h[:, : 2 * units]), 2, axis=1)
    candidate = tf.tanh(x[:, 2 * units :] + r * h[:, 2 * units :])
    return z * state + (1 - z) * candidate


class GRUCell:
    """The layer's cell for `dynamic_rnn`; `tf1/layers.py` tells the layout of the variables."""

    def __init__(self, kernel, recurrent_kernel, bias):
        self.kernel, self.recurrent_kernel, self.bias = kernel, recurrent_kernel, bias
        self.state_size = self.output_size = recurrent_kernel.shape[0].value

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, input_size], `state` [batch_size, units]; returns the new state as output and state."""
        x = tf.matmul(inputs, self.kernel) + self.bias[0]
        h = tf.matmul(state, self.recurrent_kernel) + self.bias[1]
        state = gru_step(x, h, state)
        return state, state


class CharGRU:
    """The graph: embedding, GRU layers, a dense layer to the vocabulary, and for training the update.

    All of it is time-major, [num_steps, batch_size, ...]; both sizes are those of what is fed.

    Args:
      is_training: with dropout and a training operation.
      config: the hyperparameters.
      vocab_size: the number of distinct characters.
      rnn_mode: how the recurrent layers are built; the variables, and so the checkpoints, are the same in all modes.
        `fused` takes sequences of max_length alone.
      precision: of the operands of the matrix products, "fp32", or with `fused` "bf16".
      groups: with `fused`, groups of the batch's rows that are computed side by side.
    """

    def __init__(self, is_training, config, vocab_size, rnn_mode="basic", precision="fp32", groups=1):
        self._is_training, self._precision, self._groups = is_training, precision, groups
        keep_prob = config.keep_prob if is_training else 1.0
        num_steps = config.max_length if rnn_mode == "fused" else None
        self.input_data = tf.placeholder(tf.int32, [num_steps, None])  # [num_steps, batch_size]
        self.targets = tf.placeholder(tf.int32, [None, None])
        self.initial_state = tf.placeholder(tf.float32, [config.num_layers, None, config.hidden_units])

        with tf.device("/cpu:0"):  # the look-up needs a few rows of the table
            self._embedding = tf.get_variable(
                "embedding", [vocab_size, config.embedding_dim], initializer=tf.random_uniform_initializer(-0.05, 0.05)
            )
            # [num_steps, batch_size, embedding_dim]
            output = tf.nn.embedding_lookup(self._embedding, self.input_data)
        build = {"basic": self._build_basic, "fused": self._build_fused, "cudnn": self._build_cudnn}[rnn_mode]
        self._cells, final_states = [], []
        for layer in range(config.num_layers):
            if keep_prob < 1:
                output = dropout(output, keep_prob, layer)
            cell = self._build_cell(layer, output.shape[-1].value, config.hidden_units)
            # [num_steps, batch_size, hidden_units] and [batch_size, hidden_units]
            output, final_state = build(output, self.initial_state[layer], cell)
            self._cells.append(cell)
            final_states.append(final_state)
        self.final_state = tf.stack(final_states)
        if keep_prob < 1:
            output = dropout(output, keep_prob, config.num_layers)

        # [num_steps * batch_size, hidden_units]; the last step is the last batch_size rows.
        output = tf.reshape(output, [-1, config.hidden_units])
        self._dense_kernel = tf.get_variable("dense/kernel", [config.hidden_units, vocab_size])
        self._dense_bias = tf.get_variable("dense/bias", [vocab_size], initializer=tf.zeros_initializer())
        self.logits = tf.matmul(output, self._dense_kernel) + self._dense_bias  # [num_steps * batch_size, vocab_size]
        labels = tf.reshape(self.targets, [-1])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=self.logits)
        self.losses = tf.reshape(losses, tf.shape(self.targets))  # [num_steps, batch_size]
        self.loss = tf.reduce_mean(losses)
        if is_training:
            self.learning_rate = tf.placeholder_with_default(config.learning_rate, [])
            optimizer = tf.train.AdamOptimizer(self.learning_rate)
            # An op of the gradient runs where the op that it belongs to does.
            grads_and_vars = optimizer.compute_gradients(self.loss, colocate_gradients_with_ops=True)
            self.gradient_norm = tf.global_norm([gradient for gradient, _ in grads_and_vars])
            self.train_op = optimizer.apply_gradients(grads_and_vars, tf.train.get_or_create_global_step())

    def _build_cell(self, layer, input_size, units):
        glorot, zeros = tf.glorot_uniform_initializer(), tf.zeros_initializer()
        with tf.variable_scope(f"gru_{layer}"):
            return GRUCell(
                tf.get_variable("kernel", [input_size, 3 * units], initializer=glorot),
                tf.get_variable("recurrent_kernel", [units, 3 * units], initializer=glorot),
                tf.get_variable("bias", [2, 3 * units], initializer=zeros),
            )

    def _build_basic(self, inputs, initial_state, cell):
        return tf.nn.dynamic_rnn(cell, inputs, initial_state=initial_state, time_major=True)

    def _build_fused(self, inputs, initial_state, cell):
        variables = cell.kernel, cell.recurrent_kernel, cell.bias
        return layers.in_groups(layers.gru, self._groups, inputs, initial_state, *variables, precision=self._precision)

    def _build_cudnn(self, inputs, initial_state, cell):
        variables = cell.kernel, cell.recurrent_kernel, cell.bias
        return layers.cudnn_gru(inputs, initial_state, *variables, is_training=self._is_training)

    def build_generation(self, temperature, top_k):
        """Adds what `generate` and `generate_step_by_step` run; the batch size is 1 there.

        The whole loop is compiled by XLA: it is a chain of small operations, and of products of a vector with a matrix,
        which XLA computes on all cores. It reads a transposed matrix faster, row by row.
        """
        num_layers, vocab_size = len(self._cells), self.logits.shape[1].value
        self.seed = tf.placeholder(tf.int32, [])
        self.position = tf.placeholder(tf.int32, [])  # in the generated text, of the first character that is drawn
        self.given = tf.placeholder(tf.int32, [CHARACTERS_A_RUN])  # to be read; -1: what was drawn before
        self.character = tf.placeholder(tf.int32, [])  # drawn last
        self.count = tf.placeholder(tf.int32, [])  # of the steps, at most CHARACTERS_A_RUN

        def draw(logits, seed, position):
            """The id of the character at `position`, int32 [], from its `logits` [1, vocab_size]."""
            if temperature == 0:
                return tf.argmax(logits[0], output_type=tf.int32)
            if top_k and top_k < vocab_size:
                least = tf.nn.top_k(logits[0], top_k).values[-1]
                logits = tf.where(logits < least, tf.fill(tf.shape(logits), -np.inf), logits)
            drawn = tf.random.stateless_categorical(logits / temperature, 1, tf.stack([seed, position]), dtype=tf.int32)
            return drawn[0, 0]

        def loop(given, character, states, seed, position, count, table, cells, dense_kernel, dense_bias):
            def body(index, character, states, drawn):
                character = tf.where(given[index] < 0, character, given[index])
                x, new_states = tf.gather(table, character[None]), []
                for state, (kernel, recurrent_kernel, bias) in zip(states, cells):
                    if new_states:
                        x = tf.matmul(new_states[-1], kernel, transpose_b=True) + bias[0]
                    h = tf.matmul(state, recurrent_kernel, transpose_b=True) + bias[1]
                    new_states.append(gru_step(x, h, state))
                logits = tf.matmul(new_states[-1], dense_kernel, transpose_b=True) + dense_bias
                character = draw(logits, seed, position + index)
                return index + 1, character, new_states, drawn.write(index, character)

            _, character, states, drawn = tf.while_loop(
                lambda index, *_: index < count,
                body,
                [0, character, states, tf.TensorArray(tf.int32, CHARACTERS_A_RUN)],
                back_prop=False,
            )
            return drawn.stack(), character, tf.stack(states)

        cells = [
            (tf.transpose(cell.kernel), tf.transpose(cell.recurrent_kernel), cell.bias.read_value())
            for cell in self._cells
        ]
        # The first layer's product with its inputs, for each character of the vocabulary: [vocab_size, 3 * units].
        table = tf.matmul(self._embedding, self._cells[0].kernel) + self._cells[0].bias[0]
        states = [self.initial_state[layer] for layer in range(num_layers)]
        compiled = tf.function(loop, jit_compile=True, autograph=False)
        # [CHARACTERS_A_RUN], [] and [num_layers, 1, units]
        self.drawn, self.last_character, self.last_state = compiled(
            self.given,
            self.character,
            states,
            self.seed,
            self.position,
            self.count,
            table,
            cells,
            tf.transpose(self._dense_kernel),
            self._dense_bias.read_value(),
        )
        # Compiled as well: XLA's random numbers are others than TensorFlow's.
        self.next_id = tf.function(draw, jit_compile=True, autograph=False)(self.logits[-1:], self.seed, self.position)


def zero_state(config, batch_size):
    return np.zeros([config.num_layers, batch_size, config.hidden_units], np.float32)


def generate(session, model, config, start, count, seed):
    """Yields `count` ids that follow the ids `start`, in pieces, each from one `session.run`.

    Which character is drawn is keyed by `seed` and by its place, so the text does not depend on the pieces.
    """
    state, character = zero_state(config, 1), 0
    behind = len(start) - 1  # steps that read the start string; what they draw is not used
    for begin in range(0, behind + count, CHARACTERS_A_RUN):
        steps = min(CHARACTERS_A_RUN, behind + count - begin)
        given = np.full(CHARACTERS_A_RUN, -1)
        piece = start[begin : begin + CHARACTERS_A_RUN]
        given[: len(piece)] = piece
        feed_dict = {model.given: given, model.character: character, model.initial_state: state, model.count: steps}
        feed_dict.update({model.seed: seed, model.position: begin - behind})
        drawn, character, state = session.run([model.drawn, model.last_character, model.last_state], feed_dict)
        yield drawn[max(0, behind - begin) : steps]


def generate_step_by_step(session, model, config, start, count, seed):
    """The tutorial's loop: the same ids, a list, with one `session.run` a character."""
    state, read, ids = zero_state(config, 1), list(start), []
    for position in range(count):
        feed_dict = {model.initial_state: state, model.input_data: np.array(read)[:, None]}
        feed_dict.update({model.position: position, model.seed: seed})
        next_id, state = session.run([model.next_id, model.final_state], feed_dict)
        ids.append(next_id)
        read = [next_id]
    return ids


def learning_rate_of(epoch, config):
    """Adam's learning rate in an epoch, which is counted from 1."""
    return config.learning_rate * config.lr_decay ** max(epoch - config.max_epoch, 0)


def run_epoch(session, model, ids, config, batching, epoch, position, verbose=False, after_step=None):
    """Trains on an epoch's batches, the state carried from batch to batch.

    Args:
      session: a session with the variables initialised.
      model: a `CharGRU` for training.
      ids: the text to train on.
      epoch: its number, from 1, for the learning rate and for what is printed.
      position: a `Position` to begin at, kept up to date.
      verbose: prints the loss of every hundredth batch, as the tutorial does.
      after_step: called after each step.
    Returns:
      The mean loss.
    """
    start_time, first_step, lr_value = time.time(), position.step, learning_rate_of(epoch, config)
    epoch_size = reader.char_epoch_size(len(ids), config.batch_size, config.max_length, batching)
    batches = reader.char_batches(ids, config.batch_size, config.max_length, batching, first_step)
    if position.state is None:
        position.state = zero_state(config, config.batch_size)
    with progress.bar(epoch_size, first_step) as steps:
        for batch, (inputs, targets) in zip(steps, batches):
            feed_dict = {model.input_data: inputs.T, model.targets: targets.T, model.initial_state: position.state}
            feed_dict[model.learning_rate] = lr_value
            loss, state, _ = session.run([model.loss, model.final_state, model.train_op], feed_dict)
            position.step, position.costs, position.state = batch + 1, position.costs + float(loss), state
            if not loss < MAX_LOSS:
                norm = session.run(model.gradient_norm, feed_dict)
                raise Diverged("loss", loss, f"at batch {batch} of {epoch_size}", lr_value, norm)
            characters = (position.step - first_step) * inputs.size
            position.speed = characters / (time.time() - start_time)
            if verbose and batch % 100 == 0:
                progress.write(f"Epoch {epoch} Batch {batch} Loss {loss:.4f}")
            if after_step:
                after_step()
    return position.costs / position.step


def evaluate(session, model, ids, split, config, after_step=None):
    """The mean loss of the characters from `split` on, each predicted from at least the max_length before it.

    They are cut into batch_size pieces, which are read side by side; each is entered max_length characters early.

        text       ... w w w|a a a a a|b b b b b|c c c c
        row 0          w w w a a a a a
        row 1                    a a a b b b b b             the first max_length characters of a row warm up its state
        row 2                              b b b c c c c _   and do not count, nor does what is behind the end
    """
    num_characters, warm_up = len(ids) - split, config.max_length
    length = math.ceil(num_characters / config.batch_size)
    rows = length * np.arange(config.batch_size)
    costs, state = 0.0, zero_state(config, config.batch_size)
    for start in range(-warm_up, length, config.max_length):
        steps = np.arange(start, start + config.max_length)[:, None]
        places = rows + steps  # [max_length, batch_size], counted from split
        indices = np.minimum(places + split, len(ids) - 1)
        feed_dict = {model.input_data: ids[indices - 1], model.targets: ids[indices], model.initial_state: state}
        losses, state = session.run([model.losses, model.final_state], feed_dict)
        if start >= 0:
            counts = (steps < length) & (places < num_characters)
            costs += float(np.sum(losses[counts], dtype=np.float64))
        if after_step:
            after_step()
    return costs / num_characters


def in_bits(nats):
    return f"{nats:.4f} ({nats / math.log(2):.3f} bits)"


def epoch_line(epoch, train_loss, validation_loss, characters_per_second, **_):
    """The line behind an epoch, from its record."""
    return (
        f"Epoch {epoch} Loss {in_bits(train_loss)} Validation loss {in_bits(validation_loss)} "
        f"{characters_per_second:.0f} characters/s"
    )


def best_epoch(records):
    """The record of the least validation loss, the earliest where two are equal."""
    return min(records, key=lambda record: record["validation_loss"])


def is_finished(records, config):
    if config.patience and records and len(records) - best_epoch(records)["epoch"] >= config.patience:
        return True
    return len(records) == config.n_epochs


def plot_learning_curve(records, perfect_loss, title, folder):
    """Both losses by epoch, in nats on the left and in bits on the right; `perfect_loss`, where it is known."""
    figure, axes = plots.new_figure()
    epochs = [record["epoch"] for record in records]
    axes.plot(epochs, [record["train_loss"] for record in records], "o-", label="train, mean over the epoch")
    axes.plot(epochs, [record["validation_loss"] for record in records], "o-", label="validation, behind the epoch")
    if perfect_loss:
        axes.axhline(perfect_loss, color="C2", linestyle=":", label=f"a perfect model: {perfect_loss:.3f}")
    axes.set(xlabel="epoch", ylabel="nats a character", title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    bits = axes.secondary_yaxis("right", functions=(lambda nats: nats / math.log(2), lambda bits: bits * math.log(2)))
    bits.set_ylabel("bits a character")
    axes.grid(alpha=0.3)
    axes.legend()
    return plots.save(figure, folder, "char_gru_learning_curve")


def choose_start_string(start_string, characters, first_character):
    """The start string of --start_string, else Q, else the text's first character.

    Raises:
      UserError: the network cannot read it.
    """
    if start_string is None:
        return "Q" if "Q" in characters else first_character
    if not start_string:
        raise UserError("--start_string is empty: give at least one character")
    if unknown := sorted(set(start_string) - set(characters)):
        shown = ", ".join(map(repr, unknown[:20]))
        raise UserError(f"--start_string has {shown}, which the text does not have: leave that out")
    return start_string


def write_text(session, model, config, characters, start_string, count, seed, after_piece=None):
    """Prints `start_string` and `count` generated characters as they come; returns all of them.

    `after_piece` is called after each piece, and may raise.
    """
    char2idx = {character: index for index, character in enumerate(characters)}
    text = start_string
    print(start_string, end="", flush=True)
    try:
        for ids in generate(session, model, config, [char2idx[character] for character in start_string], count, seed):
            piece = "".join(characters[index] for index in ids)
            print(piece, end="", flush=True)
            text += piece
            if after_piece:
                after_piece()
    finally:
        print()
    return text


def write_vocabulary(save_path, characters):
    app.write_file(os.path.join(save_path, VOCABULARY), json.dumps(characters))


def read_vocabulary(save_path, description):
    """The list that `write_vocabulary` wrote; UserError where `describe_vocabulary` says something else of it."""
    path = os.path.join(save_path, VOCABULARY)
    advice = "it belongs to the checkpoints there"
    try:
        with open(path, encoding="utf-8") as file:
            characters = json.load(file)
        if describe_vocabulary(characters) == description:
            return characters
    except OSError as error:
        raise UserError(f"{path} cannot be read, {advice}: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged, {advice}: {error}") from error
    raise UserError(f"{path} is of another text than the checkpoints there, which have {description}")


def describe_vocabulary(characters):
    return f"{len(characters)} characters, checksum {zlib.crc32(''.join(characters).encode()):08x}"


def get_config(args):
    """The config that the flags name."""
    return configs.get_config(configs.CHAR_GRU_CONFIGS, "small" if args.config is None else args.config, args.overrides)


def show_gradients(args):
    """The tutorial's introduction to eager execution, in graph mode; prints and returns what it computed."""

    def square(w):
        return w * w

    def value_and_gradients_function(f):
        """tf.contrib.eager's, which is gone: a function that returns f's value and its gradients, one an argument."""

        def value_and_gradients(*args):
            args = [tf.convert_to_tensor(arg) for arg in args]
            with tf.GradientTape() as tape:
                tape.watch(args)
                value = f(*args)
            return value, tape.gradient(value, args)

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
            loss = square(w)
        x = tf.constant(2.0)
        # tfe.py_func: Python code that runs eagerly, here in the middle of a graph, and that gradients flow through.
        y = tf.py_function(log, [x], tf.float32)
        ids = tf.constant([3, 0, 3])
        embedding = tf.random_normal([5, 4])
        fetches = {
            "tape_gradient": tape.gradient(loss, w),
            "graph_gradient": tf.gradients(square(w), w)[0],
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
    results["embedding_difference"] = difference
    print(f"Embedding look-up against one-hot vectors times the matrix: difference at most {difference}")
    return results


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class NumpyGRU:
    """A GRU layer with a softmax on top, in NumPy, forward and back-propagated through time.

    With h' the state before the step, products with x and h' written apart, and the biases b (of the inputs) and d (of
    the state, with `reset_after` alone):

        r = sigmoid(x W_rx + h' W_rh + b_r + d_r)             z = sigmoid(x W_zx + h' W_zh + b_z + d_z)
        reset_after:    c = tanh(x W_hx + b_h + r * (h' W_hh + d_h))
        else:           c = tanh(x W_hx + b_h + (r * h') W_hh)
        h = z * h' + (1 - z) * c                              y = softmax(h W_o)

    Back from step t, with dh the gradient of the loss to h, from y and from step t + 1, and a_* what is inside the
    sigmoids and tanh:

        da_z = dh * (h' - c) * z * (1 - z)                    da_h = dh * (1 - z) * (1 - c * c)
        reset_after:    da_r = da_h * (h' W_hh + d_h) * r * (1 - r)
                        dh' = dh * z + da_z W_zh^T + da_r W_rh^T + (r * da_h) W_hh^T
        else:           da_r = (da_h W_hh^T) * h' * r * (1 - r)
                        dh' = dh * z + da_z W_zh^T + da_r W_rh^T + r * (da_h W_hh^T)

    and of the weights the sums over t of x^T da_*, h'^T da_* and their like, and h^T (y - onehot) for W_o.

    Args:
      weights: a dict of W_rx, W_zx, W_hx [input_size, units], W_rh, W_zh, W_hh [units, units], b_r, b_z, b_h, and with
        `reset_after` d_r, d_z, d_h [units], and W_o [units, vocab_size].
      reset_after: the form of cuDNN; else the tutorial's description.
    """

    def __init__(self, weights, reset_after):
        self.weights, self.reset_after = weights, reset_after

    def forward(self, inputs, initial_state, targets):
        """`inputs` [num_steps, batch_size, input_size], `targets` ids [num_steps, batch_size].

        Returns the mean cross-entropy, and keeps what `backward` needs.
        """
        w = self.weights
        zeros = np.zeros_like(w["b_r"])
        d_r, d_z, d_h = (w[name] if self.reset_after else zeros for name in ("d_r", "d_z", "d_h"))
        self.tape, h, loss = [], initial_state, 0.0
        for x, target in zip(inputs, targets):
            r = sigmoid(x @ w["W_rx"] + h @ w["W_rh"] + w["b_r"] + d_r)
            z = sigmoid(x @ w["W_zx"] + h @ w["W_zh"] + w["b_z"] + d_z)
            product = h @ w["W_hh"] + d_h if self.reset_after else (r * h) @ w["W_hh"]
            c = np.tanh(x @ w["W_hx"] + w["b_h"] + (r * product if self.reset_after else product))
            new = z * h + (1 - z) * c
            logits = new @ w["W_o"]
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            y = exponentials / exponentials.sum(axis=1, keepdims=True)
            rows = np.arange(len(target))
            loss -= np.log(y[rows, target]).sum() / targets.size
            dlogits = y / targets.size
            dlogits[rows, target] -= 1 / targets.size
            self.tape.append((x, h, r, z, c, product, new, dlogits))
            h = new
        return loss

    def backward(self):
        """The gradients of the loss: a dict of those of the weights by name, of `inputs` and of `initial_state`."""
        w = self.weights
        gradients = {name: np.zeros_like(weight) for name, weight in w.items()}
        dinputs, dh = [], 0.0
        for x, h, r, z, c, product, new, dlogits in reversed(self.tape):
            gradients["W_o"] += new.T @ dlogits
            dh = dh + dlogits @ w["W_o"].T
            da = {"z": dh * (h - c) * z * (1 - z), "h": dh * (1 - z) * (1 - c * c)}
            if self.reset_after:
                da["r"] = da["h"] * product * r * (1 - r)
                dproduct, source = r * da["h"], h
            else:
                da["r"] = (da["h"] @ w["W_hh"].T) * h * r * (1 - r)
                dproduct, source = da["h"], r * h
            dsource = dproduct @ w["W_hh"].T
            for gate in "rzh":
                gradients[f"W_{gate}x"] += x.T @ da[gate]
                gradients[f"b_{gate}"] += da[gate].sum(axis=0)
            for gate, behind in (("r", da["r"]), ("z", da["z"]), ("h", dproduct)):
                gradients[f"W_{gate}h"] += (source if gate == "h" else h).T @ behind
                if self.reset_after:
                    gradients[f"d_{gate}"] += behind.sum(axis=0)
            dinputs.append(sum(da[gate] @ w[f"W_{gate}x"].T for gate in "rzh"))
            dh = dh * z + da["z"] @ w["W_zh"].T + da["r"] @ w["W_rh"].T
            dh = dh + (dsource if self.reset_after else r * dsource)
        return {**gradients, "inputs": np.array(dinputs[::-1]), "initial_state": dh}


def compare_bptt(args):
    """Both forms of the GRU in NumPy against TensorFlow; returns the largest difference of each gradient, by form."""
    num_steps, batch_size, input_size, units, vocab_size = 12, 3, 5, 7, 9
    random = np.random.RandomState(args.seed)
    inputs = random.normal(size=[num_steps, batch_size, input_size])
    targets = random.randint(0, vocab_size, [num_steps, batch_size])
    initial_state = random.normal(size=[batch_size, units])
    weights = {}
    for gate in "rzh":
        weights[f"W_{gate}x"] = random.normal(size=[input_size, units])
        weights[f"W_{gate}h"] = random.normal(size=[units, units])
        weights[f"b_{gate}"], weights[f"d_{gate}"] = random.normal(size=[2, units])
    weights["W_o"] = random.normal(size=[units, vocab_size])

    results = {}
    for form in ("reset_after", "reset_before"):
        w = {name: weight for name, weight in weights.items() if form == "reset_after" or not name.startswith("d_")}
        gru = NumpyGRU(w, form == "reset_after")
        loss = gru.forward(inputs, initial_state, targets)
        gradients = {**gru.backward(), "loss": loss}
        differences = {
            name: float(np.max(np.abs(gradients[name] - value)))
            for name, value in tf_loss_and_gradients(w, inputs, initial_state, targets, form).items()
        }
        results[form] = differences
        print(f"{form}: NumPy against TensorFlow, largest difference of the loss and of its gradients")
        print("  " + "  ".join(f"{name} {difference:.0e}" for name, difference in differences.items()))
    return results


def tf_loss_and_gradients(weights, inputs, initial_state, targets, form):
    """What `NumpyGRU` computes, from TensorFlow's cells: a dict of the loss and of the gradients."""
    with tf.Graph().as_default():
        tensors = {name: tf.constant(weight, tf.float32) for name, weight in weights.items()}
        x, h = tf.constant(inputs, tf.float32), tf.constant(initial_state, tf.float32)

        def side_by_side(name, gates):
            return tf.concat([tensors[name.format(gate)] for gate in gates], axis=-1)

        if form == "reset_after":
            bias = tf.stack([side_by_side("b_{}", "zrh"), side_by_side("d_{}", "zrh")])
            cell = GRUCell(side_by_side("W_{}x", "zrh"), side_by_side("W_{}h", "zrh"), bias)
            outputs, _ = tf.nn.dynamic_rnn(cell, x, initial_state=h, time_major=True)
        else:  # the form of tf.nn.rnn_cell.GRUCell, whose gates are r and z, and which gets its variables in this order
            kernels = [tf.concat([side_by_side(f"W_{{}}{of}", gates) for of in "xh"], axis=0) for gates in ("rz", "h")]
            variables = iter([kernels[0], side_by_side("b_{}", "rz"), kernels[1], tensors["b_h"]])
            with tf.variable_scope("rnn", custom_getter=lambda *_, **__: next(variables)):
                cell = tf.nn.rnn_cell.GRUCell(initial_state.shape[1])
                outputs, _ = tf.nn.dynamic_rnn(cell, x, initial_state=h, time_major=True)
        logits = tf.tensordot(outputs, tensors["W_o"], 1)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits))
        sources = {**tensors, "inputs": x, "initial_state": h}
        fetches = {"loss": loss, **dict(zip(sources, tf.gradients(loss, list(sources.values()))))}
        with tf.Session() as session:
            return session.run(fetches)


def train(args):
    """Trains on a text; returns `train_loss` and `validation_loss`, lists by epoch, and `text`."""
    config = get_config(args)
    path, is_sample = reader.find_text(args.data_path)
    ids, characters = reader.char_raw_data(path)
    start_string = choose_start_string(args.start_string, characters, characters[ids[0]])
    split = int(TRAIN_PART * len(ids))
    train_ids = ids[:split]
    epoch_size = reader.char_epoch_size(split, config.batch_size, config.max_length, args.batching)
    is_shakespeare = (len(ids), len(characters)) == (1_115_394, 65)
    corpus = "the embedded sample" if is_sample else "Shakespeare" if is_shakespeare else "own text"
    print(
        f"Text: {corpus}, {len(ids):,} characters, {len(characters)} distinct; "
        f"{split:,} to train on, {len(ids) - split:,} to validate"
    )
    used = epoch_size * config.batch_size * config.max_length
    print(
        f"An epoch uses {used:,} characters, {epoch_size} batches ({args.batching}) of {config.batch_size} x "
        f"{config.max_length}; {split - used:,} are left over"
    )
    rnn_mode = choose_rnn_mode(args.rnn_mode)
    precision = choose_precision(args.precision, rnn_mode)
    groups, session_config = choose_groups(rnn_mode, config.batch_size, config.hidden_units, gates=3)
    modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
    perfect_bits = sample.play_bits_per_character() if is_sample else None
    perfect_loss = perfect_bits and perfect_bits * math.log(2)
    title, folder = f"Character GRU, {args.config or 'small'} config, {corpus}", args.save_path or "plots"

    with tf.Graph().as_default(), app.StopRequest() as stop:
        tf.set_random_seed(args.seed)
        with tf.variable_scope("Model"):
            m = CharGRU(is_training=True, config=config, vocab_size=len(characters), **modes)
        with tf.variable_scope("Model", reuse=True):
            mvalid = CharGRU(is_training=False, config=config, vocab_size=len(characters), **modes)
            mvalid.build_generation(args.temperature, args.top_k)
        zeros = tf.zeros_initializer()
        best_weights = [
            tf.get_variable(f"best/{variable.op.name}", variable.shape, initializer=zeros, trainable=False)
            for variable in (tf.trainable_variables() if config.patience else ())
        ]
        keep_best = [tf.assign(kept, variable) for kept, variable in zip(best_weights, tf.trainable_variables())]
        use_best = [tf.assign(variable, kept) for kept, variable in zip(best_weights, tf.trainable_variables())]
        identity = {"script": "char_gru", "config": configs.values(config), "seed": args.seed}
        identity.update(batching=args.batching, precision=precision)
        identity["data"] = f"{len(ids):,} characters, checksum {zlib.crc32(ids):08x}"
        identity["vocabulary"] = describe_vocabulary(characters)
        no_state = zero_state(config, config.batch_size)
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
            if args.save_path:
                write_vocabulary(args.save_path, characters)
            metrics = Metrics(args.save_path, session.run(global_step))
            metrics.write(records)
            start_time = time.time() - (values["wall_s"] if restored else 0.0)

            def save(kept_as=None):
                values = {"records": records, "step": position.step, "costs": position.costs, "speed": position.speed}
                values["wall_s"], values["first_character"] = time.time() - start_time, characters[ids[0]]
                state = no_state if position.state is None else position.state
                saved.save(session, values, {"rnn_state": state}, kept_as)
                metrics.write(records)

            def after_step():
                if stop.signum:
                    place = "the text, behind the last epoch"
                    if not is_finished(records, config):  # else the last epoch's end is saved
                        place = f"epoch {len(records) + 1} at batch {position.step} of {epoch_size}"
                        save()
                    kept = f"saved in {args.save_path}" if args.save_path else "without --save_path nothing is saved"
                    raise app.Interrupted(stop.signum, f"Stopped in {place}: {kept}")

            def after_training_step():
                if position.step % max(1, epoch_size // 10) == 0:
                    values = {"loss": position.costs / position.step, "characters_per_second": position.speed}
                    metrics.event(session.run(global_step), **values)
                after_step()
                if saved.is_due():
                    save()

            if is_finished(records, config):
                print(f"The run in {args.save_path} is finished; its last line again:")
                print(epoch_line(**records[-1]))
            while not is_finished(records, config):
                epoch = len(records) + 1
                train_loss = run_epoch(
                    session, m, train_ids, config, args.batching, epoch, position, True, after_training_step
                )
                validation_loss = evaluate(session, mvalid, ids, split, config, after_step)
                if not validation_loss < MAX_LOSS:
                    raise Diverged("loss", validation_loss, f"in the validation behind epoch {epoch}")
                curves = {
                    "learning_rate": learning_rate_of(epoch, config),
                    "train_loss": train_loss,
                    "validation_loss": validation_loss,
                    "characters_per_second": position.speed,
                }
                step = int(session.run(global_step))
                metrics.event(step, bits_per_character=validation_loss / math.log(2), **curves)
                records.append({"epoch": epoch, "step": step, **curves, "wall_s": time.time() - start_time})
                position = Position()
                if config.patience and best_epoch(records) is records[-1]:
                    session.run(keep_best)
                print(epoch_line(**records[-1]))
                save(f"ckpt-{epoch}" if epoch % KEPT_EPOCHS == 0 else None)
                plot_learning_curve(records, perfect_loss, title, folder)
                print("Sample:")
                write_text(session, mvalid, config, characters, start_string, SAMPLE_CHARACTERS, args.seed)

            if config.patience:
                session.run(use_best)
                best = best_epoch(records)
                print(f"The best weights are those of epoch {best['epoch']}: {in_bits(best['validation_loss'])}")
            print(f"{config.num_generate} characters from {start_string!r}:")
            count = config.num_generate
            text = write_text(session, mvalid, config, characters, start_string, count, args.seed, after_step)

    results = {name: [record[name] for record in records] for name in ("train_loss", "validation_loss")}
    if is_sample:
        results["perfect_bits"] = perfect_bits
        print(f"On this text a perfect model would reach {in_bits(perfect_loss)}")
    if picture := plot_learning_curve(records, perfect_loss, title, folder):
        print(f"Picture: {picture}")
    return {**results, "text": text}


def write(args):
    """Generates with the newest checkpoint in `--save_path`, whose config and vocabulary count; returns `text`."""
    if not args.save_path:
        raise UserError("--generate goes with --save_path: name the folder of a trained network")
    if args.section != "train":
        raise UserError("--generate goes with --section=train alone: leave --section out")
    if args.start_string == "":
        raise UserError("--start_string is empty: give at least one character")
    if args.data_path is not None:
        reader.find_text(args.data_path)  # not needed here, but a path that leads nowhere is a mistake
    given_config = configs.values(get_config(args))
    found = checkpoints.find(args.save_path) if os.path.isdir(args.save_path) else None
    if not found:
        raise UserError(f"--save_path={args.save_path} holds no checkpoint: train first, the same without --generate")
    path, saved = found
    identity, progress_ = saved["identity"], saved["progress"]
    given_names = given_config if args.config else [override.partition("=")[0] for override in args.overrides]
    expected = {**identity["config"], **{name: given_config[name] for name in given_names}}
    checkpoints.check_identity(args.save_path, identity, {**identity, "script": "char_gru", "config": expected})
    choose_rnn_mode(args.rnn_mode)
    config = types.SimpleNamespace(**identity["config"])
    characters = read_vocabulary(args.save_path, identity["vocabulary"])
    start_string = choose_start_string(args.start_string, characters, progress_["first_character"])
    with tf.Graph().as_default():
        with tf.variable_scope("Model"):
            m = CharGRU(is_training=False, config=config, vocab_size=len(characters))
            m.build_generation(args.temperature, args.top_k)
        prefix = "best/" if config.patience and progress_["records"] else ""
        saver = tf.train.Saver({prefix + variable.op.name: variable for variable in tf.trainable_variables()})
        with tf.Session() as session:
            while True:
                try:
                    saver.restore(session, path)
                    break
                except (ValueError, tf.errors.NotFoundError):  # a training that goes on may have deleted it meanwhile
                    newest, _ = checkpoints.find(args.save_path)
                    if newest == path:
                        raise
                    path = newest
            text = write_text(session, m, config, characters, start_string, args.generate, args.seed)
    return {"text": text}


@app.command
def main(argv=None):
    args = parse_args(argv)
    if args.generate:
        return write(args)
    get_config(args)
    checkpoints.check_flags(args)
    return {"train": train, "gradients": show_gradients, "bptt": compare_bptt}[args.section](args)


if __name__ == "__main__":
    main()
