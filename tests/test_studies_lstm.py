"""The studies of the LSTM by hand: what they say is what their numbers show."""

import numpy as np
import pytest

import configs
from conftest import slow
from lstm_by_hand import DISTRIBUTIONS, LSTM
from studies import (
    dynamic_rnn_parameters,
    initial_state,
    lstm_equality,
    output_gate,
    shared_cells,
    weight_distributions,
)
from tf1 import tf


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["--seed=1", "--set", "time_step=5"]])
def test_the_three_forms_are_the_same_mathematics(arguments, capsys):
    result = lstm_equality.main(arguments)
    # 30 steps of three layers in fp32; the gradients are sums over 120 steps, in proportion to the largest.
    assert set(result) == {"api", "api_gradients", "per_gate", "per_gate_gradients"}
    assert all(0 < difference < 1e-6 for difference in result.values())
    assert "BasicLSTMCell" in capsys.readouterr().out


def test_a_gate_in_the_wrong_place_is_seen(monkeypatch):
    layout = lstm_equality.api_layout

    def swapped(values, k):
        kernel, bias = layout(values, k)
        return np.roll(kernel, 1, axis=0), bias

    monkeypatch.setattr(lstm_equality, "api_layout", swapped)
    result = lstm_equality.main(["--config=test"])
    assert result["api"] > 1e-3 and result["per_gate"] < 1e-6


def test_the_slip_of_the_source_is_another_function():
    with tf.Graph().as_default(), tf.Session() as session:
        lstm = output_gate.CandidateOutputLSTM(1, time_step=1)
        session.run(tf.global_variables_initializer())
        x, h, c = (np.full([1, n], 0.7) for n in (1, 32, 32))
        values = session.run({**lstm.weights, **lstm.biases})
        unit = lstm.lstm_unit(*(tf.constant(array, tf.float32) for array in (x, h, c)), 1)
        found_h, found_c = session.run(unit)
    hx = np.hstack([h, x])
    f, i, candidate, o = (hx @ values[f"LSTMW{gate}1"] for gate in "fico")
    np.testing.assert_allclose(found_c, sigmoid(f) * c + sigmoid(i) * np.tanh(candidate), atol=1e-6)
    np.testing.assert_allclose(found_h, sigmoid(o) * np.tanh(np.tanh(candidate)), atol=1e-6)


@pytest.mark.slow
def test_with_the_slip_half_of_the_weights_are_not_trained(capsys):
    result = output_gate.main(["--config=test"])
    right, slip = "h = o * tanh(c)", "h = o * tanh(candidate)"
    untrained = {f"LSTM{kind}{gate}{k}" for kind in "Wb" for gate in "fi" for k in (1, 2, 3)}
    assert set(result["untrained"][slip]) == untrained | {f"WEC{k}" for k in (1, 2, 3)}
    assert result["untrained"][right] == [] and result["mse"][right] != result["mse"][slip]
    assert "15 of 32 stay as they began" in capsys.readouterr().out


def test_an_initial_state_of_zeros_has_no_weights():
    values = []
    for network in (LSTM, initial_state.ZeroStateLSTM):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            lstm = network(2, time_step=3)
            session.run(tf.global_variables_initializer())
            values.append(session.run({**lstm.weights, **lstm.biases}))
            h, c = session.run(lstm.initial_state, {lstm.x: np.ones([3, 5, 2])})
            assert [array.shape for array in h] == [array.shape for array in c] == [(5, 32), (5, 32), (5, 64)]
            assert np.any(np.concatenate([*h, *c], axis=1)) == (network is LSTM)
    trainable, zeros = values
    assert set(trainable) - set(zeros) == {f"WE{kind}{k}" for kind in "HC" for k in (1, 2, 3)}
    for name, value in zeros.items():
        np.testing.assert_array_equal(trainable[name], value, err_msg=name)


@pytest.mark.slow
def test_initial_states_are_compared(capsys):
    result = initial_state.main(["--config=test", "--seed=7"])
    assert len(result["trainable"]) == len(result["zeros"]) == 2 and len({*result["trainable"], *result["zeros"]}) == 4
    output = capsys.readouterr().out
    for text in ("\n   7  ", "\n   8  ", "trainable - zeros: mean", "two standard errors"):
        assert text in output


def test_one_seed_is_no_comparison(capsys):
    with pytest.raises(SystemExit) as exit_:
        initial_state.main(["--set", "n_seeds=1"])
    assert exit_.value.code == 2 and "n_seeds=1: a comparison takes at least 2" in capsys.readouterr().err


@pytest.mark.slow
def test_distributions_draw_what_their_formulas_say():
    result = weight_distributions.main(["--config=test"])
    deviations = {
        "tn": 0.8796 / 32,  # a normal distribution cut at two standard deviations
        "xavier": 4 * np.sqrt(6 / 96) / np.sqrt(3),
        "dl": 1 / np.sqrt(64) / np.sqrt(3),
        "he": np.sqrt(2 / 64),
        "glorot_bengio": np.sqrt(6 / 96) / np.sqrt(3),
    }
    assert list(result) == list(deviations) == list(DISTRIBUTIONS)
    for name, deviation in deviations.items():  # of 2,048 numbers: to 5 standard errors
        assert result[name]["deviation"] == pytest.approx(deviation, rel=5 / np.sqrt(2 * 2048))
    assert len({values["mse"] for values in result.values()}) == 5


@pytest.mark.parametrize("arguments", [slow([]), ["--config=test", "--set", "n_steps=4"]])
def test_parameters_of_dynamic_rnn(capsys, arguments):
    result = dynamic_rnn_parameters.main(arguments)
    names = ["time_major", "sequence_length", "initial_state", "parallel_iterations", "swap_memory"]
    assert list(result) == names and not any(result.values())
    assert "outputs after a sequence's end are [0.]" in capsys.readouterr().out


def test_too_few_steps_for_the_parameters(capsys):
    with pytest.raises(SystemExit) as exit_:
        dynamic_rnn_parameters.main(["--set", "n_steps=3"])
    assert exit_.value.code == 2 and "n_steps=3" in capsys.readouterr().err


def test_a_shared_cell_is_one_set_of_weights(capsys):
    result = shared_cells.main([])
    assert result == {
        ("[cell, another]", 3): [[23, 80], [40, 80]],
        ("[cell] * 2", 3): "Dimensions must be equal, but are 40 and 23",
        ("[cell, another]", 20): [[40, 80], [40, 80]],
        ("[cell] * 2", 20): [[40, 80]],
    }
    config = configs.LSTMCellsTestConfig()
    assert ("[cell] * 2", config.n_neurons) in shared_cells.main(["--config=test"])
    assert capsys.readouterr().err == ""
