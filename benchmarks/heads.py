"""What large heads buy: dense layers of up to 4096 units, as in Campana 2024, against one linear layer.

    python -m benchmarks.heads runs/msid runs/msld

Reads runs of `poxlens compare` (predictions.csv and units/) and prints a Markdown table: megabytes of the head in
32-bit floats, mean over folds of the layers that were chosen; accuracy of each setting, and its difference from
`logistic` on the same images and folds, mean over repeats, with 95 % intervals over groups.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.statistic import Statistic, share
from poxlens.train.networks.registry import find_network

BASE = "logistic"
HEADS = ("logistic", "dense", "dense+augmentation")


@dataclass(frozen=True)
class Row:
    """One head of one network."""

    network: str
    setting: str
    megabytes: float  # mean over folds; NaN where the units are not there
    accuracy: Estimate
    difference: Estimate | None  # from the linear head; None for itself


def rows_of(run: Path, settings: Sequence[str] = HEADS) -> list[Row]:
    """Every network of a run with every setting that it has, beside its linear head."""
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        records = list(csv.DictReader(stream))
    classes = [name.removeprefix("p_") for name in records[0] if name.startswith("p_")]
    networks = dict.fromkeys(record["network"] for record in records)
    found = []
    for network in networks:
        known = {
            setting: _right(
                [r for r in records if (r["network"], r["setting"]) == (network, setting)], classes
            )
            for setting in settings
        }
        known = {setting: one for setting, one in known.items() if one}
        if BASE not in known:
            continue
        for setting, right in known.items():
            size = _megabytes(run, network, setting, len(classes))
            found.append(_row(network, setting, size, right, known[BASE]))
    return found


def _right(records: Iterable[Mapping[str, str]], classes: Sequence[str]) -> dict[str, tuple[str, list[bool]]]:
    """File -> its group, and whether each repeat decided it right."""
    found: dict[str, tuple[str, list[bool]]] = {}
    for record in records:
        said = classes[int(np.argmax([float(record[f"p_{name}"]) for name in classes]))]
        found.setdefault(record["file"], (record["group"], []))[1].append(said == record["label"])
    return found


def _row(
    network: str,
    setting: str,
    megabytes: float,
    right: Mapping[str, tuple[str, list[bool]]],
    base: Mapping[str, tuple[str, list[bool]]],
) -> Row:
    files = sorted(set(right) & set(base))
    groups = [right[file][0] for file in files]
    ours = _mean([right[file][1] for file in files])
    theirs = _mean([base[file][1] for file in files])
    statistics = {"accuracy": ours}
    if setting != BASE:
        statistics["difference"] = Statistic(
            lambda weights: ours.over(weights) - theirs.over(weights), ours.rows, ours.sides
        )
    told = estimate(statistics, groups)
    return Row(network, setting, megabytes, told["accuracy"], told.get("difference"))


def _mean(right: Sequence[Sequence[bool]]) -> Statistic:
    """Mean over repeats of the share that is right."""
    repeats = [share(np.array(column)) for column in zip(*right, strict=True)]

    def over(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = np.mean([one.over(weights) for one in repeats], axis=0)
        return mean

    return Statistic(over, repeats[0].rows, repeats[0].sides)


def _megabytes(run: Path, network: str, setting: str, classes: int) -> float:
    """Mean over folds of the head's numbers times 4 bytes."""
    layers = [()] if setting == BASE else chosen_layers(run, network, setting)
    numbers = [head_parameters(network, units, classes) for units in layers]
    return float(np.mean(numbers)) * 4 / 1e6 if numbers else float("nan")


def chosen_layers(run: Path, network: str, setting: str) -> list[tuple[int, ...]]:
    """Units of the hidden layers that each fold of a run chose; none where the units are not there."""
    found = []
    for path in sorted((run / "units" / network / setting).glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        if not told.get("variant"):
            found.append(tuple(told["chosen"]["units"]))
    return found


def head_parameters(network: str, units: Sequence[int], classes: int) -> int:
    """Weights and biases of a head with these hidden layers behind a network, or several side by side."""
    size = sum(find_network(part).channels for part in network.split("+"))
    return sum((i + 1) * o for i, o in pairwise((size, *units, classes)))


def table(run: Path) -> str:
    """The Markdown table of a run."""
    lines = [
        f"| {run.name}: network | head | MB | accuracy | against `{BASE}`, points | n |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows_of(run):
        a, d = row.accuracy, row.difference
        gain = "" if d is None else f"{d.value * 100:+.1f} ({d.low * 100:+.1f} to {d.high * 100:+.1f})"
        lines.append(
            f"| {row.network} | {row.setting} | {row.megabytes:.2f} | {a.value:.3f} ({a.low:.3f} to {a.high:.3f}) | "
            f"{gain} | {a.n} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table of every run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+")
    for run in parser.parse_args().runs:
        print(table(run), end="\n\n")


if __name__ == "__main__":
    main()
