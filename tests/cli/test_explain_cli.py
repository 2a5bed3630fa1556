"""`poxlens explain` from the command line to its files."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main
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
    # The graph's map is Grad-CAM, so both hold still alike.
    assert one["stability"] == pytest.approx(json.loads(graph)["photos"][0]["stability"], abs=2e-4)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "a.png.mpox.gradcam.png",
        "a.png.mpox.graph.png",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.jpg"], "--out FOLDER is missing"),
        (["--out", "o"], "name photos, or --check"),
        (["x.jpg", "--check", "--out", "o"], "name photos, or --check"),
        (["x.jpg", "--out", "o", "--photos", "p"], "go with --check"),
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
