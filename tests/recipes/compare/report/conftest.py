"""Run folders with predictions whose figures are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from poxlens.data.manifest import read_manifest
from poxlens.data.splits.make import make_splits
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.store import write_splits
from poxlens.data.splits.units import find_groups

KEYS = ["repeat", "fold", "network", "setting", "file", "group", "tone", "label"]
DEFAULT = {
    ("net-a", "dense"): 4,
    ("net-a", "dense+augmentation"): 6,
    ("net-b", "dense"): 20,
    ("net-b", "svm"): 12,
}


@dataclass(frozen=True)
class Made:
    """A run folder and what is known of it."""

    folder: Path
    classes: tuple[str, ...]
    truth: np.ndarray  # [N]
    group: np.ndarray  # [N]

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions.csv"

    def rows(self) -> list[dict[str, str]]:
        with self.predictions.open(newline="") as stream:
            return list(csv.DictReader(stream))

    def write(self, rows: Sequence[dict[str, str]]) -> None:
        with self.predictions.open("w", newline="") as stream:
            writer = csv.DictWriter(
                stream, [*KEYS, *(f"p_{name}" for name in self.classes)], lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows)


def built(
    folder: Path,
    *,
    classes: tuple[str, ...] = ("mpox", "others"),
    images: int = 120,
    wrong: dict[tuple[str, str], int] = DEFAULT,
    folds: int = 5,
    repeats: int = 1,
    grouped: bool = True,
    name: str = "made-up",
    tones: Callable[[int], str] = lambda place: "light" if place % 3 else "dark",
) -> Made:
    """Two images a group, classes in turn; of each model the first `wrong` images are decided wrong.

    Args:
        folder: of the run.
        classes: the first one is the target.
        images: how many.
        wrong: (network, setting) -> images decided wrong in every repeat.
        folds: of each repeat.
        repeats: of the split.
        grouped: split by groups.
        name: of the study.
        tones: place of an image -> its skin tone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    truth = (np.arange(images) // 2) % len(classes)
    group = np.arange(images) // 2
    files = [f"set/{classes[label]}/{place:03d}.jpg" for place, label in enumerate(truth)]
    table = folder / "manifest.csv"
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "dataset", "label", "patient"])
        writer.writerows(
            (file, "set", classes[label], f"g{own:03d}")
            for file, label, own in zip(files, truth, group, strict=True)
        )
    manifest = read_manifest(table)
    tone = [tones(place) for place in range(images)]
    plan = Plan(folds=folds, repeats=repeats, validation=0.25, grouped=grouped, seed=1)
    splits = write_splits(
        folder / "splits.json", make_splits(manifest, plan, groups=find_groups(manifest, None), tone=tone)
    )
    table.unlink()
    rows = []
    for network, setting in sorted(wrong):
        for repeat, number in splits:
            random = np.random.default_rng([repeat, len(network) + len(setting)])
            sure = random.uniform(0.6, 0.95, images)  # of the class decided on
            for place in splits.outer[repeat][number].tolist():
                decided = (truth[place] + (place < wrong[network, setting])) % len(classes)
                p = np.full(len(classes), (1 - sure[place]) / (len(classes) - 1))
                p[decided] = sure[place]
                cells = dict(
                    zip([f"p_{one}" for one in classes], (f"{value:.6f}" for value in p), strict=True)
                )
                rows.append(
                    {
                        "repeat": repeat,
                        "fold": number,
                        "network": network,
                        "setting": setting,
                        "file": files[place],
                        "group": f"set/g{group[place]:03d}",
                        "tone": tone[place],
                        "label": classes[truth[place]],
                        **cells,
                    }
                )
    made = Made(folder, classes, truth, group)
    made.write(rows)
    record = {
        "study": {
            "name": name,
            "images": {"target": classes[0]},
            "protocol": {"grouped": grouped, "seed": 0, "validation": 0.25},
        },
        "manifest_sha256": manifest.sha256,
        "splits_sha256": splits.digest,
        "only_learnt_from": 0,
        "files": files,
        "networks": {network: "abcd" for network, _ in wrong},
        "skipped": [],
    }
    (folder / "study.json").write_text(json.dumps(record))
    return made


@pytest.fixture
def run(tmp_path: Path) -> Made:
    """A binary study of two networks, one repeat, five folds."""
    return built(tmp_path / "run")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """`make_run` in a folder of its own."""
    return lambda **asked: built(tmp_path / "made", **asked)


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Made]:
    """Builds a run folder at a path."""
    return built
