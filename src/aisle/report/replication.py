"""Whether segments come back on baskets that did not make them, and on which features they differ there."""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from aisle.evidence import CAVEAT
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
    lifestage,
    percent,
    plain,
    score,
    section,
    table,
)
from aisle.report.material import Material

SOURCES: Final = ("differences/replication.csv", "differences/differences.csv")
EXPLAINED: Final = (
    "Clusters are found on one half of the baskets and looked at on the other. Replication is the adjusted Rand index "
    "of both halves' clusters, 1 the same and 0 chance; stayed is the share of customers whom the rule leaves in their "
    "segment."
)
_STRONGEST: Final = 4
"""Features named of every lifestage in short."""


def replication_section(material: Material) -> Html:
    """Whether segments come back on baskets that did not make them, and on which features they differ there."""
    title = "Over time and on other baskets"
    if material.replication is None or material.differences is None:
        return section("replication", title, absent("Left out: stage=differences has not been run."))
    if material.replication.empty:
        return section("replication", title, absent("No lifestage is segmented, so nothing can come back."))
    failed = material.replication.dropna(subset=["why_not"])
    told = [
        absent(f"{lifestage(str(row['lifestage']))}: {row['why_not']}")
        for row in failed.to_dict("records")
        if row["why_not"]
    ]
    return section(
        "replication",
        title,
        element("p", EXPLAINED),
        drawn(replication_grid(material)),
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
        sources=SOURCES,
    )


def replication_grid(material: Material) -> Grid:
    """How far the segments found on one half of the baskets come back on the other."""
    rows = [
        [
            lifestage(str(row["lifestage"])),
            {"weeks": "first weeks to second", "baskets": "odd baskets to even"}.get(row["halves"], row["halves"]),
            score(float(row["replication"])),
            Cell(percent(row["stayed_share"]), float(row["stayed_share"])),
            Cell(f"{row['customer_count']:,}", float(row["customer_count"])),
        ]
        for row in (material.replication if material.replication is not None else pd.DataFrame()).to_dict("records")
    ]
    return Grid("Do the segments come back?", ["lifestage", "halves", "replication", "stayed", "customers"], rows)


def strongest_grid(material: Material) -> Grid:
    """Of every lifestage how many features differ on other baskets, and the strongest of them."""
    rows = []
    told = material.differences if material.differences is not None else pd.DataFrame({"lifestage": []})
    for code, own in told[~told["lifestage"].isin(material.veiled)].groupby("lifestage", sort=True):
        differing = own[own["differs"].astype(bool)].sort_values(
            ["epsilon_squared", "feature"], ascending=[False, True], kind="stable"
        )
        first = [
            f"{plain(str(row['feature']))} ({row['epsilon_squared']:.2f})"
            for row in differing.head(_STRONGEST).to_dict("records")
        ]
        count = Cell(f"{len(differing)} of {len(own)}", float(len(differing)))
        rows.append([lifestage(str(code)), count, ", ".join(first) or "none"])
    return Grid(
        "Features on which segments differ on baskets that did not make them (effect, 1 is all of the variance)",
        ["lifestage", "features that differ", "the strongest"],
        rows,
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
