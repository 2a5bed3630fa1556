"""What moves the accuracy on the development images, step by step, each gain with its interval over groups.

    python -m benchmarks.accuracy_steps --data ../shared/data --weights ../shared/weights \
        --groups results/duplicates/groups.csv --joined runs/joined/predictions.csv --seed 100

Every step is a kernel on features of frozen networks, tested as the default recipe is: five folds, strict filter, the
given number of repeats, the same folds for all. Penalty, kernel width and weights are fixed and the same for all
steps but those that change them. Each source that holds mpox is also left out as a whole; the rule-out point is then
the one that finds 95 % out of fold in each source. Prints a Markdown table and writes --json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.backbones import options, prepared_from
from benchmarks.steps.features import Features, best_of, grey_world, redness
from benchmarks.steps.ridge import linear, mean, rbf
from benchmarks.steps.trial import FIGURES, Judge, gain, intervals
from poxlens.evaluate.calibration import softmax
from poxlens.evaluate.statistic import Statistic
from poxlens.files import write_atomically
from poxlens.recipes.default import Prepared, Recipe
from poxlens.recipes.grouping import Grouping
from poxlens.recipes.predictions import read_predictions, rows_of
from poxlens.train.views import DUPLICATE_VIEWS

Doubles = NDArray[np.float64]

SMALLEST = "mobilenet-v3-small"
JOINED = ("efficientnet-lite0", SMALLEST, "mobilenet-v2")
PENALTY = 0.3
_SOURCES = ("msld", "msid")


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    name: str
    kernel: Callable[[Kernels], Doubles]
    against: str = ""  # the step that its gain is over; "" for none
    weights: str = "as shipped"
    penalty: float = PENALTY
    logistic: bool = False  # instead of ridge regression


class Kernels:
    """Kernels of the images, each made once."""

    def __init__(self, features: Features, source: NDArray[np.str_]) -> None:
        self._features, self._source = features, source
        self._holding = np.isin(source, _SOURCES)
        self._known: dict[str, Doubles] = {}

    def last(self, *networks: str) -> Doubles:
        """Of the last maps, image and mirror image averaged."""
        return mean([self._once(f"last {n}", lambda n=n: rbf(self._features.last(n))) for n in networks])

    def whole(self, *networks: str) -> Doubles:
        """Of the last maps of the image alone."""
        return mean([self._once(f"whole {n}", lambda n=n: rbf(self._features.whole(n))) for n in networks])

    def views(self, network: str) -> Doubles:
        """Of the mean of fourteen views."""
        return self._once(f"views {network}", lambda: rbf(self._features.views(network, DUPLICATE_VIEWS)))

    def side_by_side(self, *networks: str) -> Doubles:
        """One kernel of all features, last map and levels, in a row."""
        return rbf(np.concatenate([part for n in networks for part in self._features.levels(n)], 1))

    def levels(self, *networks: str) -> Doubles:
        """The mean of a kernel a level."""
        return mean(
            [
                self._once(f"levels {n}", lambda n=n: mean([rbf(part) for part in self._features.levels(n)]))
                for n in networks
            ]
        )

    def enlarged(self, *networks: str) -> Doubles:
        """Of the last maps at 320 px."""
        return mean([rbf(self._features.enlarged(n, 320)) for n in networks])

    def straight(self, *networks: str) -> Doubles:
        """Linear, of the last maps."""
        return mean([linear(self._features.last(n)) for n in networks])

    def constant_colour(self, *networks: str) -> Doubles:
        """Of the last maps, colour cast taken away."""
        return mean(
            [self._once(f"grey {n}", lambda n=n: rbf(self._features.last(n, grey_world))) for n in networks]
        )

    def centred(self, *networks: str) -> Doubles:
        """Of the last maps, each source's mean taken away."""
        found = []
        for network in networks:
            features = self._features.last(network).copy()
            for name in np.unique(self._source):
                features[self._source == name] -= features[self._source == name].mean(0)
            found.append(rbf(features))
        return mean(found)

    def crops(self, how: str, *networks: str) -> Doubles:
        """Of crops of MSLD's and MSID's images, pooled; the others' whole images stand in for theirs."""
        found = []
        for network in networks:
            features = self._features.last(network).copy()
            crops = self._features.crops(network, self._holding)
            features[self._holding] = self._pooled(how, crops)
            found.append(rbf(features))
        return mean(found)

    def _pooled(self, how: str, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        if how == "mean":
            return np.asarray(crops.mean(1))
        if how == "max":
            return np.asarray(crops.max(1))
        if how == "energy":
            return best_of(crops, np.linalg.norm(crops, axis=2))
        chosen = [image for image, held in zip(self._features.images, self._holding, strict=True) if held]
        return best_of(crops, np.stack([redness(image) for image in chosen]))

    def _once(self, name: str, make: Callable[[], Doubles]) -> Doubles:
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


ONE = "one network, MobileNetV3-Small"
LITE = "one network, EfficientNet-Lite0"
BASE = "three networks, last maps"
LEVELLED = "three networks, levels"


def _small(name: str, other: Callable[[Kernels], Doubles]) -> Step:
    """What is tried on the smallest network, where a pass costs least, beside its whole image."""
    return Step(f"{name}, beside the whole", lambda k: mean([k.last(SMALLEST), other(k)]), ONE)


STEPS = (
    Step(BASE, lambda k: k.last(*JOINED), "recipe joined"),
    Step("three networks, logistic", lambda k: k.last(*JOINED), "recipe joined", logistic=True),
    Step("three networks, levels, logistic", lambda k: k.levels(*JOINED), "recipe joined", logistic=True),
    Step(ONE, lambda k: k.last(SMALLEST), BASE),
    Step(LITE, lambda k: k.last("efficientnet-lite0"), BASE),
    Step(LEVELLED, lambda k: k.levels(*JOINED), BASE),
    Step("three networks, levels in a row, one kernel", lambda k: k.side_by_side(*JOINED), BASE),
    Step("MobileNetV3-Small, levels", lambda k: k.levels(SMALLEST), ONE),
    Step("EfficientNet-Lite0, levels", lambda k: k.levels("efficientnet-lite0"), LITE),
    Step("four networks, last maps", lambda k: k.last(*JOINED, "efficientnet-lite2"), BASE),
    Step("fourteen views of each image, Lite0", lambda k: k.views("efficientnet-lite0"), LITE),
    Step("the image without its mirror image", lambda k: k.whole(*JOINED), BASE),
    _small("crops, mean of nine", lambda k: k.crops("mean", SMALLEST)),
    _small("crops, maximum of nine", lambda k: k.crops("max", SMALLEST)),
    _small("crops, three reddest", lambda k: k.crops("redness", SMALLEST)),
    _small("crops, three most active", lambda k: k.crops("energy", SMALLEST)),
    _small("320 px", lambda k: k.enlarged(SMALLEST)),
    _small("grey world", lambda k: k.constant_colour(SMALLEST)),
    Step("grey world instead", lambda k: k.constant_colour(SMALLEST), ONE),
    Step("without other sets", lambda k: k.last(*JOINED), BASE, "two sources"),
    Step("other sets weighted 1, not 0.3", lambda k: k.last(*JOINED), BASE, "all alike"),
    Step("classes balanced within each source", lambda k: k.last(*JOINED), BASE, "classes"),
    Step("sources balanced", lambda k: k.last(*JOINED), BASE, "sources"),
    Step("each source's mean taken away", lambda k: k.centred(*JOINED), BASE),
    Step("kernel wider by the root of two", lambda k: mean([np.sqrt(k.last(n)) for n in JOINED]), BASE),
    Step("linear kernel, penalty 1", lambda k: k.straight(*JOINED), BASE, penalty=1.0),
    Step("penalty 0.1", lambda k: k.last(*JOINED), BASE, penalty=0.1),
    Step("penalty 1", lambda k: k.last(*JOINED), BASE, penalty=1.0),
    Step(
        "levels, crops' mean and wider kernel",
        lambda k: np.sqrt(mean([k.levels(*JOINED), k.levels(*JOINED), k.crops("mean", SMALLEST)])),
        BASE,
    ),
)
"""Each against a step that stands before it, or the recipe joined's own predictions."""


def main() -> None:
    """Run all steps."""
    parser = options(__doc__ or "")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=100, help="of the folds; choices were made on others")
    parser.add_argument("--joined", type=Path, help="predictions.csv of a run of the recipe joined")
    parser.add_argument("--only", action="append", default=[], help="steps whose name holds this")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tables", type=Path, help="only print the tables of an earlier run's --json")
    told = parser.parse_args()
    if told.tables:
        print(tables(json.loads(told.tables.read_text())))
        return
    prepared = learnable(prepared_from(told, Recipe()))
    judge = judge_of(prepared, told.seed, told.repeats)
    kernels = Kernels(
        Features([sample.image for sample in prepared.samples], told.weights, told.cache, told.jobs),
        prepared.table.source,
    )
    done: dict[str, dict[str, Statistic]] = {}
    if told.joined:
        done["recipe joined"] = of_recipe(told.joined, prepared, judge)
    rows = []
    for step in asked(told.only):
        weights = weights_of(step.weights, prepared)
        kernel = step.kernel(kernels)
        done[step.name] = (
            judge.run_logistic(kernel, weights) if step.logistic else judge.run(kernel, weights, step.penalty)
        )
        against = done.get(step.against, {})
        gained = {
            f"{name}, gain": gain(one, against[name])
            for name, one in done[step.name].items()
            if name in against
        }
        found = intervals({**done[step.name], **gained}, prepared.table.grouping.group, told.seed)
        told_figures = {name: vars(one) for name, one in found.items()}
        rows.append({"step": step.name, "against": step.against, **told_figures})
        print(f"{step.name}: {cell(told_figures[FIGURES[1]])}", file=sys.stderr, flush=True)
        if told.json:  # after each: a run that is stopped leaves what it found
            write_atomically(told.json, json.dumps(rows, indent=1) + "\n")
    print(tables(rows))


def asked(names: list[str]) -> list[Step]:
    """The steps to run: those asked for and what they are compared with, each once and in order."""
    wanted = {step.name for step in STEPS if not names or any(name in step.name for name in names)}
    for step in reversed(STEPS):
        if step.name in wanted:
            wanted.add(step.against)
    return [step for step in STEPS if step.name in wanted]


def learnable(prepared: Prepared) -> Prepared:
    """Without the samples that no head learns from."""
    table = prepared.table
    rows = table.learnable
    square = np.ix_(rows, rows)
    grouping = table.grouping
    return replace(
        prepared,
        samples=[sample for sample, kept in zip(prepared.samples, rows, strict=True) if kept],
        table=replace(
            table,
            learnt=table.learnt[rows],
            tested=table.tested[rows],
            possible=table.possible[rows],
            stratum=table.stratum[rows],
            source=table.source[rows],
            weight=table.weight[rows],
            grouping=Grouping(
                grouping.group[rows], grouping.suspect[square], grouping.alike[square], grouping.loose[square]
            ),
        ),
        probe=prepared.probe[rows],
    )


def judge_of(prepared: Prepared, seed: int, repeats: int) -> Judge:
    """The judge of a run's images."""
    whole = np.array([sample.patch is None for sample in prepared.samples])
    return Judge(prepared.table, prepared.labels.classes, whole, ("msld", "msid"), seed, repeats)


def weights_of(name: str, prepared: Prepared) -> Doubles:
    """[N], importance of each image in learning."""
    table = prepared.table
    weights = table.weight.astype(np.float64)
    if name == "all alike":
        return np.ones_like(weights)
    if name == "two sources":
        return np.where(np.isin(table.source, _SOURCES), weights, 1e-4)
    if name in ("classes", "sources"):
        for source in _SOURCES:
            rows = table.source == source
            parts = np.unique(table.stratum[rows]) if name == "classes" else [""]
            for part in parts:
                some = rows & (table.stratum == part) if part else rows
                target = rows.sum() / len(parts) if part else np.isin(table.source, _SOURCES).sum() / 2
                weights[some] *= target / weights[some].sum()
    return weights


def of_recipe(path: Path, prepared: Prepared, judge: Judge) -> dict[str, Statistic]:
    """The figures in the sources of the recipe joined's own predictions, for the same images."""
    predicted = read_predictions(path)["strict"]
    place = {key: at for at, key in enumerate(zip(predicted.rows.file, predicted.rows.part, strict=True))}
    rows = rows_of(
        prepared.samples,
        prepared.table.grouping.group,
        np.zeros(len(prepared.samples)),
        prepared.table.possible,
    )
    order = [place[key] for key in zip(rows.file, rows.part, strict=True)]
    probabilities = np.stack([softmax(logits) for logits in predicted.logits[:, order].astype(np.float64)])
    return judge.in_sources(dict.fromkeys(judge.sources, probabilities))


def tables(rows: Sequence[Mapping[str, Any]]) -> str:
    """Two Markdown tables of a run: within the sources, with gains, and of a source left out."""
    within, unseen = FIGURES[:3], FIGURES[3:]
    gained = [name for figure in within for name in (figure, f"{figure}, gain")]
    ranked = [name for name in unseen if name.endswith("AUROC")]
    rest = [
        name for figure in unseen for name in ((figure, f"{figure}, gain") if figure in ranked else (figure,))
    ]
    return _table(rows, gained) + "\n\n" + _table(rows, rest)


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    head = ["step", "against", *("gain" if name.endswith(", gain") else name for name in names)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [cell(row.get(name), signed=name.endswith(", gain")) for name in names]
        lines.append("| " + " | ".join([row["step"], row["against"], *cells]) + " |")
    return "\n".join(lines)


def cell(found: Mapping[str, float] | None, *, signed: bool = False) -> str:
    """A figure with its interval."""
    if found is None:
        return ""
    form = "+.3f" if signed else ".3f"
    return f"{found['value']:{form}} ({found['low']:{form}} to {found['high']:{form}})"


if __name__ == "__main__":
    main()
