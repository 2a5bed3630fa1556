"""`poxlens explain`: what in a photo an answer rests on, and whether such maps deserve trust."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.explain_checks import listed_photos, run_checks
from poxlens.cli.explain_examples import draw_examples, keep_private
from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.output import write
from poxlens.cli.photos import photos as photos_below
from poxlens.cli.progress import steps
from poxlens.files import write_atomically

if TYPE_CHECKING:
    from poxlens.explain.photos import Explained


def explain(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[PHOTO|FOLDER]...", help="Photos to explain.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for pictures and page.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Another bundle (folder or .zip) than the embedded one.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="graph (the map that the bundle gives), gradcam, gradcam++, layercam, "
            "integrated-gradients or occlusion.",
        ),
    ] = "graph",
    class_: Annotated[
        str | None,
        typer.Option(
            "--class", help='A class of the bundle, or "top" for the most probable. Default: its target.'
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run", help="A run of train or compare: right and wrong examples of each class, with maps."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="With --run: the table of images that the run was made from."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help='With --run of compare: "NETWORK SETTING". Default: the most accurate.'),
    ] = None,
    each: Annotated[
        int, typer.Option("--each", min=1, max=50, help="With --run: right and wrong examples of each class.")
    ] = 3,
    check: Annotated[
        bool, typer.Option("--check", help="Check on phantoms whether the bundle's maps deserve trust.")
    ] = False,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos", help="Count unstable maps on a folder or a table of images; beside --check or alone."
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="Of the table, only this data set. Repeatable.")
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="A list file,group of near-duplicates of the table's images."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Draw what in photos an answer rests on, or check a bundle's maps."""
    if out is None:
        raise MisuseError("explain: --out FOLDER is missing: where the pictures and the page are written")
    if out.exists() and not out.is_dir():
        raise MisuseError(f"explain: --out {out}: is not a folder")
    whole = check or photos is not None
    if whole + bool(sources) + (run is not None) != 1:
        raise MisuseError(
            "explain: name photos, or --check or --photos, or --run; see: poxlens explain --help"
        )
    if (run is None) != (data is None) or (model and run is None):
        raise MisuseError("explain: --run RUN and --data TABLE go together, and --model with them")
    if (dataset or groups) and photos is None:
        raise MisuseError("explain: --dataset and --groups need --photos TABLE")
    if bundle is not None and not bundle.exists():
        raise MisuseError(f"explain: --bundle {bundle}: no such folder or file")
    if whole:
        if method != "graph" or class_:
            raise MisuseError(
                "explain: --check and --photos are of the map that the bundle gives for its target"
            )
        listed = listed_photos(photos, dataset or [], groups)
        failed = run_checks(bundle, out, listed, phantoms=check, as_json=as_json)
    elif run is not None and data is not None:
        if class_:
            raise MisuseError(
                "explain: --run draws the map of the class that was predicted; leave --class out"
            )
        failed = draw_examples(run, data, out, bundle, method, model, each, as_json=as_json)
    else:
        failed = _photos(sources or [], bundle, out, method, class_, as_json=as_json)
    if failed:
        raise typer.Exit(FAILED)


def _photos(
    sources: Sequence[str], bundle: Path | None, out: Path, method: str, class_: str | None, *, as_json: bool
) -> bool:
    from poxlens.explain.page import photos_page
    from poxlens.explain.photos import Explainer
    from poxlens.screen.screener import Screener

    screener = Screener(bundle)
    explainer = Explainer(screener, method, class_)
    faults: list[str] = []
    paths = [Path(str(one)) for one in photos_below(tuple(sources), faults.append) if isinstance(one, Path)]
    found: list[Explained] = []
    with steps()("explaining photos", len(paths)) as done:
        for path in paths:
            found.append(explainer.explain(path))
            done(1)
    for fault in faults:
        write(f"poxlens: {fault}\n", sys.stderr)
    keep_private(out)
    names = _written(found, out, method)
    write_atomically(out / "index.html", photos_page(found, screener.bundle.label, method))
    told = [
        {**one.to_json(), "method": method, "picture": name} for one, name in zip(found, names, strict=True)
    ]
    if as_json:
        write(json.dumps({"bundle": screener.bundle.label, "photos": told}, indent=1) + "\n")
    else:
        for one, name in zip(found, names, strict=True):
            write(_line(one, name) + "\n")
        write(f"\n{out / 'index.html'} shows them. It holds the photos: keep it on this computer.\n")
    return bool(faults) or not found or any(not one.decision.readable for one in found)


def _line(one: Explained, name: str | None) -> str:
    if name is None:
        return f"{one.file}: no map: {one.decision.reasons[0].text}"
    steady = "unstable" if one.unstable else "stable"
    if one.refused:
        least = " and ".join(one.nearest)
        return f"{one.file}: refused, {one.decision.reasons[0].code}: least unlike {least}, which is no answer: {name}"
    return f"{one.file}: {one.class_} {one.decision.probabilities[one.class_]:.2f}, map {steady}: {name}"


def _written(found: Sequence[Explained], out: Path, method: str) -> list[str | None]:
    names: list[str | None] = []
    taken: set[str] = set()
    for one in found:
        if one.picture is None:
            names.append(None)
            continue
        stem, count = f"{Path(one.file).name}.{one.class_}.{method}", 1
        name = stem
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        write_atomically(out / f"{name}.png", one.picture)
        names.append(f"{name}.png")
    return names
