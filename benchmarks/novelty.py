"""Which novelty score refuses pictures of things and keeps close-ups of a source never seen.

    python -m benchmarks.novelty --data ../shared/data --weights ../shared/weights --cache runs/features

Every score is fitted on all sources but one and tested on that one, twenty pictures of things and dermoscopy. Prints a
Markdown table: AUROC of things, of dermoscopy, and the share of the unseen source that is refused where 90 % of the
things are, as means over the sources left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.backbones import options, prepared_from
from benchmarks.quality_limits import things
from poxlens.evaluate.ranking import auroc
from poxlens.photo.resize import prepare
from poxlens.recipes.default import Recipe
from poxlens.train.heads import standardisation
from poxlens.train.novelty import Subspace

Floats = NDArray[np.float32]
PROBE = "ham10000"


def main() -> None:
    """Run all scores."""
    told = options(__doc__ or "").parse_args()
    recipe = Recipe()
    prepared = prepared_from(told, recipe)
    pictures = np.stack([prepare(photo.pixels, recipe.rule) for photo in things().values()])
    objects = prepared.extractor.pooled(pictures)
    table = prepared.table
    close = prepared.close
    rows: dict[str, list[tuple[float, float, float]]] = {}
    sources = [name for name in np.unique(table.source) if name != PROBE]
    for source in sources:
        here = close & (table.source == source)
        known, probe = table.learnt[close & ~here], table.tested[table.source == PROBE]
        for name, (unseen, odd, skin) in scores(known, table.tested[here], objects, probe).items():
            limit = np.quantile(odd, 0.1)
            rows.setdefault(name, []).append(
                (_auroc(odd, unseen), _auroc(skin, unseen), float((unseen > limit).mean()))
            )
    print(
        f"| score | things, AUROC (n {len(objects)}) | dermoscopy, AUROC | unseen source refused |\n|---|---|---|---|"
    )
    for name, found in rows.items():
        things_, skin_, refused = np.mean(found, axis=0)
        print(f"| {name} | {things_:.3f} | {skin_:.3f} | {refused:.3f} |")


def scores(known: Floats, *parts: Floats) -> dict[str, list[Floats]]:
    """Scores of each part [N, D] by name, higher = less like `known` [M, D]."""
    mean, scale = standardisation(known)
    subspace = Subspace.fit(known, 64)
    base = (known - mean) / scale
    spread = ((base @ subspace.directions) ** 2).mean(0)
    unit = base / np.linalg.norm(base, axis=1, keepdims=True)

    def each(part: Floats) -> dict[str, Floats]:
        standard = (part - mean) / scale
        inside = (standard @ subspace.directions) ** 2
        length = np.linalg.norm(standard, axis=1)
        return {
            "residual over length (taken)": subspace.score(part),
            "residual": length**2 - inside.sum(1),
            "Mahalanobis, 64 directions": (inside / spread).sum(1),
            "nearest neighbour, cosine": 1 - (standard / length[:, None] @ unit.T).max(1),
        }

    found = [each(part) for part in parts]
    return {name: [one[name] for one in found] for name in found[0]}


def _auroc(positive: Floats, negative: Floats) -> float:
    labels = np.r_[np.ones(len(positive), bool), np.zeros(len(negative), bool)]
    return auroc(np.r_[positive, negative], labels).value


if __name__ == "__main__":
    main()
