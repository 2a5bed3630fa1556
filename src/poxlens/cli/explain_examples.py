"""`poxlens explain --run`: right and wrong examples of each class of a run, on a page that stays on this computer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.cli.main import MisuseError
from poxlens.cli.output import write
from poxlens.cli.progress import steps
from poxlens.files import write_atomically

if TYPE_CHECKING:
    from poxlens.explain.page import Example
    from poxlens.explain.photos import Explainer
    from poxlens.recipes.examples import Case


def keep_private(out: Path) -> None:
    """Write a .gitignore: the folder holds photos of people: git must not take them, wherever it lies."""
    write_atomically(out / ".gitignore", "*\n")


def draw_examples(
    run: Path,
    data: Path,
    out: Path,
    bundle: Path | None,
    method: str,
    model: str | None,
    each: int,
    *,
    as_json: bool,
) -> bool:
    """Write examples.html of a run; whether a photo could not be read.

    Args:
        run: its folder.
        data: the table of images that it was made from.
        out: where the page goes.
        bundle: that draws the maps; None for the run's own, or else the embedded one.
        method: one of `poxlens.explain.photos.WAYS`.
        model: of a comparison, "NETWORK SETTING"; None for the most accurate.
        each: right and wrong examples of each class, at most.
        as_json: print what was found as JSON.

    Raises:
        MisuseError: the table or the bundle is not of this run.
    """
    from poxlens.data.manifest import read_manifest
    from poxlens.explain.page import examples_page
    from poxlens.explain.photos import Explainer
    from poxlens.recipes.examples import lots, read_told
    from poxlens.screen.screener import Screener

    told = read_told(run, model)
    table = read_manifest(data)
    if table.sha256 != told.table_sha256:
        raise MisuseError(f"explain: --data {data}: is not the table that {run} was made from")
    own = run / "bundle"
    explainer = Explainer(Screener(bundle or (own if own.exists() else None)), method)
    known = explainer.screener.bundle.manifest
    strange = sorted(set(told.classes) - set(known.classes))
    if strange:
        raise MisuseError(
            f"explain: bundle {known.name} has no class {strange[0]!r}; name one of the run with --bundle"
        )
    paths = {row.file: row.path for row in table.rows}
    drawn = lots(told, each)
    total = sum(len(right) + len(wrong) for _, right, wrong in drawn)
    with steps()("explaining examples", total) as done:
        made = [
            (
                name,
                [_example(explainer, one, paths, done) for one in right],
                [_example(explainer, one, paths, done) for one in wrong],
            )
            for name, right, wrong in drawn
        ]
    parts = [
        (name, [o for o in r if o.explained.picture], [o for o in w if o.explained.picture])
        for name, r, w in made
    ]
    bare = [one for _, right, wrong in made for one in (*right, *wrong) if one.explained.picture is None]
    left = [f"{one.explained.file} ({one.told}): {one.explained.decision.reasons[0].text}" for one in bare]
    keep_private(out)
    write_atomically(
        out / "examples.html", examples_page(parts, told.model, explainer.screener.bundle.label, left)
    )
    shown = [
        {"class": name, "told": one.told, **one.explained.to_json()}
        for name, right, wrong in made
        for one in (*right, *wrong)
    ]
    if as_json:
        write(json.dumps({"model": told.model, "examples": shown}, indent=1) + "\n")
    else:
        write(
            f"{out / 'examples.html'}: {total - len(bare)} examples of {told.model}. "
            "It holds the photos: keep it on this computer.\n"
        )
    return any(not one.explained.decision.readable for one in bare)


def _example(
    explainer: Explainer, one: Case, paths: Mapping[str, Path], done: Callable[[int], None]
) -> Example:
    from poxlens.explain.page import Example

    found = explainer.explain(paths[one.file], one.said)
    done(1)
    return Example(
        replace(found, file=one.file), f"true {one.truth}, predicted {one.said} {one.probability:.2f}"
    )
