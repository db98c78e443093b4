"""How good predictions are, and how sure that is: intervals by resampling households, with all their rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

_SURE: Final = 1e-6
_TOP: Final = 0.1
_BINS: Final = 10


def log_losses(wanted: Values, predicted: Values) -> Values:
    """Minus the logarithm of the chance given to what happened, per row; at least 0, lower is better."""
    chance = np.clip(predicted, _SURE, 1 - _SURE)
    return np.asarray(-np.log(np.where(wanted > 0, chance, 1 - chance)))


def squared_losses(wanted: Values, predicted: Values) -> Values:
    """Squared errors, per row; lower is better."""
    return np.asarray((wanted - predicted) ** 2)


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often every row counts: once in the first row of ``weights`` (1 + b, n), then as households are drawn.

    Households are drawn with replacement, as many as there are; all rows of one count alike.
    """

    weights: Values

    @classmethod
    def of(cls, customers: Numbers, *, draws: int, seed: int) -> "Resamples":
        """``draws`` resamples of the households, which are numbered from 0."""
        count = int(customers.max()) + 1
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
        return cls(np.vstack([np.ones(count), drawn])[:, customers])

    def mean(self, values: Values) -> Values:
        """Means (1 + b,) of a number per row."""
        return np.asarray(self.weights @ values / self.weights.sum(axis=1))

    def area_under_curve(self, wanted: Values, predicted: Values) -> Values:
        """The chance that a responder is ranked above another customer, (1 + b,), in [0, 1]; .5 is chance, 1 is best.

        Ties count half; NaN where all or none responded.
        """
        yes, no = self._by_level(predicted, [wanted, 1 - wanted])
        below = np.cumsum(no, axis=1) - no / 2
        pairs = yes.sum(axis=1) * no.sum(axis=1)
        area = (yes * below).sum(axis=1)
        return np.asarray(np.divide(area, pairs, out=np.full(len(area), np.nan), where=pairs > 0))

    def lift(self, wanted: Values, predicted: Values) -> Values:
        """Mean outcome of the tenth predicted highest over the mean of all, (1 + b,); 1 is chance, higher is better.

        Of customers predicted alike at its edge, a share is in the tenth. NaN where the mean of all is 0.
        """
        sums, sizes = self._by_level(-predicted, [wanted, np.ones_like(wanted)])
        total = sizes.sum(axis=1, keepdims=True)
        before = np.cumsum(sizes, axis=1) - sizes
        inside = np.clip(_TOP * total - before, 0, sizes)
        means = np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0)
        top = (inside * means).sum(axis=1) / (_TOP * total[:, 0])
        mean = sums.sum(axis=1) / total[:, 0]
        return np.asarray(np.divide(top, mean, out=np.full(len(top), np.nan), where=mean > 0))

    def _by_level(self, ranked: Values, summed: list[Values]) -> list[Values]:
        """Weighted sums of each of ``summed`` by the levels of ``ranked``, ascending: (1 + b, levels)."""
        order = np.argsort(ranked, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(ranked[order]) != 0])
        ordered = self.weights[:, order]
        return [np.add.reduceat(ordered * values[order], starts, axis=1) for values in summed]


def calibration_error(wanted: Values, predicted: Values) -> float:
    """Mean distance of what was expected from what happened, over tenths of the customers by prediction; 0 is best.

    Customers predicted alike are in one tenth.
    """
    place = np.searchsorted(np.sort(predicted), predicted, side="left")
    bins = place * _BINS // len(predicted)
    sizes = np.bincount(bins)
    apart = np.abs(np.bincount(bins, weights=wanted - predicted))
    return float(apart.sum() / sizes.sum())


def interval(values: Values, confidence: float) -> tuple[float, float, float]:
    """The value of the first, and the percentile interval of the others; NaN where a tenth of them is undefined."""
    drawn = values[1:]
    known = drawn[np.isfinite(drawn)]
    if known.size < 0.9 * drawn.size or not known.size:
        return float(values[0]), float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(values[0]), float(low), float(high)
