"""The images of a study: read, cut to the network's input, grouped, with their skin tone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest, Row, read_manifest
from poxlens.data.splits.units import Groups, find_groups, read_groups
from poxlens.data.tones import tone_of_cell
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.decode import decode
from poxlens.photo.quality import canonical
from poxlens.photo.resize import InputRule, prepare
from poxlens.photo.skin import skin_mask, skin_tone
from poxlens.recipes.compare.study import Study, StudyError
from poxlens.train.images import Harmonise

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cases:
    """N images of a study, in the order of its table."""

    rows: tuple[Row, ...]  # [N], with the study's class as label
    manifest: Manifest  # of these rows; its sha256 is that of the whole table
    classes: tuple[str, ...]
    truth: NDArray[np.int64]  # [N], class number; auxiliary classes count on after the others
    tested: NDArray[np.bool_]  # [N], False for images that are only learnt from
    groups: Groups
    tone: tuple[str, ...]  # [N], "light", "dark" or "unknown", an estimate
    images: Pixels  # [N, S, S, 3]
    skipped: tuple[tuple[str, str], ...]  # file and reason

    @property
    def digest(self) -> str:
        """Of names, classes, groups and pixels: what every result depends on."""
        told = "\n".join(
            f"{row.file}\t{row.label}\t{group}\t{tested}"
            for row, group, tested in zip(self.rows, self.groups.of, self.tested, strict=True)
        )
        return sha256_bytes(told.encode() + self.images.tobytes())


def read_table(study: Study, base: Path) -> Manifest:
    """The rows of a study's table that it uses, labelled with its classes.

    Args:
        study: the study.
        base: the folder that its paths are relative to.

    Raises:
        StudyError: a label or data set of the study is not in the table.
        ManifestError: the table is not as it should be.
    """
    asked = study.images
    table = read_manifest(base / asked.manifest, root=base / asked.root if asked.root else None)
    return replace(table, rows=tuple(_wanted(study, table)))


def read_cases(
    study: Study,
    table: Manifest,
    base: Path,
    *,
    workers: int = 2,
    advance: Callable[[int], None] | None = None,
) -> Cases:
    """Read the images of a study.

    Args:
        study: the study.
        table: of `read_table`.
        base: the folder that the study's paths are relative to.
        workers: files read at once.
        advance: called with 1 after each file.

    Raises:
        StudyError: no image of a class can be read.
        SplitError: the list of groups is not as it should be.
    """
    asked = study.images
    rule = InputRule(size=asked.side)
    harmonise = Harmonise(rule)
    rows: list[Row] = []
    images: list[Pixels] = []
    tones: list[str] = []
    skipped: list[tuple[str, str]] = []

    def read(row: Row) -> tuple[Pixels, str]:
        pixels = decode(row.path).pixels
        image = harmonise.image(pixels, row.dataset) if asked.harmonise else prepare(pixels, rule)
        return image, tone_of_cell(row.skin_tone) if row.skin_tone else _measured(pixels)

    with ThreadPoolExecutor(workers) as pool:
        for row, future in [(row, pool.submit(read, row)) for row in table.rows]:
            try:
                image, tone = future.result()
            except (PhotoError, OSError) as fault:
                skipped.append((row.file, str(fault)))
            else:
                rows.append(row)
                images.append(image)
                tones.append(tone)
            if advance:
                advance(1)
    classes = tuple(asked.classes)
    every = (*classes, *asked.auxiliary_classes)
    _require(rows, classes, study, skipped)
    manifest = replace(table, rows=tuple(rows))
    listed = read_groups(base / study.protocol.groups, manifest) if study.protocol.groups else None
    return Cases(
        rows=tuple(rows),
        manifest=manifest,
        classes=classes,
        truth=np.array([every.index(row.label) for row in rows]),
        tested=np.array([_tested(row, study) for row in rows]),
        groups=find_groups(manifest, listed),
        tone=tuple(tones),
        images=np.stack(images),
        skipped=tuple(skipped),
    )


def _tested(row: Row, study: Study) -> bool:
    return row.dataset not in study.images.extra_datasets and row.label in study.images.classes


def _measured(pixels: Pixels) -> str:
    small = canonical(pixels)
    return skin_tone(small, skin_mask(small)).group or "unknown"


def _wanted(study: Study, table: Manifest) -> list[Row]:
    asked = study.images
    named = {**asked.classes, **asked.auxiliary_classes}
    meaning = {label: name for name, labels in named.items() for label in labels}
    unknown = sorted(set(meaning) - set(table.labels))
    if unknown:
        raise StudyError(
            f'label "{unknown[0]}" of the study is not in {asked.manifest}: its labels are {", ".join(table.labels)}'
        )
    sources = {row.dataset for row in table.rows}
    absent = [name for name in (*asked.datasets, *asked.extra_datasets) if name not in sources]
    if absent:
        raise StudyError(
            f'data set "{absent[0]}" of the study is not in {asked.manifest}: it holds {", ".join(sorted(sources))}'
        )
    kept = {*asked.datasets, *asked.extra_datasets}
    return [
        replace(row, label=meaning[row.label])
        for row in table.rows
        if row.label in meaning and (not asked.datasets or row.dataset in kept)
    ]


def _require(rows: list[Row], classes: tuple[str, ...], study: Study, skipped: list[tuple[str, str]]) -> None:
    for name in classes:
        if not any(row.label == name and _tested(row, study) for row in rows):
            why = f" ({len(skipped)} files could not be read, first {skipped[0][0]})" if skipped else ""
            raise StudyError(f'no image of class "{name}" to test{why}')
