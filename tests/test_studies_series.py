"""The study of the held-out third: what it says is what its numbers show."""

import os

import numpy as np
import pytest

from studies import held_out


@pytest.mark.slow
def test_what_was_trained_on_is_predicted_better(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = held_out.main([])
    # The digits of the docstring, which the order of additions on other machines may change.
    assert result["train_mse"] == pytest.approx(0.00167, rel=0.5)
    assert result["held_out_mse"] == pytest.approx(0.00834, rel=0.5)
    assert result["whole_range_mse"] == pytest.approx((0.00172, 0.00382), rel=0.5)
    assert result["whole_range_mse"][1] < result["held_out_mse"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[-2:] == [f"{result[name]:.5f}" for name in ("train_mse", "held_out_mse")]
    assert os.listdir("plots") == ["time_series_held_out.png"]


@pytest.mark.slow
def test_the_whole_range_is_more_than_the_first_part(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = (held_out.main(["--config=test", f"--seed={seed}"]) for seed in (1, 2))
    for result in (first, second):
        numbers = result["train_mse"], result["held_out_mse"], *result["whole_range_mse"]
        assert len(set(numbers)) == 4 and np.all(np.isfinite(numbers))
    assert first != second


def test_windows_that_are_longer_than_the_first_part(capsys):
    with pytest.raises(SystemExit) as exit_:
        held_out.main(["--set", "n_steps=200"])
    assert exit_.value.code == 2 and "n_steps=200: the series has 200 values before t = 20" in capsys.readouterr().err
