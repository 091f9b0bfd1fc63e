"""`static_rnn`, `dynamic_rnn` and their bidirectional twins for the usual cells, computed in whole sequences.

    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(200) for _ in range(2)])
    outputs, state = rnn.dynamic_rnn(cell, inputs, dtype=tf.float32)

All take what TensorFlow's functions take and return what those return, with the same variables, so that a checkpoint
fits either; the difference is rounding. The cells are asked for their variables and settings, and the layers of
`tf1/layers.py` compute with them: `BasicRNNCell` (tanh or ReLU), `BasicLSTMCell`, `LSTMCell` (without peepholes,
clipping and projection), TensorFlow's `GRUCell` and that of this module, and around them `MultiRNNCell`,
`OutputProjectionWrapper`, and `DropoutWrapper`, TensorFlow's too (whose masks are then other random numbers). Any other
cell, or an unknown number of time steps, goes to TensorFlow's own function.

The arguments beside TensorFlow's:

    rnn_mode   "basic": TensorFlow's function; "fused": whole sequences; "cudnn": cuDNN, on a GPU; "auto": the fastest
    precision  with "fused", of the operands of matrix products: "fp32" or "bf16"
    groups     with "fused", groups of the batch's rows that are computed side by side (`modes.choose_groups`)
"""

import zlib

from tf1 import dropout, layers, tf
from tf1.app import UserError
from tf1.dropout import DropoutWrapper
from tf1.modes import mode_of_graph


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

    Args:
      cell: the wrapped cell.
      output_size: of the layer.
      activation: applied to its results; None: nothing is.
      reuse: whether its variables are there already, as for `tf.variable_scope`.

    Attributes:
      cell: the wrapped cell.
      kernel, bias: once it was called, [cell.output_size, output_size] and [output_size].
    """

    def __init__(self, cell, output_size, activation=None, reuse=None):
        self.cell, self._activation, self._reuse = cell, activation or tf.identity, reuse
        self.state_size, self.output_size = cell.state_size, output_size

    def zero_state(self, batch_size, dtype):
        return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """`inputs` [batch_size, n_inputs]; returns [batch_size, output_size] and the new state."""
        with tf.variable_scope(scope or "output_projection_wrapper", reuse=self._reuse):
            output, state = self.cell(inputs, state)
            shape = [self.cell.output_size, self.output_size]
            self.kernel = tf.get_variable("kernel", shape, output.dtype)
            self.bias = tf.get_variable("bias", shape[1:], output.dtype, tf.zeros_initializer())
            return self.project(output), state

    def project(self, outputs):
        """`outputs` of the cell, [N, cell.output_size], through the layer."""
        return self._activation(tf.matmul(outputs, self.kernel) + self.bias)


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
    rnn_mode = mode_of_graph(rnn_mode, precision)
    if rnn_mode == "basic" or _is_packed(cell, initial_state) or not (_is_known(cell, scope) and _are_alike(inputs)):
        return tf.nn.static_rnn(cell, inputs, initial_state, dtype, sequence_length, scope)
    compute = _WholeSequences(rnn_mode, precision, groups)
    outputs, state = compute.rnn(cell, tf.stack(inputs), initial_state, dtype, scope, sequence_length)
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
    rnn_mode = mode_of_graph(rnn_mode, precision)
    inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    is_sequence = isinstance(inputs, tf.Tensor) and inputs.shape.ndims == 3  # a cell of the user's may take others
    num_steps = inputs.shape[0 if time_major else 1].value if is_sequence else 0
    cannot = num_steps == 0 or num_steps is None and rnn_mode == "fused" or _is_packed(cell, initial_state)
    if rnn_mode == "basic" or cannot or not _is_known(cell, scope):
        arguments = (sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope)
        return _tensorflows_dynamic_rnn(cell, inputs, *arguments)
    compute = _WholeSequences(rnn_mode, precision, groups)
    if time_major:
        return compute.rnn(cell, inputs, initial_state, dtype, scope, sequence_length)
    outputs, state = compute.rnn(cell, _swapped(inputs), initial_state, dtype, scope, sequence_length)
    return _swapped(outputs), state


def bidirectional_dynamic_rnn(
    cell_fw,
    cell_bw,
    inputs,
    sequence_length=None,
    initial_state_fw=None,
    initial_state_bw=None,
    dtype=None,
    parallel_iterations=None,
    swap_memory=False,
    time_major=False,
    scope=None,
    **modes,
):
    """`tf.nn.bidirectional_dynamic_rnn`: a pair of outputs and a pair of states. `modes` are those of `dynamic_rnn`."""
    shared = {"sequence_length": sequence_length, "dtype": dtype, "parallel_iterations": parallel_iterations}
    shared.update(swap_memory=swap_memory, time_major=time_major, **modes)

    def backwards(sequences):
        time_axis = 0 if time_major else 1
        if sequence_length is None:
            return tf.nest.map_structure(lambda sequence: tf.reverse(sequence, [time_axis]), sequences)
        axes = {"seq_axis": time_axis, "batch_axis": 1 - time_axis}
        reverse = lambda sequence: tf.reverse_sequence(sequence, sequence_length, **axes)
        return tf.nest.map_structure(reverse, sequences)

    with tf.variable_scope(scope or "bidirectional_rnn"):
        with tf.variable_scope("fw") as fw_scope:
            outputs_fw, state_fw = dynamic_rnn(
                cell_fw, inputs, initial_state=initial_state_fw, scope=fw_scope, **shared
            )
        with tf.variable_scope("bw") as bw_scope:
            outputs_bw, state_bw = dynamic_rnn(
                cell_bw, backwards(inputs), initial_state=initial_state_bw, scope=bw_scope, **shared
            )
    return (outputs_fw, backwards(outputs_bw)), (state_fw, state_bw)


def static_bidirectional_rnn(
    cell_fw,
    cell_bw,
    inputs,
    initial_state_fw=None,
    initial_state_bw=None,
    dtype=None,
    sequence_length=None,
    scope=None,
    **modes,
):
    """`tf.nn.static_bidirectional_rnn`: a list of both outputs side by side, and the two final states."""
    if modes.get("rnn_mode") == "basic" or not _are_alike(inputs):
        arguments = cell_fw, cell_bw, inputs, initial_state_fw, initial_state_bw, dtype, sequence_length, scope
        return tf.nn.static_bidirectional_rnn(*arguments)
    shared = {"sequence_length": sequence_length, "dtype": dtype, "time_major": True, "scope": scope, **modes}
    initial_states = {"initial_state_fw": initial_state_fw, "initial_state_bw": initial_state_bw}
    outputs, states = bidirectional_dynamic_rnn(cell_fw, cell_bw, tf.stack(inputs), **initial_states, **shared)
    return tf.unstack(tf.concat(outputs, axis=2)), *states


def _is_packed(cell, initial_state):
    """Whether the states of a cell that has several are one tensor, as they could be until TF 0.9."""
    return isinstance(initial_state, tf.Tensor) and tf.nest.is_nested(cell.state_size)


def _are_alike(inputs):
    """Whether `inputs` is a list of matrices, of one size and type: what can stand in one tensor."""
    return (
        isinstance(inputs, (list, tuple))
        and bool(inputs)
        and all(isinstance(x, tf.Tensor) and x.shape.ndims == 2 and x.dtype == inputs[0].dtype for x in inputs)
    )


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
    wrappers = DropoutWrapper, OutputProjectionWrapper, tf.nn.rnn_cell.DropoutWrapper
    return [cell.cell] if isinstance(cell, wrappers) else []


def _parts(cell):
    """Yields the cell and all cells in it."""
    yield cell
    for child in _children(cell):
        yield from _parts(child)


def _kind(cell):
    """The class whose rule computes the cell, which may be of a subclass that changes none; None: there is none."""
    if kind := vars(type(cell)).get("computed_as"):  # of cells.py
        return kind
    if type(cell) is OutputProjectionWrapper:
        return OutputProjectionWrapper
    cells = tf.nn.rnn_cell
    kinds = cells.BasicRNNCell, cells.BasicLSTMCell, cells.LSTMCell, cells.GRUCell, cells.MultiRNNCell
    for kind in (*kinds, cells.DropoutWrapper):
        methods = "__call__", "call", "build"
        if isinstance(cell, kind) and all(getattr(type(cell), name) is getattr(kind, name) for name in methods):
            return kind
    return None


def _activation(cell):
    """ "tanh" or "relu"; None: another function, which may have such a name. (`get_config` has names alone.)"""
    tanhs, relus = (tf.tanh, tf.nn.tanh, tf.keras.activations.tanh), (tf.nn.relu, tf.keras.activations.relu)
    for name, functions in ("tanh", tanhs), ("relu", relus):
        if any(cell._activation is function for function in functions):
            return name
    return None


def _is_known(cell, scope=None):
    """Whether the cell and all in it can be computed in whole sequences, with variables that are made in the scope."""
    for one in scope, tf.get_variable_scope():
        if getattr(one, "partitioner", None):  # a variable in parts is no single matrix
            return False
    cells, kind = tf.nn.rnn_cell, _kind(cell)
    if isinstance(cell, DropoutWrapper):
        return cell.keeps_state and _is_known(cell.cell)
    if kind is OutputProjectionWrapper:
        return _is_known(cell.cell)
    if kind is None:
        return type(cell) is GRUCell
    if kind is cells.MultiRNNCell:
        return isinstance(cell.state_size, tuple) and all(map(_is_known, _children(cell)))
    if kind is cells.DropoutWrapper:
        if not (_is_known(cell.cell) and hasattr(cell.cell, "get_config")):  # which its own asks
            return False
        config = cell.get_config()
        return not config["variational_recurrent"] and dropout.is_one(config["state_keep_prob"])
    if _activation(cell) != "tanh":
        return kind is cells.BasicRNNCell and _activation(cell) == "relu"
    config = cell.get_config()
    if kind is cells.LSTMCell and any(config[name] for name in _BEYOND_THE_LAYERS):
        return False
    return config.get("state_is_tuple", True)


_BEYOND_THE_LAYERS = "use_peepholes", "num_proj", "cell_clip", "num_unit_shards"  # of `LSTMCell`'s arguments


class _WholeSequences:
    """The layers of `tf1/layers.py` with a cell's variables; everything is time-major."""

    def __init__(self, rnn_mode, precision, groups):
        if groups < 1:
            raise UserError(f"groups {groups}: there is at least one")
        self._cudnn, self._groups, self._lengths = rnn_mode == "cudnn", groups, None
        self._precision = precision

    def rnn(self, cell, inputs, initial_state, dtype, scope, sequence_length):
        """Outputs [T, batch_size, cell.output_size] and the final state, of `inputs` [T, batch_size, size]."""
        batch_size = inputs.shape[1].value or tf.shape(inputs)[1]
        if initial_state is None:
            if dtype is None:
                raise ValueError("either initial_state or dtype must be given")
            initial_state = cell.zero_state(batch_size, dtype)
        if sequence_length is not None:
            self._lengths = _checked_lengths(sequence_length, batch_size)
        with tf.variable_scope(scope or "rnn"), dropout.at_time_step(0):
            cell(inputs[0], initial_state)  # makes the variables, under its own scopes; nothing fetches what it returns
        outputs, state = self._compute(cell, inputs, initial_state)
        if sequence_length is None:
            return outputs, state
        is_over = tf.range(tf.shape(inputs)[0])[:, None] >= self._lengths  # [T, batch_size]
        return tf.where(tf.broadcast_to(is_over[:, :, None], tf.shape(outputs)), tf.zeros_like(outputs), outputs), state

    def _compute(self, cell, inputs, state):
        """Outputs and final state of the cell, whose variables are there."""
        if isinstance(cell, DropoutWrapper):
            outputs, state = self._compute(cell.cell, cell.drop_inputs(inputs), state)
            return cell.drop_outputs(outputs), state
        if _kind(cell) is tf.nn.rnn_cell.DropoutWrapper:
            outputs, state = self._compute(cell.cell, _dropped(cell, "input", inputs), state)
            return _dropped(cell, "output", outputs), state
        if isinstance(cell, OutputProjectionWrapper):
            outputs, state = self._compute(cell.cell, inputs, state)
            projected = cell.project(tf.reshape(outputs, [-1, cell.cell.output_size]))
            return tf.reshape(projected, [*_time_and_rows(outputs), cell.output_size]), state
        if not (children := _children(cell)):
            return self._compute_layer(cell, inputs, state)
        states = []
        for child, child_state in zip(children, state):
            inputs, child_state = self._compute(child, inputs, child_state)
            states.append(child_state)
        return inputs, tuple(states)

    def _compute_layer(self, cell, inputs, state):
        cells, kind, settings = tf.nn.rnn_cell, _kind(cell), {}
        is_lstm = kind in (cells.BasicLSTMCell, cells.LSTMCell)
        if kind is None:  # this module's GRUCell
            variables, fused, cudnn = [cell.kernel, cell.recurrent_kernel, cell.bias], layers.gru, layers.cudnn_gru
        elif kind is cells.GRUCell:
            variables, fused, cudnn = cell.weights, layers.gru_reset_before, None
        elif is_lstm:
            variables, fused, cudnn = cell.weights, layers.lstm, layers.cudnn_lstm
            settings["forget_bias"] = cell.get_config()["forget_bias"]
        else:
            variables, fused, cudnn = cell.weights, layers.rnn, layers.cudnn_rnn
            settings["activation"] = _activation(cell)
        if self._cudnn and cudnn and self._lengths is None:
            outputs, state = cudnn(inputs, state, *variables, **settings)
        else:
            settings["precision"] = self._precision
            if is_lstm and self._lengths is not None:
                settings["every_c"] = True
            groups = min(self._groups, inputs.shape[1].value or self._groups)
            outputs, final = layers.in_groups(fused, groups, inputs, state, *variables, **settings)
            if self._lengths is None:
                state = final
            elif is_lstm:
                outputs, cs = tf.split(outputs, 2, axis=2)
                state = _at_ends(cs, state[0], self._lengths), _at_ends(outputs, state[1], self._lengths)
            else:
                state = _at_ends(outputs, state, self._lengths)
        return outputs, cells.LSTMStateTuple(*state) if is_lstm else state


def _checked_lengths(sequence_length, batch_size):
    """The lengths as int32, of which there must be one a row, as TensorFlow demands it."""
    lengths = tf.cast(sequence_length, tf.int32)
    if lengths.shape.ndims not in (None, 1):
        raise ValueError(f"sequence_length must be a vector of length batch_size, but its shape is {lengths.shape}")
    is_right = tf.debugging.assert_equal(
        tf.shape(lengths), [batch_size], message=f"Expected shape for Tensor {lengths.name} is [batch_size]"
    )
    with tf.control_dependencies([is_right]):
        return tf.identity(lengths)


def _at_ends(sequence, initial, lengths):
    """Each row's last value within its length, [batch_size, n], of `sequence` [T, batch_size, n] after `initial`."""
    with_initial = tf.concat([initial[None], sequence], axis=0)
    steps = tf.clip_by_value(lengths, 0, tf.shape(sequence)[0])
    return tf.gather_nd(with_initial, tf.stack([steps, tf.range(tf.shape(steps)[0])], axis=1))


def _dropped(wrapper, place, sequence):
    """What TensorFlow's `DropoutWrapper` does to "input" or "output", over all time steps at once."""
    config = wrapper.get_config()
    keep_prob, seed = config[f"{place}_keep_prob"], config["seed"]
    if dropout.is_one(keep_prob):
        return sequence
    if seed is not None:  # the masks of the two places are different ones
        seed = zlib.crc32(f"{seed} {place}".encode()) >> 1
    return tf.nn.dropout(sequence, keep_prob=keep_prob, seed=seed)


def _time_and_rows(sequence):
    """T and batch_size of [T, batch_size, n]; one of them may be -1, for `tf.reshape`."""
    num_steps, batch_size, _ = sequence.shape.as_list()
    if num_steps is None and batch_size is None:
        return tf.unstack(tf.shape(sequence)[:2])
    return num_steps or -1, batch_size or -1
