"""`poxlens aism`: whole networks trained on the eight classes of Mpox-AISM, without leak, and judged."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.options import Cache, Offline, Resume, Weights, WhereAsJson, refuse_used, weight_folders
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.recipes.aism.plan import Plan
    from poxlens.recipes.aism.verb import Told


def aism(
    study: Annotated[Path, typer.Argument(help="The study: a TOML file; docs/aism.md says what is in it.")],
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    weights: Weights = None,
    cache: Cache = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Only say what it will take on this machine: time, memory, what is skipped."
        ),
    ] = False,
    resume: Resume = False,
    arm: Annotated[
        list[str] | None, typer.Option("--arm", help="Train only this arm; as often as needed.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Train no longer; go on later with --resume.")
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help='"auto" (a GPU where there is one), "cpu", "cuda:1" ...')
    ] = "auto",
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Also write event files for TensorBoard, a folder a training."),
    ] = False,
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Also a local page with Grad-CAM on photos of every class.")
    ] = False,
    gallery_arm: Annotated[
        str, typer.Option("--gallery-arm", help="Whose; default: the first that is finished.")
    ] = "",
    no_frozen: Annotated[
        bool, typer.Option("--no-frozen", help="Leave the comparison of frozen networks out.")
    ] = False,
    no_leak: Annotated[
        bool, typer.Option("--no-leak", help="Leave the paper's leaking protocol out.")
    ] = False,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Leave figures and page out, as while a run goes on in pieces."),
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images read at once.")] = 2,
    offline: Offline = False,
    as_json: WhereAsJson = False,
) -> None:
    """Train networks end to end on a study's classes in group-disjoint folds, and tell how good they are."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.time_left import long_steps

    refuse_used(out, "study.json", resume=resume or plan)
    try:
        from poxlens.recipes.aism.plan import plan as make_plan
        from poxlens.recipes.aism.study import StudyError, read_study
        from poxlens.recipes.aism.verb import Asked, run
        from poxlens.recipes.default import Where, silent
        from poxlens.train.supervised.parallel import ranks
    except ModuleNotFoundError as missing:
        raise MissingExtraError("study", f"poxlens aism (it needs {missing.name})") from missing
    try:
        asked = read_study(study)
    except StudyError as fault:
        raise MisuseError(str(fault)) from fault
    names = tuple(arm or ())
    unknown = sorted(set(names) - {one.name for one in asked.arms})
    if unknown:
        raise MisuseError(f'--arm: {study} has no arm "{unknown[0]}"')
    where = Where(
        out=out,
        weights=weight_folders(weights),
        cache=cache,
        downloads=None if offline else out / "weights",
        workers=jobs,
    )
    with ranks(device) as processes:
        if plan:
            found = make_plan(
                asked,
                where,
                study.parent,
                processes.device,
                arms=names,
                leak=not no_leak,
                step=long_steps() if processes.first else silent,
            )
            if processes.first:
                _show_plan(found, None if no_frozen else asked.frozen, as_json=as_json)
            return
        told = run(
            asked,
            where,
            study.parent,
            Asked(
                names,
                math.inf if minutes is None else minutes,
                log=tensorboard,
                frozen=not no_frozen,
                leak=not no_leak,
                report=not no_report,
            ),
            processes,
            gallery=gallery_arm if gallery or gallery_arm else None,
            step=long_steps() if processes.first else silent,
            say=_say if processes.first else lambda _: None,
        )
        first = processes.first
    if first:
        _show(told, as_json=as_json)
    if told.failed:
        raise typer.Exit(1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show_plan(plan: Plan, frozen: Path | None, *, as_json: bool) -> None:
    from poxlens.cli.time_left import duration

    if as_json:
        print(json.dumps(plan.to_json()))
        return
    counts = ", ".join(f"{count} {name}" for name, count in plan.images.items())
    print(f"{sum(plan.images.values())} images ({counts}), {plan.groups} groups, {plan.folds} folds")
    print(f"{plan.device}, {plan.memory_gib:.1f} GiB of memory free")
    for line in plan.lines:
        size = f"{line.network}, {line.parameters / 1e6:.1f} M parameters, {line.side} px"
        if line.skipped:
            print(f"  {line.arm} ({size}): SKIPPED, {line.skipped}")
        else:
            trainings = f"{line.trainings} training{'s' * (line.trainings != 1)}"
            parts = f", {line.part} images at once" if line.part else ""
            fetched = f"; {line.download} is downloaded first" if line.download else ""
            print(
                f"  {line.arm} ({size}): {trainings}, about {duration(line.seconds)}, "
                f"{line.memory_gib:.1f} GiB{parts}{fetched}"
            )
    print(f"about {duration(plan.seconds)} in all; what an earlier run has finished is not taken off")
    if frozen:
        print(f"  the comparison of frozen networks in {frozen} is not counted")


def _show(told: Told, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told.to_json()))
        return
    print(f"{told.finished} trainings are done")
    for name, path in told.files.items():
        print(f"  {name}: {path}")
    if told.waiting:
        print(f"  {len(told.waiting)} are not: go on with --resume (next: {told.waiting[0]})")
    for what, why in told.failed.items():
        print(f"  failed: {what}: {why}")
    for file, why in told.skipped:
        print(f"  left out: {file}: {why}")
