"""Why a partition was chosen or was not, in sentences that hold every number."""

from collections.abc import Mapping, Sequence

from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Choice, RunnerUp, Tally

NOT_KNOWN = (
    "Ranked by silhouette alone: evidence that the segments are real (against data without clusters, on resamples, "
    "by gaps between segments) has not been computed.",
    "No standard error of the ranking score has been computed, so a lead over another method may be chance.",
)


def why_chosen(
    chosen: Choice,
    runners_up: Sequence[RunnerUp],
    tally: Tally,
    *,
    customers: int,
    tied: int,
    rule: SelectionRule,
) -> tuple[str, ...]:
    """The reasons of a choice; ``tied`` counts the partitions of the highest score, the chosen one among them."""
    level = "."
    if tied > 1:
        level = (
            f", like {number(tied - 1, 'other')} within {rule.tie_tolerance:g}: of these the fewest segments, then the "
            "declared cost of the method, then the names decided."
        )
    covered = chosen.scores["coverage"]
    noise = "" if covered == 1 else "; the others are noise and count 0 in the ranking score"
    following = next((runner for runner in runners_up if runner.best), None)
    return (
        f"{chosen} has the ranking score {chosen.ranking_score:.4f}, the highest of "
        f"{number(tally.eligible, 'eligible partition')}{level}",
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


def why_lost(other: Choice, chosen: Choice, rule: SelectionRule, *, tied: bool) -> str:
    """Why the best partition of another method was not chosen."""
    if not tied:
        return (
            f"Its ranking score of {other.ranking_score:.4f} is {chosen.ranking_score - other.ranking_score:.4f} lower."
        )
    same = f"Its ranking score of {other.ranking_score:.4f} is the same within {rule.tie_tolerance:g}"
    if other.n_clusters != chosen.n_clusters:
        return f"{same}, but it needs {other.n_clusters} segments, not {chosen.n_clusters}."
    ranks = rule.cost(other.clusterer), rule.cost(chosen.clusterer)
    if ranks[0] != ranks[1]:
        return f"{same}, with as many segments, but its declared cost rank is {ranks[0]}, not {ranks[1]}."
    return f"{same}, with as many segments and the same declared cost; the names decided."


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
