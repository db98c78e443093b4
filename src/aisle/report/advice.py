"""What to do with the result, and what it does not say."""

from typing import Final

from aisle.evidence import CAVEAT, CLASSES, CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED
from aisle.report.answer import names
from aisle.report.evidence import what_was_unseen
from aisle.report.html import Html, absent, capital, element, listed, plain, section, words
from aisle.report.lifestages import kinds
from aisle.report.material import Material

_DO: Final = {
    SEPARATED: "speak to each segment as to a type of people; it can be described, named and followed.",
    REPRODUCIBLE: "use the segments for targeting and reporting; their border is a choice on a continuum, so do not "
    "treat customers near it as of different types.",
    CONSTRUCTIVE: "use the segments for targeting only, make them anew before each use, and keep a control group: they "
    "come back only on average.",
    DO_NOT_SEGMENT: "treat the lifestage as one group; another cut of these customers would be as good.",
}


def what_to_do(material: Material) -> list[str]:
    """What each class of verdict allows, and what the comparison of lifestages means for planning."""
    verdicts = material.selection.verdicts if material.selection else ()
    by_class = {name: [v.lifestage for v in verdicts if v.evidence_class == name] for name in CLASSES}
    told = [f"{capital(names(codes))}: {_DO[name]}" for name, codes in by_class.items() if codes]
    unjudged = [verdict.lifestage for verdict in verdicts if not verdict.evidence_class]
    if unjudged:
        told.append(f"{capital(names(unjudged))}: act on nothing before stage=evidence has been run.")
    return [*told, *_across(material)]


def _across(material: Material) -> list[str]:
    told = []
    word = ((material.comparison or {}).get("answer") or {}).get("word")
    if word == "behave alike":
        told.append("Lifestages behave alike: lifestage alone is a weak reason to address customers differently.")
    if word == "differ":
        told.append("Lifestages differ: plan for each of them.")
    found = kinds(material)
    shared = [own for own in found if len(own) > 1]
    if shared:
        told.append(
            f"The {sum(map(len, found))} segments are {len(found)} kinds; one plan can serve the segments of a kind in "
            "several lifestages."
        )
    return told


def what_is_not_said(material: Material) -> list[str]:
    """The limits: what could not be seen, what the source does not know, what a difference proves."""
    told = what_was_unseen(material)
    unknown = (material.extract or {}).get("absent") or []
    if unknown:
        told.append(f"The source does not know {words([plain(name) for name in unknown])}.")
    if material.differences is not None and not material.differences.empty:
        told.append(CAVEAT)
    if material.hidden:
        told.append(f"Segments with fewer than {material.privacy_floor} customers are not shown.")
    return told


def advice_section(material: Material) -> Html:
    """What to do next, and the limits; a sentence where nothing was selected."""
    title = "What to do next"
    if material.selection is None:
        return section("next", title, absent("Left out: stage=select has not been run."))
    todo, limits = what_to_do(material), what_is_not_said(material)
    return section(
        "next",
        title,
        listed(todo) if todo else absent("Nothing follows: the study has no candidates."),
        element("h3", "What the study does not say") if limits else "",
        listed(limits) if limits else "",
    )
