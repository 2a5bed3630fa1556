"""The benchmark of the paper's kind of phone model, on predictions written here; docs/export.md is held to results/."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import phone_baseline
from benchmarks.phone_baseline import (
    DESIGN,
    PAPER,
    files,
    judged,
    keep,
    rows_of,
    shipped_probabilities,
    shipped_table,
    tables,
    verdicts,
)
from benchmarks.studies import RESULTS

from poxlens.bundle.store import load
from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.compare.report.pooled import STATISTICS, each
from poxlens.recipes.compare.report.reading import Model, read_tested
from poxlens.recipes.compare.study import read_study

DOCS = Path(__file__).resolve().parents[1] / "docs" / "export.md"
STUDY = """
name = "phone-msld"
networks = ["mobilenet-v3-small", "efficientnet-lite0@levels"]
[images]
manifest = "images.csv"
datasets = ["msld"]
target = "mpox"
[images.classes]
mpox = ["mpox"]
others = ["others"]
"""
WRONG = {("mobilenet-v3-small", "dense"): {0, 1, 2}, DESIGN: {0}}
UNITS = ([4096], [256, 512])


@pytest.fixture(scope="module")
def bundle():
    return load(None).manifest


@pytest.fixture
def folder(tmp_path):
    """Eight images in four groups: dense errs on three, our design on one, the shipped model on none."""
    target = tmp_path / "phone-msld"
    target.mkdir()
    (target / "study.toml").write_text(STUDY)
    with (target / "predictions.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["repeat", "fold", "network", "setting", "file", "group", "tone", "label", "p_mpox", "p_others"]
        )
        for (network, setting), misses in WRONG.items():
            for i in range(8):
                label = ("mpox", "others")[i % 2]
                p = (0.2 if i in misses else 0.9) if label == "mpox" else (0.8 if i in misses else 0.1)
                writer.writerow([0, i % 4, network, setting, f"{i}.jpg", i // 2, "", label, p, 1 - p])
    (target / "dense.json").write_text(json.dumps({"mobilenet-v3-small": {"dense": UNITS}}))
    lines = [f"{r},{i}.jpg,{0.7 if i % 2 == 0 else 0.4},0" for r in range(2) for i in range(8)]
    text = "repeat,file,p_mpox,p_others\n" + "\n".join(line[:-1] + "0.5" for line in lines) + "\n"
    (target / "shipped.csv.gz").write_bytes(gzip.compress(text.encode()))
    return target


def test_every_model_with_size_and_gain(folder, bundle):
    dense, design, shipped = rows_of(folder, bundle, resamples=200)
    assert (dense.baseline, design.baseline, shipped.baseline) == (True, False, False)
    head = np.mean(
        [577 * 4096 + 4097 * 2, 577 * 256 + 257 * 512 + 513 * 2]
    )  # behind 576 channels, for two classes
    assert dense.floats == pytest.approx((927_008 + head) * 4 / 1e6)
    assert dense.eight == pytest.approx((927_008 + head) / 1e6)
    assert design.eight == pytest.approx((3_371_008 + 1753 * 2) / 1e6)
    assert shipped.floats == pytest.approx((3_371_008 + 1753 * 7) * 4 / 1e6)
    assert shipped.eight == files(bundle)[0]
    assert [row.figures["accuracy"].value for row in (dense, design, shipped)] == [5 / 8, 7 / 8, 1]
    assert dense.figures["mpox found"].value == 2 / 4
    gain = dense.design["accuracy"]
    assert gain.value == pytest.approx(2 / 8)
    assert gain.low < gain.value < gain.high
    assert dense.shipped["accuracy"].value == pytest.approx(3 / 8)
    assert design.design["accuracy"].value == 0


def test_the_tables(folder, bundle):
    rows = rows_of(folder, bundle, resamples=200)
    text = tables("phone-msld", rows)
    assert "| phone-msld, n 8 |" in text
    assert "| mobilenet-v3-small dense | 9.01 | 2.25 | 0.625" in text
    assert "| as shipped, less mobilenet-v3-small dense | +37.5 (" in text
    told = verdicts({"phone-msld": rows}, bundle).splitlines()
    assert len(told) == 3
    onnx, litert = files(bundle)
    assert f"| {onnx:.2f}, {litert:.2f} | 1/{96.17 / max(onnx, litert):.1f} | yes |" in told[2]


def test_a_file_over_a_tenth_is_told(folder, bundle):
    large = replace(bundle, files=tuple(replace(one, bytes=9_700_000) for one in bundle.files))
    told = verdicts({"phone-msld": rows_of(folder, bundle, resamples=50)}, large)
    assert "| 9.70, 9.70 | 1/9.9 | no, 0.10 |" in told


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.0, 0.1, "yes: +5.0 (+0.0 to +10.0)"),
        (-0.02, 0.12, "not told apart: +5.0 (-2.0 to +12.0)"),
        (-0.2, -0.01, "no: +5.0 (-20.0 to -1.0)"),
    ],
)
def test_no_lower_accuracy(low, high, said):
    assert judged(Estimate(0.05, low, high, n=10, cases=5)) == said


def test_an_image_without_shipped_prediction_is_named(folder):
    tested = read_tested(folder / "predictions.csv", "mpox")
    text = gzip.decompress((folder / "shipped.csv.gz").read_bytes()).decode()
    (folder / "shipped.csv.gz").write_bytes(gzip.compress(text.replace("1,7.jpg,0.4,0.5\n", "").encode()))
    with pytest.raises(ValueError, match=r"7\.jpg is not in every repeat"):
        shipped_probabilities(folder / "shipped.csv.gz", tested)
    (folder / "shipped.csv.gz").write_bytes(gzip.compress(text.replace("7.jpg", "9.jpg").encode()))
    with pytest.raises(ValueError, match=r"9\.jpg is none of the study's images"):
        shipped_probabilities(folder / "shipped.csv.gz", tested)


LOGITS = "mpox,chickenpox,measles,hfmd,acne,other-rash,healthy"
ROW = "{experiment},0,1,{file},{part},{source},mpox,3,,1,0.5,mpox,2,1,0,5,0,0,0"


@pytest.fixture
def run(tmp_path):
    """Of the default recipe: one row that counts; a patch, another source, another experiment that do not."""
    folder = tmp_path / "default"
    folder.mkdir()
    head = "experiment,repeat,fold,file,part,source,label,group,tone,usable,novelty,may_be," + ",".join(
        f"z_{name}" for name in LOGITS.split(",")
    )
    rows = [
        ROW.format(experiment="strict", file="a.jpg", part="", source="msld"),
        ROW.format(experiment="strict", file="b.jpg", part="0:0:9", source="msld"),
        ROW.format(experiment="strict", file="c.jpg", part="", source="web"),
        ROW.format(experiment="loose filter", file="d.jpg", part="", source="msld"),
    ]
    (folder / "predictions.csv").write_text("\n".join([head, *rows]) + "\n")
    return folder


def test_shipped_probabilities_are_of_the_study_s_classes(folder, run):
    lines = shipped_table(read_study(folder / "study.toml"), run / "predictions.csv", 0.5).splitlines()
    mpox, others = np.exp(2 / 0.5), np.exp(1 / 0.5) + np.exp(0)  # MSLD's others: chickenpox or measles
    assert lines == [
        "repeat,file,p_mpox,p_others",
        f"0,a.jpg,{mpox / (mpox + others):.6f},{others / (mpox + others):.6f}",
    ]


def test_a_run_is_kept_with_its_layers(folder, run, tmp_path):
    compared = tmp_path / "compared"
    for number, units in enumerate(UNITS):
        path = compared / "units" / "mobilenet-v3-small" / "dense" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"variant": "", "chosen": {"units": units}}))
    (compared / "predictions.csv").write_bytes((folder / "predictions.csv").read_bytes())
    written = keep(compared, folder, run)
    assert {path.name for path in written} == {"predictions.csv.gz", "dense.json", "shipped.csv.gz"}
    assert json.loads((folder / "dense.json").read_text()) == {"mobilenet-v3-small": {"dense": list(UNITS)}}
    assert b"0,a.jpg," in gzip.decompress((folder / "shipped.csv.gz").read_bytes())


@pytest.mark.parametrize(
    ("name", "figure", "group"),
    [
        ("phone-msid", "accuracy", "msid 4 classes, strict filter"),
        ("phone-msid", "macro F1", "msid 4 classes, strict filter"),
        ("phone-msld", "accuracy", "msld rashes, strict filter"),
        ("phone-msld", "AUROC", "msld rashes, strict filter"),
    ],
)
def test_the_shipped_model_is_the_embedded_one(bundle, name, figure, group):
    tested = read_tested(RESULTS / name / "predictions.csv", "mpox")
    shipped = Model("", "", shipped_probabilities(RESULTS / name / "shipped.csv.gz", tested))
    card = next(one for one in bundle.evidence.figures if (one.name, one.group) == (figure, group))
    assert each(tested, shipped, STATISTICS[figure]).value == pytest.approx(card.interval.value, abs=6e-5)


def test_the_page_shows_what_the_command_prints():
    text, names = DOCS.read_text("utf-8"), list(PAPER)
    assert "python -m benchmarks.phone_baseline" in text
    told = list(phone_baseline.parts())
    assert len(told) == 1 + len(names)
    for part in told:
        assert part in text, "write the output of python -m benchmarks.phone_baseline into it"
