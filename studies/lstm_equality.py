"""Are TensorFlow's BasicLSTMCell, the LSTM by hand and the form with W_x and W_h apart the same mathematics?

They are. With the same weights and inputs, 30 time steps and 4 sequences, in fp32, the one by hand against

    BasicLSTMCell      outputs differ by 2.1e-07, gradients by 3.9e-07
    W_x x + W_h h + b  outputs differ by 2.1e-07, gradients by 4.3e-07

BasicLSTMCell has [x, h] where the code by hand has [h, x], its gates in the order input, candidate, forget, output, and
adds a forget bias of 1, which is taken off the bias that it gets here. What is left is rounding. The notes take the
third form, at their end, for another network with more weights; it has the same ones in more pieces.

    python -m studies.lstm_equality

Sources: notes in Chinese by 烟酒僧 on LSTMs (29 March 2020); the equations are those of Hochreiter and Schmidhuber
1997, "Long Short-Term Memory", with the forget gate of Gers, Schmidhuber and Cummins 2000, "Learning to Forget".
"""

import itertools

import numpy as np

import configs
import studies
from lstm_by_hand import LSTM
from tf1 import app, tf
from tf1.training import with_rewrites

FORGET_BIAS = 1.0  # BasicLSTMCell's default, which it adds to the forget gate's bias


class PerGateLSTM(LSTM):
    """W_x x + W_h h + b for each gate: eight weight arrays a layer, not four."""

    @staticmethod
    def weight_shapes(width):
        shapes = {}
        for name, (m, n2) in LSTM.weight_shapes(width).items():
            if name.startswith("LSTMW"):
                shapes[name.replace("W", "Wh")] = [n2, n2]
                shapes[name.replace("W", "Wx")] = [m - n2, n2]
            else:
                shapes[name] = [m, n2]
        return shapes

    def lstm_unit(self, x, h, c, k):
        f, i, candidate, o = (
            tf.matmul(x, self.weights[f"LSTMWx{gate}{k}"])
            + tf.matmul(h, self.weights[f"LSTMWh{gate}{k}"])
            + self.biases[f"LSTMb{gate}{k}"]
            for gate in "fico"
        )
        c = tf.nn.sigmoid(f) * c + tf.nn.sigmoid(i) * tf.nn.tanh(candidate)
        h = tf.nn.sigmoid(o) * tf.nn.tanh(c)
        return h, c


def api_layout(values, k):
    """The arrays of layer `k` by hand as BasicLSTMCell has them: kernel [n1 + n2, 4 n2] and bias [4 n2].

        by hand, for each gate           BasicLSTMCell, all gates side by side
            W_f, W_i, W_c, W_o               i     c     f     o
        h   [n2, n2]                     x   [n1, 4 n2]
        x   [n1, n2]                     h   [n2, 4 n2]

    Args:
      values: weights and biases, or their gradients, by name.
    """
    weights, biases = ([values[f"LSTM{kind}{gate}{k}"] for gate in "icfo"] for kind in "Wb")
    kernel = np.hstack([np.roll(weight, -weight.shape[1], axis=0) for weight in weights])
    return kernel, np.concatenate(biases)


def per_gate_layout(values):
    """The arrays by hand as `PerGateLSTM` has them, by its names."""
    apart = {}
    for name, value in values.items():
        if name.startswith("LSTMW"):
            n2 = value.shape[1]
            apart[name.replace("W", "Wh")], apart[name.replace("W", "Wx")] = value[:n2], value[n2:]
        else:
            apart[name] = value
    return apart


def with_gradients(output, *sources):
    return output, tf.gradients(tf.reduce_sum(tf.square(output)), sources)


def difference(arrays, expected_arrays):
    """The largest, in proportion to the largest expected number."""
    scale = max(np.max(np.abs(expected)) for expected in expected_arrays)
    return float(max(np.max(np.abs(a - expected)) for a, expected in zip(arrays, expected_arrays)) / scale)


def compare(time_step, seed):
    """Gives the three forms the same weights and inputs, and compares two of them with the one by hand.

    Returns the largest differences: `api` and `per_gate`, of outputs; `api_gradients` and `per_gate_gradients`, of the
    gradients of inputs, weights and biases, in proportion to the largest gradient.
    """
    random = np.random.RandomState(seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        lstm, per_gate = LSTM(1, time_step), PerGateLSTM(1, time_step)
        cells = [tf.nn.rnn_cell.BasicLSTMCell(n, forget_bias=FORGET_BIAS) for n in lstm.width[1:]]
        initial_state = tuple(tf.nn.rnn_cell.LSTMStateTuple(c, h) for h, c in zip(*lstm.initial_state))
        outputs, _ = tf.nn.dynamic_rnn(
            tf.nn.rnn_cell.MultiRNNCell(cells), lstm.x, initial_state=initial_state, time_major=True
        )
        variables, apart_variables = ({**network.weights, **network.biases} for network in (lstm, per_gate))
        fetches = [
            with_gradients(tf.stack(lstm.output), lstm.x, *variables.values()),
            with_gradients(outputs, lstm.x, *itertools.chain(*(cell.weights for cell in cells))),
            with_gradients(tf.stack(per_gate.output), per_gate.x, *apart_variables.values()),
        ]
        with tf.Session(config=with_rewrites()) as session:
            session.run(tf.global_variables_initializer())
            # Zeros, as biases begin, would hide that one of them is in the wrong place.
            session.run([tf.assign(bias, random.uniform(-1, 1, bias.shape)) for bias in lstm.biases.values()])
            values = session.run(variables)
            for k, cell in enumerate(cells, start=1):
                kernel, bias = api_layout(values, k)
                n2 = lstm.width[k]
                bias[2 * n2 : 3 * n2] -= FORGET_BIAS
                session.run([tf.assign(cell.weights[0], kernel), tf.assign(cell.weights[1], bias)])
            apart = per_gate_layout(values)
            session.run([tf.assign(variable, apart[name]) for name, variable in apart_variables.items()])
            x = random.uniform(-1, 1, [time_step, 4, 1])
            found = session.run(fetches, {lstm.x: x, per_gate.x: x})

    (output, (x_grad, *grads)), (api_output, api_grads), (per_gate_output, per_gate_grads) = found
    grads = dict(zip(variables, grads))
    expected_api = [x_grad, *itertools.chain(*(api_layout(grads, k) for k in range(1, len(cells) + 1)))]
    apart = per_gate_layout(grads)
    expected_per_gate = [x_grad, *(apart[name] for name in apart_variables)]
    return {
        "api": float(np.max(np.abs(api_output - output))),
        "api_gradients": difference(api_grads, expected_api),
        "per_gate": float(np.max(np.abs(per_gate_output - output))),
        "per_gate_gradients": difference(per_gate_grads, expected_per_gate),
    }


@app.command
def main(argv=None):
    """Returns what `compare` does."""
    args, config = studies.parse_args(__file__, __doc__, configs.LSTM_CONFIGS, argv)
    results = compare(config.time_step, args.seed)
    print(f"The same weights in three forms, {config.time_step} time steps, 4 sequences; the one by hand against")
    for name, title in ("api", "BasicLSTMCell"), ("per_gate", "W_x x + W_h h + b"):
        outputs_difference, gradients_difference = results[name], results[f"{name}_gradients"]
        print(f"    {title:18} outputs differ by {outputs_difference:.1e}, gradients by {gradients_difference:.1e}")
    return results


if __name__ == "__main__":
    main()
