"""The LSTM by hand against NumPy; its distributions and files; the training. Its studies: test_studies_lstm.py."""

import json
import os
import signal

import numpy as np
import pytest

import configs
import lstm_by_hand
import reader
from conftest import slow
from tf1 import tf
from tf1.app import UserError
from tf1.training import Position


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_lstm(x, values):
    """The top layer's h at each step, by the six equations at the end of the source, with a trainable start."""
    h, c = [], []
    input_h = input_c = x[0]
    for k in (1, 2, 3):
        input_h = np.tanh(input_h @ values[f"WEH{k}"])
        input_c = np.tanh(input_c @ values[f"WEC{k}"])
        h.append(input_h)
        c.append(input_c)
    outputs = []
    for inputs in x:
        for k in (1, 2, 3):
            sums = {}
            for gate in "fico":
                W_h, W_x = np.split(values[f"LSTMW{gate}{k}"], [h[k - 1].shape[1]])
                sums[gate] = inputs @ W_x + h[k - 1] @ W_h + values[f"LSTMb{gate}{k}"]
            c[k - 1] = sigmoid(sums["f"]) * c[k - 1] + sigmoid(sums["i"]) * np.tanh(sums["c"])
            inputs = h[k - 1] = sigmoid(sums["o"]) * np.tanh(c[k - 1])
        outputs.append(inputs)
    return np.array(outputs), h, c


@pytest.mark.parametrize("batch_size, input_dim", [(4, 3), (1, 1), (1, 3), (4, 1)])
def test_the_lstm_by_hand_equals_numpy(batch_size, input_dim):
    random = np.random.RandomState(0)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        lstm = lstm_by_hand.LSTM(input_dim, time_step=6)
        assert lstm.x.shape.as_list() == [6, None, input_dim]
        session.run(tf.global_variables_initializer())
        for bias in lstm.biases.values():
            session.run(tf.assign(bias, random.uniform(-1, 1, bias.shape)))
        x = random.uniform(-1, 1, [6, batch_size, input_dim])
        values = session.run({**lstm.weights, **lstm.biases})
        output, (h, c) = session.run([lstm.output, lstm.final_state], {lstm.x: x})
    expected_output, expected_h, expected_c = numpy_lstm(x, values)
    assert np.shape(output) == (6, batch_size, 64)
    # Sums of 96 terms at most, six steps of three layers in fp32.
    np.testing.assert_allclose(output, expected_output, atol=1e-6)
    for found, expected in zip([*h, *c], [*expected_h, *expected_c]):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_names_and_sizes_are_the_sources():
    with tf.Graph().as_default():
        lstm = lstm_by_hand.LSTM(5)
        assert lstm.time_step == 30 and len(lstm.output) == 30 and lstm.width == [5, 32, 32, 64]
        widths = [(5, 32), (32, 32), (32, 64)]
        weights = {}
        for i, (n1, n2) in enumerate(widths, start=1):
            weights.update({f"WEH{i}": [n1, n2], f"WEC{i}": [n1, n2]})
            weights.update({f"LSTMW{gate}{i}": [n1 + n2, n2] for gate in "fico"})
        assert {name: v.shape.as_list() for name, v in lstm.weights.items()} == weights
        assert {name: v.op.name for name, v in lstm.weights.items()} == {name: name for name in weights}
        biases = {f"LSTMb{gate}{i}": [n2] for i, (_, n2) in enumerate(widths, start=1) for gate in "fico"}
        assert {name: v.shape.as_list() for name, v in lstm.biases.items()} == biases
        assert len(tf.trainable_variables()) == len(weights) + len(biases)


def test_every_variable_has_a_gradient():
    with tf.Graph().as_default():
        lstm = lstm_by_hand.LSTM(2, time_step=3)
        assert None not in tf.gradients(lstm.output[-1], tf.trainable_variables())


def test_one_shift_leaves_the_lists_of_its_caller_alone():
    with tf.Graph().as_default():
        lstm = lstm_by_hand.LSTM(2, time_step=1)
        h, c = ([tf.zeros([1, n]) for n in lstm.width[1:]] for _ in range(2))
        before = list(h), list(c)
        new_h, new_c = lstm.lstm_one_shift(lstm.x[0], h, c, 3)
        assert all(a is b for a, b in zip([*h, *c], [*before[0], *before[1]]))
        assert not set(map(id, h + c)) & set(map(id, new_h + new_c))


def test_the_api_by_example(capsys):
    result = lstm_by_hand.main(["--section=api"])
    assert result["outputs"].shape == (2, 5, 30) and result["predictions"].shape == (2, 1)
    assert [(state.c.shape, state.h.shape) for state in result["states"]] == [((2, 20),) * 2, ((2, 30),) * 2]
    np.testing.assert_array_equal(result["states"][-1].h, result["outputs"][:, -1])
    output = capsys.readouterr()
    assert "states[-1].h and outputs[:, -1]: the same numbers, to 0e+00" in output.out and output.err == ""
    assert "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/kernel (50, 120)\n" in output.out


def test_by_hand_section(capsys):
    result = lstm_by_hand.main(["--section=by_hand"])
    assert result["output"].shape == (30, 2, 64)
    output = capsys.readouterr().out
    assert "18 weights and 12 biases" in output
    assert "    LSTMWf2 (64, 32)\n" in output and "    LSTMbo2 (32,)\n" in output


@pytest.mark.parametrize(
    "distribution, deviation, limit",
    [
        ("tn", 0.2 * 0.8796, 0.4),  # a normal distribution cut at two standard deviations
        ("xavier", 4 * np.sqrt(6 / 500) / np.sqrt(3), 4 * np.sqrt(6 / 500)),
        ("dl", 1 / np.sqrt(300) / np.sqrt(3), 1 / np.sqrt(300)),
        ("he", np.sqrt(2 / 300), 6 * np.sqrt(2 / 300)),
        ("glorot_bengio", np.sqrt(6 / 500) / np.sqrt(3), np.sqrt(6 / 500)),
    ],
)
def test_distributions(distribution, deviation, limit):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        lstm = lstm_by_hand.LSTM(1, time_step=1)
        weight = lstm.weight_variable([300, 200], "weight", distribution, scale=0.2)
        session.run(weight.initializer)
        value = session.run(weight)
    assert value.shape == (300, 200) and value.dtype == np.float32
    # Of 60,000 numbers: the mean's standard error is deviation / 245, the deviation's less than that.
    assert abs(value.mean()) < 5 * deviation / 245
    assert value.std() == pytest.approx(deviation, rel=5 / 245)
    assert limit * 0.6 < np.abs(value).max() <= limit


def test_a_first_guess_is_added():
    guess = np.arange(6).reshape(2, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        weight = lstm_by_hand.LSTM(1, time_step=1).weight_variable([2, 3], "weight", scale=1e-3, first_guess=guess)
        session.run(weight.initializer)
        value = session.run(weight)
    np.testing.assert_allclose(value, guess, atol=2e-3)
    assert np.all(value != guess)


def write_weights(folder):
    random, arrays = np.random.RandomState(0), {}
    for name, shape in lstm_by_hand.LSTM.weight_shapes([1, 32, 32, 64]).items():
        arrays[name] = random.uniform(-0.1, 0.1, shape).astype(np.float32)
        np.savetxt(os.path.join(folder, f"{name}.csv"), arrays[name], delimiter=",", fmt="%.9g")
    return arrays


def test_all_sections_with_weights_from_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = write_weights(str(tmp_path))
    results = lstm_by_hand.main(["--config=test", "--distribution={name}.csv"])
    assert list(results) == list(lstm_by_hand.SECTIONS)
    zeros = {f"LSTMb{gate}{k}": np.zeros(n) for k, n in enumerate((32, 32, 64), start=1) for gate in "fico"}
    found = lstm_by_hand.main(["--config=test", "--distribution={name}.csv", "--section=by_hand", "--seed=1"])
    expected, *_ = numpy_lstm(np.random.RandomState(1).rand(*found["output"].shape[:2], 1), {**arrays, **zeros})
    np.testing.assert_allclose(found["output"], expected, atol=1e-6)


def test_weights_and_biases_from_files(tmp_path):
    folder = str(tmp_path)
    arrays = write_weights(folder)
    np.savetxt(os.path.join(folder, "bias.csv"), np.arange(4.0), delimiter=",")
    with tf.Graph().as_default(), tf.Session() as session:
        lstm = lstm_by_hand.LSTM(1, 2, os.path.join(folder, "{name}.csv"))
        biases = [lstm.bias_variable([4], "bias", os.path.join(folder, "bias.csv")), lstm.bias_variable([4], "zeros")]
        session.run(tf.global_variables_initializer())
        weights, biases = session.run([lstm.weights, biases])
    assert weights.keys() == arrays.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(value, arrays[name])
    assert biases[0].tolist() == [0, 1, 2, 3] and biases[1].tolist() == [0] * 4


@pytest.mark.parametrize(
    "content, message",
    [
        (b"1,2\n3,4\n", "is not of the shape of weight: expected 2 x 3 numbers, found 2 x 2"),
        (b"1,2,3\n", "found 1 x 3"),
        (b"1\n2\n3\n4\n5\n6\n", "found 6 x 1"),
        (b"1,2,3\n4,5,six\n", "must hold numbers separated by commas, for weight"),
        (b"1,2,3\n4,5\n", "must hold numbers"),
        (b"1,2,3\n4,5,\n", "must hold numbers"),
        (b"1,2,3\n4,5,2019_00\n", "'2019_00' is not a number"),
        ("1,2,3\n4,5,１２\n".encode(), "is not a number"),
        (b"", "must hold numbers"),
        (b"\n\n", "must hold numbers"),
        (b"1,2,3\n4,5,nan\n", "not finite"),
        (b"1,2,3\n4,5,1e39\n", "not finite"),
        (b"\xff\xfe1,2", "must hold numbers"),
        (b"1,2,3\n4,5,\0\n", "must hold numbers"),
    ],
)
def test_bad_files_of_weights(tmp_path, content, message):
    path = tmp_path / "weight.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        reader.read_weights(str(path), "weight", [2, 3])
    assert isinstance(error.value, UserError) and str(path) in str(error.value) and message in str(error.value)


def test_files_of_other_editors(tmp_path):
    path = tmp_path / "weight.csv"
    path.write_bytes(b"\xef\xbb\xbf1, 2.5,-3\r\n4,5e-1,6\r\n\r\n")
    np.testing.assert_array_equal(reader.read_weights(str(path), "weight", [2, 3]), [[1, 2.5, -3], [4, 0.5, 6]])


MODELS = {"by_hand": "by hand", "api": "API, [20, 30]"}


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_training_prints_the_errors_and_draws_the_predictions(in_tmp_path, capsys):
    for model, name in MODELS.items():
        result = lstm_by_hand.main(["--section=train", "--config=test", f"--model={model}"])
        lines = capsys.readouterr().out.splitlines()
        assert list(result["mse"]) == [name] and name in lines
        assert len([line for line in lines if line.startswith("0 \tMSE: ")]) == 1
        assert [
            line for line in lines if line.startswith(f"MSE over the whole range: {result['mse'][name]:.6f}, with ")
        ]
        picture = f"plots/lstm_by_hand_predictions_{model}.png"
        assert f"Picture: {picture}" in lines and os.path.getsize(picture) > 10_000
    assert len(os.listdir("plots")) == len(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_both_learn_the_series(capsys, model):
    config = configs.LSTMTestConfig()
    config.time_step, config.n_iterations, config.learning_rate = 5, 200, 0.01
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        m = lstm_by_hand.build_model(model, config, "dl", seed=0)
        tvars = tf.trainable_variables()
        session.run(tf.global_variables_initializer())
        before = session.run(tvars)
        batch_mse = lstm_by_hand.run_epoch(session, m, eval_op=m.training_op, verbose=True)
        assert all(np.any(new != old) for new, old in zip(session.run(tvars), before))
        mse, times, truth, predictions = lstm_by_hand.evaluate(session, m, config.time_step)
        assert lstm_by_hand.run_epoch(session, m) == batch_mse  # nothing moves without an eval_op
        position = Position(step=150)  # and from there on the batches are those that the epoch still has
        assert lstm_by_hand.run_epoch(session, m, position=position, verbose=True) == batch_mse
        assert position.step == 200
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["0", "100"]
    assert mse == pytest.approx(np.mean((truth - predictions) ** 2), rel=1e-5)
    assert times[0] == pytest.approx(0.5) and times[-1] == pytest.approx(29.9)
    assert mse < 1 < np.var(truth) / 10  # the same network that always says the mean has an MSE of the variance


@pytest.mark.parametrize("model", [slow("by_hand"), slow("api")])
def test_a_stopped_training_goes_on_to_the_same_weights(in_tmp_path, monkeypatch, capsys, model):
    arguments = ["--section=train", f"--model={model}", "--config=test", "--set", "n_iterations=102"]
    expected = lstm_by_hand.main([*arguments, "--save_path=whole"])
    next_batch, calls = reader.next_batch, []

    def stopping(*args):
        calls.append(args)
        if len(calls) == 47:
            os.kill(os.getpid(), signal.SIGTERM)
        return next_batch(*args)

    monkeypatch.setattr(reader, "next_batch", stopping)
    with pytest.raises(SystemExit) as exit_:
        lstm_by_hand.main([*arguments, "--save_path=parts"])
    assert exit_.value.code == 143 and "at step 47 of 102: saved in parts" in capsys.readouterr().out
    assert lstm_by_hand.main([*arguments, "--save_path=parts"]) == expected
    whole, parts = (tf.train.load_checkpoint(folder) for folder in ("whole", "parts"))
    for name in whole.get_variable_to_shape_map():
        if not name.startswith("resume/"):
            np.testing.assert_array_equal(parts.get_tensor(name), whole.get_tensor(name), err_msg=name)
    records = {}
    for folder in ("whole", "parts"):
        records[folder] = [json.loads(line) for line in open(f"{folder}/metrics.jsonl")]
        assert [record.pop("wall_s") > 0 for record in records[folder][:-1]] == [True, True]
    assert records["whole"] == records["parts"]
    assert [record["iteration"] for record in records["whole"][:-1]] == [0, 100]
    assert records["whole"][-1] == {"whole_range_mse": expected["mse"][MODELS[model]]}

    capsys.readouterr()
    assert lstm_by_hand.main([*arguments, "--save_path=parts"]) == expected
    assert "is finished; its last lines again:\n100 \tMSE: " in capsys.readouterr().out


def test_a_run_of_the_other_model_is_refused(in_tmp_path, capsys):
    arguments = ["--section=train", "--config=test", "--save_path=run"]
    lstm_by_hand.main(arguments)
    with pytest.raises(SystemExit) as exit_:
        lstm_by_hand.main([*arguments, "--model=api"])
    assert exit_.value.code == 2 and "model by_hand, now api" in capsys.readouterr().err


def test_divergence_ends_with_status_1_and_saves_nothing(in_tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        lstm_by_hand.main(["--section=train", "--config=test", "--set", "learning_rate=1e37", "--save_path=run"])
    output = capsys.readouterr()
    assert exit_.value.code == 1 and output.err.count("\n") == 1 and "the MSE became" in output.err
    assert not [name for name in os.listdir("run") if name.startswith("model")]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--section=nothing"], "--section"),
        (["--config=large"], "small, test"),
        (["--set", "time_step=300"], "time_step=300: the series has 300 values"),
        (["--model=lstm"], "--model"),
        (["--section=api", "--model=api"], "--section=api does not take --config, --model: leave that out"),
        (["--section=by_hand", "--save_path=run"], "--section=by_hand does not take --save_path"),
        (["--section=api", "--save_every=5"], "--section=api does not take --config, --save_every"),
        (["--save_every=5"], "--save_every goes with --save_path"),
        (["--save_path=text.csv"], "--save_path=text.csv cannot be a folder"),
        (["--section=train", "--model=api", "--distribution=he"], "--distribution is of the weights by hand"),
        (["--section=api", "--distribution=he"], "--section=api does not take --config, --distribution"),
        (["--section=api"], "--section=api does not take --config"),
        (["--distribution=normal"], "normal is neither a file nor a name that --help has"),
        (["--distribution=text.csv"], "text.csv must hold numbers separated by commas, for LSTMWf1"),
        (
            ["--distribution=small.csv"],
            "small.csv is not of the shape of LSTMWf1: expected 33 x 32 numbers, found 1 x 2",
        ),
        (["--distribution={name}.csv"], "WEH3.csv is neither a file"),
        (["--distribution=folder"], "folder cannot be read: Is a directory"),
        (["--distribution=/dev/zero"], "/dev/zero is too large for the weights of LSTMWf1"),
        (["--distribution="], "the path is empty"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.csv").write_text("some,text\n")
    (tmp_path / "small.csv").write_text("1,2\n")
    for name, shape in lstm_by_hand.LSTM.weight_shapes([1, 32, 32, 64]).items():
        if name not in ("WEH3", "WEC3"):
            np.savetxt(tmp_path / f"{name}.csv", np.zeros(shape), delimiter=",")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as exit_:
        lstm_by_hand.main(["--config=test", *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.count("\n") == 1 and message in error and error.startswith("lstm_by_hand.py: error: "), error
    assert sorted(tmp_path.rglob("*")) == before
