"""The page as a folder for any static host: its files, a bundle, settings, and the headers that the host must send."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.errors import PoxlensError
from poxlens.files import write_atomically
from poxlens.serve.deployment import Deployment, deployed
from poxlens.serve.guard import HEADERS, POLICY
from poxlens.serve.page import File, bundle_files

if TYPE_CHECKING:
    from poxlens.bundle.store import Bundle

_KEPT = "public, max-age=31536000, immutable"


class StaticFolderError(PoxlensError):
    """A folder that cannot be written to, or holds something else."""


def write_static(folder: Path, page: Sequence[File], bundle: Bundle, settings: Deployment) -> int:
    """Write everything that a static host serves, with its headers in `_headers` and `nginx.conf`.

    Args:
        folder: made when missing; one that was written before is brought up to date, any other must be empty.
        page: from `poxlens.serve.page.page_files`.
        bundle: what the page judges with.
        settings: of the deployment.

    Returns:
        How many files.

    Raises:
        StaticFolderError: when the folder holds something else or cannot be written.
    """
    headers = File("_headers", _headers(settings).encode())
    nginx = File("nginx.conf", _nginx(settings).encode())
    # The service worker's file comes last: what it lists is there when a browser first sees it.
    files = sorted(
        [*deployed(page, settings), *bundle_files(bundle), headers, nginx],
        key=lambda file: file.name == "sw.js",
    )
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / "sw.js").is_file():
            raise StaticFolderError(
                f"{folder} holds other files. Name an empty folder, or one written by this command."
            )
        for file in files:
            write_atomically(folder / file.name, file.content)
    except OSError as fault:
        raise StaticFolderError(f"{folder}: cannot be written ({fault.strerror or fault}).") from fault
    return len(files)


def _sent(settings: Deployment) -> dict[str, str]:
    found = {name.decode(): value.decode() for name, value in HEADERS.items() if name != b"cache-control"}
    return {**found, "content-security-policy": settings.policy(POLICY)}


def _headers(settings: Deployment) -> str:
    """As Netlify, Cloudflare Pages and others read it."""
    lines = [
        "/*",
        *(f"  {name}: {value}" for name, value in _sent(settings).items()),
        "  cache-control: no-cache",
    ]
    return "\n".join([*lines, "/assets/*", "  ! cache-control", f"  cache-control: {_KEPT}", ""])


def _nginx(settings: Deployment) -> str:
    """To be included in a `server` block whose `root` is the folder."""
    sent = "\n".join(f'  add_header {name} "{value}" always;' for name, value in _sent(settings).items())
    return (
        "types { text/javascript mjs; application/wasm wasm; application/manifest+json webmanifest; }\n"
        "gzip on;\n"
        "gzip_types application/wasm application/octet-stream application/json text/javascript text/css;\n"
        f'location / {{\n  add_header cache-control "no-cache" always;\n{sent}\n}}\n'
        f'location /assets/ {{\n  add_header cache-control "{_KEPT}" always;\n{sent}\n}}\n'
    )
