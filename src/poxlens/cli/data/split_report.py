"""What `poxlens data split` says: each fold's images, classes and skin tones; leaks; the table of tones."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from poxlens.data.manifest import Manifest
from poxlens.data.splits import Deviation, FoldCounts, Groups, Splits, count_fold, largest_deviation
from poxlens.data.tones import DEL_BINO, TONES, ToneRow, Tones, tone_table

_CLASSES = 8  # columns a terminal has room for; of more, the range over folds
_FOLDS = 30  # rows of a table on the screen; the file and the JSON have all
_NAMED = 5  # groups, files: named on the screen


def to_json(splits: Splits, tones: Tones, out: str, told: list[str]) -> dict[str, Any]:
    """All figures, ready for JSON."""
    worst = largest_deviation(splits)
    return {
        "splits": out,
        "digest": splits.digest,
        "warning": splits.warning,
        "notes": told,
        "plan": asdict(splits.plan),
        "n": len(splits.files),
        "groups": len(splits.group_names),
        "largest_deviation": None if worst is None else {**asdict(worst), "share": round(worst.share, 4)},
        "repeats": [
            [
                {"name": splits.names[repeat][fold], **asdict(count_fold(splits, repeat, fold))}
                for fold in range(len(folds))
            ]
            for repeat, folds in enumerate(splits.outer)
        ],
        "crossing": crossing_groups(splits),
        "tones": [_tone_json(row) for row in tone_table(splits.label, tones)],
        "unreadable": [{"file": file, "fault": fault} for file, fault in tones.unreadable],
    }


def crossing_groups(splits: Splits) -> list[dict[str, Any]]:
    """Every group that stands on both sides of a fold, with its files on each."""
    found = []
    for repeat, fold in splits:
        test, train = splits.outer[repeat][fold], splits.train(repeat, fold)
        for group in splits.crossing(repeat, fold).tolist():
            sides = {
                side: [splits.files[row] for row in rows if splits.group[row] == group]
                for side, rows in (("test", test), ("train", train))
            }
            found.append({"repeat": repeat, "fold": fold, "group": splits.group_names[group], **sides})
    return found


def notes(splits: Splits, table: Manifest, groups: Groups, listed: dict[str, str] | None) -> list[str]:
    """What the reader of the split should know of what it rests on."""
    told = []
    if listed is None:
        told.append(
            "Near-duplicates are not known: give --groups (poxlens data duplicates finds them). Without it, copies"
            " and crops of a photo may stand on both sides."
        )
    elif len(listed) < len(table.rows):
        told.append(
            f"{len(table.rows) - len(listed)} images are not in the list of groups: each stands for itself."
        )
    if not any(row.patient for row in table.rows):
        told.append("The table names no patient: each photo counts as a person of its own.")
    sizes = sorted((int((groups.of == one).sum()), name) for one, name in enumerate(groups.names))
    size, name = sizes[-1]
    if size > 1:
        told.append(f'The largest group is "{name}" with {size} images.')
    left = {splits.names[repeat][fold]: len(splits.unused[repeat][fold]) for repeat, fold in splits}
    told += [f'{count} images are in no part of "{split}".' for split, count in left.items() if count]
    if splits.plan.kind == "official" and not splits.leaks:
        told.append("No known group stands on both sides of the official split.")
    return told


def report(splits: Splits, tones: Tones, told: list[str], console: Console) -> None:
    """Print everything."""
    plan = splits.plan
    console.print(Text(_headline(splits), style="bold"))
    if splits.warning:
        console.print(Text(splits.warning, style="bold red"))
    for repeat, folds in enumerate(splits.outer[:1]):
        title = f"Test part of each fold{f', repeat 1 of {plan.repeats}' if plan.repeats > 1 else ''}"
        counts = [count_fold(splits, repeat, fold) for fold in range(len(folds))]
        console.print(_folds(title, splits, counts, splits.names[repeat]))
        if len(splits.labels) > _CLASSES:
            console.print(_classes(splits, counts))
    _deviation(largest_deviation(splits), console)
    _inner(splits, console)
    _crossing(splits, console)
    if set(tones.tone) != {"unknown"}:
        console.print(_tone_table(tone_table(splits.label, tones)))
    for file, fault in tones.unreadable[:_NAMED]:
        console.print(Text(f"Unreadable: {file}: {fault}", style="red"))
    if len(tones.unreadable) > _NAMED:
        console.print(
            f"… and {len(tones.unreadable) - _NAMED} more that cannot be read; --json names them all."
        )
    for note in told:
        console.print(Text(f"Note: {note}", style="yellow"))


def _headline(splits: Splits) -> str:
    plan = splits.plan
    kind = {
        "k-fold": f"{plan.folds} folds" + (f", {plan.repeats} times" if plan.repeats > 1 else ""),
        "leave-one-group-out": "One group left out at a time",
        "official": "The split that the data set ships",
    }[plan.kind]
    return f"{kind}: {len(splits.files)} images in {len(splits.group_names)} groups, {len(splits.labels)} classes"


def _made(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        made.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
    return made


def _folds(title: str, splits: Splits, counts: list[FoldCounts], names: tuple[str, ...]) -> Table:
    leaking = any(one.crossing_groups for one in counts)
    tones = [tone for tone in TONES if any(one.tones[tone] for one in counts)]
    labels = splits.labels if len(splits.labels) <= _CLASSES else ()
    columns = ["fold", "n", "groups", *labels, *tones, *(["leaking n"] if leaking else [])]
    made = _made(title, *columns)
    for name, one in list(zip(names, counts, strict=True))[:_FOLDS]:
        cells = [
            one.n,
            one.groups,
            *(one.classes[label] for label in labels),
            *(one.tones[tone] for tone in tones),
        ]
        made.add_row(Text(name), *map(str, cells), *([str(one.crossing_images)] if leaking else []))
    if len(counts) > _FOLDS:
        made.add_row(Text(f"… {len(counts) - _FOLDS} more, all in the file"))
    return made


def _classes(splits: Splits, counts: list[FoldCounts]) -> Table:
    made = _made("Images of each class in a fold", "class", "all", "fewest", "most")
    for label in splits.labels:
        held = [one.classes[label] for one in counts]
        made.add_row(Text(label), str(splits.label.count(label)), str(min(held)), str(max(held)))
    return made


def _deviation(worst: Deviation | None, console: Console) -> None:
    if worst is not None:
        console.print(
            Text(
                f'Furthest from even: {worst.count} images of "{worst.label}" in repeat {worst.repeat + 1}, fold'
                f" {worst.fold + 1}, where an even deal gives {worst.even:.1f} ({worst.share:.0%})."
            )
        )


def _inner(splits: Splits, console: Console) -> None:
    sizes = [len(rows) for folds in splits.inner for parts in folds for rows in parts]
    if sizes:
        parts = max(len(parts) for folds in splits.inner for parts in folds)
        each = f"{parts} inner folds" if parts > 1 else "one validation part"
        span = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
        console.print(f"Inner level: {each} a development part, {span} images.", highlight=False)


def _crossing(splits: Splits, console: Console) -> None:
    crossing = crossing_groups(splits)
    for one in crossing[:_NAMED]:
        console.print(
            Text(
                f'Leak: group "{one["group"]}": {one["test"][0]} is tested, {one["train"][0]} is learnt from',
                "red",
            )
        )
    if len(crossing) > _NAMED:
        console.print(Text(f"… and {len(crossing) - _NAMED} more; --json names them all.", "red"))


def _tone_table(rows: tuple[ToneRow, ...]) -> Table:
    fine = any(sum(row.del_bino) for row in rows)
    columns = ["class", "light", "dark", "unknown", "light %", *(DEL_BINO if fine else ())]
    # "light" and "dark" are groups and fine classes: the fine ones carry their source's word.
    shown = [f"ITA {name}" if place > 4 else name for place, name in enumerate(columns)]
    made = _made("Skin tone (estimated from the photo: light above ITA 10°)", *shown)
    for row in rows:
        if not row.label:
            made.add_section()
        share = "–" if row.light + row.dark == 0 else f"{row.light_share:.0%}"
        cells = [row.light, row.dark, row.unknown, share, *(row.del_bino if fine else ())]
        made.add_row(Text(row.label or "all"), *map(str, cells))
    return made


def _tone_json(row: ToneRow) -> dict[str, Any]:
    return {
        "label": row.label or None,
        "light": row.light,
        "dark": row.dark,
        "unknown": row.unknown,
        "del_bino": dict(zip(DEL_BINO, row.del_bino, strict=True)),
    }
