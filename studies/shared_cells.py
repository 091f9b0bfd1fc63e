"""What goes wrong with [cell] * n?

One cell object is one set of weights, and `MultiRNNCell([cell] * 2)` has it in both layers. Where the inputs are as
wide as the layers there is no error: both layers have one kernel, [40, 80] for 20 units. Elsewhere the kernel fits the
first layer alone, and TensorFlow refuses. A list needs an object for each layer, [BasicLSTMCell(n) for n in num_units].

    python -m studies.shared_cells

Source: notes in Chinese by 烟酒僧 on LSTMs (29 March 2020), which advise against it.
"""

import configs
import studies
from tf1 import app, tf


def kernels(cells, n_inputs, n_steps):
    """The shapes of the kernels of a network of these layers over inputs of that width, or TensorFlow's objection."""
    X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
    verbosity = tf.logging.get_verbosity()
    tf.logging.set_verbosity(tf.logging.ERROR)  # TensorFlow warns of shared cells
    try:
        tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), X, dtype=tf.float32)
        return [variable.shape.as_list() for variable in tf.trainable_variables() if "kernel" in variable.op.name]
    except ValueError as error:
        return str(error).partition(" for ")[0]
    finally:
        tf.logging.set_verbosity(verbosity)


@app.command
def main(argv=None):
    """Returns the kernels' shapes, or what TensorFlow objects, by the list of cells and the width of the inputs."""
    _, config = studies.parse_args(__file__, __doc__, configs.LSTM_CELLS_CONFIGS, argv)
    units, results = config.n_neurons, {}
    for n_inputs in (config.n_inputs, units):
        for name in ("[cell, another]", "[cell] * 2"):
            with tf.Graph().as_default():
                cell, another = (tf.nn.rnn_cell.BasicLSTMCell(units) for _ in range(2))
                cells = [cell] * 2 if "*" in name else [cell, another]
                results[name, n_inputs] = kernels(cells, n_inputs, config.n_steps)
            print(f"{name:15} of {units} units over inputs of width {n_inputs}: {results[name, n_inputs]}")
    return results


if __name__ == "__main__":
    main()
