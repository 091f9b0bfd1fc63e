"""`tf.contrib.seq2seq` of TensorFlow 1.0: a function says what a decoder reads next, and when a row is over.

    train = tf.contrib.seq2seq.simple_decoder_fn_train(encoder_state)
    outputs, state, _ = tf.contrib.seq2seq.dynamic_rnn_decoder(cell, train, inputs, lengths, scope=scope)

    infer = tf.contrib.seq2seq.simple_decoder_fn_inference(
        output_fn, encoder_state, embeddings, start_id, end_id, maximum_length, num_decoder_symbols)
    logits, state, _ = tf.contrib.seq2seq.dynamic_rnn_decoder(cell, infer, scope=scope)

Such a function is called before the first step, when the cell's state and output are None, and after each step:

    is_over, cell_state, cell_input, cell_output, context_state = decoder_fn(
        time, cell_state, cell_input, cell_output, context_state)

It gets the next input, None in inference, and gives back the next step's: which rows are over, [batch_size], or None
where their lengths say so; the state; the input; the output to keep; and whatever it wants to have again.

Sources: TensorFlow 1.0, https://github.com/tensorflow/tensorflow/tree/r1.0/tensorflow/contrib/seq2seq; the papers are
those of `attention.py`.
"""

from tf1 import cells, tf
from tf1.seq2seq import array_of, swapped


def dynamic_rnn_decoder(
    cell,
    decoder_fn,
    inputs=None,
    sequence_length=None,
    parallel_iterations=None,
    swap_memory=False,
    time_major=False,
    scope=None,
    name=None,
):
    """Steps a cell by a decoder function until all rows are over.

    Args:
      inputs: in training the target, [batch_size, T, n], or with `time_major` [T, batch_size, n].
      sequence_length: of each row, [batch_size]; it counts where the function returns None for what is over.
    Returns:
      The outputs of all steps, [batch_size, T, n] or with `time_major` [T, batch_size, n]; the final state; and what
      the function wanted to have again.
    """
    with tf.name_scope(name, "dynamic_rnn_decoder", [inputs, sequence_length]):
        if inputs is not None:
            steps = tf.convert_to_tensor(inputs)
            steps = steps if time_major else swapped(steps)
            array, zeros = array_of(steps), tf.zeros_like(steps[0])

        def loop_fn(time, cell_output, cell_state, loop_state):
            context_state = loop_state[1] if isinstance(loop_state, tuple) else None
            cell_input = None
            if inputs is not None:  # after the last step there is none, and nothing reads it
                is_there = time < tf.shape(steps)[0]
                cell_input = (
                    steps[0] if cell_state is None else tf.cond(is_there, lambda: array.read(time), lambda: zeros)
                )
            values = decoder_fn(time, cell_state, cell_input, cell_output, context_state)
            is_over, cell_state, cell_input, cell_output, context_state = values
            is_over = time >= sequence_length if is_over is None else is_over
            loop_state = is_over if context_state is None else (is_over, context_state)
            return is_over, cell_input, cell_state, cell_output, loop_state

        outputs, state, loop_state = tf.nn.raw_rnn(cell, loop_fn, parallel_iterations, swap_memory, scope)
        outputs, context_state = outputs.stack(), loop_state[1] if isinstance(loop_state, tuple) else None
        return outputs if time_major else swapped(outputs), state, context_state


def simple_decoder_fn_train(encoder_state, name=None):
    """A decoder function that begins with the encoder's state and reads the target."""

    def decoder_fn(time, cell_state, cell_input, cell_output, context_state):
        return None, encoder_state if cell_state is None else cell_state, cell_input, cell_output, context_state

    return decoder_fn


def attention_decoder_fn_train(
    encoder_state,
    attention_keys,
    attention_values,
    attention_score_fn,
    attention_construct_fn,
    name=None,
):
    """The same with `prepare_attention`: the attention stands beside the input, and is the output."""

    def decoder_fn(time, cell_state, cell_input, cell_output, context_state):
        if cell_state is None:
            cell_state, attention = encoder_state, _first_attention(encoder_state)
        else:
            cell_output = attention = attention_construct_fn(cell_output, attention_keys, attention_values)
        return None, cell_state, tf.concat([cell_input, attention], 1), cell_output, context_state

    return decoder_fn


def simple_decoder_fn_inference(
    output_fn,
    encoder_state,
    embeddings,
    start_of_sequence_id,
    end_of_sequence_id,
    maximum_length,
    num_decoder_symbols,
    dtype=tf.int32,
    name=None,
):
    """A decoder function that reads what it has written, the likeliest ids, until that is the end.

    Args:
      output_fn: from the cell's output to logits; None: it is these.
      embeddings: [num_decoder_symbols, n].
      maximum_length: after more steps than that all rows are over.
      dtype: of the ids.
    """
    ids = start_of_sequence_id, end_of_sequence_id
    return _inference(output_fn, encoder_state, embeddings, ids, maximum_length, num_decoder_symbols, dtype)


def attention_decoder_fn_inference(
    output_fn,
    encoder_state,
    attention_keys,
    attention_values,
    attention_score_fn,
    attention_construct_fn,
    embeddings,
    start_of_sequence_id,
    end_of_sequence_id,
    maximum_length,
    num_decoder_symbols,
    dtype=tf.int32,
    name=None,
):
    """The same with attention; `output_fn` gets the attention."""
    ids = start_of_sequence_id, end_of_sequence_id
    attend = lambda cell_output: attention_construct_fn(cell_output, attention_keys, attention_values)
    return _inference(output_fn, encoder_state, embeddings, ids, maximum_length, num_decoder_symbols, dtype, attend)


def _inference(output_fn, encoder_state, embeddings, ids, maximum_length, num_decoder_symbols, dtype, attend=None):
    """`ids` are the start's and the end's; `attend` makes the attention from the cell's output."""
    start, end = ids
    batch_size = tf.shape(tf.nest.flatten(encoder_state)[0])[0]

    def decoder_fn(time, cell_state, cell_input, cell_output, context_state):
        if cell_input is not None:
            raise ValueError("in inference dynamic_rnn_decoder takes no inputs: the decoder reads what it has written")
        if cell_output is None:
            written, is_over = tf.fill([batch_size], tf.cast(start, dtype)), tf.fill([batch_size], False)
            cell_state, cell_output = encoder_state, tf.zeros([num_decoder_symbols])
            attention = attend and _first_attention(encoder_state)
        else:
            attention = attend and attend(cell_output)
            cell_output = attention if attend else cell_output
            cell_output = output_fn(cell_output) if output_fn else cell_output
            written = tf.argmax(cell_output, 1, output_type=dtype)
            is_over = tf.logical_or(tf.equal(written, tf.cast(end, dtype)), time > tf.cast(maximum_length, tf.int32))
        cell_input = tf.gather(embeddings, written)
        cell_input = tf.concat([cell_input, attention], 1) if attend else cell_input
        return is_over, cell_state, cell_input, cell_output, context_state

    return decoder_fn


def _first_attention(encoder_state):
    """Zeros, as large as the output of the encoder's top layer."""
    top = encoder_state[-1] if isinstance(encoder_state, tuple) else encoder_state
    return tf.zeros_like(top.h if isinstance(top, tf.nn.rnn_cell.LSTMStateTuple) else top)


def prepare_attention(attention_states, attention_option, num_units, reuse=False):
    """What the decoder functions with attention look at, and how.

    Args:
      attention_states: what the encoder put out, [batch_size, T, num_units].
      attention_option: "luong", the score is the product of key and query; or "bahdanau", v tanh(key + query W).
      reuse: takes the variables that are there: in inference after training.
    Returns:
      The keys, the values, a function for the context and one for the attention: `attention_keys`, `attention_values`,
      `attention_score_fn` and `attention_construct_fn`.
    """
    if attention_option not in ("luong", "bahdanau"):
        raise ValueError(f"attention_option is {attention_option!r}: it must be 'luong' or 'bahdanau'")
    with tf.variable_scope("attention_keys", reuse=reuse):
        weights = tf.get_variable("weights", [attention_states.shape[-1].value, num_units])
        keys = tf.tensordot(attention_states, weights, 1)
    with tf.variable_scope("attention_score", reuse=reuse):
        if attention_option == "bahdanau":
            W, v = tf.get_variable("attnW", [num_units, num_units]), tf.get_variable("attnV", [num_units])
    with tf.variable_scope("attention_construct", reuse=reuse) as construct_scope:
        pass

    def score_fn(query, keys, values):
        if attention_option == "bahdanau":
            return cells.attend(values, keys, v, tf.matmul(query, W))
        alignments = tf.nn.softmax(tf.reduce_sum(keys * query[:, None, :], axis=2))
        return tf.reduce_sum(alignments[:, :, None] * values, axis=1)

    def construct_fn(query, keys, values):
        context = score_fn(query, keys, values)
        with tf.variable_scope(construct_scope, reuse=tf.AUTO_REUSE):  # one matrix, in training and in inference
            weights = tf.get_variable("weights", [query.shape[1].value + context.shape[1].value, num_units])
        return tf.matmul(tf.concat([query, context], 1), weights)

    return keys, attention_states, score_fn, construct_fn


SHELF = {
    "dynamic_rnn_decoder": dynamic_rnn_decoder,
    "simple_decoder_fn_train": simple_decoder_fn_train,
    "simple_decoder_fn_inference": simple_decoder_fn_inference,
    "attention_decoder_fn_train": attention_decoder_fn_train,
    "attention_decoder_fn_inference": attention_decoder_fn_inference,
    "prepare_attention": prepare_attention,
}
