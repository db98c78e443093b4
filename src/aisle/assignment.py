"""The rule that gives customers a segment who were not clustered: the nearest centroid, or the nearest neighbours."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
RuleKind = Literal["centroids", "neighbours"]

NEIGHBOURS: Final = 5


def assign(known: Values, labelings: Labels, new: Values, weights: Labels | None = None) -> Labels:
    """Labels (m, p) of the customers ``new`` (p, d) by the clusters ``labelings`` (m, n) of the customers ``known``.

    Each partition is assigned by that rule of the two which better gives back its own labels: the nearest centroid
    (which knows no noise), or the majority of the 5 nearest neighbours, of which the customer itself is none; centroids
    where they are level. Both spaces are the same, Euclidean. ``weights`` (n,) say how often a known customer counts
    in a centroid; as a neighbour everybody counts once.
    """
    kinds = rules(known, labelings, weights)
    found = np.full((len(labelings), len(new)), NOISE, dtype=np.int64)
    by_neighbours = np.array([kind == "neighbours" for kind in kinds], dtype=bool)
    if by_neighbours.any():
        found[by_neighbours] = _majorities(labelings[by_neighbours], _neighbours(known, new))
    for row in np.flatnonzero(~by_neighbours):
        found[row] = nearest_centroid(known, labelings[row], new, weights)
    return found


def rules(known: Values, labelings: Labels, weights: Labels | None = None) -> list[RuleKind]:
    """The rule of each partition; see `assign`."""
    by_majority = _majorities(labelings, _neighbours(known, None)) if len(known) > 1 else labelings
    kinds: list[RuleKind] = []
    for labels, majority in zip(labelings, by_majority, strict=True):
        by_centroid = nearest_centroid(known, labels, known, weights)
        kinds.append("centroids" if (by_centroid == labels).sum() >= (majority == labels).sum() else "neighbours")
    return kinds


def nearest_centroid(known: Values, labels: Labels, new: Values, weights: Labels | None = None) -> Labels:
    """The cluster with the nearest mean, (p,), ``weights`` as in `assign`; noise where there is no cluster.

    >>> nearest_centroid(np.array([[0.0], [2.0], [9.0]]), np.array([0, 0, 1]), np.array([[4.0], [6.0]])).tolist()
    [0, 1]
    """
    if not (labels != NOISE).any():
        return np.full(len(new), NOISE, dtype=np.int64)
    centres = centroids(known, labels, weights)
    distances = (centres**2).sum(axis=1) - 2 * new @ centres.T  # the customer's own square changes no order
    return np.asarray(distances.argmin(axis=1), dtype=np.int64)


def centroids(values: Values, labels: Labels, weights: Labels | None = None) -> Values:
    """Means (k, d) of the clusters 0..k-1, each customer counted once or as often as ``weights`` say; without noise."""
    inside = labels != NOISE
    counted = np.ones(len(values), dtype=np.int64) if weights is None else weights
    sizes = np.bincount(labels[inside], weights=counted[inside])
    hot = np.zeros((sizes.size, len(values)))
    hot[labels[inside], np.flatnonzero(inside)] = counted[inside]
    return np.asarray(hot @ values / sizes[:, np.newaxis])


def _neighbours(known: Values, new: Values | None) -> Labels:
    """Places in ``known`` of the nearest neighbours, (p, up to 5); of the known themselves where ``new`` is None."""
    count = min(NEIGHBOURS, len(known) - (new is None))
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(known)
    return np.asarray(search.kneighbors(new, return_distance=False), dtype=np.int64)


def _majorities(labelings: Labels, neighbours: Labels) -> Labels:
    """The most frequent label among each one's neighbours; that of the nearest of them where several are level."""
    votes = labelings[:, neighbours]
    counts = (votes[..., :, np.newaxis] == votes[..., np.newaxis, :]).sum(axis=-1)
    return np.take_along_axis(votes, counts.argmax(axis=-1)[..., np.newaxis], axis=-1)[..., 0]
