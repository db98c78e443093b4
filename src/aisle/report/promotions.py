"""What segments respond to, whether they are useful for foreseeing it, and what to do."""

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from aisle.promotions.plan import BY_EFFECT
from aisle.promotions.predictors import LEVELS
from aisle.promotions.shrinkage import share_in_words
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
    number,
    percent,
    score,
    section,
    table,
)
from aisle.report.material import Material, Promotions

SOURCES: Final = ("promotions/summary.json", "promotions/plan.csv")
_TITLE: Final = "Promotions: what segments respond to"
_OUTCOMES: Final = {"redeemed": "redeems a coupon", "spend": "spend of the next weeks", "lapsed": "does not come back"}
BASIS: Final = "what that rests on"
FORESEEN: Final = {
    "redeemed": "who redeems a coupon",
    "spend": "what is spent in the next weeks",
    "lapsed": "who does not come back",
}
"""The outcomes in a sentence."""
_PREDICTORS: Final = (*LEVELS, "per-customer model")
_FIRST_SIGHT: Final = (
    "Segments are those of the weeks before each campaign; shares are drawn towards those of all segments as far as "
    "few customers say little. What happened after a campaign is not what it caused: see the effects."
)


def promotion_section(material: Material) -> Html:
    """The answers, the plan, and what they rest on; a sentence where the study was not run."""
    found = material.promotions
    if found is None:
        return section("promotions", _TITLE, absent("Left out: stage=promotions has not been run."))
    told = [str(one["sentence"]) for one in found.summary["answers"]]
    return section(
        "promotions",
        _TITLE,
        listed(told) if told else absent("Nothing could be foreseen: too few weeks lie before any outcome."),
        figure(
            material.pictures.get("promotions/gains"),
            "Gains over the base rate of predictions from lifestage, quintiles, segments and a per-customer model.",
            "How much better later outcomes are foreseen from more and more; right of the line is better.",
        ),
        _usefulness(found),
        _plan(material, found),
        element("p", _FIRST_SIGHT, class_="small"),
        _responses(material, found),
        _effects(material, found),
        _discounts(material, found),
        _methods(found),
        _campaigns(found),
        folded("What is left out, and how it was done", listed(map(str, found.summary["notes"]))),
    )


def _usefulness(found: Promotions) -> Html:
    rows = found.tables["usefulness"]
    if rows.empty:
        return Html("")
    order = {name: place for place, name in enumerate((*_OUTCOMES, *_PREDICTORS))}
    ordered = sorted(rows.to_dict("records"), key=lambda row: (order[row["outcome"]], order[row["predictor"]]))
    lines = [
        [
            _OUTCOMES[row["outcome"]],
            row["predictor"],
            _between(row, "auc", ".2f"),
            _between(row, "lift", ".2f"),
            Cell(number(row["calibration_error"]), row["calibration_error"]),
            _between(row, "gain", ".4f"),
            _between(row, "captured", ".0%"),
        ]
        for row in ordered
    ]
    head = ["foreseen", "from", "AUC", "lift of the top tenth", "calibration error", "gain", "of what is knowable"]
    caption = "How well later outcomes are foreseen, with 95 % intervals over households where there is one"
    return table(caption, head, lines)


def plan_grid(material: Material, found: Promotions) -> Grid:
    """Segment by segment: what to send, what that rests on, and the trial that would prove it."""
    head = ["segment", "campaign", "redeemed", "chance it is the highest", BASIS]
    rows = [
        [
            _named(row),
            row["campaign_type"] or DASH,
            _between(row, "share", ".0%"),
            Cell(percent(row["chance_best"]), row["chance_best"]),
            f"{row['basis']}; effect on spend: {row['effect']}",
            _trial(row),
        ]
        for row in _shown(material, found.tables["plan"]).to_dict("records")
    ]
    caption = "What to send, segment by segment, and how sure that is"
    return Grid(caption, [*head, "trial that would prove it"], rows)


def known_to_pay(material: Material, found: Promotions) -> int:
    """Segments whose recommendation rests on a measured effect."""
    return int((_shown(material, found.tables["plan"])["basis"] == BY_EFFECT).sum())


def _plan(material: Material, found: Promotions) -> Html:
    rows = _shown(material, found.tables["plan"]).to_dict("records")
    if not rows:
        return absent("There is no plan: no segment can be shown.")
    habits = [
        [
            _named(row),
            Cell(f"{row['customer_count']:,}", float(row["customer_count"])),
            row["buys_more"],
            row["buys_less"],
            row["when"],
            _between(row, "discounted_spend_share", ".0%"),
        ]
        for row in rows
    ]
    told = ["segment", "customers", "buys more (index, 100 = lifestage)", "buys less", "when", "spend on discount"]
    return fragment(
        table("Who they are, segment by segment", told, habits),
        drawn(plan_grid(material, found)),
    )


def _named(row: Mapping[Any, Any]) -> str:
    return f"{lifestage(row['lifestage'])} {row['segment']}: {row['segment_name']}"


def _trial(row: Mapping[Any, Any]) -> str:
    if not row["trial_received"]:
        return "cannot be told"
    arms = f"{row['trial_received']:,} and {row['trial_held_out']:,} held out see {row['trial_effect']:.2f} a week"
    return arms if row["trial_possible"] == "yes" else f"{arms}; {row['trial_possible']}"


def _responses(material: Material, found: Promotions) -> Html:
    rows = found.tables["responses"]
    own = rows[rows["grouping"].isin(["lifestage", "segment"]) & (rows["customer_count"] >= material.privacy_floor)]
    lines = [
        [
            row["campaign_type"],
            row["group"],
            Cell(share_in_words({str(name): value for name, value in row.items()}), row["share"]),
            _between(row, "promoted_spend_change", "+.2f"),
            _between(row, "spend_change", "+.2f"),
            _between(row, "baskets_change", "+.2f"),
        ]
        for row in _group_shown(material, own).to_dict("records")
    ]
    if not lines:
        return absent("No studied campaign reached a segment that can be shown.")
    head = ["type", "group", "redeemed", "spend on what is promoted", "spend in all", "baskets"]
    caption = "Responses by type of campaign, and changes per customer and week against the weeks before"
    return folded("Responses of lifestages and segments", table(caption, head, lines))


def _effects(material: Material, found: Promotions) -> Html:
    rows = _group_shown(material, found.tables["effects"])
    lines = [
        [
            row["campaign_type"],
            row["group"],
            str(row["response"]).replace("_", " "),
            _between(row, "effect", "+.2f") if row["told"] else Cell("cannot be told", math.nan),
            Cell(number(row["naive"]) if row["told"] else DASH, row["naive"] if row["told"] else math.nan),
            "" if row["told"] else row["reason"],
        ]
        for row in rows.to_dict("records")
    ]
    if not lines:
        return Html("")
    head = ["type", "group", "response per week", "effect", "naive difference", "why not"]
    caption = "What receiving a campaign changed, weighted so that receivers and others are alike"
    return folded("Effects of receiving a campaign", table(caption, head, lines))


def _discounts(material: Material, found: Promotions) -> Html:
    rows = _group_shown(material, found.tables["discounts"])
    lines = [
        [
            row["group"],
            Cell(f"{row['customer_count']:,}", float(row["customer_count"])),
            _between(row, "discounted_line_share", ".0%"),
            _between(row, "discounted_spend_share", ".0%"),
        ]
        for row in rows[rows["customer_count"] >= material.privacy_floor].to_dict("records")
    ]
    if not lines:
        return Html("")
    head = ["group", "customers", "of lines", "of spend"]
    return folded("Use of discounts", table("Bought below the shelf price, as a share", head, lines))


def _methods(found: Promotions) -> Html:
    rows = found.tables["leaderboard"]
    gains = [name for name in map(str, rows) if name.startswith("use/") and name.endswith("_gain")]
    lines = [
        [
            lifestage(row["lifestage"]),
            f"{row['clusterer']}, {row['reducer']}" + (" (chosen)" if row["chosen"] else ""),
            Cell(row["n_clusters"], float(row["n_clusters"])),
            score(float(row["features/ranking_score"])),
            *(_between(row, gain, ".4f") for gain in gains),
        ]
        for row in rows.to_dict("records")
    ]
    if not lines:
        return Html("")
    told = [_OUTCOMES.get(gain[len("use/") : -len("_gain")], gain) for gain in gains]
    head = ["lifestage", "method", "segments", "ranking score", *(f"gain: {name}" for name in told)]
    caption = "Methods by the use of their segments: how much the loss falls within the lifestage (above 0 is better)"
    return folded("Methods compared by usefulness", table(caption, head, lines))


def _campaigns(found: Promotions) -> Html:
    rows = found.tables["campaigns"]
    lines = [
        [
            row["campaign_id"],
            row["campaign_type"],
            row["start_date"],
            row["end_date"],
            Cell(f"{row['customer_count']:,}", float(row["customer_count"])),
            Cell(f"{row['responder_count']:,}", float(row["responder_count"])),
            row["why_not"] or "studied",
        ]
        for row in rows.to_dict("records")
    ]
    if not lines:
        return Html("")
    head = ["campaign", "type", "from", "to", "received", "redeemed", "studied"]
    return folded("Campaigns", table("Campaigns, and customers of the segmented lifestages", head, lines))


def _shown(material: Material, rows: pd.DataFrame) -> pd.DataFrame:
    keys = zip(rows["lifestage"], rows["segment"].astype(int), strict=True)
    return rows[[key not in material.hidden for key in keys]]


def _group_shown(material: Material, rows: pd.DataFrame) -> pd.DataFrame:
    """Without the segments that are not shown; a lifestage is named like all its segments together."""
    hidden = {f"{code} {segment}" for code, segment in material.hidden}
    return rows[~rows["group"].isin(hidden)]


def _between(row: Mapping[Any, Any], name: str, form: str) -> Cell:
    """A number with its interval, where it has one."""
    ends = (f"{name}_low", f"{name}_high") if f"{name}_low" in row else ("low", "high")
    value, low, high = (float(row[each]) for each in (name, *ends))
    if math.isnan(value):
        return Cell(DASH, math.nan)
    told = "" if math.isnan(low) or math.isnan(high) else f" ({low:{form}} to {high:{form}})"
    return Cell(f"{value:{form}}{told}", value)
