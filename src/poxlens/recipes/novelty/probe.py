"""What a condition can be told by without looking at it: size, compression and sharpness alone.

A forest learns known against condition from these traits, on other groups than it is tested on. It is shown both
classes, which no detector is, so its AUROC bounds what a detector could owe to traits.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from poxlens.evaluate.novelty import Tested
from poxlens.recipes.novelty.images import Cases, alike

_FOLDS = 5


def traits(cases: Cases, *, harmonised: bool) -> NDArray[np.float64]:
    """[N, 5 or 8]: of the image that networks see, and of the file unless images were made alike.

    Of the image: mean change from pixel to pixel, the same at the edges of JPEG's blocks, variance of the Laplacian,
    and the bytes that JPEG needs at two qualities. Of the file: width, height, bytes a pixel.
    """
    images = alike(cases.images) if harmonised else iter(cases.images)
    seen = np.array([_of_image(image) for image in images])
    return seen if harmonised else np.concatenate([seen, cases.traits], 1)


def probed(
    values: NDArray[np.float64], cases: Cases, condition: str, reference: NDArray[np.bool_]
) -> list[Tested]:
    """Scores of a forest for one condition against known images, by folds of groups.

    Args:
        values: [N, T] traits.
        cases: the images.
        condition: the condition.
        reference: [N], the known images.
    """
    novel = (cases.condition == condition) & cases.counted
    rows = np.flatnonzero(novel | (reference & cases.counted & ~novel))
    groups = cases.group[rows]
    truth = novel[rows]
    folds = min(_FOLDS, len(np.unique(groups[truth])), len(np.unique(groups[~truth])))
    if folds < 2:
        return []
    found = []
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for train, test in dealer.split(rows, truth, groups):
        if len(np.unique(truth[train])) < 2 or len(np.unique(truth[test])) < 2:
            continue
        forest = RandomForestClassifier(
            50, min_samples_leaf=3, class_weight="balanced", random_state=0, n_jobs=1
        )
        forest.fit(values[rows[train]], truth[train])
        score = forest.predict_proba(values[rows[test]])[:, 1]
        found.append(Tested(rows[test], groups[test], truth[test], score))
    return found


def _of_image(image: NDArray[np.uint8]) -> list[float]:
    grey = image.astype(np.float32).mean(2)
    across = np.abs(np.diff(grey, axis=1))
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    sizes = []
    for quality in (30, 90):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        sizes.append(float(np.log(buffer.tell())))
    return [
        float(across.mean() + np.abs(np.diff(grey, axis=0)).mean()),
        float(across[:, 7::8].mean()),
        float(np.log(laplacian.var() + 1e-3)),
        *sizes,
    ]
