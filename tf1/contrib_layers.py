"""`tf.contrib.layers` of TensorFlow 1.x: dense layers, normalization, regularizers, initializers, `optimize_loss`.

`SHELF` has the names. Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/layers/python/layers
"""

import functools

from tf1 import tf

_ZEROS = tf.zeros_initializer()


def _check_others(name, others, *harmless):
    """TypeError where a script gives an argument that the shelf lacks a value that changes what is computed."""
    wanted = [key for key, value in others.items() if value not in (None, False) and key not in harmless]
    if wanted:
        raise TypeError(f"tf.contrib.{name} on the shelf takes no {', '.join(wanted)}: see docs/old_scripts.md")


def fully_connected(
    inputs,
    num_outputs,
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=None,
    weights_regularizer=None,
    biases_initializer=_ZEROS,  # None is no bias
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    trainable=True,
    scope=None,
):
    """A dense layer, ReLU by default, on the last axis of `inputs`; its variables are `weights` and `biases`."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse):
        options = {"dtype": inputs.dtype, "trainable": trainable, "collections": variables_collections}
        size = inputs.shape[-1].value
        initializer = weights_initializer or xavier_initializer()
        weights = tf.get_variable(
            "weights", [size, num_outputs], initializer=initializer, regularizer=weights_regularizer, **options
        )
        outputs = tf.matmul(inputs, weights) if inputs.shape.ndims == 2 else tf.tensordot(inputs, weights, 1)
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        elif biases_initializer is not None:
            outputs += tf.get_variable(
                "biases", [num_outputs], initializer=biases_initializer, regularizer=biases_regularizer, **options
            )
        return outputs if activation_fn is None else activation_fn(outputs)


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """The rows of an embedding, [batch_size, T, embed_dim], of ids [batch_size, T]."""
    if not (reuse or vocab_size and embed_dim):
        raise ValueError(f"embed_sequence needs vocab_size and embed_dim where it does not reuse, not {vocab_size!r}")
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim] if vocab_size and embed_dim else None
        options = {"initializer": initializer, "regularizer": regularizer, "trainable": trainable}
        return tf.nn.embedding_lookup(tf.get_variable("embeddings", shape, **options), ids)


def stack(inputs, layer, stack_args, **kwargs):
    """A layer upon the other, each with its entry of `stack_args` (a tuple: several arguments); all share `kwargs`."""
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Stack", [inputs]):
        name = scope or getattr(getattr(layer, "func", layer), "__name__", "stack")  # `func`: of functools.partial
        for number, args in enumerate(stack_args, start=1):
            args = args if isinstance(args, (list, tuple)) else [args]
            inputs = layer(inputs, *args, scope=f"{name}_{number}", **kwargs)
        return inputs


def layer_norm(inputs, center=True, scale=True, activation_fn=None, reuse=None, trainable=True, scope=None, **others):
    """Normalises each row of `inputs` over all axes but the first; its variables are of the last axis."""
    _check_others("layers.layer_norm", others)
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse):
        shape, options = inputs.shape[-1:], {"dtype": inputs.dtype, "trainable": trainable}
        beta = tf.get_variable("beta", shape, initializer=_ZEROS, **options) if center else None
        gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer(), **options) if scale else None
        mean, variance = tf.nn.moments(inputs, list(range(1, inputs.shape.ndims)), keep_dims=True)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)
        return activation_fn(outputs) if activation_fn else outputs


def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """Integers [batch_size] as rows of `num_classes` numbers."""
    _check_others("layers.one_hot_encoding", {"outputs_collections": outputs_collections})
    with tf.name_scope(scope, "OneHotEncoding", [labels]):
        return tf.one_hot(tf.cast(labels, tf.int64), num_classes, on_value, off_value)


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Glorot and Bengio's: a variance of 2 / (inputs + outputs)."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32):
    """A variance of factor / fan; the default is He's."""
    distribution = "uniform" if uniform else "truncated_normal"
    return tf.variance_scaling_initializer(factor, mode.lower(), distribution, seed, dtype)


def l2_regularizer(scale, scope=None):
    """scale times half the sum of a variable's squares; None where the scale is 0."""
    return (lambda weights: scale * tf.nn.l2_loss(weights)) if scale else lambda weights: None


def l1_regularizer(scale, scope=None):
    """scale times the sum of a variable's absolute values; None where the scale is 0."""
    return (lambda weights: scale * tf.reduce_sum(tf.abs(weights))) if scale else lambda weights: None


def apply_regularization(regularizer, weights_list=None):
    """The sum of the regularizer's losses, which are collected, over `weights_list`, or the collection WEIGHTS."""
    weights = tf.get_collection(tf.GraphKeys.WEIGHTS) if weights_list is None else weights_list
    losses = [loss for loss in map(regularizer, weights) if loss is not None]
    for loss in losses:
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, loss)
    return tf.add_n(losses) if losses else tf.constant(0.0)


def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, scope=None, seed=None, **others):
    """`tf.nn.dropout` where `is_training`, a bool or a tensor []."""
    _check_others("layers.dropout", others)
    return tf.layers.dropout(inputs, 1 - keep_prob, noise_shape, seed, is_training, name=scope)


def batch_norm(
    inputs,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    activation_fn=None,
    updates_collections=tf.GraphKeys.UPDATE_OPS,
    is_training=True,
    reuse=None,
    trainable=True,
    scope=None,
    **others,
):
    """Batch normalization over all axes but the last; `updates_collections=None` makes its output update the means."""
    _check_others("layers.batch_norm", others, "fused")
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as layer_scope:
        layer = tf.layers.BatchNormalization(
            -1, decay, epsilon, center, scale, trainable=trainable, _scope=layer_scope, _reuse=reuse
        )
        outputs = layer.apply(inputs, training=is_training)
    if updates_collections is None:
        with tf.control_dependencies(layer.updates):
            outputs = tf.identity(outputs)
    elif updates_collections != tf.GraphKeys.UPDATE_OPS:  # where the layer itself puts them
        for update in layer.updates:
            tf.add_to_collections(updates_collections, update)
    return activation_fn(outputs) if activation_fn else outputs


def flatten(inputs, scope=None, **others):
    """[batch_size, ...] as [batch_size, n]."""
    _check_others("layers.flatten", others)
    return tf.layers.flatten(inputs, name=scope)


def optimize_loss(
    loss,
    global_step,
    learning_rate,
    optimizer,
    clip_gradients=None,
    learning_rate_decay_fn=None,
    variables=None,
    name=None,
    **others,
):
    """A training operation, which returns the loss, with an optimizer by its name, class or object."""
    _check_others("layers.optimize_loss", others, "summaries")
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        global_step = tf.train.get_or_create_global_step() if global_step is None else global_step
        if learning_rate_decay_fn is not None:
            learning_rate = learning_rate_decay_fn(learning_rate, global_step)
        if isinstance(optimizer, str):
            optimizer = getattr(tf.train, f"{'GradientDescent' if optimizer == 'SGD' else optimizer}Optimizer")
        if callable(optimizer):
            optimizer = optimizer(learning_rate)
        gradients = [pair for pair in optimizer.compute_gradients(loss, variables) if pair[0] is not None]
        if clip_gradients is not None:
            clipped, _ = tf.clip_by_global_norm([gradient for gradient, _ in gradients], clip_gradients)
            gradients = list(zip(clipped, [variable for _, variable in gradients]))
        with tf.control_dependencies([optimizer.apply_gradients(gradients, global_step)]):
            return tf.identity(loss)


SHELF = {
    "fully_connected": fully_connected,
    "linear": functools.partial(fully_connected, activation_fn=None),
    "embed_sequence": embed_sequence,
    "safe_embedding_lookup_sparse": tf.nn.safe_embedding_lookup_sparse,
    "layer_norm": layer_norm,
    "one_hot_encoding": one_hot_encoding,
    "stack": stack,
    "l1_regularizer": l1_regularizer,
    "xavier_initializer": xavier_initializer,
    "xavier_initializer_conv2d": xavier_initializer,
    "variance_scaling_initializer": variance_scaling_initializer,
    "l2_regularizer": l2_regularizer,
    "apply_regularization": apply_regularization,
    "dropout": dropout,
    "batch_norm": batch_norm,
    "flatten": flatten,
    "optimize_loss": optimize_loss,
}
