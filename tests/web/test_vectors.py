"""The vectors that the page's own tests use are what Python gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from PIL import features

ROOT = Path(__file__).parents[2]


def _vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("web_vectors", Path(__file__).parent / "vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VECTORS = _vectors()


@pytest.mark.parametrize("name", sorted(VECTORS.MADE))
def test_the_file_is_what_python_gives(name: str) -> None:
    if name == "jpegs" and not features.check("libjpeg_turbo"):
        pytest.skip("Pillow without libjpeg-turbo decodes to other pixels")
    assert (VECTORS.FOLDER / f"{name}.json").read_text("utf-8") == VECTORS.text(name), (
        "python tests/web/vectors.py"
    )


def test_no_vector_is_left_over() -> None:
    assert {file.stem for file in VECTORS.FOLDER.glob("*.json")} == set(VECTORS.MADE)
