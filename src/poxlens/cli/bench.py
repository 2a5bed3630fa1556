"""`poxlens bench`: what each form of a bundle weighs and takes."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from poxlens.export.latency import Form


def bench(
    bundles: Annotated[
        list[Path],
        typer.Argument(metavar="BUNDLE...", help="Bundle folders; the forms beside them are timed too."),
    ],
    runs: Annotated[int, typer.Option("--runs", min=50, help="Rounds.")] = 100,
    threads: Annotated[str, typer.Option("--threads", help="Threads within one call, as 1,2.")] = "1,2",
    html: Annotated[Path | None, typer.Option("--html", help="Write the page there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Time every form of one or several bundles, in turns: median, 95th percentile, load, memory, size.

    One photo a call. ONNX Runtime, and LiteRT where it is installed. Beside the times stands what the paper published.
    """
    from tempfile import TemporaryDirectory

    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import bars
    from poxlens.export.bench_page import HEADS, page, rows_of
    from poxlens.export.bench_page import as_json as told
    from poxlens.export.latency import measure
    from poxlens.files import write_atomically

    try:
        counts = tuple(dict.fromkeys(int(part) for part in threads.split(",")))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1:
        raise MisuseError(f"--threads must be numbers of threads, as 1,2, not {threads!r}.")
    with TemporaryDirectory(prefix="poxlens-bench-") as folder, bars() as begin:
        forms, left_out = _forms(bundles, Path(folder))
        done = begin("rounds", runs * len(counts))
        timings = measure(forms, counts, runs, advance=done)
    machine = _machine()
    if html is not None:
        write_atomically(html, page(timings, machine))
    if as_json:
        print(json.dumps({**told(timings, machine), "left_out": left_out}))
        return
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    for line in _columns([list(HEADS), *rows_of(timings)]):
        print(line)
    for name in left_out:
        print(f'not timed: {name}: LiteRT is not installed; pip install "poxlens[litert]"')
    if html is not None:
        print(f"Page: {html}")


def _forms(bundles: list[Path], folder: Path) -> tuple[list[Form], list[str]]:
    """The forms of the bundles and of the folders beside them, those in a .zip laid out in `folder`."""
    from poxlens.bundle.store import load
    from poxlens.export.latency import Form
    from poxlens.screen.engine import installed

    forms: list[Form] = []
    left_out: list[str] = []
    for number, path in enumerate(bundles):
        bundle = load(path)
        beside = path.with_name(f"{path.name}-forms")
        recorded = _recorded(beside)
        models: dict[str, tuple[Any, str]] = {
            model.file: (model.runtime, model.precision) for model in bundle.manifest.models
        }
        models |= {name: kind for name, kind in recorded.items() if name not in models}
        for file, (runtime, precision) in models.items():
            if runtime == "litert" and not installed():
                left_out.append(file)
                continue
            place = beside / file
            if not place.is_file():
                place = folder / f"{number}-{Path(file).name}"
                place.write_bytes(bundle.read(file))
            forms.append(
                Form(
                    bundle.name,
                    runtime,
                    precision,
                    place,
                    bundle.manifest.input.size,
                    _accuracy(beside, file),
                )
            )
    return forms, left_out


def _recorded(beside: Path) -> dict[str, tuple[Any, str]]:
    return {name: (one["runtime"], one["precision"]) for name, one in _record(beside).items()}


def _accuracy(beside: Path, file: str) -> float | None:
    try:
        return float(_record(beside)[file]["parity"]["figures"]["all"]["accuracy"]["after"])
    except (KeyError, TypeError):
        return None


def _record(beside: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((beside / "export.json").read_text("utf-8"))["forms"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def _machine() -> dict[str, object]:
    from poxlens.screen.background import available_cores

    found: dict[str, object] = {
        "cores": available_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    for package in ("onnxruntime", "ai-edge-litert"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
