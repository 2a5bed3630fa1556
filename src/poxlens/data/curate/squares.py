"""The largest square that is clear of what must not be in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def largest_square(blocked: Bools) -> tuple[int, int, int]:
    """The largest square without a blocked cell: (left, top, side), side 0 where every cell is blocked.

    Of several of the same size, the one nearest the middle of the clear area: it is the least likely to touch
    what the map missed.

    Args:
        blocked: [h, w].
    """
    sides = _sides(blocked)
    best = int(sides.max(initial=0))
    if best == 0:
        return 0, 0, 0
    rows, columns = np.nonzero(sides == best)
    clear_rows, clear_columns = np.nonzero(~blocked)
    middle = clear_rows.mean(), clear_columns.mean()
    # `sides` stands at the lower right corner of each square.
    away = (rows - (best - 1) / 2 - middle[0]) ** 2 + (columns - (best - 1) / 2 - middle[1]) ** 2
    chosen = int(np.argmin(away))
    return int(columns[chosen]) - best + 1, int(rows[chosen]) - best + 1, best


def _sides(blocked: Bools) -> NDArray[np.int32]:
    """The side of the largest clear square that ends at each cell, by the recurrence over anti-diagonals.

    side(r, c) = 1 + min(side(r-1, c), side(r, c-1), side(r-1, c-1)) where clear. One anti-diagonal depends on
    the two before it only, so that each is one operation on an array.
    """
    height, width = blocked.shape
    sides = np.zeros((height + 1, width + 1), np.int32)
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        least = np.minimum(sides[rows, columns + 1], sides[rows + 1, columns])
        least = np.minimum(least, sides[rows, columns])
        sides[rows + 1, columns + 1] = np.where(blocked[rows, columns], 0, least + 1)
    return sides[1:, 1:]
