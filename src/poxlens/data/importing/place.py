"""Where an image stands in a set, from its path: class, original or copy, part of a split, image and patient."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from poxlens.data.catalogue.spec import PARTS, Class, SetSpec
from poxlens.data.labels import plain

_AUGMENTED = re.compile(r"augment|(?:^|[\W_])aug$", re.IGNORECASE)
_FOLD = re.compile(r"fold(\d+)(?:aug)?")
_COPY_SUFFIX = re.compile(r"(?:augmented|augmentation|aug)$")


@dataclass(frozen=True)
class Place:
    """One image file of a set."""

    file: PurePosixPath  # relative to the folder of the set
    source: Class | None  # its class, None where no folder names one
    image: str  # which image it is: for a copy, its original; the stem where names follow no rule
    patient: str = ""
    code: str = ""  # of its class or grade in the name
    named: bool = True  # the name follows the set's rule
    augmented: bool = False
    fold: str = ""  # "fold1" where a folder says so
    part: str = ""  # train, val or test where a folder says so


def place(spec: SetSpec, file: PurePosixPath, outer: int = 0) -> Place:
    """Tell what a path says about an image.

    Args:
        spec: the set.
        file: path relative to the set's folder.
        outer: folders at its front that all images share (for the generic set, whose class names are unknown).
    """
    keys = [plain(part) for part in file.parts[:-1]]
    fold = next((match for key in keys if (match := _FOLD.fullmatch(key))), None)
    part = next((PARTS[key] for key in reversed(keys) if key in PARTS), "")
    augmented = any(_AUGMENTED.search(folder) for folder in file.parts[:-1])
    if spec.fold_folders == "augmented" and fold:
        augmented = augmented or part != "test"
    source = _class(spec, file.parts[outer:-1])
    pattern = spec.name_pattern
    name = None if pattern is None else pattern.match(file.stem)
    whole = name is not None and (augmented or bool(fold) or name.end() == len(file.stem))
    groups = name.groupdict() if name is not None else {}
    return Place(
        file=file,
        source=source,
        image=groups.get("image") or file.stem,
        patient=(groups.get("patient") or "").upper(),
        code=groups.get("code") or "",
        named=pattern is None or whole,
        augmented=augmented,
        fold=f"fold{fold.group(1)}" if fold else "",
        part=part,
    )


def shared_folders(files: Sequence[PurePosixPath]) -> int:
    """Number of outer folders that hold everything and are no class: those a zip was packed in."""
    outer = 0
    while files:
        names = {file.parts[outer] for file in files if len(file.parts) > outer + 2}
        if len(names) != 1 or any(len(file.parts) <= outer + 2 for file in files):
            return outer
        outer += 1
    return outer


def _class(spec: SetSpec, folders: Sequence[str]) -> Class | None:
    if spec.labels_from == "name":
        return spec.classes[0]
    if not spec.classes:
        return _own_class(folders)
    for folder in reversed(folders):
        key = plain(folder)
        found = spec.by_key.get(key) or spec.by_key.get(_COPY_SUFFIX.sub("", key))
        if found is not None:
            return found
    return None


def _own_class(folders: Sequence[str]) -> Class | None:
    """The class of a set that is nobody's release: the first folder that is no fold, part or mark of copies."""
    for folder in folders:
        key = plain(folder)
        if key not in PARTS and not _FOLD.fullmatch(key) and not _AUGMENTED.search(folder):
            return Class(folder.strip(), folder.strip())
    return None
