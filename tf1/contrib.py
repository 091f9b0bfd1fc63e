"""The shelf: what RNN scripts used of `tf.contrib`, which TensorFlow 2 does not have.

    from tf1 import tf
    cell = tf.contrib.rnn.LSTMBlockCell(200)

`SHELVES` has the names, a dict for each package of contrib. What TensorFlow still has under another name is listed
there; the rest is written here, with the arguments and the names of variables of TensorFlow 1.15, so that old
checkpoints load. A name is added by a line in `SHELVES`, and a function or class above it. Only what scripts ask for is
here.

Source: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib
"""

import types

import numpy as np

from tf1 import (
    attention,
    beam_search,
    buckets,
    cells,
    cells_of_papers,
    contrib_layers,
    decoder_fn,
    distributions,
    estimator,
    hparams,
    legacy_seq2seq,
    seq2seq,
    tf,
    tutorials,
    vocabulary_processor,
)

_CELLS = tf.nn.rnn_cell


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
    swap_memory=False,
):
    """Bidirectional layers, each over both outputs of the one below, side by side.

    Returns:
      The top layer's outputs, and for each direction a tuple of the layers' final states.
    """

    def layer(cell_fw, cell_bw, inputs, state_fw, state_bw):
        arguments = sequence_length, state_fw, state_bw, dtype, parallel_iterations, swap_memory, time_major
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
    for name, cells_of, states_of in ("fw", cells_fw, states_fw), ("bw", cells_bw, states_bw):
        if not cells_of:
            raise ValueError(f"Must specify at least one {name} cell for BidirectionalRNN")
        if not isinstance(cells_of, list):
            raise ValueError(f"cells_{name} must be a list of RNNCells, one for each layer, not {type(cells_of)}")
        if len(cells_of) != len(cells_fw):
            counts = f"{len(cells_fw)} and {len(cells_of)}"
            raise ValueError(f"Forward and Backward cells must have the same depth, but one list is shorter: {counts}")
        if states_of is not None and not (isinstance(states_of, list) and len(states_of) == len(cells_of)):
            raise ValueError(f"initial_states_{name} must be a list of states, one for each layer: {len(cells_of)}")
    nothing, states = [None] * len(cells_fw), []
    layers = zip(cells_fw, cells_bw, states_fw or nothing, states_bw or nothing)
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
        "OutputProjectionWrapper": cells.OutputProjectionWrapper,
        "AttentionCellWrapper": cells.AttentionCellWrapper,
        "InputProjectionWrapper": cells.InputProjectionWrapper,
        "stack_bidirectional_rnn": stack_bidirectional_rnn,
        "stack_bidirectional_dynamic_rnn": stack_bidirectional_dynamic_rnn,
        "EmbeddingWrapper": cells.EmbeddingWrapper,
        "_linear": cells.linear,
    },
    "cudnn_rnn": {
        **{name: type(name, (NeedsCuda,), {}) for name in _CUDA.split()},
        "CudnnCompatibleLSTMCell": cells.CudnnCompatibleLSTMCell,
        "CudnnCompatibleGRUCell": cells.CudnnCompatibleGRUCell,
    },
    "distributions": distributions.SHELF,
    "estimator": estimator.HOOKS,
    "predictor": {"from_saved_model": estimator.Predictor},
    "util": _of(tf, "make_tensor_proto make_ndarray"),
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
    "layers": contrib_layers.SHELF,
    "framework": {**_of(tf.train, f"{_STEPS} {_LISTS}"), "get_variables": get_variables, "nest": tf.nest},
    "training": {**hparams.SHELF, **buckets.SHELF},
    "compiler": {"jit": types.SimpleNamespace(experimental_jit_scope=tf.xla.experimental.jit_scope)},
    "learn": {
        "read_data_sets": tutorials.read_data_sets,
        "run_n": run_n,
        "ModeKeys": types.SimpleNamespace(TRAIN="train", EVAL="eval", INFER="infer"),
        "preprocessing": types.SimpleNamespace(**vocabulary_processor.SHELF),
    },
}
