"""The queues of `tf.contrib.training` that make batches of sequences of about the same length.

`SHELF` has the names. Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/blob/r1.15/tensorflow/contrib/training/python/training/bucket_ops.py
"""

import numpy as np

from tf1 import tf


def bucket(
    tensors,
    which_bucket,
    batch_size,
    num_buckets,
    num_threads=1,
    capacity=32,
    bucket_capacities=None,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    keep_input=True,
    shared_name=None,
    name=None,
):
    """`tf.contrib.training.bucket`: examples wait in the queue of their bucket until there is a batch of them.

    `tf.train.start_queue_runners` sets it going; after the last batch comes an OutOfRangeError.

    Args:
      tensors: of one example, a list or a dict; SparseTensors are stacked as SparseTensors.
      which_bucket: int32 [], the number of its bucket.
      batch_size: of all buckets, or a list with one for each.
      num_threads: how many put examples in.
      capacity: of the queue of batches, and of each bucket's, where `bucket_capacities` has no other.
      shapes: of `tensors`, where the graph does not know them.
      dynamic_pad: fills up with zeros what is shorter than the batch's longest.
      allow_smaller_final_batch: keeps what is left in the buckets at the end.
      keep_input: bool [], whether the example is taken.
      shared_name: of the queues, among sessions.
    Returns:
      The number of a batch's bucket, int32 [], and its tensors, [batch_size, ...], in a list or a dict as `tensors`;
      without the list where it has one element.
    """
    one_size = not isinstance(batch_size, (list, tuple))
    sizes = [batch_size] * num_buckets if one_size else batch_size
    capacities = bucket_capacities or [capacity] * num_buckets
    for argument, values in ("batch_size", sizes), ("bucket_capacities", capacities):
        if len(values) != num_buckets:
            raise ValueError(f"{argument} has {len(values)} elements, but there are {num_buckets} buckets")
    examples = _flat(tensors)
    with tf.name_scope(name, "bucket", examples):
        flat = [_stored(tensor) for tensor in examples]
        types = [tensor.dtype for tensor in flat]
        shapes = [
            stored.shape if _is_sparse(tensor) else tf.TensorShape(shape)
            for tensor, stored, shape in zip(examples, flat, shapes or [tensor.shape for tensor in flat])
        ]
        if unknown := [tensor for tensor, shape in zip(flat, shapes) if shape.rank is None]:
            raise ValueError(f"Cannot infer Tensor's rank: {unknown[0]}")
        which_bucket = tf.convert_to_tensor(which_bucket, tf.int32)
        queue, waiting = tf.queue.PaddingFIFOQueue if dynamic_pad else tf.queue.FIFOQueue, []
        for number, size in enumerate(capacities):
            shared = shared_name and f"{shared_name}_{number}"
            waiting.append(queue(size, types, shapes, shared_name=shared, name=f"bucket_queue_{number}"))
        rows = tf.get_static_value(batch_size) if one_size and not allow_smaller_final_batch else None
        batched = [tf.TensorShape([rows]).concatenate(shape) for shape in shapes]
        options = {"shared_name": shared_name, "name": "top_queue"}
        batches = tf.queue.PaddingFIFOQueue(capacity, [tf.int32, *types], [tf.TensorShape([]), *batched], **options)
        _add_runners(waiting, batches, flat, which_bucket, sizes, num_threads, keep_input, allow_smaller_final_batch)
        for queue in waiting:
            tf.summary.scalar(f"bucket/{queue.name}/size", tf.cast(queue.size(), tf.float32))
        full = tf.cast(batches.size(), tf.float32) / capacity
        tf.summary.scalar(f"bucket/{batches.name}/fraction_of_{capacity}_full", full)
        number, *taken = batches.dequeue(name="dequeue_top")
        taken = [_restored(batch, tensor) for batch, tensor in zip(taken, examples)]
        if len(taken) == 1 and not isinstance(tensors, dict):
            return number, taken[0]
        return number, _like(tensors, taken)


def _add_runners(waiting, batches, flat, which_bucket, sizes, num_threads, keep_input, allow_smaller_final_batch):
    """The threads that put an example into its bucket, and those that take batches out, one for each bucket."""

    def enqueue():
        chosen = [
            tf.cond(tf.equal(which_bucket, number), lambda queue=queue: queue.enqueue(flat), tf.no_op)
            for number, queue in enumerate(waiting)
        ]
        return tf.group(*chosen)

    put_in = enqueue() if keep_input is True else tf.cond(tf.convert_to_tensor(keep_input, tf.bool), enqueue, tf.no_op)
    take_out = []
    for number, (queue, size) in enumerate(zip(waiting, sizes)):
        batch = queue.dequeue_up_to(size) if allow_smaller_final_batch else queue.dequeue_many(size)
        batch = batch if isinstance(batch, (list, tuple)) else [batch]
        take_out.append(batches.enqueue([tf.constant(number), *batch]))
    ends = {"queue_closed_exception_types": (tf.errors.OutOfRangeError, tf.errors.CancelledError)}
    for queue, enqueues, closed in (waiting[0], take_out, [batches]), (batches, [put_in] * num_threads, waiting):
        close, cancel = ([end.close(cancelling) for end in closed] for cancelling in (False, True))
        runner = tf.train.QueueRunner(queue, enqueues, tf.group(*close), tf.group(*cancel), **ends)
        tf.train.add_queue_runner(runner)


def bucket_by_sequence_length(
    input_length,
    tensors,
    batch_size,
    bucket_boundaries,
    num_threads=1,
    capacity=32,
    bucket_capacities=None,
    shapes=None,
    dynamic_pad=False,
    allow_smaller_final_batch=False,
    keep_input=True,
    shared_name=None,
    name=None,
):
    """`tf.contrib.training.bucket_by_sequence_length`: `bucket` of examples by their lengths.

    Args:
      input_length: int32 [], of the example.
      bucket_boundaries: ints that increase; example n goes to bucket k where k of them are at most its length.
      others: as for `bucket`.
    Returns:
      The lengths, int32 [batch_size], and the tensors, [batch_size, ...], in a list or a dict as `tensors`.
    """
    if not isinstance(bucket_boundaries, (list, tuple)) or not all(isinstance(n, int) for n in bucket_boundaries):
        raise TypeError(f"bucket_boundaries must be a list of integers, not {bucket_boundaries}")
    if not bucket_boundaries or any(np.diff(bucket_boundaries) <= 0):
        raise ValueError(f"bucket_boundaries must be at least one number, and increase: {bucket_boundaries}")
    flat = _flat(tensors)
    with tf.name_scope(name, "bucket_by_sequence_length", [input_length, *flat]):
        length = tf.convert_to_tensor(input_length, tf.int32)
        _, (lengths, *batch) = bucket(
            [length, *flat],
            tf.reduce_sum(tf.cast(bucket_boundaries <= length, tf.int32)),
            batch_size,
            len(bucket_boundaries) + 1,
            num_threads,
            capacity,
            bucket_capacities,
            shapes and [[], *shapes],
            dynamic_pad,
            allow_smaller_final_batch,
            keep_input,
            shared_name,
        )
        return lengths, _like(tensors, batch)


def _is_sparse(tensor):
    return isinstance(tensor, tf.SparseTensor)


def _stored(tensor):
    """What stands for a tensor in a queue; for a SparseTensor strings, [3]."""
    return tf.io.serialize_sparse(tensor) if _is_sparse(tensor) else tf.convert_to_tensor(tensor)


def _restored(batch, tensor):
    """A batch of what `_stored` made of tensors like `tensor`."""
    if not _is_sparse(tensor):
        return batch
    rank = tensor.dense_shape.shape[0].value
    return tf.io.deserialize_many_sparse(batch, tensor.dtype, rank and rank + 1)


def _flat(tensors):
    return [tensors[key] for key in sorted(tensors)] if isinstance(tensors, dict) else list(tensors)


def _like(tensors, values):
    return dict(zip(sorted(tensors), values)) if isinstance(tensors, dict) else values


SHELF = {"bucket": bucket, "bucket_by_sequence_length": bucket_by_sequence_length}
