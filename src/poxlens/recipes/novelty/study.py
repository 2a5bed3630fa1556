"""The study file of `poxlens novelty`: one TOML text that decides everything it does."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from poxlens.errors import PoxlensError
from poxlens.recipes.novelty.methods import METHODS

Form = Literal["sane", "printed"]


class StudyError(PoxlensError):
    """A study that cannot be run as written; names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Images(_Strict):
    """Which images, and what they are."""

    manifest: Path
    """the table of images, relative to the study file"""
    groups: Path | None = None
    """a table file,group of `poxlens data duplicates`"""
    near: tuple[str, ...]
    """labels that are left out of training one by one"""
    far: str = ""
    """data set of another kind of photo; each of its labels is a condition"""
    normal: str = "normal"
    """label of plain skin"""
    per_condition: Annotated[int, Field(ge=5)] = 100
    """images of a condition that enter a figure at most (Yue 2024, section 2.2)"""
    drawn: Annotated[int, Field(ge=1)] = 60
    """pictures of each kind that is made in code"""


class Protocol(_Strict):
    """How detectors are fitted and tested."""

    folds: Annotated[int, Field(ge=2)] = 5
    """groups of images stay whole"""
    repeats: Annotated[int, Field(ge=1)] = 1
    """of the whole, each dealt anew"""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """of everything random"""
    harmonised: tuple[bool, ...] = (False, True)
    """images as they are given to a network, and made alike in size, blur and JPEG quality"""
    accepted: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """share of held-out mpox, and of all held-out known images, that the gate's limit must let through"""


class Network(_Strict):
    """A network and what is fitted on its embeddings."""

    name: str
    """networks side by side are joined by +"""
    detectors: tuple[str, ...] = tuple(METHODS)
    """all that there are when it is not given"""

    @model_validator(mode="after")
    def _known_detectors(self) -> Network:
        for name in self.detectors:
            if name not in METHODS:
                raise ValueError(f'"{name}" is no detector; there are: {", ".join(METHODS)}')
        return self


class Inpainting(_Strict):
    """MIM, trained on the target alone."""

    forms: tuple[Form, ...] = ("sane", "printed")
    """losses as they are likely meant, and as printed"""
    folds: Annotated[int, Field(ge=2)] = 5
    """patients and near-duplicates stay on one side"""
    closeups: Annotated[int, Field(ge=4)] = 220
    """photos of the target that are kept, the best by the quality rule"""
    augmented: Annotated[int, Field(ge=1)] = 220
    """test photos after mirroring, upending and changes of saturation, for the paper's own figure"""
    noisy: Annotated[int, Field(ge=1)] = 100
    """test photos with Gaussian noise (section 3.4)"""
    epochs: Annotated[int, Field(ge=1)] = 300
    batch: Annotated[int, Field(ge=2)] = 128
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    precision: Literal["fp32", "bf16"] = "fp32"
    """of the arithmetic of training; "bf16" is faster where the processor has it"""
    classifiers: tuple[str, ...] = ()
    """networks whose heads learn the target against three rashes, for comparison (section 3.3)"""


class Study(_Strict):
    """Everything a novelty study does."""

    name: str
    images: Images
    target: str = "mpox"
    protocol: Protocol = Protocol()
    networks: tuple[Network, ...] = ()
    mim: Inpainting | None = None

    @model_validator(mode="after")
    def _something_to_do(self) -> Study:
        if not self.networks and self.mim is None:
            raise ValueError("a study needs at least one [[networks]], or [mim]")
        names = [network.name for network in self.networks]
        if len(set(names)) < len(names):
            raise ValueError("a network stands there twice")
        return self


def read_study(path: Path) -> Study:
    """A study from its file; paths in it are made relative to where the process runs.

    Raises:
        StudyError: unreadable, or an entry is missing, unknown or out of range.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise StudyError(f"{path} cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StudyError(f"{path} is no TOML: {fault}") from fault
    try:
        study = Study.model_validate(told)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from fault
    base = path.parent
    images = study.images
    moved = images.model_copy(
        update={
            "manifest": base / images.manifest,
            "groups": None if images.groups is None else base / images.groups,
        }
    )
    return study.model_copy(update={"images": moved})
