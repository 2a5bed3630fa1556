"""The card says what the manifest and the run say, and nothing is lost on the way."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from poxlens.bundle.manifest import Evidence, Figure, Interval
from poxlens.export.card import Story, card

STORY = Story(
    counts={("mpox", "clinic", "monkeypox"): 12, ("chickenpox or measles", "web", "others"): 7},
    networks=("net-a", "net-b"),
    groups=345,
    suspects=21,
    skipped=4,
    plan=SimpleNamespace(repeats=5, folds=4, inner_folds=3, strengths=(0.003, 0.1)),
    left_out={"clinic": (12, 5), "web": (7, 3)},
    eight_bit=3,
    whole_people="normal",
)
GROUPS = (
    "strict filter",
    "all",
    "light skin",
    "source web",
    "class acne",
    "web, never seen in training",
    "shortcut: border",
    "moles against known classes",
)


@pytest.fixture(scope="module")
def made(tiny):
    figures = [
        Figure(f"figure {i}", group, Interval(0.5 + i / 100, 0.4 + i / 100, 0.6 + i / 100, 100 + i))
        for i, group in enumerate(GROUPS)
    ]
    manifest = tiny.manifest(evidence=Evidence("p", "ab" * 32, figures))
    return manifest, card(manifest, STORY, 11_200_000, 0.01)


def test_every_figure_is_there_once_with_interval_and_n(made):
    manifest, text = made
    for i, figure in enumerate(manifest.evidence.figures):
        numbers = f"{0.5 + i / 100:.3f} | {0.4 + i / 100:.3f} to {0.6 + i / 100:.3f} | {100 + i}"
        assert text.count(f"| {figure.group} | {figure.name} | {numbers} |") == 1


def test_figures_stand_under_the_heading_of_their_kind(made):
    _, text = made
    under = {}
    heading = ""
    for line in text.splitlines():
        heading = line if line.startswith("#") else heading
        for group in GROUPS:
            if line.startswith(f"| {group} | figure"):
                under[group] = heading.lstrip("# ")
    assert len(set(under.values())) == len(GROUPS)
    assert "Shortcuts" in under["shortcut: border"]
    assert "left out" in under["web, never seen in training"]
    assert "estimate" in under["light skin"]
    assert under["moles against known classes"] == "Novelty"


def test_data_and_protocol(made):
    _, text = made
    assert "| mpox | clinic | monkeypox | 12 |" in text
    assert "| chickenpox or measles | web | others | 7 |" in text
    assert "Images that could not be read: 4." in text
    assert "ab" * 32 in text
    for said in (
        "5 x 4-fold",
        "345 groups",
        "21 pairs",
        "0.003, 0.1",
        "3 folds",
        "net-a, net-b",
        "11.20 MB",
        "C = 0.01",
        "12 mpox images (5 groups) without clinic and 7 mpox images (3 groups) without web",
    ):
        assert said in text, said


def test_decisions_are_those_of_the_manifest(made):
    manifest, text = made
    assert f"p >= {manifest.rule_in.threshold:.4f}" in text
    assert f"p < {manifest.rule_out.threshold:.4f}" in text
    assert f"above {manifest.gate.novelty_limit:.4f}" in text
    assert f"(alpha {manifest.conformal_alpha:g}" in text


def test_limits_licence_and_use_are_told(made, tiny):
    manifest, text = made
    assert f"- {manifest.limits[0]}" in text
    assert manifest.licence in text
    assert manifest.intended_use in text
    other = card(replace(manifest, limits=["one", "two"]), STORY, 1, 0.01)
    assert "- one\n- two" in other


def test_a_steady_head_is_told(made):
    manifest, _ = made
    plain = card(manifest, STORY, 1_000_000, 0.01)
    steady = card(manifest, replace(STORY, steadiness=1.0), 1_000_000, 0.01)
    assert "eight bits disturbs" not in plain
    assert "computing in eight bits disturbs, measured on the images it learnt from (weight 1 of" in steady
