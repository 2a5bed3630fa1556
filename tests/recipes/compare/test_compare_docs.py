"""docs/compare.md: its tables are the study's own, its example is a study, its options exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from poxlens.cli.main import main
from poxlens.recipes.compare.entries import entries
from poxlens.recipes.compare.study import Study, read_study

DOCS = Path(__file__).parents[3] / "docs" / "compare.md"
RESULTS = Path(__file__).parents[3] / "results"


def test_every_entry_is_explained_as_the_study_has_it():
    text = DOCS.read_text("utf-8")
    found = entries()
    assert found in text, "write the output of python -m poxlens.recipes.compare.entries into docs/compare.md"
    models = [Study, *(f.annotation for f in Study.model_fields.values() if isinstance(f.annotation, type))]
    for model in models:
        if issubclass(model, BaseModel):
            for name, field in model.model_fields.items():
                assert f"| `{name}` |" in found or issubclass(field.annotation, BaseModel)
                assert field.description or issubclass(field.annotation, BaseModel), name


def test_the_example_is_a_study(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    (tmp_path / "study.toml").write_text(example)
    study = read_study(tmp_path / "study.toml")
    assert study.protocol.repeats == 3
    assert set(study.ensembles["both"]) <= set(study.networks)


def test_the_options_are_those_of_the_command(capsys):
    assert main(["compare", "--help"]) == 0
    real = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    section = DOCS.read_text("utf-8").split("## Options")[1]
    named = set(re.findall(r"`(--[a-z][a-z-]+)", section))
    assert named == real


OTHER_KINDS = ("aism", "novelty")  # read by recipes of their own, and tried there


@pytest.mark.parametrize(
    "path",
    sorted(set(RESULTS.glob("*/study.toml")) - {RESULTS / name / "study.toml" for name in OTHER_KINDS}),
    ids=lambda path: path.parent.name,
)
def test_the_studies_of_the_results_can_be_read(path):
    study = read_study(path)
    assert study.name == path.parent.name
    assert not study.images.manifest.is_absolute()
