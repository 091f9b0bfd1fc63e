"""What the cells of `tf1/cells.py` and the bidirectional layers take and refuse, against TensorFlow 1.15 (recorded)."""

import numpy as np
import pytest

from conftest import set_variables
from tf1 import cells, rnn, tf

RNN = tf.contrib.rnn
CELLS = tf.nn.rnn_cell
LENGTHS = [5, 3, 1]
X = np.sin(np.arange(60)).reshape(3, 5, 4).astype(np.float32)


def time_major():
    return tf.constant(np.swapaxes(X, 0, 1))


def names():
    return [variable.op.name for variable in tf.trainable_variables()]


def measured(session, outputs):
    """The sums of the outputs' absolute values, and that of the gradients of the sum of their squares."""
    outputs = tf.nest.flatten(outputs)
    cost = tf.add_n([tf.reduce_sum(tf.square(output)) for output in outputs])
    gradients = [gradient for gradient in tf.gradients(cost, tf.trainable_variables()) if gradient is not None]
    session.run(tf.global_variables_initializer())
    set_variables(session)
    found = session.run([outputs, [tf.convert_to_tensor(gradient) for gradient in gradients]])
    return [float(np.abs(array).sum()) for array in found[0]], sum(np.abs(array).sum() for array in found[1])


def test_a_projected_cell_in_a_loop_of_the_script(session):
    cell = RNN.OutputProjectionWrapper(CELLS.BasicLSTMCell(5), 2)
    state, outputs = cell.zero_state(3, tf.float32), []
    for step in range(5):
        output, state = cell(tf.constant(X[:, step]), state)
        outputs.append(output)
    scope = "output_projection_wrapper"
    expected = [f"{scope}/basic_lstm_cell/kernel", f"{scope}/basic_lstm_cell/bias", f"{scope}/kernel", f"{scope}/bias"]
    assert isinstance(cell, CELLS.RNNCell) and (cell.output_size, cell.state_size) == (2, (5, 5))
    of_cell = [[variable.op.name for variable in of] for of in (cell.weights, cell.trainable_variables)]
    assert names() == expected and of_cell == [expected, expected]
    sums, of_gradients = measured(session, [outputs, state])  # below, TensorFlow 1.15.5
    assert sums == pytest.approx([1.6955, 1.7504, 1.8503, 1.907, 1.8915, 5.2965, 2.5258], rel=1e-4)
    assert of_gradients == pytest.approx(101.135, rel=1e-4)


def test_the_scope_of_a_projected_cell(session):
    cell = RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(5), 2)
    cell(tf.constant(X[:, 0]), tf.zeros([3, 5]), scope="mine")
    assert names() == ["mine/basic_rnn_cell/kernel", "mine/basic_rnn_cell/bias", "mine/kernel", "mine/bias"]
    again = RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(5, reuse=True), 2, reuse=True)
    again(tf.constant(X[:, 0]), tf.zeros([3, 5]), scope="mine")
    assert len(names()) == 4
    with pytest.raises(ValueError, match="output_size must be > 0: 0"):
        RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(5), 0)


@pytest.mark.parametrize(
    "build, lengths",
    [
        (lambda: RNN.OutputProjectionWrapper(RNN.MultiRNNCell([CELLS.GRUCell(4)]), 2, tf.tanh), LENGTHS),
        (lambda: CELLS.DropoutWrapper(RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(5), 2), 1.0, 1.0), None),
    ],
)
def test_projected_cells_are_computed_in_whole_sequences(session, build, lengths):
    found = {}
    for mode in "fused", "basic":
        with tf.variable_scope("model", reuse=bool(found)):
            found[mode] = rnn.dynamic_rnn(build(), tf.constant(X), lengths, dtype=tf.float32, rnn_mode=mode)
        loops = [op for op in session.graph.get_operations() if op.type in ("While", "Enter")]
        assert bool(loops) == (mode == "basic")
    session.run(tf.global_variables_initializer())
    set_variables(session)
    for ours, theirs in zip(*(tf.nest.flatten(session.run(found[mode])) for mode in ("fused", "basic"))):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_projection_of_a_scripts_own_is_called_step_by_step(session):
    class Doubled(RNN.OutputProjectionWrapper):
        def call(self, inputs, state):
            output, state = super().call(inputs, state)
            return 2 * output, state

    found = []
    for wrapper in Doubled, RNN.OutputProjectionWrapper:
        with tf.variable_scope(wrapper.__name__):
            cell = wrapper(CELLS.BasicRNNCell(5), 2)
            found.append(rnn.dynamic_rnn(cell, tf.constant(X), dtype=tf.float32, rnn_mode="auto")[0])
    session.run(tf.global_variables_initializer())
    set_variables(session)  # to the same numbers, by their shapes
    doubled, plain = session.run(found)
    np.testing.assert_allclose(doubled, 2 * plain, atol=1e-6)


@pytest.mark.parametrize(
    "build, sums, of_gradients, last",
    [  # TensorFlow 1.15.5; the names below are its, too
        (
            lambda: RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(6), 4),
            [4.3098],
            40.186,
            ["kernel/part_0", "kernel/part_1", "bias"],
        ),
        (
            lambda: RNN.AttentionCellWrapper(CELLS.GRUCell(6), 2),
            None,
            None,
            ["attn_output_projection/kernel/part_0", "attn_output_projection/kernel/part_1"]
            + ["attn_output_projection/bias"],
        ),
    ],
)
def test_a_bias_stays_in_one_part(session, build, sums, of_gradients, last):
    with tf.variable_scope("m", partitioner=tf.fixed_size_partitioner(2)):
        cell = build()
        output, _ = cell(tf.constant(X[:, 0]), cell.zero_state(3, tf.float32))
    assert [name.split("/", 2)[2] for name in names()[-3:]] == last
    if sums:
        found, gradients = measured(session, output)
        assert found == pytest.approx(sums, rel=1e-4) and gradients == pytest.approx(of_gradients, rel=1e-4)


def test_linear_with_a_partitioner(session):
    with tf.variable_scope("m", partitioner=tf.fixed_size_partitioner(2)):
        made = cells.Linear([tf.constant(X[:, 0])], 2, True)
        assert names() == ["m/kernel/part_0", "m/kernel/part_1", "m/bias"]  # as in TensorFlow 1.15.5
        found = made([tf.constant(X[:, 1])])
    session.run(tf.global_variables_initializer())
    kernel = np.concatenate(session.run(tf.trainable_variables()[:2]))
    np.testing.assert_allclose(session.run(found), X[:, 1] @ kernel, rtol=1e-5)


def fused(scope=None, **options):
    return RNN.LSTMBlockFusedCell(5, **options)(time_major(), dtype=tf.float32, scope=scope)


def both_directions():
    forward, backward = RNN.LSTMBlockFusedCell(5), RNN.TimeReversedFusedRNN(RNN.LSTMBlockFusedCell(5))
    options = {"dtype": tf.float32, "sequence_length": LENGTHS}
    return forward(time_major(), dtype=tf.float32, scope="fw"), backward(time_major(), scope="bw", **options)


def one_cell_twice():
    cell = RNN.LSTMBlockFusedCell(5)
    first = cell(time_major(), dtype=tf.float32, sequence_length=LENGTHS, scope="fw")
    return first, cell(time_major(), first[1], scope="other")


def below_a_scope():
    with tf.variable_scope("outer"):
        with tf.variable_scope("in") as scope:
            pass
        return fused(scope), fused()


def reused():
    with tf.variable_scope("x"):
        first = fused("fw"), fused()
    with tf.variable_scope("x", reuse=True):
        return first, fused("fw"), fused()


@pytest.mark.parametrize(
    "build, scopes",
    [  # as in TensorFlow 1.15.5
        (below_a_scope, "outer/in outer/lstm_fused_cell"),
        (lambda: (fused(), fused()), "lstm_fused_cell lstm_fused_cell_1"),
        (lambda: (fused("fw"), fused("fw", reuse=True)), "fw"),
        (lambda: (fused(name="a"), fused(name="a", reuse=True)), "a"),
        (reused, "x/fw x/lstm_fused_cell"),
    ],
)
def test_the_scope_of_a_fused_cell(session, build, scopes):
    build()
    assert names() == [f"{scope}/{name}" for scope in scopes.split() for name in ("kernel", "bias")]


@pytest.mark.parametrize(
    "build, scopes, sums, of_gradients",
    [  # TensorFlow 1.15.5
        (both_directions, {"fw", "bw"}, [9.6305, 5.2965, 2.5258, 5.05, 4.0059, 2.0167], 127.762),
        (one_cell_twice, {"fw"}, [4.9914, 3.9437, 1.9466, 13.7065, 6.3282, 2.8583], 199.315),
    ],
)
def test_fused_cells_with_scopes(session, build, scopes, sums, of_gradients):
    outputs = build()
    assert {name.split("/")[0] for name in names()} == scopes and len(names()) == 2 * len(scopes)
    found, gradients = measured(session, outputs)
    assert found == pytest.approx(sums, rel=1e-4) and gradients == pytest.approx(of_gradients, rel=1e-4)


def test_what_a_fused_cell_refuses(session):
    with pytest.raises(ValueError, match="Either initial_state or dtype"):
        RNN.LSTMBlockFusedCell(5)(time_major(), scope="fw")
    fused("fw")
    with pytest.raises(ValueError, match="fw/kernel already exists"):
        fused("fw")


def grus(count=1):
    return [CELLS.GRUCell(4) for _ in range(count)]


@pytest.mark.parametrize("options", [(), (True,)])
def test_bidirectional_layers_may_swap_their_memory(session, options):
    arguments = None, None, tf.float32, LENGTHS, None, False, "s", *options
    outputs, *_ = RNN.stack_bidirectional_dynamic_rnn(grus(), grus(), tf.constant(X), *arguments)
    tf.gradients(outputs, tf.trainable_variables())
    pushes = [op.get_attr("swap_memory") for op in session.graph.get_operations() if op.type == "StackPushV2"]
    assert set(pushes) == {bool(options)}  # as in TensorFlow 1.15.5


@pytest.mark.parametrize("is_dynamic", [False, True])
@pytest.mark.parametrize(
    "build, options, message",
    [  # as in TensorFlow 1.15.5, all ValueErrors
        (lambda: ([], []), {}, "Must specify at least one fw cell"),
        (lambda: (grus(), []), {}, "Must specify at least one bw cell"),
        (lambda: (tuple(grus()), grus()), {}, "cells_fw must be a list"),
        (lambda: (grus(), tuple(grus())), {}, "cells_bw must be a list"),
        (lambda: (grus(), grus(2)), {}, "must have the same depth"),
        (lambda: (grus(), grus()), {"initial_states_fw": (0,)}, "initial_states_fw must be a list"),
        (lambda: (grus(), grus()), {"initial_states_bw": []}, "initial_states_bw must be a list"),
    ],
)
def test_bidirectional_layers_that_do_not_fit(session, build, options, message, is_dynamic):
    function = RNN.stack_bidirectional_dynamic_rnn if is_dynamic else RNN.stack_bidirectional_rnn
    inputs = tf.constant(X) if is_dynamic else tf.unstack(tf.constant(X), axis=1)
    with pytest.raises(ValueError, match=message):
        function(*build(), inputs, dtype=tf.float32, **options)


def test_an_embedding_has_the_type_of_the_state(session):
    layers = [CELLS.BasicLSTMCell(3, dtype=tf.float64), CELLS.GRUCell(2, dtype=tf.float64)]
    cell = RNN.EmbeddingWrapper(RNN.MultiRNNCell(layers), 7, 4)
    outputs = cell(tf.constant([[1], [2], [3]]), cell.zero_state(3, tf.float64))
    assert {variable.dtype.base_dtype for variable in tf.global_variables()} == {tf.float64}
    found, gradients = measured(session, outputs)
    # TensorFlow 1.15.5
    assert found == pytest.approx([0.8035, 1.627, 0.6444, 0.8035], rel=1e-3)
    assert gradients == pytest.approx(7.23193, rel=1e-4)
    for sizes in (0, 4), (4, 0), (-1, 3):
        with pytest.raises(ValueError, match="must be > 0: {}, {}".format(*sizes)):
            RNN.EmbeddingWrapper(CELLS.GRUCell(3), *sizes)


def test_coupled_gates_begin_with_the_initializer_of_the_scope(session):
    """TensorFlow 1.15.5 takes the cell's own one, and does not use it: the weights are 1/4 there, too."""
    with tf.variable_scope("s", initializer=tf.constant_initializer(0.25)):
        half = tf.constant_initializer(0.5)
        cell = RNN.CoupledInputForgetGateLSTMCell(3, use_peepholes=True, num_proj=2, initializer=half)
        cell(tf.constant(X[:, 0]), cell.zero_state(3, tf.float32))
    session.run(tf.global_variables_initializer())
    first = {name.split("/")[-1]: session.run(f"{name}:0").flat[0] for name in names()}
    assert first == {"W_0": 0.25, "B": 0, "W_F_diag": 0.25, "W_O_diag": 0.25, "W_P_0": 0.25}


@pytest.mark.parametrize(
    "build", [lambda: RNN.UGRNNCell(4), lambda: RNN.OutputProjectionWrapper(CELLS.BasicRNNCell(4), 4)]
)
def test_a_copy_shares_nothing_with_a_cell_that_was_called_several_times(session, build):
    cell = build()
    state = cell.zero_state(3, tf.float32)
    for scope in "first", "second":
        with tf.variable_scope(scope):
            for step in range(3):
                output, _ = cell(tf.constant(X[:, step]), state)
        cell = cells.unbuilt(cell)
    gradients = tf.gradients(output, tf.trainable_variables())
    is_second = [name.startswith("second/") for name in names()]
    assert [gradient is not None for gradient in gradients] == is_second and 2 * sum(is_second) == len(is_second)
