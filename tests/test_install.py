"""What an installation pulls in, by pyproject.toml and the metadata of the installed packages."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LABORATORY = {
    "torch",
    "torchvision",
    "timm",
    "scipy",
    "scikit-learn",
    "onnx",
    "fastapi",
    "matplotlib",
    "pytest",
}


def closure(*extras: str) -> dict[str, str]:
    """Name -> version of all that poxlens with these extras needs on this machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [
        line for extra in extras for line in project["optional-dependencies"][extra]
    ]
    waiting = [Requirement(line) for line in lines]
    found: dict[str, str] = {}
    seen = set()
    while waiting:
        need = waiting.pop()
        step = (canonicalize_name(need.name), frozenset(need.extras))
        if step in seen:
            continue
        seen.add(step)
        try:
            installed = distribution(need.name)
        except PackageNotFoundError:
            raise AssertionError(f"{need.name} is needed and not installed") from None
        found[step[0]] = installed.version
        for further in map(Requirement, installed.requires or []):
            chosen = [{"extra": extra} for extra in (need.extras or {""})]
            if further.marker is None or any(further.marker.evaluate(extra) for extra in chosen):
                waiting.append(further)
    return found


def pinned() -> dict[str, str]:
    """Name -> version in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in pins}


def test_screening_needs_no_laboratory():
    core = closure()
    assert {"numpy", "pillow", "pillow-heif", "onnxruntime", "pydantic", "rich", "typer"} <= set(core)
    assert set(core) & LABORATORY == set()
    assert len(core) < 30
    assert LABORATORY - {"matplotlib"} <= set(closure("train", "serve", "dev"))  # the test can tell


def test_every_package_of_every_extra_is_pinned_to_what_is_installed():
    needed, pins = closure("train", "serve", "dev"), pinned()
    # A build of torch has a local label, +cpu or the like, which a pin leaves open.
    wrong = {name: version for name, version in needed.items() if pins.get(name) != version.partition("+")[0]}
    assert wrong == {}


def test_the_constraints_hold_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert len(pins) == len(pinned()) > 60
