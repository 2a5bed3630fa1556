from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from poxlens.train.contrastive import planning
from poxlens.train.contrastive.planning import free_memory, plan_run, precisions_for
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.settings import Settings

SETTINGS = Settings(network="tiny", side=32, cached_side=40, epochs=10, batch=64)


@pytest.fixture
def speeds(monkeypatch):
    """Seconds and bytes an image by precision, instead of a trial."""
    table = {"fp32": (0.01, 1_000_000), "bf16": (0.008, 500_000), "fp16": (0.02, 500_000)}
    monkeypatch.setattr(planning, "_tried", lambda settings, *rest: table[settings.precision])
    monkeypatch.setattr(planning, "free_memory", lambda device: 60_000_000)
    return table


def test_the_plan_counts_steps_time_and_memory(tiny_encoder, speeds):
    plan = plan_run(200, SETTINGS, tiny_encoder(), Processes(), precisions=("fp32", "bf16"))
    assert plan.precision == "bf16"
    assert (plan.batch, plan.steps) == (64, 3)
    assert plan.chunk == 64  # 32 MB are less than 60 % of the free 60 MB
    assert plan.seconds == pytest.approx(0.008 * 64 * 3 * 10)
    assert plan.images_per_second == pytest.approx(125)
    assert plan.told()["fits"]


def test_a_batch_that_does_not_fit_is_parted_and_takes_longer(tiny_encoder, speeds):
    plan = plan_run(200, SETTINGS, tiny_encoder(), Processes(), precisions=("fp32",))
    assert plan.chunk == 32
    assert plan.memory == pytest.approx(32e6, rel=0.05)
    assert plan.seconds == pytest.approx(0.01 * 4 / 3 * 64 * 3 * 10)
    asked = plan_run(200, SETTINGS, tiny_encoder(), Processes(), precisions=("fp32",), chunk=10)
    assert asked.chunk == 10


def test_another_precision_must_be_clearly_faster(tiny_encoder, speeds):
    speeds["bf16"] = (0.0095, 1)
    plan = plan_run(50, SETTINGS, tiny_encoder(), Processes(), precisions=("fp32", "bf16"))
    assert plan.precision == "fp32"
    assert (plan.batch, plan.steps) == (50, 1)
    assert plan.tried == {"fp32": 0.01, "bf16": 0.0095}


def test_a_trial_times_steps_and_weighs_what_they_keep(tiny_encoder):
    """Two views of an image: at least the first layer's output in 32-bit floats, and not a hundred times that."""
    encoder = tiny_encoder()
    before = torch.cat([value.flatten() for value in encoder.state_dict().values()]).clone()
    plan = plan_run(64, SETTINGS, encoder, Processes(), precisions=("fp32",))
    least = 2 * 8 * 16 * 16 * 4
    assert least < plan.bytes_per_image < 100 * least
    assert plan.seconds > 0
    after = torch.cat([value.flatten() for value in encoder.state_dict().values()])
    assert torch.equal(before, after)
    larger = plan_run(64, replace(SETTINGS, side=64), encoder, Processes(), precisions=("fp32",))
    assert larger.bytes_per_image == pytest.approx(4 * plan.bytes_per_image, rel=0.3)


def test_precisions_to_try():
    cpu = torch.device("cpu")
    assert precisions_for("auto", cpu) == ("fp32", "bf16")
    assert precisions_for("bf16", cpu) == ("bf16",)
    assert 2**20 < free_memory(cpu) < 2**45
