"""`tf.contrib.seq2seq`: decoders that read a target, or what they have just written, with attention or without.

    helper = tf.contrib.seq2seq.TrainingHelper(inputs, lengths)             # or GreedyEmbeddingHelper
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, initial_state, output_layer)
    outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder)    # outputs.rnn_output, outputs.sample_id

Names, arguments and variables are those of TensorFlow 1.15. Beam search is in `beam_search.py`.

Sources: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/seq2seq; of the
attention Bahdanau, Cho and Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
https://arxiv.org/abs/1409.0473, and Luong, Pham and Manning 2015, "Effective Approaches to Attention-based Neural
Machine Translation", https://arxiv.org/abs/1508.04025
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
    softmax_loss_function=None,
    name=None,
):
    """The weighted cross-entropy in nats, averaged over what is asked.

    Args:
      logits, targets, weights: [batch_size, T, classes], [batch_size, T] and [batch_size, T].
      softmax_loss_function: takes `labels` and `logits`, [batch_size * T] and [batch_size * T, classes].
    Returns:
      A scalar; [batch_size] or [T] where one average alone is asked, [batch_size, T] without any.
    """
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        labels, flat = tf.reshape(targets, [-1]), tf.reshape(logits, [-1, tf.shape(logits)[2]])
        losses = tf.reshape(cross_entropies(labels, flat, softmax_loss_function), tf.shape(targets)) * weights
        axes = [
            axis for axis, is_averaged in enumerate((average_across_batch, average_across_timesteps)) if is_averaged
        ]
        if not axes:
            return losses
        sums = tf.reduce_sum(losses, axes)
        # PTB's form, a mean over the batch alone: a weight that is 0 in all rows makes a step's loss 0.
        return tf.div_no_nan(sums, tf.reduce_sum(weights, axes))


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
        inputs, self._lengths = tf.convert_to_tensor(inputs), tf.convert_to_tensor(sequence_length, name=name)
        self._inputs = inputs if time_major else _swapped(inputs)
        self._zeros, self.batch_size = tf.zeros_like(self._inputs[0]), tf.size(self._lengths)

    def initialize(self, name=None):
        is_over = tf.equal(0, self._lengths)
        return is_over, _next_or_first(is_over, lambda: self._inputs[0], self._zeros)

    def sample(self, time, outputs, state, name=None):
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over = time + 1 >= tf.cast(self._lengths, tf.int32)
        return is_over, _next_or_first(is_over, lambda: self._inputs[time + 1], self._zeros), state


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
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
        is_drawn = tf.random.uniform([self.batch_size], seed=self._scheduling_seed) < self._probability
        return tf.where(is_drawn, _drawn(outputs, self._seed), tf.fill([self.batch_size], -1))

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over, inputs, state = super().next_inputs(time, outputs, state, sample_ids)
        mixed = lambda: tf.where(sample_ids > -1, self._embed(tf.maximum(sample_ids, 0)), inputs)
        return is_over, _next_or_first(is_over, mixed, inputs), state


class ScheduledOutputTrainingHelper(TrainingHelper):
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
            self._auxiliary = auxiliary_inputs if time_major else _swapped(auxiliary_inputs)
        super().__init__(inputs, sequence_length, time_major, name)
        self._probability, self._seed, self._next_inputs_fn = sampling_probability, seed, next_inputs_fn or tf.identity

    def sample(self, time, outputs, state, name=None):
        """1 in rows whose next input is the output, else 0: [batch_size]."""
        return tf.cast(tf.random.uniform([self.batch_size], seed=self._seed) < self._probability, tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        is_over, inputs, state = super().next_inputs(time, outputs, state, sample_ids)

        def mixed():
            own = self._next_inputs_fn(outputs)
            if self._auxiliary is not None:
                own = tf.concat([own, self._auxiliary[time + 1]], -1)
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
        self._embed, start_tokens = embedding_fn(embedding), tf.convert_to_tensor(start_tokens, tf.int32)
        self._end_token, self._start, self.batch_size = end_token, self._embed(start_tokens), tf.size(start_tokens)

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


def _swapped(rows):
    """[batch_size, T, ...] as [T, batch_size, ...], and back."""
    return tf.transpose(rows, [1, 0, *range(2, rows.shape.ndims)])


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
        return outputs if output_time_major else tf.nest.map_structure(_swapped, outputs), state, lengths


class _Attention:
    """Scores of a memory for a query, and from them the alignments: weights of the memory's steps that sum to 1.

    Args:
      num_units: of the keys, and of the query where it has a layer.
      memory: what the encoder put out, [batch_size, T, n].
      memory_sequence_length: of each row, [batch_size]; what follows has the alignment 0.
      probability_fn: from scores [batch_size, T] to alignments; None: softmax.
      score_mask_value: the score of what follows a row's end; None: minus infinity.
      dtype, name: not needed, the memory's type and the class's name are taken.
    """

    _SCOPE, _HAS_QUERY_LAYER = None, False

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        probability_fn=None,
        score_mask_value=None,
        dtype=None,
        name=None,
    ):
        memory, self._mask = tf.convert_to_tensor(memory), None
        if memory_sequence_length is not None:
            self._mask = tf.sequence_mask(memory_sequence_length, tf.shape(memory)[1])
            memory *= tf.cast(self._mask, memory.dtype)[:, :, None]
        self._num_units, self._probability_fn = num_units, probability_fn or tf.nn.softmax
        self._mask_value = float("-inf") if score_mask_value is None else score_mask_value
        self.values, self.batch_size, self.alignments_size = memory, tf.shape(memory)[0], tf.shape(memory)[1]
        dense = lambda name: tf.layers.Dense(num_units, use_bias=False, name=name)
        self.keys = dense("memory_layer")(memory)  # [batch_size, T, num_units]
        self.query_layer = dense("query_layer") if self._HAS_QUERY_LAYER else None

    def initial_alignments(self, batch_size, dtype):
        return tf.zeros([batch_size, self.alignments_size], dtype)

    def __call__(self, query, state):
        """The alignments [batch_size, T] for `query` [batch_size, n], twice: they are the next state, too."""
        with tf.variable_scope(None, self._SCOPE, [query]):
            scores = self._score(query if self.query_layer is None else self.query_layer(query))
        if self._mask is not None:
            scores = tf.where(self._mask, scores, self._mask_value * tf.ones_like(scores))
        alignments = self._probability_fn(scores)
        return alignments, alignments


class BahdanauAttention(_Attention):
    """The score is v tanh(keys + query), with `normalize` g v / |v| tanh(keys + query + b)."""

    _SCOPE, _HAS_QUERY_LAYER = "bahdanau_attention", True

    def __init__(self, num_units, memory, memory_sequence_length=None, normalize=False, *args, **kwargs):
        super().__init__(num_units, memory, memory_sequence_length, *args, **kwargs)
        self._normalize = normalize

    def _score(self, query):
        dtype, units = query.dtype, [self._num_units]
        v, sums = tf.get_variable("attention_v", units, dtype), self.keys + query[:, None, :]
        if self._normalize:
            g = tf.get_variable("attention_g", [], dtype, tf.constant_initializer((1 / self._num_units) ** 0.5))
            sums += tf.get_variable("attention_b", units, dtype, tf.zeros_initializer())
            v = g * v * tf.rsqrt(tf.reduce_sum(tf.square(v)))
        return tf.reduce_sum(v * tf.tanh(sums), axis=2)


class LuongAttention(_Attention):
    """The score is the product of key and query, with `scale` times a number that is trained."""

    _SCOPE = "luong_attention"

    def __init__(self, num_units, memory, memory_sequence_length=None, scale=False, *args, **kwargs):
        super().__init__(num_units, memory, memory_sequence_length, *args, **kwargs)
        self._scale = scale

    def _score(self, query):
        scores = tf.matmul(query[:, None, :], self.keys, transpose_b=True)[:, 0, :]
        if self._scale:
            scores *= tf.get_variable("attention_g", [], query.dtype, tf.ones_initializer())
        return scores


class AttentionWrapperState(
    collections.namedtuple("State", "cell_state attention time alignments alignment_history attention_state")
):
    """Of an `AttentionWrapper`; `alignment_history` is a TensorArray where it is kept, else ()."""

    def clone(self, **values):
        return self._replace(**values)


class AttentionWrapper(tf.nn.rnn_cell.RNNCell):
    """A cell that looks at a memory after each step, and reads what it saw with the next step's inputs.

    Args:
      attention_mechanism: a `BahdanauAttention` or `LuongAttention`, or a list of such.
      attention_layer_size: units of the layer from output and context to the attention, or a list; None: the context is
        the attention.
      alignment_history: keeps the alignments of all steps.
      cell_input_fn: from inputs and attention to the cell's inputs; None: side by side.
      output_attention: the output is the attention, else the cell's output.
      initial_cell_state: the cell's state that `zero_state` has, such as the encoder's last.
    """

    def __init__(
        self,
        cell,
        attention_mechanism,
        attention_layer_size=None,
        alignment_history=False,
        cell_input_fn=None,
        output_attention=True,
        initial_cell_state=None,
        name=None,
    ):
        super().__init__(name=name)
        self._is_one = not isinstance(attention_mechanism, (list, tuple))
        self._mechanisms = [attention_mechanism] if self._is_one else list(attention_mechanism)
        sizes = attention_layer_size if isinstance(attention_layer_size, (list, tuple)) else [attention_layer_size]
        sizes = [None] * len(self._mechanisms) if attention_layer_size is None else list(sizes)
        if len(sizes) != len(self._mechanisms):
            raise ValueError(f"{len(sizes)} attention_layer_size for {len(self._mechanisms)} mechanisms")
        dense = lambda size: tf.layers.Dense(size, use_bias=False, name="attention_layer")
        self._layers = [size and dense(size) for size in sizes]
        self._widths = [size or mech.values.shape[-1].value for size, mech in zip(sizes, self._mechanisms)]
        self._cell = cell
        self._cell_input_fn = cell_input_fn or (lambda inputs, attention: tf.concat([inputs, attention], -1))
        self._keeps, self._output_attention, self._initial = alignment_history, output_attention, initial_cell_state

    @property
    def output_size(self):
        return sum(self._widths) if self._output_attention else self._cell.output_size

    def _each(self, values):
        return values[0] if self._is_one else tuple(values)

    @property
    def state_size(self):
        sizes = self._each([mechanism.values.shape[1].value for mechanism in self._mechanisms])
        history = self._each([()] * len(self._mechanisms))
        attention, time = sum(self._widths), tf.TensorShape([])
        return AttentionWrapperState(self._cell.state_size, attention, time, sizes, history, sizes)

    def zero_state(self, batch_size, dtype):
        """The first `AttentionWrapperState`; its `cell_state` is replaced by `clone(cell_state=...)`."""
        cell_state = self._cell.zero_state(batch_size, dtype) if self._initial is None else self._initial
        alignments = [mechanism.initial_alignments(batch_size, dtype) for mechanism in self._mechanisms]
        history = [tf.TensorArray(dtype, 0, dynamic_size=True) if self._keeps else () for _ in alignments]
        attention = tf.zeros([batch_size, sum(self._widths)], dtype)
        each = self._each(alignments)
        return AttentionWrapperState(cell_state, attention, tf.zeros([], tf.int32), each, self._each(history), each)

    def call(self, inputs, state):
        """`inputs` [batch_size, n]; the attention of the state is [batch_size, all attention layers' units]."""
        output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        listed = lambda values: [values] if self._is_one else values
        attentions, alignments, states, histories = [], [], [], []
        before = zip(self._mechanisms, self._layers, listed(state.attention_state), listed(state.alignment_history))
        for mechanism, layer, attention_state, history in before:
            weights, attention_state = mechanism(output, attention_state)
            context = tf.matmul(weights[:, None, :], mechanism.values)[:, 0, :]  # [batch_size, n]
            attentions.append(context if layer is None else layer(tf.concat([output, context], 1)))
            alignments.append(weights)
            states.append(attention_state)
            histories.append(history.write(state.time, weights) if self._keeps else ())
        attention = tf.concat(attentions, 1)
        values = attention, state.time + 1, self._each(alignments), self._each(histories), self._each(states)
        return attention if self._output_attention else output, AttentionWrapperState(cell_state, *values)


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
    "BahdanauAttention": BahdanauAttention,
    "LuongAttention": LuongAttention,
    "AttentionWrapper": AttentionWrapper,
    "AttentionWrapperState": AttentionWrapperState,
    "tile_batch": tile_batch,
}
