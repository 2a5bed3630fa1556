"""Fixtures for all tests."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

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
    """The builder of hostile files: `hostile.table()`, `hostile.picture()`, `hostile.encode()`."""
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


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The builder of tiny bundles: `tiny.build(folder)`, `tiny.manifest()`, `tiny.model()`."""
    return _load("tiny", Path(__file__).parent / "bundle" / "tiny.py")


@pytest.fixture(scope="session")
def tiny_path(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny bundle; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny") / "bundle"
    tiny.build(folder)
    return folder


@pytest.fixture
def tiny_copy(tiny_path: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle that a test may damage."""
    return Path(shutil.copytree(tiny_path, tmp_path / "copy"))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """The one Playwright of this process: it bears neither a second nor an `asyncio.run` beside it."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: the page was not tried"
    )
    with api.sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def options_of() -> Callable[[Callable[..., object]], set[str]]:
    """The long options of a verb of the command line, from its signature."""

    def found(verb: Callable[..., object]) -> set[str]:
        declared = [hint.__metadata__[0] for name, hint in _hints(verb).items() if name != "return"]
        names = [name for one in declared for name in (one.default, *(one.param_decls or ()))]
        return {name for name in names if isinstance(name, str) and name.startswith("--")}

    return found


def _hints(verb: Callable[..., object]) -> dict[str, Any]:
    return get_type_hints(verb, include_extras=True)
