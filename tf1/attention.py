"""Attention of `tf.contrib.seq2seq`: a decoder's cell looks at what the encoder put out, after each step.

    attention = tf.contrib.seq2seq.LuongAttention(num_units, encoder_outputs, lengths)
    cell = tf.contrib.seq2seq.AttentionWrapper(cell, attention, attention_layer_size=num_units)

Names, arguments and variables are those of TensorFlow 1.15.

Sources: TensorFlow 1.15, tensorflow/contrib/seq2seq/python/ops/attention_wrapper.py; Bahdanau, Cho and Bengio 2015,
"Neural Machine Translation by Jointly Learning to Align and Translate", https://arxiv.org/abs/1409.0473; Luong, Pham
and Manning 2015, "Effective Approaches to Attention-based Neural Machine Translation",
https://arxiv.org/abs/1508.04025; of the monotonic attentions Raffel et al. 2017, "Online and Linear-Time Attention by
Enforcing Monotonic Alignments", https://arxiv.org/abs/1704.00784
"""

import collections

import numpy as np

from tf1 import tf


class AttentionMechanism:
    """How a decoder looks at a memory. Scripts write their own, with what `BahdanauAttention` has.

    Attributes:
      values: the memory, [batch_size, T, n].
      batch_size, alignments_size: its first two dimensions.
      state_size: of what a step leaves for the next one.
    """


class BaseAttentionMechanism(AttentionMechanism):
    """A memory and its keys: `_BaseAttentionMechanism`, from which scripts derive mechanisms of their own.

    Args:
      query_layer, memory_layer: from the query, and from the memory to the keys; None: these are taken as they are.
      memory: what the encoder put out, [batch_size, T, n].
      probability_fn: from scores, and the alignments of the step before, to alignments, all [batch_size, T].
      memory_sequence_length: of each row, [batch_size], all above 0; what follows has the alignment 0.
      check_inner_dims_defined: that the graph knows n.
      score_mask_value: the score of what follows a row's end; None: minus infinity.
      custom_key_value_fn: from keys and values to those that count.
      name: not needed.
    """

    def __init__(
        self,
        query_layer,
        memory,
        probability_fn,
        memory_sequence_length=None,
        memory_layer=None,
        check_inner_dims_defined=True,
        score_mask_value=None,
        custom_key_value_fn=None,
        name=None,
    ):
        memory, self._mask = tf.convert_to_tensor(memory), None
        if check_inner_dims_defined and not memory.shape[2:].is_fully_defined():
            raise ValueError(f"Expected memory {memory.name} to have fully defined inner dims, saw {memory.shape}")
        if memory_sequence_length is not None:
            mask = tf.sequence_mask(memory_sequence_length, tf.shape(memory)[1])
            memory *= tf.cast(mask, memory.dtype)[:, :, None]
            with tf.control_dependencies([_assert_no_row_is_empty(memory_sequence_length)]):
                self._mask = tf.identity(mask)
        self._query_layer, self._memory_layer, self._probabilities = query_layer, memory_layer, probability_fn
        self._mask_value = float("-inf") if score_mask_value is None else score_mask_value
        self._values, self._keys = memory, memory if memory_layer is None else memory_layer(memory)
        if custom_key_value_fn is not None:
            self._keys, self._values = custom_key_value_fn(self._keys, self._values)
        sizes = [size.value or tf.shape(self._keys)[place] for place, size in enumerate(self._keys.shape[:2])]
        self._batch_size, self._alignments_size = sizes

    # Scripts' own mechanisms read them by both names.
    query_layer = property(lambda self: self._query_layer)
    memory_layer = property(lambda self: self._memory_layer)
    values = property(lambda self: self._values)
    keys = property(lambda self: self._keys)
    batch_size = property(lambda self: self._batch_size)
    alignments_size = state_size = property(lambda self: self._alignments_size)

    def initial_alignments(self, batch_size, dtype):
        return tf.zeros([batch_size, self.alignments_size], dtype)

    def initial_state(self, batch_size, dtype):
        return self.initial_alignments(batch_size, dtype)

    def _probability_fn(self, scores, previous):
        """The alignments, of scores and of the alignments of the step before, all [batch_size, T]."""
        return self._probabilities(self._masked(scores), previous)

    def _masked(self, scores):
        return scores if self._mask is None else tf.where(self._mask, scores, self._mask_value * tf.ones_like(scores))


def _assert_no_row_is_empty(memory_sequence_length):
    """The softmax of a row that is masked as a whole would be NaN."""
    message = "All values in memory_sequence_length must be greater than zero."
    return tf.debugging.assert_positive(memory_sequence_length, message=message)


def maybe_mask_score(score, memory_sequence_length, score_mask_value):
    """`_maybe_mask_score`: scores [batch_size, T], with that value after each row's end, if there are lengths."""
    if memory_sequence_length is None:
        return score
    with tf.control_dependencies([_assert_no_row_is_empty(memory_sequence_length)]):
        mask = tf.sequence_mask(memory_sequence_length, tf.shape(score)[1])
    return tf.where(mask, score, score_mask_value * tf.ones_like(score))


class _Attention(BaseAttentionMechanism):
    """Scores of a memory for a query, and from them the alignments: weights of the memory's steps that sum to 1.

    Args:
      num_units: of the keys, and of the query where it has a layer.
      probability_fn: from scores [batch_size, T] to alignments; None: softmax.
      dtype, name: not needed, the memory's type and the class's name are taken.
      the others: see `BaseAttentionMechanism`.
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
        custom_key_value_fn=None,
        name=None,
    ):
        self._num_units, dense = num_units, lambda name: tf.layers.Dense(num_units, use_bias=False, name=name)
        query_layer = dense("query_layer") if self._HAS_QUERY_LAYER else None
        probabilities = probability_fn or tf.nn.softmax
        from_scores = lambda scores, previous: probabilities(scores)
        options = memory_sequence_length, dense("memory_layer"), True, score_mask_value, custom_key_value_fn
        super().__init__(query_layer, memory, from_scores, *options)  # keys: [batch_size, T, num_units]

    def __call__(self, query, state):
        """The alignments [batch_size, T] for `query` [batch_size, n], twice: they are the next state, too."""
        with tf.variable_scope(None, self._SCOPE, [query]):
            scores = self._score(query if self.query_layer is None else self.query_layer(query))
        alignments = self._probability_fn(scores, state)
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


def safe_cumprod(x, *args, **kwargs):
    """`tf.cumprod` of numbers from 0 to 1, with a gradient that is no NaN where they are 0."""
    x = tf.convert_to_tensor(x)
    return tf.exp(tf.cumsum(tf.log(tf.clip_by_value(x, np.finfo(x.dtype.as_numpy_dtype).tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i, previous_attention, mode):
    """The alignments, [batch_size, T], of a decoder that never looks back.

    In each step it goes on in the memory where the step before stopped, and stops at place i with a probability.

    Args:
      p_choose_i: that probability, [batch_size, T].
      previous_attention: the alignments of the step before, [batch_size, T].
      mode: "recursive" is exact, "parallel" is fast, and exact but for probabilities near 1; "hard" needs probabilities
        of 0 or 1 and an earlier alignment of 1 at one place.
    """
    p_choose_i, previous_attention = tf.convert_to_tensor(p_choose_i), tf.convert_to_tensor(previous_attention)
    if mode == "recursive":
        goes_on = tf.concat([tf.ones_like(p_choose_i[:, :1]), 1 - p_choose_i[:, :-1]], 1)
        elements = tf.transpose(goes_on), tf.transpose(previous_attention)
        reaches = tf.scan(
            lambda sums, of_place: of_place[0] * sums + of_place[1], elements, tf.zeros_like(goes_on[:, 0])
        )
        return p_choose_i * tf.transpose(reaches)
    if mode == "parallel":
        goes_on = safe_cumprod(1 - p_choose_i, axis=1, exclusive=True)
        reaches = goes_on * tf.cumsum(previous_attention / tf.clip_by_value(goes_on, 1e-10, 1.0), axis=1)
        return p_choose_i * reaches
    if mode == "hard":
        p_choose_i *= tf.cumsum(previous_attention, axis=1)  # 0 before the place of the last step
        return p_choose_i * tf.cumprod(1 - p_choose_i, axis=1, exclusive=True)
    raise ValueError(f"mode is {mode!r}: it must be 'recursive', 'parallel' or 'hard'")


class _Monotonic:
    """An attention whose alignments are those of `monotonic_attention`, and whose scores have a bias.

    Attributes:
      _noise, _noise_seed: the deviation of what is added to the scores, and its seed.
      _bias: what the bias starts with.
      _mode: of `monotonic_attention`.
    """

    def initial_alignments(self, batch_size, dtype):
        """The first step begins at the memory's first place."""
        return tf.one_hot(tf.zeros([batch_size], tf.int32), self.alignments_size, dtype=dtype)

    def _score(self, query):
        scores = super()._score(query)
        return scores + tf.get_variable("attention_score_bias", [], query.dtype, tf.constant_initializer(self._bias))

    def _probability_fn(self, scores, previous):
        scores = self._masked(scores)
        if self._noise > 0:
            with tf.control_dependencies([scores]):  # else a loop may draw for a later step first
                noise = tf.random.normal(tf.shape(scores), dtype=scores.dtype, seed=self._noise_seed)
            scores += self._noise * noise
        is_hard = self._mode == "hard"
        probabilities = tf.cast(scores > 0, scores.dtype) if is_hard else tf.sigmoid(scores)
        return monotonic_attention(probabilities, previous, self._mode)


class BahdanauMonotonicAttention(_Monotonic, BahdanauAttention):
    """`BahdanauAttention` that never looks back, see `monotonic_attention`.

    Args:
      sigmoid_noise, sigmoid_noise_seed: of the scores in training.
      score_bias_init: of the bias of the scores.
    """

    _SCOPE = "bahdanau_monotonic_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        normalize=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name=None,
    ):
        super().__init__(num_units, memory, memory_sequence_length, normalize, None, score_mask_value)
        self._noise, self._noise_seed, self._bias, self._mode = sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode


class LuongMonotonicAttention(_Monotonic, LuongAttention):
    """`LuongAttention` that never looks back; the arguments are those of `BahdanauMonotonicAttention`."""

    _SCOPE = "luong_monotonic_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        scale=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name=None,
    ):
        super().__init__(num_units, memory, memory_sequence_length, scale, None, score_mask_value)
        self._noise, self._noise_seed, self._bias, self._mode = sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode


def hardmax(logits, name=None):
    """1 at the largest logit of the last dimension, and 0 elsewhere: the `probability_fn` that looks at one place."""
    with tf.name_scope(name, "Hardmax", [logits]):
        logits = tf.convert_to_tensor(logits)
        return tf.one_hot(tf.argmax(logits, -1), logits.shape[-1].value or tf.shape(logits)[-1], dtype=logits.dtype)


class AttentionWrapperState(
    collections.namedtuple("State", "cell_state attention time alignments alignment_history attention_state")
):
    """Of an `AttentionWrapper`; `alignment_history` is a TensorArray where it is kept, else ()."""

    def clone(self, **values):
        return self._replace(**values)


def _attend(mechanism, output, state, layer):
    """What is seen of the memory for `output` [batch_size, n], the alignments, and the mechanism's next state."""
    alignments, state = mechanism(output, state)
    context = tf.matmul(alignments[:, None, :], mechanism.values)[:, 0, :]  # [batch_size, n]
    return context if layer is None else layer(tf.concat([output, context], 1)), alignments, state


def _rows(values):
    """The batch size of a tensor, or of the last one in a state."""
    tensor = tf.nest.flatten(values)[-1]
    return tensor.shape[0].value or tf.shape(tensor)[0]


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
      attention_layer: in place of `attention_layer_size`, the layer itself, or a list.
      attention_fn: from a mechanism, the cell's output, the mechanism's state and the layer (or None) to attention,
        alignments and the mechanism's next state; None: `_attend`.
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
        attention_layer=None,
        attention_fn=None,
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        if attention_layer_size is not None and attention_layer is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        self._is_one = not isinstance(attention_mechanism, (list, tuple))
        self._mechanisms = [attention_mechanism] if self._is_one else list(attention_mechanism)
        dense = lambda size: tf.layers.Dense(size, use_bias=False, name="attention_layer")
        sizes = self._one_for_each("attention_layer_size", attention_layer_size)
        self._layers = [dense(size) for size in sizes or []] or self._one_for_each("attention_layer", attention_layer)
        self._widths = sizes or [mechanism.values.shape[-1].value for mechanism in self._mechanisms]
        if attention_layer is not None:
            inputs = [[None, cell.output_size + width] for width in self._widths]
            shapes = [layer.compute_output_shape(shape) for layer, shape in zip(self._layers, inputs)]
            self._widths = [tf.TensorShape(shape)[-1].value for shape in shapes]
        self._cell, self._attend = cell, attention_fn or _attend
        self._cell_input_fn = cell_input_fn or (lambda inputs, attention: tf.concat([inputs, attention], -1))
        self._keeps, self._output_attention, self._initial = alignment_history, output_attention, initial_cell_state
        if initial_cell_state is not None:
            what = "When constructing", "initial_cell_state", "You may need to tile your initial state"
            self._initial = self._checked(initial_cell_state, _rows(initial_cell_state), *what)

    def _one_for_each(self, name, values):
        """`values` as a list with one for each mechanism; None if they are None."""
        if values is None:
            return None
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        if len(values) != len(self._mechanisms):
            counts = f"{len(values)} for {len(self._mechanisms)}"
            raise ValueError(f"If provided, {name} must have exactly one element per attention_mechanism: {counts}")
        return values

    def _checked(self, values, batch_size, when, what, hint):
        """`values`, once it is sure that the memories have `batch_size` rows, as `what` has."""
        message = (
            f"{when} AttentionWrapper {self.name}: Non-matching batch sizes between the memory (encoder output) and "
            f"{what}. Are you using the BeamSearchDecoder? {hint} via tf.contrib.seq2seq.tile_batch."
        )
        checks = [tf.debugging.assert_equal(batch_size, one.batch_size, message=message) for one in self._mechanisms]
        with tf.control_dependencies(checks):
            return tf.nest.map_structure(tf.identity, values)

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
        what = "When calling zero_state of", "the requested batch size", "Your encoder output must have been tiled"
        cell_state = self._checked(cell_state, batch_size, *what)
        alignments = [mechanism.initial_alignments(batch_size, dtype) for mechanism in self._mechanisms]
        states = [mechanism.initial_state(batch_size, dtype) for mechanism in self._mechanisms]
        history = [tf.TensorArray(dtype, 0, dynamic_size=True) if self._keeps else () for _ in alignments]
        attention = tf.zeros([batch_size, sum(self._widths)], dtype)
        each = map(self._each, (alignments, history, states))
        return AttentionWrapperState(cell_state, attention, tf.zeros([], tf.int32), *each)

    def call(self, inputs, state):
        """`inputs` [batch_size, n]; the attention of the state is [batch_size, all attention layers' units]."""
        output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        what = "When applying", "the query (decoder output)", "You may need to tile your memory input"
        output = self._checked(output, _rows(output), *what)
        listed = lambda values: [values] if self._is_one else values
        attentions, alignments, states, histories = [], [], [], []
        layers = self._layers or [None] * len(self._mechanisms)
        before = zip(self._mechanisms, layers, listed(state.attention_state), listed(state.alignment_history))
        for mechanism, layer, attention_state, history in before:
            attention, weights, attention_state = self._attend(mechanism, output, attention_state, layer)
            attentions.append(attention)
            alignments.append(weights)
            states.append(attention_state)
            histories.append(history.write(state.time, weights) if self._keeps else ())
        attention = tf.concat(attentions, 1)
        values = attention, state.time + 1, self._each(alignments), self._each(histories), self._each(states)
        return attention if self._output_attention else output, AttentionWrapperState(cell_state, *values)


SHELF = {
    "AttentionMechanism": AttentionMechanism,
    "_BaseAttentionMechanism": BaseAttentionMechanism,
    "_maybe_mask_score": maybe_mask_score,
    "_compute_attention": _attend,
    "BahdanauAttention": BahdanauAttention,
    "LuongAttention": LuongAttention,
    "BahdanauMonotonicAttention": BahdanauMonotonicAttention,
    "LuongMonotonicAttention": LuongMonotonicAttention,
    "monotonic_attention": monotonic_attention,
    "safe_cumprod": safe_cumprod,
    "hardmax": hardmax,
    "AttentionWrapper": AttentionWrapper,
    "AttentionWrapperState": AttentionWrapperState,
}
