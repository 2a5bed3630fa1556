"""What a person decided on each proposed crop: an append-only file, each line on disk before the next.

`decisions.jsonl` lies beside `proposals.json`. A line is ``{time, file, sha256, action, box, by}``. Nothing is
ever rewritten, so that a crash can cost the last line at most, and who decided what stays on record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from poxlens.data.curate.proposals import Box
from poxlens.errors import CurationError

NAME = "decisions.jsonl"
ACTIONS = ("accept", "reject", "crop", "undo")
"""accept: the proposed box as it is. reject: no crop of this image. crop: the person's own box. undo: the latest
decision on this file that still stands no longer does."""


@dataclass(frozen=True)
class Decision:
    """One thing a person did."""

    time: str  # ISO 8601, UTC
    file: str  # as in the proposals
    sha256: str  # of the image's bytes that the person saw
    action: str  # one of ACTIONS
    box: Box | None  # of the crop: with "crop" the person's, with "accept" the proposed one; else None
    by: str = ""  # who decided


@dataclass(frozen=True)
class Decisions:
    """All lines of a file, in their order."""

    decisions: tuple[Decision, ...]
    torn: str = ""  # the end of a last line that a crash cut off, not counted; "" when whole


def decide(file: str, sha256: str, action: str, box: Box | None = None, *, by: str = "") -> Decision:
    """A decision made now.

    Raises:
        ValueError: no such action, or a box where none belongs, or none where one does.
    """
    if action not in ACTIONS:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {action!r}")
    if (action in ("accept", "crop")) != (box is not None):
        raise ValueError(f"{action} {'needs a box' if box is None else 'has no box'}")
    return Decision(datetime.now(UTC).isoformat(timespec="milliseconds"), file, sha256, action, box, by)


def append_decision(path: Path, decision: Decision) -> None:
    """Add one line, on disk when this returns; a torn last line is closed first and stays where it is.

    Raises:
        OSError: the disk is full or the file is not writable.
    """
    line = json.dumps(asdict(decision)).encode("ascii") + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        written = 0
        while written < len(line):
            written += os.write(handle, line[written:])
        os.fsync(handle)
    finally:
        os.close(handle)


def read_decisions(path: Path) -> Decisions:
    """Read all decisions; no file is no decision.

    A line that a crash cut off, the last one or one that decisions were appended after, is left out and told in
    `torn`: its decision was never confirmed to the person.

    Raises:
        CurationError: the file cannot be read, or a whole line is not a decision; names the line.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Decisions(())
    except OSError as fault:
        raise CurationError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    found: list[Decision] = []
    torn = ""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            torn = line.decode("utf-8", "replace")
            continue
        found.append(_decision(path, number, value))
    return Decisions(tuple(found), torn)


def current(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """What stands for each file: the latest decision on it that was not undone; undecided files are absent."""
    stacks: dict[str, list[Decision]] = {}
    for decision in decisions:
        stack = stacks.setdefault(decision.file, [])
        if decision.action != "undo":
            stack.append(decision)
        elif stack:
            stack.pop()
    return {file: stack[-1] for file, stack in stacks.items() if stack}


def _decision(path: Path, number: int, value: Any) -> Decision:
    try:
        box = value["box"]
        if box is not None:
            left, top, side = (int(one) for one in box)
            box = (left, top, side)
        found = Decision(
            time=str(value["time"]),
            file=str(value["file"]),
            sha256=str(value["sha256"]),
            action=str(value["action"]),
            box=box,
            by=str(value["by"]),
        )
        if found.action not in ACTIONS:
            raise ValueError(f"no action {found.action!r}")
        if (found.action in ("accept", "crop")) != (box is not None):
            raise ValueError(f"{found.action} with box {box}")
    except (KeyError, TypeError, ValueError) as fault:
        raise CurationError(f"{path}, line {number}: is not a decision ({fault!r}).") from fault
    return found
