"""The programs in docs/photo.md and docs/resize.md run, and say what they should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poxlens.photo.decode import UNREADABLE
from poxlens.photo.quality import ADVICE
from poxlens.photo.resize import InputRule, prepare

DOCS = Path(__file__).parents[2] / "docs"


def _run(name: str) -> dict[str, Any]:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, Any] = {}
    exec(compile(blocks[0], name, "exec"), names)
    return names


def test_photo_page_runs_and_lists_every_reason() -> None:
    names = _run("photo.md")
    assert names["tone"].ita is not None
    text = (DOCS / "photo.md").read_text(encoding="utf-8")
    for code in (*UNREADABLE, *ADVICE):
        assert f"| `{code}` |" in text


@pytest.mark.parametrize(
    ("width", "height", "aspect"), [(90, 41, 1.5), (32, 70, 1.2), (13, 13, 1.5), (1, 300, 1.5)]
)
def test_resize_page_equals_prepare_bit_for_bit(width: int, height: int, aspect: float) -> None:
    channel = _run("resize.md")["prepare_channel"]
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = prepare(pixels, InputRule(size=32, max_aspect=aspect))
    for index in range(3):
        assert np.array_equal(channel(pixels[..., index].tolist(), 32, aspect), expected[..., index])
