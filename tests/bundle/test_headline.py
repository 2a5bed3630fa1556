"""Which figures are told first."""

from __future__ import annotations

from dataclasses import replace

from poxlens.bundle.headline import headline
from poxlens.bundle.manifest import Evidence, Figure, Interval
from poxlens.bundle.store import load


def test_details_by_class_source_and_shortcut_are_left_to_the_card(tiny_path):
    told = ["all", "dark skin", "msld rashes, strict filter", "msld, never seen in training"]
    left = [
        "all, mpox",
        "all, not mpox",
        "source web, mpox",
        "class acne",
        "shortcut: blurred",
        "b, loose filter",
    ]
    figures = [Figure("AUROC", group, Interval(0.5, 0.4, 0.6, 10)) for group in (*told, *left)]
    manifest = load(tiny_path).manifest
    changed = replace(manifest, evidence=Evidence("protocol", manifest.evidence.data_sha256, figures))
    assert [figure.group for figure in headline(changed)] == told


def test_the_target_called_not_suspected_is_told(tiny_path):
    groups = ["all, mpox", "light skin, mpox", "all, not mpox", "class mpox", "all"]
    figures = [Figure("not_suspected", group, Interval(0.1, 0.0, 0.2, 10)) for group in groups]
    manifest = load(tiny_path).manifest
    changed = replace(manifest, evidence=Evidence("protocol", manifest.evidence.data_sha256, figures))
    assert [figure.group for figure in headline(changed)] == ["all, mpox", "light skin, mpox"]
