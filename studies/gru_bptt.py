"""How does back-propagation through time go in a GRU, and what changes where it resets after the product?

    python -m studies.gru_bptt        3 seconds

Both forms in NumPy, forward and backward, against TensorFlow's cells: the loss and the gradients of all weights, of the
inputs and of the initial state differ by 3e-7 at most, the rounding of TensorFlow's fp32. The form that resets before
the product with the state is the one that the tutorial describes; cuDNN, whose layer it uses, resets after the product.
That takes a second bias for each gate; but the product of the state with a gate's weights does not contain r then, so
the products of all three gates are one, with their weights side by side.

Source: the tutorial by "Chunyan" (醇岩) on SegmentFault, in Chinese, has the formulas in pictures and no code for them;
of the GRU: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", https://arxiv.org/abs/1406.1078, which resets before the product.
"""

import numpy as np

import configs
import studies
from tf1 import app, rnn, tf


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
      reset_after: the form of cuDNN; else the one that the tutorial describes.
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
            for gate, dsum in (("r", da["r"]), ("z", da["z"]), ("h", dproduct)):
                gradients[f"W_{gate}h"] += (source if gate == "h" else h).T @ dsum
                if self.reset_after:
                    gradients[f"d_{gate}"] += dsum.sum(axis=0)
            dinputs.append(sum(da[gate] @ w[f"W_{gate}x"].T for gate in "rzh"))
            dh = dh * z + da["z"] @ w["W_zh"].T + da["r"] @ w["W_rh"].T
            dh = dh + (dsource if self.reset_after else r * dsource)
        return {**gradients, "inputs": np.array(dinputs[::-1]), "initial_state": dh}


def tf_loss_and_gradients(weights, inputs, initial_state, targets, form):
    """What `NumpyGRU` computes, from TensorFlow's cells: a dict of the loss and of the gradients."""
    with tf.Graph().as_default():
        tensors = {name: tf.constant(weight, tf.float32) for name, weight in weights.items()}
        x, h = tf.constant(inputs, tf.float32), tf.constant(initial_state, tf.float32)

        def side_by_side(name, gates):
            return tf.concat([tensors[name.format(gate)] for gate in gates], axis=-1)

        if form == "reset_after":
            bias = tf.stack([side_by_side("b_{}", "zrh"), side_by_side("d_{}", "zrh")])
            cell = rnn.GRUCell(side_by_side("W_{}x", "zrh"), side_by_side("W_{}h", "zrh"), bias)
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


@app.command
def main(argv=None):
    """Both forms of the GRU in NumPy against TensorFlow; returns the largest difference of each gradient, by form."""
    args, config = studies.parse_args(__file__, __doc__, configs.GRU_BPTT_CONFIGS, argv)
    units, random = config.hidden_units, np.random.RandomState(args.seed)
    inputs = random.normal(size=[config.num_steps, config.batch_size, config.n_inputs])
    targets = random.randint(0, config.n_characters, [config.num_steps, config.batch_size])
    initial_state = random.normal(size=[config.batch_size, units])
    weights = {}
    for gate in "rzh":
        weights[f"W_{gate}x"] = random.normal(size=[config.n_inputs, units])
        weights[f"W_{gate}h"] = random.normal(size=[units, units])
        weights[f"b_{gate}"], weights[f"d_{gate}"] = random.normal(size=[2, units])
    weights["W_o"] = random.normal(size=[units, config.n_characters])

    results = {}
    for form in ("reset_after", "reset_before"):
        w = {name: weight for name, weight in weights.items() if form == "reset_after" or not name.startswith("d_")}
        gru = NumpyGRU(w, form == "reset_after")
        loss = gru.forward(inputs, initial_state, targets)
        gradients = {**gru.backward(), "loss": loss}
        results[form] = {
            name: float(np.max(np.abs(gradients[name] - value)))
            for name, value in tf_loss_and_gradients(w, inputs, initial_state, targets, form).items()
        }
        print(f"{form}: NumPy against TensorFlow, largest difference of the loss and of its gradients")
        print("  " + "  ".join(f"{name} {difference:.0e}" for name, difference in results[form].items()))
    return results


if __name__ == "__main__":
    main()
