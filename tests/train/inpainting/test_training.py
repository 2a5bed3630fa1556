from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.train.inpainting.losses import FORMS, discriminator_loss, generator_loss
from poxlens.train.inpainting.measuring import pictures, similarities
from poxlens.train.inpainting.networks import Discriminator, Generator
from poxlens.train.inpainting.training import Settings, Training

SMALL = Settings(epochs=6, batch=4, widths=(4, 6, 8, 8), side=32, mask=16, every=2)


@pytest.fixture(scope="module")
def images():
    return np.stack([draw(random_spec(seed, size=32)).image for seed in range(9)])


def weights_of(training):
    return torch.cat([value.flatten().double() for value in training.generator.state_dict().values()])


def test_the_networks_have_the_paper_s_sizes():
    generator, discriminator = Generator().eval(), Discriminator().eval()
    with torch.inference_mode():
        region = generator(torch.rand(1, 3, 224, 224))
        assert region.shape == (1, 3, 112, 112)
        assert 0 <= region.min() <= region.max() <= 1
        assert discriminator(region).shape == (1, 1, 14, 14)


def test_losses_by_hand():
    region, hidden = torch.full((2, 3, 4, 4), 0.5), torch.full((2, 3, 4, 4), 0.25)
    judged = torch.full((2, 1, 2, 2), 0.4)
    assert generator_loss(region, hidden, judged, FORMS["printed"]).item() == pytest.approx(
        0.01 * 0.25 + 0.99 * 0.4**2
    )
    assert generator_loss(region, hidden, judged, FORMS["sane"]).item() == pytest.approx(
        0.99 * 0.25 + 0.01 * 0.6**2
    )
    real = torch.full((2, 1, 2, 2), 0.9)
    assert discriminator_loss(real, judged, FORMS["sane"]).item() == pytest.approx(
        0.5 * 0.1**2 + 0.5 * 0.4**2
    )


def test_the_learning_rate_falls_from_first_to_last():
    rates = [Settings().rate(epoch) for epoch in range(300)]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-5)
    assert all(a > b for a, b in pairwise(rates))


@pytest.fixture(scope="module")
def learnt(images, tmp_path_factory):
    """Mean absolute error of the region, of the first epoch and of the last five, and the training."""

    def learn(precision):
        settings = Settings(
            epochs=40, batch=4, widths=SMALL.widths, side=32, mask=16, every=40, precision=precision
        )
        training = Training(images, settings, tmp_path_factory.mktemp(precision) / "a.pt")
        assert training.run()
        return training.history[0].pixel, np.mean([epoch.pixel for epoch in training.history[-5:]]), training

    return learn


def test_it_learns(learnt):
    first, last, _ = learnt("fp32")
    assert last < 0.6 * first


def test_half_the_bits_learn_as_much(learnt):
    first, last, training = learnt("bf16")
    other_first, other_last, other = learnt("fp32")
    assert training.history != other.history
    assert first == pytest.approx(other_first, rel=0.01)
    assert last == pytest.approx(other_last, rel=0.05)
    assert {value.dtype for value in training.generator.parameters()} == {torch.float32}


@pytest.mark.parametrize(("form", "precision"), [("sane", "fp32"), ("printed", "fp32"), ("sane", "bf16")])
def test_stopped_and_gone_on_with_gives_the_same_weights(images, tmp_path, form, precision):
    settings = Settings(**{**vars(SMALL), "form": form, "precision": precision})
    whole = Training(images, settings, tmp_path / "whole.pt")
    whole.run()
    broken = Training(images, settings, tmp_path / "broken.pt")
    done = []
    broken.run(until=time.monotonic() + 1e9, advance=lambda n: done.append(n) if len(done) < 3 else _stop())
    again = Training(images, settings, tmp_path / "broken.pt")
    assert 0 < len(again.history) < settings.epochs
    again.run()
    assert again.history == whole.history
    torch.testing.assert_close(weights_of(again), weights_of(whole), rtol=0, atol=0)


class StoppedError(Exception):
    pass


def _stop():
    raise StoppedError


@pytest.fixture(autouse=True)
def stopping(monkeypatch):
    """A run that is stopped from outside ends there, its last checkpoint on disk."""
    plain = Training.run

    def run(self, **options):
        try:
            return plain(self, **options)
        except StoppedError:
            return False

    monkeypatch.setattr(Training, "run", run)


def test_no_time_left_trains_nothing(images, tmp_path):
    training = Training(images, SMALL, tmp_path / "a.pt")
    assert not training.run(until=time.monotonic() - 1)
    assert training.history == []


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(images, tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    training = Training(images, SMALL, path)
    step = Training._step

    def broken(self, *arguments):
        losses = step(self, *arguments)
        return (float("nan"), *losses[1:]) if len(self.history) == 3 else losses

    monkeypatch.setattr(Training, "_step", broken)
    with pytest.raises(
        TrainingError, match=r"no number any more in epoch 4 of 6; the state after epoch 2 is kept"
    ):
        training.run()
    monkeypatch.undo()
    again = Training(images, SMALL, path)
    assert len(again.history) == 2
    assert all(torch.isfinite(value).all() for value in again.generator.state_dict().values())


def test_black_images_are_learnt_and_measured(tmp_path):
    black = np.zeros((4, 32, 32, 3), np.uint8)
    training = Training(black, SMALL, tmp_path / "a.pt")
    assert training.run()
    assert np.isfinite([(e.generator, e.discriminator, e.pixel) for e in training.history]).all()
    for name, found in similarities(training.generator, black, 16).items():
        assert np.isfinite(found).all(), name


def test_one_image_cannot_be_learnt_from(images, tmp_path):
    with pytest.raises(TrainingError, match="has 1 image to learn from"):
        Training(images[:1], SMALL, tmp_path / "a.pt")


def test_a_last_batch_of_one_joins_the_one_before(images, tmp_path):
    training = Training(images, SMALL, tmp_path / "a.pt")  # 9 images in batches of 4
    assert training.run()


def test_a_checkpoint_of_other_images_is_refused(images, tmp_path):
    path = tmp_path / "a.pt"
    Training(images, SMALL, path).run()
    with pytest.raises(TrainingError, match="of another run"):
        Training(images[:8], SMALL, path)
    path.write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="no checkpoint of MIM"):
        Training(images, SMALL, path)


def test_only_the_middle_is_repainted(images):
    torch.manual_seed(0)
    made = pictures(Generator(SMALL.widths), images, 16)
    outside = np.ones((32, 32), bool)
    outside[8:24, 8:24] = False
    np.testing.assert_array_equal(made[:, outside], images[:, outside])
    assert (made[:, ~outside] != images[:, ~outside]).mean() > 0.9
