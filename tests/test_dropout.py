"""Dropout keyed by seed, step, layer and time step."""

import numpy as np
import pytest

from tf1 import rnn, tf
from tf1.dropout import DropoutWrapper, dropout, for_part


def draw(seed=1, step=0, layer=0, time_step=0, keep_prob=0.35):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        y = dropout(tf.ones([200, 300]), keep_prob, layer, time_step)
        session.run(tf.global_variables_initializer())
        session.run(tf.assign(tf.train.get_global_step(), step))
        return session.run(y)


def test_elements_are_kept_and_scaled():
    y = draw()
    assert set(np.unique(y)) == {0, np.float32(1 / 0.35)}
    # 60,000 elements: 4 standard errors.
    assert np.mean(y > 0) == pytest.approx(0.35, abs=4 * np.sqrt(0.35 * 0.65 / y.size))


def test_masks_depend_on_their_key_and_on_nothing_else():
    first = draw()
    assert np.array_equal(first, draw())
    for key in ({"seed": 2}, {"step": 1}, {"layer": 1}, {"time_step": 1}):
        # Independent masks agree in 0.35² + 0.65² of the elements.
        agreement = np.mean(first == draw(**key))
        assert agreement == pytest.approx(0.35**2 + 0.65**2, abs=0.01), key


def test_the_next_step_is_not_the_next_time_step():
    assert not np.array_equal(draw(step=1), draw(time_step=1))


def test_gradient_is_the_mask():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(np.random.RandomState(0).randn(5, 7).astype(np.float32))
        y = dropout(x, 0.5, 0)
        gradient = tf.gradients(tf.reduce_sum(y), x)[0]
        session.run(tf.global_variables_initializer())
        x_val, y_val, gradient_val = session.run([x, y, gradient])
    assert np.array_equal(gradient_val, np.where(y_val != 0, 2, 0))
    assert np.array_equal(y_val, gradient_val * x_val)


class Sum:
    """A cell that adds its inputs to its state, and gives the state."""

    state_size = output_size = 50

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, 50], dtype)

    def __call__(self, inputs, state, scope=None):
        return state + inputs, state + inputs


def run_wrapper(in_loop, feed=1.0, step=0, **keep_probs):
    """Outputs [20, 3, 50] over inputs of ones, three time steps, and the last state."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        keep_prob = tf.placeholder_with_default(1.0, shape=())
        keep_probs = {name: keep_prob if value == "fed" else value for name, value in keep_probs.items()}
        cell = DropoutWrapper(Sum(), **keep_probs)
        inputs = tf.ones([20, 3, 50])
        if in_loop:
            outputs, state = rnn.dynamic_rnn(cell, inputs, dtype=tf.float32, rnn_mode="basic")
        else:
            state, steps = cell.zero_state(20, tf.float32), []
            for time_step in range(3):
                output, state = cell(inputs[:, time_step], state)
                steps.append(output)
            outputs = tf.stack(steps, axis=1)
        session.run(tf.global_variables_initializer())
        session.run(tf.assign(tf.train.get_global_step(), step) if tf.train.get_global_step() is not None else [])
        return session.run([outputs, state], {keep_prob: feed})


@pytest.mark.parametrize("place", ["input", "output", "state"])
def test_wrapper_drops_where_it_should(place):
    outputs, state = run_wrapper(False, **{f"{place}_keep_prob": 0.5})
    if place == "input":  # each step adds 0 or 2, and all later ones keep it
        added = np.diff(np.concatenate([np.zeros([20, 1, 50]), outputs], axis=1), axis=1)
        assert set(np.unique(added)) == {0, 2} and np.array_equal(state, outputs[:, -1])
        assert np.mean(added > 0) == pytest.approx(0.5, abs=0.05)  # 3,000 elements: 5 standard errors
    elif place == "output":  # the sums 1, 2, 3 go on whole, and come out as 0 or doubled
        assert [set(np.unique(outputs[:, t])) for t in range(3)] == [{0, 2}, {0, 4}, {0, 6}]
        assert np.all(state == 3)
    else:
        assert np.all(outputs[:, 0] == 1) and set(np.unique(outputs[:, 1])) == {1, 3}


@pytest.mark.parametrize("place", ["input", "output", "state"])
def test_a_loop_draws_the_masks_of_the_unrolled_graph(place):
    for loop, unrolled in zip(*(run_wrapper(in_loop, **{f"{place}_keep_prob": 0.5}) for in_loop in (True, False))):
        np.testing.assert_array_equal(loop, unrolled)


def test_a_fed_probability():
    off, _ = run_wrapper(True, input_keep_prob="fed")
    np.testing.assert_array_equal(off, np.broadcast_to(np.array([1, 2, 3])[:, None], [20, 3, 50]))
    on, _ = run_wrapper(True, feed=0.5, input_keep_prob="fed")
    fixed, _ = run_wrapper(True, input_keep_prob=0.5)
    np.testing.assert_array_equal(on, fixed)
    other, _ = run_wrapper(True, feed=0.5, step=1, input_keep_prob="fed")
    assert not np.array_equal(on, other)


def test_the_memory_of_an_lstm_is_not_dropped():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        cell = tf.nn.rnn_cell.BasicLSTMCell(50)
        x, zeros = tf.ones([20, 3]), cell.zero_state(20, tf.float32)
        _, whole = cell(x, zeros)
        _, dropped = DropoutWrapper(cell, state_keep_prob=0.5)(x, zeros)
        session.run(tf.global_variables_initializer())
        whole, dropped = session.run([whole, dropped])
    np.testing.assert_array_equal(dropped.c, whole.c)
    np.testing.assert_allclose(dropped.h[dropped.h != 0], 2 * whole.h[dropped.h != 0], rtol=1e-6)
    assert 0.4 < np.mean(dropped.h == 0) < 0.6


def test_a_loop_that_does_not_tell_the_time_step_is_refused():
    with tf.Graph().as_default():
        for cell in (DropoutWrapper(Sum(), 0.5), tf.nn.rnn_cell.MultiRNNCell([DropoutWrapper(Sum(), 0.5)])):
            with pytest.raises(ValueError, match="call tf1.rnn.dynamic_rnn"):
                tf.nn.dynamic_rnn(cell, tf.ones([20, 3, 50]), dtype=tf.float32)


def test_sequences_that_end_early_do_not_stop_the_time():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        cell = DropoutWrapper(Sum(), output_keep_prob=0.5)
        lengths = [1] + 19 * [8]
        outputs, _ = rnn.dynamic_rnn(cell, tf.ones([20, 8, 50]), sequence_length=lengths, dtype=tf.float32)
        session.run(tf.global_variables_initializer())
        kept = session.run(outputs)[1:] > 0
    assert len({kept[:, step].tobytes() for step in range(8)}) == 8  # each time step has masks of its own


def test_each_wrapper_of_a_graph_has_masks_of_its_own():
    def draw(wrappers):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            cells = [DropoutWrapper(Sum(), output_keep_prob=0.5) for _ in range(wrappers)]
            outputs = [cell(tf.ones([20, 50]), cell.zero_state(20, tf.float32))[0] for cell in cells]
            session.run(tf.global_variables_initializer())
            return session.run(outputs)

    first, second, third = draw(3)
    assert not np.array_equal(first, second) and not np.array_equal(second, third)
    np.testing.assert_array_equal(draw(1), [first])  # another graph begins anew


@pytest.mark.parametrize("shape,rows_axis", [([12, 7, 5], 0), ([12, 3], 0), ([7, 12, 5], 1), ([3, 12, 1], 1)])
@pytest.mark.parametrize("parts", [2, 4])
def test_the_processes_of_a_cluster_have_the_masks_of_their_rows(shape, rows_axis, parts):
    def mask(shape, part, parts):
        with tf.Graph().as_default(), tf.Session() as session, for_part(part, parts):
            tf.set_random_seed(1)
            y = dropout(tf.ones(shape), 0.5, layer=2, time_step=3, rows_axis=rows_axis)
            session.run(tf.global_variables_initializer())
            return session.run(y)

    own_shape = list(shape)
    own_shape[rows_axis] //= parts
    dealt = [mask(own_shape, part, parts) for part in range(parts)]
    assert np.array_equal(np.concatenate(dealt, axis=rows_axis), mask(shape, 0, 1))
