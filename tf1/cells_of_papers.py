"""The cells of `tf.contrib.rnn` that papers proposed, each with its source.

    cell = tf.contrib.rnn.UGRNNCell(100)

Arguments and variables are those of TensorFlow 1.15, so that old checkpoints load.

Source: TensorFlow 1.15, tensorflow/contrib/rnn/python/ops/rnn_cell.py
"""

from tf1 import cells, tf

_CELLS = tf.nn.rnn_cell


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
        return _normalised(values, scope, self._gain, self._shift) if self._layer_norm else values

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size]; c and h of the state are [batch_size, num_units]."""
        c, h = state
        bias_initializer = tf.get_variable_scope().initializer or tf.glorot_uniform_initializer()
        products = cells.linear([inputs, h], 4 * self._num_units, not self._layer_norm, bias_initializer)
        names = "input", "transform", "forget", "output"
        i, j, f, o = (self._norm(values, name) for values, name in zip(tf.split(products, 4, axis=1), names))
        g = self._activation(j)
        if not isinstance(self._keep_prob, (int, float)) or self._keep_prob < 1:
            g = tf.nn.dropout(g, self._keep_prob, seed=self._seed)
        c = self._norm(c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * g, "state")
        h = self._activation(c) * tf.sigmoid(o)
        return h, _CELLS.LSTMStateTuple(c, h)


def _normalised(values, scope, gain, shift):
    """`values` [batch_size, n] with mean 0 and variance 1 in each row, times `gamma`, plus `beta`."""
    with tf.variable_scope(scope):
        shape, dtype = [values.shape[1].value], values.dtype
        gamma = tf.get_variable("gamma", shape, dtype, tf.constant_initializer(gain))
        beta = tf.get_variable("beta", shape, dtype, tf.constant_initializer(shift))
        mean, variance = tf.nn.moments(values, [1], keep_dims=True)
        return tf.nn.batch_normalization(values, mean, variance, beta, gamma, 1e-12)


class CoupledInputForgetGateLSTMCell(_CELLS.RNNCell):
    """An LSTM cell that adds as much as it forgets: the input gate is 1 minus the forget gate.

    Args:
      use_peepholes: the gates see the memory, too.
      initializer: is not used, as in TF 1.15; the weights begin with the scope's initializer.
      num_proj: units of a layer over the output; None: there is none.
      proj_clip: the projected output is clipped to that, up and down.
      num_unit_shards, num_proj_shards: how many variables the weights, and the projection's, are made of.
      layer_norm: of the gates and of the memory, with `norm_gain` and `norm_shift` in the beginning.

    Source: Greff et al. 2015, "LSTM: A Search Space Odyssey", https://arxiv.org/abs/1503.04069
    """

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        initializer=None,
        num_proj=None,
        proj_clip=None,
        num_unit_shards=1,
        num_proj_shards=1,
        forget_bias=1.0,
        state_is_tuple=True,
        activation=tf.tanh,
        reuse=None,
        layer_norm=False,
        norm_gain=1.0,
        norm_shift=0.0,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._num_proj, self._proj_clip = num_units, num_proj, proj_clip
        self._use_peepholes, self._forget_bias = use_peepholes, forget_bias
        self._unit_shards, self._proj_shards = num_unit_shards, num_proj_shards
        self._is_tuple, self._activation = state_is_tuple, activation
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift

    output_size = property(lambda self: self._num_proj or self._num_units)

    @property
    def state_size(self):
        sizes = _CELLS.LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._is_tuple else sum(sizes)

    def _matrix(self, name, rows, columns, shards, dtype):
        """Of `shards` variables, whose rows stand one below the other."""
        each, longer = divmod(rows, shards)
        shapes = [[each + (place < longer), columns] for place in range(shards)]
        names = [f"{name}_{place}" for place in range(shards)]
        return tf.concat([tf.get_variable(*of, dtype) for of in zip(names, shapes)], 0)

    def _peep(self, name, c):
        """What a gate sees of the memory."""
        if not self._use_peepholes:
            return tf.zeros([], c.dtype)
        return tf.get_variable(name, [self._num_units], c.dtype) * c

    def _norm(self, values, scope):
        return _normalised(values, scope, self._gain, self._shift) if self._layer_norm else values

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size]; c of the state is [batch_size, num_units], h as large as the output."""
        size, dtype = self._num_units, inputs.dtype
        c, h = state if self._is_tuple else tf.split(state, [size, self.output_size], axis=1)
        W = self._matrix("W", inputs.shape[1].value + self.output_size, 3 * size, self._unit_shards, dtype)
        B = tf.get_variable("B", [3 * size], dtype, tf.zeros_initializer())
        gates = tf.matmul(tf.concat([inputs, h], 1), W)
        gates = gates if self._layer_norm else gates + B
        scopes = "transform", "forget", "output"
        j, f, o = (self._norm(gate, scope) for gate, scope in zip(tf.split(gates, 3, axis=1), scopes))
        forget = tf.sigmoid(f + self._forget_bias + self._peep("W_F_diag", c))
        c = self._norm(forget * c + (1 - forget) * self._activation(j), "state")
        h = tf.sigmoid(o + self._peep("W_O_diag", c)) * self._activation(c)
        if self._num_proj:
            h = tf.matmul(h, self._matrix("W_P", size, self._num_proj, self._proj_shards, dtype))
            h = h if self._proj_clip is None else tf.clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, _CELLS.LSTMStateTuple(c, h) if self._is_tuple else tf.concat([c, h], 1)


class UGRNNCell(_CELLS.RNNCell):
    """A cell with one gate, between its state and what is new.

    Source: Collins, Sohl-Dickstein and Sussillo 2017, "Capacity and Trainability in Recurrent Neural Networks",
    https://arxiv.org/abs/1611.09913
    """

    def __init__(self, num_units, initializer=None, forget_bias=1.0, activation=tf.tanh, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._initializer = num_units, initializer
        self._forget_bias, self._activation = forget_bias, activation

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state` [batch_size, num_units]."""
        products = cells.linear([inputs, state], 2 * self._num_units, True, kernel_initializer=self._initializer)
        gate, new = tf.split(products, 2, axis=1)
        gate = tf.sigmoid(gate + self._forget_bias)
        state = gate * state + (1 - gate) * self._activation(new)
        return state, state


class IntersectionRNNCell(_CELLS.RNNCell):
    """A cell with two gates: one over time, as in `UGRNNCell`, and one over depth, between its input and its output.

    Args:
      num_in_proj: the inputs are projected to num_units; without it they must have that size.

    Source: that of `UGRNNCell`.
    """

    def __init__(
        self,
        num_units,
        num_in_proj=None,
        initializer=None,
        forget_bias=1.0,
        y_activation=tf.nn.relu,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._num_in_proj, self._initializer = num_units, num_in_proj, initializer
        self._forget_bias, self._activation = forget_bias, y_activation

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state` [batch_size, num_units]."""
        if inputs.shape[1].value != self._num_units:
            if not self._num_in_proj:
                raise ValueError(f"inputs of {inputs.shape[1]} units need num_in_proj={self._num_units}")
            with tf.variable_scope("in_projection"):
                inputs = cells.linear(inputs, self._num_units, True, kernel_initializer=self._initializer)
        products = cells.linear([inputs, state], 4 * self._num_units, True, kernel_initializer=self._initializer)
        gate_h, h, gate_y, y = tf.split(products, 4, axis=1)
        gate_h, gate_y = tf.sigmoid(gate_h + self._forget_bias), tf.sigmoid(gate_y + self._forget_bias)
        return gate_y * inputs + (1 - gate_y) * self._activation(y), gate_h * state + (1 - gate_h) * tf.tanh(h)


class PhasedLSTMCell(_CELLS.RNNCell):
    """An LSTM cell whose units are open in a part of a cycle each, for inputs that come at times of their own.

    Args:
      leak: how open a unit is in the rest of its cycle.
      ratio_on: the open part, in the beginning.
      trainable_ratio_on: it is trained.
      period_init_min, period_init_max: between these the cycles' lengths are drawn.

    Source: Neil, Pfeiffer and Liu 2016, "Phased LSTM", https://arxiv.org/abs/1610.09513
    """

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        leak=0.001,
        ratio_on=0.1,
        trainable_ratio_on=True,
        period_init_min=1.0,
        period_init_max=1000.0,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._leak = num_units, use_peepholes, leak
        self._ratio_on, self._is_trained = ratio_on, trainable_ratio_on
        self._period_range = period_init_min, period_init_max

    output_size = property(lambda self: self._num_units)
    state_size = property(lambda self: _CELLS.LSTMStateTuple(self._num_units, self._num_units))

    def call(self, inputs, state):
        """`inputs` are the times, [batch_size, 1], and the values, [batch_size, input_size]."""
        (times, x), (c, h) = inputs, state
        peepholes = lambda c: [c] if self._use_peepholes else []
        with tf.variable_scope("mask_gates"):
            gates = tf.sigmoid(cells.linear([x, h, *peepholes(c)], 2 * self._num_units, True))
            input_gate, forget_gate = tf.split(gates, 2, axis=1)
        with tf.variable_scope("new_input"):
            new_c = c * forget_gate + input_gate * tf.tanh(cells.linear([x, h], self._num_units, True))
        with tf.variable_scope("output_gate"):
            output_gate = tf.sigmoid(cells.linear([x, h, *peepholes(new_c)], self._num_units, True))
        new_h = tf.tanh(new_c) * output_gate
        k = self._openness(times)
        new_c, new_h = k * new_c + (1 - k) * c, k * new_h + (1 - k) * h
        return new_h, _CELLS.LSTMStateTuple(new_c, new_h)

    def _openness(self, times):
        """Of each unit, 0 to 1, [batch_size, num_units]; at the beginning of its cycle it rises and falls."""
        shape = [self._num_units]
        period = tf.get_variable("period", shape, initializer=self._draw_periods)
        phase = tf.get_variable(
            "phase", shape, initializer=lambda *_, **__: tf.random_uniform(shape) * period.initial_value
        )
        ratio_on = tf.get_variable(
            "ratio_on", shape, initializer=tf.constant_initializer(self._ratio_on), trainable=self._is_trained
        )
        phase, period = tf.cast(phase, times.dtype), tf.cast(period, times.dtype)
        shifted = times - phase
        place = tf.stop_gradient(tf.mod(shifted, period) - shifted) + shifted  # mod, with 1 as its gradient
        cycle = tf.cast(place / period, tf.float32)
        rising = 2 * cycle / ratio_on
        k = tf.where(cycle < ratio_on, 2 - rising, self._leak * cycle)
        return tf.where(cycle < 0.5 * ratio_on, rising, k)

    def _draw_periods(self, shape, dtype=tf.float32, partition_info=None):
        least, most = map(float, self._period_range)
        return tf.exp(tf.random_uniform(shape, tf.log(least), tf.log(most), dtype))


class ConvLSTMCell(_CELLS.RNNCell):
    """An LSTM cell over grids: convolutions stand where matrices do, and the state is a grid, too.

    Args:
      conv_ndims: 1, 2 or 3.
      input_shape: of the inputs without the batch, the channels last.
      output_channels, kernel_shape: of the convolution, whose padding keeps the grid's size.
      skip_connection: the inputs' channels come after the output's.

    Source: Shi et al. 2015, "Convolutional LSTM Network", https://arxiv.org/abs/1506.04214
    """

    def __init__(
        self,
        conv_ndims,
        input_shape,
        output_channels,
        kernel_shape,
        use_bias=True,
        skip_connection=False,
        forget_bias=1.0,
        initializers=None,
        name="conv_lstm_cell",
    ):
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"input_shape {list(input_shape)} does not fit conv_ndims={conv_ndims}")
        self._grid, self._input_channels = list(input_shape[:-1]), input_shape[-1]
        self._output_channels, self._kernel_shape = output_channels, list(kernel_shape)
        self._use_bias, self._skip_connection, self._forget_bias = use_bias, skip_connection, forget_bias

    @property
    def output_size(self):
        skipped = self._input_channels if self._skip_connection else 0
        return tf.TensorShape([*self._grid, self._output_channels + skipped])

    @property
    def state_size(self):
        size = tf.TensorShape([*self._grid, self._output_channels])
        return _CELLS.LSTMStateTuple(size, size)

    def call(self, inputs, state):
        """`inputs` [batch_size, ..., channels]; c and h of the state are [batch_size, ..., output_channels]."""
        c, h = state
        both, width = tf.concat([inputs, h], -1), 4 * self._output_channels
        kernel = tf.get_variable("kernel", [*self._kernel_shape, both.shape[-1].value, width], inputs.dtype)
        gates = tf.nn.convolution(both, kernel, padding="SAME")
        if self._use_bias:
            gates += tf.get_variable("biases", [width], inputs.dtype, tf.zeros_initializer())
        i, j, f, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        h = tf.concat([h, inputs], -1) if self._skip_connection else h
        return h, _CELLS.LSTMStateTuple(c, h)


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch_size, length, channels]."""

    def __init__(self, name="conv_1d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch_size, height, width, channels]."""

    def __init__(self, name="conv_2d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over [batch_size, depth, height, width, channels]."""

    def __init__(self, name="conv_3d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=3, name=name, **kwargs)


class HighwayWrapper(_CELLS.RNNCell):
    """A cell past which its inputs are carried: a gate mixes them with its outputs, which have their size.

    Args:
      couple_carry_transform_gates: what is not carried comes from the cell; else that has a gate of its own.
      carry_bias_init: of the gate's bias, in the beginning.

    Source: Srivastava, Greff and Schmidhuber 2015, "Highway Networks", https://arxiv.org/abs/1505.00387
    """

    def __init__(self, cell, couple_carry_transform_gates=True, carry_bias_init=1.0):
        super().__init__()
        self._cell, self._is_coupled, self._bias = cell, couple_carry_transform_gates, carry_bias_init
        self.zero_state = cell.zero_state

    state_size = property(lambda self: self._cell.state_size)
    output_size = property(lambda self: self._cell.output_size)

    def __call__(self, inputs, state, scope=None):
        """As the cell; the gates' variables have no scope of their own."""
        outputs, state = self._cell(inputs, state, scope=scope)
        return tf.nest.map_structure(self._highway, inputs, outputs), state

    def _highway(self, inputs, outputs):
        inputs.shape.assert_is_compatible_with(outputs.shape)
        carry = self._gate("carry", inputs, self._bias)
        transform = 1 - carry if self._is_coupled else self._gate("transform", inputs, -self._bias)
        return inputs * carry + outputs * transform

    @staticmethod
    def _gate(name, inputs, bias):
        size = inputs.shape[1].value
        weights = tf.get_variable(f"{name}_w", [size, size])
        biases = tf.get_variable(f"{name}_b", [size], initializer=tf.constant_initializer(bias))
        return tf.sigmoid(tf.matmul(inputs, weights) + biases)


class SRUCell(_CELLS.RNNCell):
    """A simple recurrent unit: the memory c is multiplied by a gate, number by number, and by no matrix.

    Source: Lei, Zhang and Artzi 2017, "Training RNNs as Fast as CNNs", https://arxiv.org/abs/1709.02755
    """

    def __init__(self, num_units, activation=None, reuse=None, name=None, **kwargs):
        super().__init__(_reuse=reuse, name=name, **kwargs)
        self._num_units, self._activation = num_units, activation or tf.tanh

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state`, which is c, [batch_size, num_units]."""
        kernel = tf.get_variable("kernel", [inputs.shape[1].value, 4 * self._num_units])
        bias = tf.get_variable("bias", [2 * self._num_units], initializer=tf.zeros_initializer())
        candidate, f, r, x = tf.split(tf.matmul(inputs, kernel), 4, axis=1)
        f, r = tf.split(tf.sigmoid(tf.concat([f, r], 1) + bias), 2, axis=1)
        c = f * state + (1 - f) * candidate
        return r * self._activation(c) + (1 - r) * x, c


class IndRNNCell(_CELLS.RNNCell):
    """A layer whose neurons see their own last output alone, times one number each.

    Source: Li et al. 2018, "Independently Recurrent Neural Network", https://arxiv.org/abs/1803.04831
    """

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units, self._activation = num_units, activation or tf.tanh

    output_size = state_size = property(lambda self: self._num_units)

    def call(self, inputs, state):
        """`inputs` [batch_size, input_size], `state` [batch_size, num_units]."""
        kernel_w = tf.get_variable("kernel_w", [inputs.shape[1].value, self._num_units])
        uniform = tf.random_uniform_initializer(-1, 1)
        kernel_u = tf.get_variable("kernel_u", [1, self._num_units], initializer=uniform)
        bias = tf.get_variable("bias", [self._num_units], initializer=tf.zeros_initializer())
        output = self._activation(tf.matmul(inputs, kernel_w) + state * kernel_u + bias)
        return output, output


_OF_PAPERS = (
    NASCell,
    LayerNormBasicLSTMCell,
    CoupledInputForgetGateLSTMCell,
    UGRNNCell,
    IntersectionRNNCell,
    PhasedLSTMCell,
    ConvLSTMCell,
    Conv1DLSTMCell,
    Conv2DLSTMCell,
    Conv3DLSTMCell,
    HighwayWrapper,
    SRUCell,
    IndRNNCell,
)
SHELF = {cell.__name__: cell for cell in _OF_PAPERS}
