"""`poxlens data curate`: a crop of skin without background for each image, or why there is none."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars

if TYPE_CHECKING:
    from poxlens.data.curate.apply import Applied
    from poxlens.data.curate.proposals import Proposals
    from poxlens.data.manifest import Manifest

_LEAST = 224  # px; Campana 2024, section 4.1


def curate(
    manifest: Annotated[Path, typer.Argument(help="Table of images with the columns file and label.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for proposals.json, report.html and thumbnails.html.")
    ],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    least_side: Annotated[
        int | None,
        typer.Option("--least-side", help=f"Smallest crop, px of the original. Default: {_LEAST}."),
    ] = None,
    careful: Annotated[
        bool,
        typer.Option(
            "--careful", help="Keep farther from background: cleaner, smaller, fewer crops; for small files."
        ),
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", help="Images worked on side by side.")] = 2,
    thumbnails: Annotated[
        int, typer.Option("--thumbnails", help="Images shown on the private page; 0 for no page.")
    ] = 400,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", help="Cut the crops into this folder, by OUT/decisions.jsonl."),
    ] = None,
    undecided: Annotated[
        str,
        typer.Option("--undecided", help='Images that nobody decided on: "skip", or "accept" the proposal.'),
    ] = "skip",
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Propose for each image the largest square of skin without background; with --apply, cut them out."""
    table, proposals, fresh = _proposals(manifest, out, root, least_side, careful, jobs, apply, undecided)
    if fresh:
        _write_pages(proposals, table, out, thumbnails)
    told = summary(proposals, out)
    faults = [(one.file, one.sentence) for one in proposals.proposals if one.reason == "none.unreadable"]
    if apply is not None:
        applied = _apply(proposals, table, out, apply, undecided)
        told["applied"] = {"crops": len(applied.made), "manifest": str(apply / "manifest.csv")}
        told["faults"] = [list(fault) for fault in applied.faults]
        faults += applied.faults
    _show(told, faults, as_json=as_json)
    if faults:
        raise typer.Exit(FAILED)


def summary(proposals: Proposals, out: Path) -> dict[str, Any]:
    """The counts of a curation, by reason and by class, as JSON values."""
    labels = sorted({one.label for one in proposals.proposals})
    return {
        "images": len(proposals.proposals),
        "least_side": proposals.least_side,
        "reasons": dict(sorted(Counter(one.reason for one in proposals.proposals).items())),
        "classes": {
            label: dict(
                sorted(Counter(one.reason for one in proposals.proposals if one.label == label).items())
            )
            for label in labels
        },
        "unreadable": [one.file for one in proposals.proposals if one.reason == "none.unreadable"],
        "proposals": str(out / "proposals.json"),
        "report": str(out / "report.html"),
    }


def _proposals(
    manifest: Path,
    out: Path,
    root: Path | None,
    least_side: int | None,
    careful: bool,
    jobs: int,
    apply: Path | None,
    undecided: str,
) -> tuple[Manifest, Proposals, bool]:
    """The table, its proposals, and whether they were made now."""
    from poxlens.data.curate.proposals import NAME, read_proposals
    from poxlens.data.curate.propose import CAREFUL, Rule
    from poxlens.data.curate.run import curate as run
    from poxlens.data.manifest import read_manifest

    _check(manifest, out, root, least_side, jobs, undecided)
    table = read_manifest(manifest, root=root)
    if apply is not None and (out / NAME).exists():
        found = read_proposals(out / NAME)
        if found.manifest_sha256 != table.sha256:
            raise MisuseError(f"data curate: {out / NAME} is of another table than {manifest}")
        if least_side is not None and least_side != found.least_side:
            raise MisuseError(
                f"data curate: {out / NAME} was made with --least-side {found.least_side}; run without --apply first"
            )
        if careful and any(found.settings.get(key) != value for key, value in CAREFUL.to_json().items()):
            raise MisuseError(
                f"data curate: {out / NAME} was made without --careful; run without --apply first"
            )
        return table, found, False
    rule = CAREFUL if careful else Rule()
    with bars() as begin:
        advance = begin("proposing crops", len(table.rows))
        made = run(table, out, least_side=least_side or _LEAST, rule=rule, workers=jobs, advance=advance)
    return table, made, True


def _check(
    manifest: Path, out: Path, root: Path | None, least_side: int | None, jobs: int, undecided: str
) -> None:
    if not manifest.is_file():
        raise MisuseError(f"data curate: table {manifest}: no such file")
    if root is not None and not root.is_dir():
        raise MisuseError(f"data curate: --root {root}: no such folder")
    if out.exists() and not out.is_dir():
        raise MisuseError(f"data curate: --out {out}: is a file")
    if least_side is not None and least_side < 1:
        raise MisuseError(f"data curate: --least-side must be 1 or more, not {least_side}")
    if jobs < 1:
        raise MisuseError(f"data curate: --jobs must be 1 or more, not {jobs}")
    if undecided not in ("accept", "skip"):
        raise MisuseError(f'data curate: --undecided must be "accept" or "skip", not {undecided!r}')


def _write_pages(proposals: Proposals, table: Manifest, out: Path, most: int) -> None:
    from poxlens.data.curate.page import report, thumbnail_page
    from poxlens.data.curate.thumbnails import choose, thumbnail
    from poxlens.files import write_atomically

    write_atomically(out / "report.html", report(proposals))
    chosen = choose(proposals, most)
    if not chosen:
        return
    shown = []
    with bars() as begin:
        advance = begin("drawing thumbnails", len(chosen))
        for proposal in chosen:
            shown.append(thumbnail(proposal, table.root))
            advance()
    page = thumbnail_page([one for one in shown if one is not None], len(proposals.proposals))
    write_atomically(out / "thumbnails.html", page)


def _apply(proposals: Proposals, table: Manifest, out: Path, into: Path, undecided: str) -> Applied:
    from poxlens.data.curate.apply import apply, cuts
    from poxlens.data.curate.decisions import NAME, current, read_decisions

    decisions = read_decisions(out / NAME)
    if decisions.torn:
        print(f"poxlens: {out / NAME}: a line was cut off by a crash and is not counted", file=sys.stderr)
    chosen = cuts(proposals, current(decisions.decisions), undecided=undecided)
    columns = {
        row.file: {
            "dataset": row.dataset,
            "condition": row.condition,
            "patient": row.patient,
            "group": row.group,
        }
        for row in table.rows
    }
    with bars() as begin:
        advance = begin("cutting", len(chosen))
        return apply(chosen, table.root, into, columns=columns, advance=advance)


def _show(told: dict[str, Any], faults: list[tuple[str, str]], *, as_json: bool) -> None:
    from poxlens.cli.output import clip
    from poxlens.data.curate.reasons import REASONS

    if as_json:
        print(json.dumps(told))
        return
    width = max(map(len, REASONS))
    for reason, count in told["reasons"].items():
        print(f"  {reason:<{width}}  {count:>7,}  {REASONS[reason]}")
    for file, sentence in faults:
        print(f"  {clip(file)}: {clip(sentence)}", file=sys.stderr)
    print(f"Written: {told['report']}, proposals.json")
    if "applied" in told:
        print(f"Cut: {told['applied']['crops']:,} crops, {told['applied']['manifest']}")
