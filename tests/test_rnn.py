"""`tf1/rnn.py` against TensorFlow's functions: outputs, states, gradients and variables of the same cells."""

import functools

import numpy as np
import pytest

from conftest import slow
from tf1 import rnn, tf
from tf1.dropout import DropoutWrapper


def gru(n_inputs, units):
    glorot = tf.glorot_uniform_initializer(seed=1)
    with tf.variable_scope("gru"):
        kernel = tf.get_variable("kernel", [n_inputs, 3 * units], initializer=glorot)
        recurrent_kernel = tf.get_variable("recurrent_kernel", [units, 3 * units], initializer=glorot)
        return rnn.GRUCell(kernel, recurrent_kernel, tf.get_variable("bias", [2, 3 * units], initializer=glorot))


def lstm(units, **arguments):
    return tf.nn.rnn_cell.BasicLSTMCell(units, **arguments)


def basic(units, **arguments):
    return tf.nn.rnn_cell.BasicRNNCell(units, **arguments)


def multi(*cells):
    return tf.nn.rnn_cell.MultiRNNCell(cells)


def own_cell(units):
    class Own(tf.nn.rnn_cell.BasicRNNCell):
        def call(self, inputs, state):
            output, state = super().call(inputs, state)
            return 2 * output, state

    return Own(units)


class Product(tf.nn.rnn_cell.RNNCell):
    """A cell whose input is a pair."""

    state_size = output_size = 4

    def call(self, inputs, state):
        state += inputs[0] * inputs[1]
        return state, state


def tanh(x):
    return 2 * x


# A cell of two or three sizes, over inputs of `n` values.
CELLS = {
    "tanh": lambda n, a, b: basic(a),
    "relu": lambda n, a, b: basic(a, activation=tf.nn.relu),
    "lstm": lambda n, a, b: lstm(a),
    "lstm without forget bias": lambda n, a, b: lstm(a, forget_bias=0.0),
    "lstm with every argument": lambda n, a, b: tf.nn.rnn_cell.LSTMCell(a, forget_bias=0.5),
    "gru": lambda n, a, b: gru(n, a),
    "gru of TensorFlow": lambda n, a, b: tf.nn.rnn_cell.GRUCell(a),
    "layers": lambda n, a, b: multi(lstm(a), basic(b), lstm(a)),
    "one layer": lambda n, a, b: multi(lstm(a)),
    "layers of layers": lambda n, a, b: multi(multi(lstm(a), lstm(b)), basic(a)),
    "dropout": lambda n, a, b: multi(DropoutWrapper(lstm(a), output_keep_prob=0.5), DropoutWrapper(basic(b), 0.7)),
    "TensorFlow's dropout of nothing": lambda n, a, b: multi(tf.nn.rnn_cell.DropoutWrapper(lstm(a)), basic(b)),
    "dropout around layers": lambda n, a, b: DropoutWrapper(multi(lstm(a), lstm(b)), 0.7, 0.6),
    "projection": lambda n, a, b: rnn.OutputProjectionWrapper(basic(a), b),
    "projection of layers": lambda n, a, b: rnn.OutputProjectionWrapper(multi(lstm(a), gru(a, a)), b),
}
OTHERS = {  # that go to TensorFlow's own function
    "peepholes": lambda n, a, b: tf.nn.rnn_cell.LSTMCell(a, use_peepholes=True),
    "smaller output": lambda n, a, b: tf.nn.rnn_cell.LSTMCell(a, num_proj=1),
    "clipped": lambda n, a, b: tf.nn.rnn_cell.LSTMCell(a, cell_clip=0.1),
    "gru of relu": lambda n, a, b: tf.nn.rnn_cell.GRUCell(a, activation=tf.nn.relu),
    "one tensor for a state": lambda n, a, b: lstm(a, state_is_tuple=False),
    "one tensor for all states": lambda n, a, b: tf.nn.rnn_cell.MultiRNNCell([basic(a), basic(b)], False),
    "variational dropout": lambda n, a, b: tf.nn.rnn_cell.DropoutWrapper(
        lstm(a), output_keep_prob=1.0, variational_recurrent=True, dtype=tf.float32
    ),
    "sigmoid": lambda n, a, b: basic(a, activation=tf.sigmoid),
    "lstm of relu": lambda n, a, b: lstm(a, activation=tf.nn.relu),
    "a subclass": lambda n, a, b: own_cell(a),
    "dropout of states": lambda n, a, b: DropoutWrapper(lstm(a), state_keep_prob=0.5),
    "one of many": lambda n, a, b: multi(lstm(a), basic(b, activation=tf.sigmoid)),
    "another function called tanh": lambda n, a, b: lstm(a, activation=tanh),
    "a function without a name": lambda n, a, b: basic(a, activation=functools.partial(tf.nn.leaky_relu, alpha=0.1)),
    "variables in shards": lambda n, a, b: tf.nn.rnn_cell.LSTMCell(a, num_unit_shards=2),
}


def values_of(build, rnn_mode, sizes, time_major=False, with_state=False, rows=None, static=False, **arguments):
    """Names of the variables, the structure of the results, and values: outputs, state, loss, gradients."""
    num_steps, batch_size, n, a, b = sizes
    random = np.random.RandomState(1)
    x_value = random.uniform(-1, 1, [num_steps, batch_size, n] if time_major else [batch_size, num_steps, n])
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(2)
        shape = [size if size != batch_size or rows else None for size in x_value.shape]
        x = tf.placeholder(tf.float32, shape if rows is None else x_value.shape)
        cell = build(n, a, b)
        state = None
        if with_state:
            zeros = cell.zero_state(batch_size, tf.float32)
            state = tf.nest.map_structure(lambda z: tf.constant(random.uniform(-1, 1, z.shape), tf.float32), zeros)
        if static:
            steps = tf.unstack(x, axis=1)
            outputs, final = rnn.static_rnn(cell, steps, state, tf.float32, rnn_mode=rnn_mode, **arguments)
            assert isinstance(outputs, list) and len(outputs) == num_steps
        else:
            arguments.update(initial_state=state, dtype=tf.float32, time_major=time_major, rnn_mode=rnn_mode)
            outputs, final = rnn.dynamic_rnn(cell, x, **arguments)
        weights = [tf.constant(random.uniform(-1, 1, [5]), tf.float32) for _ in tf.nest.flatten((outputs, final))]
        loss = tf.add_n(
            [tf.reduce_sum(tf.sin(y)[..., :1] * w) for y, w in zip(tf.nest.flatten((outputs, final)), weights)]
        )
        tvars = tf.trainable_variables()
        gradients = tf.gradients(loss, [x, *tvars])
        session.run(tf.global_variables_initializer())
        values = session.run([tf.nest.flatten((outputs, final)), loss, gradients], {x: x_value})
        loops = [op for op in graph.get_operations() if op.type in ("Enter", "While")]
    return [v.op.name for v in tvars], (outputs, final), tf.nest.flatten(values), bool(loops)


def assert_same(found, expected):
    assert found[0] == expected[0]
    tf.nest.assert_same_structure(found[1], expected[1])
    for ours, theirs in zip(found[2], expected[2]):
        # fp32; sums of a dozen terms over a dozen time steps in another order.
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5 * max(1, np.max(np.abs(theirs))))


def random_sizes(name):
    """num_steps, batch_size, and three widths, all different, by the test's name."""
    random = np.random.RandomState(sum(map(ord, name)))
    return [int(size) for size in random.permutation(np.arange(2, 12))[:5]]


# Kinds of which another one is tested as often as the tests are run.
SELDOM = (
    ["one layer", "lstm without forget bias", "TensorFlow's dropout of nothing", "dropout around layers"]
    + ["layers of layers", "projection", "dropout of states", "lstm of relu", "gru of relu", "smaller output"]
    + ["variational dropout", "one tensor for all states"]
)


@pytest.mark.parametrize(
    "time_major, with_state", [(True, True), slow(False, False), slow(False, True), slow(True, False)]
)
@pytest.mark.parametrize("name", [slow(name) if name in SELDOM else name for name in CELLS])
def test_dynamic_rnn_is_tensorflows(name, time_major, with_state):
    arguments = CELLS[name], random_sizes(name), time_major, with_state
    build, sizes, *rest = arguments
    found, expected = (values_of(build, mode, sizes, *rest, groups=2) for mode in ("fused", "basic"))
    assert_same(found, expected)
    assert expected[3] and not found[3]  # a loop of the graph, and none


@pytest.mark.parametrize("with_state", [False, slow(True)])
@pytest.mark.parametrize("name", [name if name in ("tanh", "gru", "layers") else slow(name) for name in CELLS])
def test_static_rnn_is_tensorflows(name, with_state):
    found, expected = (
        values_of(CELLS[name], mode, random_sizes(name), with_state=with_state, static=True)
        for mode in ("fused", "basic")
    )
    assert_same(found, expected)


@pytest.mark.parametrize("name", [slow(name) if name in SELDOM else name for name in OTHERS])
def test_other_cells_go_to_tensorflow(name):
    found, expected = (values_of(OTHERS[name], mode, random_sizes(name)) for mode in ("fused", "basic"))
    assert found[3]
    for ours, theirs in zip(found[2], expected[2]):
        np.testing.assert_array_equal(ours, theirs)


def test_inputs_as_tensorflow_takes_them():
    x = np.random.RandomState(0).uniform(-1, 1, [2, 3, 4]).astype(np.float32)
    cases = [
        lambda **mode: rnn.dynamic_rnn(basic(5), x, **mode),  # an array
        lambda **mode: rnn.bidirectional_dynamic_rnn(basic(5), basic(5), x, [3, 1], **mode),
        lambda **mode: rnn.bidirectional_dynamic_rnn(Product(), Product(), (tf.constant(x), tf.constant(x)), **mode),
        lambda **mode: rnn.dynamic_rnn(basic(5), x[:, :0], **mode)[1],  # no time step
    ]
    for case in cases:
        found = []
        for mode in "fused", "basic":
            with tf.Graph().as_default(), tf.Session() as session:
                with tf.variable_scope("", initializer=tf.constant_initializer(0.3)):
                    results = tf.nest.flatten(case(dtype=tf.float32, rnn_mode=mode))
                session.run(tf.global_variables_initializer())
                found.append(session.run(results))
        for ours, theirs in zip(*found):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="inputs"):
        rnn.static_rnn(basic(5), [], dtype=tf.float32)


def test_variables_in_parts_go_to_tensorflow():
    with tf.Graph().as_default(), tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
        rnn.dynamic_rnn(lstm(4), tf.zeros([2, 3, 4]), dtype=tf.float32, rnn_mode="fused")
        assert "rnn/basic_lstm_cell/kernel/part_1" in [v.op.name for v in tf.trainable_variables()]


def test_unknown_numbers_of_time_steps_go_to_tensorflow():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, None, 4])
        outputs, _ = rnn.dynamic_rnn(basic(5), x, dtype=tf.float32, rnn_mode="fused")
        assert outputs.op.type == "Transpose"  # TensorFlow's last step, after its loop


@pytest.mark.parametrize("static, with_state", [(False, True), slow(False, False), slow(True, False)])
@pytest.mark.parametrize(
    "name", ["lstm", "gru", "tanh", "gru of TensorFlow", "layers", "dropout", "projection of layers"]
)
def test_sequence_lengths(name, static, with_state):
    sizes = random_sizes(name)
    # More than there are steps, all, none, a negative one, and those between.
    lengths = np.random.RandomState(3).permutation([sizes[0] + 3, sizes[0], 0, -1, *range(sizes[1])])[: sizes[1]]
    found, expected = (
        values_of(
            CELLS[name], mode, sizes, with_state=with_state, static=static, sequence_length=lengths.astype(np.int64)
        )
        for mode in ("fused", "basic")
    )
    assert_same(found, expected)
    assert not found[3]


def test_lengths_must_be_one_a_row():
    with tf.Graph().as_default(), tf.Session() as session:
        x, lengths = tf.zeros([3, 5, 4]), tf.placeholder(tf.int32, [None])
        outputs, _ = rnn.dynamic_rnn(lstm(5), x, lengths, dtype=tf.float32, rnn_mode="fused")
        session.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="Expected shape"):
            session.run(outputs, {lengths: [1, 2]})
        with pytest.raises(ValueError, match="must be a vector"):
            rnn.dynamic_rnn(lstm(5), x, [[1, 2, 3]], dtype=tf.float32, rnn_mode="fused")


@pytest.mark.parametrize("lengths", [slow(None), [3, 1, 5, 0]])
@pytest.mark.parametrize("form", ["static", "batch_major", "time_major"])
def test_bidirectional_layers_are_tensorflows(form, lengths):
    value = np.random.RandomState(4).uniform(-1, 1, [5, 4, 3] if form == "time_major" else [4, 5, 3])
    found = []
    for module, modes in (rnn, {"rnn_mode": "fused"}), (tf.nn, {}):
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.set_random_seed(5)
            x = tf.constant(value, tf.float32)
            cells = lstm(6), tf.nn.rnn_cell.GRUCell(2)
            arguments = {"sequence_length": lengths, "dtype": tf.float32, **modes}
            if form == "static":
                results = module.static_bidirectional_rnn(*cells, tf.unstack(x, axis=1), **arguments)
            else:
                is_time_major = form == "time_major"
                results = module.bidirectional_dynamic_rnn(*cells, x, time_major=is_time_major, **arguments)
            tvars = tf.trainable_variables()
            loss = tf.add_n([tf.reduce_sum(tf.sin(y)) for y in tf.nest.flatten(results)])
            session.run(tf.global_variables_initializer())
            values = session.run([*tf.nest.flatten(results), *tf.gradients(loss, [x, *tvars])])
            loops = any(op.type in ("Enter", "While") for op in graph.get_operations())
            found.append(([v.op.name for v in tvars], results, values, loops))
    assert_same(*found)
    assert not found[0][3]


def test_basic_is_tensorflows_function():
    with tf.Graph().as_default() as graph:
        x = [tf.zeros([2, 3])] * 4
        rnn.static_bidirectional_rnn(basic(5), basic(5), x, dtype=tf.float32, rnn_mode="basic")
        assert not any(op.type in ("Enter", "While") for op in graph.get_operations())  # unrolled, as TensorFlow has it


def test_the_rate_of_tensorflows_dropout():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(6)
        keep_prob = tf.placeholder(tf.float32, [])
        cell = multi(tf.nn.rnn_cell.DropoutWrapper(basic(50, activation=tf.nn.relu), 1.0, keep_prob))
        outputs, _ = rnn.dynamic_rnn(cell, tf.ones([20, 10, 30]), dtype=tf.float32, rnn_mode="fused")
        session.run(tf.global_variables_initializer())
        whole, dropped = (session.run(outputs, {keep_prob: value}) for value in (1.0, 0.25))
    kept = dropped[whole > 0] > 0
    assert abs(kept.mean() - 0.25) < 0.03  # of some 5,000
    np.testing.assert_allclose(dropped[whole > 0][kept], 4 * whole[whole > 0][kept], rtol=1e-5)


def test_input_and_output_masks_differ_with_a_seed():
    with tf.Graph().as_default(), tf.Session() as session:
        cell = tf.nn.rnn_cell.DropoutWrapper(basic(50), 0.5, 0.5, seed=1)
        rnn.dynamic_rnn(cell, tf.ones([20, 10, 50]), dtype=tf.float32, rnn_mode="fused")
        operations = tf.get_default_graph().get_operations()
        masks = [op.outputs[0] for op in operations if op.type == "RandomUniform" and "dropout" in op.name]
        first, second = (mask < 0.5 for mask in session.run(masks[-2:]))
    assert first.shape == second.shape == (10, 20, 50) and abs((first == second).mean() - 0.5) < 0.05


def test_more_groups_than_rows():
    sizes = (3, 2, 4, 5, 6)
    found, expected = (values_of(CELLS["lstm"], "fused", sizes, rows=2, groups=groups) for groups in (5, 1))
    assert_same(found, expected)


def test_bf16_is_near():
    sizes = (5, 4, 8, 8, 8)
    exact, rounded = (
        values_of(CELLS["layers"], "fused", sizes, precision=precision)[2] for precision in ("fp32", "bf16")
    )
    assert 0 < np.max(np.abs(exact[0] - rounded[0])) < 0.02  # 8 bits of mantissa


def test_a_scope_and_its_reuse():
    with tf.Graph().as_default():
        x = tf.zeros([2, 3, 4])
        for reuse in (None, True):
            with tf.variable_scope("Model", reuse=reuse):
                rnn.dynamic_rnn(multi(lstm(5)), x, dtype=tf.float32, scope="RNN", rnn_mode="fused")
        names = [variable.op.name for variable in tf.global_variables()]
    assert names == [f"Model/RNN/multi_rnn_cell/cell_0/basic_lstm_cell/{name}" for name in ("kernel", "bias")]


def test_neither_a_state_nor_a_type():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="initial_state"):
        rnn.dynamic_rnn(basic(5), tf.zeros([2, 3, 4]), rnn_mode="fused")


def test_a_state_of_another_structure_is_refused():
    with tf.Graph().as_default(), pytest.raises((ValueError, TypeError)):
        rnn.dynamic_rnn(lstm(5), tf.zeros([2, 3, 4]), initial_state=tf.zeros([2, 5]), rnn_mode="fused")


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"rnn_mode": "quick"}, "rnn_mode 'quick' is not known: choose one of auto, basic, fused, cudnn"),
        ({"rnn_mode": "fused", "precision": "fp16"}, "precision 'fp16' is not known: choose one of fp32, bf16"),
        ({"rnn_mode": "fused", "groups": 0}, "groups 0: there is at least one"),
    ],
)
def test_arguments_are_checked(wrong, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        rnn.dynamic_rnn(basic(5), tf.zeros([2, 3, 4]), dtype=tf.float32, **wrong)
