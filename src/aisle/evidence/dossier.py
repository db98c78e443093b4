"""What is asked of the evidence on one lifestage, and what it gives: candidates, effort, dossier."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.evidence.null import NullKind
from aisle.evidence.resamples import Pipelines

Labels = npt.NDArray[np.int64]

FIRST_DRAWS: Final = 19
"""Null draws that every finalist gets; the others are for those that may still reject the null."""
HOPELESS: Final = 0.25
"""A null p-value above this after the first draws: the others are not drawn."""


def rounds(null_draws: int) -> tuple[range, range]:
    """The numbers of the null draws: first those of all, then those of whoever `may_reject` after these."""
    return range(FIRST_DRAWS), range(FIRST_DRAWS, null_draws)


def may_reject(null_p: float) -> bool:
    """Is it worth drawing on, with this p-value of the first draws?"""
    return null_p <= HOPELESS


MEASURES: Final = (
    "n_clusters",
    "ranking_score",
    "ranking_error",
    "null_mean",
    "null_sd",
    "null_z",
    "null_p",
    "null_draws",
    "valley_p",
    "jaccard_worst",
    "jaccard_mean",
    "strength",
    "replication",
    "splits",
    "failed_splits",
    "failed_draws",
)
REPORTED: Final = (
    "bootstrap_jaccard_worst",
    "bootstrap_jaccard_mean",
    "bootstrap_rand",
    "instability",
    "pac",
    "consensus",
    "dbcv",
    "gap_statistic",
    "gap_error",
    "gap_clusters",
    "bootstraps",
    "failed_bootstraps",
)
"""What is told of finalists and decides nothing; see `aisle.evidence.bootstraps`, ``density`` and ``gap_statistic``."""


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    ``splits`` of the customers into halves (each gives two subsets of half the customers), of which the first
    ``screening`` are spent on all candidates; at most ``finalists`` methods get the others and ``null_draws`` draws of
    the null ``null_kind``. ``bootstraps`` samples of the customers, drawn with replacement and compared in pairs, are
    spent on what is only reported of finalists; with 0 none of that is computed.

    Raises:
        ValueError: a number is too small, odd or not whole, or the null is unknown.
    """

    splits: int
    screening: int
    finalists: int
    null_draws: int
    null_kind: NullKind = "copula"
    bootstraps: int = 0

    def __post_init__(self) -> None:
        for name in ("splits", "screening", "finalists", "null_draws", "bootstraps"):
            if type(getattr(self, name)) is not int:
                raise ValueError(f"evidence.effort.{name} must be a whole number; got {getattr(self, name)!r}.")
        if self.splits < 1:
            raise ValueError(f"evidence.effort.splits must be at least 1; got {self.splits}.")
        if not 1 <= self.screening <= self.splits:
            raise ValueError(f"evidence.effort.screening must be in [1, {self.splits}]; got {self.screening}.")
        if self.finalists < 1:
            raise ValueError(f"evidence.effort.finalists must be at least 1; got {self.finalists}.")
        if self.null_draws < FIRST_DRAWS:
            raise ValueError(f"evidence.effort.null_draws must be at least {FIRST_DRAWS}; got {self.null_draws}.")
        if self.null_kind not in ("copula", "permutation"):
            raise ValueError(f"evidence.effort.null_kind must be copula or permutation; got {self.null_kind!r}.")
        if self.bootstraps < 0 or self.bootstraps % 2:
            raise ValueError(
                "evidence.effort.bootstraps must be 0 or an even number, as samples are compared in pairs; got "
                f"{self.bootstraps}."
            )


@dataclass(frozen=True, eq=False)
class Contender:
    """A candidate to be examined: its method, its tuning values, and a partition (m, n) of all customers for each.

    ``eligible`` (m,) are the partitions that may be chosen. Of candidates that are level, the first by ``name`` stands
    for the method; keys follow the code, so that they may not decide.

    Raises:
        ValueError: their numbers differ.
    """

    key: str
    method: str
    values: tuple[float, ...]
    labelings: Labels
    eligible: npt.NDArray[np.bool_]
    name: str = ""

    def __post_init__(self) -> None:
        counts = [len(self.values), len(self.labelings), len(self.eligible)]
        if len(set(counts)) > 1:
            raise ValueError(f"{self.key}: tuning values, partitions and eligible must be as many; got {counts}.")


@dataclass(frozen=True, eq=False)
class Family:
    """Contenders that share scaler and reducer; ``pipelines`` names its clusterers by the contenders' keys."""

    pipelines: Pipelines
    contenders: tuple[Contender, ...]


@dataclass(frozen=True, eq=False)
class Dossier:
    """The evidence on one lifestage.

    ``measures``: a row per candidate and tuning value: `MEASURES`, `REPORTED` (NaN where not computed), ``class``,
    ``eligible``, ``stage`` (screened or examined), ``category`` (the columns of few levels that the partition only
    repeats, where no valley is seen besides; else empty), ``failure`` (what the first split, bootstrap sample or draw
    that failed said; else empty). ``segments``: a row per segment of these: customer_count, jaccard, dissolved,
    valley_p, neighbour, the segment to which the valley was looked for (-1: nobody's), bootstrap_jaccard and consensus
    (NaN where not computed). ``gaps``: of examined candidates, the share of held-out customers at each position on the
    line from a segment's mean (0) to its neighbour's (1), on the split with the median p-value; positions without any
    are left out.
    """

    measures: pd.DataFrame
    segments: pd.DataFrame
    gaps: pd.DataFrame
