"""A small folder of phantoms with a table, for tests of the scan."""

import csv

import pytest
from PIL import Image

from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import draw, random_spec


@pytest.fixture(scope="session")
def pictures():
    """Twelve phantoms, [96, 96, 3] each."""
    return [draw(random_spec(seed, size=96)).image for seed in range(12)]


@pytest.fixture
def table(tmp_path):
    """Writes files into a folder with a table of them: `table({"a.jpg": bytes, ...})` -> Manifest."""

    def make(files, missing=()):
        for name, data in files.items():
            if isinstance(data, bytes):
                (tmp_path / name).write_bytes(data)
            else:
                Image.fromarray(data).save(tmp_path / name, quality=90)
        with (tmp_path / "manifest.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(("file", "label"))
            rows.writerows((name, "x") for name in [*files, *missing])
        return read_manifest(tmp_path / "manifest.csv")

    return make
