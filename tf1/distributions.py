"""Of `tf.contrib.distributions` the normal distributions of vectors; `tf.distributions` has those of numbers.

Names and arguments are those of TensorFlow 1.15.

Source: TensorFlow 1.15, tensorflow/contrib/distributions/python/ops/mvn_tril.py, mvn_full_covariance.py, mvn_diag.py
"""

import numpy as np

from tf1 import tf


class MultivariateNormalTriL:
    """Vectors loc + scale_tril z, of independent normal numbers z.

    Args:
      loc: the mean, [..., k]; None: zeros.
      scale_tril: [..., k, k], of which the lower triangle counts; None: the unit matrix of `loc`'s size.
      validate_args, allow_nan_stats, name: not needed.

    Attributes:
      loc: [..., k].
    """

    def __init__(self, loc=None, scale_tril=None, validate_args=False, allow_nan_stats=True, name=None):
        if loc is None and scale_tril is None:
            raise ValueError("Must specify one or both of loc and scale_tril")
        self._scale = None if scale_tril is None else tf.matrix_band_part(tf.convert_to_tensor(scale_tril), -1, 0)
        self.loc = tf.zeros_like(self._scale[..., 0]) if loc is None else tf.convert_to_tensor(loc)
        if self._scale is None:
            self._scale = tf.matrix_diag(tf.ones_like(self.loc))

    def sample(self, sample_shape=(), seed=None, name="sample"):
        """[*sample_shape, ..., k]"""
        with tf.name_scope(name):
            several = tf.reshape(tf.convert_to_tensor(sample_shape, tf.int32), [-1])
            each = tf.broadcast_dynamic_shape(tf.shape(self.loc), tf.shape(self._scale)[:-1])
            z = tf.random_normal(tf.concat([several, each], 0), dtype=self.loc.dtype, seed=seed)
            return self.loc + tf.reduce_sum(self._scale * z[..., None, :], -1)

    def log_prob(self, value, name="log_prob"):
        """Of `value` [..., k]: [...]"""
        with tf.name_scope(name):
            difference = tf.convert_to_tensor(value, preferred_dtype=self.loc.dtype) - self.loc
            shape = tf.broadcast_dynamic_shape(tf.shape(difference), tf.shape(self._scale)[:-1])
            difference = tf.broadcast_to(difference, shape)
            scale = tf.broadcast_to(self._scale, tf.concat([shape, shape[-1:]], 0))
            z = tf.linalg.triangular_solve(scale, difference[..., None])[..., 0]
            log_scale = tf.reduce_sum(tf.log(tf.abs(tf.matrix_diag_part(scale))), -1)
            return -0.5 * tf.reduce_sum(tf.square(z) + np.log(2 * np.pi), -1) - log_scale

    def prob(self, value, name="prob"):
        with tf.name_scope(name):
            return tf.exp(self.log_prob(value))

    def mean(self, name="mean"):
        return self.loc

    mode = mean

    def covariance(self, name="covariance"):
        return tf.matmul(self._scale, self._scale, transpose_b=True)

    def variance(self, name="variance"):
        return tf.reduce_sum(tf.square(self._scale), -1)

    def stddev(self, name="stddev"):
        return tf.sqrt(self.variance())


class MultivariateNormalFullCovariance(MultivariateNormalTriL):
    """The same by its covariance matrix, [..., k, k], symmetric and positive definite; None: the unit matrix."""

    def __init__(self, loc=None, covariance_matrix=None, *args, **kwargs):
        scale = None if covariance_matrix is None else tf.cholesky(tf.convert_to_tensor(covariance_matrix))
        super().__init__(loc, scale, *args, **kwargs)


class MultivariateNormalDiag:
    """Vectors of independent normal numbers.

    Args:
      loc: the mean, [..., k]; None: zeros.
      scale_diag: the standard deviations, [..., k].
      scale_identity_multiplier: [...], is added to each of them, or is all of them; None of both: ones.
      validate_args, allow_nan_stats, name: not needed.
    """

    def __init__(
        self,
        loc=None,
        scale_diag=None,
        scale_identity_multiplier=None,
        validate_args=False,
        allow_nan_stats=True,
        name=None,
    ):
        if loc is None and scale_diag is None:
            raise ValueError("Must specify loc or scale_diag")
        likes = tf.convert_to_tensor(scale_diag if loc is None else loc)
        scale = None if scale_diag is None else tf.convert_to_tensor(scale_diag)
        if scale_identity_multiplier is not None:
            multiplier = tf.convert_to_tensor(scale_identity_multiplier)[..., None]
            scale = multiplier * tf.ones_like(likes) if scale is None else scale + multiplier
        self._each = tf.distributions.Normal(
            tf.zeros_like(likes) if loc is None else likes, tf.ones_like(likes) if scale is None else scale
        )
        self.loc = self._each.loc

    def sample(self, sample_shape=(), seed=None, name="sample"):
        """[*sample_shape, ..., k]"""
        return self._each.sample(sample_shape, seed, name)

    def log_prob(self, value, name="log_prob"):
        """Of `value` [..., k]: [...]"""
        return tf.reduce_sum(self._each.log_prob(value, name), -1)

    def prob(self, value, name="prob"):
        return tf.exp(self.log_prob(value, name))

    def entropy(self, name="entropy"):
        return tf.reduce_sum(self._each.entropy(name), -1)

    def mean(self, name="mean"):
        return self._each.mean(name)

    mode = mean

    def stddev(self, name="stddev"):
        return self._each.stddev(name)

    def variance(self, name="variance"):
        return self._each.variance(name)

    def covariance(self, name="covariance"):
        return tf.matrix_diag(self.variance())


@tf.distributions.RegisterKL(MultivariateNormalDiag, MultivariateNormalDiag)
def _divergence(a, b, name=None):
    """Kullback-Leibler's, [...]."""
    return tf.reduce_sum(tf.distributions.kl_divergence(a._each, b._each, name=name), -1)


SHELF = {
    "MultivariateNormalTriL": MultivariateNormalTriL,
    "MultivariateNormalFullCovariance": MultivariateNormalFullCovariance,
    "MultivariateNormalDiag": MultivariateNormalDiag,
}
