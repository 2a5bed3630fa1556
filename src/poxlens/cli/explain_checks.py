"""`poxlens explain --check` and `--photos`: whether a bundle's heat maps deserve trust."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.cli.main import MisuseError
from poxlens.cli.output import write
from poxlens.cli.photos import photos as photos_below
from poxlens.cli.progress import steps
from poxlens.files import write_atomically

if TYPE_CHECKING:
    from poxlens.explain.real import Listed
    from poxlens.explain.record import Checked, Figure
    from poxlens.screen.screener import Screener


def run_checks(
    bundle: Path | None, out: Path, listed: Sequence[Listed], *, phantoms: bool, as_json: bool
) -> bool:
    """Write checks.html and checks.json; whether a check failed or a photo could not be read.

    Args:
        bundle: whose maps; None for the embedded one.
        out: the folder.
        listed: photos on which unstable maps are counted.
        phantoms: run the checks on phantoms.
        as_json: print what was found as JSON.
    """
    from poxlens.explain.check import check
    from poxlens.explain.page import checks_page
    from poxlens.explain.record import Checked
    from poxlens.screen.screener import Screener
    from poxlens.screen.stability import LIMIT

    screener = Screener(bundle, check_maps=True)
    if phantoms:
        checked = check(screener.bundle, step=steps(), engine=screener.engine)
    else:
        checked = Checked(screener.bundle.label, screener.bundle.manifest.target, (), None, LIMIT)
    unread: list[str] = []
    if listed:
        more, unread = _looked_at(screener, listed)
        checked = replace(checked, figures=(*checked.figures, *more))
    text = json.dumps(checked.to_json(), indent=1, allow_nan=False) + "\n"
    write_atomically(out / "checks.json", text)
    write_atomically(out / "checks.html", checks_page(checked))
    for name in unread:
        write(f"poxlens: {name}: cannot be read as a photo\n", sys.stderr)
    write(text if as_json else _told(checked, out))
    return bool(unread) or not checked.passed


def listed_photos(photos: Path | None, datasets: Sequence[str], groups: Path | None) -> list[Listed]:
    """The photos of a folder or a table; none for None.

    Raises:
        MisuseError: there is no such folder or table, or the options do not go with it.
    """
    from poxlens.explain.real import Listed, listed_in

    if photos is None:
        return []
    if not photos.exists():
        raise MisuseError(f"explain: --photos {photos}: no such folder or table")
    if photos.is_dir():
        if datasets or groups:
            raise MisuseError("explain: --dataset and --groups need a table of images, not a folder")
        below = photos_below((str(photos),), lambda fault: write(f"poxlens: {fault}\n", sys.stderr))
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
    lines.append("")
    if checked.chance is not None:
        lines.append(f"Agreement that maps of different phantoms reach by chance: {checked.chance:.2f}")
    lines.append(f"Limit below which screening calls a map unstable: {checked.limit:g}")
    return "\n".join([*lines, f"{out / 'checks.html'} and {out / 'checks.json'} hold all of it.", ""])


def _value(one: Figure) -> str:
    if one.value is None:
        return f"not defined (n {one.n})"
    ends = "" if one.low is None or one.high is None else f" [{one.low:.2f}, {one.high:.2f}]"
    return f"{one.value:.2f}{ends} (n {one.n})"


def _verdict(one: Figure) -> str:
    return "" if one.passed is None else f": {'met' if one.passed else 'MISSED'}, limit {one.limit:g}"
