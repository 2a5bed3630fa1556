from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.data.manifest import Row, read_manifest
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import ManifestError, SplitError, TrainingError
from poxlens.files import sha256_bytes, sha256_file
from poxlens.photo.decode import decode
from poxlens.photo.resize import InputRule
from poxlens.train.contrastive.kept import keep_images
from poxlens.train.contrastive.pool import Asked, check_unseen, learnt_hashes, read_pool
from poxlens.train.images import Harmonise


@pytest.fixture
def folder(tmp_path):
    """Ten images: 0 and 1 of one patient, 2 and 3 near-duplicates, 5 a copy of 4, 9 damaged."""
    lines = ["file,label,dataset,patient"]
    for number in range(10):
        path = tmp_path / f"{number}.png"
        Image.fromarray(draw(random_spec(number, size=64)).image).save(path)
        patient = "7" if number < 2 else ""
        lines.append(
            f"{number}.png,{'mpox' if number % 2 else 'normal'},{'a' if number < 8 else 'b'},{patient}"
        )
    (tmp_path / "5.png").write_bytes((tmp_path / "4.png").read_bytes())
    (tmp_path / "9.png").write_bytes(b"no image")
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "groups.csv").write_text("file,group\n2.png,g\n3.png,g\n")
    return tmp_path


def table(folder, *numbers):
    path = folder / "tested.csv"
    path.write_text("file,label,dataset,patient\n" + "".join(
        f"{number}.png,mpox,a,{'7' if number < 2 else ''}\n" for number in numbers
    ))  # fmt: skip
    return path


def names(rows):
    return [row.file.removesuffix(".png") for row in rows]


def test_what_shares_hash_patient_or_group_with_the_tested_is_left_out(folder):
    asked = Asked((folder / "all.csv",), folder / "groups.csv", exclude=(table(folder, 0, 2, 4),))
    seen = []
    pool = read_pool(asked, advance=seen.append)
    assert names(pool.learnt) == ["6", "7", "8", "9"]
    why = {one.file: one.why for one in pool.excluded if one.why != "named"}
    assert why == {
        "0.png": "the same file as an excluded one",
        "1.png": "of the group of an excluded one: a/7",
        "2.png": "the same file as an excluded one",
        "3.png": "of the group of an excluded one: g",
        "4.png": "the same file as an excluded one",
        "5.png": "the same file as an excluded one",
    }
    assert pool.skipped == ()
    assert names(pool.watched) == ["0", "2", "4"]
    assert len(seen) == 10


def test_without_groups_only_hash_and_patient_count(folder):
    pool = read_pool(Asked((folder / "all.csv",), exclude=(table(folder, 0, 2),)))
    assert names(pool.learnt) == ["3", "4", "6", "7", "8", "9"]
    copies = [one.file for one in pool.excluded if one.why == "the same file as another of the pool"]
    assert copies == ["5.png"]


def test_rows_of_the_sources_can_be_named(folder):
    asked = Asked((folder / "all.csv",), exclude_rows=({"dataset": "a", "label": "mpox"}, {"dataset": "b"}))
    pool = read_pool(asked)
    assert names(pool.learnt) == ["2", "6"]  # 0 shares the patient of 1, and 4 the bytes of 5
    assert names(pool.watched) == ["1", "3", "5", "7", "8", "9"]
    with pytest.raises(TrainingError, match="no image fits dataset=c"):
        read_pool(Asked((folder / "all.csv",), exclude_rows=({"dataset": "c"},)))


def test_the_monitor_s_own_images_are_not_learnt_from(folder):
    asked = Asked((folder / "all.csv",), exclude_rows=({"dataset": "b"},), watch=(table(folder, 6, 7),))
    pool = read_pool(asked)
    assert names(pool.learnt) == ["0", "1", "2", "3", "4"]
    assert names(pool.watched) == ["6", "7"]


def test_folders_need_no_table_and_give_no_labels_to_watch(folder):
    (folder / "more").mkdir()
    for number in (4, 6):
        (folder / "more" / f"x{number}.png").write_bytes((folder / f"{number}.png").read_bytes())
    pool = read_pool(Asked((folder / "more",), exclude=(table(folder, 6),)))
    assert [row.file for row in pool.learnt] == ["more/x4.png"]
    (folder / "empty").mkdir()
    with pytest.raises(ManifestError, match="no image in this folder"):
        read_pool(Asked((folder / "empty",)))


def test_missing_files_are_named_and_the_rest_goes_on(folder):
    (folder / "8.png").unlink()
    pool = read_pool(Asked((folder / "all.csv",)))
    assert [(one.file, one.why) for one in pool.skipped] == [
        ("8.png", "cannot be read: No such file or directory")
    ]
    assert "8" not in names(pool.learnt)


def test_an_excluded_image_that_cannot_be_hashed_stops_the_run(folder):
    tested = table(folder, 0, 6)
    (folder / "6.png").unlink()
    with pytest.raises(TrainingError, match=r"6\.png is to be excluded, but is neither there"):
        read_pool(Asked((folder / "all.csv",), exclude=(tested,)))


def test_groups_of_another_table_are_refused(folder):
    (folder / "groups.csv").write_text("file,group\nz.png,g\n")
    with pytest.raises(SplitError, match="names none"):
        read_pool(Asked((folder / "all.csv",), folder / "groups.csv"))


def test_nothing_left_is_told(folder):
    with pytest.raises(TrainingError, match="no image is left"):
        read_pool(Asked((folder / "all.csv",), exclude=(folder / "all.csv",)))


def test_what_was_learnt_from_is_recorded_and_checked(folder, tmp_path):
    pool = read_pool(Asked((folder / "all.csv",), exclude=(table(folder, 0),)))
    out = tmp_path / "out"
    pool.write(out)
    rows = list(csv.DictReader(io.StringIO((out / "pool.csv").read_text())))
    assert [row["file"] for row in rows] == [row.file for row in pool.learnt]
    assert pool.sha256 == sha256_bytes((out / "pool.csv").read_bytes())
    assert learnt_hashes(out) == {sha256_file(folder / f"{n}.png") for n in names(pool.learnt)}
    tested = read_manifest(table(folder, 0)).rows
    check_unseen(out / "encoder.safetensors", tested)
    with pytest.raises(TrainingError, match=r"learnt from 1 of the tested images \(4\.png\)"):
        check_unseen(out, (*tested, *read_manifest(table(folder, 4)).rows))
    (out / "pool.csv").write_text("file,sha256\na,\n")
    with pytest.raises(TrainingError, match="does not tell"):
        learnt_hashes(out)


def test_damaged_images_leave_no_gap(folder, tmp_path):
    rows = read_pool(Asked((folder / "all.csv",))).learnt
    spoilt = (rows[-1], *rows[:-1])  # the damaged one first
    pixels, faults = keep_images(spoilt, tmp_path / "c", 32, name="x")
    assert pixels.shape == (len(rows) - 1, 32, 32, 3)
    assert list(faults) == [folder / "9.png"]
    expected = Harmonise(InputRule(32)).image(decode(folder / "0.png").pixels, "a")
    assert np.array_equal(pixels[0], expected)
    assert not pixels.flags.writeable
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["x.json", "x.npy"]
    written = (tmp_path / "c" / "x.npy").stat().st_mtime_ns
    again, same = keep_images(spoilt, tmp_path / "c", 32, name="x")
    assert np.array_equal(again, pixels)
    assert same == faults
    assert (tmp_path / "c" / "x.npy").stat().st_mtime_ns == written
    other = [replace(row, sha256="0" * 64) for row in spoilt]
    keep_images(other, tmp_path / "c", 32, name="x")
    assert (tmp_path / "c" / "x.npy").stat().st_mtime_ns != written
    pool = read_pool(Asked((folder / "all.csv",))).without(faults)
    assert "9" not in names(pool.learnt)
    assert [one.file for one in pool.skipped] == ["9.png"]
    assert isinstance(pool.learnt[0], Row)


@pytest.mark.real_data
def test_nothing_of_the_eight_classes_is_learnt_from():
    """Against the list of groups read a second way: by file name and SHA-256, without the code that excludes."""
    root = Path(__file__).parents[3]
    manifest = root / ".." / "shared" / "data" / "manifest.csv"
    if not manifest.exists():
        pytest.skip("the real images are not beside the checkout: nothing to keep apart")
    of_dermnet = ("eczema", "bullous", "vasculitis", "urticaria")
    tested = [{"dataset": "msid"}, {"dataset": "msld", "label": "mpox"}]
    tested += [{"dataset": "dermnet", "label": label} for label in of_dermnet]
    groups = root / "results" / "duplicates" / "groups.csv"
    pool = read_pool(Asked((manifest,), groups, exclude_rows=tuple(tested)))
    table = {row["file"]: row for row in csv.DictReader(io.StringIO(manifest.read_text("utf-8")))}
    listed = {row["file"]: row["group"] for row in csv.DictReader(io.StringIO(groups.read_text("utf-8")))}
    away = {
        file
        for file, row in table.items()
        if any(all(row[name] == value for name, value in one.items()) for one in tested)
    }
    assert len(away) == 1586
    learnt = {row.file for row in pool.learnt}
    assert len(learnt) == 3763
    assert not learnt & away
    assert not {table[file]["sha256"] for file in learnt} & {table[file]["sha256"] for file in away}
    assert not {listed[file] for file in learnt} & {listed[file] for file in away}
    of_patients = [{f"{table[f]['dataset']}/{table[f]['patient']}" for f in some if table[f]["patient"]}
                   for some in (learnt, away)]  # fmt: skip
    assert not of_patients[0] & of_patients[1]
    assert len(pool.watched) == 1581  # five are copies of another
