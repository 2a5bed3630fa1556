"""`poxlens pretrain simclr`: images without labels become an encoder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.options import Offline, Weights, refuse_used, weight_folders
from poxlens.errors import ManifestError, MissingExtraError, SplitError

if TYPE_CHECKING:
    from poxlens.train.contrastive.planning import Plan
    from poxlens.train.contrastive.run import Outcome
    from poxlens.train.contrastive.settings import Settings

_COLUMNS = ("dataset", "label", "condition", "patient", "group", "body_site", "stage", "skin_tone", "file")


def simclr(
    sources: Annotated[
        list[Path], typer.Argument(help="Tables of images (CSV, Parquet) and folders, as many as there are.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    network: Annotated[
        str, typer.Option("--network", help="Encoder: any name of poxlens networks, or timm:NAME.")
    ] = "mobilenet-v3-small",
    start: Annotated[
        str, typer.Option("--start", help='"random", "imagenet", or an encoder of an earlier run.')
    ] = "random",
    weights: Weights = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option("--exclude", help="Table of images that are tested later: none is learnt from."),
    ] = None,
    exclude_rows: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude-rows",
            metavar="COLUMN=VALUE,...",
            help="Rows of the sources that are tested later. Repeatable.",
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="CSV file,group of near-duplicates; a whole group is left out."),
    ] = None,
    monitor: Annotated[
        list[Path] | None,
        typer.Option("--monitor", help="Table of labelled images to watch; default: those excluded."),
    ] = None,
    watch_every: Annotated[
        int, typer.Option("--watch-every", min=0, help="Epochs between looks of the monitor; 0: none.")
    ] = 5,
    side: Annotated[int, typer.Option("--side", min=16, help="Side of a view, px.")] = 128,
    cached_side: Annotated[
        int, typer.Option("--cached-side", min=0, help="Side images are kept at; 0: a quarter more.")
    ] = 0,
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 50,
    batch: Annotated[int, typer.Option("--batch", min=2, help="Images, each seen twice.")] = 256,
    chunk: Annotated[
        int, typer.Option("--chunk", min=0, help="Images in the network at once; 0: what memory holds.")
    ] = 0,
    optimiser: Annotated[str, typer.Option("--optimiser", help="sgd, lars or adamw.")] = "sgd",
    rate: Annotated[
        float | None, typer.Option("--rate", min=0, help="Learning rate; default: the optimiser's.")
    ] = None,
    warm_up: Annotated[int, typer.Option("--warm-up", min=0, help="Epochs in which the rate rises.")] = 5,
    temperature: Annotated[float, typer.Option("--temperature", min=0.01, help="Of NT-Xent.")] = 0.5,
    smallest_crop: Annotated[
        float, typer.Option("--smallest-crop", min=0.01, max=1, help="Least share of the area in a crop.")
    ] = 0.2,
    colour: Annotated[
        float,
        typer.Option("--colour", min=0, max=2, help="Strength of the colour jitter; 1: that of Chen 2020."),
    ] = 0.5,
    precision: Annotated[
        str, typer.Option("--precision", help="fp32, bf16, fp16, or auto: the fastest here.")
    ] = "auto",
    device: Annotated[str, typer.Option("--device", help="cpu, cuda or auto.")] = "auto",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images decoded at once.")] = 2,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Train no longer; go on later with --resume.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would take on this machine, and stop.")
    ] = False,
    offline: Offline = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Pretrain a network with SimCLR on images without labels.

    Exit code 1 where an image could not be read: it is named, the rest is learnt from.
    """
    from poxlens.cli.main import FAILED, MisuseError

    refuse_used(out, "config.json", resume=resume or plan)
    for path in (*sources, *(exclude or ()), *(monitor or ()), *((groups,) if groups else ())):
        if not path.exists():
            raise MisuseError(f"{path}: no such file or folder")
    try:
        from poxlens.train.contrastive.processes import processes
        from poxlens.train.contrastive.run import Where, pretrain
        from poxlens.train.contrastive.training import Schedule
    except ModuleNotFoundError as missing:
        raise MissingExtraError("pretrain", f"poxlens pretrain simclr (it needs {missing.name})") from missing
    from poxlens.train.contrastive.pool import Asked

    conditions = tuple(_condition(text) for text in exclude_rows or ())
    asked = Asked(tuple(sources), groups, tuple(exclude or ()), conditions, tuple(monitor or ()))
    settings = _settings(
        network,
        side,
        cached_side,
        epochs,
        batch,
        optimiser,
        rate,
        warm_up,
        temperature,
        smallest_crop,
        colour,
        seed,
    )
    _check_choice("--precision", precision, ("auto", "fp32", "bf16", "fp16"))
    _check_choice("--device", device, ("auto", "cpu", "cuda"))
    folders = weight_folders(weights)
    downloads = None if offline else out / "weights"
    where = Where(out, start, folders, downloads, jobs, precision, chunk, minutes)
    with processes(device) as those:
        try:
            outcome = pretrain(
                asked,
                settings,
                where,
                those,
                Schedule(watch_every=watch_every),
                step=_steps(those.first),
                only_plan=plan,
                tell=_say if those.first else None,
                say=_note if those.first else None,
            )
        except (ManifestError, SplitError) as fault:
            raise MisuseError(str(fault)) from fault
    if not those.first:
        return
    if as_json:
        print(json.dumps(_plain(outcome.told(out))))
    else:
        _show(outcome, out)
    if outcome.pool.skipped:
        raise typer.Exit(FAILED)


def _settings(
    network: str, side: int, cached_side: int, epochs: int, batch: int, optimiser: str, rate: float | None,
    warm_up: int, temperature: float, smallest_crop: float, colour: float, seed: int,
) -> Settings:  # fmt: skip
    from poxlens.train.contrastive.settings import OPTIMISERS, RULES, Settings, ViewSettings, usual_rate

    chosen = next((one for one in OPTIMISERS if one == optimiser), None)
    _check_choice("--optimiser", optimiser, OPTIMISERS)
    assert chosen is not None
    usual = ViewSettings()
    views = ViewSettings(
        smallest=smallest_crop,
        brightness=0.8 * colour,
        contrast=0.8 * colour,
        saturation=0.8 * colour,
        hue=0.2 * colour,
        jitter=usual.jitter if colour else 0.0,
        grey=usual.grey if colour else 0.0,
    )
    return Settings(
        network=network,
        side=side,
        cached_side=cached_side or round(side * 1.25),
        epochs=epochs,
        batch=batch,
        optimiser=chosen,
        learning_rate=usual_rate(chosen, batch) if rate is None else rate,
        weight_decay=RULES[chosen].weight_decay,
        warm_up=warm_up,
        temperature=temperature,
        seed=seed,
        views=views,
    )


def _condition(text: str) -> dict[str, str]:
    from poxlens.cli.main import MisuseError

    found: dict[str, str] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or name not in _COLUMNS or not value:
            raise MisuseError(
                f"--exclude-rows {text}: write COLUMN=VALUE, such as dataset=msld,label=mpox; "
                f"columns: {', '.join(_COLUMNS)}"
            )
        found[name] = value
    return found


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    from poxlens.cli.main import MisuseError

    if value not in choices:
        raise MisuseError(f"{option} must be one of {', '.join(choices)}, not {value!r}.")


def _steps(first: bool) -> Any:
    from contextlib import contextmanager

    from poxlens.cli.time_left import long_steps

    if first:
        return long_steps()

    @contextmanager
    def silent(name: str, total: int) -> Any:
        del name, total
        yield _nothing

    return silent


def _nothing(count: int = 1) -> None:
    del count


def _say(plan: Plan) -> None:
    from poxlens.cli.time_left import duration

    told = ", ".join(f"{name} {1 / seconds:.1f}" for name, seconds in plan.tried.items())
    sys.stderr.write(
        f"Plan: {plan.images:,} images, {plan.steps} steps of {plan.batch} an epoch, {plan.epochs} epochs, about "
        f"{duration(plan.seconds)} at {plan.images_per_second:.1f} images a second ({plan.precision}; tried: {told})\n"
        f"  {plan.chunk} images in the network at once: {plan.memory / 2**30:.2f} GiB of memory, "
        f"{plan.free / 2**30:.1f} GiB free{'' if plan.memory <= plan.free else ': it will not fit'}\n"
    )


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(outcome: Outcome, out: Path) -> None:
    told = outcome.told(out)
    print(
        f"{told['images']:,} images to learn from, {told['excluded']:,} left out, {told['watched']:,} watched"
    )
    for name in ("encoder", "curve", "page"):
        if name in told:
            print(f"  {name:<8}{told[name]}")
    if outcome.training is not None and not outcome.done:
        print(f"  stopped after {told['epochs']} epochs: go on with --resume")
    for note in told.get("notes", ()):
        print(f"  note: {note}")
    for file, why in told["skipped"]:
        print(f"  skipped: {file}: {why}")


def _plain(value: Any) -> Any:
    """Without NaN, which is no JSON."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value
