from __future__ import annotations

from pathlib import Path

import pytest

from poxlens.recipes.novelty.study import StudyError, read_study

ROOT = Path(__file__).parents[3]
TEXT = """
name = "x"
[images]
manifest = "t.csv"
near = ["eczema"]
[[networks]]
name = "efficientnet-lite0"
detectors = ["gate"]
"""


def written(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file(tmp_path):
    study = read_study(written(tmp_path, TEXT))
    assert study.images.manifest == tmp_path / "t.csv"
    assert study.protocol.accepted == 0.95
    assert study.networks[0].detectors == ("gate",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["gate"]', '["magic"]', '"magic" is no detector'),
        ('near = ["eczema"]', "", "images.near: Field required"),
        ('name = "x"', 'name = "x"\nextra = 1', "extra"),
        ("[[networks]]", "[networks", "is no TOML"),
    ],
)
def test_faults_name_the_entry(tmp_path, old, new, told):
    with pytest.raises(StudyError, match=told.replace("[", r"\[")):
        read_study(written(tmp_path, TEXT.replace(old, new)))


def test_nothing_to_do_and_no_file(tmp_path):
    with pytest.raises(StudyError, match="at least one"):
        read_study(written(tmp_path, TEXT[: TEXT.index("[[networks]]")]))
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "none.toml")


def test_the_studies_of_the_results_can_be_run():
    detectors, mim = (read_study(ROOT / "results/novelty" / name) for name in ("study.toml", "mim.toml"))
    assert len(detectors.images.near) == 11
    assert detectors.mim is None
    assert mim.mim is not None
    assert (mim.mim.epochs, mim.mim.batch, mim.mim.learning_rate, mim.mim.folds) == (300, 128, 1e-3, 5)
    assert mim.mim.forms == ("sane", "printed")
    assert mim.images == detectors.images
