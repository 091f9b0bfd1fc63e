"""The distributions of `tf1/distributions.py`, against TensorFlow 1.15.5 (recorded)."""

import numpy as np
import pytest

from tf1 import tf

VECTORS = tf.contrib.distributions
VALUES = [[0.3, 0.4], [1.0, 1.0]]
FULL = {"loc": [[0.0, 1.0]], "covariance_matrix": [[[2.0, 0.5], [0.5, 1.0]]]}


@pytest.mark.parametrize(
    "name, arguments, log_probs, covariance, shape",
    [
        ("FullCovariance", FULL, [-2.400542, -2.4033992], [[2.0, 0.5], [0.5, 1.0]], (4, 1, 2)),
        # What is above the diagonal does not count.
        ("TriL", {"scale_tril": [[1.0, 9.0], [0.5, 2.0]]}, [-2.5838368, -3.0622742], [[1, 0.5], [0.5, 4.25]], (4, 2)),
        ("Diag", {"loc": [0.0, 0.5], "scale_diag": [1.0, 2.0]}, [-2.5772743, -3.0622742], [[1, 0], [0, 4]], (4, 2)),
    ],
)
def test_vectors_are_those_of_tensorflow_1_15(session, name, arguments, log_probs, covariance, shape):
    one = getattr(VECTORS, f"MultivariateNormal{name}")(**arguments)
    found = session.run([one.log_prob(VALUES), one.prob(VALUES), one.covariance(), one.stddev(), one.mean()])
    np.testing.assert_allclose(found[0], log_probs, rtol=1e-5)
    np.testing.assert_allclose(found[1], np.exp(log_probs), rtol=1e-5)
    np.testing.assert_allclose(found[2].reshape(2, 2), covariance, rtol=1e-5)
    np.testing.assert_allclose(found[3].ravel(), np.sqrt(np.diag(covariance)), rtol=1e-5)
    drawn, several = session.run([one.sample(4, seed=1), one.sample(20000, seed=2)])
    assert drawn.shape == shape
    several = several.reshape(-1, 2)
    np.testing.assert_allclose(several.mean(0), found[4].ravel(), atol=0.06)
    np.testing.assert_allclose(np.cov(several.T), covariance, atol=0.15)


def test_how_far_two_are_apart(session):
    a, b = VECTORS.MultivariateNormalDiag([0.0, 1.0], [1.0, 2.0]), VECTORS.MultivariateNormalDiag(tf.zeros(2))
    expected = 0.5 * (1 + 4 + 0 + 1 - 2) - np.log(2)
    assert session.run(VECTORS.kl_divergence(a, b)) == pytest.approx(expected)
    multiples = VECTORS.MultivariateNormalDiag(tf.zeros([3, 2]), scale_identity_multiplier=[1.0, 2.0, 3.0])
    np.testing.assert_allclose(session.run(multiples.stddev()), [[1, 1], [2, 2], [3, 3]])
