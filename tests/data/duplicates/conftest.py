"""A small table of phantoms with copies whose truth is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.data.phantom import draw, random_spec

LINES = (
    # file, dataset, label, patient, how it is made from which phantom
    ("a.png", "one", "measles", "1", (1, lambda p: p)),
    ("b.png", "one", "others", "2", (2, lambda p: p)),
    ("a-copy.png", "two", "measles", "", (1, lambda p: p)),  # the same bytes as a.png
    ("a.bmp", "two", "chickenpox", "", (1, lambda p: p)),  # the same pixels, another label
    ("b-flip.jpg", "two", "measles", "", (2, lambda p: p[:, ::-1])),
    ("b-dark.jpg", "one", "others", "9", (2, lambda p: (p * 0.7).astype(np.uint8))),
    ("c.png", "one", "measles", "3", (3, lambda p: p)),
    ("d.png", "one", "measles", "3", (4, lambda p: p)),  # of the patient of c.png, another photo
    ("e.png", "two", "measles", "3", (5, lambda p: p)),  # patient 3 of another set: another person
)


def write_table(folder: Path, lines=LINES) -> Path:
    """The images and their table.csv."""
    for file, *_, (seed, change) in lines:
        pixels = np.ascontiguousarray(change(draw(random_spec(seed, size=192, lesion="papule")).image))
        Image.fromarray(pixels).save(folder / file, **({"quality": 92} if file.endswith("jpg") else {}))
    with (folder / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "dataset", "label", "patient"))
        writer.writerows(line[:4] for line in lines)
    return folder / "table.csv"


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Path of a table of nine images; not to be changed."""
    return write_table(tmp_path_factory.mktemp("copies"))


@pytest.fixture(scope="session")
def manifest(table):
    """The table as read."""
    from poxlens.data.manifest import read_manifest

    return read_manifest(table)


@pytest.fixture(scope="session")
def scanned(manifest, tmp_path_factory):
    """The scan of the table."""
    from poxlens.data.scan import scan

    return scan(manifest, tmp_path_factory.mktemp("scan"), workers=1)
