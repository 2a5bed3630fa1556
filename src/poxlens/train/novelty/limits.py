"""Where a gate's limit lies: what must be let through."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def limit_for(
    novelty: NDArray[np.floating], parts: Mapping[str, NDArray[np.bool_]], accepted: float
) -> float:
    """The lowest limit at which each part is accepted in at least this share.

    Args:
        novelty: [N], of known images that the gate did not learn from.
        parts: name -> [N], images that must be accepted, such as those of the target and all known ones.
        accepted: share, 0-1.

    Raises:
        ValueError: a part is empty.
    """
    for name, rows in parts.items():
        if not rows.any():
            raise ValueError(f'no known image is of "{name}": nothing to choose the limit by')
    values = np.asarray(novelty, np.float64)
    return float(max(np.quantile(values[rows], accepted, method="higher") for rows in parts.values()))
