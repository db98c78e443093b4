"""Evidence on a segmentation made elsewhere: its labels are there, the method that made them is not.

What needs labels alone is measured on the given ones: the ranking score; the valleys (the given labels of half A make
the discriminant and the rule, which assigns half B, and half B is projected); and how many held-out customers the rule
gives back to their segment. Whether the segments come back would need their method. In its place declared stand-ins
cluster each half into as many clusters: Jaccard coefficients hold the given segments against theirs, prediction
strength and replication the given segments carried from one half to the other against what a stand-in finds there by
itself. So low numbers say that no stand-in finds the segments, not that their own method would not. The null of a
stand-in is what it scores on draws without clusters.

Whoever made the labels has seen both halves, so that held-out customers are not quite new to them, and a valley alone
is weaker evidence than one of clusters found on half A. The class "separated" asks besides that a stand-in which saw
one half alone finds the same segments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context
from sklearn.base import clone

from aisle.assignment import assign, centroids
from aisle.candidate import reference_space
from aisle.clusterers.path import PathClusterer
from aisle.evidence.agreement import count, replicated, strength
from aisle.evidence.categories import categories, repeated
from aisle.evidence.classes import CLASSES, Thresholds, class_of
from aisle.evidence.dossier import MEASURES, Effort, may_reject, rounds
from aisle.evidence.examination import Run
from aisle.evidence.null import null_of
from aisle.evidence.power import unseen_gap
from aisle.evidence.resamples import Pipelines, Split, null_scores, ranking_scores, split
from aisle.evidence.rows import GAP, SEGMENT, gap_rows, null_measures, segment_rows, stability_measures
from aisle.evidence.stability import Seen, best_in_part, of_own, standardised, together
from aisle.evidence.valley import Valley, continuous, valleys
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import NOISE
from aisle.scores import coverage, smallest_share

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_COUNTS: Final = ("n_clusters", "n_components")
_OF_LABELS: Final = ("customer_count", "coverage", "smallest_share", "regained", "guessed", "smallest_gap")
_COLUMNS: Final = ("stand_in", *MEASURES, *_OF_LABELS, "class", "category", "failure")


@dataclass(frozen=True, eq=False)
class Judgement:
    """The evidence on the given labels of one lifestage, a part for each stand-in, that of the best one first.

    ``measures``: a row per stand-in: `aisle.evidence.MEASURES`, ``class``, ``category`` and ``failure`` (as
    `aisle.evidence.Dossier` has them), customer_count, coverage, smallest_share; ``regained``, the share of the
    customers in a segment to whom the rule learnt on the other half gives it back; ``guessed``, the share that would
    get it back if everybody got the largest; ``smallest_gap``, `aisle.evidence.unseen_gap` of the segments and their
    nearest neighbours. ``segments``: a row per stand-in and segment: customer_count, jaccard, dissolved,
    valley_p, neighbour, regained. ``gaps``: the segments' held-out customers on the line to the neighbour, as
    `aisle.evidence.Dossier` has them.
    """

    measures: pd.DataFrame
    segments: pd.DataFrame
    gaps: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Carried:
    """What one split says of given labels with k segments.

    ``seen``: beside each stand-in, or the sentence of its failure. ``held_out`` and ``regained`` (k,): customers of
    each segment in both halves, and those to whom the rule of the other half gives that segment.
    """

    seen: Mapping[str, "Seen | str"]
    held_out: Labels
    regained: Labels


def of_size(clusterer: PathClusterer, clusters: int) -> PathClusterer:
    """A copy of a clusterer with one tuning value, this number of clusters.

    Raises:
        ValueError: its tuning value is not a number of clusters.
    """
    parameters = clusterer.get_params(deep=False)  # type: ignore[attr-defined]
    name = next((name for name in _COUNTS if name in parameters), None)
    if name is None and parameters.get("parameter") in _COUNTS:
        name = "values"
    if name is None:
        raise ValueError(f"A stand-in must take a number of clusters, {' or '.join(_COUNTS)}; {clusterer} does not.")
    copy: PathClusterer = clone(clusterer).set_params(**{name: [clusters]})
    return copy


def fewest_customers(clusters: int, stand_ins: Mapping[str, PathClusterer]) -> int:
    """Customers needed for each half to be clustered by every stand-in into so many clusters."""
    return 2 * max((of_size(clusterer, clusters).minimum_customers for clusterer in stand_ins.values()), default=0)


def judge(
    features: FeatureTable,
    given: Labels,
    stand_ins: Mapping[str, PathClusterer],
    *,
    scaler: Any,
    reducer: Any,
    effort: Effort,
    thresholds: Thresholds,
    seed: int,
    run: Run,
) -> Judgement:
    """The evidence on labels ``given`` (n,), 0..k-1 or noise, of the customers of ``features``; k is at least 2.

    ``stand_ins``, by name, cluster what ``scaler`` and ``reducer`` make of the features into k clusters. ``run`` may
    work in parallel.

    Raises:
        ValueError: there are fewer than two segments, there is no stand-in, or the tuning value of one is not a number
            of clusters.
    """
    clusters = count(given)
    if clusters < 2:
        raise ValueError(f"At least 2 segments are needed to be judged; got {clusters}.")
    if not stand_ins:
        raise ValueError("At least one stand-in is needed to say whether segments come back; got none.")
    features = features.varying()
    space = reference_space(features).loc[features.values.index].to_numpy()
    pipelines = Pipelines(scaler, reducer, {name: of_size(one, clusters) for name, one in stand_ins.items()}, seed)
    splits: list[Carried] = list(
        run("splits", [partial(carry, features, pipelines, given, number=number) for number in range(effort.splits)])
    )
    held_out, regained = (sum(getattr(one, name) for one in splits) for name in ("held_out", "regained"))
    labels_alone = {
        "n_clusters": clusters,
        "ranking_score": float(ranking_scores(space, given[np.newaxis])[0]),
        "customer_count": given.size,
        "coverage": coverage(given),
        "smallest_share": smallest_share(given),
        "regained": float(regained.sum() / held_out.sum()),
        "guessed": float(held_out.max() / held_out.sum()),
        "smallest_gap": unseen_gap(_pairs(space, given), valley_p=thresholds.valley_p),
    }
    category = repeated(given, categories(features.values))
    null = _null(features, pipelines, labels_alone["ranking_score"], effort, run)
    tables = []
    for name in stand_ins:
        seen = [one.seen[name] for one in splits]
        against, failures = null[name]
        failed_draws = len(failures)
        failures = [one for one in seen if isinstance(one, str)] + failures
        stability = together([Seen.of_failure(clusters) if isinstance(one, str) else one for one in seen], clusters)
        counts = {"failed_splits": len(seen) - stability.splits, "failed_draws": failed_draws}
        measures: dict[str, Any] = {**labels_alone, **against, **stability_measures(stability), **counts}
        measures |= {
            "stand_in": name,
            "class": class_of(measures, thresholds),
            "category": "" if measures["valley_p"] < thresholds.valley_p else category,
            "failure": next(iter(failures), ""),
        }
        segments = [
            {"stand_in": name, **row, "regained": float(share)}
            for row, share in zip(segment_rows(given, stability), regained / held_out, strict=True)
        ]
        tables.append((measures, segments, [{"stand_in": name, **row} for row in gap_rows(stability)]))
    tables.sort(key=lambda parts: _standing(parts[0]))
    return Judgement(
        pd.DataFrame([measures for measures, _, _ in tables], columns=list(_COLUMNS)),
        pd.DataFrame([row for _, rows, _ in tables for row in rows], columns=["stand_in", *SEGMENT, "regained"]),
        pd.DataFrame([row for _, _, rows in tables for row in rows], columns=["stand_in", *GAP]),
    )


def carry(features: FeatureTable, pipelines: Pipelines, given: Labels, *, number: int) -> Carried:
    """Split ``number`` on labels ``given`` (n,) of all customers; the clusterers of ``pipelines`` are the stand-ins."""
    clusters = count(given)
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        halves = split(features, pipelines, number=number)
        parts = (given[halves.places[0]], given[halves.places[1]])
        known = (_numbered(parts[0]), _numbered(parts[1]))
        spaces = [standardised(features.values, places) for places in halves.places]
        carried = [
            assign(spaces[one][halves.places[one]], known[one][0][np.newaxis], spaces[one][halves.places[1 - one]])[0]
            for one in (0, 1)
        ]
        gaps = _gaps(features.values, halves, known[0], carried[0], clusters)
        scores = [ranking_scores(spaces[one][halves.places[one]], parts[one][np.newaxis])[0] for one in (0, 1)]
        seen: dict[str, Seen | str] = {}
        for name in pipelines.clusterers:
            first, second = halves.found[0][name], halves.found[1][name]
            if isinstance(first, str) or isinstance(second, str):
                seen[name] = first if isinstance(first, str) else str(second)
                continue
            own = (first[0], second[0])
            pairs = ((own[1], carried[0]), (own[0], carried[1]))
            seen[name] = Seen(
                np.nan_to_num(scores),
                np.array([best_in_part(parts[half], own[half], clusters) for half in (0, 1)]),
                float(np.mean([strength(*pair) for pair in pairs])),
                float(np.mean([replicated(*pair) for pair in pairs])),
                gaps,
            )
    back = [np.append(known[one][1], NOISE)[carried[one]] for one in (0, 1)]
    regained = np.concatenate([part[part == other] for part, other in zip(parts, back[::-1], strict=True)])
    return Carried(seen, *(np.bincount(part[part != NOISE], minlength=clusters) for part in (given, regained)))


def _gaps(
    values: pd.DataFrame, halves: Split, known: tuple[Labels, Labels], assigned: Labels, clusters: int
) -> tuple[Valley | None, ...]:
    """The valley at each segment: the first half's labels make the line, the second half's customers are tested."""
    first, second = halves.places
    columns = continuous(values)
    space = standardised(values[columns], first) if columns else np.empty((len(values), 0))
    labels, names = known
    own_number = np.full(clusters, NOISE, dtype=np.int64)
    own_number[names] = np.arange(names.size)
    return of_own(valleys(space[first], labels, space[second], assigned), own_number, clusters)


def _numbered(labels: Labels) -> tuple[Labels, Labels]:
    """Labels of which each cluster occurs, 0..m-1 or noise, and which clusters (m,) of the whole these are."""
    names = np.unique(labels[labels != NOISE])
    return np.where(labels == NOISE, NOISE, np.searchsorted(names, labels)), names


def _null(
    features: FeatureTable, pipelines: Pipelines, score: float, effort: Effort, run: Run
) -> dict[str, tuple[dict[str, float], list[str]]]:
    """Of each stand-in: the ranking score against its own on null draws, and the sentences of draws that failed.

    First a few draws; the others for stand-ins with which the null may still be rejected.
    """
    with one_thread():  # sums of several threads differ in their last digits
        null = null_of(features, kind=effort.null_kind, seed=pipelines.seed)
    drawn: dict[str, list[float]] = {name: [] for name in pipelines.clusterers}
    failed: dict[str, list[str]] = {name: [] for name in pipelines.clusterers}

    def measures(name: str) -> dict[str, float]:
        return null_measures(score, drawn[name], len(failed[name]))

    for numbers in rounds(effort.null_draws):
        left = {
            name: clusterer
            for name, clusterer in pipelines.clusterers.items()
            if not numbers.start or may_reject(measures(name)["null_p"])
        }
        if not left:
            break
        rest = replace(pipelines, clusterers=left)
        for found in run("null draws", [partial(null_scores, null, rest, number=number) for number in numbers]):
            for name, scores in found.items():
                if isinstance(scores, str):
                    failed[name].append(scores)
                else:
                    drawn[name].append(float(scores[0]))
    return {name: (measures(name), failed[name]) for name in drawn}


def _standing(row: Mapping[str, Any]) -> tuple[float, ...]:
    """Better is lower: one that failed on most splits is last; the class, the worst Jaccard, prediction strength."""
    failed = float(row["failed_splits"] > row["splits"])
    return (failed, CLASSES.index(row["class"]), *(-np.nan_to_num(row[name]) for name in ("jaccard_worst", "strength")))


def _pairs(space: Values, given: Labels) -> list[tuple[int, int]]:
    """Customers of every segment and of its nearest neighbour."""
    centres, sizes = centroids(space, given), np.bincount(given[given != NOISE])
    apart = ((centres[:, np.newaxis] - centres) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    return [(int(size), int(other)) for size, other in zip(sizes, sizes[apart.argmin(axis=1)], strict=True)]
