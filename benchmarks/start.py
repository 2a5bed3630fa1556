"""From the command to the answer: `poxlens screen one.jpg` as a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Result, compare, interleaved
from benchmarks.photos import jpeg
from poxlens.bundle.store import embedded_path

IMPORTS = "import numpy, PIL.Image, onnxruntime"


def environment() -> dict[str, str]:
    """The environment of this process, but with compiled modules kept, as pip leaves them for everyone."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def command(*arguments: str) -> list[str]:
    """The installed command `poxlens` of this interpreter."""
    return [str(Path(sys.executable).parent / "poxlens"), *arguments]


def run(bundle: Path, folder: Path, *, quick: bool) -> list[Result]:
    photo = jpeg(folder / "one.jpg", seed=1, size=(1600, 1200))
    screen = command("screen", str(photo))
    if bundle != embedded_path():
        screen += ["--bundle", str(bundle)]

    def ours() -> None:
        subprocess.run(screen, check=True, env=environment(), stdout=subprocess.DEVNULL)

    def theirs() -> None:
        subprocess.run([sys.executable, "-c", IMPORTS], check=True, env=environment())

    seconds = interleaved(ours, theirs, 2 if quick else 25, warm_up=2)
    return [
        compare(
            "one photo, whole process",
            ("poxlens screen one.jpg", seconds[0]),
            (f'python -c "{IMPORTS}"', seconds[1]),
            target=2.0,
            unit="ms",
        )
    ]
