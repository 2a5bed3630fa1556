from __future__ import annotations

import pytest
import torch

from poxlens.errors import TrainingError
from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.projecting import nt_xent, projection_head
from poxlens.train.contrastive.stepping import Learner
from poxlens.train.networks.registry import AISM, find_network

IMAGES = 12


def learner(encoder, precision="fp32"):
    torch.manual_seed(4)
    encoder = encoder.requires_grad_(True).train()
    head = projection_head(12, 8)
    optimiser = torch.optim.SGD([*encoder.parameters(), *head.parameters()], 0.0)
    return Learner(encoder, head, nt_xent(0.5), optimiser, precision, Processes())


@pytest.fixture(scope="module")
def batch(pictures):
    first = torch.from_numpy(pictures[:IMAGES].copy())
    return first, first.flip(2)


def make(batch):
    return lambda part: torch.cat([side[part] for side in batch])


def gradients(network):
    return torch.cat([value.grad.flatten() for value in network.parameters()])


def test_parts_give_the_gradient_of_the_whole_batch(tiny_encoder, batch):
    """Without batch normalisation in the encoder nothing tells a batch in parts from a whole one."""
    whole, parts = (learner(tiny_encoder(norm=False)) for _ in range(2))
    one = whole.step(make(batch), IMAGES, IMAGES, 0)
    other = parts.step(make(batch), IMAGES, 5, 0)  # 5, 5 and 2 images
    assert other.loss == pytest.approx(one.loss, rel=1e-6)
    assert other.matched == one.matched
    for a, b in ((whole.encoder, parts.encoder), (whole.head, parts.head)):
        whole_gradient = gradients(a)
        assert whole_gradient.norm() > 0.1
        assert (gradients(b) - whole_gradient).norm() < 1e-4 * whole_gradient.norm()


def test_parts_with_batch_normalisation_are_the_same_parts_in_one_graph(tiny_encoder, batch):
    cached, plain = learner(tiny_encoder()), learner(tiny_encoder())
    told = cached.step(make(batch), IMAGES, 6, 0)
    pieces = [plain.encoder.both(make(batch)(part))[1] for part in (slice(0, 6), slice(6, 12))]
    first, second = (torch.cat([piece.chunk(2)[side] for piece in pieces]) for side in (0, 1))
    loss = plain.loss(*plain.head(torch.cat([first, second])).chunk(2))
    loss.backward()
    assert told.loss == pytest.approx(float(loss.detach()), rel=1e-6)
    torch.testing.assert_close(gradients(cached.encoder), gradients(plain.encoder), rtol=1e-4, atol=1e-6)
    # Running means have counted each part once, though it went through twice.
    for a, b in zip(cached.encoder.buffers(), plain.encoder.buffers(), strict=True):
        torch.testing.assert_close(a, b)
    assert int(cached.encoder.parts[0][1].num_batches_tracked) == 2


def test_dropout_is_the_same_in_both_passes(tiny_encoder, batch):
    encoder = tiny_encoder(norm=False)
    encoder.parts[0].append(torch.nn.Dropout(0.5))
    found = []
    for chunk in (4, 4):
        one = learner(encoder)
        told = one.step(make(batch), IMAGES, chunk, 9)
        found.append((told.loss, gradients(encoder).clone()))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])
    one, state = learner(encoder), torch.get_rng_state()
    one.step(make(batch), IMAGES, 4, 9)
    assert torch.equal(torch.get_rng_state(), state)  # nobody else's random numbers are touched


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("chunk", [IMAGES, 6])
def test_half_precision_is_close_to_whole(tiny_encoder, batch, precision, chunk):
    whole, half = learner(tiny_encoder()), learner(tiny_encoder(), precision)
    loss = whole.step(make(batch), IMAGES, chunk, 0).loss
    for _ in range(20):  # the rate is 0; the scale falls until nothing overflows
        found = half.step(make(batch), IMAGES, chunk, 0).loss
    assert found == pytest.approx(loss, rel=0.02)
    assert found != loss
    expected, gradient = gradients(whole.encoder), gradients(half.encoder)
    assert gradient.dtype == torch.float32
    # The scale that keeps half precision from underflowing is taken off again.
    assert 0.7 < float(gradient.norm() / expected.norm()) < 1.3


def test_a_loss_that_is_no_number_is_refused_before_it_changes_weights(tiny_encoder, batch):
    one = learner(tiny_encoder())
    with torch.no_grad():
        one.encoder.parts[0][0].bias[0] = float("nan")
    before = [value.clone() for value in one.head.parameters()]
    with pytest.raises(TrainingError, match="no number"):
        one.step(make(batch), IMAGES, 6, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, one.head.parameters(), strict=True))


@pytest.mark.soak
@pytest.mark.parametrize("name", AISM)
def test_every_network_of_the_paper_takes_a_step(name):
    """In two parts, which shows that an encoder runs twice with the same dropout; only ViT and Swin ask for 224 px."""
    spec = find_network(name)
    side = 224 if name in ("vit-b-16", "swin-b") else 64
    torch.manual_seed(0)
    encoder = Backbone([spec], [spec.build(None)]).requires_grad_(True).train()
    head = projection_head(spec.channels, 16)
    values = [*encoder.parameters(), *head.parameters()]
    one = Learner(encoder, head, nt_xent(0.5), torch.optim.SGD(values, 0.01), "fp32", Processes())
    pixels = torch.randint(0, 256, (8, side, side, 3), dtype=torch.uint8)
    before = [value.detach().clone() for value in values]
    told = one.step(lambda part: torch.cat([pixels[:4][part], pixels[4:][part]]), 4, 2, 0)
    assert 0 < told.loss < 10
    moved = [not torch.equal(a, b) for a, b in zip(before, values, strict=True)]
    assert sum(moved) > 0.9 * len(moved)
