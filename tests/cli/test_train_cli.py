"""`poxlens train`: what is asked wrongly is told in one line, and the run gets what was asked for."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.phantom import draw, random_spec
from poxlens.recipes.shipping import ONE_SOURCE


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with a table of four phantoms in two sources."""
    monkeypatch.delenv("POXLENS_WEIGHTS", raising=False)
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["file,label,dataset"]
    for i, label in enumerate(["mpox", "acne", "mpox", "acne"]):
        Image.fromarray(draw(random_spec(i, size=160, ita=30)).image).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{label},{'ab'[i // 2]}")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder


def told(capsys, *arguments, code):
    """What a faulty command says: one line on stderr, nothing on stdout, no traceback."""
    assert main(["train", *map(str, arguments)]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


def test_no_table(capsys, tmp_path):
    assert "--manifest" in told(capsys, "--out", tmp_path / "out", code=2)


def test_no_run_folder(capsys, photos):
    assert "--out" in told(capsys, "--data", photos, code=2)


def test_an_unknown_recipe(capsys, photos, tmp_path):
    said = told(capsys, "--data", photos, "--out", tmp_path / "out", "--recipe", "magic", code=2)
    assert said == "poxlens: --recipe must be one of default, joined, steady, aism, not 'magic'.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("file,kind\na,b\n", 'no column "label"'), ("", "is empty")]
)
def test_a_faulty_table(capsys, tmp_path, text, said):
    table = tmp_path / "t.csv"
    if text is not None:
        table.write_text(text)
    line = told(capsys, "--manifest", table, "--out", tmp_path / "out", code=2)
    assert said in line
    assert str(table) in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("option", ["--repeats", "--jobs"])
def test_counts_below_one(capsys, photos, tmp_path, option):
    assert option in told(capsys, "--data", photos, "--out", tmp_path / "out", option, "0", code=2)


def test_missing_weights(capsys, photos, tmp_path):
    said = told(
        capsys, "--data", photos, "--out", tmp_path / "out", "--recipe", "joined", "--offline", code=1
    )
    assert said.startswith("poxlens: weights mobilenet_v3_small-047dcff4.pth (BSD-3-Clause) not found")
    assert "POXLENS_WEIGHTS" in said
    assert said.count("\n") == 1


def test_weights_that_are_not_the_published_ones(capsys, photos, tmp_path, monkeypatch):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "mobilenet_v3_small-047dcff4.pth").write_bytes(b"something else")
    monkeypatch.setenv("POXLENS_WEIGHTS", str(wrong))
    said = told(
        capsys, "--data", photos, "--out", tmp_path / "out", "--recipe", "joined", "--offline", code=1
    )
    assert "is not the published file" in said
    assert str(wrong) in said


def test_a_class_too_small(capsys, photos, tmp_path, monkeypatch):
    from poxlens.photo.resize import InputRule
    from poxlens.recipes import default

    small = partial(default.Recipe, networks=("efficientnet-lite0",), rule=InputRule(size=64), probes={})
    monkeypatch.setattr(default, "Recipe", small)
    said = told(capsys, "--data", photos, "--out", tmp_path / "out", "--offline", code=1)
    steps, line = said.splitlines()[:-1], said.splitlines()[-1]
    assert line.startswith('poxlens: "a: acne" has 1 independent groups of images, too few for 5 folds')
    assert steps[0] == "reading images (4)"
    assert not (tmp_path / "out" / "bundle").exists()


def test_missing_packages_are_named(capsys, photos, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "poxlens.recipes.default", None)
    said = told(capsys, "--data", photos, "--out", tmp_path / "out", code=1)
    assert 'pip install "poxlens[train]"' in said


@pytest.fixture
def asked(monkeypatch):
    """What the recipe is run with, without running it."""
    from poxlens.recipes import default

    seen = SimpleNamespace()

    def run(manifest, where, recipe, *, step):
        seen.manifest, seen.where, seen.recipe = manifest, where, recipe
        with step("reading images", 4) as done:
            done()
        return SimpleNamespace(digest="d" * 64, label="made 1", manifest=SimpleNamespace(limits=[ONE_SOURCE]))

    monkeypatch.setattr(default, "train", run)
    return seen


def test_every_option_reaches_the_recipe(asked, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("POXLENS_WEIGHTS", f"first{__import__('os').pathsep}second")
    (tmp_path / "other.csv").write_text("file,label\n0.png,mpox\n")
    options = ["--manifest", tmp_path / "other.csv", "--data", photos, "--out", tmp_path / "out"]
    options += ["--weights", "mine", "--weights", "yours", "--cache", tmp_path / "features"]
    options += ["--repeats", "3", "--seed", "7", "--jobs", "1", "--offline", "--json"]
    assert main(["train", *map(str, options)]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "bundle": str(tmp_path / "out" / "bundle"),
        "card": str(tmp_path / "out" / "bundle" / "MODEL_CARD.md"),
        "predictions": str(tmp_path / "out" / "predictions.csv"),
        "digest": "d" * 64,
    }
    assert shown.err == f"reading images (4)\nnote: {ONE_SOURCE}\n"
    assert [row.path for row in asked.manifest.rows] == [photos / "0.png"]
    assert [str(folder) for folder in asked.where.weights] == ["mine", "yours", "first", "second"]
    assert (asked.where.out, asked.where.cache) == (tmp_path / "out", tmp_path / "features")
    assert (asked.where.downloads, asked.where.workers) == (None, 1)
    plan = asked.recipe.plan
    assert (plan.repeats, plan.seed, plan.jobs) == (3, 7, 1)


def test_defaults(asked, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("POXLENS_WEIGHTS", raising=False)
    assert main(["train", "--data", str(photos), "--out", str(tmp_path / "out")]) == 0
    assert len(asked.manifest.rows) == 4
    assert asked.where.weights == ()
    assert asked.where.downloads == tmp_path / "out" / "weights"
    assert asked.where.cache is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Bundle made 1"
    assert [Path(line.split()[1]).name for line in lines[1:]] == [
        "bundle",
        "MODEL_CARD.md",
        "predictions.csv",
    ]


def test_the_joined_recipe_and_networks_of_ones_own(asked, photos, tmp_path):
    where = ["--data", str(photos), "--out", str(tmp_path / "out")]
    assert main(["train", "--recipe", "joined", *where]) == 0
    assert asked.recipe.name == "poxlens-joined"
    assert asked.recipe.networks == ("efficientnet-lite0", "mobilenet-v3-small", "mobilenet-v2")
    chosen = ["--network", "mobilenet-v2", "--network", "efficientnet-lite0"]
    assert main(["train", *where, *chosen]) == 0
    assert (asked.recipe.name, asked.recipe.networks) == (
        "poxlens-default",
        ("mobilenet-v2", "efficientnet-lite0"),
    )


@pytest.mark.parametrize(
    ("recipe", "steadiness", "networks"), [("default", 0.0, 1), ("steady", 1.0, 1), ("joined", 0.0, 3)]
)
def test_what_a_recipe_changes(asked, photos, tmp_path, recipe, steadiness, networks):
    (tmp_path / "t.csv").write_text("file,label\n0.png,mpox\n")
    options = ["--manifest", tmp_path / "t.csv", "--data", photos, "--out", tmp_path / "out"]
    assert main(["train", *map(str, options), "--recipe", recipe, "--repeats", "2"]) == 0
    assert (asked.recipe.plan.steadiness, asked.recipe.plan.repeats) == (steadiness, 2)
    assert len(asked.recipe.networks) == networks
