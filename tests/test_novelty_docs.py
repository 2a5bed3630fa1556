"""docs/novelty.md tells what results/novelty holds."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results" / "novelty"
PAGE = (ROOT / "docs" / "novelty.md").read_text("utf-8")
NEAR = (
    *("chickenpox", "measles", "hfmd", "bacterial-infection", "viral-infection", "bullous", "eczema"),
    *("urticaria", "vasculitis", "acne", "vascular-tumour"),
)


@pytest.fixture(scope="module")
def gates():
    return {(one["network"], one["detector"]): one for one in json.loads((RESULTS / "gate.json").read_text())}


def share(gate, what, group):
    return next(one["value"] for one in gate["shares"] if (one["what"], one["group"]) == (what, group))


def test_every_row_of_the_page_s_tables_is_in_the_results():
    known = set()
    for path in RESULTS.glob("*.md"):
        known |= {line for line in path.read_text("utf-8").splitlines() if line.startswith("| ")}
    rows = [line for line in PAGE.splitlines() if re.match(r"\| .*\d\.\d{3} ", line)]
    assert len(rows) > 30
    missing = [row for row in rows if row not in known]
    assert missing == []


def test_the_sentences_on_the_gate(gates):
    gate = gates["efficientnet-lite0", "gate"]
    refer = [share(gate, "refer", name) for name in NEAR]
    assert f"{100 * np.mean(refer):.1f} % on average are called" in PAGE.replace("\n  ", " ")
    assert f"chickenpox {100 * max(refer):.1f} %" in PAGE
    assert max(refer) == share(gate, "refer", "chickenpox")
    assert f"{100 * share(gate, 'not_suspected', 'mpox'):.1f} % of held-out photos are called" in PAGE
    assert f"{100 * share(gate, 'cannot_assess', 'mpox'):.1f} % are refused" in PAGE


def test_scores_and_folds_are_of_the_columns_promised():
    with gzip.open(RESULTS / "scores.csv.gz", "rt", encoding="utf-8") as stream:
        table = csv.reader(stream)
        heads = next(table)
        first = next(table)
    assert ",".join(heads) == "repeat,fold,detector,harmonised,condition,file,group,is_mpox,score"
    assert len(first) == len(heads)
    with (RESULTS / "folds.csv").open(encoding="utf-8") as stream:
        folds = list(csv.DictReader(stream))
    group_folds = {}
    for row in folds:
        group_folds.setdefault((row["repeat"], row["group"]), set()).add(row["fold"])
    assert max(map(len, group_folds.values())) == 1


def test_the_list_of_close_ups_holds_names_alone():
    with (RESULTS / "closeups.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(int(row["kept"]) for row in rows) == 220
    assert len(rows) == 381


def test_the_sentences_on_mim():
    lines = json.loads((RESULTS / "mim.json").read_text())
    mean = {
        (one["detector"], one["conditions"]): one["mean"]
        for one in lines
        if one["target"] == "mpox" and not one["harmonised"]
    }
    assert (
        f"SSIM + HBD reaches {mean['mim sane ssim+hbd', 'all skin diseases']:.3f}".replace(" 0.", " .")
        in PAGE
    )
    order = sorted(
        ("hbd", "mae", "mse", "ssim", "ssim+hbd"),
        key=lambda name: -mean[f"mim sane {name}", "all skin diseases"],
    )
    assert order == ["hbd", "mae", "mse", "ssim+hbd", "ssim"]
    for condition in ("acne", "urticaria", "hfmd", "eczema", "plain skin"):
        assert f"({mean['mim sane ssim', condition]:.2f})".replace("0.", ".") in PAGE.replace("\n", " "), (
            condition
        )
    rashes = [mean["mim sane hbd", name] for name in NEAR]
    assert f"{min(rashes):.2f} to {max(rashes):.2f}".replace("0.", ".") in PAGE


def test_mim_s_losses_and_scores_are_of_all_its_epochs_and_folds():
    with (RESULTS / "mim-losses.csv").open(encoding="utf-8") as stream:
        losses = list(csv.DictReader(stream))
    folds = {row["fold"] for row in losses}
    assert folds == {*(f"sane-{n}" for n in range(1, 6)), "printed-1", "printed-2"}
    for name in folds:
        assert sum(row["fold"] == name for row in losses) == 300
    with gzip.open(RESULTS / "mim-scores.csv.gz", "rt", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    tested = {row["file"]: row["group"] for row in rows if row["condition"] == "mpox"}
    assert len(tested) == 220
    where = {}
    for row in rows:
        if row["condition"] == "mpox" and row["detector"] == "mim sane ssim":
            where.setdefault(row["group"], set()).add(row["fold"])
    assert all(len(folds) == 1 for folds in where.values())
