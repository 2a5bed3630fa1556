"""Small copies of the images for a page that stays on this computer."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from poxlens.data.curate.proposals import Proposal, Proposals
from poxlens.data.curate.reasons import UNREADABLE
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode

_SIDE = 160  # px, the short side


@dataclass(frozen=True)
class Thumbnail:
    """One image, small."""

    proposal: Proposal
    uri: str  # data: URI of a JPEG


def choose(proposals: Proposals, most: int) -> list[Proposal]:
    """At most `most` proposals, as even as can be over reasons and classes, in the table's order.

    Args:
        proposals: of all images.
        most: how many; every kind gives one in turn until they are reached.
    """
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(proposals.proposals):
        if one.reason != UNREADABLE:
            kinds[one.reason, one.label].append(place)
    turns = max(map(len, kinds.values()), default=0)
    order = [places[turn] for turn in range(turns) for places in kinds.values() if turn < len(places)]
    return [proposals.proposals[place] for place in sorted(order[:most])]


def thumbnail(proposal: Proposal, root: Path) -> Thumbnail | None:
    """The small copy, or None where the file cannot be read any more."""
    try:
        pixels = decode(root / proposal.file, working_side=_SIDE).pixels
    except PhotoError:
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((2 * _SIDE, 2 * _SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return Thumbnail(
        proposal, "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    )
