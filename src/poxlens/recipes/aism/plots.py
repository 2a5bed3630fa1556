"""The figures of a run, after figure 3 of Yue 2024: curves, F1 by class, confusion matrices, top probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from poxlens.recipes.aism.evidence import Evidence
from poxlens.recipes.aism.figures import Judged
from poxlens.recipes.aism.referral import BINS, THRESHOLDS, Referral
from poxlens.recipes.compare.report.drawing import COLOURS, FAINT, INK, Figure, Panel
from poxlens.train.supervised.curves import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def figures(found: Evidence) -> list[Figure]:
    """All that a run has something to draw for."""
    made = [
        Figure(
            "curves", "Accuracy and loss over epochs (Yue 2024, figure 3 a, b)", _curves(found), columns=2
        ),
        Figure(
            "classes",
            "F1, precision, recall, specificity by class (figure 3 c-f)",
            _by_class(found),
            (4.6, 3.4),
            2,
        ),
        Figure("confusion", "Confusion matrices (figure 3 g-j)", _confusions(found), (5.6, 5.0), 2),
        Figure("labels", "Accuracy over the share of labels learnt from", _labels(found), (4.2, 3.2), 2),
        Figure("referral", "Top probabilities and the rule of section 2.5", _referral(found), (4.2, 3.2), 2),
    ]
    return [one for one in made if one.panels]


def _curves(found: Evidence) -> tuple[Panel, ...]:
    if not found.curves:
        return ()
    arms = list(dict.fromkeys(name.rsplit(", fold ", 1)[0] for name in found.curves))
    kinds = (
        ("validation accuracy", "validation_accuracy"),
        ("training loss", "loss"),
        ("validation loss", "validation_loss"),
    )
    told = [_curve(found, arms, title, attribute) for title, attribute in kinds]
    told += [_leaking(name, epochs) for name, epochs in found.leak_curves.items()]
    return tuple(told)


def _curve(found: Evidence, arms: Sequence[str], title: str, attribute: str) -> Panel:
    def draw(axes: Axes) -> None:
        for place, arm in enumerate(arms):
            several = [epochs for name, epochs in found.curves.items() if name.rsplit(", fold ", 1)[0] == arm]
            colour = COLOURS[place % len(COLOURS)]
            for epochs in several:
                values = [getattr(one, attribute) for one in epochs]
                axes.plot(range(1, len(values) + 1), values, color=colour, lw=0.7, alpha=0.45)
            shortest = min(len(epochs) for epochs in several)
            mean = np.mean(
                [[getattr(one, attribute) for one in epochs[:shortest]] for epochs in several], axis=0
            )
            axes.plot(range(1, shortest + 1), mean, color=colour, lw=2, label=arm)
        axes.set(xlabel="epoch", ylabel=title)
        axes.legend()

    return Panel(draw, f"{title} over epochs of {', '.join(arms)}: folds thin, mean thick")


def _leaking(name: str, epochs: Sequence[Epoch]) -> Panel:
    def draw(axes: Axes) -> None:
        numbers = range(1, len(epochs) + 1)
        axes.plot(
            numbers, [one.validation_accuracy for one in epochs], color=COLOURS[3], lw=1.8, label="validation"
        )
        axes.plot(numbers, [one.accuracy for one in epochs], color=FAINT, lw=1.2, label="training")
        axes.set(xlabel="epoch", ylabel="accuracy")
        axes.set_title(f"{name}, Data_C: THIS PROTOCOL LEAKS")
        axes.legend()

    return Panel(draw, f"Accuracy over epochs of {name} under the leaking protocol")


def _by_class(found: Evidence) -> tuple[Panel, ...]:
    arms = found.shown
    return tuple(_bars(found, arms, what) for what in ("F1", "precision", "recall", "specificity"))


def _bars(found: Evidence, arms: Sequence[Judged], what: str) -> Panel:
    def draw(axes: Axes) -> None:
        for place, one in enumerate(arms):
            values = [one.classes[name][what] for name in found.classes]
            across = np.arange(len(values)) + (place - (len(arms) - 1) / 2) * 0.8 / len(arms)
            middle = np.array([value.value for value in values])
            low = np.array([value.low if np.isfinite(value.low) else value.value for value in values])
            high = np.array([value.high if np.isfinite(value.high) else value.value for value in values])
            colour = COLOURS[place % len(COLOURS)]
            axes.errorbar(
                across, middle, np.maximum(0, [middle - low, high - middle]), fmt="o", ms=3.5, lw=1, color=colour,
                label=one.said.arm,
            )  # fmt: skip
        axes.set_xticks(
            range(len(found.classes)), found.classes, rotation=30, ha="right", rotation_mode="anchor"
        )
        axes.set(ylabel=what, ylim=(0, 1.02))
        axes.set_title(what)
        if what == "F1":
            axes.legend(loc="lower left", fontsize=6.5)

    return Panel(draw, f"{what} by class with 95 % intervals, of {', '.join(one.said.arm for one in arms)}")


def _confusions(found: Evidence) -> tuple[Panel, ...]:
    several = [*found.shown, *found.leaks.values()]
    return tuple(_confusion(one, found.classes) for one in several)


def _confusion(one: Judged, classes: Sequence[str]) -> Panel:
    shares = one.confusion / np.maximum(one.confusion.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.grid(visible=False)
        axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(classes)), classes)
        axes.set(xlabel="decided", ylabel="truth")
        axes.set_title(one.said.arm)
        for row in range(len(classes)):
            for column in range(len(classes)):
                if one.confusion[row, column]:
                    colour = "white" if shares[row, column] > 0.55 else INK
                    text = f"{shares[row, column]:.2f}\n({one.confusion[row, column]})"
                    axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)

    told = "; ".join(f"{name} {shares[row, row]:.2f} decided right" for row, name in enumerate(classes))
    return Panel(draw, f"Confusion matrix, {one.said.arm}: {told}")


def _labels(found: Evidence) -> tuple[Panel, ...]:
    arms = list(dict.fromkeys(one.said.arm for one in found.judged if one.said.share < 1))
    if not arms:
        return ()
    target = found.study.images.target

    def panel(name: str) -> Panel:
        def draw(axes: Axes) -> None:
            for place, arm in enumerate(arms):
                own = sorted(
                    (one for one in found.judged if one.said.arm == arm), key=lambda one: one.said.share
                )
                values = [
                    one.overall["accuracy"] if name == "accuracy" else one.classes[target]["F1"]
                    for one in own
                ]
                x, y = [one.said.share for one in own], np.array([value.value for value in values])
                ends = np.array([[value.value - value.low, value.high - value.value] for value in values]).T
                colour = COLOURS[place % len(COLOURS)]
                axes.errorbar(x, y, np.maximum(0, ends), marker="o", ms=4, lw=1.4, color=colour, label=arm)
            axes.set_xscale("log")
            axes.set_xticks([0.1, 0.25, 1], ["10 %", "25 %", "100 %"])
            axes.minorticks_off()
            axes.set(xlabel="labels learnt from", ylabel=name)
            axes.legend()

        return Panel(draw, f"{name} over the share of labels, of {', '.join(arms)}")

    return panel("accuracy"), panel(f"{target} F1")


def _referral(found: Evidence) -> tuple[Panel, ...]:
    best = [one for one in found.referrals if one.arm == found.best.said.name]
    return (*(_top(one, found.study.threshold) for one in best), *((_coverage(best),) if best else ()))


def _top(one: Referral, threshold: float) -> Panel:
    def draw(axes: Axes) -> None:
        left, width = BINS[:-1], BINS[1] - BINS[0]
        axes.bar(
            left, one.right, width, align="edge", color=COLOURS[0], label="told right", edgecolor="white"
        )
        axes.bar(
            left,
            one.wrong,
            width,
            one.right,
            align="edge",
            color=COLOURS[1],
            label="wrong",
            edgecolor="white",
        )
        axes.axvline(threshold, color=INK, lw=1, ls=(0, (4, 3)))
        axes.set(xlabel="top probability", ylabel="photos", xlim=(0, 1))
        axes.set_title(f"{one.arm}, {one.way}")
        axes.legend(loc="upper left")

    return Panel(
        draw, f"Top probabilities of {one.arm}, {one.way}: right {sum(one.right)}, wrong {sum(one.wrong)}"
    )


def _coverage(several: Sequence[Referral]) -> Panel:
    def draw(axes: Axes) -> None:
        for place, one in enumerate(several):
            colour = COLOURS[place]
            axes.plot(one.coverage, one.accuracy, color=colour, marker="o", ms=3, lw=1.4, label=one.way)
            at = THRESHOLDS.index(0.6)
            axes.plot(one.coverage[at], one.accuracy[at], color=colour, marker="D", ms=7)
        axes.set(xlabel="share answered", ylabel="accuracy of these", xlim=(0, 1.01))
        axes.set_title("Diamonds: threshold 0.6")
        axes.legend(loc="lower left")

    told = "; ".join(
        f"{one.way}: {one.coverage[THRESHOLDS.index(0.6)]:.2f} answered at 0.6" for one in several
    )
    return Panel(draw, f"Accuracy over coverage: {told}")
