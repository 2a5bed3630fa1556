"""`poxlens data split`: deal the images of a table to folds that keep groups whole."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars

if TYPE_CHECKING:
    from poxlens.data.manifest import Manifest
    from poxlens.data.splits import Groups, Plan, Splits
    from poxlens.data.splits.plan import Kind, Stratify
    from poxlens.data.tones import Tones

_WORKERS = 2


def split(
    manifest: Annotated[Path, typer.Argument(help="Table of images: CSV or Parquet with file and label.")],
    out: Annotated[Path, typer.Option("--out", help="The splits file (JSON); written once.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups", help="CSV with file and group, of near-duplicates: poxlens data duplicates."
        ),
    ] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Outer folds.  [default: 10]")] = None,
    repeats: Annotated[int | None, typer.Option("--repeats", help="Repeats.  [default: 1]")] = None,
    inner: Annotated[
        int | None, typer.Option("--inner", help="Inner folds of each development part; 0: no inner level.")
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            "--validation", help="Or: share of each development part to choose on.  [default: 0.25]"
        ),
    ] = None,
    leave_one_group_out: Annotated[
        bool, typer.Option("--leave-one-group-out", help="Test one group at a time.")
    ] = False,
    official: Annotated[
        Path | None, typer.Option("--official", help="CSV of the split that the data set ships.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Ignore groups: a LEAKING split, to show what leaking does.")
    ] = False,
    stratify: Annotated[
        str, typer.Option("--stratify", help="What every fold gets its share of: label, or label+tone.")
    ] = "label",
    tones: Annotated[
        bool, typer.Option("--tones/--no-tones", help="Estimate skin tone where the table has none.")
    ] = True,
    allow_uneven: Annotated[
        bool, typer.Option("--allow-uneven", help="Accept a group too large for a fold.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another split.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what each fold holds as JSON.")] = False,
) -> None:
    """Deal images to folds that keep patients, lesions and near-duplicates whole, and write them to a file."""
    from poxlens import __version__
    from poxlens.data.manifest import read_manifest
    from poxlens.data.splits import find_groups, make_splits, read_groups, read_official, write_splits
    from poxlens.files import sha256_file

    given = _Given(folds, repeats, inner, validation, leave_one_group_out, official is not None, plain)
    plan = _plan(given, stratify, seed, allow_uneven=allow_uneven, tones=tones)
    _check_paths(manifest, out, root, force=force)
    table = read_manifest(manifest, root=root)
    listed = read_groups(groups, table) if groups else None
    shipped = read_official(official, table) if official else ()
    if official and inner is None and validation is None:
        plan = replace(plan, inner="official" if any(one.parts["val"] for one in shipped) else "none")
    elif any(one.parts["val"] for one in shipped):
        raise MisuseError(
            f"data split: {official} brings its own validation part: leave --inner and --validation out"
        )
    found = find_groups(table, listed)
    # What cannot be split is refused before photos are opened, which takes minutes for a large table.
    make_splits(
        table, replace(plan, repeats=1, inner="none", stratify="label"), groups=found, official=shipped
    )
    seen = _tones(table, measure=tones)
    made = make_splits(
        table,
        plan,
        groups=found,
        tone=seen.tone,
        official=shipped,
        groups_sha256=sha256_file(groups) if groups else "",
        official_sha256=sha256_file(official) if official else "",
        version=__version__,
    )
    written = write_splits(out, made, replace=force)
    _show(written, table, found, seen, out, listed=listed, as_json=as_json)
    if seen.unreadable:
        raise typer.Exit(FAILED)


@dataclass(frozen=True)
class _Given:
    """The options that decide the plan; None where they were not given."""

    folds: int | None
    repeats: int | None
    inner: int | None
    validation: float | None
    alone: bool
    official: bool
    plain: bool

    def __post_init__(self) -> None:
        names = {"--leave-one-group-out": self.alone, "--official": self.official, "--plain": self.plain}
        modes = [name for name, on in names.items() if on]
        if len(modes) > 1:
            raise MisuseError(f"data split: {' and '.join(modes)} do not go together")
        if (self.alone or self.official) and (self.folds is not None or self.repeats is not None):
            raise MisuseError(f"data split: --folds and --repeats do not go with {modes[0]}")
        if self.inner is not None and self.validation is not None:
            raise MisuseError("data split: --inner and --validation do not go together; give one of them")

    @property
    def kind(self) -> Kind:
        return "official" if self.official else "leave-one-group-out" if self.alone else "k-fold"


def _plan(given: _Given, stratify: str, seed: int, *, allow_uneven: bool, tones: bool) -> Plan:
    from poxlens.data.splits import Plan
    from poxlens.errors import SplitError

    if stratify not in ("label", "label+tone"):
        raise MisuseError(f"data split: --stratify must be label or label+tone, not {stratify!r}")
    if stratify == "label+tone" and not tones:
        raise MisuseError("data split: --stratify label+tone needs skin tones: leave --no-tones out")
    balanced: Stratify = "label+tone" if stratify == "label+tone" else "label"
    try:
        return Plan(
            kind=given.kind,
            folds=10 if given.folds is None else given.folds,
            repeats=1 if given.repeats is None else given.repeats,
            inner="validation" if given.inner is None else "k-fold" if given.inner else "none",
            inner_folds=given.inner or 4,
            validation=0.25 if given.validation is None else given.validation,
            stratify=balanced,
            grouped=not given.plain,
            allow_uneven=allow_uneven,
            seed=seed,
        )
    except SplitError as fault:
        # The plan's fields are named as the options are, but for one.
        raise MisuseError(f"data split: --{str(fault).replace('inner_folds', 'inner')}") from fault


def _check_paths(manifest: Path, out: Path, root: Path | None, *, force: bool) -> None:
    """Before any photo is opened."""
    if not manifest.is_file():
        raise MisuseError(f"data split: table {manifest}: no such file")
    if root is not None and not root.is_dir():
        raise MisuseError(f"data split: --root {root}: no such folder")
    if out.is_dir():
        raise MisuseError(f"data split: --out {out} is a folder; name a file such as {out / 'splits.json'}")
    if out.exists() and not force:
        raise MisuseError(
            f"data split: {out} is there already. Figures may rest on it: choose another name, or add --force"
        )


def _tones(table: Manifest, *, measure: bool) -> Tones:
    from poxlens.data.tones import estimate_tones, table_tones

    asked = sum(not row.skin_tone for row in table.rows)
    if not measure or not asked:
        return table_tones(table)
    with bars() as begin:
        return estimate_tones(table, workers=_WORKERS, advance=begin("estimating skin tone", asked))


def _show(
    splits: Splits,
    table: Manifest,
    groups: Groups,
    tones: Tones,
    out: Path,
    *,
    listed: dict[str, str] | None,
    as_json: bool,
) -> None:
    from poxlens.cli.data.split_report import notes, report, to_json

    told = notes(splits, table, groups, listed)
    if as_json:
        from poxlens.cli.output import json_line

        print(json_line(to_json(splits, tones, str(out), told)))
        return
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 140)
    report(splits, tones, told, console)
    console.print(f"Written: {out} (digest {splits.digest[:12]}…)", soft_wrap=True, highlight=False)
