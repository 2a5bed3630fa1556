import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from poxlens.cli.main import main
from poxlens.data.phantom import draw, random_spec
from poxlens.files import sha256_file


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def with_gps():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    return exif


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Forty drawn photos of two classes, one class a source, and each fault once or twice."""
    root = tmp_path_factory.mktemp("audit")
    table = [("file", "label", "dataset", "patient", "width", "sha256")]
    for number in range(40):
        image = Image.fromarray(draw(random_spec(number, size=256)).image)
        label, source = ("mpox", "clinic") if number % 2 else ("acne", "web")
        name = f"photos/{number:02d}.{'jpg' if number % 2 else 'png'}"
        options = (
            {"quality": 85, "exif": with_gps()} if number == 1 else {"quality": 85} if number % 2 else {}
        )
        save(image, root / name, **options)
        table.append((name, label, source, f"p{number // 4}" if number >= 32 else "", "256", ""))
    first = Image.open(root / "photos" / "00.png")
    shutil.copy(root / "photos" / "00.png", root / "photos" / "copy.png")
    save(ImageOps.mirror(first), root / "photos" / "02_flip.png")
    save(first.crop((20, 20, 236, 236)), root / "photos" / "crop.png")
    (root / "photos" / "bad.jpg").write_bytes(b"no photo")
    table += [
        ("photos/copy.png", "acne", "web", "", "256", ""),
        ("photos/02_flip.png", "acne", "web", "", "256", ""),
        ("photos/crop.png", "mpox", "web", "", "300", ""),
        ("photos/bad.jpg", "acne", "web", "", "", ""),
        ("photos/gone.jpg", "acne", "web", "", "", ""),
        ("photos/38.png", "acne", "web", "p9", "256", "0" * 64),
    ]
    del table[39]  # 38.png is in its place further down
    with (root / "table.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(table)
    return root


@pytest.fixture(autouse=True)
def letters(monkeypatch):
    """Nothing is drawn on any photo, as far as the network can tell."""
    finder = lambda pixels: np.zeros((2, 2), np.float32)  # noqa: E731
    monkeypatch.setattr("poxlens.cli.data.audit._finder", lambda: finder)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def run(world, store, tmp_path, *arguments, table="table.csv"):
    out = tmp_path / "out"
    code = main(
        ["data", "audit", str(world / table), *map(str, arguments), "--root", str(world), "--out", str(out),
         "--store", str(store), "--resamples", "100", "--jobs", "1"]
    )  # fmt: skip
    return code, out


def test_every_planted_fault_is_found(world, store, tmp_path, capsys):
    code, out = run(world, store, tmp_path, "--json")
    printed = capsys.readouterr()
    assert code == 1  # two files could not be read
    assert "reading files (45)" in printed.err
    told = json.loads(printed.out)
    assert told == json.loads((out / "audit.json").read_text())
    found = {one["code"]: one for one in told["findings"]}
    named = {code: [(item["name"], item["other"]) for item in one["items"]] for code, one in found.items()}
    assert named["copies.exact"] == [("photos/00.png", "photos/copy.png")]
    assert named["labels.conflict"][0][1] == "photos/crop.png"
    assert named["files.unreadable"] == [("photos/bad.jpg", "")]
    assert named["files.missing"] == [("photos/gone.jpg", "")]
    assert named["files.changed"] == [("photos/38.png", "")]
    assert named["files.size"] == [("photos/crop.png", "")]
    assert ("photos/01.jpg", "") in named["personal.metadata"]
    assert found["personal.metadata"]["numbers"]["gps"] == 1
    near = {frozenset(pair) for pair in named["copies.near"]}
    assert frozenset({"photos/00.png", "photos/crop.png"}) in near
    assert frozenset({"photos/00.png", "photos/02_flip.png"}) in near
    assert {"confounded.single_source", "split.random"} <= set(found)
    known = {(item["name"], item["detail"].split(":")[0]) for item in found["confounded.traits"]["items"]}
    assert ("mpox", "JPEG quality and compression") in known
    assert told["readable"] == 43


def test_a_leaking_split_exits_1_and_a_sound_one_does_not(world, store, tmp_path, capsys):
    rows = [row for row in csv.DictReader((world / "table.csv").open()) if row["file"] not in
            ("photos/bad.jpg", "photos/gone.jpg")]  # fmt: skip
    with (world / "sound.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    together = ("photos/00.png", "photos/copy.png", "photos/02_flip.png", "photos/crop.png")
    for name, torn in (("leaks", True), ("holds", False)):
        lines = ["file,fold"]
        for number, row in enumerate(rows):
            unit = row["patient"] or ("0" if row["file"] in together and not torn else str(number))
            lines.append(f"{row['file']},{int(unit.strip('p')) % 2}")
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    code, out = run(world, store, tmp_path, tmp_path / "holds.csv", table="sound.csv")
    assert code == 0, capsys.readouterr().out
    text = capsys.readouterr().out
    assert "LEAK" not in text
    assert "There are faults to mend" in text
    code, _ = run(world, store, tmp_path, tmp_path / "leaks.csv", table="sound.csv")
    text = capsys.readouterr().out
    assert code == 1
    assert "This split leaks" in text
    told = json.loads((out / "audit.json").read_text())
    leaks = {one["code"]: one for one in told["findings"] if one["severity"] == "leak"}
    assert leaks["leak.exact"]["items"][0]["other"] == "photos/copy.png"
    assert "fold 0 | fold 1" in leaks["leak.exact"]["items"][0]["detail"]
    assert (
        run(world, store, tmp_path, tmp_path / "holds.csv", "--fail-on", "fault", table="sound.csv")[0] == 1
    )


def test_by_fingerprint_alone_whole_copies_are_found(world, store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "poxlens.data.duplicates.find.check_pairs", lambda *_, **__: pytest.fail("no file is opened again")
    )
    code, out = run(world, store, tmp_path, "--no-confirm")
    assert code == 1, capsys.readouterr().out  # two files could not be read
    findings = json.loads((out / "audit.json").read_text())["findings"]
    pairs = {one["code"]: [(item["name"], item["other"]) for item in one["items"]] for one in findings}
    assert pairs["copies.exact"] == [("photos/00.png", "photos/copy.png")]
    assert ("photos/00.png", "photos/02_flip.png") in pairs["copies.near"]
    rows = list(csv.DictReader((world / "table.csv").open()))
    kept = [
        row for row in rows if row["file"] not in ("photos/bad.jpg", "photos/gone.jpg", "photos/crop.png")
    ]
    with (world / "whole.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(kept)
    for apart, expected in ((True, 1), (False, 0)):
        lines = ["file,fold"]
        for number, row in enumerate(kept):
            unit = int(row["patient"].strip("p") or number)
            one_photo = row["file"] in ("photos/00.png", "photos/copy.png", "photos/02_flip.png")
            lines.append(f"{row['file']},{unit % 2 if apart or not one_photo else 0}")
        (tmp_path / "split.csv").write_text("\n".join(lines))
        code, out = run(world, store, tmp_path, tmp_path / "split.csv", "--no-confirm", table="whole.csv")
        assert code == expected, capsys.readouterr().out
    leaks = {one["code"] for one in json.loads((out / "audit.json").read_text())["findings"]}
    assert not {"leak.exact", "leak.near"} & leaks


def test_balance_is_judged_with_the_folds_of_the_split(world, store, tmp_path):
    """Some twenty units a class: enough for two folds, not for thirty."""
    told = {}
    for folds in (2, 30):
        rows = list(csv.DictReader((world / "table.csv").open()))
        lines = ["file,fold", *(f"{row['file']},{number % folds}" for number, row in enumerate(rows))]
        (tmp_path / "split.csv").write_text("\n".join(lines))
        _, out = run(world, store, tmp_path, tmp_path / "split.csv", "--folds", "10", "--no-confirm")
        findings = json.loads((out / "audit.json").read_text())["findings"]
        told[folds] = [one["title"] for one in findings if one["code"] == "balance.too_small"]
    assert told[2] == []
    assert "fewer independent units than 30 folds" in told[30][0]


def test_the_cleaned_table_has_none_of_the_faults(world, store, tmp_path, capsys):
    code, out = run(world, store, tmp_path, "--fix", tmp_path / "clean.csv")
    assert code == 1
    text = capsys.readouterr().out
    assert f"Cleaned: {tmp_path / 'clean.csv'}, 39 rows" in text
    assert "(--root)" in text
    reasons = {row["file"]: row["reason"] for row in csv.DictReader((tmp_path / "clean.changes.csv").open())}
    assert "label conflict" in reasons["photos/crop.png"]
    assert "unreadable.missing" in reasons["photos/gone.jpg"]
    rows = {row["file"]: row for row in csv.DictReader((tmp_path / "clean.csv").open())}
    assert rows["photos/38.png"]["sha256"] == sha256_file(world / "photos" / "38.png")
    assert rows["photos/05.jpg"]["skin_tone"] in ("light", "dark")
    shutil.copy(tmp_path / "clean.csv", world / "clean.csv")
    code, out = run(world, store, tmp_path, table="clean.csv")
    assert code == 0
    codes = {one["code"]: one["severity"] for one in json.loads((out / "audit.json").read_text())["findings"]}
    assert "leak" not in codes.values()
    assert "fault" not in codes.values()
    assert not {code for code in codes if code.startswith(("labels.", "copies."))}
    assert not {"files.missing", "files.unreadable", "files.changed", "files.size"} & set(codes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on", "note"], "--fail-on must be one of leak, fault, warning, not 'note'"),
        (["--folds", "1"], "--folds must be numbers of 2 to 1000 such as 5,10, not '1'"),
        (["--folds", "a"], "--folds must be numbers"),
        (["--fix", "clean.txt"], "a table ends in .csv or .parquet"),
        (["--jobs", "0"], "--jobs must be 1 or more, not 0"),
        (["--resamples", "1"], "--resamples must be 100 or more"),
        (["--compatible", "mpox"], "write LABEL=LABEL"),
        (["none.csv"], "splits none.csv: no such file"),
    ],
)
def test_misuse_is_named_and_exits_2(world, tmp_path, capsys, arguments, message):
    code = main(["data", "audit", str(world / "table.csv"), *arguments, "--out", str(tmp_path / "out")])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_table_itself_is_never_overwritten(world, tmp_path, capsys):
    before = (world / "table.csv").read_bytes()
    code = main(
        [
            "data",
            "audit",
            str(world / "table.csv"),
            "--fix",
            str(world / "table.csv"),
            "--out",
            str(tmp_path / "o"),
        ]
    )
    assert code == 2
    assert "is the table itself" in capsys.readouterr().err
    assert (world / "table.csv").read_bytes() == before


def test_a_table_without_a_sound_row_is_told(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("name,label\na,b\n")
    assert main(["data", "audit", str(tmp_path / "t.csv"), "--out", str(tmp_path / "o")]) == 1
    assert 'no column "file"' in capsys.readouterr().err


def test_a_table_whose_files_are_all_gone_is_audited_and_not_cleaned(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("file,label\nnone.jpg,a\nnone2.jpg,b\n")
    fix = tmp_path / "clean.csv"
    code = main(
        [
            "data",
            "audit",
            str(tmp_path / "t.csv"),
            "--out",
            str(tmp_path / "o"),
            "--fix",
            str(fix),
            "--jobs",
            "1",
        ]
    )
    said = capsys.readouterr()
    assert code == 1
    assert "2 files are not there" in said.out
    assert "Nothing would be left of the table" in said.err
    assert (tmp_path / "o" / "report.html").exists()
    assert not fix.exists()
