"""What TensorFlow 1.x brought along for its tutorials: MNIST's `input_data` and the PTB `reader`.

Source: tensorflow/examples/tutorials/mnist and tensorflow/models/rnn/ptb of TensorFlow 0.12 and 1.15.
"""

import collections
import os

import numpy as np

import reader
from tf1 import tf
from tf1.app import UserError

Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])


class DataSet:
    """Images and labels, in batches.

    Attributes:
      images: [number, pixels], or [number, rows, columns, 1]; float32 from 0 to 1, or uint8.
      labels: uint8 [number], or one-hot, float64 [number, classes].
      num_examples, epochs_completed: how many there are, and how often all were given.
    """

    def __init__(self, images, labels):
        self.images, self.labels, self.num_examples = images, labels, len(images)
        self.epochs_completed, self._start = 0, 0
        self._order = np.arange(len(images))

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """The next images and labels; a batch at the end of an epoch goes on at the beginning of the next one.

        The order comes from NumPy's global state, `np.random.seed`.
        """
        if shuffle and self.epochs_completed == 0 and self._start == 0:
            self._order = self._order[np.random.permutation(self.num_examples)]
        chosen = self._order[self._start : self._start + batch_size]
        self._start += batch_size
        if self._start > self.num_examples:
            self.epochs_completed += 1
            if shuffle:
                self._order = self._order[np.random.permutation(self.num_examples)]
            self._start = batch_size - len(chosen)
            chosen = np.concatenate([chosen, self._order[: self._start]])
        return self.images[chosen], self.labels[chosen]


def read_data_sets(
    train_dir=None,
    fake_data=False,
    one_hot=False,
    dtype=None,
    reshape=True,
    validation_size=5000,
    seed=None,
    source_url=None,
):
    """MNIST in `train_dir`, where that has its files, else where `reader.find_data` finds it: nothing is downloaded.

    Args:
      one_hot: labels are vectors.
      dtype: tf.float32, from 0 to 1, or tf.uint8, from 0 to 255.
      reshape: images are vectors.
      validation_size: how many of the images to train on validate instead.
      seed: for `np.random.seed`, which decides the order of the batches; None: that of the script stays.
    """
    has_files = train_dir and os.path.isdir(train_dir) and any("ubyte" in name for name in os.listdir(train_dir))
    folder, _ = reader.find_data("mnist", train_dir if has_files else None)
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(folder)
    if not 0 <= validation_size <= len(X_train):
        raise UserError(f"validation_size {validation_size} is not in the range from 0 to {len(X_train)}")

    def data_set(images, labels):
        images = images.reshape(len(images), np.prod(images.shape[1:])) if reshape else images[..., None]
        if dtype is None or tf.as_dtype(dtype) == tf.float32:
            images = images.astype(np.float32) * np.float32(1 / 255)  # TensorFlow's rounding, not that of a division
        labels = labels.astype(np.uint8)
        return DataSet(images, np.eye(10)[labels] if one_hot else labels)

    validation = slice(0, validation_size), slice(validation_size, None)
    held_out, train = (data_set(X_train[rows], y_train[rows]) for rows in validation)
    if seed is not None:
        np.random.seed(seed)
    return Datasets(train, held_out, data_set(X_test, y_test))


def load_dataset(name):
    """`tf.contrib.learn.datasets.load_dataset`, of which MNIST is here."""
    if name != "mnist":
        raise ValueError(f"the data set {name!a} of tf.contrib.learn is not on the shelf: only 'mnist' is")
    return read_data_sets("MNIST-data")


def ptb_iterator(raw_data, batch_size, num_steps):
    """Yields the batches of an epoch: inputs and targets, int32 [batch_size, num_steps], as `ptb_producer` has them."""
    epoch_size = reader.epoch_steps(len(raw_data), batch_size, num_steps)
    rows = np.array(raw_data, np.int32)[: len(raw_data) // batch_size * batch_size].reshape(batch_size, -1)
    for start in range(0, epoch_size * num_steps, num_steps):
        yield rows[:, start : start + num_steps], rows[:, start + 1 : start + num_steps + 1]


INPUT_DATA = {"read_data_sets": read_data_sets, "DataSet": DataSet}
PTB_READER = {
    "ptb_raw_data": reader.ptb_raw_data,
    "ptb_producer": reader.ptb_producer,
    "ptb_iterator": ptb_iterator,
}
# What models of the translation tutorial ask of its data_utils; the files are made by the scripts' own.
TRANSLATE_DATA_UTILS = {"PAD_ID": 0, "GO_ID": 1, "EOS_ID": 2, "UNK_ID": 3}
DATASETS = {"load_dataset": load_dataset}
