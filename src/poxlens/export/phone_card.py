"""The section of a model card on the forms for the phone: what eight bits changed, and which layers stay in floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from poxlens.export.eight_bits import MOST_WORK, WANTED
from poxlens.export.forms import Forms, Kind, name_of
from poxlens.export.parity import Change, Parity
from poxlens.export.tail import Head

_HEADS = ("accuracy", "sensitivity", "specificity", "AUROC")


def section(
    forms: Forms,
    parity: Mapping[Kind, Parity],
    sizes: Mapping[Kind, int],
    packed: Sequence[Kind],
    head: Head,
) -> str:
    """The section as Markdown.

    Args:
        forms: of the export.
        parity: of each form.
        sizes: bytes of each form.
        packed: those in the bundle.
        head: how large it is matters to a phone.
    """
    n = next(iter(parity.values())).n
    return (
        "\n\n".join(
            [
                "## Forms for the phone",
                f"Each form judged {n} images of the folds' test parts with the heads of the folds, and is compared "
                "with 32-bit floats image by image. Images that the ranges were read off, and those of their groups, "
                "are not among them. "
                f"The head holds {head.parameters:,} numbers ({head.parameters * 4 / 1e6:.2f} MB). "
                "A form that misses a limit is not packed.",
                _table(parity, sizes, packed),
                "Change of the figures against 32-bit floats, in points, with 95 % intervals over groups; before "
                "and after in brackets:",
                _changes(parity),
                *_misses(parity),
                "### Layers",
                _layers(forms),
            ]
        )
        + "\n"
    )


def _table(parity: Mapping[Kind, Parity], sizes: Mapping[Kind, int], packed: Sequence[Kind]) -> str:
    lines = [
        "| form | MB | packed | mean / largest change of probability | changed classes | changed decisions | "
        "heat map, median / 5 % | novelty, ranks |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name_of(kind)} | {sizes[kind] / 1e6:.2f} | {'yes' if kind in packed else 'no'} | "
        f"{one.mean_change:.4f} / {one.largest_change:.3f} | {one.classes_changed:.2%} | {one.decisions_changed:.2%} | "
        f"{one.heatmap_median:.4f} / {one.heatmap_fifth:.4f} | {one.novelty_rank:.4f} |"
        for kind, one in parity.items()
    ]
    return "\n".join(lines)


def _changes(parity: Mapping[Kind, Parity]) -> str:
    lines = ["| form | of | n | " + " | ".join(_HEADS) + " |", "|---|---|---" + "|---" * len(_HEADS) + "|"]
    for kind, one in parity.items():
        for group, changes in one.figures.items():
            count = max(change.n for change in changes.values()) if changes else 0
            cells = [_cell(changes[name]) if name in changes else "" for name in _HEADS]
            lines.append(f"| {name_of(kind)} | {group} | {count} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(change: Change) -> str:
    return (
        f"{change.difference * 100:+.2f} ({change.low * 100:+.2f} to {change.high * 100:+.2f}; "
        f"{change.before:.3f}, {change.after:.3f})"
    )


def _misses(parity: Mapping[Kind, Parity]) -> list[str]:
    missed = [f"- {name_of(kind)}: {'; '.join(one.missed)}." for kind, one in parity.items() if one.missed]
    return ["Limits that are missed:", "\n".join(missed)] if missed else []


def _layers(forms: Forms) -> str:
    found = forms.sensitivity
    kept = [layer for layer in found.layers if layer.kept]
    told = (
        f"With every convolution in eight bits the features keep {found.all_eight:.1f} dB of signal over noise "
        f"(simulated), {WANTED:g} dB are asked for. {forms.mended} channels without weight were mended, the biases of "
        f"{forms.corrected} convolutions corrected."
    )
    if not kept:
        return f"{told} None had to stay in floats."
    lines = [f"- {layer.name}: {layer.reason}; {layer.work:.1%} of the multiplications." for layer in kept]
    note = f" At most {MOST_WORK:.0%} of the multiplications may stay in floats."
    return f"{told} These stay in floats, and leave {found.mixed:.1f} dB:{note}\n\n" + "\n".join(lines)
