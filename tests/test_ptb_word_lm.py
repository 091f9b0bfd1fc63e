"""The PTB model against NumPy and against its own other readings; the program from its command line."""

import copy
import glob
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import configs
import ptb_word_lm
from conftest import ROOT, slow
from tf1 import tf
from tf1.app import UserError
from tf1.training import Position

WORDS = "the a cat dog mat hat sat ran on in saw and".split()


def text(tokens, seed):
    """Random sentences, reproducible."""
    random = np.random.RandomState(seed)
    words = [WORDS[random.randint(len(WORDS))] if random.randint(8) else "\n" for _ in range(tokens - 1)]
    return " " + " ".join(words) + " \n"


@pytest.fixture
def small_corpus(corpus):
    return corpus(text(1300, 0), text(500, 1), text(333, 2))


def small_config(**values):
    config = configs.TestConfig()
    for name, value in {"num_layers": 2, "hidden_size": 5, "num_steps": 3, "batch_size": 4, **values}.items():
        setattr(config, name, value)
    config.vocab_size = values.get("vocab_size", 13)
    return config


def build(config, data, is_training=False, reuse=None, scale=0.5):
    initializer = tf.random_uniform_initializer(-scale, scale)
    with tf.variable_scope("Model", reuse=reuse, initializer=initializer):
        return ptb_word_lm.PTBModel(is_training, config, ptb_word_lm.PTBInput(config, data))


def variables(session):
    return {
        variable.op.name: value
        for variable, value in zip(tf.trainable_variables(), session.run(tf.trainable_variables()))
    }


def numpy_cost(values, config, inputs, targets, state):
    """The model's cost and final state, step by step as Zaremba et al. 2014, equations of section 3.1, has it."""
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    state, cost = np.array(state, float), 0.0
    for step in range(inputs.shape[1]):
        x = values["Model/embedding"][inputs[:, step]]
        for layer in range(config.num_layers):
            scope = f"Model/RNN/multi_rnn_cell/cell_{layer}/basic_lstm_cell"
            c, h = state[layer]
            i, j, f, o = np.split(np.hstack([x, h]) @ values[f"{scope}/kernel"] + values[f"{scope}/bias"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(j)  # the forget bias is 0
            x = h = sigmoid(o) * np.tanh(c)
            state[layer] = c, h
        logits = x @ values["Model/softmax_w"] + values["Model/softmax_b"]
        log_sum = np.log(np.exp(logits).sum(axis=1))
        cost += np.mean(log_sum - logits[np.arange(len(x)), targets[:, step]])
    return cost, state


def test_one_step_equals_numpy():
    config = small_config(num_steps=1)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        model = build(config, np.arange(50) % 13)
        session.run(tf.global_variables_initializer())
        random = np.random.RandomState(0)
        state = random.uniform(-1, 1, [2, 2, 4, 5]).astype(np.float32)
        inputs, targets = random.randint(0, 13, [2, 4, 1])
        feed = {model.input.input_data: inputs, model.input.targets: targets}
        feed[model.initial_state] = tuple(map(tuple, state))
        cost, final_state = session.run([model.cost, model.final_state], feed)
        expected_cost, expected_state = numpy_cost(variables(session), config, inputs, targets, state)
    # fp32 with sums of 13 terms at most.
    assert cost == pytest.approx(expected_cost, rel=1e-6)
    np.testing.assert_allclose(np.array(final_state), expected_state, atol=1e-6)


@pytest.mark.parametrize("is_training", [True, slow(False)])
@pytest.mark.parametrize("rnn_mode", ["basic", "fused"])
@pytest.mark.parametrize("name, value", [("input_data", 13), ("input_data", -1), ("targets", 13), ("targets", -1)])
def test_words_out_of_range_are_an_error(name, value, rnn_mode, is_training):
    """Each mode checks what TensorFlow's own ops check, and nothing is trained on it."""
    config = small_config(batch_size=20)
    with tf.Graph().as_default(), tf.Session() as session:
        with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.5, 0.5)):
            input_ = ptb_word_lm.PTBInput(config, np.arange(200) % 13)
            model = ptb_word_lm.PTBModel(is_training, config, input_, rnn_mode, groups=2)
        session.run(tf.global_variables_initializer())
        before = variables(session)
        words = {"input_data": np.ones([20, 3]), "targets": np.ones([20, 3])}
        words[name][7, 2] = value
        with pytest.raises(tf.errors.InvalidArgumentError):
            feed = {getattr(input_, key): array for key, array in words.items()}
            session.run([model.cost, model.train_op] if is_training else model.cost, feed)
        assert all(np.array_equal(value, before[key]) for key, value in variables(session).items())


@pytest.mark.parametrize("keep_prob", [1.0, 0.5])
def test_a_network_in_training_has_the_state_of_its_cells(keep_prob):
    """Also where dropout is around them."""
    config = small_config(keep_prob=keep_prob)
    with tf.Graph().as_default(), tf.variable_scope("Model"):
        model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config), "basic")
        sizes = config.num_layers, 2, config.batch_size, config.hidden_size
        assert model.network.zero_state(config.batch_size).shape == sizes


def test_auto_and_an_unknown_mode():
    config = small_config()
    with tf.Graph().as_default():
        input_ = ptb_word_lm.PTBInput(config, np.arange(100) % 13)
        ptb_word_lm.PTBModel(False, config, input_, rnn_mode="auto")
        with pytest.raises(UserError, match="rnn_mode 'quick' is not known: choose one of auto, basic, fused, cudnn"):
            ptb_word_lm.PTBModel(False, config, input_, rnn_mode="quick")


@pytest.mark.parametrize("words", [[], [3]])
def test_too_little_to_evaluate(words):
    with tf.Graph().as_default(), tf.Session() as session:
        model = build(small_config(), np.arange(100) % 13)
        session.run(tf.global_variables_initializer())
        with pytest.raises(UserError, match="has none to predict"):
            ptb_word_lm.evaluate(session, model, words)
        assert ptb_word_lm.evaluate(session, model, [3, 4]) > 1  # a list will do


def test_unrolled_graph_equals_numpy_and_carries_its_state():
    config, data = small_config(), np.random.RandomState(1).randint(0, 13, 4 * 10)
    rows = data.reshape(4, 10)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        model = build(config, data)
        session.run(tf.global_variables_initializer())
        perplexity = ptb_word_lm.run_epoch(session, model)
        cost, _ = numpy_cost(variables(session), config, rows[:, :9], rows[:, 1:], np.zeros([2, 2, 4, 5]))
        assert ptb_word_lm.run_epoch(session, model, tf.no_op()) == perplexity  # as the oldest copies call it
        position = Position(costs=0.0, state=session.run(model.initial_state))
        ptb_word_lm.run_epoch(session, model, position=position, steps=range(1))
        assert position.step == 1
        with tf.Session() as another:  # with the same weights: they are keyed by the seed
            another.run(tf.global_variables_initializer())
            assert ptb_word_lm.run_epoch(another, model, position=position) == perplexity  # the steps that are left
        assert position.step == 3
    assert model.input.epoch_size == 3
    assert perplexity == pytest.approx(np.exp(cost / 9), rel=1e-6)


def test_update_is_clipped_sgd():
    config = small_config(max_grad_norm=0.01)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        model = build(config, np.arange(100) % 13, is_training=True)
        session.run(tf.global_variables_initializer())
        model.assign_lr(session, 0.5)
        assert session.run(model.lr) == 0.5
        before = variables(session)
        session.run(model.train_op)
        moved = np.sqrt(sum(np.sum((value - before[name]) ** 2) for name, value in variables(session).items()))
        # The gradient's norm is far above 0.01, so the step is as long as clipping allows.
        assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)
        assert session.run(tf.train.get_global_step()) == 1


@pytest.mark.parametrize("rnn_mode", ["basic", "fused"])
def test_a_norm_that_overflows_is_no_update_of_zero(rnn_mode):
    """As `tf.clip_by_global_norm` has it: the weights become NaN, which stops the run at the next step."""
    config = small_config(num_layers=1)
    with tf.Graph().as_default(), tf.Session() as session, tf.variable_scope("Model"):
        model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config, np.arange(100) % 13), rnn_mode)
        session.run(tf.global_variables_initializer())
        softmax_w = next(v for v in tf.trainable_variables() if v.op.name.endswith("softmax_w"))
        session.run(tf.assign(softmax_w, tf.fill(softmax_w.shape, 1e25) * np.linspace(-1, 1, 13)))
        model.assign_lr(session, 1.0)
        norm, _ = session.run([model.gradient_norm, model.train_op])
        assert norm == np.inf and np.all(np.isnan(session.run(softmax_w)))


def test_names_of_the_variables_are_the_tutorials():
    config = small_config()
    with tf.Graph().as_default():
        build(config, np.arange(100) % 13, is_training=True)
        build(config, np.arange(100) % 13, reuse=True)
        cells = [
            f"Model/RNN/multi_rnn_cell/cell_{layer}/basic_lstm_cell/{name}"
            for layer in (0, 1)
            for name in ("kernel", "bias")
        ]
        names = [variable.op.name for variable in tf.trainable_variables()]
        assert names == ["Model/embedding", *cells, "Model/softmax_w", "Model/softmax_b"]
        lookups = [
            op
            for op in tf.get_default_graph().get_operations()
            if "embedding_lookup" in op.name and op.type == "GatherV2"
        ]
        assert lookups and all(op.device == "/device:CPU:0" for op in lookups)


def test_dropout_is_only_in_training_and_keyed_by_the_step():
    config = small_config(keep_prob=0.5, hidden_size=64)
    data = np.arange(200) % 13
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(3)
        model = build(config, data, is_training=True)
        masks = [op for op in graph.get_operations() if op.type == "GreaterEqual" or op.type == "Less"]
        assert len(masks) == 1 + config.num_layers * config.num_steps  # the embeddings, and each layer at each step
        build(config, data, reuse=True)
        assert len([op for op in graph.get_operations() if op.type == "Less"]) == len(masks)
        session.run(tf.global_variables_initializer())
        feed = {model.input.input_data: np.ones([4, 3]), model.input.targets: np.ones([4, 3])}
        first, again = session.run(model.cost, feed), session.run(model.cost, feed)
        session.run(tf.assign_add(tf.train.get_global_step(), 1))
        later = session.run(model.cost, feed)
        assert first == again != later
        values = [session.run(mask.outputs[0], feed) for mask in masks]
        # 4 x 64 elements a mask, kept with probability 1/2: 4 standard errors.
        assert all(abs(np.mean(value) - 0.5) < 4 * 0.5 / np.sqrt(value.size) for value in values)
        assert len({value[:, :64].tobytes() for value in values}) == len(values)  # no two alike


@pytest.mark.parametrize("tokens", [5, 12, 13, 14, 60, 500])
def test_evaluation_equals_the_tutorials_one_word_at_a_time(tokens):
    config = small_config()
    step_config = copy.copy(config)
    step_config.batch_size = step_config.num_steps = 1
    data = np.random.RandomState(tokens).randint(0, 13, tokens)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        model = build(config, np.arange(100) % 13, scale=2)  # a long memory, so that guessed states are checked
        step_model = build(step_config, data, reuse=True)
        session.run(tf.global_variables_initializer())
        expected = ptb_word_lm.run_epoch(session, step_model)
        assert ptb_word_lm.evaluate(session, model, data) == pytest.approx(expected, rel=5e-6)


def test_smoke(small_corpus, tmp_path, capsys):
    """The real main: exact number of steps, every variable moved, the promised files and lines."""
    arguments = ["--config=test", f"--data_path={small_corpus}", "--set", "batch_size=4"]
    results = ptb_word_lm.main([*arguments, f"--save_path={tmp_path}/run"])
    output = capsys.readouterr()
    assert output.err == ""
    steps = (1300 // 4 - 1) // 2
    lines = output.out.splitlines()
    assert "Epoch: 1 Learning rate: 1.000" in lines
    assert len([line for line in lines if " perplexity: " in line and line.endswith(" wps")]) == 10
    assert f"Epoch: 1 Train Perplexity: {results['train_perplexity'][0]:.3f}" in lines
    assert f"Epoch: 1 Valid Perplexity: {results['valid_perplexity'][0]:.3f}" in lines
    assert f"Test Perplexity: {results['test_perplexity']:.3f}" in lines
    assert all(1 < value < 10000 for value in (*results["train_perplexity"], *results["valid_perplexity"]))
    first, last = [json.loads(line) for line in open(tmp_path / "run" / "metrics.jsonl")]
    assert first["step"] == steps and first["train_perplexity"] == results["train_perplexity"][0]
    assert last == {"test_perplexity": results["test_perplexity"]}

    files = os.listdir(tmp_path / "run")
    assert "ptb_learning_curve.png" in files and any(name.startswith("events.out.tfevents") for name in files)
    tags = set()
    for name in files:
        if name.startswith("events"):
            for event in tf.train.summary_iterator(str(tmp_path / "run" / name)):
                tags.update(value.tag for value in event.summary.value)
    assert tags >= {
        "loss",
        "learning_rate",
        "train_perplexity",
        "valid_perplexity",
        "test_perplexity",
        "words_per_second",
    }

    # With a learning rate of next to nothing the weights stay where they began.
    ptb_word_lm.main([*arguments, f"--save_path={tmp_path}/start", "--set", "learning_rate=1e-30"])
    end, start = (tf.train.load_checkpoint(str(tmp_path / name)) for name in ("run", "start"))
    moved = {
        name: np.any(end.get_tensor(name) != start.get_tensor(name))
        for name in end.get_variable_to_shape_map()
        if name.startswith("Model/") and name not in ("Model/Variable", "Model/global_step")  # Variable: learning rate
    }
    assert len(moved) == 5 and all(moved.values())


def test_same_seed_same_numbers_and_another_seed_others(small_corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--config=test", f"--data_path={small_corpus}", "--set", "keep_prob=0.5", "--set", "hidden_size=16"]
    first, again, other = (ptb_word_lm.main([*arguments, f"--seed={seed}"]) for seed in (1, 1, 2))
    assert first == again
    assert first["test_perplexity"] != other["test_perplexity"]
    assert (tmp_path / "plots" / "ptb_learning_curve.png").stat().st_size > 10_000  # nothing else is saved


def test_vocab_size_of_a_users_corpus(small_corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--config=test", f"--data_path={small_corpus}", "--vocab_size"]
    assert ptb_word_lm.main([*arguments, "0"])["test_perplexity"] < 13.5  # of 13 words
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main([*arguments, "12"])
    assert exit_.value.code == 2
    assert "has 13 words, more than vocab_size 12: give --vocab_size=0" in capsys.readouterr().err


def long_run(small_corpus, save_path):
    """A command with dropout that takes long enough to be interrupted in the middle of an epoch."""
    values = "keep_prob=0.5 hidden_size=32 num_steps=5 batch_size=2 num_layers=2 max_max_epoch=3 max_epoch=1".split()
    overrides = [word for value in values for word in ("--set", value)]
    return ["ptb_word_lm.py", "--config=test", f"--data_path={small_corpus}", f"--save_path={save_path}", *overrides]


def comparable(save_path):
    lines = [json.loads(line) for line in open(os.path.join(save_path, "metrics.jsonl"))]
    metrics = [{key: line[key] for key in line if key not in ("wall_s", "words_per_second")} for line in lines]
    reader = tf.train.load_checkpoint(save_path)
    return metrics, {
        name: reader.get_tensor(name).tobytes() for name in reader.get_variable_to_shape_map() if name != "resume/json"
    }


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_where_it_stopped(small_corpus, tmp_path, run_script, capsys, number):
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    ptb_word_lm.main(long_run(small_corpus, whole)[1:])
    script, *arguments = long_run(small_corpus, parts)
    command = [sys.executable, str(ROOT / script), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "perplexity" in line and any("Epoch: 2" in earlier for earlier in lines):
            process.send_signal(number)
            break
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + number, "")
    assert "Stopped in epoch" in out and f"saved in {parts}" in out

    resumed = run_script(*long_run(small_corpus, parts))
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert "Going on from" in resumed.stdout and "Epoch: 1 " not in resumed.stdout
    assert comparable(parts) == comparable(whole)

    capsys.readouterr()
    ptb_word_lm.main(arguments)
    finished = capsys.readouterr().out
    assert "is finished" in finished and "Learning rate" not in finished
    assert finished.splitlines()[-2] == resumed.stdout.splitlines()[-2]  # Test Perplexity
    assert comparable(parts) == comparable(whole)


def test_a_checkpoint_of_another_run_is_refused_with_the_difference(small_corpus, corpus, tmp_path, capsys):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    ptb_word_lm.main(arguments)
    other_corpus = corpus(text(1300, 7), text(500, 1), text(333, 2), name="other")

    def times():  # run.lock's changes with some releases of filelock
        names = {*os.listdir(tmp_path / "run")} - {"run.lock"}
        return {name: os.stat(tmp_path / "run" / name).st_mtime_ns for name in names}

    for change, message in [
        (["--set", "hidden_size=3"], "config hidden_size 2, now 3"),
        (["--seed=7"], "seed 42, now 7"),
        ([f"--data_path={other_corpus}"], "data 1,300 / 500 / 333 tokens, 13 words, checksum"),
    ]:
        before = times()
        with pytest.raises(SystemExit) as exit_:
            ptb_word_lm.main(arguments + change)
        error = capsys.readouterr().err
        assert exit_.value.code == 2 and error.count("\n") == 1 and message in error
        assert before == times()


def harm(path, damage):
    content = bytearray(open(path, "rb").read())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    with open(path, "wb") as file:
        file.write({"truncated": content[: len(content) // 2], "empty": b"", "flipped": content}[damage])


@pytest.mark.parametrize("suffix", [".data-00000-of-00001", slow(".index")])
@pytest.mark.parametrize("damage", ["truncated", slow("empty"), slow("flipped")])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(small_corpus, tmp_path, capsys, damage, suffix):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    arguments += ["--set", "max_max_epoch=2", "--set", "hidden_size=16"]
    expected = ptb_word_lm.main(arguments)
    newest = tf.train.latest_checkpoint(str(tmp_path / "run"))
    harm(newest + suffix, damage)
    capsys.readouterr()
    assert ptb_word_lm.main(arguments) == expected
    output = capsys.readouterr().out
    assert f"Checkpoint {newest} is damaged and passed over: " in output
    assert "Epoch: 2 Learning rate" in output and "Epoch: 1 Learning rate" not in output
    # What is left is the good one, the damaged one and, beside that, the new one of its step.
    assert tf.train.latest_checkpoint(str(tmp_path / "run")) == f"{newest}_1"
    for path in glob.glob(f"{tmp_path}/run/model-*{suffix}"):
        if path != newest + suffix:
            harm(path, damage)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1
    assert f"no checkpoint in --save_path={tmp_path}/run can be read" in error
    assert before == {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("index", ["missing", "empty", "garbage"])
def test_checkpoints_are_found_without_their_index_file(small_corpus, tmp_path, capsys, index):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    expected = ptb_word_lm.main(arguments)
    path = tmp_path / "run" / "checkpoint"
    path.unlink()
    if index != "missing":
        path.write_bytes({"empty": b"", "garbage": b"\0\xff{{"}[index])
    capsys.readouterr()
    assert ptb_word_lm.main(arguments) == expected
    output = capsys.readouterr()
    assert "is finished" in output.out and output.err == ""


def test_a_stop_in_the_validation_loses_no_numbers(small_corpus, tmp_path, monkeypatch):
    arguments = ["--config=test", f"--data_path={small_corpus}", "--set", "max_max_epoch=2"]
    ptb_word_lm.main([*arguments, f"--save_path={tmp_path}/whole"])
    run_epoch = ptb_word_lm.run_epoch

    def interrupted_in_validation(session, model, eval_op=None, *args, **kwargs):
        if eval_op is None:
            os.kill(os.getpid(), signal.SIGTERM)
        return run_epoch(session, model, eval_op, *args, **kwargs)

    monkeypatch.setattr(ptb_word_lm, "run_epoch", interrupted_in_validation)
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main([*arguments, f"--save_path={tmp_path}/parts"])
    assert exit_.value.code == 143
    monkeypatch.setattr(ptb_word_lm, "run_epoch", run_epoch)
    ptb_word_lm.main([*arguments, f"--save_path={tmp_path}/parts"])
    assert comparable(tmp_path / "parts") == comparable(tmp_path / "whole")
    records = [json.loads(line) for line in open(tmp_path / "parts" / "metrics.jsonl")]
    assert all(record["words_per_second"] > 0 for record in records[:2])
    assert 0 < records[0]["wall_s"] < records[1]["wall_s"]


@pytest.mark.slow
def test_another_mode_goes_on_in_the_middle(small_corpus, tmp_path, monkeypatch, capsys):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    expected = ptb_word_lm.main([*arguments[:2], "--rnn_mode=basic"])
    run_epoch = ptb_word_lm.run_epoch

    def interrupted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return run_epoch(*args)

    monkeypatch.setattr(ptb_word_lm, "run_epoch", interrupted)
    with pytest.raises(SystemExit):
        ptb_word_lm.main([*arguments, "--rnn_mode=basic"])
    monkeypatch.setattr(ptb_word_lm, "run_epoch", run_epoch)
    found = ptb_word_lm.main([*arguments, "--rnn_mode=fused"])
    assert "Going on from" in capsys.readouterr().out
    np.testing.assert_allclose(found["test_perplexity"], expected["test_perplexity"], rtol=1e-4)  # fp32, 31 steps


@pytest.mark.slow
def test_a_stop_in_the_test_set(small_corpus, tmp_path, monkeypatch, capsys):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    evaluate = ptb_word_lm.evaluate

    def interrupted(session, model, data, *watched):
        if watched:  # it is not the first try, before the training
            os.kill(os.getpid(), signal.SIGINT)
        return evaluate(session, model, data, *watched)

    monkeypatch.setattr(ptb_word_lm, "evaluate", interrupted)
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(arguments)
    assert exit_.value.code == 130
    assert f"Stopped after the last step: saved in {tmp_path}/run" in capsys.readouterr().out
    monkeypatch.setattr(ptb_word_lm, "evaluate", evaluate)
    assert ptb_word_lm.main(arguments)["test_perplexity"] > 1
    assert "is finished" in capsys.readouterr().out


def test_divergence_ends_with_status_1_and_keeps_the_last_checkpoint(small_corpus, tmp_path, capsys):
    arguments = ["--config=test", f"--data_path={small_corpus}", f"--save_path={tmp_path}/run"]
    # The second epoch's learning rate is 1e30.
    arguments += ["--set", "max_max_epoch=3", "--set", "lr_decay=1e30"]
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 1
    assert error.count("\n") == 1 and "the loss became" in error and "lower --set learning_rate=X" in error
    assert re.search(r" in epoch 2 at step \d+ of \d+, what was saved before is kept: ", error)
    assert [json.loads(line)["epoch"] for line in open(tmp_path / "run" / "metrics.jsonl")] == [1]
    checkpoint = tf.train.load_checkpoint(str(tmp_path / "run"))
    assert np.all(np.isfinite(checkpoint.get_tensor("Model/softmax_w")))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config=huge"], "small, medium, large, test"),
        (["--confg=small"], "unrecognized arguments: --confg=small"),
        (["--seed=x"], "--seed"),
        (["--set", "numsteps=3"], "num_steps"),
        (["--set", "batch_size=1000"], "the 1300 tokens of ptb.train.txt cannot fill batch_size 1000 x num_steps 2"),
        (["--set", "batch_size=200"], "the 500 tokens of ptb.valid.txt cannot fill"),
        (["--vocab_size=-1"], "vocab_size"),
        (["--vocab_size=5"], "--vocab_size=0"),
        (["--vocab_size=1_00"], "--vocab_size: '1_00' is not an integer"),
        (["--data_path=nowhere"], "--data_path=nowhere is not a folder"),
        (["--save_path=file"], "--save_path=file"),
        (["--save_path=file/deeper"], "--save_path=file/deeper"),
        (["--rnn_mode=slow"], "--rnn_mode"),
        (["--data_path="], "--data_path: the path is empty"),
        (["--save_path="], "--save_path: the path is empty"),
        (["--save_path=\udcff"], "--save_path: '\\udcff' is not valid UTF-8"),
        (["--seed=-1"], "--seed: -1 is not in the range"),
        (["--foo\nbar"], "--foo bar"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(small_corpus, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(["--config=test", f"--data_path={small_corpus}", *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.count("\n") == 1 and message in error and error.startswith("ptb_word_lm.py: error: "), error
    assert sorted(tmp_path.rglob("*")) == before


def test_a_script_like_the_tutorials_last_section_runs(small_corpus, tmp_path, run_script):
    (tmp_path / "tutorial.py").write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import reader
from configs import TestConfig
from ptb_word_lm import PTBInput, PTBModel, run_epoch
from tf1 import tf

train_data, valid_data, test_data, _ = reader.ptb_raw_data({small_corpus!r})
config, eval_config = TestConfig(), TestConfig()
eval_config.batch_size = 1
eval_config.num_steps = 1
with tf.Graph().as_default():
    initializer = tf.random_uniform_initializer(-config.init_scale, config.init_scale)
    models = []
    for name, data, settings in (
        ("Train", train_data, config), ("Valid", valid_data, config), ("Test", test_data, eval_config)
    ):
        with tf.name_scope(name):
            with tf.variable_scope("Model", reuse=name != "Train" or None, initializer=initializer):
                input_ = PTBInput(config=settings, data=data, name=name + "Input")
                models.append(PTBModel(is_training=name == "Train", config=settings, input_=input_))
    train, valid, test = models
    sv = tf.train.Supervisor()
    with sv.managed_session() as session:
        train.assign_lr(session, config.learning_rate)
        print("rate", session.run(train.lr))
        perplexities = [run_epoch(session, train, eval_op=train.train_op, verbose=True)]
        perplexities += [run_epoch(session, valid), run_epoch(session, test)]
        print("Perplexities", *perplexities)
"""
    )
    process = run_script("-u", str(tmp_path / "tutorial.py"))
    assert process.returncode == 0, process.stderr
    *_, train, valid, test = process.stdout.splitlines()[-1].split()
    assert float(train) > float(valid) > 1 and float(test) > 1


@pytest.mark.slow
def test_the_graph_stays_below_2_megabytes():
    for config in configs.TestConfig(), configs.LargeConfig():
        with tf.Graph().as_default() as graph:
            data = np.zeros(10_000, np.int32)
            build(config, data, is_training=True)
            build(config, data, reuse=True)
            config.batch_size = config.num_steps = 1
            build(config, data, reuse=True)
            assert graph.as_graph_def().ByteSize() < 2_000_000


@pytest.mark.slow
def test_large_batches_are_added_up_in_one_order():
    """TensorFlow divides 1,024 rows and more among threads; which of two equal words comes first must not matter."""
    config = configs.TestConfig()
    config.batch_size, config.num_steps, config.hidden_size, config.vocab_size = 64, 20, 200, 50
    data = np.random.RandomState(0).randint(50, size=20_000)
    found = set()
    for _ in range(3):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.1, 0.1)):
                model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config, data))
            session.run(tf.global_variables_initializer())
            model.assign_lr(session, 1.0)
            for _ in range(10):
                session.run(model.train_op)
            found.add(b"".join(value.tobytes() for value in session.run(tf.trainable_variables())))
    assert len(found) == 1
