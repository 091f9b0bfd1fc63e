"""The benchmarks run; how fast, no test says."""

import json
import re

import pytest

import ptb_word_lm
import reader
from benchmarks import ptb_reading
from benchmarks.__main__ import TASKS, TOLERANCE_WITH_DROPOUT, WITH_DROPOUT
from conftest import ROOT, slow


@pytest.fixture
def run_module(run_script):
    environment = {"PYTHONPATH": str(ROOT)}
    return lambda module, *arguments, **options: run_script("-m", module, *arguments, env=environment, **options)


def test_ptb_reading(monkeypatch, capsys):
    monkeypatch.setattr(reader, "_MAP_BYTES", 0)
    ptb_reading.main(["--tokens=250000"])
    encoded, mapped = [line for line in capsys.readouterr().out.splitlines() if "tokens in" in line]
    assert encoded.startswith("encoded: 1,250,000 tokens in ")
    assert mapped.startswith("mapped from the cache: 1,250,000 tokens in ")


@pytest.mark.slow
def test_ptb_evaluation(run_module, corpus, tmp_path):
    folder = corpus("a b c d e f \n" * 100, "a b c \n" * 120, "a b c d \n" * 120)
    # The small model's shape, hardly trained.
    ptb_word_lm.main([f"--data_path={folder}", f"--save_path={tmp_path}/run", "--set", "max_max_epoch=1"])
    process = run_module("benchmarks.ptb_evaluation", f"--data_path={folder}", f"--save_path={tmp_path}/run")
    assert (process.returncode, process.stderr) == (0, "")
    evaluate, tutorials = (float(line.split()[-4]) for line in process.stdout.splitlines()[:2])
    assert evaluate == pytest.approx(tutorials, rel=5e-6)


def test_ptb_evaluation_without_a_model(run_module, corpus, tmp_path):
    process = run_module("benchmarks.ptb_evaluation", f"--data_path={corpus('a b ')}", f"--save_path={tmp_path}")
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1 and "has no checkpoint" in process.stderr


@pytest.mark.slow
def test_series_generation(run_module):
    process = run_module("benchmarks.series_generation", "--values=20")
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["projection", "dense", "dropout"]
    assert all(float(line.split()[-1]) < 1e-5 for line in lines)  # the difference of the values


@pytest.mark.slow
def test_echo_training(run_module):
    process = run_module("benchmarks.echo_training", "--steps=50")
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["manual", "static", "dynamic", "gen_data"]
    assert all(float(line.split()[-1]) < 1e-4 for line in lines[:3])  # the difference of the losses


@pytest.mark.slow
def test_generation(run_module):
    process = run_module("benchmarks.generation", "--items=20")
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert [line.partition(" a second: in the graph ")[0] for line in lines] == ["words", "characters"]
    assert all(line.endswith("; the texts are the same") for line in lines)


@pytest.mark.parametrize("task", ["mnist-small", *(slow(task) for task in TASKS if task != "mnist-small")])
def test_ours_and_theirs(task, run_module, tmp_path):
    arguments = [f"--tasks={task}", "--turns=1", "--seconds=0.1", f"--folder={tmp_path}/results"]
    process = run_module("benchmarks", *arguments, timeout=600)
    assert (process.returncode, process.stderr) == (0, "")
    results = json.loads((tmp_path / "results" / "benchmarks.json").read_text())
    assert list(results) == [task] and len(results[task]) >= 2
    losses = {name: side["first_loss"] for name, side in results[task].items() if not name.startswith("products")}
    for name, loss in losses.items():
        rounding = 1e-4 if name.endswith("bf16") else 1e-5
        draws_its_own = task in WITH_DROPOUT and name.startswith(("torch", "compiled"))
        tolerance = TOLERANCE_WITH_DROPOUT if draws_its_own else rounding
        assert loss == pytest.approx(losses["auto-fp32"], rel=tolerance), name
    lines = (tmp_path / "results" / "benchmarks.md").read_text().splitlines()
    name, unit = TASKS[task]
    assert len(lines) == 3 and lines[2].startswith(f"| {name}, {unit} a second | ")
    assert len({line.count("|") for line in lines}) == 1
    assert (tmp_path / "results" / "benchmarks.png").stat().st_size > 1000


def test_unknown_task(run_module):
    process = run_module("benchmarks", "--tasks=ptb")
    assert process.returncode == 2 and process.stderr.count("\n") == 1 and "--tasks has ptb" in process.stderr


@pytest.mark.slow
def test_scoring(run_module):
    process = run_module("benchmarks.scoring", "--sentences=70", "--alone=2")
    assert (process.returncode, process.stderr) == (0, "")
    found = re.fullmatch(r"words a second: side by side .*; the losses differ by at most (\S+)\n", process.stdout)
    assert float(found[1]) < 1e-4
