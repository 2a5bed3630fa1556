from __future__ import annotations

import pytest

from poxlens.recipes.compare.study import StudyError, read_study
from poxlens.recipes.compare.units import settings

GOOD = """
name = "a-study"
networks = ["mobilenet-v2", "efficientnet-lite0"]
heads = ["dense", "svm", "finetune"]
views = "averaged"
[ensembles]
both = ["mobilenet-v2", "efficientnet-lite0"]
[images]
manifest = "images.csv"
target = "mpox"
[images.classes]
mpox = ["mpox", "monkeypox"]
others = ["others"]
[protocol]
folds = 5
[tuning]
epochs = 9
"""


def read(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return read_study(path)


def fault(tmp_path, *changes):
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(StudyError) as told:
        read(tmp_path, text)
    return str(told.value)


def test_a_good_study(tmp_path):
    study = read(tmp_path, GOOD)
    assert study.protocol.folds == 5
    assert study.protocol.validation == 0.25
    assert study.tuning.configurations == 30
    assert study.views == ("averaged",)
    assert [setting.name for setting in settings(study)] == ["dense+views", "svm+views", "finetune"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("folds = 5", "fold = 5", '"protocol.fold" is no entry of a study; did you mean "folds"?'),
        ("heads =", "head =", '"head" is no entry of a study; did you mean "heads"?'),
        ("[tuning]", "[tunning]", '"tunning" is no entry of a study; did you mean "tuning"?'),
        ("folds = 5", "zebra = 5", '"protocol.zebra" is no entry of a study'),
        ("folds = 5", "folds = 1", '"protocol.folds": input should be greater than or equal to 2'),
        ("epochs = 9", 'epochs = "nine"', '"tuning.epochs": input should be a valid integer'),
        ('"svm"', '"smv"', "\"heads.1\": input should be 'dense', 'logistic', 'svm'"),
        ('target = "mpox"', 'target = "pox"', '"images": target "pox" is none of the classes mpox, others'),
        ('["others"]', '["mpox"]', '"images": label "mpox" means two classes'),
        ('others = ["others"]', "", '"images": a study needs at least two classes'),
        ('"a-study"', '"A study"', '"name": string should match'),
        ('both = ["mobilenet-v2"', 'both = ["mobilnet-v2"', 'did you mean "mobilenet-v2"?'),
        (
            'both = ["mobilenet-v2", "efficientnet-lite0"]',
            'both = ["mobilenet-v2"]',
            "needs two networks at least",
        ),
        (
            "heads =",
            'eight_bits = ["mobilenet-v3"]\nheads =',
            'eight_bits names "mobilenet-v3", which is none of',
        ),
        ("both =", "mobilenet-v2 =", 'ensemble "mobilenet-v2" has the name of a network'),
        (
            'networks = ["mobilenet-v2"',
            'networks = ["efficientnet-lite0"',
            'networks names "efficientnet-lite0" twice',
        ),
        (
            'networks = ["mobilenet-v2"',
            'networks = ["../v2", "mobilenet-v2"',
            '"networks.0": string should match',
        ),
        ("[tuning]", '[finetune]\nnetworks = ["a+b"]\n[tuning]', 'finetune.networks names "a+b"'),
        ("[tuning]", '[learning]\nnetworks = ["lite"]\n[tuning]', 'learning.networks names "lite"'),
        (
            "[tuning]",
            "[learning]\nshares = [0.5, 1.5]\n[tuning]",
            '"learning.shares.1": input should be less',
        ),
        (
            "[tuning]",
            '[leave_one_out]\nways = ["all"]\n[tuning]',
            "\"leave_one_out.ways.0\": input should be 'best-fold'",
        ),
        (
            'target = "mpox"',
            'target = "mpox"\ndatasets = ["a"]\nextra_datasets = ["a"]',
            'data set "a" is both',
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, said):
    told = fault(tmp_path, (old, new))
    assert said in told
    assert told.startswith(f"{tmp_path / 'study.toml'}: ")


def test_all_faults_are_told_at_once(tmp_path):
    told = fault(tmp_path, ("folds = 5", "fold = 5"), ("epochs = 9", "epoch = 9"))
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize(("text", "said"), [("name = ", "is no TOML text"), (None, "cannot be read")])
def test_a_file_that_cannot_be_read(tmp_path, text, said):
    path = tmp_path / "study.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StudyError, match=said):
        read_study(path)


def test_several_networks_cannot_be_fine_tuned(tmp_path):
    told = fault(
        tmp_path,
        ('networks = ["mobilenet-v2"', 'networks = ["a+b", "mobilenet-v2"'),
        ("[tuning]", '[finetune]\nnetworks = ["a+b"]\n[tuning]'),
    )
    assert '"a+b" is several networks' in told
