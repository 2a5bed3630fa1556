"""The report holds counts and no photo; the private page says that it is one."""

from __future__ import annotations

import re

import pytest

from poxlens.data.curate.page import PRIVATE, histogram, report, thumbnail_page
from poxlens.data.curate.run import curate
from poxlens.data.curate.thumbnails import choose, thumbnail


@pytest.fixture
def proposals(small_table, tmp_path, colour_finder):
    return curate(small_table, tmp_path / "out", least_side=200, finder=colour_finder)


def test_the_report_counts_and_names_but_shows_no_photo(proposals):
    page = report(proposals)
    assert "3 of 7 images yield a crop" in page
    assert "b/torn.png" in page
    assert "<img" not in page
    assert "data:image" not in page
    assert re.search(r"<th scope=\"row\">b</th><td>5</td><td>1 \(20%\)</td>", page)


def test_the_private_page_says_so_and_draws_the_box(proposals, small_table):
    shown = [thumbnail(one, small_table.root) for one in choose(proposals, 100)]
    page = thumbnail_page(shown, 7)
    assert PRIVATE in page
    assert page.count("<img") == 6  # all but the one that cannot be read
    assert page.count('<i style="left:') == 3
    assert "http" not in page.replace("http-equiv", "")


def test_thumbnails_are_spread_over_reasons_and_classes(proposals):
    assert [one.file for one in choose(proposals, 5)] == [
        "a/left.png", "b/left.png", "b/strip.png", "b/wall.png", "b/small.png",
    ]  # fmt: skip


def test_a_file_gone_since_has_no_thumbnail(proposals, small_table):
    small_table.rows[0].path.unlink()
    assert thumbnail(proposals.proposals[0], small_table.root) is None


@pytest.mark.parametrize("values", [[96], [96, 97], list(range(96, 480, 7))])
def test_every_value_is_in_one_bin(values):
    drawn = histogram(values, 96, unit="px")
    counts = [int(one) for one in re.findall(r"px: (\d+)</title>", drawn)]
    assert sum(counts) == len(values)
    assert len(counts) <= 13
