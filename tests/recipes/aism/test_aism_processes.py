"""Several processes: two that train together through PyTorch's launcher, and two runs in one folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from poxlens.recipes.aism.material import read_material
from poxlens.recipes.aism.units import run_unit, units
from poxlens.recipes.default import Where, silent
from poxlens.train.supervised.curves import read_curves
from poxlens.train.supervised.parallel import Ranks, ranks
from poxlens.train.supervised.training import Hooks

STUDY = """
name = "two-processes"
[images]
manifest = "photos/manifest.csv"
target = "mpox"
side = 32
[images.classes]
mpox = ["mpox"]
acne = ["acne"]
normal = ["normal"]
[protocol]
folds = 3
validation = 0.3
[recipes.tiny]
epochs = 2
batch = 8
[[arms]]
name = "small"
network = "mobilenet-v3-small"
start = "random"
recipe = "tiny"
folds = [1, 2]
"""


def test_one_process_is_alone():
    with ranks("cpu") as found:
        assert found == Ranks(0, 1, "cpu")
        assert found.first
        assert found.mean([1.0, 2.0]) == [1.0, 2.0]
        assert found.agreed("x") == "x"


def test_a_unit_that_another_run_trains_is_left_to_it(study, photos, tmp_path):
    material = read_material(study, tmp_path, tmp_path / "out", silent)
    unit = next(iter(units(study, material)))
    folder = tmp_path / "out" / "units" / unit.slug
    folder.mkdir(parents=True)
    arguments = (unit, study, material, Where(tmp_path / "out"), tmp_path, Ranks())
    with FileLock(folder / ".lock"):
        assert run_unit(*arguments, until=float("inf"), hooks=Hooks()) is None
    found = run_unit(*arguments, until=float("inf"), hooks=Hooks())
    assert found is not None
    assert found.epochs == 1


@pytest.mark.soak
def test_two_processes_train_together(photos, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    verb = ["-m", "poxlens", "aism", "study.toml", "--out", "out", "--device", "cpu", "--no-report"]
    done = subprocess.run(
        [*launcher, *verb],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 trainings are done") == 1  # the first process alone tells it
    with (tmp_path / "out" / "predictions.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 24
    for fold in (1, 2):
        history = read_curves(tmp_path / "out" / "units" / f"small-100-{fold}" / "curves.csv")
        assert len(history) == 2
        assert all(0 < epoch.loss < 10 for epoch in history)
