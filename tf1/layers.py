"""Recurrent layers over whole sequences, a softmax layer with its loss, and the recurrent layers of cuDNN.

A cell that is unrolled step by step makes TensorFlow multiply what need not wait for the step before. Here a layer is a
function of whole sequences, time-major, under `tf.custom_gradient`. With T time steps, batch size B, input size I, H
units, and p = H times the number of gates:

    forward     P = X W + b                [T B, I] x [I, p]     one product for all time steps
                p_t = P_t + h_{t-1} R      [B, H] x [H, p]       T products, which have to wait for each other
    backward    dh_{t-1} += dp_t R^T       [B, p] x [p, H]       T products, which have to wait for each other
                dX = dP W^T                [T B, p] x [p, I]     one product for all time steps
                dW = X^T dP                [I, T B] x [T B, p]   one, where the unrolled cell has T and adds them up
                dR = H'^T dP               [H, T B] x [T B, p]   the same; H' are the states before each step

Where one variable has W above R, the two are one product, [X H']^T dP.

dp_t, the gradient to what the gates are made from, is what comes back to step t times factors that the forward pass
decides alone. They are computed for all time steps at once, before the backward loop, which is left with what must be
done in order. Four things make the loops faster: they are unrolled (a `tf.while_loop` takes a third longer at the size
of the small PTB model); in the forward one each gate has a product of its own, and in the GRU, whose batches are
larger, each half of one (all gates in one take up to a third longer); R^T is made once, not in each of T products; and
a large matrix of bf16 is the left operand, (R^T h^T)^T for h R, because TensorFlow puts the right one into another
order in each product, which takes longer than the product of a few rows.

With `precision="bf16"` the operands of the matrix products are rounded to bfloat16, and so are, by TensorFlow, the
products; all else, sums, gates, gradients and weights, is float32.

The variables have the layout of the cells, so that a checkpoint fits all: of `BasicLSTMCell`, `BasicRNNCell`, and for
the GRU of Keras' with `reset_after=True`: kernel [input_size, 3 * units], recurrent_kernel [units, 3 * units], and bias
[2, 3 * units], of the inputs' product and of the state's, with the gates z (update), r (reset) and the candidate.
"""

import numpy as np

from tf1 import tf

_REORDERED = 3 << 20  # elements of a matrix of bf16 from which on it is the left operand


def _operand(x, precision):
    return tf.cast(x, tf.bfloat16) if precision == "bf16" else x


def _product(a, b, precision, **transposed):
    product = tf.matmul(_operand(a, precision), _operand(b, precision), **transposed)
    return tf.cast(product, tf.float32) if precision == "bf16" else product


def _flat(x):
    """[T, B, n] as [T B, n]."""
    return tf.reshape(x, [-1, x.shape[-1]])


def _before(x0, x):
    """The values before each step: `x0` [B, H], then `x` [T, B, H] without its last."""
    return tf.concat([x0[None], x[:-1]], axis=0)


def _backwards(*sequences):
    """Yields the time steps of [T, B, n] tensors side by side, the last one first."""
    return zip(*(tf.unstack(sequence)[::-1] for sequence in sequences))


def _transposed(R):
    """R^T, [p, H]. A plain tf.transpose TensorFlow would put back into each of the products."""
    return tf.unstack(tf.transpose(R[None], [0, 2, 1]))[0]


def _project(inputs, kernel, bias, gates, precision):
    """The inputs' part of what the gates are made from: for each time step a tuple of one [B, H] a gate."""
    products = _product(_flat(inputs), kernel, precision) + bias
    products = tf.reshape(products, [inputs.shape[0], -1, kernel.shape[1]])
    return zip(*(tf.unstack(gate) for gate in tf.split(products, gates, axis=2)))


def _chained(matrix, transposed, gates, precision, halves=1):
    """The product with a matrix, for where each product waits for the one before.

    Args:
      matrix, transposed: [m, n], and the same as [n, m].
      gates: the matrices of so many gates stand side by side in `matrix`.
      halves: 2 makes two products for a gate with an even number of columns.
    Returns:
      A function from x, [B, m], to a list of one [B, n / gates] a gate.
    """
    if precision == "bf16" and matrix.shape.num_elements() >= _REORDERED:
        return lambda x: tf.split(
            tf.cast(tf.transpose(tf.matmul(transposed, _operand(x, precision), transpose_b=True)), tf.float32),
            gates,
            axis=1,
        )
    if matrix.shape[1].value // gates % halves:
        halves = 1
    parts = tf.split(matrix, gates * halves, axis=1)

    def products(x):
        x = _operand(x, precision)
        of_parts = [tf.matmul(x, part) for part in parts]
        of_gates = of_parts if halves == 1 else [tf.concat(pair, axis=1) for pair in zip(of_parts[::2], of_parts[1::2])]
        return [tf.cast(product, tf.float32) if precision == "bf16" else product for product in of_gates]

    return products


def _column_sums(x):
    """tf.reduce_sum(x, axis=0), which takes ten times as long."""
    return tf.matmul(tf.ones([1, tf.shape(x)[0]], x.dtype), x)[0]


def _project_gradients(operands, kernel, dprojected, precision):
    """The gradients of `_project` to inputs, kernel and bias, from `dprojected` [T, B, p].

    `operands` are the inputs, [T, B, I], or for a variable with R below W the inputs and the states before each step
    side by side, [T, B, I + H]: its whole gradient is one product.
    """
    flat = _flat(dprojected)
    operand = _operand(flat, precision)
    dinputs = _product(operand, kernel, precision, transpose_b=True)
    dinputs = tf.reshape(dinputs, [dprojected.shape[0], -1, kernel.shape[0]])
    return dinputs, _product(_flat(operands), operand, precision, transpose_a=True), _column_sums(flat)


def lstm(inputs, initial_state, kernel, bias, forget_bias=0.0, precision="fp32", every_c=False):
    """`BasicLSTMCell` over a whole sequence.

        c = c' * sigmoid(f + forget_bias) + sigmoid(i) * tanh(j)        h = tanh(c) * sigmoid(o)

    Args:
      inputs: [num_steps, batch_size, input_size].
      initial_state: c and h, [batch_size, units] each.
      kernel, bias: [input_size + units, 4 * units] and [4 * units], the gates i, j, f, o side by side.
      precision: "fp32", or "bf16" for the operands of the matrix products.
      every_c: the outputs are h and c of each time step side by side, [num_steps, batch_size, 2 * units].
    Returns:
      The outputs, [num_steps, batch_size, units], and the final c and h.
    """
    input_size = inputs.shape[2].value

    @tf.custom_gradient
    def layer(inputs, c0, h0, kernel, bias):
        W, R = _operand(kernel[:input_size], precision), _operand(kernel[input_size:], precision)
        transposed = _transposed(R)
        state_products = _chained(R, transposed, 4, precision)
        c, h, all_gates, all_c, all_h = c0, h0, [], [], []
        for projected in _project(inputs, W, bias, 4, precision):
            i, j, f, o = (x + product for x, product in zip(projected, state_products(h)))
            i, j, f, o = tf.sigmoid(i), tf.tanh(j), tf.sigmoid(f + forget_bias if forget_bias else f), tf.sigmoid(o)
            c = c * f + i * j
            h = tf.tanh(c) * o
            all_gates.append((i, j, f, o))
            all_c.append(c)
            all_h.append(h)
        outputs = tf.stack(all_h)
        cs = tf.stack(all_c)  # pruned from the graph where neither the caller nor a gradient wants it

        def gradient(doutputs, dc, dh, *dcs):
            i, j, f, o = (tf.stack(gate) for gate in zip(*all_gates))
            tanh_c = tf.tanh(cs)
            # dp = (dc, dc, dc, dh) * factors
            factors = tf.concat(
                [j * i * (1 - i), i * (1 - j * j), _before(c0, cs) * f * (1 - f), tanh_c * o * (1 - o)], axis=2
            )
            dc_by_dh = o * (1 - tanh_c * tanh_c)
            back, dgates = _chained(transposed, R, 1, precision), []
            for doutput, factor, by_dh, forget, *dc_of_step in _backwards(doutputs, factors, dc_by_dh, f, *dcs):
                dh += doutput
                dc = sum(dc_of_step, dc) + dh * by_dh
                dgates.append(tf.concat([dc, dc, dc, dh], axis=1) * factor)
                dc *= forget
                (dh,) = back(dgates[-1])
            operands = tf.concat([inputs, _before(h0, outputs)], axis=2)
            dinputs, dkernel, dbias = _project_gradients(operands, W, tf.stack(dgates[::-1]), precision)
            return dinputs, dc, dh, dkernel, dbias

        return (outputs, c, h, cs) if every_c else (outputs, c, h), gradient

    outputs, c, h, *cs = layer(inputs, *initial_state, kernel, bias)
    return tf.concat([outputs, *cs], axis=2) if every_c else outputs, (c, h)


def gru(inputs, initial_state, kernel, recurrent_kernel, bias, precision="fp32"):
    """The GRU that resets after the product, over a whole sequence.

        z, r = sigmoid(inputs' product + state's product)
        candidate = tanh(inputs' product + r * state's product)        h = z * h' + (1 - z) * candidate

    Args:
      inputs: [num_steps, batch_size, input_size].
      initial_state: [batch_size, units].
      kernel, recurrent_kernel, bias: [input_size, 3 * units], [units, 3 * units] and [2, 3 * units]: z, r, candidate.
      precision: "fp32", or "bf16" for the operands of the matrix products.
    Returns:
      The outputs, [num_steps, batch_size, units], and the final state.
    """
    units = recurrent_kernel.shape[0].value

    @tf.custom_gradient
    def layer(inputs, h0, kernel, recurrent_kernel, bias):
        W, R = _operand(kernel, precision), _operand(recurrent_kernel, precision)
        transposed = _transposed(R)
        state_products = _chained(R, transposed, 3, precision, halves=2)
        h, saved, all_h = h0, [], []
        # z and r take the two products, and so the two biases, as one sum.
        projected_bias = tf.concat([bias[0, : 2 * units] + bias[1, : 2 * units], bias[0, 2 * units :]], axis=0)
        for of_z, of_r, of_candidate in _project(inputs, W, projected_bias, 3, precision):
            z, r, product = state_products(h)
            z, r, product = tf.sigmoid(of_z + z), tf.sigmoid(of_r + r), product + bias[1, 2 * units :]
            candidate = tf.tanh(of_candidate + r * product)
            h = candidate + z * (h - candidate)
            saved.append((z, r, product, candidate))
            all_h.append(h)
        outputs = tf.stack(all_h)

        def gradient(doutputs, dh):
            z, r, product, candidate = (tf.stack(values) for values in zip(*saved))
            before = _before(h0, outputs)
            by_candidate = (1 - z) * (1 - candidate * candidate)
            # dp of the state's product = (dh, dh, dh) * factors; of the inputs' the third is dh * by_candidate
            factors = tf.concat(
                [(before - candidate) * z * (1 - z), by_candidate * product * r * (1 - r), by_candidate * r], axis=2
            )
            back, dproducts, all_dh = _chained(transposed, R, 1, precision, halves=2), [], []
            for doutput, factor, kept in _backwards(doutputs, factors, z):
                dh += doutput
                all_dh.append(dh)
                dproducts.append(tf.concat([dh, dh, dh], axis=1) * factor)
                dh = dh * kept + back(dproducts[-1])[0]
            dproducts = tf.stack(dproducts[::-1])
            dcandidates = tf.stack(all_dh[::-1]) * by_candidate
            dprojected = tf.concat([dproducts[:, :, : 2 * units], dcandidates], axis=2)
            dinputs, dW, dbias = _project_gradients(inputs, W, dprojected, precision)
            dR = _product(_flat(before), _flat(dproducts), precision, transpose_a=True)
            return dinputs, dh, dW, dR, tf.stack([dbias, _column_sums(_flat(dproducts))])

        return (outputs, h), gradient

    return layer(inputs, initial_state, kernel, recurrent_kernel, bias)


def gru_reset_before(inputs, initial_state, gate_kernel, gate_bias, candidate_kernel, candidate_bias, precision="fp32"):
    """`tf.nn.rnn_cell.GRUCell`, which resets the state before its product, over a whole sequence.

        r, u = sigmoid([inputs h'] gate_kernel + gate_bias)
        candidate = tanh([inputs r * h'] candidate_kernel + candidate_bias)        h = u * h' + (1 - u) * candidate

    Args:
      inputs: [num_steps, batch_size, input_size].
      initial_state: [batch_size, units].
      gate_kernel, gate_bias: [input_size + units, 2 * units] and [2 * units], r and u side by side.
      candidate_kernel, candidate_bias: [input_size + units, units] and [units].
      precision: "fp32", or "bf16" for the operands of the matrix products.
    Returns:
      The outputs, [num_steps, batch_size, units], and the final state.
    """
    input_size = inputs.shape[2].value

    @tf.custom_gradient
    def layer(inputs, h0, gate_kernel, gate_bias, candidate_kernel, candidate_bias):
        W, W_c = (_operand(kernel[:input_size], precision) for kernel in (gate_kernel, candidate_kernel))
        R, R_c = (_operand(kernel[input_size:], precision) for kernel in (gate_kernel, candidate_kernel))
        transposed, transposed_c = _transposed(R), _transposed(R_c)
        state_products, reset_product = _chained(R, transposed, 2, precision), _chained(R_c, transposed_c, 1, precision)
        h, saved, all_h = h0, [], []
        projections = (
            _project(inputs, W, gate_bias, 2, precision),
            _project(inputs, W_c, candidate_bias, 1, precision),
        )
        for (of_r, of_u), (of_candidate,) in zip(*projections):
            r, u = state_products(h)
            r, u = tf.sigmoid(of_r + r), tf.sigmoid(of_u + u)
            candidate = tf.tanh(of_candidate + reset_product(r * h)[0])
            h = candidate + u * (h - candidate)
            saved.append((r, u, candidate))
            all_h.append(h)
        outputs = tf.stack(all_h)

        def gradient(doutputs, dh):
            r, u, candidate = (tf.stack(values) for values in zip(*saved))
            before = _before(h0, outputs)
            # dp of u and of the candidate are dh times these; of r what comes back through the reset state.
            by_u = (before - candidate) * u * (1 - u)
            by_candidate = (1 - u) * (1 - candidate * candidate)
            by_r = before * r * (1 - r)
            back, back_c = _chained(transposed, R, 1, precision), _chained(transposed_c, R_c, 1, precision)
            dgates, dcandidates = [], []
            for doutput, *factors, reset, kept in _backwards(doutputs, by_r, by_u, by_candidate, r, u):
                dh += doutput
                dcandidates.append(dh * factors[2])
                (dreset,) = back_c(dcandidates[-1])
                dgates.append(tf.concat([dreset * factors[0], dh * factors[1]], axis=1))
                dh = dh * kept + dreset * reset + back(dgates[-1])[0]
            dgates, dcandidates = tf.stack(dgates[::-1]), tf.stack(dcandidates[::-1])
            operands = (tf.concat([inputs, states], axis=2) for states in (before, r * before))
            dinputs, dkernel, dbias = _project_gradients(next(operands), W, dgates, precision)
            dinputs_c, dkernel_c, dbias_c = _project_gradients(next(operands), W_c, dcandidates, precision)
            return dinputs + dinputs_c, dh, dkernel, dbias, dkernel_c, dbias_c

        return (outputs, h), gradient

    return layer(inputs, initial_state, gate_kernel, gate_bias, candidate_kernel, candidate_bias)


def rnn(inputs, initial_state, kernel, bias, activation="tanh", precision="fp32"):
    """`BasicRNNCell` over a whole sequence.

    Args:
      inputs: [num_steps, batch_size, input_size].
      initial_state: [batch_size, units].
      kernel, bias: [input_size + units, units] and [units].
      activation: "tanh" or "relu".
      precision: "fp32", or "bf16" for the operands of the matrix products.
    Returns:
      The outputs, [num_steps, batch_size, units], and the final state.
    """
    input_size = inputs.shape[2].value
    activate = {"tanh": tf.tanh, "relu": tf.nn.relu}[activation]

    @tf.custom_gradient
    def layer(inputs, h0, kernel, bias):
        W, R = _operand(kernel[:input_size], precision), _operand(kernel[input_size:], precision)
        transposed = _transposed(R)
        state_product = _chained(R, transposed, 1, precision)
        h, all_h = h0, []
        for (projected,) in _project(inputs, W, bias, 1, precision):
            h = activate(projected + state_product(h)[0])
            all_h.append(h)
        outputs = tf.stack(all_h)

        def gradient(doutputs, dh):
            factors = 1 - outputs * outputs if activation == "tanh" else tf.cast(outputs > 0, outputs.dtype)
            back, dproducts = _chained(transposed, R, 1, precision), []
            for doutput, factor in _backwards(doutputs, factors):
                dproducts.append((dh + doutput) * factor)
                (dh,) = back(dproducts[-1])
            operands = tf.concat([inputs, _before(h0, outputs)], axis=2)
            dinputs, dkernel, dbias = _project_gradients(operands, W, tf.stack(dproducts[::-1]), precision)
            return dinputs, dh, dkernel, dbias

        return (outputs, h), gradient

    return layer(inputs, initial_state, kernel, bias)


def in_groups(layer, groups, inputs, state, *args, **kwargs):
    """What layer(inputs, state, *args, **kwargs) returns, of `groups` groups of the batch's rows side by side."""
    if groups == 1:
        return layer(inputs, state, *args, **kwargs)
    batch_size = inputs.shape[1].value or tf.shape(inputs)[1]
    cuts = [batch_size * group // groups for group in range(groups + 1)]
    sizes = [end - start for start, end in zip(cuts, cuts[1:])]  # split, for the gradient of a slice takes long
    states = zip(*(tf.split(part, sizes) for part in tf.nest.flatten(state)))
    states = [tf.nest.pack_sequence_as(state, parts) for parts in states]
    rows = zip(tf.split(inputs, sizes, axis=1), states)
    outputs, states = zip(*(layer(*of_group, *args, **kwargs) for of_group in rows))
    return tf.concat(outputs, axis=1), tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *states)


def labels_in_range(labels, count):
    """The `labels`, ids, which is an error where one is negative or not below `count`.

    A cross-entropy on a GPU makes a NaN of such a label, and goes on; XLA takes the nearest that there is.
    """
    with tf.device("/cpu:0"):
        return tf.gather(tf.range(count), tf.cast(labels, tf.int32))


def softmax_cross_entropy(inputs, labels, weights, bias, precision="fp32", is_training=True, groups=1):
    """`tf.nn.sparse_softmax_cross_entropy_with_logits` of the logits inputs * weights + bias.

    With a large vocabulary that op takes as long as the recurrent part. Here XLA makes the losses, and beside them
    their gradient to the logits, in few passes over those. What the losses are then multiplied with scales the small
    matrices on either side, and not the logits' gradient.

    Args:
      inputs, labels: [N, size], and ids [N]; N is known.
      weights, bias: [size, vocab_size] and [vocab_size].
      precision: "fp32", or "bf16" for the operands of the matrix products.
      is_training: False leaves out what the gradient needs.
      groups: of rows, which are computed side by side.
    Returns:
      The losses, [N], in nats.
    """
    if groups > 1:
        sizes = [len(rows) for rows in np.array_split(np.arange(labels.shape[0].value), groups)]
        parts = zip(tf.split(inputs, sizes), tf.split(labels, sizes))
        return tf.concat(
            [softmax_cross_entropy(*rows, weights, bias, precision, is_training) for rows in parts], axis=0
        )

    def losses_of(logits, bias, labels):
        logits = tf.cast(logits, bias.dtype) + bias
        logits -= tf.reduce_max(logits, axis=1, keepdims=True)  # so that no exponential is above 1
        exponentials = tf.exp(logits)
        sums = tf.reduce_sum(exponentials, axis=1, keepdims=True)
        return tf.math.log(sums)[:, 0] - tf.gather(logits, labels, batch_dims=1), exponentials / sums

    def losses_and_gradient(logits, bias, labels):
        losses, probabilities = losses_of(logits, bias, labels)
        is_label = tf.equal(tf.range(logits.shape[1])[None], labels[:, None])
        return losses, _operand(probabilities - tf.cast(is_label, bias.dtype), precision)

    def compiled(function, inputs, weights, bias):
        logits = tf.matmul(_operand(inputs, precision), _operand(weights, precision))
        return tf.function(function, jit_compile=True, autograph=False)(logits, bias, labels)

    @tf.custom_gradient
    def layer(inputs, weights, bias):
        losses, dlogits = compiled(losses_and_gradient, inputs, weights, bias)

        def gradient(dlosses):
            scale = dlosses[:, None]
            dinputs = _product(dlogits, weights, precision, transpose_b=True) * scale
            dweights = _product(inputs * scale, dlogits, precision, transpose_a=True)
            return dinputs, dweights, _product(scale, dlogits, precision, transpose_a=True)[0]

        return losses, gradient

    labels = labels_in_range(labels, bias.shape[0].value)
    if is_training:
        return layer(inputs, weights, bias)
    return compiled(lambda *args: losses_of(*args)[0], inputs, weights, bias)


def _cudnn_params(matrices, biases):
    """The one vector that cuDNN reads: all matrices, a row for each unit, then all biases.

    Source: NVIDIA's cuDNN documentation, cudnnGetRNNWeightParams. Both are in the order of linLayerID, which is that of
    the gates, first of the inputs' products and then of the state's.
    """
    return tf.concat([tf.reshape(tf.transpose(matrix), [-1]) for matrix in matrices] + biases, axis=0)


def cudnn_lstm_params(kernel, bias, forget_bias=0.0):
    """The variables of `lstm` for cuDNN, whose gates are i, f, j, o. The state's biases are zero."""
    input_size = kernel.shape[0].value - kernel.shape[1].value // 4
    matrices = []
    for part in (kernel[:input_size], kernel[input_size:]):
        i, j, f, o = tf.split(part, 4, axis=1)
        matrices += [i, f, j, o]
    i, j, f, o = tf.split(bias, 4)
    return _cudnn_params(matrices, [i, f + forget_bias, j, o, tf.zeros_like(bias)])


def cudnn_gru_params(kernel, recurrent_kernel, bias):
    """The variables of `gru` for cuDNN, whose gates are r, z, candidate."""
    matrices, biases = [], []
    for weights, bias_vector in ((kernel, bias[0]), (recurrent_kernel, bias[1])):
        (z, r, candidate), (z_bias, r_bias, candidate_bias) = tf.split(weights, 3, axis=1), tf.split(bias_vector, 3)
        matrices += [r, z, candidate]
        biases += [r_bias, z_bias, candidate_bias]
    return _cudnn_params(matrices, biases)


def cudnn_rnn_params(kernel, bias):
    """The variables of `rnn` for cuDNN. The state's bias is zero."""
    input_size = kernel.shape[0].value - kernel.shape[1].value
    return _cudnn_params([kernel[:input_size], kernel[input_size:]], [bias, tf.zeros_like(bias)])


def _cudnn(rnn_mode, inputs, h0, c0, params):
    """A layer through cuDNN, an op on the first GPU and one for its gradients; returns outputs, final h and c."""
    num_steps, batch_size = tf.unstack(tf.shape(inputs)[:2])
    sequence_lengths = tf.fill([batch_size], num_steps)  # in the host's memory, where the op wants them
    has_c = rnn_mode == "lstm"  # the op's c is a scalar in the other modes

    @tf.custom_gradient
    def layer(inputs, h0, c0, params):
        given = {"input": inputs, "input_h": h0[None], "input_c": c0[None], "params": params}
        given.update(sequence_lengths=sequence_lengths, rnn_mode=rnn_mode)
        with tf.device("/gpu:0"):
            outputs, h, c, reserve_space, host_reserved = tf.raw_ops.CudnnRNNV3(**given)

        def gradient(doutputs, dh, dc):
            with tf.device("/gpu:0"):  # TensorFlow's own gradient leaves the place open
                dinputs, dh0, dc0, dparams = tf.raw_ops.CudnnRNNBackpropV3(
                    **given,
                    output=outputs,
                    output_h=h,
                    output_c=c,
                    output_backprop=doutputs,
                    output_h_backprop=dh[None],
                    output_c_backprop=dc[None] if has_c else dc,
                    reserve_space=reserve_space,
                    host_reserved=host_reserved,
                )
            return dinputs, dh0[0], dc0[0] if has_c else tf.zeros_like(c0), dparams

        return (outputs, h[0], c[0] if has_c else c), gradient

    return layer(inputs, h0, c0, params)


def cudnn_lstm(inputs, initial_state, kernel, bias, forget_bias=0.0):
    """`lstm` through cuDNN."""
    c0, h0 = initial_state
    outputs, h, c = _cudnn("lstm", inputs, h0, c0, cudnn_lstm_params(kernel, bias, forget_bias))
    return outputs, (c, h)


def cudnn_gru(inputs, initial_state, kernel, recurrent_kernel, bias):
    """`gru` through cuDNN."""
    params = cudnn_gru_params(kernel, recurrent_kernel, bias)
    outputs, h, _ = _cudnn("gru", inputs, initial_state, tf.zeros_like(initial_state), params)
    return outputs, h


def cudnn_rnn(inputs, initial_state, kernel, bias, activation="tanh"):
    """`rnn` through cuDNN."""
    params, no_c = cudnn_rnn_params(kernel, bias), tf.zeros_like(initial_state)
    outputs, h, _ = _cudnn(f"rnn_{activation}", inputs, initial_state, no_c, params)
    return outputs, h
