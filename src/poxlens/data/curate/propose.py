"""One image: the largest square of skin without background, or why there is none (Campana 2024, section 4.1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.data.curate import reasons
from poxlens.data.curate.detail import fine_detail
from poxlens.data.curate.finder import SIDE, Finder, shipped_finder
from poxlens.data.curate.frames import frame
from poxlens.data.curate.gaps import gaps
from poxlens.data.curate.proposals import CROP, NONE, Box, Proposal
from poxlens.data.curate.squares import largest_square
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.decode import Photo, decode

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

LEAST_SIDE = 224  # px; Campana 2024, section 4.1


@dataclass(frozen=True)
class Rule:
    """What decides a proposal beside the network. Set on images that are not in the test of docs/curation.md."""

    limit: float = 0.12  # probability from which a place is background
    margin: float = 1.0  # cells of the map (8 px of a short side of 256) kept clear around the square
    least_detail: float = 0.038  # share of the contrast finer than two pixels, below which there is no crop
    least_skin: float = 0.04  # of the area: with less there is no skin to be seen
    looks: int = 3  # closer looks at the square, each of which may shrink it

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


CAREFUL = Rule(limit=0.06, margin=2.0, least_detail=0.05)
"""Fewer and smaller crops, that hold background less often: for files of a few hundred pixels, where a gap between
two fingers is one or two pixels wide. Chosen on the first draw of docs/curation.md."""


def propose(
    data: bytes,
    file: str,
    label: str,
    *,
    least_side: int = LEAST_SIDE,
    rule: Rule | None = None,
    finder: Finder | None = None,
) -> Proposal:
    """The proposal for one image; a file that cannot be read gets one too.

    Args:
        data: the file's bytes.
        file: its name in the table.
        label: its label in the table.
        least_side: px of the upright image at full size, the smallest crop proposed.
        rule: what decides; None for the shipped rule.
        finder: the network; None for the shipped one.
    """
    digest = sha256_bytes(data)
    rule = rule or Rule()
    try:
        photo = decode(data, working_side=SIDE)
    except PhotoError as fault:
        told = str(fault)
        return Proposal(file, label, digest, 0, 0, NONE, None, reasons.UNREADABLE, told, 0.0)
    size = photo.width, photo.height
    if min(size) < least_side:
        told = reasons.too_small_sentence(*size, least_side)
        return Proposal(file, label, digest, *size, NONE, None, reasons.TOO_SMALL, told, 0.0)
    return _of_photo(photo, digest, file, label, least_side, rule, finder or shipped_finder())


def _of_photo(
    photo: Photo, digest: str, file: str, label: str, least_side: int, rule: Rule, finder: Finder
) -> Proposal:
    field = _Field(photo, rule, finder)
    size = photo.width, photo.height
    if field.skin_share < rule.least_skin:
        told = reasons.no_skin_sentence(field.skin_share)
        return Proposal(
            file, label, digest, *size, NONE, None, reasons.NO_SKIN, told, round(field.skin_share, 4)
        )
    box = field.square(least_side)
    notes = field.notes()
    if box is None or box[2] < least_side:
        told = reasons.background_sentence(box[2] if box else 0, least_side)
        share = round(field.skin_share, 4)
        return Proposal(file, label, digest, *size, NONE, None, reasons.BACKGROUND, told, share, notes)
    if fine_detail(field.pixels_in(box)) < rule.least_detail:
        told, share = reasons.enlarged_sentence(box[2]), round(field.skin_share, 4)
        return Proposal(file, label, digest, *size, NONE, None, reasons.ENLARGED, told, share, notes)
    told = reasons.crop_sentence(box[2], notes)
    share = round(field.clear_share(box), 4)
    return Proposal(file, label, digest, *size, CROP, box, reasons.CROP_SKIN, told, share, notes)


class _Field:
    """What is known of each place of one photo: a grid of points, two a cell of the network's map."""

    def __init__(self, photo: Photo, rule: Rule, finder: Finder) -> None:
        self._pixels, self._rule, self._finder = photo.pixels, rule, finder
        self._scale = photo.width / photo.pixels.shape[1], photo.height / photo.pixels.shape[0]
        self._size = photo.width, photo.height
        background, drawn = finder.maps(photo.pixels)
        rows, columns = background.shape
        self._shape = 2 * rows, 2 * columns
        self._background = _resized(background, self._shape)
        self._letters = bool((drawn > 0.5).sum() >= 2)
        self._frame = frame(photo.pixels)
        self._block_frame()
        self.skin_share = float((self._background < 0.5).mean())

    def square(self, least_side: int) -> Box | None:
        """The box at full size, after closer looks; None where nothing is clear."""
        box = self._largest()
        for _ in range(self._rule.looks):
            if box is None or box[2] < least_side:
                return box
            before = box
            self._look_closer(box)
            box = self._largest()
            if box == before:
                return box
        return box

    def clear_share(self, box: Box) -> float:
        """Of the box, 0-1: how sure the network is that its places are skin, averaged."""
        return 1.0 - float(self._background[self._inside(box)].mean())

    def notes(self) -> tuple[str, ...]:
        """What lies in the image that a crop must keep clear of, beside its background."""
        return (reasons.LETTERS_AVOIDED,) * self._letters + (reasons.FRAME_AVOIDED,) * any(self._frame)

    def _largest(self) -> Box | None:
        blocked = self._background > self._rule.limit
        left, top, side = largest_square(_grown(blocked, round(2 * self._rule.margin)))
        if side == 0:
            return None
        rows, columns = self._shape
        across, down = self._size[0] / columns, self._size[1] / rows
        length = int(side * min(across, down))
        # The two steps differ by a rounding when the map was fitted to whole cells; stay in the middle.
        x = round(left * across + (side * across - length) / 2)
        y = round(top * down + (side * down - length) / 2)
        x, y = min(max(0, x), self._size[0] - length), min(max(0, y), self._size[1] - length)
        return x, y, length

    def _look_closer(self, box: Box) -> None:
        """Show the network the box alone, larger: what is small in the whole image shows."""
        pixels = self.pixels_in(box)
        background, _ = self._finder.maps(pixels)
        inside = self._inside(box)
        seen = self._background[inside]
        closer = np.maximum(seen, _resized(background, seen.shape))
        closer[gaps(pixels, (seen.shape[0], seen.shape[1]))] = 1.0
        self._background[inside] = closer

    def pixels_in(self, box: Box) -> NDArray[np.uint8]:
        """The decoded pixels of a box."""
        left, top, right, bottom = self._pixels_of(box)
        return np.ascontiguousarray(self._pixels[top:bottom, left:right])

    def _inside(self, box: Box) -> tuple[slice, slice]:
        (rows, columns), (width, height), (left, top, side) = self._shape, self._size, box
        return (
            slice(int(top * rows / height), max(1, round((top + side) * rows / height))),
            slice(int(left * columns / width), max(1, round((left + side) * columns / width))),
        )

    def _pixels_of(self, box: Box) -> tuple[int, int, int, int]:
        across, down = self._scale
        left, top, side = box
        return (
            int(left / across),
            int(top / down),
            max(1, round((left + side) / across)),
            max(1, round((top + side) / down)),
        )

    def _block_frame(self) -> None:
        left, top, right, bottom = self._frame
        (height, width), (rows, columns) = self._pixels.shape[:2], self._shape
        self._background[: -(-top * rows // height)] = 1.0
        self._background[:, : -(-left * columns // width)] = 1.0
        self._background[rows - -(-bottom * rows // height) :] = 1.0
        self._background[:, columns - -(-right * columns // width) :] = 1.0


def _resized(grid: Floats, shape: tuple[int, ...]) -> Floats:
    from PIL import Image

    image = Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.array(image, np.float32)


def _grown(blocked: Bools, by: int) -> Bools:
    """Blocked places and all within `by` of them, in squares; the edge of the image needs no margin."""
    grown = blocked
    for _ in range(by):
        padded = np.pad(grown, 1)
        grown = np.zeros_like(blocked)
        for row in range(3):
            for column in range(3):
                grown |= padded[row : row + blocked.shape[0], column : column + blocked.shape[1]]
    return grown
