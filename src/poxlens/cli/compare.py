"""`poxlens compare`: networks and heads on one table of images, under one protocol."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.options import Cache, Offline, Resume, Weights, WhereAsJson, refuse_used, weight_folders
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.recipes.compare.plan import Plan
    from poxlens.recipes.compare.run import Done

ENGINES = ("local", "ray")


def compare(
    study: Annotated[
        Path, typer.Argument(help="The study: a TOML file; docs/compare.md says what is in it.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    weights: Weights = None,
    cache: Cache = None,
    resume: Resume = False,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Learn from fewer images too: learning.csv.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what it will take: units, time, memory.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Units worked on at once.")] = 2,
    engine: Annotated[str, typer.Option("--engine", help=f"One of: {', '.join(ENGINES)}.")] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Address of a Ray cluster, with --engine ray.")
    ] = None,
    offline: Offline = False,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Leave the report to be made later, by poxlens report.")
    ] = False,
    as_json: WhereAsJson = False,
) -> None:
    """Compare networks and heads: cross-validation, tuning, predictions of every image."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.time_left import long_steps

    if engine not in ENGINES:
        raise MisuseError(f"--engine must be one of {', '.join(ENGINES)}, not {engine!r}.")
    if address and engine != "ray":
        raise MisuseError("--address is of a Ray cluster: add --engine ray.")
    refuse_used(out, "units", resume=resume or plan)
    try:
        from poxlens.recipes.compare.plan import plan as make_plan
        from poxlens.recipes.compare.run import Where
        from poxlens.recipes.compare.run import compare as run
        from poxlens.recipes.compare.study import StudyError, read_study
        from poxlens.recipes.compare.units import settings
        from poxlens.recipes.compare.work import Hands
    except ModuleNotFoundError as missing:
        raise MissingExtraError("study", f"poxlens compare (it needs {missing.name})") from missing
    try:
        asked = read_study(study)
    except StudyError as fault:
        raise MisuseError(str(fault)) from fault
    where = Where(
        out=out,
        base=study.parent,
        weights=weight_folders(weights),
        downloads=None if offline else out / "weights",
        cache=cache,
        hands=Hands(jobs, "ray" if engine == "ray" else "local", address),
    )
    slow = any(setting.head == "finetune" for setting in settings(asked))
    if plan or (slow and not resume):  # hours may lie ahead: say so before they begin
        found = make_plan(asked, where, learning_curve=learning_curve)
        if plan and as_json:
            print(json.dumps({**asdict(found), "seconds": found.seconds}))
        else:
            print("\n".join(_plan_lines(found)), file=sys.stdout if plan else sys.stderr)
        if plan:
            return
    done = run(asked, where, step=long_steps(), learning_curve=learning_curve)
    report = "" if no_report else _report(out)
    _show(done, report, as_json=as_json)
    if done.failed or done.skipped:
        raise typer.Exit(1)


def _plan_lines(plan: Plan) -> list[str]:
    from poxlens.cli.time_left import duration

    counts = ", ".join(f"{count} {name}" for name, count in plan.images.items())
    lines = [
        f"{sum(plan.images.values())} images ({counts}), {plan.groups} groups tested, {plan.folds} folds"
    ]
    for what, steps in (("images", plan.features), ("units", plan.units)):
        lines += [
            f"  {step.name}: {step.count} {what}, about {duration(step.seconds / plan.jobs)}"
            for step in steps
        ]
    lines.append(
        f"about {duration(plan.seconds)} with {plan.jobs} at once, and up to {plan.memory_gib:.1f} GiB of memory;"
        " what an earlier run has finished is not taken off"
    )
    return lines


def _report(out: Path) -> str:
    """Make the report; where its page is."""
    from poxlens.cli.progress import steps
    from poxlens.recipes.compare.report.write import write_report

    return str(write_report(out, step=steps()).folder / "report.html")


def _show(done: Done, report: str, *, as_json: bool) -> None:
    if as_json:
        told = {
            "out": str(done.out),
            "predictions": str(done.out / "predictions.csv"),
            "tables": [str(path) for path in done.tables],
            "report": report or None,
            "units": done.units,
            "failed": done.failed,
            "skipped": [list(one) for one in done.skipped],
        }
        print(json.dumps(told))
        return
    print(f"{done.units} units are done: {', '.join(str(path) for path in done.tables)}")
    if report:
        print(f"Report: {report}")
    for name, why in done.failed.items():
        print(f"  failed: {name}: {why}")
    for file, why in done.skipped:
        print(f"  left out: {file}: {why}")
