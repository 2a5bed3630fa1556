"""From a table of images to training samples: which class each may be, from which source, cut how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest, Row
from poxlens.data.patches import Patch, skin_patches
from poxlens.errors import PhotoError, TrainingError
from poxlens.files import sha256_file
from poxlens.photo.decode import decode
from poxlens.photo.quality import QualityLimits, canonical, check_quality
from poxlens.photo.skin import SkinTone, skin_mask, skin_tone
from poxlens.train.images import Harmonise

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Labels:
    """What a label of the table may mean in the classes of the bundle."""

    classes: tuple[str, ...]
    meaning: Mapping[str, tuple[str, ...]]  # label -> classes it may be; one when it is sure
    whole_people: str = ""  # label whose photos also give skin patches of the same class

    def held_by(self, manifest: Manifest) -> Labels:
        """With the classes alone that some row of the table may be: nothing can be learnt of the others."""
        held = {name for row in manifest.rows for name in self.meaning.get(row.label, ())}
        return replace(self, classes=tuple(name for name in self.classes if name in held))


@dataclass(frozen=True, eq=False)
class Sample:
    """One training image."""

    row: Row
    image: NDArray[np.uint8]  # [S, S, 3], harmonised
    possible: tuple[str, ...]  # classes it may be; empty for a probe that no head learns from
    tone: SkinTone  # of the whole photo, an estimate
    usable: bool  # the photo passes the quality checks
    skin: float  # share of the photo that has the colour of skin, 0-1
    patch: Patch | None = None

    @property
    def label(self) -> str:
        """The table's label, or "patch" for skin cut from a photo of a person."""
        return "patch" if self.patch else self.row.label


@dataclass(frozen=True)
class Skipped:
    """A row that gave no sample, and why."""

    file: str
    reason: str


def read_samples(
    manifest: Manifest,
    labels: Labels,
    harmonise: Harmonise,
    *,
    probes: Mapping[str, int] | None = None,
    workers: int = 2,
    advance: Progress | None = None,
) -> tuple[list[Sample], list[Skipped]]:
    """Read every row that has a meaning, and patches of the photos of whole people.

    Args:
        manifest: the table.
        labels: what its labels mean.
        harmonise: how a file becomes an image.
        probes: data set -> how many of its rows to keep (evenly spaced) though no head learns from them.
        workers: files read at once.
        advance: called with 1 after each row.

    Raises:
        TrainingError: when no row can be read.
    """
    kept = _kept(manifest.rows, labels, probes or {})
    samples: list[Sample] = []
    skipped = [
        Skipped(row.file, f'label: "{row.label}" means no class of this recipe')
        for row in manifest.rows
        if row.label not in labels.meaning and row.dataset not in (probes or {})
    ]
    if advance:
        advance(len(manifest.rows) - len(kept))
    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(lambda row: _read(row, labels, harmonise), kept):
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                samples.extend(found)
            if advance:
                advance(1)
    if not samples:
        raise TrainingError(f"none of the {len(kept)} images of the table can be read from {manifest.root}")
    return samples, skipped


def _kept(rows: Sequence[Row], labels: Labels, probes: Mapping[str, int]) -> list[Row]:
    kept = [row for row in rows if row.label in labels.meaning and row.dataset not in probes]
    for dataset, count in probes.items():
        candidates = [row for row in rows if row.dataset == dataset]
        step = max(1, len(candidates) // max(1, count))
        kept += [replace(row, label=f"probe:{row.label}") for row in candidates[::step]]
    return kept


def _read(row: Row, labels: Labels, harmonise: Harmonise) -> list[Sample] | Skipped:
    try:
        photo = decode(row.path)
    except PhotoError as fault:
        return Skipped(row.file, f"{fault.reason}: {fault}")
    if row.sha256 and sha256_file(row.path) != row.sha256.lower():
        return Skipped(row.file, "unreadable.changed: its SHA-256 is not the one in the table")
    small = canonical(photo.pixels)
    mask = skin_mask(small)
    usable = all(check.passed for check in check_quality(photo, QualityLimits(), mask))
    possible = labels.meaning.get(row.label, ())
    patches = skin_patches(photo.pixels) if row.label == labels.whole_people else []
    tone, skin = skin_tone(small, mask), float(mask.mean())
    return [
        Sample(row, harmonise.image(photo.pixels, row.dataset, patch), possible, tone, usable, skin, patch)
        for patch in (None, *patches)
    ]


def possible_table(samples: Sequence[Sample], classes: Sequence[str]) -> NDArray[np.bool_]:
    """[N, C], True where a sample may be of the class."""
    return np.array([[name in sample.possible for name in classes] for sample in samples])
