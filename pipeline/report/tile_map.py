"""A map of equal squares, one for each authority, near where it lies.

What belongs here: giving every point a square of its own. What does not: colours and words (`overview`).

No boundaries are shipped. A square for each authority shows small cities and large counties alike, which a map with
boundaries does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

_ROUNDS = 250
_ROOM = 1.2  # how much wider the land is than its squares side by side
_MARGIN = 1  # squares that may stay empty around the outermost points
_SPREAD = 1.05  # of the distance at which two points stop pushing each other, in squares


def tiles(points: Mapping[str, tuple[float, float]]) -> dict[str, tuple[int, int]]:
    """(Latitude, longitude) in degrees -> (column from the west, row from the north), no two alike; both begin at 0.

    Points that lie close push each other apart until each has the room of a square; then each takes the square that
    makes the sum of squared distances least. The same points give the same squares.
    """
    if not points:
        return {}
    codes = sorted(points)
    degrees = np.array([points[code] for code in codes], dtype=float)
    middle = np.deg2rad(degrees[:, 0].mean())
    flat = np.column_stack([degrees[:, 1] * np.cos(middle), -degrees[:, 0]])
    placed = _apart(_scaled(flat))
    squares = _assigned(placed)
    squares -= squares.min(axis=0)
    return {code: (int(column), int(row)) for code, (column, row) in zip(codes, squares, strict=True)}


def _scaled(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """In squares, scaled so that as many side by side would cover the land about once.

    The spread of a disc of n squares around its middle is 0.4 sqrt(n).
    """
    centred = flat - flat.mean(axis=0)
    spread = float(np.sqrt((centred**2).sum(axis=1).mean()))
    squares: npt.NDArray[np.float64] = centred * (_ROOM * 0.4 * np.sqrt(len(flat)) / (spread or 1.0))
    return squares


def _apart(start: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Push points apart that are nearer than a square, and pull each a little to where it lies."""
    placed = start + 1e-3 * np.column_stack([np.cos(np.arange(len(start))), np.sin(np.arange(len(start)))])
    for _ in range(_ROUNDS):
        between = placed[:, None] - placed[None, :]
        distance = np.linalg.norm(between, axis=2)
        np.fill_diagonal(distance, np.inf)
        overlap = np.clip(_SPREAD - distance, 0, None)
        push = (between / distance[..., None] * overlap[..., None]).sum(axis=1) / 2
        placed = placed + 0.5 * push + 0.01 * (start - placed)
    return placed


def _assigned(placed: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    from scipy.optimize import linear_sum_assignment

    low = np.floor(placed.min(axis=0)).astype(int) - _MARGIN
    high = np.ceil(placed.max(axis=0)).astype(int) + _MARGIN
    columns, rows = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    free = np.column_stack([columns.ravel(), rows.ravel()])
    costs = ((placed[:, None] - free[None, :]) ** 2).sum(axis=2)
    own, taken = linear_sum_assignment(costs)
    tiles: npt.NDArray[np.int64] = free[taken[np.argsort(own)]]
    return tiles
