"""The queues of `tf.contrib.training`: which examples come together, how they are filled up, and what is left over.

The batches were compared with those of TensorFlow 1.15.5, and so were the names of the queues and summaries.
"""

import pytest

from tf1 import tf


def batches_of(arguments):
    """All batches of `arguments(n)`, by names, for n below 16: of lengths below 5, from 5 to 9, and above; sorted."""
    with tf.Graph().as_default(), tf.Session() as session:
        n = tf.train.range_input_producer(16, num_epochs=1, shuffle=False).dequeue()
        bucketed = tf.contrib.training.bucket_by_sequence_length(n, bucket_boundaries=[5, 10], **arguments(n))
        session.run(tf.local_variables_initializer())
        coordinator, found = tf.train.Coordinator(), []
        threads = tf.train.start_queue_runners(session, coordinator)
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                found.append(session.run(bucketed))
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=5)
        return sorted(found, key=lambda pair: pair[0].tolist())


WHOLE = [[0, 1, 2], [5, 6, 7], [10, 11, 12], [13, 14, 15]]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"batch_size": 3}, WHOLE),
        ({"batch_size": 3, "allow_smaller_final_batch": True}, sorted([*WHOLE, [3, 4], [8, 9]])),
        ({"batch_size": [2, 5, 6]}, [[0, 1], [2, 3], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14, 15]]),
    ],
)
def test_examples_of_similar_length_come_together_and_are_filled_up(options, expected):
    found = batches_of(lambda n: {"tensors": {"x": tf.range(n) + 1, "n": n}, "dynamic_pad": True, **options})
    assert [lengths.tolist() for lengths, _ in found] == [batch["n"].tolist() for _, batch in found] == expected
    for lengths, batch in found:
        longest = max(lengths)
        assert batch["x"].tolist() == [[*range(1, n + 1), *[0] * (longest - n)] for n in lengths]


def test_some_examples_are_left_out():
    found = batches_of(lambda n: {"tensors": [n * 10], "batch_size": 2, "keep_input": tf.equal(n % 2, 0)})
    assert [batch.tolist() for _, (batch,) in found] == [[0, 20], [60, 80], [100, 120]]  # 40 and 140 are alone


def test_one_tensor_and_what_is_refused():
    shelf = tf.contrib.training
    with tf.Graph().as_default():
        one = tf.constant(1)
        number, batch = shelf.bucket([one], one, 4, 2)
        assert (number.shape, batch.shape) == ([], [4])
        queues = [operation.name for operation in one.graph.get_operations() if operation.type == "FIFOQueueV2"]
        assert queues == ["bucket/bucket_queue_0", "bucket/bucket_queue_1"]
        for boundaries, error in (5, TypeError), ([1.5, 2], TypeError), ([], ValueError), ([5, 5], ValueError):
            with pytest.raises(error, match="bucket_boundaries must be"):
                shelf.bucket_by_sequence_length(one, [one], 2, boundaries)
        with pytest.raises(ValueError, match="batch_size has 3 elements, but there are 2 buckets"):
            shelf.bucket([one], one, [1, 2, 3], 2)
        with pytest.raises(ValueError, match="bucket_capacities has 1 elements"):
            shelf.bucket([one], one, 1, 2, bucket_capacities=[4])
        with pytest.raises(ValueError, match="Cannot infer Tensor's rank"):
            shelf.bucket([tf.placeholder(tf.float32)], one, 1, 2, dynamic_pad=True)


def lengths_and_sparse(n):
    """A diagonal of 10, 11, ..., n rows long, in a matrix that has 2 n + 1 columns."""
    places = tf.cast(tf.stack([tf.range(n), tf.range(n) * 2], 1), tf.int64)
    return tf.SparseTensor(places, tf.range(n) + 10, tf.cast(tf.stack([n, 2 * n + 1]), tf.int64))


def expected_of(lengths):
    indices = [[row, place, 2 * place] for row, length in enumerate(lengths) for place in range(length)]
    longest = max(lengths)
    return indices, [10 + place for _, place, _ in indices], [len(lengths), longest, 2 * longest + 1]


@pytest.mark.parametrize(
    "build",
    [
        lambda n: {"tensors": {"x": lengths_and_sparse(n), "n": n}},
        lambda n: {"tensors": {"x": lengths_and_sparse(n), "r": tf.range(n)}, "dynamic_pad": True},
        lambda n: {"tensors": {"x": lengths_and_sparse(n), "n": n}, "shapes": [[], [1]]},  # of TensorFlow 1.15's queue
    ],
)
def test_sparse_tensors_stay_sparse(build):
    """The matrices of a batch are as large as its largest one, as those of TensorFlow 1.15.5 are."""
    found = batches_of(lambda n: {"batch_size": 3, **build(n)})
    assert [lengths.tolist() for lengths, _ in found] == WHOLE
    for lengths, batch in found:
        x = batch["x"]
        indices, values, shape = expected_of(lengths)
        assert (x.indices.tolist(), x.values.tolist(), x.dense_shape.tolist()) == (indices, values, shape)


def test_one_sparse_tensor():
    with tf.Graph().as_default():
        n = tf.constant(3)
        _, alone = tf.contrib.training.bucket([lengths_and_sparse(n)], 0, 2, 2)
        _, named = tf.contrib.training.bucket({"x": lengths_and_sparse(n)}, 0, 2, 2)
        for found in alone, named["x"]:
            assert isinstance(found, tf.SparseTensor) and (found.dtype, found.shape.rank) == (tf.int32, 3)
