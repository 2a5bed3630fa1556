"""The networks as rows: for the command line, and for the table of docs/networks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from poxlens.errors import WeightsError
from poxlens.train.networks.registry import AISM, CAMPANA
from poxlens.train.networks.spec import Network
from poxlens.train.weights import search_weights


@dataclass(frozen=True)
class Row:
    """One network as it is listed."""

    name: str
    title: str  # as the papers write it
    paper: str  # that compares it; empty for none
    parameters: int  # without the classifier
    embedding: int  # entries
    side: int  # px it was trained at
    multiple: int  # a side must be a multiple of it
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    pooling: str
    layer: str  # last spatial layer
    licence: str
    file: str  # of its weights
    sha256: str | None
    check: str  # how the file is known to be the published one
    source: str
    here: str | None  # path of the weights, None where they are not at hand
    fault: str | None  # a file of that name that is not the published one

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def row(network: Network, folders: Sequence[Path] = (), *, cache: Path | None = None) -> Row:
    """What is known of a network, and whether its weights are at hand; files found are verified.

    Args:
        network: which.
        folders: folders of weights.
        cache: the folder of downloads.
    """
    here, fault = None, None
    try:
        for weights in (network.weights, *network.alternatives):
            found = search_weights(weights, folders, cache=cache)
            if found is not None:
                here = str(found)
                break
    except WeightsError as wrong:
        fault = str(wrong)
    weights = network.weights
    return Row(
        name=network.name,
        title=network.title,
        paper=_paper(network.name),
        parameters=network.parameters,
        embedding=network.channels,
        side=network.side,
        multiple=network.multiple,
        mean=network.mean,
        std=network.std,
        interpolation=network.interpolation,
        pooling=network.pooling,
        layer=network.layer,
        licence=weights.licence,
        file=weights.file,
        sha256=weights.sha256,
        check=weights.check,
        source=weights.source,
        here=here,
        fault=fault,
    )


def _paper(name: str) -> str:
    if name in CAMPANA:
        return "Campana 2024"
    return "Yue 2024" if name in AISM else ""


def markdown(networks: Iterable[Network]) -> str:
    """The table of docs/networks.md."""
    lines = [
        "| name | network | in | parameters | embedding | side, px | pooling | weights | checked by | licence |",
        "|---|---|---|---:|---:|---:|---|---|---|---|",
    ]
    for network in networks:
        one = row(network)
        weights = network.weights
        source = f"package `{weights.package.replace('_', '-')}`" if weights.package else f"`{weights.file}`"
        lines.append(
            f"| `{one.name}` | {one.title} | {one.paper} | {one.parameters / 1e6:.1f} M | {one.embedding} "
            f"| {one.side} | {one.pooling} | {source} | {one.check} | {one.licence} |"
        )
    return "\n".join(lines) + "\n"
