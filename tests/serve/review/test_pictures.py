"""The pictures of the page: upright, small, bare, made once, and honest about files that changed."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.serve.review import pictures as module
from poxlens.serve.review.pictures import Pictures


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.fixture
def pictures(sheet: Any) -> Pictures:
    return Pictures(sheet.proposals.proposals, sheet.root)


def test_a_large_photo_is_reduced_and_a_small_one_is_not(pictures: Pictures) -> None:
    assert _open(pictures.picture(3)).size == (1600, 1280)
    assert _open(pictures.picture(0)).size == (640, 480)
    assert _open(pictures.thumb(0)).size == (160, 120)
    assert _open(pictures.thumb(1)).size == (107, 160)


def test_nothing_of_the_file_but_its_picture_is_served(pictures: Pictures, sheet: Any) -> None:
    assert b"a camera maker" in (sheet.root / "mpox/a.jpg").read_bytes()
    for data in (pictures.picture(0), pictures.thumb(0), pictures.crop(0, (0, 0, 240))):
        assert b"a camera maker" not in data
        assert not _open(data).getexif()


def test_a_photo_on_its_side_is_turned(tmp_path: Path, sheet: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "x.jpg").write_bytes(b"")
    lying = Image.new("RGB", (300, 200), (200, 0, 0))
    lying.paste((0, 0, 200), (0, 0, 150, 200))
    lying.save(tmp_path / "x.jpg", exif=exif, quality=95)
    sum_ = sha256_bytes((tmp_path / "x.jpg").read_bytes())
    proposal = replace(sheet.proposals.proposals[0], file="x.jpg", sha256=sum_, width=200, height=300)
    found = _open(Pictures((proposal,), tmp_path).picture(0))
    assert found.size == (200, 300)
    pixels = np.asarray(found)
    assert pixels[75, 100, 2] > 180, "the left half of the stored picture is its upper half"
    assert pixels[225, 100, 0] > 180


def test_the_preview_is_cut_from_the_full_size(pictures: Pictures, sheet: Any) -> None:
    found = _open(pictures.crop(3, (500, 300, 1000)))
    assert found.size == (224, 224)
    whole = Image.open(sheet.root / "acne/d.jpg").crop((500, 300, 1500, 1300))
    wanted = np.asarray(whole.resize((224, 224), Image.Resampling.LANCZOS), float)
    assert np.abs(np.asarray(found, float) - wanted).mean() < 2.0


@pytest.mark.parametrize(
    ("harm", "code", "told"),
    [
        (lambda path: path.unlink(), "unreadable.missing", "mpox/a.jpg is not in"),
        (
            lambda path: path.write_bytes(path.read_bytes() + b"x"),
            "unreadable.changed",
            "not the file any more",
        ),
    ],
)
def test_a_file_that_is_gone_or_changed_is_told(
    pictures: Pictures, sheet: Any, harm: Any, code: str, told: str
) -> None:
    harm(sheet.root / "mpox/a.jpg")
    for ask in (pictures.picture, pictures.thumb):
        with pytest.raises(PhotoError, match=told) as fault:
            ask(0)
        assert fault.value.reason == code


def test_a_file_that_no_crop_could_be_sought_in_says_the_reason_of_then(sheet: Any) -> None:
    proposal = replace(sheet.proposals.proposals[0], width=0, height=0, sentence="It was cut off.")
    with pytest.raises(PhotoError, match=r"^It was cut off\.$"):
        Pictures((proposal,), sheet.root).picture(0)


def test_two_who_ask_at_once_wait_for_one_decoding(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, calls, gate = module.decode, [], threading.Event()

    def slow(*args: Any, **options: Any) -> Any:
        calls.append(args)
        gate.wait(10)
        return decode(*args, **options)

    monkeypatch.setattr(module, "decode", slow)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(pictures.picture(0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(set(found)) == 1


def test_the_memory_has_a_bound_and_drops_what_was_used_longest_ago(
    sheet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, calls = module.decode, []
    monkeypatch.setattr(
        module, "decode", lambda data, **options: calls.append(len(data)) or decode(data, **options)
    )
    sizes = [len(Pictures(sheet.proposals.proposals, sheet.root).picture(index)) for index in (0, 1, 4)]
    calls.clear()
    small = Pictures(sheet.proposals.proposals, sheet.root, cache=sum(sizes) - 1)
    for index in (0, 1, 0, 4):  # 1 was used longest ago and makes room
        small.picture(index)
    assert len(calls) == 3
    small.picture(0)
    assert len(calls) == 3
    small.picture(1)
    assert len(calls) == 4
