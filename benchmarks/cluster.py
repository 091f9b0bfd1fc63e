"""Speed of several workers: the PTB training step of one and of two, with a core and 20 rows each.

    python -m benchmarks.cluster

Beside them does PyTorch the same work with its DistributedDataParallel over gloo. Each side is a group of processes;
the sides take turns, and are idle in between; the ratios are medians over the turns. The bytes are those that the
loopback device counts, beside those that the ring needs on paper. The last table is on paper alone: the network at
which sending takes as long as computing. All of it is written to results/cluster.md and .json. PyTorch comes with
`pip install -r requirements-bench.txt`; without it its columns are empty.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import types

import numpy as np

import configs
from benchmarks import sides
from tf1 import app, launcher
from tf1.app import UserError

ROWS = 20  # of a worker
SIZES = ("small", "medium", "large")
WORKERS = (2, 4, 8, 16, 32, 64)


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.cluster", __doc__)
    parser.add_argument("--sizes", default=",".join(SIZES), help="of the PTB model (default: %(default)s)")
    parser.add_argument("--turns", type=app.positive_int, default=5, help="of each side (default: %(default)s)")
    parser.add_argument("--seconds", type=app.number, default=5.0, help="of a turn, about (default: %(default)s)")
    parser.add_argument("--folder", type=app.path, default="results", help="for cluster.md and .json (%(default)s)")
    return parser.parse_args(argv)


def bytes_on_paper(config, workers):
    """What one worker sends in a step.

    Of each gradient that is added up 2 (N - 1) / N go over each link of the ring, once to be added up and once to be
    passed on; of the embedding's rows, which are put side by side, N - 1 workers' pass each link.
    """
    H, V, layers = config.hidden_size, config.vocab_size, config.num_layers
    added = layers * (2 * H * 4 * H + 4 * H) + H * V + V
    rows = ROWS * config.num_steps * (H + 1)  # with a word's id each
    return 4 * (2 * (workers - 1) / workers * added + (workers - 1) * rows)


class DealtPTB(sides.PTB):
    """`sides.PTB` with the rows of all workers."""

    def __init__(self, size, hosts, task):
        super().__init__(size)
        self.config.batch_size = ROWS * len(hosts)
        self.hosts, self.task = hosts, task
        self.units = self.config.batch_size * self.config.num_steps

    def ours(self):
        import ptb_word_lm
        from tf1 import tf
        from tf1.cluster import Cluster

        config, is_alone = self.config, len(self.hosts) == 1
        flags = types.SimpleNamespace(
            worker_hosts=None if is_alone else self.hosts, task_index=None if is_alone else self.task, peer_timeout=60
        )
        with Cluster(flags, config) as cluster:
            settings, session_config = sides.modes_of("auto", "fp32", ROWS, config.hidden_size, gates=4)
            with tf.variable_scope("Model"):
                input_ = ptb_word_lm.PTBInput(config, self.ids, cluster=cluster)
                model = ptb_word_lm.PTBModel(True, config, input_, **settings)
            target = cluster.meet({}, session_config)
            session = sides.start_session(tf, session_config, self.weights, target)
            yield from self.train_steps(tf, session, model)

    def pytorch(self):
        import torch

        config, (embedding, lstm, softmax) = self.config, self.torch_modules()
        dropout = torch.nn.Dropout(1 - config.keep_prob)

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.lstm, self.softmax = embedding, lstm, softmax

            def forward(self, x, y, state):
                output, state = self.lstm(dropout(self.embedding(x)), state)
                logits = self.softmax(dropout(output)).reshape(-1, config.vocab_size)
                return torch.nn.functional.cross_entropy(logits, y.reshape(-1), reduction="sum") / ROWS, state

        torch.set_num_threads(1)
        model, is_alone = Model(), len(self.hosts) == 1
        if not is_alone:
            address = f"tcp://{self.hosts[0]}"
            torch.distributed.init_process_group("gloo", address, rank=self.task, world_size=len(self.hosts))
            model = torch.nn.parallel.DistributedDataParallel(model)
        parameters = list(model.parameters())
        optimizer = torch.optim.SGD(parameters, lr=config.learning_rate)
        state = tuple(torch.zeros(config.num_layers, ROWS, config.hidden_size) for _ in range(2))
        for x, y in self.torch_batches(range(self.task * ROWS, (self.task + 1) * ROWS)):
            loss, state = model(x, y, state)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            state = tuple(part.detach() for part in state)
            loss = loss.detach()
            if not is_alone:  # ours is the loss of all rows
                torch.distributed.all_reduce(loss)
            yield self.units, loss.item() / len(self.hosts)


def work(size, means, hosts, task):
    """What a worker's process does: reads numbers of steps from stdin, and makes them."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # a worker says who it is
    steps = getattr(DealtPTB(size, hosts.split(","), int(task)), means)()
    sides.take_turns(steps, out)
    os._exit(0)  # the steps have no end


class Group:
    """The processes of a side, each on a core of its own; a context manager."""

    def __init__(self, size, means, workers):
        hosts = ",".join(f"127.0.0.1:{port}" for port in launcher.free_ports(workers))
        self.name, self._processes = f"{means}-{workers}", []
        for task in range(workers):
            command = [sys.executable, "-m", "benchmarks.cluster", "work", size, means, hosts, str(task)]
            self._processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    preexec_fn=lambda task=task: os.sched_setaffinity(0, launcher.cores_of(task, os.cpu_count())),
                )
            )

    def __enter__(self):
        self._read()
        return self

    def __exit__(self, *exc_info):
        for process in self._processes:
            process.kill()
            process.communicate()

    def run(self, steps):
        """A dict of the `seconds` that `steps` steps took, their `units`, `losses`, and the `bytes` that were sent."""
        before = sent_bytes()
        for process in self._processes:
            process.stdin.write(f"{steps}\n")
            process.stdin.flush()
        found = self._read()
        return {**found, "bytes": sent_bytes() - before}

    def _read(self):
        lines = [process.stdout.readline() for process in self._processes]
        if not all(lines):
            raise UserError(f"a process of {self.name} ended", 1)
        return json.loads(lines[0])


def sent_bytes():
    """All that was ever sent over the loopback device."""
    with open("/proc/net/dev", encoding="ascii") as file:
        (line,) = [line for line in file if line.split(":")[0].strip() == "lo"]
    return int(line.split(":")[1].split()[8])


def measure(size, turns, seconds, with_torch):
    """Lets the sides take turns; returns for each its `rates` and `steps` (ms) by turn, and `bytes` of a step."""
    results = {}
    names = [(means, workers) for means in ("ours", "pytorch")[: 1 + with_torch] for workers in (1, 2)]
    with contextlib.ExitStack() as stack:
        groups, counts = [stack.enter_context(Group(size, *name)) for name in names], {}
        for group in groups:
            first_loss = group.run(1)["losses"][0]
            group.run(2)  # what is made in the first steps
            counts[group] = max(2, round(seconds / (group.run(2)["seconds"] / 2)))
            results[group.name] = {"rates": [], "ms": [], "bytes": [], "first_loss": first_loss}
        for _ in range(turns):
            for group in groups:
                found, steps = group.run(counts[group]), counts[group]
                results[group.name]["rates"].append(found["units"] / found["seconds"])
                results[group.name]["ms"].append(1000 * found["seconds"] / steps)
                results[group.name]["bytes"].append(found["bytes"] / steps)
    for workers in (1, 2):
        losses = [results[f"{means}-{workers}"]["first_loss"] for means in ("ours", "pytorch")[: 1 + with_torch]]
        has_dropout = configs.PTB_CONFIGS[size]().keep_prob < 1  # each draws masks of its own
        tolerance = 0.02 if has_dropout else 1e-4
        if max(losses) - min(losses) > tolerance * min(losses):
            raise UserError(f"{size}: the first losses of {workers} workers are {losses}", 1)
    return results


HEAD = [
    "| PTB | ours, ms a step of 1 / 2 workers | words, 2 / 1 | PyTorch, ms | words, 2 / 1 | ours / PyTorch, 2 workers "
    "| MB a step sent, of both | on paper |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]


def row(size, results):
    """The table's line of a size, in Markdown."""

    def times(means):
        values = [results.get(f"{means}-{workers}") for workers in (1, 2)]
        return " / ".join(f"{np.median(value['ms']):.1f}" for value in values if value)

    def ratio(one, other):
        if one not in results or other not in results:
            return ""
        return f"{np.median(np.divide(results[one]['rates'], results[other]['rates'])):.2f}"

    sent = np.median(results["ours-2"]["bytes"]) / 1e6
    paper = 2 * bytes_on_paper(configs.PTB_CONFIGS[size](), 2) / 1e6
    ours, torch = ratio("ours-2", "ours-1"), ratio("pytorch-2", "pytorch-1")
    cells = [size, times("ours"), ours, times("pytorch"), torch, ratio("ours-2", "pytorch-2")]
    return f"| {' | '.join([*cells, f'{sent:.1f}', f'{paper:.1f}'])} |"


def network_rows(all_results):
    """By number of workers: MB that one sends in a step, and the Gbit/s at which that takes as long as the step."""
    yield f"| workers | {' | '.join(f'{size}: MB a step, Gbit/s' for size in all_results)} |"
    yield f"| --- |{' --- |' * len(all_results)}"
    for workers in WORKERS:
        cells = []
        for size, results in all_results.items():
            sent = bytes_on_paper(configs.PTB_CONFIGS[size](), workers)
            rate = 8 * sent / (np.median(results["ours-1"]["ms"]) / 1000) / 1e9
            cells.append(f"{sent / 1e6:.1f}, {rate:.1f}")
        yield f"| {workers} | {' | '.join(cells)} |"


@app.command
def main(argv=None):
    if sys.argv[1:2] == ["work"]:
        return work(*sys.argv[2:])
    args = parse_args(argv)
    sizes = args.sizes.split(",")
    if unknown := sorted(set(sizes) - set(SIZES)):
        raise UserError(f"--sizes has {', '.join(unknown)}: choose among {', '.join(SIZES)}")
    with_torch = importlib.util.find_spec("torch") is not None
    if not launcher.isolate():  # in a network of its own the loopback device counts our bytes alone
        print("The megabytes sent are those of all programs on this machine")
    all_results, lines = {}, list(HEAD)
    print("\n".join(lines))
    for size in sizes:
        all_results[size] = measure(size, args.turns, args.seconds, with_torch)
        lines.append(row(size, all_results[size]))
        print(lines[-1])
    lines += ["", *network_rows(all_results)]
    print("\n".join(lines[len(HEAD) + len(sizes) :]))
    os.makedirs(args.folder, exist_ok=True)
    with open(os.path.join(args.folder, "cluster.md"), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    with open(os.path.join(args.folder, "cluster.json"), "w", encoding="utf-8") as file:
        json.dump(all_results, file, indent=1)
    return all_results


if __name__ == "__main__":
    main()
