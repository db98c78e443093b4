"""What the segments are: sizes, profiles, habits."""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from aisle.partition import NOISE
from aisle.profiles import contrasts
from aisle.report.answer import colour
from aisle.report.habits import habit_tables, missing_habits
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
    number,
    percent,
    plain,
    section,
)
from aisle.report.material import Material

SOURCES: Final = ("segments/sizes.csv", "segments/profiles.parquet", "segments/habits.csv")
_FIRST = 8
"""Features shown of every lifestage before one opens the others."""
_FIGURES: Final = {
    "silhouettes": "How much nearer every customer is to the own segment than to the next: a wide, even block is a "
    "segment of its own, what reaches below 0 is nearer to another.",
    "planes": "Every customer as a dot, by segment, on the plane that shows most of how customers differ. One cloud of "
    "several colours is a continuum that was cut.",
    "tree": "The tree that joins the most alike customers first, and the line that cuts it into these segments.",
    "migration": "From which segments of the earlier segmentation the customers of these came.",
}
IN_THEIR_UNITS = (
    "Means are in each feature's own unit; the index is 100 x segment mean / lifestage mean. The segments were made "
    "from these features: that they differ here is no evidence that they are real."
)


def segment_section(material: Material) -> Html:
    """Sizes and profiles of all lifestages; a sentence where there are none."""
    title = "Segments"
    if material.sizes is None or material.profiles is None:
        return section("segments", title, absent("Left out: stage=segments has not been run."))
    if material.sizes.empty:
        return section("segments", title, absent("No lifestage is segmented; the verdicts say why."))
    told = [_lifestage(material, str(code), rows) for code, rows in material.sizes.groupby("lifestage", sort=True)]
    return section(
        "segments",
        title,
        element("p", IN_THEIR_UNITS),
        *told,
        missing_habits(material),
        _pictures(material),
        sources=SOURCES,
    )


def _lifestage(material: Material, code: str, rows: pd.DataFrame) -> Html:
    veil = suppressed(material, code)
    return element(
        "article",
        element("h3", lifestage(code)),
        drawn(size_grid(material, code, rows)),
        absent(veil) if veil else "",
        *_profile(material, code, rows),
        *habit_tables(material, code),
        _seen(material, code),
        id=f"segments-{code}",
    )


def size_grid(material: Material, code: str, rows: pd.DataFrame) -> Grid:
    """Number, name and shares of every segment of a lifestage, whose ``rows`` of the sizes these are."""
    named = any(material.segment_name(code, int(segment)) for segment in rows["segment"])
    lines = []
    for row in rows.to_dict("records"):
        segment = int(row["segment"])
        mark = element("span", class_=f"dot {colour(segment)}", aria_hidden="true")
        label = Cell(fragment(mark, "none" if segment == NOISE else segment), math.nan if segment == NOISE else segment)
        if (code, segment) in material.hidden:
            hidden = [Cell("not shown", math.nan), *(Cell(DASH, math.nan) for _ in range(3))]
            lines.append([label, *([""] if named else []), *hidden])
            continue
        shares = [
            Cell(percent(row[name]), float(row[name])) for name in ("customer_share", "basket_share", "spend_share")
        ]
        count = Cell(f"{row['customer_count']:,}", float(row["customer_count"]))
        lines.append([label, *([material.segment_name(code, segment)] if named else []), count, *shares])
    head = ["segment", *(["name"] if named else []), "customers", "share", "of baskets", "of spend"]
    return Grid(f"{lifestage(code)}: who is in which segment", head, lines)


def suppressed(material: Material, code: str) -> str:
    """Why segments of a lifestage are not shown; empty where all are."""
    if code not in material.veiled:
        return ""
    return (
        f"A segment with fewer than {material.privacy_floor} customers is not shown, nor is the next smallest where "
        "what is left would tell."
    )


def _profile(material: Material, code: str, rows: pd.DataFrame) -> list[Html]:
    profile = material.profiles
    if profile is None:
        return []
    own = profile[profile["lifestage"] == code]
    if not _shown(material, code):
        return [absent("No profile can be shown.")]
    strongest = contrast_grid(material, code, rows)
    told = [drawn(strongest) if strongest.rows else absent("The segments differ on no feature.")]
    first = _strongest(material, code, rows)
    rest = [feature for feature in own["feature"].unique() if feature not in first]
    if rest:
        others = _profile_grid(material, code, rest, f"{lifestage(code)}: all other features (mean, index)")
        told.append(folded("All other features", drawn(others)))
    return told


def contrast_grid(material: Material, code: str, rows: pd.DataFrame) -> Grid:
    """The features that set the segments of a lifestage apart, with the means of its shown segments."""
    caption = f"{lifestage(code)}: what sets its segments apart, the strongest first (mean, index)"
    return _profile_grid(material, code, _strongest(material, code, rows), caption)


def _strongest(material: Material, code: str, rows: pd.DataFrame) -> list[str]:
    """The strongest contrasts first; where a segment is hidden all features, as their order would tell of it."""
    profile = material.profiles
    if profile is None:
        return []
    own = profile[profile["lifestage"] == code]
    if code in material.veiled:
        return [str(feature) for feature in own["feature"].unique()]
    return contrasts(own, rows[rows["segment"] != NOISE])["feature"].head(_FIRST).tolist()


def _shown(material: Material, code: str) -> list[int]:
    profile = material.profiles
    if profile is None:
        return []
    own = profile.loc[profile["lifestage"] == code, "segment"].unique()
    return [int(segment) for segment in sorted(own) if (code, int(segment)) not in material.hidden]


def _profile_grid(material: Material, code: str, features: list[str], caption: str) -> Grid:
    profile, shown = material.profiles, _shown(material, code)
    if profile is None or not shown:
        return Grid(caption, ["feature"], [])
    own = profile[profile["lifestage"] == code]
    by = {(row["feature"], row["segment"]): row for row in own.to_dict("records")}
    everybody = own.groupby("feature")["lifestage_mean"].first()
    lines = []
    for feature in features:
        mean = float(everybody[feature])
        cells = [_mean(by.get((feature, segment))) for segment in shown]
        lines.append([plain(feature), Cell(number(mean), mean), *cells])
    return Grid(caption, ["feature", "lifestage", *(f"segment {segment}" for segment in shown)], lines)


def _mean(row: Mapping[Any, Any] | None) -> Cell:
    if row is None:
        return Cell(DASH, math.nan)
    index = row["index"]
    told = "" if math.isnan(index) else element("small", f" {index:.0f}", title="index, 100 = lifestage mean")
    return Cell(fragment(number(float(row["mean"])), told), float(row["mean"]))


def _seen(material: Material, code: str) -> Html:
    """The pictures of one lifestage's segments; none where a segment is not shown."""
    found = [
        figure(material.pictures.get(f"segments/figures/{code}_{name}"), f"{lifestage(code)}: {told}", told)
        for name, told in _FIGURES.items()
    ]
    there = [one for one in found if one]
    return folded("Pictures of these segments", *there) if there and code not in material.veiled else Html("")


def _pictures(material: Material) -> Html:
    if material.veiled:
        return absent("The pictures of all profiles are left out: they show segments that are not shown here.")
    return fragment(
        figure(
            material.pictures.get("segments/contrasts"),
            "Segment means of the strongest contrasts of every lifestage, in standard deviations from its mean.",
            "The strongest contrasts: segment means in standard deviations from the lifestage's mean.",
        ),
        figure(
            material.pictures.get("segments/profiles"),
            "Heatmap of the standardised means of all features, a column a segment.",
            "All features of all segments, in standard deviations from the lifestage's mean.",
        ),
    )
