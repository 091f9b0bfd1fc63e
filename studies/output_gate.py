"""What does the source's slip, h = o * tanh(candidate) for h = o * tanh(c), cost?

A factor of 58 in the mean squared error, one seed: predicting the next value of a series, the LSTM by hand ends with

    h = o * tanh(c)          MSE over the whole range: 0.000768
    h = o * tanh(candidate)  MSE over the whole range: 0.044188

The memory c does not reach the output then, nor do the gates that make it. No gradient reaches the weights and biases
of the forget and input gates, nor the weights that make the first c: 15 of 32 variables stay as they began.

    python -m studies.output_gate        45 seconds

Sources: notes in Chinese by 烟酒僧 on LSTMs (29 March 2020), whose `lstm_unit` ends with the slip and whose formula
does not; Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
"""

import configs
import studies
from lstm_by_hand import LSTM, NextValueModel, evaluate, run_epoch
from tf1 import app, tf
from tf1.training import with_rewrites


class CandidateOutputLSTM(LSTM):
    """The class as the notes print it."""

    def lstm_unit(self, x, h, c, k):
        hx = tf.concat([h, x], axis=1)  # [batch_size, n2 + n1]
        f, i, candidate, o = (
            tf.nn.xw_plus_b(hx, self.weights[f"LSTMW{gate}{k}"], self.biases[f"LSTMb{gate}{k}"]) for gate in "fico"
        )
        f, i, candidate, o = tf.nn.sigmoid(f), tf.nn.sigmoid(i), tf.nn.tanh(candidate), tf.nn.sigmoid(o)
        c = f * c + i * candidate
        h = o * tf.nn.tanh(candidate)
        return h, c


@app.command
def main(argv=None):
    """Returns `mse` and `untrained`, the names of the variables that no gradient reaches, both by the form."""
    args, config = studies.parse_args(__file__, __doc__, configs.LSTM_CONFIGS, argv)
    results = {"mse": {}, "untrained": {}}
    for name, network in {"h = o * tanh(c)": LSTM, "h = o * tanh(candidate)": CandidateOutputLSTM}.items():
        with tf.Graph().as_default():
            tf.set_random_seed(args.seed)
            lstm = network(1, config.time_step)
            m = NextValueModel(config, lstm.x, lstm.output[-1], True, args.seed)
            tvars = tf.trainable_variables()
            pairs = zip(tvars, tf.gradients(m.loss, tvars))
            untrained = [variable.op.name for variable, gradient in pairs if gradient is None]
            with tf.Session(config=with_rewrites()) as session:
                session.run(tf.global_variables_initializer())
                run_epoch(session, m, m.training_op)
                mse, *_ = evaluate(session, m, config.time_step)
        results["mse"][name], results["untrained"][name] = mse, untrained
        print(f"{name:23}  MSE over the whole range: {mse:.6f}")
        if untrained:
            print(f"No gradient reaches {', '.join(untrained)}: {len(untrained)} of {len(tvars)} stay as they began")
    return results


if __name__ == "__main__":
    main()
