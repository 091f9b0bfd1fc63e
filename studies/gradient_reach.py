"""How far does a gradient reach back through the time steps, and what do the remedies against that give?

    python -m studies.gradient_reach        24 seconds

The task is to recall the first of 40 inputs, which guessing does with a loss of 0.3333. The norms are those of the
gradient of the prediction to an input so many steps back, before training; the loss is that of iterations 270 to 299:

                                 at 0   at 10   at 39   loss
    tanh                         0.30    0.31   0.069   infinite
    tanh, Adam                   0.30    0.31   0.069   0.034
    tanh, start, clipping, Adam  0.87    0.79    0.19   0.008
    ReLU, start, clipping, Adam  0.42    0.38    0.27   0.006
    LSTM, clipping, Adam        0.087   0.005    7e-5   0.123
    GRU, clipping, Adam          0.15   0.039   0.003   0.018
    ReLU (or clipping, or Adam)  0.36   0.015    3e-6   0.327

Clipping and Adam help only if some gradient arrives: with ReLU, where it has nearly vanished, neither lowers the loss.
plots/gradient_norms.png shows the norms at all distances.

Sources: of the question and most remedies Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and
TensorFlow" (O'Reilly), chapter 14, https://github.com/ageron/handson-ml; Le, Jaitly and Hinton 2015, "A Simple Way to
Initialize Recurrent Networks of Rectified Linear Units", https://arxiv.org/abs/1504.00941; Cooijmans et al. 2016,
"Recurrent Batch Normalization", https://arxiv.org/abs/1603.09025.
"""

import math

import numpy as np

import configs
import studies
from tf1 import app, plots, tf
from tf1.modes import check_memory

GUESSING = 1 / 3  # the mean square of numbers from [-1, 1)
RUNS = {  # by the name that is printed
    "tanh": {"cell": "tanh"},
    "tanh, orthogonal start": {"cell": "tanh", "start": True},
    "tanh, batch normalisation": {"cell": "tanh", "batch_norm": True},
    "tanh, clipping": {"cell": "tanh", "clipping": True},
    "tanh, Adam": {"cell": "tanh", "adam": True},
    "tanh, clipping, truncated": {"cell": "tanh", "clipping": True, "truncate": True},
    "ReLU": {"cell": "relu"},
    "ReLU, identity start": {"cell": "relu", "start": True},
    "ReLU, batch normalisation": {"cell": "relu", "batch_norm": True},
    "ReLU, clipping": {"cell": "relu", "clipping": True},
    "ReLU, Adam": {"cell": "relu", "adam": True},
    "tanh, start, clipping, Adam": {"cell": "tanh", "start": True, "clipping": True, "adam": True},
    "ReLU, start, clipping, Adam": {"cell": "relu", "start": True, "clipping": True, "adam": True},
    "LSTM": {"cell": "lstm"},
    "LSTM, clipping, Adam": {"cell": "lstm", "clipping": True, "adam": True},
    "GRU": {"cell": "gru"},
    "GRU, clipping, Adam": {"cell": "gru", "clipping": True, "adam": True},
}


class BatchNormRNNCell:
    """A `BasicRNNCell` with batch normalisation in each time step, as in Cooijmans et al. 2016, section 3.

    What comes from the input and what comes from the state are normalised over the batch on their own; their scales
    begin at 0.1, because larger ones saturate the activation.
    """

    def __init__(self, num_units, activation):
        self.state_size = self.output_size = num_units
        self._activation = activation

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs] and `state` [batch_size, num_units]; returns the new state twice."""
        with tf.variable_scope(scope or "batch_norm_rnn_cell"):
            sums = tf.get_variable("bias", [self.state_size], initializer=tf.zeros_initializer())
            for name, part in ("input", inputs), ("state", state):
                kernel = tf.get_variable(f"{name}_kernel", [part.shape[1], self.state_size])
                gamma = tf.get_variable(f"{name}_gamma", [self.state_size], initializer=tf.constant_initializer(0.1))
                product = tf.matmul(part, kernel)
                mean, variance = tf.nn.moments(product, axes=[0])
                sums = sums + tf.nn.batch_normalization(product, mean, variance, None, gamma, 1e-5)
        output = self._activation(sums)
        return output, output


def recurrent_initializer(recurrent):
    """For the kernel [n_inputs + n_neurons, n_neurons] of a basic cell: `recurrent` makes its square lower part."""

    def initializer(shape, dtype=None, partition_info=None):
        n_inputs = shape[0] - shape[1]
        upper = tf.glorot_uniform_initializer()([n_inputs, shape[1]], dtype)
        return tf.concat([upper, recurrent([shape[1], shape[1]], dtype)], axis=0)

    return initializer


class RecallModel:
    """The graph that is to give back, after the last time step, the value that was the input of the first.

    Args:
      config: the hyperparameters, a `LongSmallConfig`.
      cell: `tanh`, `relu`, `lstm` or `gru`.
      start, batch_norm, clipping, adam, truncate: whether the remedy is applied. With `start` the recurrent weights of
        `relu` begin as the identity (Le, Jaitly and Hinton 2015), those of `tanh` as an orthogonal matrix.
    """

    def __init__(self, config, cell, start=False, batch_norm=False, clipping=False, adam=False, truncate=False):
        activation = {"tanh": tf.tanh, "relu": tf.nn.relu}.get(cell)
        if cell == "lstm":
            rnn_cell = tf.nn.rnn_cell.BasicLSTMCell(config.n_neurons)
        elif cell == "gru":
            rnn_cell = tf.nn.rnn_cell.GRUCell(config.n_neurons)
        elif batch_norm:
            rnn_cell = BatchNormRNNCell(config.n_neurons, activation)
        else:
            rnn_cell = tf.nn.rnn_cell.BasicRNNCell(config.n_neurons, activation=activation)
        recurrent = tf.initializers.identity() if cell == "relu" else tf.orthogonal_initializer()
        initializer = recurrent_initializer(recurrent) if start else None

        self.X = tf.placeholder(tf.float32, [config.batch_size, config.n_steps, config.n_inputs])
        state = rnn_cell.zero_state(config.batch_size, tf.float32)
        piece = config.truncated_steps if truncate else config.n_steps
        for begin in range(0, config.n_steps, piece):
            with tf.variable_scope("rnn", initializer=initializer, reuse=begin > 0):
                state = tf.nest.map_structure(tf.stop_gradient, state)
                inputs = self.X[:, begin : begin + piece]
                outputs, state = tf.nn.dynamic_rnn(rnn_cell, inputs, initial_state=state)
        prediction = tf.layers.dense(outputs[:, -1], config.n_inputs)  # [batch_size, n_inputs]
        self.loss = tf.reduce_mean(tf.square(prediction - self.X[:, 0]))

        # How much the prediction's sum changes with each input, averaged over the batch: [n_steps], last step first.
        gradients = tf.gradients(prediction, self.X)[0]  # [batch_size, n_steps, n_inputs]
        self.gradient_norms = tf.reduce_mean(tf.norm(gradients, axis=2), axis=0)[::-1]

        optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
        if adam:
            optimizer = tf.train.AdamOptimizer(config.adam_learning_rate)
        grads, tvars = zip(*optimizer.compute_gradients(self.loss))
        self.global_norm = tf.global_norm(grads)
        if clipping:
            grads, _ = tf.clip_by_global_norm(grads, config.max_grad_norm, self.global_norm)
        self.training_op = optimizer.apply_gradients(zip(grads, tvars))


def recall_batch(config, random):
    """[batch_size, n_steps, n_inputs]: the first step from [-1, 1), which is to be recalled; then a tenth of that."""
    batch = random.uniform(-1, 1, [config.batch_size, config.n_steps, config.n_inputs])
    batch[:, 1:] /= 10
    return batch


@plots.picture
def plot_gradient_norms(results):
    figure, axes = plots.new_figure()
    for name, result in results.items():
        settings = RUNS[name]
        if not set(settings) & {"clipping", "adam", "truncate"}:  # the others begin like one of these
            axes.plot(result["gradient_norms"], "-" if len(settings) == 1 else ":", label=name)
    axes.set(yscale="log", xlabel="distance in time steps", ylabel="norm of d prediction / d input")
    axes.set(title="How far a gradient reaches back, before training")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    return plots.save(figure, "plots", "gradient_norms")


@app.command
def main(argv=None):
    """Returns a dict of `gradient_norms`, [n_steps] from distance 0 on, `max_norm` and `loss` for each of RUNS."""
    args, config = studies.parse_args(__file__, __doc__, configs.LONG_CONFIGS, argv)
    distances = sorted({0, 1, 2, 5, 10, 20, config.n_steps - 1} & set(range(config.n_steps)))
    print(f"Task: recall the first of {config.n_steps} inputs. Guessing 0 has a loss of {GUESSING:.4f}.")
    print(f"{'gradient norm at distance':27}", *(f"{d:8}" for d in distances), " largest    loss at the end")
    results = {}
    for name, settings in RUNS.items():
        with tf.Graph().as_default():
            tf.set_random_seed(args.seed)
            model = RecallModel(config, **settings)
            check_memory()
            random, losses, max_norm = np.random.RandomState(args.seed), [], 0.0
            with tf.Session() as sess:
                sess.run(tf.global_variables_initializer())
                gradient_norms = sess.run(model.gradient_norms, feed_dict={model.X: recall_batch(config, random)})
                while len(losses) < config.n_iterations and np.all(np.isfinite(losses[-1:])):
                    fetches = [model.training_op, model.loss, model.global_norm]
                    _, loss, norm = sess.run(fetches, feed_dict={model.X: recall_batch(config, random)})
                    losses.append(loss)
                    max_norm = max(max_norm, norm)
        last = losses[-max(1, config.n_iterations // 10) :]
        loss = float(np.mean(last)) if np.all(np.isfinite(last)) else math.inf
        results[name] = {"gradient_norms": gradient_norms, "max_norm": float(max_norm), "loss": loss}
        end = f"{loss:.4f}" if math.isfinite(loss) else f"infinite after {len(losses)} iterations"
        print(f"{name:27}", *(f"{gradient_norms[d]:8.2g}" for d in distances), f"{max_norm:8.2g}    {end}")
    learned = {name: result["loss"] for name, result in results.items() if result["loss"] < GUESSING / 2}
    print("Less than half the loss of guessing:", "; ".join(sorted(learned, key=learned.get)) or "none")
    plots.say(plot_gradient_norms(results))
    return results


if __name__ == "__main__":
    main()
