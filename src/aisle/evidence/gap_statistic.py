"""The gap statistic: how much tighter clusters are than those of data without clusters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.evidence.agreement import count
from aisle.kernels.moments import moments
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

FEWEST_DRAWS: Final = 15
"""Reference draws below which a mean and a standard deviation of them say too little."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Of m partitions, how many groups they have and the sum of squared distances to the own group's mean, (m,) each.

    All noise together is one group more: left out, it would make any partition tight.
    """

    groups: Labels
    inertia: Values


@dataclass(frozen=True, eq=False)
class GapStatistic:
    """Of m partitions ``gap`` and ``error`` (m,), NaN where undefined; ``clusters`` is the number that the rule gives.

    ``clusters`` is 1 where nothing is tighter than data without clusters, and NaN where no gap is defined.
    """

    gap: Values
    error: Values
    clusters: float


def spread(space: Values, labelings: Labels) -> Spread:
    """Groups and inertia of the partitions ``labelings`` (m, n) of the customers of ``space`` (n, d)."""
    grouped = np.array([np.where(labels == NOISE, count(labels), labels) for labels in labelings], dtype=np.int64)
    return Spread(np.array([np.unique(row).size for row in grouped]), moments(space, grouped).inertia())


def gap_statistic(own: Spread, drawn: Sequence[Spread]) -> GapStatistic:
    """Gap(k) = mean over the draws of log W*(k), less log W(k): higher is tighter than without clusters.

    W is the inertia, ``own`` that of the customers' partitions and ``drawn`` that of each reference draw's, both
    standardised and clustered by the same pipeline. The error is s(k) = sd(log W*(k)) sqrt(1 + 1 / draws). The rule of
    one standard error chooses the smallest k with Gap(k) >= Gap(k') - s(k'), where k' is the next larger number of
    groups on the path, and the largest k where there is none such. One cluster takes part: standardised, everything has
    the same inertia about its mean, so Gap(1) = 0 and s(1) = 0 (Tibshirani, Walther & Hastie 2001).

    A draw which a tuning value gives another number of groups than the customers is left out there, since W falls with
    every group; with fewer than 15 draws left, and where W is 0, the gap is NaN.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(own.inertia)
        draws = np.array([np.log(one.inertia) for one in drawn]).reshape(len(drawn), logs.size)
    groups = np.array([one.groups for one in drawn]).reshape(draws.shape)
    usable = (groups == own.groups) & np.isfinite(draws)
    gap, error = np.full(logs.size, np.nan), np.full(logs.size, np.nan)
    for place in np.flatnonzero((usable.sum(axis=0) >= FEWEST_DRAWS) & np.isfinite(logs)).tolist():
        known = draws[usable[:, place], place]
        gap[place] = known.mean() - logs[place]
        error[place] = known.std() * np.sqrt(1 + 1 / known.size)
    return GapStatistic(gap, error, _one_error(own.groups, gap, error))


def _one_error(groups: Labels, gap: Values, error: Values) -> float:
    """The number of groups by the rule of one standard error; of partitions with as many, the first counts."""
    known = np.flatnonzero(~np.isnan(gap) & (groups > 1))
    if not known.size:
        return float("nan")
    numbers, first = np.unique(groups[known], return_index=True)
    ks = np.append(1, numbers)
    gaps, errors = np.append(0.0, gap[known[first]]), np.append(0.0, error[known[first]])
    enough = np.flatnonzero(gaps[:-1] >= gaps[1:] - errors[1:])
    return float(ks[enough[0]] if enough.size else ks[-1])
