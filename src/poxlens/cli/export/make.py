"""`poxlens export`: a run becomes a bundle for the phone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.export.given import Cache, Data, Groups, Jobs, Table, material_of
from poxlens.cli.options import Offline, Weights

if TYPE_CHECKING:
    from poxlens.recipes.phone.ship import Exported

RUNTIMES = ("both", "onnx", "litert")


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of poxlens train, or the bundle in it.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the bundle; all forms go to OUT-forms beside it.")
    ],
    data: Data = None,
    manifest: Table = None,
    groups: Groups = None,
    runtime: Annotated[
        str, typer.Option("--runtime", help=f"Which files are made: {', '.join(RUNTIMES)}.")
    ] = "both",
    pack: Annotated[
        str | None,
        typer.Option(
            "--pack",
            help="Forms in the bundle, as litert-w8,onnx-w8; default: of each runtime int8, or else w8 or fp16.",
        ),
    ] = None,
    calibration: Annotated[
        int, typer.Option("--calibration", min=20, help="Training images that ranges are read off.")
    ] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the choice of these images.")] = 0,
    litert_python: Annotated[
        Path | None,
        typer.Option(
            "--litert-python", help="Python with the LiteRT tools; default: as docs/export.md says."
        ),
    ] = None,
    weights: Weights = None,
    cache: Cache = None,
    jobs: Jobs = 2,
    offline: Offline = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make every form of a run's graph, prove each against 32-bit floats, and pack those that pass.

    ONNX: fp32, fp16, w8, int8. LiteRT: fp32, fp16, w8, dynamic, int8. `poxlens export check BUNDLE` proves them again.
    """
    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import steps

    if runtime not in RUNTIMES:
        raise MisuseError(f"--runtime must be one of {', '.join(RUNTIMES)}, not {runtime!r}.")
    material = None
    try:
        from poxlens.export.forms import KINDS
        from poxlens.export.litert import find_tools
        from poxlens.recipes.phone.ship import Choices
        from poxlens.recipes.phone.ship import export as make
    except ModuleNotFoundError as missing:
        from poxlens.errors import MissingExtraError

        raise MissingExtraError("export", f"poxlens export (it needs {missing.name})") from missing
    kinds = tuple(kind for kind in KINDS if runtime in ("both", kind[0]))
    packed = None
    if pack is not None:
        known = {"-".join(kind): kind for kind in kinds}
        unknown = [name for name in pack.split(",") if name not in known]
        if unknown:
            raise MisuseError(f"--pack: {unknown[0]!r} is none of {', '.join(known)}.")
        packed = tuple(dict.fromkeys(known[name] for name in pack.split(",")))
    # Before the images are read: what is missing should not show after minutes.
    python = find_tools(litert_python) if runtime != "onnx" else None
    material = material_of(run, data, manifest, groups, weights, cache, jobs=jobs, offline=offline)
    choices = Choices(kinds, packed, calibration, seed, python)
    _show(make(material, out, choices, steps()), as_json=as_json)


def _show(made: Exported, *, as_json: bool) -> None:
    from poxlens.export.forms import name_of
    from poxlens.recipes.phone.check import told

    packed = {model.file for model in made.bundle.manifest.models}
    if as_json:
        shown = {
            "bundle": str(made.bundle.source),
            "digest": made.bundle.digest,
            "forms": str(made.forms),
            "packed": sorted(packed),
            "parity": {name_of(kind): told(parity) for kind, parity in made.parity.items()},
            "bytes": {name_of(kind): size for kind, size in made.sizes.items()},
        }
        print(json.dumps(shown))
        return
    print(f"Bundle {made.bundle.label} in {made.bundle.source}")
    for kind, parity in made.parity.items():
        name = name_of(kind)
        state = "in the bundle" if name in packed else ("passes" if parity.met else "misses")
        print(f"  {name:<22}{made.sizes[kind] / 1e6:7.2f} MB  {state}")
        for line in parity.missed:
            print(f"      {line}")
    print(f"All forms: {made.forms}; what was tested: {made.bundle.source}/MODEL_CARD.md")
