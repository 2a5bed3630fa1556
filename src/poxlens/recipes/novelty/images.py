"""All images of a study: known ones, those of another kind, plain skin, and what is not skin at all."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.manifest import Manifest, Row, read_manifest
from poxlens.data.splits.units import with_groups
from poxlens.errors import PhotoError, TrainingError
from poxlens.photo.decode import decode
from poxlens.photo.quality import QualityLimits, canonical, check_quality
from poxlens.photo.skin import skin_mask
from poxlens.recipes.default import LABELS, Recipe, Step, Where, prepare_run
from poxlens.recipes.novelty.pictures import Picture, drawn, sample_photos
from poxlens.recipes.novelty.study import Study
from poxlens.recipes.protocol import Table
from poxlens.train.images import Harmonise

Pixels = NDArray[np.uint8]
Bools = NDArray[np.bool_]

_ALIKE_SIDE, _ALIKE_QUALITY = 96, 70


@dataclass(frozen=True, eq=False)
class Cases:
    """N images in one order: first the K that heads may learn from, then outliers."""

    images: Pixels  # [N, S, S, 3], as networks are given them
    file: NDArray[np.str_]  # [N]
    condition: NDArray[np.str_]  # [N]: label, "FAR:label", "not skin: kind"; "" for what is learnt from only
    family: NDArray[np.str_]  # [N]: "known", the far data set, or "not skin"
    group: NDArray[np.int64]  # [N]
    tone: NDArray[np.str_]  # [N]: "light", "dark" or ""
    usable: Bools  # [N], passes the quality checks
    skin: NDArray[np.float64]  # [N], share of the photo that has the colour of skin
    counted: Bools  # [N], enters figures: at most so many of a condition
    traits: NDArray[np.float64]  # [N, 3] of the file: log of width, of height, of bytes a pixel
    table: Table  # of the first K; what a head learns from, without features
    skipped: tuple[tuple[str, str], ...]  # file and reason

    @property
    def known(self) -> Bools:
        """[N], of the first K."""
        return np.asarray(self.family == "known", bool)

    @property
    def conditions(self) -> tuple[str, ...]:
        """All that are tested, in the order of first appearance."""
        return tuple(dict.fromkeys(name for name in self.condition.tolist() if name))


def read_cases(study: Study, where: Where, step: Step) -> Cases:
    """Read, cut and group everything a study is about.

    Args:
        study: what to do.
        where: folders of weights and features.
        step: progress.

    Raises:
        ManifestError: the table is faulty.
        TrainingError: the target or a near condition has no images.
    """
    asked = study.images
    table = read_manifest(asked.manifest)
    if asked.groups is not None:
        table = with_groups(table, asked.groups)
    labels = {row.label for row in table.rows}
    for label in (study.target, *asked.near):
        if label not in labels:
            raise TrainingError(f'no image of the table has the label "{label}" that the study names')
    learnt = replace(table, rows=tuple(row for row in table.rows if row.dataset != asked.far))
    recipe = replace(Recipe(), networks=(Recipe().duplicate_network,), probes={})
    prepared = prepare_run(learnt, where, recipe, LABELS, step)
    samples = prepared.samples
    condition = [_condition_of(sample.label, study) for sample in samples]
    harmonise = Harmonise(recipe.rule, recipe.jpeg_quality)
    with step("images of other kinds", 1) as done:
        far, skipped = _far(table, study, harmonise, where.workers)
        pictures, missing = sample_photos(study.protocol.seed)
        pictures = [*drawn(asked.drawn, study.protocol.seed), *pictures]
        done(1)
    others = [*far, *(_of_picture(picture, harmonise) for picture in pictures)]
    names: dict[str, int] = {}
    base = int(prepared.table.grouping.group.max()) + 1
    outlying = [base + names.setdefault(one.group, len(names)) for one in others]
    condition += [one.condition for one in others]
    file = [_name(sample.row.file, sample.patch) for sample in samples] + [one.file for one in others]
    return Cases(
        images=np.stack([sample.image for sample in samples] + [one.image for one in others]),
        file=np.array(file),
        condition=np.array(condition),
        family=np.array(["known"] * len(samples) + [one.family for one in others]),
        group=np.concatenate([prepared.table.grouping.group, outlying]).astype(np.int64),
        tone=np.array([sample.tone.group or "" for sample in samples] + [""] * len(others)),
        usable=np.array([sample.usable for sample in samples] + [one.usable for one in others]),
        skin=np.array([sample.skin for sample in samples] + [one.skin for one in others]),
        counted=_counted(condition, study),
        traits=np.array([_file_traits(sample.row) for sample in samples] + [one.traits for one in others]),
        table=prepared.table,
        skipped=(
            *((one.file, one.reason) for one in prepared.skipped),
            *skipped,
            *((what, "not read") for what in missing),
        ),
    )


def alike(images: Pixels) -> Iterator[Pixels]:
    """Each image brought to one size, blur and JPEG quality, far below what any source has.

    Averaged to 96 px, enlarged again, and compressed: what is left of a camera's or a web site's sharpness is the
    same for all.
    """
    for image in images:
        side = image.shape[0]
        small = Image.fromarray(image).resize((_ALIKE_SIDE, _ALIKE_SIDE), Image.Resampling.BOX)
        buffer = io.BytesIO()
        small.resize((side, side), Image.Resampling.BICUBIC).save(
            buffer, "JPEG", quality=_ALIKE_QUALITY, subsampling=2
        )
        yield np.asarray(Image.open(buffer).convert("RGB"))


@dataclass(frozen=True, eq=False)
class _Other:
    """An image that is of no class."""

    image: Pixels
    file: str
    condition: str
    family: str
    group: str
    usable: bool
    skin: float
    traits: tuple[float, float, float]


def _far(
    table: Manifest, study: Study, harmonise: Harmonise, workers: int
) -> tuple[list[_Other], list[tuple[str, str]]]:
    """Images of the far data set, one of a group, as many of each label as enter figures."""
    rows: dict[str, list[Row]] = {}
    seen: set[str] = set()
    for row in table.rows:
        if row.dataset == study.images.far and row.cluster not in seen:
            seen.add(row.cluster)
            rows.setdefault(row.label, []).append(row)
    random = np.random.default_rng(study.protocol.seed)
    chosen: list[Row] = []
    for label in sorted(rows):
        places = random.permutation(len(rows[label]))[: study.images.per_condition]
        chosen += [rows[label][place] for place in sorted(places.tolist())]
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lambda row: _of_row(row, study.images.far, harmonise), chosen))
    return (
        [one for one in found if isinstance(one, _Other)],
        [one for one in found if isinstance(one, tuple)],
    )


def _of_row(row: Row, family: str, harmonise: Harmonise) -> _Other | tuple[str, str]:
    try:
        pixels = decode(row.path).pixels
    except PhotoError as fault:
        return row.file, f"{fault.reason}: {fault}"
    return _Other(
        harmonise.image(pixels, row.dataset),
        row.file,
        f"{family}: {row.label}",
        family,
        row.cluster,
        *_quality(row.path),
        _file_traits(row),
    )


def _of_picture(picture: Picture, harmonise: Harmonise) -> _Other:
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG")
    data = buffer.getvalue()
    high, wide = picture.pixels.shape[:2]
    return _Other(
        harmonise.image(picture.pixels),
        picture.name,
        f"not skin: {picture.kind}",
        "not skin",
        f"picture {picture.group}",
        *_quality(data),
        (float(np.log(wide)), float(np.log(high)), float(np.log(len(data) / (wide * high)))),
    )


def _quality(source: Path | bytes) -> tuple[bool, float]:
    """Whether the quality checks let it pass, and how much of it has the colour of skin."""
    photo = decode(source)
    mask = skin_mask(canonical(photo.pixels))
    checks = check_quality(photo, QualityLimits(), mask)
    return all(check.passed for check in checks), float(mask.mean())


def _file_traits(row: Row) -> tuple[float, float, float]:
    with Image.open(row.path) as image:
        wide, high = image.size
    return float(np.log(wide)), float(np.log(high)), float(np.log(row.path.stat().st_size / (wide * high)))


def _condition_of(label: str, study: Study) -> str:
    tested = (study.target, *study.images.near, study.images.normal, "patch")
    return label if label in tested else ""


def _counted(condition: Sequence[str], study: Study) -> Bools:
    """All of the target, and at most so many of each other condition, drawn by the study's seed."""
    names = np.array(condition)
    found: Bools = np.asarray(names == study.target, bool)
    random = np.random.default_rng(study.protocol.seed)
    for name in sorted(set(condition) - {"", study.target}):
        places = np.flatnonzero(names == name)
        cap = len(places) if name.startswith("not skin") else study.images.per_condition
        found[random.permutation(places)[:cap]] = True
    return found


def _name(file: str, patch: object) -> str:
    return file if patch is None else f"{file}#{getattr(patch, 'left', 0)},{getattr(patch, 'top', 0)}"
