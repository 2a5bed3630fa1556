"""Five phantoms to label, and the page on a free port."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image

from poxlens.data.annotate.choosing import Item
from poxlens.data.annotate.scheme import Scheme, read_scheme
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.files import sha256_bytes
from poxlens.serve.annotate.app import create_annotate
from poxlens.serve.annotate.session import Labelling
from poxlens.serve.server import address, listen, settings

SIZES = ((320, 240), (240, 320), (300, 300), (2000, 1500), (224, 224))


@dataclass(frozen=True)
class Desk:
    """Images to label, and where labels go."""

    root: Path
    out: Path
    scheme: Scheme
    items: tuple[Item, ...]

    def session(self) -> Labelling:
        return Labelling(self.out, self.scheme, self.items, self.root)

    def rows(self) -> list[str]:
        """The labels on disk, without the header and the folder."""
        return self.out.read_text().splitlines()[1:] if self.out.exists() else []


@pytest.fixture(scope="session")
def phantom_pixels() -> Image.Image:
    return Image.fromarray(draw(PhantomSpec(seed=5, size=400, ita=5.0, lesion="papule", count=5)).image)


@pytest.fixture
def desk(tmp_path: Path, phantom_pixels: Image.Image) -> Desk:
    scheme = read_scheme()
    items = []
    (tmp_path / "images").mkdir()
    for name, size in zip("abcde", SIZES, strict=True):
        with io.BytesIO() as stream:
            phantom_pixels.resize(size).save(stream, "JPEG", quality=85)
            data = stream.getvalue()
        (tmp_path / "images" / f"{name}.jpg").write_bytes(data)
        items.append(Item(f"{name}.jpg", sha256_bytes(data), scheme.names))
    return Desk(tmp_path / "images", tmp_path / "labels.csv", scheme, tuple(items))


@contextmanager
def running(session: Labelling, port: int = 0) -> Iterator[str]:
    listener = listen("127.0.0.1", port)
    server = uvicorn.Server(settings(create_annotate(session)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def labelling() -> Callable[..., Any]:
    """`with labelling(session, port=0) as url`."""
    return running
