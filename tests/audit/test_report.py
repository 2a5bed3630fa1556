import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from poxlens.audit.audit import Options, audit
from poxlens.audit.finding import Finding, Item, gravest_first, reaches
from poxlens.audit.folds import Assignment
from poxlens.audit.page import page
from poxlens.audit.record import FORMAT, text
from poxlens.audit.terminal import show


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def found(make, a_row, a_pair):
    """Sixty images of three classes in two sources; a hostile file name; two leaks."""
    rng = np.random.default_rng(0)
    rows = [a_row(f"{n}<b>.jpg", "abc"[n % 3], dataset="xy"[n % 3 == 2]) for n in range(90)]
    traits = {"log_sharpness": 2 + (np.arange(90) % 3 == 0) + rng.normal(0, 0.2, 90)}
    personal = [("gps",)] + [()] * 89
    material = make(rows, [a_pair(0, 3), a_pair(1, 4, "near")], traits=traits, personal=personal)
    assignment = Assignment("repeat 1", np.arange(90) // 2 % 5, tuple(f"fold {n}" for n in range(1, 6)))
    return audit(
        material,
        name="t<i>able.csv",
        table_sha256="0" * 64,
        options=Options(resamples=200),
        assignments=[assignment],
        split="splits.json",
        finder=lambda pixels: np.zeros((1, 1), np.float32),
    )


def test_all_checks_have_spoken(found):
    codes = {one.code for one in found.findings}
    assert {
        "leak.confirmed",
        "leak.near",
        "copies.near",
        "confounded.single_source",
        "personal.metadata",
    } <= codes
    assert "split.random" not in codes
    severities = [one.severity for one in found.findings]
    assert severities == sorted(severities, key=["leak", "fault", "warning", "note"].index)
    assert (found.images, found.readable, found.units) == (90, 90, 88)
    assert found.by_source.tolist() == [[30, 0], [30, 0], [0, 30]]
    traits = next(one for one in found.findings if one.code == "confounded.traits")
    assert {item.name for item in traits.items} >= {"a"}


def test_the_json_holds_everything(found):
    told = json.loads(text(found))
    assert told["format"] == FORMAT == "poxlens-audit/1"
    assert told["counts"] == found.counts()
    assert [one["code"] for one in told["findings"]] == [one.code for one in found.findings]
    assert told["classes"][0]["by_source"] == {"x": 30, "y": 0}
    assert told["classes"][0]["dark_share"]["value"] == 0
    assert {one["family"] for one in told["probes"]} >= {"sharpness", "source", "all traits"}
    leak = next(one for one in told["findings"] if one["code"] == "leak.confirmed")
    assert leak["items"][0]["name"] == "0<b>.jpg"
    assert leak["items"][0]["other"] == "3<b>.jpg"


def test_the_page_stands_alone_and_lets_no_markup_through(found):
    shown = page(found)
    read = Page()
    read.feed(shown)
    assert read.open == []
    names = [tag for tag, _ in read.tags]
    assert not {"script", "img", "image", "link", "iframe", "object", "b0"} & set(names)
    assert all(not {"src", "href", "onclick"} & set(attrs) for _, attrs in read.tags)
    assert not re.search(r"https?://|@import|url\(|base64", shown)
    assert "0&lt;b&gt;.jpg" in shown
    assert "<i>able" not in shown
    assert names.count("svg") == 2 + 4 + 1  # dots of all traits and of the source, four spreads, tones
    assert "This split leaks: figures measured on it are too high." in shown
    assert "Repeat" not in shown.split("<h2>")[0]
    assert "If this table were split at random" not in shown


def test_the_page_without_a_split_or_a_fault(make, a_row):
    rows = [a_row(f"{n}.jpg", "ab"[n % 2]) for n in range(120)]
    ita = np.where(np.arange(120) // 2 % 2, -20, 40).astype(np.float32)
    clean = audit(make(rows, ita=ita), name="t", table_sha256="0" * 64, options=Options(resamples=200))
    assert clean.findings == ()
    shown = page(clean)
    assert "If this table were split at random" in shown
    assert "No leak, no fault, no warning." in shown


def test_the_terminal_tells_the_same(found):
    from io import StringIO

    from rich.console import Console

    stream = StringIO()
    show(found, Console(file=stream, width=140))
    told = stream.getvalue()
    assert "90 images and the split splits.json, 88 independent units, 3 classes, 2 sources" in told
    assert "0<b>.jpg ↔ 3<b>.jpg" in told
    for one in found.findings:
        assert one.title[:60] in told
    assert "PCR decides" in told


def test_severities():
    note, leak = Finding("a", "note", "", ""), Finding("b", "leak", "", "", (Item("x"),))
    assert gravest_first([note, leak]) == (leak, note)
    assert reaches([leak], "warning")
    assert not reaches([note], "warning")
    with pytest.raises(ValueError, match="severity must be one of leak, fault, warning, note, not 'bad'"):
        Finding("c", "bad", "", "")
