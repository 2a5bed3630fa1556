import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from poxlens.evaluate.calibration import Bin
from poxlens.evaluate.plots import outcome_bars, reliability_plot, roc_plot

SHARES = [("refer", 0.25), ("uncertain", 0.5), ("not_suspected", 0.25), ("cannot_assess", 0.0)]


def test_bars_are_as_long_as_their_shares_and_lie_end_to_end():
    drawn = ElementTree.fromstring(outcome_bars([("mpox", 8, SHARES)]))
    bars = [(float(bar.get("x")), float(bar.get("width"))) for bar in drawn.iter("rect")]
    assert len(bars) == 3
    whole = sum(width for _, width in bars)
    assert [width / whole for _, width in bars] == pytest.approx([0.25, 0.5, 0.25], abs=0.002)
    for (x, width), (after, _) in pairwise(bars):
        assert x + width == pytest.approx(after, abs=0.11)
    assert next(drawn.iter("title")).text == "mpox: refer 25% of 8"


def test_names_cannot_become_markup():
    nasty = '<script>alert("x")</script>&'
    text = outcome_bars([(nasty, 3, SHARES)])
    assert "<script" not in text
    assert nasty in "".join(title.text or "" for title in ElementTree.fromstring(text).iter("title"))
    assert "<b>" not in roc_plot([(0, 0), (1, 1)], [("<b>", 0.1, 0.9)])


def test_roc_goes_from_corner_to_corner_without_needless_points():
    curve = [(0.0, 0.0), (0.0, 0.25), (0.0, 0.5), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0)]
    drawn = ElementTree.fromstring(roc_plot(curve, [("rule-out", 0.5, 1.0)]))
    points = [
        tuple(map(float, pair.split(","))) for pair in next(drawn.iter("polyline")).get("points").split()
    ]
    assert len(points) == 3
    (left, bottom), corner, (right, top) = points
    assert (right - left, bottom - top) == pytest.approx((236, 236), abs=0.2)
    assert corner == pytest.approx((left, top), abs=0.2)
    dot = next(drawn.iter("circle"))
    assert float(dot.get("cx")) == pytest.approx((left + right) / 2, abs=0.2)
    assert float(dot.get("cy")) == pytest.approx(top, abs=0.2)
    assert "sensitivity 1.00, specificity 0.50" in drawn.get("aria-label")


def test_reliability_dots_stand_at_their_shares_with_an_interval_around_them():
    bins = [Bin(0.0, 0.2, 40, 0.1, 0.05), Bin(0.6, 1.0, 10, 0.8, 1.0)]
    drawn = ElementTree.fromstring(reliability_plot(bins))
    first, second = drawn.iter("circle")
    assert float(first.get("cx")) == pytest.approx(46 + 236 * 0.1, abs=0.1)
    assert float(first.get("cy")) == pytest.approx(12 + 236 * 0.95, abs=0.1)
    assert float(first.get("r")) > float(second.get("r"))
    whiskers = [line for line in drawn.iter("line") if line.get("class") == "whisker"]
    assert float(whiskers[0].get("y2")) < float(first.get("cy")) < float(whiskers[0].get("y1"))
    assert float(whiskers[1].get("y2")) == pytest.approx(float(second.get("cy")))


def test_plots_ask_for_nothing_outside():
    text = outcome_bars([("a", 1, SHARES)]) + roc_plot([(0, 0), (1, 1)], []) + reliability_plot([])
    assert not re.search(r"https?:|href|url\(|<image|<script", text)
