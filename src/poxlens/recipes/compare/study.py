"""The study file: one TOML text that decides everything a comparison does."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from poxlens.errors import PoxlensError

Head = Literal["dense", "logistic", "svm", "prototypes"]


class StudyError(PoxlensError):
    """A study that cannot be run as written; names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Images(_Strict):
    """Which images, and what their labels mean."""

    manifest: Path  # relative to the study file
    root: Path | None = None  # the folder that files are relative to; the manifest's when None
    datasets: tuple[str, ...] = ()  # only these; all when empty
    classes: dict[str, tuple[str, ...]]  # class -> labels of the table that mean it; others are left out
    target: str  # the class that is screened for
    extra_datasets: tuple[str, ...] = ()  # learnt from and never tested, what resembles a test image left out
    harmonise: bool = True  # every file through the same JPEG quality, so that it tells nothing of the source
    side: Annotated[int, Field(ge=32, le=1024)] = 224  # px

    @model_validator(mode="after")
    def _target_is_a_class(self) -> Images:
        if self.target not in self.classes:
            raise ValueError(f'target "{self.target}" is none of the classes {", ".join(self.classes)}')
        if len(self.classes) < 2:
            raise ValueError("a study needs at least two classes")
        labels = [label for meant in self.classes.values() for label in meant]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f'label "{twice[0]}" means two classes')
        return self


class Protocol(_Strict):
    """How images are dealt to folds."""

    splits: Path | None = None  # a file of `poxlens data split`; made from the rest when None
    groups: Path | None = None  # a table file,group of `poxlens data duplicates`
    folds: Annotated[int, Field(ge=2)] = 10
    repeats: Annotated[int, Field(ge=1)] = 1
    grouped: bool = True  # False leaks: only to repeat what others did
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.25  # of the development part (Campana 2024, 4.2)
    seed: int = 0


class Tuning(_Strict):
    """Hyperband (Campana 2024, section 4.3)."""

    configurations: Annotated[int, Field(ge=1)] = 30
    epochs: Annotated[int, Field(ge=1)] = 27
    patience: Annotated[int, Field(ge=1)] = 5
    batch: Annotated[int, Field(ge=2)] = 32
    views: Annotated[int, Field(ge=4)] = 32  # of the bank of augmented views, a power of two
    class_weights: bool = False


class Study(_Strict):
    """A whole study."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    networks: Annotated[tuple[str, ...], Field(min_length=1)]
    heads: Annotated[tuple[Head, ...], Field(min_length=1)] = ("dense", "logistic")
    augmentation: Annotated[tuple[bool, ...], Field(min_length=1)] = (False, True)  # of the dense head
    ensembles: dict[str, tuple[str, ...]] = {}  # name -> networks whose probabilities are averaged
    images: Images
    protocol: Protocol = Protocol()
    tuning: Tuning = Tuning()


def read_study(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        StudyError: it cannot be read, is no TOML, or an entry is unknown or out of range; names the entry.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise StudyError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StudyError(f"{path}: is no TOML text: {fault}.") from fault
    try:
        study = Study.model_validate(table)
    except ValidationError as fault:
        raise StudyError("\n".join(f"{path}: {line}" for line in _told(fault))) from fault
    return study


def _told(fault: ValidationError) -> list[str]:
    lines = []
    for one in fault.errors(include_url=False):
        where = ".".join(str(part) for part in one["loc"]) or "the study"
        if one["type"] == "extra_forbidden":
            close = difflib.get_close_matches(str(one["loc"][-1]), _siblings(one["loc"]), n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            lines.append(f'"{where}" is no entry of a study{hint}')
        else:
            lines.append(f'"{where}": {one["msg"][:1].lower()}{one["msg"][1:]}')
    return lines


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Study
    for part in place[:-1]:
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
