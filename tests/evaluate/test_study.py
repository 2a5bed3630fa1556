from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as reference

from poxlens.evaluate.intervals import wilson
from poxlens.evaluate.predictions import Prediction, Predictions
from poxlens.evaluate.slices import Question
from poxlens.evaluate.study import persons, study

CLASSES = ("mpox", "chickenpox", "healthy")


def row(file, label, outcome, p, **cells):
    """An assessed photo; p is (mpox, chickenpox), the rest is healthy."""
    given = {
        "dataset": "web",
        "person": f"file:{file}",
        "cluster": f"file:{file}",
        "class_": label if label in CLASSES else "",
        "readable": True,
        "assessed": outcome != "cannot_assess",
        "reasons": (f"{outcome}.x",),
        "tone": "light",
    }
    given.update(cells)
    stated = (p[0], p[1], 1 - p[0] - p[1]) if p else ()
    return Prediction(file=file, label=label, outcome=outcome, probabilities=stated, **given)


def hand_made():
    """Mpox: 4 refer, 3 uncertain, 1 missed, 2 refused. Others: 1 refer, 2 uncertain, 6 cleared, 1 refused."""
    rows = [row(f"r{i}", "mpox", "refer", (0.9, 0.05)) for i in range(4)]
    rows += [row(f"u{i}", "mpox", "uncertain", (0.4, 0.3), tone="dark") for i in range(3)]
    rows += [row("m", "mpox", "not_suspected", (0.05, 0.9))]
    rows += [row(f"q{i}", "mpox", "cannot_assess", None, reasons=("quality.blur",)) for i in range(2)]
    rows += [row("f", "chickenpox", "refer", (0.8, 0.1))]
    rows += [row(f"v{i}", "chickenpox", "uncertain", (0.3, 0.6)) for i in range(2)]
    rows += [row(f"c{i}", "eczema", "not_suspected", (0.02, 0.1), dataset="clinic") for i in range(6)]
    rows += [row("n", "healthy", "cannot_assess", (0.9, 0.0), reasons=("novel.unknown",))]
    lost = replace(rows[0], file="lost", readable=False, assessed=False, outcome="cannot_assess")
    return [*rows, replace(lost, probabilities=(), reasons=("unreadable.empty",))]


def made(rows, tiny, **options):
    bundle = tiny.manifest()
    return study(
        Predictions(CLASSES, tuple(rows)),
        bundle,
        label="tiny 1",
        table_sha256="0" * 64,
        resamples=200,
        **options,
    )


def test_sensitivity_and_specificity_both_ways_by_hand(tiny):
    everything = made(hand_made(), tiny).photos[0]
    assert (everything.n, everything.positives) == (20, 10)
    values = {name: figure.value for name, figure in everything.figures.items()}
    assert values["sensitivity, uncertain found"] == pytest.approx(7 / 10)
    assert values["sensitivity, uncertain missed"] == pytest.approx(4 / 10)
    assert values["missed"] == pytest.approx(1 / 10)
    assert values["specificity, uncertain cleared"] == pytest.approx(8 / 10)
    assert values["specificity, uncertain flagged"] == pytest.approx(6 / 10)
    assert values["falsely referred"] == pytest.approx(1 / 10)
    assert values["sensitivity of assessed, uncertain found"] == pytest.approx(7 / 8)
    assert values["sensitivity of assessed, uncertain missed"] == pytest.approx(4 / 8)
    assert values["specificity of assessed, uncertain cleared"] == pytest.approx(8 / 9)
    assert values["specificity of assessed, uncertain flagged"] == pytest.approx(6 / 9)
    found = everything.figures["sensitivity, uncertain missed"]
    assert (found.low, found.high) == pytest.approx(wilson(4, 10))
    shares = {name: figure.value for name, figure in everything.outcomes.items()}
    assert shares == pytest.approx(
        {"refer": 5 / 20, "uncertain": 5 / 20, "not_suspected": 7 / 20, "cannot_assess": 3 / 20}
    )


def test_thresholds_and_ranking_are_of_the_assessed(tiny):
    found = made(hand_made(), tiny)
    # Assessed mpox at .9 x4, .4 x3, .05; others at .8, .3 x2, .02 x6. Points of the bundle: .1 and .5.
    out, into = found.points
    assert (out.threshold, out.measured[0].value, out.measured[1].value) == (0.1, 7 / 8, 6 / 9)
    assert (into.threshold, into.measured[0].value, into.measured[1].value) == (0.5, 4 / 8, 8 / 9)
    assert out.promised[0].value == 0.96
    truth = [1] * 8 + [0] * 9
    scores = [0.9] * 4 + [0.4] * 3 + [0.05, 0.8, 0.3, 0.3] + [0.02] * 6
    figures = found.photos[0].figures
    assert figures["AUROC"].value == pytest.approx(reference.roc_auc_score(truth, scores))
    assert figures["average precision"].value == pytest.approx(
        reference.average_precision_score(truth, scores)
    )
    assert figures["Brier score"].value == pytest.approx(reference.brier_score_loss(truth, scores))
    assert found.curve[0] == (0.0, 0.0)
    assert found.curve[-1] == (1.0, 1.0)
    assert sum(one.n for one in found.reliability) == 17


def test_slices_are_parts_of_the_whole(tiny):
    found = made(hand_made(), tiny)
    names = {(one.kind, one.name): one for one in found.photos}
    assert [one.name for one in found.photos if one.kind == "class"] == [
        "mpox",
        "chickenpox",
        "healthy",
        "eczema (no class of the bundle)",
    ]
    for kind in ("class", "source", "skin tone"):
        assert sum(one.n for one in found.photos if one.kind == kind) == 20
    dark = names["skin tone", "dark"]
    assert dark.figures["sensitivity, uncertain found"].value == 1.0
    assert "AUROC" not in dark.figures
    assert "falsely referred" not in dark.figures
    clinic = names["source", "clinic"]
    assert clinic.figures["specificity, uncertain flagged"].value == 1.0


def test_body_sites_and_stages_are_slices_where_the_table_tells_them(tiny):
    rows = hand_made()
    assert not {"body site", "stage"} & {one.kind for one in made(rows, tiny).photos}
    told = [
        replace(one, body_site="hand" if one.outcome == "refer" else "leg", stage="earlier")
        if one.label == "mpox"
        else one
        for one in rows
    ]
    found = made(told, tiny)
    assert any("not clinical" in note for note in found.notes)
    names = {(one.kind, one.name): one for one in found.photos}
    # Of the ten readable mpox photos four are referred: those of hands.
    assert (names["body site", "hand"].n, names["body site", "leg"].n, names["stage", "earlier"].n) == (
        4,
        6,
        10,
    )
    assert names["body site", "hand"].figures["sensitivity, uncertain missed"].value == 1.0
    assert names["body site", "leg"].figures["missed"].value == pytest.approx(1 / 6)
    assert names["stage", "earlier"].figures["sensitivity, uncertain found"].value == pytest.approx(7 / 10)


def test_confusion_unreadable_refused_and_notes(tiny):
    found = made(hand_made(), tiny)
    assert found.confusion.truths == ("mpox", "chickenpox", "eczema (no class)")
    assert found.confusion.classes == CLASSES
    assert found.confusion.counts == ((7, 1, 0), (1, 2, 0), (0, 0, 6))
    assert found.unreadable == (("lost", "unreadable.empty"),)
    assert found.refusals == {"quality.blur": 2, "novel.unknown": 1}
    assert found.n == 21
    assert any('"eczema" (6) is no class' in note for note in found.notes)
    assert found.persons == ()


def test_class_figures_before_and_after_the_gate(tiny):
    found = made(hand_made(), tiny).classes
    # Assessed with a class: 8 mpox (7 right), 3 chickenpox (2 right). The refused healthy one is called mpox.
    assert found["accuracy"].value == pytest.approx(9 / 11)
    assert found["accuracy"].n == 11
    assert found["accuracy, before the novelty gate"].value == pytest.approx(9 / 12)
    expected = reference.f1_score([0] * 8 + [1] * 3, [0] * 7 + [1] + [0, 1, 1], average="macro")
    assert found["macro-F1"].value == pytest.approx(expected)


def test_persons_follow_the_rule_for_several_photos():
    question = Question(CLASSES, "mpox", 0.1, 0.5)
    photos = [
        row("1", "mpox", "cannot_assess", (0.99, 0.0), person="a"),
        row("2", "mpox", "not_suspected", (0.05, 0.9), person="a"),
        row("3", "mpox", "uncertain", (0.3, 0.3), person="b", body_site="hand", stage="later"),
        row("4", "mpox", "refer", (0.9, 0.0), person="b", tone="dark", body_site="leg", stage="later"),
        row("5", "healthy", "cannot_assess", None, person="c"),
        row("6", "healthy", "cannot_assess", None, person="c"),
        row("7", "eczema", "not_suspected", (0.01, 0.1), person="d"),
        row("8", "mpox", "uncertain", (0.2, 0.1), person="d"),
    ]
    found = {one.file: one for one in persons(photos, question)}
    assert {name: one.outcome for name, one in found.items()} == {
        "a": "not_suspected",
        "b": "refer",
        "c": "cannot_assess",
        "d": "uncertain",
    }
    assert found["a"].probabilities[0] == 0.05
    assert found["b"].probabilities[0] == 0.9
    assert (found["b"].body_site, found["b"].stage) == ("", "later")
    assert (found["c"].assessed, found["d"].class_) == (False, "mpox")
    assert (
        persons([row("1", "mpox", "refer", (0.9, 0.0)), row("2", "mpox", "refer", (0.9, 0.0))], question)
        == []
    )


def test_a_table_without_the_target_or_with_nothing_assessed(tiny):
    none = made([row(f"h{i}", "healthy", "not_suspected", (0.01, 0.1)) for i in range(12)], tiny)
    assert "missed" not in none.photos[0].figures
    assert none.photos[0].figures["specificity, uncertain flagged"].value == 1.0
    assert none.points[0].measured[0] is None
    assert none.curve == ()
    assert any("No photo is labelled mpox" in note for note in none.notes)
    only = made([row(f"h{i}", "mpox", "refer", (0.9, 0.1)) for i in range(12)], tiny)
    assert any("Every photo is labelled mpox" in note for note in only.notes)
    refused = made([row("q", "mpox", "cannot_assess", None)], tiny)
    assert refused.photos[0].figures["missed"].value == 0
    assert (refused.reliability, refused.classes) == ((), {})
    lost = replace(row("q", "mpox", "cannot_assess", None), readable=False)
    assert made([lost], tiny).photos[0].n == 0


def test_the_same_seed_gives_the_same_intervals(tiny):
    rng = np.random.default_rng(0)
    rows = [
        row(f"{i}", CLASSES[i % 3], "uncertain", (rng.random() / 2, 0.2), cluster=f"g{i // 4}")
        for i in range(60)
    ]
    assert made(rows, tiny) == made(rows, tiny)
    other = made(rows, tiny, seed=1).photos[0].figures["AUROC"]
    assert other.value == made(rows, tiny).photos[0].figures["AUROC"].value
    assert other.low != made(rows, tiny).photos[0].figures["AUROC"].low
