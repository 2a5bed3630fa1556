"""A phone model as Campana 2024 builds it, MobileNetV3 with tuned dense layers, beside the one that ships.

    python -m benchmarks.phone_baseline keep runs/phone-msid results/phone-msid --shipped runs/default
    python -m benchmarks.phone_baseline                           the tables that docs/export.md shows

`keep` packs a run of `poxlens compare` as `benchmarks.studies keep` does, and beside it the layers that Hyperband chose
(dense.json) and what the shipped recipe said of the same images out-of-fold (shipped.csv.gz). The tables are made of
these and of the embedded bundle's files. Ours is there twice: its design (network, weights in eight bits, linear head)
learnt from the same images in the same folds, and the recipe as it ships, which learns from other sets too and was
tested in folds of its own. A size is 4 or 1 byte a parameter, the bundle's that of its files. Intervals are 95 %, over
groups.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.heads import chosen_layers, head_parameters
from benchmarks.studies import RESAMPLES, RESULTS
from benchmarks.studies import keep as keep_study
from poxlens.bundle.manifest import Manifest
from poxlens.bundle.store import load
from poxlens.evaluate.calibration import softmax
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.repeated import difference
from poxlens.evaluate.statistic import Floats, Statistic, share
from poxlens.files import write_atomically
from poxlens.recipes.compare.report.pooled import STATISTICS, each
from poxlens.recipes.compare.report.reading import Model, Tested, read_tested
from poxlens.recipes.compare.study import Study, read_study
from poxlens.recipes.default import LABELS
from poxlens.recipes.predictions import read_predictions
from poxlens.train.networks.registry import find_network

DESIGN = "efficientnet-lite0@levels", "logistic"
SHIPPED = "as shipped"
PAPER = {"phone-msid": (278.73, 69.98), "phone-msld": (382.93, 96.17)}
"""MB of the paper's MobileNetV3-Large, floats and quantised: table 5, four classes and mpox or not."""
LARGEST = 0.1  # of the paper's quantised size
FIGURES = {
    "accuracy": STATISTICS["accuracy"],
    "macro F1": STATISTICS["macro F1"],
    "mpox found": lambda tested, p: share(p.argmax(1) == tested.place, tested.positive),
}


@dataclass(frozen=True)
class Row:
    """One model of a study."""

    model: Model
    floats: float  # MB of all parameters in 32 bits
    eight: float  # MB of the same in eight bits; of the shipped model its ONNX file
    figures: Mapping[str, Estimate]
    design: Mapping[str, Estimate]  # the shipped design in the same folds, less this model
    shipped: Mapping[str, Estimate]  # the model as shipped, less this model

    @property
    def baseline(self) -> bool:
        """Built as the paper builds its own."""
        return self.model.setting.startswith("dense")


def keep(run: Path, target: Path, shipped: Path) -> list[Path]:
    """Pack a run for the repository, with the layers that were chosen and the shipped recipe's predictions.

    Args:
        run: of `poxlens compare`, with a report.
        target: folder in results/, which holds study.toml.
        shipped: run folder of `poxlens train` that the embedded bundle came from.

    Returns:
        The files written.
    """
    study = read_study(target / "study.toml")
    written = keep_study(run, target)
    layers = {
        network: {setting: chosen_layers(run, network, setting)}
        for network in study.networks
        for setting in ("dense", "dense+augmentation")
        if chosen_layers(run, network, setting)
    }
    write_atomically(target / "dense.json", json.dumps(layers) + "\n")
    temperature = load(None).manifest.calibration.temperature
    table = shipped_table(study, shipped / "predictions.csv", temperature)
    write_atomically(target / "shipped.csv.gz", gzip.compress(table.encode(), mtime=0))
    return [*written, target / "dense.json", target / "shipped.csv.gz"]


def shipped_table(study: Study, path: Path, temperature: float) -> str:
    """repeat, file and a probability for each class of the study, those of all others taken out."""
    found = read_predictions(path, only="strict")["strict"]
    here = np.isin(found.rows.source, study.images.datasets) & (found.rows.part == "")
    meant = [
        sorted({name for label in labels for name in LABELS.meaning[label]} & set(LABELS.classes))
        for labels in study.images.classes.values()
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["repeat", "file", *(f"p_{name}" for name in study.images.classes)])
    for repeat, logits in enumerate(found.logits):
        every = softmax(logits[here], temperature)
        p = np.stack([every[:, [LABELS.classes.index(one) for one in some]].sum(1) for some in meant], 1)
        for file, values in sorted(zip(found.rows.file[here], p / p.sum(1, keepdims=True), strict=True)):
            writer.writerow([repeat, file, *(f"{value:.6f}" for value in values)])
    return buffer.getvalue()


def rows_of(folder: Path, bundle: Manifest, *, resamples: int = RESAMPLES) -> list[Row]:
    """Every model of a study in results/, then the shipped one."""
    study = read_study(folder / "study.toml")
    tested = read_tested(folder / "predictions.csv", study.images.target)
    layers = json.loads((folder / "dense.json").read_text("utf-8"))
    shipped = Model("poxlens", SHIPPED, shipped_probabilities(folder / "shipped.csv.gz", tested))
    design = tested.of(*DESIGN)
    if design is None:
        raise KeyError(f"{folder}: no predictions of {' '.join(DESIGN)}")
    rows = []
    for model in (*tested.models, shipped):
        wanted = {
            (kind, name): difference(each(tested, one, of), each(tested, model, of))
            for kind, one in (("design", design), ("shipped", shipped))
            for name, of in FIGURES.items()
        }
        wanted |= {("figure", name): each(tested, model, of) for name, of in FIGURES.items()}
        found = _estimated(wanted, tested, resamples)
        floats, eight = _sizes(model, layers, len(tested.classes), bundle)
        rows.append(Row(model, floats, eight, found["figure"], found["design"], found["shipped"]))
    return rows


def shipped_probabilities(path: Path, tested: Tested) -> Floats:
    """[R, N, C] of shipped.csv.gz, in the order of a study's images.

    Raises:
        ValueError: a row of the file is of another image, or an image has no row in some repeat.
    """
    records = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    at = {file: number for number, file in enumerate(tested.files)}
    found = np.full((1 + max(int(one["repeat"]) for one in records), len(at), len(tested.classes)), np.nan)
    for one in records:
        if one["file"] not in at:
            raise ValueError(f"{path}: {one['file']} is none of the study's images")
        found[int(one["repeat"]), at[one["file"]]] = [float(one[f"p_{name}"]) for name in tested.classes]
    if np.isnan(found).any():
        file = tested.files[int(np.argwhere(np.isnan(found))[0][1])]
        raise ValueError(f"{path}: {file} is not in every repeat")
    return found


def _estimated(
    wanted: Mapping[tuple[str, str], Statistic], tested: Tested, resamples: int
) -> dict[str, dict[str, Estimate]]:
    joined = {"\t".join(key): one for key, one in wanted.items()}
    found = estimate(joined, tested.group, resamples=resamples, seed=0)
    told: dict[str, dict[str, Estimate]] = {}
    for kind, name in wanted:
        told.setdefault(kind, {})[name] = found[f"{kind}\t{name}"]
    return told


def _sizes(
    model: Model, layers: Mapping[str, Mapping[str, Sequence[Sequence[int]]]], classes: int, bundle: Manifest
) -> tuple[float, float]:
    """MB in 32-bit floats and in eight bits."""
    network = DESIGN[0] if model.setting == SHIPPED else model.network
    chosen = layers.get(model.network, {}).get(model.setting, [()])
    answers = len(bundle.classes) if model.setting == SHIPPED else classes
    head = np.mean([head_parameters(network, units, answers) for units in chosen])
    numbers = find_network(network).parameters + float(head)
    return numbers * 4 / 1e6, files(bundle)[0] if model.setting == SHIPPED else numbers / 1e6


def files(bundle: Manifest) -> tuple[float, float]:
    """MB of the bundle's ONNX file and of its LiteRT file."""
    size = {one.path: one.bytes / 1e6 for one in bundle.files}
    of = {one.runtime: size[one.file] for one in bundle.models}
    return of["onnx"], of["litert"]


def tables(name: str, rows: Sequence[Row]) -> str:
    """The Markdown tables of a study: its models, and what ours has over each of the paper's kind."""
    n = rows[0].figures["accuracy"].n
    lines = [
        f"| {name}, n {n} | MB, 32 bits | MB, eight bits | " + " | ".join(FIGURES) + " |",
        "|---|---|---|" + "---|" * len(FIGURES),
    ]
    for row in rows:
        cells = " | ".join(
            f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in row.figures.values()
        )
        lines.append(f"| {row.model.name} | {row.floats:.2f} | {row.eight:.2f} | {cells} |")
    lines += [
        "",
        "| ours less theirs, points | " + " | ".join(FIGURES) + " |",
        "|---|" + "---|" * len(FIGURES),
    ]
    for row in (row for row in rows if row.baseline):
        for ours, gains in (("its design, same folds", row.design), (SHIPPED, row.shipped)):
            cells = " | ".join(_points(one) for one in gains.values())
            lines.append(f"| {ours}, less {row.model.name} | {cells} |")
    return "\n".join(lines)


def verdicts(studies: Mapping[str, Sequence[Row]], bundle: Manifest) -> str:
    """Whether the small file is at most a tenth of the paper's quantised one at no lower accuracy."""
    lines = [
        "| task | paper's, MB quantised | ours, MB, ONNX and LiteRT | share | a tenth | against "
        "| accuracy no lower: its design, same folds | as shipped |",
        "|---|---|---|---|---|---|---|---|",
    ]
    onnx, litert = files(bundle)
    for name, rows in studies.items():
        paper = PAPER[name][1]
        share_of = max(onnx, litert) / paper
        small = "yes" if share_of <= LARGEST else f"no, {share_of:.2f}"
        start = f"| {name} | {paper:.0f} | {onnx:.2f}, {litert:.2f} | 1/{1 / share_of:.1f} | {small} |"
        lines += [
            f"{start} {row.model.name}, {row.eight:.1f} MB | {judged(row.design['accuracy'])} | "
            f"{judged(row.shipped['accuracy'])} |"
            for row in rows
            if row.baseline
        ]
    return "\n".join(lines)


def judged(gain: Estimate) -> str:
    """What a difference of accuracies, ours less theirs, says of "no lower"."""
    if gain.low >= 0:
        return f"yes: {_points(gain)}"
    if gain.high < 0:
        return f"no: {_points(gain)}"
    return f"not told apart: {_points(gain)}"


def _points(one: Estimate) -> str:
    return f"{one.value * 100:+.1f} ({one.low * 100:+.1f} to {one.high * 100:+.1f})"


def parts() -> Iterator[str]:
    """All tables, from results/ and the embedded bundle."""
    bundle = load(None).manifest
    studies = {name: rows_of(RESULTS / name, bundle) for name in PAPER}
    yield verdicts(studies, bundle)
    for name, rows in studies.items():
        yield tables(name, rows)


def main(words: list[str] | None = None) -> int:
    """Keep a run, or print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    keeping = parser.add_subparsers(dest="verb").add_parser("keep")
    keeping.add_argument("run", type=Path)
    keeping.add_argument("target", type=Path)
    keeping.add_argument("--shipped", type=Path, required=True)
    told = parser.parse_args(words)
    if told.verb == "keep":
        print("\n".join(map(str, keep(told.run, told.target, told.shipped))))
    else:
        print("\n\n".join(parts()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
