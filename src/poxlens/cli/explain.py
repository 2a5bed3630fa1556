"""`poxlens explain`: what in a photo an answer rests on, and whether such maps deserve trust."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.output import write
from poxlens.cli.photos import photos as photos_below
from poxlens.cli.progress import steps
from poxlens.files import write_atomically

if TYPE_CHECKING:
    from poxlens.explain.photos import Explained
    from poxlens.explain.real import Listed
    from poxlens.explain.record import Checked, Figure
    from poxlens.screen.screener import Screener


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
    check: Annotated[
        bool, typer.Option("--check", help="Check on phantoms whether the bundle's maps deserve trust.")
    ] = False,
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos", help="With --check: count unstable maps on a folder or a table of images too."
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
    if check == bool(sources):
        raise MisuseError("explain: name photos, or --check; see: poxlens explain --help")
    if (photos or dataset or groups) and not check:
        raise MisuseError("explain: --photos, --dataset and --groups go with --check")
    if bundle is not None and not bundle.exists():
        raise MisuseError(f"explain: --bundle {bundle}: no such folder or file")
    if check:
        if method != "graph" or class_:
            raise MisuseError("explain: --check is of the map that the bundle gives for its target")
        failed = _check(bundle, out, photos, dataset or [], groups, as_json=as_json)
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
        write(f"poxlens: {fault}\n", _stderr())
    _private(out)
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
    return f"{one.file}: {one.class_} {one.decision.probabilities[one.class_]:.2f}, map {steady}: {name}"


def _private(out: Path) -> None:
    """The folder holds photos of people: git must not take them, wherever it lies."""
    write_atomically(out / ".gitignore", "*\n")


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


def _check(
    bundle: Path | None,
    out: Path,
    photos: Path | None,
    datasets: Sequence[str],
    groups: Path | None,
    *,
    as_json: bool,
) -> bool:
    from poxlens.explain.check import check
    from poxlens.explain.page import checks_page
    from poxlens.screen.screener import Screener

    listed = _listed(photos, datasets, groups)
    screener = Screener(bundle, check_maps=True)
    checked = check(screener.bundle, step=steps(), engine=screener.engine)
    unread: list[str] = []
    if listed:
        more, unread = _looked_at(screener, listed)
        checked = replace(checked, figures=(*checked.figures, *more))
    text = json.dumps(checked.to_json(), indent=1, allow_nan=False) + "\n"
    write_atomically(out / "checks.json", text)
    write_atomically(out / "checks.html", checks_page(checked))
    for name in unread:
        write(f"poxlens: {name}: cannot be read as a photo\n", _stderr())
    write(text if as_json else _told(checked, out))
    return bool(unread) or not checked.passed


def _listed(photos: Path | None, datasets: Sequence[str], groups: Path | None) -> list[Listed]:
    from poxlens.explain.real import Listed, listed_in

    if photos is None:
        if datasets or groups:
            raise MisuseError("explain: --dataset and --groups need --photos TABLE")
        return []
    if not photos.exists():
        raise MisuseError(f"explain: --photos {photos}: no such folder or table")
    if photos.is_dir():
        if datasets or groups:
            raise MisuseError("explain: --dataset and --groups need a table of images, not a folder")
        below = photos_below((str(photos),), lambda fault: write(f"poxlens: {fault}\n", _stderr()))
        return [Listed(one) for one in below if isinstance(one, Path)]
    return listed_in(photos, groups=groups, datasets=datasets)


def _looked_at(screener: Screener, listed: Sequence[Listed]) -> tuple[list[Figure], list[str]]:
    from poxlens.explain.real import figures, look

    with steps()("photos", len(listed)) as done:
        seen = look(screener, listed, done)
    return figures(seen), [str(one.listed.path) for one in seen if not one.readable]


def _told(checked: Checked, out: Path) -> str:
    lines = [f"Heat maps of {checked.target}, {checked.bundle}", ""]
    group = ""
    for one in checked.figures:
        if one.group != group:
            group = one.group
            lines.append(group)
        lines.append(f"  {_value(one):<28} {one.name}{_verdict(one)}")
    lines += ["", f"Agreement that maps of different phantoms reach by chance: {checked.chance:.2f}"]
    lines.append(f"Limit below which screening calls a map unstable: {checked.limit:g}")
    return "\n".join([*lines, f"{out / 'checks.html'} and {out / 'checks.json'} hold all of it.", ""])


def _value(one: Figure) -> str:
    if one.value is None:
        return f"not defined (n {one.n})"
    ends = "" if one.low is None or one.high is None else f" [{one.low:.2f}, {one.high:.2f}]"
    return f"{one.value:.2f}{ends} (n {one.n})"


def _verdict(one: Figure) -> str:
    return "" if one.passed is None else f": {'met' if one.passed else 'MISSED'}, limit {one.limit:g}"


def _stderr() -> Any:
    import sys

    return sys.stderr
