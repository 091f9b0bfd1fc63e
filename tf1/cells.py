"""The cells of `tf.contrib.rnn` and of `rnn_cell_impl` that TensorFlow 2 does not have, and what they are made of.

    cell = tf.contrib.rnn.LSTMBlockCell(200)

Arguments and variables are those of TensorFlow 1.15, so that old checkpoints load. The cells that papers proposed are
in `cells_of_papers.py`.

Source: TensorFlow 1.15, https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/rnn
"""

import copy

from tf1 import rnn, tf

_CELLS = tf.nn.rnn_cell


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
    new.__dict__.pop("_always_reuse_variable_scope", None)  # in which a built one takes its variables
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


class CudnnCompatibleLSTMCell(LSTMBlockCell):
    """An LSTM cell that computes what cuDNN's layer does, whose weights it can take: without a forget bias."""

    def __init__(self, num_units, reuse=None):
        super().__init__(num_units, forget_bias=0.0, reuse=reuse, name="cudnn_compatible_lstm_cell")


class CudnnCompatibleGRUCell(_CELLS.RNNCell):
    """The same for GRUs: the reset gate comes after the product with the state, which has a bias of its own."""

    def __init__(self, num_units, reuse=None, kernel_initializer=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._initializer = num_units, kernel_initializer

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state` [batch_size, num_units]."""
        size, ones, zeros = self._num_units, tf.ones_initializer(), tf.zeros_initializer()
        r, u = tf.split(tf.sigmoid(linear([inputs, state], 2 * size, True, ones, self._initializer, "gates")), 2, 1)

        def variable(name, shape, initializer):
            return tf.get_variable(f"candidate/{name}", shape, initializer=initializer)

        W = variable("input_projection/kernel", [inputs.shape[1].value, size], self._initializer)
        U = variable("hidden_projection/kernel", [size, size], self._initializer)
        b, d = (variable(f"{name}_projection/bias", [size], zeros) for name in ("input", "hidden"))
        candidate = tf.tanh(tf.matmul(inputs, W) + b + r * (tf.matmul(state, U) + d))
        h = (1 - u) * candidate + u * state
        return h, h


class GRUBlockCellV2(_CELLS.GRUCell):
    """A GRU cell called `gru_cell`; in TF 1.x each step was one kernel."""

    computed_as = _CELLS.GRUCell  # by rnn.py

    def __init__(self, num_units=None, cell_size=None, reuse=None, name="gru_cell"):
        super().__init__(_block_size(num_units, cell_size), reuse=reuse, name=name)


class GRUBlockCell(_CELLS.RNNCell):
    """The same with other names of the variables: w_ru and b_ru of the gates, w_c and b_c of the candidate."""

    def __init__(self, num_units=None, cell_size=None, reuse=None, name="gru_cell"):
        super().__init__(_reuse=reuse, name=name)
        self._num_units = _block_size(num_units, cell_size)

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state` [batch_size, num_units]."""
        size, rows = self._num_units, inputs.shape[1].value + self._num_units
        w_ru = tf.get_variable("w_ru", [rows, 2 * size])
        b_ru = tf.get_variable("b_ru", [2 * size], initializer=tf.ones_initializer())
        w_c = tf.get_variable("w_c", [rows, size])
        b_c = tf.get_variable("b_c", [size], initializer=tf.zeros_initializer())
        r, u = tf.split(tf.sigmoid(tf.matmul(tf.concat([inputs, state], 1), w_ru) + b_ru), 2, axis=1)
        c = tf.tanh(tf.matmul(tf.concat([inputs, r * state], 1), w_c) + b_c)
        h = u * state + (1 - u) * c
        return h, h


def _block_size(num_units, cell_size):
    """TF 1.3 and before called num_units `cell_size`."""
    if (num_units is None) == (cell_size is None):
        raise ValueError("give num_units")
    return cell_size if num_units is None else num_units


class LSTMBlockFusedCell:
    """`LSTMBlockCell` over a whole sequence, by this project's layers where the graph knows the number of steps."""

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        cell_clip=None,
        use_peephole=False,
        reuse=None,
        dtype=None,
        name="lstm_fused_cell",
    ):
        self.num_units, self._reuse, self._name = num_units, reuse, name or "lstm_block_fused_cell"
        self._cell = LSTMBlockCell(num_units, forget_bias, cell_clip, use_peephole, dtype, reuse, name)

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        """`inputs` [T, batch_size, n], or a list of T; returns the outputs likewise, and the state (c, h).

        `scope` is that of the variables; None: one by the cell's name, with a number if that is taken.
        """
        rows = tf.stack(inputs) if isinstance(inputs, list) else inputs
        if initial_state is None and dtype is None:
            raise ValueError("Either initial_state or dtype needs to be specified")
        state = None if initial_state is None else _CELLS.LSTMStateTuple(*initial_state)
        if not self._cell.built:
            with tf.variable_scope(self._name if self._reuse and scope is None else scope, self._name) as scope:
                first = state or self._cell.zero_state(tf.shape(rows)[1], dtype)
            self._cell(rows[0], first, scope=scope)  # makes the variables; nothing fetches what it returns
        options = {"time_major": True, "scope": tf.get_variable_scope()}
        outputs, state = rnn.dynamic_rnn(self._cell, rows, sequence_length, state, dtype, **options)
        return tf.unstack(outputs) if isinstance(inputs, list) else outputs, state


class FusedRNNCellAdaptor:
    """A cell over a whole sequence, with the arguments of `LSTMBlockFusedCell`."""

    def __init__(self, cell, use_dynamic_rnn=False):
        self._cell, self._is_dynamic = cell, use_dynamic_rnn

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        options = {"sequence_length": sequence_length, "initial_state": initial_state, "dtype": dtype, "scope": scope}
        is_list = isinstance(inputs, list)
        if self._is_dynamic:
            rows = tf.stack(inputs) if is_list else inputs
            outputs, state = tf.nn.dynamic_rnn(self._cell, rows, time_major=True, **options)
            return tf.unstack(outputs) if is_list else outputs, state
        outputs, state = tf.nn.static_rnn(self._cell, inputs if is_list else tf.unstack(inputs), **options)
        return outputs if is_list else tf.stack(outputs), state


class TimeReversedFusedRNN:
    """A cell over whole sequences, such as `LSTMBlockFusedCell`, that reads them from their ends."""

    def __init__(self, cell):
        self._cell = cell

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        def reversed_in_time(rows):
            if isinstance(rows, list):
                return rows[::-1]
            if sequence_length is None:
                return tf.reverse(rows, [0])
            return tf.reverse_sequence(rows, sequence_length, seq_axis=0, batch_axis=1)

        outputs, state = self._cell(reversed_in_time(inputs), initial_state, dtype, sequence_length, scope=scope)
        return reversed_in_time(outputs), state


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


class OutputProjectionWrapper(_CELLS.RNNCell, rnn.OutputProjectionWrapper):
    """A cell whose outputs pass through a dense layer. That of `rnn.py`, as a layer of TensorFlow's with variables."""

    computed_as = rnn.OutputProjectionWrapper  # by rnn.py

    def __init__(self, cell, output_size, activation=None, reuse=None):
        super().__init__(_reuse=reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}")
        self.cell, self._output_size, self._activation = cell, output_size, activation or tf.identity
        self.zero_state = cell.zero_state

    state_size = property(lambda self: self.cell.state_size)
    output_size = property(lambda self: self._output_size)

    def call(self, inputs, state):
        """`inputs` [batch_size, n]; returns [batch_size, output_size] and the new state."""
        output, state = self.cell(inputs, state)
        self.kernel, self.bias = _kernel_and_bias([output], self._output_size)
        return self.project(output), state


class AttentionCellWrapper(_CELLS.RNNCell):
    """A cell that looks at its last `attn_length` outputs in each step.

    Args:
      attn_size: of the outputs; None: the cell's.
      attn_vec_size: of the vectors that are compared; None: `attn_size`.
      input_size: of the cell's inputs, a linear layer of the inputs and of what was seen; None: that of the inputs.
      state_is_tuple: the state is (the cell's, what was seen, the outputs side by side), and not one tensor.

    Source: Cheng, Dong and Lapata 2016, "Long Short-Term Memory-Networks for Machine Reading",
    https://arxiv.org/abs/1601.06733
    """

    def __init__(
        self,
        cell,
        attn_length,
        attn_size=None,
        attn_vec_size=None,
        input_size=None,
        state_is_tuple=True,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        if attn_length <= 0:
            raise ValueError(f"attn_length is {attn_length}: it must be above 0")
        if tf.nest.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError(f"the cell's state is a tuple, {cell.state_size}: give state_is_tuple=True")
        self._cell, self._length, self._input_size, self._is_tuple = cell, attn_length, input_size, state_is_tuple
        self._size = attn_size or cell.output_size
        self._vec_size = attn_vec_size or self._size

    output_size = property(lambda self: self._size)

    @property
    def state_size(self):
        sizes = self._cell.state_size, self._size, self._size * self._length
        return sizes if self._is_tuple else sum(sizes)

    def call(self, inputs, state):
        sizes = [self._cell.state_size, self._size, self._size * self._length]
        state, seen, outputs = state if self._is_tuple else tf.split(state, sizes, axis=1)
        outputs = tf.reshape(outputs, [-1, self._length, self._size])
        read = linear([inputs, seen], self._input_size or inputs.shape[1].value, bias=True)
        output, state = self._cell(read, state)
        seen = self._attention(tf.concat(tf.nest.flatten(state), 1), outputs)
        with tf.variable_scope("attn_output_projection"):
            output = linear([output, seen], self._size, bias=True)
        outputs = tf.concat([outputs[:, 1:], output[:, None]], axis=1)
        new_state = state, seen, tf.reshape(outputs, [-1, self._length * self._size])
        return output, new_state if self._is_tuple else tf.concat(new_state, 1)

    def _attention(self, query, outputs):
        """What is seen of `outputs` [batch_size, attn_length, attn_size] by `query` [batch_size, n]."""
        with tf.variable_scope("attention"):
            kernel = tf.get_variable("attn_w", [1, 1, self._size, self._vec_size])  # of a convolution of width 1
            v = tf.get_variable("attn_v", [self._vec_size])
            query = linear(query, self._vec_size, bias=True)
        features = tf.tensordot(outputs, tf.reshape(kernel, [self._size, self._vec_size]), 1)
        return attend(outputs, features, v, query)


class EmbeddingWrapper(_CELLS.RNNCell):
    """A cell whose inputs are ids, [batch_size] or [batch_size, 1], of rows of an embedding."""

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None, reuse=None):
        super().__init__(_reuse=reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            sizes = f"{embedding_classes}, {embedding_size}"
            raise ValueError(f"Both embedding_classes and embedding_size must be > 0: {sizes}")
        self._cell, self._shape, self._initializer = cell, [embedding_classes, embedding_size], initializer
        self.zero_state = cell.zero_state

    state_size = property(lambda self: self._cell.state_size)
    output_size = property(lambda self: self._cell.output_size)

    def call(self, inputs, state):
        with tf.device("/cpu:0"):
            initializer = self._initializer or tf.get_variable_scope().initializer
            initializer = initializer or tf.random_uniform_initializer(-(3**0.5), 3**0.5)  # variance 1
            dtype = tf.nest.flatten(state)[0].dtype
            embedding = tf.get_variable("embedding", self._shape, dtype, initializer)
            inputs = tf.nn.embedding_lookup(embedding, tf.reshape(inputs, [-1]))
        return self._cell(inputs, state)


def attend(states, features, v, query):
    """The mean, [batch_size, n], of `states` [batch_size, T, n], weighed by the softmax of v tanh(features + query).

    Args:
      features, v, query: [batch_size, T, m], [m] and [batch_size, m].
    """
    weights = tf.nn.softmax(tf.reduce_sum(v * tf.tanh(features + query[:, None, :]), axis=2))
    return tf.reduce_sum(weights[:, :, None] * states, axis=1)


def linear(args, output_size, bias, bias_initializer=None, kernel_initializer=None, scope=None, bias_start=0.0):
    """`rnn_cell_impl._linear`: tensors [batch_size, n], one or a list, side by side, times one matrix, plus the bias.

    Until TF 1.1 the fourth argument was a number, what the bias starts with, and the fifth the scope.
    """
    args = args if isinstance(args, (list, tuple)) else [args]
    if isinstance(kernel_initializer, (str, tf.VariableScope)):
        kernel_initializer, scope = None, kernel_initializer
    if isinstance(bias_initializer, (int, float)):
        bias_initializer, bias_start = None, bias_initializer
    initializers = bias_initializer or tf.constant_initializer(bias_start), kernel_initializer
    with tf.variable_scope(scope or tf.get_variable_scope()):
        kernel, bias = _kernel_and_bias(args, output_size, bias, *initializers)
        product = tf.matmul(tf.concat(args, axis=1), kernel)
        return product if bias is None else product + bias


def _kernel_and_bias(args, output_size, has_bias=True, bias_initializer=None, kernel_initializer=None):
    """The variables of `linear`, [n, output_size] and [output_size], or None where there is no bias."""
    shape, dtype = [sum(arg.shape[1].value for arg in args), output_size], args[0].dtype
    kernel = tf.get_variable("kernel", shape, dtype, kernel_initializer)
    if not has_bias:
        return kernel, None
    with tf.variable_scope(tf.get_variable_scope()) as scope:
        scope.set_partitioner(None)  # a kernel may be in parts, but not a bias
        return kernel, tf.get_variable("bias", shape[1:], dtype, bias_initializer or tf.zeros_initializer())


class Linear:
    """`rnn_cell_impl._Linear`: `linear` with variables that are made once, by an object."""

    def __init__(self, args, output_size, build_bias, bias_initializer=None, kernel_initializer=None):
        self._arguments = output_size, build_bias, bias_initializer, kernel_initializer
        linear(args, *self._arguments)  # makes them
        self._scope = tf.get_variable_scope()

    def __call__(self, args):
        with tf.variable_scope(self._scope, reuse=True):
            return linear(args, *self._arguments)
