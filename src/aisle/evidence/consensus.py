"""How often two customers are in one cluster when samples of them are clustered again (Monti et al. 2003)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

MOST_CUSTOMERS: Final = 1000
"""Pairs are those of so many customers at most: half a million pairs, whatever the lifestage holds."""
NOT_SAMPLED: Final = -2
AMBIGUOUS: Final = (0.1, 0.9)


def chosen_customers(customers: int, *, seed: int) -> Labels:
    """Places, ascending, of the customers whose pairs are looked at: all, or a random `MOST_CUSTOMERS` of them."""
    if customers <= MOST_CUSTOMERS:
        return np.arange(customers)
    return np.sort(np.random.default_rng([seed, 0, 2]).choice(customers, MOST_CUSTOMERS, replace=False))


def consensus(samples: npt.NDArray[np.int16]) -> Values:
    """Consensus index of every pair of customers, (n, n), in [0, 1]: 1 = always together, 0 = never.

    ``samples`` (b, n) are the clusters of the customers in b samples, -1 for noise and -2 for who was not drawn. The
    index is the number of samples that put both into one cluster over the number that drew both; NaN where none did. A
    noise customer is together with nobody (Monti et al. 2003).

    >>> consensus(np.array([[0, 0, 1], [0, 1, -2]], dtype=np.int16)).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    drawn = (samples != NOT_SAMPLED).astype(np.float32)
    members = [row == cluster for row in samples for cluster in range(int(row.max(initial=NOISE)) + 1)]
    inside = np.array(members, dtype=np.float32).reshape(len(members), samples.shape[1])
    together, both = inside.T @ inside, drawn.T @ drawn  # whole numbers below 2^24: exact in any order
    found = np.full(both.shape, np.nan)
    np.divide(together, both, out=found, where=both > 0)
    return found


def ambiguity(found: Values) -> float:
    """Proportion of ambiguous clustering (PAC), in [0, 1], lower is better: of a consensus matrix (n, n).

    The share of the pairs whose consensus index is above .1 and at most .9: neither together nor apart. That is
    CDF(.9) - CDF(.1) of the indices. Pairs that no sample drew are left out; NaN where there is no other (Senbabaoglu,
    Michailidis & Li 2014).
    """
    pairs = found[np.triu_indices(len(found), 1)]
    known = pairs[~np.isnan(pairs)]
    low, high = AMBIGUOUS
    return float(((known > low) & (known <= high)).mean()) if known.size else float("nan")


def cluster_consensus(found: Values, labels: Labels, clusters: int) -> Values:
    """Mean consensus index of the pairs inside each cluster 0..k-1 of ``labels`` (n,), (k,), in [0, 1].

    Higher is better. NaN for a cluster of which no two customers were drawn together (Monti et al. 2003).
    """
    means = np.full(clusters, np.nan)
    for cluster in range(clusters):
        inside = np.flatnonzero(labels == cluster)
        pairs = found[np.ix_(inside, inside)][np.triu_indices(inside.size, 1)]
        known = pairs[~np.isnan(pairs)]
        if known.size:
            means[cluster] = known.mean()
    return means
