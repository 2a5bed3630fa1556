from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from poxlens.data.phantom import draw, random_spec
from poxlens.train.contrastive.processes import Processes, processes


def test_a_single_process_shares_nothing(tiny_encoder):
    with processes("cpu") as one:
        assert (one.rank, one.count, one.first, one.device) == (0, 1, True, torch.device("cpu"))
        pieces = torch.rand(2, 3, 4)
        assert one.gathered(pieces) is pieces
        assert one.as_the_first(7) == 7
        one.add_up(tiny_encoder())
        one.wait()
    assert Processes(device=torch.device("cuda", 1)).cuda_devices == [1]
    assert Processes().cuda_devices == []


@pytest.mark.soak
def test_two_processes_take_the_steps_of_one(tmp_path):
    """Each embeds half of every batch; one process with parts of that size gets the same losses."""
    (tmp_path / "pool").mkdir()
    for number in range(16):
        Image.fromarray(draw(random_spec(number, size=48)).image).save(tmp_path / "pool" / f"{number}.png")
    common = [
        "--side",
        "32",
        "--epochs",
        "3",
        "--batch",
        "8",
        "--precision",
        "fp32",
        "--chunk",
        "4",
        "--jobs",
        "1",
    ]
    common = [*common, "--device", "cpu", "--rate", "0.003"]
    together = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "poxlens"]
    launchers = {"one": [sys.executable, "-m", "poxlens"], "two": [sys.executable, *together]}
    losses = {}
    for name, launcher in launchers.items():
        call = [
            *launcher,
            "pretrain",
            "simclr",
            str(tmp_path / "pool"),
            "--out",
            str(tmp_path / name),
            *common,
        ]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        losses[name] = torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["losses"]
        assert (tmp_path / name / "encoder.safetensors").exists()
    assert len(losses["one"]) == 6
    np.testing.assert_allclose(losses["two"], losses["one"], rtol=2e-3)
