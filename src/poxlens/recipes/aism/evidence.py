"""Everything that is computed from a run's predictions: read once, for tables, figures and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.aism.arms import Said, read_predictions
from poxlens.recipes.aism.figures import Difference, Judged, compare, judge
from poxlens.recipes.aism.grades import Recall, Seen, recalls
from poxlens.recipes.aism.leak import FILE, folder_of, read_leak
from poxlens.recipes.aism.referral import Referral, referrals
from poxlens.recipes.aism.study import Study
from poxlens.recipes.aism.units import slug_of
from poxlens.recipes.default import Step
from poxlens.train.supervised.curves import Epoch, read_curves

COMPARED = 4
"""Arms beside the best whose classes, confusion, referral and grades are told: figure 3 g-j has four."""


@dataclass(frozen=True)
class Met:
    """A target and what was reached."""

    name: str
    wanted: float
    figure: Estimate

    @property
    def met(self) -> bool:
        """Whether the figure itself reaches it."""
        return self.figure.value >= self.wanted


@dataclass(frozen=True, eq=False)
class Evidence:
    """All figures of a run."""

    study: Study
    classes: tuple[str, ...]
    judged: tuple[Judged, ...]  # every arm and share
    differences: tuple[Difference, ...]
    referrals: tuple[Referral, ...]
    recalls: tuple[Recall, ...]
    leaks: Mapping[str, Judged]  # arm -> under the paper's protocol, which **leaks**
    seen: tuple[float, float]  # of its test rows: a copy of the photo, any photo of its group was learnt from
    curves: Mapping[str, Sequence[Epoch]]  # arm, fold -> epochs
    leak_curves: Mapping[str, Sequence[Epoch]]  # arm -> epochs

    @property
    def target(self) -> int:
        """Number of the class that is screened for."""
        return self.classes.index(self.study.images.target)

    @property
    def whole(self) -> list[Judged]:
        """The arms that learnt from all labels, the most accurate first."""
        full = [one for one in self.judged if one.said.share == 1]
        return sorted(full, key=lambda one: -one.overall["accuracy"].value)

    @property
    def best(self) -> Judged:
        """The most accurate arm on all labels and folds; picked by the very figures it is told with."""
        return best_of(self.judged)

    @property
    def shown(self) -> list[Judged]:
        """The best arm and the first of the pairs'."""
        return chosen(self.study, self.judged)

    @property
    def targets(self) -> list[Met]:
        """What the best arm reaches of the study's targets."""
        name, best, asked = self.study.images.target, self.best, self.study.targets
        return [
            Met("accuracy", asked.accuracy, best.overall["accuracy"]),
            Met(f"{name} F1", asked.f1, best.classes[name]["F1"]),
            Met(f"{name} specificity", asked.specificity, best.classes[name]["specificity"]),
        ]


def best_of(judged: Sequence[Judged]) -> Judged:
    """The most accurate arm of those that learnt from all labels and were tested on most photos."""
    whole = [one for one in judged if one.said.share == 1]
    most = max(len(one.said.truth) for one in whole)
    return max(
        (one for one in whole if len(one.said.truth) == most), key=lambda one: one.overall["accuracy"].value
    )


def chosen(study: Study, judged: Sequence[Judged]) -> list[Judged]:
    """The best arm, and the first COMPARED others that the study's pairs name, on all labels."""
    best = best_of(judged)
    known = {one.said.arm: one for one in judged if one.said.share == 1}
    named = dict.fromkeys(name for pair in study.pairs for name in pair)
    others = [known[name] for name in named if name in known and known[name] is not best]
    return [best, *others[:COMPARED]]


def compute(study: Study, out: Path, seen: Mapping[str, Seen], step: Step, resamples: int = 2000) -> Evidence:
    """All figures of a run folder.

    Args:
        study: the study.
        out: the run folder, with predictions.csv.
        seen: site and stage of the target's photos.
        step: progress.
        resamples: of each bootstrap over groups.

    Raises:
        ManifestError: a table of the run is damaged.
    """
    classes, said = read_predictions(out / "predictions.csv", study.ensembles)
    target = classes.index(study.images.target)
    judged = []
    with step("figures", len(said)) as done:
        for one in said:
            judged.append(judge(one, classes, resamples))
            done()
    told = [one.said for one in chosen(study, judged)]
    leaks, shares, leak_curves = {}, (float("nan"), float("nan")), {}
    for name in study.leak.arms if study.leak is not None else ():
        folder = folder_of(out, name)
        if (folder / "done.json").is_file():
            leaking, photo, group = read_leak(folder / FILE, name)
            leaks[name], shares = judge(leaking, classes, resamples), (photo, group)
            if (folder / "curves.csv").is_file():
                leak_curves[name] = read_curves(folder / "curves.csv")
    return Evidence(
        study,
        classes,
        tuple(judged),
        tuple(_differences(study, said, classes, target, resamples)),
        tuple(referrals(told, study.threshold, target, resamples)),
        tuple(recall for one in told for recall in recalls(one, seen, target, resamples)) if seen else (),
        leaks,
        shares,
        _curves(out, study),
        leak_curves,
    )


def _differences(
    study: Study, said: Sequence[Said], classes: tuple[str, ...], target: int, resamples: int
) -> list[Difference]:
    known = {(one.arm, one.share): one for one in said}
    found = []
    for second, first in study.pairs:
        for share in sorted({share for _, share in known}, reverse=True):
            if (first, share) in known and (second, share) in known:
                one = compare(known[first, share], known[second, share], target, classes, resamples)
                found.append(one)
    return found


def _curves(out: Path, study: Study) -> dict[str, list[Epoch]]:
    """Of every finished training on all labels."""
    found = {}
    for arm in study.arms:
        for number in range(1, study.protocol.folds * study.protocol.repeats + 1):
            folder = out / "units" / slug_of(arm.name, 1.0, number)
            if (folder / "result.npz").is_file() and (folder / "curves.csv").is_file():
                found[f"{arm.name}, fold {number}"] = read_curves(folder / "curves.csv")
    return found
