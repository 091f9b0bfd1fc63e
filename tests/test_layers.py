"""The whole-sequence layers against their cells, unrolled step by step, and against numeric derivatives."""

import numpy as np
import pytest

from conftest import slow
from tf1 import layers, rnn, tf

KINDS = ["lstm", "gru", "tanh", "relu"]  # cuDNN's, too
# An LSTM with the c of each time step beside its h, and TensorFlow's GRUCell.
ALL_KINDS = [*KINDS, "every_c", "reset_before"]
LSTMS = ("lstm", "every_c")
GATES = {"lstm": 4, "every_c": 4, "gru": 3}


def unrolled(kind, inputs, state, weights):
    """The layer of cells: outputs [num_steps, batch_size, units], and a list of the final states."""
    if kind == "gru":
        cell = rnn.GRUCell(*weights)
    else:
        units = state[0].shape[1].value
        if kind in LSTMS:
            cell = tf.nn.rnn_cell.BasicLSTMCell(units, forget_bias=0.3)
            state = [tf.nn.rnn_cell.LSTMStateTuple(*state)]
        elif kind == "reset_before":
            cell = tf.nn.rnn_cell.GRUCell(units)
        else:
            cell = tf.nn.rnn_cell.BasicRNNCell(units, activation=tf.tanh if kind == "tanh" else tf.nn.relu)
        variables = iter(weights)
    state, outputs = state[0], []
    for step in tf.unstack(inputs):
        if kind == "gru":
            output, state = cell(step, state)
        else:
            # A cell makes its variables when it is first called.
            with tf.variable_scope("cell", reuse=tf.AUTO_REUSE, custom_getter=lambda *_, **__: next(variables)):
                output, state = cell(step, state)
        outputs.append(tf.concat([output, state.c], 1) if kind == "every_c" else output)
    return tf.stack(outputs), list(state) if kind in LSTMS else [state]


def fused(kind, inputs, state, weights, precision="fp32"):
    layer, settings = layer_of(kind)
    outputs, state = layer(inputs, state if kind in LSTMS else state[0], *weights, precision=precision, **settings)
    return outputs, list(state) if kind in LSTMS else [state]


def layer_of(kind):
    """The function of a kind, and its settings."""
    if kind in LSTMS:
        return layers.lstm, {"forget_bias": 0.3, "every_c": kind == "every_c"}
    if kind in ("tanh", "relu"):
        return layers.rnn, {"activation": kind}
    return {"gru": layers.gru, "reset_before": layers.gru_reset_before}[kind], {}


def make(kind, num_steps, batch_size, input_size, units, seed=0):
    """Inputs, initial states and weights, arrays of float64."""
    random = np.random.RandomState(seed)
    if kind == "gru":
        shapes = [(input_size, 3 * units), (units, 3 * units), (2, 3 * units)]
    else:
        products = [2, 1] if kind == "reset_before" else [GATES.get(kind, 1)]
        shapes = [shape for n in products for shape in ((input_size + units, n * units), (n * units,))]
    inputs = random.normal(size=[num_steps, batch_size, input_size])
    state = list(random.normal(size=[2 if kind in LSTMS else 1, batch_size, units]))
    scale = 1 / np.sqrt(input_size + units)  # so that ReLUs stay of the order of 1
    return inputs, state, [random.normal(size=shape) * scale for shape in shapes]


def value_and_gradients(build, kind, arrays, **settings):
    """Outputs, final states, and the gradients of a sum that weighs all of them at random."""
    inputs, state, weights = arrays
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(inputs, tf.float32)
        initial, w = ([tf.constant(array, tf.float32) for array in group] for group in (state, weights))
        outputs, final = build(kind, x, initial, w, **settings)
        random = np.random.RandomState(1)
        loss = sum(tf.reduce_sum(tensor * random.normal(size=tensor.shape)) for tensor in [outputs, *final])
        gradients = tf.gradients(loss, [x, *initial, *w])
        return session.run([outputs, *final, *gradients])


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (7, 3, 5, 4), slow((10, 2, 1, 8)), slow((3, 17, 8, 6))])
def test_a_layer_equals_its_cell_step_by_step(kind, sizes):
    arrays = make(kind, *sizes)
    found, expected = (value_and_gradients(build, kind, arrays) for build in (fused, unrolled))
    assert len(found) == {"lstm": 8, "every_c": 8, "gru": 7, "reset_before": 8}.get(kind, 6)
    for ours, theirs in zip(found, expected):
        # fp32, sums of at most 10 x 17 terms in another order.
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5 * np.max(np.abs(theirs)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("groups", [2, 3, 5])
def test_groups_of_rows_are_the_whole(kind, groups):
    def grouped(kind, inputs, state, weights):
        layer, settings = layer_of(kind)
        state = tuple(state) if kind in LSTMS else state[0]
        outputs, state = layers.in_groups(layer, groups, inputs, state, *weights, **settings)
        return outputs, list(state) if kind in LSTMS else [state]

    arrays = make(kind, 4, 5, 3, 6)
    found, expected = (value_and_gradients(build, kind, arrays) for build in (grouped, fused))
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5 * np.max(np.abs(theirs)))  # fp32


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    inputs, state, weights = make(kind, 3, 2, 3, 3)
    with tf.Graph().as_default(), tf.Session():
        x = tf.constant(inputs)
        initial, w = ([tf.constant(array) for array in group] for group in (state, weights))
        outputs, final = fused(kind, x, initial, w)
        for y in [outputs, *final]:
            assert y.dtype == tf.float64
            for tensor in [x, *initial, *w]:
                theoretical, numeric = tf.test.compute_gradient(
                    tensor, tensor.shape.as_list(), y, y.shape.as_list(), delta=1e-6
                )
                np.testing.assert_allclose(theoretical, numeric, atol=1e-8)  # delta^2 + 1e-16 / delta


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_bf16_is_near(monkeypatch, kind, is_large):
    monkeypatch.setattr(layers, "_REORDERED", 0 if is_large else 1 << 20)
    arrays = make(kind, 3, 4, 16, 16)
    rounded, exact = (value_and_gradients(fused, kind, arrays, precision=name) for name in ("bf16", "fp32"))
    for ours, theirs in zip(rounded, exact):
        assert ours.dtype == np.float32
        # 8 bits of mantissa: 0.4 % a product, which three steps pass on. In the mean: a ReLU near 0 may change sides.
        assert 0 < np.mean(np.abs(ours - theirs)) < 0.05 * np.mean(np.abs(theirs))


def test_cross_entropy_is_tensorflows():
    random = np.random.RandomState(0)
    inputs, weights, bias = random.normal(size=[50, 8]), random.normal(size=[8, 100]), random.normal(size=[100])
    labels = random.randint(0, 100, 50)

    def run(build):
        with tf.Graph().as_default(), tf.Session() as session:
            tensors = [tf.constant(array, tf.float32) for array in (inputs, weights, bias)]
            losses = build(*tensors)
            total = tf.reduce_sum(losses * random_weights)
            return session.run([losses, *tf.gradients(total, tensors)])

    random_weights = random.normal(size=50)
    ours = run(lambda x, w, b: layers.softmax_cross_entropy(x, tf.constant(labels), w, b))
    theirs = run(
        lambda x, w, b: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=tf.matmul(x, w) + b)
    )
    for found, expected in zip(ours, theirs):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_cross_entropy_of_large_logits():
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [1e4, 1e4, 1e4], [1e4, 9999.0, -1e4]])
    labels = np.array([1, 2, 0, 1])
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(logits, tf.float32)
        losses = layers.softmax_cross_entropy(x, tf.constant(labels), tf.eye(3), tf.zeros([3]))
        found, gradient = session.run([losses, tf.gradients(losses, x)[0]])
        expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)
        expected_value, expected_gradient = session.run([expected, tf.gradients(expected, x)[0]])
    np.testing.assert_allclose(found, expected_value, rtol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cudnn_in_numpy(kind, inputs, state, params):
    """A layer as cuDNN's documentation has it (cudnnRNNMode_t), from its one vector of weights; returns the outputs.

    Gates in the order of linLayerID, W x + b_W of the inputs and R h + b_R of the state:

        CUDNN_LSTM    i, f, c', o     c = f * c + i * c'    h = o * tanh(c)
        CUDNN_GRU     r, i, h'        h' = tanh(W_h x + b_Wh + r * (R_h h + b_Rh))    h = (1 - i) * h' + i * h
        CUDNN_RNN_*   one
    """
    gates, size, units = {"lstm": 4, "gru": 3}.get(kind, 1), inputs.shape[2], state[0].shape[1]
    sizes = [units * size] * gates + [units * units] * gates + [units] * 2 * gates
    assert len(params) == sum(sizes)
    parts = np.split(params, np.cumsum(sizes)[:-1])
    W = [part.reshape(units, size) for part in parts[:gates]]
    R = [part.reshape(units, units) for part in parts[gates : 2 * gates]]
    b_W, b_R = parts[2 * gates : 3 * gates], parts[3 * gates :]
    (c, h), outputs = (state if kind == "lstm" else (None, state[0])), []
    for x in inputs:
        of_x = [x @ matrix.T + bias for matrix, bias in zip(W, b_W)]
        of_h = [h @ matrix.T + bias for matrix, bias in zip(R, b_R)]
        if kind == "lstm":
            i, f, new, o = (a + b for a, b in zip(of_x, of_h))
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(new)
            h = sigmoid(o) * np.tanh(c)
        elif kind == "gru":
            r, i = (sigmoid(a + b) for a, b in zip(of_x[:2], of_h[:2]))
            h = (1 - i) * np.tanh(of_x[2] + r * of_h[2]) + i * h
        else:
            h = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}[kind](of_x[0] + of_h[0])
        outputs.append(h)
    return np.array(outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_vector_of_cudnn_says_the_same_as_the_variables(kind):
    inputs, state, weights = make(kind, 6, 3, 5, 4)
    pack = {"lstm": layers.cudnn_lstm_params, "gru": layers.cudnn_gru_params}.get(kind, layers.cudnn_rnn_params)
    with tf.Graph().as_default(), tf.Session() as session:
        w = [tf.constant(array) for array in weights]
        outputs, _ = fused(kind, tf.constant(inputs), [tf.constant(array) for array in state], w)
        params = pack(*w, **({"forget_bias": 0.3} if kind == "lstm" else {}))
        outputs_value, params_value = session.run([outputs, params])
    np.testing.assert_allclose(cudnn_in_numpy(kind, inputs, state, params_value), outputs_value, atol=1e-12)  # fp64


@pytest.mark.parametrize("kind", KINDS)
def test_the_cudnn_op_sits_on_the_gpu_and_has_gradients(kind):
    inputs, state, weights = make(kind, 6, 3, 5, 4)
    with tf.Graph().as_default() as graph:
        x = tf.constant(inputs, tf.float32)
        initial, w = ([tf.constant(array, tf.float32) for array in group] for group in (state, weights))
        if kind == "lstm":
            outputs, final = layers.cudnn_lstm(x, initial, *w)
        elif kind == "gru":
            outputs, *final = layers.cudnn_gru(x, *initial, *w)
        else:
            outputs, *final = layers.cudnn_rnn(x, *initial, *w, activation=kind)
        assert outputs.shape.as_list() == [None, None, 4] or outputs.shape.as_list() == [6, 3, 4]
        assert len(final) == len(initial)
        assert None not in tf.gradients([outputs, *final], [x, *initial, *w])
        for name in "CudnnRNNV3", "CudnnRNNBackpropV3":
            ops = [op for op in graph.get_operations() if op.type == name]
            assert [op.device for op in ops] == ["/device:GPU:0"]
            assert ops[0].get_attr("rnn_mode") == {"tanh": b"rnn_tanh", "relu": b"rnn_relu"}.get(kind, kind.encode())
