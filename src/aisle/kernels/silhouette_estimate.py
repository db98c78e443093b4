"""Silhouettes of millions of customers, estimated from a sample of them, with the error of doing so."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.kernels.inputs import Labelings, as_labelings, as_values, scaled, threads_for
from aisle.kernels.silhouette import filled, in_cells, tiled
from aisle.kernels.silhouette_loops import against_everybody

_FEWEST: Final = 30
"""Customers drawn of every cluster, all of a smaller one: enough for a variance of its own."""


@dataclass(frozen=True)
class SilhouetteEstimate:
    """An estimate of the mean silhouette of ``customers``, those in a cluster, from ``sample_size`` of them.

    ``low`` and ``high`` hold the exact value with probability ``confidence``; all are in [-1, 1], or NaN where the
    silhouette is undefined.
    """

    value: float
    low: float
    high: float
    confidence: float
    sample_size: int
    customers: int

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"undefined for {self.customers:,} customers in these clusters"
        return (
            f"about {self.value:.4f} ({self.confidence:.0%} interval {self.low:.4f} to {self.high:.4f}), "
            f"estimated from {self.sample_size:,} of {self.customers:,} customers"
        )


def estimate_silhouettes(
    X: npt.ArrayLike, labelings: npt.ArrayLike, *, sample_size: int, confidence: float, seed: int
) -> tuple[SilhouetteEstimate, ...]:
    """Mean Euclidean silhouette of each partition ``labelings`` (m, n), noise (-1) left out, in O(m n sample_size d).

    ``sample_size`` customers are drawn by cluster, in proportion to its size but never fewer than 30 of one (or all of
    it), so that many small clusters make the sample larger. Each is compared with all customers: its silhouette is
    exact, and the interval, normal with finite population correction, is that of the draw (Cochran 1977, chapter 5).
    Cosine and squared Euclidean silhouettes need no estimate: `aisle.kernels.silhouette` is as fast for millions.

    >>> X = [[0.0], [2.0], [10.0], [11.0]]
    >>> str(estimate_silhouettes(X, [[0, 0, 1, 1]], sample_size=4, confidence=0.9, seed=0)[0])
    'about 0.8408 (90% interval 0.8408 to 0.8408), estimated from 4 of 4 customers'

    Raises:
        ValueError: ``sample_size`` is below 1, ``confidence`` not in (0, 1), or X or the labelings are not as
            `aisle.kernels.inputs` wants them.
    """
    if sample_size < 1:
        raise ValueError(f"sample_size must be at least 1 customer; got {sample_size}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be a probability in (0, 1); got {confidence}.")
    values = as_values(X)
    labels = as_labelings(labelings, len(values))
    units = scaled(values)[0]
    generator = np.random.default_rng(seed)
    return tuple(
        _estimate(units, labels.select(np.array([p])), sample_size, confidence, generator)
        for p in range(len(labels.codes))
    )


def _estimate(
    values: npt.NDArray[np.float64], labels: Labelings, wanted: int, confidence: float, generator: np.random.Generator
) -> SilhouetteEstimate:
    assigned, clusters = int(labels.sizes.sum()), labels.sizes.size
    if not 2 <= clusters < assigned:
        return SilhouetteEstimate(math.nan, math.nan, math.nan, confidence, 0, assigned)
    order, cells = in_cells(labels)  # one partition's cells are its clusters, in the order of their numbers
    sizes = _allocated(labels.sizes, wanted)
    drawn = order[_draw(labels.sizes, sizes, generator)]
    everybody, codes = tiled(values[order]), filled(labels.at(order))
    tiles, tile_codes = tiled(values[drawn]), filled(labels.at(drawn))
    with threads_for(drawn.size * values.size):
        found = against_everybody(tiles, tile_codes, everybody, cells, codes, labels.offsets, labels.sizes)
    samples = found[0, : drawn.size]
    value, variance = 0.0, 0.0
    for part, size in zip(np.split(samples, np.cumsum(sizes)[:-1]), labels.sizes, strict=True):
        share = size / assigned
        value += share * part.mean()
        if part.size < size:
            variance += share**2 * (1 - part.size / size) * part.var(ddof=1) / part.size
    margin = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(variance)
    low, high = max(-1.0, value - margin), min(1.0, value + margin)
    return SilhouetteEstimate(float(value), float(low), float(high), confidence, int(drawn.size), assigned)


def _draw(
    sizes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Places of ``counts`` customers of each cluster, where customers are sorted by cluster."""
    starts = np.cumsum(sizes) - sizes
    parts = zip(starts, sizes, counts, strict=True)
    return np.concatenate(
        [start + np.sort(generator.choice(size, count, replace=False)) for start, size, count in parts]
    )


def _allocated(sizes: npt.NDArray[np.int64], wanted: int) -> npt.NDArray[np.int64]:
    """Customers to draw of every cluster."""
    proportional = np.ceil(sizes * min(1.0, wanted / sizes.sum())).astype(np.int64)
    return np.asarray(np.minimum(sizes, np.maximum(proportional, _FEWEST)))
