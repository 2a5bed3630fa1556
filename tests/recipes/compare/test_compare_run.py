from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from poxlens.errors import SplitError
from poxlens.recipes.compare import work
from poxlens.recipes.compare.run import compare
from poxlens.recipes.compare.study import StudyError


def rows_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def units_of(out, folder="units"):
    return {path: path.stat().st_mtime_ns for path in (out / folder).rglob("*.json")}


def test_every_image_is_tested_once_by_every_network_and_setting(study_of, where):
    study = study_of(
        networks=["one", "two", "one+two"], heads=["logistic", "dense"], ensembles={"both": ["one", "two"]}
    )
    done = compare(study, where())
    assert done.failed == {}
    assert done.units == 3 * 3 * 4
    rows = rows_of(done.out / "predictions.csv")
    models = {(row["network"], row["setting"]) for row in rows}
    assert models == {
        (network, setting)
        for network in ("one", "two", "one+two", "both")
        for setting in ("logistic", "dense", "dense+augmentation")
    }
    assert len(rows) == 32 * len(models)
    assert len({(row["network"], row["setting"], row["file"]) for row in rows}) == len(rows)
    p = np.array([[float(row["p_mpox"]), float(row["p_acne"])] for row in rows])
    assert np.allclose(p.sum(1), 1, atol=2e-6)
    right = [
        (row["p_mpox"] > row["p_acne"]) == (row["label"] == "mpox")
        for row in rows
        if row["setting"] == "logistic"
    ]
    assert np.mean(right) > 0.9


def test_an_ensemble_is_the_mean_of_its_networks(study_of, where):
    done = compare(study_of(networks=["one", "two"], ensembles={"both": ["one", "two"]}), where())
    p = {(row["network"], row["file"]): float(row["p_mpox"]) for row in rows_of(done.out / "predictions.csv")}
    for (network, file), value in p.items():
        if network == "both":
            assert value == pytest.approx((p["one", file] + p["two", file]) / 2, abs=1.1e-6)


def test_features_of_several_networks_stand_side_by_side(study_of, where):
    from poxlens.recipes.compare.cases import read_cases, read_table
    from poxlens.recipes.compare.features import Wanted, compute, pooled
    from poxlens.recipes.compare.units import Setting

    study, place = study_of(networks=["one", "two"], heads=["dense"]), where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    one, two = (
        compute(name, cases, place.source, Wanted.of(study, name), seed=0, advance=lambda _: None)
        for name in ("one", "two")
    )
    rows = np.array([3, 0, 7])
    setting = Setting("dense", augmentation=True)
    both = pooled("one+two", [one, two]).part(rows, cases.truth, setting)
    parts = [network.part(rows, cases.truth, setting) for network in (one, two)]
    assert np.array_equal(both.features, np.concatenate([part.features for part in parts], 1))
    assert np.array_equal(both.bank.features, np.concatenate([part.bank.features for part in parts], 2))
    assert both.bank.features.shape == (3, 4, 128)
    assert np.array_equal(both.truth, cases.truth[rows])


def test_a_second_run_does_nothing_again_and_gives_the_same_bytes(study_of, where):
    study = study_of(heads=["logistic", "svm", "prototypes", "dense"])
    done = compare(study, where())
    first, times = (done.out / "predictions.csv").read_bytes(), units_of(done.out)
    compare(study, where())
    assert (done.out / "predictions.csv").read_bytes() == first
    assert units_of(done.out) == times
    assert len(times) == 5 * 4


def test_one_and_two_jobs_give_the_same_bytes(study_of, where):
    study = study_of(heads=["logistic", "dense", "svm"])
    one, two = (compare(study, where(f"run{jobs}", jobs=jobs)) for jobs in (1, 2))
    for name in ("predictions.csv", "splits.json"):
        assert (one.out / name).read_bytes() == (two.out / name).read_bytes()


def test_a_missing_unit_alone_is_done_again(study_of, where):
    study = study_of()
    done = compare(study, where())
    before, times = (done.out / "predictions.csv").read_bytes(), units_of(done.out)
    lost, damaged, kept, _ = sorted(times)
    lost.unlink()
    half = lost.with_name(f".{lost.name}.x1.part")  # as a run leaves it that is killed while it writes
    half.write_text("{")
    damaged.write_text(damaged.read_text()[:100])
    compare(study, where())
    assert (done.out / "predictions.csv").read_bytes() == before
    assert lost.exists()
    assert not half.exists()
    assert units_of(done.out)[kept] == times[kept]
    assert json.loads(damaged.read_text())["format"] == "poxlens-unit/2"


@pytest.mark.parametrize(
    "change",
    [
        {"tuning": {"configurations": 3}},
        {"protocol": {"seed": 1}},
        {"protocol": {"grouped": False}},
        {"images": {"harmonise": False}},
    ],
)
def test_a_changed_study_takes_nothing_from_the_old_one(study_of, where, change):
    compare(study_of(), where())
    old = set(units_of(where().out))
    changed = compare(study_of(**change), where())
    fresh = compare(study_of(**change), where("fresh"))
    assert len(set(units_of(changed.out)) - old) == 4
    assert (changed.out / "predictions.csv").read_bytes() == (fresh.out / "predictions.csv").read_bytes()


def test_tables_of_another_study_do_not_stay(study_of, where, monkeypatch):
    compare(study_of(), where(), learning_curve=True)
    assert (where().out / "learning.csv").exists()
    monkeypatch.setattr(work, "_tested", _out_of_memory)
    with pytest.raises(StudyError, match="no unit of the study finished: out of memory"):
        compare(study_of(protocol={"seed": 5}), where())
    assert not (where().out / "predictions.csv").exists()
    assert not (where().out / "learning.csv").exists()


def _out_of_memory(job, task):
    raise MemoryError


def test_a_fold_out_of_memory_is_named_and_the_others_go_on(study_of, where, monkeypatch):
    tested = work._tested

    def scarce(job, task):
        if (task.unit.setting.head, task.unit.fold) == ("logistic", 2):
            raise MemoryError
        return tested(job, task)

    monkeypatch.setattr(work, "_tested", scarce)
    study = study_of(heads=["logistic", "prototypes"])
    done = compare(study, where())
    assert done.failed == {"one/logistic/0.2": "out of memory"}
    assert done.units == 7
    times = units_of(done.out)
    monkeypatch.setattr(work, "_tested", tested)
    again = compare(study, where())
    assert again.failed == {}
    assert {path: time for path, time in units_of(done.out).items() if path in times} == times
    assert (again.out / "predictions.csv").read_bytes() == (
        compare(study, where("undisturbed")).out / "predictions.csv"
    ).read_bytes()


def test_a_full_disk_costs_the_unit_that_met_it(study_of, where, monkeypatch):
    from poxlens.recipes.compare.units import UnitStore

    write = UnitStore.write

    def full(self, result, identity):
        if result.unit.fold == 1:
            raise OSError(28, "No space left on device")
        write(self, result, identity)

    monkeypatch.setattr(UnitStore, "write", full)
    done = compare(study_of(), where())
    assert done.failed == {"one/logistic/0.1": "OSError: [Errno 28] No space left on device"}
    assert done.units == 3
    assert not list(done.out.rglob("*.part"))


def test_a_class_with_three_images_is_named(study_of, where, photos):
    table = (photos / "manifest.csv").read_text().splitlines()
    few = [line for line in table[1:] if ",acne," in line][:3]
    (photos / "manifest.csv").write_text(
        "\n".join([line for line in table if ",acne," not in line] + few) + "\n"
    )
    with pytest.raises(SplitError, match='class "acne"'):
        compare(study_of(), where())
    assert not (where().out / "predictions.csv").exists()


def test_a_file_that_is_no_image_is_left_out_and_told(study_of, where, photos):
    (photos / "05.png").write_bytes(b"no picture")
    done = compare(study_of(), where())
    assert [file for file, _ in done.skipped] == ["05.png"]
    assert len(rows_of(done.out / "predictions.csv")) == 31
    assert json.loads((done.out / "study.json").read_text())["images"] == {"mpox": 16, "acne": 15}


def test_a_setting_that_the_study_has_not_is_named(study_of, where):
    study = study_of(learning={"settings": ["logistics"]})
    with pytest.raises(StudyError, match=r'"learning\.settings": "logistics".*did you mean "logistic"'):
        compare(study, where())


def test_only_the_settings_that_are_named_are_run(study_of, where):
    named = ["svm+views", "dense"]
    done = compare(study_of(heads=["svm", "dense"], views=["whole", "averaged"], settings=named), where())
    assert {row["setting"] for row in rows_of(done.out / "predictions.csv")} == set(named)
    with pytest.raises(StudyError, match=r'"settings": "svm\+view" is none of .*did you mean "svm\+views"'):
        compare(study_of(heads=["svm"], views=["whole", "averaged"], settings=["svm+view"]), where("other"))


def test_the_dense_head_and_its_views_are_for_the_networks_asked_for(study_of, where):
    study = study_of(
        networks=["one", "two", "one+two"], heads=["dense", "logistic"], tuning={"networks": ["one"]}
    )
    done = compare(study, where())
    assert done.units == 4 * (3 + 1 + 1)
    rows = rows_of(done.out / "predictions.csv")
    assert {row["network"] for row in rows if row["setting"] == "dense"} == {"one"}
    assert {row["network"] for row in rows if row["setting"] == "logistic"} == {"one", "two", "one+two"}
    assert {path.name.split("-")[0] for path in (done.out / "features").glob("*bank*")} == {"one"}


def test_weights_are_in_eight_bits_for_the_networks_asked_for(study_of, where):
    study = study_of(networks=["one", "two", "one+two"], heads=["logistic"], eight_bits=["one"])
    done = compare(study, where())
    told = json.loads((done.out / "study.json").read_text())["networks"]
    assert told == {"one": "tint-one-w8", "two": "tint-two", "one+two": "tint-one-w8+tint-two"}


def test_eight_bits_are_those_of_the_default_recipe(tmp_path):
    from poxlens.recipes.compare.features import Source, extractor_of
    from poxlens.recipes.default import Recipe
    from poxlens.train.backbones import load_backbone
    from poxlens.train.features import Extractor
    from poxlens.train.stored import store_backbone

    stored = store_backbone(
        load_backbone(["efficientnet-lite0"]), side=64, most_bytes=Recipe().backbone_bytes
    )
    source = Source(tmp_path, tmp_path)
    eight = extractor_of("efficientnet-lite0", 64, source, eight_bits=True)
    assert eight.identity == Extractor(stored, None).identity
    assert eight.identity != extractor_of("efficientnet-lite0", 64, source).identity


def test_augmentation_and_views_are_settings_of_their_own(study_of, where):
    study = study_of(heads=["svm", "dense"], views=["whole", "averaged"])
    done = compare(study, where())
    settings = {row["setting"] for row in rows_of(done.out / "predictions.csv")}
    assert settings == {"svm", "svm+views", "dense", "dense+augmentation", "dense+views"}


def test_averaged_views_are_the_mean_of_fourteen(study_of, where, tinted):
    from poxlens.recipes.compare.cases import read_cases, read_table
    from poxlens.recipes.compare.features import Wanted, compute
    from poxlens.recipes.compare.units import Setting
    from poxlens.train.views import DUPLICATE_VIEWS, cut

    study, place = study_of(views="averaged"), where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    network = compute("one", cases, place.source, Wanted.of(study, "one"), seed=0, advance=lambda _: None)
    found = network.part(np.array([4]), cases.truth, Setting("svm", averaged=True)).features[0]
    seen = cut(cases.images[4], DUPLICATE_VIEWS)
    assert len(seen) == 14
    assert np.allclose(found, tinted("one").pooled(seen).mean(0), atol=1e-6)
    assert network.plain == ()
