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

    Args:
      images: [number, rows, columns, 1], from 0 to 255; with `reshape` False also others.
      labels: [number] or one-hot, [number, classes].
      fake_data: there are no images, but 10000 examples for `next_batch(fake_data=True)`.
      one_hot: its labels are lists.
      dtype: tf.float32, where the images become floats from 0 to 1, or tf.uint8, where they stay.
      reshape: the images become vectors.
      seed: for `np.random.seed`, which decides the order of the batches. None: that of `tf.set_random_seed`; where
        there is none either, NumPy's stays, which TensorFlow 1.15 replaced by a random one.

    Attributes:
      images: [number, pixels], or as they were; `next_batch` shuffles them, and the labels with them.
      labels: those of `images`.
      num_examples, epochs_completed: how many there are, and how often all were given.
    """

    def __init__(self, images, labels, fake_data=False, one_hot=False, dtype=tf.float32, reshape=True, seed=None):
        of_graph, of_op = tf.get_seed(seed)
        seed = of_graph if seed is None else of_op
        if seed is not None:
            np.random.seed(seed)
        dtype = tf.as_dtype(dtype).base_dtype
        if dtype not in (tf.uint8, tf.float32):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        self.num_examples, self.epochs_completed, self._start = 10000, 0, 0
        if fake_data:
            self.one_hot = one_hot
        else:
            assert len(images) == len(labels), f"images.shape: {images.shape} labels.shape: {labels.shape}"
            self.num_examples = len(images)
            if reshape:
                assert images.shape[3] == 1, f"images.shape: {images.shape} is not [number, rows, columns, 1]"
                images = images.reshape(len(images), images.shape[1] * images.shape[2])
            if dtype == tf.float32:
                images = images.astype(np.float32) * np.float32(1 / 255)  # TensorFlow's rounding, not a division's
        self.images, self.labels = images, labels

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """The next images and labels; a batch at the end of an epoch goes on at the beginning of the next one.

        The order comes from NumPy's global state, `np.random.seed`.
        """
        if fake_data:
            return [[1] * 784] * batch_size, [[1] + [0] * 9 if self.one_hot else 0] * batch_size
        if shuffle and self.epochs_completed == 0 and self._start == 0:
            self._shuffle()
        chosen = slice(self._start, self._start + batch_size)
        images, labels = self.images[chosen], self.labels[chosen]
        self._start += batch_size
        if self._start > self.num_examples:
            self.epochs_completed += 1
            if shuffle:
                self._shuffle()
            self._start = batch_size - len(images)
            images = np.concatenate([images, self.images[: self._start]])
            labels = np.concatenate([labels, self.labels[: self._start]])
        return images, labels

    def _shuffle(self):
        order = np.random.permutation(self.num_examples)
        self.images, self.labels = self.images[order], self.labels[order]


def read_data_sets(
    train_dir=None,
    fake_data=False,
    one_hot=False,
    dtype=tf.float32,
    reshape=True,
    validation_size=5000,
    seed=None,
    source_url=None,
):
    """MNIST in `train_dir`, where that has its files, else where `reader.find_data` finds it: nothing is downloaded.

    Args:
      fake_data: nothing is read, and the sets are those of `DataSet(fake_data=True)`.
      one_hot: labels are vectors, float64 [10].
      dtype, reshape, seed: those of `DataSet`.
      validation_size: how many of the images to train on validate instead.
    """
    if fake_data:
        return Datasets(*(DataSet([], [], True, one_hot, dtype, seed=seed) for _ in range(3)))
    has_files = train_dir and os.path.isdir(train_dir) and any("ubyte" in name for name in os.listdir(train_dir))
    folder, _ = reader.find_data("mnist", train_dir if has_files else None)
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(folder)
    if not 0 <= validation_size <= len(X_train):
        raise UserError(f"validation_size {validation_size} is not in the range from 0 to {len(X_train)}")

    def data_set(images, labels):
        labels = labels.astype(np.uint8)
        return DataSet(images[..., None], np.eye(10)[labels] if one_hot else labels, False, False, dtype, reshape, seed)

    validation = slice(0, validation_size), slice(validation_size, None)
    held_out, train = (data_set(X_train[rows], y_train[rows]) for rows in validation)
    return Datasets(train, held_out, data_set(X_test, y_test))


def load_dataset(name, size="small", test_with_fake_data=False):
    """`tf.contrib.learn.datasets.load_dataset`, of which MNIST is here; `size` and the fake data were another set's."""
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
