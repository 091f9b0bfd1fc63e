"""Does `with tf.device(...)` around the making of a cell place it?

No. A cell makes its ops, and its variables, when it is called, which `dynamic_rnn` does later: the block must be open
then. A wrapper whose `__call__` opens it does that, the book's `DeviceCellWrapper` or TensorFlow's own
`tf.nn.rnn_cell.DeviceWrapper`. Two layers, the first meant for /cpu:0 and the second for /cpu:1; of the ops of each,
how many have a device in the graph, and where a session with two CPU devices puts them:

    with tf.device around             layer 0                   layer 1
    the making of the cell             0 of 13 ops, on CPU:0     0 of 13 ops, on CPU:0
    its call, DeviceCellWrapper       13 of 13 ops, on CPU:0    13 of 13 ops, on CPU:1
    its call, TensorFlow's wrapper    13 of 13 ops, on CPU:0    13 of 13 ops, on CPU:1
    dynamic_rnn                       13 of 13 ops, on CPU:1    13 of 13 ops, on CPU:1

The outputs are the same in all four. With GPUs, read /gpu:0 and /gpu:1; no GPU is needed to see where ops go.

    python -m studies.device_placement        3 seconds

Source: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14, and
its notebook 14_recurrent_neural_networks.ipynb at https://github.com/ageron/handson-ml, which records no output here.
"""

import contextlib

import numpy as np

import configs
import studies
from tf1 import app, tf
from tf1.op_seeds import kernel_seeds

DEVICES = "/cpu:0", "/cpu:1"  # of the two layers


class DeviceCellWrapper:
    """A cell whose ops and variables are on `device`: the block is open while the cell is called."""

    def __init__(self, device, cell):
        self._device, self._cell = device, cell
        self.state_size, self.output_size = cell.state_size, cell.output_size

    def zero_state(self, batch_size, dtype):
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs], `state` [batch_size, n_neurons]; returns what the cell does."""
        with tf.device(self._device):
            return self._cell(inputs, state, scope)


def made_on(device, n_neurons):
    with tf.device(device):  # too early: nothing is made in here that a graph could place
        return tf.nn.rnn_cell.BasicRNNCell(n_neurons)


def called_on(device, n_neurons):
    return DeviceCellWrapper(device, tf.nn.rnn_cell.BasicRNNCell(n_neurons))


def called_on_by_tensorflow(device, n_neurons):
    return tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.BasicRNNCell(n_neurons), device)


FORMS = {  # by what the block is around: how a cell is made, and the device of the block around `dynamic_rnn`
    "the making of the cell": (made_on, None),
    "its call, DeviceCellWrapper": (called_on, None),
    "its call, TensorFlow's wrapper": (called_on_by_tensorflow, None),
    "dynamic_rnn": (lambda device, n_neurons: tf.nn.rnn_cell.BasicRNNCell(n_neurons), DEVICES[1]),
}


def layer_ops(graph, layer):
    """The ops of a layer's time step and variables. TensorFlow makes the initial values outside of all blocks."""
    ops = graph.get_operations()
    return [op for op in ops if f"/cell_{layer}/" in op.name and "/Initializer/" not in op.name]


def place(config, form, seed):
    """Builds and runs a network of two layers.

    Returns the outputs [2, n_steps, n_neurons], and for each layer a dict: of its `ops` in the graph, their number;
    how many of them `have_device`; and the devices that they `run_on` in the session, a list of names.
    """
    new_cell, outer_device = FORMS[form]
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(seed)
        X = tf.placeholder(tf.float32, [None, config.n_steps, config.n_inputs])
        cell = tf.nn.rnn_cell.MultiRNNCell([new_cell(device, config.n_neurons) for device in DEVICES])
        with tf.device(outer_device) if outer_device else contextlib.nullcontext(), kernel_seeds(1, 2):
            outputs, _ = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)  # [batch_size, n_steps, n_neurons]

        options, metadata = tf.RunOptions(output_partition_graphs=True), tf.RunMetadata()
        with tf.Session(config=tf.ConfigProto(device_count={"CPU": len(DEVICES)})) as session:
            session.run(tf.global_variables_initializer())
            X_batch = np.random.RandomState(seed).rand(2, config.n_steps, config.n_inputs)
            outputs_val = session.run(outputs, {X: X_batch}, options=options, run_metadata=metadata)
    # What runs: less than the graph has, since initial values and what is not fetched are left out.
    nodes = {node.name: node for partition in metadata.partition_graphs for node in partition.node}
    layers = []
    for layer in range(len(DEVICES)):
        ops = layer_ops(graph, layer)
        run_on = {nodes[op.name].device.rpartition("device:")[2] for op in ops if op.name in nodes}
        have_device = sum(bool(op.device) for op in ops)
        layers.append({"ops": len(ops), "have_device": have_device, "run_on": sorted(run_on)})
    return outputs_val, layers


@app.command
def main(argv=None):
    """Returns for each of FORMS the layers' dicts of `place`, and the largest `difference` between their outputs."""
    args, config = studies.parse_args(__file__, __doc__, configs.LSTM_CELLS_CONFIGS, argv)
    results, all_outputs = {}, []
    print(f"Layer 0 is meant for {DEVICES[0]}, layer 1 for {DEVICES[1]}. Ops that have a device; where they are put:")
    print(f"{'with tf.device around':32}  {'layer 0':24}  layer 1")
    for form in FORMS:
        outputs, layers = place(config, form, args.seed)
        all_outputs.append(outputs)
        columns = [f"{r['have_device']:2} of {r['ops']} ops, on {', '.join(r['run_on'])}" for r in layers]
        print(f"{form:32}  {columns[0]:24}  {columns[1]}")
        results[form] = layers
    difference = max(float(np.max(np.abs(outputs - all_outputs[0]))) for outputs in all_outputs)
    print(f"Largest difference between the outputs: {difference:.1e}")
    return {**results, "difference": difference}


if __name__ == "__main__":
    main()
