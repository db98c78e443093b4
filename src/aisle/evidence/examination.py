"""The evidence on the candidates of one lifestage: screened on a few splits, the best of each method examined.

Every split and every null draw is sent through scaler and reducer once and serves all clusterers behind them and all
measures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.candidate import reference_space
from aisle.evidence.agreement import count
from aisle.evidence.bootstraps import Pair, resample
from aisle.evidence.categories import categories, repeated
from aisle.evidence.classes import CLASSES, DO_NOT_SEGMENT, SEPARATED, Thresholds, class_of
from aisle.evidence.dossier import MEASURES, REPORTED, Contender, Dossier, Effort, Family, may_reject, rounds
from aisle.evidence.gap_statistic import spread
from aisle.evidence.null import null_of
from aisle.evidence.reported import REPORTED_OF_SEGMENTS, Reported, validities
from aisle.evidence.resamples import Drawn, null_draw, ranking_scores
from aisle.evidence.rows import GAP, SEGMENT, gap_rows, null_measures, segment_rows, stability_measures
from aisle.evidence.stability import Seen, Stability, look, together
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import DECIMALS

Values = npt.NDArray[np.float64]
Run = Callable[[str, Sequence[Callable[[], Any]]], Iterable[Any]]
"""Runs independent tasks, whose work is named, and gives their results in order."""


def examine(
    features: FeatureTable, families: Sequence[Family], *, effort: Effort, thresholds: Thresholds, seed: int, run: Run
) -> Dossier:
    """The evidence on the candidates of one lifestage, ``features``; ``run`` may work in parallel."""
    work = _Examination(features, families, effort, thresholds, seed, run)
    work.split(range(effort.screening))
    finalists = work.finalists()
    work.keep(finalists)
    work.split(range(effort.screening, effort.splits))
    if effort.bootstraps:
        work.report()
    work.null()
    return work.dossier(finalists)


class _Examination:
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
        self.seeds = {one.key: family.pipelines.seed for family in families for one in family.contenders}
        self.all = [contender for family in families for contender in family.contenders]
        self.seen: dict[str, list[list[Seen]]] = {contender.key: [] for contender in self.all}
        self.failed_splits = dict.fromkeys(self.seen, 0)
        self.draws: dict[str, list[Values]] = {contender.key: [] for contender in self.all}
        self.failed_draws = dict.fromkeys(self.seen, 0)
        self.failures: dict[str, str] = {}
        self.reported = {one.key: Reported() for one in self.all}
        self.space = reference_space(self.features).loc[self.features.values.index].to_numpy()
        self.scores = {one.key: ranking_scores(self.space, one.labelings) for one in self.all}

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
                    seen = [Seen.of_failure(count(labels)) for labels in contender.labelings]
                self.seen[contender.key].append(seen)

    def finalists(self) -> set[str]:
        """The best candidate of each method, by class and ranking score so far, at most as many as effort allows."""
        ranked = sorted((self._standing(one), one) for one in self.all if one.eligible.any())
        chosen: dict[str, str] = {}
        for (place, *_), one in ranked:
            if one.method not in chosen and (place < CLASSES.index(DO_NOT_SEGMENT) or not chosen):
                chosen[one.method] = one.key
        return set(list(chosen.values())[: self.effort.finalists])

    def _standing(self, one: Contender) -> tuple[int, int, float, str, str]:
        """By what the first splits say, as the rule will: class, most segments where separated, ranking score.

        No null has been drawn yet and few splits may not award the first class: both are taken as met here, or a
        candidate with gaps would be no better than one without.
        """
        hopeful = replace(self.thresholds, first_class=True)
        ranks = []
        for place in np.flatnonzero(one.eligible).tolist():
            row = self._measures(one, place)
            found = class_of({**row, "null_p": 0.0}, hopeful) if self.thresholds.null_p > 0 else row["class"]
            segments = row["n_clusters"] if found == SEPARATED else 0
            ranks.append((CLASSES.index(found), -segments, -round(float(row["ranking_score"]), DECIMALS)))
        return *min(ranks), one.name, one.key

    def keep(self, keys: set[str]) -> None:
        kept = []
        for family in self.families:
            contenders = tuple(one for one in family.contenders if one.key in keys)
            if contenders:
                clusterers = {one.key: family.pipelines.clusterers[one.key] for one in contenders}
                kept.append(Family(replace(family.pipelines, clusterers=clusterers), contenders))
        self.families = kept

    def report(self) -> None:
        """What decides nothing: bootstrap samples, densities, and the spread that null draws are held against."""
        left = [one for family in self.families for one in family.contenders]
        densities = self.run("densities", [partial(validities, self.space, one.labelings) for one in left])
        for one, validity in zip(left, densities, strict=True):
            self.reported[one.key].validity = validity
            self.reported[one.key].own = spread(self.space, one.labelings)
        tasks = [
            (family, partial(resample, self.features, family.pipelines, _labelings(family), number=number))
            for family in self.families
            for number in range(self.effort.bootstraps // 2)
        ]
        pairs: Iterable[Mapping[str, Pair]] = self.run("pairs of bootstrap samples", [task for _, task in tasks])
        for (family, _), found in zip(tasks, pairs, strict=True):
            for one in family.contenders:
                self.reported[one.key].pairs.append(found[one.key])
                for failure in found[one.key].failures:
                    self.failures.setdefault(one.key, failure)

    def null(self) -> None:
        """First a few draws; the others for candidates that may still reject the null with an eligible partition."""
        if not self.families:
            return
        with one_thread():  # sums of several threads differ in their last digits
            null = null_of(self.features, kind=self.effort.null_kind, seed=self.seed)
        spreads = bool(self.effort.bootstraps)
        for numbers in rounds(self.effort.null_draws):
            if numbers.start:
                self.keep({one.key for family in self.families for one in family.contenders if self._hopeful(one)})
            tasks = [
                (
                    family,
                    partial(null_draw, null, family.pipelines, number=number, with_spread=spreads),
                )
                for family in self.families
                for number in numbers
            ]
            for (family, _), found in zip(tasks, self.run("null draws", [task for _, task in tasks]), strict=True):
                for one in family.contenders:
                    drawn: Drawn | str = found[one.key]
                    if isinstance(drawn, str):
                        self.failed_draws[one.key] += 1
                        self.failures.setdefault(one.key, drawn)
                        continue
                    self.draws[one.key].append(drawn.scores)
                    if drawn.spread:
                        self.reported[one.key].drawn.append(drawn.spread)

    def _hopeful(self, one: Contender) -> bool:
        return any(may_reject(self._null(one, place)["null_p"]) for place in np.flatnonzero(one.eligible).tolist())

    def _null(self, one: Contender, place: int) -> dict[str, float]:
        drawn = [scores[place] for scores in self.draws[one.key]]
        return null_measures(self.scores[one.key][place], drawn, self.failed_draws[one.key])

    def _stability(self, one: Contender, place: int) -> Stability:
        return together([seen[place] for seen in self.seen[one.key]], count(one.labelings[place]))

    def _measures(self, one: Contender, place: int) -> dict[str, Any]:
        measures: dict[str, Any] = {
            "n_clusters": count(one.labelings[place]),
            "ranking_score": self.scores[one.key][place],
            **stability_measures(self._stability(one, place)),
            **self._null(one, place),
            "failed_splits": self.failed_splits[one.key],
            "failed_draws": self.failed_draws[one.key],
        }
        return {**measures, "class": class_of(measures, self.thresholds)}

    def dossier(self, finalists: set[str]) -> Dossier:
        measures, segments, gaps = [], [], []
        levels = categories(self.features.values)
        for one in self.all:
            stage = "examined" if one.key in finalists else "screened"
            reported = self.reported[one.key].of_partitions(one.labelings, seed=self.seeds[one.key])
            for place, (labels, (told, of_segments)) in enumerate(zip(one.labelings, reported, strict=True)):
                names = {"candidate_key": one.key, "tuning_value": float(one.values[place])}
                found = self._measures(one, place)
                gap = found["valley_p"] < self.thresholds.valley_p
                found |= {**told, "eligible": bool(one.eligible[place]), "stage": stage}
                found |= {
                    "category": "" if gap else repeated(labels, levels),
                    "failure": self.failures.get(one.key, ""),
                }
                measures.append({**names, **found})
                stability = self._stability(one, place)
                for segment, row in enumerate(segment_rows(labels, stability)):
                    own = {name: float(values[segment]) for name, values in of_segments.items()}
                    segments.append({**names, **row, **own})
                if one.key in finalists:
                    gaps += [{**names, **row} for row in gap_rows(stability)]
        return Dossier(
            pd.DataFrame(measures, columns=[*_NAMES, *MEASURES, *REPORTED, *_TOLD]),
            pd.DataFrame(segments, columns=[*_NAMES, *SEGMENT, *REPORTED_OF_SEGMENTS]),
            pd.DataFrame(gaps, columns=[*_NAMES, *GAP]),
        )


_NAMES: Final = ("candidate_key", "tuning_value")
_TOLD: Final = ("class", "eligible", "stage", "category", "failure")


def _labelings(family: Family) -> Mapping[str, Any]:
    return {one.key: one.labelings for one in family.contenders}
