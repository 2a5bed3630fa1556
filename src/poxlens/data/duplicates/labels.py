"""When two labels of one photo contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from poxlens.errors import ManifestError


@dataclass(frozen=True)
class Compatible:
    """Labels that may name the same thing: a coarse label and the finer ones it may stand for."""

    meanings: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def agree(self, one: str, other: str) -> bool:
        """Whether both labels may be true of one photo.

        Not transitive: with others = chickenpox or measles, "others" agrees with each of the two, and they
        do not agree with each other.
        """
        return bool(self._meaning(one) & self._meaning(other))

    def _meaning(self, label: str) -> frozenset[str]:
        return self.meanings.get(label, frozenset()) | {label}


def read_compatible(rules: Iterable[str], known: Iterable[str]) -> Compatible:
    """Rules as they stand on the command line, such as "others=chickenpox,measles".

    Args:
        rules: each LABEL=LABEL[,LABEL...]; a label may come back, its meanings add up.
        known: the labels of the manifest.

    Raises:
        ManifestError: a rule of another form, or one that names a label that no row has.
    """
    labels = set(known)
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        label, equals, listed = (part.strip() for part in rule.partition("="))
        names = [name.strip() for name in listed.split(",") if name.strip()]
        if not (label and equals and names):
            raise ManifestError(f'"{rule}": write LABEL=LABEL,LABEL, such as "others=chickenpox,measles".')
        for name in (label, *names):
            if name not in labels:
                raise ManifestError(
                    f'"{rule}": no row has the label {name}; labels: {", ".join(sorted(labels))}.'
                )
        found[label] = found.get(label, frozenset()) | frozenset(names)
    return Compatible(found)
