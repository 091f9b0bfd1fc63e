"""The character GRU: learns to write like a text, character by character.

Source: a tutorial by "Chunyan" (醇岩) on SegmentFault, in Chinese, which retells "Text Generation using a RNN" of Yash
Katariya and Google (TensorFlow, 2018),
https://github.com/tensorflow/tensorflow/blob/r1.11/tensorflow/contrib/eager/python/examples/generative_examples/text_generation.ipynb
Both train a GRU on Shakespeare in eager mode; this is graph mode. Losses are in nats a character, bits are nats / ln 2.

Commands; beside the first what it prints after its third epoch on the real text (3 minutes an epoch on 2 cores). The
others are for any text in UTF-8:

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
* A text is generated inside the graph, and not with a call for each character (`tf1/sampling.py`).
"""

import functools
import math
import time

import numpy as np

import configs
import reader
from tf1 import app, checkpoints, layers, plots, progress, rnn, sampling, streams, tf, trained
from tf1.app import MAX_NATS, BadValue, Diverged, UserError
from tf1.cluster import ALONE, Cluster, errors_told_to_others
from tf1.dropout import dropout
from tf1.language import LanguageModel
from tf1.modes import choose_modes, mode_of_graph
from tf1.training import Position, Run, epoch_size_of

SAMPLE_CHARACTERS = 200  # of the text that is shown after each epoch
KEPT_EPOCHS = 5  # every fifth epoch's weights are kept


def train_part(text):
    value = app.number(text)
    if not 0 < value <= 1:
        raise BadValue(f"{text} is not above 0 and at most 1")
    return value


def parse_args(argv=None):
    parser = app.ArgumentParser("char_gru.py", __doc__)
    parser.add_argument("--section", choices=("train", "gradients"), default="train", help="default: train")
    names = ", ".join(configs.CHAR_GRU_CONFIGS)
    parser.add_argument("--config", default="small", help=f"{names} (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="a text file, UTF-8, or the folder of shakespeare.txt")
    parser.add_argument(
        "--train_part", type=train_part, default=0.9, help="of the text; the rest validates (default: %(default)s)"
    )
    parser.add_argument(
        "--batching",
        choices=("contiguous", "tutorial"),
        default="contiguous",
        help="contiguous (default): row i of a batch goes on in row i of the next one; tutorial: chunk after chunk",
    )
    parser.add_common(
        "--encoding", "--rnn_mode", "--precision", "--save_path", "--save_every", "--init_from", "--seed", "--set"
    )
    parser.add_common("--worker_hosts", "--task_index", "--peer_timeout")
    parser.add_common("--generate", "--start_string", "--temperature", "--top_k", "--next_word")
    parser.add_common("--score", "--verbose", "--each_alone", "--export_dir")
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
        self.config, self.input, self.cluster = config, input_, cluster
        units, rnn_mode = config.hidden_units, mode_of_graph(rnn_mode, precision)
        # What travels to other workers has known sizes.
        rows = len(cluster.rows(config.batch_size)) if is_training and cluster.size > 1 else None
        num_steps = config.max_length if rnn_mode == "fused" or rows else None
        self.input_data = tf.placeholder(tf.int32, [num_steps, rows])  # [num_steps, batch_size]
        self.targets = tf.placeholder(tf.int32, [None, None])
        self.initial_state = tf.placeholder(tf.float32, [config.num_layers, None, units])
        self.learning_rate = tf.placeholder_with_default(config.learning_rate, [])

        # A one-hot vector has vocab_size numbers, and any two of them are equally far apart. An embedding has
        # embedding_dim numbers, however large the vocabulary is, and is trained, so that characters that are used alike
        # come close: in pretrained/shakespeare "?" and "!" are the nearest to ".", and "T" is to "t". For Shakespeare's
        # 65 characters it is the longer vector, 256; for PTB's 10,000 words it is the shorter one, 200. The look-up
        # gives the same as the one-hot vector times the table, without the multiplications by 0 (`show_gradients`
        # compares the two).
        with tf.device("/cpu:0"):  # the look-up needs a few rows of the table
            uniform = tf.random_uniform_initializer(-0.05, 0.05)
            embedding = tf.get_variable("embedding", [vocab_size, config.embedding_dim], initializer=uniform)
            # [num_steps, batch_size, embedding_dim]
            output = tf.nn.embedding_lookup(embedding, self.input_data)
        cells, final_states = [], []
        modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
        for layer, state in enumerate(tf.unstack(self.initial_state)):  # [batch_size, units]
            keep_prob = config.keep_prob if layer else config.embedding_keep_prob
            if is_training and keep_prob < 1:
                output = dropout(output, keep_prob, layer, rows_axis=1)
            # A GRU has one state, h, and two gates, z and r, all [batch_size, units]. z says how much of h stays, r how
            # much of it the candidate sees:
            #   candidate = tanh(x W + b + r * (h U + d));  h = z * h + (1 - z) * candidate
            # An LSTM has a second state, c, and three gates, so four blocks of weights where a GRU has three. In the
            # small config that makes 3,938,304 numbers for this GRU, and 5,246,976 for a BasicLSTMCell. This one has a
            # bias in both products, like Keras's GRU with reset_after=True; with reset_after=False that has 3,935,232.
            with tf.variable_scope(f"gru_{layer}"):
                kernel = tf.get_variable("kernel", [output.shape[-1].value, 3 * units])
                recurrent_kernel = tf.get_variable("recurrent_kernel", [units, 3 * units])
                bias = tf.get_variable("bias", [2, 3 * units], initializer=tf.zeros_initializer())
            if is_training and config.recurrent_keep_prob < 1:
                # DropConnect: in a step of training the same weights are missing in all time steps and rows.
                place = config.num_layers + 1 + layer
                recurrent_kernel = dropout(recurrent_kernel, config.recurrent_keep_prob, place, rows_axis=None)
            cell = rnn.GRUCell(kernel, recurrent_kernel, bias)
            # [num_steps, batch_size, units] and [batch_size, units]
            output, state = rnn.dynamic_rnn(cell, output, initial_state=state, time_major=True, **modes)
            cells.append(cell)
            final_states.append(state)
        self.final_state = tf.stack(final_states)
        if is_training and config.keep_prob < 1:
            output = dropout(output, config.keep_prob, config.num_layers, rows_axis=1)

        # [num_steps * batch_size, units]; the last step is the last batch_size rows.
        output = tf.reshape(output, [-1, units])
        dense_kernel = tf.get_variable("dense/kernel", [units, vocab_size])
        dense_bias = tf.get_variable("dense/bias", [vocab_size], initializer=tf.zeros_initializer())
        self.logits = tf.matmul(output, dense_kernel) + dense_bias  # [num_steps * batch_size, vocab_size]
        self.network = LanguageModel(embedding, cells, dense_kernel, dense_bias)
        labels = layers.labels_in_range(tf.reshape(self.targets, [-1]), vocab_size)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=self.logits)
        self.losses = tf.reshape(losses, tf.shape(self.targets))  # [num_steps, batch_size]
        self.loss, self.gradient_norm = tf.reduce_mean(losses), None
        if is_training:
            optimizer, global_step = tf.train.AdamOptimizer(self.learning_rate), tf.train.get_or_create_global_step()
            # An op of the gradient runs where the op that it belongs to does.
            loss = self.loss / cluster.size
            grads, tvars = zip(*optimizer.compute_gradients(loss, colocate_gradients_with_ops=True))
            self.loss, *grads = cluster.add_up(loss, *grads)  # over the rows of all workers
            self.gradient_norm = tf.global_norm(grads)
            self.train_op = optimizer.apply_gradients(zip(grads, tvars), global_step)

    def read(self, session, input_text, labels_text, state, with_losses):
        """Losses [batch_size, num_steps] and the final state of texts [batch_size, num_steps]."""
        feed_dict = {self.input_data: input_text.T, self.targets: labels_text.T, self.initial_state: state}
        losses, state = session.run([self.losses if with_losses else [], self.final_state], feed_dict)
        return np.transpose(losses), state


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
      steps: yields the numbers of the steps that are still to do; None: those that the epoch still has.
    Returns:
      The mean loss.
    """
    start_time, config, epoch_size = time.monotonic(), model.config, epoch_size_of(model)
    if position is None:
        zero_state = model.network.zero_state(config.batch_size)
        position = Position(costs=0.0, state=model.cluster.own_rows(zero_state))
    fetches = {"loss": model.loss, "final_state": model.final_state}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    if model.gradient_norm is not None:
        fetches["gradient_norm"] = model.gradient_norm
    lr_value, first_step = learning_rate_of(position.epoch, config), position.step
    steps = range(first_step, epoch_size) if steps is None else steps

    for batch, (input_text, labels_text) in zip(steps, model.input.batches(position)):
        feed_dict = {model.input_data: input_text.T, model.targets: labels_text.T}
        feed_dict.update({model.initial_state: position.state, model.learning_rate: lr_value})
        vals = session.run(fetches, feed_dict)
        loss = vals["loss"]
        costs = position.costs + float(loss)
        position.step, position.costs, position.state = batch + 1, costs, vals["final_state"]
        position.gradient_norm = float(vals.get("gradient_norm", 0))

        position.loss = costs / position.step
        Diverged.check("loss", loss, f"in epoch {position.epoch} at step {batch} of {epoch_size}", MAX_NATS)
        characters = (position.step - first_step) * input_text.size * model.cluster.size
        position.characters_per_second = characters / (time.monotonic() - start_time)
        if verbose and batch % 100 == 0:
            progress.write(f"Epoch {position.epoch} Batch {batch} Loss {loss:.4f}")
    return position.costs / position.step


def evaluate(session, model, ids, split, watched=iter):
    """The mean loss of the characters from `split` on, each predicted from at least the max_length before it."""
    read, max_length = functools.partial(model.read, session), model.config.max_length
    zero_state = model.network.zero_state(model.config.batch_size)
    options = {"warm_up": max_length, "tolerance": math.inf, "watched": watched, "cluster": model.cluster}
    return streams.mean_loss(read, ids, split, zero_state, max_length, **options)


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


def get_config(args):
    """The config that the flags name."""
    return configs.get_config(configs.CHAR_GRU_CONFIGS, args.config, args.overrides)


def show_gradients(args):
    """The tutorial's introduction to eager execution, in graph mode; prints and returns what it computed.

    In eager mode `w * w` is computed when Python comes to that line, and print or a debugger shows its value. In graph
    mode the line only adds an op to the graph. Later `session.run` computes what is fetched and what that depends on,
    and nothing else. TensorFlow knows the whole graph before it computes anything, so it can simplify the graph, divide
    it among devices or machines, and save it for programs that do not have this code.
    """

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


def results_of(records, text, title, folder):
    """The losses that `train` returns; says what could be reached, and draws the learning curve."""
    names = ("train_loss", "validation_loss")
    results = {name: [record[name] for record in records] for name in names if name in records[0]}
    text.say_reachable()
    plots.say(plot_learning_curve(records, text.perfect_loss, title, folder))
    return {**results, **({"perfect_bits": text.perfect_loss / math.log(2)} if text.perfect_loss else {})}


def train(args, config, cluster):
    """Trains on a text; returns `train_loss` and `validation_loss`, lists by epoch, and `text`."""
    vocabulary = reader.Vocabulary.of(args.init_from, "characters")
    text = reader.Text(args.data_path, args.train_part, args.encoding, vocabulary)
    validates = text.split < len(text.ids)
    if config.patience and not validates:
        raise UserError("--train_part=1 leaves nothing to validate, and patience needs that: add --set patience=0")
    # text.ids is the text through the tutorial's char2idx, which is vocabulary.ids; its idx2char is vocabulary.items.
    # The batches of input_text and labels_text are cut in reader.char_batches.
    vocabulary, vocab_size = text.vocabulary, len(text.vocabulary.items)
    rows = cluster.rows(config.batch_size)
    ids, sizes = text.ids[: text.split], (config.batch_size, config.max_length)
    input_ = reader.CharInput(ids, *sizes, args.batching, rows, config.shifts)
    modes, session_config = choose_modes(args, len(rows), config.hidden_units, gates=3)
    title, folder = f"Character GRU, {args.config} config, {text.name}", cluster.folder_of(args)

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        with tf.variable_scope("Model"):
            m = CharGRU(True, config, vocab_size, input_=input_, cluster=cluster, **modes)
        with tf.variable_scope("Model", reuse=True):
            mvalid = CharGRU(False, config, vocab_size, cluster=cluster, **modes)
        writer = sampling.Writer(mvalid.network, vocabulary, args)
        best = BestWeights() if config.patience else None

        identity = {"script": "char_gru", "config": configs.identity(config), "seed": args.seed}
        identity.update(batching=args.batching, train_part=args.train_part, precision=modes["precision"])
        identity.update(data=text.description, vocabulary=vocabulary.description)
        state, curves = m.network.zero_state(config.batch_size), ("loss", "characters_per_second", "gradient_norm")
        with Run(args, identity, m.input.epoch_size, session_config, curves, cluster, costs=0.0, state=state) as run:
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
                    Diverged.check("loss", loss, f"in the validation after epoch {position.epoch}", MAX_NATS)
                    run.event(bits_per_character=loss / math.log(2))
                    if best and loss < min([record["validation_loss"] for record in run.records], default=math.inf):
                        session.run(best.keep)
                values["characters_per_second"] = position.characters_per_second
                print(epoch_line(position.epoch, **values))
                run.end_epoch(f"ckpt-{position.epoch}" if position.epoch % KEPT_EPOCHS == 0 else None, **values)
                plot_learning_curve(run.records, text.perfect_loss, title, folder)
                print("Sample:")
                run.text(sample=cluster.by_chief(lambda: writer.write(session, SAMPLE_CHARACTERS)))

            if best:
                session.run(best.use)
                record = best_epoch(run.records)
                print(f"The best weights are those of epoch {record['epoch']}: {in_bits(record['validation_loss'])}")
            print(f"{config.num_generate} characters from {writer.start_string!r}:")
            generated = cluster.by_chief(lambda: writer.write(session, config.num_generate, run.watched))

    return {**results_of(run.records, text, title, folder), "text": generated}


@app.command
def main(argv=None):
    args = parse_args(argv)
    with errors_told_to_others(args):
        config = get_config(args)
        if args.section != "train" and args.given - {"--section", "--seed"}:
            raise UserError(f"--section={args.section} takes only --seed: leave the other flags out")
    if trained.is_wanted(args):
        build = lambda config, vocab_size, **modes: CharGRU(False, config, vocab_size, **modes)
        return trained.use(args, "char_gru", config, build, units="hidden_units", steps="max_length", gates=3)
    if args.section == "gradients":
        return show_gradients(args)
    with Cluster(args, config) as cluster:
        checkpoints.check_flags(args)
        return train(args, config, cluster)


if __name__ == "__main__":
    main()
