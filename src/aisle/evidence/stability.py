"""What one split of the customers says of a candidate, and what many say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context
from threadpoolctl import threadpool_limits

from aisle.assignment import assign
from aisle.evidence.agreement import best_jaccards, count, matches, replicated, strength
from aisle.evidence.resamples import Pipelines, Split, ranking_scores, split
from aisle.evidence.valley import Valley, continuous, valleys
from aisle.features.table import FeatureTable
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

DISSOLVED = 0.5
"""A cluster whose best Jaccard coefficient is no higher has dissolved (Hennig 2008)."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one split says of one partition with k clusters.

    ``jaccards`` (2, k): of each cluster in either half, NaN where it has no customer there. ``strength`` and ``rand``:
    prediction strength and adjusted Rand index, the mean of both directions. ``gaps`` (k,): each cluster against its
    nearest neighbour, None where the first half has no such cluster; a neighbour that is nobody's is -1. ``scores``
    (2,): ranking score of either half's own partition, 0 where it has none.
    """

    scores: Values
    jaccards: Values
    strength: float
    rand: float
    gaps: tuple[Valley | None, ...]

    @property
    def valleys(self) -> Values:
        """P-values (k,) of having no gap to the nearest neighbour, 1 where there is none in the first half."""
        return np.array([gap.p if gap else 1.0 for gap in self.gaps])


@dataclass(frozen=True, eq=False)
class Stability:
    """What all splits say of one partition with k clusters; scores are NaN where no split was finished.

    ``jaccards`` and ``dissolved`` (k,): mean of the best Jaccard coefficients, and the share of them at most .5 (Hennig
    2007). ``valleys`` (k,): min(1, 2 x the median p-value) (Meinshausen, Meier & Buehlmann 2009). ``strength``: mean
    prediction strength (Tibshirani & Walther 2005). ``replication``: median adjusted Rand index (Ullmann, Hennig &
    Boulesteix 2021). ``splits``: how many were finished. ``gaps`` (k,): of each cluster the gap of the split with the
    median p-value, None where no split has one. ``error``: standard error of the ranking score by the delete-half
    jackknife, the standard deviation of the halves' own scores (Shao & Wu 1989).
    """

    error: float
    jaccards: Values
    dissolved: Values
    valleys: Values
    strength: float
    replication: float
    splits: int
    gaps: tuple[Valley | None, ...]

    @property
    def valley(self) -> float:
        """The p-value of the partition, that of its worst cluster; 1 below two clusters."""
        return float(self.valleys.max()) if self.valleys.size > 1 else 1.0


def look(
    features: FeatureTable, pipelines: Pipelines, labelings: Mapping[str, Labels], *, number: int
) -> dict[str, "list[Seen] | str"]:
    """Split ``number`` on every candidate: ``labelings`` are its partitions (m, n) of all customers, by clusterer.

    A candidate that fails on a half has the sentence of its failure instead.
    """
    found: dict[str, list[Seen] | str] = {}
    with threadpool_limits(limits=1), config_context(assume_finite=True, skip_parameter_validation=True):
        halves = split(features, pipelines, number=number)
        for name, labels in labelings.items():
            first, second = halves.found[0][name], halves.found[1][name]
            if isinstance(first, str) or isinstance(second, str):
                found[name] = first if isinstance(first, str) else str(second)
            else:
                found[name] = _seen(features.values, halves, labels, (first, second))
    return found


def _seen(values: pd.DataFrame, halves: Split, full: Labels, own: tuple[Labels, Labels]) -> list[Seen]:
    spaces = [standardised(values, halves.places[known]) for known in (0, 1)]
    assigned = [
        assign(spaces[0][halves.places[0]], own[0], spaces[0][halves.places[1]]),
        assign(spaces[1][halves.places[1]], own[1], spaces[1][halves.places[0]]),
    ]
    columns = continuous(values)
    lines = standardised(values[columns], halves.places[0]) if columns else spaces[0][:, :0]
    known, new = lines[halves.places[0]], lines[halves.places[1]]
    seen = []
    scores = [ranking_scores(spaces[half][halves.places[half]], own[half]) for half in (0, 1)]
    for row, labels in enumerate(full):
        restricted = [labels[places] for places in halves.places]
        jaccards = np.array([best_in_part(restricted[half], own[half][row], count(labels)) for half in (0, 1)])
        pairs = [(own[1][row], assigned[0][row]), (own[0][row], assigned[1][row])]
        found = valleys(known, own[0][row], new, assigned[0][row])
        seen.append(
            Seen(
                np.nan_to_num([scores[0][row], scores[1][row]]),
                jaccards,
                float(np.mean([strength(*pair) for pair in pairs])),
                float(np.mean([replicated(*pair) for pair in pairs])),
                of_own(found, matches(restricted[0], own[0][row]), count(labels)),
            )
        )
    return seen


def standardised(values: pd.DataFrame, places: Labels) -> Values:
    """All customers (n, d), by the mean and standard deviation of those at ``places``; a constant column is 0."""
    numbers = values.to_numpy()
    middle, spread = numbers[places].mean(axis=0), numbers[places].std(axis=0)
    varies = numbers[places].max(axis=0) > numbers[places].min(axis=0)
    return np.asarray(np.divide(numbers - middle, spread, out=np.zeros_like(numbers), where=varies & (spread > 0)))


def best_in_part(full: Labels, own: Labels, clusters: int) -> Values:
    """Best Jaccard coefficients of clusters 0..k-1, NaN for one that has no customer in this part."""
    return np.append(best_jaccards(full, own), np.full(clusters - count(full), np.nan))


def of_own(found: Sequence[Valley], matched: Labels, clusters: int) -> tuple[Valley | None, ...]:
    """The gaps of the half's clusters given to the whole's clusters."""
    whole = {own: cluster for cluster, own in enumerate(matched.tolist()) if own != NOISE}
    gaps: list[Valley | None] = [None] * clusters
    for gap in found:
        if gap.cluster in whole:
            gaps[whole[gap.cluster]] = replace(
                gap, cluster=whole[gap.cluster], neighbour=whole.get(gap.neighbour, NOISE)
            )
    return tuple(gaps)


def together(seen: Sequence[Seen], clusters: int) -> Stability:
    """All finished splits of one partition of all customers with ``clusters`` clusters."""
    if not seen or not clusters:
        undefined = np.full(clusters, np.nan)
        return Stability(np.nan, undefined, undefined, np.ones(clusters), np.nan, np.nan, len(seen), (None,) * clusters)
    jaccards = np.concatenate([one.jaccards for one in seen])
    known = ~np.isnan(jaccards)
    counted = np.maximum(known.sum(axis=0), 1)
    return Stability(
        float(np.std([one.scores for one in seen])),
        np.where(known, jaccards, 0.0).sum(axis=0) / counted,
        (known & (jaccards <= DISSOLVED)).sum(axis=0) / counted,
        np.minimum(1.0, 2 * np.median([one.valleys for one in seen], axis=0)),
        float(np.mean([one.strength for one in seen])),
        float(np.median([one.rand for one in seen])),
        len(seen),
        tuple(_median([one.gaps[cluster] for one in seen]) for cluster in range(clusters)),
    )


def _median(gaps: Sequence[Valley | None]) -> Valley | None:
    known = sorted((gap for gap in gaps if gap), key=lambda gap: gap.p)
    return known[(len(known) - 1) // 2] if known else None
