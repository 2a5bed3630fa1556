"""The study file of `poxlens aism`: one TOML text that decides everything it does."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from poxlens.recipes.compare.study import Images, Protocol, StudyError, _Strict
from poxlens.recipes.compare.study import Study as CompareStudy
from poxlens.train.supervised.classifier import IMAGENET, RANDOM
from poxlens.train.supervised.settings import RECIPES, Settings

Share = Annotated[float, Field(gt=0, le=1)]


class Arm(_Strict):
    """One network from one start with one recipe."""

    name: str
    """as it stands in tables"""
    network: str
    """of `poxlens networks`"""
    start: str = IMAGENET
    """random, imagenet, or the encoder.safetensors of `poxlens pretrain simclr`, relative to the study file"""
    layers: Literal["all", "head"] = "all"
    """all: every layer learns; head: only a new classifier does, on frozen features"""
    recipe: str = "modern"
    """modern, paper, or one of the study's own"""
    shares: Annotated[tuple[Share, ...], Field(min_length=1)] = (1.0,)
    """of the groups of each class in the training part that are learnt from and chosen on"""
    folds: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """only these, counted from 1; all when empty"""
    side: Annotated[int, Field(ge=32, le=1024)] | None = None
    """side of the input, px; that of the images when it is not given"""

    @property
    def published(self) -> bool:
        """Whether it starts from random or published weights, and from no file of ours."""
        return self.start in (RANDOM, IMAGENET)


class Leak(_Strict):
    """The paper's own protocol: copies first, then a split that takes no note of them. **It leaks.**"""

    arms: Annotated[tuple[str, ...], Field(min_length=1)]
    """whose networks, starts and recipes it takes"""
    copied: tuple[str, ...] = ("mpox", "chickenpox", "measles", "normal", "urticaria")
    """the five scarce classes (section 6.2)"""
    size: Annotated[int, Field(ge=2)] = 574
    """images of each of them with its copies; the paper's 4,831 images leave (4,831 - 1,963) / 5 = 574"""
    tested: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """share of all images and copies that is tested"""


class Annotation(_Strict):
    """Where body site and stage of the target's images come from, beside the table's own columns."""

    tables: tuple[Path, ...] = ()
    """CSV with file, grade or body_site, and stage, one a pass, relative to the study file"""


class Targets(_Strict):
    """What the best arm should reach without leak."""

    accuracy: Share = 0.90
    f1: Share = 0.95
    """of the target"""
    specificity: Share = 0.98
    """of the target"""


class Study(_Strict):
    """Everything a study does."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    images: Images
    protocol: Protocol = Protocol(folds=5, validation=0.15)
    recipes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """name = { base = "modern" or "paper", and what differs of `poxlens.train.supervised.settings.Settings` }"""
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    leak: Leak | None = None
    frozen: Path | None = None
    """a study of `poxlens compare` on the same images, run on the same folds and set beside"""
    names: dict[str, str] = Field(default_factory=dict)
    """"NETWORK, SETTING" of the frozen ones = how it is called in tables"""
    ensembles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """name = arms, frozen ones by their name in tables, whose probabilities are averaged"""
    pairs: tuple[tuple[str, str], ...] = ()
    """arms whose difference is told with its interval, the second taken from the first"""
    annotation: Annotation = Annotation()
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """top probability below which a person is asked (section 2.5)"""
    targets: Targets = Targets()

    @model_validator(mode="after")
    def _names(self) -> Study:
        names = [arm.name for arm in self.arms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'an arm "{twice[0]}" stands there twice')
        if self.leak is not None:
            absent = [name for name in self.leak.arms if name not in names]
            if absent:
                raise ValueError(f'leak: there is no arm "{absent[0]}"')
            unknown = sorted(set(self.leak.copied) - set(self.images.classes))
            if unknown:
                raise ValueError(f'leak: "{unknown[0]}" is no class')
        for arm in self.arms:
            self.recipe(arm)
            wrong = [fold for fold in arm.folds if fold > self.protocol.folds * self.protocol.repeats]
            if wrong:
                raise ValueError(f'arm "{arm.name}": there is no fold {wrong[0]}')
        return self

    def recipe(self, arm: Arm) -> Settings:
        """What an arm's recipe comes to.

        Raises:
            ValueError: there is no such recipe, or an entry of it is unknown or of another type.
        """
        if arm.recipe in self.recipes:
            told = dict(self.recipes[arm.recipe])
            base = told.pop("base", "modern")
        else:
            told, base = {}, arm.recipe
        if base not in RECIPES:
            raise ValueError(
                f'arm "{arm.name}": there is no recipe "{base}"; there are: {", ".join([*RECIPES, *self.recipes])}'
            )
        unknown = sorted(set(told) - set(asdict(RECIPES[base])))
        if unknown:
            raise ValueError(f'recipe "{arm.recipe}": "{unknown[0]}" is no entry of it')
        return TypeAdapter(Settings).validate_python({**asdict(RECIPES[base]), **told})

    def compare_study(self, side: int) -> CompareStudy:
        """The same images and folds as `poxlens compare` has them."""
        images = self.images.model_copy(update={"side": side})
        return CompareStudy.model_validate(
            {
                "name": self.name,
                "networks": (self.arms[0].network,),
                "images": images.model_dump(),
                "protocol": self.protocol.model_dump(),
            }
        )

    @property
    def sides(self) -> tuple[int, ...]:
        """All sides that arms take, px."""
        return tuple(sorted({self.side(arm) for arm in self.arms}))

    def side(self, arm: Arm) -> int:
        """An arm's side, px."""
        return arm.side or self.images.side


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
    return study_of(table, str(path))


def study_of(table: Mapping[str, Any], told: str) -> Study:
    """A study from its entries.

    Args:
        table: as a TOML file has them.
        told: where they are from, for messages.

    Raises:
        StudyError: an entry is unknown or out of range; names it.
    """
    try:
        return Study.model_validate(table)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise StudyError(f"{told}: {where + ': ' if where else ''}{message}") from fault


__all__ = ["Arm", "Leak", "Study", "StudyError", "read_study", "study_of"]
