"""The tutorial's recorded outputs, and the MNIST models against NumPy and as a program."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import configs
import reader
import rnn_basics
from conftest import ROOT, slow
from tf1 import plots, tf
from tf1.app import UserError

# The recording of the book's notebook.
RECORDED = {
    "manual": {
        "Y0": [
            [-0.0664006, 0.9625767, 0.68105793, 0.7091854, -0.898216],
            [0.9977755, -0.719789, -0.9965761, 0.9673924, -0.9998972],
            [0.99999774, -0.99898803, -0.9999989, 0.9967762, -0.9999999],
            [1.0, -1.0, -1.0, -0.99818915, 0.9995087],
        ],
        "Y1": [
            [1.0, -1.0, -1.0, 0.4020025, -0.9999998],
            [-0.12210419, 0.62805265, 0.9671843, -0.9937122, -0.2583937],
            [0.9999983, -0.9999994, -0.9999975, -0.85943305, -0.9999881],
            [0.99928284, -0.99999815, -0.9999058, 0.9857963, -0.92205757],
        ],
    },
    "static": {
        "Y0": [
            [0.30741334, -0.32884315, -0.6542847, -0.9385059, 0.52089024],
            [0.99122757, -0.9542541, -0.7518079, -0.9995208, 0.9820235],
            [0.9999268, -0.99783254, -0.8247353, -0.9999963, 0.99947774],
            [0.996771, -0.68750614, 0.8419969, 0.9303911, 0.8120684],
        ],
        "Y1": [
            [0.99998885, -0.99976057, -0.0667929, -0.9999803, 0.99982214],
            [-0.6524943, -0.51520866, -0.37968948, -0.5922594, -0.08968379],
            [0.99862397, -0.99715203, -0.03308626, -0.9991566, 0.9932902],
            [0.99681675, -0.9598194, 0.39660627, -0.8307606, 0.79671973],
        ],
    },
    "packed": {
        "outputs": [
            [
                [-0.45652324, -0.68064123, 0.40938237, 0.63104504, -0.45732826],
                [-0.9428799, -0.9998869, 0.94055814, 0.9999985, -0.9999997],
            ],
            [
                [-0.8001535, -0.9921827, 0.7817797, 0.9971032, -0.9964609],
                [-0.637116, 0.11300927, 0.5798437, 0.4310559, -0.6371699],
            ],
            [
                [-0.93605185, -0.9998379, 0.9308867, 0.9999815, -0.99998295],
                [-0.9165386, -0.9945604, 0.896054, 0.99987197, -0.9999751],
            ],
            [
                [0.9927369, -0.9981933, -0.55543643, 0.9989031, -0.9953323],
                [-0.02746338, -0.73191994, 0.7827872, 0.9525682, -0.9781773],
            ],
        ],
    },
    "seqlen": {
        "outputs": [
            [
                [-0.9123188, 0.16516446, 0.5548655, -0.39159346, 0.20846416],
                [-1.0, 0.956726, 0.99831694, 0.99970174, 0.96518576],
            ],
            [[-0.9998612, 0.6702289, 0.9723653, 0.6631046, 0.74457586], [0.0, 0.0, 0.0, 0.0, 0.0]],
            [
                [-0.99999976, 0.8967997, 0.9986295, 0.9647514, 0.93662],
                [-0.9999526, 0.9681953, 0.96002865, 0.98706263, 0.85459226],
            ],
            [
                [-0.96435434, 0.99501586, -0.36150697, 0.9983378, 0.999497],
                [-0.9613586, 0.9568762, 0.7132288, 0.97729224, -0.0958299],
            ],
        ],
    },
}


@pytest.fixture(scope="module")
def sections():
    """What `--section=all` returns."""
    return rnn_basics.main([])


def drawn_kernels(shapes, op_seeds):
    """The kernels that glorot uniform draws with graph seed 42 and these op seeds."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        pairs = zip(shapes, op_seeds)
        return session.run([tf.glorot_uniform_initializer(seed=op_seed)(shape) for shape, op_seed in pairs])


def numpy_rnn(X, kernels):
    """Outputs of the top layer and final states of basic cells with biases of zero."""
    states, outputs = [np.zeros([len(X), kernel.shape[1]]) for kernel in kernels], []
    for t in range(X.shape[1]):
        x = X[:, t]
        for layer, kernel in enumerate(kernels):
            x = states[layer] = np.tanh(np.hstack([x, states[layer]]) @ kernel)
        outputs.append(x)
    return np.stack(outputs, axis=1), states


def test_all_sections_but_mnist_in_the_tutorials_order(sections):
    assert list(sections) == ["manual", "static", "packed", "dynamic", "seqlen", "deep"]
    assert list(rnn_basics.SECTIONS) == ["manual", "static", "packed", "dynamic", "seqlen", "mnist", "deep"]


@pytest.mark.parametrize("section", list(RECORDED))
def test_recorded_outputs(sections, section):
    for name, expected in RECORDED[section].items():
        assert sections[section][name].dtype == np.float32
        # Today's tanh rounds its last digit differently: 3e-7.
        np.testing.assert_allclose(sections[section][name], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("section, op_seed", [("static", 20), ("packed", 22), ("dynamic", 87)])
def test_two_steps_equal_numpy(sections, section, op_seed):
    result = sections[section]
    X = np.array([[[0, 1, 2], [9, 8, 7]], [[3, 4, 5], [0, 0, 0]], [[6, 7, 8], [6, 5, 4]], [[9, 0, 1], [3, 2, 1]]])
    outputs, (states,) = numpy_rnn(X, drawn_kernels([[8, 5]], [op_seed]))
    found = np.stack([result["Y0"], result["Y1"]], axis=1) if section == "static" else result["outputs"]
    # Sums of 8 terms up to 9 in fp32, before a tanh.
    np.testing.assert_allclose(found, outputs, atol=1e-6)
    np.testing.assert_allclose(result["states"], states, atol=1e-6)


def test_packed_inputs(sections):
    X_seqs, X_test = sections["packed"]["X_seqs"], sections["packed"]["X_test"]
    assert isinstance(X_seqs, list) and len(X_seqs) == 2
    np.testing.assert_array_equal(X_seqs[0], [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 0, 1]])
    np.testing.assert_array_equal(X_seqs[1], [[9, 8, 7], [0, 0, 0], [6, 5, 4], [3, 2, 1]])
    np.testing.assert_array_equal(X_test, X_seqs)


def test_after_the_end_of_a_sequence(sections):
    outputs, states = sections["seqlen"]["outputs"], sections["seqlen"]["states"]
    np.testing.assert_array_equal(outputs[1, 1], 0)
    np.testing.assert_array_equal(states, [outputs[0, 1], outputs[1, 0], outputs[2, 1], outputs[3, 1]])


def test_deep_equals_numpy(sections):
    X = np.random.RandomState(42).rand(2, 20, 5)
    kernels = drawn_kernels([[105, 100], [200, 100], [200, 100]], [115, 136, 157])
    outputs, states = numpy_rnn(X, kernels)
    # 20 steps of three layers, sums of 200 terms in fp32.
    np.testing.assert_allclose(sections["deep"]["outputs"], outputs, atol=2e-6)
    np.testing.assert_allclose(sections["deep"]["states"], states, atol=2e-6)
    assert sections["deep"]["tutorial_outputs"].shape == (2, 5, 100)
    assert np.shape(sections["deep"]["tutorial_states"]) == (3, 2, 100)


def test_only_seed_42_is_the_recording():
    other = rnn_basics.main(["--section=manual", "--seed=43"])
    assert np.abs(other["Y0"] - RECORDED["manual"]["Y0"]).max() > 0.1
    again = rnn_basics.main(["--section=manual", "--seed=43"])
    np.testing.assert_array_equal(other["Y0"], again["Y0"])


def test_the_arrays_are_printed(capsys):
    result = rnn_basics.main(["--section=static"])
    output = capsys.readouterr().out
    assert all(f"{result[name]}\n" in output for name in ("Y0", "Y1", "states"))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_mnist_logits(model, X, values):
    """The logits of each image, from the arrays of the variables by name."""
    arrays = [value for name, value in values.items() if name.startswith("rnn/")]
    count = 4 if model == "gru" else 2  # kernels and biases of a layer
    layers = [arrays[start : start + count] for start in range(0, len(arrays), count)]
    n = values["softmax/kernel"].shape[0] // (len(layers) if model == "multilayer" else 1)
    h = [np.zeros([len(X), n]) for _ in layers]
    c = [np.zeros([len(X), n]) for _ in layers]
    for t in range(28):
        x = X[:, t]
        for layer, (kernel, bias, *candidates) in enumerate(layers):
            sums = np.hstack([x, h[layer]]) @ kernel + bias
            if model == "basic":
                h[layer] = np.tanh(sums)
            elif model == "multilayer":
                h[layer] = np.maximum(sums, 0)
            elif model == "lstm":
                i, j, f, o = np.split(sums, 4, axis=1)
                c[layer] = sigmoid(f + 1) * c[layer] + sigmoid(i) * np.tanh(j)
                h[layer] = sigmoid(o) * np.tanh(c[layer])
            else:  # Cho et al. 2014; the reset gate acts before the matrix product
                r, u = np.split(sigmoid(sums), 2, axis=1)
                candidate = np.tanh(np.hstack([x, r * h[layer]]) @ candidates[0] + candidates[1])
                h[layer] = u * h[layer] + (1 - u) * candidate
            x = h[layer]
    features = np.hstack(h) if model == "multilayer" else h[-1]
    return features @ values["softmax/kernel"] + values["softmax/bias"]


@pytest.mark.parametrize("model", list(configs.MNIST_CONFIGS))
def test_each_model_equals_numpy_and_learns_with_every_variable(model):
    config = configs.MNIST_CONFIGS[model]["test"]()
    random = np.random.RandomState(0)
    X, y = random.rand(20, 28, 28), random.randint(0, 10, 20)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        m = rnn_basics.MNISTModel(config, model)
        session.run(tf.global_variables_initializer())
        tvars = tf.trainable_variables()
        for variable in tvars:  # biases that are not zero, and weights that make a difference
            session.run(tf.assign(variable, random.uniform(-0.5, 0.5, variable.shape)))
        values = dict(zip((variable.op.name for variable in tvars), session.run(tvars)))
        feed_dict = {m.X: X, m.y: y}
        loss, predictions, accuracy = session.run([m.loss, m.predictions, m.accuracy], feed_dict)
        session.run(m.training_op, feed_dict)
        after = session.run(tvars)
    logits = numpy_mnist_logits(model, X, values)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert loss == pytest.approx(-np.mean(log_probabilities[np.arange(20), y]), rel=1e-5)  # 28 steps in fp32
    np.testing.assert_array_equal(predictions, np.argmax(logits, axis=1))
    assert accuracy == pytest.approx(np.mean(predictions == y))
    assert all(np.any(array != value) for array, value in zip(after, values.values()))


def test_sizes_of_the_small_configs():
    sizes = {
        model: {name: getattr(table["small"](), name, None) for name in ("n_layers", "n_neurons", "n_epochs")}
        for model, table in configs.MNIST_CONFIGS.items()
    }
    deep = {"n_layers": 3, "n_neurons": 150, "n_epochs": 10}
    assert sizes["basic"] == {"n_layers": None, "n_neurons": 150, "n_epochs": 100}
    assert sizes["multilayer"] == {"n_layers": 3, "n_neurons": 100, "n_epochs": 10}
    assert sizes["lstm"] == sizes["gru"] == deep
    assert all(table["small"].batch_size == 150 for table in configs.MNIST_CONFIGS.values())
    assert all(table["small"].learning_rate == 0.001 for table in configs.MNIST_CONFIGS.values())


def test_the_first_epochs_on_mnist_are_the_recorded_ones(real_mnist, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = rnn_basics.main(["--section=mnist", f"--data_path={real_mnist}", "--set", "n_epochs=2"])
    lines = capsys.readouterr().out.splitlines()
    assert "0 Train accuracy: 0.9533333 Test accuracy: 0.9288" in lines
    assert "1 Train accuracy: 0.96 Test accuracy: 0.9471" in lines
    assert result["acc_test"] == pytest.approx([0.9288, 0.9471])
    assert "Images: MNIST, 55,000 to train on, 10,000 to test on, 5,000 held out" in lines


def test_batches_are_those_of_the_epoch_in_any_order_of_epochs():
    config = configs.MNISTTestConfig()
    config.batch_size = 5
    X, y = np.arange(23).reshape(23, 1, 1), np.arange(23)
    input_ = rnn_basics.MNISTInput(config, X, y, seed=7)
    assert input_.epoch_size == 4
    random = np.random.RandomState(7)
    orders = [random.permutation(23).tolist() for _ in range(5)]
    for epoch in (3, 4, 4, 1, 2, 5):
        batches = list(input_.batches(epoch))
        assert [len(labels) for _, labels in batches] == [6, 6, 6, 5]
        assert np.concatenate([labels for _, labels in batches]).tolist() == orders[epoch - 1]
        assert all(np.array_equal(images[:, 0, 0], labels) for images, labels in batches)


def test_an_epoch_alone_equals_the_programs_first(images, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = images()
    expected = rnn_basics.main([*MNIST_TEST, f"--data_path={folder}", "--set", "n_epochs=1"])
    config, data = configs.MNISTTestConfig(), reader.Images(folder)
    config.batch_size = 5
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        m = rnn_basics.MNISTModel(
            config, "basic", input_=rnn_basics.MNISTInput(config, data.X_train, data.y_train, seed=42)
        )
        session.run(tf.global_variables_initializer())
        capsys.readouterr()
        untrained = session.run(tf.trainable_variables())
        rnn_basics.run_epoch(session, m)
        assert capsys.readouterr().out == ""
        assert all(map(np.array_equal, session.run(tf.trainable_variables()), untrained))
        acc_train = rnn_basics.run_epoch(session, m, eval_op=m.training_op, verbose=True)
        assert not any(map(np.array_equal, session.run(tf.trainable_variables()), untrained))
        acc_test = session.run(m.accuracy, feed_dict={m.X: data.X_test, m.y: data.y_test})
    assert ([acc_train], [acc_test]) == (expected["acc_train"], expected["acc_test"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and all(re.fullmatch(r"0\.\d{3} loss: \d\.\d{4}", line) for line in lines)


MNIST_TEST = ["--section=mnist", "--config=test", "--set", "batch_size=5"]


@pytest.mark.parametrize("model", [model if model == "basic" else slow(model) for model in configs.MNIST_CONFIGS])
def test_training_learns_and_leaves_the_promised_files(images, tmp_path, capsys, model):
    arguments = [*MNIST_TEST, f"--model={model}", f"--data_path={images()}", f"--save_path={tmp_path}/run"]
    arguments += ["--set", "n_epochs=40"]
    result = rnn_basics.main(arguments)
    assert len(result["acc_train"]) == len(result["acc_test"]) == 40
    assert max(result["acc_test"]) >= 0.5  # guessing: 0.1; the last epoch may be a bad one
    names = os.listdir(tmp_path / "run")
    assert {"checkpoint", "metrics.jsonl", "mnist_learning_curve_basic.png", "mnist_misclassified_basic.png"} < set(
        names
    )
    assert any(name.startswith("events") for name in names)
    records = [json.loads(line) for line in open(tmp_path / "run" / "metrics.jsonl")]
    # 50 images, of which 4 are held out: 9 batches of 5 or 6.
    assert [(record["epoch"], record["step"]) for record in records] == [(epoch, 9 * epoch) for epoch in range(1, 41)]
    capsys.readouterr()
    assert rnn_basics.main(arguments) == result
    lines = capsys.readouterr().out.splitlines()
    assert f"The run in {tmp_path}/run is finished; its last lines again:" in lines
    accuracies = np.float32(result["acc_train"][-1]), np.float32(result["acc_test"][-1])
    assert f"39 Train accuracy: {accuracies[0]!s} Test accuracy: {accuracies[1]!s}" in lines
    rnn_basics.main([*arguments, "--set", "n_epochs=9"])
    assert f"39 Train accuracy: {accuracies[0]!s} Test accuracy: {accuracies[1]!s}" in capsys.readouterr().out


def final_weights(folder):
    checkpoint = tf.train.load_checkpoint(str(folder))
    names = [name for name in checkpoint.get_variable_to_shape_map() if not name.startswith("resume/")]
    return {name: checkpoint.get_tensor(name) for name in names}


@pytest.mark.parametrize("stops", [slow([4]), slow([9]), slow([10, 2]), [1, 1, 8]])
def test_a_stopped_run_goes_on_to_the_same_weights(images, tmp_path, monkeypatch, capsys, stops):
    arguments = [*MNIST_TEST, f"--data_path={images()}", "--set", "n_epochs=3"]
    expected = rnn_basics.main([*arguments, f"--save_path={tmp_path}/whole"])
    run_epoch = rnn_basics.run_epoch
    for stop in stops:  # after so many steps of this session
        count = 0

        def stopping(session, model, eval_op, position, steps, stop=stop):
            def counted():
                nonlocal count
                for step in steps:
                    count += 1
                    if count == stop:
                        os.kill(os.getpid(), signal.SIGTERM)
                    yield step

            return run_epoch(session, model, eval_op, position=position, steps=counted())

        monkeypatch.setattr(rnn_basics, "run_epoch", stopping)
        with pytest.raises(SystemExit) as exit_:
            rnn_basics.main([*arguments, f"--save_path={tmp_path}/parts"])
        assert exit_.value.code == 143
        assert f"saved in {tmp_path}/parts" in capsys.readouterr().out
    monkeypatch.setattr(rnn_basics, "run_epoch", run_epoch)
    assert rnn_basics.main([*arguments, f"--save_path={tmp_path}/parts"]) == expected
    whole, parts = final_weights(tmp_path / "whole"), final_weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)
    lines = [
        [{**json.loads(line), "wall_s": None} for line in open(tmp_path / run / "metrics.jsonl")]
        for run in ("whole", "parts")
    ]
    assert lines[0] == lines[1]


def test_a_checkpoint_of_another_model_or_other_images_is_refused(images, tmp_path, capsys):
    arguments = [*MNIST_TEST, f"--data_path={images()}", f"--save_path={tmp_path}/run"]
    rnn_basics.main(arguments)
    others = images(train=[1, 2] * 25, name="others")
    for change, message in [
        ("--model=gru", "model basic, now gru"),
        ("--seed=1", "seed 42, now 1"),
        (f"--data_path={others}", "data 46 + 10 images, checksum"),
    ]:
        with pytest.raises(SystemExit) as exit_:
            rnn_basics.main([*arguments, change])
        error = capsys.readouterr().err
        assert exit_.value.code == 2 and error.count("\n") == 1 and message in error


@pytest.mark.parametrize("place", ["in epoch 1 at step 9 of 9", slow("after the last step")])
def test_a_stop_while_the_test_images_are_read(images, tmp_path, monkeypatch, capsys, place):
    """They are read at the end of each epoch, and again where the run is finished."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rnn_basics, "PIXELS_AT_ONCE", 3 * 28 * 28)
    arguments = [*MNIST_TEST, f"--data_path={images()}", "--set", "n_epochs=1"]
    expected = rnn_basics.main([*arguments, "--save_path=whole"])
    if place == "after the last step":
        rnn_basics.main([*arguments, "--save_path=run"])
    evaluate, pieces = rnn_basics.evaluate, 0

    def interrupted(session, model, X, y, watched):
        def counted(iterable):
            nonlocal pieces
            for piece in watched(iterable):
                pieces += 1
                if pieces == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                yield piece

        return evaluate(session, model, X, y, counted)

    monkeypatch.setattr(rnn_basics, "evaluate", interrupted)
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_:
        rnn_basics.main([*arguments, "--save_path=run"])
    assert exit_.value.code == 130 and pieces == 2  # of 3, 3, 3 and 1 images
    assert capsys.readouterr().out.endswith(f"Stopped {place}: saved in run\n")
    monkeypatch.setattr(rnn_basics, "evaluate", evaluate)
    assert rnn_basics.main([*arguments, "--save_path=run"]) == expected
    assert ("is finished" in capsys.readouterr().out) == (place == "after the last step")


class RecordingSession:
    """A session that notes how many images it is given."""

    def __init__(self, session):
        self._session, self.counts = session, []

    def run(self, fetches, feed_dict):
        self.counts += [len(value) for value in feed_dict.values()]
        return self._session.run(fetches, feed_dict)


@pytest.mark.parametrize("rnn_mode", ["basic", "fused"])
@pytest.mark.parametrize(
    "size, at_once", [((28, 28), 7), ((14, 56), 7), slow((56, 2), 3), slow((8, 8), 24), slow((100, 100), 1)]
)
def test_many_images_are_read_in_pieces(monkeypatch, rnn_mode, size, at_once):
    monkeypatch.setattr(rnn_basics, "PIXELS_AT_ONCE", 7 * 28 * 28)
    random = np.random.RandomState(1)
    X, y = random.rand(50, *size).astype(np.float32), random.randint(0, 3, 50)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        m = rnn_basics.MNISTModel(configs.MNISTTestConfig(), "basic", rnn_mode, sizes=(*size, 3))
        session.run(tf.global_variables_initializer())
        whole, expected = session.run([m.accuracy, m.predictions], {m.X: X, m.y: y})
        recording = RecordingSession(session)
        accuracy, predictions = rnn_basics.evaluate(recording, m, X, y)
    assert 0 < whole < 1 and accuracy == whole == np.float32(np.mean(expected == y)) and accuracy.dtype == np.float32
    np.testing.assert_array_equal(predictions, expected)
    assert recording.counts[::2] == recording.counts[1::2] and sum(recording.counts) == 100
    assert max(recording.counts) == at_once


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak is known on Linux alone")
@pytest.mark.slow
def test_60000_test_images_take_little_memory(images, tmp_path):
    folder = images(range(10), list(range(10)) * 6_000)
    arguments = [
        "--section=mnist",
        "--rnn_mode=fused",
        f"--data_path={folder}",
        "--set=batch_size=5",
        "--set=n_epochs=1",
    ]
    code = f"import rnn_basics; rnn_basics.main({arguments}); print(open('/proc/self/status').read())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "10 to train on, 60,000 to test on" in process.stdout
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", process.stdout)[1])
    assert peak < 1_200_000  # with all of them in one session.run 2,700,000; TensorFlow alone takes 400,000


USUAL = "{split}-{kind}-idx{rank}-ubyte"


@pytest.mark.parametrize("rnn_mode", [slow("basic"), "fused"])
@pytest.mark.parametrize("model", ["basic", "lstm", slow("multilayer"), slow("gru")])
@pytest.mark.parametrize("size", [(8, 8), slow((32, 16))])
def test_other_images_and_labels_are_learned(images, tmp_path, capsys, model, rnn_mode, size):
    labels = [1, 5, 9, 12]
    folder = images(labels * 12, labels * 3, size=size, names=f"emnist-letters-{USUAL}.gz", test_name="test")
    arguments = [*MNIST_TEST, f"--model={model}", f"--data_path={folder}", f"--save_path={tmp_path}/run"]
    result = rnn_basics.main([*arguments, f"--rnn_mode={rnn_mode}", "--set", "n_epochs=30"])
    assert result["acc_test"][-1] >= 0.5  # 0.25 by chance
    output = capsys.readouterr().out
    assert "Images: own images, 44 to train on, 12 to test on, 4 held out\n" in output
    assert f"Sizes: {size[0]} x {size[1]} pixels, read as {size[0]} time steps of {size[1]} inputs\n" in output
    assert "Labels: 1 to 12, 12 classes, 8 of them without an image to train on\n" in output
    pictures = {f"mnist_{name}_{model}.png" for name in ("learning_curve", "misclassified")}
    assert pictures < set(os.listdir(tmp_path / "run"))
    assert final_weights(tmp_path / "run")["softmax/kernel"].shape[1] == 12


@pytest.mark.parametrize(
    "size, drawn", [((28, 28), (28, 28)), ((8, 8), (28, 28)), ((32, 16), (28, 14)), ((5, 50), (2.8, 28))]
)
def test_wrong_readings_are_drawn_in_the_images_form_with_the_files_labels(images, tmp_path, monkeypatch, size, drawn):
    data = reader.Images(images(range(3, 8), [3, 4, 5] * 25, size=size))
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, folder, name: figures.append(figure) or name)
    predictions = np.where(np.arange(75) < 70, 4, data.y_test)
    assert rnn_basics.plot_misclassified(data, predictions, "gru", "title", str(tmp_path)) == "mnist_misclassified_gru"
    (axes,) = figures[0].axes
    assert [text.get_text() for text in axes.texts[:4]] == ["3 > 7", "4 > 7", "5 > 7", "3 > 7"]
    assert (
        len(axes.texts) == len(axes.images) == 60
        and axes.get_title() == "title: 70 of 75 read wrongly (label > reading)"
    )
    assert axes.get_xlim() == (0, 12 * 32) and axes.get_ylim() == (5 * 36, 0) and axes.get_aspect() == 1
    for place, (image, text) in enumerate(zip(axes.images, axes.texts)):
        left, right, bottom, top = image.get_extent()
        assert (bottom - top, right - left) == pytest.approx(drawn)
        assert (left + right) / 2 == text.get_position()[0] == place % 12 * 32 + 16
        assert text.get_position()[1] < top and place // 12 * 36 < top < bottom <= place // 12 * 36 + 36
        np.testing.assert_array_equal(image.get_array(), 1 - data.X_test[place])


def small_input(labels, size=(28, 28)):
    config = configs.MNISTTestConfig()
    config.batch_size = 5
    X = np.random.RandomState(0).rand(len(labels), *size).astype(np.float32)
    return rnn_basics.MNISTInput(config, X, np.array(labels), seed=1)


@pytest.mark.parametrize("label", [slow(-1), 10, slow(255)])
@pytest.mark.parametrize("rnn_mode", [slow("basic"), slow("fused"), "auto"])
@pytest.mark.parametrize("model", [slow(name) if name == "gru" else name for name in configs.MNIST_CONFIGS])
def test_a_label_out_of_range_is_an_error_in_training(model, rnn_mode, label):
    config = configs.MNIST_CONFIGS[model]["test"]()
    with tf.Graph().as_default(), tf.Session() as session:
        m = rnn_basics.MNISTModel(config, model, rnn_mode, input_=small_input([0, 9, 3, label, 4]))
        session.run(tf.global_variables_initializer())
        before = session.run(tf.trainable_variables())
        with pytest.raises(tf.errors.InvalidArgumentError):
            rnn_basics.run_epoch(session, m, eval_op=m.training_op)
        assert all(map(np.array_equal, session.run(tf.trainable_variables()), before))
        with pytest.raises(tf.errors.InvalidArgumentError):
            rnn_basics.evaluate(session, m, np.zeros([1, 28, 28]), np.array([label]))


def test_auto_is_the_fused_mode():
    losses = []
    for rnn_mode in ("auto", "fused", "basic"):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            m = rnn_basics.MNISTModel(configs.MNISTTestConfig(), "basic", rnn_mode, input_=small_input(range(10)))
            session.run(tf.global_variables_initializer())
            rnn_basics.run_epoch(session, m, eval_op=m.training_op)
            feed_dict = {m.X: np.ones([2, 28, 28]), m.y: [1, 2]}
            losses.append(session.run(m.loss, feed_dict))
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)  # two steps in fp32


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"model": "big"}, "model 'big' is not known: choose one of basic, multilayer, lstm, gru"),
        ({"rnn_mode": "CUDNN"}, "rnn_mode 'CUDNN' is not known: choose one of auto, basic, fused, cudnn"),
        ({"rnn_mode": None}, "rnn_mode None is not known"),
        ({"model": "lstm"}, r"model lstm has n_layers: take a config of configs.MNIST_CONFIGS\['lstm'\]"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_a_line(arguments, message):
    with tf.Graph().as_default(), pytest.raises(UserError, match=message):
        rnn_basics.MNISTModel(**{"config": configs.MNISTTestConfig(), "model": "basic", **arguments})


def test_a_model_without_batches_is_refused_in_a_line():
    with tf.Graph().as_default(), tf.Session() as session:
        m = rnn_basics.MNISTModel(configs.MNISTTestConfig(), "basic")
        with pytest.raises(UserError, match="the MNISTModel has no batches to run over: give it an input with data"):
            rnn_basics.run_epoch(session, m)


def test_images_without_labels_are_refused_in_a_line():
    with pytest.raises(UserError, match="6 images and 5 labels: there must be one for each image"):
        rnn_basics.MNISTInput(configs.MNISTTestConfig(), np.zeros([6, 28, 28]), np.zeros(5), seed=1)


def test_divergence_ends_with_status_1(images, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = [*MNIST_TEST, "--model=multilayer", f"--data_path={images()}", "--set", "learning_rate=1e30"]
    with pytest.raises(SystemExit) as exit_:
        rnn_basics.main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 1 and error.count("\n") == 1
    assert re.search(r"the loss became (nan|inf) in epoch 1 at step \d of 9, what was saved before is kept", error)


def test_the_sample_is_announced_and_learned(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("RNN_DATA_DIR", raising=False)
    monkeypatch.setattr(reader, "__file__", str(tmp_path / "reader.py"))  # where data/mnist is looked for
    monkeypatch.chdir(tmp_path)
    result = rnn_basics.main(["--section=mnist", "--config=test"])
    output = capsys.readouterr().out
    assert "this is the embedded sample, not the real set" in output
    assert "Images: the embedded sample, 11,000 to train on, 2,000 to test on, 1,000 held out" in output
    assert result["acc_test"][-1] > 0.3  # 0.1 by chance
    assert sorted(os.listdir(tmp_path / "plots")) == ["mnist_learning_curve_basic.png", "mnist_misclassified_basic.png"]


OF_MNIST = ["--model=gru", "--config=small", "--rnn_mode=basic", "--data_path=.", "--export_dir=saved"]
OF_MNIST += ["--save_path=run", "--save_every=5", "--init_from=.", "--set=n_neurons=3"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--section=nothing"], "--section"),
        (["--model=big", "--section=mnist"], "--model"),
        *((["--section=static", flag], f"{flag.partition('=')[0]} goes with --section=mnist") for flag in OF_MNIST),
        *(([flag], f"{flag.partition('=')[0]} goes with --section=mnist") for flag in OF_MNIST),
        (["--section=mnist", "--set", "learning_rate=1e300"], "learning_rate must be at least 1e-37, below 1e+38"),
        (["--section=mnist", "--set", "n_layers=3"], "n_neurons"),
        (["--section=mnist", "--config=large"], "small, test"),
        (["--section=mnist", "--data_path=nowhere"], "--data_path=nowhere is not a folder"),
        (["--section=mnist", "--data_path=empty"], "empty has no train-images-idx3-ubyte.gz"),
        (["--section=mnist", "--data_path=images", "--set", "batch_size=47"], "46 images cannot fill a batch of 47"),
        (["--section=mnist", "--data_path=images", "--save_path=file"], "--save_path=file"),
        (["--section=mnist", "--save_path=file/deeper"], "--save_path=file/deeper"),
        (["--section=long"], "--section"),
        (["--seed=-1"], "--seed"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(images, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    images()
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as exit_:
        rnn_basics.main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.count("\n") == 1 and message in error and error.startswith("rnn_basics.py: error: "), error
    assert sorted(tmp_path.rglob("*")) == before


def test_damaged_images_end_the_program(images, capsys):
    folder = images()
    with open(os.path.join(folder, "t10k-labels-idx1-ubyte"), "ab") as file:
        file.write(b"x")
    with pytest.raises(SystemExit) as exit_:
        rnn_basics.main(["--section=mnist", f"--data_path={folder}"])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and "t10k-labels-idx1-ubyte must hold 10 bytes" in error
