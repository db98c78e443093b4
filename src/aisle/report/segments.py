"""What the segments are: sizes, profiles, whether they come back on other baskets and how they differ there."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from aisle.evidence import CAVEAT
from aisle.partition import NOISE
from aisle.profiles import contrasts
from aisle.report.answer import colour
from aisle.report.habits import habit_tables, missing_habits
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
    number,
    percent,
    plain,
    score,
    section,
    table,
)
from aisle.report.material import Material

_FIRST = 8
"""Features shown of every lifestage before one opens the others."""
_IN_THEIR_UNITS = (
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
        "segments", title, element("p", _IN_THEIR_UNITS), *told, missing_habits(material), _pictures(material)
    )


def _lifestage(material: Material, code: str, rows: pd.DataFrame) -> Html:
    return element(
        "article",
        element("h3", lifestage(code)),
        _sizes(material, code, rows),
        _suppressed(material, code),
        *_profile(material, code, rows),
        *habit_tables(material, code),
        id=f"segments-{code}",
    )


def _sizes(material: Material, code: str, rows: pd.DataFrame) -> Html:
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
    return table(f"{lifestage(code)}: who is in which segment", head, lines)


def _suppressed(material: Material, code: str) -> Html:
    hidden = sorted(segment for name, segment in material.hidden if name == code)
    if not hidden:
        return Html("")
    return absent(
        f"A segment with fewer than {material.privacy_floor} customers is not shown, nor is the next smallest where "
        "what is left would tell."
    )


def _profile(material: Material, code: str, rows: pd.DataFrame) -> list[Html]:
    profile = material.profiles
    if profile is None:
        return []
    own = profile[profile["lifestage"] == code]
    shown = [int(s) for s in sorted(own["segment"].unique()) if (code, int(s)) not in material.hidden]
    if not shown:
        return [absent("No profile can be shown.")]
    explained = contrasts(own, rows[rows["segment"] != NOISE])
    first = explained["feature"].head(_FIRST).tolist()
    rest = [feature for feature in own["feature"].unique() if feature not in first]
    if code in material.veiled:
        first, rest = [*own["feature"].unique()], []
    caption = f"{lifestage(code)}: what sets its segments apart, the strongest first (mean, index)"
    told = [_profile_table(own, shown, first, caption)] if first else [absent("The segments differ on no feature.")]
    if rest:
        told.append(
            folded(
                "All other features",
                _profile_table(own, shown, rest, f"{lifestage(code)}: all other features (mean, index)"),
            )
        )
    return told


def _profile_table(own: pd.DataFrame, shown: list[int], features: list[str], caption: str) -> Html:
    by = {(row["feature"], row["segment"]): row for row in own.to_dict("records")}
    lines = []
    for feature in features:
        everybody = float(by[feature, shown[0]]["lifestage_mean"])
        cells = [_mean(by[feature, segment]) for segment in shown]
        lines.append([plain(feature), Cell(number(everybody), everybody), *cells])
    return table(caption, ["feature", "lifestage", *(f"segment {segment}" for segment in shown)], lines)


def _mean(row: Mapping[Any, Any]) -> Cell:
    index = row["index"]
    told = "" if math.isnan(index) else element("small", f" {index:.0f}", title="index, 100 = lifestage mean")
    return Cell(fragment(number(float(row["mean"])), told), float(row["mean"]))


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


def replication_section(material: Material) -> Html:
    """Whether segments come back on baskets that did not make them, and on which features they differ there."""
    title = "Over time and on other baskets"
    if material.replication is None or material.differences is None:
        return section("replication", title, absent("Left out: stage=differences has not been run."))
    if material.replication.empty:
        return section("replication", title, absent("No lifestage is segmented, so nothing can come back."))
    rows = [
        [
            lifestage(str(row["lifestage"])),
            {"weeks": "first weeks to second", "baskets": "odd baskets to even"}.get(row["halves"], row["halves"]),
            score(float(row["replication"])),
            Cell(percent(row["stayed_share"]), float(row["stayed_share"])),
            Cell(f"{row['customer_count']:,}", float(row["customer_count"])),
        ]
        for row in material.replication.to_dict("records")
    ]
    failed = material.replication.dropna(subset=["why_not"])
    told = [
        absent(f"{lifestage(str(row['lifestage']))}: {row['why_not']}")
        for row in failed.to_dict("records")
        if row["why_not"]
    ]
    explained = (
        "Clusters are found on one half of the baskets and looked at on the other. Replication is the adjusted Rand "
        "index of both halves' clusters, 1 the same and 0 chance; stayed is the share of customers whom the rule "
        "leaves in their segment."
    )
    return section(
        "replication",
        title,
        element("p", explained),
        table("Do the segments come back?", ["lifestage", "halves", "replication", "stayed", "customers"], rows),
        *told,
        element("h3", "On which features segments honestly differ"),
        element(
            "p",
            "Tested on baskets that did not make the segments, with the false discovery rate controlled. The effect is "
            f"the share of the ranks' variance that segments explain, the weaker of both ways of halving. {CAVEAT}",
        ),
        absent("The picture of all differences is left out: it would show a lifestage whose segments are hidden.")
        if material.veiled
        else figure(
            material.pictures.get("differences/effects"),
            "Effect sizes of the features on which segments differ on other baskets, by lifestage.",
            "The strongest honest differences of every lifestage.",
        ),
        *_differences(material),
    )


def _differences(material: Material) -> list[Html]:
    if material.differences is None:
        return []
    told = []
    for code, rows in material.differences.groupby("lifestage", sort=True):
        name = lifestage(str(code))
        if code in material.veiled:
            told.append(absent(f"{name}: left out, as a segment has fewer than {material.privacy_floor} customers."))
            continue
        lines = [
            [
                plain(row["feature"]),
                Cell("yes" if row["differs"] else "untested" if _text(row["untested"]) else "no"),
                score(float(row["epsilon_squared"])),
                Cell(*_most(row)),
                Cell(_small(float(row["q_value"])), float(row["q_value"])),
            ]
            for row in rows.to_dict("records")
        ]
        differing = int(rows["differs"].astype(bool).sum())
        caption = f"{name}: {differing} of {len(rows)} features differ"
        told.append(folded(caption, table(caption, ["feature", "differs", "effect", "most apart", "q"], lines)))
    return told


def _most(row: Mapping[Any, Any]) -> tuple[str, float]:
    """Which segment is most unlike the others, and in which direction."""
    effect = float(row["rank_biserial"])
    if math.isnan(effect):
        return DASH, math.nan
    return f"{row['segment']} {'higher' if effect > 0 else 'lower'} ({effect:+.2f})", effect


def _small(p: float) -> str:
    return DASH if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
