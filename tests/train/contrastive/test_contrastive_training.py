from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.errors import TrainingError
from poxlens.train.contrastive.optimising import optimiser_of
from poxlens.train.contrastive.reporting import curve, write_curve, write_page
from poxlens.train.contrastive.settings import Settings, ViewSettings, usual_rate
from poxlens.train.contrastive.training import Schedule, Training

SMALL = Settings(
    network="tiny",
    side=32,
    cached_side=40,
    epochs=4,
    batch=6,
    chunk=3,
    learning_rate=0.05,
    warm_up=1,
    projection=8,
)
EVERY_STEP = Schedule(keep_every=0, watch_every=2)


class StoppedError(Exception):
    pass


def watch(encoder):
    assert not encoder.training
    value = float(encoder.parts[0][0].weight.abs().sum())
    return {"knn_accuracy": value, "knn_mean_recall": value, "embedding_spread": 0.5}


def weights_of(training):
    return torch.cat([value.flatten().double() for value in training.encoder.state_dict().values()])


@pytest.fixture(scope="module")
def whole(tiny_encoder, pictures, tmp_path_factory):
    """An unbroken run: 20 images, 3 steps of 6 an epoch, 4 epochs."""
    folder = tmp_path_factory.mktemp("whole")
    training = Training(pictures, SMALL, tiny_encoder(), folder / "a.pt", schedule=EVERY_STEP)
    assert training.run(watch=watch)
    return training, folder


@pytest.mark.parametrize("broken_at", [2, 5, 9])
def test_broken_off_within_an_epoch_and_gone_on_with_gives_the_same_losses(
    whole, broken_at, tiny_encoder, pictures, tmp_path
):
    path = tmp_path / "a.pt"
    done = []

    def stop(count):
        done.append(count)
        if len(done) == broken_at:
            raise StoppedError

    broken = Training(pictures, SMALL, tiny_encoder(), path, schedule=EVERY_STEP)
    with pytest.raises(StoppedError):
        broken.run(watch=watch, advance=stop)
    again = Training(pictures, SMALL, tiny_encoder(7), path, schedule=EVERY_STEP)
    assert len(again.losses) == broken_at - 1  # the last step was not kept: as if killed before it was
    assert again.run(watch=watch)
    assert again.losses == whole[0].losses
    assert again.history[1:] == whole[0].history[1:]
    assert torch.equal(weights_of(again), weights_of(whole[0]))


def test_the_losses_are_counted_and_epochs_are_their_means(whole):
    training = whole[0]
    assert (training.batch, training.steps, training.chunk) == (6, 3, 3)
    assert len(training.losses) == 12
    assert [one.epoch for one in training.history] == [0, 1, 2, 3, 4]
    for place in range(4):
        mean = np.mean(training.losses[3 * place : 3 * place + 3])
        assert training.history[place + 1].loss == pytest.approx(mean, rel=1e-12)
    assert [bool(one.watched) for one in training.history] == [True, False, True, False, True]
    # Eq. 2 at tau 0.5 with N = 6: similarities are within -2..2.
    least, most = (math.log(1 + 10 * math.exp(4 * sign)) for sign in (-1, 1))
    assert all(least < loss < most for loss in training.losses)


def test_a_longer_run_learns_to_match_views(tiny_encoder, pictures, tmp_path):
    """With views that keep their colours, which alone tell these images apart."""
    settings = replace(
        SMALL,
        epochs=40,
        batch=20,
        chunk=20,
        optimiser="adamw",
        learning_rate=0.02,
        temperature=0.2,
        views=ViewSettings(smallest=0.6, jitter=0, grey=0),
    )
    training = Training(pictures, settings, tiny_encoder(), tmp_path / "a.pt")
    training.run()
    assert training.losses[-1] < training.losses[0] - 0.5
    assert np.mean([one.matched for one in training.history[-5:]]) > 0.25  # by chance 1 / 39


def test_the_rate_rises_and_falls():
    settings = Settings(epochs=10, warm_up=2, learning_rate=0.4)
    rates = [settings.rate(step, 5) for step in range(50)]
    assert rates[0] == pytest.approx(0.04)
    assert rates[9] == pytest.approx(0.4)
    assert rates[30] == pytest.approx(0.2)  # half way down
    assert 0 < rates[-1] < 0.001
    assert usual_rate("sgd", 512) == pytest.approx(0.12)
    assert usual_rate("adamw", 512) == pytest.approx(1e-3)


def test_memory_that_does_not_suffice_halves_the_part_and_says_so(whole, tiny_encoder, pictures, tmp_path):
    settings = replace(SMALL, batch=16, chunk=16, epochs=1)
    training = Training(pictures, settings, tiny_encoder(), tmp_path / "a.pt")
    plain, tried = training.learner.step, []

    def full(make, images, chunk, seed):
        tried.append(chunk)
        if chunk > 4:
            training.encoder.parts[0][1].running_mean += 100  # what a broken step leaves behind
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return plain(make, images, chunk, seed)

    training.learner.step = full
    said = []
    assert training.run(say=said.append)
    assert said == training.notes
    assert tried == [16, 8, 4]
    assert training.encoder.parts[0][1].running_mean.abs().max() < 50
    assert training.notes == [
        "epoch 1, step 1: 16 images at once did not fit into memory; gone on with 8",
        "epoch 1, step 1: 8 images at once did not fit into memory; gone on with 4",
    ]
    direct = Training(pictures, replace(settings, chunk=4), tiny_encoder(), tmp_path / "b.pt")
    direct.run()
    assert direct.losses == training.losses
    # The smaller part stays after a break.
    assert Training(pictures, settings, tiny_encoder(), tmp_path / "a.pt").chunk == 4


def test_the_smallest_part_that_does_not_fit_ends_the_run(tiny_encoder, pictures, tmp_path):
    training = Training(pictures, SMALL, tiny_encoder(), tmp_path / "a.pt")

    def full(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    training.learner.step = full
    with pytest.raises(
        TrainingError, match=r"epoch 1 of 4, step 1 of 3: 3 images at once do not fit.*--chunk"
    ):
        training.run()


def test_a_fault_of_another_kind_is_not_taken_for_memory(tiny_encoder, pictures, tmp_path):
    training = Training(pictures, SMALL, tiny_encoder(), tmp_path / "a.pt")

    def wrong(*arguments):
        raise RuntimeError("shape mismatch")

    training.learner.step = wrong
    with pytest.raises(RuntimeError, match="shape mismatch"):
        training.run()


def test_a_loss_that_is_no_number_names_the_step_and_keeps_the_last_state(tiny_encoder, pictures, tmp_path):
    path = tmp_path / "a.pt"
    training = Training(pictures, SMALL, tiny_encoder(), path, schedule=EVERY_STEP)

    def spoil(count):
        if len(training.losses) == 5:
            with torch.no_grad():
                training.encoder.parts[0][0].bias[0] = float("nan")

    with pytest.raises(
        TrainingError, match=r"epoch 2 of 4, step 3 of 3: the loss is no number any more; the last"
    ):
        training.run(advance=spoil)
    again = Training(pictures, SMALL, tiny_encoder(), path, schedule=EVERY_STEP)
    assert len(again.losses) == 4 or len(again.losses) == 5
    assert all(math.isfinite(one) for one in again.losses)


def test_checkpoints_of_another_run_and_damaged_ones_are_refused(whole, tiny_encoder, pictures, tmp_path):
    kept = (whole[1] / "a.pt").read_bytes()
    path = tmp_path / "a.pt"
    path.write_bytes(kept)
    with pytest.raises(TrainingError, match="another run"):
        Training(pictures, replace(SMALL, seed=1), tiny_encoder(), path)
    with pytest.raises(TrainingError, match="another run"):
        Training(pictures, SMALL, tiny_encoder(), path, identity="another pool")
    path.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(TrainingError, match="no checkpoint of SimCLR"):
        Training(pictures, SMALL, tiny_encoder(), path)
    with pytest.raises(TrainingError, match="1 images"):
        Training(pictures[:1], SMALL, tiny_encoder(), tmp_path / "b.pt")


@pytest.mark.parametrize("name", ["sgd", "lars", "adamw"])
def test_biases_and_normalisation_are_not_decayed(tiny_encoder, name):
    encoder = tiny_encoder().requires_grad_(True)
    found = optimiser_of(replace(SMALL, optimiser=name, weight_decay=0.3), [encoder])
    assert [group["weight_decay"] for group in found.param_groups] == [0.3, 0.0]
    assert [sorted(value.ndim for value in group["params"]) for group in found.param_groups] == [
        [4, 4],
        [1] * 4,
    ]
    for value in encoder.parameters():
        value.grad = torch.ones_like(value)
    before = encoder.parts[0][0].weight.detach().clone()
    found.step()
    assert not torch.equal(before, encoder.parts[0][0].weight)


def test_the_curve_and_the_page_tell_the_run(whole, tmp_path):
    training = whole[0]
    lines = write_curve(tmp_path, training.history).read_text().splitlines()
    assert lines[0].startswith("epoch,loss,matched,spread,learning_rate,knn_accuracy")
    assert len(lines) == 6
    assert lines[1].split(",")[:5] == ["0", "", "", "", ""]
    assert float(lines[2].split(",")[1]) == pytest.approx(training.history[1].loss, rel=1e-5)
    training.notes.append("a <note>")
    try:
        page = write_page(tmp_path, training, {"seed": "0"}, 3).read_text()
    finally:
        training.notes.pop()
    assert "20 images without labels, 4 of 4 epochs" in page
    assert "a &lt;note&gt;" in page
    assert "3 images could not be read" in page
    assert page.count("<polyline") == 4
    assert "collapsed" not in page


def test_a_line_goes_through_its_points():
    figure = curve("loss", [(0, 2.0), (1, 1.0), (2, 0.0)])
    points = figure.split('points="')[1].split('"')[0]
    assert points == "46.0,14.0 197.0,107.0 348.0,200.0"
    assert 'aria-label="loss: 2 at epoch 0, 0 at epoch 2"' in figure
    assert json.dumps(curve("one", [(1, 1.0)]))  # a single point has no span
