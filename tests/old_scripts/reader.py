"""The reader beside ptb_supervisor_012.py: text by tf.gfile, decoded as if it were bytes."""

import collections
import os

import numpy as np
import tensorflow as tf


def _read_words(filename):
    with tf.gfile.GFile(filename, "r") as f:
        return f.read().decode("utf-8").replace("\n", "<eos>").split()


def read(data_path):
    words = _read_words(os.path.join(data_path, "ptb.train.txt"))
    assert isinstance({}, collections.Mapping)
    ids = {word: i for i, (word, _) in enumerate(collections.Counter(words).most_common())}
    valid = _read_words(os.path.join(data_path, "ptb.valid.txt"))
    return [ids[word] for word in words], [ids[word] for word in valid if word in ids], len(ids)


def batches(raw_data, batch_size, num_steps):
    data = np.array(raw_data, np.int)
    batch_len = len(data) // batch_size
    data = data[: batch_size * batch_len].reshape([batch_size, batch_len])
    for i in range((batch_len - 1) // num_steps):
        yield data[:, i * num_steps : (i + 1) * num_steps], data[:, i * num_steps + 1 : (i + 1) * num_steps + 1]
