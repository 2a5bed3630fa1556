"""A folder of proposals on phantoms, and its page on a free port."""

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

from poxlens.data.curate.proposals import NAME, Proposal, Proposals, write_proposals
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.files import sha256_bytes
from poxlens.serve.review.app import create_review
from poxlens.serve.review.session import Session
from poxlens.serve.server import address, listen, settings

LEAST = 100
# file, label, width, height, box; a file that ends in .none.jpg has no proposed box
SHEET = (
    ("mpox/a.jpg", "mpox", 640, 480, (200, 120, 240)),
    ("mpox/b.jpg", "mpox", 400, 600, (80, 200, 200)),
    ("acne/c.none.jpg", "acne", 500, 500, None),
    ("acne/d.jpg", "acne", 2000, 1600, (500, 300, 1000)),
    ("healthy/e.jpg", "healthy", 480, 480, (0, 0, 480)),
)


@dataclass(frozen=True)
class Sheet:
    """A folder under review."""

    folder: Path  # with proposals.json
    root: Path  # with the images
    proposals: Proposals

    @property
    def decisions(self) -> Path:
        return self.folder / "decisions.jsonl"

    def session(self, **options: Any) -> Session:
        return Session(self.folder, self.proposals, self.root, **options)


@pytest.fixture(scope="session")
def phantom_pixels() -> Image.Image:
    return Image.fromarray(draw(PhantomSpec(seed=3, size=400, ita=5.0, lesion="papule", count=5)).image)


def encoded(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a camera maker"
    with io.BytesIO() as stream:
        picture.save(stream, "JPEG", quality=90, exif=exif)
        return stream.getvalue()


@pytest.fixture
def sheet(tmp_path: Path, phantom_pixels: Image.Image) -> Sheet:
    folder, root = tmp_path / "proposals", tmp_path / "images"
    found = []
    for file, label, width, height, box in SHEET:
        data = encoded(phantom_pixels.resize((width, height)))
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(data)
        verdict, code = ("none", "none.small") if box is None else ("crop", "crop.skin")
        sentence = (
            "No square is large enough." if box is None else f"A square of {box[2]} px holds skin alone."
        )
        found.append(
            Proposal(
                file, label, sha256_bytes(data), width, height, verdict, box, code, sentence, 0.9, ("a note",)
            )
        )
    proposals = Proposals("0" * 64, str(root), LEAST, {}, tuple(found))
    write_proposals(folder / NAME, proposals)
    return Sheet(folder, root, proposals)


@pytest.fixture
def session(sheet: Sheet) -> Session:
    return sheet.session(by="tester")


@contextmanager
def running(session: Session, only: str = "", port: int = 0) -> Iterator[str]:
    listener = listen("127.0.0.1", port)
    server = uvicorn.Server(settings(create_review(session, only=only)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def reviewing() -> Callable[..., Any]:
    """`with reviewing(session, only="", port=0) as url`."""
    return running
