"""`tf.contrib.layers`, against TensorFlow 1.15.5 (recorded, where it says so) and against NumPy."""

import inspect

import numpy as np
import pytest

from conftest import set_variables
from tf1 import tf

KEYS, LAYERS = tf.GraphKeys, tf.contrib.layers
RANDOM = np.random.RandomState(0)


def evaluated(session, *tensors):
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


def names(key=KEYS.GLOBAL_VARIABLES):
    return [item.op.name for item in tf.get_collection(key)]


def waves(*shape):
    return np.sin(1.3 * np.arange(np.prod(shape))).reshape(shape).astype(np.float32)


def sums(session, tensors):
    """The sums of the absolute values of tensors, without random numbers in the variables."""
    session.run(tf.global_variables_initializer())
    set_variables(session)
    return [np.abs(array).sum() for array in session.run(tensors)]


@pytest.mark.parametrize(
    "name, arguments",
    [  # of TensorFlow 1.15.5
        (
            "fully_connected",
            "inputs num_outputs activation_fn normalizer_fn normalizer_params weights_initializer weights_regularizer "
            "biases_initializer biases_regularizer reuse variables_collections outputs_collections trainable scope",
        ),
        ("embed_sequence", "ids vocab_size embed_dim unique initializer regularizer trainable scope reuse"),
        (
            "layer_norm",
            "inputs center scale activation_fn reuse variables_collections outputs_collections trainable "
            "begin_norm_axis begin_params_axis scope",
        ),
        (
            "batch_norm",
            "inputs decay center scale epsilon activation_fn param_initializers param_regularizers "
            "updates_collections is_training reuse variables_collections outputs_collections trainable batch_weights "
            "fused data_format zero_debias_moving_mean scope renorm renorm_clipping renorm_decay adjustment",
        ),
        ("dropout", "inputs keep_prob noise_shape is_training outputs_collections scope seed"),
        ("flatten", "inputs outputs_collections scope"),
        ("one_hot_encoding", "labels num_classes on_value off_value outputs_collections scope"),
        ("l1_l2_regularizer", "scale_l1 scale_l2 scope"),
        ("sum_regularizer", "regularizer_list scope"),
        ("variance_scaling_initializer", "factor mode uniform seed dtype"),
        (
            "optimize_loss",
            "loss global_step learning_rate optimizer gradient_noise_scale gradient_multipliers clip_gradients "
            "learning_rate_decay_fn update_ops variables name summaries colocate_gradients_with_ops "
            "increment_global_step",
        ),
    ],
)
def test_arguments_are_in_the_order_of_tensorflow_1_15(name, arguments):
    assert list(inspect.signature(getattr(LAYERS, name)).parameters) == arguments.split()


def test_embedded_sequences_and_normalised_rows(session):
    ids = tf.constant([[1, 2], [3, 0]])
    embedded = LAYERS.embed_sequence(ids, 5, 3, scope="words")
    again = LAYERS.embed_sequence(ids, 5, 3, scope="words", reuse=True)
    assert names() == ["words/embeddings"]
    rows = tf.constant(RANDOM.normal(size=[2, 3, 4]))
    normalised = LAYERS.layer_norm(rows)
    one_hot = LAYERS.one_hot_encoding(tf.constant([2, 0]), 3)
    penalty = LAYERS.l1_regularizer(0.5)(tf.constant([1.0, -3.0]))
    values = evaluated(session, tf.trainable_variables()[0], embedded, again, rows, normalised, one_hot, penalty)
    table, embedded, again, rows, normalised, one_hot, penalty = values
    np.testing.assert_array_equal(embedded, table[np.array([[1, 2], [3, 0]])])
    np.testing.assert_array_equal(again, embedded)
    flat = rows.reshape(2, -1)
    expected = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    np.testing.assert_allclose(normalised.reshape(2, -1), expected)
    assert one_hot.tolist() == [[0, 0, 1], [1, 0, 0]] and penalty == 2
    with pytest.raises(ValueError, match="Must specify vocab"):
        LAYERS.embed_sequence(ids)


@pytest.mark.parametrize("unique, rows", [(False, 4), (True, 3)])
def test_an_embeddings_gradient_has_a_row_for_each_place_or_each_id(session, unique, rows):
    embedded = LAYERS.embed_sequence([[1, 2], [1, 0]], 4, 2, unique)
    (gradient,) = tf.gradients(embedded, tf.trainable_variables())
    assert embedded.shape.as_list() == [2, 2, 2]
    table, embedded, gradient = evaluated(session, tf.trainable_variables()[0], embedded, gradient)
    np.testing.assert_array_equal(embedded, table[np.array([[1, 2], [1, 0]])])
    assert gradient.values.shape == (rows, 2) and gradient.values.sum() == 8


def test_fully_connected(session):
    x = RANDOM.normal(size=[2, 3, 4])
    y = LAYERS.fully_connected(tf.constant(x, tf.float32), 5, weights_regularizer=LAYERS.l2_regularizer(0.5))
    plain = LAYERS.linear(tf.constant(x[0], tf.float32), 2, biases_initializer=None)
    assert names() == ["fully_connected/weights", "fully_connected/biases", "fully_connected_1/weights"]
    (penalty,) = tf.get_collection(KEYS.REGULARIZATION_LOSSES)
    y, plain, penalty, (W, b, V) = evaluated(session, y, plain, penalty, tf.global_variables())
    np.testing.assert_allclose(y, np.maximum(x @ W + b, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(plain, x[0] @ V, rtol=1e-5, atol=1e-6)
    assert penalty == pytest.approx(0.25 * np.sum(W**2), rel=1e-5)
    assert np.max(np.abs(W)) <= np.sqrt(6 / (4 + 5))  # Glorot's uniform
    with pytest.raises(ValueError, match="num_outputs type should be"):
        LAYERS.fully_connected(x, 2.5)


@pytest.mark.parametrize(
    "normalizer, expected",
    [  # TensorFlow 1.15.5: sums of the absolute values of the outputs, and of the gradients
        (None, [1.85902, 4.77396, 7]),
        (LAYERS.batch_norm, [4.7711, 3.15611, 4]),
        (LAYERS.layer_norm, [1.69889, 0, 5]),
    ],
)
def test_fully_connected_with_a_normalizer(session, normalizer, expected):
    y = LAYERS.fully_connected(waves(4, 3), 2, normalizer_fn=normalizer)
    gradients = tf.gradients(y, tf.trainable_variables()[:2])
    assert sums(session, [y, *gradients]) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def layers_with_collections(collections):
    x, options = waves(4, 3), {"variables_collections": collections, "outputs_collections": "ends"}
    LAYERS.fully_connected(x, 2, **options)
    LAYERS.layer_norm(x, **options)
    LAYERS.batch_norm(x, scope="rows", scale=True, **options)
    LAYERS.batch_norm(waves(2, 3, 4), scope="blocks", scale=True, **options)
    LAYERS.embed_sequence([[1]], 3, 2)


@pytest.mark.parametrize(
    "collections, expected",
    [
        (None, ""),
        (
            ["mine"],
            "fully_connected/weights fully_connected/biases LayerNorm/beta LayerNorm/gamma rows/beta rows/gamma "
            "rows/moving_mean rows/moving_variance blocks/moving_mean blocks/moving_variance blocks/beta blocks/gamma",
        ),
        (
            {"weights": ["mine"], "beta": ["mine"], "moving_mean": ["mine"]},
            "fully_connected/weights LayerNorm/beta rows/beta rows/moving_mean blocks/moving_mean blocks/beta",
        ),
    ],
)
def test_collections_are_added_to_those_that_initialise_and_save(session, collections, expected):
    """The names, in their order, are those of TensorFlow 1.15.5."""
    layers_with_collections(collections)
    assert names("mine") == expected.split()
    moving = ["moving_mean", "moving_variance"]
    everything = [
        *("fully_connected/weights", "fully_connected/biases", "LayerNorm/beta", "LayerNorm/gamma"),
        *[f"rows/{name}" for name in ["beta", "gamma", *moving]],
        *[f"blocks/{name}" for name in ["gamma", "beta", *moving]],
        "EmbedSequence/embeddings",
    ]
    assert names() == names(KEYS.MODEL_VARIABLES) == everything
    assert len(tf.get_collection("ends")) == 4
    session.run(tf.global_variables_initializer())
    assert session.run(tf.report_uninitialized_variables()).size == 0


def test_a_layer_that_is_reused_adds_its_collections_and_no_second_loss(session):
    for reuse, key in ((None, []), (True, ["mine"])):
        options = {"weights_regularizer": LAYERS.l2_regularizer(0.5), "variables_collections": key}
        LAYERS.fully_connected(waves(4, 3), 2, scope="s", reuse=reuse, **options)
    assert names("mine") == names() == ["s/weights", "s/biases"]
    assert len(tf.get_collection(KEYS.REGULARIZATION_LOSSES)) == 1


def test_layers_upon_each_other_and_the_variables_of_a_scope(session):
    x = RANDOM.normal(size=[2, 4])
    get_variables = tf.contrib.framework.get_variables
    options = {"activation_fn": tf.nn.tanh, "biases_initializer": None}
    stacked = LAYERS.stack(tf.constant(x), LAYERS.fully_connected, [3, (2,)], **options)
    with tf.variable_scope("outer") as scope:
        LAYERS.stack(stacked, LAYERS.linear, [5], scope="fc")
    assert names() == [f"Stack/fully_connected_{layer}/weights" for layer in (1, 2)] + [
        f"outer/fc/fc_1/{name}" for name in ("weights", "biases")
    ]
    assert get_variables("Stack") == tf.global_variables()[:2] and get_variables(scope) == tf.global_variables()[2:]
    assert get_variables(suffix="biases") == get_variables("outer", "biases:0") == tf.global_variables()[3:]
    assert get_variables(scope, collection=KEYS.LOCAL_VARIABLES) == []
    stacked, V, W = evaluated(session, stacked, *get_variables("Stack"))
    np.testing.assert_allclose(stacked, np.tanh(np.tanh(x @ V) @ W))
    with pytest.raises(ValueError, match="need to be a list or tuple"):
        LAYERS.stack(stacked, LAYERS.fully_connected, 3)


@pytest.mark.parametrize(
    "options, shapes, expected",
    [  # TensorFlow 1.15.5: shapes of the variables, sums of the absolute values of the output and of the gradients
        ({"begin_norm_axis": 1, "begin_params_axis": -1}, [[4], [4]], [6.72709, 24, 0.659073]),
        ({"begin_norm_axis": 0}, [[4], [4]], [6.60679, 24, 0.658558]),
        ({"begin_norm_axis": -1, "begin_params_axis": 1}, [[3, 4], [3, 4]], [7.32917, 24, 1.13278]),
        ({"begin_params_axis": 0}, [[2, 3, 4], [2, 3, 4]], [7.10661, 24, 21.1084]),
        ({"center": False, "begin_norm_axis": 2}, [[4]], [4.99001, 0.666267]),
        ({"scale": False, "activation_fn": tf.nn.relu}, [[4]], [11.0541, 14]),
    ],
)
def test_layer_norm_over_chosen_axes(session, options, shapes, expected):
    y = LAYERS.layer_norm(waves(2, 3, 4), **options)
    assert [variable.shape.as_list() for variable in tf.trainable_variables()] == shapes
    gradients = tf.gradients(y, tf.trainable_variables())
    assert sums(session, [y, *gradients]) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_layer_norm_of_half_precision_and_of_wrong_axes(session):
    (found,) = sums(session, [tf.cast(LAYERS.layer_norm(waves(2, 3, 4).astype(np.float16)), tf.float32)])
    assert found == pytest.approx(6.72067, rel=1e-3)  # TensorFlow 1.15.5
    for options in {"begin_norm_axis": 3}, {"begin_params_axis": 3}:
        with pytest.raises(ValueError, match=r"begin_params_axis \(-?\d\) and begin_norm_axis \(\d\) must be"):
            LAYERS.layer_norm(waves(2, 3, 4), **options)
    for shape, message in ((None, "has undefined rank"), ([None, None], "Inputs .* shape")):
        with pytest.raises(ValueError, match=message):
            LAYERS.layer_norm(tf.placeholder(tf.float32, shape))


def test_batch_norm_learns_the_means(session):
    x = RANDOM.normal(3, 2, size=[500, 2])
    is_training = tf.placeholder(tf.bool, [])
    y = LAYERS.batch_norm(tf.constant(x, tf.float32), 0.5, is_training=is_training, updates_collections=None)
    assert names() == [f"BatchNorm/{name}" for name in ("beta", "moving_mean", "moving_variance")]
    session.run(tf.global_variables_initializer())
    for _ in range(30):
        session.run(y, {is_training: True})
    np.testing.assert_allclose(session.run(y, {is_training: False}), (x - x.mean(0)) / x.std(0), rtol=1e-2, atol=1e-2)


ADJUSTED = {"adjustment": lambda shape: (tf.constant(1.5), tf.constant(0.2))}
INITIAL = {"beta": tf.constant_initializer(0.3), "moving_mean": tf.constant_initializer(1.0)}
WEIGHTS = {"batch_weights": np.float32([1, 2])}


@pytest.mark.parametrize(
    "rank, options, places, is_tensor, expected",
    [  # TensorFlow 1.15.5: how many updates are in UPDATE_OPS and in "u"; whether is_training is a tensor; sums of the
        # absolute values of the output of the second of two steps, of the output without training after it, and of the
        # moving mean and variance
        (2, {}, (2, 0), False, [9.85581, 7.69567, 0.102607, 2.78419]),
        (
            2,
            {"fused": True, "data_format": "NHWC", "renorm_decay": 0.99},
            (2, 0),
            True,
            [9.85581, 7.69567, 0.102607, 2.78419],
        ),
        (2, {"fused": False}, (2, 0), False, [9.85581, 7.82082, 0.102607, 2.69564]),
        (2, {"updates_collections": "u"}, (0, 2), False, [9.85581, 7.69567, 0.102607, 2.78419]),
        (2, {"updates_collections": None}, (0, 0), True, [9.85581, 7.69567, 0.102607, 2.78419]),
        (2, {"zero_debias_moving_mean": True}, (2, 0), True, [9.85581, 6.99106, 0.540035, 2.78419]),
        (
            2,
            {"param_initializers": INITIAL, "activation_fn": tf.nn.relu},
            (2, 0),
            False,
            [7.317, 1.37595, 2.48974, 2.78419],
        ),
        (3, {}, (2, 0), True, [21.4449, 15.9469, 0.00574935, 2.71508]),
        (
            3,
            {"updates_collections": "u", "param_initializers": INITIAL},
            (0, 2),
            True,
            [22.3206, 18.1493, 2.43291, 2.71508],
        ),
        (3, {"updates_collections": None}, (0, 0), True, [21.4449, 15.9469, 0.00574935, 2.71508]),
        (3, WEIGHTS, (2, 0), False, [21.5408, 15.9543, 0.0368179, 2.71256]),
        (3, {"param_initializers": INITIAL}, (2, 0), False, [22.3206, 18.1493, 2.43291, 2.71508]),
        (3, ADJUSTED, (2, 0), False, [32.5137, 15.9469, 0.00574935, 2.71508]),
        (
            3,
            {"renorm": True, "renorm_clipping": {"rmax": 1.1}, "renorm_decay": 0.8},
            (2, 0),
            False,
            [16.121, 16.0711, 0.00574935, 2.67324],
        ),
        (4, {}, (2, 0), False, [42.8547, 31.7238, 0.00550595, 2.7335]),
        (
            4,
            {"updates_collections": None, "zero_debias_moving_mean": True},
            (0, 0),
            False,
            [42.8547, 31.7341, 0.0289787, 2.7335],
        ),
    ],
)
def test_batch_norm_as_in_tensorflow_1_15(session, rank, options, places, is_tensor, expected):
    x = waves(*[2, 2, 4, 3][-rank:])
    is_training = tf.placeholder_with_default(True, []) if is_tensor else True
    options = {"decay": 0.9, "scale": True, **options}
    y = LAYERS.batch_norm(x, scope="bn", is_training=is_training, **options)
    updates = tf.get_collection(KEYS.UPDATE_OPS), tf.get_collection("u")
    assert tuple(map(len, updates)) == places
    evaluation = LAYERS.batch_norm(x, scope="bn", is_training=False, reuse=True, **options)
    assert tuple(len(tf.get_collection(key)) for key in (KEYS.UPDATE_OPS, "u")) == places
    session.run(tf.global_variables_initializer())
    for _ in range(2):
        output, _ = session.run([y, updates])
    moving = [v for name in ("mean", "variance") for v in tf.global_variables() if v.op.name == f"bn/moving_{name}"]
    found = [output, *session.run([evaluation, *moving])]
    assert [np.abs(array).sum() for array in found] == pytest.approx(expected, rel=1e-4)
    if is_tensor:  # what is not training leaves the means alone
        evaluated_too, _ = session.run([y, updates], {is_training: False})
        np.testing.assert_allclose(evaluated_too, found[1], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(session.run(moving[0]), found[2])


@pytest.mark.parametrize("shape, losses", [((4, 3), 1), ((2, 2, 4, 3), 1), ((2, 4, 3), 0)])
def test_regularizers_of_batch_norm(session, shape, losses):
    """In TensorFlow 1.15.5 they are lost where inputs are not of rank 2 or 4 and the updates are not in UPDATE_OPS."""
    regularizers = {"beta": LAYERS.l2_regularizer(0.5)}
    LAYERS.batch_norm(waves(*shape), param_regularizers=regularizers, updates_collections=None)
    assert len(tf.get_collection(KEYS.REGULARIZATION_LOSSES)) == losses
    LAYERS.batch_norm(waves(*shape), param_regularizers=regularizers)
    assert len(tf.get_collection(KEYS.REGULARIZATION_LOSSES)) == losses + 1


def test_batch_norm_refuses_what_it_does_not_know(session):
    x = waves(4, 3)
    for options in {"updates_collections": None}, {"batch_weights": np.ones(4, np.float32)}:
        with pytest.raises(ValueError, match="renorm is not supported with batch_weights, updates_collections"):
            LAYERS.batch_norm(x, renorm=True, **options)
    with pytest.raises(ValueError, match="data_format has to be either NCHW or NHWC"):
        LAYERS.batch_norm(x, data_format="NC")
    with pytest.raises(ValueError, match="undefined|must be known"):
        LAYERS.batch_norm(tf.placeholder(tf.float32, [4, None]))


def test_batch_norm_of_the_shelf_has_no_channels_first(session):
    with pytest.raises(TypeError, match="batch_norm on the shelf takes no data_format='NCHW'"):
        LAYERS.batch_norm(waves(4, 3), data_format="NCHW")


def test_dropout_rows_and_one_hot_numbers_are_collected(session):
    ones = tf.ones([2, 3, 4])
    results = [
        LAYERS.dropout(ones, 0.5, None, False, "ends", "d", 3),
        LAYERS.flatten(ones, ["ends", "more"], "f"),
        LAYERS.one_hot_encoding(tf.constant([2, 0], tf.uint8), 3, 2.0, -1.0, "ends"),
    ]
    assert tf.get_collection("ends") == results and tf.get_collection("more") == results[1:2]
    dropped = LAYERS.dropout(ones, tf.constant(0.5), [2, 1, 1], tf.constant(True), seed=3)
    same, flat, one_hot, dropped = session.run([*results, dropped])
    assert np.all(same == 1) and flat.shape == (2, 12) and one_hot.tolist() == [[-1, -1, 2], [2, -1, -1]]
    assert all(np.all(block == block[0, 0]) and block[0, 0] in (0, 2) for block in dropped)


@pytest.mark.parametrize(
    "regularizer, expected",
    [  # TensorFlow 1.15.5
        (lambda: LAYERS.l1_regularizer(0.5), 0.881096),
        (lambda: LAYERS.l2_regularizer(0.5), 0.134084),
        (lambda: LAYERS.l2_regularizer(tf.constant(0.5), "named"), 0.134084),
        (lambda: LAYERS.l1_l2_regularizer(), 2.03036),
        (lambda: LAYERS.l1_l2_regularizer(0.5, 0.0), 0.881096),
        (lambda: LAYERS.l1_l2_regularizer(0.0, 0.5), 0.134084),
        (lambda: LAYERS.sum_regularizer([None, LAYERS.l1_regularizer(0.5), lambda weights: None]), 0.881096),
        (lambda: LAYERS.l1_regularizer(0.0), None),
        (lambda: LAYERS.l2_regularizer(0.0), None),
        (lambda: LAYERS.l1_l2_regularizer(0.0, 0.0), None),
        (lambda: LAYERS.sum_regularizer([lambda weights: None]), None),
    ],
)
def test_regularizers(session, regularizer, expected):
    loss = regularizer()(tf.get_variable("a", [2, 3]))
    if expected is None:
        assert loss is None
    else:
        assert sums(session, [loss]) == pytest.approx([expected], rel=1e-4)


def test_scales_of_regularizers_are_floats(session):
    for regularizer in LAYERS.l1_regularizer, LAYERS.l2_regularizer:
        for scale in 1, 0, np.int64(2):
            with pytest.raises(ValueError, match="scale cannot be an integer"):
                regularizer(scale)
        with pytest.raises(ValueError, match="Setting a scale less than 0 on a regularizer: -0.5"):
            regularizer(-0.5)
    with pytest.raises(ValueError, match="scale_l1 cannot be an integer"):
        LAYERS.l1_l2_regularizer(1, 1.0)
    with pytest.raises(ValueError, match="scale_l2 cannot be an integer"):
        LAYERS.l1_l2_regularizer(1.0, 1)
    assert LAYERS.sum_regularizer([]) is LAYERS.sum_regularizer([None]) is None


def test_one_sum_of_regularization_is_collected(session):
    regularizer = LAYERS.l2_regularizer(0.5)
    for weights in [], None:
        with pytest.raises(ValueError, match="No weights to regularize"):
            LAYERS.apply_regularization(regularizer, weights)
    variables = [tf.get_variable("a", [2, 3]), tf.get_variable("b", [2])]
    totals = [LAYERS.apply_regularization(regularizer, variables)]
    tf.add_to_collection(KEYS.WEIGHTS, variables[0])
    totals += [LAYERS.apply_regularization(regularizer, weights) for weights in ([], None)]
    totals.append(LAYERS.apply_regularization(lambda weights: None, variables))
    assert tf.get_collection(KEYS.REGULARIZATION_LOSSES) == totals
    assert sums(session, totals) == pytest.approx([0.169713, 0.134084, 0.134084, 0], rel=1e-4)  # TensorFlow 1.15.5
    with pytest.raises(ValueError, match="regularizer must return a scalar"):
        LAYERS.apply_regularization(lambda weights: weights, variables)


@pytest.mark.parametrize(
    "initializer, shape, expected",
    [  # TensorFlow 1.15.5: the first two numbers
        (lambda: LAYERS.variance_scaling_initializer(seed=3), [3, 2], [-0.624538, 0.208134]),
        (lambda: LAYERS.variance_scaling_initializer(1.0, "FAN_AVG", seed=3), [2, 2, 3, 2], [-0.241882, 0.0806098]),
        (lambda: LAYERS.variance_scaling_initializer(1.0, "FAN_OUT", True, 3), [3, 2], [0.682882, 0.737781]),
        (lambda: LAYERS.variance_scaling_initializer(seed=3), [4], [-0.540866, 0.180249]),
        (lambda: LAYERS.xavier_initializer(seed=3), [3, 2], [0.610789, 0.659891]),
        (lambda: LAYERS.xavier_initializer_conv2d(False, 3, tf.float64), [3, 2], [-1.18673, 0.344753]),
    ],
)
def test_initializers_give_the_numbers_of_tensorflow_1_15(session, initializer, shape, expected):
    variable = tf.get_variable("v", shape, initializer=initializer())
    (value,) = evaluated(session, initializer()(shape))
    assert value.ravel()[:2].tolist() == pytest.approx(expected, rel=1e-5)
    assert variable.shape.as_list() == shape


def test_initializers_know_their_modes_and_types(session):
    assert session.run(LAYERS.variance_scaling_initializer(uniform=True, seed=3)([])).shape == ()
    with pytest.raises(TypeError, match="Unknown mode"):
        LAYERS.variance_scaling_initializer(mode="fan_in")
    with pytest.raises(TypeError, match="Cannot create initializer for non-floating point type"):
        LAYERS.xavier_initializer(dtype=tf.int32)
    with pytest.raises(TypeError, match="Cannot create initializer for non-floating point type"):
        LAYERS.variance_scaling_initializer()([3, 2], tf.int32)
    with pytest.raises(ValueError, match="math domain error|expected a nonnegative input"):
        LAYERS.variance_scaling_initializer(factor=-1.0)([3, 2])


def halved(rate, step):
    return tf.train.exponential_decay(rate, step, 1, 0.5)


def model():
    embedded = LAYERS.embed_sequence([[1, 2, 1], [0, 1, 3]], 4, 2, scope="words")
    hidden = LAYERS.fully_connected(tf.reshape(embedded, [2, 6]), 2, tf.nn.tanh, scope="hidden")
    return tf.reduce_sum(tf.square(hidden - 1) * [[1.0, 2.0]])


def trained(session, loss, *arguments, steps=2, **options):
    """The last loss, and the sums of the absolute values of the trainable variables."""
    operation = LAYERS.optimize_loss(loss, *arguments, **options)
    session.run(tf.global_variables_initializer())
    set_variables(session)
    for _ in range(steps):
        value = session.run(operation)
    return [value, *[np.abs(array).sum() for array in session.run(tf.trainable_variables())]]


class Sgd(tf.train.GradientDescentOptimizer):
    """A class that has a learning rate alone."""

    def __init__(self, learning_rate):
        super().__init__(learning_rate)


@pytest.mark.parametrize(
    "options, expected",
    [  # TensorFlow 1.15.5
        ({}, [0.362252, 2.73363, 3.68603, 1.50126]),
        ({"optimizer": "Momentum"}, [0.120985, 3.28289, 4.38719, 2.74613]),
        ({"optimizer": "Adam"}, [0.537337, 2.75854, 4.32986, 1.06285]),
        ({"optimizer": "RMSProp"}, [0.478379, 2.7958, 3.78591, 1.27304]),
        ({"optimizer": Sgd}, [0.362252, 2.73363, 3.68603, 1.50126]),
        (
            {"optimizer": lambda: Sgd(0.2), "learning_rate": None, "learning_rate_decay_fn": halved},
            [0.0929665, 3.00024, 3.94491, 2.07709],
        ),
        ({"optimizer": lambda rate: tf.train.MomentumOptimizer(rate, 0.5)}, [0.19032, 2.96764, 3.98638, 2.04693]),
        ({"optimizer": "object", "learning_rate": None}, [0.0929665, 3.00024, 3.94491, 2.07709]),
        ({"learning_rate": "tensor"}, [0.362252, 2.73363, 3.68603, 1.50126]),
        ({"clip_gradients": 0.5}, [1.9311, 2.3765, 3.254, 0.684242]),
        (
            {"clip_gradients": lambda pairs: [(-gradient, variable) for gradient, variable in pairs[1:]]},
            [16.6945, 2.29429, 3.11208, 2.36957],
        ),
        (
            {"gradient_multipliers": {"words/embeddings:0": 0.5, "hidden/weights:0": 2.0, "other": 0.0}},
            [0.31805, 2.54359, 4.2224, 1.46243],
        ),
        ({"gradient_noise_scale": 0.0, "colocate_gradients_with_ops": True}, [0.362252, 2.73363, 3.68603, 1.50126]),
    ],
)
def test_optimize_loss(session, options, expected):
    loss, options = model(), {"learning_rate": 0.1, "optimizer": "SGD", **options}
    if options["optimizer"] == "object":
        options["optimizer"] = tf.train.GradientDescentOptimizer(0.2)
    if options["learning_rate"] == "tensor":
        options["learning_rate"] = tf.constant(0.1)
    found = trained(session, loss, None, steps=3, **options)
    assert found == pytest.approx(expected, rel=1e-4)
    assert tf.train.get_global_step() is None


def test_optimize_loss_with_arguments_by_place(session):
    loss, step = model(), tf.train.create_global_step()
    multipliers = {tf.trainable_variables()[1]: 0.0}
    arguments = step, 0.1, "SGD", None, multipliers, 0.5, halved, [], tf.trainable_variables()[:2], "mine", ["loss"]
    found = trained(session, loss, *arguments)
    assert found == pytest.approx([2.32693, 2.407, 3.18171, 0.50754], rel=1e-4)  # TensorFlow 1.15.5
    assert names(KEYS.SUMMARIES) == ["mine/loss"] and names()[-1] == "mine/learning_rate" and session.run(step) == 2
    session.run(LAYERS.optimize_loss(loss, None, tf.constant(0.1), "SGD"))  # the graph's step
    assert session.run(step) == 3
    session.run(LAYERS.optimize_loss(loss, step, tf.constant(0.1), "SGD", increment_global_step=False))
    assert session.run(step) == 3


def test_optimize_loss_runs_the_updates(session):
    x = waves(4, 3)
    loss = tf.reduce_sum(tf.square(LAYERS.batch_norm(LAYERS.linear(x, 2), 0.5) - 1))
    for update_ops, expected in ((None, [0.396715, 0.523685]), ([], [0, 2])):  # TensorFlow 1.15.5
        trained(session, loss, None, tf.constant(0.1), "SGD", update_ops=update_ops)
        moving = [v for v in tf.global_variables() if "moving" in v.op.name]
        assert [np.abs(array).sum() for array in session.run(moving)] == pytest.approx(expected, rel=1e-4)
    counter = tf.Variable(0, trainable=False)
    trained(session, loss, None, tf.constant(0.1), "SGD", update_ops=[tf.assign_add(counter, 1)])
    assert session.run(counter) == 2


def test_noise_of_gradients(session):
    loss = tf.reduce_sum(tf.get_variable("a", [30, 2])) + tf.reduce_sum(LAYERS.embed_sequence([[1]], 30, 2))
    operation = LAYERS.optimize_loss(loss, None, 1.0, "SGD", 100.0)
    session.run(tf.global_variables_initializer())
    for variable in tf.trainable_variables():
        session.run(tf.assign(variable, np.zeros([30, 2])))
    session.run(operation)
    for value in session.run(tf.trainable_variables()):  # the embedding's gradient has become a dense one
        assert 50 < value.std() < 120 and np.abs(value).max() < 201


@pytest.mark.parametrize(
    "options, expected",
    [  # TensorFlow 1.15.5
        ({}, "global_norm/gradient_norm loss"),
        (
            {"learning_rate_decay_fn": halved, "clip_gradients": 0.5},
            "learning_rate_1 global_norm/gradient_norm loss global_norm/clipped_gradient_norm",
        ),
        ({"summaries": []}, ""),
        ({"summaries": ["learning_rate"], "learning_rate_decay_fn": halved}, "learning_rate_1"),
        (
            {"summaries": ["gradients", "gradient_norm"], "variables": ["words/embeddings", "unused"]},
            "global_norm/gradient_norm gradients/words/embeddings_0 gradient_norm/words/embeddings_0",
        ),
    ],
)
def test_summaries_of_optimize_loss(session, options, expected):
    loss, unused = model(), tf.get_variable("unused", [])
    if "variables" in options:
        options = {**options, "variables": [tf.trainable_variables()[0], unused]}
    trained(session, loss, tf.train.create_global_step(), 0.1, "SGD", **options)
    assert names(KEYS.SUMMARIES) == [f"OptimizeLoss/{name}" for name in expected.split()]
    if expected:
        session.run(tf.summary.merge_all())


@pytest.mark.parametrize(
    "options, message",
    [  # as in TensorFlow 1.15.5
        ({"optimizer": "GradientDescent"}, "Optimizer name should be one of"),
        ({"optimizer": 3}, "Unrecognized optimizer"),
        ({"optimizer": lambda rate: 3}, "Unrecognized optimizer"),
        ({"learning_rate": None}, "Learning rate is None, but should be specified"),
        ({"learning_rate": None, "optimizer": Sgd}, "Learning rate is None, but should be specified"),
        ({"learning_rate": 1}, "Learning rate should be 0d Tensor or float"),
        ({"learning_rate": -0.1}, "Invalid learning_rate"),
        ({"learning_rate_decay_fn": halved}, "global_step is required for learning_rate_decay_fn"),
        ({"clip_gradients": 1}, "Unknown type <class 'int'> for clip_gradients"),
        ({"summaries": ["weights"]}, "Summaries should be one of"),
        ({"loss": [1.0, 2.0]}, "Expected scalar shape"),
    ],
)
def test_optimize_loss_says_what_is_wrong(session, options, message):
    options = {"loss": model(), "global_step": None, "learning_rate": 0.1, "optimizer": "SGD", **options}
    with pytest.raises(ValueError, match=message):
        LAYERS.optimize_loss(**options)


def test_a_step_is_an_integer(session):
    with pytest.raises(TypeError, match='Existing "global_step"'):
        LAYERS.optimize_loss(model(), 3, 0.1, "SGD")
