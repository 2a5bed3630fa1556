"""Labels that are probably one label: misspelt, or written with other case, spaces or hyphens."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from poxlens.data.table import Fault

MOST_LABELS = 500  # more distinct labels than these are not looked at for misspellings
FAR_MORE = 5  # times as many rows as the label that is taken for its misspelling


def plain(text: str) -> str:
    """A name without what people write differently: case, spaces, hyphens, underscores, the form of letters."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def label_faults(labels: Iterable[tuple[int | None, str, str]], known: Sequence[str] = ()) -> Iterator[Fault]:
    """A fault for each row whose label is probably another one.

    Args:
        labels: row number, label and file of each row.
        known: labels that are right whether they occur or not.
    """
    rows = list(labels)
    meant = meanings(Counter(label for _, label, _ in rows), known)
    for number, label, file in rows:
        if label in meant:
            kind, other, count = meant[label]
            many = f" ({count:,} rows)" if count else ""
            if kind == "label_case":
                text = f'label "{label}" is "{other}"{many} written differently.'
            else:
                text = f'label "{label}" looks like a misspelling of "{other}"{many}.'
            yield Fault(kind, text, number, "label", file)


def meanings(counts: Counter[str], known: Sequence[str] = ()) -> dict[str, tuple[str, str, int]]:
    """Label -> (kind of fault, the label probably meant, rows of that) for the labels in doubt."""
    right = sorted({*counts, *known}, key=lambda label: (label not in known, -counts[label], label))
    found: dict[str, tuple[str, str, int]] = {}
    sound: dict[str, str] = {}  # plain form -> the label that is right
    for label in right:
        other = sound.setdefault(plain(label), label)
        if other != label and label not in known:
            found[label] = ("label_case", other, counts[other])
    # Beyond this many labels they are no classes but free text; comparing all pairs would take for ever.
    for label in sound.values() if len(sound) <= MOST_LABELS else ():
        for other in sound.values():
            far_more = other in known or counts[other] >= FAR_MORE * counts[label]
            if label in known or other == label:
                break
            if far_more and other not in found and _misspelt(label, other):
                found[label] = ("label_typo", other, counts[other])
                break
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """The name of `known` that `name` is probably a misspelling of; "" when none is near."""
    return next((other for other in known if plain(other) != plain(name) and _misspelt(name, other)), "")


def _misspelt(label: str, other: str) -> bool:
    mine, theirs = plain(label), plain(other)
    short = min(len(mine), len(theirs))
    if short < 4 or _numbered(label, other):
        return False
    return distance(mine, theirs) <= (1 if short < 7 else 2)


def _numbered(label: str, other: str) -> bool:
    """True where two labels differ only in a number or a letter that counts: "grade 1", "type b"."""
    mine, theirs = (re.findall(r"[^\W\d_]+|\d+", text.casefold()) for text in (label, other))
    if len(mine) != len(theirs):
        return False
    differ = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
    return all(a.isdigit() or len(a) == len(b) == 1 for a, b in differ)


def distance(first: str, second: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.

    The optimal string alignment distance (Damerau 1964).
    """
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        line = [i]
        for j, b in enumerate(second, start=1):
            cost = min(above[j] + 1, line[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and b == first[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]
