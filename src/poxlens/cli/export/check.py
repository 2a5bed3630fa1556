"""`poxlens export check`: the forms of a bundle against 32-bit floats, once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.export.given import Cache, Data, Groups, Jobs, Table, material_of
from poxlens.cli.options import Offline, Weights

if TYPE_CHECKING:
    from poxlens.export.forms import Kind
    from poxlens.export.parity import Parity

_LISTED = 20  # changed decisions shown on the terminal


def check(
    bundle: Annotated[
        Path, typer.Argument(help="Bundle of poxlens export; its other forms are in BUNDLE-forms.")
    ],
    run: Annotated[Path, typer.Option("--run", help="The run that it was made from.")],
    data: Data = None,
    manifest: Table = None,
    groups: Groups = None,
    weights: Weights = None,
    cache: Cache = None,
    jobs: Jobs = 2,
    offline: Offline = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Test every form on the test part of every fold; exit code 1 when one in the bundle misses a limit."""
    from poxlens.cli.main import FAILED
    from poxlens.cli.progress import steps
    from poxlens.errors import MissingExtraError

    try:
        from poxlens.export.forms import name_of
        from poxlens.recipes.phone.check import check_forms, told
        from poxlens.recipes.phone.ship import forms_folder
        from poxlens.recipes.phone.written import read_written
    except ModuleNotFoundError as missing:
        raise MissingExtraError("export", f"poxlens export check (it needs {missing.name})") from missing
    written = read_written(bundle, forms_folder(bundle))
    material = material_of(run, data, manifest, groups, weights, cache, jobs=jobs, offline=offline)
    parity = check_forms(material, written.forms, written.calibrated(material.file), steps())
    wrong = [kind for kind in parity if name_of(kind) in written.packed and not parity[kind].met]
    if as_json:
        print(json.dumps({name_of(kind): told(one) for kind, one in parity.items()}))
    else:
        for kind, one in parity.items():
            print("\n".join(_lines(kind, one, packed=name_of(kind) in written.packed)))
    if wrong:
        raise typer.Exit(FAILED)


def _lines(kind: Kind, parity: Parity, *, packed: bool) -> list[str]:
    from poxlens.export.forms import name_of

    lines = [
        f"{name_of(kind)}{' (in the bundle)' if packed else ''}: {'meets the limits' if parity.met else 'MISSES'}",
        f"  {parity.n} images; probability changes by {parity.mean_change:.4f} on average, {parity.largest_change:.3f} "
        f"at most; {parity.classes_changed:.2%} of classes, {parity.decisions_changed:.2%} of decisions change",
        f"  heat maps correlate with {parity.heatmap_median:.4f} (median; 5 %: {parity.heatmap_fifth:.4f}), novelty "
        f"ranks with {parity.novelty_rank:.4f}",
    ]
    for group, changes in parity.figures.items():
        told = [
            f"{name} {change.before:.3f} to {change.after:.3f} "
            f"({change.low * 100:+.2f} to {change.high * 100:+.2f} points)"
            for name, change in changes.items()
        ]
        lines.append(f"  {group}: {', '.join(told)}")
    lines += [f"  missed: {reason}" for reason in parity.missed]
    lines += [
        f"    {one.file}: {one.before} to {one.after} ({one.probability_before:.3f} to {one.probability_after:.3f})"
        for one in parity.moved[:_LISTED]
    ]
    if len(parity.moved) > _LISTED:
        lines.append(f"    and {len(parity.moved) - _LISTED} more: --json lists all")
    return lines
