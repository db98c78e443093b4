"""The evidence on the candidates of one lifestage: screened on a few splits, the best of each method examined.

Every split and every null draw is sent through scaler and reducer once and serves all clusterers behind them and all
measures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from aisle.candidate import reference_space
from aisle.evidence.agreement import count
from aisle.evidence.categories import categories, repeated
from aisle.evidence.classes import CLASSES, DO_NOT_SEGMENT, Thresholds, class_of
from aisle.evidence.null import NullKind, null_of
from aisle.evidence.resamples import Pipelines, null_scores
from aisle.evidence.stability import Seen, Stability, look, together
from aisle.features.table import FeatureTable
from aisle.kernels.silhouette import silhouette_samples
from aisle.partition import NOISE
from aisle.scores import ranking_score

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Run = Callable[[str, Sequence[Callable[[], Any]]], Iterable[Any]]
"""Runs independent tasks, whose work is named, and gives their results in order."""

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
_FIRST_DRAWS: Final = 19
_HOPELESS: Final = 0.25
_OF_SEGMENT: Final = (
    "candidate_key",
    "tuning_value",
    "segment",
    "customer_count",
    "jaccard",
    "dissolved",
    "valley_p",
)


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    ``splits`` of the customers into halves (each gives two subsets of half the customers), of which the first
    ``screening`` are spent on all candidates; at most ``finalists`` methods get the others and ``null_draws`` draws of
    the null ``null_kind``.

    Raises:
        ValueError: a number is too small.
    """

    splits: int
    screening: int
    finalists: int
    null_draws: int
    null_kind: NullKind = "copula"

    def __post_init__(self) -> None:
        if self.splits < 1:
            raise ValueError(f"evidence.effort.splits must be at least 1; got {self.splits}.")
        if not 1 <= self.screening <= self.splits:
            raise ValueError(f"evidence.effort.screening must be in [1, {self.splits}]; got {self.screening}.")
        if self.finalists < 1:
            raise ValueError(f"evidence.effort.finalists must be at least 1; got {self.finalists}.")
        if self.null_draws < _FIRST_DRAWS:
            raise ValueError(f"evidence.effort.null_draws must be at least {_FIRST_DRAWS}; got {self.null_draws}.")
        if self.null_kind not in ("copula", "permutation"):
            raise ValueError(f"evidence.effort.null_kind must be copula or permutation; got {self.null_kind!r}.")


@dataclass(frozen=True, eq=False)
class Contender:
    """A candidate to be examined: its method, its tuning values, and a partition (m, n) of all customers for each.

    ``eligible`` (m,) are the partitions that may be chosen.
    """

    key: str
    method: str
    values: tuple[float, ...]
    labelings: Labels
    eligible: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Family:
    """Contenders that share scaler and reducer; ``pipelines`` names its clusterers by the contenders' keys."""

    pipelines: Pipelines
    contenders: tuple[Contender, ...]


@dataclass(frozen=True, eq=False)
class Dossier:
    """The evidence on one lifestage.

    ``measures``: a row per candidate and tuning value: `MEASURES`, ``class``, ``eligible``, ``stage`` (screened or
    examined), ``category`` (the columns of few levels that the partition only repeats, where no valley is seen besides;
    else empty), ``failure`` (what the first split or draw that failed said; else empty). ``segments``: a row per
    segment of these: customer_count, jaccard, dissolved, valley_p.
    """

    measures: pd.DataFrame
    segments: pd.DataFrame


def examine(
    features: FeatureTable, families: Sequence[Family], *, effort: Effort, thresholds: Thresholds, seed: int, run: Run
) -> Dossier:
    """The evidence on the candidates of one lifestage, ``features``; ``run`` may work in parallel."""
    work = _Work(features, families, effort, thresholds, seed, run)
    work.split(range(effort.screening))
    finalists = work.finalists()
    work.keep(finalists)
    work.split(range(effort.screening, effort.splits))
    work.null()
    return work.dossier(finalists)


class _Work:
    """What has been found of one lifestage so far."""

    def __init__(
        self,
        features: FeatureTable,
        families: Sequence[Family],
        effort: Effort,
        thresholds: Thresholds,
        seed: int,
        run: Run,
    ) -> None:
        self.features = features.varying()
        self.effort, self.thresholds, self.seed, self.run = effort, thresholds, seed, run
        self.families = list(families)
        self.all = [contender for family in families for contender in family.contenders]
        self.seen: dict[str, list[list[Seen]]] = {contender.key: [] for contender in self.all}
        self.failed_splits = dict.fromkeys(self.seen, 0)
        self.draws: dict[str, list[Values]] = {contender.key: [] for contender in self.all}
        self.failed_draws = dict.fromkeys(self.seen, 0)
        self.failures: dict[str, str] = {}
        space = reference_space(self.features).loc[self.features.values.index].to_numpy()
        samples = {one.key: silhouette_samples(space, one.labelings, metric="euclidean") for one in self.all}
        self.scores = {key: np.array([ranking_score(row) for row in rows]) for key, rows in samples.items()}
        self.errors = {key: np.array([_error(row) for row in rows]) for key, rows in samples.items()}

    def split(self, numbers: Iterable[int]) -> None:
        tasks = [
            (family, partial(look, self.features, family.pipelines, _labelings(family), number=number))
            for family in self.families
            for number in numbers
        ]
        for (family, _), found in zip(tasks, self.run("splits", [task for _, task in tasks]), strict=True):
            for contender in family.contenders:
                seen = found[contender.key]
                if isinstance(seen, str):
                    self.failed_splits[contender.key] += 1
                    self.failures.setdefault(contender.key, seen)
                else:
                    self.seen[contender.key].append(seen)

    def finalists(self) -> set[str]:
        """The best candidate of each method, by class and ranking score so far, at most as many as effort allows."""
        ranked = sorted((self._standing(one), one) for one in self.all if one.eligible.any())
        chosen: dict[str, str] = {}
        for (place, _, _), one in ranked:
            if one.method not in chosen and (place < _LAST or not chosen):
                chosen[one.method] = one.key
        return set(list(chosen.values())[: self.effort.finalists])

    def _standing(self, one: Contender) -> tuple[int, float, str]:
        table = pd.DataFrame(self._rows(one)[0])[one.eligible]
        places = table["class"].map(_PLACES.__getitem__)
        best = table[places == places.min()]
        return int(places.min()), -float(best["ranking_score"].max()), one.key

    def keep(self, keys: set[str]) -> None:
        kept = []
        for family in self.families:
            contenders = tuple(one for one in family.contenders if one.key in keys)
            if contenders:
                clusterers = {one.key: family.pipelines.clusterers[one.key] for one in contenders}
                kept.append(Family(replace(family.pipelines, clusterers=clusterers), contenders))
        self.families = kept

    def null(self) -> None:
        """First a few draws; the others for candidates that may still reject the null with an eligible partition."""
        if not self.families:
            return
        with threadpool_limits(limits=1):  # sums of several threads differ in their last digits
            null = null_of(self.features, kind=self.effort.null_kind, seed=self.seed)
        for numbers in (range(_FIRST_DRAWS), range(_FIRST_DRAWS, self.effort.null_draws)):
            if numbers.start:
                self.keep({one.key for family in self.families for one in family.contenders if self._hopeful(one)})
            tasks = [
                (family, partial(null_scores, null, family.pipelines, number=number))
                for family in self.families
                for number in numbers
            ]
            for (family, _), found in zip(tasks, self.run("null draws", [task for _, task in tasks]), strict=True):
                for one in family.contenders:
                    scores = found[one.key]
                    if isinstance(scores, str):
                        self.failed_draws[one.key] += 1
                        self.failures.setdefault(one.key, scores)
                    else:
                        self.draws[one.key].append(scores)

    def _hopeful(self, one: Contender) -> bool:
        return any(self._null(one, row)["null_p"] <= _HOPELESS for row in np.flatnonzero(one.eligible).tolist())

    def _null(self, one: Contender, row: int) -> dict[str, float]:
        """An undefined score of a draw (no two clusters) is no rival: it counts as 0."""
        drawn = np.nan_to_num(np.array([scores[row] for scores in self.draws[one.key]]))
        score = self.scores[one.key][row]
        if drawn.size < _FIRST_DRAWS - _FIRST_DRAWS // 4 or np.isnan(score):
            return {
                "null_mean": np.nan,
                "null_sd": np.nan,
                "null_z": np.nan,
                "null_p": np.nan,
                "null_draws": drawn.size,
            }
        mean, spread = float(drawn.mean()), float(drawn.std(ddof=1))
        return {
            "null_mean": mean,
            "null_sd": spread,
            "null_z": (score - mean) / spread if spread else np.nan,
            "null_p": (1 + int((drawn >= score).sum())) / (1 + drawn.size),
            "null_draws": drawn.size,
        }

    def _rows(self, one: Contender) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        rows, segments = [], []
        for place, labels in enumerate(one.labelings):
            k = count(labels)
            stability = together([seen[place] for seen in self.seen[one.key]], k)
            measures: dict[str, Any] = {
                "n_clusters": k,
                "ranking_score": self.scores[one.key][place],
                "ranking_error": self.errors[one.key][place],
                **self._null(one, place),
                **_of(stability),
                "failed_splits": self.failed_splits[one.key],
                "failed_draws": self.failed_draws[one.key],
            }
            names = {"candidate_key": one.key, "tuning_value": float(one.values[place])}
            rows.append({**names, **measures, "class": class_of(measures, self.thresholds)})
            sizes = np.bincount(labels[labels != NOISE], minlength=k)
            segments += [
                {
                    **names,
                    "segment": segment,
                    "customer_count": int(sizes[segment]),
                    "jaccard": stability.jaccards[segment],
                    "dissolved": stability.dissolved[segment],
                    "valley_p": stability.valleys[segment],
                }
                for segment in range(k)
            ]
        return rows, segments

    def dossier(self, finalists: set[str]) -> Dossier:
        measures, segments = [], []
        levels = categories(self.features.values)
        for one in self.all:
            rows, parts = self._rows(one)
            examined = one.key in finalists
            for row, labels, eligible in zip(rows, one.labelings, one.eligible.tolist(), strict=True):
                row["eligible"] = eligible
                row["stage"] = "examined" if examined else "screened"
                gap = row["valley_p"] < self.thresholds.valley_p
                row["category"] = "" if gap else repeated(labels, levels)
                row["failure"] = self.failures.get(one.key, "")
            measures += rows
            segments += parts
        return Dossier(pd.DataFrame(measures), pd.DataFrame(segments, columns=list(_OF_SEGMENT)))


_PLACES: Final = {name: place for place, name in enumerate(CLASSES)}
_LAST: Final = _PLACES[DO_NOT_SEGMENT]


def _labelings(family: Family) -> Mapping[str, Labels]:
    return {one.key: one.labelings for one in family.contenders}


def _of(stability: Stability) -> dict[str, float]:
    defined = stability.jaccards.size > 0
    return {
        "valley_p": stability.valley,
        "jaccard_worst": float(stability.jaccards.min()) if defined else np.nan,
        "jaccard_mean": float(stability.jaccards.mean()) if defined else np.nan,
        "strength": stability.strength,
        "replication": stability.replication,
        "splits": stability.splits,
    }


def _error(samples: Values) -> float:
    """Standard error of a ranking score: that of a mean over customers, the partition held fixed."""
    values = np.nan_to_num(samples)
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else np.nan
