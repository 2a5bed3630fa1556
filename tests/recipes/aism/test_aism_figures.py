"""Eq. 4-8 against scikit-learn, paired differences, the 0.6 rule and grades, on hand-made probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import classification_report, precision_recall_fscore_support

from poxlens.data.manifest import Row
from poxlens.errors import ManifestError
from poxlens.evaluate.calibration import softmax
from poxlens.recipes.aism.arms import Said, common, read_predictions
from poxlens.recipes.aism.figures import compare, judge
from poxlens.recipes.aism.grades import Seen, from_rows, grade_of, read_annotation, recalls
from poxlens.recipes.aism.referral import THRESHOLDS, referral

CLASSES = ("mpox", "measles", "normal")


def said(seed=0, count=120, arm="a", sharpness=2.0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count)
    logits = random.normal(size=(count, 3))
    logits[np.arange(count), truth] += 1
    raw = softmax(logits * sharpness)
    files = np.array([f"{number:03d}.png" for number in range(count)])
    groups = np.array([f"g{number // 2}" for number in range(count)])
    return Said(arm, 1.0, files, groups, np.ones(count, np.int64), truth, raw, softmax(logits))


def test_figures_are_scikit_learn_s():
    one = said()
    found = judge(one, CLASSES, resamples=200)
    precision, recall, f1, _ = precision_recall_fscore_support(one.truth, one.decided, labels=range(3))
    told = classification_report(one.truth, one.decided, output_dict=True)
    for at, name in enumerate(CLASSES):
        own = found.classes[name]
        assert own["precision"].value == pytest.approx(precision[at])
        assert own["recall"].value == pytest.approx(recall[at])
        assert own["F1"].value == pytest.approx(f1[at])
        others = one.truth != at
        assert own["specificity"].value == pytest.approx((one.decided[others] != at).mean())
        assert own["accuracy"].value == pytest.approx(((one.decided == at) == (one.truth == at)).mean())
        assert own["F1"].low < own["F1"].value < own["F1"].high
    assert found.overall["accuracy"].value == pytest.approx(told["accuracy"])
    assert found.overall["macro F1"].value == pytest.approx(told["macro avg"]["f1-score"])
    assert found.overall["mean precision"].value == pytest.approx(told["macro avg"]["precision"])
    assert found.overall["mean recall"].value == pytest.approx(told["macro avg"]["recall"])
    assert found.confusion.sum() == 120
    assert np.trace(found.confusion) == (one.truth == one.decided).sum()


def test_a_paired_difference_is_of_the_rows_that_both_have():
    one, other = said(), said(arm="b", seed=0, sharpness=5.0)
    found = compare(one, other, 0, CLASSES, resamples=200)  # sharper, not other
    assert found.figures["accuracy"].value == 0
    better = Said(
        "c", 1.0, one.files, one.groups, one.folds, one.truth, np.eye(3)[one.truth] * 0.9 + 0.03, one.raw
    )
    part = better.rows(np.arange(120) < 60)
    found = compare(one, part, 0, CLASSES, resamples=400)
    wrong = (one.decided != one.truth)[:60].mean()
    assert found.n == 60
    assert found.figures["accuracy"].value == pytest.approx(wrong)
    assert 0 < found.figures["accuracy"].low < wrong < found.figures["accuracy"].high
    assert [len(each.files) for each in common([one, part])] == [60, 60]


def test_the_rule_of_section_2_5():
    one = said(count=400)
    for way, values in (("raw", one.raw), ("calibrated", one.calibrated)):
        found = referral(one, way, 0.6, 0, resamples=100)
        top, hit = values.max(1), one.decided == one.truth
        kept = top >= 0.6
        figures = found.at.figures
        assert figures["answered"].value == pytest.approx(kept.mean())
        assert figures["accuracy of the answered"].value == pytest.approx(hit[kept].mean())
        own = one.truth == 0
        parts = [figures[f"target: {name}"].value for name in ("found", "sent to a person", "missed")]
        assert sum(parts) == pytest.approx(1)
        assert parts[1] == pytest.approx((~kept)[own].mean())
        assert found.coverage[THRESHOLDS.index(0.6)] == pytest.approx(kept.mean())
        assert list(found.coverage) == sorted(found.coverage, reverse=True)
        assert sum(found.right) == hit.sum()
        assert sum(found.right) + sum(found.wrong) == 400
    assert found.right[0] == found.wrong[0] == 0  # a third is the least top probability of three classes


def test_grades():
    assert [grade_of(site) for site in ("face", "neck", "hand", "arm", "leg", "back", "chest", "close")] == [
        "I", "I", "I", "II", "II", "III", "III", "Others",
    ]  # fmt: skip
    assert grade_of("hand", "close") == "Others"
    assert grade_of("other", "distance") == ""


def test_two_readings_that_differ_give_no_grade(tmp_path):
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("file,body_site,range,stage\na.png,hand,distance,earlier\nb.png,leg,distance,later\n")
    second.write_text(
        "file,body_site,range,stage\na.png,face,distance,earlier\nb.png,back,distance,earlier\n"
    )
    assert read_annotation([first, second]) == {"a.png": Seen("I", "earlier"), "b.png": Seen("", "unclear")}
    agreed = tmp_path / "3.csv"
    agreed.write_text("file,body_site,range,stage,grade\na.png,hand,close,later,Others\n")
    assert read_annotation([agreed]) == {"a.png": Seen("Others", "later")}
    agreed.write_text("file,stage\na.png,later\n")
    with pytest.raises(ManifestError, match='no column "body_site"'):
        read_annotation([agreed])


def test_the_table_of_images_tells_a_close_range_by_a_flag():
    rows = [
        Row("a.png", Path("a.png"), "mpox", body_site="hand", stage="later"),
        Row("b.png", Path("b.png"), "mpox", body_site="hand", stage="later", flags=("close-range",)),
        Row("c.png", Path("c.png"), "mpox"),
    ]
    assert from_rows(rows) == {"a.png": Seen("I", "later"), "b.png": Seen("Others", "later")}


def test_recall_by_grade_and_stage():
    one = said()
    own = np.flatnonzero(one.truth == 0)
    seen = {str(one.files[at]): Seen("I" if at % 2 else "II", "earlier" if at % 3 else "later") for at in own}
    found = {each.part: each.figure for each in recalls(one, seen, 0, resamples=100)}
    odd = own[own % 2 == 1]
    assert found["grade I"].value == pytest.approx((one.decided[odd] == 0).mean())
    assert found["grade I"].n == len(odd)
    assert found["all"].n == len(own)
    assert found["grade I, earlier"].n == sum(at % 3 != 0 for at in odd.tolist())
    assert "grade III" not in found


def test_predictions_with_a_fault_are_refused_by_row(tmp_path):
    path = tmp_path / "p.csv"
    head = "repeat,fold,network,setting,share,file,group,label,temperature,p_mpox,p_normal\n"
    path.write_text(head + "0,0,n,a,1,x.png,g,mpox,2.0,0.8,0.2\n0,0,n,b,1,x.png,g,mpox,1.0,0.4,0.6\n")
    classes, found = read_predictions(path, {"both": ("a", "b"), "more": ("a", "c")})
    assert classes == ("mpox", "normal")
    assert [one.arm for one in found] == ["a", "b", "both"]
    assert found[0].calibrated[0] == pytest.approx([2 / 3, 1 / 3])  # sqrt(.8) : sqrt(.2) = 2 : 1
    assert found[2].raw[0] == pytest.approx([0.6, 0.4])
    assert found[2].calibrated[0] == pytest.approx([(2 / 3 + 0.4) / 2, (1 / 3 + 0.6) / 2])
    path.write_text(head + "0,0,n,a,1,x.png,g,measles,1,0.8,0.2\n")
    with pytest.raises(ManifestError, match="row 2"):
        read_predictions(path, {})
