"""The shelf: what RNN scripts used of `tf.contrib`, which TensorFlow 2 does not have.

    from tf1 import tf
    cell = tf.contrib.rnn.LSTMBlockCell(200)

`SHELVES` has the names, a dict for each package of contrib. What TensorFlow still has under another name is listed
there; the rest is written here, with the arguments and the names of variables of TensorFlow 1.15, so that old
checkpoints load. A name is added by a line in `SHELVES`, and a function or class above it. Only what scripts ask for is
here.

Source: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib
"""

import collections
import copy
import functools
import inspect
import json
import re
import types

import numpy as np

from tf1 import rnn, seq2seq, tf, tutorials
from tf1.app import write_file

_CELLS = tf.nn.rnn_cell
_ZEROS = tf.zeros_initializer()
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")  # of contrib.learn


class _State(tuple):
    """The states of layers; until TF 0.9 they were one tensor, whose initial value scripts ask for."""

    def __new__(cls, *states):
        """`states` are the elements, or one list of them: `tf.nest` makes tuples so, and sessions the other way."""
        is_list = len(states) == 1 and type(states[0]) is list
        return super().__new__(cls, states[0] if is_list else states)

    def __getnewargs__(self):
        return tuple(self)

    def eval(self, feed_dict=None, session=None):
        return (session or tf.get_default_session()).run(self, feed_dict)


def unbuilt(cell):
    """A cell with the same settings, and without variables. (`copy.deepcopy` would copy the graph of a built one.)"""

    def copied(value):
        if hasattr(value, "zero_state"):
            return unbuilt(value)
        if isinstance(value, (list, tuple)) and value and all(hasattr(item, "zero_state") for item in value):
            cells = map(unbuilt, value)
            return tuple(cells) if isinstance(value, tuple) else list(cells)
        return list(value) if isinstance(value, list) else value

    new = copy.copy(cell)
    for name, value in vars(cell).items():
        # What Keras and TensorFlow's layers note of variables that were made.
        new.__dict__[name] = [] if isinstance(value, list) and "weights" in name else copied(value)
    new.__dict__.update(dict.fromkeys({"built", "_built"} & {*vars(cell)}, False))
    new.__dict__.update(dict.fromkeys({"_scope", "_current_scope", "rnncell_scope"} & {*vars(cell)}))
    return new


class MultiRNNCell(_CELLS.MultiRNNCell):
    """Layers of cells; a cell that is there several times, `[cell] * n`, makes layers with weights of their own.

    So it was until TF 1.1, and so the scripts mean it. TF 1.15 shares the weights if the sizes allow that, else fails.
    """

    computed_as = _CELLS.MultiRNNCell  # by rnn.py

    def __init__(self, cells, state_is_tuple=True):
        if tf.nest.is_nested(cells):
            cells = list(cells)
            cells = [unbuilt(cell) if cells.count(cell) > 1 else cell for cell in cells]
        super().__init__(cells, state_is_tuple)

    def zero_state(self, batch_size, dtype):
        state = super().zero_state(batch_size, dtype)
        return _State(*state) if type(state) is tuple else state

    def call(self, inputs, state):
        output, new_state = super().call(inputs, state)
        return output, type(state)(list(new_state)) if isinstance(state, tuple) else new_state


class LSTMBlockCell(_CELLS.LSTMCell):
    """An LSTM cell whose variables are `lstm_cell/kernel` and `lstm_cell/bias`; in TF 1.x each step was one kernel.

    With `cell_clip` that kernel let the gradient through where it clipped; here, as in LSTMCell, it ends there.
    """

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        cell_clip=None,
        use_peephole=False,
        dtype=None,
        reuse=None,
        name="lstm_cell",
    ):
        clip = cell_clip if cell_clip is not None and cell_clip > 0 else None  # TF 1.x: -1 is none
        super().__init__(num_units, use_peephole, clip, forget_bias=forget_bias, reuse=reuse, name=name, dtype=dtype)


class NASCell(_CELLS.RNNCell):
    """The recurrent cell that an architecture search found.

    Source: Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning", https://arxiv.org/abs/1611.01578
    """

    def __init__(self, num_units, num_proj=None, use_bias=False, reuse=None, use_biases=None, **kwargs):
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units, self._num_proj, self._use_bias = num_units, num_proj, use_bias or use_biases

    @property
    def output_size(self):
        return self._num_proj or self._num_units

    @property
    def state_size(self):
        return _CELLS.LSTMStateTuple(self._num_units, self.output_size)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size]; c of the state is [batch_size, num_units], h as large as the output."""
        c, h = state
        width, dtype = 8 * self._num_units, inputs.dtype
        of_h = tf.matmul(h, tf.get_variable("recurrent_kernel", [self.output_size, width], dtype))
        of_inputs = tf.matmul(inputs, tf.get_variable("kernel", [inputs.shape[1].value, width], dtype))
        if self._use_bias:
            of_h += tf.get_variable("bias", [width], dtype, tf.zeros_initializer())
        pairs = list(zip(tf.split(of_inputs, 8, axis=1), tf.split(of_h, 8, axis=1)))
        activations = tf.sigmoid, tf.nn.relu, tf.sigmoid, tf.nn.relu, tf.tanh, tf.sigmoid, tf.tanh, tf.sigmoid
        first = [
            activation(x * h if place == 3 else x + h)
            for place, (activation, (x, h)) in enumerate(zip(activations, pairs))
        ]
        second = [tf.tanh(first[0] * first[1]), tf.tanh(first[2] + first[3]), tf.tanh(first[4] * first[5])]
        second.append(tf.sigmoid(first[6] + first[7]))
        c = tf.tanh(second[0] + c) * second[1]
        h = tf.tanh(c * tf.tanh(second[2] + second[3]))
        if self._num_proj:
            h = tf.matmul(h, tf.get_variable("projection_weights", [self._num_units, self._num_proj], dtype))
        return h, _CELLS.LSTMStateTuple(c, h)


class LayerNormBasicLSTMCell(_CELLS.RNNCell):
    """An LSTM cell whose gates and memory are normalised over their units, with dropout on what is added to it.

    Source: Ba, Kiros and Hinton 2016, "Layer Normalization", https://arxiv.org/abs/1607.06450; of the dropout
    Semeniuta, Severyn and Barth 2016, "Recurrent Dropout without Memory Loss", https://arxiv.org/abs/1603.05118
    """

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        input_size=None,
        activation=tf.tanh,
        layer_norm=True,
        norm_gain=1.0,
        norm_shift=0.0,
        dropout_keep_prob=1.0,
        dropout_prob_seed=None,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._forget_bias, self._activation = num_units, forget_bias, activation
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed

    output_size = property(lambda self: self._num_units)
    state_size = property(lambda self: _CELLS.LSTMStateTuple(self._num_units, self._num_units))

    def _norm(self, values, scope):
        if not self._layer_norm:
            return values
        with tf.variable_scope(scope):  # made here, since they do not begin with 1 and 0
            for name, value in (("gamma", self._gain), ("beta", self._shift)):
                tf.get_variable(name, [self._num_units], values.dtype, tf.constant_initializer(value))
        return layer_norm(values, reuse=True, scope=scope)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size]; c and h of the state are [batch_size, num_units]."""
        c, h = state
        bias_initializer = tf.get_variable_scope().initializer or tf.glorot_uniform_initializer()
        products = linear([inputs, h], 4 * self._num_units, not self._layer_norm, bias_initializer)
        names = "input", "transform", "forget", "output"
        i, j, f, o = (self._norm(values, name) for values, name in zip(tf.split(products, 4, axis=1), names))
        g = self._activation(j)
        if not isinstance(self._keep_prob, (int, float)) or self._keep_prob < 1:
            g = tf.nn.dropout(g, self._keep_prob, seed=self._seed)
        c = self._norm(c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * g, "state")
        h = self._activation(c) * tf.sigmoid(o)
        return h, _CELLS.LSTMStateTuple(c, h)


class InputProjectionWrapper(_CELLS.RNNCell):
    """A cell whose inputs go through a dense layer of `num_proj` units first."""

    def __init__(self, cell, num_proj, activation=None, input_size=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell, self._num_proj, self._activation = cell, num_proj, activation
        self.zero_state = cell.zero_state

    state_size = property(lambda self: self._cell.state_size)
    output_size = property(lambda self: self._cell.output_size)

    def call(self, inputs, state):
        projected = linear(inputs, self._num_proj, bias=True)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class EmbeddingWrapper(_CELLS.RNNCell):
    """A cell whose inputs are ids, [batch_size] or [batch_size, 1], of rows of an embedding."""

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell, self._shape, self._initializer = cell, [embedding_classes, embedding_size], initializer
        self.zero_state = cell.zero_state

    state_size = property(lambda self: self._cell.state_size)
    output_size = property(lambda self: self._cell.output_size)

    def call(self, inputs, state):
        with tf.device("/cpu:0"):
            initializer = self._initializer or tf.get_variable_scope().initializer
            initializer = initializer or tf.random_uniform_initializer(-(3**0.5), 3**0.5)  # variance 1
            embedding = tf.get_variable("embedding", self._shape, initializer=initializer)
            inputs = tf.nn.embedding_lookup(embedding, tf.reshape(inputs, [-1]))
        return self._cell(inputs, state)


def linear(args, output_size, bias, bias_initializer=None, kernel_initializer=None, scope=None, bias_start=0.0):
    """`rnn_cell_impl._linear`: tensors [batch_size, n], one or a list, side by side, times one matrix, plus the bias.

    Until TF 1.1 the fourth argument was a number, what the bias starts with.
    """
    args = args if isinstance(args, (list, tuple)) else [args]
    if isinstance(bias_initializer, (int, float)):
        bias_initializer, bias_start = None, bias_initializer
    with tf.variable_scope(scope or tf.get_variable_scope()):
        shape = [sum(arg.shape[1].value for arg in args), output_size]
        kernel = tf.get_variable("kernel", shape, dtype=args[0].dtype, initializer=kernel_initializer)
        product = tf.matmul(tf.concat(args, axis=1), kernel)
        if not bias:
            return product
        initializer = bias_initializer or tf.constant_initializer(bias_start)
        return product + tf.get_variable("bias", [output_size], dtype=args[0].dtype, initializer=initializer)


class Linear:
    """`rnn_cell_impl._Linear`: `linear` with variables that are made once, by an object."""

    def __init__(self, args, output_size, build_bias, bias_initializer=None, kernel_initializer=None):
        self._arguments = output_size, build_bias, bias_initializer, kernel_initializer
        linear(args, *self._arguments)  # makes them
        self._scope = tf.get_variable_scope()

    def __call__(self, args):
        with tf.variable_scope(self._scope, reuse=True):
            return linear(args, *self._arguments)


class NeedsCuda:
    """What runs on a GPU alone; to name it is no error, as scripts do that also have another way."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            f"tf.contrib.cudnn_rnn.{type(self).__name__} computes with cuDNN, on a GPU with CUDA alone: take another "
            "cell of the script (the PTB script's --rnn_mode=basic), or tf.contrib.rnn.LSTMBlockCell"
        )


_CUDA = "CudnnLSTM CudnnGRU CudnnRNNTanh CudnnRNNRelu RNNParamsSaveable CudnnLSTMSaveable CudnnGRUSaveable"


def _losses(labels, logits, softmax_loss_function):
    """The cross-entropy, by the script's own function, whose arguments have changed their names and their order."""
    if softmax_loss_function is None:
        labels = tf.reshape(labels, [-1])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    first, *rest = inspect.signature(softmax_loss_function).parameters
    if {"labels", "logits"} <= {first, *rest}:
        return softmax_loss_function(labels=labels, logits=logits)
    return softmax_loss_function(*((logits, labels) if first in ("inputs", "logits") else (labels, logits)))


def stack_bidirectional_dynamic_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    parallel_iterations=None,
    time_major=False,
    scope=None,
):
    """Bidirectional layers, each over both outputs of the one below, side by side.

    Returns:
      The top layer's outputs, and for each direction a tuple of the layers' final states.
    """
    nothing, states = [None] * len(cells_fw), []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        layers = zip(cells_fw, cells_bw, initial_states_fw or nothing, initial_states_bw or nothing)
        for place, (cell_fw, cell_bw, state_fw, state_bw) in enumerate(layers):
            with tf.variable_scope(f"cell_{place}"):
                arguments = sequence_length, state_fw, state_bw, dtype, parallel_iterations, False, time_major
                outputs, state = tf.nn.bidirectional_dynamic_rnn(cell_fw, cell_bw, inputs, *arguments)
                inputs = tf.concat(outputs, axis=2)
            states.append(state)
    return inputs, *zip(*states)


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """`tf.contrib.seq2seq.sequence_loss`: the weighted cross-entropy in nats, averaged over what is asked.

    Args:
      logits, targets, weights: [batch_size, T, classes], [batch_size, T] and [batch_size, T].
      softmax_loss_function: takes `labels` and `logits`, [batch_size * T] and [batch_size * T, classes].
    Returns:
      A scalar; [batch_size] or [T] where one average alone is asked, [batch_size, T] without any.
    """
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        labels, flat = tf.reshape(targets, [-1]), tf.reshape(logits, [-1, tf.shape(logits)[2]])
        losses = tf.reshape(_losses(labels, flat, softmax_loss_function), tf.shape(targets)) * weights
        axes = [
            axis for axis, is_averaged in enumerate((average_across_batch, average_across_timesteps)) if is_averaged
        ]
        if not axes:
            return losses
        sums = tf.reduce_sum(losses, axes)
        # PTB's form, a mean over the batch alone: a weight that is 0 in all rows makes a step's loss 0.
        return tf.div_no_nan(sums, tf.reduce_sum(weights, axes))


def sequence_loss_by_example(
    logits, targets, weights, average_across_timesteps=True, softmax_loss_function=None, name=None
):
    """The losses, [batch_size], of lists with a tensor for each time step: [batch_size, classes], and [batch_size]."""
    if not len(logits) == len(targets) == len(weights):
        raise ValueError(f"{len(logits)} logits, {len(targets)} targets, {len(weights)} weights: there must be as many")
    with tf.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = [_losses(y, x, softmax_loss_function) * w for x, y, w in zip(logits, targets, weights)]
        loss = tf.add_n(losses)
        return loss / (tf.add_n(weights) + 1e-12) if average_across_timesteps else loss


def legacy_sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """`tf.contrib.legacy_seq2seq.sequence_loss`: the sum of `sequence_loss_by_example`, or its mean over the batch."""
    losses = sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function, name)
    cost = tf.reduce_sum(losses)
    return cost / tf.cast(tf.shape(targets[0])[0], cost.dtype) if average_across_batch else cost


def rnn_decoder(decoder_inputs, initial_state, cell, loop_function=None, scope=None):
    """Outputs, a list, and final state of a cell over a list of inputs [batch_size, n].

    `loop_function(output, step)` makes each input but the first from the output before it, where it is given.
    """
    with tf.variable_scope(scope or "rnn_decoder"):
        state, outputs = initial_state, []
        for step, inputs in enumerate(decoder_inputs):
            if loop_function and outputs:
                with tf.variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            if step > 0:
                tf.get_variable_scope().reuse_variables()
            output, state = cell(inputs, state)
            outputs.append(output)
    return outputs, state


def basic_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, dtype=tf.float32, scope=None):
    """A cell reads lists of inputs; another like it starts from the state. Returns the second's outputs and state."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = tf.nn.static_rnn(unbuilt(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def embedding_rnn_decoder(
    decoder_inputs,
    initial_state,
    cell,
    num_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    scope=None,
):
    """`rnn_decoder` over ids, [batch_size] each; with `feed_previous` a step reads the likeliest id of the last."""
    with tf.variable_scope(scope or "embedding_rnn_decoder"):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])

        def likeliest(output, step):
            if output_projection is not None:
                output = tf.nn.xw_plus_b(output, *output_projection)
            embedded = tf.nn.embedding_lookup(embedding, tf.argmax(output, 1))
            return embedded if update_embedding_for_previous else tf.stop_gradient(embedded)

        inputs = [tf.nn.embedding_lookup(embedding, ids) for ids in decoder_inputs]
        return rnn_decoder(inputs, initial_state, cell, likeliest if feed_previous else None)


def embedding_rnn_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
):
    """Encoder and decoder over lists of ids; returns outputs, which are logits without a projection, and the state."""
    with tf.variable_scope(scope or "embedding_rnn_seq2seq"):
        encoder = EmbeddingWrapper(unbuilt(cell), num_encoder_symbols, embedding_size)
        _, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=dtype or tf.float32)
        if output_projection is None:
            cell = rnn.OutputProjectionWrapper(cell, num_decoder_symbols)
        arguments = decoder_inputs, state, cell, num_decoder_symbols, embedding_size, output_projection
        if isinstance(feed_previous, bool):
            return embedding_rnn_decoder(*arguments, feed_previous)

        def decoder(feeds_previous):
            with tf.variable_scope(tf.get_variable_scope(), reuse=None if feeds_previous else True):
                outputs, state = embedding_rnn_decoder(*arguments, feeds_previous, update_embedding_for_previous=False)
                return outputs + tf.nest.flatten(state)

        found = tf.cond(feed_previous, lambda: decoder(True), lambda: decoder(False))
        count = len(decoder_inputs)
        return found[:count], tf.nest.pack_sequence_as(state, found[count:])


def crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params):
    """The unnormalized log-probability of tags, [batch_size]: their inputs, and the transitions between them.

    Args:
      inputs, tag_indices, sequence_lengths: [batch_size, T, tags], [batch_size, T] and [batch_size].
      transition_params: [tags, tags], from a tag (row) to the next one.
    """
    mask = tf.sequence_mask(sequence_lengths, tf.shape(inputs)[1], inputs.dtype)
    unary = tf.gather(inputs, tag_indices, batch_dims=2)
    binary = tf.gather_nd(transition_params, tf.stack([tag_indices[:, :-1], tag_indices[:, 1:]], axis=2))
    return tf.reduce_sum(unary * mask, 1) + tf.reduce_sum(binary * mask[:, 1:], 1)


def crf_log_norm(inputs, sequence_lengths, transition_params):
    """The logarithm of the sum over all tags of their exponentiated scores, [batch_size], by the forward algorithm."""

    def forward(alpha, elements):
        step, scores = elements
        new = scores + tf.reduce_logsumexp(alpha[:, :, None] + transition_params, 1)
        return tf.where(tf.tile((step < lengths)[:, None], [1, tf.shape(alpha)[1]]), new, alpha)

    lengths, sequence = tf.cast(sequence_lengths, tf.int32), tf.transpose(inputs, [1, 0, 2])
    alpha = tf.foldl(forward, (tf.range(1, tf.shape(sequence)[0]), sequence[1:]), initializer=sequence[0])
    log_norm = tf.reduce_logsumexp(alpha, 1)
    return tf.where(lengths > 0, log_norm, tf.zeros_like(log_norm))


def crf_log_likelihood(inputs, tag_indices, sequence_lengths, transition_params=None):
    """The log-probability of tags, [batch_size], by a linear-chain conditional random field, and its transitions."""
    if transition_params is None:
        transition_params = tf.get_variable("transitions", [inputs.shape[2].value] * 2)
    score = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return score - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def crf_decode(potentials, transition_params, sequence_length):
    """The likeliest tags, int32 [batch_size, T] with 0 after each sequence's end, and their scores, [batch_size]."""
    lengths, sequence = tf.cast(sequence_length, tf.int32), tf.transpose(potentials, [1, 0, 2])
    is_first_or_over = lambda step: tf.tile(
        (tf.equal(step, 0) | (step >= lengths))[:, None], [1, tf.shape(sequence)[2]]
    )
    same = tf.zeros_like(sequence[0], tf.int32) + tf.range(tf.shape(sequence)[2])

    def forward(state, elements):
        (alpha, _), (step, scores) = state, elements
        sums = alpha[:, :, None] + transition_params
        stays = is_first_or_over(step)
        before = tf.where(stays, same, tf.argmax(sums, 1, output_type=tf.int32))
        return tf.where(stays, alpha, scores + tf.reduce_max(sums, 1)), before

    steps = tf.range(tf.shape(sequence)[0])
    alphas, before = tf.scan(forward, (steps, sequence), initializer=(sequence[0], same))
    last = tf.argmax(alphas[-1], 1, output_type=tf.int32)
    # The tag before each tag, from the end on; the pointers of the first step lead nowhere.
    tags = tf.scan(lambda tag, pointers: tf.gather(pointers, tag, batch_dims=1), before[::-1], initializer=last)
    tags = tf.transpose(tf.concat([tags[:-1][::-1], last[None]], axis=0))
    return tags * tf.sequence_mask(lengths, tf.shape(tags)[1], tf.int32), tf.reduce_max(alphas[-1], 1)


def viterbi_decode(score, transition_params):
    """The same for one sequence, arrays [T, tags] and [tags, tags]: a list of T tags, and their score."""
    best, before = np.array(score[0]), []
    for scores in score[1:]:
        sums = best[:, None] + transition_params
        before.append(np.argmax(sums, axis=0))
        best = scores + np.max(sums, axis=0)
    tags = [int(np.argmax(best))]
    for pointers in before[::-1]:
        tags.append(int(pointers[tags[-1]]))
    return tags[::-1], np.max(best)


def _check_others(name, others, *harmless):
    """TypeError where a script gives an argument that the shelf lacks a value that changes what is computed."""
    wanted = [key for key, value in others.items() if value not in (None, False) and key not in harmless]
    if wanted:
        raise TypeError(f"tf.contrib.{name} on the shelf takes no {', '.join(wanted)}: see docs/old_scripts.md")


def fully_connected(
    inputs,
    num_outputs,
    activation_fn=tf.nn.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=None,
    weights_regularizer=None,
    biases_initializer=_ZEROS,  # None is no bias
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    trainable=True,
    scope=None,
):
    """A dense layer, ReLU by default, on the last axis of `inputs`; its variables are `weights` and `biases`."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse):
        options = {"dtype": inputs.dtype, "trainable": trainable, "collections": variables_collections}
        size = inputs.shape[-1].value
        initializer = weights_initializer or xavier_initializer()
        weights = tf.get_variable(
            "weights", [size, num_outputs], initializer=initializer, regularizer=weights_regularizer, **options
        )
        outputs = tf.matmul(inputs, weights) if inputs.shape.ndims == 2 else tf.tensordot(inputs, weights, 1)
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        elif biases_initializer is not None:
            outputs += tf.get_variable(
                "biases", [num_outputs], initializer=biases_initializer, regularizer=biases_regularizer, **options
            )
        return outputs if activation_fn is None else activation_fn(outputs)


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """The rows of an embedding, [batch_size, T, embed_dim], of ids [batch_size, T]."""
    if not (reuse or vocab_size and embed_dim):
        raise ValueError(f"embed_sequence needs vocab_size and embed_dim where it does not reuse, not {vocab_size!r}")
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim] if vocab_size and embed_dim else None
        options = {"initializer": initializer, "regularizer": regularizer, "trainable": trainable}
        return tf.nn.embedding_lookup(tf.get_variable("embeddings", shape, **options), ids)


def layer_norm(inputs, center=True, scale=True, activation_fn=None, reuse=None, trainable=True, scope=None, **others):
    """Normalises each row of `inputs` over all axes but the first; its variables are of the last axis."""
    _check_others("layers.layer_norm", others)
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse):
        shape, options = inputs.shape[-1:], {"dtype": inputs.dtype, "trainable": trainable}
        beta = tf.get_variable("beta", shape, initializer=_ZEROS, **options) if center else None
        gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer(), **options) if scale else None
        mean, variance = tf.nn.moments(inputs, list(range(1, inputs.shape.ndims)), keep_dims=True)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)
        return activation_fn(outputs) if activation_fn else outputs


def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """Integers [batch_size] as rows of `num_classes` numbers."""
    _check_others("layers.one_hot_encoding", {"outputs_collections": outputs_collections})
    with tf.name_scope(scope, "OneHotEncoding", [labels]):
        return tf.one_hot(tf.cast(labels, tf.int64), num_classes, on_value, off_value)


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Glorot and Bengio's: a variance of 2 / (inputs + outputs)."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32):
    """A variance of factor / fan; the default is He's."""
    distribution = "uniform" if uniform else "truncated_normal"
    return tf.variance_scaling_initializer(factor, mode.lower(), distribution, seed, dtype)


def l2_regularizer(scale, scope=None):
    """scale times half the sum of a variable's squares; None where the scale is 0."""
    return (lambda weights: scale * tf.nn.l2_loss(weights)) if scale else lambda weights: None


def l1_regularizer(scale, scope=None):
    """scale times the sum of a variable's absolute values; None where the scale is 0."""
    return (lambda weights: scale * tf.reduce_sum(tf.abs(weights))) if scale else lambda weights: None


def apply_regularization(regularizer, weights_list=None):
    """The sum of the regularizer's losses, which are collected, over `weights_list`, or the collection WEIGHTS."""
    weights = tf.get_collection(tf.GraphKeys.WEIGHTS) if weights_list is None else weights_list
    losses = [loss for loss in map(regularizer, weights) if loss is not None]
    for loss in losses:
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, loss)
    return tf.add_n(losses) if losses else tf.constant(0.0)


def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, scope=None, seed=None, **others):
    """`tf.nn.dropout` where `is_training`, a bool or a tensor []."""
    _check_others("layers.dropout", others)
    return tf.layers.dropout(inputs, 1 - keep_prob, noise_shape, seed, is_training, name=scope)


def batch_norm(
    inputs,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    activation_fn=None,
    updates_collections=tf.GraphKeys.UPDATE_OPS,
    is_training=True,
    reuse=None,
    trainable=True,
    scope=None,
    **others,
):
    """Batch normalization over all axes but the last; `updates_collections=None` makes its output update the means."""
    _check_others("layers.batch_norm", others, "fused")
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as layer_scope:
        layer = tf.layers.BatchNormalization(
            -1, decay, epsilon, center, scale, trainable=trainable, _scope=layer_scope, _reuse=reuse
        )
        outputs = layer.apply(inputs, training=is_training)
    if updates_collections is None:
        with tf.control_dependencies(layer.updates):
            outputs = tf.identity(outputs)
    elif updates_collections != tf.GraphKeys.UPDATE_OPS:  # where the layer itself puts them
        for update in layer.updates:
            tf.add_to_collections(updates_collections, update)
    return activation_fn(outputs) if activation_fn else outputs


def flatten(inputs, scope=None, **others):
    """[batch_size, ...] as [batch_size, n]."""
    _check_others("layers.flatten", others)
    return tf.layers.flatten(inputs, name=scope)


def optimize_loss(
    loss,
    global_step,
    learning_rate,
    optimizer,
    clip_gradients=None,
    learning_rate_decay_fn=None,
    variables=None,
    name=None,
    **others,
):
    """A training operation, which returns the loss, with an optimizer by its name, class or object."""
    _check_others("layers.optimize_loss", others, "summaries")
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        global_step = tf.train.get_or_create_global_step() if global_step is None else global_step
        if learning_rate_decay_fn is not None:
            learning_rate = learning_rate_decay_fn(learning_rate, global_step)
        if isinstance(optimizer, str):
            optimizer = getattr(tf.train, f"{'GradientDescent' if optimizer == 'SGD' else optimizer}Optimizer")
        if callable(optimizer):
            optimizer = optimizer(learning_rate)
        gradients = [pair for pair in optimizer.compute_gradients(loss, variables) if pair[0] is not None]
        if clip_gradients is not None:
            clipped, _ = tf.clip_by_global_norm([gradient for gradient, _ in gradients], clip_gradients)
            gradients = list(zip(clipped, [variable for _, variable in gradients]))
        with tf.control_dependencies([optimizer.apply_gradients(gradients, global_step)]):
            return tf.identity(loss)


class HParams:
    """`tf.contrib.training.HParams`: hyperparameters as attributes."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __contains__(self, name):
        return name in self.__dict__

    def add_hparam(self, name, value):
        setattr(self, name, value)

    def set_hparam(self, name, value):
        self._check(name)
        setattr(self, name, value)

    def _check(self, name):
        if name not in self:
            raise ValueError(f"there is no hyperparameter {name}: there are {', '.join(self.__dict__)}")

    def get(self, name, default=None):
        return self.__dict__.get(name, default)

    def values(self):
        return dict(self.__dict__)

    def to_json(self, indent=None, separators=None, sort_keys=False):
        return json.dumps(self.__dict__, indent=indent, separators=separators, sort_keys=sort_keys)

    def override_from_dict(self, values):
        for name, value in values.items():
            self.set_hparam(name, value)
        return self

    def parse(self, text):
        """Replaces values from "name=value,name=[value,value]", each read as the type that is there."""
        pair = r"\s*(\w+)\s*=\s*(\[[^\]]*\]|[^,\[\]]*)"
        if not re.fullmatch(f"({pair}(,|$))*", text):
            raise ValueError(f"cannot read the hyperparameters {text!a}: name=value,name=[value,value] is expected")
        for name, value in re.findall(pair, text):
            self._check(name)
            setattr(self, name, self._read(value, getattr(self, name)))
        return self

    def _read(self, text, old):
        if isinstance(old, list):
            first = old[0] if old else ""
            return [self._read(part.strip(), first) for part in text.strip("[]").split(",") if part.strip()]
        if isinstance(old, bool):
            return text.strip().lower() in ("true", "1")
        return text.strip() if old is None else type(old)(text.strip())


class VocabularyProcessor:
    """`tf.contrib.learn.preprocessing.VocabularyProcessor`: texts as ids of their words, 0 for what is unknown.

    Attributes:
      vocabulary_: has a length; `_mapping` is the ids by word.
    """

    def __init__(self, max_document_length, min_frequency=0, vocabulary=None, tokenizer_fn=None):
        self.max_document_length, self._min_frequency = max_document_length, min_frequency
        self._split = tokenizer_fn or (lambda texts: map(_WORD.findall, texts))
        self.vocabulary_ = vocabulary or _Vocabulary()

    def fit(self, raw_documents, unused_y=None):
        counts = collections.Counter(word for words in self._split(raw_documents) for word in words)
        self.vocabulary_.add(word for word, count in counts.items() if count > self._min_frequency)
        return self

    def transform(self, raw_documents):
        """Yields the ids of each text, int64 [max_document_length], filled up with zeros."""
        for words in self._split(raw_documents):
            ids = [self.vocabulary_.get(word) for word in words][: self.max_document_length]
            yield np.array(ids + [0] * (self.max_document_length - len(ids)), np.int64)

    def fit_transform(self, raw_documents, unused_y=None):
        raw_documents = list(raw_documents)
        return self.fit(raw_documents).transform(raw_documents)

    def save(self, filename):
        words = {"max_document_length": self.max_document_length, "words": list(self.vocabulary_._mapping)[1:]}
        write_file(filename, json.dumps(words))

    @classmethod
    def restore(cls, filename):
        with open(filename, encoding="utf-8") as file:
            saved = json.load(file)
        processor = cls(saved["max_document_length"])
        processor.vocabulary_.add(saved["words"])
        return processor


class _Vocabulary:
    def __init__(self):
        self._mapping = {"<UNK>": 0}

    def __len__(self):
        return len(self._mapping)

    def add(self, words):
        for word in words:
            self._mapping.setdefault(word, len(self._mapping))

    def get(self, word):
        return self._mapping.get(word, 0)


def run_n(output_dict, feed_dict=None, restore_checkpoint_path=None, n=1):
    """`tf.contrib.learn.run_n`: what `n` runs of a dict of tensors give, a list of dicts, in a session of its own.

    The variables are restored from a checkpoint, or initialised, and the queues started.
    """
    with tf.Session() as session:
        if restore_checkpoint_path:
            tf.train.Saver().restore(session, restore_checkpoint_path)
        else:
            session.run(tf.global_variables_initializer())
        session.run([tf.local_variables_initializer(), tf.tables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        results = [session.run(output_dict, feed_dict) for _ in range(n)]
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=5, ignore_live_threads=True)
        return results


def _of(module, names):
    return {name: getattr(module, name) for name in names.split()}


_CELL_NAMES = (
    "BasicRNNCell BasicLSTMCell GRUCell LSTMCell LSTMStateTuple RNNCell DropoutWrapper ResidualWrapper DeviceWrapper"
)
_RNNS = "static_rnn static_bidirectional_rnn static_state_saving_rnn"
_STEPS = "get_global_step get_or_create_global_step create_global_step assert_global_step"
_LISTS = "list_variables load_variable load_checkpoint init_from_checkpoint"

SHELVES = {
    "rnn": {
        **_of(_CELLS, _CELL_NAMES),
        **_of(tf.nn, _RNNS),
        "MultiRNNCell": MultiRNNCell,
        "LSTMBlockCell": LSTMBlockCell,
        "NASCell": NASCell,
        "LayerNormBasicLSTMCell": LayerNormBasicLSTMCell,
        "OutputProjectionWrapper": rnn.OutputProjectionWrapper,
        "InputProjectionWrapper": InputProjectionWrapper,
        "stack_bidirectional_dynamic_rnn": stack_bidirectional_dynamic_rnn,
        "EmbeddingWrapper": EmbeddingWrapper,
        "_linear": linear,
    },
    "cudnn_rnn": {name: type(name, (NeedsCuda,), {}) for name in _CUDA.split()},
    "seq2seq": {"sequence_loss": sequence_loss, **seq2seq.SHELF},
    "legacy_seq2seq": {
        "sequence_loss_by_example": sequence_loss_by_example,
        "sequence_loss": legacy_sequence_loss,
        "rnn_decoder": rnn_decoder,
        "basic_rnn_seq2seq": basic_rnn_seq2seq,
        "embedding_rnn_decoder": embedding_rnn_decoder,
        "embedding_rnn_seq2seq": embedding_rnn_seq2seq,
    },
    "crf": {
        "crf_log_likelihood": crf_log_likelihood,
        "crf_sequence_score": crf_sequence_score,
        "crf_log_norm": crf_log_norm,
        "crf_decode": crf_decode,
        "viterbi_decode": viterbi_decode,
    },
    "layers": {
        "fully_connected": fully_connected,
        "linear": functools.partial(fully_connected, activation_fn=None),
        "embed_sequence": embed_sequence,
        "layer_norm": layer_norm,
        "one_hot_encoding": one_hot_encoding,
        "l1_regularizer": l1_regularizer,
        "xavier_initializer": xavier_initializer,
        "xavier_initializer_conv2d": xavier_initializer,
        "variance_scaling_initializer": variance_scaling_initializer,
        "l2_regularizer": l2_regularizer,
        "apply_regularization": apply_regularization,
        "dropout": dropout,
        "batch_norm": batch_norm,
        "flatten": flatten,
        "optimize_loss": optimize_loss,
    },
    "framework": {**_of(tf.train, f"{_STEPS} {_LISTS}"), "nest": tf.nest},
    "training": {"HParams": HParams},
    "learn": {
        "read_data_sets": tutorials.read_data_sets,
        "run_n": run_n,
        "ModeKeys": types.SimpleNamespace(TRAIN="train", EVAL="eval", INFER="infer"),
        "preprocessing": types.SimpleNamespace(VocabularyProcessor=VocabularyProcessor),
    },
}
