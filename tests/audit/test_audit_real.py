"""The audit on the real images: every fault their README names is found, none of them known to the code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poxlens.audit.audit import Options, audit
from poxlens.audit.material import gather
from poxlens.data.curate.finder import shipped_finder
from poxlens.data.duplicates import find_duplicates, read_compatible
from poxlens.data.manifest import read_manifest
from poxlens.data.scan import scan

TABLE = Path(__file__).parents[2] / ".." / "shared" / "data" / "manifest.csv"

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """MSLD and MSID whole, and every sixth photo of DermNet: 1,215 files."""
    if not TABLE.exists():
        pytest.skip("needs the real images beside the checkout (../shared/data/manifest.csv)")
    manifest = read_manifest(TABLE)
    dermnet = [row for row in manifest.rows if row.dataset == "dermnet"][::6]
    rows = [row for row in manifest.rows if row.dataset in ("msld", "msid")] + dermnet
    table = replace(manifest, rows=tuple(rows))
    store = tmp_path_factory.mktemp("store")
    agree = read_compatible(["others=chickenpox,measles"], table.labels)
    seen = scan(table, store)
    pairs = find_duplicates(table, seen, compatible=agree, store=store).pairs
    finder = shipped_finder()
    return audit(
        gather(table.rows, seen, pairs),
        name="MSLD, MSID, DermNet",
        table_sha256=manifest.sha256,
        options=Options(compatible=agree, resamples=200),
        finder=lambda pixels: finder.maps(pixels)[1],
    )


@pytest.fixture(scope="module")
def codes(found):
    return {one.code: one for one in found.findings}


def test_exact_copies(codes):
    """Seven in the whole table; one of them is of the web set."""
    copies = codes["copies.exact"]
    assert copies.numbers["files"] == 6
    assert all(Path(item.name).parent == Path(item.other).parent for item in copies.items)


def test_one_photo_in_two_classes_of_msid(codes):
    within = [
        item
        for item in codes["labels.conflict"].items
        if item.name.startswith("msid/") and item.other.startswith("msid/")
    ]
    assert len(within) >= 1


def test_msld_and_msid_share_photos_one_with_the_opposite_label(codes):
    # Nine near-duplicates are listed in the README of the images; crops and re-toned copies are many more.
    assert codes["copies.sources"].numbers["msid and msld"] >= 100
    opposite = [
        item
        for item in codes["labels.conflict"].items
        if item.name.startswith("msid/") and item.other.startswith("msld/")
    ]
    assert len(opposite) >= 1


def test_each_class_but_mpox_comes_from_one_source(codes, found):
    assert {item.name for item in codes["confounded.single_source"].items} == {
        one.label for one in found.classes
    } - {"mpox"}


def test_msid_normal_is_trivially_told_apart(found):
    figures = {(one.scope, one.label, one.family): one.auroc for one in found.probes}
    assert figures["msid", "normal", "all traits"].low > 0.85
    assert figures["msid", "normal", "border"].value >= 0.75


def test_the_watermarks_of_dermnet(found, codes):
    marks = [one for one in found.findings if one.code == "mark.repeated"]
    assert {one.numbers["source"] for one in marks} == {"dermnet"}
    assert sum(one.numbers["share"] for one in marks) > 0.9
    assert "bottom left" in marks[0].title


def test_captions_on_msid_mpox_and_the_logos_of_dermnet(found):
    share = {(one.label, one.source): one.share for one in found.letters}
    assert share["mpox", "msid"].value >= 0.05
    assert share["mpox", "msld"].value < share["mpox", "msid"].value
    assert min(figure.value for (_, source), figure in share.items() if source == "dermnet") > 0.8


def test_a_random_split_would_leak(found):
    five = found.chances[0]
    assert five.any > 0.1
    assert five.person > 0.05
