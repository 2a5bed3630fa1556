"""`poxlens data agree`: how far two people's labels agree, and the one table that both stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import FAILED, MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from poxlens.data.annotate.scheme import Scheme
    from poxlens.evaluate.agreement import Agreed, Agreement
    from poxlens.evaluate.intervals import Estimate


def agree(
    first: Annotated[Path, typer.Argument(help="CSV of labels, of poxlens data annotate.")],
    second: Annotated[Path, typer.Argument(help="Another person's, of the same images.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder for agreement.json, agreement.md, disagreements.csv, consensus.csv."
        ),
    ],
    third: Annotated[
        Path | None, typer.Option("--third", help="CSV of a third look at the disagreements, which decides.")
    ] = None,
    scheme: Annotated[
        Path | None,
        typer.Option("--scheme", metavar="TOML", help="What was asked. Default: as data annotate."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="CSV of file and group, of poxlens data duplicates: drawn together."),
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="Of the bootstrap.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print agreement.json.")] = False,
) -> None:
    """Tell how far two people agree, list where they differ, and write the labels that stand."""
    from poxlens.cli.output import json_line, write
    from poxlens.data.annotate.scheme import read_scheme
    from poxlens.data.annotate.tables import read_labels
    from poxlens.evaluate.agreement import agreement, consensus, counts

    if resamples < 1:
        raise MisuseError(f"data agree: --resamples must be at least 1, not {resamples}")
    asked = read_scheme(scheme)
    one, other = read_labels(first, asked), read_labels(second, asked)
    look = read_labels(third, asked) if third else {}
    shared = [file for file in one if file in other]
    if not shared:
        raise MisuseError(f"data agree: {first} and {second} have no image in common")
    held = _groups(groups)
    found = agreement(asked, one, other, groups=held, resamples=resamples, seed=seed)
    try:
        stands = consensus(asked, one, other, look)
    except ValueError as fault:
        raise MisuseError(f"data agree: put together, the labels contradict each other: {fault}") from fault
    alone = {
        "first": sorted(one.keys() - other.keys()),
        "second": sorted(other.keys() - one.keys()),
        "half": sorted(f for f in shared if not (asked.complete(one[f]) and asked.complete(other[f]))),
    }
    told = summary(asked, found, stands, alone, groups=len({(held or {}).get(f, f) for f in shared}))
    told["counts"] = counts(asked, [agreed.labels for agreed in stands.values()])
    _write(out, asked, told, one, other, stands)
    write(json_line(told) + "\n" if as_json else _page(told))
    for name, files in alone.items():
        if files and not as_json:
            words = "not labelled by both in full" if name == "half" else f"in the {name} table alone"
            write(f"{len(files)} {words}: {', '.join(files[:3])}{' …' if len(files) > 3 else ''}\n")
    if any(alone.values()):
        raise typer.Exit(FAILED)


def _groups(path: Path | None) -> dict[str, str] | None:
    from poxlens.data.annotate.choosing import read_listed
    from poxlens.errors import AnnotationError

    if path is None:
        return None
    try:
        return {file: cells["group"] or file for file, cells in read_listed(path).items()}
    except KeyError as fault:
        raise AnnotationError(f"{path}: has no column group.") from fault


def summary(
    scheme: Scheme,
    found: Mapping[str, Agreement],
    stands: Mapping[str, Agreed],
    alone: Mapping[str, list[str]],
    *,
    groups: int,
) -> dict[str, Any]:
    """What agreement.json holds, as JSON values."""
    labels = {}
    for name, one in found.items():
        asked = name in scheme.names
        labels[name] = {
            "values": list(one.values),
            "n": one.kappa.n,
            "kappa": _figure(one.kappa),
            "agreed": _figure(one.agreed),
            "confusion": one.confusion.tolist(),
            "settled": sum(name in agreed.settled for agreed in stands.values()) if asked else None,
            "open": sum(name in agreed.open for agreed in stands.values()) if asked else None,
        }
    return {
        "notice": scheme.notice,
        "images": len(stands),
        "groups": groups,
        "disputed": sum(bool(agreed.settled or agreed.open) for agreed in stands.values()),
        "open": sum(bool(agreed.open) for agreed in stands.values()),
        "labels": labels,
        "alone": {name: len(files) for name, files in alone.items()},
    }


def _figure(figure: Estimate) -> dict[str, float | None]:
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {name: None if value != value else round(value, 4) for name, value in values.items()}


def _write(
    out: Path,
    scheme: Scheme,
    told: dict[str, Any],
    one: Mapping[str, Mapping[str, str]],
    other: Mapping[str, Mapping[str, str]],
    stands: Mapping[str, Agreed],
) -> None:
    from poxlens.data.table_writing import to_csv
    from poxlens.evaluate.agreement import disagreements
    from poxlens.files import write_atomically

    disputed = [
        {"file": file, **{name: cells.get(name, "") for name in scheme.names}}
        for file, cells in disagreements(scheme, one, other).items()
    ]
    write_atomically(out / "disagreements.csv", to_csv(("file", *scheme.names), disputed))
    names = tuple(scheme.choices)
    lines = [
        {
            "file": file,
            **{name: agreed.labels.get(name, "") for name in names},
            "settled": " ".join(agreed.settled),
        }
        for file, agreed in sorted(stands.items())
    ]
    write_atomically(out / "consensus.csv", to_csv(("file", *names, "settled"), lines))
    write_atomically(out / "agreement.json", json.dumps(told, indent=1) + "\n")
    write_atomically(out / "agreement.md", _page(told))


def _page(told: dict[str, Any]) -> str:
    """agreement.md, which is also what the terminal shows."""
    parts = [
        f"{told['notice']}\n",
        f"{told['images']} images in {told['groups']} groups of the same photo or person, each labelled twice; "
        f"{told['disputed']} with a disagreement, {told['open']} of them open.\n",
        "| label | n | Cohen's kappa (95 % interval) | same value | disagreements | settled by a third look |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in told["labels"].items():
        differ = sum(map(sum, one["confusion"])) - sum(row[i] for i, row in enumerate(one["confusion"]))
        settled = "follows" if one["settled"] is None else str(one["settled"])
        parts.append(
            f"| {name} | {one['n']} | {_words(one['kappa'])} | {_words(one['agreed'])} | {differ} | {settled} |"
        )
    for name, one in told["labels"].items():
        parts += [f"\n{name}: first reader in rows, second in columns, what stands in the last column\n"]
        parts += [f"| | {' | '.join(one['values'])} | stands |", "|---|" + "---|" * (len(one["values"]) + 1)]
        for value, row in zip(one["values"], one["confusion"], strict=True):
            parts.append(f"| {value} | {' | '.join(map(str, row))} | {told['counts'][name][value]} |")
    return "\n".join(parts) + "\n"


def _words(figure: Mapping[str, float | None]) -> str:
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value is None:
        return "not defined"
    return (
        f"{value:.3f} (no interval)" if low is None or high is None else f"{value:.3f} ({low:.3f}–{high:.3f})"
    )
