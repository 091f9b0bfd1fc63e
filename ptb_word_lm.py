"""The PTB word language model: predicts the next word of a text with LSTM layers, trained by truncated BPTT.

Source: the TensorFlow tutorial "Recurrent Neural Networks" (2015 to 2018),
https://github.com/tensorflow/models/blob/r1.13.0/tutorials/rnn/ptb/ptb_word_lm.py, with the models of Zaremba,
Sutskever and Vinyals 2014, "Recurrent Neural Network Regularization", https://arxiv.org/abs/1409.2329. Published
perplexities:

    config   epochs   train   valid    test
    small        13   37.99  121.39  115.91
    medium       39   48.45   86.16   82.07
    large        55   37.87   82.62   78.29

Commands, and the test perplexity they end with on the real Penn Treebank:

    python ptb_word_lm.py --config=small                              Test Perplexity: 114.182
    python ptb_word_lm.py --config=small --precision=bf16             Test Perplexity: 113.729
    python ptb_word_lm.py --config=small --rnn_mode=basic             Test Perplexity: 113.187

Departures from the tutorial, each with its reason:

* The default `--rnn_mode=auto` computes the same layers in whole sequences, and the test set's perplexity in successive
  pieces side by side, which is faster; `basic` is the tutorial's graph and its way to read the test set.
* The tokens are read slice by slice, and not a constant of the graph, which grows with the corpus and ends at 2 GB.
* A checkpoint holds the place in the epoch, the RNN state and the cost so far, so that a stopped run goes on; dropout
  is keyed by seed and step for the same reason.
* Progress is printed ten times an epoch whatever the epoch's size.
"""

import copy
import functools
import time

import numpy as np

import configs
import reader
from tf1 import app, checkpoints, gradients, layers, plots, progress, rnn, sampling, streams, tf, trained
from tf1.app import MAX_NATS, Diverged
from tf1.cluster import ALONE, Cluster, errors_told_to_others
from tf1.dropout import DropoutWrapper, dropout
from tf1.language import LanguageModel
from tf1.modes import choose_modes, mode_of_graph
from tf1.training import Position, Run, epoch_size_of

PUBLISHED = {"small": (37.99, 121.39, 115.91), "medium": (48.45, 86.16, 82.07), "large": (37.87, 82.62, 78.29)}
SAMPLE_WORDS = 50  # of the text that is shown after each epoch


def parse_args(argv=None):
    parser = app.ArgumentParser("ptb_word_lm.py", __doc__)
    parser.add_argument("--config", default="small", help=f"{', '.join(configs.PTB_CONFIGS)} (default: %(default)s)")
    parser.add_argument("--data_path", type=app.path, help="folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt")
    parser.add_argument("--vocab_size", type=app.integer, help="replaces the config's; 0: every word of the corpus")
    parser.add_common("--encoding", "--rnn_mode", "--precision", "--save_path", "--save_every", "--init_from", "--seed")
    parser.add_common("--set", "--worker_hosts", "--task_index", "--peer_timeout")
    parser.add_common("--generate", "--start_string", "--temperature", "--top_k", "--no_unk", "--next_word")
    parser.add_common("--score", "--verbose", "--each_alone", "--export_dir")
    parser.add_replaced(model="give --config", use_fp16="give --precision=bf16", num_gpus="one GPU is used, if any")
    return parser.parse_args(argv)


class PTBInput:
    """The batches of one data set.

    Args:
      config: its `batch_size` and `num_steps` are used.
      data: ids, [number of tokens]; None: the batches are fed.
      name: of the operations' name scope.
      cluster: deals out the batch's rows; each worker keeps the same block of adjacent rows.
    """

    def __init__(self, config, data=None, name=None, cluster=ALONE):
        rows = cluster.rows(config.batch_size)
        self.cluster, self.batch_size = cluster, len(rows)
        self.num_steps = config.num_steps
        if data is None:
            self.input_data, self.targets = (tf.placeholder(tf.int32, [len(rows), self.num_steps]) for _ in range(2))
            return
        self.epoch_size = reader.epoch_steps(len(data), config.batch_size, self.num_steps)
        # Both [batch_size, num_steps].
        self.input_data, self.targets = reader.ptb_producer(data, config.batch_size, self.num_steps, name, rows)


class PTBModel:
    """The graph of `num_steps` time steps: embedding, LSTM layers, softmax, and for training the update.

    Args:
      is_training: with dropout and a training operation.
      config: the hyperparameters.
      input_: a `PTBInput`.
      rnn_mode: "basic", the tutorial's graph, or how `tf1/rnn.py` computes the same; the variables are the same.
      precision, groups: with "fused", see `tf1/rnn.py`.
    """

    def __init__(self, is_training, config, input_, rnn_mode="basic", precision="fp32", groups=1):
        self._input, self.precision, rnn_mode = input_, precision, mode_of_graph(rnn_mode, precision)
        batch_size, num_steps = input_.batch_size, input_.num_steps
        size, vocab_size = config.hidden_size, config.vocab_size

        # An LSTM's memory is c. Each step keeps a part of it and adds something new, and h shows a part of it:
        #   i, j, f, o = [inputs, h] kernel + bias; c = sigmoid(f) * c + sigmoid(i) * tanh(j); h = sigmoid(o) * tanh(c)
        # From c to the next c there is no matrix and no tanh. Along that path a gradient is multiplied by sigmoid(f) in
        # each step, and goes far back where that is near 1. Before training it is about 0.5 here: forget_bias is 0.
        def lstm_cell():
            return tf.nn.rnn_cell.BasicLSTMCell(size, forget_bias=0.0, state_is_tuple=True)

        def attn_cell():
            if is_training and config.keep_prob < 1:
                return DropoutWrapper(lstm_cell(), output_keep_prob=config.keep_prob)
            return lstm_cell()

        cells = [attn_cell() for _ in range(config.num_layers)]
        cell = tf.nn.rnn_cell.MultiRNNCell(cells, state_is_tuple=True)
        self._initial_state = cell.zero_state(batch_size, tf.float32)  # of each layer c and h, [batch_size, size]

        # The look-up stays on the CPU, as in the tutorial: the table is large, and only a few rows are needed.
        with tf.device("/cpu:0"):
            embedding = tf.get_variable("embedding", [vocab_size, size], dtype=tf.float32)
            inputs = tf.nn.embedding_lookup(embedding, input_.input_data)  # [batch_size, num_steps, size]
        if is_training and config.keep_prob < 1:
            inputs = dropout(inputs, config.keep_prob, layer=0)

        if rnn_mode == "basic":
            outputs, state = [], self._initial_state
            with tf.variable_scope("RNN"):
                for time_step in range(num_steps):
                    if time_step > 0:
                        tf.get_variable_scope().reuse_variables()
                    cell_output, state = cell(inputs[:, time_step, :], state)  # cell_output: [batch_size, size]
                    outputs.append(cell_output)
        else:
            modes = {"rnn_mode": rnn_mode, "precision": precision, "groups": groups}
            steps = tf.unstack(inputs, axis=1)  # num_steps of [batch_size, size]
            outputs, state = rnn.static_rnn(cell, steps, self._initial_state, scope="RNN", **modes)
        self._final_state = state

        output = tf.reshape(tf.concat(outputs, 1), [-1, size])  # [batch_size * num_steps, size], row by row
        softmax_w = tf.get_variable("softmax_w", [size, vocab_size], dtype=tf.float32)
        softmax_b = tf.get_variable("softmax_b", [vocab_size], dtype=tf.float32)
        self.network = LanguageModel(embedding, cells, softmax_w, softmax_b)
        targets = tf.reshape(input_.targets, [-1])
        if rnn_mode == "fused":
            groups = min(groups, batch_size)
            loss = layers.softmax_cross_entropy(output, targets, softmax_w, softmax_b, precision, is_training, groups)
        else:
            logits = tf.matmul(output, softmax_w) + softmax_b  # [batch_size * num_steps, vocab_size]
            labels = layers.labels_in_range(targets, vocab_size)
            # tf.contrib.legacy_seq2seq.sequence_loss_by_example with weights of 1.
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        self._losses = tf.reshape(loss, [batch_size, num_steps])
        # Summed over the time steps, averaged over the rows of all workers: cost / num_steps is nats for a word.
        cost = tf.reduce_sum(loss) / (batch_size * input_.cluster.size)
        if is_training:
            self._build_update(config, rnn_mode, cost)
        else:
            self._gradient_norm, (self._cost,) = None, input_.cluster.add_up(cost)

    def _build_update(self, config, rnn_mode, cost):
        self._lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        # Truncated BPTT: the gradient ends at initial_state, which is fed, so it covers num_steps steps.
        grads, rate = tf.gradients(cost, tvars), self._lr
        self._cost, *grads = self._input.cluster.add_up(cost, *grads)  # over the rows of all workers
        # Why clipping: a gradient is a sum over num_steps steps and can grow on its way back through them, and one
        # large update can spoil the weights. Where the norm of all gradients together is above max_grad_norm, all are
        # multiplied by max_grad_norm / norm: the update gets shorter and keeps its direction. On PTB the small config's
        # perplexity is 6,153 over the first 11 steps, and 503 over 707; without clipping it is 3e29, and then 3e45.
        if rnn_mode == "basic":
            grads, self._gradient_norm = tf.clip_by_global_norm(grads, config.max_grad_norm)
        else:  # the learning rate takes the factor of all gradients, which saves a pass over them
            self._gradient_norm = tf.global_norm(grads)
            clipping = config.max_grad_norm * tf.minimum(1 / self._gradient_norm, 1 / config.max_grad_norm)
            rate = self._lr * tf.where(tf.is_finite(self._gradient_norm), clipping, np.nan)  # as clip_by_global_norm
        grads = [gradients.in_fixed_order(gradient) for gradient in grads]
        optimizer = tf.train.GradientDescentOptimizer(rate)
        self._train_op = optimizer.apply_gradients(zip(grads, tvars), tf.train.get_or_create_global_step())

        self._new_lr = tf.placeholder(tf.float32, shape=[], name="new_learning_rate")
        self._lr_update = tf.assign(self._lr, self._new_lr)

    def read(self, session, inputs, targets, state, with_losses):
        """Losses [batch_size, num_steps] and the final state, an array as `LanguageModel` has it, of what is fed."""
        initial_state = tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for c, h in state)
        feed_dict = {self.input.input_data: inputs, self.input.targets: targets, self.initial_state: initial_state}
        return session.run([self.losses if with_losses else [], self.final_state], feed_dict)

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
    def losses(self):
        """Of each word, in nats, [batch_size, num_steps]."""
        return self._losses

    @property
    def final_state(self):
        return self._final_state

    @property
    def lr(self):
        return self._lr

    @property
    def train_op(self):
        return self._train_op

    @property
    def gradient_norm(self):
        """Of all gradients together, before they are clipped; None where nothing is trained."""
        return self._gradient_norm


def run_epoch(session, model, eval_op=None, verbose=False, position=None, steps=None):
    """Runs the model over its data once, the state carried from batch to batch.

    Args:
      session: a session with the variables initialised.
      model: a `PTBModel`.
      eval_op: run in every step, `model.train_op` for training.
      verbose: prints progress ten times.
      position: a `Position` with `costs` and `state` to begin at, kept up to date; None: the beginning.
      steps: yields the numbers of the steps that are still to do; None: those that the epoch still has.
    Returns:
      The perplexity, exp of the mean cost of a word.
    """
    start_time = time.monotonic()
    batch_size, num_steps, epoch_size = model.input.batch_size, model.input.num_steps, epoch_size_of(model)
    position = position or Position(costs=0.0, state=session.run(model.initial_state))
    fetches = {"cost": model.cost, "final_state": model.final_state}
    if eval_op is not None:
        fetches["eval_op"] = eval_op
    if model.gradient_norm is not None:
        fetches["gradient_norm"] = model.gradient_norm
    first_step, report_steps = position.step, progress.report_steps(epoch_size)
    for _ in range(first_step):
        session.run(model.input.input_data)  # the batches that were used before the run was stopped

    for step in range(first_step, epoch_size) if steps is None else steps:
        feed_dict = {}
        for i, (c, h) in enumerate(model.initial_state):
            feed_dict[c], feed_dict[h] = position.state[i]
        vals = session.run(fetches, feed_dict)
        costs = position.costs + float(vals["cost"])
        position.step, position.costs, position.state = step + 1, costs, vals["final_state"]
        position.gradient_norm = float(vals.get("gradient_norm", 0))

        position.loss = costs / (position.step * num_steps)
        place = "in an evaluation" if eval_op is None else f"in epoch {position.epoch}"
        Diverged.check("loss", position.loss, f"{place} at step {step} of {epoch_size}", MAX_NATS)
        words = (step + 1 - first_step) * num_steps * batch_size * model.input.cluster.size
        position.words_per_second = words / (time.monotonic() - start_time)
        if verbose and step in report_steps:
            speed = f"speed: {position.words_per_second:.0f} wps"
            progress.write(f"{step / epoch_size:.3f} perplexity: {np.exp(position.loss):.3f} {speed}")
    return float(np.exp(position.costs / (position.step * num_steps)))


def evaluate(session, model, data, watched=iter):
    """The perplexity that `run_epoch(session, mtest)` finds with a `session.run` for each word, in far less time.

    Args:
      model: a `PTBModel`, not for training, of any batch size and number of steps.
      data: ids, [number of tokens], at least 2: one stream, in which each is predicted from all before it.
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
    """
    read, zero_state = functools.partial(model.read, session), model.network.zero_state(model.input.batch_size)
    options = {"tolerance": streams.TOLERANCES[model.precision], "watched": watched}
    return float(np.exp(streams.mean_loss(read, data, 1, zero_state, model.input.num_steps, **options)))


@plots.picture
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


def get_config(args):
    """The config that the flags name."""
    overrides = args.overrides + ([] if args.vocab_size is None else [f"vocab_size={args.vocab_size}"])
    return configs.get_config(configs.PTB_CONFIGS, args.config, overrides)


def results_of(records, corpus, published, title, folder):
    """What `train` returns, by the tutorial's names; says what could be reached, and draws the learning curve."""
    results = {name: [record[name] for record in records] for name in ("train_perplexity", "valid_perplexity")}
    corpus.say_reachable()
    plots.say(plot_learning_curve(records, published, title, folder))
    return {**results, **corpus.reachable}


def train(args, config, cluster):
    """Trains, and returns the perplexities, as one of the cluster's workers."""
    corpus = reader.Corpus(args.data_path, args.encoding, reader.Vocabulary.of(args.init_from, "words"))
    config.vocab_size = config.vocab_size or len(corpus.vocabulary.items)
    corpus.check(config)
    eval_config = copy.copy(config)
    eval_config.batch_size = eval_config.num_steps = 1
    modes, session_config = choose_modes(args, len(cluster.rows(config.batch_size)), config.hidden_size, gates=4)
    published = PUBLISHED.get(args.config) if corpus.is_ptb and configs.is_unchanged(config) else None
    title, folder = f"PTB word language model, {args.config} config, {corpus.name}", cluster.folder_of(args)

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        initializer = tf.random_uniform_initializer(-config.init_scale, config.init_scale)
        with tf.name_scope("Train"):
            train_input = PTBInput(config=config, data=corpus.train, name="TrainInput", cluster=cluster)
            with tf.variable_scope("Model", reuse=None, initializer=initializer):
                m = PTBModel(is_training=True, config=config, input_=train_input, **modes)
        with tf.name_scope("Valid"):
            valid_input = PTBInput(config=config, data=corpus.valid, name="ValidInput", cluster=cluster)
            with tf.variable_scope("Model", reuse=True, initializer=initializer):
                mvalid = PTBModel(is_training=False, config=config, input_=valid_input, **modes)
        with tf.name_scope("Test"):
            test_input = PTBInput(config=eval_config, data=corpus.test, name="TestInput")
            with tf.variable_scope("Model", reuse=True, initializer=initializer):
                mtest = PTBModel(is_training=False, config=eval_config, input_=test_input, **modes)
        writer = sampling.Writer(mvalid.network, corpus.vocabulary, args)

        identity = {"script": "ptb_word_lm", "config": configs.identity(config), "seed": args.seed}
        identity.update(data=corpus.description, precision=modes["precision"], vocabulary=corpus.vocabulary.description)
        state, curves = m.network.zero_state(config.batch_size), ("loss", "words_per_second", "gradient_norm")
        with Run(args, identity, m.input.epoch_size, session_config, curves, cluster, costs=0.0, state=state) as run:
            session = run.session
            corpus.vocabulary.save(args.save_path)
            if run.position.epoch > config.max_max_epoch:
                run.say_finished()
                print(f"Epoch: {len(run.records)} Train Perplexity: {run.records[-1]['train_perplexity']:.3f}")
                print(f"Epoch: {len(run.records)} Valid Perplexity: {run.records[-1]['valid_perplexity']:.3f}")
            # Evaluated once now, so that a lack of memory shows before hours of training and not after them.
            evaluate(session, mvalid, corpus.test[: config.batch_size * config.num_steps + 2])
            for i in range(run.position.epoch - 1, config.max_max_epoch):
                lr_decay = config.lr_decay ** max(i + 1 - config.max_epoch, 0.0)
                m.assign_lr(session, config.learning_rate * lr_decay)
                print(f"Epoch: {i + 1} Learning rate: {session.run(m.lr):.3f}")
                train_perplexity = run_epoch(session, m, m.train_op, True, run.position, run.steps())
                print(f"Epoch: {i + 1} Train Perplexity: {train_perplexity:.3f}")
                valid_perplexity = run_epoch(session, mvalid, steps=run.watched(range(mvalid.input.epoch_size)))
                print(f"Epoch: {i + 1} Valid Perplexity: {valid_perplexity:.3f}")
                corpus.say_if_astray(valid_perplexity)
                values = {"learning_rate": config.learning_rate * lr_decay, "train_perplexity": train_perplexity}
                values.update(valid_perplexity=valid_perplexity, words_per_second=run.position.words_per_second)
                run.end_epoch(**values)
                plot_learning_curve(run.records, published, title, folder)
                print("Sample:")
                run.text(sample=cluster.by_chief(lambda: writer.write(session, SAMPLE_WORDS)))

            if modes["rnn_mode"] == "basic":
                read_test = lambda: run_epoch(session, mtest, steps=run.watched(range(mtest.input.epoch_size)))
            else:
                read_test = lambda: evaluate(session, mvalid, corpus.test, run.watched)
            test_perplexity = cluster.by_chief(read_test)
            print(f"Test Perplexity: {test_perplexity:.3f}")
            run.end(test_perplexity=test_perplexity)

    return {**results_of(run.records, corpus, published, title, folder), "test_perplexity": test_perplexity}


@app.command
def main(argv=None):
    args = parse_args(argv)
    with errors_told_to_others(args):
        config = get_config(args)
    if trained.is_wanted(args):
        build = lambda config, vocab_size, **modes: PTBModel(False, config, PTBInput(config), **modes)
        return trained.use(args, "ptb_word_lm", config, build, units="hidden_size", steps="num_steps", gates=4)
    with Cluster(args, config) as cluster:
        checkpoints.check_flags(args)
        return train(args, config, cluster)


if __name__ == "__main__":
    main()
