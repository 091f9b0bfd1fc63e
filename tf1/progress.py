"""A progress bar on a terminal, plain lines in a file."""

import sys

from tqdm import tqdm


def bar(total, start=0):
    """A bar over the step numbers `start` to `total` - 1, shown where stderr is a terminal, gone when its block ends.

    with bar(total) as steps:
        for step in steps:
    """
    disable = sys.stderr is None or None  # None: where stderr is no terminal
    return tqdm(range(start, total), initial=start, total=total, unit="step", leave=False, disable=disable)


def write(line):
    """Prints a line above the bar."""
    tqdm.write(line, file=sys.stdout)


def report_steps(total):
    """The ten steps of an epoch of `total` steps after which a line is printed; all of them where there are fewer.

    From 110 steps on these are the tutorial's: the 11th step, and every tenth of the epoch from there. Its rule, `step
    % (total // 10) == 10`, divides by zero below 10 steps and is never true from 10 to 109.
    """
    if total >= 110:
        return {10 + tenth * (total // 10) for tenth in range(10)}
    return {tenth * total // 10 for tenth in range(10)}


class Position:
    """Where an epoch stands between two steps.

    Attributes:
      step: how many steps are done.
      costs: the sum of their costs.
      state: the RNN state behind them, as the script keeps it; None: the initial state.
      speed: words or characters a second, of the steps since the epoch or the process began.
    """

    def __init__(self, step=0, costs=0.0, state=None, speed=0.0):
        self.step, self.costs, self.state, self.speed = step, costs, state, speed
