import re

import pytest

from poxlens.pages.bars import legend, stacked_bars
from poxlens.pages.dots import interval_dots
from poxlens.pages.heat import heat_table
from poxlens.pages.rows import LEFT, SPAN, at
from poxlens.pages.strips import spread_strips


def test_the_axis_ends_where_the_plot_does():
    assert at(0.5, 0.5, 1.0) == LEFT
    assert at(1.0, 0.5, 1.0) == LEFT + SPAN
    assert at(7.0, 0.5, 1.0) == LEFT + SPAN  # outside: at the end, not off the page
    assert at(0.75, 0.5, 1.0) == pytest.approx(LEFT + SPAN / 2)
    assert at(3.0, 3.0, 3.0) == pytest.approx(LEFT + SPAN / 2)


def test_bars_are_as_long_as_their_shares():
    shown = stacked_bars(
        [("a<b>", [("x", 0.25), ("y", 0.75), ("z", 0.0)], "n 4")],
        {"x": "#000000", "y": "#ffffff", "z": "#888888"},
        "told",
    )
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', shown)]
    assert widths == pytest.approx([SPAN / 4, SPAN * 3 / 4], abs=0.05)
    assert re.findall(r'fill="(#\w+)">(\d+%)<', shown) == [("#ffffff", "25%"), ("#1b2126", "75%")]
    assert "a&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert legend({"x": "#000000"}).count("<i ") == 1


def test_dots_have_whiskers_where_there_is_an_interval():
    rows = [("a", 0.8, 0.7, 0.9), ("b", 0.6, float("nan"), float("nan"))]
    shown = interval_dots(rows, low=0.5, high=1.0, ticks=(0.5, 1.0), told="told", line=0.75)
    assert shown.count('class="whisker"') == 1
    assert shown.count('class="dot"') == 2
    assert shown.count('class="grid"') == 2
    assert shown.count('class="diagonal"') == 1
    (whisker,) = re.findall(r'class="whisker" x1="([\d.]+)" x2="([\d.]+)"', shown)
    assert [float(x) for x in whisker] == pytest.approx([LEFT + 0.4 * SPAN, LEFT + 0.8 * SPAN], abs=0.06)


def test_strips_stand_at_their_percentiles_and_a_single_value_is_seen():
    shown = spread_strips(
        [("a", (0, 25, 50, 75, 100), "n 9"), ("b", (50, 50, 50, 50, 50), "n 1")],
        low=0,
        high=100,
        ticks=(0, 100),
        told="t",
    )
    halves = re.findall(r'class="half" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', shown)
    assert [float(width) for _, width in halves] == pytest.approx([SPAN / 2, 3.0], abs=0.06)
    middles = re.findall(r'class="median" x1="([\d.]+)"', shown)
    assert [float(x) for x in middles] == pytest.approx([LEFT + SPAN / 2] * 2, abs=0.06)


def test_heat_is_bounded_and_text_is_escaped():
    shown = heat_table("t<i>", ["x", "y", "z"], [("r&", [("1<2", 0.0), ("b", 0.5), ("c", 9.0)])], last="why")
    assert re.findall(r"--heat:([\d.]+)", shown) == ["0.50", "1.00"]
    assert "<td>1&lt;2</td>" in shown
    assert "r&amp;" in shown
    assert "<i>" not in shown
    assert shown.endswith('<p class="faint">why</p>')
