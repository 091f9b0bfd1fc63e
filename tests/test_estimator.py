"""`tf.estimator`: how often it saves, evaluates and stops, as recorded with TensorFlow 1.15.5, and what it refuses."""

import functools
import glob

import numpy as np
import pytest

from tf1 import tf

KEYS = tf.estimator.ModeKeys
X = np.random.RandomState(0).randn(200, 3).astype(np.float32)
Y = (X.sum(1) > 0).astype(np.int32)


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def model_fn(mode, features, labels, params):
    assert params.pop("rate_is_given")  # of a copy: the next call has it again
    logits = tf.layers.dense(features["x"], 2, name="dense")
    if mode == KEYS.PREDICT:
        predictions = {"label": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    if mode == KEYS.EVAL:
        metrics = {"acc": tf.metrics.accuracy(labels, tf.argmax(logits, 1))}
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
    train_op = tf.train.GradientDescentOptimizer(params["rate"]).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def make(model_dir="run", rate=0.5, function=model_fn, **options):
    config = tf.estimator.RunConfig(tf_random_seed=3, save_checkpoints_steps=20)
    return tf.estimator.Estimator(function, model_dir, config, {"rate": rate, "rate_is_given": True}, **options)


def train_fn():
    """60 steps; the dataset looks something up, for which the table has to be there."""
    index = tf.contrib.lookup.index_table_from_tensor(["a", "b"]).lookup(tf.constant("b"))
    dataset = tf.data.Dataset.from_tensor_slices(({"x": X}, Y)).repeat(6).batch(20)
    return tf.data.Dataset.zip((dataset, tf.data.Dataset.from_tensors(index).repeat())).map(lambda batch, _: batch)


eval_fn = tf.estimator.inputs.numpy_input_fn({"x": X}, Y, 50, shuffle=False)


def evaluations(folder):
    """By tag the steps and values of an evaluation's summaries."""
    found = {}
    for path in sorted(glob.glob(f"{folder}/events*")):
        for event in tf.train.summary_iterator(path):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_training_goes_on_and_ends_where_it_is_told(in_tmp_path):
    estimator = make()
    assert estimator.train(train_fn, steps=10).latest_checkpoint() == "run/model.ckpt-10"
    assert estimator.train(train_fn, steps=10).latest_checkpoint() == "run/model.ckpt-20"
    assert estimator.train(train_fn, max_steps=15).latest_checkpoint() == "run/model.ckpt-20"  # it is there already
    assert make().train(train_fn, max_steps=25).latest_checkpoint() == "run/model.ckpt-25"
    assert make().train(train_fn).latest_checkpoint() == "run/model.ckpt-85"  # to the input's end
    names = sorted(path.rpartition("-")[2] for path in glob.glob("run/*.index"))
    assert names == sorted(f"{step}.index" for step in (20, 25, 45, 65, 85))  # keep_checkpoint_max is 5
    assert estimator.get_variable_names() == ["dense/bias", "dense/kernel", "global_step"]


def test_a_function_with_bound_arguments_keeps_them(in_tmp_path):
    seen = []

    def input_fn(data, params, config=None):
        seen.append((data, params, config.save_checkpoints_steps))
        return train_fn()

    make().train(functools.partial(input_fn, 1, params=2), steps=1)
    make().train(functools.partial(input_fn, 1), steps=1)
    assert seen == [(1, 2, 20), (1, {"rate": 0.5, "rate_is_given": True}, 20)]


def test_evaluation_is_over_all_batches(in_tmp_path):
    estimator = make().train(train_fn, steps=5)
    kernel, bias = (estimator.get_variable_value(f"dense/{name}") for name in ("kernel", "bias"))
    logits = X @ kernel + bias
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(200), Y]
    found = estimator.evaluate(eval_fn)
    assert found == {
        "loss": pytest.approx(losses.mean(), rel=1e-5),
        "acc": pytest.approx(np.mean(logits.argmax(1) == Y)),
        "global_step": 5,
    }
    first = estimator.evaluate(eval_fn, steps=1, name="first")
    assert first["loss"] == pytest.approx(losses[:50].mean(), rel=1e-5)
    assert evaluations("run/eval")["acc"] == {5: pytest.approx(found["acc"])}
    assert evaluations("run/eval_first")["loss"] == {5: pytest.approx(first["loss"])}
    predicted = list(estimator.predict(tf.estimator.inputs.numpy_input_fn({"x": X}, shuffle=False)))
    assert len(predicted) == 200 and predicted[7]["label"] == logits[7].argmax()
    input_fn = tf.estimator.inputs.numpy_input_fn({"x": X}, batch_size=150, shuffle=False)
    batches = list(estimator.predict(input_fn, ["label"], yield_single_examples=False))
    assert [list(batch) for batch in batches] == [["label"]] * 2 and len(batches[1]["label"]) == 50


def test_a_prediction_leaves_the_callers_graph_alone(in_tmp_path):
    estimator = make().train(train_fn, steps=1)
    with tf.Graph().as_default() as graph:
        predictions = estimator.predict(eval_fn)
        next(predictions)
        assert tf.constant(1).graph is graph


@pytest.mark.parametrize("throttle_secs", [0, 600])
def test_train_and_evaluate(in_tmp_path, throttle_secs):
    """Not after the checkpoint that the training begins with; after the next one in any case, and at the end."""
    estimator = make().train(train_fn, steps=20)
    spec = tf.estimator.EvalSpec(eval_fn, throttle_secs=throttle_secs)
    results, exports = tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(train_fn, 60), spec)
    assert results["global_step"] == 60 and exports == []
    assert list(evaluations("run/eval")["loss"]) == [40, 60]


def test_a_training_stops_where_nothing_gets_better(in_tmp_path):
    estimator = make(rate=0.0)
    options = {"run_every_secs": None, "run_every_steps": 1}
    options.update(estimator=estimator, metric_name="loss")
    hook = tf.estimator.experimental.stop_if_no_decrease_hook(max_steps_without_decrease=20, **options)
    spec = tf.estimator.EvalSpec(eval_fn, throttle_secs=0)
    tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(train_fn, 60, [hook]), spec)
    assert list(evaluations("run/eval")["loss"]) == [20, 40]  # no better at 40 than at 20


@pytest.mark.parametrize("name, threshold, steps", [("lower", 9, [20]), ("higher", 9, [20, 40, 60])])
def test_a_training_stops_at_a_threshold(in_tmp_path, name, threshold, steps):
    estimator = make()
    hook = getattr(tf.estimator.experimental, f"stop_if_{name}_hook")(estimator, "loss", threshold, run_every_secs=0)
    spec = tf.estimator.EvalSpec(eval_fn, throttle_secs=0)
    tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(train_fn, 60, [hook]), spec)
    assert list(evaluations("run/eval")["loss"]) == steps


def test_a_training_begins_with_another_ones_weights(in_tmp_path):
    make("first").train(train_fn, steps=30)
    second = make("second", rate=0.0, warm_start_from="first").train(train_fn, steps=1)
    for name in "dense/kernel", "dense/bias":
        np.testing.assert_array_equal(second.get_variable_value(name), make("first").get_variable_value(name))
    assert second.get_variable_value("global_step") == 1


def test_an_export_is_served(in_tmp_path):
    estimator = make().train(train_fn, steps=5)
    receiver_fn = tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1, 3])})
    exporter = tf.estimator.LatestExporter("latest", receiver_fn, exports_to_keep=1)
    spec = tf.estimator.EvalSpec(eval_fn, throttle_secs=0, exporters=exporter)
    _, exports = tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(train_fn, 40), spec)
    assert list(evaluations("run/eval")["loss"]) == [25, 40]  # each with an export
    assert [path.decode() for path in exports] == glob.glob("run/export/latest/*")
    predict_fn = tf.contrib.predictor.from_saved_model(exports[-1].decode())
    expected = next(estimator.predict(eval_fn))
    found = predict_fn({"x": X[:2]})
    np.testing.assert_allclose(found["probabilities"][0], expected["probabilities"], rtol=1e-5)
    with pytest.raises(ValueError, match=r"unexpected keys in input_dict: \['y'\], expected: \['x'\]"):
        predict_fn({"y": X})


def test_a_script_places_an_op_on_a_gpu_that_is_not_there(in_tmp_path):
    def placed_fn(features, mode):
        with tf.device("/gpu:0"):
            return tf.estimator.EstimatorSpec(mode, predictions=2 * features)

    features = tf.estimator.inputs.numpy_input_fn(X, shuffle=False)
    predicted = list(make(function=placed_fn).predict(features))
    np.testing.assert_array_equal(predicted, 2 * X)


def without_labels(features):
    return None


@pytest.mark.parametrize(
    "do, message",
    [
        (lambda: tf.estimator.EstimatorSpec(KEYS.TRAIN, loss=tf.constant(1.0)), "Missing train_op"),
        (lambda: tf.estimator.EstimatorSpec(KEYS.EVAL), "Missing loss"),
        (lambda: tf.estimator.EstimatorSpec(KEYS.PREDICT), "Missing predictions"),
        (lambda: make().train(train_fn, steps=1, max_steps=1), "both steps and max_steps"),
        (lambda: make(function=without_labels).train(train_fn), "model_fn does not take labels"),
        (lambda: make(function=lambda x, labels, mode: 1), "must include features argument"),
        (lambda: make(function=lambda features, labels: 1).train(train_fn), "should return an EstimatorSpec"),
        (lambda: make().train(lambda: (1, 2, 3)), "should return \\(features, labels\\)"),
        (lambda: tf.estimator.inputs.numpy_input_fn({"x": X}), "shuffle must be provided"),
        (lambda: tf.estimator.inputs.numpy_input_fn(X, Y[:5], shuffle=True)(), "mismatched"),
        (lambda: tf.estimator.RunConfig(save_checkpoints_steps=1, save_checkpoints_secs=1), "Can not provide both"),
        (lambda: make().export_saved_model("ex", None), "Couldn't find trained model at run"),
        (lambda: next(make().predict(eval_fn, "other")), "Expected to run at least one output"),
    ],
)
def test_what_is_refused(in_tmp_path, do, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        do()
