"""Sizes, centres and spreads of the clusters of many partitions, and the scores that need no more than these.

Noise is left out of everything. A score is NaN where it is undefined; none raises.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import prange

from aisle.kernels.compiled import compiled
from aisle.kernels.inputs import Labelings, as_labelings, as_values, scaled, threads_for

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """The clusters of m partitions, one row each, in the order of ``labelings``; values are in units of 2**exponent.

    ``centres`` + ``remainders`` (clusters, d) are the means, the second holding digits that the first has no room for;
    ``squares`` are the sums of squared distances to the mean, ``spreads`` the mean distances to it.
    """

    labelings: Labelings
    centres: Values
    remainders: Values
    squares: Values
    spreads: Values
    exponent: int

    def inertia(self) -> Values:
        """Sum of squared distances to the own cluster's mean, (m,), in squared units of X, lower is tighter.

        It falls with every further cluster. NaN without a cluster.
        """
        with np.errstate(over="ignore"):  # too large for a double is infinite
            return np.asarray(np.ldexp(self._within(), 2 * self.exponent))

    def calinski_harabasz(self) -> Values:
        """Variance between over variance within clusters, each by its degrees of freedom, (m,), >= 0, higher is better.

        NaN below two clusters, for clusters of one only, and where no cluster has a spread (Calinski & Harabasz 1974).
        """
        scores = np.full(len(self.labelings.codes), np.nan)
        within = self._within()
        for p, (k, n) in enumerate(zip(self.labelings.counts, self.labelings.assigned, strict=True)):
            if 2 <= k < n and within[p] > 0:
                means, sizes = self._means(p), self.labelings.sizes[self.labelings.rows(p)]
                middle = sizes @ means / n
                between = float(sizes @ ((means - middle) ** 2).sum(axis=1))
                scores[p] = (between / (k - 1)) / (within[p] / (n - k))
        return scores

    def davies_bouldin(self) -> Values:
        """How alike a cluster and the one most like it are, meaned over clusters, (m,), >= 0, lower is better.

        Alike is the sum of the two spreads over the distance of the two means. NaN below two clusters, for clusters of
        one only, and where two means coincide (Davies & Bouldin 1979).
        """
        scores = np.full(len(self.labelings.codes), np.nan)
        for p, (k, n) in enumerate(zip(self.labelings.counts, self.labelings.assigned, strict=True)):
            if 2 <= k < n:
                worst, spreads = np.zeros(k), self.spreads[self.labelings.rows(p)]
                means = self._means(p)
                for c in range(k):  # a row of the k x k table at a time
                    others = np.arange(k) != c
                    apart = np.sqrt(((means[others] - means[c]) ** 2).sum(axis=1))
                    alike = spreads[others] + spreads[c]
                    worst[c] = (alike / apart).max() if apart.all() else np.nan
                scores[p] = worst.mean()
        return scores

    def _means(self, partition: int) -> Values:
        """About the first cluster's mean, so that clusters near one another far from zero keep their digits."""
        rows = self.labelings.rows(partition)
        centres, remainders = self.centres[rows], self.remainders[rows]
        return np.asarray((centres - centres[0]) + (remainders - remainders[0]))

    def _within(self) -> Values:
        parts = (self.squares[self.labelings.rows(p)] for p in range(len(self.labelings.codes)))
        return np.array([part.sum() if part.size else np.nan for part in parts], dtype=np.float64)


def moments(X: npt.ArrayLike, labelings: npt.ArrayLike) -> Moments:
    """The clusters of the partitions ``labelings`` (m, n), -1 = noise, of the customers X (n, d), in O(m n d).

    >>> found = moments([[0.0], [2.0], [10.0], [11.0], [50.0]], [[0, 0, 1, 1, -1], [0, 0, 0, 0, 0]])
    >>> found.inertia().round(1)
    array([   2.5, 1659.2])
    >>> found.calinski_harabasz()
    array([72.2,  nan])

    Raises:
        ValueError: X or the labelings are not as `aisle.kernels.inputs` wants them.
    """
    values = as_values(X)
    labels = as_labelings(labelings, len(values))
    units, exponent = scaled(values)
    with threads_for(labels.codes.size * values.shape[1]):
        sums = _sum_up(np.ascontiguousarray(units), labels.codes, labels.offsets, labels.sizes)
    return Moments(labels, *sums, exponent)


@compiled(parallel=True, error_model="numpy")
def _sum_up(
    values: Values, codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> tuple[Values, Values, Values, Values]:
    """One partition at a time and customers in their order: threads change no bit."""
    customers, columns = values.shape
    clusters = offsets[-1]
    centres, remainders = np.zeros((clusters, columns)), np.zeros((clusters, columns))
    squares, spreads = np.zeros(clusters), np.zeros(clusters)
    for p in prange(codes.shape[0]):
        low, high = offsets[p], offsets[p + 1]
        for i in range(customers):
            if codes[p, i] >= 0:
                row = low + codes[p, i]
                for f in range(columns):
                    centres[row, f] += values[i, f]
        for row in range(low, high):
            for f in range(columns):
                centres[row, f] /= sizes[row]
        for i in range(customers):
            if codes[p, i] >= 0:
                row = low + codes[p, i]
                for f in range(columns):
                    remainders[row, f] += values[i, f] - centres[row, f]
        for row in range(low, high):
            for f in range(columns):
                remainders[row, f] /= sizes[row]
        for i in range(customers):
            if codes[p, i] >= 0:
                row = low + codes[p, i]
                square = 0.0
                for f in range(columns):
                    square += ((values[i, f] - centres[row, f]) - remainders[row, f]) ** 2
                squares[row] += square
                spreads[row] += np.sqrt(square)
        for row in range(low, high):
            spreads[row] /= sizes[row]
    return centres, remainders, squares, spreads
