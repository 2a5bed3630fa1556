"""The page in docs and the committed results."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from poxlens.evaluate.intervals import Estimate, wilson
from poxlens.files import sha256_bytes
from poxlens.recipes.leak.figures import measure
from poxlens.recipes.leak.heads import HEADS
from poxlens.recipes.leak.predictions import read_tested
from poxlens.recipes.leak.report import TOLD, written

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "results" / "leak"
COMMITTED = sorted(path.parent.name for path in RESULTS.glob("*/metrics.json"))


def test_there_are_committed_figures():
    assert "msld" in COMMITTED


@pytest.mark.parametrize("name", COMMITTED)
def test_the_committed_figures_are_those_of_the_committed_predictions(name):
    told = json.loads((RESULTS / name / "metrics.json").read_text("utf-8"))
    target, checked = told["plan"]["target"], 0
    for file, digest in told["predictions"].items():
        path = RESULTS / name / file
        if not path.exists():  # too large to keep: its digest stands in metrics.json
            continue
        assert sha256_bytes(gzip.decompress(path.read_bytes())) == digest
        for one in read_tested(path):
            (stored,) = [
                m
                for m in told["measured"]
                if (m["head"], m["copies"], m["protocol"]) == (one.head, one.copies, one.protocol)
            ]
            again = measure(one, target, resamples=1)
            for figure, value in again.clustered.items():
                assert value.value == pytest.approx(stored["clustered"][figure]["value"], abs=1e-9)
            assert again.seen == pytest.approx(stored["seen"])
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize("name", COMMITTED)
def test_every_figure_of_the_page_in_docs_is_a_committed_one(name):
    text = (ROOT / "docs" / "leak.md").read_text("utf-8")
    told = json.loads((RESULTS / name / "metrics.json").read_text("utf-8"))

    def estimate(cells):
        value, low, high = (float("nan") if cells[k] is None else cells[k] for k in ("value", "low", "high"))
        return Estimate(value, low, high, cells["n"], cells["cases"])

    for one in told["measured"]:
        if one["copies"] == told["plan"]["copies"]:
            cells = (written(estimate(one["clustered"][figure])) for figure in told["figures"])
            row = f"| {one['head']} | {one['protocol']} | {100 * one['seen']:.0f} % | {' | '.join(cells)} |"
            assert row in text, row
    for one in told["gaps"]:
        if one["copies"] == told["plan"]["copies"]:
            cells = (written(estimate(one["figures"][figure]), signed=True) for figure in told["figures"])
            row = f"| {one['head']}: {one['above']} − {one['below']} | {' | '.join(cells)} |"
            assert row in text, row


def test_every_protocol_head_and_option_of_the_command_is_in_docs():
    import inspect

    from poxlens.cli.data.leak_demo import leak_demo

    text = (ROOT / "docs" / "leak.md").read_text("utf-8")
    for name in (*TOLD, *HEADS):
        assert f"`{name}`" in text
    for parameter in inspect.signature(leak_demo, eval_str=True).parameters.values():
        for option in parameter.annotation.__metadata__[0].param_decls or ():
            assert option in text, option


def test_arithmetic_of_the_page_in_docs():
    """Counts that the page names behind published percentages."""
    assert [f"{100 * k / 135:.2f}" for k in (112, 110, 107)] == ["82.96", "81.48", "79.26"]
    assert f"{100 * 41 / 45:.2f}" == "91.11"
    assert [f"{100 * bound:.0f}" for bound in wilson(41, 45)] == ["79", "96"]
    assert f"{100 * 227 / 228:.2f}" == "99.56"
    assert f"{100 * 636 / 638:.2f}" == "99.69"
    assert round(0.2 * 3192) == 638
    assert 3192 == 14 * 228 == 1428 + 1764
