"""Stores: whether their formats differ, whether their segments are the formats, when what is bought."""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from aisle.report.answer import pill
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
    listed,
    number,
    percent,
    plain,
    section,
    table,
)
from aisle.report.material import Material, StoreResults

SOURCES: Final = ("stores/summary.json", "stores/differences.csv", "stores/segments.csv", "stores/rhythm.csv")
_CONTRASTS: Final = {
    "weekend": "Weekend against weekdays: baskets of a day of the weekend for one of a day of Monday to Friday",
    "working hours": "Working hours against other hours, Monday to Friday: baskets in one of them for one in another",
}
_EVERY: Final = "all"
_APART: Final = 8
"""Features that are shown of the segments."""
_FIRST: Final = 10
"""Features shown before one opens the others."""


def store_section(material: Material) -> Html:
    """What is known of stores; a sentence where nothing is."""
    title, found = "Stores", material.stores
    if found is None:
        return section("stores", title, absent("Left out: stage=stores has not been run."))
    summary = found.summary
    formats = ", ".join(f"{name} {count:,}" for name, count in summary["formats"].items())
    lead = f"{summary['store_count']:,} stores, {summary['feature_count']} features each"
    question = summary.get("question", "")
    told = [
        element("p", element("strong", "Question. "), question) if question else Html(""),
        element("p", f"{lead}; by format: {formats}." if formats else f"{lead}; the source knows no store format."),
        listed(summary["sentences"]),
        *_segments(found),
        *_formats(found, material),
        *_rhythm(found, material),
    ]
    return section("stores", title, *told, sources=SOURCES)


def _segments(found: StoreResults) -> list[Html]:
    summary = found.summary
    if not summary["class"]:
        return [absent("No evidence was computed on segments of stores.")]
    told = [
        element("h3", "Segments of stores ", pill(summary["class"])),
        element("p", " ".join(summary["reasons"][:2])),
    ]
    grid = format_grid(found)
    return [*told, drawn(grid) if grid.rows else Html(""), *_apart(found.segment_profiles)]


def _apart(profile: pd.DataFrame) -> list[Html]:
    """The features on which segments of stores are farthest from each other."""
    if profile.empty:
        return []
    places = profile.pivot(index="feature", columns="segment", values="standardised_mean")
    means = profile.pivot(index="feature", columns="segment", values="mean")
    spread = (places.max(axis=1) - places.min(axis=1)).sort_values(ascending=False, kind="stable")
    rows = [
        [plain(str(name)), *(Cell(number(mean), float(mean)) for mean in means.loc[name])]
        for name in spread.index[:_APART]
    ]
    head = ["feature", *(f"segment {segment}" for segment in means.columns)]
    return [table("What sets segments of stores apart, the strongest first (mean)", head, rows)]


def format_grid(found: StoreResults) -> Grid:
    """How segments of stores and formats overlap."""
    rows = [
        [
            Cell(str(row["segment"]), float(row["segment"])),
            row["format"],
            Cell(f"{row['store_count']:,}", float(row["store_count"])),
            _share(row["share_of_segment"]),
            _share(row["share_of_format"]),
        ]
        for row in found.segments.to_dict("records")
    ]
    head = ["segment", "format", "stores", "of the segment", "of the format"]
    return Grid("Segments of stores and their formats", head, rows)


def _share(value: float) -> Cell:
    return Cell(percent(value), float(value))


def _formats(found: StoreResults, material: Material) -> list[Html]:
    if found.differences.empty:
        return []
    wide = found.profiles.pivot(index="feature", columns="format", values="mean")
    rows = [
        [
            plain(str(row["feature"])),
            Cell(f"{row['eta_squared']:.2f}", float(row["eta_squared"])),
            Cell("yes" if row["differs"] else "no", float(row["q_value"])),
            *(Cell(number(mean), float(mean)) for mean in wide.loc[row["feature"]]),
        ]
        for row in found.differences.to_dict("records")
    ]
    rest = rows[_FIRST:]
    head = ["feature", "eta squared", "differs", *map(str, wide.columns)]
    caption = "What formats differ on: share of the variance between formats, and the mean of every format"
    return [
        element("h3", "Formats"),
        figure(
            material.pictures.get("stores/formats"),
            "Heatmap of the mean of every store format on the features that formats differ on most.",
            "Means of the formats in standard deviations of all stores; red is above the average store, blue below.",
        ),
        table(caption, head, rows[:_FIRST]),
        folded("All other features", table(f"{caption}; the others", head, rest)) if rest else Html(""),
    ]


def _rhythm(found: StoreResults, material: Material) -> list[Html]:
    told = [
        element("h3", "Weekends and working hours"),
        figure(
            material.pictures.get("stores/rhythm"),
            "Dots with intervals: how many baskets of every kind are bought on a day of the weekend for one on a "
            "weekday, and in a working hour for one in another hour.",
            "A ratio of 1 is as many in as much time. Lines are 95 % intervals from bootstrap samples of the stores.",
        ),
    ]
    for contrast, caption in _CONTRASTS.items():
        own = found.rhythm[found.rhythm["contrast"] == contrast]
        first, others = own[own["format"] == _EVERY], own[own["format"] != _EVERY]
        told.append(_ratios(first, f"{caption}; all stores"))
        if not others.empty:
            told.append(folded("By store format", _ratios(others, f"{caption}; by format", with_format=True)))
    return told


def _ratios(rows: pd.DataFrame, caption: str, *, with_format: bool = False) -> Html:
    head = [*(["format"] if with_format else []), "baskets", "number", "ratio", "beside all baskets", "mean spend"]
    lines = []
    for row in rows.to_dict("records"):
        kind = "all" if row["kind"] == _EVERY else f"{plain(row['kind'].removeprefix('basket_'))} {row['value']}"
        count = Cell(f"{row['basket_count']:,}", float(row["basket_count"]))
        ratios = [_ratio(row, name) for name in ("ratio", "relative", "spend_ratio")]
        lines.append([*([row["format"]] if with_format else []), kind, count, *ratios])
    return table(caption, head, lines)


def _ratio(row: Mapping[Any, Any], name: str) -> Cell:
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if math.isnan(value):
        return Cell(DASH, value)
    return Cell(f"{value:.2f}" if math.isnan(low) else f"{value:.2f} ({low:.2f} to {high:.2f})", value)
