"""The evidence: every measure of every lifestage, data without clusters, what could have been seen, the pictures."""

import math
from typing import Final

from aisle.report.html import (
    DASH,
    Cell,
    Grid,
    Html,
    absent,
    drawn,
    element,
    figure,
    folded,
    fragment,
    lifestage,
    listed,
    score,
    section,
)
from aisle.report.material import Material
from aisle.selection import Verdict
from aisle.selection.judged import value
from aisle.selection.reasons import MEASURES, tells_unseen

SOURCES: Final = ("select/verdicts.json", "evidence/measures.csv", "select/figures/")
WHY: Final = (
    "The highest score proves nothing: a continuum that is cut in two scores too. So every finalist is asked what the "
    "same method scores on data without clusters, whether there is a gap between a segment and its neighbour, and "
    "whether the segments come back on halves of the customers. The thresholds were declared before the study."
)
_ASKS: Final = {
    "valley_p": "How likely such a gap between a segment and its neighbour is where there is none.",
    "null_p": "How often data with the same spread but without clusters score as high.",
    "jaccard_worst": "How well the least stable segment is found again in half of the customers; 1 is exactly.",
    "jaccard_mean": "The same, on average over the segments.",
    "strength": "How far clustering one half predicts who belongs together in the other; 1 is exactly.",
    "replication": "Agreement of both halves' segments (adjusted Rand index); 1 is the same, 0 is chance.",
}
_RANKING: Final = (
    "The mean silhouette in one space for all methods, customers in no segment counted as 0; it decides only between "
    "candidates of the same class."
)
_FIGURES: Final = {
    "evidence": "The evidence over the number of segments: ranking score against data without clusters, gaps, "
    "prediction strength, stability and replication of the methods' best candidates.",
    "stability": "How well every segment is found again, over the number of segments of the chosen method.",
    "gaps": "Held-out customers between each segment and its neighbour: a valley would be a gap.",
    "flow": "How customers move between segments as their number grows.",
}
_TELLS_SEGMENTS: Final = frozenset({"stability", "gaps", "flow"})


def evidence_section(material: Material) -> Html:
    """Why the verdicts are what they are; a sentence where nothing was selected or no evidence was computed."""
    title = "Evidence"
    if material.selection is None:
        return section("evidence", title, absent("Left out: stage=select has not been run."))
    grid = measure_grid(material)
    if not grid.rows:
        return section("evidence", title, absent("Left out: no evidence has been computed; run stage=evidence."))
    null = null_grid(material)
    unseen = what_was_unseen(material)
    return section(
        "evidence",
        title,
        element("p", WHY),
        drawn(grid),
        folded("What the measures mean", _glossary()),
        drawn(null) if null.rows else "",
        element("h3", "What could have been seen") if unseen else "",
        listed(unseen) if unseen else "",
        *(_pictures(verdict, material) for verdict in material.selection.verdicts),
        sources=SOURCES,
    )


def measure_grid(material: Material) -> Grid:
    """A row a lifestage, a column a measure with what was asked of it."""
    verdicts = [v for v in material.selection.verdicts if v.findings] if material.selection else []
    limits = list(dict.fromkeys((one.measure, one.asked) for verdict in verdicts for one in verdict.findings))
    rows = []
    for verdict in verdicts:
        found = {(one.measure, one.asked): one for one in verdict.findings}
        cells = [
            Cell(f"{value(one.value)} {'✓' if one.met else '✗'}", one.value) if one else Cell(DASH, math.nan)
            for one in map(found.get, limits)
        ]
        rows.append([lifestage(verdict.lifestage), *cells])
    head = ["lifestage", *(f"{MEASURES[measure]} {limit.replace('>=', '≥')}" for measure, limit in limits)]
    return Grid("Every measure against its threshold; ✓ met, ✗ not met", head, rows)


def null_grid(material: Material) -> Grid:
    """The score of every chosen partition beside what data without clusters score by the same method."""
    rows = []
    for verdict in material.selection.verdicts if material.selection else ():
        best = verdict.chosen or verdict.rejected
        if best is None or "null_mean" not in best.evidence:
            continue
        told = best.evidence
        draws = told.get("null_draws", math.nan)
        rows.append(
            [
                lifestage(verdict.lifestage),
                score(best.ranking_score),
                score(told["null_mean"]),
                score(told.get("null_sd", math.nan)),
                score(told.get("null_z", math.nan)),
                Cell(f"{draws:.0f}" if math.isfinite(draws) else DASH, draws),
            ]
        )
    head = ["lifestage", "ranking score", "without clusters", "its deviation", "deviations above", "draws"]
    return Grid("The score beside that of data with the same spread, but without clusters", head, rows)


def what_was_unseen(material: Material) -> list[str]:
    """Which gap would have been missed, by lifestage; nothing of a lifestage with a hidden segment."""
    if material.selection is None:
        return []
    return [
        f"{lifestage(verdict.lifestage)}: {reason[0].lower()}{reason[1:]}"
        for verdict in material.selection.verdicts
        for reason in verdict.reasons
        if tells_unseen(reason) and verdict.lifestage not in material.veiled
    ]


def asked() -> dict[str, str]:
    """What the measures and the score are called, and what each asks."""
    return {**{MEASURES[name]: asks for name, asks in _ASKS.items()}, "ranking score": _RANKING}


def _glossary() -> Html:
    told = asked().items()
    return element("dl", *(fragment(element("dt", name), element("dd", meaning)) for name, meaning in told))


def _pictures(verdict: Verdict, material: Material) -> Html:
    name, veiled = lifestage(verdict.lifestage), verdict.lifestage in material.veiled
    there = [
        one
        for kind, caption in _FIGURES.items()
        if not (veiled and kind in _TELLS_SEGMENTS)
        and (
            one := figure(
                material.pictures.get(f"select/figures/{verdict.lifestage}_{kind}"), f"{name}: {caption}", caption
            )
        )
    ]
    if veiled:
        there.append(
            absent(
                "The pictures that tell how small its segments are are left out: one has fewer than "
                f"{material.privacy_floor} customers."
            )
        )
    return folded(f"{name}: pictures of the evidence", *there) if there else Html("")
