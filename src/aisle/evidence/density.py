"""Density-based clustering validation (DBCV): are clusters denser inside than between (Moulavi et al. 2014)?"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from aisle.evidence.agreement import count
from aisle.kernels.mutual_reachability import spanning_tree

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_ROWS: Final = 256  # of a distance matrix that are in memory at a time


@dataclass(frozen=True, eq=False)
class _Dense:
    """One cluster: the inner customers of its tree, how far each reaches, and its longest inner edge."""

    inner: Values
    reach: Values
    sparseness: float


def density_validity(values: Values, labels: Labels) -> float:
    """DBCV of a partition ``labels`` (n,) of the customers ``values`` (n, d), in [-1, 1], higher is better.

    Of each cluster the minimum spanning tree of the mutual reachability distances max(core(a), core(b), |a - b|), with
    core(a) = (mean over the cluster's others b of |a - b|^-d)^(-1/d). Sparseness is the longest edge between inner
    customers, who have at least two edges; separation the least mutual reachability from an inner customer of the
    cluster to one of another. A cluster's validity is (separation - sparseness) / max of the two; DBCV is their mean,
    weighted by customers. Noise counts 0, and so does a cluster of one, which has no density and separates nothing.
    NaN where fewer than two clusters are left. Where no edge is between inner customers, the longest of all is taken,
    and of a pair both are inner, as in the authors' own program.

    Who is equal to another customer has core distance 0, the limit of the formula. The library hdbscan has this measure
    too; it leaves equal customers out of the mean, fails at a cluster of one, overflows with many columns, and which of
    two edges of almost equal length it takes depends on the order of the rows.
    """
    sizes = np.bincount(labels[labels >= 0], minlength=count(labels))
    clusters = np.flatnonzero(sizes > 1)
    if clusters.size < 2:
        return float("nan")
    dense = [_dense(np.ascontiguousarray(values[labels == cluster])) for cluster in clusters]
    apart = np.full((clusters.size, clusters.size), np.inf)
    for one in range(clusters.size):
        for other in range(one):
            apart[one, other] = apart[other, one] = _separation(dense[one], dense[other])
    separation, sparseness = apart.min(axis=1), np.array([one.sparseness for one in dense])
    most = np.maximum(separation, sparseness)
    validity = np.divide(separation - sparseness, most, out=np.zeros(most.size), where=most > 0)
    return float((sizes[clusters] * validity).sum() / labels.size)


def _dense(values: Values) -> _Dense:
    core = _core_distances(values)
    ends, weights = spanning_tree(values, core)
    degrees = np.bincount(ends.ravel(), minlength=len(values))
    inside = degrees > 1 if len(values) > 2 else degrees > 0
    edges = weights[inside[ends].all(axis=1)]
    return _Dense(values[inside], core[inside], float((edges if edges.size else weights).max()))


def _core_distances(values: Values) -> Values:
    """All-points core distances (n,), by logarithms: a distance to the power of many columns is no number."""
    n, d = values.shape
    core = np.empty(n)
    with np.errstate(divide="ignore"):
        for start in range(0, n, _ROWS):
            distances = cdist(values[start : start + _ROWS], values)
            powers = -d * np.log(distances)
            here = np.arange(len(powers))
            powers[here, start + here] = -np.inf  # oneself is none of the others
            core[start : start + _ROWS] = np.exp(-(logsumexp(powers, axis=1) - np.log(n - 1)) / d)
    return core


def _separation(one: _Dense, other: _Dense) -> float:
    least = np.inf
    for start in range(0, len(one.inner), _ROWS):
        rows = slice(start, start + _ROWS)
        apart = np.maximum(cdist(one.inner[rows], other.inner), one.reach[rows, np.newaxis])
        least = min(least, float(np.maximum(apart, other.reach).min()))
    return least
