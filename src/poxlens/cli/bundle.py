"""`poxlens bundle show|verify`: what a bundle is and on what it stands; whether it can be trusted here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.output import BOLD, block, json_line, paint, write

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Interval, Manifest, OperatingPoint
    from poxlens.bundle.store import Bundle

bundle = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Show or verify a bundle.",
)

Where = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", show_default=False, help="folder or .zip; without it the embedded bundle"),
]


@bundle.command()
def show(
    path: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="print it as one JSON object")] = False,
) -> None:
    """Print a bundle's card.

    Classes, operating points and figures with their intervals, calibration, gate, limits, licence, files.
    """
    from poxlens.bundle.fields import plain
    from poxlens.bundle.store import load

    found = load(path)
    if as_json:
        write(json_line({"path": str(found.source), "digest": found.digest, **plain(found.manifest)}) + "\n")
    else:
        write(card(found))


@bundle.command()
def verify(path: Where = None) -> None:
    """Check every file and every number.

    Format, schema, sizes and SHA-256 of all files, golden examples of every model whose runtime is installed.
    Exit code 1 when the bundle is refused.
    """
    from poxlens.bundle.store import load
    from poxlens.screen.engine import Engine, installed

    found = load(path)
    manifest = found.manifest
    size = sum(file.bytes for file in manifest.files)
    write(f"{found.label}\n")
    write(f"  ok  {manifest.format}, every field as the schema says\n")
    write(f"  ok  {len(manifest.files)} files, {size / 1e6:.1f} MB, sizes and SHA-256\n")
    for model in manifest.models:
        if model.runtime == "litert" and not installed():
            write(f"  --  {model.file}: not run, LiteRT is not installed\n")
            continue
        engine = Engine(found, model=model)
        count = len(manifest.golden)
        write(
            f"  ok  {model.file}: {count} golden example{'s' * (count > 1)}, largest difference "
            f"{engine.golden_difference:.2g} of {model.golden_tolerance:.2g} allowed\n"
        )


def card(found: Bundle) -> str:
    """A bundle as text for a person."""
    manifest = found.manifest
    sections = [
        paint(f"{manifest.name} {manifest.version}", BOLD),
        f"  {manifest.format}, sha256 {found.digest}",
        block(manifest.intended_use, "  "),
        _titled(
            "Classes", [f"{name}{' (screened for)' * (name == manifest.target)}" for name in manifest.classes]
        ),
        _titled("Operating points, out of fold, with 95 % intervals", _points(manifest)),
        _titled("Calibration and prediction sets", _calibration(manifest)),
        _titled("Gate", _gate(manifest)),
        _titled("Evidence", _evidence(manifest)),
        _titled("Limits", manifest.limits),
        _titled("Licence", [manifest.licence]),
        _titled("Files", [f"{file.bytes:>10}  {file.sha256[:16]}  {file.path}" for file in manifest.files]),
    ]
    return "\n".join(sections) + "\n"


def interval(found: Interval) -> str:
    """A figure as text, such as `0.951 (0.930 to 0.968, n = 412)`."""
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}, n = {found.n})"


def _titled(title: str, lines: list[str]) -> str:
    return "\n".join(
        ["", paint(title, BOLD), *(line if "  " in line else block(line, "  ") for line in lines)]
    )


def _points(manifest: Manifest) -> list[str]:
    def lines(name: str, point: OperatingPoint, compare: str) -> list[str]:
        return [
            f"{name}: probability of {point.class_} {compare} {point.threshold:.4f}",
            f"    sensitivity  {interval(point.sensitivity)}",
            f"    specificity  {interval(point.specificity)}",
        ]

    return [
        *lines("Rule in", manifest.rule_in, "at or above"),
        *lines("Rule out", manifest.rule_out, "below"),
    ]


def _calibration(manifest: Manifest) -> list[str]:
    used = manifest.calibration
    quantiles = [
        f"    {c}  {manifest.conformal[c].quantile:.3f} (n = {manifest.conformal[c].n})"
        for c in manifest.classes
    ]
    return [
        f"Temperature {used.temperature:.3f}; expected calibration error {used.ece_before:.3f} before, "
        f"{used.ece_after:.3f} after (n = {used.n})",
        f"Conformal quantiles at alpha = {manifest.conformal_alpha:g}:",
        *quantiles,
    ]


def _gate(manifest: Manifest) -> list[str]:
    from dataclasses import asdict

    gate = manifest.gate
    quality = [f"    {name.replace('_', ' ')}  {value:g}" for name, value in asdict(gate.quality).items()]
    return [
        f"Refused above novelty {gate.novelty_limit:.4g}",
        f"Not suspected only when the most probable class has {gate.top_probability:g} or more",
        "Photo quality:",
        *quality,
    ]


def _evidence(manifest: Manifest) -> list[str]:
    from poxlens.bundle.headline import headline

    told = headline(manifest)
    figures = [f"    {f.name}, {f.group}:  {interval(f.interval)}" for f in told]
    rest = len(manifest.evidence.figures) - len(told)
    more = (
        [f"{rest} more figures, by class, source and shortcut, are in MODEL_CARD.md and --json."]
        if rest
        else []
    )
    return [manifest.evidence.protocol, f"Data table sha256 {manifest.evidence.data_sha256}", *figures, *more]
