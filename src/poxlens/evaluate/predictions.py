"""What a bundle says of every image of a table, on disk: the one file that all figures are computed from."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.errors import ManifestError
from poxlens.files import sha256_file, write_atomically

if TYPE_CHECKING:
    from poxlens.data.manifest import Manifest, Row
    from poxlens.screen.decision import Decision
    from poxlens.screen.screener import Screener

CHANGED = "unreadable.changed"  # the file is not the one whose SHA-256 the table gives

_FIELDS = (
    "file",
    "dataset",
    "label",
    "class",
    "person",
    "cluster",
    "outcome",
    "readable",
    "assessed",
    "reasons",
    "top",
    "prediction_set",
    "novelty",
    "ita",
    "ita_class",
    "tone",
    "ms",
)
_ADDED = ("body_site", "stage")  # may be missing in a file of before


@dataclass(frozen=True)
class Prediction:
    """One row of predictions.csv."""

    file: str
    dataset: str
    label: str  # as in the table of images
    class_: str  # the bundle's class that the label means; "": none of them
    person: str
    cluster: str  # what is independent of all others
    outcome: str
    readable: bool
    assessed: bool  # passed every gate
    reasons: tuple[str, ...] = ()  # codes
    probabilities: tuple[float, ...] = ()  # in class order; empty where the model was not run
    prediction_set: tuple[str, ...] = ()
    novelty: float | None = None
    ita: float | None = None  # degrees, an estimate
    ita_class: str = ""
    tone: str = ""  # "light" or "dark", an estimate
    ms: float = 0.0  # from file to decision
    body_site: str = ""  # as in the table of images
    stage: str = ""  # of the lesions, as in the table of images


@dataclass(frozen=True)
class Predictions:
    """All rows of predictions.csv."""

    classes: tuple[str, ...]
    rows: tuple[Prediction, ...]


def predict(
    screener: Screener, manifest: Manifest, meaning: Mapping[str, str], *, workers: int | None = None
) -> Iterator[Prediction]:
    """Screen every image of a table, in its order; an unreadable one is a prediction too.

    Args:
        screener: with the bundle to evaluate.
        manifest: the images. Where it gives a SHA-256, a file with another one is not screened (`CHANGED`).
        meaning: label -> class of the bundle; a label that is not in it means none of them.
        workers: photos screened at a time; None for one a core.
    """
    classes = tuple(screener.bundle.manifest.classes)
    waiting: deque[tuple[Row, bool]] = deque()

    def unchanged() -> Iterator[Path]:
        for row in manifest.rows:
            good = not (row.sha256 and row.path.is_file() and _differs(row))
            waiting.append((row, good))
            if good:
                yield row.path

    for _, decision in screener.screen_many(unchanged(), workers=workers):
        while not waiting[0][1]:
            yield _changed(waiting.popleft()[0], meaning)
        yield _prediction(waiting.popleft()[0], decision, meaning, classes)
    while waiting:
        yield _changed(waiting.popleft()[0], meaning)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions.csv: UTF-8, one row an image, `p_<class>` for each class; unknown is an empty cell.

    Raises:
        OSError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIELDS, *_ADDED, *(f"p_{name}" for name in predictions.classes)])
    for row in predictions.rows:
        top = predictions.classes[_argmax(row.probabilities)] if row.probabilities else ""
        cells = [row.file, row.dataset, row.label, row.class_, row.person, row.cluster, row.outcome]
        cells += [str(int(row.readable)), str(int(row.assessed)), ";".join(row.reasons), top]
        cells += [
            ";".join(row.prediction_set),
            _number(row.novelty),
            _number(row.ita),
            row.ita_class,
            row.tone,
        ]
        cells += [f"{row.ms:.2f}", row.body_site, row.stage]
        cells += [_number(p) for p in row.probabilities] or [""] * len(predictions.classes)
        writer.writerow(cells)
    write_atomically(path, text.getvalue())


def read_predictions(path: Path) -> Predictions:
    """Read predictions.csv back.

    Raises:
        ManifestError: the file is missing or not one of ours; names the row.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}.") from fault
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = list(reader.fieldnames or [])
    if tuple(columns[: len(_FIELDS)]) != _FIELDS:
        raise ManifestError(f"{path}: is not a table of predictions (its first columns are others).")
    classes = tuple(name.removeprefix("p_") for name in columns[len(_FIELDS) :] if name not in _ADDED)
    rows = []
    for number, cells in enumerate(reader, start=2):
        try:
            rows.append(_from_cells(cells, classes))
        except (ValueError, TypeError, AttributeError) as fault:
            raise ManifestError(f"{path}, row {number}: {fault}.") from fault
    return Predictions(classes, tuple(rows))


def _from_cells(cells: dict[str, str], classes: tuple[str, ...]) -> Prediction:
    stated = [cells[f"p_{name}"] for name in classes]
    return Prediction(
        file=cells["file"],
        dataset=cells["dataset"],
        label=cells["label"],
        class_=cells["class"],
        person=cells["person"],
        cluster=cells["cluster"],
        outcome=cells["outcome"],
        readable=bool(int(cells["readable"])),
        assessed=bool(int(cells["assessed"])),
        reasons=_split(cells["reasons"]),
        probabilities=tuple(float(p) for p in stated) if any(stated) else (),
        prediction_set=_split(cells["prediction_set"]),
        novelty=float(cells["novelty"]) if cells["novelty"] else None,
        ita=float(cells["ita"]) if cells["ita"] else None,
        ita_class=cells["ita_class"],
        tone=cells["tone"],
        ms=float(cells["ms"]),
        body_site=cells.get("body_site", ""),
        stage=cells.get("stage", ""),
    )


def _differs(row: Row) -> bool:
    try:
        return sha256_file(row.path) != row.sha256
    except OSError:
        return False  # decoding it will say why


def _changed(row: Row, meaning: Mapping[str, str]) -> Prediction:
    means = meaning.get(row.label, "")
    return Prediction(
        row.file,
        row.dataset,
        row.label,
        means,
        row.person,
        row.cluster,
        "cannot_assess",
        False,
        False,
        (CHANGED,),
        body_site=row.body_site,
        stage=row.stage,
    )


def _prediction(
    row: Row, decision: Decision, meaning: Mapping[str, str], classes: tuple[str, ...]
) -> Prediction:
    tone = decision.skin_tone
    return Prediction(
        file=row.file,
        dataset=row.dataset,
        label=row.label,
        class_=meaning.get(row.label, ""),
        person=row.person,
        cluster=row.cluster,
        outcome=str(decision.outcome),
        readable=decision.readable,
        assessed=decision.assessed,
        reasons=tuple(reason.code for reason in decision.reasons),
        probabilities=tuple(decision.probabilities[name] for name in classes)
        if decision.probabilities
        else (),
        prediction_set=decision.prediction_set,
        novelty=decision.novelty,
        ita=None if tone is None else tone.ita,
        ita_class=(tone.ita_class or "") if tone else "",
        tone=(tone.group or "") if tone else "",
        ms=decision.ms.get("total", 0.0),
        body_site=row.body_site,
        stage=row.stage,
    )


def _argmax(values: tuple[float, ...]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _number(value: float | None) -> str:
    # repr keeps every digit: a figure from the file equals one from memory.
    return "" if value is None else repr(float(value))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)
