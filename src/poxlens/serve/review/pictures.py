"""The pictures of the page: upright, reduced, without metadata, kept in a little memory and never on disk."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from poxlens.data.curate.proposals import Box
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.decode import Photo, decode
from poxlens.screen.background import available_cores

LONGEST = 1600  # px; a large screen shows no more, and a phone photo of it takes 0.3 MB
THUMB = 160  # px; the film strip shows 80, on sharp screens with two pixels each
PREVIEW = 224  # px, what networks of Campana 2024 see of a crop
CACHE = 96_000_000  # bytes of JPEG


class Subject(Protocol):
    """An image that can be shown: a proposal of a crop, or an image to label."""

    @property
    def file(self) -> str:
        """Its path, relative to the root."""

    @property
    def sha256(self) -> str:
        """Of the bytes it must have; "" for any."""

    @property
    def unreadable(self) -> str:
        """Why it is known to be unreadable, as a sentence; "" where it is not."""


class Pictures:
    """JPEGs of the images under review.

    Several threads may ask at once; a picture that two of them want is made once.
    """

    def __init__(self, subjects: Sequence[Subject], root: Path, *, cache: int = CACHE) -> None:
        """Open nothing yet.

        Args:
            subjects: the images that may be asked for.
            root: the folder that their files are relative to.
            cache: bytes of finished pictures to keep, the latest used first.
        """
        self._subjects = subjects
        self._root = root
        self._most = cache
        self._made: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._held = 0
        self._making: dict[tuple[object, ...], Future[bytes]] = {}
        self._lock = threading.Lock()
        self._cores = threading.Semaphore(available_cores())

    def picture(self, index: int) -> bytes:
        """The whole image, its longer side at most LONGEST px.

        Raises:
            PhotoError: it is gone, unreadable, or not the file that is meant.
        """
        return self._once(("picture", index), lambda: _jpeg(_reduced(self._photo(index, 1200), LONGEST), 90))

    def thumb(self, index: int) -> bytes:
        """The image with its longer side at most THUMB px.

        Raises:
            PhotoError: as `picture`.
        """
        return self._once(("thumb", index), lambda: _jpeg(_reduced(self._photo(index, THUMB), THUMB), 80))

    def crop(self, index: int, box: Box) -> bytes:
        """A square of the image at PREVIEW px, from its full size: sharp as a network will see it.

        Raises:
            PhotoError: as `picture`.
        """
        return self._once(("crop", index, box), lambda: _jpeg(self._square(index, box), 92))

    def _square(self, index: int, box: Box) -> Image.Image:
        photo = self._photo(index, 10**6)
        left, top, side = box
        part = Image.fromarray(photo.pixels[top : top + side, left : left + side])
        return part.resize((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)

    def _photo(self, index: int, working_side: int) -> Photo:
        subject = self._subjects[index]
        if subject.unreadable:
            raise PhotoError("unreadable.proposal", subject.unreadable)
        path = self._root / subject.file
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise PhotoError("unreadable.missing", f"{subject.file} is not in {self._root}.") from None
        except OSError as fault:
            raise PhotoError(
                "unreadable.missing", f"{subject.file} cannot be read: {fault.strerror or fault}."
            ) from fault
        if subject.sha256 and sha256_bytes(data) != subject.sha256:
            raise PhotoError(
                "unreadable.changed",
                f"{subject.file} is not the file any more that it was: its SHA-256 differs.",
            )
        with self._cores:
            return decode(data, working_side=working_side)

    def _once(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            waiting = self._making.get(key)
            if waiting is None:
                mine = self._making[key] = Future()
        if waiting is not None:
            return waiting.result()
        try:
            made = make()
        except BaseException as fault:
            with self._lock:
                del self._making[key]
            mine.set_exception(fault)
            raise
        with self._lock:
            del self._making[key]
            self._keep(key, made)
        mine.set_result(made)
        return made

    def _keep(self, key: tuple[object, ...], made: bytes) -> None:
        self._made[key] = made
        self._held += len(made)
        while self._held > self._most:
            _, dropped = self._made.popitem(last=False)
            self._held -= len(dropped)


def _reduced(photo: Photo, longest: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(photo.pixels))
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    with io.BytesIO() as stream:
        image.save(stream, format="JPEG", quality=quality)
        return stream.getvalue()
