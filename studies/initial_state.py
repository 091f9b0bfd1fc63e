"""Does a trainable initial state help an LSTM?

The notes make the h and c that each layer starts from with trainable tanh layers from the first input, where one mostly
takes zeros. Predicting the next value of a series, over 5 seeds, the other weights the same in both at the start:

    trainable: mean 0.004539, standard error 0.001812
    zeros: mean 0.003845, standard error 0.001106
    trainable - zeros: mean 0.000694, standard error 0.000808

So there is no difference beyond chance.

    python -m studies.initial_state        3 minutes

Source: notes in Chinese by 烟酒僧 on LSTMs (29 March 2020).
"""

import configs
import studies
from lstm_by_hand import LSTM, NextValueModel, evaluate, run_epoch
from tf1 import app, tf
from tf1.training import with_rewrites


class ZeroStateLSTM(LSTM):
    """The class with an initial state of zeros, and without the weights that make one."""

    @staticmethod
    def weight_shapes(width):
        shapes = LSTM.weight_shapes(width)
        return {name: shape for name, shape in shapes.items() if not name.startswith("WE")}

    def first_state(self):
        h, c = ([tf.zeros([tf.shape(self.x)[1], n2]) for n2 in self.width[1:]] for _ in range(2))
        return h, c


def train(network, config, seed):
    """The MSE over the whole range of a trained LSTM of the class `network`."""
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        lstm = network(1, config.time_step)
        m = NextValueModel(config, lstm.x, lstm.output[-1], True, seed)
        with tf.Session(config=with_rewrites()) as session:
            session.run(tf.global_variables_initializer())
            run_epoch(session, m, m.training_op)
            return evaluate(session, m, config.time_step)[0]


@app.command
def main(argv=None):
    """Returns `trainable` and `zeros`, the MSE after training by seed."""
    args, config = studies.parse_args(__file__, __doc__, configs.INITIAL_STATE_CONFIGS, argv)
    results = {"trainable": [], "zeros": []}
    print("seed  MSE, trainable initial state  MSE, zeros")
    for seed in range(args.seed, args.seed + config.n_seeds):
        results["trainable"].append(train(LSTM, config, seed))
        results["zeros"].append(train(ZeroStateLSTM, config, seed))
        print(f"{seed:4}  {results['trainable'][-1]:28.6f}  {results['zeros'][-1]:10.6f}")
    studies.compare(results)
    return results


if __name__ == "__main__":
    main()
