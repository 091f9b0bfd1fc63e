"""Beam search of `tf.contrib.seq2seq`: in each row the `beam_width` likeliest sequences go on side by side.

    decoder = tf.contrib.seq2seq.BeamSearchDecoder(
        cell, embedding, start_tokens, end_token, tf.contrib.seq2seq.tile_batch(state, beam_width), beam_width, layer)
    outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=50)
    outputs.predicted_ids  # [batch_size, T, beam_width], the best sequence first

Names, arguments and variables are those of TensorFlow 1.15.

Sources: TensorFlow 1.15, tensorflow/contrib/seq2seq/python/ops/beam_search_decoder.py; of the penalties Wu et al. 2016,
"Google's Neural Machine Translation System", https://arxiv.org/abs/1609.08144
"""

import collections

from tf1 import tf
from tf1.attention import AttentionWrapperState
from tf1.seq2seq import Decoder, checked_tokens, embedding_fn

BeamSearchDecoderState = collections.namedtuple(
    "BeamSearchDecoderState", "cell_state log_probs finished lengths accumulated_attention_probs"
)
BeamSearchDecoderOutput = collections.namedtuple("BeamSearchDecoderOutput", "scores predicted_ids parent_ids")
FinalBeamSearchDecoderOutput = collections.namedtuple(
    "FinalBeamSearchDecoderOutput", "predicted_ids beam_search_decoder_output"
)


def gather_tree(step_ids, parent_ids, max_sequence_lengths, end_token, name=None):
    """The sequences that end in each beam, from the ids of all steps and from the beams that each one goes on.

    Args:
      step_ids, parent_ids: [T, batch_size, beam_width].
      max_sequence_lengths: of a row's beams, [batch_size]; each is read from there back.
      end_token: stands from a sequence's first one on, and in the steps that no sequence of the row has.
    Returns:
      [T, batch_size, beam_width].
    """
    with tf.name_scope(name, "gather_tree", [step_ids, parent_ids]):
        step_ids, parent_ids = tf.convert_to_tensor(step_ids), tf.convert_to_tensor(parent_ids)
        steps, batch_size, beam_width = tf.unstack(tf.shape(step_ids))
        beams = tf.tile(tf.range(beam_width)[None, :], [batch_size, 1])
        last = tf.minimum(max_sequence_lengths, steps) - 1  # [batch_size]

        def back(step, beams, ids):
            is_read = tf.tile((step <= last)[:, None], [1, beam_width])
            of_step = tf.where(is_read, _of_beams(step_ids[step], beams), tf.fill(tf.shape(beams), end_token))
            beams = tf.where(is_read, _of_beams(parent_ids[step], beams), beams)
            return step - 1, beams, ids.write(step, of_step)

        ids = tf.TensorArray(step_ids.dtype, steps)
        *_, ids = tf.while_loop(lambda step, beams, ids: step >= 0, back, (steps - 1, beams, ids), back_prop=False)
        ids = ids.stack()
        has_ended = tf.cumsum(tf.cast(tf.equal(ids, end_token), tf.int32), axis=0, exclusive=True) > 0
        return tf.where(has_ended, tf.fill(tf.shape(ids), end_token), ids)


def _of_beams(values, beams):
    """Rows of `values` [batch_size, beam_width, ...], those that `beams` [batch_size, n] names."""
    return tf.gather(values, beams, batch_dims=1)


def _is_of_beams(value):
    return not isinstance(value, tf.TensorArray) and value.shape.ndims > 0


class BeamSearchDecoder(Decoder):
    """A cell that goes on with several sequences in each row, those with the highest scores.

    A sequence's score is its log-probability, divided by ((5 + length) / 6) ** length_penalty_weight. With
    `coverage_penalty_weight` w, w times the sum over the memory's steps of log(min(attention so far, 1)) is added for
    the sequences that are over.

    Args:
      embedding: [vocab_size, n], or a function from ids to inputs.
      start_tokens: the ids that the rows begin with, [batch_size].
      end_token: the id that ends a sequence.
      initial_state: the cell's, each row `beam_width` times (`tile_batch`), and so is the memory of an attention.
      output_layer: from the cell's output to logits; None: it is these.
      reorder_tensor_arrays: the state's TensorArrays, such as the history of alignments, are returned as tensors whose
        beams are those of `predicted_ids`.
    """

    tracks_own_finished = True

    def __init__(
        self,
        cell,
        embedding,
        start_tokens,
        end_token,
        initial_state,
        beam_width,
        output_layer=None,
        length_penalty_weight=0.0,
        coverage_penalty_weight=0.0,
        reorder_tensor_arrays=True,
    ):
        self._cell, self._output_layer, self._beam_width = cell, output_layer, beam_width
        self._embed, self._reorders = embedding_fn(embedding), reorder_tensor_arrays
        self._length_weight, self._coverage_weight = length_penalty_weight, coverage_penalty_weight
        start_tokens, self._end_token = checked_tokens(start_tokens, end_token)
        self.batch_size = tf.size(start_tokens)
        self._start = self._embed(tf.tile(start_tokens[:, None], [1, beam_width]))
        self._initial_state = tf.nest.map_structure(self._split, initial_state)

    @property
    def output_dtype(self):
        return BeamSearchDecoderOutput(tf.nest.flatten(self._initial_state)[0].dtype, tf.int32, tf.int32)

    @property
    def output_size(self):
        return BeamSearchDecoderOutput(*[tf.TensorShape([self._beam_width])] * 3)

    def _split(self, value):
        """[batch_size * beam_width, ...] as [batch_size, beam_width, ...]; numbers and TensorArrays as they are."""
        if not _is_of_beams(value):
            return value
        split = tf.reshape(value, tf.concat([[self.batch_size, self._beam_width], tf.shape(value)[1:]], 0))
        split.set_shape([None, self._beam_width, *value.shape[1:]])
        return split

    def _merge(self, value):
        """The way back of `_split`."""
        if not _is_of_beams(value):
            return value
        merged = tf.reshape(value, tf.concat([[self.batch_size * self._beam_width], tf.shape(value)[2:]], 0))
        merged.set_shape([None, *value.shape[2:]])
        return merged

    def initialize(self, name=None):
        # In the first step all sequences of a row are alike, and one alone counts.
        is_first = tf.one_hot(tf.zeros([self.batch_size], tf.int32), self._beam_width, True, False, dtype=tf.bool)
        zeros = tf.zeros(tf.shape(is_first), self.output_dtype.scores)
        state = BeamSearchDecoderState(
            cell_state=self._initial_state,
            log_probs=tf.where(is_first, zeros, zeros - float("inf")),
            finished=tf.logical_not(is_first),
            lengths=tf.zeros(tf.shape(is_first), tf.int64),
            accumulated_attention_probs=self._attention(self._initial_state),
        )
        return state.finished, self._start, state

    def step(self, time, inputs, state, name=None):
        with tf.name_scope(name, "BeamSearchDecoderStep", [time, inputs]):
            merged = tf.nest.map_structure(self._merge, state.cell_state)
            outputs, cell_state = self._cell(self._merge(inputs), merged)
            outputs, cell_state = self._split(outputs), tf.nest.map_structure(self._split, cell_state)
            logits = outputs if self._output_layer is None else self._output_layer(outputs)
            found, state = self._go_on(logits, cell_state, state)
            next_inputs = tf.cond(
                tf.reduce_all(state.finished), lambda: self._start, lambda: self._embed(found.predicted_ids)
            )
            return found, state, next_inputs, state.finished

    def _go_on(self, logits, cell_state, state):
        """The step's output and state, from `logits` [batch_size, beam_width, vocab_size] and the cell's new state."""
        vocab_size, going_on = tf.shape(logits)[2], tf.logical_not(state.finished)
        is_end = tf.equal(tf.range(vocab_size), self._end_token)
        # A sequence that is over goes on with the end alone, which costs nothing.
        only_end = tf.where(is_end, tf.zeros([vocab_size], logits.dtype), tf.fill([vocab_size], logits.dtype.min))
        log_probs = tf.where_v2(going_on[:, :, None], tf.nn.log_softmax(logits), only_end)
        totals = state.log_probs[:, :, None] + log_probs
        is_longer = tf.logical_and(going_on[:, :, None], tf.logical_not(is_end))
        attention = state.accumulated_attention_probs
        if self._coverage_weight:
            attention += self._attention(cell_state) * tf.cast(going_on, tf.float32)[:, :, None]
        scores = self._scores(totals, state.lengths[:, :, None] + tf.cast(is_longer, tf.int64), state, attention)

        best, places = tf.nn.top_k(tf.reshape(scores, [self.batch_size, -1]), self._beam_width)
        ids, parents = places % vocab_size, places // vocab_size
        was_over = _of_beams(state.finished, parents)
        choose = lambda value: _of_beams(value, parents) if _is_of_beams(value) else value
        new_state = BeamSearchDecoderState(
            cell_state=tf.nest.map_structure(choose, cell_state),
            log_probs=_of_beams(tf.reshape(totals, [self.batch_size, -1]), places),
            finished=tf.logical_or(was_over, tf.equal(ids, self._end_token)),
            lengths=_of_beams(state.lengths, parents) + tf.cast(tf.logical_not(was_over), tf.int64),
            accumulated_attention_probs=tf.nest.map_structure(choose, attention),
        )
        return BeamSearchDecoderOutput(best, ids, parents), new_state

    def _scores(self, log_probs, lengths, state, attention):
        """Of all sequences that a row may go on with, [batch_size, beam_width, vocab_size]."""
        if self._length_weight:
            log_probs /= tf.cast(((5 + tf.cast(lengths, tf.float32)) / 6) ** self._length_weight, log_probs.dtype)
        if self._coverage_weight:
            attention = tf.where(tf.equal(attention, 0), tf.ones_like(attention), attention)
            penalties = tf.reduce_sum(tf.log(tf.minimum(attention, 1.0)), axis=2) * tf.cast(state.finished, tf.float32)
            log_probs += self._coverage_weight * penalties[:, :, None]
        return log_probs

    def _attention(self, cell_state):
        """The mean of all alignments in the cell's state, [batch_size, beam_width, T], if coverage counts; else ()."""
        if not self._coverage_weight:
            return ()
        is_one = isinstance(cell_state, AttentionWrapperState) or not isinstance(cell_state, tuple)
        layers = [cell_state] if is_one else cell_state
        states = [state for state in layers if isinstance(state, AttentionWrapperState)]
        if not states:
            raise ValueError("coverage_penalty_weight needs a cell with attention")
        means = [tf.reduce_mean(tf.stack(tf.nest.flatten(state.alignments)), axis=0) for state in states]
        return tf.reduce_mean(tf.stack(means), axis=0)

    def finalize(self, outputs, final_state, sequence_lengths):
        """`predicted_ids` are whole sequences; those of a step are in `beam_search_decoder_output`."""
        longest = tf.cast(tf.reduce_max(final_state.lengths, axis=1), tf.int32)
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        if self._reorders:
            sort = lambda value: self._sorted(value, outputs.parent_ids, final_state.lengths)
            final_state = final_state._replace(cell_state=tf.nest.map_structure(sort, final_state.cell_state))
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _sorted(self, array, parent_ids, lengths):
        """A TensorArray of [batch_size * beam_width, ...] as a tensor [T, ...] with the final sequences' beams.

        As in TensorFlow 1.15, what a step computed is taken by the beam that it ended in, not by the one it began in.
        """
        if not isinstance(array, tf.TensorArray):
            return array
        values, shape = array.stack(), tf.shape(parent_ids)
        here = tf.tile(tf.range(self._beam_width)[None, None, :], [*tf.unstack(shape[:2]), 1])
        longest = tf.cast(tf.reduce_max(lengths, axis=1), tf.int32)
        beams = gather_tree(here, parent_ids, longest, self._beam_width + 1)
        has_step = tf.transpose(tf.sequence_mask(lengths, shape[0]), [2, 0, 1])
        beams = tf.where(has_step, beams, here)
        split = tf.reshape(values, tf.concat([shape, tf.shape(values)[2:]], 0))
        return tf.reshape(tf.gather(split, beams, batch_dims=2), tf.shape(values))


SHELF = {
    "BeamSearchDecoder": BeamSearchDecoder,
    "BeamSearchDecoderOutput": BeamSearchDecoderOutput,
    "BeamSearchDecoderState": BeamSearchDecoderState,
    "FinalBeamSearchDecoderOutput": FinalBeamSearchDecoderOutput,
    "gather_tree": gather_tree,
}
