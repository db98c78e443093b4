"""Internal validity of partitions: how well clusters are separated, how many customers they hold.

Every function is pure and gives NaN where the score is undefined. The caller names the space. What needs the values of
the customers is computed for many partitions at once, in `aisle.kernels`.
"""

import numpy as np
import numpy.typing as npt

from aisle.kernels.silhouette import mean_silhouettes
from aisle.partition import NOISE

Labels = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def coverage(labels: Labels) -> float:
    """Share of customers assigned to a cluster, in [0, 1]; 1 when there is no noise.

    >>> coverage(np.array([0, 0, 1, -1]))
    0.75
    """
    return float(np.mean(labels != NOISE)) if labels.size else float("nan")


def balance(labels: Labels) -> float:
    """Entropy of cluster sizes over its maximum log k, in (0, 1]; 1 when all are equal; NaN below two clusters.

    Noise is left out (Shannon 1948; Pielou's evenness).

    >>> balance(np.array([0, 0, 1, 1, -1]))
    1.0
    """
    sizes = _sizes(labels)
    if sizes.size < 2:
        return float("nan")
    shares = sizes / sizes.sum()
    return min(1.0, float(-(shares * np.log(shares)).sum() / np.log(sizes.size)))  # rounding may exceed 1


def smallest_share(labels: Labels) -> float:
    """Size of the smallest cluster over all customers, noise included, in [0, 1]; NaN without clusters.

    >>> smallest_share(np.array([0, 0, 1, -1]))
    0.25
    """
    sizes = _sizes(labels)
    return float(sizes.min() / labels.size) if sizes.size else float("nan")


def silhouette(samples: Values) -> float:
    """Mean silhouette of the customers who are in a cluster, in [-1, 1], higher is better; NaN where undefined.

    ``samples`` (n,) are those of `aisle.kernels.silhouette.silhouette_samples`: NaN for noise.
    """
    return float(mean_silhouettes(samples))


def ranking_score(samples: Values) -> float:
    """Mean silhouette with every noise customer counted as 0, in [-1, 1]; NaN where undefined.

    >>> ranking_score(np.array([.5, .7, np.nan, np.nan]))
    0.3
    """
    return float(np.nansum(samples) / samples.size) if (~np.isnan(samples)).any() else float("nan")


def _sizes(labels: Labels) -> npt.NDArray[np.int64]:
    """Customers per cluster; labels may be any numbers, so that renaming clusters changes no score."""
    return np.unique(labels[labels != NOISE], return_counts=True)[1].astype(np.int64)
