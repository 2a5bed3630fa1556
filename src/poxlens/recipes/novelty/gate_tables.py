"""gate.md: what the gates let through and what becomes of the rest, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from poxlens.files import write_atomically
from poxlens.recipes.novelty.gate import Evidence, Share

_OUTCOMES = ("refer", "uncertain", "not_suspected", "cannot_assess")


def write_gate_tables(out: Path, gates: Sequence[Evidence], target: str) -> Path:
    """The tables of all gates; where they are."""
    path = out / "gate.md"
    write_atomically(path, "\n\n".join(part for one in gates for part in gate_tables(one, target)) + "\n")
    return path


def gate_tables(one: Evidence, target: str) -> list[str]:
    """Markdown: accepted known images, refused outliers, outcomes of what was left out."""
    found = {(share.what, share.group): share for share in one.shares}
    title = f"{one.detector}, {one.network}"
    accepted = [share for share in one.shares if share.what == "accepted"]
    kinds = list(dict.fromkeys(g.rsplit(", ", 1)[0] for _, g in found if g.endswith("kind never seen")))
    near = [g for w, g in found if w == "refused" and "kind" not in g]
    return [
        f"## {title}: accepted at a limit of {one.limit:.3f}\n\n"
        + _table(("images", "accepted", "n"), ((s.group, _cell(s), str(s.n)) for s in accepted)),
        f"## {title}: other kinds of pictures, refused\n\n"
        + _table(
            (
                "kind",
                "by the gate, kind never seen",
                "kind seen, other images",
                "with the quality checks, kind never seen",
                "n",
            ),
            (_kind_row(name, found) for name in kinds),
        ),
        f"## {title}: end to end, each near condition never seen by head, gate, thresholds or limit\n\n"
        + _table(
            ("condition", "refused by the gate", *_OUTCOMES, "n"),
            (_outcome_row(name, found) for name in [target, *near]),
        ),
    ]


def _kind_row(name: str, found: dict[tuple[str, str], Share]) -> tuple[str, ...]:
    never, seen = f"{name}, kind never seen", f"{name}, kind seen"
    shares = (
        found.get(("refused", never)),
        found.get(("refused", seen)),
        found.get(("refused, quality included", never)),
    )
    return (name, *map(_cell, shares), str(found["refused", never].n))


def _outcome_row(name: str, found: dict[tuple[str, str], Share]) -> tuple[str, ...]:
    shares = [found.get((what, name)) for what in ("refused", *_OUTCOMES)]
    if shares[0] is None and ("accepted", name) in found:  # the target: what it is not let through
        known = found["accepted", name]
        shares[0] = Share("refused", name, 1 - known.value, 1 - known.high, 1 - known.low, known.n)
    n = next((str(share.n) for share in reversed(shares) if share is not None), "")
    return (name, *map(_cell, shares), n)


def _cell(share: Share | None) -> str:
    return "" if share is None else f"{share.value:.3f} ({share.low:.2f}-{share.high:.2f})"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
