"""Lifestages side by side: whether they differ, how alike their segments are, and two traps of the classic picture."""

import math
from typing import Any, Final

import pandas as pd

from aisle.comparison import COMMON
from aisle.report.answer import nearest_segments
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
    percent,
    plain,
    score,
    section,
)
from aisle.report.material import Material

SOURCES: Final = ("compare/summary.json", "compare/matches.csv", "compare/variance.csv", "compare/agreement.csv")
_SCALES: Final = {
    "common": "On one common scale: how segments differ from all customers",
    "lifestage": "Scaled within each lifestage: how segments differ from their own lifestage",
}
_FIRST: Final = 8
"""Features shown before one opens the others."""
HEATMAP: Final = (
    "Heatmaps of the correlations between the profiles of all segments, within each lifestage's scale and on one "
    "common scale."
)
TRAPS: Final = (
    "The classic picture of segments side by side, a heatmap of the correlations between their profiles, has two "
    "traps. It standardises the features within each lifestage, and so removes exactly the differences between "
    "lifestages that are asked about. And where everybody of a lifestage is in one of two segments, the two profiles "
    "mirror each other by construction, whatever the customers do: a pattern of strong red and blue is no finding. So "
    "profiles are compared on one common scale as well."
)


def comparison_section(material: Material) -> Html:
    """Whether lifestages differ, and how alike the segments of different lifestages are."""
    title = "Lifestages side by side"
    if material.comparison is None:
        return section("lifestages", title, absent("Left out: stage=compare has not been run."))
    answer = (material.comparison.get("answer") or {}).get("sentence", "")
    without = [f"{lifestage(code)}: {why}" for code, why in sorted(material.comparison["without_segments"].items())]
    return section(
        "lifestages",
        title,
        element("p", answer) if answer else "",
        listed(without) if without else "",
        _kinds(material),
        *_nearest(material),
        *_matches(material),
        element("h3", "Two traps of the classic picture"),
        element("p", TRAPS),
        listed(material.comparison["notes"]),
        _heatmap(material),
        *_variance(material),
        *_agreement(material),
        sources=SOURCES,
    )


def _heatmap(material: Material) -> Html:
    if material.veiled:
        return absent("The heatmap is left out: it shows segments that are not shown here.")
    return figure(
        material.pictures.get("compare/heatmap"),
        HEATMAP,
        "Correlation of the profiles of every two segments; red is alike, blue is opposite, and every cell has its "
        "number.",
    )


def kinds(material: Material) -> list[list[str]]:
    """The shown segments of every kind, each with its lifestage and name; kinds of hidden ones alone are left out."""
    hidden = _hidden(material)
    shown = (
        [str(one) for one in own if not any(f"{one} ".startswith(f"{name} ") for name in hidden)]
        for own in (material.comparison or {}).get("kinds", [])
    )
    return [own for own in shown if own]


def kind_grid(material: Material) -> Grid:
    """The kinds of segments over all lifestages."""
    rows = [[Cell(number, float(number)), "; ".join(own)] for number, own in enumerate(kinds(material), start=1)]
    return Grid("Kinds of segments over all lifestages: those whose profiles correlate", ["kind", "segments"], rows)


def _kinds(material: Material) -> Html:
    grid = kind_grid(material)
    return drawn(grid) if grid.rows else Html("")


def _hidden(material: Material) -> frozenset[str]:
    return frozenset(f"{code} {segment}" for code, segment in material.hidden)


def nearest_grid(material: Material, scale: str) -> Grid:
    """Of every shown segment the nearest one of another lifestage on a scale."""
    between = _intervals(material.pairs, scale)
    rows = [
        [row["of"], row["segment"], score(float(row["correlation"])), between.get((row["of"], row["segment"]), DASH)]
        for row in nearest_segments(material, scale).to_dict("records")
    ]
    head = ["segment", "nearest", "correlation", "95 % interval"]
    return Grid(f"{_SCALES[scale]}; the nearest of another lifestage", head, rows)


def _nearest(material: Material) -> list[Html]:
    grids = {scale: nearest_grid(material, scale) for scale in _SCALES}
    told = [
        drawn(grid) if scale == COMMON else folded("The same, scaled within each lifestage", drawn(grid))
        for scale, grid in grids.items()
        if grid.rows
    ]
    return told or [absent("No two lifestages have segments that can be shown beside each other.")]


def _intervals(pairs: pd.DataFrame | None, scale: str) -> dict[tuple[str, str], str]:
    """The intervals of a scale's correlations in words, by the names of both segments, in either order."""
    if pairs is None:
        return {}
    found = {}
    for row in pairs[pairs["scale"] == scale].to_dict("records"):
        first, second = (f"{row[f'lifestage_{side}']} {row[f'segment_{side}']}" for side in "ab")
        found[first, second] = found[second, first] = _interval(row)
    return found


def _interval(row: dict[Any, Any]) -> str:
    low, high = float(row["low"]), float(row["high"])
    return f"{low:.2f} to {high:.2f}" if math.isfinite(low) and math.isfinite(high) else DASH


def match_grid(material: Material, scale: str) -> Grid:
    """The segments of two lifestages matched one to one on a scale."""
    hidden = _hidden(material)
    rows = []
    found = material.matches if material.matches is not None else pd.DataFrame({"scale": []})
    for row in found[found["scale"] == scale].to_dict("records"):
        first, second = (f"{row[f'lifestage_{side}']} {row[f'segment_{side}']}" for side in "ab")
        if not {first, second} & hidden:
            rows.append([first, second, score(float(row["correlation"])), _interval(row)])
    head = ["segment", "its match", "correlation", "95 % interval"]
    return Grid(f"{_SCALES[scale]}; matched one to one, so that the correlations sum to the most", head, rows)


def _matches(material: Material) -> list[Html]:
    grids = {scale: match_grid(material, scale) for scale in _SCALES}
    there = [drawn(grid) for grid in grids.values() if grid.rows]
    return [folded("Which segment is which in another lifestage", *there)] if there else []


def variance_grid(material: Material) -> Grid:
    """What lifestage and segment explain of every feature's variance, the most by lifestage first."""
    rows = [
        [
            plain(str(row["feature"])),
            _share(row["lifestage_share"]),
            _share(row["chance_share"]),
            _share(row["segment_share"]),
            Cell(f"{row['p_value']:.3f}", float(row["p_value"])),
        ]
        for row in (material.variance if material.variance is not None else pd.DataFrame()).to_dict("records")
    ]
    head = ["feature", "lifestage", "by chance", "segment within", "p"]
    return Grid("Share of each feature's variance that is explained by lifestage, and by segment within it", head, rows)


def _share(share: float) -> Cell:
    return Cell(f"{share:.1%}" if math.isfinite(share) else DASH, float(share))


def _variance(material: Material) -> list[Html]:
    grid = variance_grid(material)
    if not grid.rows:
        return []
    lead = (
        "Lifestages were not made from these features, segments were; so only what lifestage explains is tested, by "
        "dealing the customers to the lifestages at random."
    )
    first, rest = grid.rows[:_FIRST], grid.rows[_FIRST:]
    told = [element("h3", "What lifestage explains"), element("p", lead), drawn(Grid(grid.caption, grid.head, first))]
    if rest:
        told.append(folded("All other features", drawn(Grid(f"{grid.caption}; the others", grid.head, rest))))
    return told


def agreement_grid(material: Material) -> Grid:
    """Cross-assignment on the common scale: a row a lifestage, a column the lifestage whose rule cuts it."""
    found = material.agreement if material.agreement is not None else pd.DataFrame({"scale": []})
    common = found[found["scale"] == COMMON]
    caption = "Each lifestage (row) cut by the rule of another (column): agreement with its own segments"
    if common.empty:
        return Grid(caption, ["lifestage"], [])
    rules = sorted(common["rule_of"].unique())
    agreement = {(row["lifestage"], row["rule_of"]): float(row["agreement"]) for row in common.to_dict("records")}
    own = dict(zip(common["lifestage"], common["own_agreement"], strict=True))
    rows = [
        [lifestage(str(code)), *(score(agreement.get((code, rule), math.nan)) for rule in rules), score(float(hoped))]
        for code, hoped in sorted(own.items())
    ]
    return Grid(caption, ["lifestage", *map(str, rules), "its own rule"], rows)


def _agreement(material: Material) -> list[Html]:
    grid = agreement_grid(material)
    if not grid.rows:
        return []
    cut = (material.comparison or {}).get("answer", {}).get("cut")
    typical = f" Typically another's rule reaches {percent(cut)} of what the own rule does." if cut is not None else ""
    lead = (
        "Would one rule do for all? The agreement is the adjusted Rand index, 1 the same cut and 0 chance; a "
        "lifestage's own rule, learnt on one half of its customers and used on the other, is the most one can hope "
        f"for.{typical}"
    )
    return [fragment(element("h3", "One lifestage cut by another's rule"), element("p", lead), drawn(grid))]
