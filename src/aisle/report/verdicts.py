"""The verdicts: what is chosen for every lifestage, every measure against its threshold, who lost and why."""

import math
from typing import Final

from aisle.evidence import CLASSES, CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED
from aisle.report.answer import pill
from aisle.report.html import (
    DASH,
    Cell,
    Html,
    absent,
    element,
    figure,
    folded,
    fragment,
    lifestage,
    listed,
    score,
    section,
    table,
)
from aisle.report.material import Material
from aisle.selection import Verdict
from aisle.selection.judged import value
from aisle.selection.reasons import MEASURES

_MEANING: Final = {
    SEPARATED: "A gap between every segment and its neighbour, a score that data without clusters do not reach, and "
    "segments that come back on other customers: types of people.",
    REPRODUCIBLE: "Segments that come back on other customers, without a gap: a good cut of a continuum.",
    CONSTRUCTIVE: "Segments that come back on average: usable for targeting, not to be described as types of people.",
    DO_NOT_SEGMENT: "Anything less. Saying so is a result.",
}
_ASKS: Final = {
    "valley_p": "How likely such a gap between a segment and its neighbour is where there is none.",
    "null_p": "How often data with the same spread but without clusters score as high.",
    "jaccard_worst": "How well the least stable segment is found again in half of the customers; 1 is exactly.",
    "jaccard_mean": "The same, on average over the segments.",
    "strength": "How far clustering one half predicts who belongs together in the other; 1 is exactly.",
    "replication": "Agreement of both halves' segments (adjusted Rand index); 1 is the same, 0 is chance.",
}
_FIGURES: Final = {
    "evidence": "The evidence over the number of segments: ranking score against data without clusters, gaps, "
    "prediction strength, stability and replication of the methods' best candidates.",
    "stability": "How well every segment is found again, over the number of segments of the chosen method.",
    "gaps": "Held-out customers between each segment and its neighbour: a valley would be a gap.",
    "flow": "How customers move between segments as their number grows.",
}
_TELLS_SEGMENTS: Final = frozenset({"stability", "gaps", "flow"})


def verdict_section(material: Material) -> Html:
    """The verdicts of all lifestages; a sentence where nothing was selected."""
    title = "Verdicts"
    if material.selection is None:
        return section("verdicts", title, absent("Left out: stage=select has not been run."))
    verdicts = material.selection.verdicts
    if not verdicts:
        return section("verdicts", title, absent("Left out: the study has no candidates."))
    weeks = _over_weeks(material)
    rows = [
        [
            lifestage(v.lifestage),
            Cell(pill(v.evidence_class)),
            str(v.chosen.clusterer) if v.chosen else "none",
            Cell(v.chosen.n_clusters if v.chosen else DASH, v.chosen.n_clusters if v.chosen else math.nan),
            score(weeks.get(v.lifestage, math.nan)),
        ]
        for v in verdicts
    ]
    head = ["lifestage", "class", "method", "segments", "over weeks"]
    return section(
        "verdicts",
        title,
        element("p", " ".join(material.selection.overall)),
        table("What is chosen for every lifestage, and how sure that is", head, rows),
        folded("What the classes and measures mean", _glossary()),
        *(_verdict(verdict, material) for verdict in verdicts),
    )


def _over_weeks(material: Material) -> dict[str, float]:
    if material.replication is None:
        return {}
    weeks = material.replication[material.replication["halves"] == "weeks"]
    return dict(zip(weeks["lifestage"], weeks["replication"], strict=True))


def _glossary() -> Html:
    classes = [(name, _MEANING[name]) for name in CLASSES]
    measures = [(MEASURES[name], asks) for name, asks in _ASKS.items()]
    score_means = (
        "ranking score",
        "The mean silhouette in one space for all methods, customers in no segment counted as 0; it decides only "
        "between candidates of the same class.",
    )
    told = [
        *classes,
        *measures,
        score_means,
        ("over weeks", "Replication, the first half of the weeks against the second."),
    ]
    return element("dl", *(fragment(element("dt", name), element("dd", meaning)) for name, meaning in told))


def _verdict(verdict: Verdict, material: Material) -> Html:
    veiled = verdict.lifestage in material.veiled
    told = [
        element("h3", lifestage(verdict.lifestage), " ", pill(verdict.evidence_class)),
        element("p", str(verdict.chosen) if verdict.chosen else verdict.reasons[0] if verdict.reasons else ""),
        _measures(verdict),
    ]
    if veiled:
        told.append(
            absent(
                "The reasons and pictures that tell how small its segments are are left out: one has fewer than "
                f"{material.privacy_floor} customers."
            )
        )
    elif verdict.reasons:
        told.append(
            folded("All reasons, and what could have been seen", listed([*verdict.reasons, *verdict.not_known]))
        )
    told += [_runners_up(verdict), _pictures(verdict, material, veiled=veiled)]
    return element("article", *told, id=f"verdict-{verdict.lifestage}")


def _measures(verdict: Verdict) -> Html:
    if not verdict.findings:
        return absent("No evidence has been computed for it.")
    rows = [
        [
            MEASURES[one.measure],
            Cell(value(one.value), one.value),
            one.asked.replace(">=", "≥"),
            Cell("✓ met" if one.met else "✗ not met"),
        ]
        for one in verdict.findings
    ]
    return table(
        f"{lifestage(verdict.lifestage)}: every measure against its threshold",
        ["measure", "value", "asked", "met"],
        rows,
    )


def _runners_up(verdict: Verdict) -> Html:
    if not verdict.runners_up:
        return Html("")
    rows = [
        [
            runner.method,
            Cell(runner.best.evidence_class or "not judged") if runner.best else DASH,
            score(runner.best.ranking_score if runner.best else math.nan),
            runner.why,
        ]
        for runner in verdict.runners_up
    ]
    caption = f"{lifestage(verdict.lifestage)}: the best candidate of every other method"
    return folded("Runners-up, and why they lost", table(caption, ["method", "class", "score", "why it lost"], rows))


def _pictures(verdict: Verdict, material: Material, *, veiled: bool) -> Html:
    drawn = [
        figure(
            material.pictures.get(f"select/figures/{verdict.lifestage}_{name}"),
            f"{lifestage(verdict.lifestage)}: {caption}",
            caption,
        )
        for name, caption in _FIGURES.items()
        if not (veiled and name in _TELLS_SEGMENTS)
    ]
    there = [one for one in drawn if one]
    return folded("Pictures of the evidence", *there) if there else Html("")


def methods_section(material: Material) -> Html:
    """The methods ranked across lifestages."""
    if material.selection is None:
        return section("methods", "Methods", absent("Left out: stage=select has not been run."))
    sentences = [sentence for sentence in material.selection.overall if not sentence.startswith("Of ")]
    rule = material.selection.rule
    declared = (
        f"Declared before the study: a segment holds at least {rule.floor:.0%} of the customers; the better class "
        "wins, within a class the higher ranking score; between equals the fewest segments, then the cheapest method, "
        f"in the order {', '.join(rule.cost_rank)}."
    )
    alt = " ".join(sentences) or "Mean ranks of the methods."
    caption = "Mean rank of every method across lifestages, the best on the left. A bar joins methods that these "
    caption += "lifestages cannot tell apart."
    return section(
        "methods",
        "Methods",
        element("p", " ".join(sentences)) if sentences else "",
        element("p", declared),
        figure(material.pictures.get("select/methods"), f"Critical difference of the methods. {alt}", caption),
        figure(
            material.pictures.get("study/ranking"),
            "Ranking score against the number of segments, one panel a lifestage, one line a method.",
            "The ranking score of every candidate over the number of segments.",
        ),
    )
