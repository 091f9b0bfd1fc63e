"""What `python -m benchmarks` compares: the same training step by different means, each in a process of its own.

    python -m benchmarks.sides TASK SIDE

builds the model of TASK by the means of SIDE, then reads numbers of steps from stdin, one a line, and for each prints a
line of JSON: the seconds they took, their losses, and the peak of the process's memory above that of its start.

All sides of a task start from the same weights and see the same batches, both drawn from a fixed seed, so their first
losses are the same. Dropout is left in, and draws its own masks: there the first losses are near.
"""

import itertools
import json
import resource
import sys
import time

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

    def tensorflow(self, rnn_mode, precision):
        import ptb_word_lm
        from tf1 import modes, tf

        config = self.config
        rnn_mode = modes.choose_rnn_mode(rnn_mode)
        groups, session_config = modes.choose_groups(rnn_mode, config.batch_size, config.hidden_size, gates=4)
        with tf.variable_scope("Model"):
            input_ = ptb_word_lm.PTBInput(config, self.ids)
            model = ptb_word_lm.PTBModel(True, config, input_, rnn_mode, precision, groups)
        session = start_session(tf, session_config, self.weights)
        model.assign_lr(session, config.learning_rate)
        state = session.run(model.initial_state)
        while True:
            feed_dict = dict(zip(tf.nest.flatten(model.initial_state), tf.nest.flatten(state)))
            cost, state, _ = session.run([model.cost, model.final_state, model.train_op], feed_dict)
            yield cost

    def torch(self, precision):
        import torch

        config = self.config
        H, V, layers = config.hidden_size, config.vocab_size, config.num_layers
        embedding, softmax = torch.nn.Embedding(V, H), torch.nn.Linear(H, V)
        lstm = torch.nn.LSTM(H, H, layers, dropout=1 - config.keep_prob)
        dropout = torch.nn.Dropout(1 - config.keep_prob)
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
        parameters = [*embedding.parameters(), *lstm.parameters(), *softmax.parameters()]
        optimizer = torch.optim.SGD(parameters, lr=config.learning_rate)
        rows = self.ids[: len(self.ids) // config.batch_size * config.batch_size].reshape(config.batch_size, -1).T
        rows, steps = torch.tensor(np.ascontiguousarray(rows)), config.num_steps
        state = tuple(torch.zeros(layers, config.batch_size, H) for _ in range(2))
        for start in itertools.cycle(range(0, len(rows) - steps, steps)):
            x, y = rows[start : start + steps], rows[start + 1 : start + steps + 1]
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                output, state = lstm(dropout(embedding(x)), state)
                logits = softmax(dropout(output)).reshape(-1, V).float()
            loss = torch.nn.functional.cross_entropy(logits, y.reshape(-1), reduction="sum") / config.batch_size
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            state = tuple(part.detach() for part in state)
            yield loss.item()

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
            yield 0.0


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

    def batches(self):
        """Inputs and targets, time-major."""
        import reader

        config = self.config
        while True:
            for inputs, targets in reader.char_batches(self.ids, config.batch_size, config.max_length, "contiguous"):
                yield np.ascontiguousarray(inputs.T), np.ascontiguousarray(targets.T)

    def tensorflow(self, rnn_mode, precision):
        import char_gru
        from tf1 import modes, tf

        config, rnn_mode = self.config, modes.choose_rnn_mode(rnn_mode)
        groups, session_config = modes.choose_groups(rnn_mode, config.batch_size, config.hidden_units, gates=3)
        with tf.variable_scope("Model"):
            model = char_gru.CharGRU(True, config, self.vocab_size, rnn_mode, precision, groups)
        session = start_session(tf, session_config, self.weights)
        state = char_gru.zero_state(config, config.batch_size)
        for inputs, targets in self.batches():
            feed_dict = {model.input_data: inputs, model.targets: targets, model.initial_state: state}
            loss, state, _ = session.run([model.loss, model.final_state, model.train_op], feed_dict)
            yield loss

    def keras(self):
        """The tutorial's own layers, in graph mode."""
        from tf1 import tf

        config, weights = self.config, self.weights
        inputs, targets = (tf.placeholder(tf.int32, [config.batch_size, config.max_length]) for _ in range(2))
        state = tf.placeholder(tf.float32, [config.batch_size, config.hidden_units])
        embedding = tf.keras.layers.Embedding(self.vocab_size, config.embedding_dim)
        gru = tf.keras.layers.GRU(
            config.hidden_units,
            return_sequences=True,
            return_state=True,
            recurrent_activation="sigmoid",
            recurrent_initializer="glorot_uniform",
            reset_after=True,
        )
        dense = tf.keras.layers.Dense(self.vocab_size)
        output, final_state = gru(embedding(inputs), initial_state=state)
        logits = dense(tf.reshape(output, [-1, config.hidden_units]))
        loss = tf.losses.sparse_softmax_cross_entropy(labels=tf.reshape(targets, [-1]), logits=logits)
        train_op = tf.train.AdamOptimizer(config.learning_rate).minimize(loss)
        session = start_session(tf, None, {})
        variables = [*embedding.weights, *gru.weights, *dense.weights]
        session.run([tf.assign(variable, value) for variable, value in zip(variables, weights.values())])
        state_value = np.zeros([config.batch_size, config.hidden_units], np.float32)
        for x, y in self.batches():
            feed_dict = {inputs: x.T, targets: y.T, state: state_value}
            loss_value, state_value, _ = session.run([loss, final_state, train_op], feed_dict)
            yield loss_value

    def torch(self, precision):
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
        parameters = [*embedding.parameters(), *gru.parameters(), *dense.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=config.learning_rate)
        state = torch.zeros(1, config.batch_size, H)
        for inputs, targets in self.batches():
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                output, state = gru(embedding(torch.tensor(inputs)), state)
                logits = dense(output).reshape(-1, V).float()
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets).reshape(-1))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            state = state.detach()
            yield loss.item()


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
        from tf1 import modes, tf

        rnn_mode = modes.choose_rnn_mode(rnn_mode)
        groups, session_config = modes.choose_groups(rnn_mode, self.config.batch_size, self.config.n_neurons, gates=1)
        model = rnn_basics.MNISTModel(self.config, "basic", rnn_mode, groups)
        session = start_session(tf, session_config, self.weights)
        for X, y in self.batches():
            loss, _ = session.run([model.loss, model.training_op], {model.X: X, model.y: y})
            yield loss

    def torch(self, precision):
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
        for X, y in self.batches():
            _, state = rnn(torch.tensor(X))
            loss = torch.nn.functional.cross_entropy(dense(state[0]), torch.tensor(y))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield loss.item()


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
        from tf1 import modes, tf

        rnn_mode = modes.choose_rnn_mode(rnn_mode)
        groups, session_config = modes.choose_groups(rnn_mode, self.config.batch_size, self.config.n_neurons, gates=1)
        model = time_series.TimeSeriesModel(self.config, "projection", rnn_mode, groups)
        session = start_session(tf, session_config, self.weights)
        for X, y in self.batches():
            loss, _ = session.run([model.loss, model.training_op], {model.X: X, model.y: y})
            yield loss

    def torch(self, precision):
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
        for X, y in self.batches():
            outputs, _ = rnn(torch.tensor(X, dtype=torch.float32))
            loss = torch.nn.functional.mse_loss(dense(outputs), torch.tensor(y, dtype=torch.float32))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield loss.item()


def start_session(tf, session_config, weights):
    """A session with the variables initialised, those of `weights` (names without the scope Model) with its values."""
    session = tf.Session(config=session_config)
    session.run(tf.global_variables_initializer())
    by_name = {variable.op.name.removeprefix("Model/"): variable for variable in tf.trainable_variables()}
    session.run([tf.assign(by_name[name], value) for name, value in weights.items()])
    return session


TASKS = {"ptb": PTB, "char": CharGRU, "mnist": MNIST, "series": Series}


def build(task, side):
    """The endless or long iterator of a side's steps, which yields their losses."""
    name, size = task.split("-")
    work, (means, *precision) = TASKS[name](size), side.split("-")
    if means in ("basic", "auto"):
        return work.tensorflow(means, *precision)
    return getattr(work, means)(*precision)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    _, task, side = sys.argv
    steps = build(task, side)
    if side.startswith("torch"):
        import torch  # noqa: F401, whose own size is no part of the peak
    else:
        from tf1 import tf

        tf.zeros([])
    start_peak = peak_bytes()
    print(json.dumps({"ready": side}), flush=True)
    for line in sys.stdin:
        losses, begin = [], time.perf_counter()
        for _ in range(int(line)):
            losses.append(float(next(steps)))
        seconds = time.perf_counter() - begin
        print(json.dumps({"seconds": seconds, "losses": losses, "peak": peak_bytes() - start_peak}), flush=True)


if __name__ == "__main__":
    main()
