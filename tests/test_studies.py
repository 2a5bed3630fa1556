"""docs/studies.md is held to results/, and results/ to the predictions in it."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from benchmarks.mcsi_like_groups import groups_of_crops
from benchmarks.studies import RESULTS, keep, model_of, predictions, tables
from benchmarks.study_steps import CASES

from poxlens.recipes.compare.report.pooled import STATISTICS, each
from poxlens.recipes.compare.study import Study, read_study

DOCS = Path(__file__).resolve().parents[1] / "docs" / "studies.md"
NAMES = sorted(CASES)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def tested(name):
    return predictions(name)


@pytest.fixture(scope="module")
def told(name):
    return json.loads((RESULTS / name / "metrics.json").read_text())


def test_the_page_shows_the_tables_of_the_results(name):
    assert tables(name) in DOCS.read_text("utf-8"), "write the output of python -m benchmarks.studies into it"


def test_every_figure_comes_from_the_predictions(told, tested):
    assert told["predictions_sha256"] == tested.sha256
    assert [(one["network"], one["setting"]) for one in told["models"]] == [
        (model.network, model.setting) for model in tested.models
    ]
    for one, model in zip(told["models"], tested.models, strict=True):
        for figure in ("accuracy", "macro F1", "AUROC"):
            value = each(tested, model, STATISTICS[figure]).value
            assert one["figures"][figure]["value"] == pytest.approx(value, abs=1e-8)


def test_gains_are_differences_of_figures(name, tested):
    told = json.loads((RESULTS / name / "gains.json").read_text())
    assert [(one["step"], one["after"], one["before"]) for one in told] == [
        (step.name, step.after, step.before) for step in CASES[name].steps
    ]
    for one in told:
        for figure, gain in one["gains"].items():
            after, before = (
                each(tested, model_of(tested, one[end]), STATISTICS[figure]).value
                for end in ("after", "before")
            )
            assert gain["value"] == pytest.approx(after - before, abs=1e-6)
            assert gain["low"] <= gain["value"] <= gain["high"]


def test_no_group_is_on_both_sides_of_a_fold(name, tested):
    study = read_study(RESULTS / name / "study.toml")
    assert study.protocol.groups is not None
    for fold in tested.fold:
        where = {}
        for group, number in zip(tested.group, fold, strict=True):
            assert where.setdefault(group, number) == number


def test_what_was_run_is_the_study_beside_it(name):
    recorded = json.loads((RESULTS / name / "study.json").read_text())["study"]
    assert Study.model_validate(recorded) == read_study(RESULTS / name / "study.toml")


def test_results_are_small_and_hold_no_photo(name):
    files = [path for path in (RESULTS / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4_500_000
    assert {path.suffix for path in files} <= {".toml", ".json", ".gz", ".svg", ".md", ".html", ".csv"}
    for path in files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"data:image/jpeg" not in content
        assert b"data:image/webp" not in content


def test_a_run_is_kept_packed(tmp_path):
    run, target = tmp_path / "run", tmp_path / "kept"
    (run / "report" / "figures").mkdir(parents=True)
    (run / "predictions.csv").write_text("a,b\n1,2\n")
    (run / "report" / "report.html").write_text("page")
    (run / "report" / "figures" / "roc.svg").write_text("<svg/>")
    (run / "features").mkdir()
    target.mkdir()
    assert {path.name for path in keep(run, target)} == {"predictions.csv.gz", "report.html", "roc.svg"}
    once = (target / "predictions.csv.gz").read_bytes()
    assert gzip.decompress(once) == b"a,b\n1,2\n"
    keep(run, target)
    assert (
        hashlib.sha256((target / "predictions.csv.gz").read_bytes()).digest() == hashlib.sha256(once).digest()
    )


def test_crops_have_the_group_of_their_photo(tmp_path):
    crops, groups = tmp_path / "crops.csv", tmp_path / "groups.csv"
    crops.write_text("file,source_file\nb.png,two.jpg\na.png,one.jpg\nc.png,one.jpg\n")
    groups.write_text("file,group\none.jpg,G1\ntwo.jpg,G2\nthree.jpg,G1\n")
    assert groups_of_crops(crops, groups) == "file,group\na.png,G1\nb.png,G2\nc.png,G1\n"
    groups.write_text("file,group\none.jpg,G1\n")
    with pytest.raises(KeyError, match=r"two\.jpg"):
        groups_of_crops(crops, groups)
