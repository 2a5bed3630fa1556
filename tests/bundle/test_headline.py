"""Which figures are told first."""

from __future__ import annotations

from dataclasses import replace

from poxlens.bundle.headline import headline
from poxlens.bundle.manifest import Evidence, Figure, Interval
from poxlens.bundle.store import load


def test_details_by_class_source_and_shortcut_are_left_to_the_card(tiny_path):
    told = ["all", "all, mpox", "dark skin", "msld rashes, strict filter", "msld, never seen in training"]
    left = ["source web, not mpox", "class acne", "shortcut: blurred", "msld rashes, loose filter"]
    figures = [Figure("AUROC", group, Interval(0.5, 0.4, 0.6, 10)) for group in (*told, *left)]
    manifest = load(tiny_path).manifest
    changed = replace(manifest, evidence=Evidence("protocol", manifest.evidence.data_sha256, figures))
    assert [figure.group for figure in headline(changed)] == told
