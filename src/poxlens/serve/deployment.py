"""What a deployment of the page sets, and what of the page's files follows from it.

`settings.json` is read by the page. A clinic's server in it is the one other origin that the page may reach, so that
the policy of the page names it; and a visitor's service worker must notice that it changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from poxlens.errors import PoxlensError

if TYPE_CHECKING:
    from poxlens.serve.page import File

_CONNECT = "connect-src 'self'"
_SECURE = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
# Nothing goes over a network, and browsers trust it as they trust TLS.
_LOCAL = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")
_META = re.compile(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"')


class SettingsError(PoxlensError):
    """Settings that cannot be used; the message names the field."""


@dataclass(frozen=True)
class Deployment:
    """What can be set.

    Attributes:
        prevalence: share of mpox among the people with a rash who will use the page, 0.001 to 0.9.
        clinic: origin of the clinic's server that results may be sent to, `https://name` or `https://name:port`, or
            this computer's own over http; None for none.
    """

    prevalence: float = 0.1
    clinic: str | None = None

    def policy(self, policy: str) -> str:
        """A content security policy of the page with the clinic's server allowed, and no other origin."""
        return policy if self.clinic is None else policy.replace(_CONNECT, f"{_CONNECT} {self.clinic}")

    @property
    def text(self) -> str:
        """As `settings.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_deployment(path: Path) -> Deployment:
    """Read a deployment's settings.

    Raises:
        SettingsError: when the file cannot be read, or a field is unknown or out of range.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise SettingsError(f"{path}: cannot be read ({fault.strerror or fault}).") from fault
    except ValueError as fault:
        raise SettingsError(f"{path}: not JSON ({fault}).") from fault
    return deployment(found, str(path))


def deployment(found: object, where: str = "settings.json") -> Deployment:
    """Settings from a JSON value.

    Raises:
        SettingsError: see `read_deployment`.
    """
    if not isinstance(found, dict):
        raise SettingsError(f"{where}: must be an object with prevalence and clinic.")
    unknown = sorted(set(found) - {"prevalence", "clinic"})
    if unknown:
        raise SettingsError(f"{where}: {unknown[0]} is not a setting; there are prevalence and clinic.")
    prevalence, clinic = found.get("prevalence", 0.1), found.get("clinic")
    if (
        isinstance(prevalence, bool)
        or not isinstance(prevalence, int | float)
        or not 0.001 <= prevalence <= 0.9
    ):
        raise SettingsError(f"{where}: prevalence must be a number from 0.001 to 0.9, not {prevalence!r}.")
    if clinic is not None and not (isinstance(clinic, str) and usable_origin(clinic)):
        raise SettingsError(
            f"{where}: clinic must be an origin such as https://clinic.example or https://clinic.example:8443, "
            f"without a path, not {clinic!r}."
        )
    return Deployment(float(prevalence), clinic)


def usable_origin(text: str) -> bool:
    """Whether a text is an https origin, or one of this computer, and nothing that would add to a policy."""
    if not (_LOCAL.fullmatch(text) or _SECURE.fullmatch(text)):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.port is None or 0 < parts.port < 65536)
    except ValueError:
        return False


def deployed(page: Sequence[File], settings: Deployment) -> list[File]:
    """The page's files as this deployment serves them.

    Args:
        page: from `poxlens.serve.page.page_files`.
        settings: of the deployment.
    """
    mark = hashlib.sha256(settings.text.encode()).hexdigest()[:16]
    found = []
    for file in page:
        if file.name == "settings.json":
            found.append(replace(file, content=settings.text.encode()))
        elif file.name == "index.html":
            html = file.content.decode("utf-8")
            html = _META.sub(lambda tag: tag[0].replace(tag[1], settings.policy(tag[1])), html)
            found.append(replace(file, content=html.encode()))
        elif file.name == "sw.js":
            # A worker with other bytes is a new one, and fetches these files anew.
            found.append(replace(file, content=file.content + f"\n// settings {mark}\n".encode()))
        else:
            found.append(file)
    return found
