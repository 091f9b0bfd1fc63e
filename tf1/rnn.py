"""`static_rnn` and `dynamic_rnn` for the tutorials' own cells, computed in whole sequences.

    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(200) for _ in range(2)])
    outputs, state = rnn.dynamic_rnn(cell, inputs, dtype=tf.float32)

Both take what TensorFlow's functions take and return what those return, with the same variables, so that a checkpoint
fits either; the difference is rounding. The cells are asked for their variables and settings, and the layers of
`tf1/layers.py` compute with them: `BasicRNNCell` (tanh or ReLU), `BasicLSTMCell`, `GRUCell`, and around them
`MultiRNNCell`, `DropoutWrapper` and `OutputProjectionWrapper`. Any other cell, a `sequence_length`, or an unknown
number of time steps goes to TensorFlow's own function.

The arguments beside TensorFlow's:

    rnn_mode   "basic": TensorFlow's function; "fused": whole sequences; "cudnn": cuDNN, on a GPU; "auto": the fastest
    precision  with "fused", of the operands of matrix products: "fp32" or "bf16"
    groups     with "fused", groups of the batch's rows that are computed side by side (`modes.choose_groups`)
"""

from tf1 import dropout, layers, tf
from tf1.app import PRECISIONS, UserError
from tf1.dropout import DropoutWrapper
from tf1.modes import check_choice, mode_of_graph


class GRUCell:
    """The cell of `CuDNNGRU`, for `dynamic_rnn`: a GRU that resets after the product.

        z, r = sigmoid(x W + h U + b),  candidate = tanh(x W_h + r * (h U_h + b_h)),  h = z * h + (1 - z) * candidate

    `tf.nn.rnn_cell.GRUCell` resets before the product, tanh(x W_h + (r * h) U_h), which cuDNN cannot.

    Args:
      kernel, recurrent_kernel, bias: [input_size, 3 * units], [units, 3 * units] and [2, 3 * units], of the inputs' and
        of the state's product: z (update), r (reset), candidate.
    """

    def __init__(self, kernel, recurrent_kernel, bias):
        self.kernel, self.recurrent_kernel, self.bias = kernel, recurrent_kernel, bias
        self.state_size = self.output_size = recurrent_kernel.shape[0].value

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, input_size], `state` [batch_size, units]; returns the new state as output and state."""
        x = tf.matmul(inputs, self.kernel) + self.bias[0]
        h = tf.matmul(state, self.recurrent_kernel) + self.bias[1]
        state = gru_step(x, h, state)
        return state, state


def gru_step(x, h, state):
    """A time step of a `GRUCell`.

    Args:
      x, h: the products of inputs and state with their kernels, biases added, [batch_size, 3 * units]: z, r, candidate.
      state: [batch_size, units].
    Returns:
      The new state.
    """
    units = state.shape[-1]
    z, r = tf.split(tf.sigmoid(x[:, : 2 * units] + h[:, : 2 * units]), 2, axis=1)
    candidate = tf.tanh(x[:, 2 * units :] + r * h[:, 2 * units :])
    return z * state + (1 - z) * candidate


def lstm_step(inputs, state, kernel, bias, forget_bias):
    """A time step of a `BasicLSTMCell`, which returns what that does."""
    c, h = state
    i, j, f, o = tf.split(tf.matmul(tf.concat([inputs, h], axis=1), kernel) + bias, 4, axis=1)
    c = c * tf.sigmoid(f + forget_bias) + tf.sigmoid(i) * tf.tanh(j)
    h = tf.tanh(c) * tf.sigmoid(o)
    return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)


def time_step(cell):
    """The time step of a `GRUCell` or `BasicLSTMCell`, with its weights as values: for a function that XLA compiles."""
    if isinstance(cell, GRUCell):
        return GRUCell(*map(tf.identity, (cell.kernel, cell.recurrent_kernel, cell.bias)))
    kernel, bias = map(tf.identity, cell.weights)
    forget_bias = cell.get_config()["forget_bias"]
    return lambda inputs, state: lstm_step(inputs, state, kernel, bias, forget_bias)


class OutputProjectionWrapper:
    """`tf.contrib.rnn.OutputProjectionWrapper`, which is gone: a cell whose outputs pass through one linear layer.

    Attributes:
      cell: the wrapped cell.
      kernel, bias: once it was called, [cell.output_size, output_size] and [output_size].
    """

    def __init__(self, cell, output_size):
        self.cell = cell
        self.state_size, self.output_size = cell.state_size, output_size

    def zero_state(self, batch_size, dtype):
        return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs]; returns [batch_size, output_size] and the new state."""
        with tf.variable_scope(scope or "output_projection_wrapper"):
            output, state = self.cell(inputs, state)
            self.kernel = tf.get_variable("kernel", [self.cell.output_size, self.output_size])
            self.bias = tf.get_variable("bias", [self.output_size], initializer=tf.zeros_initializer())
            return tf.matmul(output, self.kernel) + self.bias, state


def static_rnn(
    cell,
    inputs,
    initial_state=None,
    dtype=None,
    sequence_length=None,
    scope=None,
    *,
    rnn_mode="auto",
    precision="fp32",
    groups=1,
):
    """`tf.nn.static_rnn`: `inputs` and the outputs are lists of a tensor [batch_size, size] for each time step."""
    rnn_mode = mode_of_graph(rnn_mode)
    if rnn_mode == "basic" or sequence_length is not None or not _is_known(cell):
        return tf.nn.static_rnn(cell, inputs, initial_state, dtype, sequence_length, scope)
    compute = _WholeSequences(rnn_mode, precision, groups)
    outputs, state = compute.rnn(cell, tf.stack(inputs), initial_state, dtype, scope)
    return tf.unstack(outputs), state


def dynamic_rnn(
    cell,
    inputs,
    sequence_length=None,
    initial_state=None,
    dtype=None,
    parallel_iterations=None,
    swap_memory=False,
    time_major=False,
    scope=None,
    *,
    rnn_mode="auto",
    precision="fp32",
    groups=1,
):
    """`tf.nn.dynamic_rnn`: inputs and outputs are [batch_size, T, size], or with `time_major` [T, batch_size, size]."""
    rnn_mode = mode_of_graph(rnn_mode)
    num_steps = inputs.shape[0 if time_major else 1].value
    unknown = num_steps is None and rnn_mode == "fused" or sequence_length is not None or not _is_known(cell)
    if rnn_mode == "basic" or unknown:
        arguments = (sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope)
        return _tensorflows_dynamic_rnn(cell, inputs, *arguments)
    compute = _WholeSequences(rnn_mode, precision, groups)
    if time_major:
        return compute.rnn(cell, inputs, initial_state, dtype, scope)
    outputs, state = compute.rnn(cell, _swapped(inputs), initial_state, dtype, scope)
    return _swapped(outputs), state


class _CountingCell:
    """A cell that tells each `DropoutWrapper` in it the time step, which travels in the state of a loop."""

    def __init__(self, cell):
        self._cell = cell
        self.output_size, self.state_size = cell.output_size, (cell.state_size, 1)

    def zero_state(self, batch_size, dtype):
        return self.with_start(self._cell.zero_state(batch_size, dtype))

    @staticmethod
    def with_start(state):
        batch_size = tf.shape(tf.nest.flatten(state)[0])[0]
        return state, tf.zeros([batch_size, 1], tf.int32)

    def __call__(self, inputs, state, scope=None):
        state, time_steps = state  # [batch_size, 1]: a row whose sequence is over counts no more
        with dropout.at_time_step(tf.reduce_max(time_steps)):
            output, state = self._cell(inputs, state)
        return output, (state, time_steps + 1)


def _tensorflows_dynamic_rnn(cell, inputs, sequence_length, initial_state, *arguments):
    if not any(isinstance(part, DropoutWrapper) for part in _parts(cell)):
        return tf.nn.dynamic_rnn(cell, inputs, sequence_length, initial_state, *arguments)
    if initial_state is not None:
        initial_state = _CountingCell.with_start(initial_state)
    outputs, (state, _) = tf.nn.dynamic_rnn(_CountingCell(cell), inputs, sequence_length, initial_state, *arguments)
    return outputs, state


def _swapped(sequence):
    """[a, b, n] as [b, a, n], without the transposition that takes ten times as long where a number is known."""
    for axis in (1, 0):
        if sequence.shape[axis].value:
            return tf.stack(tf.unstack(sequence, axis=axis), axis=1 - axis)
    return tf.transpose(sequence, [1, 0, 2])


def _children(cell):
    """The cells that a `MultiRNNCell` or a wrapper calls. (`submodules` would leave out those that are not Keras'.)"""
    if isinstance(cell, tf.nn.rnn_cell.MultiRNNCell):
        lists = [value for value in vars(cell).values() if isinstance(value, (list, tuple)) and value]
        return next(list(cells) for cells in lists if all(hasattr(cell, "output_size") for cell in cells))
    return [cell.cell] if isinstance(cell, (DropoutWrapper, OutputProjectionWrapper)) else []


def _parts(cell):
    """Yields the cell and all cells in it."""
    yield cell
    for child in _children(cell):
        yield from _parts(child)


def _is_known(cell):
    """Whether the cell and all in it can be computed in whole sequences."""
    if isinstance(cell, DropoutWrapper):
        return cell.keeps_state and _is_known(cell.cell)
    if isinstance(cell, OutputProjectionWrapper) or type(cell) is tf.nn.rnn_cell.MultiRNNCell:
        return all(map(_is_known, _children(cell)))
    if type(cell) is tf.nn.rnn_cell.BasicRNNCell:
        return cell.get_config()["activation"] in ("tanh", "relu")
    if type(cell) is tf.nn.rnn_cell.BasicLSTMCell:
        config = cell.get_config()
        return config["activation"] == "tanh" and config["state_is_tuple"]
    return type(cell) is GRUCell


class _WholeSequences:
    """The layers of `tf1/layers.py` with a cell's variables; everything is time-major."""

    def __init__(self, rnn_mode, precision, groups):
        if groups < 1:
            raise UserError(f"groups {groups}: there is at least one")
        self._cudnn, self._groups = rnn_mode == "cudnn", groups
        self._precision = check_choice("precision", precision, PRECISIONS)

    def rnn(self, cell, inputs, initial_state, dtype, scope):
        """Outputs [T, batch_size, cell.output_size] and the final state, of `inputs` [T, batch_size, size]."""
        batch_size = inputs.shape[1].value or tf.shape(inputs)[1]
        if initial_state is None:
            if dtype is None:
                raise ValueError("either initial_state or dtype must be given")
            initial_state = cell.zero_state(batch_size, dtype)
        with tf.variable_scope(scope or "rnn"), dropout.at_time_step(0):
            cell(inputs[0], initial_state)  # makes the variables, under its own scopes; nothing fetches what it returns
        return self._compute(cell, inputs, initial_state)

    def _compute(self, cell, inputs, state):
        """Outputs and final state of the cell, whose variables are there."""
        if isinstance(cell, DropoutWrapper):
            outputs, state = self._compute(cell.cell, cell.drop_inputs(inputs), state)
            return cell.drop_outputs(outputs), state
        if isinstance(cell, OutputProjectionWrapper):
            outputs, state = self._compute(cell.cell, inputs, state)
            projected = tf.matmul(tf.reshape(outputs, [-1, cell.cell.output_size]), cell.kernel) + cell.bias
            return tf.reshape(projected, [*_time_and_rows(outputs), cell.output_size]), state
        if not (children := _children(cell)):
            return self._compute_layer(cell, inputs, state)
        states = []
        for child, child_state in zip(children, state):
            inputs, child_state = self._compute(child, inputs, child_state)
            states.append(child_state)
        return inputs, tuple(states)

    def _compute_layer(self, cell, inputs, state):
        if isinstance(cell, GRUCell):
            variables, settings = [cell.kernel, cell.recurrent_kernel, cell.bias], {}
            fused, cudnn = layers.gru, layers.cudnn_gru
        elif isinstance(cell, tf.nn.rnn_cell.BasicLSTMCell):
            variables, settings = cell.weights, {"forget_bias": cell.get_config()["forget_bias"]}
            fused, cudnn = layers.lstm, layers.cudnn_lstm
        else:
            variables, settings = cell.weights, {"activation": cell.get_config()["activation"]}
            fused, cudnn = layers.rnn, layers.cudnn_rnn
        if self._cudnn:
            outputs, state = cudnn(inputs, state, *variables, **settings)
        else:
            settings["precision"] = self._precision
            groups = min(self._groups, inputs.shape[1].value or self._groups)
            outputs, state = layers.in_groups(fused, groups, inputs, state, *variables, **settings)
        is_lstm = isinstance(cell, tf.nn.rnn_cell.BasicLSTMCell)
        return outputs, tf.nn.rnn_cell.LSTMStateTuple(*state) if is_lstm else state


def _time_and_rows(sequence):
    """T and batch_size of [T, batch_size, n]; one of them may be -1, for `tf.reshape`."""
    num_steps, batch_size, _ = sequence.shape.as_list()
    if num_steps is None and batch_size is None:
        return tf.unstack(tf.shape(sequence)[:2])
    return num_steps or -1, batch_size or -1
