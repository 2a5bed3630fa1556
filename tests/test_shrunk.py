"""Images made small enough to travel: sizes, names, the table, and what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import shrunk
from PIL import Image

from poxlens.data.manifest import read_manifest
from poxlens.files import sha256_file


@pytest.fixture
def table(tmp_path):
    """Three images, one of them small, and a damaged one."""
    folder = tmp_path / "photos"
    (folder / "a").mkdir(parents=True)
    for name, shape in (("a/wide.jpg", (300, 500)), ("a/high.png", (400, 200)), ("small.png", (40, 60))):
        Image.fromarray(np.full((*shape, 3), (200, 120, 90), np.uint8)).save(folder / name)
    (folder / "bad.jpg").write_bytes(b"no image")
    names = ("a/wide.jpg", "a/high.png", "small.png", "bad.jpg")
    lines = ["file,label,dataset,patient,sha256,width,height"]
    lines += [f"{name},mpox,home,p1,{'0' * 64},1,1" for name in names]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder / "manifest.csv"


def test_images_shrink_and_the_table_says_so(table, tmp_path, capsys):
    out = tmp_path / "out"
    assert shrunk.main([str(table), "--out", str(out), "--side", "100"]) == 1
    text = capsys.readouterr().out
    assert "3 images, 0.0 MB" in text
    assert "left out: bad.jpg" in text
    rows = {row.file: row for row in read_manifest(out / "manifest.csv").rows}
    sizes = {"a/wide.jpg": (167, 100), "a/high.png": (100, 200), "small.png": (60, 40)}
    assert {name: (row.width, row.height) for name, row in rows.items()} == sizes
    for name, row in rows.items():
        assert row.sha256 == sha256_file(out / name)
        assert (row.label, row.dataset, row.patient) == ("mpox", "home", "p1")
        with Image.open(out / name) as image:
            assert (image.format, image.size) == ("JPEG", sizes[name])
            assert np.abs(np.asarray(image, int) - (200, 120, 90)).max() <= 4


def test_a_name_that_leads_out_of_the_folder_is_left_out(table, tmp_path, capsys):
    (table.parent / "more").mkdir()
    other = table.parent / "more" / "manifest.csv"
    other.write_text("file,label\n../small.png,mpox\n../a/high.png,mpox\n")
    (table.parent / "more" / "in.png").write_bytes((table.parent / "small.png").read_bytes())
    other.write_text(other.read_text() + "in.png,mpox\n")
    before = sorted(tmp_path.rglob("*.png"))
    assert shrunk.main([str(other), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out.count("leads out of the folder") == 2
    assert sorted(tmp_path.rglob("*.png")) == sorted([*before, tmp_path / "out" / "in.png"])


def test_the_images_themselves_are_not_overwritten(table, capsys):
    with pytest.raises(SystemExit) as stopped:
        shrunk.main([str(table), "--out", str(table.parent)])
    assert stopped.value.code == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_a_table_that_is_not_there_is_misuse(tmp_path, capsys):
    assert shrunk.main([str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "none.csv" in capsys.readouterr().err
