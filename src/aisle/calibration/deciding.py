"""Valley, null and class of every partition of a draw, each computed until nothing can change the answer any more.

The answers are those of `aisle.evidence.examine` when every candidate is examined. Splits and null draws are the same
and come in the same order; only those are left out that could not change an answer:

- a valley is found on the first halves alone. Once more than half of all splits show none at some segment, the median
  shows none; once more than half show one at every segment, it shows one. Second halves are clustered only for
  partitions with valleys, which may yet be separated;
- coefficients of stability are means and medians over the splits: they are done with when the splits to come, whatever
  they say, cannot bring them to the other side of their threshold;
- null draws end when so many score as high that the null cannot be rejected any more. With at most 119 draws at the
  level .05 the first draws of the study (`aisle.evidence.dossier.may_reject`) stop nobody who would reject.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.candidate import reference_space
from aisle.evidence.agreement import count
from aisle.evidence.classes import SEPARATED, Thresholds, class_of
from aisle.evidence.dossier import Contender, Effort
from aisle.evidence.null import null_of
from aisle.evidence.resamples import Pipelines, null_draw, ranking_scores
from aisle.evidence.rows import stability_measures
from aisle.evidence.stability import Begun, Seen, begin, finish, p_values, together
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_ROUNDING: Final = 1e-9
"""A mean this near to its threshold is not settled before the last split."""


@dataclass(eq=False)
class Decision:
    """What is known of the partition at ``place`` of a contender's path, and what it rests on.

    ``valley``: is there one at every segment? ``stable``: may it be called separated, if the null is rejected?
    ``null``: is it rejected? None where nobody asked. ``splits`` and ``null_draws`` are those that were looked at, of
    which ``failed_splits`` and ``failed_draws`` failed.
    """

    contender: Contender
    place: int
    score: float
    valley: bool | None = None
    stable: bool | None = None
    null: bool | None = None
    splits: int = 0
    failed_splits: int = 0
    null_draws: int = 0
    failed_draws: int = 0
    higher: int = 0
    gaps: list[Values] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def labels(self) -> Labels:
        labels: Labels = self.contender.labelings[self.place]
        return labels

    @property
    def clusters(self) -> int:
        return count(self.labels)

    @property
    def eligible(self) -> bool:
        return bool(self.contender.eligible[self.place])

    @property
    def separated(self) -> bool:
        return bool(self.eligible and self.stable and self.null)


def decide(
    features: FeatureTable,
    pipelines: Pipelines,
    contenders: Sequence[Contender],
    *,
    effort: Effort,
    thresholds: Thresholds,
    only_eligible: bool,
    compared: bool,
) -> list[Decision]:
    """A decision for every partition of every contender, in their order; what is separated is known of all.

    ``only_eligible``: valleys are looked for in partitions that may be chosen, not in all. ``compared``: every
    partition with two clusters is compared with the null, not only those that are separated if it is rejected.
    """
    work = _Work(features.varying(), pipelines, contenders, effort, thresholds)
    work.look_for_valleys(only_eligible)
    work.ask_for_stability()
    work.compare_with_the_null(compared)
    return work.decisions


class _Work:
    """The decisions on one draw so far, and the first halves that they share."""

    def __init__(
        self,
        features: FeatureTable,
        pipelines: Pipelines,
        contenders: Sequence[Contender],
        effort: Effort,
        thresholds: Thresholds,
    ) -> None:
        self.features, self.pipelines, self.effort, self.thresholds = features, pipelines, effort, thresholds
        space = reference_space(features).loc[features.values.index].to_numpy()
        self.decisions = [
            Decision(one, place, float(score))
            for one in contenders
            for place, score in enumerate(ranking_scores(space, one.labelings))
        ]
        self.begun: dict[int, Begun] = {}

    def look_for_valleys(self, only_eligible: bool) -> None:
        for one in self.decisions:
            if one.clusters < 2 or (only_eligible and not one.eligible):
                one.valley = False
        for number in range(self.effort.splits):
            waiting = [one for one in self.decisions if one.valley is None]
            if not waiting:
                return
            begun = self._begun(number, waiting)
            for one in waiting:
                gaps = begun.gaps.get(one.contender.key)
                one.gaps.append(np.ones(one.clusters) if gaps is None else p_values(gaps[one.place]))
                one.splits += 1
                one.failed_splits += gaps is None
                one.valley = _valley(one.gaps, self.effort.splits, self.thresholds.valley_p)

    def ask_for_stability(self) -> None:
        for number in range(self.effort.splits):
            waiting = [one for one in self.decisions if one.valley and one.eligible and one.stable is None]
            if not waiting:
                return
            begun = self._begun(number, waiting)
            found = finish(self.features, self._with(waiting), _labelings(waiting), begun)
            for one in waiting:
                seen = found[one.contender.key]
                counted = number < len(one.gaps) and one.contender.key not in begun.gaps
                one.failed_splits += isinstance(seen, str) and not counted
                one.seen.append(Seen.of_failure(one.clusters) if isinstance(seen, str) else seen[one.place])
                one.splits = max(one.splits, len(one.seen))
                one.stable = _stable(one.seen, one.clusters, self.effort.splits, self.thresholds)

    def compare_with_the_null(self, compared: bool) -> None:
        asked = [one for one in self.decisions if one.stable or (compared and one.clusters > 1)]
        if not asked:
            return
        with one_thread():  # sums of several threads differ in their last digits
            null = null_of(self.features, kind=self.effort.null_kind, seed=self.pipelines.seed)
        for number in range(self.effort.null_draws):
            waiting = [one for one in asked if one.null is None]
            if not waiting:
                return
            found = null_draw(null, self._with(waiting), number=number, with_spread=False)
            for one in waiting:
                drawn = found[one.contender.key]
                one.null_draws += 1
                one.failed_draws += isinstance(drawn, str)
                one.higher += isinstance(drawn, str) or bool(np.nan_to_num(drawn.scores[one.place]) >= one.score)
                if (1 + one.higher) / (1 + self.effort.null_draws) >= self.thresholds.null_p:
                    one.null = False
        for one in asked:
            one.null = one.null is None

    def _begun(self, number: int, waiting: Iterable[Decision]) -> Begun:
        """The first half of a split, with all that wait for it; who has been in it before is not clustered again."""
        known = self.begun.get(number)
        new = [one for one in waiting if known is None or one.contender.key not in known.found]
        if new:
            begun = begin(self.features, self._with(new), _labelings(new), number=number)
            self.begun[number] = begun if known is None else _joined(known, begun)
        return self.begun[number]

    def _with(self, decisions: Iterable[Decision]) -> Pipelines:
        keys = dict.fromkeys(one.contender.key for one in decisions)
        return replace(self.pipelines, clusterers={key: self.pipelines.clusterers[key] for key in keys})


def _labelings(decisions: Iterable[Decision]) -> Mapping[str, Labels]:
    return {one.contender.key: one.contender.labelings for one in decisions}


def _joined(one: Begun, other: Begun) -> Begun:
    return Begun(
        one.places, {**one.found, **other.found}, {**one.assigned, **other.assigned}, {**one.gaps, **other.gaps}
    )


def _valley(gaps: Sequence[Values], splits: int, level: float) -> bool | None:
    """Whether every segment has a valley in the median of all ``splits``; None while that is open.

    ``gaps`` are the p-values (k,) of the segments on the splits so far.
    """
    silent = (2 * np.array(gaps) >= level).sum(axis=0)
    if (2 * silent > splits).any():
        return False
    if (2 * (len(gaps) - silent) > splits).all():
        return True
    return bool((2 * np.median(gaps, axis=0) < level).all()) if len(gaps) == splits else None


def _stable(seen: Sequence[Seen], clusters: int, splits: int, thresholds: Thresholds) -> bool | None:
    """Whether a partition is separated where the null is rejected; None while the splits to come may decide that."""
    left = splits - len(seen)
    if not left:
        measures = {"n_clusters": float(clusters), **stability_measures(together(seen, clusters)), "null_p": 0.0}
        return class_of(measures, thresholds) == SEPARATED
    jaccards = np.concatenate([one.jaccards for one in seen])
    known = ~np.isnan(jaccards)
    least, counted = np.where(known, jaccards, 0.0).sum(axis=0), np.maximum(known.sum(axis=0) + 2 * left, 1)
    strength = sum(one.strength for one in seen)
    replicated = sum(one.rand > thresholds.replication for one in seen)
    valley = _valley([one.valleys for one in seen], splits, thresholds.valley_p)
    possible = (
        thresholds.first_class
        and valley is not False
        and ((least + 2 * left) / counted).min() >= thresholds.separated - _ROUNDING
        and (strength + left) / splits >= thresholds.strength - _ROUNDING
        and 2 * (len(seen) - replicated) <= splits
    )
    if not possible:
        return False
    certain = (
        valley
        and (least / counted).min() >= thresholds.separated + _ROUNDING
        and strength / splits >= thresholds.strength + _ROUNDING
        and 2 * replicated > splits
    )
    return True if certain else None
