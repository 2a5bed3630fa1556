"""Typed records of the manifest: frozen dataclasses read strictly from JSON, without pydantic.

The records are plain dataclasses because pydantic costs 45 ms of the 200 ms that `poxlens screen one.jpg` may
take. Their annotations are the one definition: `read` checks JSON against them, and `poxlens.bundle.schema`
has pydantic write the published JSON Schema from the same annotations. A test holds the two to the same
verdicts.
"""

import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class FieldError(ValueError):
    """A value that does not fit its field; the message begins with the field's path."""


class Record:
    """Equality and representation of all records; generating both for each would cost 0.6 ms a class."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # records hold lists

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({inside})"


class Limits:
    """Limits of a field, as metadata of `Annotated`.

    Args:
        low: smallest allowed number, or length of a text, list or table.
        high: largest allowed number.
        above: number that the value must exceed.
        pattern: regular expression that a text must match as a whole, in the dialect that JSON Schema shares
            with Python.
    """

    def __init__(
        self,
        low: float | None = None,
        high: float | None = None,
        above: float | None = None,
        pattern: str | None = None,
    ) -> None:
        self.low, self.high, self.above, self.pattern = low, high, above, pattern

    def fault(self, value: Any) -> str | None:
        """What is wrong with `value`, or None."""
        if isinstance(value, str | list | dict):
            if self.low is not None and len(value) < self.low:
                return "must not be empty" if self.low == 1 else f"must have at least {int(self.low)} entries"
            return self._text_fault(value) if isinstance(value, str) else None
        if self.low is not None and value < self.low:
            return f"must be at least {self.low:g}, not {value!r}"
        if self.above is not None and value <= self.above:
            return f"must be above {self.above:g}, not {value!r}"
        if self.high is not None and value > self.high:
            return f"must be at most {self.high:g}, not {value!r}"
        return None

    def _text_fault(self, value: str) -> str | None:
        if self.pattern is None:
            return None
        import re

        if re.search(self.pattern, value) is None or value.endswith("\n"):
            return f"must match {self.pattern}, not {value!r}"
        return None

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """These limits as JSON Schema keywords; pydantic's own metadata classes take 14 ms to import."""
        schema: dict[str, Any] = handler(core_schema)
        kind = schema.get("type")
        lengths = {"string": "minLength", "array": "minItems", "object": "minProperties"}
        keys = {
            lengths.get(str(kind), "minimum"): self.low,
            "maximum": self.high,
            "exclusiveMinimum": self.above,
            "pattern": self.pattern,
        }
        return {**schema, **{key: value for key, value in keys.items() if value is not None}}


def json_name(name: str) -> str:
    """The JSON key of a field: `class_` is `class`."""
    return name.rstrip("_")


def read(kind: type[T], value: Any, where: str = "") -> T:
    """Build `kind` from decoded JSON. Every field must be there but those whose default is None, no other may be, no
    type is converted.

    Args:
        kind: a dataclass, or an annotation made of the JSON types, `list`, `dict[str, ...]`, `Literal`,
            `| None`.
        value: decoded JSON.
        where: path of the value, for messages.

    Raises:
        FieldError: naming the first field that does not fit.
    """
    return _read(kind, value, where)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """The JSON form of a record: dataclasses to dicts (in order of their fields), tuples to lists.

    A field that may be absent is, where it is None: records without it stay the bytes they were.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            json_name(field.name): plain(getattr(value, field.name))
            for field in fields(value)
            if field.default is not None or getattr(value, field.name) is not None
        }
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _read(kind: Any, value: Any, where: str) -> Any:
    if hasattr(kind, "__metadata__"):  # Annotated: the bare type, then its limits
        value = _read(kind.__origin__, value, where)
        for limits in kind.__metadata__:
            if isinstance(limits, Limits) and (fault := limits.fault(value)):
                raise FieldError(f"{where}: {fault}")
        return value
    if is_dataclass(kind):
        return _read_record(kind, value, where)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is list:
        _expect(isinstance(value, list), "a list", value, where)
        return [_read(inside[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is tuple:
        return _read_tuple(inside, value, where)
    if origin is dict:
        _expect(isinstance(value, dict), "a table", value, where)
        return {key: _read(inside[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin in (Union, types.UnionType):
        return None if value is None else _read(next(k for k in inside if k is not type(None)), value, where)
    if origin is not None:  # Literal
        _expect(isinstance(value, str) and value in inside, " or ".join(map(repr, inside)), value, where)
        return value
    return _read_scalar(kind, value, where)


def _read_tuple(inside: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list) and len(value) == len(inside), f"a list of {len(inside)}", value, where)
    return tuple(
        _read(k, item, f"{where}[{i}]") for i, (k, item) in enumerate(zip(inside, value, strict=True))
    )


def _read_record(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), "a table", value, where)
    members = fields(kind)
    # A module with postponed annotations keeps them as text; ours do not, so the slow look-up is rarely
    # needed.
    hints = get_type_hints(kind, include_extras=True) if any(isinstance(m.type, str) for m in members) else {}
    names = {json_name(member.name) for member in members}
    if unknown := [key for key in value if key not in names]:
        raise FieldError(f"{_dotted(where, unknown[0])}: unknown field")
    built = {}
    for member in members:
        key = json_name(member.name)
        if key not in value and member.default is None:
            continue
        if key not in value:
            raise FieldError(f"{_dotted(where, key)}: missing")
        built[member.name] = _read(hints.get(member.name, member.type), value[key], _dotted(where, key))
    try:
        return kind(**built)
    except FieldError as fault:
        raise FieldError(_dotted(where, str(fault))) from None
    except ValueError as fault:
        raise FieldError(f"{where or 'bundle.json'}: {fault}") from None


def _read_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), "a number", value, where)
        return float(value)
    if kind is int:
        _expect(isinstance(value, int) and not isinstance(value, bool), "a whole number", value, where)
    elif kind is str:
        _expect(isinstance(value, str), "a text", value, where)
    elif kind is bool:
        _expect(isinstance(value, bool), "true or false", value, where)
    else:
        raise TypeError(f"{where}: no rule for {kind!r}")
    return value


def _expect(fits: bool, wanted: str, value: Any, where: str) -> None:
    if not fits:
        shown = repr(value)
        raise FieldError(
            f"{where}: must be {wanted}, not {shown if len(shown) <= 60 else shown[:57] + '...'}"
        )


def _dotted(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
