"""The folder of heat maps that `poxlens screen --heatmap` writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.files import write_atomically
from poxlens.screen.overlay import overlay

if TYPE_CHECKING:
    from poxlens.screen.decision import Decision

_LONGEST = 200  # bytes of a name kept, as file systems take 255 with what is added


class HeatmapFolder:
    """Writes one PNG a photo, `<file name>.heatmap.png`; a name met before gets a number.

    Args:
        folder: where; made when missing.

    Raises:
        OSError: when it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, label: str, decision: Decision) -> Path | None:
        """Write the overlay of one photo.

        Returns:
            Its path; None when the model was not run on this photo.
        """
        png = overlay(decision)
        if png is None:
            return None
        path = self._folder / self._unique("stdin" if label == "-" else Path(label).name)
        write_atomically(path, png)
        return path

    def _unique(self, name: str) -> str:
        stem = os.fsdecode(os.fsencode(name)[:_LONGEST])
        chosen, n = f"{stem}.heatmap.png", 1
        while chosen.lower() in self._taken:  # also on file systems where upper and lower case are one
            n += 1
            chosen = f"{stem}-{n}.heatmap.png"
        self._taken.add(chosen.lower())
        return chosen
