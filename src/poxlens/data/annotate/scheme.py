"""What is asked of each image: labels, their values with one key each, and what follows from them (a TOML file)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from poxlens.data.table import OPTIONAL
from poxlens.errors import AnnotationError

RESERVED = ("j", "k", "z", "?", "+", "=")
"""Keys that the page itself uses; the others are Enter, Space, the arrows, Backspace and Delete."""

_NAME = r"^[a-z][a-z0-9_]*$"
_VALUE = r"^[^\s,;|]+$"
_TAKEN = ("file", "flags", "settled")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Part):
    """One answer."""

    name: Annotated[str, Field(pattern=_VALUE)]  # as it stands in the table
    key: Annotated[str, Field(pattern=r"^[^\sA-Z]$")]  # one character, not a capital
    says: str = ""  # what it means, for the person who labels
    sets: dict[str, str] = {}  # labels that follow: label -> value
    flag: Annotated[str, Field(pattern=r"^\S*$")] = ""  # added to `flags` of a table of images


class Label(_Part):
    """One question, of which each image gets one value."""

    name: Annotated[str, Field(pattern=_NAME)]  # its column
    title: str
    column: str = ""  # of a table of images, where it is written; "" for none
    value: Annotated[tuple[Value, ...], Field(min_length=2)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values, in their order."""
        return tuple(one.name for one in self.value)


class Rule(_Part):
    """A value of a derived label and what it needs."""

    value: str
    when: Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]  # label -> any of these values


class Derived(_Part):
    """A label that nobody is asked for: the first rule that fits gives it."""

    name: Annotated[str, Field(pattern=_NAME)]
    values: Annotated[tuple[str, ...], Field(min_length=2)]
    rule: Annotated[tuple[Rule, ...], Field(min_length=1)]

    def of(self, given: Mapping[str, str]) -> str:
        """The value for the labels of an image; "" while no rule fits."""
        fits = (
            one.value
            for one in self.rule
            if all(given.get(name) in values for name, values in one.when.items())
        )
        return next(fits, "")


class Scheme(_Part):
    """All that is asked of an image."""

    title: str
    notice: str  # who labels, and what the labels are not; stands in every output
    label: Annotated[tuple[Label, ...], Field(min_length=1)]
    derived: tuple[Derived, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the labels, in their order."""
        return tuple(one.name for one in self.label)

    @cached_property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every label, asked or derived, with its values."""
        return {one.name: one.names for one in self.label} | {one.name: one.values for one in self.derived}

    def complete(self, given: Mapping[str, str], asked: tuple[str, ...] | None = None) -> bool:
        """Whether every label (or those of `asked`) has a value."""
        return all(given.get(name) for name in asked or self.names)

    def derive(self, given: Mapping[str, str]) -> dict[str, str]:
        """The derived labels of an image; "" where no rule fits."""
        return {one.name: one.of(given) for one in self.derived}

    def check(self, given: Mapping[str, str]) -> None:
        """Refuse what is not a value of its label; "" is no value yet.

        Raises:
            ValueError: names the label and the value.
        """
        for name, value in given.items():
            if name not in self.names:
                raise ValueError(f'there is no label "{name}"; labels: {", ".join(self.names)}')
            if value and value not in self.choices[name]:
                raise ValueError(f'"{value}" is no {name}; choose {", ".join(self.choices[name])}')

    def after(self, given: Mapping[str, str], name: str, value: str) -> dict[str, str]:
        """The labels of an image once `name` is given `value` ("" takes it back).

        What the value sets is set with it; another label whose value says otherwise is taken back, as the latest
        answer counts.

        Raises:
            ValueError: no such label or value.
        """
        self.check({name: value})
        found = {**given, name: value}
        if value:
            found |= self.sets(name, value)
        for other in self.names:
            if other != name and found.get(other) and self._contradiction(found, other):
                found[other] = ""
        return {label: found[label] for label in self.names if found.get(label)}

    def sets(self, name: str, value: str) -> dict[str, str]:
        """The labels that a value of a label brings with it."""
        label = next(one for one in self.label if one.name == name)
        return next(one for one in label.value if one.name == value).sets

    def clash(self, given: Mapping[str, str]) -> str:
        """The first contradiction between what a value sets and another label, as a sentence; "" for none."""
        return next((told for name in self.names if (told := self._contradiction(given, name))), "")

    def _contradiction(self, given: Mapping[str, str], name: str) -> str:
        value = given.get(name)
        for other, needed in self.sets(name, value).items() if value else ():
            if given.get(other, needed) not in ("", needed):
                return f"{name} {value} means {other} {needed}, not {given[other]}"
        return ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _once("label", [*self.names, *(one.name for one in self.derived)])
        _once("key", [value.key for label in self.label for value in label.value])
        for label in self.label:
            _once(f"value of {label.name}", list(label.names))
            if label.name in _TAKEN:
                raise ValueError(f'a label cannot be called "{label.name}"')
            if label.column and label.column not in OPTIONAL:
                raise ValueError(f'"{label.column}" is no column of a table of images')
            for one in label.value:
                if one.key in RESERVED:
                    raise ValueError(f'key "{one.key}" is used by the page, as {", ".join(RESERVED)} are')
                self.check(one.sets)
        for derived in self.derived:
            for rule in derived.rule:
                if rule.value not in derived.values:
                    raise ValueError(
                        f'a rule of {derived.name} gives "{rule.value}", which is none of its values'
                    )
                for name, values in rule.when.items():
                    for value in values:
                        self.check({name: value})
        return self


def read_scheme(path: Path | None = None) -> Scheme:
    """Read a set of labels.

    Args:
        path: a TOML file as poxlens/data/annotate/mpox.toml; None for that one.

    Raises:
        AnnotationError: it cannot be read or does not fit together; names the place.
    """
    name = "mpox.toml" if path is None else str(path)
    try:
        text = (
            (files("poxlens.data.annotate") / "mpox.toml").read_text("utf-8")
            if path is None
            else path.read_text("utf-8")
        )
        return Scheme.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as fault:
        raise AnnotationError(
            f"{name}: cannot be read: {getattr(fault, 'strerror', None) or fault}."
        ) from fault
    except tomllib.TOMLDecodeError as fault:
        raise AnnotationError(f"{name}: is not TOML: {fault}.") from fault
    except ValidationError as fault:
        raise AnnotationError(f"{name}: {_first(fault)}.") from fault


def _once(what: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'{what} "{twice}" is there twice')


def _first(fault: ValidationError) -> str:
    one: Any = fault.errors()[0]
    place = ".".join(str(part) for part in one["loc"])
    words = re.sub(r"^Value error, ", "", str(one["msg"]))
    return f"{place}: {words}" if place else words
