"""How decisions are shown: a full answer, a line each with a summary, or JSON lines; and the progress bar."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Self

from poxlens.cli.output import BOLD, DIM, bar, block, clip, headline, json_line, paint, write
from poxlens.cli.photos import STDIN
from poxlens.screen.decision import DISCLAIMER, Outcome
from poxlens.screen.stability import UNSTABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import TypeVar

    from poxlens.screen.decision import Decision

    T = TypeVar("T")

ORDER = (Outcome.refer, Outcome.uncertain, Outcome.not_suspected, Outcome.cannot_assess)


class Report:
    """What all kinds share: counting, faults on stderr, the progress bar."""

    def __init__(self) -> None:
        self.count = 0
        self.faults = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def fault(self, message: str) -> None:
        """A folder or the like that could not be looked into: one line on stderr."""
        self.faults += 1
        write(f"poxlens: {message}\n", sys.stderr)

    def photo(self, label: str, decision: Decision, heatmap: Path | None) -> None:
        """Show one photo's decision."""
        raise NotImplementedError

    def person(self, labels: list[str], decision: Decision) -> None:
        """Show the decision on all photos together."""
        raise NotImplementedError

    def progress(self, items: Iterator[T], total: Callable[[], int]) -> Iterator[T]:
        """The items themselves, with a bar on stderr when that is a terminal."""
        if not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        # Lines printed meanwhile move above the bar, but only where they go to the same terminal.
        with Progress(
            TextColumn("photos"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=True,
        ) as shown:
            task = shown.add_task("photos", total=total())
            for item in items:
                yield item
                shown.advance(task)


class JsonReport(Report):
    """One JSON object a line and nothing else."""

    def photo(self, label: str, decision: Decision, heatmap: Path | None) -> None:  # noqa: ARG002 - fields are fixed
        """`{"file": ..., "outcome": ..., ...}`."""
        write(json_line({"file": label, **decision.to_json()}) + "\n")

    def person(self, labels: list[str], decision: Decision) -> None:
        """`{"person": [files], "outcome": ..., ...}`."""
        write(json_line({"person": labels, **decision.to_json()}) + "\n")


class TextReport(Report):
    """Answers for a person at a terminal.

    Args:
        several: a line for each photo and a summary, instead of a full answer.
    """

    def __init__(self, *, several: bool) -> None:
        super().__init__()
        self._several = several
        self._outcomes: Counter[Outcome] = Counter()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The summary of several photos, and the disclaimer."""
        if kind is not None or not self.count:
            return
        if self._several:
            counts = [f"{self._outcomes[o]} {o.value.replace('_', ' ')}" for o in ORDER if self._outcomes[o]]
            write(f"\n{self.count} photos: {', '.join(counts)}\n")
        write(f"\n{paint(DISCLAIMER, DIM)}\n")

    def photo(self, label: str, decision: Decision, heatmap: Path | None) -> None:
        """A full answer, or one line."""
        self._outcomes[decision.outcome] += 1
        label = "standard input" if label == STDIN else label
        if self._several:
            steady = ", unstable" if decision.heatmap_unstable else ""
            drawn = "" if heatmap is None else f"  (heat map: {clip(heatmap.name)}{steady})"
            write(f"{_row(decision)}  {clip(label)}{drawn}\n")
        else:
            write(answer(label, decision, heatmap))

    def person(self, labels: list[str], decision: Decision) -> None:
        """A full answer on the person."""
        photos = "1 photo" if len(labels) == 1 else f"{len(labels)} photos"
        write("\n" + answer(f"This person, {photos}", decision, None))


def answer(label: str, decision: Decision, heatmap: Path | None) -> str:
    """The whole answer on one photo or person."""
    parts = [paint(clip(label), BOLD), headline(decision.outcome), ""]
    parts += [block(reason.text, "  ") for reason in decision.reasons]
    if decision.assessed:
        parts += ["", *_likeness(decision)]
    parts += ["", *_details(decision, heatmap)]
    return "\n".join(parts) + "\n"


def _row(decision: Decision) -> str:
    chance = f"{decision.target} {decision.probabilities[decision.target]:.2f}" if decision.assessed else ""
    why = chance or decision.reasons[0].code
    return f"{headline(decision.outcome, short=True)}  {why:<24}"


def _likeness(decision: Decision) -> list[str]:
    width = max(map(len, decision.probabilities))
    ranked = sorted(decision.probabilities.items(), key=lambda entry: -entry[1])
    lines = [f"  {name:<{width}}  {bar(p)} {p:5.2f}" for name, p in ranked]
    inside = ", ".join(decision.prediction_set) or "empty"
    return [*lines, "", block(f"Prediction set: {inside}", "  ")]


def _details(decision: Decision, heatmap: Path | None) -> list[str]:
    entries = []
    if decision.quality:
        failed = [check.name.replace("_", " ") for check in decision.quality if not check.passed]
        entries.append(("Photo quality", "fails: " + ", ".join(failed) if failed else "good enough"))
    tone = decision.skin_tone
    if tone is not None and tone.ita is not None:
        entries.append(("Skin tone", f"{tone.ita_class} (ITA {tone.ita:.0f}), an estimate"))
    if decision.context is not None:
        entries.append(("Context", _answers(decision)))
    if heatmap is not None:
        entries.append(("Heat map", str(heatmap)))
        if decision.heatmap_unstable:
            entries.append(("", UNSTABLE))
    entries.append(("Bundle", decision.bundle))
    entries.append(("Time", f"{decision.ms.get('total', 0.0):.0f} ms"))
    return [paint(f"  {name:<14}", DIM) + value for name, value in entries]


def _answers(decision: Decision) -> str:
    given = decision.context.to_json() if decision.context else {}
    words = {True: "yes", False: "no"}
    return (
        ", ".join(
            f"{name.replace('_', ' ')} {words[value] if isinstance(value, bool) else value}"
            for name, value in given.items()
        )
        or "nothing known"
    )
