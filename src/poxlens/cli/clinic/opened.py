"""What every verb of `poxlens clinic` begins with: the settings of a data folder, its database and its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import MisuseError
from poxlens.cli.serve import check_installed
from poxlens.errors import PoxlensError

if TYPE_CHECKING:
    from poxlens.serve.clinic.service import Service
    from poxlens.serve.clinic.settings import Settings

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the data. Default: that of this account.")
]
Keys = Annotated[Path | None, typer.Option("--keys", help="File of the keys.")]
Database = Annotated[
    str | None, typer.Option("--database", help="postgresql://user@host/name. Default: SQLite in the folder.")
]
ClinicName = Annotated[
    str | None, typer.Option("--clinic", help="Which clinic, by name; needed where there are several.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def settings_of(data: Path | None, keys: Path | None, database: str | None) -> Settings:
    """The settings of a data folder.

    Raises:
        MissingExtraError: where the extra is not installed.
        SettingsError: where they cannot be used.
    """
    check_installed("poxlens clinic")
    from poxlens.serve.clinic.settings import read_settings

    return read_settings(data, keys=keys, database=database)


@contextmanager
def opened(data: Path | None, keys: Path | None, database: str | None) -> Iterator[Service]:
    """The parts of a server that was started before, without a model.

    Raises:
        PoxlensError: where there is no clinic, or its keys are missing; a refusal, as one line.
    """
    settings = settings_of(data, keys, database)
    from poxlens.serve.clinic.faults import ApiError
    from poxlens.serve.clinic.opening import open_without_model

    service = open_without_model(settings)
    try:
        yield service
    except ApiError as fault:
        raise PoxlensError(fault.message) from None
    finally:
        service.store.close()


def clinic_id(service: Service, name: str | None) -> str:
    """The clinic that is meant.

    Raises:
        MisuseError: where it is not clear which.
    """
    from sqlalchemy import select

    from poxlens.serve.clinic.store.tables import Clinic

    with service.store.reading() as session:
        found = {one.name: one.id for one in session.scalars(select(Clinic).order_by(Clinic.name))}
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        told = ", ".join(repr(one) for one in found)
        raise MisuseError(f"clinic: say which with --clinic; there are {told}")
    return found[name]


def show(as_json: bool, told: dict[str, Any] | list[dict[str, Any]], text: str) -> None:
    """Print a result, for people or for programs."""
    print(json.dumps(told) if as_json else text)
