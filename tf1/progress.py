"""A progress bar on a terminal and in a notebook, plain lines in a file."""

import sys
import weakref

from tqdm import tqdm

from tf1.app import is_notebook

_bars = weakref.WeakSet()


def bar(total, start=0):
    """A bar of `total` steps, `start` of which are done, gone when its block ends.

    with bar(total) as steps:
        ... steps.update() ...

    It is shown where stderr is a terminal; in a notebook as text among the lines of stdout, which stay one output so.
    """
    options = {"disable": sys.stderr is None or None}  # None: where stderr is no terminal
    if is_notebook(sys.stdout):
        # A saved notebook keeps each state of the bar. Its width would be that of the terminal Jupyter runs in.
        options = {"file": sys.stdout, "mininterval": 1, "ncols": 80}
    steps = tqdm(initial=start, total=total, unit="step", leave=False, **options)
    _bars.add(steps)
    return steps


def end_bars():
    """Ends those whose loop was left by an exception: its traceback keeps them, in a notebook for long."""
    for steps in list(_bars):
        steps.close()


def watched(iterable):
    """Yields from `iterable`, which has a length, under a bar."""
    with bar(len(iterable)) as steps:
        for item in iterable:
            yield item
            steps.update()


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
