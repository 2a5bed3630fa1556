"""Where each network puts the images: its features in three dimensions, by PCA and by UMAP (Campana 2024, 4.4.3).

These are the features of the frozen network, before any layer is trained on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.recipes.compare.report.reading import Tested
from poxlens.recipes.compare.report.record import Record

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Embedding:
    """One network's features in three dimensions."""

    network: str
    method: str  # "PCA" or "UMAP"
    points: Points  # [N, 3], in the order of `Tested.files`, each axis about -1 to 1
    told: str  # what the axes hold


def read_features(run: Path, record: Record, tested: Tested) -> dict[str, NDArray[np.float32]]:
    """Features [N, D] of each network that has a table of them, in the order of `Tested.files`.

    The rows of a table are the images in study.json's `files` where it has that list, else those of the split;
    a table of another number of rows cannot be told and is left out.

    Args:
        run: the run folder; its `features` may have been deleted.
        record: of the study.
        tested: its predictions.
    """
    listed = record.facts.get("files")
    files: Sequence[str] = (
        listed if isinstance(listed, list) else record.splits.files if record.splits else ()
    )
    at = {file: row for row, file in enumerate(files)}
    if any(file not in at for file in tested.files):
        return {}
    order = np.array([at[file] for file in tested.files])
    identities = record.facts.get("networks", {})
    found = {}
    for network, identity in identities.items() if isinstance(identities, dict) else ():
        tables = [
            np.load(path, mmap_mode="r")
            for path in sorted((run / "features").glob(f"{network}-{identity}-*.npy"))
            if "-bank" not in path.name
        ]
        fitting = [table for table in tables if table.ndim == 2 and len(table) == len(files)]
        if len(fitting) == 1:  # of several, one is of an earlier run with other images
            found[network] = np.asarray(fitting[0][order], np.float32)
    return found


def pca(network: str, features: NDArray[np.float32]) -> Embedding:
    """The three directions in which standardised features vary most.

    Args:
        network: its name.
        features: [N, D].
    """
    table = _standardised(features)
    _, scales, directions = np.linalg.svd(table, full_matrices=False)
    directions = directions[:3]
    # A direction has no sign of its own: the largest entry points up, so that every run draws the same.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    shares = np.square(scales[:3]) / max(float(np.square(scales).sum()), 1e-12)
    told = ", ".join(f"{100 * share:.0f} %" for share in shares)
    return Embedding(network, "PCA", _scaled(table @ directions.T), f"axes hold {told} of the variance")


def umap(network: str, features: NDArray[np.float32]) -> Embedding:
    """UMAP in three dimensions (McInnes et al. 2018), on the first 50 principal components.

    Importing it takes seconds, so that it is asked for by name.

    Args:
        network: its name.
        features: [N, D], N at least 5.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports, and that a seed makes it use one core
        from umap import UMAP

        table = _standardised(features)
        left, scales, _ = np.linalg.svd(table, full_matrices=False)
        reduced = (left * scales)[:, :50]
        neighbours = min(15, len(table) - 1)
        found = UMAP(
            n_components=3,
            n_neighbors=neighbours,
            min_dist=0.1,
            init="pca" if reduced.shape[1] >= 3 else "random",
            random_state=0,
            n_jobs=1,
        ).fit_transform(reduced)
    return Embedding(
        network, "UMAP", _scaled(np.asarray(found, np.float64)), f"{neighbours} neighbours; axes mean nothing"
    )


def _standardised(features: NDArray[np.float32]) -> Points:
    table = np.asarray(features, np.float64)
    spread = table.std(axis=0)
    kept = spread > 1e-9
    if not kept.any():
        return np.zeros((len(table), 1))
    found: Points = (table[:, kept] - table[:, kept].mean(axis=0)) / spread[kept]
    return found


def _scaled(points: Points) -> Points:
    centred = np.zeros((len(points), 3))
    centred[:, : points.shape[1]] = points - points.mean(axis=0)
    # One far image must not shrink all others to a dot.
    return centred / max(float(np.quantile(np.abs(centred), 0.99)), 1e-12)
