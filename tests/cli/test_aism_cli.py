"""`poxlens aism` and `poxlens train --recipe aism`: misuse in one line, the plan, what a run tells."""

from __future__ import annotations

import json

import pytest

from poxlens.cli.main import main
from poxlens.recipes.aism import verb
from poxlens.recipes.aism.verb import Told

TEXT = """
name = "x"
[images]
manifest = "t.csv"
target = "mpox"
[images.classes]
mpox = ["mpox"]
normal = ["normal"]
[[arms]]
name = "one"
network = "vgg19"
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    return path


def told(capsys, *arguments, code=2):
    assert main(list(map(str, arguments))) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


def test_misuse_is_told_in_one_line(capsys, tmp_path, study):
    out = tmp_path / "out"
    study.write_text(TEXT + "speed = 3\n")
    assert "arms.0.speed" in told(capsys, "aism", study, "--out", out)
    study.write_text(TEXT)
    assert 'no arm "two"' in told(capsys, "aism", study, "--out", out, "--arm", "two")
    assert "t.csv" in told(capsys, "aism", study, "--out", out, code=1)
    out.mkdir()
    (out / "study.json").write_text("{}")
    assert "--resume" in told(capsys, "aism", study, "--out", out)


def test_as_a_recipe_of_train(capsys, tmp_path, study):
    out = tmp_path / "out"
    assert "needs --study" in told(capsys, "train", "--recipe", "aism", "--out", out)
    assert "are of --recipe aism" in told(capsys, "train", "--out", out, "--plan")
    assert "t.csv" in told(capsys, "train", "--recipe", "aism", "--study", study, "--out", out, code=1)


@pytest.mark.parametrize("failed", [{}, {"one, fold 1": "diverged"}])
def test_what_a_run_tells(capsys, tmp_path, study, monkeypatch, failed):
    seen = {}

    def run(asked, where, base, wanted, ranks, **more):
        seen.update(name=asked.name, base=base, arms=wanted.arms, minutes=wanted.minutes, **more)
        return Told({"page": where.out / "aism.html"}, 3, ["one, fold 2"], failed, (("a.png", "damaged"),))

    monkeypatch.setattr(verb, "run", run)
    command = [
        "aism",
        str(study),
        "--out",
        str(tmp_path / "out"),
        "--arm",
        "one",
        "--minutes",
        "5",
        "--device",
        "cpu",
    ]
    assert main([*command, "--gallery", "--json"]) == (1 if failed else 0)
    shown = json.loads(capsys.readouterr().out)
    assert shown["finished"] == 3
    assert shown["failed"] == failed
    assert shown["skipped"] == [["a.png", "damaged"]]
    assert (seen["name"], seen["base"], seen["arms"], seen["minutes"], seen["gallery"]) == (
        "x",
        tmp_path,
        ("one",),
        5,
        "",
    )
    assert main(command) == (1 if failed else 0)
    text = capsys.readouterr().out
    assert "3 trainings are done" in text
    assert "go on with --resume (next: one, fold 2)" in text
    assert "left out: a.png: damaged" in text


def test_the_plan(capsys, tmp_path, study):
    lines = ["file,label,patient"] + [f"{at}.png,{'mpox' if at % 2 else 'normal'},p{at}" for at in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    command = ["aism", str(study), "--out", str(tmp_path / "out"), "--plan", "--offline", "--device", "cpu"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "20 images (10 mpox, 10 normal), 20 groups, 5 folds" in text
    assert "one (vgg19, 20.0 M parameters, 224 px): SKIPPED, its published weights vgg19" in text
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"][0]["trainings"] == 5
    assert not (tmp_path / "out").exists()
