"""The phone app's files and the bundle that it runs: what a browser needs to judge photos by itself.

The page is built from `web/` into the package (`make web`). It does all of the judging: this server only hands out
files, and any static host can do the same.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import brotli
from fastapi import FastAPI, Request, Response

from poxlens.errors import PoxlensError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from poxlens.bundle.store import Bundle

KINDS = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "wasm": "application/wasm",
    "onnx": "application/octet-stream",
    "tflite": "application/octet-stream",
    "svg": "image/svg+xml",
    "png": "image/png",
}
_PACKED = {"png"}  # compressed already
_LARGE = 1_000_000
_FOREVER = "public, max-age=31536000, immutable"
_ASK = "no-cache"  # kept, but asked about each time


class PageMissingError(PoxlensError):
    """The page was not built into this copy of poxlens."""


@dataclass(frozen=True)
class File:
    """One file of the page or the bundle.

    Args:
        name: path below the page's address.
        content: its bytes.
    """

    name: str
    content: bytes

    @property
    def kind(self) -> str:
        """The content type."""
        return KINDS.get(self.name.rpartition(".")[2], "application/octet-stream")

    @cached_property
    def tag(self) -> str:
        """The ETag."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def gzipped(self) -> bytes | None:
        """Compressed with gzip, on the first request for it; None where that saves nothing."""
        return self._smaller(lambda content: gzip.compress(content, 6, mtime=0))

    @cached_property
    def brotli(self) -> bytes | None:
        """Compressed with Brotli, a tenth to a fifth smaller than gzip; None where that saves nothing."""
        quality = (
            11 if len(self.content) < _LARGE else 5
        )  # a runtime of 9 MB takes half a second, and not twenty
        return self._smaller(lambda content: brotli.compress(content, quality=quality))

    def packed(self, accepted: str) -> tuple[bytes, str] | None:
        """The content for a browser that accepts some encodings, and which it is; None for as it is.

        Args:
            accepted: the Accept-Encoding header. Browsers name Brotli to pages with TLS and of this computer only.
        """
        names = {part.partition(";")[0].strip() for part in accepted.split(",")}
        if "br" in names and self.brotli is not None:
            return self.brotli, "br"
        if "gzip" in names and self.gzipped is not None:
            return self.gzipped, "gzip"
        return None

    def _smaller(self, compress: Callable[[bytes], bytes]) -> bytes | None:
        if self.name.rpartition(".")[2] in _PACKED or len(self.content) < 1_000:
            return None
        small = compress(self.content)
        return small if len(small) < 0.97 * len(self.content) else None

    @property
    def cache(self) -> str:
        """How long a browser may keep it: files whose name holds their digest, for ever."""
        return _FOREVER if self.name.startswith("assets/") else _ASK


def page_files() -> list[File]:
    """Every file of the built page.

    Raises:
        PageMissingError: when it was not built.
    """
    folder = files("poxlens.serve") / "page"
    if not (folder / "index.html").is_file():
        raise PageMissingError(
            "The page is not built into this copy of poxlens. In a checkout, run `make web`; an installed "
            "wheel carries it."
        )
    return [File(name, found.read_bytes()) for name, found in _walk(folder, "")]


def bundle_files(bundle: Bundle) -> list[File]:
    """Every file of the bundle, below `bundle/`, as it was verified."""
    names = ["bundle.json", *(file.path for file in bundle.manifest.files)]
    return [File(f"bundle/{name}", bundle.read(name)) for name in names]


def add_page(app: FastAPI, page: Sequence[File], bundle: Bundle) -> None:
    """Serve the page and its bundle.

    Args:
        app: the application.
        page: from `page_files`.
        bundle: what the page judges with.
    """
    for file in [*page, *bundle_files(bundle)]:

        def serve(request: Request, file: File = file) -> Response:
            return _response(request, file)

        # The service worker asks for index.html by its name, as it must on any host.
        for path in ("/", "/index.html") if file.name == "index.html" else (f"/{file.name}",):
            app.add_api_route(path, serve, methods=["GET", "HEAD"], include_in_schema=False)


def _response(request: Request, file: File) -> Response:
    headers = {"cache-control": file.cache, "etag": file.tag, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    packed = file.packed(request.headers.get("accept-encoding", ""))
    if packed is not None:
        content, encoding = packed
        return Response(content, media_type=file.kind, headers={**headers, "content-encoding": encoding})
    return Response(file.content, media_type=file.kind, headers=headers)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda found: found.name):
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        else:
            yield f"{prefix}{item.name}", item
