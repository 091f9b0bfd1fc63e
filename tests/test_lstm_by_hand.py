"""The LSTM by hand against NumPy, the API and the per-gate form; its distributions and files; the training."""

import os

import numpy as np
import pytest

import configs
import lstm_by_hand
from tf1 import tf
from tf1.app import UserError


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


def test_every_variable_has_a_gradient_and_zeros_have_no_weights():
    with tf.Graph().as_default():
        lstm = lstm_by_hand.LSTM(2, time_step=3)
        assert None not in tf.gradients(lstm.output[-1], tf.trainable_variables())
    with tf.Graph().as_default(), tf.Session() as session:
        lstm = lstm_by_hand.LSTM(2, time_step=3, trainable_start=False)
        assert not [name for name in lstm.weights if name.startswith("WE")]
        h, c = session.run(lstm.initial_state, {lstm.x: np.ones([3, 5, 2])})
        assert [array.shape for array in h] == [array.shape for array in c] == [(5, 32), (5, 32), (5, 64)]
        assert not np.any(np.concatenate([*h, *c], axis=1))


def test_one_shift_leaves_the_lists_of_its_caller_alone():
    with tf.Graph().as_default():
        lstm = lstm_by_hand.LSTM(2, time_step=1)
        h, c = ([tf.zeros([1, n]) for n in lstm.width[1:]] for _ in range(2))
        before = list(h), list(c)
        new_h, new_c = lstm.lstm_one_shift(lstm.x[0], h, c, 3)
        assert all(a is b for a, b in zip([*h, *c], [*before[0], *before[1]]))
        assert not set(map(id, h + c)) & set(map(id, new_h + new_c))


def test_the_slip_of_the_source_is_another_function():
    with tf.Graph().as_default(), tf.Session() as session:
        lstm = lstm_by_hand.LSTM(1, time_step=1, candidate_output=True)
        session.run(tf.global_variables_initializer())
        x, h, c = (np.full([1, n], 0.7) for n in (1, 32, 32))
        values = session.run({**lstm.weights, **lstm.biases})
        unit = lstm.lstm_unit(*(tf.constant(array, tf.float32) for array in (x, h, c)), 1)
        found_h, found_c = session.run(unit)
    hx = np.hstack([h, x])
    f, i, candidate, o = (hx @ values[f"LSTMW{gate}1"] for gate in "fico")
    np.testing.assert_allclose(found_c, sigmoid(f) * c + sigmoid(i) * np.tanh(candidate), atol=1e-6)
    np.testing.assert_allclose(found_h, sigmoid(o) * np.tanh(np.tanh(candidate)), atol=1e-6)


@pytest.mark.parametrize("arguments", [[], ["--seed=1", "--distribution=he", "--set", "time_step=5"]])
def test_the_three_forms_are_the_same_mathematics(arguments, capsys):
    result = lstm_by_hand.main(["--section=equality", *arguments])
    # 30 steps of three layers in fp32; the gradients are sums over 120 steps, in proportion to the largest.
    assert set(result) == {"api", "api_gradients", "per_gate", "per_gate_gradients"}
    assert all(0 < difference < 1e-6 for difference in result.values())
    assert "BasicLSTMCell" in capsys.readouterr().out


def test_a_gate_in_the_wrong_place_is_seen(monkeypatch):
    layout = lstm_by_hand.api_layout

    def swapped(values, k):
        kernel, bias = layout(values, k)
        return np.roll(kernel, 1, axis=0), bias

    monkeypatch.setattr(lstm_by_hand, "api_layout", swapped)
    result = lstm_by_hand.main(["--section=equality", "--config=test"])
    assert result["api"] > 1e-3 and result["per_gate"] < 1e-6


def test_the_api_by_example(capsys):
    result = lstm_by_hand.main(["--section=api"])
    assert result["outputs"].shape == (2, 5, 30) and result["predictions"].shape == (2, 1)
    assert [(state.c.shape, state.h.shape) for state in result["states"]] == [((2, 20),) * 2, ((2, 30),) * 2]
    np.testing.assert_array_equal(result["states"][-1].h, result["outputs"][:, -1])
    output = capsys.readouterr()
    assert output.out.count("the same numbers, to 0e+00") == 6 and output.err == ""
    assert "[cell] * 2 of 20 units over inputs of width 3: ValueError, Dimensions must be equal" in output.out
    assert "over inputs of width 20: outputs (?, 5, 20), kernels [[40, 80]], no error" in output.out
    assert "num_units = [128, 64] over inputs of width 3: outputs (?, 5, 64), kernels [[131, 512], [192, 256]]" in (
        output.out
    )


def test_by_hand_section(capsys):
    result = lstm_by_hand.main(["--section=by_hand"])
    assert result["output"].shape == (30, 2, 64)
    output = capsys.readouterr().out
    assert "18 weights and 12 biases" in output
    assert all(f"    {name} " in output for name in lstm_by_hand.DISTRIBUTIONS)
    assert "weight.csv is not of the shape of weight: expected 32 x 64 numbers, found 64 x 32" in output


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
    for name, shape in lstm_by_hand.weight_shapes([1, 32, 32, 64]).items():
        arrays[name] = random.uniform(-0.1, 0.1, shape).astype(np.float32)
        np.savetxt(os.path.join(folder, f"{name}.csv"), arrays[name], delimiter=",", fmt="%.9g")
    return arrays


def test_all_sections_with_weights_from_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_weights(str(tmp_path))
    results = lstm_by_hand.main(["--config=test", "--distribution={name}.csv"])
    assert list(results) == list(lstm_by_hand.SECTIONS)
    again = lstm_by_hand.main(["--config=test", "--distribution={name}.csv", "--section=by_hand", "--seed=1"])
    first = lstm_by_hand.main(["--config=test", "--distribution={name}.csv", "--section=by_hand", "--seed=1"])
    np.testing.assert_array_equal(again["output"], first["output"])


def test_with_and_without_a_trainable_start_the_other_weights_begin_the_same():
    values = []
    for trainable_start in (True, False):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            lstm_by_hand.build_model_by_hand(configs.LSTMTestConfig(), "dl", trainable_start=trainable_start)
            session.run(tf.global_variables_initializer())
            values.append(
                dict(zip([v.op.name for v in tf.trainable_variables()], session.run(tf.trainable_variables())))
            )
    assert len(values[0]) == len(values[1]) + 6
    for name, value in values[1].items():
        np.testing.assert_array_equal(values[0][name], value, err_msg=name)


def test_in_the_sources_form_half_of_the_weights_are_not_trained():
    with tf.Graph().as_default():
        model = lstm_by_hand.build_model_by_hand(configs.LSTMTestConfig(), "dl", candidate_output=True)
    untrained = {f"LSTM{kind}{gate}{k}" for kind in "Wb" for gate in "fi" for k in (1, 2, 3)}
    assert set(model.untrained) == untrained | {f"WEC{k}" for k in (1, 2, 3)}


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
        lstm_by_hand.read_csv(str(path), "weight", [2, 3])
    assert isinstance(error.value, UserError) and str(path) in str(error.value) and message in str(error.value)


def test_files_of_other_editors(tmp_path):
    path = tmp_path / "weight.csv"
    path.write_bytes(b"\xef\xbb\xbf1, 2.5,-3\r\n4,5e-1,6\r\n\r\n")
    np.testing.assert_array_equal(lstm_by_hand.read_csv(str(path), "weight", [2, 3]), [[1, 2.5, -3], [4, 0.5, 6]])


def test_training_prints_the_errors_and_draws_the_predictions(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = lstm_by_hand.main(["--section=train", "--config=test"])
    names = ["API, [20, 30]", "API, [128, 64]", "by hand", "by hand, o * tanh(candidate)"]
    assert list(result["mse"]) == names and all(np.isfinite(mse) for mse in result["mse"].values())
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line in names] == names
    assert len([line for line in lines if line.startswith("0 \tMSE: ")]) == 4
    assert "Picture: plots/lstm_by_hand_predictions.png" in lines
    assert (tmp_path / "plots" / "lstm_by_hand_predictions.png").stat().st_size > 10_000


@pytest.mark.parametrize("form", ["by hand", "API"])
def test_both_learn_the_series(form):
    config = configs.LSTMTestConfig()
    config.time_step, config.n_iterations, config.learning_rate = 5, 200, 0.01
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        build = {
            "by hand": lambda: lstm_by_hand.build_model_by_hand(config, "dl"),
            "API": lambda: lstm_by_hand.build_api_model(config, [20, 30]),
        }[form]
        model = build()
        tvars = tf.trainable_variables()
        session.run(tf.global_variables_initializer())
        before = session.run(tvars)
        mse, times, truth, predictions = lstm_by_hand.run_training(session, model, config, np.random.RandomState(0))
        assert all(np.any(new != old) for new, old in zip(session.run(tvars), before))
    assert mse == pytest.approx(np.mean((truth - predictions) ** 2), rel=1e-5)
    assert times[0] == pytest.approx(0.5) and times[-1] == pytest.approx(29.9)
    assert mse < 1 < np.var(truth) / 10  # the same network that always says the mean has an MSE of the variance


def test_initial_states_are_compared(capsys):
    result = lstm_by_hand.main(["--section=initial_state", "--config=test", "--seed=7"])
    assert len(result["trainable"]) == len(result["zeros"]) == 2 and len({*result["trainable"], *result["zeros"]}) == 4
    output = capsys.readouterr().out
    assert (
        "\n   7  " in output
        and "\n   8  " in output
        and "trainable - zeros: mean" in output
        and "two standard errors" in output
    )


def test_the_same_command_prints_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    outputs = []
    for _ in range(2):
        lstm_by_hand.main(["--section=train", "--config=test"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--section=nothing"], "--section"),
        (["--config=large"], "small, test"),
        (["--set", "time_step=300"], "time_step=300: the series has 300 values"),
        (["--set", "n_seeds=1"], "n_seeds=1: a comparison takes at least 2"),
        (["--distribution=normal"], "normal is neither a file nor one of tn, xavier, dl, he, glorot_bengio"),
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
    for name, shape in lstm_by_hand.weight_shapes([1, 32, 32, 64]).items():
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
