"""Where a photo's bytes come from, and what is refused before one is read."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from types import ModuleType

import pytest

from poxlens.errors import PhotoError
from poxlens.photo import source
from poxlens.photo.decode import decode


def _reason(path: object) -> str:
    with pytest.raises(PhotoError) as caught:
        decode(path)  # type: ignore[arg-type]
    return caught.value.reason


def test_path_string_bytes_and_stream_give_the_same(hostile: ModuleType, tmp_path: Path) -> None:
    data = hostile.encode(hostile.picture(), "PNG")
    path = tmp_path / "photo.txt"
    path.write_bytes(data)
    expected = decode(data).pixels.tobytes()
    assert decode(path).pixels.tobytes() == expected
    assert decode(str(path)).pixels.tobytes() == expected
    assert decode(io.BytesIO(data)).pixels.tobytes() == expected
    assert decode(bytearray(data)).pixels.tobytes() == expected  # type: ignore[arg-type]
    with path.open("rb") as stream:
        assert decode(stream).pixels.tobytes() == expected


def test_what_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    assert _reason(tmp_path / "none.jpg") == "unreadable.missing"
    assert _reason(tmp_path) == "unreadable.folder"
    assert _reason("nul\0name") == "unreadable.missing"
    assert _reason("x" * 5000) == "unreadable.io"
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    assert _reason(loop) == "unreadable.io"
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "none.jpg")
    assert _reason(tmp_path / "dangling.jpg") == "unreadable.missing"
    (tmp_path / "file").write_bytes(b"x")
    assert _reason(tmp_path / "file" / "photo.jpg") == "unreadable.missing"
    (tmp_path / "empty.jpg").touch()
    assert _reason(tmp_path / "empty.jpg") == "unreadable.empty"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_and_devices_do_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    assert _reason(pipe) == "unreadable.not_a_file"
    assert _reason("/dev/zero") == "unreadable.not_a_file"
    assert _reason("/dev/null") == "unreadable.not_a_file"


def test_a_pipe_put_in_place_after_the_first_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    regular = os.stat(__file__)  # noqa: PTH116
    monkeypatch.setattr(source.os, "stat", lambda path: regular)
    assert _reason(pipe) == "unreadable.not_a_file"


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "permission"), (errno.EPERM, "permission"), (errno.EIO, "io"), (errno.EMFILE, "io")],
)
def test_errors_of_the_system(
    hostile: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    # Injected, as an administrator may read every file.
    path = tmp_path / "photo.jpg"
    path.write_bytes(hostile.encode(hostile.picture(), "JPEG"))

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(source.os, "open", fail)
    assert _reason(path) == f"unreadable.{reason}"


def test_a_stream_that_fails_midway(hostile: ModuleType) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError(errno.ECONNRESET, "connection reset")
            return super().read(10)

    assert _reason(Failing(hostile.encode(hostile.picture(), "JPEG"))) == "unreadable.io"


def test_an_endless_stream_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            return b"\xff\xd8\xff" + b"\0" * (1 << 20)

    monkeypatch.setattr(source, "MAX_BYTES", 5_000_000)
    stream = Endless()
    assert _reason(stream) == "unreadable.too_large"
    assert stream.given == 5


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as stream:
        stream.write(b"\xff\xd8\xff")
        stream.truncate(source.MAX_BYTES + 1)  # sparse: takes no space
    assert _reason(path) == "unreadable.too_large"
