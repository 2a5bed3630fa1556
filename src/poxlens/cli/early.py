"""One photo decoded in the background while the bundle loads: the two take about as long as each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from poxlens.errors import PhotoError
from poxlens.photo.decode import Photo, decode
from poxlens.screen.background import Background

if TYPE_CHECKING:
    from poxlens.screen.decision import Context, Decision
    from poxlens.screen.screener import Screener


class EarlyPhoto:
    """Starts to decode at once.

    Args:
        source: path of the photo.
    """

    def __init__(self, source: str) -> None:
        self.path = Path(source)
        self._ms = 0.0
        self._photo = Background(self._decode)

    def screen(self, screener: Screener, context: Context | None) -> Decision:
        """The decision, the same as `screener.screen(path)` gives."""
        try:
            photo = self._photo.result()
        except PhotoError:
            return screener.screen(self.path, context=context)  # tells the fault as it always does
        decision = screener.screen(photo, context=context)
        ms = {**decision.ms, "decode": self._ms, "total": decision.ms["total"] + self._ms}
        return replace(decision, ms=ms)

    def _decode(self) -> Photo:
        start = perf_counter()
        photo = decode(self.path)
        self._ms = (perf_counter() - start) * 1000.0
        return photo
