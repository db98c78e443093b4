"""How far two partitions of the same customers agree: cluster by cluster, pair by pair, and in one number."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def count(labels: Labels) -> int:
    """Number of clusters of a partition whose clusters are 0..k-1."""
    return int(labels.max(initial=NOISE)) + 1


def overlaps(one: Labels, other: Labels) -> npt.NDArray[np.int64]:
    """Customers in cluster i of ``one`` and j of ``other``, (k, l); noise is in no cluster.

    >>> overlaps(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1])).tolist()
    [[1, 1], [0, 1]]
    """
    k, size = count(one), count(other)
    both = (one != NOISE) & (other != NOISE)
    return np.bincount(one[both] * size + other[both], minlength=k * size).reshape(k, size)


def jaccards(one: Labels, other: Labels) -> Values:
    """Jaccard coefficient of every cluster of ``one`` with every cluster of ``other``, (k, l), in [0, 1].

    Customers shared over customers in either (Jaccard 1901). A cluster of ``one`` without members here is NaN.
    """
    shared = overlaps(one, other)
    sizes = np.bincount(one[one != NOISE], minlength=len(shared))
    others = np.bincount(other[other != NOISE], minlength=shared.shape[1])
    union = sizes[:, np.newaxis] + others - shared
    found = shared / np.maximum(union, 1)
    found[sizes == 0] = np.nan
    return np.asarray(found)


def best_jaccards(one: Labels, other: Labels) -> Values:
    """For every cluster of ``one``, (k,), its Jaccard coefficient with the cluster of ``other`` most like it.

    In [0, 1], higher is more stable; 0 where ``other`` has no cluster (Hennig 2007).
    """
    found = jaccards(one, other)
    return found.max(axis=1) if found.shape[1] else np.zeros(len(found))


def matches(one: Labels, other: Labels) -> Labels:
    """For every cluster of ``one``, (k,), the cluster of ``other`` that is its own in the best one-to-one matching.

    Best is the largest sum of Jaccard coefficients; -1 where none is left or none shares a customer (Kuhn 1955).
    """
    found = np.nan_to_num(jaccards(one, other))
    rows, columns = linear_sum_assignment(found, maximize=True)
    matched = np.full(len(found), NOISE, dtype=np.int64)
    sharing = found[rows, columns] > 0
    matched[rows[sharing]] = columns[sharing]
    return matched


def strength(clustered: Labels, assigned: Labels) -> float:
    """Prediction strength, in [0, 1], higher is better: of the worst cluster, the share of pairs that stay together.

    ``clustered`` are the customers' own clusters, ``assigned`` those that the rule of the other half gives them
    (Tibshirani & Walther 2005). A cluster of one has no pair and counts 1; 0 where the two have different numbers of
    clusters or none: nothing was predicted then.
    """
    if count(clustered) != count(assigned) or not count(clustered):
        return 0.0
    together = overlaps(clustered, assigned)
    sizes = np.bincount(clustered[clustered != NOISE], minlength=len(together))
    pairs = (together * (together - 1)).sum(axis=1)
    shares = np.divide(pairs, sizes * (sizes - 1), out=np.ones(len(sizes)), where=sizes > 1)
    return float(shares.min())


def adjusted_rand(one: Labels, other: Labels) -> float:
    """Adjusted Rand index, 1 for the same partition, about 0 for unrelated ones (Hubert & Arabie 1985).

    All noise together counts as one cluster. scikit-learn's own takes a hundred times as long for a few customers.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    shared = overlaps(one + 1, other + 1)
    together, n = _pairs(shared), one.size
    in_one, in_other = _pairs(shared.sum(axis=1)), _pairs(shared.sum(axis=0))
    all_pairs = n * (n - 1) / 2
    by_chance = in_one * in_other / all_pairs if all_pairs else 0.0
    most = (in_one + in_other) / 2
    return (together - by_chance) / (most - by_chance) if most > by_chance else 1.0


def replicated(one: Labels, other: Labels) -> float:
    """Adjusted Rand index; 0 where either has no two clusters: everybody in one, or in none, replicates nothing."""
    return adjusted_rand(one, other) if min(count(one), count(other)) > 1 else 0.0


def _pairs(sizes: npt.NDArray[np.int64]) -> float:
    return float((sizes * (sizes - 1) / 2).sum())
