"""`--rnn_mode` and `--precision`: all modes have the same variables, losses and gradients."""

import argparse
import os

import numpy as np
import pytest

import char_gru
import configs
import ptb_word_lm
import rnn_basics
import time_series
from conftest import slow
from tf1 import modes, tf
from tf1.app import UserError


def with_values(config, **values):
    for name, value in values.items():
        setattr(config, name, value)
    return config


def ptb(rnn_mode, precision="fp32"):
    config = with_values(configs.TestConfig(), num_layers=2, num_steps=5, hidden_size=8, keep_prob=0.6, vocab_size=30)
    data = np.random.RandomState(0).randint(0, 30, 1000)
    with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.5, 0.5)):
        model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config, data), rnn_mode, precision)
    return model.cost, {}


def char(rnn_mode, precision="fp32"):
    config = with_values(configs.CharGRUTestConfig(), num_layers=2, keep_prob=0.6, max_length=7)
    with tf.variable_scope("Model"):
        model = char_gru.CharGRU(True, config, 9, rnn_mode, precision)
    random = np.random.RandomState(0)
    feed_dict = {placeholder: random.randint(0, 9, [7, 4]) for placeholder in (model.input_data, model.targets)}
    return model.loss, {**feed_dict, model.initial_state: random.uniform(-1, 1, [2, 4, 16])}


def mnist(name):
    def build(rnn_mode):
        model = rnn_basics.MNISTModel(configs.MNIST_CONFIGS[name]["test"](), name, rnn_mode)
        return model.loss, {model.X: np.random.RandomState(0).rand(6, 28, 28), model.y: np.arange(6)}

    return build


def series(name):
    def build(rnn_mode):
        model = time_series.TimeSeriesModel(configs.TIME_SERIES_CONFIGS[name]["test"](), name, rnn_mode)
        X, y = np.random.RandomState(0).rand(2, 6, 20, 1)
        return model.loss, {model.X: X, model.y: y, model.keep_prob: 0.6 if name == "dropout" else 1.0}

    return build


def loss_and_gradients(build, *mode):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(42)
        loss, feed_dict = build(*mode)
        tvars = tf.trainable_variables()
        gradients = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(loss, tvars)]  # also IndexedSlices
        session.run(tf.global_variables_initializer())
        names = [variable.op.name for variable in tf.global_variables()]
        return names, session.run([loss, *gradients], feed_dict)


MODELS = {
    "ptb": ptb,
    "char": char,
    **{f"mnist {name}": mnist(name) for name in configs.MNIST_CONFIGS},
    **{f"series {name}": series(name) for name in configs.TIME_SERIES_CONFIGS},
}


@pytest.mark.parametrize(
    "model", [name if name in ("ptb", "char", "mnist gru", "series dense") else slow(name) for name in MODELS]
)
def test_fused_is_basic(model):
    (names, expected), (fused_names, found) = (loss_and_gradients(MODELS[model], mode) for mode in ("basic", "fused"))
    assert sorted(names) == sorted(fused_names)
    for ours, theirs in zip(found, expected):
        # fp32, up to 28 steps, sums in another order; dropout's masks are the same.
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.max(np.abs(theirs)))


@pytest.mark.parametrize("model", [ptb, char])
def test_bf16_is_near(model):
    _, (exact, *gradients) = loss_and_gradients(model, "fused")
    _, (rounded, *rounded_gradients) = loss_and_gradients(model, "fused", "bf16")
    assert rounded == pytest.approx(exact, rel=5e-3) and rounded != exact  # 8 bits of mantissa
    for ours, theirs in zip(rounded_gradients, gradients):
        assert np.linalg.norm(ours - theirs) < 0.05 * np.linalg.norm(theirs)


OF_CUDNN = [name for name in MODELS if name != "mnist gru"]  # a GRU that resets before the product is none of cuDNN's


@pytest.mark.parametrize("model", [slow(name) if "series" in name else name for name in OF_CUDNN])
def test_the_cudnn_graphs_build_with_the_same_variables(model):
    with tf.Graph().as_default() as graph:
        MODELS[model]("cudnn")
        names = sorted(variable.op.name for variable in tf.global_variables())
        for name in "CudnnRNNV3", "CudnnRNNBackpropV3":
            layers = [op for op in graph.get_operations() if op.type == name]
            assert layers and all(op.device == "/device:GPU:0" for op in layers)
    assert names == sorted(loss_and_gradients(MODELS[model], "basic")[0])


@pytest.mark.slow
def test_a_run_moves_between_the_modes(corpus, tmp_path, monkeypatch, capsys):
    folder = corpus("a b c d e f \n" * 200, "a b c \n" * 40, "c d e \n" * 40)
    arguments = ["--config=test", f"--data_path={folder}", f"--save_path={tmp_path}/run"]
    basic = ptb_word_lm.main([*arguments, "--rnn_mode=basic"])
    fused = ptb_word_lm.main(arguments)
    assert "is finished" in capsys.readouterr().out
    assert fused["test_perplexity"] == pytest.approx(basic["test_perplexity"], rel=1e-5)
    (tmp_path / "cpuinfo").write_text("flags\t\t: amx_bf16\n")
    monkeypatch.setattr(modes, "_CPU_INFO", str(tmp_path / "cpuinfo"))
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main([*arguments, "--precision=bf16"])
    assert exit_.value.code == 2
    assert "precision fp32, now bf16" in capsys.readouterr().err


def test_what_auto_means(monkeypatch):
    monkeypatch.setattr(tf.test, "is_gpu_available", lambda: False)
    assert [modes.choose_rnn_mode(mode) for mode in ("basic", "fused", "auto")] == ["basic", "fused", "fused"]
    with pytest.raises(UserError, match="--rnn_mode=cudnn needs a GPU"):
        modes.choose_rnn_mode("cudnn")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    with pytest.raises(UserError, match="--rnn_mode=cudnn needs a GPU"):  # one that TensorFlow cannot use
        modes.choose_rnn_mode("cudnn")
    monkeypatch.setattr(tf.test, "is_gpu_available", lambda: True)
    assert [modes.choose_rnn_mode(mode) for mode in ("fused", "auto", "cudnn")] == ["fused", "cudnn", "cudnn"]
    # With --precision=bf16, which cuDNN has not here, auto is the other one.
    monkeypatch.setattr(modes, "has_bf16", lambda: True)
    for precision, expected in ("fp32", "cudnn"), ("bf16", "fused"):
        found, _ = modes.choose_modes(argparse.Namespace(rnn_mode="auto", precision=precision), 1, 10, gates=4)
        assert (found["rnn_mode"], found["precision"]) == (expected, precision)


@pytest.mark.parametrize("rnn_mode, precision", [("basic", "bf16"), ("cudnn", "bf16"), ("fused", "fp16")])
def test_graphs_refuse_a_precision_that_their_mode_has_not(rnn_mode, precision):
    with pytest.raises(UserError, match="--precision=bf16 goes with --rnn_mode=fused|precision 'fp16' is not known"):
        modes.mode_of_graph(rnn_mode, precision)


@pytest.mark.parametrize(
    "flags, has_bf16",
    [
        ("flags\t\t: fpu avx512f avx512_bf16 amx_tile", True),
        ("flags\t\t: fpu amx_bf16 amx_tile", True),
        ("Features\t: fp asimd bf16 i8mm", True),
        ("flags\t\t: fpu avx512f avx512_vnni", False),
        ("model name\t: bf16", False),
        (None, False),
    ],
)
def test_a_cpu_without_bf16_computes_in_fp32(monkeypatch, tmp_path, capsys, flags, has_bf16):
    path = tmp_path / "cpuinfo"
    if flags:
        path.write_text(f"processor\t: 0\n{flags}\nbugs\t\t: spectre\n")
    monkeypatch.setattr(modes, "_CPU_INFO", str(path))
    assert modes.choose_precision("fp32", "basic") == "fp32"
    assert modes.choose_precision("bf16", "fused") == ("bf16" if has_bf16 else "fp32")
    assert ("no bf16 instructions" in capsys.readouterr().out) == (not has_bf16)
    with pytest.raises(UserError, match="--precision=bf16 goes with --rnn_mode=fused, not with basic"):
        modes.choose_precision("bf16", "basic")


@pytest.mark.parametrize(
    "rnn_mode, batch_size, units, cores, groups",
    [
        ("fused", 20, 200, 2, 2),  # PTB small
        ("fused", 20, 200, 8, 2),
        ("fused", 20, 200, 1, 1),
        ("fused", 19, 200, 2, 1),
        ("fused", 20, 650, 2, 1),  # PTB medium, whose matrix is read once for all
        ("fused", 64, 1024, 2, 2),  # the character GRU, which has rows enough
        ("fused", 63, 1024, 2, 1),
        ("basic", 20, 200, 2, 1),
        ("fused", 150, 150, 4, 4),
    ],
)
def test_groups_of_rows(monkeypatch, rnn_mode, batch_size, units, cores, groups):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    found, config = modes.choose_groups(rnn_mode, batch_size, units, gates=4)
    assert found == groups
    threads = config.inter_op_parallelism_threads, config.intra_op_parallelism_threads
    assert threads == ((groups, cores // groups) if groups > 1 else (0, 0))


def test_modes_of_the_basics(capsys):
    with pytest.raises(SystemExit) as exit_:
        rnn_basics.main(["--section=static", "--rnn_mode=fused"])
    assert exit_.value.code == 2
    assert "--rnn_mode goes with --section=mnist" in capsys.readouterr().err
