"""Which methods are better across lifestages: Friedman's test and Nemenyi's critical difference.

Every lifestage is one trial in which the methods are ranked; lifestages differ in level and spread of their scores, so
only ranks are compared (Demsar 2006).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, rankdata, studentized_range

Values = npt.NDArray[np.float64]

MOST_METHODS: Final = 5
LEVEL: Final = 0.05


@dataclass(frozen=True)
class MethodRanks:
    """Methods compared across lifestages.

    ``mean_ranks``: method -> mean rank over the lifestages, 1 is best, the best method first. ``statistic`` and ``p``:
    Friedman's chi-square, corrected for ties. ``critical_difference``: mean ranks less than this apart cannot be told
    apart at the level .05 (Nemenyi). ``groups``: the largest sets of methods of which no two can be told apart, best
    first; a method that differs from all others is in none. ``absent``: method -> lifestages where it has nothing and
    was ranked last. ``undefined`` is the sentence of why nothing was tested, else empty; the numbers are NaN then.
    """

    mean_ranks: Mapping[str, float]
    statistic: float
    p: float
    critical_difference: float
    lifestages: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    absent: Mapping[str, tuple[str, ...]]
    undefined: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The comparison in words, with what could have been told apart at all."""
        if self.undefined:
            return (self.undefined,)
        best, *others = self.mean_ranks
        level = next((group for group in self.groups if best in group), (best,))
        behind = [name for name in others if name not in level]
        differ = "differ" if self.p < LEVEL else "do not differ"
        told = [
            f"Across {len(self.lifestages)} lifestages the methods' scores {differ} at the level {LEVEL:g} (Friedman "
            f"chi-square {self.statistic:.2f}, p = {self.p:.3g}).",
            f"With {len(self.lifestages)} lifestages a difference of less than {self.critical_difference:.2f} mean "
            "ranks cannot be told apart.",
        ]
        if self.p < LEVEL and behind:
            told.append(f"{best} (mean rank {self.mean_ranks[best]:.2f}) is ranked above {_listed(behind)}.")
        elif len(level) == len(self.mean_ranks):
            told.append(f"No two of {_listed(list(self.mean_ranks))} can be told apart.")
        told += [
            f"{name} has nothing in {_listed(where)} and is ranked last there." for name, where in self.absent.items()
        ]
        return tuple(told)


def rank_methods(scores: pd.DataFrame) -> MethodRanks:
    """Friedman's test and Nemenyi's critical difference of the columns of ``scores``.

    ``scores``: lifestages x methods, higher is better, named by index and columns; equal scores share a mean rank. NaN
    means that the method has nothing there: it is ranked last. A lifestage in which no method has anything is left out.
    The statistic is 12 / (n m (m + 1)) times the sum of squared rank sums, less 3 n (m + 1), over its correction for
    ties, with m - 1 degrees of freedom: that of scipy.stats.friedmanchisquare, and defined for two methods besides.
    Its p is approximate for few lifestages. The critical difference is q sqrt(m (m + 1) / 6 n), with q the upper 5 % of
    the studentized range over the root of 2 (Nemenyi 1963; Demsar 2006).

    Raises:
        ValueError: there are more than five methods (with each the critical difference grows and less can be told
            apart), two methods or lifestages have one name, or a score is infinite.
    """
    methods, table = [str(name) for name in scores.columns], scores.dropna(how="all")
    lifestages = tuple(str(name) for name in table.index)
    for what, names in (("method", methods), ("lifestage", list(lifestages))):
        if len(set(names)) < len(names):
            raise ValueError(f"Scores must have one {'column' if what == 'method' else 'row'} per {what}; got {names}.")
    if len(methods) > MOST_METHODS:
        raise ValueError(f"At most {MOST_METHODS} methods can be compared across lifestages; got {sorted(methods)}.")
    values = table.to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        raise ValueError("Scores of methods must be finite, or NaN where a method has nothing; got an infinite one.")
    n, m = values.shape
    absent = {
        name: tuple(np.array(lifestages)[np.isnan(column)].tolist())
        for name, column in zip(methods, values.T, strict=True)
        if np.isnan(column).any()
    }
    ranks = rankdata(-np.where(np.isnan(values), -np.inf, values), axis=1) if n and m else np.empty((n, m))
    means = ranks.mean(axis=0) if n else np.full(m, np.nan)
    order = sorted(range(m), key=lambda place: (means[place], methods[place]))
    mean_ranks = {methods[place]: float(means[place]) for place in order}
    if m < 2 or n < 2:
        why = _too_few(m, n)
        return MethodRanks(mean_ranks, np.nan, np.nan, np.nan, lifestages, (), absent, why)
    statistic = _friedman(ranks)
    difference = float(studentized_range.ppf(1 - LEVEL, m, np.inf) / np.sqrt(2) * np.sqrt(m * (m + 1) / (6 * n)))
    groups = _groups(mean_ranks, difference)
    return MethodRanks(mean_ranks, statistic, float(chi2.sf(statistic, m - 1)), difference, lifestages, groups, absent)


def _friedman(ranks: Values) -> float:
    """Friedman's chi-square, at least 0; 0 where all methods are level in every lifestage."""
    n, m = ranks.shape
    tied = sum(float((sizes**3 - sizes).sum()) for sizes in (np.unique(row, return_counts=True)[1] for row in ranks))
    correction = 1 - tied / (n * m * (m * m - 1))
    plain = 12 / (n * m * (m + 1)) * float((ranks.sum(axis=0) ** 2).sum()) - 3 * n * (m + 1)
    return max(0.0, plain / correction) if correction > 0 else 0.0


def _groups(mean_ranks: Mapping[str, float], difference: float) -> tuple[tuple[str, ...], ...]:
    """Runs of methods, best first, whose first and last are less than ``difference`` apart; none inside another."""
    names, means = list(mean_ranks), np.array(list(mean_ranks.values()))
    found, reached = [], 0
    for first in range(len(names)):
        end = first + int((means[first:] - means[first] < difference).sum())
        if end > reached and end - first > 1:
            found.append(tuple(names[first:end]))
        reached = max(reached, end)
    return tuple(found)


def _too_few(methods: int, lifestages: int) -> str:
    has = f"got {methods} and {lifestages}"
    return f"Methods cannot be compared across lifestages: that takes at least 2 methods and 2 lifestages; {has}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
