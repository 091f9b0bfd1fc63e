"""The model against Keras and in all modes, resuming, bad input."""

import json
import math
import os
import shutil
import signal

import filelock
import numpy as np
import pytest

import char_gru
import configs
import reader
from conftest import slow
from tf1 import checkpoints, rnn, sampling, tf
from tf1.modes import choose_rnn_mode
from tf1.training import Position

SMALL = ["--config=test", "--set", "batch_size=4", "--set", "max_length=10"]
TEXT = "".join(
    f"{number} times {word}, said the {person}.\n"
    for number, (word, person) in enumerate(zip(["yes", "no", "perhaps"] * 40, ["Queen", "king"] * 60))
)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """The current folder, with a text in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT)
    return tmp_path


def make_config(**values):
    config = configs.CharGRUTestConfig()
    for name, value in values.items():
        setattr(config, name, value)
    return config


def build(config, ids=None, vocab_size=9, is_training=False, seed=1):
    """A model, of the batches of `ids`, whose weights, biases too, are random and large enough to matter."""
    sizes = config.batch_size, config.max_length
    input_ = None if ids is None else reader.CharInput(ids, *sizes, "contiguous")
    with tf.variable_scope("Model"):
        model = char_gru.CharGRU(is_training, config, vocab_size, input_=input_)
    random = np.random.RandomState(seed)
    values = [random.uniform(-0.8, 0.8, variable.shape) for variable in tf.trainable_variables()]
    return model, [tf.assign(variable, value) for variable, value in zip(tf.trainable_variables(), values)]


def numbers(save_path):
    """The metrics that are no times, and the weights."""
    lines = [json.loads(line) for line in open(os.path.join(save_path, "metrics.jsonl"))]
    timed = "wall_s", "characters_per_second"
    checkpoint = tf.train.load_checkpoint(str(save_path))
    names = [name for name in checkpoint.get_variable_to_shape_map() if name != "resume/json"]
    return (
        [{key: line[key] for key in line if key not in timed} for line in lines],
        {name: checkpoint.get_tensor(name).tobytes() for name in names},
    )


def test_numbers_of_the_tutorial():
    config = configs.values(configs.CharGRUSmallConfig())
    expected = {"max_length": 100, "embedding_dim": 256, "hidden_units": 1024, "batch_size": 64, "learning_rate": 0.001}
    assert expected.items() <= config.items()
    assert (config["n_epochs"], config["num_layers"], config["keep_prob"], config["num_generate"]) == (20, 1, 1.0, 1000)


def test_the_layout_is_that_of_keras():
    config = make_config()
    inputs = np.random.RandomState(0).normal(size=[7, 3, 5]).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        keras = tf.keras.layers.GRU(
            4, reset_after=True, recurrent_activation="sigmoid", return_sequences=True, bias_initializer="uniform"
        )
        expected = keras(tf.transpose(inputs, [1, 0, 2]))
        cell = rnn.GRUCell(*keras.weights)
        outputs, final_state = tf.nn.dynamic_rnn(cell, tf.constant(inputs), dtype=tf.float32, time_major=True)
        session.run(tf.global_variables_initializer())
        outputs_value, expected_value, final_value = session.run([outputs, expected, final_state])
        np.testing.assert_allclose(outputs_value, expected_value.transpose(1, 0, 2), atol=1e-6)  # rounding
        np.testing.assert_array_equal(final_value, outputs_value[-1])
    with tf.Graph().as_default():
        build(config, vocab_size=9)
        shapes = {variable.op.name: variable.shape.as_list() for variable in tf.trainable_variables()}
    assert shapes == {
        "Model/embedding": [9, 8],
        "Model/gru_0/kernel": [8, 48],
        "Model/gru_0/recurrent_kernel": [16, 48],
        "Model/gru_0/bias": [2, 48],
        "Model/dense/kernel": [16, 9],
        "Model/dense/bias": [9],
    }


def test_the_cudnn_graph():
    config = make_config(num_layers=2, keep_prob=0.5)
    shapes = {}
    for rnn_mode in "basic", "cudnn":
        with tf.Graph().as_default() as graph, tf.variable_scope("Model"):
            model = char_gru.CharGRU(True, config, 9, rnn_mode)
            shapes[rnn_mode] = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
            operations = graph.get_operations()
            gradients = tf.gradients(model.loss, [*tf.trainable_variables(), model.initial_state])
            assert None not in gradients
        if rnn_mode == "cudnn":
            recurrent = [op for op in operations if op.type == "CudnnRNNV3"]
            assert len(recurrent) == 2 and {op.device for op in recurrent} == {"/device:GPU:0"}
            assert {op.get_attr("rnn_mode") for op in recurrent} == {b"gru"}
            backward = [op for op in operations if op.type == "CudnnRNNBackpropV3"]  # of the training operation
            assert [op.device for op in backward] == ["/device:GPU:0"] * 2
            lookup = [op for op in operations if "embedding_lookup" in op.name and "Gather" in op.type]
            assert lookup and {op.device for op in lookup} == {"/device:CPU:0"}
    assert shapes["basic"] == shapes["cudnn"]


def test_cudnn_without_a_gpu_is_one_line(book, capsys):
    if tf.test.is_gpu_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([*SMALL, "--data_path=book.txt", "--rnn_mode=cudnn", "--save_path=run"])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and "--rnn_mode=cudnn needs a GPU" in error
    assert choose_rnn_mode("auto") == "fused"
    assert os.listdir() == ["book.txt"]


def test_a_run_prints_the_tutorials_lines_and_trains_everything(book, monkeypatch, capsys):
    untrained = {}
    run_epoch = char_gru.run_epoch

    def noting(session, *args, **kwargs):
        untrained.update(
            untrained or zip((v.op.name for v in tf.trainable_variables()), session.run(tf.trainable_variables()))
        )
        return run_epoch(session, *args, **kwargs)

    monkeypatch.setattr(char_gru, "run_epoch", noting)
    result = char_gru.main([*SMALL, "--data_path=book.txt", "--save_path=run", "--set", "n_epochs=6"])
    output = capsys.readouterr().out
    split = int(0.9 * len(TEXT))
    batches = (split // 4 - 1) // 10
    distinct = len(set(TEXT))
    assert f"own text, {len(TEXT):,} characters, {distinct} distinct; {split:,} to train on" in output
    assert f"An epoch uses {40 * batches:,} characters, {batches} batches (contiguous) of 4 x 10" in output
    first = float(output.partition("Epoch 1 Batch 0 Loss ")[2].split()[0])
    assert first == pytest.approx(math.log(distinct), abs=0.05)
    assert [line for line in output.splitlines() if line.startswith("Epoch 6 Batch")][0].startswith("Epoch 6 Batch 0 L")
    loss, bits = result["validation_loss"][-1], result["validation_loss"][-1] / math.log(2)
    assert f"Validation loss {loss:.4f} ({bits:.3f} bits)" in output
    assert len(result["train_loss"]) == 6 and result["validation_loss"][-1] < result["validation_loss"][0]
    assert len(result["text"]) == 1001 and result["text"].startswith("Q") and set(result["text"]) <= set(TEXT)
    assert output.count("Sample:\nQ") == 6
    checkpoint = tf.train.load_checkpoint("run")
    assert checkpoint.get_tensor("Model/global_step") == 6 * batches
    for name, value in untrained.items():
        assert np.any(checkpoint.get_tensor(name) != value), name
    assert json.load(open("run/vocabulary.json")) == {"characters": sorted(set(TEXT)), "first": TEXT[0]}
    kept = tf.train.load_checkpoint("run/ckpt-5")  # of the fifth epoch, for good
    assert set(kept.get_variable_to_shape_map()) == set(untrained)
    files = set(os.listdir("run"))
    assert {"char_gru_learning_curve.png", "metrics.jsonl", "checkpoint"} <= files
    assert any(name.startswith("events.out.tfevents") for name in files)
    assert len([name for name in files if name.endswith(".index")]) == 3  # two of the run, one kept


def test_both_ways_to_batch_train(book):
    losses = [
        char_gru.main([*SMALL, "--data_path=book.txt", f"--batching={batching}"])["train_loss"]
        for batching in ("contiguous", "tutorial")
    ]
    assert losses[0] != losses[1] and all(values[-1] < values[0] for values in losses)
    assert os.listdir("plots") == ["char_gru_learning_curve.png"]


def test_the_state_is_carried_from_batch_to_batch():
    config = make_config(batch_size=2, max_length=5, n_epochs=1)
    ids = np.random.RandomState(0).randint(0, 9, 200)
    with tf.Graph().as_default(), tf.Session() as session:
        model, assign = build(config, ids)
        session.run(assign)
        position = Position(costs=0.0, state=model.network.zero_state(2))
        loss = char_gru.run_epoch(session, model, position=position)
        assert char_gru.run_epoch(session, model) == loss
        rows = ids.reshape(2, 100)[:, :96]  # 19 batches of 5, and the last target
        feed_dict = {model.input_data: rows[:, :-1].T, model.targets: rows[:, 1:].T}
        feed_dict[model.initial_state] = model.network.zero_state(2)
        expected, state = session.run([model.loss, model.final_state], feed_dict)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(position.state, state, atol=1e-6)
    assert position.step == model.input.epoch_size == 19


def test_run_epoch_alone_trains_as_the_tutorial_does(capsys):
    config = make_config(batch_size=2, max_length=5)
    ids = np.random.RandomState(0).randint(0, 9, 1100)
    with tf.Graph().as_default(), tf.Session() as session:
        model, assign = build(config, ids, is_training=True)
        session.run(tf.global_variables_initializer())
        session.run(assign)
        before = char_gru.run_epoch(session, model)
        first = char_gru.run_epoch(session, model, eval_op=model.train_op, verbose=True)
        assert char_gru.run_epoch(session, model) < first < before
        assert session.run(tf.train.get_global_step()) == model.input.epoch_size == 109
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(" ")[0] for line in lines[1:]] == ["Epoch 1 Batch 0 Loss", "Epoch 1 Batch 100 Loss"]


def test_the_learning_rate_decays_after_max_epoch(book):
    changes = ["--set", "n_epochs=4", "--set", "max_epoch=2", "--set", "lr_decay=0.5", "--save_path=run"]
    char_gru.main([*SMALL, "--data_path=book.txt", *changes])
    rates = [json.loads(line)["learning_rate"] for line in open("run/metrics.jsonl")]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    config = make_config(learning_rate=0.01, max_epoch=1, lr_decay=0.5, batch_size=2, max_length=5)
    steps = {}
    for epoch in 1, 2:  # Adam's first step changes each weight by the learning rate
        with tf.Graph().as_default(), tf.Session() as session:
            model, assign = build(config, np.arange(12) % 9, is_training=True)
            session.run(tf.global_variables_initializer())
            session.run(assign)
            before = session.run(model.network.softmax_b)
            position = Position(epoch, costs=0.0, state=model.network.zero_state(2))
            char_gru.run_epoch(session, model, model.train_op, position=position)
            steps[epoch] = np.max(np.abs(session.run(model.network.softmax_b) - before))
    assert steps == pytest.approx({1: 0.01, 2: 0.005}, rel=1e-3)


def test_validation_predicts_each_character_once_from_at_least_max_length_before():
    config = make_config(batch_size=4, max_length=7, num_layers=2)
    ids = np.random.RandomState(0).randint(0, 9, 139)
    split = 80  # 59 characters: rows of 15, 15, 15, 14
    with tf.Graph().as_default(), tf.Session() as session:
        model, assign = build(config)
        session.run(assign)
        found = char_gru.evaluate(session, model, ids, split)
        costs = 0.0
        for start, end in (80, 95), (95, 110), (110, 125), (125, 139):
            inputs, targets = (ids[start - 7 - before : end - before, None] for before in (1, 0))
            feed_dict = {model.input_data: inputs, model.targets: targets}
            feed_dict[model.initial_state] = model.network.zero_state(1)
            costs += session.run(model.losses, feed_dict)[7:].sum()
    assert found == pytest.approx(costs / 59, rel=1e-6)


def test_generate_loads_and_does_not_train(book, capsys):
    trained = char_gru.main([*SMALL, "--data_path=book.txt", "--save_path=run", "--seed=3"])
    before = {name: os.stat(f"run/{name}").st_mtime_ns for name in os.listdir("run")}
    os.remove("book.txt")  # the text itself is not needed
    capsys.readouterr()
    result = char_gru.main(["--generate=1000", "--save_path=run", "--seed=3"])
    assert result["text"] == trained["text"]
    assert capsys.readouterr() == (f"{trained['text']}\n", "")
    other = char_gru.main(["--generate=1000", "--save_path=run", "--seed=4"])
    assert other["text"] != trained["text"]
    started = char_gru.main([*SMALL, "--generate=9", "--save_path=run", "--start_string=the king", "--temperature=0"])
    assert started["text"].startswith("the king") and len(started["text"]) == 17
    repeated = char_gru.main(["--generate=9", "--save_path=run", "--start_string=the king", "--top_k=1", "--seed=9"])
    assert repeated["text"] == started["text"]
    assert before == {name: os.stat(f"run/{name}").st_mtime_ns for name in os.listdir("run")}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--generate goes with --save_path"),
        (["--save_path=nowhere"], "--save_path=nowhere holds no checkpoint: train first"),
        (["--save_path=empty"], "--save_path=empty holds no checkpoint: train first"),
        (["--save_path=run", "--config=small"], "config batch_size 4, now 64"),
        (["--save_path=run", "--set", "batch_size=5"], "holds a run with config batch_size 4, now 5: "),
        (["--save_path=run", "--config=huge"], "small, medium, large, test"),
        (["--section=gradients", "--batching=tutorial"], "--section=gradients takes only --seed: leave"),
        (["--save_path=run", "--section=gradients"], "--section=gradients takes only --seed: leave"),
        (["--encoding=rot13", "--save_path=run"], "'rot13' is not a text encoding of Python's"),
        (["--generate=1e3", "--save_path=run"], "--generate: '1e3' is not an integer"),
        (["--save_path=run", "--data_path=nowhere"], "--data_path=nowhere does not exist"),
        (
            ["--save_path=run", "--start_string=Ω and 那"],
            "--start_string has 'Ω', '那', which the network's vocabulary lacks",
        ),
        (["--save_path=run", "--start_string="], "--start_string is empty"),
        (["--save_path=damaged"], "vocabulary.json is damaged"),
        (["--save_path=nested"], "vocabulary.json is damaged"),
        (["--save_path=list"], "vocabulary.json is damaged"),
        (["--save_path=foreign"], "vocabulary.json is damaged"),
        (["--save_path=other"], "vocabulary.json is of another text"),
        (["--save_path=without"], "vocabulary.json cannot be read"),
    ],
)
def test_what_cannot_be_generated(trained_run, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(trained_run)
    with pytest.raises(SystemExit) as exit_:
        char_gru.main(["--generate=5", *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error, error


def test_a_training_beside_it_may_delete_what_is_read(trained_run, monkeypatch):
    monkeypatch.chdir(trained_run)
    expected = char_gru.main(["--generate=5", "--save_path=run"])
    find, calls = checkpoints.find, []

    def find_what_is_gone(save_path, *flag):
        path, saved = find(save_path, *flag)
        calls.append(path)
        return (path if len(calls) > 1 else f"{path}_gone"), saved

    monkeypatch.setattr(checkpoints, "find", find_what_is_gone)
    with filelock.FileLock("run/run.lock"):  # and it has the folder's lock
        assert char_gru.main(["--generate=5", "--save_path=run"]) == expected
    assert len(calls) == 2


def vocabulary(characters, first):
    return json.dumps({"characters": characters, "first": first})


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory):
    """A folder with a trained network in `run`, and with copies whose vocabulary is lost or wrong."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "book.txt").write_text(TEXT)
    char_gru.main([*SMALL, f"--data_path={folder}/book.txt", f"--save_path={folder}/run"])
    for name, content in (
        ("damaged", "[1"),
        ("nested", "[" * 200_000),
        ("list", '["a", "b"]'),
        ("foreign", vocabulary(sorted(set(TEXT)), "Ω")),
        ("other", vocabulary(["a", "b"], "a")),
        ("without", None),
    ):
        shutil.copytree(folder / "run", folder / name)
        (folder / name / "vocabulary.json").unlink()
        if content:
            (folder / name / "vocabulary.json").write_text(content)
    (folder / "empty").mkdir()
    return folder


def test_the_best_weights_count_where_the_config_has_patience(book, capsys):
    # A learning rate that makes the validation loss jump.
    arguments = [*SMALL, "--data_path=book.txt", "--save_path=run", "--set", "patience=2", "--set", "n_epochs=30"]
    arguments += ["--set", "learning_rate=0.2", "--set", "hidden_units=4"]
    result = char_gru.main(arguments)
    output = capsys.readouterr().out
    best = int(np.argmin(result["validation_loss"])) + 1
    assert len(result["validation_loss"]) == best + 2 < 30
    assert f"The best weights are those of epoch {best}: {min(result['validation_loss']):.4f}" in output
    assert char_gru.main(["--generate=1000", "--save_path=run"])["text"] == result["text"]
    checkpoint = tf.train.load_checkpoint("run")
    assert np.any(checkpoint.get_tensor("best/Model/embedding") != checkpoint.get_tensor("Model/embedding"))
    capsys.readouterr()
    again = char_gru.main(arguments)
    assert again == result
    assert f"finished; its last lines again:\nEpoch {best + 2} Loss" in capsys.readouterr().out


@pytest.mark.parametrize("batching", [slow("contiguous"), slow("tutorial")])
def test_a_stopped_run_goes_on_to_the_same_weights(book, monkeypatch, capsys, batching):
    arguments = [*SMALL, "--data_path=book.txt", f"--batching={batching}", "--set", "keep_prob=0.7"]
    arguments += ["--set", "num_layers=2", "--set", "patience=5"]
    expected = char_gru.main([*arguments, "--save_path=whole"])
    run_epoch, evaluate = char_gru.run_epoch, char_gru.evaluate
    stopped = []

    def stop_in_training(*args):
        def stopping(steps):
            for count, step in enumerate(steps):
                if count == 29:
                    os.kill(os.getpid(), signal.SIGINT)
                yield step

        *args, steps = args
        return run_epoch(*args, stopping(steps))

    def stop_in_validation(*args):
        if not stopped.count("validation"):
            stopped.append("validation")
            os.kill(os.getpid(), signal.SIGTERM)
        return evaluate(*args)

    monkeypatch.setattr(char_gru, "run_epoch", stop_in_training)
    monkeypatch.setattr(char_gru, "evaluate", stop_in_validation)
    for status in 130, 130, 143:
        with pytest.raises(SystemExit) as exit_:
            char_gru.main([*arguments, "--save_path=parts"])
        assert exit_.value.code == status
    monkeypatch.undo()
    os.chdir(book)
    capsys.readouterr()
    assert char_gru.main([*arguments, "--save_path=parts"]) == expected
    assert "Going on from parts/model-" in capsys.readouterr().out
    assert numbers("parts") == numbers("whole")


@pytest.mark.slow
def test_a_checkpoint_of_another_run_is_refused(book, capsys):
    arguments = [*SMALL, "--data_path=book.txt", "--save_path=run", "--set", "n_epochs=1"]
    char_gru.main(arguments)
    (book / "other.txt").write_text(TEXT.replace("times", "Times"))
    for change, message in [
        (["--batching=tutorial"], "batching contiguous, now tutorial"),
        (["--train_part=0.8"], "train_part 0.9, now 0.8"),
        (["--seed=7"], "seed 42, now 7"),
        (["--data_path=other.txt"], "vocabulary"),
        (["--set", "learning_rate=0.5"], "config learning_rate 0.01, now 0.5"),
    ]:
        with pytest.raises(SystemExit) as exit_:
            char_gru.main(arguments + change)
        error = capsys.readouterr().err
        assert exit_.value.code == 2 and error.count("\n") == 1 and message in error, error


@pytest.mark.parametrize(
    "text", ["那是最美好的时代,那是最糟糕的时代;\n" * 60, slow("Größe und Маленький 😀 שלום\n" * 60)]
)
def test_a_text_in_any_language(book, text):
    text *= 60
    (book / "book.txt").write_text(text, encoding="utf-8-sig")
    result = char_gru.main([*SMALL, "--data_path=book.txt", "--save_path=run", "--set", "num_generate=60"])
    assert result["text"].startswith(text[0]) and len(result["text"]) == 61
    assert json.load(open("run/vocabulary.json")) == {"characters": sorted(set(text)), "first": text[0]}
    assert result["train_loss"][-1] < result["train_loss"][0]


def test_a_terminal_without_the_letters(book, run_script):
    (book / "book.txt").write_text("那是最美好的时代\n" * 60, encoding="utf-8")
    arguments = [*SMALL, "--data_path=book.txt", "--set", "n_epochs=1"]
    process = run_script("char_gru.py", *arguments, env={"PYTHONIOENCODING": "ascii"})
    assert (process.returncode, process.stderr) == (0, "")
    assert "\\u90a3" in process.stdout


@pytest.mark.parametrize(
    "content, arguments, message",
    [
        (b"", [], "book.txt has nothing in it"),
        (b"\xef\xbb\xbf", [], "book.txt has nothing in it"),
        (b"aaaa" * 900, [], "book.txt has nothing but 'a'"),
        (b"ab" * 20, [], "36 characters to train on cannot fill batch_size 4 x max_length 10, which takes 44"),
        (b"a" * 9000 + "größe ".encode("latin-1") * 90, [], "book.txt is not UTF-8 text (byte 9002): convert"),
        (b"\xef\xbb\xbf" + "größe ".encode("latin-1") * 90, [], "book.txt is not UTF-8 text (byte 5): convert"),
        (b"ab", ["--set", "batch_size=1", "--set", "max_length=1"], "which takes 2: take more text"),
        (
            b"ab" * 21,
            ["--batching=tutorial"],
            "37 characters to train on cannot fill batch_size 4 x max_length 10, which takes 41",
        ),
        (b"a\0b" * 90, [], "book.txt has a NUL character"),
        (b"\x1f\x8b\x08\0" * 90, [], "book.txt is not UTF-8 text"),
        (TEXT.encode(), ["--start_string=Qx Ω"], "--start_string has 'x', 'Ω', which the network's vocabulary lacks"),
        (TEXT.encode(), ["--start_string="], "--start_string is empty"),
        (TEXT.encode(), ["--data_path=nowhere.txt"], "--data_path=nowhere.txt is not a file"),
        (TEXT.encode(), ["--data_path=folder"], "folder has no shakespeare.txt"),
        (TEXT.encode(), ["--data_path=/dev/zero"], "--data_path=/dev/zero is not a file"),
        (TEXT.encode(), ["--generate=0"], "--generate: 0 is not in the range"),
        (TEXT.encode(), ["--generate=x"], "--generate"),
        (TEXT.encode(), ["--train_part=0"], "--train_part: 0 is not above 0 and at most 1"),
        (TEXT.encode(), ["--train_part=1.01"], "--train_part: 1.01 is not above 0"),
        (TEXT.encode(), ["--train_part=nan"], "--train_part: nan is not above 0"),
        (TEXT.encode(), ["--train_part=1e-9"], "0 characters to train on cannot fill batch_size 4"),
        (TEXT.encode(), ["--train_part=1", "--set", "patience=3"], "nothing to validate, and patience needs that"),
        (TEXT.encode(), ["--temperature=-1"], "--temperature: -1 is neither 0 nor in the range"),
        (TEXT.encode(), ["--temperature=nan"], "--temperature: nan is neither 0"),
        (TEXT.encode(), ["--top_k=0"], "--top_k: 0 is not in the range"),
        (TEXT.encode(), ["--batching=random"], "--batching"),
        (TEXT.encode(), ["--section=bptt"], "--section"),
        (TEXT.encode(), ["--section=gradients", "--set", "foo=1"], "--set foo=1: "),
        (TEXT.encode(), ["--section=gradients", "--set", "batch_size=0"], "batch_size must be at least 1"),
        (TEXT.encode(), ["--config=huge"], "small, medium, large, test"),
        (TEXT.encode(), ["--set", "keep_prob=2"], "at most 1"),
        (TEXT.encode(), ["--save_path=book.txt"], "--save_path=book.txt cannot be a folder"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(book, capsys, content, arguments, message):
    (book / "book.txt").write_bytes(content)
    (book / "folder").mkdir()
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([*SMALL, "--data_path=book.txt", "--save_path=run", *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert error.count("\n") == 1 and message in error and error.startswith("char_gru.py: error: "), error
    assert sorted(os.listdir()) == ["book.txt", "folder"]


@pytest.mark.parametrize(
    "length, place", [(3000, "in epoch 1 at step 1 of 67"), (60, "in the validation after epoch 1")]
)
def test_divergence_ends_with_status_1(book, capsys, length, place):
    (book / "book.txt").write_text(TEXT[:length])  # 60: an epoch has one batch
    arguments = ["--data_path=book.txt", "--save_path=run", "--set", "learning_rate=1e37", "--start_string=0"]
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([*SMALL, *arguments])
    error = capsys.readouterr().err
    assert exit_.value.code == 1 and error.count("\n") == 1 and "the loss became" in error and place in error, error
    assert not [name for name in os.listdir("run") if name.startswith("model")]


@pytest.mark.slow
def test_a_stop_in_the_last_text(book, monkeypatch, capsys):
    arguments = [*SMALL, "--data_path=book.txt", "--save_path=run"]
    ids = sampling.Sampler.ids

    def stopping(self, session, start, count, seed):
        if count == 1000:
            os.kill(os.getpid(), signal.SIGINT)
        return ids(self, session, start, count, seed)

    monkeypatch.setattr(sampling.Sampler, "ids", stopping)
    with pytest.raises(SystemExit) as exit_:
        char_gru.main(arguments)
    assert exit_.value.code == 130
    assert capsys.readouterr().out.endswith("\nStopped after the last step: saved in run\n")
    monkeypatch.setattr(sampling.Sampler, "ids", ids)
    os.remove("run/metrics.jsonl")  # as if the run had been killed after its last checkpoint
    char_gru.main(arguments)
    assert "is finished" in capsys.readouterr().out
    assert [json.loads(line)["epoch"] for line in open("run/metrics.jsonl")] == [1, 2]


@pytest.mark.slow
def test_a_checkpoint_moves_between_the_modes(book):
    char_gru.main([*SMALL, "--data_path=book.txt", "--save_path=run"])
    vocab_size, config = len(set(TEXT)), make_config(batch_size=4, max_length=10)
    path, placement = tf.train.latest_checkpoint("run"), tf.ConfigProto()
    placement.graph_options.place_pruned_graph = True  # else ops are placed that do not run, and that need a GPU
    values = []
    for rnn_mode in "basic", "cudnn", "basic":
        with tf.Graph().as_default(), tf.variable_scope("Model"), tf.Session(config=placement) as session:
            char_gru.CharGRU(True, config, vocab_size, rnn_mode)
            saver = tf.train.Saver()  # of the optimizer's variables too
            saver.restore(session, path)
            values.append(session.run({variable.op.name: variable for variable in tf.global_variables()}))
            path = saver.save(session, f"{rnn_mode}-{len(values)}")
    assert values[0].keys() == values[1].keys() == values[2].keys()
    for name in values[0]:
        np.testing.assert_array_equal(values[0][name], values[1][name])
        np.testing.assert_array_equal(values[0][name], values[2][name])


@pytest.mark.slow
def test_the_sample_says_what_a_perfect_model_reaches(book, monkeypatch, capsys):
    monkeypatch.setenv("RNN_DATA_DIR", str(book / "folder"))
    (book / "folder").mkdir()
    result = char_gru.main(["--config=test", "--set", "n_epochs=1"])
    output = capsys.readouterr().out
    assert "this is the embedded sample, not the real set" in output and "Text: the embedded sample" in output
    assert f"On this text a perfect model would reach {result['perfect_bits'] * math.log(2):.4f}" in output
    assert result["perfect_bits"] * math.log(2) < result["validation_loss"][0] < 3.5


def test_gradients_of_the_introduction(capsys):
    result = char_gru.main(["--section=gradients"])
    assert result["tape_gradient"].tolist() == result["graph_gradient"].tolist() == [[2.0]]
    assert [float(gradient) for gradient in result["gradients"]] == [12.0, 9.0]
    value, gradients = result["value_and_gradients"]
    assert (float(value), *map(float, gradients)) == (18.0, 12.0, 9.0)
    assert result["py_function"] == pytest.approx(math.log(2)) and result["py_function_gradient"] == 0.5
    assert result["executing_eagerly"] and result["embedding_difference"] == 0
    np.testing.assert_array_equal(result["embedding_lookup"], result["one_hot_product"])
    assert "difference at most 0.0" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_text_without_validation(book, monkeypatch, capsys):
    arguments = [*SMALL, "--data_path=book.txt", "--train_part=1", "--set", "n_epochs=3"]
    expected = char_gru.main([*arguments, "--save_path=whole"])
    output = capsys.readouterr().out
    batches = (len(TEXT) // 4 - 1) // 10
    assert f"{len(TEXT):,} to train on, 0 to validate" in output and f", {batches} batches (contiguous)" in output
    assert set(expected) == {"train_loss", "text"} and len(expected["train_loss"]) == 3
    assert f"Epoch 3 Loss {expected['train_loss'][-1]:.4f} (" in output and "alidation" not in output
    assert all("validation_loss" not in json.loads(line) for line in open("whole/metrics.jsonl"))
    run_epoch = char_gru.run_epoch

    def stopping(*args):
        if args[4].epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return run_epoch(*args)

    monkeypatch.setattr(char_gru, "run_epoch", stopping)
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([*arguments, "--save_path=parts"])
    assert exit_.value.code == 130 and "Stopped in epoch 2 at step 1 of" in capsys.readouterr().out
    monkeypatch.setattr(char_gru, "run_epoch", run_epoch)
    assert char_gru.main([*arguments, "--save_path=parts"]) == expected
    assert numbers("parts") == numbers("whole")
    assert char_gru.main(["--generate=1000", "--save_path=parts"])["text"] == expected["text"]
    assert char_gru.main([*arguments, "--save_path=parts"]) == expected  # it is finished


@pytest.mark.slow
def test_shakespeare(real_shakespeare, book, capsys):
    arguments = ["--config=test", f"--data_path={real_shakespeare}", "--set", "n_epochs=1", "--set", "num_generate=9"]
    arguments += ["--set", "max_length=100"]
    result = char_gru.main(arguments)
    output = capsys.readouterr().out
    assert "Text: Shakespeare, 1,115,394 characters, 65 distinct; 1,003,854 to train on, 111,540 to validate" in output
    assert "An epoch uses 998,400 characters, 156 batches (contiguous) of 64 x 100; 5,454 are left over" in output
    assert "Epoch 1 Batch 0 Loss 4.17" in output and "Epoch 1 Batch 100 Loss" in output
    assert 2 < result["validation_loss"][0] < 2.7


def test_the_tutorials_batches(real_shakespeare):
    text = reader.Text(str(real_shakespeare), char_gru.parse_args(["--train_part=1"]).train_part)
    config = configs.CharGRUSmallConfig()
    input_ = reader.CharInput(text.ids[: text.split], config.batch_size, config.max_length, "tutorial")
    assert input_.epoch_size == len(list(input_.batches(Position()))) == 174
