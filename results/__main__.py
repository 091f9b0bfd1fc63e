"""Writes the tables of README and docs from the recorded runs, and a picture of all of them.

    python -m results            # writes each table between its markers, and results/overview.png
    python -m results --check    # writes nothing; status 1 if a table is not what the runs say

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`. The runs are results/*.jsonl, the speeds
results/benchmarks.json and cluster.json (`python -m benchmarks`, `python -m benchmarks.cluster`).
"""

import glob
import json
import os
import re

import numpy as np

from benchmarks import __main__ as benchmarks
from benchmarks import cluster
from binary_echo import final_loss
from char_gru import best_epoch
from ptb_word_lm import PUBLISHED
from results.runs import FOLDER, PTB, RUNS, SEEDS, machines, path_of, records_of
from tf1 import app, plots
from tf1.app import UserError

ROOT = os.path.dirname(FOLDER)
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # minutes


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m results", __doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    return parser.parse_args(argv)


def table(head, rows):
    """Lines of Markdown; the rows are lists of texts."""
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def log_of(name, folder):
    return f"[log]({os.path.relpath(path_of(name, 'log'), folder)})"


def values_of(name, value):
    """The value after each epoch, in their order: metrics of early runs number the epochs from 0, later ones from 1."""
    return [record[value] for record in records_of(name) if value in record]


def minutes_of(name):
    return max(record.get("wall_s", 0.0) for record in records_of(name)) / 60


def time_of(name):
    return f"{minutes_of(name):.0f} min on {machines()[name]}"


def perplexities_of(name):
    """Train, valid and test of a run; None of one that is not recorded, and for the test of one that has not ended."""
    records = records_of(name)
    if not records:
        return None
    last = [record for record in records if "epoch" in record][-1]
    return last["train_perplexity"], last["valid_perplexity"], records[-1].get("test_perplexity")


def published_row(size):
    return [f"published, {size}", *(f"{value:.2f}" for value in PUBLISHED[size]), "", ""]


def ptb_row(label, name, folder):
    *values, test = perplexities_of(name)
    if test is None:
        label += f", stopped after epoch {len(values_of(name, 'valid_perplexity'))}"
    cells = [f"{value:.2f}" if value else "" for value in (*values, test)]
    return [label, *cells, time_of(name), log_of(name, folder)]


def seeds_row(label, name, folder):
    """Mean and standard deviation over the seeds."""
    names = [f"{name}_seed{seed}" for seed in SEEDS]
    values = np.array([perplexities_of(name) for name in names])
    cells = [f"{mean:.2f} ± {spread:.2f}" for mean, spread in zip(values.mean(axis=0), values.std(axis=0, ddof=1))]
    minutes = {}
    for name in names:
        minutes.setdefault(machines()[name], []).append(minutes_of(name))
    times = ", ".join(f"{np.mean(each):.0f} min on {machine}" for machine, each in minutes.items())
    logs = ", ".join(log_of(name, folder) for name in names)
    return [f"{label}, seeds {', '.join(map(str, SEEDS))}", *cells, times, logs]


def ptb(folder):
    """Perplexities on the Penn Treebank: the published ones, and those of all runs that are recorded."""
    rows = [published_row("small")]
    for name in (*PTB, "ptb_small_basic"):
        label = f"`{RUNS[name].partition(' ')[2]}`"
        if perplexities_of(name):
            rows.append(ptb_row(label, name, folder))
        seeds = [perplexities_of(f"{name}_seed{seed}") for seed in SEEDS]
        if all(values and values[-1] for values in seeds):
            rows.append(seeds_row(label, name, folder))
    for size in "medium", "large":
        found = [name for name in RUNS if name.startswith(f"ptb_{size}") and perplexities_of(name)]
        if found:
            rows.append(published_row(size))
        rows += [ptb_row(f"`{RUNS[name].partition(' ')[2]}`", name, folder) for name in found]
    return table(["Penn Treebank", "train", "valid", "test", "time", "log"], rows)


# By run: its network, and what the book's notebook recorded after the epochs numbered 9 and 99.
MNIST = {
    "mnist_basic": ("one layer of 150 tanh units", "", ".9744 (.9803 at 98)"),
    "mnist_multilayer": ("three layers of 100 ReLU units", ".976", ""),
    "mnist_lstm": ("three layers of 150 LSTM units", ".9871", ""),
    "mnist_gru": ("the same of GRUs", "", ""),
    "mnist_gru_100": ("the same, 100 epochs", "", ""),
}


def accuracies_of(name):
    """The test accuracy after each epoch; of a run that was recorded before there were metrics from its log."""
    if records_of(name):
        return values_of(name, "acc_test")
    with open(path_of(name, "log"), encoding="utf-8") as file:
        return [float(accuracy) for accuracy in re.findall(r"^\d+ Train.* Test accuracy: (\S+)$", file.read(), re.M)]


def mnist(folder):
    rows = []
    for name, (network, *recorded) in MNIST.items():
        found = accuracies_of(name)
        cells = [f"{found[epoch]:.4f}".lstrip("0") if epoch < len(found) else "" for epoch in (9, 99)]
        pairs = [recorded[0], cells[0], recorded[1], cells[1]]
        flags = RUNS[name].partition(" --section=mnist")[2].strip() or "--model=basic"
        rows.append([f"`{flags}`", network, *pairs, time_of(name) if records_of(name) else "", log_of(name, folder)])
    head = ["MNIST, test accuracy", "network", "recorded, epoch 9", "here", "recorded, epoch 99", "here", "time", "log"]
    return table(head, rows)


SERIES = {
    "time_series_projection": "11.967254, 0.525841, 0.041784",
    "time_series_dense": "13.907029, 0.505670, 0.043140",
}


def series(folder):
    rows = []
    for name, recorded in SERIES.items():
        found = {record["iteration"]: record["mse"] for record in records_of(name)}
        here = ", ".join(f"{found[iteration]:.6f}" for iteration in (0, 100, 1400))
        rows.append([f"`{RUNS[name]}`", recorded, here, log_of(name, folder)])
    return table(["MSE at iterations 0, 100, 1400", "recorded in the notebook", "here", "log"], rows)


CHARACTERS = {
    "char_gru_small": "the tutorial's: one layer of 1,024 units",
    "char_gru_medium": "two layers of 512 units, dropout",
    "char_gru_large": "two layers of 600 units, dropout in three places",
}


def characters(folder):
    rows = []
    for name, network in CHARACTERS.items():
        if not records_of(name):
            continue
        best = best_epoch(records_of(name))
        loss, epochs = best["validation_loss"], len(records_of(name))
        cells = [f"{best['train_loss']:.4f}", f"{loss:.4f}", f"{loss / np.log(2):.3f}", f"{best['epoch']} of {epochs}"]
        rows.append([f"`{RUNS[name].partition(' ')[2]}`", network, *cells, time_of(name), log_of(name, folder)])
    head = ["Shakespeare", "network", "train, in nats", "validation", "in bits", "epoch", "time", "log"]
    return table(head, rows)


ZAREMBA = "[Zaremba, Sutskever and Vinyals 2014](https://arxiv.org/abs/1409.2329)"
PTB_SOURCE = "https://github.com/tensorflow/models/blob/r1.13.0/tutorials/rnn/ptb/ptb_word_lm.py"
GERON = "https://github.com/ageron/handson-ml/blob/master/14_recurrent_neural_networks.ipynb"
KATARIYA = (
    "https://github.com/tensorflow/tensorflow/blob/r1.11/tensorflow/contrib/eager/python/examples/"
    "generative_examples/text_generation.ipynb"
)
R2RT = "https://r2rt.com/recurrent-neural-networks-in-tensorflow-i.html"
# Script, tutorial, run, what was published, and what to read of the run: its words, and a function of its metrics.
TUTORIALS = (
    (
        "ptb_word_lm.py",
        f"TensorFlow, [*Recurrent Neural Networks*]({PTB_SOURCE}) (2015 to 2018), after {ZAREMBA}",
        "ptb_small",
        "test perplexity 115.91",
        lambda records: f"{records[-1]['test_perplexity']:.2f}",
    ),
    (
        "rnn_basics.py",
        f"Aurélien Géron, *Hands-On Machine Learning* (2017), chapter 14, and [its notebook]({GERON})",
        "mnist_basic",
        "MNIST, accuracy .9744 in the last epoch, .9803 in the one before",
        lambda records: f"{records[-1]['acc_test']:.4f}, {records[-2]['acc_test']:.4f}".replace("0.", "."),
    ),
    (
        "time_series.py",
        "the same",
        "time_series_projection",
        "MSE 0.041784",
        lambda records: f"{records[-1]['mse']:.6f}",
    ),
    (
        "lstm_by_hand.py",
        "烟酒僧, notes on LSTMs for TensorFlow 1.13 (2020, in Chinese)",
        "lstm_by_hand",
        "–",
        lambda records: f"MSE {records[-1]['whole_range_mse']:.5f}",
    ),
    (
        "char_gru.py",
        f"Yash Katariya, [*Text Generation using a RNN*]({KATARIYA}) (2018), retold by 醇岩 (in Chinese)",
        "char_gru_small",
        "–",
        lambda records: "validation loss {validation_loss:.4f}, after epoch {epoch}".format(**best_epoch(records)),
    ),
    (
        "binary_echo.py",
        f"R2RT, [*Recurrent Neural Networks in Tensorflow I*]({R2RT}) (2016), retold by "
        "[Shi Xiaowen](https://www.jianshu.com/p/b38760250281) (in Chinese)",
        "binary_echo_small",
        "loss 0.5192 in theory",
        lambda records: f"loss {final_loss(sum((record['training_losses'] for record in records), [])):.4f}",
    ),
)


def tutorials(folder):
    """The README's first table."""
    rows = []
    for script, tutorial, name, published, here in TUTORIALS:
        minutes = minutes_of(name)
        time = f"{minutes:.0f} min" if minutes >= 1 else f"{60 * minutes:.0f} s"
        link = f"[`{script}`]({os.path.relpath(os.path.join(ROOT, script), folder)})"
        cells = [link, tutorial, f"`{RUNS[name]}`", time, published, here(records_of(name)), log_of(name, folder)]
        rows.append(cells)
    return table(["script", "tutorial", "command", "time", "published", "here", "log"], rows)


def json_of(name):
    with open(path_of(name, "json"), encoding="utf-8") as file:
        return json.load(file)


def speed(folder):
    """The four rows of the README."""
    found = json_of("benchmarks")
    rows = []
    for task in "ptb-small", "char-small", "mnist-small", "echo-small":
        name, unit = benchmarks.TASKS[task]
        results = found[task]
        tutorials, torch = benchmarks.tutorials_of(results), benchmarks.torch_of(results, "fp32")
        ours = f"{np.median(results['auto-fp32']['rates']):,.0f}"
        ratios = [f"{benchmarks.ratio(results, 'auto-fp32', side):.2f}" for side in (tutorials, torch)]
        rows.append([f"{name}, {unit} a second", ours, *ratios])
    return table(["fp32", "here", "times the tutorial's graph", "times PyTorch"], rows)


def all_speeds(folder):
    rows = [benchmarks.row(task, results) for task, results in json_of("benchmarks").items()]
    return "".join(f"{line}\n" for line in [*benchmarks.HEAD, *rows])


def two_workers(folder):
    rows = [cluster.row(size, results) for size, results in json_of("cluster").items()]
    return "".join(f"{line}\n" for line in [*cluster.HEAD, *rows])


def network(folder):
    return "".join(f"{line}\n" for line in cluster.network_rows(json_of("cluster")))


MAKERS = (tutorials, ptb, mnist, series, characters, speed, all_speeds, two_workers, network)
TABLES = {maker.__name__: maker for maker in MAKERS}


def documents():
    return sorted(glob.glob(os.path.join(ROOT, "README*.md")) + glob.glob(os.path.join(ROOT, "docs", "*.md")))


def rendered(path):
    """The document's text as it is, and with the tables that the runs give; links are seen from the document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()

    def replace(match):
        start, name, end = match.groups()
        if name not in TABLES:
            raise UserError(f"{path} has a table {name}: choose among {', '.join(TABLES)}")
        return start + TABLES[name](os.path.dirname(path)) + end

    return text, TABLE.sub(replace, text)


@plots.picture
def plot_overview(folder):
    """Validation perplexity, and loss of the characters, against time; the seeds of a run have one colour."""
    figure, (words, letters) = plots.new_figure(columns=2)
    for axes, prefix, value in ((words, "ptb", "valid_perplexity"), (letters, "char_gru", "validation_loss")):
        colours = {}
        for name in RUNS:
            if name.startswith(prefix) and records_of(name):
                group = name.partition("_seed")[0]
                epochs = [record for record in records_of(name) if value in record]
                colour, label = colours.get(group), None if group in colours else group
                minutes = [record["wall_s"] / 60 for record in epochs]
                (line,) = axes.plot(minutes, [record[value] for record in epochs], color=colour, label=label, lw=1)
                colours[group] = line.get_color()
        axes.set_xscale("log")
        axes.set_xticks(TICKS, map(str, TICKS))
        axes.minorticks_off()
        axes.set_xlim(1)
        axes.set_xlabel("minutes of training")
        axes.legend(fontsize=6)
    for size, values in PUBLISHED.items():
        words.axhline(values[1], color="gray", linestyle=":", linewidth=0.8)
        place = 3 if size == "medium" else -8
        words.annotate(f"published, {size}", (1.1, values[1]), (0, place), textcoords="offset points", fontsize=6)
    words.set_ylim(75, 200)
    words.set_ylabel("validation perplexity, Penn Treebank")
    letters.set_ylabel("validation loss in nats a character, Shakespeare")
    return plots.save(figure, folder, "overview")


@app.command
def main(argv=None):
    args = parse_args(argv)
    other = []
    for path in documents():
        old, new = rendered(path)
        if old == new:
            continue
        other.append(os.path.relpath(path, ROOT))
        if not args.check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
            print(f"Written: {other[-1]}")
    if args.check and other:
        raise UserError(f"tables of {', '.join(other)} are not what the runs say: python -m results writes them", 1)
    if not args.check:
        plot_overview(FOLDER)
    return other


if __name__ == "__main__":
    main()
