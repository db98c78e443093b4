"""What one split of the customers says of a candidate, and what many say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context

from aisle.assignment import assign
from aisle.evidence.agreement import best_jaccards, count, matches, replicated, strength
from aisle.evidence.resamples import Found, Pipelines, customers_at, halves, ranking_scores
from aisle.evidence.valley import Valley, continuous, valleys
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread
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
    (2,): ranking score of either half's own partition, 0 where it has none, NaN where the candidate failed.
    """

    scores: Values
    jaccards: Values
    strength: float
    rand: float
    gaps: tuple[Valley | None, ...]

    @property
    def valleys(self) -> Values:
        """P-values (k,) of having no gap to the nearest neighbour, 1 where there is none in the first half."""
        return p_values(self.gaps)

    @classmethod
    def of_failure(cls, clusters: int) -> "Seen":
        """What a split says on which the candidate failed: no cluster came back, and there is no gap.

        Left out, it would speak for the candidate: what is hard to cluster fails, and what is easy is measured.
        """
        return cls(np.full(2, np.nan), np.zeros((2, clusters)), 0.0, 0.0, (None,) * clusters)


def p_values(gaps: Sequence[Valley | None]) -> Values:
    """Of every cluster (k,) the p-value of having no gap; 1 where there is no such cluster in the first half."""
    return np.array([gap.p if gap else 1.0 for gap in gaps])


@dataclass(frozen=True, eq=False)
class Stability:
    """What all splits say of one partition with k clusters; scores are NaN where there is no split.

    ``jaccards`` and ``dissolved`` (k,): mean of the best Jaccard coefficients, and the share of them at most .5 (Hennig
    2007). ``valleys`` (k,): min(1, 2 x the median p-value) (Meinshausen, Meier & Buehlmann 2009). ``strength``: mean
    prediction strength (Tibshirani & Walther 2005). ``replication``: median adjusted Rand index (Ullmann, Hennig &
    Boulesteix 2021). ``splits``: how many were finished; the others count against it in all of these. ``gaps`` (k,): of
    each cluster the gap of the split with the median p-value, None where no split has one. ``error``: standard error of
    the ranking score by the delete-half jackknife, the standard deviation of the halves' own scores (Shao & Wu 1989),
    NaN where no split was finished.
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


@dataclass(frozen=True, eq=False)
class Begun:
    """A split of which only the first half has been clustered, which is enough to look for gaps.

    ``places`` of either half in the feature table; ``found``, of each clusterer, the labels of the first half. Of a
    clusterer that did not fail there: ``assigned`` (m, p), the labels that its rule gives the second half, and
    ``gaps``, of each of its m partitions of all customers, as `Seen` has them.
    """

    places: tuple[Labels, Labels]
    found: Found
    assigned: Mapping[str, Labels]
    gaps: Mapping[str, tuple[tuple[Valley | None, ...], ...]]


def look(
    features: FeatureTable, pipelines: Pipelines, labelings: Mapping[str, Labels], *, number: int
) -> dict[str, "list[Seen] | str"]:
    """Split ``number`` on every candidate: ``labelings`` are its partitions (m, n) of all customers, by clusterer.

    A candidate that fails on a half has the sentence of its failure instead.
    """
    return finish(features, pipelines, labelings, begin(features, pipelines, labelings, number=number))


def begin(features: FeatureTable, pipelines: Pipelines, labelings: Mapping[str, Labels], *, number: int) -> Begun:
    """The first half of `look`."""
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        values, places = features.values, halves(len(features.values), number=number, seed=pipelines.seed)
        found = pipelines.cluster(customers_at(features, places[0]))
        own = {name: labels for name, labels in found.items() if name in labelings and not isinstance(labels, str)}
        space = standardised(values, places[0])
        assigned = _assigned(own, space[places[0]], space[places[1]])
        columns = continuous(values)
        lines = standardised(values[columns], places[0]) if columns else space[:, :0]
        known, new = lines[places[0]], lines[places[1]]
        gaps = {
            name: tuple(
                of_own(valleys(known, half, new, other), matches(labels[places[0]], half), count(labels))
                for labels, half, other in zip(labelings[name], own[name], assigned[name], strict=True)
            )
            for name in own
        }
    return Begun(places, found, assigned, gaps)


def finish(
    features: FeatureTable, pipelines: Pipelines, labelings: Mapping[str, Labels], begun: Begun
) -> dict[str, "list[Seen] | str"]:
    """The second half of `look`, for candidates that are in the first."""
    seen: dict[str, list[Seen] | str] = {}
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        second = pipelines.cluster(customers_at(features, begun.places[1]))
        own: dict[str, tuple[Labels, Labels]] = {}
        for name in labelings:
            parts = begun.found[name], second[name]
            failure = next((part for part in parts if isinstance(part, str)), None)
            if failure is None:
                own[name] = parts  # type: ignore[assignment]  # neither is a sentence
            else:
                seen[name] = failure
        spaces = [standardised(features.values, places) for places in begun.places]
        known, new = spaces[1][begun.places[1]], spaces[1][begun.places[0]]
        back = _assigned({name: parts[1] for name, parts in own.items()}, known, new)
        inside = [space[places] for space, places in zip(spaces, begun.places, strict=True)]
        for name, parts in own.items():
            scores = [ranking_scores(space, part) for space, part in zip(inside, parts, strict=True)]
            assigned = begun.assigned[name], back[name]
            seen[name] = [
                Seen(
                    np.nan_to_num([scores[0][row], scores[1][row]]),
                    _jaccards(labels, begun.places, (parts[0][row], parts[1][row])),
                    float(np.mean([strength(parts[1 - half][row], assigned[half][row]) for half in (0, 1)])),
                    float(np.mean([replicated(parts[1 - half][row], assigned[half][row]) for half in (0, 1)])),
                    begun.gaps[name][row],
                )
                for row, labels in enumerate(labelings[name])
            ]
    return seen


def _assigned(own: Mapping[str, Labels], known: Values, new: Values) -> dict[str, Labels]:
    """Labels of the ``new`` customers by the rules of all partitions together: their neighbours are found once."""
    if not own:
        return {}
    found = assign(known, np.concatenate(list(own.values())), new)
    ends = np.cumsum([len(labels) for labels in own.values()])[:-1]
    return dict(zip(own, np.split(found, ends), strict=True))


def _jaccards(full: Labels, places: tuple[Labels, Labels], own: tuple[Labels, Labels]) -> Values:
    return np.array([best_in_part(full[places[half]], own[half], count(full)) for half in (0, 1)])


def standardised(values: pd.DataFrame, places: Labels) -> Values:
    """All customers (n, d), by the mean and standard deviation of those at ``places``; a constant column is 0."""
    numbers = values.to_numpy()
    return standardised_by(numbers[places], numbers)


def standardised_by(known: Values, values: Values) -> Values:
    """``values`` (n, d) by mean and standard deviation of ``known`` (p, d); a column that is constant there is 0."""
    middle, spread = known.mean(axis=0), known.std(axis=0)
    varies = (known.max(axis=0) > known.min(axis=0)) & (spread > 0)
    return np.asarray(np.divide(values - middle, spread, out=np.zeros_like(values), where=varies))


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
    """All splits of one partition of all customers with ``clusters`` clusters, those that failed among them."""
    scores = np.array([one.scores for one in seen if not np.isnan(one.scores).any()])
    if not seen or not clusters:
        undefined = np.full(clusters, np.nan)
        gaps = (None,) * clusters
        return Stability(np.nan, undefined, undefined, np.ones(clusters), np.nan, np.nan, len(scores), gaps)
    jaccards = np.concatenate([one.jaccards for one in seen])
    known = ~np.isnan(jaccards)
    counted = np.maximum(known.sum(axis=0), 1)
    return Stability(
        float(np.std(scores)) if len(scores) else np.nan,
        np.where(known, jaccards, 0.0).sum(axis=0) / counted,
        (known & (jaccards <= DISSOLVED)).sum(axis=0) / counted,
        np.minimum(1.0, 2 * np.median([one.valleys for one in seen], axis=0)),
        float(np.mean([one.strength for one in seen])),
        float(np.median([one.rand for one in seen])),
        len(scores),
        tuple(_median([one.gaps[cluster] for one in seen]) for cluster in range(clusters)),
    )


def _median(gaps: Sequence[Valley | None]) -> Valley | None:
    known = sorted((gap for gap in gaps if gap), key=lambda gap: gap.p)
    return known[(len(known) - 1) // 2] if known else None
