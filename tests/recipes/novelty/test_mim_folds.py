from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.recipes.default import Where
from poxlens.recipes.novelty import mim as module
from poxlens.recipes.novelty.mim import folds_of, measure_mim, read_closeups, train_mim
from poxlens.recipes.novelty.mim_report import PAPER, write_mim
from poxlens.recipes.novelty.rows import Row
from poxlens.recipes.novelty.study import Study
from poxlens.train.inpainting.training import Settings


@pytest.fixture(scope="module")
def phantoms():
    return [draw(random_spec(number, size=256, ita=35)).image for number in range(10)]


@pytest.fixture
def study(tmp_path, phantoms):
    """Ten close-ups of six patients."""
    lines = ["file,label,dataset,patient"]
    for number in range(10):
        Image.fromarray(phantoms[number]).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,mpox,a,p{number // 2 if number < 8 else number}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return _study(tmp_path)


def _study(tmp_path, **mim):
    told = {
        "folds": 3,
        "closeups": 9,
        "epochs": 2,
        "batch": 4,
        "forms": ["sane"],
        "augmented": 6,
        "noisy": 3,
        **mim,
    }
    images = {"manifest": str(tmp_path / "t.csv"), "near": []}
    return Study.model_validate({"name": "x", "images": images, "mim": told})


@pytest.fixture
def small(monkeypatch):
    """Networks of a few channels: one epoch takes a tenth of a second."""
    plain = Settings

    def settings(**told):
        return plain(**told, widths=(4, 4, 4, 4))

    monkeypatch.setattr(module, "Settings", settings)


def test_patients_stand_in_one_fold(study, tmp_path):
    closeups = read_closeups(study, Where(tmp_path / "out"))
    assert len(closeups.images) == 9
    for group in np.unique(closeups.group):
        assert len(np.unique(closeups.fold[closeups.group == group])) == 1
    assert (tmp_path / "out/closeups.csv").exists()


def test_a_fold_of_one_patient(tmp_path, study, small):
    """As many folds as patients: each is tested alone, and learning goes on with the rest."""
    study = _study(tmp_path, folds=6, closeups=10)
    closeups = read_closeups(study, Where(tmp_path / "out"))
    assert sorted(np.bincount(closeups.fold)) == [1, 1, 2, 2, 2, 2]
    epochs, failed = train_mim(study, Where(tmp_path / "out"), only=["sane-6"])
    assert epochs == {"sane-6": 2}
    assert not failed


def test_more_folds_than_patients(tmp_path, study):
    with pytest.raises(TrainingError, match="6 independent groups: too few for 7 folds"):
        read_closeups(_study(tmp_path, folds=7, closeups=10), Where(tmp_path / "out"))


def test_folds_are_trained_once_and_a_fault_stops_no_other(study, tmp_path, small, monkeypatch):
    where = Where(tmp_path / "out")
    assert train_mim(study, where, minutes=0) == ({"sane-1": 0, "sane-2": 0, "sane-3": 0}, {})
    plain = module.Training.run

    def run(self, **told):
        if self.checkpoint.stem == "sane-2":
            raise TrainingError("a loss of MIM is no number any more")
        return plain(self, **told)

    monkeypatch.setattr(module.Training, "run", run)
    epochs, failed = train_mim(study, where)
    assert epochs == {"sane-1": 2, "sane-3": 2}
    assert "no number" in failed["sane-2"]
    history = json.loads((where.out / "mim/sane-1.json").read_text())
    assert len(history) == 2
    before = (where.out / "mim/sane-1.pt").read_bytes()
    train_mim(study, where, only=["sane-1"])
    assert (where.out / "mim/sane-1.pt").read_bytes() == before


def test_a_fold_is_measured_once(study, tmp_path, small, cases, monkeypatch):
    some = np.isin(np.arange(len(cases.counted)), (40, 100, 250))
    big = np.repeat(np.repeat(cases.images, 14, 1), 14, 2)
    cases = replace(cases, images=big, counted=some)
    monkeypatch.setattr(module, "read_cases", lambda study, where, step: cases)
    where = Where(tmp_path / "out")
    with pytest.raises(TrainingError, match=r"no fold of MIM .* go on with --resume"):
        measure_mim(study, where)
    train_mim(study, where, only=["sane-1"])
    first, _ = measure_mim(study, where)
    assert {row.condition for row in first} == {
        "mpox", "mpox augmented", "mpox noisy", *cases.condition[some].tolist()
    }  # fmt: skip
    assert {row.detector for row in first} == {f"mim sane {name}" for name in PAPER}
    plain = module.similarities
    monkeypatch.setattr(module, "similarities", None)
    assert measure_mim(study, where)[0] == first
    monkeypatch.setattr(module, "similarities", plain)
    (tmp_path / "out/mim/sane-1.pt").unlink()
    train_mim(_study(tmp_path, epochs=3), where, only=["sane-1"])
    assert measure_mim(_study(tmp_path, epochs=3), where)[0] != first


def test_the_report_gives_means_over_folds_beside_the_paper(cases, study, tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for fold in range(2):
        for condition, shift in (("mpox", 0), ("eczema", 2), ("not skin: noise", 9)):
            for number in range(20):
                file = f"{condition} {fold if condition == 'mpox' else ''} {number}"
                score = float(random.normal() + shift)
                rows.append(
                    Row(0, fold, "mim sane ssim", False, condition, file, file, condition == "mpox", score)
                )
    files = write_mim(tmp_path, rows, study, cases, lambda name, total: _Silent())
    lines = json.loads(files["MIM's figures"].read_text())
    every = next(line for line in lines if line["conditions"] == "all skin diseases")
    assert every["mean"] == pytest.approx(np.mean(every["folds"]), abs=1e-4)
    assert 0.8 < every["mean"] < 1
    assert every["low"] < every["mean"] < every["high"]
    assert -2 < every["limit"] < 0  # between the clouds, as a similarity
    assert every["found"] > 0.6
    assert every["cleared"] > 0.6
    things = next(line for line in lines if line["conditions"] == "not skin")
    assert things["mean"] == 1
    text = files["MIM's tables"].read_text()
    assert f"{PAPER['ssim']:.4f}" in text
    figure = f"{every['mean']:.3f} [{every['low']:.3f}, {every['high']:.3f}]"
    assert f"| mim sane ssim | 2 | {figure} |  |  |  | {PAPER['ssim']:.3f} |" in text


class _Silent:
    def __enter__(self):
        return lambda count=1: None

    def __exit__(self, *told):
        return None


def test_names_of_folds(study):
    assert [one.name for one in folds_of(study)] == ["sane-1", "sane-2", "sane-3"]
