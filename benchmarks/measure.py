"""Two ways of doing one thing, timed in turns, so that whatever slows the machine slows both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter


@dataclass(frozen=True)
class Side:
    """What was measured on one side: its name and median."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Result:
    """A ratio of medians with its target; spread is the 10th and 90th percentile of the ratios of pairs."""

    name: str
    ratio: float
    target: float
    at_most: bool
    spread: tuple[float, float]
    n: int
    ours: Side
    theirs: Side

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def interleaved(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    n: int,
    *,
    warm_up: int = 1,
    clock: Callable[[], float] = perf_counter,
) -> tuple[list[float], list[float]]:
    """Seconds by `clock` of n runs of each, in turns, the first of a pair alternating, after a warm-up."""
    for _ in range(warm_up):
        ours()
        theirs()
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(n):
        for side in (0, 1) if turn % 2 else (1, 0):
            start = clock()
            (ours, theirs)[side]()
            seconds[side].append(clock() - start)
    return seconds


def compare(
    name: str,
    ours: tuple[str, list[float]],
    theirs: tuple[str, list[float]],
    *,
    target: float,
    unit: str,
    at_most: bool = True,
) -> Result:
    """The result of two series of equal length, pair by pair; milliseconds are given for seconds."""
    factor = 1000.0 if unit == "ms" else 1.0
    pairs = [a / b for a, b in zip(ours[1], theirs[1], strict=True)]
    tenths = quantiles(pairs, n=10, method="inclusive") if len(pairs) > 1 else pairs
    middles = [median(series) for series in (ours[1], theirs[1])]
    return Result(
        name=name,
        ratio=middles[0] / middles[1],
        target=target,
        at_most=at_most,
        spread=(tenths[0], tenths[-1]),
        n=len(pairs),
        ours=Side(ours[0], middles[0] * factor, unit),
        theirs=Side(theirs[0], middles[1] * factor, unit),
    )


def line(result: Result, *, quick: bool = False) -> str:
    """A result on one line, with its verdict; "quick" where nothing is judged."""
    verdict = "quick" if quick else ("pass" if result.met else "MISS")
    return (
        f"{verdict}  {result.name}: {result.ratio:.3f} (target {'≤' if result.at_most else '≥'} {result.target:g}; "
        f"n {result.n}, pairs from {result.spread[0]:.3f} to {result.spread[1]:.3f}); {result.ours.value:.1f} and "
        f"{result.theirs.value:.1f} {result.ours.unit}"
    )
