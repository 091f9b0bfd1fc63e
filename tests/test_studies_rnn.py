"""The studies of recurrent networks: what they say is what their numbers show."""

import importlib
import os

import numpy as np
import pytest

import configs
from studies import gradient_paths, gradient_reach, rnn_memory, sequence_kinds
from tf1 import tf


@pytest.mark.parametrize("config, seed", [("small", 42), ("test", 1)])
def test_which_outputs_feed_the_loss(capsys, config, seed):
    results = sequence_kinds.main([f"--config={config}", f"--seed={seed}"])
    assert {kind: (norms > 0).tolist() for kind, norms in results.items()} == {
        "seq_to_seq": [True] * 4,
        "seq_to_vector": [False] * 3 + [True],
        "vector_to_seq": [True] * 4,
        "encoder_decoder": [False] * 3 + [True] * 3,
    }
    # In each figure the outputs with a star are those that feed the loss.
    lines = [line for line in capsys.readouterr().out.splitlines() if "Y0" in line]
    stars = [[output.startswith("*") for output in line.split()] for line in lines]
    assert stars == [(norms > 0).tolist() for norms in results.values()]


@pytest.mark.parametrize("n_steps, n_used", [(5, 3), (3, 1), (2, 9)])
def test_gradients_flow_through_the_outputs_of_the_cost_and_are_summed(capsys, n_steps, n_used):
    result = gradient_paths.main(["--set", f"n_steps={n_steps}", "--set", f"n_used={n_used}"])
    used = range(max(0, n_steps - n_used), n_steps)
    assert [norm > 0 for norm in result["direct"]] == [t in used for t in range(n_steps)]
    assert all(norm > 0 for norm in result["total"])
    assert result["total"][-1] == result["direct"][-1]  # nothing comes back from after the last step
    assert np.all(result["Wx"] > 0)
    assert result["Wy"][0] == 0 and np.all(result["Wy"][1:] > 0)  # the state before step 0 is zero
    assert result["difference"] < 1e-6  # sums of five gradients below 1 in fp32
    assert f"mean squares of {' + '.join(f'Y({t})' for t in used)};" in capsys.readouterr().out


@pytest.mark.slow
def test_graph_and_memory_of_static_and_dynamic():
    config = configs.RNNMemoryTestConfig()
    rows = {(row["rnn"], row["n_steps"]): row for row in rnn_memory.main(["--config=test", "--set", "n_steps=200"])}
    assert list(rows) == [(rnn, n_steps) for n_steps in (2, 20, 200) for rnn in ("static", "dynamic")]
    assert len({rows["dynamic", n_steps]["operations"] for n_steps in (2, 20, 200)}) == 1
    assert rows["static", 200]["graph_bytes"] > 8 * rows["static", 20]["graph_bytes"]
    outputs = 4 * config.batch_size * config.n_neurons  # bytes of a time step's outputs, which the gradients need
    inputs = 4 * config.batch_size * config.n_inputs
    for (_, n_steps), row in rows.items():
        assert row["training_bytes"] > n_steps * outputs
        assert row["forward_bytes"] <= row["training_bytes"] < 10 * n_steps * (inputs + outputs) + 500_000


@pytest.mark.slow
def test_how_far_a_gradient_reaches(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    results = gradient_reach.main(["--config=test"])
    assert list(results) == list(gradient_reach.RUNS)
    for result in results.values():
        assert result["gradient_norms"].shape == (8,) and np.all(np.isfinite(result["gradient_norms"]))
        assert result["loss"] > 0 and result["max_norm"] > 0
    # The pieces are 3, 3 and 2 steps long, and the last output is at the end of the last.
    assert [norm > 0 for norm in results["tanh, clipping, truncated"]["gradient_norms"]] == [True] * 2 + [False] * 6
    assert np.all(results["tanh"]["gradient_norms"] > 0)
    assert os.listdir("plots") == ["gradient_norms.png"]
    assert "Less than half the loss of guessing: none\n" in capsys.readouterr().out


def test_a_gradients_norms_equal_differences():
    config = configs.LongTestConfig()
    config.batch_size = 1
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        model = gradient_reach.RecallModel(config, "gru")
        session.run(tf.global_variables_initializer())
        batch = gradient_reach.recall_batch(config, np.random.RandomState(0))
        norms = session.run(model.gradient_norms, {model.X: batch})
        # The op that the gradient begins at: the prediction, whose values are summed.
        prediction = tf.get_default_graph().get_tensor_by_name("dense/BiasAdd:0")
        for distance in (0, 7):
            gradient = []
            for value in range(config.n_inputs):
                sums = []
                for sign in (1, -1):
                    moved = batch.copy()
                    moved[0, config.n_steps - 1 - distance, value] += sign * 0.01
                    sums.append(np.sum(session.run(prediction, {model.X: moved}), dtype=float))
                gradient.append((sums[0] - sums[1]) / 0.02)
            # Differences of fp32 numbers around 1, divided by 0.02: 1e-5.
            assert norms[distance] == pytest.approx(np.linalg.norm(gradient), abs=3e-5, rel=1e-3)


@pytest.mark.parametrize("name", ["sequence_kinds", "rnn_memory", "gradient_paths", "gradient_reach"])
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config=large"], "choose one of small, test"),
        (["--set", "n_neurons=0"], "n_neurons must be at least 1"),
        (["--seed=-1"], "--seed"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, name, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        importlib.import_module(f"studies.{name}").main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error
    assert not os.listdir()
