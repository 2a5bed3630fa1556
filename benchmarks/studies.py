"""The studies of results/: kept small, each step's gain computed, and the tables that docs/studies.md shows.

    python -m benchmarks.studies keep runs/msld results/msld     what of a run folder belongs into the repository
    python -m benchmarks.studies gains                           results/*/gains.json, from the predictions
    python -m benchmarks.studies                                 the tables of docs/studies.md

Tables are made of results/*/metrics.json, which `poxlens report` computed from the predictions, and of gains.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.study_steps import CASES, Case
from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.paper import OURS, TABLE_2, TABLE_3
from poxlens.evaluate.repeated import difference
from poxlens.files import write_atomically
from poxlens.recipes.compare.report.pooled import STATISTICS, each
from poxlens.recipes.compare.report.reading import Model, Tested, read_tested

RESULTS = Path(__file__).resolve().parents[1] / "results"
RESAMPLES = 2000
_PACKED = ("predictions.csv", "learning.csv", "leave_one_out.csv")
_PLAIN = ("study.json", "splits.json", "times.json")
_LARGEST = 2_500_000  # bytes of a page; `poxlens report` makes a larger one again
_FIGURES = ("confusion", "roc", "learning-curve", "reliability", "decision-curve")

Figures = dict[str, dict[str, Any]]
"""Figure -> value, low, high, as metrics.json has them."""


def keep(run: Path, target: Path) -> list[Path]:
    """Copy what is small and holds no image: tables packed, metrics, the report's tables and some figures.

    Args:
        run: run folder with a report.
        target: folder of the study in results/; other files there stay.

    Returns:
        The files written.
    """
    written = []
    for name in _PACKED:
        if (run / name).is_file():
            packed = gzip.compress((run / name).read_bytes(), mtime=0)
            write_atomically(target / f"{name}.gz", packed)
            written.append(target / f"{name}.gz")
    report = run / "report"
    if (report / "metrics.json").is_file():  # without the blanks, half as large
        told = json.loads((report / "metrics.json").read_text("utf-8"))
        write_atomically(target / "metrics.json", json.dumps(told, separators=(",", ":")) + "\n")
        written.append(target / "metrics.json")
    chosen = [run / name for name in _PLAIN] + [report / "tables" / "all.md"]
    chosen += [report / "figures" / f"{name}.svg" for name in _FIGURES]
    if (report / "report.html").is_file() and (report / "report.html").stat().st_size < _LARGEST:
        chosen.append(report / "report.html")
    for path in chosen:
        if path.is_file():
            name = "tables.md" if path.name == "all.md" else path.name
            shutil.copyfile(path, target / name)
            written.append(target / name)
    return written


def predictions(name: str) -> Tested:
    """The predictions of a study, unpacked and checked."""
    study = json.loads((RESULTS / name / "study.json").read_text("utf-8"))["study"]
    return read_tested(RESULTS / name / "predictions.csv", study["images"]["target"])


def model_of(tested: Tested, name: str) -> Model:
    """The model of a name such as "efficientnet-lite0 svm+views".

    Raises:
        KeyError: the study has no such model.
    """
    found = tested.of(*name.split(" "))
    if found is None:
        raise KeyError(f"no model {name} among the predictions")
    return found


def gains(case: Case, tested: Tested) -> list[dict[str, Any]]:
    """What each step of a study adds, on the same images and draws, with intervals over groups."""
    found = []
    for step in case.steps:
        after, before = model_of(tested, step.after), model_of(tested, step.before)
        told = {
            figure: difference(
                each(tested, after, STATISTICS[figure]), each(tested, before, STATISTICS[figure])
            )
            for figure in case.figures
        }
        estimates = estimate(told, tested.group, resamples=RESAMPLES, seed=0)
        found.append(
            {
                "step": step.name,
                "after": step.after,
                "before": step.before,
                "gains": {
                    figure: {end: round(float(getattr(one, end)), 6) for end in ("value", "low", "high")}
                    for figure, one in estimates.items()
                },
            }
        )
    return found


def tables(name: str) -> str:
    """The Markdown tables of a study."""
    case, told = CASES[name], json.loads((RESULTS / name / "metrics.json").read_text("utf-8"))
    known = {f"{one['network']} {one['setting']}": one for one in told["models"]}
    parts = [_targets(case, known), _models(case, known) + _probe(case, name)]
    if case.paper:
        parts.append(_paper(case, known))
    parts += [_gains(case, name), _left_out(case, told), _learning(case, told)]
    return "\n\n".join(part for part in parts if part)


def _targets(case: Case, known: dict[str, Any]) -> str:
    if not case.targets:
        return ""
    lines = ["| target | model | value | 95 % interval | met |", "|---|---|---|---|---|"]
    for target in case.targets:
        one = known[target.model]["figures"][target.figure]
        behind = target.at_least - one["value"]
        met = "yes" if behind <= 0 else f"no, by {behind:.3f}"
        lines.append(
            f"| {target.figure} at least {target.at_least:g} | {target.model} | {one['value']:.3f} |"
            f" {_ends(one)} | {met} |"
        )
    return "\n".join(lines)


def _models(case: Case, known: dict[str, Any]) -> str:
    lines = [
        "| network | setting | " + " | ".join(case.figures) + " |",
        "|---|---|" + "---|" * len(case.figures),
    ]
    for network in case.networks:
        for setting in case.settings:
            one = known.get(f"{network} {setting}")
            if one:
                lines.append(f"| {network} | {setting} | {_cells(case, one['figures'])} |")
    return "\n".join(lines)


def _probe(case: Case, name: str) -> str:
    """A last row of the models: benchmarks/mcsi_like_probe.py."""
    path = RESULTS / name / "probe.json"
    if not path.is_file():
        return ""
    told = json.loads(path.read_text("utf-8"))
    return f"\n| no network | {', '.join(told['families'])} alone | {_cells(case, told['figures'])} |"


def _paper(case: Case, known: dict[str, Any]) -> str:
    """Means and standard deviations over folds beside the paper's, column by column of the same meaning."""
    columns, rows = case.paper, TABLE_2 if case.binary else TABLE_3
    lines = ["| | network | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for row in rows:
        name = OURS[row.network] + (" dense+augmentation" if row.augmentation else " dense")
        values = (row.accuracy, row.sensitivity, row.specificity, row.f1)
        if case.binary:
            values = values[:3]  # its micro F1 is its accuracy
        cells = " | ".join(f"{mean:.3f} ({sd:.3f})" for mean, sd in values)
        lines.append(f"| paper, on MCSI | {name} | {cells} |")
    for network in case.networks:
        for setting in ("dense", "dense+augmentation"):
            folds = known[f"{network} {setting}"]["folds"]
            cells = " | ".join(f"{folds[one]['mean']:.3f} ({folds[one]['sd']:.3f})" for one in columns)
            lines.append(f"| here | {network} {setting} | {cells} |")
    return "\n".join(lines)


def _gains(case: Case, name: str) -> str:
    path = RESULTS / name / "gains.json"
    if not case.steps or not path.is_file():
        return ""
    lines = ["| step | " + " | ".join(case.figures) + " |", "|---|" + "---|" * len(case.figures)]
    for one in json.loads(path.read_text("utf-8")):
        cells = " | ".join(
            f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
            for gain in one["gains"].values()
        )
        lines.append(f"| {one['step']} | {cells} |")
    return "\n".join(lines)


def _left_out(case: Case, told: dict[str, Any]) -> str:
    return _series(
        case,
        "leave-one-out",
        ((f"{one['network']} {one['setting']}", one["way"], one["figures"]) for one in told["leave_one_out"]),
    )


def _learning(case: Case, told: dict[str, Any]) -> str:
    return _series(
        case,
        "images learnt from and chosen on",
        ((f"{one['network']} {one['setting']}", one["images"], one["figures"]) for one in told["learning"]),
    )


def _series(case: Case, head: str, rows: Iterator[tuple[str, object, Figures]]) -> str:
    told = [f"| {model} | {value} | {_cells(case, figures)} |" for model, value, figures in rows]
    if not told:
        return ""
    columns = [
        f"| model | {head} | " + " | ".join(case.figures) + " |",
        "|---|---|" + "---|" * len(case.figures),
    ]
    return "\n".join([*columns, *told])


def _cells(case: Case, figures: Figures) -> str:
    return " | ".join(f"{figures[name]['value']:.3f} ({_ends(figures[name])})" for name in case.figures)


def _ends(one: dict[str, Any]) -> str:
    return f"{one['low']:.3f} to {one['high']:.3f}"


def _each(names: Sequence[str], do: Callable[[str], None]) -> None:
    for name in names or [name for name in CASES if (RESULTS / name / "metrics.json").is_file()]:
        do(name)


def _write_gains(name: str) -> None:
    found = gains(CASES[name], predictions(name))
    write_atomically(RESULTS / name / "gains.json", json.dumps(found, indent=1) + "\n")


def main(words: list[str] | None = None) -> int:
    """Keep a run, compute the gains, or print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb")
    keeping = verbs.add_parser("keep")
    keeping.add_argument("run", type=Path)
    keeping.add_argument("target", type=Path)
    verbs.add_parser("gains").add_argument("names", nargs="*", choices=[*CASES, []])
    told = parser.parse_args(words)
    if told.verb == "keep":
        print("\n".join(map(str, keep(told.run, told.target))))
    elif told.verb == "gains":
        _each(told.names, _write_gains)
    else:
        _each([], lambda name: print(f"## {name}\n\n{tables(name)}\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
