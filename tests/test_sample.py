"""The embedded sample: the same bytes everywhere, entropy rates that hold, and sources that are no toys."""

import collections
import hashlib
import math
import os
import struct

import numpy as np
import pytest

import reader
from data import sample

SHA256 = {
    "mnist/t10k-images-idx3-ubyte": "1ee574c2e3b6b366914924a0b7cc435ee1e2cb762a397ba5088bf4043f650120",
    "mnist/t10k-labels-idx1-ubyte": "8cb0fd9cdb2b6dab8047544e12cd071a981c30a7668dd425def6d48c8420bc51",
    "mnist/train-images-idx3-ubyte": "bc339374f590ccddab8285bd80d8e2c36466c184e9744320cd0daae72853c0a6",
    "mnist/train-labels-idx1-ubyte": "51e008dfe615c790eed5415bf6425a5dba4856ce83f925c164872952994561c1",
    "ptb/ptb.test.txt": "590c0da5fb112103f77594479adb9e5989f754a49956ca21813e0c295421b9a0",
    "ptb/ptb.train.txt": "7925cddf3d158c3b9ecf5af8e39a8efb2732bcfbab564557e02371b297b466ed",
    "ptb/ptb.valid.txt": "b06c0a45c4e2d433762faad4c2808db0f76cd89a213a25595c36148da7b34c87",
    "shakespeare/shakespeare.txt": "0a716cf4982c529852ed06aafb965a4cf21051f9758817656e1cb37039f1fd74",
}


@pytest.mark.parametrize("name", sample.WRITERS)
def test_same_bytes_on_every_machine(name):
    folder = sample.folder(name)
    found = {f"{name}/{file}": open(os.path.join(folder, file), "rb").read() for file in os.listdir(folder)}
    expected = {path: digest for path, digest in SHA256.items() if path.startswith(f"{name}/")}
    assert {path: hashlib.sha256(content).hexdigest() for path, content in found.items()} == expected


def nats(source, texts):
    """-log of the probability of each text after the ones before it, followed through the source's states."""
    state, found = source.start, []
    for text in texts:
        alternatives, weights, targets = source._choices[state]
        choice = alternatives.index(text)
        found.append(-math.log(weights[choice] / sum(weights)))
        state = targets[choice]
    return np.array(found)


@pytest.mark.parametrize("make", [sample.word_source, sample.play_source])
def test_entropy_rate_is_the_mean_surprise_of_the_text(make):
    source = make()
    texts = [text for text, _ in zip(source.texts(np.random.RandomState(1)), range(100_000))]
    rate, length = source.entropy_rate()
    surprise = nats(source, texts)
    # Means of 100 blocks, nearly independent; 4 standard errors.
    blocks = surprise.reshape(100, -1).mean(axis=1)
    assert abs(blocks.mean() - rate) < 4 * blocks.std() / 10
    lengths = np.array([len(text) for text in texts]).reshape(100, -1).mean(axis=1)
    assert abs(lengths.mean() - length) < 4 * lengths.std() / 10


def test_entropy_rate_of_a_source_known_by_hand():
    # A fair bit, then with probability 1/2 each an "a" or one of four more letters: (ln 2 + ln 2 + ln 4 / 2) / 2.
    def arcs(state):
        if state == "bit":
            return [(1, (("0", 1), ("1", 1)), "letter")]
        return [(5, (("a", 3),), "bit"), (5, tuple((letter, 7) for letter in "bcde"), "bit")]

    rate, length = sample.Source("bit", arcs).entropy_rate()
    assert rate == pytest.approx(1.5 * math.log(2), abs=1e-12)
    assert length == pytest.approx(1, abs=1e-12)


def test_pieces_of_the_play_can_be_told_apart_by_their_characters():
    # Bits a character hold if the characters determine the pieces: in no state is one piece another's beginning.
    for texts, _, _ in sample.play_source()._choices.values():
        for first, second in zip(sorted(texts), sorted(texts)[1:]):
            assert not second.startswith(first), (first, second)


def test_the_word_corpus_is_no_toy():
    folder = sample.folder("ptb")
    train, _, test, vocabulary = reader.ptb_raw_data(folder)
    assert vocabulary >= 1000
    counts = np.sort(np.bincount(train))[::-1]
    # Zipf's law: log(count) falls about as fast as log(rank) grows.
    ranks = np.arange(10, 1000)
    slope, _ = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)
    assert -1.3 < slope < -0.8
    # Every word of valid and test is in train.
    words = set(reader._read_words(os.path.join(folder, "ptb.train.txt")))
    assert words.issuperset(reader._read_words(os.path.join(folder, "ptb.test.txt")))
    # Counts of two words of context do not see the dependencies across clauses.
    for order in (1, 2, 3):
        assert sample.back_off_perplexity(train, test, vocabulary, order) > 1.2 * sample.word_perplexity()


def test_back_off_probabilities_sum_to_one():
    train = np.random.RandomState(0).randint(0, 6, 200)
    for context in ([0, 1], [5, 5], [6, 3], [6, 7]):  # 6 and 7 are not in train
        total = sum(1 / sample.back_off_perplexity(train, [*context, word], 8) for word in range(8))
        assert total == pytest.approx(1, abs=1e-12)


def test_back_off_by_hand():
    # Of train 0 1 0 2 0 1, order 1. After 0: 1 twice, 2 once; different words before 0: 2 (1 and 2), before 1: 1,
    # before 2: 1; so P(1) = (1 - .75) / 4 + .75 * 3 / 4 / 3 and P(1 | 0) = (2 - .75) / 3 + .75 * 2 / 3 * P(1).
    unigram = 0.25 / 4 + 0.75 * 3 / 4 / 3
    expected = 1.25 / 3 + 0.75 * 2 / 3 * unigram
    assert sample.back_off_perplexity([0, 1, 0, 2, 0, 1], [0, 1], 3, order=1) == pytest.approx(1 / expected)


def test_digits_are_idx_files_that_can_be_told_apart():
    folder = sample.folder("mnist")
    sets = {}
    for split, count in sample.DIGITS.items():
        images = open(os.path.join(folder, f"{split}-images-idx3-ubyte"), "rb").read()
        labels = open(os.path.join(folder, f"{split}-labels-idx1-ubyte"), "rb").read()
        assert struct.unpack(">4I", images[:16]) == (2051, count, 28, 28)
        assert struct.unpack(">2I", labels[:8]) == (2049, count)
        images, labels = np.frombuffer(images[16:], np.uint8), np.frombuffer(labels[8:], np.uint8)
        sets[split] = images.reshape(count, 784) / 255, labels
        assert min(collections.Counter(labels.tolist()).values()) > count / 15
    (train, train_labels), (test, labels) = sets["train"], sets["t10k"]
    means = np.array([train[train_labels == digit].mean(axis=0) for digit in range(10)])
    nearest = np.argmin(((test[:, None] - means) ** 2).sum(axis=2), axis=1)
    assert 0.5 < np.mean(nearest == labels) < 0.95  # neither noise nor ten fixed pictures


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(sample.UserError, match="set XDG_CACHE_HOME"):
        sample.folder("ptb")
