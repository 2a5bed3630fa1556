"""How a server runs: every choice has a default, so that it starts without any; `clinic.toml` changes them."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poxlens.errors import PoxlensError

CONFIG_NAME = "clinic.toml"


class SettingsError(PoxlensError):
    """Settings that cannot be used; names the field."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mail(_Part):
    """The mail server that notices go through."""

    host: str
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(description="The address in From.", pattern=r"^[^\s@<>]+@[^\s@<>]+$")
    user: str | None = None
    password_file: Path | None = Field(default=None, description="A file whose first line is the password.")
    timeout: float = Field(default=20.0, gt=0, le=120)


class OpenId(_Part):
    """A provider of OpenID Connect that people of the clinic sign in with."""

    issuer: str = Field(pattern=r"^https?://")
    client_id: str
    client_secret_file: Path | None = None
    label: str = Field(default="Sign in with your organisation", max_length=60)


class Settings(_Part):
    """All of a server's choices."""

    data: Path = Field(description="The folder of the data.")
    keys: Path = Field(description="The file of keys, outside the data folder.")
    database: str | None = Field(
        default=None, description="postgresql://…; without it, SQLite in the data folder."
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+$",
        description="How others reach the server, where that is not the address it listens on.",
    )
    origins: tuple[str, ...] = Field(
        default=(), description="Other origins whose phone app may send here with a device token."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses whose X-Forwarded-For is believed."
    )
    metrics_from: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description="Addresses that may read /metrics."
    )
    idle_minutes: float = Field(default=30.0, gt=0, le=1_440)
    session_hours: float = Field(default=12.0, gt=0, le=168)
    max_body: int = Field(default=24_000_000, ge=1_000, description="Bytes of one request.")
    memory: int = Field(
        default=400_000_000, ge=1_000_000, description="Bytes of all requests held at a time."
    )
    waiting: int = Field(
        default=16, ge=0, description="Photos that may wait for a core before 503 is answered."
    )
    request_seconds: float = Field(default=60.0, gt=0, description="Longest time to receive a request.")
    mail: Mail | None = None
    openid: OpenId | None = None

    @property
    def database_url(self) -> str:
        """The database's address."""
        return self.database or f"sqlite:///{self.data / 'clinic.db'}"


def default_data() -> Path:
    """Where an application keeps data for a person on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "poxlens" / "clinic"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "poxlens" / "clinic"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "poxlens" / "clinic"


def default_keys() -> Path:
    """Where it keeps what must not lie with the data."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", str(Path.home()))) / "poxlens" / "clinic-keys.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Preferences" / "poxlens" / "clinic-keys.json"
    return (
        Path(os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))) / "poxlens" / "clinic-keys.json"
    )


def read_settings(data: Path | None, **given: object) -> Settings:
    """The settings of a data folder: its `clinic.toml` where there is one, and what the command line says.

    Args:
        data: the folder; None for the default.
        given: fields of Settings that the command line sets; None is not given.

    Raises:
        SettingsError: when a field is unknown or wrong, or the keys would lie with the data.
    """
    folder = (data or default_data()).absolute()
    told: dict[str, object] = {"data": folder, "keys": default_keys()}
    path = folder / CONFIG_NAME
    if path.is_file():
        try:
            told |= tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise SettingsError(f"{path}: cannot be read: {fault}") from None
    told |= {name: value for name, value in given.items() if value is not None}
    told["data"] = folder
    try:
        settings = Settings.model_validate(told)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}") from None
    settings = settings.model_copy(update={"keys": settings.keys.expanduser().absolute()})
    if settings.keys.resolve().is_relative_to(folder.resolve()):
        raise SettingsError(
            f"--keys {settings.keys}: lies in the data folder; who copies the data must not get the keys too."
        )
    return settings
