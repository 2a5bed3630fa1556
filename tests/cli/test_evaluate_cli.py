import csv
import importlib.util
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main

spec = importlib.util.spec_from_file_location(
    "tiny_bundle_for_evaluate_cli", Path(__file__).parents[1] / "bundle" / "tiny.py"
)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

# With this head the redder photo is the likelier mpox: mean red 240 refer, 205 uncertain, 130 not suspected.
BIAS = [-6.0, 0, 0, 0, 0, 0, 4.0]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A bundle, 36 photos of 18 persons whose redness is their truth, a third each, and a table."""
    root = tmp_path_factory.mktemp("world")
    tiny.build(root / "bundle", onnx_bytes=tiny.model(bias=BIAS, gain=12.0))
    lines = ["file,dataset,label,patient"]
    for number in range(36):
        colour = ((240, 190, 170), (205, 160, 140), (130, 95, 80))[number % 3]
        name = f"photos/{number}.png"
        (root / "photos").mkdir(exist_ok=True)
        Image.fromarray(tiny.patch(number, 220, colour)).save(root / name)
        label = ("monkeypox", "acne", "eczema")[number % 3]
        lines.append(f"{name},{'clinic' if number // 6 % 2 else 'web'},{label},p{number // 6}-{number % 3}")
    (root / "table.csv").write_text("\n".join(lines))
    return root


def run(world, tmp_path, *options, table="table.csv", bundle="bundle"):
    out = tmp_path / "out"
    return main(
        [
            "evaluate",
            str(world / bundle),
            str(world / table),
            "--out",
            str(out),
            "--resamples",
            "200",
            *options,
        ]
    ), out


def test_figures_follow_from_the_photos(world, tmp_path, capsys):
    code, out = run(world, tmp_path, "--map", "monkeypox=mpox", "--json")
    printed = capsys.readouterr()
    assert code == 0
    assert printed.err == ""
    found = json.loads(printed.out)
    assert found == json.loads((out / "evaluation.json").read_text())
    everything = found["photos"][0]
    assert (everything["n"], everything["positives"]) == (36, 12)
    assert {name: one["value"] for name, one in everything["outcomes"].items()} == pytest.approx(
        {"refer": 1 / 3, "uncertain": 1 / 3, "not_suspected": 1 / 3, "cannot_assess": 0}
    )
    assert everything["figures"]["AUROC"]["value"] == 1.0
    assert everything["figures"]["sensitivity, uncertain missed"]["value"] == 1.0
    assert everything["figures"]["specificity, uncertain flagged"]["value"] == 0.5
    assert everything["figures"]["sensitivity, uncertain missed"]["too_few"] is True  # 12 photos of 6 persons
    assert found["persons"][0]["n"] == 18
    assert {one["name"] for one in found["photos"] if one["kind"] == "source"} == {"clinic", "web"}
    assert [(point["threshold"], point["measured"][0]["value"]) for point in found["points"]] == [
        (0.1, 1.0),
        (0.5, 1.0),
    ]
    assert any('"eczema" (12) is no class' in note for note in found["notes"])


def test_the_predictions_file_holds_every_photo(world, tmp_path):
    _, out = run(world, tmp_path, "--positive", "monkeypox")
    rows = list(csv.DictReader((out / "predictions.csv").open(newline="")))
    assert [row["file"] for row in rows] == [f"photos/{number}.png" for number in range(36)]
    assert {row["class"] for row in rows} == {"mpox", "acne", ""}
    for row in rows:
        assert np.sum([float(row[f"p_{name}"]) for name in tiny.CLASSES]) == pytest.approx(1)
        assert (
            row["outcome"]
            == {"monkeypox": "refer", "acne": "uncertain", "eczema": "not_suspected"}[row["label"]]
        )


def test_terminal_table_says_what_stands_on_too_few(world, tmp_path, capsys):
    code, out = run(world, tmp_path, "--map", "monkeypox=mpox")
    text = capsys.readouterr().out
    assert code == 0
    assert re.search(r"sensitivity, uncertain missed +12 of 12 +6 of 6", text)
    assert re.search(
        r"rule-out \(p ≥ 0\.1\) +sensitivity +96 % \[93–98\] +12 of 12 +too few cases \(6, 10 are needed\)",
        text,
    )
    assert "A screening aid, not a diagnosis. PCR decides." in text
    assert str(out / "report.html") in text


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


def test_page_stands_alone_and_shows_no_photo(world, tmp_path):
    _, out = run(world, tmp_path, "--map", "monkeypox=mpox")
    text = (out / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert names.count("svg") == 3
    assert not {"script", "img", "image", "link", "iframe", "object"} & set(names)
    assert all(not {"src", "href", "style"} & set(attrs) for tag, attrs in page.tags if tag != "i")
    assert not re.search(r"https?://|@import|url\(|base64", text)
    assert "default-src 'none'" in text
    for said in (
        "12 of 12",
        "too few cases (6, 10 are needed)",
        "not suspected",
        "eczema (no class of the bundle)",
    ):
        assert said in text


def test_unreadable_files_are_counted_and_listed_and_the_rest_goes_on(world, tmp_path, capsys):
    text = (world / "table.csv").read_text()
    (world / "bad.jpg").write_bytes(b"no photo")
    (world / "worse.csv").write_text(text + "\nbad.jpg,web,acne,x\nnone<b>.jpg,web,acne,y\n")
    code, out = run(world, tmp_path, table="worse.csv")
    shown = capsys.readouterr().out
    assert code == 1
    assert "Not read: bad.jpg (unreadable.not_an_image)" in shown
    assert "Not read: none<b>.jpg (unreadable.missing)" in shown
    found = json.loads((out / "evaluation.json").read_text())
    assert (found["n"], found["photos"][0]["n"], len(found["unreadable"])) == (38, 36, 2)
    page = (out / "report.html").read_text()
    assert "none&lt;b&gt;.jpg" in page
    assert "none<b>" not in page


def test_two_runs_agree_to_the_byte_but_for_the_milliseconds(world, tmp_path):
    _, one = run(world, tmp_path / "1", "--map", "monkeypox=mpox", "--workers", "1")
    _, two = run(world, tmp_path / "2", "--map", "monkeypox=mpox", "--workers", "2")
    assert (one / "evaluation.json").read_bytes() == (two / "evaluation.json").read_bytes()
    assert (one / "report.html").read_bytes() == (two / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "monkeypox"], "write LABEL=CLASS"),
        (["--map", "=mpox"], "write LABEL=CLASS"),
        (["--map", "monkypox=mpox"], "no row has the label monkypox; labels: acne, eczema, monkeypox"),
        (["--map", "eczema=dermatitis"], "no class dermatitis in this bundle; classes: mpox, chickenpox"),
        (["--map", "eczema=acne", "--map", "eczema=mpox"], "eczema is said to mean acne already"),
        (["--positive", "chickenpox"], "chickenpox is a class of its own"),
        (["--positive", "pox"], "no row has the label pox"),
        (["--workers", "0"], "--workers must be 1 or more, not 0"),
        (["--resamples", "1"], "--resamples must be 100 or more, not 1"),
        (["--root", "/nowhere-at-all"], "--root /nowhere-at-all: no such folder"),
        (["--speed", "9"], "no such option"),
    ],
)
def test_misuse_is_named_and_exits_2(world, tmp_path, capsys, options, message):
    code, out = run(world, tmp_path, *options)
    assert code == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert not out.exists()


def test_what_is_not_there_or_no_table(world, tmp_path, capsys):
    assert run(world, tmp_path, table="none.csv")[0] == 2
    assert "none.csv: no such file" in capsys.readouterr().err
    assert run(world, tmp_path, bundle="none")[0] == 2
    assert "no such folder or file" in capsys.readouterr().err
    (world / "odd.csv").write_text("name,label\na,b\n")
    assert run(world, tmp_path, table="odd.csv")[0] == 1
    said = capsys.readouterr().err
    assert 'odd.csv, row 1: no column "file"' in said
    assert said.count("\n") == 1


def test_a_folder_elsewhere_holds_the_photos(world, tmp_path):
    table = tmp_path / "elsewhere.csv"
    table.write_text("file,label\n0.png,mpox\n1.png,acne\n")
    code = main(
        [
            "evaluate",
            str(world / "bundle"),
            str(table),
            "--root",
            str(world / "photos"),
            "--out",
            str(tmp_path / "o"),
        ]
    )
    assert code == 0
