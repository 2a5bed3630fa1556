"""Features in bfloat16 and channels_last beside ONNX Runtime's: milliseconds an image, and decisions that change.

    python -m benchmarks.bf16 --weights ../shared/weights

Images and folds of results/mcsi-like; the head is the study's logistic regression, chosen and fitted anew on each kind
of features. Seconds of the processor, one thread, the kinds measured in turns.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.recipes.compare.cases import Cases, read_cases, read_table
from poxlens.recipes.compare.extra import no_extra
from poxlens.recipes.compare.features import Source, extractor_of
from poxlens.recipes.compare.folds import Fold, folds, split
from poxlens.recipes.compare.heads import run_head
from poxlens.recipes.compare.study import read_study
from poxlens.train.backbones import load_backbone
from poxlens.train.tuning import Part

STUDY = Path(__file__).resolve().parents[1] / "results" / "mcsi-like" / "study.toml"
BATCH = 8
Floats = NDArray[np.float32]


def kinds(name: str, weights: Path) -> dict[str, Callable[[NDArray[np.uint8]], Floats]]:
    """Ways of computing the features of [N, S, S, 3] images, by name; ONNX Runtime is what a study uses."""
    extractor = extractor_of(name, 224, Source(Path(), Path(), (weights,)))
    plain = load_backbone([name], (weights,)).eval()
    last = load_backbone([name], (weights,)).eval().to(memory_format=torch.channels_last)

    def torch_of(network: torch.nn.Module, *, half: bool) -> Callable[[NDArray[np.uint8]], Floats]:
        def run(images: NDArray[np.uint8]) -> Floats:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                found: Floats = network(torch.from_numpy(images)).float().mean((1, 2)).numpy()
            return found

        return run

    return {
        "ONNX Runtime": extractor.pooled,
        "torch": torch_of(plain, half=False),
        "torch, channels_last": torch_of(last, half=False),
        "torch, channels_last, bfloat16": torch_of(last, half=True),
    }


def measured(name: str, cases: Cases, weights: Path) -> dict[str, tuple[Floats, float]]:
    """Kind -> features of all images and milliseconds an image, the least of the batches."""
    ways = kinds(name, weights)
    tables: dict[str, list[Floats]] = {kind: [] for kind in ways}
    least = dict.fromkeys(ways, float("inf"))
    for start in range(0, len(cases.images), BATCH):
        batch = cases.images[start : start + BATCH]
        for kind, run in ways.items():
            begun = time.process_time()
            tables[kind].append(run(batch))
            least[kind] = min(least[kind], (time.process_time() - begun) / len(batch) * 1e3)
    return {kind: (np.concatenate(tables[kind]), least[kind]) for kind in ways}


def decisions(features: Floats, cases: Cases, parts: list[Fold]) -> NDArray[np.int64]:
    """[N], the class that each image gets out of fold."""
    study = read_study(STUDY)
    found = np.zeros(len(features), np.int64)
    for part in parts:
        train, validation = (
            Part(features[rows], cases.truth[rows]) for rows in (part.train, part.validation)
        )
        tested = run_head(
            "logistic",
            train,
            validation,
            features[part.test],
            len(cases.classes),
            study.tuning,
            seed=0,
            name="",
        )
        found[part.test] = tested.probabilities.argmax(1)
    return found


def main(words: list[str] | None = None) -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=Path("../shared/weights"))
    parser.add_argument(
        "--networks", nargs="+", default=["efficientnet-lite0", "mobilenet-v3-small", "resnet-18"]
    )
    told = parser.parse_args(words)
    torch.set_num_threads(1)
    study = read_study(STUDY)
    cases = read_cases(study, read_table(study, STUDY.parent), STUDY.parent)
    parts = list(folds(cases, split(study, cases, STUDY.parent), no_extra(), grouped=True))
    print("| network | features by | ms an image | decisions that change | accuracy |\n|---|---|---|---|---|")
    with threadpool_limits(1):
        for name in told.networks:
            first: NDArray[np.int64] | None = None
            for kind, (features, milliseconds) in measured(name, cases, told.weights).items():
                decided = decisions(features, cases, parts)
                first = decided if first is None else first
                print(
                    f"| {name} | {kind} | {milliseconds:.1f} | {int((decided != first).sum())} of {len(decided)} |"
                    f" {float((decided == cases.truth).mean()):.3f} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
