"""A whole small run: folds without leak, pieces that go on, predictions, report, the leaking protocol, the gallery."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from poxlens.data.manifest import Row
from poxlens.errors import TrainingError
from poxlens.files import sha256_file
from poxlens.recipes.aism.leak import FILE, deal, folder_of, read_leak, run_leak
from poxlens.recipes.aism.material import read_material
from poxlens.recipes.aism.study import study_of
from poxlens.recipes.aism.units import units
from poxlens.recipes.aism.verb import Asked, run
from poxlens.recipes.default import Where, silent
from poxlens.train.contrastive.encoder import EncoderRecord, save_encoder
from poxlens.train.contrastive.pool import Pool
from poxlens.train.networks.registry import find_network
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.training import Hooks


@pytest.fixture
def go(tmp_path):
    """A function: a study and what of it -> what a run in `tmp_path / "out"` told."""

    def make(study, asked=None, **more):
        return run(study, Where(tmp_path / "out"), tmp_path, asked or Asked(), **more)

    return make


PLAIN = Asked(arms=("other",), report=False)


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_run_from_end_to_end(go, entries, photos, tmp_path):
    study = study_of(entries(leak={"arms": ["other"], "copied": ["mpox"], "size": 20}), "x")
    said = []
    told = go(study, gallery="other", say=said.append)
    assert (told.finished, told.waiting, told.failed) == (9, [], {})
    rows = table(told.files["predictions"])
    assert len(rows) == 3 * 36  # two arms on all labels, one of them at half
    for arm, share in (("small", "1"), ("small", "0.5"), ("other", "1")):
        own = [row for row in rows if (row["setting"], row["share"]) == (arm, share)]
        assert sorted(row["file"] for row in own) == sorted(path.name for path in photos.glob("*.png"))
        folds = {}
        for row in own:
            folds.setdefault(row["group"], set()).add(row["fold"])
        assert all(len(several) == 1 for several in folds.values())
        assert float(own[0]["p_mpox"]) + float(own[0]["p_acne"]) + float(own[0]["p_normal"]) == pytest.approx(
            1, abs=1e-5
        )
    figures = json.loads(told.files["figures"].read_text())
    assert {(one["arm"], one["share"], one["images"]) for one in figures["arms"]} == {
        ("small", 1.0, 36),
        ("small", 0.5, 36),
        ("other", 1.0, 36),
    }
    assert {one["part"] for one in figures["grades"]} >= {
        "grade I",
        "grade Others",
        "stage earlier",
        "stage later",
    }
    assert [(one["second"], one["first"], one["n"]) for one in figures["differences"]] == [
        ("other", "small", 36)
    ]
    # Same network, start, recipe, folds and seed: whatever the arms are called, they are one.
    assert figures["differences"][0]["figures"]["accuracy"]["value"] == 0
    assert len(list((tmp_path / "out" / "units").glob("*/network.safetensors"))) == 9
    assert not list((tmp_path / "out" / "units").glob("*/checkpoint.pt"))
    assert "epoch 1 of 1" in said[0]
    _check_leak(told, figures)
    page = told.files["gallery"].read_text()
    assert "keep it there" in page
    assert page.count("<img") >= 3


def _check_leak(told, figures):
    leaking, photo, group = read_leak(folder_of(told.files["predictions"].parent, "other") / FILE, "other")
    assert len(leaking.truth) == 9  # a fifth of 36 + 8 copies
    assert 0 <= photo <= group <= 1
    assert figures["data_c_leaks"]["warning"].startswith("This protocol leaks")
    assert [one["arm"] for one in figures["data_c_leaks"]["arms"]] == ["other"]
    text = told.files["tables"].read_text()
    assert "LEAKS" in text
    assert "leaks" in told.files["page"].read_text()
    assert "LEAKS" in (told.files["report"] / "leak.csv").read_text()


def test_in_pieces_it_comes_to_the_same(go, entries, photos, tmp_path):
    arms = [{**arm, "shares": [1.0]} for arm in entries()["arms"]]
    study = study_of(entries(arms=arms), "x")
    whole = go(study, PLAIN)
    assert whole.finished == 3
    assert len(whole.waiting) == 3
    first = table(whole.files["predictions"])
    none = go(study, Asked(minutes=0, report=False))
    assert (none.finished, len(none.waiting)) == (3, 3)
    assert table(none.files["predictions"]) == first
    rest = go(study, Asked(report=False))
    assert (rest.finished, rest.waiting) == (6, [])


def test_an_unknown_arm_is_refused(go, study, photos):
    with pytest.raises(TrainingError, match='there is no arm "x"; there are: other, small'):
        go(study, Asked(arms=("x",)))


def test_one_arm_without_weights_leaves_the_others(go, entries, photos):
    arms = [
        *entries()["arms"][1:],
        {"name": "SimCLR", "network": "mobilenet-v3-small", "start": "none", "recipe": "tiny"},
    ]
    told = go(study_of(entries(arms=arms, pairs=[]), "x"), Asked(report=False))
    assert told.finished == 3
    assert list(told.failed) == ["SimCLR"]
    assert "poxlens pretrain simclr" in told.failed["SimCLR"]


def test_an_encoder_that_has_learnt_from_a_tested_image_is_refused_there(go, entries, photos, tmp_path):
    out = tmp_path / "encoder"
    out.mkdir()
    record = EncoderRecord("mobilenet-v3-small", "simclr", "random", 32, 1, 1, "c" * 64, 0)
    save_encoder(out, find_network("mobilenet-v3-small").build(None), record)
    learnt = photos / "acne03.png"
    Pool((Row("x.png", learnt, "", sha256=sha256_file(learnt)),), (), (), ()).write(out)
    arm = {"name": "SimCLR", "network": "mobilenet-v3-small", "start": "encoder", "layers": "head"}
    told = go(study_of(entries(arms=[arm], pairs=[]), "x"), Asked(report=False))
    assert told.finished == 2  # folds that test other images
    ((where, why),) = told.failed.items()
    assert where.startswith("SimCLR, 100% of the labels, fold ")
    assert "has learnt from 1 of the tested images (acne03.png): pretrain it anew with --exclude" in why


def test_a_corrupt_image_is_left_out_and_named(go, study, photos):
    (photos / "acne03.png").write_bytes(b"no picture")
    told = go(study, PLAIN)
    assert [file for file, _ in told.skipped] == ["acne03.png"]
    assert len(table(told.files["predictions"])) == 35


def test_a_class_with_one_group_is_refused_by_name(go, study, photos):
    path = photos / "manifest.csv"
    lines = [
        ",".join([*line.split(",")[:3], "normal0", "", ""]) if ",normal," in line else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(Exception, match='"normal"') as fault:
        go(study)
    assert type(fault.value).__name__ == "SplitError"


def test_images_are_read_once_and_again_when_a_file_changes(go, study, photos, monkeypatch):
    from poxlens.recipes.aism import decoded

    calls = []
    whole = decoded.read_cases
    monkeypatch.setattr(decoded, "read_cases", lambda *a, **k: calls.append(1) or whole(*a, **k))
    first = go(study, PLAIN)
    go(study, PLAIN)
    assert len(calls) == 1
    (photos / "acne03.png").write_bytes((photos / "acne04.png").read_bytes() + b" ")
    go(study, Asked(minutes=0, report=False))
    assert len(calls) == 2
    del first


def test_fewer_labels_are_fewer_images_to_learn_from(study, photos, tmp_path):
    material = read_material(study, tmp_path, tmp_path / "out", silent)
    for unit in units(study, material):
        fold, group = unit.fold, material.cases.groups.of
        parts = [set(group[rows].tolist()) for rows in (fold.train, fold.validation, fold.test)]
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
    whole, half = material.folds[0], material.smaller[0.5][0]
    assert set(half.train) < set(whole.train)
    assert len(half.train) == pytest.approx(len(whole.train) / 2, abs=3)
    assert np.array_equal(half.test, whole.test)
    settings = {unit.share: unit.settings for unit in units(study, material)}
    assert settings[0.5] == replace(settings[1.0], epochs=round(1 / 0.5**0.5))


def test_copies_stand_on_both_sides_of_the_leaking_deal(entries):
    leak = study_of(entries(leak={"arms": ["small"], "copied": ["mpox"], "size": 60}), "x").leak
    truth = np.repeat([0, 1, 2], [20, 30, 30])
    data = deal(leak, truth, ("mpox", "acne", "normal"), seed=0)
    assert np.bincount(truth[data.image]).tolist() == [60, 30, 30]
    assert np.bincount(data.copy).tolist() == [80, 20, 20]  # two copies of each of 20 images
    parts = [set(rows.tolist()) for rows in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 120
    assert len(parts[2]) == 24
    learnt = set(data.image[data.train].tolist())
    scarce = [at for at in data.image[data.test].tolist() if at < 20]
    assert sum(at in learnt for at in scarce) >= len(scarce) / 2


def test_a_head_alone_under_the_leaking_protocol(entries, photos, tmp_path):
    arm = {**entries()["arms"][0], "layers": "head"}
    study = study_of(
        entries(arms=[arm], pairs=[], leak={"arms": ["small"], "copied": ["mpox"], "size": 20}), "x"
    )
    where = Where(tmp_path / "out")
    material = read_material(study, tmp_path, where.out, silent)
    arguments = (study, material, where, tmp_path, Ranks())
    assert not run_leak(*arguments, until=0, hooks=Hooks())
    assert run_leak(*arguments, until=float("inf"), hooks=Hooks())
    leaking, _, _ = read_leak(folder_of(where.out, "small") / FILE, "small")
    assert leaking.name == "small, Data_C (leaks)"
    assert len(leaking.truth) == 9
    assert run_leak(*arguments, until=0, hooks=Hooks())  # finished before


def test_a_head_alone_on_frozen_features(go, entries, photos, tmp_path):
    arm = {**entries()["arms"][0], "layers": "head", "shares": [1.0, 0.5]}
    study = study_of(entries(arms=[arm], pairs=[]), "x")
    told = go(study, Asked(report=False))
    assert told.finished == 6
    rows = [row for row in table(told.files["predictions"]) if row["share"] == "1"]
    right = [
        max(("mpox", "acne", "normal"), key=lambda name: float(row["p_" + name])) == row["label"]
        for row in rows
    ]
    assert sum(right) >= 18  # of 36, by chance 12: random features tell many tints apart
    assert not list((tmp_path / "out" / "units").glob("*/network.safetensors"))
    assert go(study, Asked(minutes=0, report=False)).finished == 6
