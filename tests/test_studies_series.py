"""The study of the held-out third: what it says is what its numbers show."""

import os

import numpy as np
import pytest

from conftest import slow
from studies import held_out


@pytest.mark.parametrize("flags", [["--config=test", "--seed=7"], slow(["--set", "n_seeds=2"])])
def test_both_trainings_are_measured_on_both_parts(flags, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = held_out.main(flags)
    mses = np.array([result["first_part"], result["whole_range"]])
    assert mses.shape == (2, 2, 2) and len(set(mses.flat)) == 8
    # The series has the variances 9 and 39 on the two parts; the test config hardly trains.
    assert np.all(mses < 0.05 if "n_seeds=2" in flags else np.isfinite(mses))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[1:] == [f"{mse:.5f}" for mse in mses[:, 0].flat]
    means = [float(line.split()[-4].rstrip(",")) for line in lines[4:7]]
    held_out_mean, trained_on_mean = mses[:, :, 1].mean(axis=1)
    expected = [held_out_mean, trained_on_mean, held_out_mean - trained_on_mean]
    assert means == pytest.approx(expected, abs=1e-6)
    assert os.listdir("plots") == ["time_series_held_out.png"]


def test_windows_that_are_longer_than_the_first_part(capsys):
    with pytest.raises(SystemExit) as exit_:
        held_out.main(["--set", "n_steps=200"])
    assert exit_.value.code == 2 and "n_steps=200: the series has 200 values before t = 20" in capsys.readouterr().err
