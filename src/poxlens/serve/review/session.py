"""One folder of proposals under review: what was decided, and saving one more decision before it counts.

The decisions file is the truth and is read again whenever somebody else wrote to it (a second window of the
same server shares this object; a second server has its own), so no view of it goes stale for longer than one
decision.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poxlens.data.curate.decisions import NAME as DECISIONS
from poxlens.data.curate.decisions import Decision, append_decision, current, decide, read_decisions
from poxlens.data.curate.proposals import CROP, Box, Proposal, Proposals, checked_box
from poxlens.errors import PoxlensError


class SaveError(PoxlensError):
    """A decision that is not on disk: it does not count, and must be sent again."""


class ConflictError(PoxlensError):
    """A decision made on a view that is no longer right: another window decided on the image meanwhile."""


class DecisionError(PoxlensError):
    """A decision that makes no sense: no such image or action, or a square that is not in the image."""


@dataclass(frozen=True)
class Standing:
    """What stands for one image."""

    decision: Decision | None  # None: undecided
    revision: int  # lines written about the image so far; tells a view of it from a later one


class Session:
    """The proposals of a folder, and the decisions beside them."""

    def __init__(self, folder: Path, proposals: Proposals, root: Path, *, by: str = "") -> None:
        """Read what was decided so far.

        Args:
            folder: where `decisions.jsonl` is, or will be.
            proposals: of `proposals.json` in that folder.
            root: the folder that the proposals' files are relative to.
            by: who decides, for the record.

        Raises:
            CurationError: the decisions are there but cannot be read.
        """
        self.folder = folder
        self.root = root
        self.by = by
        self.proposals = proposals.proposals
        self.least_side = proposals.least_side
        self.decisions = folder / DECISIONS
        self._index = {proposal.file: place for place, proposal in enumerate(self.proposals)}
        self._lock = threading.Lock()
        self._lines: list[Decision] = []
        self._about: dict[str, list[Decision]] = {}  # file -> its lines
        self._order: list[int] = []  # images by the decisions that stand, the latest last
        self._size = -1
        self._refresh()

    def path(self, index: int) -> Path:
        """Where the image of a proposal should be."""
        return self.root / self.proposals[index].file

    def look(self, since: int = 0) -> dict[str, Any]:
        """What stands, for the images that lines after the first `since` are about.

        Returns:
            JSON values: `lines` (how many there are now), `last` (index of the latest decision that stands,
            None without one) and `changed` ([{index, revision, decision}]).

        Raises:
            CurationError: the decisions cannot be read any more.
        """
        with self._lock:
            self._refresh()
            return self._look(since)

    def standing(self) -> list[Standing]:
        """What stands for each proposal, in their order."""
        with self._lock:
            self._refresh()
            return [self._standing(proposal.file) for proposal in self.proposals]

    def record(
        self, index: int, action: str, box: Box | None, *, revision: int, since: int = 0
    ) -> dict[str, Any]:
        """Save one decision; when this returns, it is on disk.

        Args:
            index: of the proposal.
            action: "accept" (the proposed square), "crop" (`box`), "reject" or "undo".
            box: with "crop"; ignored otherwise.
            revision: of the image, as the person saw it.
            since: lines that the page knows; what `look` tells is counted from there.

        Returns:
            As `look`. The same decision sent twice, because the first answer was lost, is written once.

        Raises:
            DecisionError: the decision makes no sense.
            ConflictError: the image was decided on since the person saw it.
            SaveError: it could not be written.
            CurationError: the decisions cannot be read any more.
        """
        decision = self._decision(index, action, box)
        with self._lock:
            self._refresh()
            now = self._standing(decision.file)
            if revision != now.revision:
                if not self._repeated(decision, now, revision):
                    raise ConflictError(
                        f"{decision.file}: was decided on in another window meanwhile. Look at it again."
                    )
            elif action == "undo" and now.decision is None:
                raise DecisionError(f"{decision.file}: there is no decision to undo.")
            else:
                self._save(decision)
            return self._look(since)

    def _decision(self, index: int, action: str, box: Box | None) -> Decision:
        if not 0 <= index < len(self.proposals):
            raise DecisionError(f"There is no image {index} in these proposals.")
        proposal = self.proposals[index]
        if action == "accept":
            if proposal.verdict != CROP:
                raise DecisionError(f"{proposal.file}: no crop is proposed that could be accepted.")
            box = proposal.box
        elif action == "crop":
            box = self._checked(proposal, box)
        else:
            box = None
        try:
            return decide(proposal.file, proposal.sha256, action, box, by=self.by)
        except ValueError as fault:
            raise DecisionError(f"{proposal.file}: {fault}.") from fault

    def _checked(self, proposal: Proposal, box: Box | None) -> Box:
        try:
            found = checked_box(box, proposal.width, proposal.height)
        except ValueError as fault:
            raise DecisionError(f"{proposal.file}: {fault}.") from fault
        if found[2] < self.least_side:
            raise DecisionError(
                f"{proposal.file}: a square of {found[2]} px is under the least side of {self.least_side} px."
            )
        return found

    def _repeated(self, decision: Decision, now: Standing, revision: int) -> bool:
        if revision != now.revision - 1:
            return False
        latest = self._about[decision.file][-1]
        return (latest.action, latest.box, latest.by) == (decision.action, decision.box, decision.by)

    def _save(self, decision: Decision) -> None:
        before = self._size
        self._size = -1  # unless all goes well, the file is read again: a part of the line may be in it
        try:
            append_decision(self.decisions, decision)
            with self.decisions.open("rb") as stream:
                stream.seek(max(0, before))
                added = stream.read()
        except OSError as fault:
            raise SaveError(
                f"{self.decisions}: {fault.strerror or fault}.",
                client_message=f"{DECISIONS} cannot be written: {fault.strerror or fault}.",
            ) from fault
        if added.strip().count(b"\n"):  # another server wrote in between
            self._refresh()
        else:
            self._add(decision)
            self._size = max(0, before) + len(added)

    def _refresh(self) -> None:
        try:
            size = self.decisions.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError:
            size = -2  # reading it will say why
        if size != self._size:
            read = read_decisions(self.decisions).decisions
            self._lines, self._about, self._order = [], {}, []
            for line in filter(self._is_ours, read):
                self._add(line)
            self._size = size

    def _add(self, line: Decision) -> None:
        self._lines.append(line)
        self._about.setdefault(line.file, []).append(line)
        place = self._index[line.file]
        if line.action != "undo":
            self._order.append(place)
        else:  # undo mostly takes the latest, so the search is short
            at = next((at for at in reversed(range(len(self._order))) if self._order[at] == place), None)
            if at is not None:
                del self._order[at]

    def _is_ours(self, line: Decision) -> bool:
        # A decision on other bytes under the same name says nothing about this image.
        place = self._index.get(line.file)
        return place is not None and self.proposals[place].sha256 == line.sha256

    def _standing(self, file: str) -> Standing:
        lines = self._about.get(file, [])
        return Standing(current(lines).get(file), len(lines))

    def _look(self, since: int) -> dict[str, Any]:
        touched = dict.fromkeys(line.file for line in self._lines[max(0, since) :])
        return {
            "lines": len(self._lines),
            "last": self._order[-1] if self._order else None,
            "changed": [to_json(self._index[file], self._standing(file)) for file in touched],
        }


def to_json(index: int, standing: Standing) -> dict[str, Any]:
    """What stands for one image, as the page reads it."""
    found = standing.decision
    shown = None if found is None else {"action": found.action, "box": found.box, "by": found.by}
    return {"index": index, "revision": standing.revision, "decision": shown}
