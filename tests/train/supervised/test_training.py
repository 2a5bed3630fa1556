"""The loop: the same losses after a kill, early stop, and what happens when a loss or the memory fails."""

from __future__ import annotations

import time
from dataclasses import astuple

import numpy as np
import pytest
import torch

from poxlens.errors import TrainingError
from poxlens.train.supervised.training import Hooks


def losses(training):
    """Everything of the epochs but the seconds they took."""
    return [astuple(epoch)[:-1] for epoch in training.history]


class KilledError(Exception):
    pass


def killed_at(training, step):
    """Let a training die in the middle of an epoch, after so many steps."""
    whole, done = training.stepper.step, []

    def dying(*arguments):
        if len(done) == step:
            raise KilledError
        done.append(1)
        return whole(*arguments)

    training.stepper.step = dying
    with pytest.raises(KilledError):
        training.run()


def test_it_learns_and_keeps_the_best_epoch(begin):
    training = begin(augment=0.0, mixed=0.0, label_smoothing=0.0, dropout=0.0)
    assert training.run()
    assert training.done
    best = training.progress.best_epoch
    assert training.history[best - 1].validation_loss == min(one.validation_loss for one in training.history)
    told = training.probabilities(training.validation.images)
    own = told[np.arange(12), training.validation.truth]
    assert -np.log(own).mean() == pytest.approx(training.history[best - 1].validation_loss, rel=1e-5)
    assert training.history[-1].loss < training.history[0].loss


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_killed_in_mid_epoch_it_goes_on_to_the_same_losses(begin, optimizer):
    unbroken = begin(folder="whole", optimizer=optimizer)
    unbroken.run()
    killed_at(begin(folder="broken", optimizer=optimizer, every=0.0), 6)  # four steps an epoch
    resumed = begin(folder="broken", optimizer=optimizer)
    assert resumed.resumed
    assert (len(resumed.history), resumed.progress.step) == (1, 2)
    resumed.run()
    assert losses(resumed) == losses(unbroken)
    for one, other in zip(resumed.network.parameters(), unbroken.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_in_half_precision_it_comes_close(begin):
    whole, half = (begin(folder=kind, precision=kind) for kind in ("fp32", "bf16"))
    for one in (whole, half):
        one.run()
    for one, other in zip(whole.history, half.history, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=0.02)
    assert losses(whole) != losses(half)


def test_without_time_it_stops_and_goes_on(begin):
    assert not begin(folder="timed").run(until=time.monotonic() - 1)
    training = begin(folder="timed")
    assert training.resumed
    assert training.run()


def test_another_training_s_checkpoint_is_refused(begin):
    begin(folder="one").run(until=time.monotonic() - 1)
    with pytest.raises(TrainingError, match="of another training"):
        begin(folder="one", seed=1)
    with pytest.raises(TrainingError, match="of another training"):
        begin(folder="one", augment=0.1)


def test_a_damaged_checkpoint_is_named(begin, tmp_path):
    path = tmp_path / "damaged" / "checkpoint.pt"
    path.parent.mkdir()
    path.write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is no checkpoint"):
        begin(folder="damaged")


def test_it_stops_when_nothing_gets_better(begin, monkeypatch):
    training = begin(folder="early")
    object.__setattr__(training.settings, "patience", 2)
    object.__setattr__(training.settings, "epochs", 50)
    monkeypatch.setattr(training, "_validated", lambda: (1.0, 0.5))
    training.run()
    assert len(training.history) == 3
    assert training.progress.best_epoch == 1


def test_a_loss_that_is_no_number_goes_back_and_halves_the_rate(begin):
    notes = []
    training = begin(hooks=Hooks(note=notes.append), warmup=0.0, schedule="constant")
    whole, calls = training.stepper._gradients, []

    def failing(rows, seed):
        loss, right = whole(rows, seed)
        calls.append(1)
        return (float("nan") if len(calls) == 6 else loss), right

    training.stepper._gradients = failing
    training.run()
    assert len(training.history) == 4
    assert all(np.isfinite(one.loss) for one in training.history)
    assert [one.rate for one in training.history] == pytest.approx([0.01, 0.005, 0.005, 0.005])
    assert len(notes) == 1
    assert "back to the beginning of epoch 2" in notes[0]


def test_a_loss_that_never_is_a_number_ends_it(begin):
    training = begin()
    training.stepper._gradients = lambda _rows, _seed: (float("nan"), 0.0)
    with pytest.raises(TrainingError, match="for the 4th time: lower the learning rate"):
        training.run()


def limited(network, most):
    """The network on a machine whose memory ends at so many images."""

    class Limited(type(network)):
        def forward(self, image):
            if self.training and len(image) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return super().forward(image)

    network.__class__ = Limited
    return network


def test_a_batch_too_large_for_the_memory_is_halved_and_said(begin, tiny_network):
    notes = []
    training = begin(network=limited(tiny_network(), 4), hooks=Hooks(note=notes.append))
    training.run()
    assert training.stepper.part == 4
    assert notes == ["memory does not suffice for 8 images at once: 4 from here on, gradients summed"]
    assert len(training.history) == 4


def test_two_images_too_large_for_the_memory_end_it(begin, tiny_network):
    with pytest.raises(TrainingError, match="2 images at once are too many"):
        begin(network=limited(tiny_network(), 1)).run()


def test_another_fault_is_not_taken_for_memory(begin, tiny_network):
    training = begin()

    def failing(_rows, _seed):
        raise RuntimeError("shapes do not fit")

    training.stepper._gradients = failing
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        training.run()


def test_parts_have_the_whole_batch_s_gradient(begin):
    """Without batch normalisation's statistics the sum over parts is the gradient of the batch."""
    found = []
    for part in (8, 2):
        training = begin(folder=f"part{part}", dropout=0.0)
        training.network.backbone.layer[1].eval()
        training.stepper.wrapped.train = lambda: None
        training.network.backbone.layer[1].train = lambda mode=True: None
        training.stepper.part = part
        with torch.random.fork_rng():
            torch.manual_seed(3)
            training.stepper._gradients(np.arange(8), 3)
        found.append([one.grad.clone() for one in training.network.parameters()])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_too_few_images_are_refused(begin, tinted_images, tiny_network, tmp_path):
    from poxlens.train.supervised.settings import MODERN
    from poxlens.train.supervised.training import Training

    with pytest.raises(TrainingError, match="1 images to learn from"):
        Training(tiny_network(), tinted_images(1, 0), tinted_images(3, 0), MODERN, tmp_path / "c.pt", seed=0)
