"""`poxlens data sets`: the public sets that poxlens knows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.output import block, paint, write

if TYPE_CHECKING:
    from poxlens.data.catalogue import SetSpec


def sets(
    name: Annotated[str | None, typer.Argument(help="One set, in full; without it, the list.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the public sets of images that poxlens knows; with NAME, all that is known of one."""
    from poxlens.data.catalogue import SETS

    chosen = list(SETS.values()) if name is None else [find(name)]
    if as_json:
        told = [described(spec) for spec in chosen]
        write(json.dumps(told if name is None else told[0], indent=2) + "\n")
    elif name is None:
        write(_list(chosen))
    else:
        write(_full(chosen[0]))


def find(name: str) -> SetSpec:
    """The set of a name, whatever its case and hyphens.

    Raises:
        MisuseError: there is none; names the nearest.
    """
    from difflib import get_close_matches

    from poxlens.cli.main import MisuseError
    from poxlens.data.catalogue import SETS
    from poxlens.data.labels import plain

    known = {plain(one): spec for one, spec in SETS.items()}
    known |= {"msldv1": known["msld"], "msldv2": known["msld2"], "msldv20": known["msld2"]}
    known |= {"isic2018": known["ham10000"]}
    if plain(name) in known:
        return known[plain(name)]
    close = get_close_matches(plain(name), known, n=1)
    hint = f"did you mean {known[close[0]].name}?" if close else f"known are {', '.join(SETS)}"
    raise MisuseError(f"no set {name!r}; {hint}")


def described(spec: SetSpec) -> dict[str, Any]:
    """All that is known of a set, as JSON-ready values."""
    told = asdict(spec)
    told["known_sha256"] = len(spec.known_sha256())
    return told


def _list(specs: list[SetSpec]) -> str:
    lines = [f"{'name':<12}{'images':>8}{'patients':>10}  what"]
    for spec in specs:
        images, patients = _number(spec.images), _number(spec.patients)
        lines.append(f"{spec.name:<12}{images:>8}{patients:>10}  {spec.title}")
    end = "\nAll of one: poxlens data sets NAME. Import: poxlens data import NAME FOLDER --out manifest.csv\n"
    return "\n".join(lines) + "\n" + end


def _full(spec: SetSpec) -> str:
    parts = [f"{paint(spec.name, '1')}  {spec.title}", block(spec.about, "  ")]
    if spec.classes:
        parts += ["", f"  {'class':<20}{'images':>8}{'patients':>10}  its own name"]
        parts += [
            f"  {one.label:<20}{_number(one.images):>8}{_number(one.patients):>10}  {one.source}"
            for one in spec.classes
        ]
        parts.append(f"  {'all':<20}{_number(spec.images):>8}{_number(spec.patients):>10}")
    facts = {
        "Counts": spec.facts,
        "Layout": spec.layout,
        "Groups": spec.group,
        "Official splits": spec.official or "none",
        "Augmented copies": spec.augmented or "none known",
        "SHA-256 known": f"{len(spec.known_sha256()):,} files" if spec.known_sha256() else "no",
        "Licence": spec.licence,
        "Cite": spec.citation,
        "Where": " ".join(spec.where) or "yours to know",
    }
    for title, text in facts.items():
        parts += ["", paint(title, "1"), block(text, "  ")]
    if spec.faults:
        parts += ["", paint("Known faults", "1"), *(block(f"- {text}", "  ") for text in spec.faults)]
    return "\n".join(parts) + "\n"


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"
