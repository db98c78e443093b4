"""The first screen: the answer in five sentences and one picture."""

from collections.abc import Callable, Sequence
from typing import Final

import pandas as pd

from aisle.evidence import CLASSES, CONSTRUCTIVE, DO_NOT_SEGMENT, REPRODUCIBLE, SEPARATED
from aisle.partition import NOISE
from aisle.report.html import Html, element, fragment, lifestage, percent, plain, words
from aisle.report.material import Material
from aisle.selection import Verdict
from aisle.tables import LIFESTAGES

_MEANS: Final = {
    SEPARATED: "separated segments, types of people",
    REPRODUCIBLE: "reproducible segments, a good cut of a continuum",
    CONSTRUCTIVE: "constructive segments, usable for targeting but not types of people",
    DO_NOT_SEGMENT: "nothing that should be called segments",
}
_WIDE_ENOUGH: Final = 0.16
"""Share of a bar from which on its label fits inside, also on a phone."""
_TOLD: Final = 3
"""How many features the answer names."""


def five_sentences(material: Material) -> list[str]:
    """What was found, shortest form; a sentence whose stage was not run is left out."""
    asked: tuple[Callable[[Material], str], ...] = (_classes, methods_chosen, set_apart, alike, over_weeks)
    return [sentence for ask in asked if (sentence := ask(material))]


def names(codes: Sequence[str]) -> str:
    """Lifestages in a sentence.

    >>> names(["YA", "PE"])
    'young adults and pensioners'
    """
    return words([LIFESTAGES.get(code, code) for code in codes])


def _classes(material: Material) -> str:
    lead, told = lead_and_classes(material)
    return f"{lead}: {'; '.join(told)}." if told else lead


def lead_and_classes(material: Material) -> tuple[str, list[str]]:
    """The answer in a few words, and what every class of verdict holds; where nothing was judged, why, and nothing."""
    if material.selection is None or not material.selection.verdicts:
        return "No verdict has been reached: stage=select has not been run on a study with candidates.", []
    verdicts = material.selection.verdicts
    by_class = {name: [v.lifestage for v in verdicts if v.evidence_class == name] for name in CLASSES}
    parts = [f"{names(codes)} have {_MEANS[name]}" for name, codes in by_class.items() if codes]
    if not parts:
        return "Nothing is known of how real the segments are: no evidence has been computed.", []
    rest = [verdict.lifestage for verdict in verdicts if not verdict.evidence_class]
    parts += [f"on {names(rest)} nothing could be judged"] if rest else []
    separated = by_class[SEPARATED]
    if not separated:
        lead = "No lifestage has distinct types of customers"
    elif len(separated) == len(verdicts):
        lead = "Every lifestage has distinct types of customers"
    else:
        lead = f"{len(separated)} of {len(verdicts)} lifestages have distinct types of customers"
    return lead, parts


def methods_chosen(material: Material) -> str:
    """Which method the rule chooses for which lifestages. Empty where nothing is known."""
    chosen = material.selection.chosen if material.selection else {}
    if not chosen:
        return ""
    methods: dict[tuple[str, int], list[str]] = {}
    for code, choice in chosen.items():
        methods.setdefault((choice.clusterer, choice.n_clusters), []).append(code)
    parts = [f"{plain(name)} with {k} segments for {names(codes)}" for (name, k), codes in sorted(methods.items())]
    return f"The declared rule chooses {words(parts)}."


def set_apart(material: Material) -> str:
    """The features that set segments apart on baskets that did not make them. Empty where nothing is known."""
    if material.differences is None:
        return ""
    found = material.differences[
        material.differences["differs"].astype(bool) & ~material.differences["lifestage"].isin(material.veiled)
    ]
    if found.empty:
        return "On baskets that did not make them, the segments differ on no feature."
    strength = found.groupby("feature")["epsilon_squared"].agg(["size", "median"])
    first = strength.sort_values(["size", "median"], ascending=False, kind="stable").head(_TOLD)
    features = words([plain(str(feature)) for feature in first.index])
    return f"What sets segments apart, also on baskets that did not make them, is above all {features}."


def alike(material: Material) -> str:
    """Whether lifestages differ. Empty where nothing is known."""
    told = (material.comparison or {}).get("answer") or {}
    if told.get("effect") is not None:
        return (
            f"Lifestages {told['word']}: to which one a customer belongs explains {max(told['effect'], 0):.1%} of the "
            "features' variance beyond what chance does."
        )
    nearest = nearest_segments(material, "common")
    if len(nearest) < 2:
        return ""
    least, most = nearest.iloc[-1], nearest.iloc[0]
    return (
        "Lifestages compared on one common scale: the nearest segment of another lifestage has a profile that "
        f"correlates {least['correlation']:.2f} ({least['of']}) to {most['correlation']:.2f} ({most['of']}); 1 is the "
        "same behaviour."
    )


def nearest_segments(material: Material, scale: str) -> pd.DataFrame:
    """Of every shown segment the nearest shown one of another lifestage: of, segment, correlation; nearest first."""
    found = material.comparison["nearest"][scale] if material.comparison else {}
    hidden = {f"{code} {segment}" for code, segment in material.hidden}
    rows = [
        (name, told["segment"], float(told["correlation"]))
        for name, told in found.items()
        if name not in hidden and told["segment"] not in hidden
    ]
    table = pd.DataFrame(rows, columns=["of", "segment", "correlation"])
    return table.sort_values(["correlation", "of"], ascending=[False, True], kind="stable", ignore_index=True)


def over_weeks(material: Material) -> str:
    """How far the segments of the first weeks come back in the later ones. Empty where nothing is known."""
    if material.replication is None:
        return ""
    rows = material.replication[material.replication["halves"] == "weeks"].dropna(subset=["replication"])
    if rows.empty:
        return ""
    ordered = rows.sort_values(["replication", "lifestage"], kind="stable")
    least, most = ordered.iloc[0], ordered.iloc[-1]
    ends = f"{least['replication']:.2f} ({names([least['lifestage']])})"
    if len(ordered) > 1:
        ends += f" to {most['replication']:.2f} ({names([most['lifestage']])})"
    return (
        "When the first half of the weeks is clustered and the second looked at, the two agree by an adjusted Rand "
        f"index of {ends}; 1 is the same segments, 0 is chance."
    )


def kicker(material: Material) -> str:
    """Which study, when, and how many customers."""
    told = []
    if material.selection and material.selection.study.get("study"):
        told.append(f"Study {material.selection.study['study']}")
    if material.extract:
        told.append(f"{material.extract['first_day']} to {material.extract['last_day']}")
    counts = [verdict.customer_count or 0 for verdict in material.selection.verdicts] if material.selection else []
    if sum(counts):
        told.append(f"{sum(counts):,} customers in {len(counts)} lifestage{'s' * (len(counts) > 1)}")
    return " · ".join(told)


def segment_bars(material: Material) -> Html:
    """The picture: every lifestage's segments, as shares of its customers and of its spend."""
    if material.sizes is None or material.sizes.empty:
        return Html("")
    verdicts = {v.lifestage: v for v in material.selection.verdicts} if material.selection else {}
    groups = [
        _lifestage_bars(material, str(code), rows, verdicts.get(str(code)))
        for code, rows in material.sizes.groupby("lifestage", sort=True)
    ]
    caption = "Each bar is a whole lifestage, divided into segments 0, 1, ...: its customers above, their spend below."
    return element("figure", *groups, element("figcaption", caption), class_="bars")


def _lifestage_bars(material: Material, code: str, rows: pd.DataFrame, verdict: Verdict | None) -> Html:
    bars = [
        _bar(material, code, rows, name, title)
        for name, title in (("customer_share", "customers"), ("spend_share", "spend"))
        if rows[name].notna().all()
    ]
    called = [
        f"{segment} {name}"
        for segment in rows["segment"]
        if (code, int(segment)) not in material.hidden and (name := material.segment_name(code, int(segment)))
    ]
    title = element("h3", lifestage(code), " ", pill(verdict.evidence_class if verdict else None))
    keys = element("p", " · ".join(called), class_="names") if called else ""
    return element("div", title, *bars, keys, class_="lifestage")


def parts_of(material: Material, code: str, rows: pd.DataFrame, share: str) -> list[tuple[str, int, float]]:
    """The pieces of a lifestage's bar: what it is, its segment (-1 = none of those shown), its share of the whole."""
    shown = [row for row in rows.to_dict("records") if (code, int(row["segment"])) not in material.hidden]
    shown.sort(key=lambda row: row["segment"] if row["segment"] != NOISE else len(rows))
    parts = [(_segment_label(int(row["segment"])), int(row["segment"]), float(row[share])) for row in shown]
    rest = 1 - sum(width for *_, width in parts)
    if len(shown) < len(rows):
        parts.append(("not shown", NOISE, rest))
    return parts


def _bar(material: Material, code: str, rows: pd.DataFrame, share: str, title: str) -> Html:
    parts = parts_of(material, code, rows, share)
    told = "; ".join(f"{name} {percent(width)}" for name, _, width in parts)
    pieces = [
        element(
            "span",
            f"{segment if segment != NOISE else ''} {percent(width)}" if width >= _WIDE_ENOUGH else "",
            class_=f"piece {colour(segment)}",
            style=f"width:{100 * width:.2f}%",
        )
        for name, segment, width in parts
    ]
    bar = element("div", *pieces, class_="bar", role="img", aria_label=f"{lifestage(code)}, share of {title}: {told}")
    return fragment(element("span", title, class_="bar-title", aria_hidden="true"), bar)


def _segment_label(segment: int) -> str:
    return "in no segment" if segment == NOISE else f"segment {segment}"


def colour(segment: int) -> str:
    """The class that colours a segment, as the figures do; eight colours, then again from the first."""
    return "none" if segment == NOISE else f"s{segment % 8}"


def pill(evidence_class: str | None) -> Html:
    """The class of a verdict, as a mark; its words say what its colour does."""
    name = evidence_class or "not judged"
    return element("span", name, class_=f"pill {name.replace(' ', '-')}")
