"""`tf.contrib.layers` of TensorFlow 1.x: dense layers, normalization, regularizers, initializers, `optimize_loss`.

`SHELF` has the names; arguments, variables and collections are those of TensorFlow 1.15. Where `variables_collections`
are given, a list or a dict of lists by variable, the variables are in them too, and `outputs_collections`, a name or a
list, get what a function returns.

Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/layers/python/layers
"""

import functools
import math
import numbers

from tf1 import tf

_KEYS = tf.GraphKeys
_OF_MODELS = [_KEYS.GLOBAL_VARIABLES, _KEYS.MODEL_VARIABLES]
_ONES, _ZEROS = tf.ones_initializer(), tf.zeros_initializer()
_OPTIMIZERS = {
    "Adagrad": tf.train.AdagradOptimizer,
    "Adam": tf.train.AdamOptimizer,
    "Ftrl": tf.train.FtrlOptimizer,
    "Momentum": functools.partial(tf.train.MomentumOptimizer, momentum=0.9),
    "RMSProp": tf.train.RMSPropOptimizer,
    "SGD": tf.train.GradientDescentOptimizer,
}
_SUMMARIES = "learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Glorot and Bengio's: a variance of 2 / (inputs + outputs)."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32):
    """A variance of factor / fan; the default is He's.

    The truncated normal distribution has a standard deviation of sqrt(1.3 * factor / fan) before it is cut off at two
    of them. `tf.variance_scaling_initializer` has a more exact number there.
    """
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode!r}: it is FAN_IN, FAN_OUT or FAN_AVG")

    def check(dtype):
        if not dtype.is_floating:
            raise TypeError(f"Cannot create initializer for non-floating point type: {dtype}")

    def initializer(shape, dtype=dtype, partition_info=None):
        del partition_info
        check(dtype)
        *places, inputs, outputs = [1, 1, *shape] if len(shape) != 1 else [*shape, *shape]
        inputs, outputs = (float(math.prod(places) * size) for size in (inputs, outputs))  # of a convolution too
        fan = {"FAN_IN": inputs, "FAN_OUT": outputs, "FAN_AVG": (inputs + outputs) / 2}[mode]
        if uniform:
            limit = math.sqrt(3 * factor / fan)
            return tf.random_uniform(shape, -limit, limit, dtype, seed)
        return tf.truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / fan), dtype, seed)

    check(dtype)
    return initializer


_XAVIER = xavier_initializer()


def _collections_of(variables_collections, name):
    if isinstance(variables_collections, dict):
        variables_collections = variables_collections.get(name)
    return list(variables_collections or [])


def _model_variable(name, shape, dtype=None, collections=None, **options):
    """A variable of `collections`, as above, and of MODEL_VARIABLES."""
    collections = _collections_of(collections, name) + _OF_MODELS
    return tf.get_variable(name, shape, dtype, collections=collections, **options)


def _model_variables_of_layers(**names):
    """A getter for `tf.variable_scope` that makes the variables of `tf.layers` such ones; `names` has new names."""

    def get(getter, name, *args, collections=None, **kwargs):
        scope, slash, last = name.rpartition("/")
        name = f"{scope}{slash}{names.get(last, last)}"
        return getter(name, *args, collections=[*(collections or []), *_OF_MODELS], **kwargs)

    return get


def _collect_variables(variables_collections, **variables):
    """Adds the variables of a layer, by their names, to their collections, where they are not yet."""
    for name, variable in variables.items():
        for collection in _collections_of(variables_collections, name):
            if variable is not None and all(variable is not other for other in tf.get_collection(collection)):
                tf.add_to_collection(collection, variable)


def _result(outputs, activation_fn, outputs_collections):
    outputs = outputs if activation_fn is None else activation_fn(outputs)
    if outputs_collections:
        tf.add_to_collections(outputs_collections, outputs)
    return outputs


def fully_connected(
    inputs,
    num_outputs,
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=_XAVIER,
    weights_regularizer=None,
    biases_initializer=_ZEROS,  # None is no bias
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    scope=None,
):
    """A dense layer, ReLU by default, on the last axis of `inputs`; its variables are `weights` and `biases`."""
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be int, got {type(num_outputs)}")
    getter = _model_variables_of_layers(kernel="weights", bias="biases")
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse, custom_getter=getter) as layer_scope:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf.layers.Dense(
            num_outputs,
            use_bias=bool(not normalizer_fn and biases_initializer),
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            trainable=trainable,
            name=layer_scope.name,
            dtype=inputs.dtype.base_dtype,
            _scope=layer_scope,
            _reuse=reuse,
        )
        outputs = layer.apply(inputs)
        _collect_variables(variables_collections, weights=layer.kernel, biases=layer.bias)
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        return _result(outputs, activation_fn, outputs_collections)


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
    """The rows of an embedding, [batch_size, T, embed_dim], of ids [batch_size, T].

    With `unique` each row is looked up once, and its gradient, IndexedSlices, has it once: a sum over its places.
    """
    if not (reuse or vocab_size and embed_dim):
        raise ValueError(
            f"Must specify vocab_size and embed_dim when not reusing, not vocab_size={vocab_size} and "
            f"embed_dim={embed_dim}"
        )
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = None if None in (vocab_size, embed_dim) else [vocab_size, embed_dim]
        options = {"initializer": initializer, "regularizer": regularizer, "trainable": trainable}
        embeddings = _model_variable("embeddings", shape, **options)
        if not unique:
            return tf.nn.embedding_lookup(embeddings, ids)
        ids = tf.convert_to_tensor(ids)
        rows, places = tf.unique(tf.reshape(ids, [-1]))
        return tf.gather(tf.nn.embedding_lookup(embeddings, rows), tf.reshape(places, tf.shape(ids)))


def stack(inputs, layer, stack_args, **kwargs):
    """A layer upon the other, each with its entry of `stack_args` (a tuple: several arguments); all share `kwargs`."""
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Stack", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        name = scope or getattr(getattr(layer, "func", layer), "__name__", "stack")  # `func`: of functools.partial
        for number, args in enumerate(stack_args, start=1):
            args = args if isinstance(args, (list, tuple)) else [args]
            inputs = layer(inputs, *args, scope=f"{name}_{number}", **kwargs)
        return inputs


def layer_norm(
    inputs,
    center=True,
    scale=True,
    activation_fn=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    begin_norm_axis=1,
    begin_params_axis=-1,
    scope=None,
):
    """Normalises `inputs` over the axes from `begin_norm_axis` on, by default each row over all its numbers.

    The variables `beta` and `gamma` have the axes from `begin_params_axis` on, by default the last one.
    """
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        rank, dtype = inputs.shape.ndims, inputs.dtype.base_dtype
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank")
        if max(begin_params_axis, begin_norm_axis) >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({begin_norm_axis}) must be less than "
                f"the rank of the inputs, {rank}"
            )
        shape = inputs.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name}: shape {inputs.shape} is not known from {begin_params_axis} on")
        options = {"dtype": dtype, "trainable": trainable, "collections": variables_collections}
        beta = _model_variable("beta", shape, initializer=_ZEROS, **options) if center else None
        gamma = _model_variable("gamma", shape, initializer=_ONES, **options) if scale else None
        axes = list(range(rank))[begin_norm_axis:]
        mean, variance = tf.nn.moments(inputs, axes, keep_dims=True)
        epsilon = 1e-3 if dtype == tf.float16 else 1e-12  # float16 has no number so small
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        return _result(outputs, activation_fn, outputs_collections)


def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """Integers [batch_size] as rows of `num_classes` numbers."""
    with tf.name_scope(scope, "OneHotEncoding", [labels, num_classes]):
        labels = tf.convert_to_tensor(labels)
        labels = tf.cast(labels, tf.int64) if labels.dtype == tf.int32 else labels
        return _result(tf.one_hot(labels, num_classes, on_value, off_value), None, outputs_collections)


def _regularizer(scale, scope, name, penalty):
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
    if isinstance(scale, numbers.Real) and scale == 0:
        return lambda weights: None

    def regularizer(weights):
        with tf.name_scope(scope, name, [weights]) as full_name:
            factor = tf.convert_to_tensor(scale, weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, penalty(weights), name=full_name)

    return regularizer


def l2_regularizer(scale, scope=None):
    """scale, a float or a tensor [], times half the sum of a variable's squares; None where the scale is 0."""
    return _regularizer(scale, scope, "l2_regularizer", tf.nn.l2_loss)


def l1_regularizer(scale, scope=None):
    """scale times the sum of a variable's absolute values; None where the scale is 0."""
    return _regularizer(scale, scope, "l1_regularizer", lambda weights: tf.reduce_sum(tf.abs(weights)))


def l1_l2_regularizer(scale_l1=1.0, scale_l2=1.0, scope=None):
    """The sum of both."""
    for name, scale in (("scale_l1", scale_l1), ("scale_l2", scale_l2)):
        if isinstance(scale, numbers.Integral):
            raise ValueError(f"{name} cannot be an integer: {scale}")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope)


def sum_regularizer(regularizer_list, scope=None):
    """The sum of several regularizers, of which some may be None, or give None; None where nothing is to be summed."""
    regularizers = [regularizer for regularizer in regularizer_list if regularizer is not None]

    def regularizer(weights):
        with tf.name_scope(scope, "sum_regularizer", [weights]) as name:
            losses = [loss for loss in [each(weights) for each in regularizers] if loss is not None]
            return tf.add_n(losses, name=name) if losses else None

    return regularizer if regularizers else None


def apply_regularization(regularizer, weights_list=None):
    """The sum of the regularizer's losses, which is collected, over `weights_list`, or the collection WEIGHTS."""
    weights_list = weights_list or tf.get_collection(_KEYS.WEIGHTS)
    if not weights_list:
        raise ValueError("No weights to regularize: give weights_list, or put variables into the collection WEIGHTS")
    with tf.name_scope("get_regularization_penalty", values=weights_list) as scope:
        losses = [regularizer(weights) for weights in weights_list]
        losses = [tf.constant(0.0) if loss is None else loss for loss in losses]
        for loss in losses:
            if loss.shape.ndims != 0:
                raise ValueError(f"regularizer must return a scalar, not a tensor of rank {loss.shape.ndims}")
        total = tf.add_n(losses, name=scope)
    tf.add_to_collection(_KEYS.REGULARIZATION_LOSSES, total)
    return total


def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, outputs_collections=None, scope=None, seed=None):
    """`tf.nn.dropout` where `is_training`, a bool or a tensor []."""
    with tf.variable_scope(scope, "Dropout", [inputs]) as layer_scope:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf.layers.Dropout(1 - keep_prob, noise_shape, seed, name=layer_scope.name, _scope=layer_scope)
        return _result(layer.apply(inputs, training=is_training), None, outputs_collections)


def flatten(inputs, outputs_collections=None, scope=None):
    """[batch_size, ...] as [batch_size, n]."""
    with tf.name_scope(scope, "Flatten", [inputs]):
        return _result(tf.layers.flatten(tf.convert_to_tensor(inputs)), None, outputs_collections)


def _known(condition):
    """The value of a bool or a tensor []; None where only a session knows it."""
    return tf.get_static_value(condition) if tf.is_tensor(condition) else condition


def _cond(condition, true_fn, false_fn):
    """`tf.cond` where a session decides, else one branch alone."""
    known = _known(condition)
    if known is None:
        return tf.cond(condition, true_fn, false_fn)
    return true_fn() if known else false_fn()


def _moving_average(variable, value, decay, zero_debias=False):
    """An operation that takes `value` into a moving average; `zero_debias` undoes that it began as 0, as Adam does."""
    rate = tf.cast(1.0 - decay, variable.dtype.base_dtype)
    if not zero_debias:
        return tf.assign_sub(variable, (variable - value) * rate, name="AssignMovingAvg")
    with tf.name_scope("AssignMovingAvg") as name, tf.variable_scope(variable.op.name):
        options = {"dtype": variable.dtype.base_dtype, "initializer": _ZEROS, "trainable": False}
        biased = tf.get_variable("biased", variable.shape, **options)
        biased = tf.assign_sub(biased, (biased - value) * rate)
        step = tf.assign_add(tf.get_variable("local_step", [], **options), 1)
        return tf.assign(variable, biased / (1 - tf.pow(1 - rate, step)), name=name)


def _normalised_by_hand(
    inputs,
    is_fused,
    decay,
    epsilon,
    center,
    scale,
    updates_collections,
    is_training,
    batch_weights,
    zero_debias,
    variable,
):
    """What `tf.layers.BatchNormalization` does not know: the fused kernel for rows, updates elsewhere, weights.

    `variable(name, initializer, trainable)` makes the variables.
    """
    beta = variable("beta", _ZEROS) if center else None
    gamma = variable("gamma", _ONES) if scale else None
    with tf.variable_scope(tf.get_variable_scope()) as whole:
        whole.set_partitioner(None)  # a moving average is not assigned in parts
        moving = variable("moving_mean", _ZEROS, False), variable("moving_variance", _ONES, False)

    def updates():
        return [_moving_average(moving[0], mean, decay, zero_debias), _moving_average(moving[1], variance, decay)]

    def after_updates(*values):
        with tf.control_dependencies(updates()):
            return [tf.identity(value) for value in values]

    if is_fused:
        size = moving[0].shape.as_list()
        images = tf.reshape(inputs, [-1, 1, 1, *size]) if inputs.shape.ndims == 2 else inputs
        images = images, tf.ones(size) if gamma is None else gamma, tf.zeros(size) if beta is None else beta
        outputs, mean, variance = _cond(
            is_training,
            lambda: tf.nn.fused_batch_norm(*images, epsilon=epsilon),
            lambda: tf.nn.fused_batch_norm(*images, *moving, epsilon, is_training=False),
        )
        if updates_collections is None:
            outputs = _cond(is_training, lambda: after_updates(outputs)[0], lambda: outputs)
        outputs = tf.reshape(outputs, tf.shape(inputs)) if inputs.shape.ndims == 2 else outputs
    else:
        axes = list(range(inputs.shape.ndims - 1))
        if batch_weights is None:
            mean, variance = tf.nn.moments(inputs, axes)
        else:
            weights = tf.reshape(tf.convert_to_tensor(batch_weights), [-1] + [1] * len(axes))
            mean, variance = tf.nn.weighted_moments(inputs, axes, weights)
        of_batch = after_updates if updates_collections is None else lambda *moments: list(moments)
        moments = _cond(is_training, lambda: of_batch(mean, variance), lambda: list(map(tf.identity, moving)))
        outputs = tf.nn.batch_normalization(inputs, *moments, beta, gamma, epsilon)
    if updates_collections is not None and _known(is_training) in (None, True):
        for update in _cond(is_training, updates, lambda: list(map(tf.identity, moving))):
            tf.add_to_collections(updates_collections, update)
    outputs.set_shape(inputs.shape)
    return outputs


def batch_norm(
    inputs,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    activation_fn=None,
    param_initializers=None,
    param_regularizers=None,
    updates_collections=_KEYS.UPDATE_OPS,
    is_training=True,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    batch_weights=None,
    fused=None,
    data_format="NHWC",
    zero_debias_moving_mean=False,
    scope=None,
    renorm=False,
    renorm_clipping=None,
    renorm_decay=0.99,
    adjustment=None,
):
    """Batch normalization over all axes but the last; `updates_collections=None` makes its output update the means.

    As in TensorFlow 1.15 the moving variance is an unbiased one, with N - 1, where a fused kernel computes it, that is
    for inputs of rank 2 and 4 unless an argument forbids it, else the biased one.
    """
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"data_format has to be either NCHW or NHWC, not {data_format!r}")
    if data_format == "NCHW":
        raise TypeError(
            "tf.contrib.layers.batch_norm on the shelf takes no data_format='NCHW': see docs/old_scripts.md"
        )
    inputs = tf.convert_to_tensor(inputs)
    rank, initializers, regularizers = inputs.shape.ndims, param_initializers or {}, param_regularizers or {}
    is_plain = batch_weights is None and updates_collections == _KEYS.UPDATE_OPS and not zero_debias_moving_mean
    is_fused = (
        not renorm and (fused or fused is None) and rank in (2, 4) and batch_weights is None and adjustment is None
    )
    if renorm and not is_plain:
        raise ValueError("renorm is not supported with batch_weights, updates_collections or zero_debias_moving_mean")
    of_layers = is_plain and not (is_fused and rank == 2)
    getter = None if is_fused and not of_layers else _model_variables_of_layers()
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=getter) as layer_scope:
        if of_layers:
            names = "moving_mean", "moving_variance", "beta", "gamma"
            options = {f"{name}_initializer": initializers[name] for name in names if name in initializers}
            options |= {f"{name}_regularizer": regularizers.get(name) for name in names[2:]}
            options |= {"renorm": renorm, "renorm_clipping": renorm_clipping, "renorm_momentum": renorm_decay}
            options |= {"trainable": trainable, "fused": bool(is_fused), "adjustment": adjustment}
            options |= {"name": layer_scope.name, "_scope": layer_scope, "_reuse": reuse}
            layer = tf.layers.BatchNormalization(-1, decay, epsilon, center, scale, **options)
            outputs = layer.apply(inputs, training=is_training)
            _collect_variables(variables_collections, **{name: getattr(layer, name) for name in names})
        else:
            channels, dtype = inputs.shape[-1:], tf.float32 if is_fused else inputs.dtype.base_dtype
            if not channels.is_fully_defined():
                raise ValueError(f"Inputs {inputs.name} has undefined channels dimension: {inputs.shape}")

            def variable(name, initializer, trainable=trainable):
                options = {"initializer": initializers.get(name, initializer), "trainable": trainable}
                regularizer = regularizers.get(name) if is_fused else None  # TensorFlow 1.15 has none there either
                return _model_variable(name, channels, dtype, variables_collections, regularizer=regularizer, **options)

            settings = decay, epsilon, center, scale, updates_collections, is_training, batch_weights
            outputs = _normalised_by_hand(inputs, is_fused, *settings, zero_debias_moving_mean, variable)
        return _result(outputs, activation_fn, outputs_collections)


def _after(operations, tensor):
    with tf.control_dependencies(operations):
        return tf.identity(tensor, name="control_dependency")


def _rate(learning_rate):
    """The learning rate as a tensor or, of a float, a variable, which a script may assign; None stays None."""
    if learning_rate is None or isinstance(learning_rate, tf.Tensor) and learning_rate.shape.ndims == 0:
        return learning_rate
    if not isinstance(learning_rate, float):
        raise ValueError(f"Learning rate should be 0d Tensor or float, not {learning_rate} of {type(learning_rate)}")
    if learning_rate < 0:
        raise ValueError(f"Invalid learning_rate {learning_rate}")
    initializer = tf.constant_initializer(learning_rate)
    return tf.get_variable("learning_rate", [], trainable=False, initializer=initializer)


def _optimizer(optimizer, rate):
    """An optimizer from its name, its class, a function of the rate, or itself; the function may do without a rate."""
    if isinstance(optimizer, tf.train.Optimizer):
        return optimizer
    is_class = isinstance(optimizer, type) and issubclass(optimizer, tf.train.Optimizer)
    if rate is None and (is_class or isinstance(optimizer, str)):
        raise ValueError(f"Learning rate is None, but should be specified if the optimizer is {optimizer}")
    if isinstance(optimizer, str):
        if optimizer not in _OPTIMIZERS:
            raise ValueError(f"Optimizer name should be one of {', '.join(_OPTIMIZERS)}, not {optimizer}")
        return _OPTIMIZERS[optimizer](rate)
    made = optimizer if not callable(optimizer) else optimizer() if rate is None else optimizer(rate)
    if not isinstance(made, tf.train.Optimizer):
        raise ValueError(
            f"Unrecognized optimizer: it should be a name, a class or an object of tf.train.Optimizer, or a function "
            f"that gives one, not {made}"
        )
    return made


def _multiplied(gradient, factor):
    if gradient is None or factor is None:
        return gradient
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * tf.cast(factor, gradient.dtype)


def _noisy(gradient, scale):
    if gradient is None:
        return None
    shape = gradient.dense_shape if isinstance(gradient, tf.IndexedSlices) else gradient.shape
    return tf.convert_to_tensor(gradient) + tf.truncated_normal(shape) * scale


def _clipped(pairs, clip_gradients):
    if isinstance(clip_gradients, float):
        gradients, variables = zip(*pairs)
        return list(zip(tf.clip_by_global_norm(gradients, clip_gradients)[0], variables))
    if callable(clip_gradients):
        return clip_gradients(pairs)
    if clip_gradients is not None:
        raise ValueError(f"Unknown type {type(clip_gradients)} for clip_gradients: it is a float or a function")
    return pairs


def _summarise_gradients(pairs, summaries):
    for gradient, variable in pairs:
        values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        name = variable.name.replace(":", "_")
        if values is not None and "gradients" in summaries:
            tf.summary.histogram(f"gradients/{name}", values)
        if values is not None and "gradient_norm" in summaries:
            tf.summary.scalar(f"gradient_norm/{name}", tf.global_norm([values]))


def optimize_loss(
    loss,
    global_step,
    learning_rate,
    optimizer,
    gradient_noise_scale=None,
    gradient_multipliers=None,
    clip_gradients=None,
    learning_rate_decay_fn=None,
    update_ops=None,
    variables=None,
    name=None,
    summaries=None,
    colocate_gradients_with_ops=False,
    increment_global_step=True,
):
    """A training operation, which returns the loss, with an optimizer by its name, class, function or object.

    Args:
      loss: [].
      global_step: counts the updates; None: the graph's, where there is one.
      learning_rate: a float, a tensor [], or None where `optimizer` needs none.
      gradient_noise_scale: times what truncated normal noise is added to the gradients; None is no noise.
      gradient_multipliers: a dict of factors by variable, or by its name.
      clip_gradients: a global norm, a float, or a function from (gradient, variable) pairs to such.
      learning_rate_decay_fn: a function of the rate and the step, which gives the rate.
      update_ops: what runs before the loss; None is the collection UPDATE_OPS, such as batch_norm's moving averages.
      summaries: of what, names; None is loss, learning_rate (if it decays) and global_gradient_norm.
    """
    loss = tf.convert_to_tensor(loss)
    tf.debugging.assert_scalar(loss)
    if global_step is None:
        global_step = tf.train.get_global_step()
    else:
        tf.train.assert_global_step(global_step)
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        update_ops = list(dict.fromkeys(tf.get_collection(_KEYS.UPDATE_OPS))) if update_ops is None else update_ops
        loss = _after(update_ops, loss) if update_ops else loss
        rate = _rate(learning_rate)
        summaries = ("loss", "learning_rate", "global_gradient_norm") if summaries is None else summaries
        for summary in summaries:
            if summary not in _SUMMARIES:
                raise ValueError(f"Summaries should be one of {', '.join(_SUMMARIES)}, you provided {summary}")
        if rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in summaries:
                tf.summary.scalar("learning_rate", rate)
        optimizer = _optimizer(optimizer, rate)
        variables = tf.trainable_variables() if variables is None else variables
        pairs = optimizer.compute_gradients(loss, variables, colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            pairs = [(_noisy(gradient, gradient_noise_scale), variable) for gradient, variable in pairs]
        if gradient_multipliers is not None:
            factors = [gradient_multipliers.get(v, gradient_multipliers.get(v.name)) for _, v in pairs]
            pairs = [(_multiplied(gradient, factor), v) for (gradient, v), factor in zip(pairs, factors)]
        has_norm = "global_gradient_norm" in summaries or "gradient_norm" in summaries
        if has_norm:
            tf.summary.scalar("global_norm/gradient_norm", tf.global_norm([gradient for gradient, _ in pairs]))
        pairs = _clipped(pairs, clip_gradients)
        if "loss" in summaries:
            tf.summary.scalar("loss", loss)
        _summarise_gradients(pairs, summaries)
        if has_norm and clip_gradients is not None:
            tf.summary.scalar("global_norm/clipped_gradient_norm", tf.global_norm([gradient for gradient, _ in pairs]))
        step = global_step if increment_global_step else None
        return _after([optimizer.apply_gradients(pairs, step, name="train")], loss)


SHELF = {
    "fully_connected": fully_connected,
    "linear": functools.partial(fully_connected, activation_fn=None),
    "embed_sequence": embed_sequence,
    "safe_embedding_lookup_sparse": tf.nn.safe_embedding_lookup_sparse,
    "layer_norm": layer_norm,
    "one_hot_encoding": one_hot_encoding,
    "stack": stack,
    "xavier_initializer": xavier_initializer,
    "xavier_initializer_conv2d": xavier_initializer,
    "variance_scaling_initializer": variance_scaling_initializer,
    "l1_regularizer": l1_regularizer,
    "l2_regularizer": l2_regularizer,
    "l1_l2_regularizer": l1_l2_regularizer,
    "sum_regularizer": sum_regularizer,
    "apply_regularization": apply_regularization,
    "dropout": dropout,
    "batch_norm": batch_norm,
    "flatten": flatten,
    "optimize_loss": optimize_loss,
}
