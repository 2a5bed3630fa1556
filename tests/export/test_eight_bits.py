from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from poxlens.export.calibration import observe
from poxlens.export.eight_bits import correct_biases, find_float_layers, rounded
from poxlens.export.folding import convolutions


def test_weights_have_a_scale_a_channel():
    weight = torch.tensor([[1.27, 0.004, -0.006], [127.0, 0.4, -0.6]]).reshape(2, 3, 1, 1)
    expected = torch.tensor([[1.27, 0.0, -0.01], [127.0, 0.0, -1.0]])
    torch.testing.assert_close(rounded(weight).reshape(2, 3), expected)


def test_the_mean_error_of_rounding_is_taken_off(network, images):
    """Of a convolution and of a depthwise one: what the rounded weights give is right on average afterwards."""
    seen = observe(network, images)
    given = {}
    for name, module in convolutions(network).items():
        module.register_forward_pre_hook(lambda _, inputs, name=name: given.update({name: inputs[0].clone()}))
    planes = torch.from_numpy(images.astype(np.float32))
    with torch.no_grad():
        network(planes)
        corrected = copy.deepcopy(network)
        names = [name for name in convolutions(network) if name.endswith(("wide.2.0", "same.0"))]
        correct_biases(corrected, seen, names)
        for name in names:
            convolution, other = convolutions(network)[name], convolutions(corrected)[name]
            assert not torch.equal(convolution.bias, other.bias)
            right = convolution(given[name])
            plain, made = copy.deepcopy(convolution), copy.deepcopy(other)
            plain.weight.copy_(rounded(plain.weight))
            made.weight.copy_(rounded(made.weight))
            before = (plain(given[name]) - right).mean((0, 2, 3)).abs().mean()
            after = (made(given[name]) - right).mean((0, 2, 3)).abs().mean()
            assert after < 0.5 * before  # padding, which the means do not know of, leaves the rest
    assert torch.equal(
        convolutions(corrected)["parts.0.stem.0"].bias, convolutions(network)["parts.0.stem.0"].bias
    )


def spoil(network):
    """One weight of each channel is huge and meets a channel that is always zero: eight bits lose all the others."""
    with torch.no_grad():
        before, spoilt = (convolutions(network)[f"parts.0.{name}.0"] for name in ("wide.1", "wide.2"))
        before.weight[0], before.bias[0] = 0.0, -1.0  # ReLU6 makes it zero
        spoilt.weight[:, 0] = 300.0


def test_the_layer_that_bears_no_eight_bits_stays_in_floats(network, images):
    spoil(network)
    before = {name: module.weight.clone() for name, module in convolutions(network).items()}
    ticks = []
    found = find_float_layers(network, observe(network, images), images, wanted=35.0, advance=ticks.append)
    noise = {layer.name: layer.noise for layer in found.layers}
    assert min(noise, key=lambda name: noise[name]) == "parts.0.wide.2.0"
    assert found.kept == ("parts.0.wide.2.0",)
    assert found.all_eight < 30 < 50 < found.mixed
    assert len(ticks) == 6
    assert sum(layer.work for layer in found.layers) == pytest.approx(1.0)
    assert "leaves" in found.layers[1].reason
    for name, module in convolutions(network).items():
        assert torch.equal(module.weight, before[name])  # simulated, not done


def test_a_network_that_bears_it_stays_whole(network, images):
    found = find_float_layers(network, observe(network, images), images, wanted=45.0)
    assert found.kept == ()
    assert found.mixed == found.all_eight > 45


def test_no_more_than_a_quarter_of_the_work_stays_in_floats(network, images):
    found = find_float_layers(network, observe(network, images), images, wanted=200.0)
    assert 0 < sum(layer.work for layer in found.layers if layer.kept) <= 0.25
