"""Figures over repeated cross-validation, and differences between figures, as statistics that get an interval.

Repeats test the same images again, so they are no new evidence: the figures of the repeats are averaged, and a
resample draws each image's group once for all of them. The interval is over groups and repeats only make the figure
steadier.
"""

from __future__ import annotations

from collections.abc import Sequence

from poxlens.evaluate.statistic import Floats, Statistic


def over_repeats(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of one figure over repeats.

    Args:
        statistics: [R] the figure in each repeat, of the same N images in the same order.

    Raises:
        ValueError: none given, or of different numbers of images.
    """
    if not statistics:
        raise ValueError("there is no repeat to average over")
    first = statistics[0]
    if any(one.rows.shape != first.rows.shape for one in statistics):
        raise ValueError("all repeats must be of the same images")
    if len(statistics) == 1:
        return first

    def over(weights: Floats) -> Floats:
        total = first.over(weights)
        for one in statistics[1:]:
            total = total + one.over(weights)
        return total / len(statistics)

    return Statistic(over, first.rows, first.sides, share=first.share, biased=first.biased)


def difference(one: Statistic, other: Statistic) -> Statistic:
    """The figure `one` minus the figure `other` on the same draws.

    Of two models on the same rows it is a paired difference; of one model on two parts of the rows it is the
    difference between the parts.

    Raises:
        ValueError: the figures are of different numbers of rows.
    """
    if one.rows.shape != other.rows.shape:
        raise ValueError(f"figures of {one.rows.size} and of {other.rows.size} rows have no difference")

    def over(weights: Floats) -> Floats:
        found: Floats = one.over(weights) - other.over(weights)
        return found

    return Statistic(over, one.rows | other.rows, (*one.sides, *other.sides))
