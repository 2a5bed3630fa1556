"""Fixtures for all tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def hostile() -> ModuleType:
    """The builder of malformed and hostile files: `hostile.table()`, `hostile.picture()`, `hostile.encode()`."""
    return _load("hostile", Path(__file__).parent / "photo" / "hostile.py")


@pytest.fixture(scope="session")
def hostile_folder(hostile: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """All hostile files on disk: path to "ok" or the last part of the expected unreadable.* code."""
    folder = tmp_path_factory.mktemp("hostile")
    expected = {}
    for index, item in enumerate(hostile.table()):
        path = folder / f"{index:03d}.jpg"  # every name says JPEG: the content must decide
        path.write_bytes(item.data)
        expected[path] = item.expected
    return expected
