import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.manifest import read_manifest
from poxlens.data.splits import read_official

REAL = Path(__file__).parents[3] / "../shared/data"


def pictures(root: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).save(root / name)
    return root


def run(capsys, *words: object) -> tuple[int, str, str]:
    code = main(["data", "import", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_sound_folder_is_written_and_exits_0(tmp_path, capsys):
    pictures(tmp_path / "photos", "train/a/1.jpg", "train/b/2.jpg", "test/b/3.jpg")
    out = tmp_path / "t.parquet"
    code, text, err = run(
        capsys, "folder", tmp_path / "photos", "--out", out, "--dataset", "clinic", "--map", "b=mpox"
    )
    assert code == 0
    assert "folder: 3 of 3 images imported" in text
    assert "No fault found; nothing was published to compare it with." in text
    assert err == "reading files (3)\n"
    manifest = read_manifest(out)
    assert [(row.file, row.label, row.dataset) for row in manifest.rows] == [
        ("photos/test/b/3.jpg", "mpox", "clinic"),
        ("photos/train/a/1.jpg", "a", "clinic"),
        ("photos/train/b/2.jpg", "mpox", "clinic"),
    ]
    assert f"Written: {out} (SHA-256 {manifest.sha256[:12]}…)" in text
    (official,) = read_official(tmp_path / "t.official.csv", manifest)
    assert official.parts == {"train": [1, 2], "val": [], "test": [0]}


def test_official_splits_of_an_earlier_import_are_told(tmp_path, capsys):
    pictures(tmp_path / "s", "a/1.jpg")
    (tmp_path / "m.official.csv").write_text("file,split,part\n")
    _, text, _ = run(capsys, "folder", tmp_path / "s", "--out", tmp_path / "m.csv")
    assert "m.official.csv is from before and does not belong to this table: remove it." in text


def test_deviations_exit_1_and_are_told_in_text_and_json(tmp_path, capsys):
    pictures(tmp_path / "s", "Monkeypox/monkeypox1.png", "Measles/measles1.png", "Normal/normal1.png")
    code, text, _ = run(capsys, "msid", tmp_path / "s", "--out", tmp_path / "m.csv", "--limit", 1)
    assert code == 1
    assert "  class chickenpox (folder Chickenpox) has no image." in text.splitlines()
    assert "published 279" in text
    assert "more: 767 files that are not there" in text
    assert len(read_manifest(tmp_path / "m.csv").rows) == 3
    code, text, _ = run(capsys, "msid", tmp_path / "s", "--check-only", "--json", "--limit", 2)
    told = json.loads(text)
    assert code == 1
    assert (told["as_published"], told["imported"], told["manifest"]) == (False, 3, None)
    assert len(told["faults"]) == 2
    assert told["faults_by_kind"]["missing"]["n"] == 767
    assert told["faults_by_kind"]["count"]["n"] == 5
    assert told["faults_by_kind"]["sha256"]["n"] == 3


def test_check_only_writes_nothing(tmp_path, capsys):
    pictures(tmp_path / "photos", "a/1.jpg")
    code, text, _ = run(capsys, "folder", tmp_path / "photos", "--check-only", "--out", tmp_path / "m.csv")
    assert code == 0
    assert "Written" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_table_is_checked_row_by_row(tmp_path, capsys):
    pictures(tmp_path / "images", "1.jpg", "2.jpg")
    table = tmp_path / "table.csv"
    table.write_text("file,label\n1.jpg,mpox\n2.jpg,mpox\ngone.jpg,mpox\n")
    out = tmp_path / "out/m.csv"
    code, text, _ = run(capsys, "csv", table, "--images", tmp_path / "images", "--out", out)
    assert code == 1
    assert '  row 4, column "file": gone.jpg is not there.' in text.splitlines()
    assert [row.file for row in read_manifest(out).rows] == ["../images/1.jpg", "../images/2.jpg"]
    table.write_text("image,label\n1.jpg,mpox\n")
    code, _, err = run(capsys, "csv", table, "--out", tmp_path / "n.csv")
    assert code == 2
    assert 'row 1: no column "file"; found: image, label; rename "image" to "file"?' in err
    assert not (tmp_path / "n.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("folder", "photos"), "name the table to write with --out, or --check-only"),
        (("folder", "photos", "--out", "m.xlsx"), "must end in .csv or .parquet"),
        (("folder", "none", "--out", "m.csv"), "none: no such folder"),
        (("csv", "none.csv", "--out", "m.csv"), "none.csv: no such file"),
        (("msid", "photos", "--out", "m.csv"), "photos: this is not msid: only 0 of 1 images"),
        (("msix", "photos", "--out", "m.csv"), "no set 'msix'; did you mean msid?"),
        (("msid", "photos", "--out", "m.csv", "--map", "a=b"), "--map is for folder and csv"),
        (("folder", "photos", "--out", "m.csv", "--map", "a"), "write LABEL=CLASS"),
        (("folder", "photos", "--out", "m.csv", "--images", "x"), "--images is for csv"),
        (("csv", "t.csv", "--out", "t.csv"), "is the table itself"),
        (("csv", "photos", "--check-only"), "cannot be read: Is a directory"),
        (("folder", "t.csv", "--check-only"), "is a file, not a folder"),
        (("folder", "photos", "--out", "m.csv", "--workers", "0"), "workers"),
    ],
)
def test_misuse_exits_2_and_writes_nothing(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "photos", "a/1.jpg")
    (tmp_path / "t.csv").write_text("file,label\nphotos/a/1.jpg,a\n")
    code, out, err = run(capsys, *words)
    assert code == 2
    assert message in err
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "t.csv"]


def test_nothing_readable_writes_nothing_and_exits_1(tmp_path, capsys):
    (tmp_path / "s/a").mkdir(parents=True)
    (tmp_path / "s/a/1.jpg").write_bytes(b"no image")
    code, text, _ = run(capsys, "folder", tmp_path / "s", "--out", tmp_path / "m.csv")
    assert code == 1
    assert "Nothing to write." in text
    assert "a/1.jpg: This is not an image" in text
    assert not (tmp_path / "m.csv").exists()


def test_a_full_disk_exits_1_with_one_line_and_nothing_written(tmp_path, monkeypatch, capsys):
    pictures(tmp_path / "s", "train/a/1.jpg", "test/a/2.jpg")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = run(capsys, "folder", tmp_path / "s", "--out", tmp_path / "o/m.csv")
    assert code == 1
    assert err.splitlines()[-1] == "poxlens: No space left on device"
    assert out == ""
    assert list((tmp_path / "o").iterdir()) == []


@pytest.mark.real_data
def test_the_real_table_goes_through_and_its_rows_are_kept(tmp_path, capsys):
    table = REAL / "manifest.csv"
    if not table.exists():
        pytest.skip("the real images are not beside the checkout")
    out = tmp_path / "m.parquet"
    code, text, _ = run(capsys, "csv", table, "--out", out, "--root", REAL, "--json")
    told = json.loads(text)
    assert (code, told["imported"], told["seen"], told["faults"]) == (0, 5391, 5391, [])
    rows = read_manifest(out, root=REAL).rows
    assert rows == read_manifest(table).rows
