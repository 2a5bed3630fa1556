"""The pairs as one local page: side by side, contradictions first; no script, sorted out by links alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from poxlens.data.duplicates.model import KINDS, SAME_PHOTO, Duplicates, Link, Pair
from poxlens.data.duplicates.pictures import difference, outline, small, uri
from poxlens.data.duplicates.tables import patients
from poxlens.data.manifest import Manifest, Row
from poxlens.pages.document import document, heading, notes, section, table, tiles

MOST = 1000  # pairs shown with their pictures, 20 kB each
PRIVATE = "This page holds patient photos. It is for this computer: do not publish it, and do not send it on."
AID = "poxlens is a screening aid, not a diagnosis; PCR decides."

# With a section asked for in the address, the others step aside; "all pairs" asks for none.
_STYLE = """
.private { background: #b3261e; color: #fff; padding: .6rem 1rem; border-radius: .6rem; font-weight: 600; }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none; }
.chips a { display: inline-block; padding: .3rem .75rem; border: 1px solid var(--line); border-radius: 1rem;
  background: var(--wash); color: var(--mark); text-decoration: none; font-size: .875rem; }
.chips a:focus-visible, .chips a:hover { border-color: var(--mark); }
.part { scroll-margin-top: 1rem; }
main:has(.part:target) .part:not(:target) { display: none; }
.pair { background: var(--wash); border-radius: .6rem; padding: .75rem; margin: 0 0 1rem; break-inside: avoid; }
.pair > p { margin: 0 0 .5rem; font-size: .875rem; }
.pair b { margin-right: .5rem; }
.pair .bad { color: #fff; background: #b3261e; border-radius: .4rem; padding: .1rem .5rem; }
.sides { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .75rem; }
.sides figure { margin: 0; }
.sides figure > div { position: relative; }
.sides img { display: block; width: 100%; height: auto; border-radius: .3rem; }
.sides svg { position: absolute; inset: 0; height: 100%; overflow: hidden; }
.sides polygon { fill: none; stroke: #ffd400; stroke-width: 2; vector-effect: non-scaling-stroke; }
.sides figcaption { font-size: .8rem; line-height: 1.35; margin-top: .35rem; overflow-wrap: anywhere; }
.sides figcaption span { color: var(--faint); font-weight: 400; }
@media (max-width: 30rem) { .sides { gap: .4rem; } .sides figcaption { font-size: .7rem; } }
"""


def page(manifest: Manifest, found: Duplicates, *, name: str, most: int = MOST) -> str:
    """The page as HTML text.

    Args:
        manifest: the table.
        found: its pairs.
        name: of the table, as it is shown.
        most: pairs shown with pictures; the rest stands in pairs.csv, and the page says so.
    """
    parts = _parts(manifest.rows, found)
    shown, left = [], most
    for key, title, told, pairs in parts:
        cards = "".join(_card(manifest.rows, pair, found) for pair in pairs[:left])
        rest = len(pairs) - min(len(pairs), left)
        left -= min(len(pairs), left)
        more = f'<p class="faint">{rest:,} more stand in pairs.csv.</p>' if rest else ""
        shown.append(
            f'<div class="part" id="{key}">'
            + section(f"{title} ({len(pairs):,})", f'<p class="faint">{escape(told)}</p>{cards}{more}')
            + "</div>"
        )
    links = "".join(
        f'<li><a href="#{key}">{escape(title)} · {len(pairs):,}</a></li>' for key, title, _, pairs in parts
    )
    body = (
        f"<style>{_STYLE}</style>"
        f'<p class="private" role="note">{escape(PRIVATE)}</p>'
        + _head(manifest, found, name)
        + f'<ul class="chips"><li><a href="#">All pairs</a></li>{links}</ul>'
        + "".join(shown)
        + _groups(manifest.rows, found.links)
    )
    return document(f"Duplicates in {name}", body, footer=AID)


def _head(manifest: Manifest, found: Duplicates, name: str) -> str:
    sizes = group_sizes(found)
    one_photo = sum(pair.kind in SAME_PHOTO for pair in found.pairs)
    numbers = [
        (f"{len(manifest.rows):,}", "images"),
        (f"{one_photo:,}", "pairs of one photo"),
        (f"{len(found.conflicts):,}", "with contradicting labels"),
        (f"{sum(size > 1 for size in sizes):,}", "groups of two or more"),
        (f"{max(sizes, default=0):,}", "images in the largest group"),
    ]
    warnings = []
    if found.unreadable:
        warnings.append(
            f"{len(found.unreadable):,} files could not be read and were compared by content alone."
        )
    if not one_photo:
        warnings.append("No two files of this table show the same photo, as far as could be found.")
    return (
        heading("Duplicates", name, f"Table of images: SHA-256 {manifest.sha256}")
        + tiles(numbers)
        + notes(warnings)
    )


def _parts(rows: Sequence[Row], found: Duplicates) -> list[tuple[str, str, str, list[Pair]]]:
    """Anchor, title, explanation and pairs of each section; a pair stands in the first that it belongs to."""
    contradicting = {(pair.first, pair.second) for pair in found.conflicts}
    sorted_out: dict[str, list[Pair]] = {}
    for pair in found.pairs:
        one, other = rows[pair.first], rows[pair.second]
        if (pair.first, pair.second) in contradicting:
            key = "contradicting"
        elif pair.kind in SAME_PHOTO and one.dataset != other.dataset:
            key = "sets"
        elif pair.kind in SAME_PHOTO and patients(one, other) == "different":
            key = "patients"
        else:
            key = pair.kind
        sorted_out.setdefault(key, []).append(pair)
    titles = {
        "contradicting": ("Contradicting labels", "One photo under labels that cannot both be true."),
        "sets": ("Across data sets", "One photo in two data sets: no split may put them on two sides."),
        "patients": ("Across patients", "One photo under two patient numbers of one data set."),
        **{kind: (f"{kind.capitalize()}, the rest", f"{told.capitalize()}.") for kind, told in KINDS.items()},
    }
    parts = [(key, *titles[key], sorted_out[key]) for key in titles if key in sorted_out]
    for key, _, _, pairs in parts:
        if key == "suspected":
            pairs.sort(key=lambda pair: -pair.similarity)
    return parts


def _card(rows: Sequence[Row], pair: Pair, found: Duplicates) -> str:
    one, other = rows[pair.first], rows[pair.second]
    first, second = small(one.path), small(other.path)
    bad = any((pair.first, pair.second) == (bad.first, bad.second) for bad in found.conflicts)
    told = [escape(pair.relation)] if pair.relation else []
    if not math.isnan(pair.similarity):
        told.append(f"similarity {pair.similarity:.2f}")
    if pair.inliers:
        told.append(f"{pair.inliers} keypoints")
    if pair.inliers and not math.isnan(pair.correlation):
        told.append(f"pixels agree {pair.correlation:.2f}")
    badge = '<b class="bad">labels contradict</b>' if bad else ""
    lines = [(outline(pair.matrix), outline(_turned(pair.matrix))) if pair.matrix else (None, None)][0]
    figures = _figure(one, first, lines[0]) + _figure(other, second, lines[1])
    if pair.matrix and first is not None and second is not None:
        figures += (
            f'<figure><div><img src="{uri(difference(first, second, pair.matrix))}" alt="difference"></div>'
            "<figcaption><span>first minus second, laid over it: flat grey = the same</span></figcaption></figure>"
        )
    return (
        f'<article class="pair"><p>{badge}<b>{escape(pair.kind)}</b>{" · ".join(told)}</p>'
        f'<div class="sides">{figures}</div></article>'
    )


def _turned(matrix: tuple[float, ...]) -> tuple[float, ...]:
    import numpy as np

    forth = np.vstack([np.reshape(matrix, (2, 3)), [0.0, 0.0, 1.0]])
    return tuple(np.linalg.inv(forth)[:2].ravel().tolist())


def _figure(row: Row, picture: object, corners: list[tuple[float, float]] | None) -> str:
    import numpy as np

    frame = ""
    if corners:
        points = " ".join(f"{100 * x:.1f},{100 * y:.1f}" for x, y in corners)
        frame = (
            '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
            f'<polygon points="{points}"/></svg>'
        )
    image = (
        f'<img src="{uri(picture)}" alt="">{frame}'
        if isinstance(picture, np.ndarray)
        else '<p class="faint">cannot be read</p>'
    )
    where = " · ".join(
        part for part in (row.dataset, row.label, f"patient {row.patient}" if row.patient else "") if part
    )
    return (
        f"<figure><div>{image}</div><figcaption>{escape(row.file)}<br><span>{escape(where)}</span>"
        "</figcaption></figure>"
    )


def _groups(rows: Sequence[Row], links: Sequence[Link]) -> str:
    if not links:
        return ""
    lines = [
        (str(link.size), rows[link.pair.first].file, rows[link.pair.second].file, link.pair.kind,
         str(link.pair.inliers or "–"), f"{link.size - link.apart} and {link.apart}")
        for link in links
    ]  # fmt: skip
    heads = ("images", "weakest pair", "", "kind", "keypoints", "falls into")
    return section(
        "The largest groups",
        '<p class="faint">What each hangs on: without its weakest pair a group falls in two. One wrong pair'
        " here ties many images together.</p>" + table("", heads, lines),
    )


def group_sizes(found: Duplicates) -> list[int]:
    """Images of each group."""
    sizes = [0] * (int(found.group.max(initial=-1)) + 1)
    for group in found.group.tolist():
        sizes[group] += 1
    return sizes
