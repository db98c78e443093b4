"""The verdicts: what is chosen for every lifestage, every measure against its threshold, who lost and why."""

import math
from typing import Final

from aisle.evidence import CLASSES, CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED
from aisle.report.answer import pill
from aisle.report.html import (
    DASH,
    Cell,
    Grid,
    Html,
    absent,
    drawn,
    element,
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

SOURCES: Final = ("select/verdicts.json", "differences/replication.csv")
"""The artifacts that the numbers of this section are from; so in every module of a section."""
MEANING: Final = {
    SEPARATED: "A gap between every segment and its neighbour, a score that data without clusters do not reach, and "
    "segments that come back on other customers: types of people.",
    REPRODUCIBLE: "Segments that come back on other customers, without a gap: a good cut of a continuum.",
    CONSTRUCTIVE: "Segments that come back on average: usable for targeting, not to be described as types of people.",
    DO_NOT_SEGMENT: "Anything less. Saying so is a result.",
}


def verdict_section(material: Material) -> Html:
    """The verdicts of all lifestages; a sentence where nothing was selected."""
    title = "Verdicts"
    if material.selection is None:
        return section("verdicts", title, absent("Left out: stage=select has not been run."))
    verdicts = material.selection.verdicts
    if not verdicts:
        return section("verdicts", title, absent("Left out: the study has no candidates."))
    return section(
        "verdicts",
        title,
        element("p", " ".join(material.selection.overall)),
        drawn(verdict_grid(material)),
        folded("What the classes mean", _glossary()),
        *(_verdict(verdict, material) for verdict in verdicts),
        sources=SOURCES,
    )


def verdict_grid(material: Material) -> Grid:
    """What is chosen for every lifestage."""
    weeks = _over_weeks(material)
    rows = [
        [
            lifestage(v.lifestage),
            Cell(pill(v.evidence_class)),
            str(v.chosen.clusterer) if v.chosen else "none",
            Cell(v.chosen.n_clusters if v.chosen else DASH, v.chosen.n_clusters if v.chosen else math.nan),
            score(weeks.get(v.lifestage, math.nan)),
        ]
        for v in (material.selection.verdicts if material.selection else ())
    ]
    head = ["lifestage", "class", "method", "segments", "over weeks"]
    return Grid("What is chosen for every lifestage, and how sure that is", head, rows)


def _over_weeks(material: Material) -> dict[str, float]:
    if material.replication is None:
        return {}
    weeks = material.replication[material.replication["halves"] == "weeks"]
    return dict(zip(weeks["lifestage"], weeks["replication"], strict=True))


def _glossary() -> Html:
    told = [
        *((name, MEANING[name]) for name in CLASSES),
        ("over weeks", "Replication, the first half of the weeks against the second."),
    ]
    return element("dl", *(fragment(element("dt", name), element("dd", meaning)) for name, meaning in told))


def _verdict(verdict: Verdict, material: Material) -> Html:
    told = [
        element("h3", lifestage(verdict.lifestage), " ", pill(verdict.evidence_class)),
        element("p", str(verdict.chosen) if verdict.chosen else verdict.reasons[0] if verdict.reasons else ""),
        _measures(verdict),
    ]
    if verdict.lifestage in material.veiled:
        told.append(
            absent(
                "The reasons that tell how small its segments are are left out: one has fewer than "
                f"{material.privacy_floor} customers."
            )
        )
    elif verdict.reasons:
        told.append(
            folded("All reasons, and what could have been seen", listed([*verdict.reasons, *verdict.not_known]))
        )
    told.append(_runners_up(verdict))
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
