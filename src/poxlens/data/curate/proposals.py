"""What curation proposes for each image, and the file `proposals.json` that holds it.

The file is JSON: ``{format, manifest_sha256, root, least_side, settings, proposals: [{file, label, sha256, width,
height, verdict, box, reason, sentence, skin_share, notes}]}``, one proposal an image in the order of the table.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from poxlens.errors import CurationError
from poxlens.files import write_atomically

FORMAT = "poxlens-proposals/1"
NAME = "proposals.json"
CROP, NONE = "crop", "none"

Box = tuple[int, int, int]
"""A square of an upright image: left, top, side, px of the file's full size."""


@dataclass(frozen=True)
class Proposal:
    """What curation says of one image."""

    file: str  # as written in the table
    label: str  # as written in the table
    sha256: str  # of the file's bytes as they were seen; "" where the file could not be opened
    width: int  # px, upright; 0 where unreadable
    height: int  # px, upright; 0 where unreadable
    verdict: str  # "crop" or "none"
    box: Box | None  # the proposed square; None with the verdict "none"
    reason: str  # reason code: "crop.skin" or "none.*" (poxlens.data.curate.reasons)
    sentence: str  # the reason in plain words, of this image
    skin_share: float  # of the box that is skin or lesion, 0-1; without a box, of the whole image
    notes: tuple[str, ...] = ()  # "watermark avoided", "caption avoided", ...

    @property
    def unreadable(self) -> str:
        """The sentence where the image could not be read: its size, and so where a square is, is not known."""
        return "" if self.width else self.sentence


@dataclass(frozen=True)
class Proposals:
    """One proposal for each image of a table."""

    manifest_sha256: str  # of the table's bytes
    root: str  # the folder that `file` is relative to
    least_side: int  # px, the smallest crop proposed
    settings: dict[str, Any]  # what else decides the proposals, JSON values
    proposals: tuple[Proposal, ...]

    @property
    def by_file(self) -> dict[str, Proposal]:
        """The proposals by their file."""
        return {proposal.file: proposal for proposal in self.proposals}


def write_proposals(path: Path, proposals: Proposals) -> None:
    """Write `proposals.json`, whole or not at all; the same proposals give the same bytes."""
    write_atomically(path, json.dumps({"format": FORMAT, **asdict(proposals)}, indent=1) + "\n")


def read_proposals(path: Path) -> Proposals:
    """Read `proposals.json`.

    Raises:
        CurationError: the file cannot be read or is not of this format; names the proposal at fault.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise CurationError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    except ValueError as fault:
        raise CurationError(f"{path}: is not JSON ({fault}).") from fault
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        told = found.get("format") if isinstance(found, dict) else None
        raise CurationError(
            f"{path}: is not {FORMAT} (its format: {told!r}). Make it with: poxlens data curate"
        )
    try:
        return Proposals(
            manifest_sha256=str(found["manifest_sha256"]),
            root=str(found["root"]),
            least_side=int(found["least_side"]),
            settings=dict(found["settings"]),
            proposals=tuple(_proposal(path, place, one) for place, one in enumerate(found["proposals"])),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise CurationError(f"{path}: lacks or misspells a field ({fault}).") from fault


def proposal_from_json(value: dict[str, Any]) -> Proposal:
    """The proposal of one JSON object; a box outside the image, or of no size, is a fault.

    Raises:
        KeyError, TypeError, ValueError: a field is missing or no such value.
    """
    box = None if value["box"] is None else checked_box(value["box"], value["width"], value["height"])
    if value["verdict"] not in (CROP, NONE) or (value["verdict"] == CROP) != (box is not None):
        raise ValueError(f"verdict {value['verdict']!r} does not go with box {value['box']!r}")
    return Proposal(
        file=str(value["file"]),
        label=str(value["label"]),
        sha256=str(value["sha256"]),
        width=int(value["width"]),
        height=int(value["height"]),
        verdict=str(value["verdict"]),
        box=box,
        reason=str(value["reason"]),
        sentence=str(value["sentence"]),
        skin_share=float(value["skin_share"]),
        notes=tuple(map(str, value["notes"])),
    )


def checked_box(box: Any, width: int, height: int) -> Box:
    """The box as three whole numbers, held to an image of this size.

    Raises:
        ValueError: not [left, top, side], or not inside the image.
    """
    if not (isinstance(box, list | tuple) and len(box) == 3 and all(type(one) is int for one in box)):
        raise ValueError(f"box {box!r} is not [left, top, side] in whole pixels")
    left, top, side = box
    if side < 1 or left < 0 or top < 0 or left + side > width or top + side > height:
        raise ValueError(f"box {[left, top, side]} is not inside an image of {width} x {height} pixels")
    return left, top, side


def _proposal(path: Path, place: int, value: Any) -> Proposal:
    try:
        return proposal_from_json(value)
    except (KeyError, TypeError, ValueError) as fault:
        told = value.get("file", "?") if isinstance(value, dict) else "?"
        raise CurationError(f"{path}: proposal {place + 1} ({told}) is at fault: {fault}.") from fault
