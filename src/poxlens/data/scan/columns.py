"""Everything one pass over the files of a table tells, as columns of N rows in the table's order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scan:
    """The columns; where a file is unreadable, numbers are 0 or NaN and texts are empty."""

    sha256: list[str]  # of the bytes on disk, 64 hexadecimal digits; "" where they cannot be read
    fault: list[str]  # "" or "unreadable.xxx: a sentence"
    width: NDArray[np.int32]  # px, upright
    height: NDArray[np.int32]
    size: NDArray[np.int64]  # bytes of the file
    format: list[str]  # "jpeg", "png", ..., by content
    jpeg_quality: NDArray[np.float32]  # 1-100 on libjpeg's scale, NaN when not JPEG
    personal: list[tuple[str, ...]]  # kinds of personal metadata, of poxlens.photo.personal.KINDS
    pixels_sha256: list[str]  # of the decoded upright RGB pixels: equal = the same picture in another file
    hashes: NDArray[
        np.uint64
    ]  # [N, 8] perceptual hashes of the picture turned and mirrored, see `phash.VIEWS`
    embedding: NDArray[np.float16]  # [N, D]; D = 0 after a scan for hashes only
    traits: NDArray[np.float32]  # [N, len(TRAITS)], NaN where unreadable or not told
    ita: NDArray[np.float32]  # Individual Typology Angle, degrees; NaN when there is too little skin
    thumb: NDArray[
        np.uint8
    ]  # [N, T, T] grey, the whole picture stretched to a square; on disk, not in memory

    def __len__(self) -> int:
        return len(self.sha256)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """[N], True where the file was decoded."""
        return np.array([not fault for fault in self.fault], np.bool_)
