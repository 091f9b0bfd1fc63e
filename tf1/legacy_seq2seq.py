"""`tf.contrib.legacy_seq2seq`, `tf.nn.seq2seq` until TF 0.12: encoders and decoders over lists of time steps.

    outputs, state = tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(
        encoder_inputs, decoder_inputs, cell, num_encoder_symbols, num_decoder_symbols, embedding_size)

`encoder_inputs`, `decoder_inputs` and the outputs are lists with a tensor for each step: ids [batch_size] or inputs
[batch_size, n], and outputs [batch_size, n]. A decoder whose `feed_previous` is true reads its first input alone, and
then the likeliest id of its last output; a tensor [] of type bool decides it anew in each run. `output_projection` is a
pair of weights [n, num_symbols] and biases [num_symbols], from outputs to logits; without it the outputs are logits.
Names, arguments and variables are those of TensorFlow 1.15.

Sources: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/legacy_seq2seq; of the
attention Vinyals et al. 2015, "Grammar as a Foreign Language", https://arxiv.org/abs/1412.7449; of one encoder for
several decoders Luong et al. 2016, "Multi-task Sequence to Sequence Learning", https://arxiv.org/abs/1511.06114
"""

from tf1 import tf
from tf1.cells import EmbeddingWrapper, OutputProjectionWrapper, attend, linear, unbuilt
from tf1.seq2seq import cross_entropies


def sequence_loss_by_example(
    logits, targets, weights, average_across_timesteps=True, softmax_loss_function=None, name=None
):
    """The losses, [batch_size], of lists with a tensor for each time step: [batch_size, classes], and [batch_size]."""
    if not len(logits) == len(targets) == len(weights):
        raise ValueError(f"{len(logits)} logits, {len(targets)} targets, {len(weights)} weights: there must be as many")
    with tf.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = [cross_entropies(y, x, softmax_loss_function) * w for x, y, w in zip(logits, targets, weights)]
        loss = tf.add_n(losses)
        return loss / (tf.add_n(weights) + 1e-12) if average_across_timesteps else loss


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """The sum of `sequence_loss_by_example`, or its mean over the batch."""
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


def tied_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, loop_function=None, dtype=tf.float32, scope=None):
    """A cell reads the encoder's inputs and goes on with the decoder's. Returns the latter's outputs, and the state."""
    with tf.variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = tf.nn.static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        tf.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope)


def _read_likeliest(embedding, output_projection, update_embedding):
    """A loop function that embeds the likeliest id; without `update_embedding` no gradient goes to its embedding."""

    def embed(output, step):
        if output_projection is not None:
            output = tf.nn.xw_plus_b(output, *output_projection)
        embedded = tf.nn.embedding_lookup(embedding, tf.argmax(output, 1))
        return embedded if update_embedding else tf.stop_gradient(embedded)

    return embed


def _decode(decoder, feed_previous, state):
    """What `decoder(feed_previous, update_embedding)` returns, outputs and a state that is built like `state`."""
    if isinstance(feed_previous, bool):
        return decoder(feed_previous, True)

    def branch(feeds_previous):
        with tf.variable_scope(tf.get_variable_scope(), reuse=None if feeds_previous else True):
            outputs, new_state = decoder(feeds_previous, False)
            return outputs + tf.nest.flatten(new_state)

    found = tf.cond(feed_previous, lambda: branch(True), lambda: branch(False))
    count = len(found) - len(tf.nest.flatten(state))
    return found[:count], tf.nest.pack_sequence_as(state, found[count:])


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
    """`rnn_decoder` over ids, by an embedding of its own."""
    with tf.variable_scope(scope or "embedding_rnn_decoder"):
        _check_projection(output_projection, num_symbols)
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = _read_likeliest(embedding, output_projection, update_embedding_for_previous)
        inputs = [tf.nn.embedding_lookup(embedding, ids) for ids in decoder_inputs]
        return rnn_decoder(inputs, initial_state, cell, loop_function if feed_previous else None)


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
    """Encoder and decoder over ids, each with its own embedding and weights. Returns the outputs and the state."""
    with tf.variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as made:
        encoder = EmbeddingWrapper(unbuilt(cell), num_encoder_symbols, embedding_size)
        _, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=made.dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decoder(feeds_previous, updates):
            sizes = num_decoder_symbols, embedding_size
            return embedding_rnn_decoder(
                decoder_inputs, state, cell, *sizes, output_projection, feeds_previous, updates
            )

        return _decode(decoder, feed_previous, state)


def embedding_tied_rnn_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_symbols,
    embedding_size,
    num_decoder_symbols=None,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
):
    """`tied_rnn_seq2seq` over ids, by one embedding.

    Args:
      num_decoder_symbols: of how many ids there are logits, the first ones; None: of all.
    """
    with tf.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as made:
        _check_projection(output_projection, num_symbols)
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        inputs = [
            [tf.nn.embedding_lookup(embedding, ids) for ids in steps] for steps in (encoder_inputs, decoder_inputs)
        ]
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols or num_symbols)

        def decoder(feeds_previous, updates):
            loop_function = _read_likeliest(embedding, output_projection, updates) if feeds_previous else None
            return tied_rnn_seq2seq(*inputs, cell, loop_function, made.dtype)

        return _decode(decoder, feed_previous, cell.state_size)


def _check_projection(output_projection, num_symbols):
    """Whether weights [n, num_symbols] and biases [num_symbols] fit, of the scope's type."""
    if output_projection is not None:
        dtype = tf.get_variable_scope().dtype
        for values, shape in zip(output_projection, ([None, num_symbols], [num_symbols])):
            tf.convert_to_tensor(values, dtype).shape.assert_is_compatible_with(shape)


def _attention(attention_states, num_heads):
    """A function from a cell's state to what each head sees then, a list of [batch_size, attn_size]."""
    size, heads = attention_states.shape[2].value, []
    for head in range(num_heads):
        kernel = tf.get_variable(f"AttnW_{head}", [1, 1, size, size])  # of a convolution with one step's width
        features = tf.tensordot(attention_states, tf.reshape(kernel, [size, size]), 1)  # [batch_size, T, attn_size]
        heads.append((features, tf.get_variable(f"AttnV_{head}", [size])))

    def look(state):
        seen = []
        for head, (features, v) in enumerate(heads):
            with tf.variable_scope(f"Attention_{head}"):
                query = linear(tf.nest.flatten(state), size, bias=True)
            seen.append(attend(attention_states, features, v, query))
        return seen

    return look


def attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    output_size=None,
    num_heads=1,
    loop_function=None,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """`rnn_decoder` with attention: inputs and outputs are mixed, by linear layers, with what the heads see.

    Args:
      attention_states: what the encoder put out, [batch_size, T, attn_size].
      output_size: of the outputs; None: the cell's.
      initial_state_attention: before the first step the heads look at the initial state, instead of seeing zeros.
    """
    if not decoder_inputs:
        raise ValueError("attention_decoder needs at least one input")
    if num_heads < 1:
        raise ValueError(f"num_heads is {num_heads}: attention_decoder needs at least one, else take rnn_decoder")
    if attention_states.shape[2].value is None:
        raise ValueError(f"the last axis of attention_states must be known, not {attention_states.shape}")
    output_size = output_size or cell.output_size
    with tf.variable_scope(scope or "attention_decoder", dtype=dtype):
        look, state, outputs = _attention(attention_states, num_heads), initial_state, []
        nothing = tf.zeros([tf.shape(decoder_inputs[0])[0], attention_states.shape[2].value], attention_states.dtype)
        seen = look(state) if initial_state_attention else [nothing] * num_heads
        for step, inputs in enumerate(decoder_inputs):
            if step > 0:
                tf.get_variable_scope().reuse_variables()
            if loop_function and outputs:
                with tf.variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            output, state = cell(linear([inputs, *seen], inputs.shape[1].value, bias=True), state)
            with tf.variable_scope(tf.get_variable_scope(), reuse=initial_state_attention or None):
                seen = look(state)
            with tf.variable_scope("AttnOutputProjection"):
                outputs.append(linear([output, *seen], output_size, bias=True))
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    num_symbols,
    embedding_size,
    num_heads=1,
    output_size=None,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """`attention_decoder` over ids, by an embedding of its own."""
    if output_projection is not None:  # of the weights TF 1.15 checks nothing here
        tf.convert_to_tensor(output_projection[1], dtype).shape.assert_is_compatible_with([num_symbols])
    with tf.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = _read_likeliest(embedding, output_projection, update_embedding_for_previous)
        return attention_decoder(
            [tf.nn.embedding_lookup(embedding, ids) for ids in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size,
            num_heads,
            loop_function if feed_previous else None,
            initial_state_attention=initial_state_attention,
        )


def embedding_attention_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    num_heads=1,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """`embedding_rnn_seq2seq` whose decoder attends to the encoder's outputs."""
    with tf.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as made:
        encoder = EmbeddingWrapper(unbuilt(cell), num_encoder_symbols, embedding_size)
        encoded, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=made.dtype)
        output_size = None
        if output_projection is None:
            cell, output_size = OutputProjectionWrapper(cell, num_decoder_symbols), num_decoder_symbols

        def decoder(feeds_previous, updates):
            return embedding_attention_decoder(
                decoder_inputs,
                state,
                tf.stack(encoded, axis=1),
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads,
                output_size,
                output_projection,
                feeds_previous,
                updates,
                initial_state_attention=initial_state_attention,
            )

        return _decode(decoder, feed_previous, state)


def one2many_rnn_seq2seq(
    encoder_inputs,
    decoder_inputs_dict,
    enc_cell,
    dec_cells_dict,
    num_encoder_symbols,
    num_decoder_symbols_dict,
    embedding_size,
    feed_previous=False,
    dtype=None,
    scope=None,
):
    """One encoder, and a decoder for each name in the dictionaries. Returns outputs and states by name."""
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError(f"cells for {sorted(dec_cells_dict)}, but inputs for {sorted(decoder_inputs_dict)}")
    found = {}
    with tf.variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as made:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, state = tf.nn.static_rnn(encoder, encoder_inputs, dtype=made.dtype)
        for name, inputs in decoder_inputs_dict.items():
            num_symbols = num_decoder_symbols_dict[name]
            with tf.variable_scope(f"one2many_decoder_{name}"):
                cell = OutputProjectionWrapper(dec_cells_dict[name], num_symbols)

                def decoder(feeds_previous, _, inputs=inputs, cell=cell, num_symbols=num_symbols):
                    arguments = num_symbols, embedding_size, None, feeds_previous
                    return embedding_rnn_decoder(inputs, state, cell, *arguments)

                found[name] = _decode(decoder, feed_previous, state)
    return {name: outputs for name, (outputs, _) in found.items()}, {name: state for name, (_, state) in found.items()}


def model_with_buckets(
    encoder_inputs,
    decoder_inputs,
    targets,
    weights,
    buckets,
    seq2seq,
    softmax_loss_function=None,
    per_example_loss=False,
    name=None,
):
    """A model for each bucket, a pair of numbers of time steps, with weights that all of them share.

    Args:
      targets, weights: lists of [batch_size] for each time step of the decoder.
      seq2seq: from encoder's and decoder's inputs to outputs and state.
      per_example_loss: a bucket's loss is [batch_size], and else its mean, [].
    Returns:
      The outputs and the losses, nats for each target, of all buckets.
    """
    for steps, place, what in (encoder_inputs, 0, "encoder_inputs"), (targets, 1, "targets"), (weights, 1, "weights"):
        if len(steps) < buckets[-1][place]:
            raise ValueError(f"{len(steps)} {what} are fewer than the last bucket's {buckets[-1][place]}")
    loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
    all_outputs, losses = [], []
    with tf.name_scope(name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]):
        for number, (encoder_steps, decoder_steps) in enumerate(buckets):
            with tf.variable_scope(tf.get_variable_scope(), reuse=True if number > 0 else None):
                outputs, _ = seq2seq(encoder_inputs[:encoder_steps], decoder_inputs[:decoder_steps])
                steps = targets[:decoder_steps], weights[:decoder_steps]
                losses.append(loss_of(outputs, *steps, softmax_loss_function=softmax_loss_function))
                all_outputs.append(outputs)
    return all_outputs, losses


SHELF = {
    "sequence_loss_by_example": sequence_loss_by_example,
    "sequence_loss": sequence_loss,
    "rnn_decoder": rnn_decoder,
    "basic_rnn_seq2seq": basic_rnn_seq2seq,
    "tied_rnn_seq2seq": tied_rnn_seq2seq,
    "embedding_rnn_decoder": embedding_rnn_decoder,
    "embedding_rnn_seq2seq": embedding_rnn_seq2seq,
    "embedding_tied_rnn_seq2seq": embedding_tied_rnn_seq2seq,
    "attention_decoder": attention_decoder,
    "embedding_attention_decoder": embedding_attention_decoder,
    "embedding_attention_seq2seq": embedding_attention_seq2seq,
    "one2many_rnn_seq2seq": one2many_rnn_seq2seq,
    "model_with_buckets": model_with_buckets,
}
