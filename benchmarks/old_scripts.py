"""What `python -m tf1 --fast` gives three TF 1.x scripts, against `python -m tf1` without it.

    python -m benchmarks.old_scripts

runs each script of benchmarks/old/ in a process of its own, the two ways in turns, and prints the milliseconds of a
training step, medians, and the median ratio.
"""

import os
import statistics
import subprocess
import sys

from tf1 import app

SCRIPTS = {"mnist_rows": 300, "char_rnn": 100, "ptb": 100}  # and how many steps are timed
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.old_scripts", __doc__)
    parser.add_argument("--runs", type=app.positive_int, default=5, help="of each way (default: %(default)s)")
    parser.add_argument("--steps", type=app.positive_int, help="of each run (default: enough for seconds)")
    return parser.parse_args(argv)


def milliseconds(script, steps, *options):
    """Of a training step, by the script's own clock."""
    path = os.path.join(PROJECT, "benchmarks", "old", f"{script}.py")
    command = [sys.executable, "-m", "tf1", *options, path, str(steps)]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return float(process.stdout.split()[0])


@app.command
def main(argv=None):
    args = parse_args(argv)
    results = {}
    for script, steps in SCRIPTS.items():
        pairs = []
        for _ in range(args.runs):
            steps = args.steps or steps
            pairs.append((milliseconds(script, steps), milliseconds(script, steps, "--fast")))
        plain, fast = (statistics.median(side) for side in zip(*pairs))
        ratio = results[script] = statistics.median(plain / fast for plain, fast in pairs)
        print(f"{script}: {plain:.2f} ms a step, with --fast {fast:.2f} ms: {ratio:.2f} times as fast")
    return results


if __name__ == "__main__":
    main()
