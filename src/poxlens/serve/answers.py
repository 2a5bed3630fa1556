"""From decisions and a bundle to the JSON that the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from poxlens.bundle.headline import headline
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode
from poxlens.photo.resize import crop_box
from poxlens.screen.decision import Context, Decision, combine
from poxlens.screen.stability import UNSTABLE
from poxlens.serve.advice import TITLES, class_name, next_steps
from poxlens.serve.layer import heat_layer, preview

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Interval, Manifest, OperatingPoint
    from poxlens.bundle.store import Bundle
    from poxlens.photo.decode import Photo
    from poxlens.photo.quality import QualityCheck


PREVIEW_SIDE = 512
"""Least short side of the preview of a larger photo, px."""


_NO_PICTURES = {"preview": None, "heatmap": None, "heatmap_box": None, "heatmap_warning": None}


class Screens(Protocol):
    """What the page needs of `poxlens.screen.screener.Screener`."""

    bundle: Bundle

    def screen(self, photo: bytes | Photo, *, context: Context | None = None) -> Decision:
        """The decision on one photo; one that cannot be read is a decision too."""


def answer_photo(screener: Screens, data: bytes) -> tuple[Decision, dict[str, Any]]:
    """Screen one photo.

    Args:
        screener: with the bundle.
        data: the file's bytes.

    Returns:
        The decision, and its JSON with `preview` and `heatmap` as data URLs (None where there is none),
        `heatmap_box`, the part of the preview that the map covers: left, top, width, height as shares, and
        `heatmap_warning`, what must be read beside a map that failed its own check.
    """
    start = perf_counter()
    try:
        photo = decode(data)
    except PhotoError:
        decision = screener.screen(data)  # says why it cannot be read
        return decision, {**_shown(decision), **_NO_PICTURES}
    spent = (perf_counter() - start) * 1000.0
    reduced = min(photo.width, photo.height) > min(photo.pixels.shape[:2])
    # A person looks at it: finer than what is screened.
    shown = decode(data, working_side=PREVIEW_SIDE).pixels if reduced else photo.pixels
    decision = screener.screen(photo)
    ms = {**decision.ms, "decode": spent, "total": decision.ms.get("total", 0.0) + spent}
    decision = replace(decision, ms=ms)
    height, width = photo.pixels.shape[:2]
    left, top, right, bottom = crop_box(width, height, screener.bundle.manifest.input)
    box = [left / width, top / height, (right - left) / width, (bottom - top) / height]
    heat = _heat(decision)
    pictures = {
        "preview": preview(shown),
        "heatmap": heat,
        "heatmap_box": box if heat else None,
        "heatmap_warning": UNSTABLE if heat and decision.heatmap_unstable else None,
    }
    return decision, {**_shown(decision), **pictures, "width": photo.width, "height": photo.height}


def answer_person(decisions: Sequence[Decision], context: Context | None) -> dict[str, Any]:
    """The JSON of the person's decision from those of all photos, with what to do next.

    Args:
        decisions: one or more.
        context: answers about the person.
    """
    person = combine(decisions, context=context)
    title, subtitle = TITLES[person.outcome]
    return {
        **_shown(person),
        "title": title,
        "subtitle": subtitle,
        "next": list(next_steps(person.outcome, readable=person.readable)),
    }


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """What the page tells of the model: which one it is, what it is for, how good it is and for whom."""
    manifest: Manifest = bundle.manifest
    return {
        "name": bundle.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "label": bundle.label,
        "classes": [{"code": code, "name": class_name(code)} for code in manifest.classes],
        "target": manifest.target,
        "rule_out": _point(manifest.rule_out),
        "rule_in": _point(manifest.rule_in),
        "calibration": {"ece": manifest.calibration.ece_after, "n": manifest.calibration.n},
        "conformal_coverage": 1.0 - manifest.conformal_alpha,
        "novelty_limit": manifest.gate.novelty_limit,
        "protocol": manifest.evidence.protocol,
        "figures": [
            {"name": figure.name, "group": figure.group, **_interval(figure.interval)}
            for figure in headline(manifest)
        ],
        "licence": manifest.licence,
        "intended_use": manifest.intended_use,
        "limits": list(manifest.limits),
    }


def _shown(decision: Decision) -> dict[str, Any]:
    shown = decision.to_json()
    shown["quality"] = [_check(check) for check in decision.quality]
    shown["assessed"] = decision.assessed
    shown["readable"] = decision.readable
    return shown


def _heat(decision: Decision) -> str | None:
    # A photo that was refused has a map too, but it means as little as its probabilities.
    if not decision.assessed or decision.heatmap is None:
        return None
    every = decision.heatmap if decision.heatmaps is None else decision.heatmaps
    return heat_layer(decision.heatmap, float(every.max()))


def _check(check: QualityCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "value": round(check.value, 4),
        "limit": check.limit,
        "passed": check.passed,
        "reason": check.reason,
        "advice": check.advice,
    }


def _point(point: OperatingPoint) -> dict[str, Any]:
    return {
        "threshold": point.threshold,
        "sensitivity": _interval(point.sensitivity),
        "specificity": _interval(point.specificity),
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {"value": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}
