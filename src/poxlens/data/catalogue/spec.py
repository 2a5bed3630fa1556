"""What is known of a public set of images, as data: one frozen record a set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from poxlens.data.labels import plain

NOT_STATED = "not stated"

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "trainval": "train",
        "val": "val",
        "valid": "val",
        "validation": "val",
        "test": "test",
        "testing": "test",
    }
)
"""What sets call the parts of a split -> train, val or test."""


@dataclass(frozen=True)
class Class:
    """A class of a set."""

    label: str  # ours
    source: str  # the set's own name, kept in the column `condition`
    also: tuple[str, ...] = ()  # other names of its folder or code
    images: int | None = None  # as published, without augmented copies
    patients: int | None = None  # as published

    @property
    def keys(self) -> tuple[str, ...]:
        """The names it is known by, without case, spaces and hyphens."""
        return tuple(dict.fromkeys(plain(name) for name in (self.source, self.label, *self.also)))


@dataclass(frozen=True)
class SideTable:
    """A table that comes with a set: labels, patients or the parts of a split by image."""

    file: str  # regular expression of its name, case ignored
    image: str  # column with the image's id; "" for a table without header, whose first column it is
    label: str = ""  # column with the set's name of the class
    onehot: bool = False  # a column a class holds 1 or 0
    patient: str = ""
    body_site: str = ""
    part: str = ""  # column with train, val or test
    split: str = ""  # name of the split; its last digits are replaced by those of the file's name


@dataclass(frozen=True)
class SetSpec:
    """One public set of images."""

    name: str
    title: str
    about: str
    layout: str  # what its folders look like
    group: str  # how images of one person or lesion are known
    licence: str
    citation: str
    where: tuple[str, ...]  # addresses
    facts: str  # where the counts are from
    classes: tuple[Class, ...] = ()
    images: int | None = None  # as published, without augmented copies
    patients: int | None = None
    official: str = ""  # the splits that its authors published
    augmented: str = ""  # copies that it ships
    faults: tuple[str, ...] = ()  # known
    file_name: str = (
        ""  # regular expression of the stem: groups image, and where it tells them patient and code
    )
    stages: tuple[tuple[str, str], ...] = ()  # code in the name -> stage
    tables: tuple[SideTable, ...] = ()
    labels_from: str = "folder"  # "folder", "table" (folders are looked at where there is none) or "name"
    fold_folders: str = ""  # what foldN holds: "originals" (each image in each fold) or "augmented" copies
    split_folders: str = ""  # name of the split whose parts are top folders
    unique_names: bool = True  # a name occurs once, whatever its folder

    @property
    def labels(self) -> tuple[str, ...]:
        """Our names of its classes."""
        return tuple(one.label for one in self.classes)

    @property
    def by_key(self) -> dict[str, Class]:
        """Its classes by every name that they are known by."""
        return {key: one for one in self.classes for key in one.keys}

    @property
    def name_pattern(self) -> re.Pattern[str] | None:
        """The rule of its file names, None where it has none."""
        return re.compile(self.file_name, re.IGNORECASE) if self.file_name else None

    def known_sha256(self) -> dict[str, str]:
        """SHA-256 by file name in lower case, where they are known; else empty."""
        path = files("poxlens.data.catalogue") / "known" / f"{self.name}.sha256"
        if not path.is_file():
            return {}
        lines = path.read_text("utf-8").splitlines()
        return {name.lower(): digest for digest, name in (line.split("  ", 1) for line in lines)}
