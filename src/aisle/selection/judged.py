"""What the evidence on labels made elsewhere amounts to, in sentences that hold every number."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from aisle.evidence.classes import CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED, Thresholds, findings
from aisle.selection.reasons import MEASURES, number, percent

WITHOUT_THEIR_METHOD: Final = (
    "The labels came without the method that made them: score, valleys and what is regained are those of the labels; "
    "whether they come back is asked of stand-ins, which cluster each half of the customers into as many clusters."
)
_AMOUNTS_TO: Final = {
    SEPARATED: "{segments} are separated: there is a gap at every one, and {stand_in} finds them again.",
    REPRODUCIBLE: "{segments} are reproducible but not separated: a good cut of a continuum, which {stand_in} finds "
    "again.",
    CONSTRUCTIVE: "{segments} are constructive: {stand_in} finds them again on average; usable for targeting, not to "
    "be described as types of people.",
    DO_NOT_SEGMENT: "Do not segment so: by these features no stand-in finds {segments} again; {stand_in} comes "
    "nearest.",
}


def record(
    measures: Mapping[str, Any], segments: pd.DataFrame, *, thresholds: Thresholds, floor: float
) -> dict[str, Any]:
    """The class of one lifestage, the stand-in it rests on, every measure against its threshold, and sentences.

    ``rule`` is the category that the labels only repeat, else empty. Plain values for JSON, undefined ones None;
    arguments as `told` takes them.
    """
    return {
        "class": measures["class"],
        "rule": measures["category"],
        "stand_in": measures["stand_in"],
        "findings": [
            {"measure": one.measure, "value": one.value if math.isfinite(one.value) else None}
            | {"asked": one.asked, "met": one.met}
            for one in findings(measures, thresholds)
        ],
        "sentences": list(told(measures, segments, thresholds=thresholds, floor=floor)),
    }


def told(
    measures: Mapping[str, Any], segments: pd.DataFrame, *, thresholds: Thresholds, floor: float
) -> tuple[str, ...]:
    """The sentences of one lifestage.

    ``measures`` are those of the best stand-in and ``segments`` its segments, as `aisle.evidence.Judgement` has them,
    with the ``name`` of every segment; ``floor`` is the smallest share of the customers that a study would choose.
    """
    return tuple(
        sentence
        for sentence in (
            _rule(measures),
            _class(measures, thresholds),
            _missed(measures, thresholds),
            _unseen(measures, segments, thresholds),
            _regained(measures),
            _covered(measures),
            _small(segments, int(measures["customer_count"]), floor),
            _failures(measures),
        )
        if sentence
    )


def _class(measures: Mapping[str, Any], thresholds: Thresholds) -> str:
    text = _AMOUNTS_TO[measures["class"]].format(
        segments=f"the {measures['n_clusters']} segments", stand_in=measures["stand_in"]
    )
    quick = "" if thresholds.first_class else " (so few resamples cannot award a better class)"
    sentence = text.removesuffix(".") + quick + "." if measures["class"] == REPRODUCIBLE else text
    return sentence[0].upper() + sentence[1:]


def _rule(measures: Mapping[str, Any]) -> str:
    category = measures["category"]
    return (
        f"The labels only repeat {category}: that is a rule which needs no clustering, not segments."
        if category
        else ""
    )


def _missed(measures: Mapping[str, Any], thresholds: Thresholds) -> str:
    """What was asked and not met, the weakest threshold of a measure alone."""
    asked = {one.measure: one for one in findings(measures, thresholds) if not one.met}
    parts = (f"{MEASURES[one.measure]} {value(one.value)} (asked: {one.asked})" for one in asked.values())
    return f"Not met: {', '.join(parts)}." if asked else ""


def value(number: float) -> str:
    """A measure with two decimals, with three below .1; an undefined one in a word.

    >>> value(0.754), value(0.0505), value(float("nan"))
    ('0.75', '0.051', 'undefined')
    """
    if math.isnan(number):
        return "undefined"
    return f"{number:.3f}" if 0 < number < 0.1 else f"{number:.2f}"


def _unseen(measures: Mapping[str, Any], segments: pd.DataFrame, thresholds: Thresholds) -> str:
    """Where no gap is seen, and which gap would have been missed: few customers are no continuum."""
    without = [str(name) for name in segments.loc[~(segments["valley_p"] < thresholds.valley_p), "name"]]
    if not without:
        return ""
    where = "at any segment" if len(without) == len(segments) else f"at {listed(without)}"
    gap = measures["smallest_gap"]
    if math.isinf(gap):
        return f"No gap is seen {where}; the smallest segments are too few customers to see any gap between them."
    return (
        f"No gap is seen {where}; with so many customers a gap between any segment and its neighbour of less than "
        f"{gap:g} standard deviations would have been missed."
    )


def listed(names: Sequence[str]) -> str:
    """Names with quotes.

    >>> listed(["loyal", "rare"])
    "'loyal', 'rare'"
    """
    return ", ".join(f"'{name}'" for name in names)


def _regained(measures: Mapping[str, Any]) -> str:
    share, guessed = measures["regained"], measures["guessed"]
    sentence = (
        f"A rule learnt on one half gives {percent(share)} of the other half's customers back to their segment "
        f"(everybody in the largest: {percent(guessed)})"
    )
    if share <= guessed:
        return f"{sentence}: the segments are no function of these features, and these features cannot judge them."
    return f"{sentence}."


def _covered(measures: Mapping[str, Any]) -> str:
    share = measures["coverage"]
    if share == 1:
        return ""
    return f"{percent(share)} of the customers are in a segment; the others are noise and count 0 in the ranking score."


def _small(segments: pd.DataFrame, customers: int, floor: float) -> str:
    small = segments[segments["customer_count"] < floor * customers]
    if small.empty:
        return ""
    below = f"less than {percent(floor)} of the customers: a study would choose no such segment"
    return f"{listed([str(name) for name in small['name']])} {'hold' if len(small) > 1 else 'holds'} {below}."


def _failures(measures: Mapping[str, Any]) -> str:
    counts = {"split": int(measures["failed_splits"]), "null draw": int(measures["failed_draws"])}
    failed = " and ".join(number(count, noun) for noun, count in counts.items() if count)
    return f"{failed} failed for {measures['stand_in']} and count against it: {measures['failure']}." if failed else ""
