"""Who can be compared: overlap of those who received a campaign with those who did not, and balance after weighting."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


def comparable(propensity: Values) -> Flags:
    """Who could well have received a campaign or not, by ``propensity`` in (0, 1): the others are left out.

    Of all sets of customers that leave out the least likely and the most likely ones, this is where the effect has the
    least variance: the k rows of smallest g = 1 / (e (1 - e)) with the least sum of g / k^2 (Crump, Hotz, Imbens &
    Mitnik 2009). Unlike a fixed cut-off it keeps everybody where all are equally unlikely, as in a trial on a few.

    >>> comparable(np.array([0.03, 0.03, 0.03])).tolist()
    [True, True, True]
    >>> comparable(np.array([0.001, 0.3, 0.5, 0.7])).tolist()
    [False, True, True, True]
    """
    g = 1 / (propensity * (1 - propensity))
    rising = np.sort(g)
    variance = np.cumsum(rising) / np.arange(1, g.size + 1) ** 2
    kept: Flags = g <= rising[variance.argmin()] if g.size else np.zeros(0, dtype=bool)
    return kept


def effective_count(weights: Values, customers: Numbers) -> float:
    """How many customers of equal weight would give a mean as exact as these; rows of one customer count together.

    (sum of w)^2 / sum over customers of (their sum of w)^2 (Kish 1965); 0 without any.

    >>> effective_count(np.ones(4), np.array([0, 0, 1, 1]))
    2.0
    """
    sums = np.bincount(customers, weights=weights) if weights.size else np.zeros(1)
    return float(sums.sum() ** 2 / (sums**2).sum()) if sums.any() else 0.0


def normalised_weights(propensity: Values, received: Flags) -> tuple[Values, Values]:
    """Inverse-propensity weights of mean 1 over all rows: of those who received (others 0), and of the others."""
    weights = received / propensity, ~received / (1 - propensity)
    first, second = (one / one.mean() if one.any() else one for one in weights)
    return first, second


@dataclass(frozen=True, eq=False)
class Overlap:
    """Rows that can be compared (``kept``), their ``weights`` (0 for the others), and what is left to compare.

    ``share`` of the rows and ``received_share`` of those who received are kept, in [0, 1], the latter NaN without any;
    the arms weigh as much as ``received`` and ``others`` customers of equal weight.
    """

    kept: Flags
    weights: Values
    share: float
    received_share: float
    received: float
    others: float


def find_overlap(propensity: Values | None, received: Flags, customers: Numbers) -> Overlap:
    """The overlap of the rows, by `comparable`; none where there is no ``propensity``."""
    kept = np.zeros(received.size, dtype=bool) if propensity is None else comparable(propensity)
    weights = np.zeros((2, received.size))
    if propensity is not None:
        weights[:, kept] = normalised_weights(propensity[kept], received[kept])
    return Overlap(
        kept,
        weights.sum(axis=0),
        float(kept.mean()),
        float(kept[received].mean()) if received.any() else float("nan"),
        *(effective_count(one, customers) for one in weights),
    )


@dataclass(frozen=True, eq=False)
class Balance:
    """Standardised differences of the covariates between who received and who did not, ``before`` and ``after``.

    Each is (mean of those who received - mean of the others) / root of the mean of both variances, (p,); 0 for a
    covariate that does not vary. ``limit`` is what may be left after weighting.
    """

    before: Values
    after: Values
    limit: float

    @property
    def worst(self) -> int:
        """The place of the covariate that differs most after weighting."""
        return int(np.abs(self.after).argmax())

    @property
    def holds(self) -> bool:
        """Is every covariate within the limit after weighting?"""
        return bool(np.abs(self.after).max() <= self.limit)


def balance(covariates: Values, received: Flags, seen: Overlap, *, most: float, level: float) -> Balance:
    """The balance of ``covariates`` (n, p) before weighting, and after it among those kept; both arms must be there.

    ``most`` is the difference that may be left (0.1: Austin 2009), or what chance alone exceeds in any of the p
    covariates with probability ``level`` (Bonferroni), if that is more: among few, randomisation leaves more than 0.1.
    """
    arms = (received, ~received)
    spread = np.sqrt(sum(covariates[arm].var(axis=0) for arm in arms) / 2)
    varies = spread > 1e-12 * (1 + np.abs(covariates).max(axis=0))
    spread = np.where(varies, spread, 1.0)
    before, after = (
        np.subtract(*(np.average(covariates[arm], axis=0, weights=weights[arm]) for arm in arms)) / spread
        for weights in (np.ones(received.size), seen.weights)
    )
    chance = np.sqrt(1 / seen.received + 1 / seen.others)
    limit = max(most, float(stats.norm.isf(level / (2 * covariates.shape[1])) * chance))
    return Balance(np.where(varies, before, 0.0), np.where(varies, after, 0.0), limit)
