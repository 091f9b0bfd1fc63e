"""Speed: ours, the tutorial's own graph on the same TensorFlow, and PyTorch, doing the same work.

    python -m benchmarks

Each side is a process of its own, which starts from the same weights and sees the same data. They take turns, several
times, and are idle in between; the ratios are medians over the turns. PyTorch is eager, or compiled where that is
faster. The share of the bare products is what the matrix products of our step take when they run back to back in one
session. It prints a table, and writes it with all numbers to results/benchmarks.md and .json, and a picture of the
ratios. PyTorch comes with `pip install -r requirements-bench.txt`; without it its columns are empty.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys

import numpy as np

from tf1 import app, modes, plots
from tf1.app import UserError

# By task: its name, and what a step works through.
TASKS = {
    "ptb-small": ("PTB small", "words"),
    "ptb-medium": ("PTB medium", "words"),
    "ptb-large": ("PTB large", "words"),
    "evaluation-small": ("PTB small, the test set", "words"),
    "char-small": ("character GRU small", "characters"),
    "generation-small": ("character GRU small, writing", "characters"),
    "mnist-small": ("MNIST basic", "images"),
    "series-small": ("time series", "values"),
    "echo-small": ("binary echo", "steps"),
    "reading-small": ("reading PTB", "tokens"),
}
# Where torch.compile was seen to be faster than eager PyTorch: both take turns there, and the faster one counts.
COMPILED = ("ptb",)
# A first loss may be off by that part: bf16 rounds. With dropout each side draws masks of its own.
LOSS_TOLERANCE, TOLERANCE_WITH_DROPOUT = 1e-4, 0.02
WITH_DROPOUT = ("ptb-medium", "ptb-large")


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks", __doc__)
    parser.add_argument("--tasks", default=",".join(TASKS), help="of the table's rows (default: %(default)s)")
    parser.add_argument("--turns", type=app.positive_int, default=5, help="of each side (default: %(default)s)")
    parser.add_argument("--seconds", type=app.number, default=3.0, help="of a turn, about (default: %(default)s)")
    files = "for benchmarks.md, .json and .png (default: %(default)s)"
    parser.add_argument("--folder", type=app.path, default="results", help=files)
    return parser.parse_args(argv)


def sides_of(task, with_torch):
    """The sides of a task; ours first, the tutorial's second."""
    kind = task.split("-")[0]
    precisions = ("fp32", "bf16") if kind in ("ptb", "char") and modes.has_bf16() else ("fp32",)
    sides = ["auto-fp32", "keras" if kind in ("char", "generation") else "basic-fp32"]
    sides += [f"auto-{precision}" for precision in precisions[1:]]
    if with_torch and kind != "reading":
        ways = ("torch", "compiled") if kind in COMPILED else ("torch",)
        sides += [f"{way}-{precision}" for way in ways for precision in precisions]
    return sides + (["products-fp32"] if kind == "ptb" else [])


def torch_of(results, precision):
    """The faster of the PyTorch sides."""
    sides = [side for side in (f"torch-{precision}", f"compiled-{precision}") if side in results]
    return max(sides, key=lambda side: np.median(results[side]["rates"]), default=None)


class Side:
    """A process of `benchmarks.sides`; a context manager."""

    def __init__(self, task, side):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        command = [sys.executable, "-m", "benchmarks.sides", task, side]
        self.name = side
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self):
        self._read()
        return self

    def __exit__(self, *exc_info):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.stderr.close()
        self._process.wait()

    def run(self, steps):
        """A dict of the `seconds` that `steps` steps took, their `units` and `losses`, and the `peak` of the memory."""
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            last = self._process.stderr.read().strip().splitlines()[-1:]
            raise UserError(f"the process of {self.name} ended: {' '.join(last)}", 1)
        return json.loads(line)


def measure(task, turns, seconds, with_torch):
    """Lets the sides of a task take turns; returns for each a dict of `rates` by turn, `first_loss` and `peak`."""
    results = {}
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(Side(task, name)) for name in sides_of(task, with_torch)]
        steps = {}
        for side in sides:
            first_loss = side.run(1)["losses"][0]
            side.run(2)  # what is made or compiled in the first steps
            steps[side] = max(1, round(seconds / (side.run(2)["seconds"] / 2)))
            results[side.name] = {"rates": [], "first_loss": first_loss}
        for _ in range(turns):
            for side in sides:
                found = side.run(steps[side])
                results[side.name]["rates"].append(found["units"] / found["seconds"])
                results[side.name]["peak"] = found["peak"]
    expected = results["auto-fp32"]["first_loss"]
    tolerance = TOLERANCE_WITH_DROPOUT if task in WITH_DROPOUT else LOSS_TOLERANCE
    for name, result in results.items():
        if not name.startswith("products") and abs(result["first_loss"] - expected) > tolerance * expected:
            raise UserError(f"{task}: the first loss of {name} is {result['first_loss']}, ours {expected}", 1)
    return results


def ratio(results, ours, theirs):
    """The median over the turns; None where there is no such side."""
    if ours not in results or theirs not in results:
        return None
    return float(np.median(np.divide(results[ours]["rates"], results[theirs]["rates"])))


def tutorials_of(results):
    return "keras" if "keras" in results else "basic-fp32"


def row(task, results):
    """The table's line of a task, in Markdown."""
    name, unit = TASKS[task]
    tutorials, torch = (
        tutorials_of(results),
        {precision: torch_of(results, precision) for precision in ("fp32", "bf16")},
    )

    def pair(values, form):
        return " / ".join(form.format(value) for value in values if value is not None)

    def rates(*sides):
        return pair([np.median(results[side]["rates"]) for side in sides if side in results], "{:,.0f}")

    def ratios(*pairs):
        return pair([ratio(results, *sides) for sides in pairs], "{:.2f}")

    share = ratio(results, "auto-fp32", "products-fp32")
    cells = [
        f"{name}, {unit} a second",
        rates("auto-fp32", "auto-bf16"),
        rates(tutorials),
        ratios(("auto-fp32", tutorials), ("auto-bf16", tutorials)),
        rates(*torch.values()),
        ratios(*((f"auto-{precision}", side) for precision, side in torch.items())),
        f"{share:.0%}" if share else "",
        " / ".join(f"{results[side]['peak'] / 2**20:.0f} MiB" for side in ("auto-fp32", tutorials)),
    ]
    return f"| {' | '.join(cells)} |"


HEAD = [
    "| | ours, fp32 / bf16 | tutorial's graph | ratio, fp32 / bf16 | PyTorch, fp32 / bf16 | ratio, fp32 / bf16 "
    "| share of the bare products | peak memory, ours / tutorial's |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]


@plots.picture
def plot_ratios(all_results, folder):
    """Bars of our speed by task, the tutorial's graph and PyTorch being 1."""
    bars = {"fp32 / tutorial's graph": "fp32", "bf16 / tutorial's graph": "bf16"}
    bars.update({"fp32 / PyTorch fp32": "fp32", "bf16 / PyTorch bf16": "bf16"})
    figure, axes = plots.new_figure()
    for index, (label, precision) in enumerate(bars.items()):
        values = []
        for results in all_results.values():
            theirs = torch_of(results, precision) if "PyTorch" in label else tutorials_of(results)
            values.append(ratio(results, f"auto-{precision}", theirs) or np.nan)
        places = np.arange(len(values)) + 0.2 * (index - 1.5)
        axes.barh(places, values, height=0.2, label=label)
        for place, value in zip(places, values):
            if np.isfinite(value):
                axes.text(value, place, f" {value:.2f}", va="center", fontsize=6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(all_results)), [TASKS[task][0] for task in all_results])
    axes.invert_yaxis()
    axes.set_xlabel("our speed / theirs")
    axes.legend(fontsize=7)
    return plots.save(figure, folder, "benchmarks")


@app.command
def main(argv=None):
    args = parse_args(argv)
    tasks = args.tasks.split(",")
    if unknown := sorted(set(tasks) - set(TASKS)):
        raise UserError(f"--tasks has {', '.join(unknown)}: choose among {', '.join(TASKS)}")
    with_torch = importlib.util.find_spec("torch") is not None
    all_results, lines = {}, list(HEAD)
    print("\n".join(lines))
    for task in tasks:
        all_results[task] = measure(task, args.turns, args.seconds, with_torch)
        lines.append(row(task, all_results[task]))
        print(lines[-1])
    os.makedirs(args.folder, exist_ok=True)
    with open(os.path.join(args.folder, "benchmarks.md"), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    with open(os.path.join(args.folder, "benchmarks.json"), "w", encoding="utf-8") as file:
        json.dump(all_results, file, indent=1)
    plot_ratios(all_results, args.folder)
    return all_results


if __name__ == "__main__":
    main()
