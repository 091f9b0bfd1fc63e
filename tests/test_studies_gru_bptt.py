"""studies/gru_bptt.py: the derivation against finite differences, and its command."""

import numpy as np
import pytest

from studies import gru_bptt


def test_numpy_agrees_with_tensorflow(capsys):
    for seed in range(3):
        results = gru_bptt.main([f"--seed={seed}"])
        names = {f"W_{gate}{of}" for gate in "rzh" for of in "xh"} | {f"b_{gate}" for gate in "rzh"}
        names |= {"W_o", "loss", "inputs", "initial_state"}
        assert set(results["reset_before"]) == names
        assert set(results["reset_after"]) == names | {"d_r", "d_z", "d_h"}
        # TensorFlow computes in fp32, 12 steps of sums of at most 12 terms.
        assert all(difference < 1e-5 for form in results.values() for difference in form.values())


@pytest.mark.parametrize("reset_after", [True, False])
def test_numpy_gradients_are_those_of_finite_differences(reset_after):
    random = np.random.RandomState(0)
    shapes = {"W_rx": (3, 4), "W_zx": (3, 4), "W_hx": (3, 4), "W_rh": (4, 4), "W_zh": (4, 4), "W_hh": (4, 4)}
    shapes.update(b_r=4, b_z=4, b_h=4, W_o=(4, 5), **({"d_r": 4, "d_z": 4, "d_h": 4} if reset_after else {}))
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    arrays.update(inputs=random.normal(size=(6, 2, 3)), initial_state=random.normal(size=(2, 4)))
    targets = random.randint(0, 5, (6, 2))

    def loss():
        weights = {name: arrays[name] for name in shapes}
        gru = gru_bptt.NumpyGRU(weights, reset_after)
        return gru.forward(arrays["inputs"], arrays["initial_state"], targets), gru

    gradients = loss()[1].backward()
    for name, array in arrays.items():
        for index in np.ndindex(array.shape):
            value, step = array[index], 1e-6
            array[index] = value + step
            above = loss()[0]
            array[index] = value - step
            below = loss()[0]
            array[index] = value
            # The error of the quotient is about step^2 + 1e-16 / step.
            assert gradients[name][index] == pytest.approx((above - below) / (2 * step), abs=1e-8), (name, index)


def test_the_smallest_network(capsys):
    results = gru_bptt.main(["--config=test", "--set", "batch_size=1", "--set", "hidden_units=1"])
    assert all(difference < 1e-5 for form in results.values() for difference in form.values())
    assert capsys.readouterr().out.count("NumPy against TensorFlow") == 2
