"""What are peepholes, and do they help an LSTM to measure time?

    python -m studies.peepholes        1 minute

They let the gates of an LSTM see its memory, not only its output, which an output gate that is shut hides. Each is one
weight for a unit, so three vectors [n_neurons] more in a cell, 108 parameters for 96 with one input and 4 units:

    i = sigmoid(x W_xi + h' W_hi + w_i * c' + b_i)      x [batch_size, n_inputs], h' and c' of the step before
    f = sigmoid(x W_xf + h' W_hf + w_f * c' + b_f + 1)  W_x* [n_inputs, n_neurons], W_h* [n_neurons, n_neurons]
    c = f * c' + i * tanh(x W_xc + h' W_hc + b_c)       w_*, b_* [n_neurons]
    o = sigmoid(x W_xo + h' W_ho + w_o * c + b_o)       of the new memory
    h = o * tanh(c)                                     i, f, o, c, h [batch_size, n_neurons]

`tf.nn.rnn_cell.LSTMCell(n_neurons, use_peepholes=True)` differs from that by 2e-07, the rounding of fp32. In two tasks
peepholes do not help, the means of 5 seeds being

                                                           peepholes    plain    difference
    say how long ago the last spike was: steps off             0.138    0.140    -0.002, standard error 0.016
    spike so many steps later: part at a wrong step            0.341    0.024     0.317, standard error 0.220

So there is no difference beyond chance: in the second task two of the five networks with peepholes had learnt nothing
yet, and the other three made no mistake. Of sequences of 16 steps, not 11, most networks of both kinds learn nothing in
that time. The paper's networks, trained in another way, tell 49 steps from 50 with peepholes.

Sources: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14; Gers,
Schraudolph and Schmidhuber 2002, "Learning Precise Timing with LSTM Recurrent Networks", Journal of Machine Learning
Research 3, https://www.jmlr.org/papers/v3/gers02a.html, whose tasks are of this kind.
"""

import numpy as np

import configs
import studies
from studies.gru_bptt import sigmoid
from tf1 import app, tf
from tf1.app import Diverged, UserError
from tf1.training import with_rewrites

FORGET_BIAS = 1.0  # LSTMCell's default, which it adds to the forget gate's bias
N_TEST = 1000  # sequences that are read after training


def peephole_step(x, h, c, weights):
    """A time step of the formula, in NumPy.

    Args:
      x, h, c: inputs [batch_size, n_inputs]; output and memory of the step before, [batch_size, n_neurons].
      weights: by the cell's names `kernel` [n_inputs + n_neurons, 4 * n_neurons] and `bias` [4 * n_neurons], in the
        order input, candidate, forget, output; `w_i_diag`, `w_f_diag` and `w_o_diag`, the peepholes, [n_neurons].
    Returns the new h and c.
    """
    sums = np.hstack([x, h]) @ weights["kernel"] + weights["bias"]
    i, candidate, f, o = np.split(sums, 4, axis=1)  # [batch_size, n_neurons] each
    i = sigmoid(i + weights["w_i_diag"] * c)
    f = sigmoid(f + FORGET_BIAS + weights["w_f_diag"] * c)
    c = f * c + i * np.tanh(candidate)
    o = sigmoid(o + weights["w_o_diag"] * c)  # of the new memory
    return o * np.tanh(c), c


def compare(config, seed):
    """The cell against the formula, all weights random; returns the largest difference of outputs and memories."""
    random = np.random.RandomState(seed)
    inputs = random.uniform(-1, 1, [config.batch_size, config.n_steps, 1])
    with tf.Graph().as_default():
        X = tf.placeholder(tf.float32, inputs.shape)
        cell = tf.nn.rnn_cell.LSTMCell(num_units=config.n_neurons, use_peepholes=True)
        outputs, states = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)
        variables = {variable.op.name.rpartition("/")[2]: variable for variable in cell.trainable_weights}
        weights = {name: random.uniform(-1, 1, variable.shape) for name, variable in variables.items()}
        with tf.Session() as session:
            session.run([tf.assign(variable, weights[name]) for name, variable in variables.items()])
            outputs_val, states_val = session.run([outputs, states], {X: inputs})
    h = c = np.zeros([config.batch_size, config.n_neurons])
    differences = []
    for t in range(config.n_steps):
        h, c = peephole_step(inputs[:, t], h, c, weights)
        differences.append(np.max(np.abs(h - outputs_val[:, t])))
    return float(max(*differences, np.max(np.abs(c - states_val.c))))


def measure(config, size, random):
    """Two spikes, and at the second one the interval between them, in parts of the longest; nothing before.

        interval 3    inputs   0  1  0  0  1  0
                      targets              3

    Returns the inputs, the targets and their weights, [size, n_steps] each, and the intervals, [size].
    """
    inputs, targets, weights = np.zeros([3, size, config.n_steps])
    rows, intervals = np.arange(size), random.randint(config.min_interval, config.n_steps, size)
    first = random.randint(config.n_steps - intervals)  # in each row from 0 to where the second one is the last step
    inputs[rows, first] = inputs[rows, first + intervals] = weights[rows, first + intervals] = 1
    targets[rows, first + intervals] = intervals / (config.n_steps - 1)
    return inputs, targets, weights, intervals


def act(config, size, random):
    """A number, and a spike after so many steps; the number is given in parts of the longest.

        interval 3    inputs   3  0  0  0  0  0
                      targets  0  0  0  1  0  0

    Returns what `measure` does.
    """
    inputs, targets = np.zeros([2, size, config.n_steps])
    rows, intervals = np.arange(size), random.randint(config.min_interval, config.n_steps, size)
    inputs[:, 0] = intervals / (config.n_steps - 1)
    targets[rows, intervals] = 1
    return inputs, targets, np.ones_like(inputs), intervals


class TimingModel:
    """The graph that reads a sequence step by step, and gives a number at each step.

    Args:
      config: the hyperparameters, a `PeepholesSmallConfig`.
      task: `measure`, whose errors are squared, or `act`, with the cross-entropy of each step.
      use_peepholes: of the cell; the other weights begin the same with and without.
      seed: of the dense layer's weights.
    """

    def __init__(self, config, task, use_peepholes, seed):
        self.X, self.y, self.weights = (tf.placeholder(tf.float32, [None, config.n_steps]) for _ in range(3))
        cell = tf.nn.rnn_cell.LSTMCell(num_units=config.n_neurons, use_peepholes=use_peepholes)
        outputs, _ = tf.nn.dynamic_rnn(cell, self.X[:, :, None], dtype=tf.float32)  # [batch_size, n_steps, n_neurons]
        kernel_initializer = tf.glorot_uniform_initializer(seed=seed)
        self.logits = tf.layers.dense(outputs, 1, kernel_initializer=kernel_initializer)[:, :, 0]  # as X
        if task is measure:
            losses = tf.square(self.logits - self.y)
        else:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=self.y, logits=self.logits)
        self.loss = tf.reduce_sum(self.weights * losses) / tf.reduce_sum(self.weights)
        self.training_op = tf.train.AdamOptimizer(config.learning_rate).minimize(self.loss)
        self.n_parameters = sum(variable.shape.num_elements() for variable in cell.trainable_weights)


def error(task, logits, weights, intervals):
    """Of `measure`: how many steps an answer is off, on average; of `act`: the part of the spikes at a wrong step."""
    if task is measure:
        answers = np.sum(weights * logits, axis=1) * (logits.shape[1] - 1)
        return float(np.mean(np.abs(answers - intervals)))
    return float(np.mean(np.argmax(logits, axis=1) != intervals))


def train(config, task, use_peepholes, seed):
    """Trains a network; returns its `error` on new sequences, and the number of the cell's parameters."""
    random = np.random.RandomState(seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        m = TimingModel(config, task, use_peepholes, seed)
        with tf.Session(config=with_rewrites()) as session:
            session.run(tf.global_variables_initializer())
            for iteration in range(config.n_iterations_measure if task is measure else config.n_iterations_act):
                X_batch, y_batch, weights, _ = task(config, config.batch_size, random)
                feed_dict = {m.X: X_batch, m.y: y_batch, m.weights: weights}
                loss_val, _ = session.run([m.loss, m.training_op], feed_dict)
                Diverged.check("loss", loss_val, f"at iteration {iteration}")
            X_test, _, weights, intervals = task(config, N_TEST, random)
            logits_val = session.run(m.logits, {m.X: X_test})
    return error(task, logits_val, weights, intervals), m.n_parameters


TASKS = {
    measure: "say how long ago the last spike was; mean error in time steps",
    act: "spike so many steps later; part of the spikes at a wrong step",
}


@app.command
def main(argv=None):
    """Returns `difference`, of the cell from the formula; `n_parameters`, `measure` and `act`, dicts of both kinds."""
    args, config = studies.parse_args(__file__, __doc__, configs.PEEPHOLES_CONFIGS, argv)
    if config.min_interval >= config.n_steps:
        raise UserError(f"an interval of {config.min_interval} does not fit in {config.n_steps} steps: raise n_steps")
    results = {"difference": compare(config, args.seed), "n_parameters": {}}
    print(f"LSTMCell(use_peepholes=True) and the formula in NumPy differ by {results['difference']:.1e}")
    for task, title in TASKS.items():
        errors = {"peepholes": [], "plain": []}
        print(f"Task: {title}\nseed  peepholes    plain")
        for seed in range(args.seed, args.seed + config.n_seeds):
            for kind, found in errors.items():
                value, results["n_parameters"][kind] = train(config, task, kind == "peepholes", seed)
                found.append(value)
            print(f"{seed:4}  {errors['peepholes'][-1]:9.3f}  {errors['plain'][-1]:7.3f}")
        mean, standard_error, verdict = studies.difference(errors["peepholes"], errors["plain"])
        print(f"mean  {np.mean(errors['peepholes']):9.3f}  {np.mean(errors['plain']):7.3f}")
        print(f"difference {mean:.3f}, standard error {standard_error:.3f}: {verdict} two standard errors")
        results[task.__name__] = errors
    print("Parameters of the cell:", ", ".join(f"{kind} {n}" for kind, n in results["n_parameters"].items()))
    return results


if __name__ == "__main__":
    main()
