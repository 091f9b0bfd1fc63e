"""How fast a large corpus is read, and in how much memory.

    python -m benchmarks.ptb_reading --tokens=100000000

makes a corpus of that many tokens (10,000 words, frequencies after Zipf) in a temporary folder, and reads it twice: the
first time its tokens are encoded, the second time they are mapped from the cache.
"""

import os
import resource
import tempfile
import time

import numpy as np

import reader
from tf1 import app

LINE, LINES = 24, 10_000  # words of a line, lines that are made at once


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.ptb_reading", __doc__)
    parser.add_argument("--tokens", type=app.positive_int, default=100_000_000, help="of train (default: %(default)s)")
    return parser.parse_args(argv)


def write_corpus(path, tokens, random):
    words = np.array(["<unk>", *(f"w{rank}" for rank in range(9_990))])
    cumulative = np.cumsum(1 / (np.arange(len(words)) + 2.7))
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(0, tokens, (LINE + 1) * LINES):
            numbers = random.random_sample([LINES, LINE]) * cumulative[-1]
            file.writelines(f" {' '.join(line)} \n" for line in words[np.searchsorted(cumulative, numbers)])


@app.command
def main(argv=None):
    args = parse_args(argv)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
        for split, tokens in zip(("train", "valid", "test"), (args.tokens, 500_000, 500_000)):
            write_corpus(os.path.join(folder, f"ptb.{split}.txt"), tokens, np.random.RandomState(tokens % 2**32))
        for run in ("encoded", "mapped from the cache"):
            start = time.perf_counter()
            *splits, _ = reader.ptb_raw_data(folder)
            seconds.append(time.perf_counter() - start)
            tokens = sum(len(ids) for ids in splits)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rate = tokens / seconds[-1] / 1e6
            print(f"{run}: {tokens:,} tokens in {seconds[-1]:.1f} s, {rate:.1f} million a second, {memory:.0f} MiB")
    return {"seconds": seconds}


if __name__ == "__main__":
    main()
