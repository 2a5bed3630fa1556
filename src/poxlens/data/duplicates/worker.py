"""A process that compares pairs.

It reads one JSON list of pairs of paths a line and answers with one JSON line of verdicts; it ends when its
input ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from poxlens.data.duplicates.confirm import NOTHING, Verdict, confirm
from poxlens.data.keypoints import Keypoints, describe
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode

_KEPT = 600  # described pictures held at once, about 0.25 MB each: 2,000 spare a tenth of the work at most


class Comparer:
    """Compares files, and remembers the pictures it described last."""

    def __init__(self) -> None:
        self._described: OrderedDict[str, Keypoints | None] = OrderedDict()

    def compare(self, pairs: Sequence[Sequence[str]]) -> list[Verdict]:
        """The verdict on each pair of paths; NOTHING where one of them cannot be read."""
        return [self._pair(one, other) for one, other in pairs]

    def _pair(self, one: str, other: str) -> Verdict:
        first, second = self._keypoints(one), self._keypoints(other)
        return NOTHING if first is None or second is None else confirm(first, second)

    def _keypoints(self, file: str) -> Keypoints | None:
        if file in self._described:
            self._described.move_to_end(file)
            return self._described[file]
        try:
            found = describe(decode(Path(file)).pixels)
        except PhotoError:
            found = None
        self._described[file] = found
        if len(self._described) > _KEPT:
            self._described.popitem(last=False)
        return found


def main() -> None:
    """Serve until the input ends."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process decides when it ends
    cv2.setNumThreads(1)
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(2, 1)  # a decoder that prints must not break the answers
        comparer = Comparer()
        for line in sys.stdin:
            found = comparer.compare(json.loads(line))
            print(json.dumps([astuple(verdict) for verdict in found]), file=answers, flush=True)
