"""`poxlens explain` from the command line to its files."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from poxlens.bundle.store import load
from poxlens.cli.main import main
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import draw, random_spec
from poxlens.explain import check as orchestrated
from poxlens.explain import trial
from poxlens.explain.record import Checked, Figure


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, seed in (("b.png", 901), ("a.png", 902)):
        Image.fromarray(draw(random_spec(seed, lesion="umbilicated-pustule")).image).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no photo")
    return folder


def run(capsys, *arguments):
    code = main(["explain", *map(str, arguments)])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_photos_get_a_picture_each_and_a_page(photos, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    code, told, _ = run(capsys, photos, "--out", out)
    assert code == 1  # one file is no photo
    assert {path.name for path in out.iterdir()} == {
        "a.png.mpox.graph.png", "b.png.mpox.graph.png", "index.html", ".gitignore",
    }  # fmt: skip
    assert (out / ".gitignore").read_text() == "*\n"
    page = (out / "index.html").read_text()
    assert "holds photos of people" in page
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", page)
    assert "broken.jpg" in page
    assert "not a diagnosis" in page
    assert "keep it on this computer" in told
    with Image.open(out / "a.png.mpox.graph.png") as picture:
        assert picture.size == (448, 448)


def test_json_says_what_was_found(photos, tmp_path, capsys):
    code, told, _ = run(
        capsys, photos / "a.png", photos / "b.png", "--out", tmp_path, "--json", "--class", "top"
    )
    assert code == 0
    found = json.loads(told)
    assert [one["file"].rsplit("/", 1)[1] for one in found["photos"]] == ["a.png", "b.png"]
    for one in found["photos"]:
        assert one["method"] == "graph"
        assert (tmp_path / one["picture"]).exists()
        assert -1 <= one["stability"] <= 1
        assert one["unstable"] == (one["stability"] < 0.64)
        assert 0.14 <= one["probability"] <= 1  # the most probable of seven


def test_a_method_that_takes_gradients_of_the_bundle(photos, tmp_path, capsys):
    code, told, _ = run(capsys, photos / "a.png", "--out", tmp_path, "--method", "gradcam", "--json")
    assert code == 0
    (one,) = json.loads(told)["photos"]
    _, graph, _ = run(capsys, photos / "a.png", "--out", tmp_path, "--json")
    # The graph's map is Grad-CAM, so both hold still alike; the graph that is run may be in eight bits.
    assert one["stability"] == pytest.approx(json.loads(graph)["photos"][0]["stability"], abs=0.05)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "a.png.mpox.gradcam.png",
        "a.png.mpox.graph.png",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.jpg"], "--out FOLDER is missing"),
        (["--out", "o"], "name photos, or --check or --photos"),
        (["x.jpg", "--check", "--out", "o"], "name photos, or --check or --photos"),
        (["x.jpg", "--out", "o", "--photos", "p"], "name photos, or --check or --photos"),
        (["--out", "o", "--photos", ".", "--groups", "g"], "not a folder"),
        (["--check", "--out", "o", "--photos", "missing"], "--photos missing: no such"),
        (["--check", "--out", "o", "--dataset", "msid"], "need --photos TABLE"),
        (["--check", "--out", "o", "--class", "mpox"], "for its target"),
        (["x.jpg", "--out", "o", "--bundle", "missing"], "--bundle missing: no such"),
    ],
)
def test_a_command_that_makes_no_sense_is_named_and_writes_nothing(
    arguments, words, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, _, told = run(capsys, *arguments)
    assert code == 2
    assert words in told
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_method_or_class_is_named(photos, tmp_path, capsys):
    for option, words in ((("--method", "lime"), "gradcam++"), (("--class", "pox"), "chickenpox")):
        code, _, told = run(capsys, photos / "a.png", "--out", tmp_path / "out", *option)
        assert code == 1
        assert option[1] in told
        assert words in told
    assert not (tmp_path / "out").exists()


def few(monkeypatch):
    """The whole of the checks on few small phantoms and one random model a stage."""
    monkeypatch.setattr(trial, "PHOTO_SIDE", 224)
    monkeypatch.setattr(trial, "TARGET_SEEDS", range(30, 36))
    monkeypatch.setattr(trial, "OTHER_SEEDS", {"vesicle": range(42, 44)})
    monkeypatch.setattr(trial, "LIMIT_SEEDS", range(46, 52))
    monkeypatch.setattr(orchestrated, "RANDOMISED", 2)
    monkeypatch.setattr(orchestrated, "CURVES", 1)
    monkeypatch.setattr("poxlens.explain.checks.RANDOM_SEEDS", (0,))


def test_the_checks_of_the_embedded_bundle(photos, tmp_path, capsys, monkeypatch):
    few(monkeypatch)
    code, told, errors = run(capsys, "--check", "--photos", photos, "--out", tmp_path, "--json")
    found = json.loads(told)
    assert json.loads((tmp_path / "checks.json").read_text()) == found
    assert found["format"] == "poxlens-explain/1"
    assert found["target"] == "mpox"
    assert {one["check"] for one in found["figures"]} == {
        "energy", "pointing", "gate", "randomisation", "deletion", "stability",
    }  # fmt: skip
    for one in found["figures"]:
        if one["value"] is not None and one["low"] is not None:
            assert one["low"] <= one["value"] <= one["high"]
    groups = {one["group"] for one in found["figures"]}
    assert {"phantoms: umbilicated-pustule", "phantoms: vesicle", "photos that got an answer"} <= groups
    mapped = [one for one in found["figures"] if one["group"] == "all photos that the model was run on"]
    assert {one["n"] for one in mapped} == {2}
    assert found["passed"] == all(one["passed"] is not False for one in found["figures"])
    assert code == 1  # broken.jpg
    assert "broken.jpg: cannot be read" in errors
    page = (tmp_path / "checks.html").read_text()
    assert "<img" not in page
    assert 0 < found["chance"] < 1
    assert np.isfinite(found["limit"])


def test_photos_alone_are_counted_without_phantoms(photos, tmp_path, capsys):
    table = tmp_path / "table.csv"
    rows = [f"{photos / name},x,set,1" for name in ("a.png", "b.png")]
    table.write_text("\n".join(["file,label,dataset,patient", *rows]) + "\n")
    code, told, _ = run(capsys, "--photos", table, "--dataset", "set", "--out", tmp_path / "out", "--json")
    found = json.loads(told)
    assert code == 0
    assert found["chance"] is None
    groups = [one["group"] for one in found["figures"]]
    assert groups[:4] == ["photos that got an answer"] * 2 + ["all photos that the model was run on"] * 2
    assert all(one["n"] <= 2 for one in found["figures"])
    code, _, errors = run(capsys, "--photos", table, "--dataset", "other", "--out", tmp_path / "out")
    assert code == 1
    assert "no data set 'other'; it holds set" in errors


@pytest.fixture
def trained(photos, tmp_path):
    """A run of train on the two photos, the embedded bundle's classes; the second was told wrong."""
    classes = load(None).manifest.classes
    table = tmp_path / "table.csv"
    table.write_text(f"file,label,dataset\n{photos / 'a.png'},mpox,set\n{photos / 'b.png'},mpox,set\n")
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    recipe = {"recipe": {"name": "made-up", "version": "1"}, "data_sha256": read_manifest(table).sha256}
    (run_folder / "recipe.json").write_text(json.dumps(recipe))
    head = "experiment,repeat,fold,file,part,source,label,group,tone,usable,novelty,may_be"
    lines = [",".join([head, *(f"z_{name}" for name in classes)])]
    for at, name in enumerate(("a.png", "b.png")):
        logits = [2.0 if place == at else 0.0 for place in range(len(classes))]
        lines.append(
            f"strict,0,0,{photos / name},,set,mpox,{at},light,1,0.1,mpox,{','.join(map(str, logits))}"
        )
    (run_folder / "predictions.csv").write_text("\n".join(lines) + "\n")
    return run_folder, table


def test_a_run_gives_right_and_wrong_examples(trained, tmp_path, capsys):
    run_folder, table = trained
    out = tmp_path / "out"
    code, told, _ = run(capsys, "--run", run_folder, "--data", table, "--out", out, "--json")
    assert code == 0
    found = json.loads(told)
    assert found["model"] == "made-up 1"
    assert [one["told"] for one in found["examples"]] == [
        "true mpox, predicted mpox 0.55",
        "true mpox, predicted chickenpox 0.55",
    ]
    assert [one["class"] for one in found["examples"]] == ["mpox", "chickenpox"]
    page = (out / "examples.html").read_text()
    assert (out / ".gitignore").read_text() == "*\n"
    assert page.count("data:image/png;base64,") == 2
    assert page.index("told right") < page.index("predicted mpox") < page.index("predicted chickenpox")
    assert "holds photos of people" in page
    assert "out of fold" in page


def test_another_table_than_the_runs_is_refused(trained, tmp_path, capsys):
    run_folder, table = trained
    table.write_text(table.read_text() + "\n")
    for arguments, words in (
        (("--run", run_folder, "--data", table), "is not the table"),
        (("--run", run_folder), "go together"),
        (("--run", run_folder, "--data", table, "--check"), "name photos, or --check"),
    ):
        code, _, errors = run(capsys, *arguments, "--out", tmp_path / "out")
        assert code == 2
        assert words in errors
    assert not (tmp_path / "out").exists()


def test_maps_that_fail_are_told_in_words(tmp_path, capsys, monkeypatch):
    figures = (
        Figure("energy", "energy over area", "phantoms: x", 1.5, 1.2, 1.9, 150).at_least(2.0),
        Figure("randomisation", "rank correlation", "phantoms: x", 0.1, 0.0, 0.2, 40).surely_below(0.5),
        Figure("pointing", "strongest point", "phantoms: y", None, None, None, 0),
    )
    found = Checked("some bundle", "mpox", figures, 0.6, 0.64)
    monkeypatch.setattr(orchestrated, "check", lambda *_, **__: found)
    code, told, _ = run(capsys, "--check", "--out", tmp_path)
    assert code == 1
    assert "1.50 [1.20, 1.90] (n 150)    energy over area: MISSED, limit 2\n" in told
    assert "rank correlation: met, limit 0.5\n" in told
    assert "not defined (n 0)" in told
    page = (tmp_path / "checks.html").read_text()
    assert "A check failed: energy over area (phantoms: x)" in page
    assert "1.200 to 1.900" in page
