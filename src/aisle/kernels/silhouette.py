"""Silhouettes of many partitions in one pass (Rousseeuw 1987).

Squared Euclidean and cosine distances need no distance between two customers: the distances to a cluster add up from
its size, mean and sum of squares, exactly, in O(n k d). Euclidean distances are computed tile by tile, once for all
partitions, and never stored. Results are the same with any number of threads.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.kernels.inputs import Labelings, as_labelings, as_values, scaled, threads_for
from aisle.kernels.moments import moments
from aisle.kernels.silhouette_loops import BLOCK, TILE, against_everybody, from_centres, pairwise

Values = npt.NDArray[np.float64]

METRICS = ("cosine", "euclidean", "sqeuclidean")
_BUDGET: Final = 2**28
"""Bytes for the sums of Euclidean distances from every customer to every cluster of the partitions of one pass."""
_SAME_DIRECTION: Final = 1e-30
"""Squared distances of unit vectors below this are rounding."""


def silhouette_samples(X: npt.ArrayLike, labelings: npt.ArrayLike, *, metric: str) -> Values:
    """Silhouettes, (m, n), in [-1, 1], higher is better, of n customers X (n, d) in m partitions ``labelings`` (m, n).

    ``metric`` is euclidean, sqeuclidean or cosine. Noise (-1) is nobody's neighbour and gets NaN; the only member of a
    cluster gets 0. A partition with fewer than two clusters, or with clusters of one only, is NaN throughout.

    >>> silhouette_samples([[0.0], [2.0], [10.0], [11.0]], [[0, 0, 1, 1], [0, 0, 1, -1]], metric="euclidean").round(3)
    array([[0.81 , 0.765, 0.889, 0.9  ],
           [0.8  , 0.75 , 0.   ,   nan]])

    Raises:
        ValueError: the metric is unknown, X or the labelings are not as `aisle.kernels.inputs` wants them, or a row of
            X is all zeros and the metric is cosine.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {list(METRICS)}; got {metric!r}.")
    values = as_values(X)
    labels = as_labelings(labelings, len(values))
    samples = np.full(labels.codes.shape, np.nan)
    defined = np.flatnonzero((labels.counts >= 2) & (labels.counts < labels.assigned))
    points = directions(values) if metric == "cosine" else values
    if metric == "euclidean":
        units = scaled(points)[0]
        for group in _groups(labels, defined):
            samples[group] = _euclidean(units, labels.select(group))
    elif defined.size:
        least = _SAME_DIRECTION if metric == "cosine" else 0.0
        samples[defined] = _squared(points, labels.select(defined), least)
    return samples


def silhouette_scores(X: npt.ArrayLike, labelings: npt.ArrayLike, *, metric: str) -> Values:
    """Mean silhouette of the customers who are in a cluster, (m,); see `silhouette_samples`."""
    return mean_silhouettes(silhouette_samples(X, labelings, metric=metric))


def mean_silhouettes(samples: Values) -> Values:
    """Mean over the last axis, noise (NaN) left out; NaN where nobody is left."""
    inside = ~np.isnan(samples)
    count = inside.sum(axis=-1)
    total = np.where(inside, samples, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def cluster_silhouettes(samples: Values, labels: npt.NDArray[np.int64]) -> Values:
    """Mean silhouette of every cluster of one partition, (k,), in the order of the labels; NaN where undefined.

    >>> cluster_silhouettes(np.array([0.5, 0.7, 0.2, np.nan]), np.array([0, 0, 1, -1]))
    array([0.6, 0.2])
    """
    found, cluster = np.unique(labels[labels >= 0], return_inverse=True)
    sums = np.bincount(cluster, weights=samples[labels >= 0], minlength=found.size)
    return sums / np.bincount(cluster, minlength=found.size)


def directions(values: Values) -> Values:
    """Rows over their length. The squared distance of two of them is twice their cosine distance.

    Raises:
        ValueError: a row is all zeros: it has no direction.
    """
    largest = np.abs(values).max(axis=1, initial=0.0)
    zero = np.flatnonzero(largest == 0)
    if zero.size:
        raise ValueError(f"Cosine distance needs a direction; these rows of X are all zeros: {zero[:5].tolist()}.")
    rows = values / largest[:, np.newaxis]
    return np.asarray(rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)))


def tiled(values: Values) -> Values:
    """Customers in tiles, (tiles, d, TILE), filled up with zeros."""
    customers, columns = values.shape
    tiles = -(-customers // TILE)
    padded = np.zeros((tiles * TILE, -(-columns // BLOCK) * BLOCK))
    padded[:customers, :columns] = values
    return np.ascontiguousarray(padded.reshape(tiles, TILE, -1).transpose(0, 2, 1))


def filled(codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Codes of whole tiles: those who fill up the last one are noise."""
    return np.pad(codes, ((0, 0), (0, -codes.shape[1] % TILE)), constant_values=-1)


def in_cells(labels: Labelings) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Customers in some cluster, sorted so that those who are together in every partition are neighbours.

    The second array numbers these cells, for whole tiles.
    """
    order = np.lexsort(labels.codes[::-1])
    order = order[(labels.codes[:, order] >= 0).any(axis=0)]
    codes = filled(labels.at(order))
    changes = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
    return order, np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)


def _groups(labels: Labelings, defined: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Partitions whose sums together fit the budget; a partition too large for it comes alone."""
    groups: list[list[int]] = []
    clusters, room = 0, _BUDGET // (8 * max(1, labels.codes.shape[1]))
    for p in defined.tolist():
        k = int(labels.counts[p])
        if not groups or clusters + k > room:
            groups.append([])
            clusters = 0
        groups[-1].append(p)
        clusters += k
    return [np.array(group, dtype=np.int64) for group in groups]


def _euclidean(values: Values, labels: Labelings) -> Values:
    order, cells = in_cells(labels)
    tiles, codes = tiled(values[order]), filled(labels.at(order))
    with threads_for(values.shape[0] * values.size):
        if int(labels.offsets[-1]) * values.shape[0] * 8 <= _BUDGET:
            found = pairwise(tiles, cells, codes, labels.offsets, labels.sizes)
        else:
            found = against_everybody(tiles, codes, tiles, cells, codes, labels.offsets, labels.sizes)
    samples = np.full(labels.codes.shape, np.nan)
    samples[:, order] = found[:, : order.size]
    return samples


def _squared(values: Values, labels: Labelings, least: float) -> Values:
    clusters = moments(values, labels.codes)
    parts = (clusters.centres, clusters.remainders)
    columns = ((0, 0), (0, -values.shape[1] % BLOCK))
    centres, remainders = (np.pad(part, columns) for part in parts)
    tiles, codes = tiled(scaled(values)[0]), filled(labels.codes)
    least = math.ldexp(least, -2 * clusters.exponent)
    with threads_for(values.size * labels.sizes.size):
        found = from_centres(tiles, codes, labels.offsets, labels.sizes, centres, remainders, clusters.squares, least)
    return found[:, : len(values)]
