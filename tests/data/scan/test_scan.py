"""The scan: each column against another source, bad files, resuming, killed workers."""

import hashlib
import io
import math
import os
import signal
import subprocess
import sys
import time

import imagehash
import numpy as np
import psutil
import pytest
from PIL import Image

from poxlens.data.scan import TRAITS, look, scan, seer, shards
from poxlens.photo.decode import decode
from poxlens.photo.skin import skin_mask, skin_tone

NAMES = [trait.name for trait in TRAITS]


def png(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def jpeg(pixels, quality=80, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, **options)
    return stream.getvalue()


def test_columns_of_files_of_every_sort(table, pictures, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    upright = pictures[0][:64]
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "a.png": png(pictures[0]),
        "again.png": png(pictures[0], compress_level=1),
        "b.jpg": jpeg(pictures[1], 70, exif=exif),
        "turned.png": png(np.rot90(upright), exif=turned.tobytes()),
        "upright.png": png(upright),
        "text.jpg": b"this is no picture",
        "cut.jpg": jpeg(pictures[2])[:900],
    }
    found = scan(table(files, missing=["gone.jpg"]), tmp_path / "store", workers=1)
    assert len(found) == 8
    assert found.sha256[:7] == [hashlib.sha256(data).hexdigest() for data in files.values()]
    assert found.sha256[7] == ""
    assert [fault.partition(":")[0] for fault in found.fault] == [
        "", "", "", "", "", "unreadable.not_an_image", "unreadable.truncated", "unreadable.missing"
    ]  # fmt: skip
    assert found.readable.tolist() == [True] * 5 + [False] * 3
    assert found.size.tolist() == [len(data) for data in files.values()] + [0]
    assert found.width.tolist() == [96, 96, 96, 96, 96, 0, 0, 0]
    assert found.height.tolist() == [96, 96, 96, 64, 64, 0, 0, 0]
    assert found.format == ["png", "png", "jpeg", "png", "png", "", "", ""]
    assert found.jpeg_quality[2] == 70
    assert np.isnan(found.jpeg_quality[[0, 1, 3, 4, 5, 6, 7]]).all()
    assert found.personal[2] == ("camera",)
    assert found.personal[0] == ()
    # The same pixels in another file, in another position on disk too.
    assert found.pixels_sha256[0] == found.pixels_sha256[1] != found.pixels_sha256[2]
    assert found.pixels_sha256[3] == found.pixels_sha256[4]
    assert found.pixels_sha256[5:] == ["", "", ""]
    assert np.isnan(found.traits[5:]).all()
    assert np.isfinite(found.traits[2]).all()
    assert not found.embedding[5:].any()
    assert not found.thumb[5:].any()
    assert (found.embedding[0] == found.embedding[1]).all()
    assert found.thumb[:5].any((1, 2)).all()


def test_hash_and_tone_agree_with_their_sources(table, pictures, tmp_path):
    files = {f"{k}.png": png(picture) for k, picture in enumerate(pictures)}
    found = scan(table(files), tmp_path / "store", workers=1)
    for row, picture in enumerate(pictures):
        grey = Image.fromarray(look.look(files[f"{row}.png"]).grey)
        expected = int("".join("01"[int(bit)] for bit in imagehash.phash(grey).hash.ravel()), 2)
        assert int(found.hashes[row, 0]) == expected
        tone = skin_tone(picture, skin_mask(picture))
        assert (math.isnan(found.ita[row]) and tone.ita is None) or abs(found.ita[row] - tone.ita) < 1.0


def test_traits_of_pictures_whose_traits_are_known(table, tmp_path):
    flat = np.full((80, 120, 3), 128, np.uint8)
    framed = flat.copy()
    framed[:8] = framed[-8:] = framed[:, :12] = framed[:, -12:] = 255
    noise = (
        np.clip(128 + np.random.default_rng(0).normal(0, 6, (200, 200, 1)), 0, 255)
        .astype(np.uint8)
        .repeat(3, 2)
    )
    blocks = noise.astype(np.float32).reshape(25, 8, 25, 8, 3).mean((1, 3)).repeat(8, 0).repeat(8, 1)
    blocks = np.clip(128 + 8 * (blocks - 128), 0, 255).astype(np.uint8)
    files = {
        "flat.png": png(flat),
        "framed.png": png(framed),
        "noise.png": png(noise),
        "blocks.png": png(blocks),
    }
    found = scan(table(files), tmp_path / "store", workers=1)
    of = {name: found.traits[:, place] for place, name in enumerate(NAMES)}
    assert of["log_aspect"][0] == pytest.approx(math.log2(1.5))
    assert of["lightness_mean"][0] == pytest.approx(53.6, abs=0.5)  # L* of sRGB 128
    assert of["lightness_sd"][0] == 0
    assert abs(of["a_mean"][0]) < 1
    assert abs(of["b_mean"][0]) < 1
    assert of["border_white"].tolist()[:2] == [0, 1]
    assert of["border_contrast"][1] == pytest.approx(127)
    assert of["border_flat"].tolist() == [1, 1, 0, 0]
    assert of["noise"][0] == 0
    assert of["noise"][2] == pytest.approx(6, rel=0.1)
    assert of["blockiness"][3] > 5 > 1.3 > of["blockiness"][2] > 0.7
    assert of["bytes_per_pixel"][0] == pytest.approx(len(files["flat.png"]) / 9600)
    assert of["is_png"].tolist() == [1] * 4
    assert np.isnan(of["jpeg_quality"]).all()


def test_workers_give_the_same_as_one_and_tell_progress(table, pictures, tmp_path):
    manifest = table({f"{k}.jpg": jpeg(picture) for k, picture in enumerate(pictures)})
    told = []
    one = scan(manifest, tmp_path / "one", workers=1)
    two = scan(manifest, tmp_path / "two", workers=2, advance=told.append)
    assert sum(told) == 12
    for name in ("sha256", "fault", "format", "personal", "pixels_sha256"):
        assert getattr(one, name) == getattr(two, name)
    for name in ("width", "height", "size", "jpeg_quality", "hashes", "embedding", "traits", "ita", "thumb"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_what_is_known_by_content_is_not_looked_at_again(table, pictures, tmp_path, monkeypatch):
    store = tmp_path / "store"
    files = {f"{k}.jpg": jpeg(picture) for k, picture in enumerate(pictures[:6])}
    scan(table(files), store, workers=1)
    seen = []
    monkeypatch.setattr(seer, "look", lambda data, **how: seen.append(data) or look.look(data, **how))
    renamed = {f"new-{name}": data for name, data in files.items()}
    changed = {**renamed, "new-0.jpg": jpeg(pictures[7])}
    found = scan(table(changed), store, workers=1)
    assert seen == [changed["new-0.jpg"]]
    assert found.fault == [""] * 6


def test_a_damaged_shard_is_made_again(table, pictures, tmp_path):
    store = tmp_path / "store"
    manifest = table({f"{k}.jpg": jpeg(picture) for k, picture in enumerate(pictures)})
    first = scan(manifest, store, workers=1)
    for path in shards.paths(store):
        path.write_bytes(path.read_bytes()[:-300])
    (store / f"shard-{shards.version()}-junk.npz").write_bytes(b"junk")
    again = scan(manifest, store, workers=1)
    np.testing.assert_array_equal(first.hashes, again.hashes)
    assert again.fault == [""] * 12


def test_a_part_left_by_a_killed_writer_goes_when_it_is_old(tmp_path):
    old, fresh = tmp_path / ".shard-x.npz.a.part", tmp_path / ".shard-x.npz.b.part"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert shards.paths(tmp_path) == []
    assert not old.exists()
    assert fresh.exists()


def test_a_file_that_breaks_a_worker_down_is_told_and_stops_nothing(table, pictures, tmp_path, monkeypatch):
    # A decoder that ends the process, put into the worker by a module that Python imports at its start.
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'poxlens.data.scan.worker' in ' '.join(sys.orig_argv):\n"
        "    import poxlens.data.scan.seer as seer\n"
        "    real = seer.look\n"
        "    seer.look = lambda data, **how: os._exit(11) if data.startswith(b'BOOM') else real(data, **how)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    files = {f"{k}.jpg": jpeg(picture) for k, picture in enumerate(pictures)}
    files["bad.jpg"] = b"BOOM"
    found = scan(table(files), tmp_path / "store", workers=2)
    assert found.fault[:12] == [""] * 12
    assert found.fault[12].startswith("unreadable.corrupt: ")


def test_hashes_only_are_those_of_a_complete_scan(table, pictures, tmp_path):
    files = {f"{k}.jpg": jpeg(picture) for k, picture in enumerate(pictures)} | {"text.jpg": b"no picture"}
    manifest, store = table(files), tmp_path / "store"
    quick = scan(manifest, store, hashes_only=True, workers=2)
    assert quick.embedding.shape == (13, 0)
    assert np.isnan(quick.traits).all()
    assert np.isnan(quick.ita).all()
    whole = scan(manifest, store, workers=1)  # what was seen in haste is looked at again
    assert whole.embedding.shape == (13, 224)
    assert np.isfinite(whole.traits[:12, 0]).all()
    for name in ("hashes", "thumb", "width", "height", "size"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(whole, name))
    for name in ("sha256", "pixels_sha256", "fault", "format"):
        assert getattr(quick, name) == getattr(whole, name)


def test_a_complete_record_serves_who_wants_hashes_only(table, pictures, tmp_path, monkeypatch):
    manifest, store = table({"a.jpg": jpeg(pictures[0]), "b.jpg": jpeg(pictures[1])}), tmp_path / "store"
    whole = scan(manifest, store, workers=1)
    monkeypatch.setattr(seer, "look", lambda data, **_: pytest.fail("it is known already"))
    quick = scan(manifest, store, hashes_only=True, workers=1)
    np.testing.assert_array_equal(quick.hashes, whole.hashes)
    assert {path.name.split("-")[2] for path in store.glob("shard-*")} == {"lite0q"}


def test_no_workers_is_misuse(table, pictures, tmp_path):
    with pytest.raises(ValueError, match="workers"):
        scan(table({"a.jpg": pictures[0]}), tmp_path / "store", workers=0)


SCRIPT = """
import sys
from pathlib import Path
from poxlens.data.manifest import read_manifest
from poxlens.data.scan import scan
scan(read_manifest(Path(sys.argv[1])), Path(sys.argv[2]), advance=lambda count: print(count, flush=True))
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(table, pictures, tmp_path):
    """Three hundred files; the scan is killed after none, some and most of the shards, then finished."""
    rng = np.random.default_rng(0)
    files = {}
    for k in range(300):
        left, top = rng.integers(0, 33, 2)
        part = pictures[k % 12][top : top + 64, left : left + 64].astype(np.int16) + rng.integers(-9, 10)
        files[f"{k:03d}.jpg"] = jpeg(np.clip(part, 0, 255).astype(np.uint8))
    manifest, store = table(files), tmp_path / "store"
    call = [sys.executable, "-c", SCRIPT, str(tmp_path / "manifest.csv"), str(store)]
    kept = 0
    for blocks in (0, 1, 3):
        with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(blocks):
                assert process.stdout.readline()
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=60)
        assert alive == []  # no worker outlives its scan
        now = sum(len(content) for _, content in shards.known(store)) if store.exists() else 0
        assert now >= kept
        kept = now
    assert kept > 0
    seen = scan(manifest, store, workers=1)
    clean = scan(manifest, tmp_path / "clean", workers=1)
    assert seen.fault == [""] * 300
    for name in ("hashes", "embedding", "traits", "thumb"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(clean, name))


def test_hostile_files_are_faults_of_their_own_row(hostile_folder, tmp_path):
    for index, (path, expected) in enumerate(hostile_folder.items()):
        if index % 5 == 0:
            told = look.look(path.read_bytes())
            assert (told.fault == "") == (expected == "ok"), path
            if expected == "ok":
                assert told.width == decode(path).width
