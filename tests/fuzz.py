"""Files that a fuzzer makes up, for all that reads a user's file: each is read, or refused with a `UserError`."""

import gzip
import os
import struct
import time

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import reader
from tf1.app import UserError

_WORDS = b" a b c <unk> d \n" * 40
_IMAGES = struct.pack(">IIII", 0x0803, 3, 28, 28) + bytes(range(256)) * 9 + bytes(48)
_LABELS = struct.pack(">II", 0x0801, 3) + b"\1\2\3"


def read_words(content, folder):
    for split in ("train", "valid", "test"):
        _write(folder, f"ptb.{split}.txt", content if split == "train" else _WORDS)
    *splits, vocabulary = reader.ptb_raw_data(folder)
    assert len(splits) == 3 and all(np.all((0 <= ids) & (ids < vocabulary)) for ids in splits)


def read_characters(content, folder):
    ids, characters = reader.char_raw_data(_write(folder, "book.txt", content))
    assert np.all((0 <= ids) & (ids < len(characters)))


def _read_images(content, folder, broken):
    files = {"images-idx3-ubyte": _IMAGES, "labels-idx1-ubyte": _LABELS}
    paths = [_write(folder, f"{split}-{name}", files[name]) for split in ("train", "t10k") for name in files]
    os.remove(paths[0] if broken.startswith("train-images") else paths[1])
    path = _write(folder, broken, content)
    try:
        X_train, y_train, *_ = reader.mnist_raw_data(folder)
        assert X_train.shape == (len(y_train), 28, 28) and np.all(np.abs(y_train - np.float64(2)) < 1000)
    finally:
        os.remove(path)


def read_images(content, folder):
    _read_images(content, folder, "train-images-idx3-ubyte")


def read_labels(content, folder):
    _read_images(content, folder, "train-labels-idx1-ubyte")


def read_integer_labels(content, folder):
    _read_images(content, folder, "train-labels-idx2-int")


def read_compressed_images(content, folder):
    _read_images(content, folder, "train-images-idx3-ubyte.gz")


def _read_series(content, folder, column=None, encoding=None, missing=None):
    """Also sees that no row is lost: one may be a header, one a spreadsheet's `sep=;`."""
    path = _write(folder, "series.csv", content)
    values = reader.read_series(path, column, encoding, missing)
    assert np.all(np.isfinite(values))
    lines = "".join(reader._pieces(path, encoding)).split("\n")
    assert sum(bool(line.strip(" \t;,").strip()) for line in lines) - 2 <= len(values) <= len(lines)


def read_series(content, folder):
    _read_series(content, folder)


def read_column(content, folder):
    _read_series(content, folder, "price")


def read_decimal_commas(content, folder):
    _read_series(content, folder, "2")


def read_a_table_with_gaps(content, folder):
    _read_series(content, folder, "price", "utf-16-le", "interpolate")


def read_weights(content, folder):
    weights = reader.read_weights(_write(folder, "weight.csv", content), "weight", [2, 3])
    assert np.shape(weights) == (2, 3) and np.all(np.isfinite(weights))


def _write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


# By reader: a file that it takes.
TARGETS = {
    read_words: _WORDS,
    read_characters: "Größe, ab und zu\r\n".encode() * 20,
    read_images: _IMAGES,
    read_labels: _LABELS,
    read_integer_labels: struct.pack(">III6i", 0x0C02, 3, 2, 1, 7, 2, 7, 3, 7),
    read_compressed_images: gzip.compress(_IMAGES),
    read_series: b"1\n2.5\n-3e2\n" * 20,
    read_column: b"day,price\n" + b'1,"2.5"\n2,-3\n3,"1,050.5"\n' * 9,
    read_decimal_commas: b"day;price;\r\n" + b"1;2,5;\r\n2;-3;\r\n3;1.050,5;\r\n" * 9,
    read_a_table_with_gaps: ("sep=\t\nday\tprice\n" + "1\t2.5\n2\t?\n3\t\n4\t1e3\n" * 9).encode("utf-16-le"),
    read_weights: b"1,2,3\n4,5,6\n",
}
_PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"\n",
        b"\r",
        b"\r\n",
        b'"',
        b",",
        b";",
        b"\t",
        b" ",
        b"1,050",
        b"1.050,5",
        b"2019_00",
        b"sep=;",
        b"N/A",
        b"\xff",
        b"\xef\xbb\xbf",
        b"nan",
        b"inf",
        b"1e999",
        b"9" * 400,
    ]
    + [b"\x1f\x8b", "é".encode(), "٣".encode(), "\u2028".encode(), b"<eos>", b"<unk>", b"\xff\xfe", b"\xed\xa0\x80"]
)


@st.composite
def files(draw, whole):
    """Bytes of any kind, or a whole file with some pieces replaced, put in, cut out, or cut off."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 8) | st.integers(0, len(content)))
        content = content[:start] + draw(_PIECES | st.binary(max_size=8)) + content[start + length :]
    return content


def fuzz(read, folder, examples, number):
    """Gives `examples` files to `read`; returns how many it read and refused. What is neither is an error.

    Args:
      number: the seed.
    """
    counts = {"read": 0, "refused": 0}

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(files(TARGETS[read]))
    def attempt(content):
        try:
            read(content, folder)
            counts["read"] += 1
        except UserError as error:
            counts["refused"] += 1
            assert str(error) and "\n" not in str(error)

    attempt()
    return counts


def fuzz_for(seconds, folder, number=1):
    """`fuzz` for all readers in turn until the time is over; returns the counts by name, and the last seed."""
    totals, end = {}, time.monotonic() + seconds
    while time.monotonic() < end:
        for read in TARGETS:
            for kind, count in fuzz(read, folder, 200, number).items():
                totals.setdefault(read.__name__, {"read": 0, "refused": 0})[kind] += count
        number += 1
    return totals, number - 1
