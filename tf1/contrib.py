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
import functools
import json
import re
import types

import numpy as np

from tf1 import (
    attention,
    beam_search,
    buckets,
    cells,
    cells_of_papers,
    decoder_fn,
    legacy_seq2seq,
    rnn,
    seq2seq,
    tf,
    tutorials,
)
from tf1.app import write_file

_CELLS = tf.nn.rnn_cell
_ZEROS = tf.zeros_initializer()
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")  # of contrib.learn


class NeedsCuda:
    """What runs on a GPU alone; to name it is no error, as scripts do that also have another way."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            f"tf.contrib.cudnn_rnn.{type(self).__name__} computes with cuDNN, on a GPU with CUDA alone: take another "
            "cell of the script (the PTB script's --rnn_mode=basic), or tf.contrib.rnn.LSTMBlockCell"
        )


_CUDA = "CudnnLSTM CudnnGRU CudnnRNNTanh CudnnRNNRelu RNNParamsSaveable CudnnLSTMSaveable CudnnGRUSaveable"


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

    def layer(cell_fw, cell_bw, inputs, state_fw, state_bw):
        arguments = sequence_length, state_fw, state_bw, dtype, parallel_iterations, False, time_major
        outputs, states = tf.nn.bidirectional_dynamic_rnn(cell_fw, cell_bw, inputs, *arguments)
        return tf.concat(outputs, axis=2), *states

    return _stack_bidirectional(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def stack_bidirectional_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    scope=None,
):
    """The same over a list of steps, and the outputs are one."""

    def layer(cell_fw, cell_bw, inputs, state_fw, state_bw):
        arguments = state_fw, state_bw, dtype, sequence_length, tf.get_variable_scope()
        return tf.nn.static_bidirectional_rnn(cell_fw, cell_bw, inputs, *arguments)

    return _stack_bidirectional(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def _stack_bidirectional(layer, cells_fw, cells_bw, inputs, states_fw, states_bw, scope):
    nothing, states = [None] * len(cells_fw), []
    layers = zip(cells_fw, cells_bw, states_fw or nothing, states_bw or nothing, strict=True)
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for place, (cell_fw, cell_bw, state_fw, state_bw) in enumerate(layers):
            with tf.variable_scope(f"cell_{place}"):
                inputs, *both = layer(cell_fw, cell_bw, inputs, state_fw, state_bw)
            states.append(both)
    return inputs, *zip(*states)


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


def stack(inputs, layer, stack_args, **kwargs):
    """A layer upon the other, each with its entry of `stack_args` (a tuple: several arguments); all share `kwargs`."""
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Stack", [inputs]):
        name = scope or getattr(getattr(layer, "func", layer), "__name__", "stack")  # `func`: of functools.partial
        for number, args in enumerate(stack_args, start=1):
            args = args if isinstance(args, (list, tuple)) else [args]
            inputs = layer(inputs, *args, scope=f"{name}_{number}", **kwargs)
        return inputs


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


def get_variables(scope=None, suffix=None, collection=tf.GraphKeys.GLOBAL_VARIABLES):
    """`tf.contrib.framework.get_variables`: those of a collection, below a scope, and whose names end with `suffix`."""
    if isinstance(scope, tf.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else f'{suffix}:'}"
    return tf.get_collection(collection, scope)


def _of(module, names):
    return {name: getattr(module, name) for name in names.split()}


def batch_and_drop_remainder(batch_size):
    """`tf.contrib.data.batch_and_drop_remainder`, for `Dataset.apply`."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(batch_size, padded_shapes, padding_values=None):
    """The same of `Dataset.padded_batch`."""
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


_CELL_NAMES = (
    "BasicRNNCell BasicLSTMCell GRUCell LSTMCell LSTMStateTuple RNNCell DropoutWrapper ResidualWrapper DeviceWrapper"
)
_RNNS = "static_rnn static_bidirectional_rnn static_state_saving_rnn"
_STEPS = "get_global_step get_or_create_global_step create_global_step assert_global_step"
_LISTS = "list_variables load_variable load_checkpoint init_from_checkpoint"
_DATASETS = "Dataset Iterator FixedLengthRecordDataset TextLineDataset TFRecordDataset"
_OF_DATASETS = (
    "AUTOTUNE Counter bucket_by_sequence_length dense_to_sparse_batch enumerate_dataset group_by_reducer "
    "group_by_window ignore_errors make_csv_dataset map_and_batch parallel_interleave prefetch_to_device "
    "rejection_resample sample_from_datasets scan shuffle_and_repeat unbatch unique"
)

SHELVES = {
    "rnn": {
        **_of(_CELLS, _CELL_NAMES),
        **_of(tf.nn, _RNNS),
        "MultiRNNCell": cells.MultiRNNCell,
        "LSTMBlockCell": cells.LSTMBlockCell,
        "GRUBlockCell": cells.GRUBlockCell,
        "GRUBlockCellV2": cells.GRUBlockCellV2,
        "LSTMBlockFusedCell": cells.LSTMBlockFusedCell,
        "FusedRNNCellAdaptor": cells.FusedRNNCellAdaptor,
        "TimeReversedFusedRNN": cells.TimeReversedFusedRNN,
        **cells_of_papers.SHELF,
        "OutputProjectionWrapper": rnn.OutputProjectionWrapper,
        "AttentionCellWrapper": cells.AttentionCellWrapper,
        "InputProjectionWrapper": cells.InputProjectionWrapper,
        "stack_bidirectional_rnn": stack_bidirectional_rnn,
        "stack_bidirectional_dynamic_rnn": stack_bidirectional_dynamic_rnn,
        "EmbeddingWrapper": cells.EmbeddingWrapper,
        "_linear": cells.linear,
    },
    "cudnn_rnn": {name: type(name, (NeedsCuda,), {}) for name in _CUDA.split()},
    "seq2seq": {**seq2seq.SHELF, **attention.SHELF, **beam_search.SHELF, **decoder_fn.SHELF},
    "legacy_seq2seq": legacy_seq2seq.SHELF,
    "data": {
        **_of(tf.data, _DATASETS),
        **_of(tf.data.experimental, _OF_DATASETS),
        "batch_and_drop_remainder": batch_and_drop_remainder,
        "padded_batch_and_drop_remainder": padded_batch_and_drop_remainder,
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
        "safe_embedding_lookup_sparse": tf.nn.safe_embedding_lookup_sparse,
        "layer_norm": layer_norm,
        "one_hot_encoding": one_hot_encoding,
        "stack": stack,
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
    "framework": {**_of(tf.train, f"{_STEPS} {_LISTS}"), "get_variables": get_variables, "nest": tf.nest},
    "training": {"HParams": HParams, **buckets.SHELF},
    "compiler": {"jit": types.SimpleNamespace(experimental_jit_scope=tf.xla.experimental.jit_scope)},
    "learn": {
        "read_data_sets": tutorials.read_data_sets,
        "run_n": run_n,
        "ModeKeys": types.SimpleNamespace(TRAIN="train", EVAL="eval", INFER="infer"),
        "preprocessing": types.SimpleNamespace(VocabularyProcessor=VocabularyProcessor),
    },
}
