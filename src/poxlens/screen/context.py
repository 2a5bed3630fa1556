"""What is known about the person beside the photo: the answers that can override a photo's outcome."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from poxlens.errors import PoxlensError

SEXES = ("female", "male", "other")
MAX_AGE = 130
_MAX_BYTES = 64_000


class ContextError(PoxlensError):
    """Answers about the person that cannot be read; names the field."""


@dataclass(frozen=True)
class Context:
    """Answers about one person; None means not asked or not known, and never counts as yes or as no.

    Only contact with a case, or fever and swollen lymph nodes together, change an outcome (`override`). The
    others are carried along for whoever receives the referral. WHO's suspected case (any unexplained acute
    rash) is too wide to sort by, so it is not used.

    Args:
        contact_with_case_21d: contact with a probable or confirmed case within 21 days.
        exposure: another exposure, such as a cluster, travel or contact with animals.
        fever: fever now or since the rash began.
        swollen_lymph_nodes: swollen lymph nodes now or since the rash began.
        risk_group: belongs to a group at higher risk, as the local guidance defines it.
        age: years.
        sex: one of SEXES.

    Raises:
        ContextError: for a value of the wrong kind or out of range.
    """

    contact_with_case_21d: bool | None = None
    exposure: bool | None = None
    fever: bool | None = None
    swollen_lymph_nodes: bool | None = None
    risk_group: bool | None = None
    age: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        for name in YES_NO:
            if not isinstance(value := getattr(self, name), bool | None):
                raise ContextError(f"context: {name} must be true, false or null, not {value!r}")
        number = isinstance(self.age, int | float) and not isinstance(self.age, bool)
        if self.age is not None and not (number and 0 <= self.age <= MAX_AGE):
            raise ContextError(
                f"context: age must be a number of years from 0 to {MAX_AGE}, not {self.age!r}"
            )
        if self.sex is not None and self.sex not in SEXES:
            raise ContextError(f"context: sex must be one of {', '.join(SEXES)}, not {self.sex!r}")

    @property
    def override(self) -> tuple[str, ...]:
        """Codes of the reasons for which this person is referred whatever the photo shows."""
        codes = []
        if self.contact_with_case_21d:
            codes.append("context.contact")
        if self.fever and self.swollen_lymph_nodes:
            codes.append("context.fever_and_nodes")
        return tuple(codes)

    def to_json(self) -> dict[str, Any]:
        """The answers that were given, without those that are not known."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, source: str | bytes | dict[str, Any]) -> Context:
        """Read answers from a JSON object, as text or decoded; every field may be left out.

        Raises:
            ContextError: when it is not a JSON object, or a field is unknown or wrong.
        """
        if not isinstance(source, dict):
            try:
                source = json.loads(source)
            except (ValueError, RecursionError) as fault:
                raise ContextError(f"context: not valid JSON ({fault})") from None
        if not isinstance(source, dict):
            raise ContextError('context: must be a JSON object such as {"fever": true}')
        known = [field.name for field in fields(cls)]
        if unknown := [key for key in source if key not in known]:
            raise ContextError(f"context: unknown field {unknown[0]!r}; known are {', '.join(known)}")
        return cls(**source)

    @classmethod
    def from_file(cls, path: Path) -> Context:
        """Read answers from a JSON file.

        Raises:
            ContextError: naming the file.
        """
        try:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
        except OSError as fault:
            raise ContextError(f"context: cannot read {path}: {fault.strerror}") from None
        if len(data) > _MAX_BYTES:
            raise ContextError(f"{path}: more than {_MAX_BYTES} bytes; not a table of answers")
        try:
            return cls.from_json(data)
        except ContextError as fault:
            raise ContextError(f"{path}: {fault}") from None


YES_NO = ("contact_with_case_21d", "exposure", "fever", "swollen_lymph_nodes", "risk_group")
