"""Dropout keyed by seed, step, layer and time step."""

import numpy as np
import pytest

from tf1 import tf
from tf1.dropout import dropout


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
