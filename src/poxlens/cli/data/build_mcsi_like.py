"""`poxlens data build-mcsi-like`: four balanced classes of close-ups in the way of MCSI, which they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars

if TYPE_CHECKING:
    from poxlens.data.curate.apply import Cut
    from poxlens.data.manifest import Manifest


def build_mcsi_like(
    data: Annotated[Path, typer.Option("--data", help="Folder with manifest.csv and its images.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for images, manifest.csv and README.md.")],
    per_class: Annotated[int, typer.Option("--per-class", help="Crops of each class, at most.")] = 100,
    least_side: Annotated[
        int, typer.Option("--least-side", help="Smallest crop, px of the original, for all classes.")
    ] = 48,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups", help="CSV with the columns file and group: one crop a group of near-duplicates."
        ),
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", help="decisions.jsonl of poxlens data review.")
    ] = None,
    undecided: Annotated[
        str,
        typer.Option("--undecided", help='Images that nobody decided on: "accept" the proposal, or "skip".'),
    ] = "accept",
    jobs: Annotated[int, typer.Option("--jobs", help="Images worked on side by side.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Build mpox, chickenpox, acne and healthy close-ups, as many of each. This is not MCSI."""
    from poxlens.data.curate.apply import MANIFEST, apply
    from poxlens.data.curate.mcsi_like import read_groups, readme, select, source_rows
    from poxlens.data.manifest import read_manifest
    from poxlens.files import write_atomically

    _check(data, out, per_class, least_side, groups, decisions, undecided, jobs)
    table = source_rows(read_manifest(data / "manifest.csv"))
    known = read_groups(groups) if groups else {}
    found = _cuts(table, out, least_side, jobs, decisions, undecided)
    chosen = select(found, known, per_class)
    columns = {
        row.file: {
            "dataset": row.dataset,
            "condition": row.condition,
            "patient": row.patient,
            "group": known.get(row.file, row.group),
        }
        for row in table.rows
    }
    reviewed = sum(cut.decided != "proposed" for cut in chosen.cuts)
    text = readme(chosen, least_side, table.rows, grouped=bool(groups), reviewed=reviewed)
    write_atomically(out / "README.md", text)
    with bars() as begin:
        advance = begin("cutting", len(chosen.cuts))
        applied = apply(chosen.cuts, table.root, out, columns=columns, advance=advance)
    told = {
        "classes": {
            name: sum(cut.proposal.label == name for cut in chosen.cuts) for name in chosen.available
        },
        "available": chosen.available,
        "conflicts": list(chosen.conflicts),
        "least_side": least_side,
        "manifest": str(out / MANIFEST),
        "faults": [list(fault) for fault in applied.faults],
    }
    if as_json:
        print(json.dumps(told))
    else:
        print("Not MCSI: built from other photos in its way. Read the README.md beside it before any figure.")
        for name, count in chosen.available.items():
            print(
                f"  {name:<12}{per_class if count >= per_class else count:>5} of {count} photos with a crop"
            )
        print(f"Written: {len(applied.made)} crops, {out / MANIFEST}, README.md")
    if applied.faults:
        raise typer.Exit(FAILED)


def _cuts(
    table: Manifest, out: Path, least_side: int, jobs: int, decisions: Path | None, undecided: str
) -> tuple[Cut, ...]:
    from poxlens.data.curate.apply import cuts
    from poxlens.data.curate.decisions import current, read_decisions
    from poxlens.data.curate.run import curate

    with bars() as begin:
        advance = begin("proposing crops", len(table.rows))
        proposals = curate(table, out / "curation", least_side=least_side, workers=jobs, advance=advance)
    standing = current(read_decisions(decisions).decisions) if decisions else {}
    # The review may have been of a larger table.
    ours = {file: one for file, one in standing.items() if file in proposals.by_file}
    return cuts(proposals, ours, undecided=undecided)


def _check(
    data: Path,
    out: Path,
    per_class: int,
    least_side: int,
    groups: Path | None,
    decisions: Path | None,
    undecided: str,
    jobs: int,
) -> None:
    verb = "data build-mcsi-like"
    if not (data / "manifest.csv").is_file():
        raise MisuseError(f"{verb}: no manifest.csv in --data {data}")
    if (out / "manifest.csv").exists() or (out.exists() and not out.is_dir()):
        raise MisuseError(f"{verb}: --out {out} is taken; name a new folder")
    if min(per_class, least_side, jobs) < 1:
        raise MisuseError(f"{verb}: --per-class, --least-side and --jobs must be 1 or more")
    for option, path in (("--groups", groups), ("--decisions", decisions)):
        if path is not None and not path.is_file():
            raise MisuseError(f"{verb}: {option} {path}: no such file")
    if undecided not in ("accept", "skip"):
        raise MisuseError(f'{verb}: --undecided must be "accept" or "skip", not {undecided!r}')
