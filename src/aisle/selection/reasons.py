"""Why a partition was chosen or was not, in sentences that hold every number."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from aisle.evidence import CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED, Finding, Thresholds
from aisle.leaderboard import RANKED_BY
from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Choice, RunnerUp, Tally

NOT_KNOWN = (
    "Ranked by silhouette alone: evidence that the segments are real (against data without clusters, on resamples, "
    "by gaps between segments) has not been computed.",
    "No standard error of the ranking score has been computed, so a lead over another method may be chance.",
)

MEASURES: Final = {
    "valley_p": "valley p",
    "null_p": "null p",
    "jaccard_worst": "worst Jaccard coefficient",
    "jaccard_mean": "mean Jaccard coefficient",
    "strength": "prediction strength",
    "replication": "replication",
}
"""What the measures of a verdict are called in sentences."""
_TELLING: Final = {
    REPRODUCIBLE: ("valley_p", "null_p", "jaccard_worst", "strength"),
    CONSTRUCTIVE: ("jaccard_worst", "replication"),
    DO_NOT_SEGMENT: ("jaccard_mean",),
}
_FAILURES: Final = {"failed_splits": "split", "failed_draws": "null draw"}


def why_chosen(
    chosen: Choice,
    runners_up: Sequence[RunnerUp],
    tally: Tally,
    *,
    customers: int,
    tied: pd.DataFrame,
    rule: SelectionRule,
) -> tuple[str, ...]:
    """The reasons of a choice; ``tied`` are the partitions level at the top, the chosen one among them."""
    among = f"{number(tally.eligible, 'eligible partition')}"
    if chosen.evidence_class:
        among = f"the {chosen.evidence_class} ones of {among}"
        if chosen.evidence_class == SEPARATED:
            among += f" with {chosen.n_clusters} segments, the most that are all separated"
    decided = "of these the fewest segments, then the declared cost of the method, then the names decided."
    others = f", like {number(len(tied) - 1, 'other')}"
    if _beyond(tied, rule) and chosen.ranking_score == tied[RANKED_BY].max():
        level = f"the highest of {among}{others} within its standard error: {decided}"
    elif _beyond(tied, rule):
        level = f"within a standard error of {tied[RANKED_BY].max():.4f}, the highest of {among}{others}: {decided}"
    elif len(tied) > 1:
        level = f"the highest of {among}{others} within {rule.tie_tolerance:g}: {decided}"
    else:
        level = f"the highest of {among}."
    covered = chosen.scores["coverage"]
    noise = "" if covered == 1 else "; the others are noise and count 0 in the ranking score"
    following = next((runner for runner in runners_up if runner.best), None)
    return (
        f"{chosen} has the ranking score {chosen.ranking_score:.4f}, {level}",
        f"The next method is {following.best}. {following.why}"
        if following
        else "No other method has an eligible partition.",
        f"{percent(covered)} of the {customers} customers are in a segment{noise}.",
        f"The smallest segment holds {percent(chosen.scores['smallest_share'])} of the customers; "
        f"the floor is {percent(rule.floor)}.",
        *compared(tally),
    )


def why_none(lifestage: str, tally: Tally) -> tuple[str, ...]:
    """The reasons of a lifestage for which nothing can be chosen."""
    cause = f"none of {number(tally.partitions, 'partition')} is eligible" if tally.partitions else "nothing was fitted"
    return f"Nothing can be chosen for {lifestage}: {cause}.", *compared(tally)


def _beyond(tied: pd.DataFrame, rule: SelectionRule) -> bool:
    return bool(tied[RANKED_BY].max() - tied[RANKED_BY].min() > rule.tie_tolerance)


def why_class(chosen: Choice, found: Sequence[Finding], thresholds: Thresholds | None) -> tuple[str, ...]:
    """Which measures speak for the partition and which do not; nothing where there is no evidence."""
    if not found or thresholds is None:
        return ()
    told = [f"The evidence makes it {chosen.evidence_class}. {_weighed(found)}"]
    if not thresholds.first_class and chosen.evidence_class == REPRODUCIBLE:
        told.append("So few resamples cannot award a better class.")
    measured = chosen.evidence
    failed = [number(int(measured[name]), noun) for name, noun in _FAILURES.items() if measured.get(name, 0) > 0]
    spent = f"Measured on {measured['splits']:g} splits into halves and {measured['null_draws']:g} null draws"
    told.append(f"{spent}; {' and '.join(failed)} more failed." if failed else f"{spent}.")
    return tuple(told)


def _weighed(found: Sequence[Finding]) -> str:
    met, missed = ([one for one in found if one.met is whether] for whether in (True, False))
    return " ".join(f"{title}: {_listed(some)}." for title, some in (("Met", met), ("Not met", missed)) if some)


def _listed(found: Sequence[Finding]) -> str:
    """Each measure once, with all that was asked of it."""
    asked: dict[str, list[str]] = {}
    for one in found:
        asked.setdefault(f"{MEASURES[one.measure]} {_value(one.value)}", []).append(one.asked)
    return ", ".join(f"{told} (asked: {', '.join(limits)})" for told, limits in asked.items())


def _value(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3g}"


_TOO_FEW: Final = "Its smallest segments are too few customers"
_SO_MANY: Final = "With so many customers"


def tells_unseen(reason: str) -> bool:
    """Whether a reason is what `why_unseen` says.

    >>> tells_unseen("With so many customers a gap would have been missed.")
    True
    """
    return reason.startswith((_TOO_FEW, _SO_MANY))


def why_unseen(gap: float, chosen: Choice) -> str:
    """What a missing valley does not say: which gap among so many customers would have been missed."""
    if math.isinf(gap):
        return f"{_TOO_FEW} to see any gap between them."
    seen = "a gap" if chosen.n_clusters == 2 else "a gap between any of these segments and its neighbour"
    return (
        f"{_SO_MANY} {seen} of less than {gap:g} standard deviations would have been missed, even along "
        "the true line; with many columns more is needed."
    )


def why_not_segmented(lifestage: str, best: Choice, found: Sequence[Finding], tally: Tally) -> tuple[str, ...]:
    """The reasons of a lifestage whose best partition does not come back."""
    return (
        f"Do not segment {lifestage}: not even the best of {number(tally.eligible, 'eligible partition')}, {best}, "
        f"comes back on resamples. {_weighed(found)}",
        *compared(tally),
    )


def why_lost(other: Choice, chosen: Choice, rule: SelectionRule, *, tied: bool) -> str:
    """Why the best partition of another method was not chosen."""
    if other.evidence_class != chosen.evidence_class:
        return f"{_worse_class(other)} (ranking score {other.ranking_score:.4f})."
    if other.evidence_class == SEPARATED and other.n_clusters < chosen.n_clusters:
        return f"It is separated too, into {other.n_clusters} segments, not {chosen.n_clusters}."
    lower = chosen.ranking_score - other.ranking_score
    if not tied:
        return f"Its ranking score of {other.ranking_score:.4f} is {lower:.4f} lower."
    same = f"Its ranking score of {other.ranking_score:.4f} is "
    same += f"the same within {rule.tie_tolerance:g}" if abs(lower) <= rule.tie_tolerance else "level within the error"
    if other.n_clusters != chosen.n_clusters:
        return f"{same}, but it needs {other.n_clusters} segments, not {chosen.n_clusters}."
    ranks = rule.cost(other.clusterer), rule.cost(chosen.clusterer)
    if ranks[0] != ranks[1]:
        return f"{same}, with as many segments, but its declared cost rank is {ranks[0]}, not {ranks[1]}."
    return f"{same}, with as many segments and the same declared cost; the names decided."


def _worse_class(other: Choice) -> str:
    measured = other.evidence
    numbers = ", ".join(f"{MEASURES[name]} {_value(measured[name])}" for name in _TELLING[str(other.evidence_class)])
    if other.evidence_class == DO_NOT_SEGMENT:
        return f"It does not come back: {numbers}"
    return f"Its class is only {other.evidence_class}: {numbers}"


def why_without(excluded: Mapping[str, int]) -> str:
    """Why a method has no partition to compare."""
    return f"None of its {number(sum(excluded.values()), 'partition')} is eligible ({listed(excluded)})."


def compared(tally: Tally) -> tuple[str, ...]:
    """What was asked for, what was excluded, and what never finished."""
    asked = f"{number(tally.candidates, 'candidate')} of {number(tally.methods, 'method')}"
    excluded = (
        f", of which {sum(tally.excluded.values())} are excluded ({listed(tally.excluded)})" if tally.excluded else ""
    )
    told = f"Asked for: {asked}; they gave {number(tally.partitions, 'partition')}{excluded}."
    if not tally.unfinished:
        return (told,)
    return told, f"{number(sum(tally.unfinished.values()), 'candidate')} gave nothing ({listed(tally.unfinished)})."


def listed(reasons: Mapping[str, int]) -> str:
    """Counted reasons.

    >>> listed({"no silhouette is defined": 3})
    '3: no silhouette is defined'
    """
    return "; ".join(f"{count}: {reason}" for reason, count in reasons.items())


def number(count: int, noun: str) -> str:
    """A count with its noun.

    >>> number(1, "method"), number(2, "method")
    ('1 method', '2 methods')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share: float) -> str:
    """A share with one decimal.

    >>> percent(.0449), percent(.05)
    ('4.5%', '5%')
    """
    return f"{100 * share:.1f}%".replace(".0%", "%")
