"""The study file: one TOML text that decides everything a comparison does."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from poxlens.errors import PoxlensError

Head = Literal["dense", "logistic", "svm", "prototypes", "finetune"]
Views = Literal["whole", "averaged"]
ExtraFilter = Literal["without", "old", "random", "strict"]
LeaveOneOut = Literal["best-fold", "nested"]

POOL = "+"  # in the name of a network: features of several, side by side


class StudyError(PoxlensError):
    """A study that cannot be run as written; names the entry."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Images(_Strict):
    """Which images, and what their labels mean."""

    manifest: Path
    """the table of images, relative to the study file"""
    root: Path | None = None
    """the folder that the table's files are relative to; default: the table's"""
    datasets: tuple[str, ...] = ()
    """only these data sets are tested; all when empty"""
    classes: dict[str, tuple[str, ...]]
    """class = the labels of the table that mean it; rows with other labels are left out"""
    target: str
    """the class that is screened for"""
    extra_datasets: tuple[str, ...] = ()
    """data sets that are learnt from and never tested"""
    auxiliary_classes: dict[str, tuple[str, ...]] = {}
    """class = labels of the table that a head learns to tell apart too but never answers with: the probabilities are \
those of `classes` alone. Only from what is left of the extra data sets"""
    extra_filters: Annotated[tuple[ExtraFilter, ...], BeforeValidator(_several), Field(min_length=1)] = (
        "strict",
    )
    """what of them is left out for looking like a tested image; several are run side by side"""
    harmonise: bool = True
    """cut known watermark strips and give every file the same JPEG quality, so that it tells less of its source"""
    side: Annotated[int, Field(ge=32, le=1024)] = 224
    """side of the networks' input, px"""

    @model_validator(mode="after")
    def _target_is_a_class(self) -> Images:
        if self.target not in self.classes:
            raise ValueError(f'target "{self.target}" is none of the classes {", ".join(self.classes)}')
        if len(self.classes) < 2:
            raise ValueError("a study needs at least two classes")
        twice = sorted(set(self.classes) & set(self.auxiliary_classes))
        if twice:
            raise ValueError(f'auxiliary class "{twice[0]}" is a class as well')
        if self.auxiliary_classes and not self.extra_datasets:
            raise ValueError("auxiliary classes are learnt from extra_datasets, and there are none")
        every = {**self.classes, **self.auxiliary_classes}
        labels = [label for meant in every.values() for label in meant]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f'label "{twice[0]}" means two classes')
        both = sorted(set(self.datasets) & set(self.extra_datasets))
        if both:
            raise ValueError(f'data set "{both[0]}" is both tested and extra')
        return self


class Protocol(_Strict):
    """How images are dealt to folds."""

    splits: Path | None = None
    """a file of `poxlens data split`, relative to the study file; made from the entries below when absent"""
    groups: Path | None = None
    """a table file,group of `poxlens data duplicates`, beside the patients and groups of the table"""
    folds: Annotated[int, Field(ge=2)] = 10
    """of the cross-validation (Campana 2024, 4.2)"""
    repeats: Annotated[int, Field(ge=1)] = 1
    """of the whole cross-validation, each dealt anew"""
    grouped: bool = True
    """keep groups on one side; false **leaks** and is there only to repeat what others did"""
    validation: Annotated[float, Field(ge=0.05, le=0.5)] = 0.25
    """share of the development part that hyper-parameters are chosen on (Campana 2024, 4.2)"""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """of everything random"""


class Tuning(_Strict):
    """Hyperband over the dense head (Campana 2024, section 4.3)."""

    networks: tuple[str, ...] = ()
    """the dense head is run on only these of the study; on all when empty"""
    configurations: Annotated[int, Field(ge=1)] = 30
    """tried on each fold"""
    epochs: Annotated[int, Field(ge=1)] = 27
    """that a configuration may have at most"""
    patience: Annotated[int, Field(ge=1)] = 5
    """epochs without a lower validation loss before training stops"""
    batch: Annotated[int, Field(ge=2)] = 32
    """images a step"""
    views: Annotated[int, Field(ge=4, le=4096)] = 32
    """augmented views of each image in the bank that training draws from; best a power of two"""
    class_weights: bool = False
    """weight each class in the loss by the inverse of its frequency, in all heads but prototypes"""


class Finetune(_Strict):
    """The head `finetune`: every layer of the network is trained. Slow: see `poxlens compare --plan`."""

    networks: tuple[str, ...] = ()
    """only these of the study; all single networks when empty"""
    epochs: Annotated[int, Field(ge=1)] = 8
    """passes over the training part at most; the epoch with the lowest validation loss is kept"""
    learning_rates: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (1e-4,)
    """of AdamW; the one with the lowest validation loss is kept"""


class Chosen(_Strict):
    """A part of the study's networks and settings."""

    networks: tuple[str, ...] = ()
    """only these of the study; all when empty"""
    settings: tuple[str, ...] = ()
    """only these, named as in predictions.csv; all when empty"""


class LeavingOneOut(Chosen):
    """Leave-one-out: each group (each image when not grouped) is tested by what learnt from all others."""

    ways: tuple[LeaveOneOut, ...] = ()
    """`best-fold`: hyper-parameters of the fold that tested best, as in the paper, which **leaks**; `nested`: \
chosen anew without the group"""


class Learning(Chosen):
    """Learning curves, made with `--learning-curve`."""

    shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1)] = (
        0.1,
        0.2,
        0.4,
        0.7,
        1.0,
    )
    """of the groups of each class that are learnt from and chosen on; smaller shares are part of larger ones"""


class Study(_Strict):
    """A whole study."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """small letters, digits and hyphens"""
    networks: Annotated[tuple[Annotated[str, Field(pattern=r"^[^/\\\s]+$")], ...], Field(min_length=1)]
    """names of networks; `a+b` is the features of both side by side"""
    heads: Annotated[tuple[Head, ...], Field(min_length=1)] = ("dense", "logistic")
    """what learns from the features"""
    augmentation: Annotated[tuple[bool, ...], Field(min_length=1)] = (False, True)
    """of the dense head: without, with, or both"""
    auxiliary: Annotated[tuple[bool, ...], Field(min_length=1)] = (False, True)
    """of logistic and svm with other sets, where there are `auxiliary_classes`: without, with, or both"""
    views: Annotated[tuple[Views, ...], BeforeValidator(_several), Field(min_length=1)] = ("whole",)
    """`whole`: the image; `averaged`: mean features of 14 views (zooms, corners, mirrored) in training and test"""
    settings: tuple[str, ...] = ()
    """only these of all that heads, augmentation, views and filters come to, named as in predictions.csv; all when \
empty"""
    ensembles: dict[str, tuple[str, ...]] = {}
    """name = networks whose probabilities are averaged"""
    eight_bits: tuple[str, ...] = ()
    """single networks whose features come of weights in eight bits, as `poxlens train` stores them; of others in half \
precision"""
    images: Images
    protocol: Protocol = Protocol()
    tuning: Tuning = Tuning()
    finetune: Finetune = Finetune()
    leave_one_out: LeavingOneOut = LeavingOneOut()
    learning: Learning = Learning()

    @model_validator(mode="after")
    def _names_fit(self) -> Study:
        for what, names in (
            ("networks", self.networks),
            ("heads", self.heads),
            ("views", self.views),
            ("augmentation", tuple(str(one).lower() for one in self.augmentation)),
            ("auxiliary", tuple(str(one).lower() for one in self.auxiliary)),
            ("images.extra_filters", self.images.extra_filters),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f'{what} names "{twice[0]}" twice')
        for name, members in self.ensembles.items():
            if name in self.networks:
                raise ValueError(f'ensemble "{name}" has the name of a network')
            _known(f'ensemble "{name}"', members, self.networks)
            if len(set(members)) < 2:
                raise ValueError(f'ensemble "{name}" needs two networks at least')
        for what, part in (("leave_one_out", self.leave_one_out), ("learning", self.learning)):
            _known(f"{what}.networks", part.networks, self.networks)
        single = tuple(part for name in self.networks for part in name.split(POOL))
        _known("eight_bits", self.eight_bits, single)
        _known("tuning.networks", self.tuning.networks, self.networks)
        _known("finetune.networks", self.finetune.networks, self.networks)
        pooled = [name for name in self.finetune.networks if POOL in name]
        if pooled:
            raise ValueError(
                f'finetune.networks: "{pooled[0]}" is several networks; only one can be fine-tuned'
            )
        return self


def _known(what: str, names: tuple[str, ...], networks: tuple[str, ...]) -> None:
    for name in names:
        if name not in networks:
            raise ValueError(
                f'{what} names "{name}", which is none of the networks of the study{hint(name, networks)}'
            )


def hint(name: str, known: tuple[str, ...] | list[str]) -> str:
    """`; did you mean "x"?` where something close to `name` is known, else nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


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
            close = hint(str(one["loc"][-1]), _siblings(one["loc"]))
            lines.append(f'"{where}" is no entry of a study{close}')
        else:
            message = one["msg"].removeprefix("Value error, ")
            lines.append(f'"{where}": {message[:1].lower()}{message[1:]}')
    return lines


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Study
    for part in place[:-1]:
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
