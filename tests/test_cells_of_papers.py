"""The cells of `tf1/cells_of_papers.py`, against TensorFlow 1.15 (recorded)."""

import numpy as np
import pytest

from conftest import set_variables
from tf1 import tf

CELLS = tf.contrib.rnn
LENGTHS = [5, 3, 1]
X = np.sin(np.arange(60)).reshape(3, 5, 4).astype(np.float32)
TIMES = np.cumsum(np.abs(np.cos(np.arange(15)))).reshape(3, 5, 1).astype(np.float32)
GRID = np.sin(np.arange(3 * 5 * 4 * 3 * 2)).reshape(3, 5, 4, 3, 2).astype(np.float32)


def coupled(**options):
    return CELLS.CoupledInputForgetGateLSTMCell(6, **options)


def highway():
    return CELLS.MultiRNNCell([CELLS.HighwayWrapper(CELLS.UGRNNCell(4)), CELLS.HighwayWrapper(CELLS.GRUCell(4), False)])


BUILDS = {
    "layer_norm": (lambda: CELLS.LayerNormBasicLSTMCell(6, forget_bias=0.5, norm_gain=0.7, norm_shift=0.1), X),
    "nas": (lambda: CELLS.NASCell(6, num_proj=3, use_bias=True), X),
    "coupled": (coupled, X),
    "peepholes": (lambda: coupled(use_peepholes=True, num_proj=3, proj_clip=0.1, num_unit_shards=2), X),
    "one_state": (lambda: coupled(state_is_tuple=False, num_proj=3, forget_bias=0.2), X),
    "coupled_norm": (lambda: coupled(layer_norm=True, norm_gain=1.3, norm_shift=0.2, activation=tf.sigmoid), X),
    "ugrnn": (lambda: CELLS.UGRNNCell(6, forget_bias=0.3, activation=tf.nn.elu), X),
    "intersection": (lambda: CELLS.IntersectionRNNCell(6, num_in_proj=6, y_activation=tf.tanh), X),
    "phased": (lambda: CELLS.PhasedLSTMCell(6), (TIMES, X)),
    "phased_peepholes": (lambda: CELLS.PhasedLSTMCell(6, True, leak=0.1, trainable_ratio_on=False), (TIMES, X)),
    "conv_1d": (lambda: CELLS.Conv1DLSTMCell(input_shape=[3, 2], output_channels=3, kernel_shape=[2]), GRID[:, :, 0]),
    "conv_2d": (lambda: CELLS.ConvLSTMCell(2, [4, 3, 2], 3, [3, 2], use_bias=False, forget_bias=0.5), GRID),
    "highway": (highway, X),
    "gru_block": (lambda: CELLS.GRUBlockCell(6), X),
    "gru_block_v2": (lambda: CELLS.GRUBlockCellV2(cell_size=6), X),
    "sru": (lambda: CELLS.SRUCell(6, activation=tf.nn.elu), X),
    "indrnn": (lambda: CELLS.IndRNNCell(6), X),
    "cudnn_gru": (lambda: tf.contrib.cudnn_rnn.CudnnCompatibleGRUCell(6), X),
    "cudnn_lstm": (lambda: tf.contrib.cudnn_rnn.CudnnCompatibleLSTMCell(6), X),
}


NORMS = " ".join(f"{gate}/gamma {gate}/beta" for gate in ("transform", "forget", "output", "state"))
PHASED = "mask_gates/kernel mask_gates/bias new_input/kernel new_input/bias output_gate/kernel output_gate/bias"
UNITS = (
    "cell_0/ugrnn_cell/kernel cell_0/ugrnn_cell/bias cell_0/carry_w cell_0/carry_b "
    "cell_1/gru_cell/gates/kernel cell_1/gru_cell/gates/bias cell_1/gru_cell/candidate/kernel "
    "cell_1/gru_cell/candidate/bias cell_1/carry_w cell_1/carry_b cell_1/transform_w cell_1/transform_b"
)


@pytest.mark.parametrize(
    "name, second, size, of_state, of_gradients, variables",
    [  # TensorFlow 1.15.5: the second step's first two numbers; the sums of absolute outputs, states and gradients
        ("layer_norm", [0.335719, 0.0650965], 8.89096, 9.14072, 47.5935, f"kernel input/gamma input/beta {NORMS}"),
        (
            "nas",
            [-0.0121577, 0.0211939],
            0.545415,
            0.769005,
            0.423312,
            "recurrent_kernel kernel bias projection_weights",
        ),
        ("coupled", [0.0768996, 0.147079], 4.82537, 3.78823, 8.88433, "W_0 B"),
        ("peepholes", [0.1, -0.0652203], 1.61372, 2.90227, 2.77578, "W_0 W_1 B W_F_diag W_O_diag W_P_0"),
        ("one_state", [0.153336, -0.0513361], 2.42057, 3.55736, 7.87079, "W_0 B W_P_0"),
        ("coupled_norm", [0.358585, 0.325866], 15.3107, 9.70531, 16.9844, f"W_0 B {NORMS}"),
        ("ugrnn", [-0.200079, -0.0967163], 8.85744, 4.08631, 32.5657, "kernel bias"),
        (
            "intersection",
            [0.423886, 0.232497],
            13.3552,
            3.11968,
            71.8924,
            "in_projection/kernel in_projection/bias kernel bias",
        ),
        ("phased", [0.000124474, 0.00533916], 0.306427, 0.586575, 2.51802, f"{PHASED} period phase ratio_on"),
        ("phased_peepholes", [0.0128453, 0.0133657], 0.627188, 0.903284, 4.46193, f"{PHASED} period phase"),
        ("conv_1d", [-0.209868, 0.0622215], 9.38794, 11.4511, 14.2623, "kernel biases"),
        ("conv_2d", [0.0163344, 0.0197325], 18.5494, 17.3934, 45.9092, "kernel"),
        ("highway", [-0.0827409, -0.287621], 7.09273, 4.99432, 16.9903, UNITS),
        ("gru_block", [0.352189, 0.0986791], 8.73666, 3.55709, 27.887, "w_ru b_ru w_c b_c"),
        (
            "gru_block_v2",
            [0.352189, 0.0986791],
            8.73666,
            3.55709,
            27.887,
            "gates/kernel gates/bias candidate/kernel candidate/bias",
        ),
        ("sru", [-0.194879, 0.00506656], 5.48277, 1.13174, 18.6439, "kernel bias"),
        ("indrnn", [0.486384, 0.0793834], 13.4102, 5.59634, 42.3976, "kernel_w kernel_u bias"),
        (
            "cudnn_gru",
            [0.459166, 0.222511],
            13.5946,
            5.14675,
            53.2954,
            "gates/kernel gates/bias candidate/input_projection/kernel candidate/hidden_projection/kernel "
            "candidate/input_projection/bias candidate/hidden_projection/bias",
        ),
        ("cudnn_lstm", [-0.0979889, -0.0551666], 5.25701, 5.75338, 9.88734, "kernel bias"),
    ],
)
def test_cells_are_those_of_tensorflow_1_15(session, name, second, size, of_state, of_gradients, variables):
    build, inputs = BUILDS[name]
    inputs = tf.nest.map_structure(tf.constant, inputs)
    outputs, state = tf.nn.dynamic_rnn(build(), inputs, LENGTHS, dtype=tf.float32)
    trained = tf.trainable_variables()
    assert [variable.op.name.split("/", 2)[2] for variable in trained] == variables.split()
    gradients = [gradient for gradient in tf.gradients(tf.nn.l2_loss(outputs) * 2, trained) if gradient is not None]
    session.run(tf.global_variables_initializer())
    set_variables(session)
    outputs, state, gradients = session.run([outputs, tf.nest.flatten(state), gradients])
    np.testing.assert_allclose(outputs[0, 1].ravel()[:2], second, atol=1e-6)
    assert np.abs(outputs).sum() == pytest.approx(size, rel=1e-5)
    assert sum(np.abs(array).sum() for array in state) == pytest.approx(of_state, rel=1e-5)
    assert sum(np.abs(array).sum() for array in gradients) == pytest.approx(of_gradients, rel=1e-4)


def test_where_a_phased_cell_begins(session):
    """Periods from 1 to 1,000, evenly by their logarithms; each unit anywhere in its own one."""
    tf.nn.dynamic_rnn(CELLS.PhasedLSTMCell(3000), (tf.constant(TIMES), tf.constant(X)), dtype=tf.float32)
    period, phase, ratio_on = [
        variable
        for variable in tf.global_variables()
        if variable.op.name.split("/")[-1] in ("period", "phase", "ratio_on")
    ]
    session.run(tf.global_variables_initializer())
    period, phase, ratio_on = session.run([period, phase, ratio_on])
    assert np.all((period >= 1) & (period <= 1000) & (phase >= 0) & (phase <= period)) and np.all(
        ratio_on == np.float32(0.1)
    )
    # 4 standard errors of 3,000 draws.
    error = 4 / np.sqrt(12 * 3000)
    assert np.mean(np.log(period)) / np.log(1000) == pytest.approx(0.5, abs=error)
    assert np.mean(phase / period) == pytest.approx(0.5, abs=error)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: CELLS.IntersectionRNNCell(6), "num_in_proj=6"),
        (lambda: CELLS.HighwayWrapper(CELLS.GRUCell(5)), "are incompatible"),
        (lambda: CELLS.ConvLSTMCell(2, [3, 2], 3, [2]), "does not fit conv_ndims=2"),
        (lambda: CELLS.GRUBlockCell(), "give num_units"),
    ],
)
def test_sizes_that_do_not_fit(build, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        tf.nn.dynamic_rnn(build(), tf.constant(X), dtype=tf.float32)
