"""Trees of hierarchical clustering, exact, in SciPy's format: the front of the kernels.

| linkage | metric | time | memory |
|---|---|---|---|
| ward | euclidean | O(n^2 d) | O(n d) |
| average | cosine, correlation | O(n^2 d) | O(n d) |
| single | euclidean, cosine, correlation, cityblock | O(n^2 d) | O(n d) |
| all others | | O(n^2 d) | n (n - 1) / 2 distances |

Distances are kept in double precision where they fit `DOUBLE_LIMIT`, then in single precision up to `MATRIX_LIMIT`:
heights are then within 1e-6 of the largest distance, and ties may be broken otherwise.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from aisle.kernels import condensed
from aisle.kernels.centroids import merge_means
from aisle.kernels.ordering import scipy_tree
from aisle.kernels.spanning_tree import spanning_tree
from aisle.kernels.strips import BLOCKS, PRODUCTS, SQUARES
from aisle.kernels.types import Distances, Floats, Merges

DOUBLE_LIMIT = 3_700_000_000
"""Bytes of distances up to which they are in double precision: about 30,000 customers."""
MATRIX_LIMIT = 5_200_000_000
"""Bytes of distances at most: about 51,000 customers in single precision."""
LINKAGES = ("average", "complete", "single", "ward", "weighted")
METRICS = (
    "braycurtis",
    "canberra",
    "chebyshev",
    "cityblock",
    "correlation",
    "cosine",
    "euclidean",
    "mahalanobis",
    "seuclidean",
    "sqeuclidean",
)
_KINDS = {"cosine": PRODUCTS, "correlation": PRODUCTS, "euclidean": SQUARES, "cityblock": BLOCKS}
_RULES = {
    "complete": condensed.COMPLETE,
    "average": condensed.AVERAGE,
    "weighted": condensed.WEIGHTED,
    "single": condensed.SINGLE,
}


def linkage_tree(
    X: npt.ArrayLike, *, linkage: str, metric: str, double_limit: int = DOUBLE_LIMIT, matrix_limit: int = MATRIX_LIMIT
) -> Floats:
    """The tree of the rows of ``X`` (n, d): shape (n - 1, 4), double precision, as SciPy's ``linkage`` gives it.

    Heights rise; of equal heights any order may come. Results do not depend on the number of threads. ``linkage`` is
    one of `LINKAGES`, ``metric`` one of `METRICS`; metrics that are not in the table above are SciPy's own and need
    double precision. A tree of one row has no merges.

    Raises:
        ValueError: an unknown linkage or metric, ward with another metric than euclidean; rows that are not numbers,
            not finite, or have no direction under cosine or correlation; more distances than ``matrix_limit`` bytes.

    >>> linkage_tree([[0.0], [1.0], [5.0]], linkage="single", metric="euclidean").tolist()
    [[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 4.0, 3.0]]
    """
    _check_names(linkage, metric)
    points = _checked(X)
    n = points.shape[0]
    if n == 1:
        return np.empty((0, 4))
    if metric not in _KINDS:
        room = min(double_limit, matrix_limit)
        _check_room(n, 8, room, f"{linkage} linkage over {metric}")
        return scipy_tree(*condensed.merge_condensed(pdist(points, metric=metric), n, _RULES[linkage]))
    kind = _KINDS[metric]
    points, scale = (_directions(points, metric), 1.0) if kind == PRODUCTS else _scaled(points)
    pairs, heights = _merged(points, linkage, kind, double_limit, matrix_limit)
    return scipy_tree(pairs, heights * scale)


def largest_n(item_bytes: int, limit: int) -> int:
    """The most rows whose n (n - 1) / 2 distances of ``item_bytes`` each stay within ``limit`` bytes.

    >>> largest_n(4, 5_200_000_000)
    50990
    """
    return (1 + math.isqrt(1 + 8 * (limit // item_bytes))) // 2


def _merged(points: Floats, linkage: str, kind: int, double_limit: int, matrix_limit: int) -> Merges:
    if linkage == "ward":
        means: Merges = merge_means(np.ascontiguousarray(points.T), True)
        return means
    if linkage == "average" and kind == PRODUCTS:
        directions: Merges = merge_means(np.ascontiguousarray(points.T), False)
        return directions
    if linkage == "single":
        edges: Merges = spanning_tree(points, kind)
        return edges
    n = points.shape[0]
    _check_room(n, 4, matrix_limit, f"{linkage} linkage")
    double = n <= largest_n(8, min(double_limit, matrix_limit))
    matrix: Distances = np.empty(n * (n - 1) // 2, dtype=np.float64 if double else np.float32)
    condensed.fill(points, kind, matrix)
    merges: Merges = condensed.merge_condensed(matrix, n, _RULES[linkage])
    return merges


def _check_names(linkage: str, metric: str) -> None:
    if linkage not in LINKAGES:
        raise ValueError(f"linkage must be one of {list(LINKAGES)}; got {linkage!r}.")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {list(METRICS)}; got {metric!r}.")
    if linkage == "ward" and metric != "euclidean":
        raise ValueError(f"ward linkage needs metric=euclidean; got {metric!r}.")


def _checked(X: npt.ArrayLike) -> Floats:
    raw = np.asarray(X)
    if raw.dtype.kind not in "fiub":
        raise ValueError(f"X must hold numbers only; got {raw.dtype}: encode text as numbers first.")
    if raw.ndim != 2 or 0 in raw.shape:
        raise ValueError(f"X must have the shape (rows, columns), at least one of each; got {raw.shape}.")
    points = np.ascontiguousarray(raw, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if wrong.size:
        raise ValueError(
            f"X must be finite; {wrong.size} rows hold NaN or infinity, the first are {wrong[:5].tolist()}: "
            "leave them out or fill them in."
        )
    return points


def _check_room(n: int, item_bytes: int, limit: int, what: str) -> None:
    most = largest_n(item_bytes, limit)
    if n > most:
        raise ValueError(
            f"{what} keeps all distances of {n} rows, {n * (n - 1) // 2 * item_bytes / 1e9:.1f} GB, but at most "
            f"{limit / 1e9:.1f} GB are allowed, {most} rows: sample, or use ward, single, or average with cosine."
        )


def _scaled(points: Floats) -> tuple[Floats, float]:
    """Columns moved to begin at 0 and all divided by one power of two, so that no square over- or underflows.

    Distances change by that factor only.
    """
    exponents = np.frexp(np.abs(points).max())[1] + 1
    shrunk = np.ldexp(points, -exponents)
    moved = shrunk - shrunk.mean(axis=0)
    rest = int(np.frexp(np.abs(moved).max())[1])
    return np.ldexp(moved, -rest), float(np.ldexp(1.0, int(exponents) + rest))


def _directions(points: Floats, metric: str) -> Floats:
    """The rows at unit length, for correlation less their mean."""
    largest = np.abs(points).max(axis=1, keepdims=True)
    shrunk = points / np.where(largest > 0, largest, 1.0)
    if metric == "correlation":
        shrunk = shrunk - shrunk.mean(axis=1, keepdims=True)
        # A constant row leaves nothing but the rounding of its mean.
        shrunk[np.abs(shrunk).max(axis=1) < 1e-15 * points.shape[1]] = 0.0
    lengths = np.linalg.norm(shrunk, axis=1, keepdims=True)
    none = np.flatnonzero(lengths == 0)
    if none.size:
        what = "zeros" if metric == "cosine" else "the same value"
        raise ValueError(
            f"{metric.capitalize()} distance needs a direction; {none.size} rows are all {what}, the first are "
            f"{none[:5].tolist()}: leave them out, or use another metric."
        )
    directions: Floats = shrunk / lengths
    return directions
