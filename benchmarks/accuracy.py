"""The embedded bundle's figures beside the project's targets, from the bundle's own evidence.

python -m benchmarks.accuracy [--bundle PATH]      prints the table that docs/accuracy.md shows
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poxlens.bundle.manifest import Interval, Manifest
from poxlens.bundle.store import load


@dataclass(frozen=True)
class Target:
    """A figure and what it should be."""

    name: str
    group: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> str:
        """Whether it is met, and by how much not; nothing when there is no target."""
        if self.at_least is not None:
            return "yes" if value >= self.at_least else f"no, by {self.at_least - value:.3f}"
        if self.at_most is not None:
            return "yes" if value <= self.at_most else f"no, by {value - self.at_most:.3f}"
        return ""

    @property
    def wanted(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}" if self.at_most is not None else ""


TARGETS = (
    Target("accuracy", "msld rashes, strict filter", at_least=0.86),
    Target("AUROC", "msld rashes, strict filter", at_least=0.92),
    Target("accuracy", "msld rashes, grouped filter"),
    Target("AUROC", "msld rashes, grouped filter"),
    Target("accuracy", "msld rashes, random filter"),
    Target("AUROC", "msld rashes, random filter"),
    Target("accuracy", "msld rashes, loose filter"),
    Target("AUROC", "msld rashes, loose filter"),
    Target("macro F1", "msid 4 classes, strict filter"),
    Target("accuracy", "msid 4 classes, strict filter"),
    Target("macro F1", "msid 4 classes, grouped filter", at_least=0.87),
    Target("AUROC", "strict filter"),
    Target("ECE before", "all"),
    Target("ECE", "all", at_most=0.05),
    Target("sensitivity, rule-out", "all", at_least=0.95),
    Target("specificity, rule-out", "all"),
    Target("sensitivity, rule-in", "all"),
    Target("specificity, rule-in", "all", at_least=0.95),
    Target("sensitivity, rule-out", "msld, never seen in training", at_least=0.95),
    Target("specificity, rule-out", "msld, never seen in training"),
    Target("specificity, rule-in", "msld, never seen in training", at_least=0.95),
    Target("sensitivity, rule-out", "msid, never seen in training", at_least=0.95),
    Target("specificity, rule-out", "msid, never seen in training"),
    Target("specificity, rule-in", "msid, never seen in training", at_least=0.95),
    Target("specificity at a threshold that finds 95 % here", "msld, never seen in training"),
    Target("specificity at a threshold that finds 95 % here", "msid, never seen in training"),
    Target("refer or not_suspected", "all", at_least=0.6),
    Target("not_suspected", "all, mpox", at_most=0.07),
    Target("not_suspected", "msld, never seen in training, mpox"),
    Target("not_suspected", "msid, never seen in training, mpox"),
    Target("refer", "class hfmd", at_most=0.05),
    Target("refer", "class other-rash", at_most=0.02),
    Target("cannot_assess", "class hfmd", at_most=0.4),
    Target("AUROC", "light skin"),
    Target("AUROC", "dark skin"),
    Target("sensitivity, rule-out", "light skin"),
    Target("sensitivity, rule-out", "dark skin"),
    Target("specificity, rule-in", "light skin"),
    Target("specificity, rule-in", "dark skin"),
)


def rows(manifest: Manifest) -> Iterator[tuple[Target, Interval]]:
    """The targets whose figure the bundle has."""
    known = {(figure.name, figure.group): figure.interval for figure in manifest.evidence.figures}
    for target in TARGETS:
        if (target.name, target.group) in known:
            yield target, known[target.name, target.group]


def table(manifest: Manifest) -> str:
    """The Markdown table."""
    lines = ["| figure | of | value | 95 % interval | n | target | met |", "|---|---|---|---|---|---|---|"]
    for target, interval in rows(manifest):
        lines.append(
            f"| {target.name} | {target.group} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} "
            f"| {interval.n} | {target.wanted} | {target.met(interval.value)} |"
        )
    lines += [
        "",
        "| seen by | mpox among MSLD's rashes, AUROC | 95 % interval | behind the whole image |",
        "|---|---|---|---|",
    ]
    known = {(figure.name, figure.group): figure.interval for figure in manifest.evidence.figures}
    whole = known.get(("AUROC", "msld rashes, strict filter"))
    for (name, group), interval in known.items():
        if whole and name == "AUROC" and group.startswith("msld rashes, shortcut: "):
            told = group.removeprefix("msld rashes, shortcut: ")
            lines.append(
                f"| {told} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} "
                f"| {whole.value - interval.value:.3f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path)
    print(table(load(parser.parse_args().bundle).manifest))


if __name__ == "__main__":
    main()
