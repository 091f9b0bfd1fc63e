"""The hyperparameters of every run: one plain class each, which says what differs from its parent and why.

`small` is the tutorial's own numbers in every script (lstm_by_hand.py's source has no training, so those are ours),
`test` takes seconds. A script names its configs in one call of `get_config`; any value can be replaced on the command
line with `--set name=value`.
"""

from tf1 import app
from tf1.app import UserError


class SmallConfig:
    """The PTB tutorial's small model; published perplexities: train 37.99, valid 121.39, test 115.91."""

    init_scale = 0.1  # weights are drawn from [-init_scale, init_scale)
    learning_rate = 1.0  # of plain SGD, in the first max_epoch epochs
    max_grad_norm = 5.0  # gradients are scaled so that their global norm is at most this
    num_layers = 2  # LSTM layers
    num_steps = 20  # back-propagation through time is cut at this many steps
    hidden_size = 200  # units of a layer, and the size of a word's embedding
    max_epoch = 4  # epochs with the full learning rate
    max_max_epoch = 13  # epochs in all
    keep_prob = 1.0  # the part of units that dropout keeps
    lr_decay = 0.5  # the learning rate's factor for each epoch after max_epoch
    batch_size = 20  # sequences side by side
    vocab_size = 10000  # rows of the embedding; 0: as many as the corpus has words


class MediumConfig(SmallConfig):
    """The regularised medium model; published: train 48.45, valid 86.16, test 82.07."""

    init_scale = 0.05
    num_steps = 35
    hidden_size = 650
    max_epoch = 6
    max_max_epoch = 39
    keep_prob = 0.5
    lr_decay = 0.8


class LargeConfig(SmallConfig):
    """The regularised large model; published: train 37.87, valid 82.62, test 78.29."""

    init_scale = 0.04
    max_grad_norm = 10.0
    num_steps = 35
    hidden_size = 1500
    max_epoch = 14
    max_max_epoch = 55
    keep_prob = 0.35
    lr_decay = 1 / 1.15


class TestConfig(SmallConfig):
    """A model too small to learn much, for trying the program itself."""

    __test__ = False  # pytest: this is no test class

    max_grad_norm = 1.0
    num_layers = 1
    num_steps = 2
    hidden_size = 2
    max_epoch = 1
    max_max_epoch = 1


PTB_CONFIGS = {"small": SmallConfig, "medium": MediumConfig, "large": LargeConfig, "test": TestConfig}


class MNISTSmallConfig:
    """One layer of tanh units that read an image row by row; recorded: .9744 on the test set at the last epoch."""

    n_neurons = 150  # units of a layer
    learning_rate = 0.001  # of Adam
    n_epochs = 100
    batch_size = 150  # images of a batch, or a few more: what is left over is spread over the batches


class MNISTMultilayerSmallConfig(MNISTSmallConfig):
    """Three layers of ReLU units; recorded: .976 at the last epoch."""

    n_layers = 3
    n_neurons = 100
    n_epochs = 10


class MNISTLSTMSmallConfig(MNISTSmallConfig):
    """Three layers of LSTM or GRU units; recorded: .9871 at the last epoch, with LSTM units."""

    n_layers = 3
    n_epochs = 10


class MNISTTestConfig(MNISTSmallConfig):
    """Learns something in seconds."""

    __test__ = False

    n_neurons = 10
    learning_rate = 0.01
    n_epochs = 2


class MNISTDeepTestConfig(MNISTTestConfig):
    """The same with two layers."""

    n_layers = 2


_MNIST_DEEP = {"small": MNISTLSTMSmallConfig, "test": MNISTDeepTestConfig}
MNIST_CONFIGS = {  # by model
    "basic": {"small": MNISTSmallConfig, "test": MNISTTestConfig},
    "multilayer": {"small": MNISTMultilayerSmallConfig, "test": MNISTDeepTestConfig},
    "lstm": _MNIST_DEEP,
    "gru": _MNIST_DEEP,
}


class LongSmallConfig:
    """The recall task of studies/gradient_reach.py: give back the first input after `n_steps` time steps."""

    n_steps = 40
    n_inputs = 3
    n_neurons = 50
    batch_size = 50
    n_iterations = 300
    learning_rate = 0.1  # of plain gradient descent
    adam_learning_rate = 0.003
    max_grad_norm = 1.0  # of clipping
    truncated_steps = 10  # of truncated back-propagation through time


class LongTestConfig(LongSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    n_steps = 8
    n_neurons = 5
    n_iterations = 5
    truncated_steps = 3


LONG_CONFIGS = {"small": LongSmallConfig, "test": LongTestConfig}


class SequenceKindsSmallConfig:
    """The networks of studies/sequence_kinds.py, of four time steps each."""

    n_inputs = 3
    n_neurons = 5
    batch_size = 4


class SequenceKindsTestConfig(SequenceKindsSmallConfig):
    """The smallest that has all."""

    __test__ = False

    n_neurons = 2
    batch_size = 1


SEQUENCE_KINDS_CONFIGS = {"small": SequenceKindsSmallConfig, "test": SequenceKindsTestConfig}


class GradientPathsSmallConfig(SequenceKindsSmallConfig):
    """The network of studies/gradient_paths.py, as the book draws it."""

    n_steps = 5
    n_used = 3  # outputs that the cost uses, the last ones


class GradientPathsTestConfig(GradientPathsSmallConfig):
    """The smallest that has all."""

    __test__ = False

    n_steps = 3
    n_used = 1


GRADIENT_PATHS_CONFIGS = {"small": GradientPathsSmallConfig, "test": GradientPathsTestConfig}


class RNNMemorySmallConfig:
    """The networks whose memory studies/rnn_memory.py measures."""

    n_steps = 200  # of the longest; the others have a tenth and a hundredth of it
    n_inputs = 28
    n_neurons = 100
    batch_size = 50


class RNNMemoryTestConfig(RNNMemorySmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    n_steps = 20
    n_neurons = 10


RNN_MEMORY_CONFIGS = {"small": RNNMemorySmallConfig, "test": RNNMemoryTestConfig}


class TimeSeriesSmallConfig:
    """One layer of ReLU units; recorded MSE at iteration 1400: .0418 (projection)."""

    n_steps = 20  # values of an instance
    n_neurons = 100
    learning_rate = 0.001  # of Adam
    n_iterations = 1500
    batch_size = 50


class TimeSeriesDropoutSmallConfig(TimeSeriesSmallConfig):
    """Three layers of tanh units with dropout; recorded training MSE from iteration 300 on: 2.2 to 4.5."""

    n_layers = 3
    learning_rate = 0.01
    train_keep_prob = 0.5  # the part of a layer's inputs that dropout keeps in training


class TimeSeriesTestConfig(TimeSeriesSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    n_neurons = 10
    n_iterations = 102


class TimeSeriesDropoutTestConfig(TimeSeriesDropoutSmallConfig):
    """The same with dropout."""

    __test__ = False

    n_layers = 2
    n_neurons = 10
    n_iterations = 102


_TIME_SERIES = {"small": TimeSeriesSmallConfig, "test": TimeSeriesTestConfig}
TIME_SERIES_CONFIGS = {  # by model
    "projection": _TIME_SERIES,
    "dense": _TIME_SERIES,
    "dropout": {"small": TimeSeriesDropoutSmallConfig, "test": TimeSeriesDropoutTestConfig},
}


class HeldOutSmallConfig(TimeSeriesSmallConfig):
    """studies/held_out.py: the series twice, over several seeds."""

    n_seeds = 10  # at least 2, for the standard error


class HeldOutTestConfig(TimeSeriesTestConfig):
    """Small enough to try the program in seconds."""

    n_seeds = 2


HELD_OUT_CONFIGS = {"small": HeldOutSmallConfig, "test": HeldOutTestConfig}


class EchoSmallConfig:
    """The X/Y task with the tutorial's numbers."""

    batch_size = 3
    num_steps = 10  # back-propagation through time is cut at this many steps
    state_size = 4  # tanh units
    learning_rate = 0.2  # of plain SGD
    num_epochs = 5
    size = 1000000  # values of X in an epoch


class EchoMediumConfig(EchoSmallConfig):
    """Large enough to come within 1 % of the least loss, 0.4545; batches of 3 are too noisy for that."""

    batch_size = 20
    state_size = 16


class EchoTestConfig(EchoSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    num_epochs = 2
    size = 20000


ECHO_CONFIGS = {"small": EchoSmallConfig, "medium": EchoMediumConfig, "test": EchoTestConfig}


class LSTMSmallConfig:
    """The next-value task of lstm_by_hand.py; the widths of the layers are the source's, in the script."""

    time_step = 30  # values of the series that the next one is predicted from
    batch_size = 50
    learning_rate = 0.001  # of Adam
    n_iterations = 500


class LSTMTestConfig(LSTMSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    time_step = 4
    n_iterations = 3


LSTM_CONFIGS = {"small": LSTMSmallConfig, "test": LSTMTestConfig}


class LSTMCellsSmallConfig:
    """studies/dynamic_rnn_parameters.py, shared_cells.py and device_placement.py: networks of two layers."""

    n_steps = 5
    n_inputs = 3
    n_neurons = 20  # units of a layer


class LSTMCellsTestConfig(LSTMCellsSmallConfig):
    """A small one."""

    __test__ = False

    n_neurons = 4


LSTM_CELLS_CONFIGS = {"small": LSTMCellsSmallConfig, "test": LSTMCellsTestConfig}


class InitialStateSmallConfig(LSTMSmallConfig):
    """studies/initial_state.py: the same task, over several seeds."""

    n_seeds = 5  # at least 2, for the standard error


class InitialStateTestConfig(LSTMTestConfig):
    """Small enough to try the program in seconds."""

    n_seeds = 2


INITIAL_STATE_CONFIGS = {"small": InitialStateSmallConfig, "test": InitialStateTestConfig}


class CharGRUSmallConfig:
    """One GRU layer with the tutorial's numbers."""

    max_length = 100  # characters of a chunk; back-propagation through time is cut there
    embedding_dim = 256
    hidden_units = 1024
    num_layers = 1
    embedding_keep_prob = 1.0  # the part of the embeddings that dropout keeps
    keep_prob = 1.0  # the same of each layer's outputs
    recurrent_keep_prob = 1.0  # the same of the recurrent kernels' weights
    learning_rate = 0.001  # of Adam, in the first max_epoch epochs
    max_epoch = 20  # epochs with the full learning rate
    lr_decay = 1.0  # the learning rate's factor for each epoch after max_epoch
    batch_size = 64
    shifts = False  # each epoch begins at another character of the text
    n_epochs = 20
    # After so many epochs without a better validation loss the run stops and takes its best weights; 0: takes the last.
    patience = 0
    num_generate = 1000  # characters at the end


class CharGRUMediumConfig(CharGRUSmallConfig):
    """Two layers with dropout."""

    hidden_units = 512
    num_layers = 2
    embedding_keep_prob = 0.5
    keep_prob = 0.5
    learning_rate = 0.002
    max_epoch = 30
    lr_decay = 0.7
    n_epochs = 40
    patience = 6


class CharGRULargeConfig(CharGRUSmallConfig):
    """Two wide layers with dropout in three places, for the best validation loss that 8 MB of bf16 hold."""

    hidden_units = 600
    num_layers = 2
    embedding_keep_prob = 0.5
    keep_prob = 0.5
    recurrent_keep_prob = 0.85
    learning_rate = 0.002
    max_epoch = 24  # long: the loss falls most where a rate that was high for long becomes small
    lr_decay = 0.7
    shifts = True
    n_epochs = 36
    patience = 8


class CharGRUTestConfig(CharGRUSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    max_length = 20
    embedding_dim = 8
    hidden_units = 16
    learning_rate = 0.01
    n_epochs = 2


CHAR_GRU_CONFIGS = {
    "small": CharGRUSmallConfig,
    "medium": CharGRUMediumConfig,
    "large": CharGRULargeConfig,
    "test": CharGRUTestConfig,
}


class GRUBPTTSmallConfig:
    """The GRU of studies/gru_bptt.py; no two sizes are the same, so that none can stand for another."""

    num_steps = 12
    batch_size = 3
    n_inputs = 5
    hidden_units = 7
    n_characters = 9


class GRUBPTTTestConfig(GRUBPTTSmallConfig):
    """Two steps, the least that go back through time."""

    __test__ = False

    num_steps = 2


GRU_BPTT_CONFIGS = {"small": GRUBPTTSmallConfig, "test": GRUBPTTTestConfig}


class PeepholesSmallConfig:
    """The two timing tasks of studies/peepholes.py."""

    n_steps = 11
    min_interval = 3  # time steps between two spikes; up to n_steps - 1, each as likely as the others
    n_neurons = 4  # few, as in the paper: many find other ways to count
    batch_size = 50
    learning_rate = 0.02  # of Adam
    n_iterations_measure = 300
    n_iterations_act = 900  # the harder task
    n_seeds = 5  # at least 2, for the standard error


class PeepholesTestConfig(PeepholesSmallConfig):
    """Small enough to try the program in seconds."""

    __test__ = False

    n_steps = 6
    n_iterations_measure = 3
    n_iterations_act = 3
    n_seeds = 2


PEEPHOLES_CONFIGS = {"small": PeepholesSmallConfig, "test": PeepholesTestConfig}


class ReberSmallConfig:
    """The notebook's numbers for studies/reber.py; recorded: all validation strings right from epoch 17 on."""

    n_neurons = 30
    learning_rate = 0.02  # of gradient descent with Nesterov's momentum
    momentum = 0.95
    n_epochs = 50
    batch_size = 50
    n_train = 10000  # strings, half of them corrupted
    n_validation = 5000
    n_new = 2000  # different strings that are in neither set


class ReberTestConfig(ReberSmallConfig):
    """The first epochs, in seconds."""

    __test__ = False

    n_epochs = 3
    n_new = 200


REBER_CONFIGS = {"small": ReberSmallConfig, "test": ReberTestConfig}


def values(config):
    """The hyperparameters of `config`, a class or an instance, by name."""
    return {name: getattr(config, name) for name in sorted(dir(config)) if not name.startswith("_")}


# How long a run is, and what it writes in the end: not what a step computes.
_LENGTHS = ("max_max_epoch", "n_epochs", "num_epochs", "n_iterations", "num_generate")


def identity(config):
    """The values that a step depends on: a run goes on with more epochs, and with nothing else that is new."""
    return {name: value for name, value in values(config).items() if name not in _LENGTHS}


def is_unchanged(config):
    """Whether the values of `config` are those of its class."""
    return values(config) == values(type(config))


_SIZES_OF_LAYERS = ("hidden_size", "hidden_units", "embedding_dim", "n_neurons", "n_inputs", "state_size")


def get_config(table, name, overrides=()):
    """A new config of the class `table[name]`, with the `overrides`, a list of "name=value", applied in their order.

    Raises:
      UserError: an unknown config, an unknown name, or a value that does not fit; the error lists what is known.
    """
    if name not in table:
        raise UserError(f"--config={name} is not known here: choose one of {', '.join(table)}")
    config = table[name]()
    known = values(config)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or key not in known:
            raise UserError(f"--set {override}: expected name=value with a name among {', '.join(known)}")
        kind = type(known[key])
        try:
            value = {int: app.integer, float: app.number, bool: app.truth}[kind](text)
        except ValueError as error:
            raise UserError(f"{override}: {key} is of type {kind.__name__}, like {known[key]}") from error
        may_be_zero = kind is bool or key in ("vocab_size", "max_epoch", "patience")
        least, limit = (1, 2**31) if kind is int else (1e-37, 1e38)  # what fp32 holds with all its digits
        if key in _SIZES_OF_LAYERS:
            limit = 2**24  # the square of more is no shape that TensorFlow takes
        if key in ("num_layers", "n_layers"):
            limit = 101  # the graph of 1,000 takes minutes before anything can say that it is too large
        if not (least <= value < limit or value == 0 and may_be_zero):
            raise UserError(f"{override}: {key} must be at least {0 if may_be_zero else least}, below {limit}")
        if key.endswith("keep_prob") and value > 1:
            raise UserError(f"{override}: {key} is a probability, at most 1")
        setattr(config, key, value)
    return config
