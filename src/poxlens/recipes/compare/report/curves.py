"""Plots of a model's probabilities: confusion matrix, ROC, precision and recall, reliability, use, learning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from poxlens.evaluate.bands import Band
from poxlens.evaluate.calibration import Bin
from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.compare.report.analysis import Analysis, Leader
from poxlens.recipes.compare.report.drawing import COLOURS, FAINT, INK, MARK, Figure, Panel
from poxlens.recipes.compare.report.pooled import Pooled
from poxlens.recipes.compare.report.usefulness import Useful

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curve_figures(found: Analysis) -> list[Figure]:
    """All figures of this module that the study has something to draw for."""
    target = found.tested.target
    leaders = found.leaders
    share = float(np.mean(found.tested.positive))
    figures = [_confusions(found, network) for network in found.tested.networks]
    best = Figure(
        "confusion",
        "Confusion matrices of each network's most accurate setting",
        tuple(_confusion(one.pooled, found.tested.classes, one.pooled.model.name) for one in leaders),
        size=_matrix(found),
    )
    figures.append(best)
    figures += [
        Figure("roc", "ROC curves", tuple(_roc(one, target) for one in leaders)),
        Figure("precision-recall", "Precision and recall", tuple(_pr(one, share) for one in leaders)),
        Figure(
            "reliability",
            "Reliability before and after temperature scaling",
            tuple(_reliability(found, one) for one in leaders if one.pooled.model.name in found.calibrated),
        ),
        Figure("decision-curve", "Decision curves", tuple(_decision(one.useful, share) for one in leaders)),
        Figure(
            "prevalence", "PPV and NPV over prevalence", tuple(_prevalence(one.useful) for one in leaders)
        ),
        Figure("learning-curve", "Learning curves", tuple(_learning(found))),
    ]
    return [figure for figure in figures if figure.panels]


def _confusions(found: Analysis, network: str) -> Figure:
    classes = found.tested.classes
    return Figure(
        f"confusion-{network}",
        f"Confusion matrices of {network}",
        tuple(
            _confusion(one, classes, one.model.setting)
            for one in found.pooled
            if one.model.network == network
        ),
        size=_matrix(found),
    )


def _matrix(found: Analysis) -> tuple[float, float]:
    side = 1.6 + 0.55 * len(found.tested.classes)
    return side + 0.4, side


def _confusion(one: Pooled, classes: Sequence[str], title: str) -> Panel:
    counts = one.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.grid(visible=False)
        axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.set(xlabel="decided", ylabel="truth")
        axes.set_title(title)
        for row in range(len(classes)):
            for column in range(len(classes)):
                axes.text(
                    column,
                    row,
                    f"{shares[row, column]:.2f}\n({counts[row, column]})",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if shares[row, column] > 0.55 else INK,
                )

    told = "; ".join(f"{name} {shares[row, row]:.2f} decided right" for row, name in enumerate(classes))
    return Panel(draw, f"Confusion matrix, {one.model.name}: {told}")


def _roc(one: Leader, target: str) -> Panel:
    value = one.pooled.figures["AUROC"]

    def draw(axes: Axes) -> None:
        _unit_square(axes, "1 − specificity", "sensitivity", one.pooled.model.name)
        axes.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=(0, (4, 4)))
        _band(axes, one.roc)
        axes.text(0.97, 0.04, _told("AUROC", value), ha="right", transform=axes.transAxes, fontsize=8)

    return Panel(draw, f"ROC curve of {target}, {one.pooled.model.name}: {_told('AUROC', value)}")


def _pr(one: Leader, share: float) -> Panel:
    value = one.pooled.figures["average precision"]

    def draw(axes: Axes) -> None:
        _unit_square(axes, "recall", "precision", one.pooled.model.name)
        axes.axhline(share, color=FAINT, lw=0.8, ls=(0, (4, 4)))
        _band(axes, one.precision_recall)
        axes.text(0.03, 0.04, _told("AP", value), transform=axes.transAxes, fontsize=8)

    return Panel(draw, f"Precision over recall, {one.pooled.model.name}: {_told('average precision', value)}")


def _reliability(found: Analysis, leader: Leader) -> Panel:
    one = found.calibrated[leader.pooled.model.name]

    def dots(axes: Axes, bins: Sequence[Bin], colour: str, marker: str, name: str) -> None:
        axes.plot(
            [place.stated for place in bins],
            [place.observed for place in bins],
            color=colour,
            marker=marker,
            ms=4,
            lw=1,
            label=name,
        )

    def draw(axes: Axes) -> None:
        _unit_square(axes, "stated probability", "observed share", one.model.name)
        axes.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=(0, (4, 4)))
        dots(axes, one.bins_before, COLOURS[1], "o", f"before, ECE {one.before['ECE'].value:.3f}")
        dots(axes, one.bins_after, COLOURS[0], "s", f"after, ECE {one.after['ECE'].value:.3f}")
        axes.legend(loc="upper left")

    before, after = one.before["ECE"].value, one.after["ECE"].value
    return Panel(draw, f"Reliability, {one.model.name}: ECE {before:.3f} before, {after:.3f} after scaling")


def _decision(one: Useful, share: float) -> Panel:
    def draw(axes: Axes) -> None:
        x = np.array(one.thresholds)
        axes.axhline(0, color=FAINT, lw=0.8)
        axes.plot(
            x, [at.value for at in one.everybody], color=FAINT, lw=1, ls=(0, (4, 3)), label="refer everybody"
        )
        _ribbon(axes, x, one.benefit, COLOURS[0], "model")
        axes.set(xlabel="threshold probability", ylabel="net benefit", xlim=(0, 1))
        axes.set_ylim(-0.1 * share - 0.02, share * 1.1)
        axes.set_title(one.model.name)
        axes.legend(loc="upper right")

    middle = one.benefit[one.thresholds.index(0.5)].value
    return Panel(draw, f"Decision curve, {one.model.name}: net benefit {middle:.3f} at threshold .5")


def _prevalence(one: Useful) -> Panel:
    def draw(axes: Axes) -> None:
        x = np.array(one.prevalences)
        _ribbon(axes, x, one.ppv, COLOURS[0], "PPV")
        _ribbon(axes, x, one.npv, COLOURS[1], "NPV")
        axes.set_xscale("log")
        axes.set_xticks([0.001, 0.01, 0.1, 0.5], ["0.1 %", "1 %", "10 %", "50 %"])
        axes.minorticks_off()
        axes.set(xlabel="prevalence", ylim=(0, 1.02))
        axes.set_title(one.model.name)
        axes.legend(loc="lower right")

    at = one.prevalences.index(0.01)
    return Panel(
        draw,
        f"PPV and NPV over prevalence, {one.model.name}: at 1 % PPV {one.ppv[at].value:.3f},"
        f" NPV {one.npv[at].value:.3f}",
    )


def _learning(found: Analysis) -> list[Panel]:
    networks = list(dict.fromkeys(one.network for one in found.learning))
    return [_learnt(found, network) for network in networks]


def _learnt(found: Analysis, network: str) -> Panel:
    points = [one for one in found.learning if one.network == network]
    settings = list(dict.fromkeys(one.setting for one in points))

    def draw(axes: Axes) -> None:
        for colour, setting in zip(_cycle(len(settings)), settings, strict=True):
            own = [one for one in points if one.setting == setting]
            _ribbon(
                axes,
                np.array([one.size for one in own], np.float64),
                [one.figures["accuracy"] for one in own],
                colour,
                setting,
                marker="o",
            )
        axes.set(xlabel="images learnt from and chosen on", ylabel="accuracy")
        axes.set_title(network)
        axes.legend(loc="lower right")

    last = max(points, key=lambda one: one.size)
    return Panel(
        draw,
        f"Accuracy over images learnt from, {network}: {last.figures['accuracy'].value:.3f} with {last.size}",
    )


def _unit_square(axes: Axes, below: str, beside: str, title: str) -> None:
    axes.set(xlabel=below, ylabel=beside, xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.set_title(title)


def _band(axes: Axes, band: Band) -> None:
    axes.fill_between(band.x, band.low, band.high, color=MARK, alpha=0.2, lw=0)
    axes.plot(band.x, band.y, color=MARK, lw=1.8)


def _ribbon(
    axes: Axes, x: np.ndarray, values: Sequence[Estimate], colour: str, name: str, marker: str = ""
) -> None:
    low = [one.low if math.isfinite(one.low) else one.value for one in values]
    high = [one.high if math.isfinite(one.high) else one.value for one in values]
    axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    axes.plot(x, [one.value for one in values], color=colour, lw=1.8, marker=marker, ms=4, label=name)


def _cycle(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def _told(name: str, one: Estimate) -> str:
    ends = f" [{one.low:.3f}, {one.high:.3f}]" if math.isfinite(one.low) and not one.too_few else ""
    return f"{name} {one.value:.3f}{ends}"
