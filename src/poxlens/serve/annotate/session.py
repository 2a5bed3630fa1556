"""Images being labelled: what each has so far, and saving one more answer before it counts.

The table on disk is the truth: it is written whole with every answer, and read again whenever somebody else wrote it
(a second window of the same server shares this object; a second server has its own).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from poxlens.data.annotate.choosing import Item
from poxlens.data.annotate.scheme import Scheme
from poxlens.data.annotate.tables import Given, read_labels, write_labels
from poxlens.errors import AnnotationError, PoxlensError

KEPT = 1000  # answers that can be taken back


class UnsavedError(PoxlensError):
    """An answer that is not on disk: it does not count, and must be sent again."""


class MovedOnError(PoxlensError):
    """An answer given on a view that is no longer right: another window labelled the image meanwhile."""


class AnswerError(PoxlensError):
    """An answer that makes no sense: no such image, label or value, or nothing to take back."""


class Labelling:
    """The images of one run of the page and the table their labels go to."""

    def __init__(self, out: Path, scheme: Scheme, items: Sequence[Item], root: Path) -> None:
        """Read what was labelled so far; rows of other images stay as they are.

        Args:
            out: the table of labels, which may be there already.
            scheme: what is asked.
            items: the images, in the order in which they are shown.
            root: the folder that their files are relative to.

        Raises:
            AnnotationError: the table is there but cannot be read, or has other columns.
        """
        self.out = out
        self.scheme = scheme
        self.items = tuple(items)
        self.root = root
        self._lock = threading.Lock()
        self._labels: dict[str, Given] = {}
        self._revisions = [0] * len(self.items)
        self._undo: list[tuple[int, Given]] = []  # image and what it had before, the latest last
        self._stamp: tuple[int, int] | None = None
        self._refresh()

    def look(self) -> dict[str, Any]:
        """What every image has: `undo` (how many answers can be taken back) and `states` in the order of the items.

        Raises:
            AnnotationError: the table cannot be read any more.
        """
        with self._lock:
            self._refresh()
            return {
                "undo": len(self._undo),
                "states": [self._state(index) for index in range(len(self.items))],
            }

    def answer(self, index: int, name: str, value: str, *, revision: int) -> dict[str, Any]:
        """Save one answer; when this returns, it is on disk.

        Args:
            index: of the image.
            name: of the label.
            value: "" takes it back.
            revision: of the image, as the person saw it.

        Returns:
            `index`, `undo` and `state` of the image. The same answer sent twice, because the first reply was lost,
            is saved once.

        Raises:
            AnswerError: the answer makes no sense.
            MovedOnError: the image was labelled since the person saw it.
            UnsavedError: it could not be written.
            AnnotationError: the table cannot be read any more.
        """
        file = self._existing(index).file
        with self._lock:
            self._refresh()
            now = self._labels.get(file, {})
            try:
                wanted = self.scheme.after(now, name, value)
            except ValueError as fault:
                raise AnswerError(f"{file}: {fault}.") from fault
            if revision != self._revisions[index]:
                if revision != self._revisions[index] - 1 or wanted != now:
                    raise MovedOnError(f"{file}: was labelled in another window meanwhile. Look at it again.")
            elif wanted != now:
                self._save(index, wanted)
                self._undo = [*self._undo[1 - KEPT :], (index, now)]
            return {"index": index, "undo": len(self._undo), "state": self._state(index)}

    def undo(self, depth: int) -> dict[str, Any]:
        """Take the latest answer back.

        Args:
            depth: how many answers could be taken back, as the person saw it.

        Returns:
            As `answer`, of the image it was about.

        Raises:
            AnswerError: there is nothing to take back.
            MovedOnError: something else was answered or taken back meanwhile.
            UnsavedError, AnnotationError: as `answer`.
        """
        with self._lock:
            self._refresh()
            if not self._undo:
                raise AnswerError("There is nothing to take back.")
            if depth != len(self._undo):
                raise MovedOnError("Another window labelled an image meanwhile. Look again.")
            index, before = self._undo[-1]
            self._save(index, before)
            self._undo.pop()
            return {"index": index, "undo": len(self._undo), "state": self._state(index)}

    def counts(self) -> dict[str, int]:
        """How many images there are, and how many have all that is asked."""
        with self._lock:
            self._refresh()
            done = sum(self.scheme.complete(self._labels.get(one.file, {}), one.asked) for one in self.items)
            return {"images": len(self.items), "labelled": done, "open": len(self.items) - done}

    def _existing(self, index: int) -> Item:
        if not 0 <= index < len(self.items):
            raise AnswerError(f"There is no image {index} here.")
        return self.items[index]

    def _state(self, index: int) -> dict[str, Any]:
        return {"labels": self._labels.get(self.items[index].file, {}), "revision": self._revisions[index]}

    def _save(self, index: int, wanted: Given) -> None:
        file = self.items[index].file
        labels = {**self._labels, file: wanted}
        try:
            write_labels(self.out, self.scheme, labels)
            stamp = self._on_disk()
        except OSError as fault:
            raise UnsavedError(
                f"{self.out}: {fault.strerror or fault}.",
                client_message=f"{self.out.name} cannot be written: {fault.strerror or fault}.",
            ) from fault
        self._labels, self._stamp = labels, stamp
        self._revisions[index] += 1

    def _refresh(self) -> None:
        stamp = self._on_disk()
        if stamp == self._stamp:
            return
        found = {} if stamp is None else read_labels(self.out, self.scheme, only=True)
        for index, item in enumerate(self.items):
            self._revisions[index] += found.get(item.file, {}) != self._labels.get(item.file, {})
        # What was undone elsewhere, or labelled anew, is not ours to take back.
        self._labels, self._stamp, self._undo = found, stamp, []

    def _on_disk(self) -> tuple[int, int] | None:
        try:
            found = self.out.stat()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise AnnotationError(f"{self.out}: cannot be read: {fault.strerror or fault}.") from fault
        return found.st_ino, found.st_mtime_ns
