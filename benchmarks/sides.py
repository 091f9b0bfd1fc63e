"""What `python -m benchmarks` compares: the same work by different means, each in a process of its own.

    python -m benchmarks.sides TASK SIDE

builds what TASK needs by the means of SIDE, then reads numbers of steps from stdin, one a line, and for each prints a
line of JSON: the seconds they took, the words, characters or whatever they worked through, their losses, and the peak
of the process's memory above that of its start. What a step is differs from side to side, but for the first.

All sides of a task start from the same weights and see the same data, both drawn from a fixed seed, so their first
losses are the same. Dropout is left in, and draws its own masks: there the first losses are near.
"""

import collections
import contextlib
import copy
import itertools
import json
import os
import resource
import sys
import tempfile
import time
import types

import numpy as np

import configs


def uniform(random, *shape, scale=0.1):
    return random.uniform(-scale, scale, shape).astype(np.float32)


class PTB:
    """The training step of the PTB model: weights and batches as arrays, batch-major."""

    def __init__(self, size):
        self.config = configs.PTB_CONFIGS[size]()
        config, random = self.config, np.random.RandomState(1)
        H, V = config.hidden_size, config.vocab_size
        self.weights = {"embedding": uniform(random, V, H), "softmax_w": uniform(random, H, V)}
        self.weights["softmax_b"] = uniform(random, V)
        for layer in range(config.num_layers):
            scope = f"RNN/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
            self.weights[f"{scope}/kernel"] = uniform(random, 2 * H, 4 * H)
            self.weights[f"{scope}/bias"] = uniform(random, 4 * H)
        # Frequencies after Zipf, as words have.
        self.ids = random.zipf(1.3, 200_000) % V
        self.units = config.batch_size * config.num_steps  # words of a step

    def tensorflow(self, rnn_mode, precision):
        import ptb_word_lm
        from tf1 import tf

        config = self.config
        settings, session_config = modes_of(rnn_mode, precision, config.batch_size, config.hidden_size, gates=4)
        with tf.variable_scope("Model"):
            model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config, self.ids), **settings)
        session = start_session(tf, session_config, self.weights)
        yield from self.train_steps(tf, session, model)

    def train_steps(self, tf, session, model):
        model.assign_lr(session, self.config.learning_rate)
        state = session.run(model.initial_state)
        while True:
            feed_dict = dict(zip(tf.nest.flatten(model.initial_state), tf.nest.flatten(state)))
            cost, state, _ = session.run([model.cost, model.final_state, model.train_op], feed_dict)
            yield self.units, cost

    def torch_modules(self):
        import torch

        config = self.config
        H, V, layers = config.hidden_size, config.vocab_size, config.num_layers
        embedding, softmax = torch.nn.Embedding(V, H), torch.nn.Linear(H, V)
        lstm = torch.nn.LSTM(H, H, layers, dropout=1 - config.keep_prob)
        with torch.no_grad():
            embedding.weight.copy_(torch.tensor(self.weights["embedding"]))
            softmax.weight.copy_(torch.tensor(self.weights["softmax_w"].T))
            softmax.bias.copy_(torch.tensor(self.weights["softmax_b"]))
            for layer in range(layers):
                scope = f"RNN/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
                kernel, bias = (self.weights[f"{scope}/{name}"] for name in ("kernel", "bias"))
                order = [gate * H + unit for gate in (0, 2, 1, 3) for unit in range(H)]  # i, j, f, o to i, f, j, o
                getattr(lstm, f"weight_ih_l{layer}").copy_(torch.tensor(kernel[:H, order].T))
                getattr(lstm, f"weight_hh_l{layer}").copy_(torch.tensor(kernel[H:, order].T))
                getattr(lstm, f"bias_ih_l{layer}").copy_(torch.tensor(bias[order]))
                getattr(lstm, f"bias_hh_l{layer}").zero_()
        return embedding, lstm, softmax

    def torch_batches(self, own_rows):
        """Yields inputs and targets, [num_steps, rows] each, of those rows of the batch, without end."""
        import torch

        batch_size, steps = self.config.batch_size, self.config.num_steps
        rows = self.ids[: len(self.ids) // batch_size * batch_size].reshape(batch_size, -1)[own_rows].T
        rows = torch.tensor(np.ascontiguousarray(rows))
        for start in itertools.cycle(range(0, len(rows) - steps, steps)):
            yield rows[start : start + steps], rows[start + 1 : start + steps + 1]

    def torch(self, precision, compiled=False):
        import torch

        config, (embedding, lstm, softmax) = self.config, self.torch_modules()
        dropout = torch.nn.Dropout(1 - config.keep_prob)
        parameters = [*embedding.parameters(), *lstm.parameters(), *softmax.parameters()]
        optimizer = torch.optim.SGD(parameters, lr=config.learning_rate)

        def forward(x, y, state):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                output, state = lstm(dropout(embedding(x)), state)
                logits = softmax(dropout(output)).reshape(-1, config.vocab_size).float()
            return torch.nn.functional.cross_entropy(logits, y.reshape(-1), reduction="sum") / config.batch_size, state

        forward = torch.compile(forward) if compiled else forward
        state = tuple(torch.zeros(config.num_layers, config.batch_size, config.hidden_size) for _ in range(2))
        for x, y in self.torch_batches(range(config.batch_size)):
            loss, state = forward(x, y, state)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            state = tuple(part.detach() for part in state)
            yield self.units, loss.item()

    def products(self, precision):
        """The bare matrix products of our step, back to back in one session."""
        from tf1 import tf

        config = self.config
        B, T, H, V = config.batch_size, config.num_steps, config.hidden_size, config.vocab_size
        N, done = B * T, []

        def matrix(*shape):
            variable = tf.Variable(uniform(np.random.RandomState(0), *shape))
            return tf.cast(variable.read_value(), tf.bfloat16 if precision == "bf16" else tf.float32)

        def product(a, b, **transposed):
            with tf.control_dependencies(done[-1:]):
                done.append(tf.matmul(a, b, **transposed).op)

        x, h, g, dg = matrix(N, H), matrix(B, H), matrix(B, 4 * H), matrix(N, 4 * H)
        W, gates, transposed = matrix(H, 4 * H), [matrix(H, H) for _ in range(4)], matrix(4 * H, H)
        softmax_w, dlogits = matrix(H, V), matrix(N, V)
        for _ in range(config.num_layers):
            product(x, W)
            for _ in range(T):
                for gate in gates:
                    product(h, gate)
        product(x, softmax_w)
        product(dlogits, softmax_w, transpose_b=True)
        product(x, dlogits, transpose_a=True)
        for _ in range(config.num_layers):
            for _ in range(T):
                product(g, transposed)
            product(dg, W, transpose_b=True)
            product(x, dg, transpose_a=True)  # of W
            product(x, dg, transpose_a=True)  # of R
        session_config = tf.ConfigProto()
        session_config.graph_options.rewrite_options.disable_meta_optimizer = True  # it would merge equal products
        session = start_session(tf, session_config, {})
        while True:
            session.run(done[-1])
            yield self.units, 0.0


class PTBEvaluation(PTB):
    """The test set's perplexity, as one stream in which each word is predicted from all before it."""

    FEW, ALL = 4_000, 82_429  # words to predict: those that are enough to compare the sides, the real test set's

    def __init__(self, size):
        super().__init__(size)
        self.few, self.all = self.ids[: self.FEW + 1], self.ids[: self.ALL + 1]

    def tensorflow(self, rnn_mode, precision):
        import ptb_word_lm
        from tf1 import tf

        config, is_tutorials = self.config, rnn_mode == "basic"
        step_config = copy.copy(config)
        step_config.batch_size = step_config.num_steps = 1
        settings, session_config = modes_of(rnn_mode, precision, config.batch_size, config.hidden_size, gates=4)
        with tf.variable_scope("Model"):
            model = ptb_word_lm.PTBModel(False, config, ptb_word_lm.PTBInput(config, self.few), **settings)
        with tf.variable_scope("Model", reuse=True):
            step_model = ptb_word_lm.PTBModel(False, step_config, ptb_word_lm.PTBInput(step_config, self.few))
        session = start_session(tf, session_config, self.weights)
        while is_tutorials:
            yield self.FEW, np.log(ptb_word_lm.run_epoch(session, step_model))
        for data in itertools.chain([self.few], itertools.repeat(self.all)):
            yield len(data) - 1, np.log(ptb_word_lm.evaluate(session, model, data))

    def torch(self, precision, compiled=False):
        import torch

        embedding, lstm, softmax = (module.eval() for module in self.torch_modules())

        def forward(x, y, state):
            output, state = lstm(embedding(x), state)
            return torch.nn.functional.cross_entropy(softmax(output), y, reduction="sum"), state

        forward = torch.compile(forward) if compiled else forward
        for data in itertools.chain([self.few], itertools.repeat(self.all)):
            words, costs = torch.tensor(data), 0.0
            state = tuple(torch.zeros(self.config.num_layers, self.config.hidden_size) for _ in range(2))
            with torch.no_grad():
                for start in range(0, len(words) - 1, 1000):
                    piece = words[start : start + 1001]
                    cost, state = forward(piece[:-1], piece[1:], state)
                    costs += cost.item()
            yield len(data) - 1, costs / (len(data) - 1)


class CharGRU:
    """The training step of the character GRU."""

    def __init__(self, size):
        self.config, self.vocab_size = configs.CHAR_GRU_CONFIGS[size](), 65
        config, random = self.config, np.random.RandomState(1)
        E, H, V = config.embedding_dim, config.hidden_units, self.vocab_size
        self.weights = {
            "embedding": uniform(random, V, E),
            "gru_0/kernel": uniform(random, E, 3 * H, scale=0.04),
            "gru_0/recurrent_kernel": uniform(random, H, 3 * H, scale=0.04),
            "gru_0/bias": uniform(random, 2, 3 * H, scale=0.04),
            "dense/kernel": uniform(random, H, V),
            "dense/bias": uniform(random, V),
        }
        self.ids = random.randint(0, V, 400_000)
        self.units = config.batch_size * config.max_length  # characters of a step

    def batches(self):
        """Inputs and targets, time-major."""
        import reader

        config = self.config
        while True:
            for inputs, targets in reader.char_batches(self.ids, config.batch_size, config.max_length, "contiguous"):
                yield np.ascontiguousarray(inputs.T), np.ascontiguousarray(targets.T)

    def tensorflow(self, rnn_mode, precision):
        import char_gru
        from tf1 import tf

        config = self.config
        settings, session_config = modes_of(rnn_mode, precision, config.batch_size, config.hidden_units, gates=3)
        with tf.variable_scope("Model"):
            model = char_gru.CharGRU(True, config, self.vocab_size, **settings)
        session = start_session(tf, session_config, self.weights)
        state = model.network.zero_state(config.batch_size)
        for inputs, targets in self.batches():
            feed_dict = {model.input_data: inputs, model.targets: targets, model.initial_state: state}
            loss, state, _ = session.run([model.loss, model.final_state, model.train_op], feed_dict)
            yield self.units, loss

    def keras_layers(self, tf):
        """The tutorial's own layers: embedding, GRU and dense."""
        return (
            tf.keras.layers.Embedding(self.vocab_size, self.config.embedding_dim),
            tf.keras.layers.GRU(
                self.config.hidden_units,
                return_sequences=True,
                return_state=True,
                recurrent_activation="sigmoid",
                recurrent_initializer="glorot_uniform",
                reset_after=True,
            ),
            tf.keras.layers.Dense(self.vocab_size),
        )

    def start_keras(self, tf, layers):
        """A session in which the layers have the weights."""
        session = start_session(tf, None, {})
        variables = [variable for layer in layers for variable in layer.weights]
        session.run([tf.assign(variable, value) for variable, value in zip(variables, self.weights.values())])
        return session

    def keras(self):
        from tf1 import tf

        config = self.config
        inputs, targets = (tf.placeholder(tf.int32, [config.batch_size, config.max_length]) for _ in range(2))
        state = tf.placeholder(tf.float32, [config.batch_size, config.hidden_units])
        embedding, gru, dense = layers = self.keras_layers(tf)
        output, final_state = gru(embedding(inputs), initial_state=state)
        logits = dense(tf.reshape(output, [-1, config.hidden_units]))
        loss = tf.losses.sparse_softmax_cross_entropy(labels=tf.reshape(targets, [-1]), logits=logits)
        train_op = tf.train.AdamOptimizer(config.learning_rate).minimize(loss)
        session = self.start_keras(tf, layers)
        state_value = np.zeros([config.batch_size, config.hidden_units], np.float32)
        for x, y in self.batches():
            feed_dict = {inputs: x.T, targets: y.T, state: state_value}
            loss_value, state_value, _ = session.run([loss, final_state, train_op], feed_dict)
            yield self.units, loss_value

    def torch_modules(self):
        import torch

        config, weights = self.config, self.weights
        E, H, V = config.embedding_dim, config.hidden_units, self.vocab_size
        embedding, gru, dense = torch.nn.Embedding(V, E), torch.nn.GRU(E, H), torch.nn.Linear(H, V)
        with torch.no_grad():
            order = [gate * H + unit for gate in (1, 0, 2) for unit in range(H)]  # z, r, candidate to r, z, candidate
            embedding.weight.copy_(torch.tensor(weights["embedding"]))
            gru.weight_ih_l0.copy_(torch.tensor(weights["gru_0/kernel"][:, order].T))
            gru.weight_hh_l0.copy_(torch.tensor(weights["gru_0/recurrent_kernel"][:, order].T))
            gru.bias_ih_l0.copy_(torch.tensor(weights["gru_0/bias"][0, order]))
            gru.bias_hh_l0.copy_(torch.tensor(weights["gru_0/bias"][1, order]))
            dense.weight.copy_(torch.tensor(weights["dense/kernel"].T))
            dense.bias.copy_(torch.tensor(weights["dense/bias"]))
        return embedding, gru, dense

    def torch(self, precision, compiled=False):
        import torch

        config, (embedding, gru, dense) = self.config, self.torch_modules()
        parameters = [*embedding.parameters(), *gru.parameters(), *dense.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=config.learning_rate)

        def forward(x, y, state):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                output, state = gru(embedding(x), state)
                logits = dense(output).reshape(-1, self.vocab_size).float()
            return torch.nn.functional.cross_entropy(logits, y.reshape(-1)), state

        forward = torch.compile(forward) if compiled else forward
        state = torch.zeros(1, config.batch_size, config.hidden_units)
        for inputs, targets in self.batches():
            loss, state = forward(torch.tensor(inputs), torch.tensor(targets), state)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            state = state.detach()
            yield self.units, loss.item()


class CharGeneration(CharGRU):
    """The character GRU writes, always the most probable character; the mean id stands for a loss."""

    CHARACTERS = 200  # of a step

    def __init__(self, size):
        super().__init__(size)
        self.weights["dense/bias"][:] = 0  # else one character is always the most probable
        for name in ("embedding", "gru_0/kernel", "dense/kernel"):
            self.weights[name] *= 10

    def tensorflow(self, rnn_mode, precision):
        import char_gru
        from tf1 import sampling, tf, training

        with tf.variable_scope("Model"):
            model = char_gru.CharGRU(False, self.config, self.vocab_size)
        sampler = sampling.Sampler(model.network, temperature=0)
        session = start_session(tf, training.with_rewrites(), self.weights)
        while True:
            ids = np.concatenate(list(sampler.ids(session, [0], self.CHARACTERS, seed=0)))
            yield self.CHARACTERS, np.mean(ids)

    def keras(self):
        from tf1 import tf

        character, state = tf.placeholder(tf.int32, [1, 1]), tf.placeholder(tf.float32, [1, self.config.hidden_units])
        embedding, gru, dense = layers = self.keras_layers(tf)
        output, final_state = gru(embedding(character), initial_state=state)
        next_id = tf.argmax(dense(output)[0, 0])
        session = self.start_keras(tf, layers)
        while True:
            ids, state_value = [0], np.zeros([1, self.config.hidden_units], np.float32)
            for _ in range(self.CHARACTERS):
                found, state_value = session.run([next_id, final_state], {character: [ids[-1:]], state: state_value})
                ids.append(found)
            yield self.CHARACTERS, np.mean(ids[1:])

    def torch(self, precision, compiled=False):
        import torch

        embedding, gru, dense = self.torch_modules()

        def forward(character, state):
            output, state = gru(embedding(character), state)
            return dense(output).argmax(-1), state

        forward = torch.compile(forward) if compiled else forward
        while True:
            ids, state = [], torch.zeros(1, self.config.hidden_units)
            character = torch.tensor([0])
            with torch.no_grad():
                for _ in range(self.CHARACTERS):
                    character, state = forward(character, state)
                    ids.append(character.item())
            yield self.CHARACTERS, np.mean(ids)


class MNIST:
    """The training step of the basic MNIST model."""

    def __init__(self, size):
        self.config = configs.MNIST_CONFIGS["basic"][size]()
        config, random = self.config, np.random.RandomState(1)
        self.weights = {
            "rnn/basic_rnn_cell/kernel": uniform(random, 28 + config.n_neurons, config.n_neurons),
            "rnn/basic_rnn_cell/bias": uniform(random, config.n_neurons),
            "softmax/kernel": uniform(random, config.n_neurons, 10),
            "softmax/bias": uniform(random, 10),
        }
        self.X = random.random_sample([20 * config.batch_size, 28, 28]).astype(np.float32)
        self.y = random.randint(0, 10, 20 * config.batch_size)

    def batches(self):
        while True:
            for start in range(0, len(self.X), self.config.batch_size):
                piece = slice(start, start + self.config.batch_size)
                yield self.X[piece], self.y[piece]

    def tensorflow(self, rnn_mode, precision):
        import rnn_basics
        from tf1 import tf

        sizes = self.config.batch_size, self.config.n_neurons
        settings, session_config = modes_of(rnn_mode, precision, *sizes, gates=1)
        model = rnn_basics.MNISTModel(self.config, "basic", **settings)
        session = start_session(tf, session_config, self.weights)
        for X, y in self.batches():
            loss, _ = session.run([model.loss, model.training_op], {model.X: X, model.y: y})
            yield len(X), loss

    def torch(self, precision, compiled=False):
        import torch

        config, kernel = self.config, self.weights["rnn/basic_rnn_cell/kernel"]
        rnn, dense = torch.nn.RNN(28, config.n_neurons, batch_first=True), torch.nn.Linear(config.n_neurons, 10)
        with torch.no_grad():
            rnn.weight_ih_l0.copy_(torch.tensor(kernel[:28].T))
            rnn.weight_hh_l0.copy_(torch.tensor(kernel[28:].T))
            rnn.bias_ih_l0.copy_(torch.tensor(self.weights["rnn/basic_rnn_cell/bias"]))
            rnn.bias_hh_l0.zero_()
            dense.weight.copy_(torch.tensor(self.weights["softmax/kernel"].T))
            dense.bias.copy_(torch.tensor(self.weights["softmax/bias"]))
        optimizer = torch.optim.Adam([*rnn.parameters(), *dense.parameters()], lr=config.learning_rate)

        def forward(X, y):
            _, state = rnn(X)
            return torch.nn.functional.cross_entropy(dense(state[0]), y)

        forward = torch.compile(forward) if compiled else forward
        for X, y in self.batches():
            loss = forward(torch.tensor(X), torch.tensor(y))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield len(X), loss.item()


class Series:
    """The training step of the time-series model with the output projection."""

    def __init__(self, size):
        self.config = configs.TIME_SERIES_CONFIGS["projection"][size]()
        units, random = self.config.n_neurons, np.random.RandomState(1)
        scope = "rnn/output_projection_wrapper"
        self.weights = {
            f"{scope}/basic_rnn_cell/kernel": uniform(random, 1 + units, units),
            f"{scope}/basic_rnn_cell/bias": uniform(random, units),
            f"{scope}/kernel": uniform(random, units, 1),
            f"{scope}/bias": uniform(random, 1),
        }

    def batches(self):
        import reader

        random = np.random.RandomState(2)
        while True:
            yield reader.next_batch(self.config.batch_size, self.config.n_steps, random)

    def tensorflow(self, rnn_mode, precision):
        import time_series
        from tf1 import tf

        sizes = self.config.batch_size, self.config.n_neurons
        settings, session_config = modes_of(rnn_mode, precision, *sizes, gates=1)
        model = time_series.TimeSeriesModel(self.config, "projection", **settings)
        session = start_session(tf, session_config, self.weights)
        for X, y in self.batches():
            loss, _ = session.run([model.loss, model.training_op], {model.X: X, model.y: y})
            yield X.size, loss

    def torch(self, precision, compiled=False):
        import torch

        units, (kernel, bias, projection, projection_bias) = self.config.n_neurons, self.weights.values()
        rnn, dense = torch.nn.RNN(1, units, nonlinearity="relu", batch_first=True), torch.nn.Linear(units, 1)
        with torch.no_grad():
            rnn.weight_ih_l0.copy_(torch.tensor(kernel[:1].T))
            rnn.weight_hh_l0.copy_(torch.tensor(kernel[1:].T))
            rnn.bias_ih_l0.copy_(torch.tensor(bias))
            rnn.bias_hh_l0.zero_()
            dense.weight.copy_(torch.tensor(projection.T))
            dense.bias.copy_(torch.tensor(projection_bias))
        optimizer = torch.optim.Adam([*rnn.parameters(), *dense.parameters()], lr=self.config.learning_rate)

        def forward(X, y):
            outputs, _ = rnn(X)
            return torch.nn.functional.mse_loss(dense(outputs), y)

        forward = torch.compile(forward) if compiled else forward
        for X, y in self.batches():
            loss = forward(torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield X.size, loss.item()


class Echo:
    """The training of the binary echo network; the loss is the mean of the first steps."""

    FEW, MANY = 300, 3_333  # training steps

    def __init__(self, size):
        import binary_echo

        self.config, random = configs.ECHO_CONFIGS[size](), np.random.RandomState(1)
        units = self.config.state_size
        self.weights = {
            "rnn_cell/W": uniform(random, 2 + units, units, scale=0.5),
            "rnn_cell/b": uniform(random, units),
            "softmax/W": uniform(random, units, 2, scale=0.5),
            "softmax/b": uniform(random, 2),
        }
        data = binary_echo.gen_data(random=random)
        self.batches = list(binary_echo.gen_batch(data, self.config.batch_size, self.config.num_steps))

    def pieces(self, length):
        while True:
            for start in range(0, len(self.batches) - length + 1, length):
                yield self.batches[start : start + length]

    def tensorflow(self, rnn_mode, precision):
        import binary_echo
        from tf1 import tf, training

        steps = self.FEW if rnn_mode == "basic" else self.MANY
        input_ = binary_echo.EchoInput(self.config, seed=1)
        model = binary_echo.EchoModel(self.config, input_, rnn_mode="basic" if rnn_mode == "basic" else "auto")
        session, state = start_session(tf, training.with_rewrites(), self.weights), model.start["state"]
        for batches in self.pieces(steps):
            losses, state = binary_echo.run_steps(session, model, batches, state, model.train_op)
            yield steps, np.mean(losses[: self.FEW])

    def torch(self, precision, compiled=False):
        import torch

        units, (kernel, bias, softmax, softmax_bias) = self.config.state_size, self.weights.values()
        rnn, dense = torch.nn.RNN(2, units, batch_first=True), torch.nn.Linear(units, 2)
        with torch.no_grad():
            rnn.weight_ih_l0.copy_(torch.tensor(kernel[:2].T))
            rnn.weight_hh_l0.copy_(torch.tensor(kernel[2:].T))
            rnn.bias_ih_l0.copy_(torch.tensor(bias))
            rnn.bias_hh_l0.zero_().requires_grad_(False)  # one bias learns, as in the others
            dense.weight.copy_(torch.tensor(softmax.T))
            dense.bias.copy_(torch.tensor(softmax_bias))
        parameters = [parameter for parameter in (*rnn.parameters(), *dense.parameters()) if parameter.requires_grad]
        optimizer = torch.optim.SGD(parameters, lr=self.config.learning_rate)

        def forward(x, y, state):
            outputs, state = rnn(torch.nn.functional.one_hot(x, 2).float(), state)
            return torch.nn.functional.cross_entropy(dense(outputs).reshape(-1, 2), y.reshape(-1)), state

        forward = torch.compile(forward) if compiled else forward
        state = torch.zeros(1, self.config.batch_size, units)
        for batches in self.pieces(self.FEW):
            losses = []
            xs, ys = (torch.tensor(np.array(arrays), dtype=torch.int64) for arrays in zip(*batches))
            for x, y in zip(xs, ys):
                loss, state = forward(x, y, state)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                state = state.detach()
                losses.append(loss.item())
            yield self.FEW, np.mean(losses)


class Reading:
    """From the three files of a corpus of the Penn Treebank's size to ids; the mean id stands for a loss."""

    def __init__(self, size):
        from benchmarks.ptb_reading import write_corpus

        self.folder = tempfile.TemporaryDirectory()
        os.environ["XDG_CACHE_HOME"] = self.folder.name
        for split, tokens in {"train": 930_000, "valid": 74_000, "test": 82_000}.items():
            write_corpus(self.path(split), tokens, np.random.RandomState(tokens))

    def path(self, split):
        return os.path.join(self.folder.name, f"ptb.{split}.txt")

    def tensorflow(self, rnn_mode, precision):
        import reader

        while True:
            splits = reader.ptb_raw_data(self.folder.name)[:3] if rnn_mode == "auto" else self.read()
            yield sum(map(len, splits)), np.mean(splits[0])

    def read(self):
        """As the tutorial does it."""

        def words(split):
            with open(self.path(split), encoding="utf-8") as file:
                return file.read().replace("\n", "<eos>").split()

        counts = collections.Counter(words("train"))
        ids = {word: i for i, word in enumerate(sorted(counts, key=lambda word: (-counts[word], word)))}
        return [[ids[word] for word in words(split) if word in ids] for split in ("train", "valid", "test")]


def modes_of(rnn_mode, precision, batch_size, units, gates):
    """What the scripts make of their flags: a model's arguments, and the session's configuration."""
    from tf1 import modes, training

    args = types.SimpleNamespace(rnn_mode=rnn_mode, precision=precision)
    settings, session_config = modes.choose_modes(args, batch_size, units, gates)
    return settings, training.with_rewrites(session_config)


def start_session(tf, session_config, weights, target=""):
    """A session with the variables initialised, those of `weights` (names without the scope Model) with its values."""
    session = tf.Session(target, config=session_config)
    session.run(tf.global_variables_initializer())
    by_name = {variable.op.name.removeprefix("Model/"): variable for variable in tf.trainable_variables()}
    session.run([tf.assign(by_name[name], value) for name, value in weights.items()])
    return session


TASKS = {
    "ptb": PTB,
    "evaluation": PTBEvaluation,
    "char": CharGRU,
    "generation": CharGeneration,
    "mnist": MNIST,
    "series": Series,
    "echo": Echo,
    "reading": Reading,
}


def build(task, side):
    """The endless or long iterator of a side's steps, which yields what they worked through, and their losses."""
    name, size = task.split("-")
    work, (means, *precision) = TASKS[name](size), side.split("-")
    if means in ("basic", "auto"):
        return work.tensorflow(means, *precision)
    if means == "compiled":
        return work.torch(*precision, compiled=True)
    return getattr(work, means)(*precision)


def take_turns(steps, out):
    """Reads numbers of steps from stdin, makes them, and writes to `out` what they took, a line of JSON each."""
    start_peak = peak_bytes()
    print(json.dumps({}), file=out, flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        units, losses = zip(*itertools.islice(steps, int(line)))
        seconds, losses = time.perf_counter() - begin, [float(loss) for loss in losses]
        found = {"seconds": seconds, "units": sum(units), "losses": losses, "peak": peak_bytes() - start_peak}
        print(json.dumps(found), file=out, flush=True)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    _, task, side = sys.argv
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what the programs say is none of the answers
        steps = build(task, side)
        if side.startswith(("torch", "compiled")):
            import torch  # noqa: F401, whose own size is no part of the peak
        else:
            from tf1 import tf

            tf.zeros([])
        take_turns(steps, out)


if __name__ == "__main__":
    main()
