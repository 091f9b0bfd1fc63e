"""The generator's statistics, the levels of theory, the variants against each other and NumPy, the program."""

import itertools
import json
import math
import os
import re
import signal

import numpy as np
import pytest

import binary_echo
import configs
from conftest import slow
from studies import truncation
from tf1 import tf
from tf1.training import Position


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_generator_is_the_tutorials():
    X, Y = binary_echo.gen_data(2000, np.random.RandomState(7))
    random = np.random.RandomState(7)
    expected_X = random.choice(2, size=(2000,))
    expected_Y = []
    for i in range(2000):
        threshold = 0.5 + 0.5 * expected_X[i - 3] - 0.25 * expected_X[i - 8]
        expected_Y.append(0 if random.rand() > threshold else 1)
    np.testing.assert_array_equal(X, expected_X)
    np.testing.assert_array_equal(Y, expected_Y)


def test_generator_statistics():
    X, Y = binary_echo.gen_data(random=np.random.RandomState(1))
    assert len(X) == len(Y) == 1_000_000 and set(np.unique(X)) == set(np.unique(Y)) == {0, 1}
    assert np.mean(X) == pytest.approx(0.5, abs=4 * 0.5 / 1000)
    X3, X8 = np.roll(X, 3), np.roll(X, 8)
    for (x3, x8), p in {(0, 0): 0.5, (1, 0): 1.0, (0, 1): 0.25, (1, 1): 0.75}.items():
        chosen = Y[(X3 == x3) & (X8 == x8)]
        assert np.mean(chosen) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / len(chosen)))


def entropy(*probabilities):
    return float(np.mean([-sum(q * math.log(q) for q in (p, 1 - p) if q) for p in probabilities]))


def test_levels():
    levels = binary_echo.levels()
    assert list(levels) == [(), (8,), (3,), (3, 8)]
    assert {known: round(level, 4) for known, level in levels.items() if known != (8,)} == {
        (): 0.6616,
        (3,): 0.5192,
        (3, 8): 0.4545,
    }
    assert levels[8,] == pytest.approx(entropy(0.75, 0.5))
    assert binary_echo.levels((1,), (0.5,)) == pytest.approx({(): entropy(0.75), (1,): entropy(0.5, 1)})
    # More than probabilities can have is cut off, as the tutorial's comparison does.
    assert binary_echo.levels((1,), (0.9,))[1,] == pytest.approx(entropy(0.5, 1))


def test_levels_are_the_entropies_of_the_generators_data():
    lags, effects = (1, 4, 6), (0.3, -0.4, 0.1)
    X, Y = binary_echo.gen_data(400_000, np.random.RandomState(3), lags, effects)
    for known, level in binary_echo.levels(lags, effects).items():
        loss = 0.0
        for values in itertools.product((0, 1), repeat=len(known)):
            chosen = (
                np.all([np.roll(X, lag) == value for lag, value in zip(known, values)], axis=0) if known else X >= 0
            )
            loss += np.mean(chosen) * entropy(np.mean(Y[chosen]))
        assert loss == pytest.approx(level, abs=0.003)  # 4 standard errors of 400,000 values: 0.003


def test_batches_follow_each_other_row_by_row():
    raw_data = np.arange(23), np.arange(23) + 100
    batches = list(binary_echo.gen_batch(raw_data, 2, 3))
    assert [x.tolist() for x, _ in batches] == [
        [[0, 1, 2], [11, 12, 13]],
        [[3, 4, 5], [14, 15, 16]],
        [[6, 7, 8], [17, 18, 19]],
    ]
    assert all(np.array_equal(y, x + 100) for x, y in batches)


def test_an_epoch_has_the_next_data_of_the_seed():
    config = small_config(size=3_000, num_epochs=3)
    random = np.random.RandomState(5)
    epochs = [list(binary_echo.gen_batch(binary_echo.gen_data(3_000, random), 3, 10)) for _ in range(3)]
    assert len(epochs[0]) == 100 and not np.array_equal(epochs[0], epochs[1])
    input_ = binary_echo.EchoInput(config, seed=5)
    # In order, again, from its midst as a run does that goes on, and back.
    for epoch, step in (1, 0), (2, 0), (2, 0), (3, 40), (1, 99), (3, 100):
        batches = list(input_.batches(Position(epoch, step)))
        assert len(batches) == 100 - step
        np.testing.assert_array_equal(batches, epochs[epoch - 1][step:] or batches)


def small_config(**values):
    config = configs.EchoTestConfig()
    for name, value in values.items():
        setattr(config, name, value)
    return config


def numpy_loss(values, X, Y, state):
    """The mean loss of a batch, and the final state, by the tutorial's equations."""
    W, b, softmax_W, softmax_b = values
    losses = []
    for t in range(X.shape[1]):
        state = np.tanh(np.hstack([np.eye(2)[X[:, t]], state]) @ W + b)
        logits = state @ softmax_W + softmax_b
        losses.append(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(X)), Y[:, t]])
    return np.mean(losses), state


def run(model, rnn_mode, values, batches, config):
    """Losses, the state and the weights after training on `batches` from the weights `values`."""
    with tf.Graph().as_default(), tf.Session() as session:
        m = binary_echo.EchoModel(config, binary_echo.EchoInput(config, seed=1), model, rnn_mode)
        session.run(tf.global_variables_initializer())
        tvars = tf.trainable_variables()
        session.run([tf.assign(variable, value) for variable, value in zip(tvars, values)])
        state = np.full([config.batch_size, config.state_size], 0.1)
        losses, state = binary_echo.run_steps(session, m, batches, state, m.train_op)
        assert session.run(tf.train.get_global_step()) == len(batches)
        return losses, state, session.run(tvars)


@pytest.mark.slow
def test_all_variants_are_the_same_training():
    config = small_config(state_size=5, num_steps=6)
    random = np.random.RandomState(0)
    values = [random.uniform(-0.5, 0.5, shape).astype(np.float32) for shape in ([7, 5], [5], [5, 2], [2])]
    batches = list(binary_echo.gen_batch(binary_echo.gen_data(900, random), 3, 6))
    assert len(batches) == 50
    expected_losses, expected_state, expected_values = run("manual", "basic", values, batches, config)
    loss, state = numpy_loss(values, *batches[0], np.full([3, 5], 0.1))
    assert expected_losses[0] == pytest.approx(loss, rel=1e-6)
    for model, rnn_mode in itertools.product(("manual", "static", "dynamic"), ("basic", "auto")):
        losses, state, weights = run(model, rnn_mode, values, batches, config)
        # 50 steps of plain SGD in fp32, summed in another order.
        np.testing.assert_allclose(losses, expected_losses, atol=1e-5)
        np.testing.assert_allclose(state, expected_state, atol=1e-4)
        assert all(np.any(weight != value) for weight, value in zip(weights, values))
        for weight, expected in zip(weights, expected_values):
            np.testing.assert_allclose(weight, expected, atol=1e-4)


@pytest.mark.parametrize("rnn_mode", ["auto", "basic"])
def test_labels_out_of_range_are_an_error(rnn_mode):
    config = small_config(size=900)
    with tf.Graph().as_default(), tf.Session() as session:
        m = binary_echo.EchoModel(config, binary_echo.EchoInput(config, seed=1), rnn_mode=rnn_mode)
        session.run(tf.global_variables_initializer())
        (x, y), before = next(m.input.batches(Position())), session.run(tf.trainable_variables())
        y[1, 2] = 2
        with pytest.raises(tf.errors.InvalidArgumentError):
            binary_echo.run_steps(session, m, [(x, y)], m.start["state"], m.train_op)
        after = session.run(tf.trainable_variables())
    assert all(np.array_equal(*pair) for pair in zip(before, after))


@pytest.mark.parametrize("rnn_mode", [slow("auto"), "basic"])
def test_an_epoch_can_be_run_alone(capsys, rnn_mode):
    config = small_config(size=9_000)  # 300 steps
    with tf.Graph().as_default(), tf.Session() as session:
        m = binary_echo.EchoModel(config, binary_echo.EchoInput(config, seed=1), rnn_mode=rnn_mode)
        session.run(tf.global_variables_initializer())
        before = session.run(tf.trainable_variables())
        untrained = binary_echo.run_epoch(session, m)
        np.testing.assert_array_equal(session.run(tf.trainable_variables())[0], before[0])
        assert capsys.readouterr().out == ""
        trained = binary_echo.run_epoch(session, m, eval_op=m.train_op, verbose=True)
        lines = capsys.readouterr().out.splitlines()
        assert lines == [
            f"Average loss at step {100 * (i + 1)} for last 100 steps: {loss}" for i, loss in enumerate(trained)
        ]
        assert session.run(tf.train.get_global_step()) == 300
        assert len(untrained) == len(trained) == 2 and trained[1] < untrained[1]
        again = binary_echo.run_epoch(session, m)  # of the same data
        assert again[1] < untrained[1]


@pytest.mark.slow
def test_modes_print_the_same_losses(in_tmp_path):
    auto, basic = (
        binary_echo.main(["--config=test", f"--rnn_mode={mode}"])["training_losses"] for mode in ("auto", "basic")
    )
    assert len(auto) == 12  # 666 steps an epoch, two epochs
    np.testing.assert_allclose(auto, basic, atol=1e-4)


@pytest.mark.slow
def test_an_average_covers_exactly_100_steps(in_tmp_path, monkeypatch, capsys):
    config = small_config(num_epochs=1)
    batches = list(binary_echo.EchoInput(config, seed=42).batches(Position()))
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        m = binary_echo.EchoModel(config, binary_echo.EchoInput(config, seed=42), rnn_mode="auto")
        session.run(tf.global_variables_initializer())
        losses, _ = binary_echo.run_steps(session, m, batches, m.start["state"], m.train_op)
    monkeypatch.setattr(binary_echo, "STEPS_A_RUN", 77)
    result = binary_echo.main(["--config=test", "--set", "num_epochs=1"])
    expected = [np.mean(losses[first : first + 100]) for first in range(1, 600, 100)]
    np.testing.assert_allclose(result["training_losses"], expected, rtol=1e-6)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Average")]
    assert lines[0] == f"Average loss at step 100 for last 100 steps: {result['training_losses'][0]}"
    assert lines[5].startswith("Average loss at step 600 for last 100 steps: ")


def test_the_tutorials_function(in_tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(configs.EchoSmallConfig, "size", 20_000)
    training_losses = binary_echo.train_network(1, 5, state_size=3, verbose=False)
    assert capsys.readouterr().out == ""
    assert len(training_losses) == 13 and training_losses[-1] < 0.66 + 0.05
    numbers = ["--set", "num_epochs=1", "--set", "num_steps=5", "--set", "state_size=3"]
    assert binary_echo.main(["--rnn_mode=basic", *numbers])["training_losses"] == training_losses


def test_the_small_network_finds_the_dependency_at_3(in_tmp_path, capsys):
    result = binary_echo.main(["--set", "num_epochs=1"])
    assert result["learned"] == (3,) and len(result["training_losses"]) == 333
    assert binary_echo.final_loss(result["training_losses"]) == pytest.approx(0.5192, rel=0.01)
    output = capsys.readouterr().out
    assert "learned: distance 3\n" in output
    assert "Lowest possible loss knowing distance 3 and distance 8: 0.4545 nats\n" in output
    assert os.listdir("plots") == ["binary_echo_loss_manual.png"]


@pytest.mark.slow
def test_the_medium_network_finds_both(in_tmp_path):
    result = binary_echo.main(["--config=medium"])
    assert result["learned"] == (3, 8)
    assert binary_echo.final_loss(result["training_losses"]) == pytest.approx(0.4545, rel=0.01)


def test_effects_are_measured_on_the_network():
    config = small_config(num_steps=6, size=30_000)
    raw_data = binary_echo.gen_data(config.size, np.random.RandomState(0))
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        m = binary_echo.EchoModel(config, binary_echo.EchoInput(config, seed=1))
        session.run(tf.global_variables_initializer())
        # The first unit holds the last input, the second what the first held, and so on; the output reads the fourth.
        W, b, softmax_W, softmax_b = (np.zeros(shape) for shape in ([6, 4], [4], [4, 2], [2]))
        W[0, 0], W[1, 0] = -5, 5
        for unit in range(3):
            W[2 + unit, unit + 1] = 5
        softmax_W[3, 1] = 1
        session.run([tf.assign(v, w) for v, w in zip(tf.trainable_variables(), (W, b, softmax_W, softmax_b))])
        found = binary_echo.measure_effects(session, m, raw_data, (3, 8))
    probability = sigmoid(np.tanh(5 * np.tanh(5 * np.tanh(5 * np.tanh(5)))))
    assert found[3][0] == pytest.approx(2 * probability - 1, abs=1e-5)
    assert abs(found[8][0]) < 0.02  # 4 standard errors of 18,000 throws
    assert found[3][1] == pytest.approx(0.5, abs=0.03) and found[8][1] == pytest.approx(-0.25, abs=0.03)
    assert binary_echo.learned_lags(found) == (3,)
    found = {3: (0.24, 0.5), 8: (0.2, -0.25), 9: (-0.2, -0.25), 10: (0.01, 0.01)}
    assert binary_echo.learned_lags(found, [0.5, -0.25, -0.25, 0]) == (9,)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.slow
def test_other_lags(in_tmp_path):
    arguments = ["--lags=1", "--effects=0.5", "--set", "num_epochs=1", "--set", "size=300000"]
    result = binary_echo.main(arguments)
    assert list(result["levels"]) == [(), (1,)] and result["learned"] == (1,)


@pytest.mark.slow
def test_truncation(in_tmp_path, capsys):
    result = truncation.main(["--config=test"])
    assert list(result["losses"]) == [1, 2, 3, 5, 8, 10, 15]
    assert all(0.4 < loss < 0.75 for loss in result["losses"].values())
    assert os.listdir("plots") == ["binary_echo_truncation.png"]
    output = capsys.readouterr().out
    assert output.startswith("num_steps  loss at the end  effect at  3  effect at  8  learned\n        1  ")
    training_losses = binary_echo.main(["--config=test", "--set", "num_steps=5"])["training_losses"]
    assert result["losses"][5] == binary_echo.final_loss(training_losses)


def test_a_truncation_that_cannot_be_is_said_before_the_first_training(in_tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        truncation.main(["--config=test", "--set", "size=4000"])
    output, error = capsys.readouterr()
    assert exit_.value.code == 2 and output == "" and not os.listdir()
    assert error.count("\n") == 1 and "size 4000 makes no average of 100 steps" in error


@pytest.mark.parametrize("rnn_mode, stops", [("auto", [9]), slow("auto", [3, 9, 5]), slow("basic", [3, 9, 5])])
def test_a_stopped_run_goes_on_to_the_same_weights(in_tmp_path, monkeypatch, capsys, rnn_mode, stops):
    monkeypatch.setattr(binary_echo, "STEPS_A_RUN", 77)
    arguments = ["--config=test", f"--rnn_mode={rnn_mode}"]
    expected = binary_echo.main([*arguments, "--save_path=whole"])
    run_steps = binary_echo.run_steps
    for stop in stops:  # after so many runs
        count = 0

        def stopping(*args, stop=stop):
            nonlocal count
            count += 1
            if count == stop:
                os.kill(os.getpid(), signal.SIGINT)
            return run_steps(*args)

        monkeypatch.setattr(binary_echo, "run_steps", stopping)
        with pytest.raises(SystemExit) as exit_:
            binary_echo.main([*arguments, "--save_path=parts"])
        assert exit_.value.code == 130
        assert "saved in parts" in capsys.readouterr().out
    monkeypatch.setattr(binary_echo, "run_steps", run_steps)
    assert binary_echo.main([*arguments, "--save_path=parts"]) == expected
    whole, parts = (tf.train.load_checkpoint(folder) for folder in ("whole", "parts"))
    for name in whole.get_variable_to_shape_map().keys() - {"resume/json"}:  # which has durations
        np.testing.assert_array_equal(parts.get_tensor(name), whole.get_tensor(name), err_msg=name)
    whole, parts = (
        [{**json.loads(line), "wall_s": 0} for line in open(f"{folder}/metrics.jsonl")] for folder in ("whole", "parts")
    )
    assert whole == parts and [(record["epoch"], record["step"]) for record in parts] == [(1, 666), (2, 1332)]
    assert sum((record["training_losses"] for record in parts), []) == expected["training_losses"]
    assert all(record["loss"] == np.mean(record["training_losses"]) for record in parts)
    capsys.readouterr()
    assert binary_echo.main([*arguments, "--save_path=parts"]) == expected
    output = capsys.readouterr().out
    assert "The run in parts is finished" in output and "Loss at the end" in output and "EPOCH" not in output


def test_a_stop_after_the_training(in_tmp_path, monkeypatch, capsys):
    measure_effects = binary_echo.measure_effects

    def interrupted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return measure_effects(*args)

    monkeypatch.setattr(binary_echo, "measure_effects", interrupted)
    with pytest.raises(SystemExit) as exit_:
        binary_echo.main(["--config=test", "--save_path=run"])
    assert exit_.value.code == 143
    assert capsys.readouterr().out.endswith("Stopped after the last step: saved in run\n")


@pytest.mark.slow
def test_a_line_that_nobody_reads_costs_no_step(in_tmp_path, monkeypatch):
    """Ctrl-C ends the whole of `python binary_echo.py | tee log`: what the line is about is saved before."""
    monkeypatch.setattr(binary_echo, "STEPS_A_RUN", 77)
    expected = binary_echo.main(["--config=test"])
    write = binary_echo.progress.write

    def broken(line):
        raise BrokenPipeError

    monkeypatch.setattr(binary_echo.progress, "write", broken)
    with pytest.raises(SystemExit) as exit_:
        binary_echo.main(["--config=test", "--save_path=run"])
    assert exit_.value.code == 128 + signal.SIGPIPE
    assert [name for name in os.listdir("run") if name.endswith(".index")] == ["model-154.index"]
    monkeypatch.setattr(binary_echo.progress, "write", write)
    assert binary_echo.main(["--config=test", "--save_path=run"]) == expected


def test_the_curves(in_tmp_path, monkeypatch):
    monkeypatch.setattr(binary_echo, "STEPS_A_RUN", 50)
    binary_echo.main(["--config=test", "--save_path=run", "--set", "num_epochs=1"])
    (events,) = (name for name in os.listdir("run") if "tfevents" in name)
    points = [
        (event.step, value.tag, value.simple_value)
        for event in tf.train.summary_iterator(os.path.join("run", events))
        for value in event.summary.value
        if value.tag != "global_step/sec" and not value.HasField("image")
    ]
    (record,) = (json.loads(line) for line in open("run/metrics.jsonl"))
    assert [(step, tag) for step, tag, _ in points] == [
        *((step, "training_loss") for step in (*range(50, 666, 50), 666)),
        (666, "loss"),
    ]
    assert all(0.4 < value < 0.9 for *_, value in points) and points[-1][2] == pytest.approx(record["loss"])


def test_divergence_ends_with_status_1(in_tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        binary_echo.main(["--config=test", "--set", "learning_rate=1e37"])
    error = capsys.readouterr().err
    assert exit_.value.code == 1 and error.count("\n") == 1 and "the loss became" in error
    assert re.search(r" in epoch 1 at step \d+ of 666, ", error)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config=large"], "small, medium, test"),
        (["--model=lstm"], "--model"),
        (["--section=train"], "--section"),
        (["--rnn_mode=fused"], "--rnn_mode"),
        (["--lags=3,3", "--effects=1,1"], "3,3 is not a list of up to 8 different distances from 0 to 1000"),
        (["--lags=-1"], "-1 is not a list of up to 8 different distances"),
        (["--lags=a"], "'a' is not an integer"),
        (["--lags=3"], "--lags has 1 distances, --effects 2 numbers: give as many"),
        (["--lags=3,1000", "--set", "num_steps=1"], "--lags has 1000, and its effect is measured on 1000 values"),
        (["--effects=2,0"], "2,0 would move the probability of Y = 1 into 0.5 to 2.5: lower them"),
        (["--effects=nan,0"], "nan,0 would move"),
        (["--effects=0.3,0.3"], "0.3,0.3 would move the probability of Y = 1 into 0.5 to 1.1: lower them"),
        (["--effects=0.5,-0.6"], "0.5,-0.6 would move the probability of Y = 1 into -0.1 to 1: lower them"),
        (["--worker_hosts=a:1,b:2"], "this script cannot train on several workers"),
        (["--set", "size=1000"], "size 1000 makes no average of 100 steps"),
        (["--set", "num_steps=100"], "size 20000 makes no average of 100 steps"),
        (["--set", "batch_size=1000"], "makes no average"),
        (["--save_path=file"], "--save_path=file cannot be a folder"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(in_tmp_path, capsys, arguments, message):
    (in_tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as exit_:
        binary_echo.main(["--config=test", *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.count("\n") == 1 and message in error and error.startswith("binary_echo.py: error: "), error
    assert os.listdir() == ["file"]
