"""The hyperparameters are the tutorial's, and overrides are typed and checked."""

import pytest

import configs
from tf1.app import UserError

NAMES = (
    "init_scale learning_rate max_grad_norm num_layers num_steps hidden_size max_epoch max_max_epoch keep_prob "
    "lr_decay batch_size vocab_size"
).split()


@pytest.mark.parametrize(
    "config, numbers",
    [
        (configs.SmallConfig, (0.1, 1.0, 5, 2, 20, 200, 4, 13, 1.0, 0.5, 20, 10000)),
        (configs.MediumConfig, (0.05, 1.0, 5, 2, 35, 650, 6, 39, 0.5, 0.8, 20, 10000)),
        (configs.LargeConfig, (0.04, 1.0, 10, 2, 35, 1500, 14, 55, 0.35, 1 / 1.15, 20, 10000)),
        (configs.TestConfig, (0.1, 1.0, 1, 1, 2, 2, 1, 1, 1.0, 0.5, 20, 10000)),
    ],
)
def test_numbers_of_the_tutorial(config, numbers):
    assert configs.values(config()) == dict(zip(NAMES, numbers))


def test_overrides_are_typed_and_leave_the_class_alone():
    config = configs.get_config(configs.PTB_CONFIGS, "small", ["num_steps=7", "keep_prob=0.5", "num_steps=8"])
    assert (config.num_steps, config.keep_prob, config.batch_size) == (8, 0.5, 20)
    assert configs.SmallConfig.num_steps == 20


@pytest.mark.parametrize(
    "override, message",
    [
        ("num_step=7", "expected name=value with a name among .*num_steps"),
        ("num_steps", "expected name=value"),
        ("num_steps=7.5", "num_steps is of type int"),
        ("num_steps=", "num_steps is of type int"),
        ("num_steps=0", "num_steps must be at least 1, below 2147483648"),
        ("batch_size=-1", "batch_size must be at least 1"),
        ("learning_rate=nan", r"learning_rate must be at least 1e-37, below 1e\+38"),
        ("learning_rate=inf", "learning_rate must be"),
        ("hidden_size=99999999999", "below 16777216"),
        ("num_layers=1000", "num_layers must be at least 1, below 101"),
        ("batch_size=99999999999", "below 2147483648"),
        ("keep_prob=1.5", "at most 1"),
        ("vocab_size=-1", "vocab_size must be at least 0"),
    ],
)
def test_bad_overrides(override, message):
    with pytest.raises(UserError, match=message):
        configs.get_config(configs.PTB_CONFIGS, "small", [override])


def test_unknown_config_lists_the_known_ones():
    with pytest.raises(UserError, match="--config=huge.*small, medium, large, test"):
        configs.get_config(configs.PTB_CONFIGS, "huge")


@pytest.mark.parametrize("text", ["True", "False"])
def test_a_switch_is_replaced(text):
    config = configs.get_config(configs.CHAR_GRU_CONFIGS, "test", [f"shifts={text}"])
    assert config.shifts is (text == "True")


@pytest.mark.parametrize("text", ["1", "true", ""])
def test_a_switch_that_is_neither_is_refused(text):
    with pytest.raises(UserError, match=f"shifts={text}: shifts is of type bool, like False"):
        configs.get_config(configs.CHAR_GRU_CONFIGS, "test", [f"shifts={text}"])
