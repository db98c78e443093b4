"""HDBSCAN's distances: how far the k-th neighbour is, and the minimum spanning tree that takes it into account.

Everything is compared by squares, summed over the columns in their order, so that a pair has the same distance, to the
bit, wherever it is computed. No matrix of distances is made: memory is linear in the number of rows.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from aisle.kernels.compiled import compiled

_TILE = 512  # distances that are in the work at a time; with d columns of them they fit the first two caches

Floats = npt.NDArray[np.float64]


def core_distances(X: Floats, *, min_samples: int) -> Floats:
    """Distance of each row of ``X`` (n, d) to its ``min_samples``-th nearest other row, (n,), Euclidean, exact.

    With fewer other rows than that it is the distance to the farthest, as in the library hdbscan.
    """
    wanted = min(min_samples, len(X) - 1)
    columns = np.ascontiguousarray(X.T, dtype=np.float64)
    return cast("Floats", np.sqrt(_core_squares(columns, wanted)))


def spanning_tree(X: Floats, core: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Minimum spanning tree of the mutual reachability distances max(core_a, core_b, |a - b|).

    Returns its edges (n - 1, 2) as row numbers and their weights (n - 1,), the lightest first. Of edges of equal
    weight, the one between the nearer rows is in the tree: the weights are unique, and with distinct distances the
    tree is too, whatever the order of the rows.
    """
    columns = np.array(X.T, dtype=np.float64, order="C")  # a copy: the loop moves rows that are done out of the way
    ends, weight, square = _prim(columns, np.square(core))
    weight = np.sqrt(weight)
    order = np.lexsort((ends.max(axis=1), ends.min(axis=1), square, weight))
    return ends[order], weight[order]


@compiled(parallel=True, nogil=True, error_model="numpy")
def _core_squares(columns: Floats, wanted: int) -> Floats:
    n = columns.shape[1]
    found = np.empty(n)
    for row in prange(n):
        nearest = np.full(wanted + 1, np.inf)  # the row itself is among them
        worst = np.inf
        tile = np.empty(_TILE)
        for start in range(0, n, _TILE):
            stop = min(start + _TILE, n)
            part = tile[: stop - start]
            _squares(columns, row, start, part)
            for square in part:
                if square < worst:
                    place = wanted
                    while place > 0 and nearest[place - 1] > square:
                        nearest[place] = nearest[place - 1]
                        place -= 1
                    nearest[place] = square
                    worst = nearest[wanted]
        found[row] = worst
    return found


@njit(inline="always")
def _squares(columns: Any, row: int, start: int, out: Any) -> None:
    """Squared distances of ``row`` to the rows from ``start`` on."""
    out[:] = 0.0
    for column in range(columns.shape[0]):
        own = columns[column, row]
        others = columns[column, start : start + out.size]
        for other in range(out.size):
            gap = others[other] - own
            out[other] += gap * gap


@compiled(nogil=True, error_model="numpy")
def _prim(columns: Floats, core: Floats) -> tuple[Any, Any, Any]:
    """Prim's algorithm; rows that are not yet in the tree are kept together at the front of the arrays."""
    d, n = columns.shape
    core = core.copy()
    name = np.arange(n)
    weight, square, source = np.full(n, np.inf), np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    ends, weights, squares = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1), np.empty(n - 1)
    tile = np.empty(_TILE)
    place = 0
    for step in range(n - 1):
        left = n - 1 - step  # the row at `place` joins the tree and changes places with the last that is left
        current, current_core = name[place], core[place]
        for column in range(d):
            columns[column, place], columns[column, left] = columns[column, left], columns[column, place]
        name[place], core[place] = name[left], core[left]
        weight[place], square[place], source[place] = weight[left], square[left], source[left]
        lightest = np.inf
        for start in range(0, left, _TILE):
            stop = min(start + _TILE, left)
            part = tile[: stop - start]
            _squares(columns, left, start, part)
            weight_part, square_part = weight[start:stop], square[start:stop]
            source_part, core_part = source[start:stop], core[start:stop]
            least = np.inf
            for other in range(part.size):
                new = max(max(part[other], core_part[other]), current_core)
                closer = (new < weight_part[other]) | ((new == weight_part[other]) & (part[other] < square_part[other]))
                weight_part[other] = new if closer else weight_part[other]
                square_part[other] = part[other] if closer else square_part[other]
                source_part[other] = current if closer else source_part[other]
                least = min(least, weight_part[other])
            lightest = min(lightest, least)
        place = -1
        for other in range(left):
            if weight[other] == lightest and (
                place < 0
                or square[other] < square[place]
                or (square[other] == square[place] and name[other] < name[place])
            ):
                place = other
        ends[step, 0], ends[step, 1] = source[place], name[place]
        weights[step], squares[step] = weight[place], square[place]
    return ends, weights, squares
