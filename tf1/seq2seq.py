"""`tf.contrib.seq2seq`: decoders that read a target, or what they have just written, with attention or without.

    helper = tf.contrib.seq2seq.TrainingHelper(inputs, lengths)             # or GreedyEmbeddingHelper
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, initial_state, output_layer)
    outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder)    # outputs.rnn_output, outputs.sample_id

Names, arguments and variables are those of TensorFlow 1.15. Attention is in `attention.py`, beam search in
`beam_search.py`, and what TensorFlow 1.0 had instead in `decoder_fn.py`.

Source: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/seq2seq
"""

import abc
import collections
import inspect

from tf1 import tf


def cross_entropies(labels, logits, softmax_loss_function):
    """The cross-entropy, by the script's own function, whose arguments have changed their names and their order."""
    if softmax_loss_function is None:
        labels = tf.reshape(labels, [-1])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    first, *rest = inspect.signature(softmax_loss_function).parameters
    if {"labels", "logits"} <= {first, *rest}:
        return softmax_loss_function(labels=labels, logits=logits)
    return softmax_loss_function(*((logits, labels) if first in ("inputs", "logits") else (labels, logits)))


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    sum_over_timesteps=False,
    sum_over_batch=False,
    softmax_loss_function=None,
    name=None,
):
    """The weighted cross-entropy in nats, averaged over what is asked.

    Until TF 1.14 `softmax_loss_function` and `name` were the sixth and the seventh argument; so they are taken, too.

    Args:
      logits, targets, weights: [batch_size, T, classes], [batch_size, T] and [batch_size, T].
      average_across_timesteps, average_across_batch: the sum is divided by that of the weights.
      sum_over_timesteps, sum_over_batch: it is divided by the number of weights that are not 0. As in TF 1.15, where
        one axis is averaged the other one is not summed.
      softmax_loss_function: takes `labels` and `logits`, [batch_size * T] and [batch_size * T, classes].
    Returns:
      A scalar; [batch_size] or [T] where one average alone is asked, [batch_size, T] without any.
    """
    if callable(sum_over_timesteps) or isinstance(sum_over_batch, str):
        softmax_loss_function, name = sum_over_timesteps, sum_over_batch or name
        sum_over_timesteps = sum_over_batch = False
    logits, targets, weights = map(tf.convert_to_tensor, (logits, targets, weights))
    for argument, values, axes in ("Logits", logits, 3), ("Targets", targets, 2), ("Weights", weights, 2):
        if values.shape.ndims != axes:
            shape = "[batch_size x sequence_length x logits]" if axes == 3 else "[batch_size x sequence_length]"
            raise ValueError(f"{argument} must be a {shape} tensor, but the shape is {values.shape}")
    averages, sums = (average_across_batch, average_across_timesteps), (sum_over_batch, sum_over_timesteps)
    for argument, axis in ("timesteps", 1), ("batch", 0):
        if averages[axis] and sums[axis]:
            raise ValueError(f"average_across_{argument} and sum_over_{argument} cannot be set to True at same time")
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        labels, flat = tf.reshape(targets, [-1]), tf.reshape(logits, [-1, tf.shape(logits)[2]])
        losses = tf.reshape(cross_entropies(labels, flat, softmax_loss_function), tf.shape(targets)) * weights
        axes = [axis for axis, is_asked in enumerate(averages if any(averages) else sums) if is_asked]
        if not axes:
            return losses
        counts = weights if any(averages) else tf.cast(tf.not_equal(weights, 0), losses.dtype)
        # PTB's form, a mean over the batch alone: a weight that is 0 in all rows makes a step's loss 0.
        return tf.div_no_nan(tf.reduce_sum(losses, axes), tf.reduce_sum(counts, axes))


BasicDecoderOutput = collections.namedtuple("BasicDecoderOutput", "rnn_output sample_id")


def _next_or_first(is_over, compute, first):
    """What `compute()` gives, and where all rows are over `first`, which nothing reads."""
    return tf.cond(tf.reduce_all(is_over), lambda: first, compute)


class Helper(abc.ABC):
    """What a `BasicDecoder` reads: its first inputs, what it writes, and its next inputs. Scripts write their own.

    Attributes:
      batch_size: the rows, a tensor [].
      sample_ids_shape, sample_ids_dtype: of what a step writes in each row.
    """

    sample_ids_shape, sample_ids_dtype = tf.TensorShape([]), tf.int32

    @abc.abstractmethod
    def initialize(self, name=None):
        """Which rows are over before the first step, [batch_size], and the first step's inputs, [batch_size, n]."""

    @abc.abstractmethod
    def sample(self, time, outputs, state, name=None):
        """What step `time` writes, [batch_size], of `outputs` [batch_size, classes]."""

    @abc.abstractmethod
    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        """Which rows are over after step `time`, the inputs of the next step, and the state."""


class CustomHelper(Helper):
    """A helper of three functions, which have `Helper`'s methods' arguments."""

    def __init__(self, initialize_fn, sample_fn, next_inputs_fn, sample_ids_shape=None, sample_ids_dtype=None):
        self._initialize_fn, self._sample_fn, self._next_inputs_fn = initialize_fn, sample_fn, next_inputs_fn
        self.sample_ids_shape = tf.TensorShape(sample_ids_shape or [])
        self.sample_ids_dtype = sample_ids_dtype or tf.int32

    def initialize(self, name=None):
        is_over, inputs = self._initialize_fn()
        self.batch_size = tf.size(is_over)
        return is_over, inputs

    def sample(self, time, outputs, state, name=None):
        return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class InferenceHelper(Helper):
    """Feeds a decoder with what `sample_fn` makes of its outputs, until `end_fn` of that says that a row is over.

    Args:
      start_inputs: of the first step, [batch_size, n].
      next_inputs_fn: from samples to inputs; None: the samples are the inputs.
    """

    def __init__(self, sample_fn, sample_shape, sample_dtype, start_inputs, end_fn, next_inputs_fn=None):
        self._sample_fn, self._end_fn, self._next_inputs_fn = sample_fn, end_fn, next_inputs_fn or tf.identity
        self.sample_ids_shape, self.sample_ids_dtype = tf.TensorShape(sample_shape), sample_dtype
        self._start = tf.convert_to_tensor(start_inputs)
        self.batch_size = tf.shape(self._start)[0]

    def initialize(self, name=None):
        return tf.tile([False], [self.batch_size]), self._start

    def sample(self, time, outputs, state, name=None):
        return self._sample_fn(outputs)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        return self._end_fn(sample_ids), self._next_inputs_fn(sample_ids), state


class TrainingHelper(Helper):
    """Feeds a decoder with the target: `inputs` [batch_size, T, n], or with `time_major` [T, batch_size, n].

    Args:
      sequence_length: of each row, [batch_size].
    """

    def __init__(self, inputs, sequence_length, time_major=False, name=None):
        self._given, self._lengths = tf.convert_to_tensor(inputs), tf.convert_to_tensor(sequence_length, name=name)
        if self._lengths.shape.ndims != 1:
            raise ValueError(f"Expected sequence_length to be a vector, but received shape: {self._lengths.shape}")
        steps = self._given if time_major else swapped(self._given)
        self._inputs, self._zeros, self.batch_size = array_of(steps), tf.zeros_like(steps[0]), tf.size(self._lengths)

    inputs = property(lambda self: self._given)
    sequence_length = property(lambda self: self._lengths)

    def initialize(self, name=None):
        is_over = tf.equal(0, self._lengths)
        return is_over, _next_or_first(is_over, lambda: self._inputs.read(0), self._zeros)

    def sample(self, time, outputs, name=None, **unused):
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, name=None, **unused):
        is_over = time + 1 >= tf.cast(self._lengths, tf.int32)
        return is_over, _next_or_first(is_over, lambda: self._inputs.read(time + 1), self._zeros), state


class _Scheduled(TrainingHelper):
    """What the helpers share that leave the target here and there."""

    def _is_drawn(self, outputs, seed):
        """Which rows leave it, [batch_size]."""
        with tf.control_dependencies([outputs]):  # else a loop may draw for a later step first
            return tf.random.uniform([self.batch_size], seed=seed) < self._probability


class ScheduledEmbeddingTrainingHelper(_Scheduled):
    """Feeds a decoder with the target, and here and there with the embedding of an id that is drawn from its logits.

    Args:
      embedding: [vocab_size, n], or a function from ids to inputs.
      sampling_probability: of drawing, [] or [batch_size].
      seed, scheduling_seed: of the ids, and of where they are drawn; elsewhere the sample is -1.
    """

    def __init__(
        self,
        inputs,
        sequence_length,
        embedding,
        sampling_probability,
        time_major=False,
        seed=None,
        scheduling_seed=None,
        name=None,
    ):
        super().__init__(inputs, sequence_length, time_major, name)
        self._embed, self._probability = embedding_fn(embedding), sampling_probability
        self._seed, self._scheduling_seed = seed, scheduling_seed

    def sample(self, time, outputs, state, name=None):
        is_drawn = self._is_drawn(outputs, self._scheduling_seed)
        return tf.where(is_drawn, _drawn(outputs, self._seed), tf.fill([self.batch_size], -1))

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over, inputs, state = super().next_inputs(time, outputs, state)
        mixed = lambda: tf.where(sample_ids > -1, self._embed(tf.maximum(sample_ids, 0)), inputs)
        return is_over, _next_or_first(is_over, mixed, inputs), state


class ScheduledOutputTrainingHelper(_Scheduled):
    """Feeds a decoder with the target, and here and there with its own output.

    Args:
      sampling_probability: of the output, [] or [batch_size].
      next_inputs_fn: from outputs to inputs; None: the outputs are the inputs.
      auxiliary_inputs: like `inputs`; they stand beside the target or the output in every step.
    """

    def __init__(
        self,
        inputs,
        sequence_length,
        sampling_probability,
        time_major=False,
        seed=None,
        next_inputs_fn=None,
        auxiliary_inputs=None,
        name=None,
    ):
        self._auxiliary = None
        if auxiliary_inputs is not None:
            auxiliary_inputs = tf.convert_to_tensor(auxiliary_inputs)
            inputs = tf.concat([inputs, auxiliary_inputs], -1)
            self._auxiliary = array_of(auxiliary_inputs if time_major else swapped(auxiliary_inputs))
        super().__init__(inputs, sequence_length, time_major, name)
        self._probability, self._seed, self._next_inputs_fn = sampling_probability, seed, next_inputs_fn or tf.identity

    def sample(self, time, outputs, state, name=None):
        """1 in rows whose next input is the output, else 0: [batch_size]."""
        return tf.cast(self._is_drawn(outputs, self._seed), tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over, inputs, state = super().next_inputs(time, outputs, state)

        def mixed():
            own = self._next_inputs_fn(outputs)
            if self._auxiliary is not None:
                own = tf.concat([own, self._auxiliary.read(time + 1)], -1)
            return tf.where(tf.cast(sample_ids, tf.bool), own, inputs)

        return is_over, _next_or_first(is_over, mixed, inputs), state


class GreedyEmbeddingHelper(Helper):
    """Feeds a decoder with what it has just written, the likeliest id, until that is `end_token`.

    Args:
      embedding: [vocab_size, n], or a function from ids to inputs.
      start_tokens: the ids that the rows begin with, [batch_size].
      end_token: the id that ends a row.
    """

    def __init__(self, embedding, start_tokens, end_token):
        self._embed, (start_tokens, self._end_token) = embedding_fn(embedding), checked_tokens(start_tokens, end_token)
        self._start, self.batch_size = self._embed(start_tokens), tf.size(start_tokens)

    def initialize(self, name=None):
        return tf.tile([False], [self.batch_size]), self._start

    def sample(self, time, outputs, state, name=None):
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over = tf.equal(sample_ids, self._end_token)
        return is_over, _next_or_first(is_over, lambda: self._embed(sample_ids), self._start), state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """The same with ids that are drawn by their probability; the logits are divided by `softmax_temperature`."""

    def __init__(self, embedding, start_tokens, end_token, softmax_temperature=None, seed=None):
        super().__init__(embedding, start_tokens, end_token)
        self._temperature, self._seed = softmax_temperature, seed

    def sample(self, time, outputs, state, name=None):
        return _drawn(outputs if self._temperature is None else outputs / self._temperature, self._seed)


def swapped(rows):
    """[batch_size, T, ...] as [T, batch_size, ...], and back."""
    return tf.transpose(rows, [1, 0, *range(2, rows.shape.ndims)])


def array_of(steps):
    """`steps` [T, batch_size, ...] to be read in a loop, whose gradient would else be as large as all in each step."""
    return tf.TensorArray(steps.dtype, tf.shape(steps)[0], clear_after_read=False).unstack(steps)


def checked_tokens(start_tokens, end_token):
    """The ids that rows begin with, int32 [batch_size], and the one that ends them, int32 []."""
    start_tokens, end_token = (tf.convert_to_tensor(tokens, tf.int32) for tokens in (start_tokens, end_token))
    if start_tokens.shape.ndims != 1:
        raise ValueError(f"start_tokens must be a vector, [batch_size], but the shape is {start_tokens.shape}")
    if end_token.shape.ndims != 0:
        raise ValueError(f"end_token must be a scalar, but the shape is {end_token.shape}")
    return start_tokens, end_token


def embedding_fn(embedding):
    if callable(embedding) and not isinstance(embedding, (tf.Tensor, tf.Variable)):
        return embedding
    return lambda ids: tf.nn.embedding_lookup(embedding, ids)


def _drawn(logits, seed):
    """An id for each row of `logits` [batch_size, vocab_size], by its probability."""
    return tf.squeeze(tf.random.categorical(logits, 1, dtype=tf.int32, seed=seed), axis=1)


class Decoder(abc.ABC):
    """What `dynamic_decode` steps; scripts write their own, with `batch_size` and `output_dtype`.

    Attributes:
      tracks_own_finished: the rows change their places, so that a row that is over may be another one's place next.
    """

    tracks_own_finished = False

    @abc.abstractmethod
    def initialize(self, name=None):
        """Which rows are over before the first step, the first step's inputs, and the state."""

    @abc.abstractmethod
    def step(self, time, inputs, state, name=None):
        """The step's outputs, the state after it, the next inputs, and which rows are over."""

    def finalize(self, outputs, final_state, sequence_lengths):
        """What `dynamic_decode` returns for the outputs of all steps, [T, batch_size, ...], and for the state."""
        return outputs, final_state


class BasicDecoder(Decoder):
    """A cell that is fed by a helper.

    Args:
      initial_state: the cell's.
      output_layer: a layer, such as tf.layers.Dense(vocab_size), from the cell's output to logits; None: it is these.
    """

    def __init__(self, cell, helper, initial_state, output_layer=None):
        self._cell, self._helper, self._initial_state, self._output_layer = cell, helper, initial_state, output_layer

    @property
    def batch_size(self):
        return self._helper.batch_size

    @property
    def output_size(self):
        """Of a step in each row; it is a shape where there is an output layer."""
        size = self._cell.output_size
        if self._output_layer is not None:
            shape = self._output_layer.compute_output_shape(tf.TensorShape([None]).concatenate(size))
            size = tf.TensorShape(shape)[1:]
        return BasicDecoderOutput(size, self._helper.sample_ids_shape)

    @property
    def output_dtype(self):
        return BasicDecoderOutput(tf.nest.flatten(self._initial_state)[0].dtype, self._helper.sample_ids_dtype)

    def initialize(self, name=None):
        return *self._helper.initialize(), self._initial_state

    def step(self, time, inputs, state, name=None):
        outputs, state = self._cell(inputs, state)
        if self._output_layer is not None:
            outputs = self._output_layer(outputs)
        sample_ids = self._helper.sample(time=time, outputs=outputs, state=state)
        is_over, inputs, state = self._helper.next_inputs(
            time=time, outputs=outputs, state=state, sample_ids=sample_ids
        )
        return BasicDecoderOutput(outputs, sample_ids), state, inputs, is_over


def _where(is_over, old, new):
    """`old` in the rows that are over; what has no rows, and TensorArrays, are the new ones."""

    def choose(old, new):
        return new if isinstance(new, tf.TensorArray) or new.shape.ndims == 0 else tf.where(is_over, old, new)

    return tf.nest.map_structure(choose, old, new)


def dynamic_decode(
    decoder,
    output_time_major=False,
    impute_finished=False,
    maximum_iterations=None,
    parallel_iterations=32,
    swap_memory=False,
    scope=None,
):
    """Steps a decoder until all rows are over, or for `maximum_iterations` steps.

    Args:
      impute_finished: what follows a row's end is zeros, and its state stays.
    Returns:
      The outputs of all steps, [batch_size, T, ...] or with `output_time_major` [T, batch_size, ...], the final state,
      and how many steps each row has, [batch_size].
    """
    with tf.variable_scope(scope, "decoder"):
        is_over, inputs, state = decoder.initialize()
        lengths = tf.zeros_like(is_over, tf.int32)
        arrays = [tf.TensorArray(dtype, 0, dynamic_size=True) for dtype in tf.nest.flatten(decoder.output_dtype)]

        def body(time, arrays, state, inputs, is_over, lengths):
            outputs, new_state, inputs, ends = decoder.step(time, inputs, state)
            lengths = tf.where(is_over, lengths, tf.fill(tf.shape(lengths), time + 1))
            if impute_finished:
                outputs = _where(is_over, tf.nest.map_structure(tf.zeros_like, outputs), outputs)
                new_state = _where(is_over, state, new_state)
            arrays = [array.write(time, output) for array, output in zip(arrays, tf.nest.flatten(outputs))]
            ends = ends if decoder.tracks_own_finished else tf.logical_or(ends, is_over)
            return time + 1, arrays, new_state, inputs, ends, lengths

        _, arrays, state, _, _, lengths = tf.while_loop(
            lambda time, arrays, state, inputs, is_over, lengths: tf.logical_not(tf.reduce_all(is_over)),
            body,
            (tf.constant(0), arrays, state, inputs, is_over, lengths),
            parallel_iterations=parallel_iterations,
            swap_memory=swap_memory,
            maximum_iterations=maximum_iterations,
        )
        outputs = tf.nest.pack_sequence_as(decoder.output_dtype, [array.stack() for array in arrays])
        outputs, state = decoder.finalize(outputs, state, lengths)
        return outputs if output_time_major else tf.nest.map_structure(swapped, outputs), state, lengths


def tile_batch(t, multiplier, name=None):
    """Each row of the tensors `multiplier` times, one after the other: [batch_size * multiplier, ...]."""
    with tf.name_scope(name, "tile_batch", tf.nest.flatten([t, multiplier])):
        return tf.nest.map_structure(lambda tensor: tf.repeat(tensor, multiplier, axis=0), t)


SHELF = {
    "sequence_loss": sequence_loss,
    "Decoder": Decoder,
    "BasicDecoder": BasicDecoder,
    "BasicDecoderOutput": BasicDecoderOutput,
    "Helper": Helper,
    "CustomHelper": CustomHelper,
    "InferenceHelper": InferenceHelper,
    "TrainingHelper": TrainingHelper,
    "ScheduledEmbeddingTrainingHelper": ScheduledEmbeddingTrainingHelper,
    "ScheduledOutputTrainingHelper": ScheduledOutputTrainingHelper,
    "GreedyEmbeddingHelper": GreedyEmbeddingHelper,
    "SampleEmbeddingHelper": SampleEmbeddingHelper,
    "dynamic_decode": dynamic_decode,
    "tile_batch": tile_batch,
}
