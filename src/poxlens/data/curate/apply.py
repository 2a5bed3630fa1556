"""Proposals and decisions become a folder of cropped images with a table: originals are only read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from poxlens.data.curate.decisions import Decision
from poxlens.data.curate.proposals import Box, Proposal, Proposals, checked_box
from poxlens.errors import CurationError, PhotoError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.decode import decode

MANIFEST = "manifest.csv"
COLUMNS = (
    "file", "label", "dataset", "condition", "patient", "group", "width", "height", "sha256",
    "source_file", "source_sha256", "left", "top", "side", "decided",
)  # fmt: skip
UNDECIDED = ("accept", "skip")
_FULL = 1 << 20  # px: decode at full size


@dataclass(frozen=True)
class Cut:
    """One crop to be made."""

    proposal: Proposal
    box: Box
    decided: str  # "accept" or "crop" by a person, "proposed" where nobody decided


@dataclass(frozen=True)
class Made:
    """One crop that was made."""

    cut: Cut
    file: str  # relative to the folder
    sha256: str  # of its bytes


@dataclass(frozen=True)
class Applied:
    """What `apply` did."""

    made: tuple[Made, ...]
    faults: tuple[tuple[str, str], ...]  # file, what was wrong: changed or unreadable since it was proposed


def cuts(proposals: Proposals, decided: dict[str, Decision], *, undecided: str = "skip") -> tuple[Cut, ...]:
    """The crops that follow from what was decided, in the order of the proposals.

    Args:
        proposals: of all images.
        decided: what stands for each file (`poxlens.data.curate.decisions.current`).
        undecided: "accept" takes the proposed box of an image that nobody decided on, "skip" leaves it out.

    Raises:
        CurationError: a decision on an unknown file, on other bytes of it, or with a box outside the image.
        ValueError: `undecided` is neither.
    """
    if undecided not in UNDECIDED:
        raise ValueError(f"undecided must be one of {', '.join(UNDECIDED)}, not {undecided!r}")
    known = proposals.by_file
    for file, decision in decided.items():
        if file not in known:
            raise CurationError(f"decisions: {file} is not among the proposals; they are of another table.")
        if decision.sha256 != known[file].sha256:
            raise CurationError(
                f"decisions: {file} was another image when it was decided on. Review it again."
            )
    found = []
    for proposal in proposals.proposals:
        chosen = decided.get(proposal.file)
        if chosen is None:
            if undecided == "accept" and proposal.box is not None:
                found.append(Cut(proposal, proposal.box, "proposed"))
        elif chosen.action != "reject":
            box = chosen.box if chosen.box is not None else proposal.box
            try:
                box = checked_box(box, proposal.width, proposal.height)
            except ValueError as fault:
                raise CurationError(f"decisions: {proposal.file}: {fault}.") from fault
            found.append(Cut(proposal, box, chosen.action))
    return tuple(found)


def apply(
    chosen: Iterable[Cut],
    root: Path,
    out: Path,
    *,
    columns: dict[str, dict[str, str]] | None = None,
    advance: Callable[[], object] | None = None,
) -> Applied:
    """Write each crop as PNG, upright sRGB without metadata, and last the table that names them all.

    The table is written when all images are on disk, so a folder with a table is whole.

    Args:
        chosen: the crops (`cuts`).
        root: the folder that their files are relative to.
        out: the folder to write: `LABEL/NAME.png` and `manifest.csv`.
        columns: file -> further cells of the table (dataset, condition, patient, group).
        advance: called after each image.

    Raises:
        CurationError: two crops would have one name, or `out` holds a table already.
    """
    if (out / MANIFEST).exists():
        raise CurationError(f"{out / MANIFEST}: is there already; name an empty folder.")
    made: list[Made] = []
    faults: list[tuple[str, str]] = []
    taken: dict[str, str] = {}
    for cut in chosen:
        name = _name(cut.proposal)
        if taken.setdefault(name.lower(), cut.proposal.file) != cut.proposal.file:
            raise CurationError(f"{cut.proposal.file} and {taken[name.lower()]} would both become {name}.")
        try:
            data = _cropped(cut, root)
        except (PhotoError, CurationError, OSError) as fault:
            faults.append((cut.proposal.file, str(fault)))
        else:
            write_atomically(out / name, data)
            made.append(Made(cut, name, sha256_bytes(data)))
        if advance is not None:
            advance()
    write_atomically(out / MANIFEST, _table(made, columns or {}))
    return Applied(tuple(made), tuple(faults))


def _cropped(cut: Cut, root: Path) -> bytes:
    proposal = cut.proposal
    data = (root / proposal.file).read_bytes()
    if sha256_bytes(data) != proposal.sha256:
        raise CurationError(
            f"{proposal.file}: changed since its crop was proposed. Run poxlens data curate again."
        )
    pixels = decode(data, working_side=_FULL).pixels
    left, top, side = cut.box
    stream = io.BytesIO()
    # From bare pixels: nothing of the file but the picture can come along.
    Image.fromarray(pixels[top : top + side, left : left + side]).save(stream, "PNG")
    return stream.getvalue()


def _name(proposal: Proposal) -> str:
    """LABEL/WHOLE_PATH.png: of the whole path, as two folders may hold files of one name."""
    path = re.sub(r"[^\w.-]+", "_", proposal.file.replace("\\", "/").replace("/", "__")).strip("._")
    label = re.sub(r"[^\w.-]+", "_", proposal.label).strip("._") or "unnamed"
    return f"{label}/{path}.png"


def _table(made: list[Made], columns: dict[str, dict[str, str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in made:
        proposal, (left, top, side) = one.cut.proposal, one.cut.box
        more = columns.get(proposal.file, {})
        writer.writerow(
            {
                **{name: more.get(name, "") for name in ("dataset", "condition", "patient", "group")},
                "file": one.file,
                "label": proposal.label,
                "width": side,
                "height": side,
                "sha256": one.sha256,
                "source_file": proposal.file,
                "source_sha256": proposal.sha256,
                "left": left,
                "top": top,
                "side": side,
                "decided": one.cut.decided,
            }
        )
    return stream.getvalue()
