"""The report of a curation as one HTML file: counts and plots, no photo; and a private page of thumbnails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from poxlens.data.curate.proposals import CROP, Proposal, Proposals
from poxlens.data.curate.reasons import (
    BACKGROUND,
    CROP_SKIN,
    ENLARGED,
    NO_SKIN,
    NOTES,
    REASONS,
    TOO_SMALL,
    UNREADABLE,
)
from poxlens.data.curate.thumbnails import Thumbnail
from poxlens.pages.document import document, heading, notes, section, table, tiles

PRIVATE = "This page shows photos of patients. It is for this computer alone: do not publish or send it."
AID = (
    "A screening aid, not a diagnosis; PCR decides. Proposals are automatic: look at each before it is used."
)

# Told apart by lightness too, so that a grey print and a colour-blind reader see them (Okabe & Ito 2008).
COLOURS = {
    CROP_SKIN: "#0f5c8c",
    BACKGROUND: "#e0a526",
    ENLARGED: "#7a5aa8",
    NO_SKIN: "#c8cfd6",
    TOO_SMALL: "#8a949e",
    UNREADABLE: "#a32020",
}
_BINS = 12
_MOST_NAMES = 200  # of files that could not be read; the proposals have them all


def report(proposals: Proposals) -> str:
    """The report as HTML text; it holds no image, so it may be passed on."""
    everything = proposals.proposals
    crops = [one for one in everything if one.verdict == CROP]
    unread = [one for one in everything if one.reason == UNREADABLE]
    head = heading(
        "Curation of close-ups",
        f"{len(crops):,} of {len(everything):,} images yield a crop",
        f"Table of images: SHA-256 {proposals.manifest_sha256}. Least side {proposals.least_side} px.",
    )
    head += tiles(
        [
            (f"{len(everything):,}", "images"),
            (f"{len(crops):,}", "crops proposed"),
            (f"{sum(one.reason == BACKGROUND for one in everything):,}", "no large enough square"),
            (f"{sum(one.reason == NO_SKIN for one in everything):,}", "no skin to be seen"),
            (f"{len(unread):,}", "could not be read"),
        ]
    )
    parts = [
        section("By class", _legend() + bars(_by_label(everything)) + _class_table(everything)),
        section("Sides of the crops", _sides(crops, proposals.least_side)),
        section("Avoided", _avoided(everything)),
    ]
    if unread:
        rows = [(one.file, one.sentence) for one in unread[:_MOST_NAMES]]
        told = "" if len(unread) <= _MOST_NAMES else f"The first {_MOST_NAMES} of {len(unread):,}"
        parts.append(section("Could not be read", table(told, ("file", "why"), rows, told=True)))
    return document("Curation of close-ups", head + "".join(parts), footer=AID)


def thumbnail_page(shown: Sequence[Thumbnail], total: int) -> str:
    """Thumbnails with the proposed square drawn; a private page, as its first line says."""
    told = f"{len(shown):,} of {total:,} images" if len(shown) < total else f"All {total:,} images"
    head = heading("Curation of close-ups", "Proposed crops, drawn", told) + notes([PRIVATE])
    parts = []
    for reason, meaning in REASONS.items():
        chosen = [one for one in shown if one.proposal.reason == reason]
        if chosen:
            figures = "".join(_figure(one) for one in chosen)
            parts.append(
                section(f"{meaning} ({len(chosen):,} shown)", f'<div class="thumbs">{figures}</div>')
            )
    return document("Proposed crops", f"<style>{_STYLE}</style>" + head + "".join(parts), footer=AID)


def bars(rows: Sequence[tuple[str, int, dict[str, int]]]) -> str:
    """One stacked bar a class as inline SVG: name, n, and how many images have each reason."""
    parts = []
    for place, (name, n, counts) in enumerate(rows):
        top, left = 4 + 26 * place, 128.0
        shown = name if len(name) <= 17 else name[:16] + "…"
        parts.append(f'<text x="122" y="{top + 14}" text-anchor="end">{escape(shown)}</text>')
        for reason in REASONS:
            width = 236 * counts.get(reason, 0) / n
            if width > 0:
                parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="18" fill="{COLOURS[reason]}">'
                    f"<title>{escape(name)}: {escape(REASONS[reason])}, {counts[reason]} of {n}</title></rect>"
                )
            left += width
        parts.append(f'<text class="faint" x="370" y="{top + 14}">n {n}</text>')
    return (
        f'<svg class="bars" viewBox="0 0 420 {26 * len(rows) + 8}" role="img" aria-label="Reasons by class;'
        f' the table has the numbers">{"".join(parts)}</svg>'
    )


def histogram(values: Sequence[int], low: int, *, unit: str) -> str:
    """Counts of whole numbers from `low` on as inline SVG, in at most twelve bins."""
    step = max(1, -(-(max(values) + 1 - low) // _BINS))
    edges = list(range(low, max(values) + 1 + step, step))
    counts = [sum(first <= value < after for value in values) for first, after in pairwise(edges)]
    most = max(counts)
    parts = []
    for place, (count, first, after) in enumerate(zip(counts, edges, edges[1:], strict=False)):
        x, height = 20 + place * 380 / len(counts), 120 * count / most
        width = 380 / len(counts) - 3
        parts.append(
            f'<rect x="{x:.1f}" y="{140 - height:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' fill="{COLOURS[CROP_SKIN]}"><title>{first} to {after - 1} {unit}: {count}</title></rect>'
            f'<text class="faint" x="{x + width / 2:.1f}" y="{134 - height:.1f}" text-anchor="middle">{count}</text>'
            f'<text class="faint" x="{x + width / 2:.1f}" y="156" text-anchor="middle">{first}</text>'
        )
    told = "; ".join(
        f"{first} to {after - 1} {unit}: {count}"
        for count, (first, after) in zip(counts, pairwise(edges), strict=True)
    )
    return f'<svg class="bars" viewBox="0 0 420 164" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'


def _by_label(everything: Sequence[Proposal]) -> list[tuple[str, int, dict[str, int]]]:
    found: dict[str, Counter[str]] = {}
    for one in everything:
        found.setdefault(one.label, Counter())[one.reason] += 1
    rows = [(label, counts.total(), dict(counts)) for label, counts in sorted(found.items())]
    return [("all", len(everything), dict(Counter(one.reason for one in everything))), *rows]


def _class_table(everything: Sequence[Proposal]) -> str:
    used = [reason for reason in REASONS if any(one.reason == reason for one in everything)]
    rows = [
        (name, str(n), *(f"{counts.get(reason, 0)} ({counts.get(reason, 0) / n:.0%})" for reason in used))
        for name, n, counts in _by_label(everything)
    ]
    return table("", ("class", "n", *used), rows, {1})


def _legend() -> str:
    return (
        '<p class="legend">'
        + "".join(
            f'<span><i style="background:{COLOURS[reason]}"></i>{escape(meaning)}</span>'
            for reason, meaning in REASONS.items()
        )
        + "</p>"
    )


def _sides(crops: Sequence[Proposal], least: int) -> str:
    sides = [one.box[2] for one in crops if one.box is not None]
    if not sides:
        return "<p>No crop was proposed.</p>"
    middle = sorted(sides)[len(sides) // 2]
    return f"<p>From {min(sides)} to {max(sides)} px, half of them {middle} px or more.</p>" + histogram(
        sides, least, unit="px"
    )


def _avoided(everything: Sequence[Proposal]) -> str:
    counts = Counter(note for one in everything for note in one.notes)
    rows = [(note, str(counts[note])) for note in NOTES if counts[note]]
    return (
        table("", ("what a crop kept clear of", "images"), rows) if rows else "<p>No letters, no frames.</p>"
    )


def _figure(one: Thumbnail) -> str:
    proposal = one.proposal
    box = ""
    if proposal.box is not None:
        left, top, side = proposal.box
        shares = (left / proposal.width, top / proposal.height, side / proposal.width, side / proposal.height)
        box = '<i style="left:{:.2%};top:{:.2%};width:{:.2%};height:{:.2%}"></i>'.format(*shares)
    alt = f"{proposal.label}: {REASONS[proposal.reason]}"
    return (
        f'<figure><div class="shot"><img src="{one.uri}" alt="{escape(alt)}" loading="lazy">{box}</div>'
        f"<figcaption>{escape(proposal.file)}<br>{escape(proposal.sentence)}</figcaption></figure>"
    )


_STYLE = """
.thumbs { display: grid; gap: .75rem; align-items: start; }
.thumbs { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.thumbs figure { margin: 0; background: var(--wash); border-radius: .6rem; padding: .5rem; }
.shot { position: relative; } .shot img { display: block; width: 100%; border-radius: .3rem; }
.shot i { position: absolute; border: 2px solid #fff; outline: 2px solid #0f5c8c; border-radius: 2px; }
figcaption { font-size: .75rem; font-weight: 400; color: var(--faint); }
figcaption { overflow-wrap: anywhere; margin-top: .4rem; line-height: 1.35; }
"""
