"""What do the parameters of tf.nn.dynamic_rnn do?

Two LSTM layers of 20 units over 2 sequences of 5 inputs, again and again with the same weights:

    time_major           inputs and outputs are [T, batch_size, n], not [batch_size, T, n]; the numbers are the same
    sequence_length      after a sequence's end the outputs are 0, and its state stays as it was there
    initial_state        the states after 2 steps, and the other 3 as inputs: the same as all 5 at once
    parallel_iterations  steps of the loop that may run at a time, 32 by default: the numbers are the same
    swap_memory          what the gradients need moves from a GPU's memory to the host's: the numbers are the same

Where the numbers are the same, the largest difference is 0.

    python -m studies.dynamic_rnn_parameters

Source: notes in Chinese by 烟酒僧 on LSTMs (29 March 2020), which list the parameters.
"""

import numpy as np

import configs
import studies
from tf1 import app, tf
from tf1.app import UserError


@app.command
def main(argv=None):
    """Returns the largest difference by the parameter's name."""
    args, config = studies.parse_args(__file__, __doc__, configs.LSTM_CELLS_CONFIGS, argv)
    if config.n_steps < 4:
        raise UserError(f"--set n_steps={config.n_steps}: sequences that are cut and shortened take at least 4")
    n_steps, short = config.n_steps, config.n_steps - 2
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        X = tf.placeholder(tf.float32, [None, n_steps, config.n_inputs])
        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(config.n_neurons) for _ in range(2)])

        def rnn(inputs, **parameters):  # every call builds layers over the same weights
            with tf.variable_scope("rnn", reuse=tf.AUTO_REUSE) as scope:
                return tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32, scope=scope, **parameters)

        _, first_states = rnn(X[:, :2])
        fetches = {
            "plain": rnn(X),
            "time_major": rnn(tf.transpose(X, [1, 0, 2]), time_major=True),
            "sequence_length": rnn(X, sequence_length=[n_steps, short]),
            "initial_state": rnn(X[:, 2:], initial_state=first_states),
            "parallel_iterations": rnn(X, parallel_iterations=1),
            "swap_memory": rnn(X, swap_memory=True),
        }
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            X_batch = np.random.RandomState(args.seed).rand(2, n_steps, config.n_inputs)
            values = session.run(fetches, feed_dict={X: X_batch})

    outputs, _ = values.pop("plain")
    short_outputs, short_states = values["sequence_length"]
    found = {name: value for name, (value, _) in values.items()}
    found["time_major"] = found["time_major"].transpose(1, 0, 2)
    found["sequence_length"] = short_states[-1].h[1]
    expected = {"initial_state": outputs[:, 2:], "sequence_length": outputs[1, short - 1]}
    results = {name: float(np.max(np.abs(value - expected.get(name, outputs)))) for name, value in found.items()}

    rest = np.unique(short_outputs[1, short:])
    print(f"time_major=True: inputs and outputs {values['time_major'][0].shape} for {outputs.shape}")
    print(
        f"sequence_length=[{n_steps}, {short}]: outputs after a sequence's end are {rest}, its state is that of its end"
    )
    print("initial_state=the states after 2 steps, and the other steps as inputs: the outputs of these steps")
    print("Differences from what a plain call gives:")
    for name, difference in results.items():
        print(f"    {name:20} {difference:.0e}")
    return results


if __name__ == "__main__":
    main()
