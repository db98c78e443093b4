"""What to do: one row per lifestage and segment, and one per customer for a campaign tool."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import special, stats

from aisle.habits import FORMAT, HOUR, WEEKDAY
from aisle.partition import NOISE
from aisle.profiles import LABELS, SEGMENT
from aisle.promotions.trial_size import trial_for_means

PLAN: Final = {
    "lifestage": "string",
    "segment": "int64",
    "segment_name": "string",
    "customer_count": "int64",
    "buys_more": "string",
    "buys_less": "string",
    "when": "string",
    "where": "string",
    "discounted_spend_share": "float64",
    "discounted_spend_share_low": "float64",
    "discounted_spend_share_high": "float64",
    "campaign_type": "string",
    "share": "float64",
    "low": "float64",
    "high": "float64",
    "chance_best": "float64",
    "basis": "string",
    "effect": "string",
    "trial_effect": "float64",
    "trial_received": "int64",
    "trial_held_out": "int64",
    "trial_possible": "string",
}
"""Columns of the plan. ``share`` (low, high): of those who received the type in that segment, who ever redeemed.

``chance_best``: that no other type sent to the segment has a higher share; ``basis``: what the recommendation rests on.
``trial_effect`` is the smallest effect to be seen, in money per customer and week; 0 customers where it cannot be told.
"""
TOOL: Final = ["customer_id", "lifestage", "segment", "segment_name", "campaign_type", "held_out"]
"""Columns of the file for a campaign tool."""
BY_EFFECT: Final = "a measured effect on spend"
BY_SHARE: Final = "the share who redeemed; whether it pays cannot be told"
BY_NOTHING: Final = "cannot be told: no studied campaign reached this segment"
CANNOT: Final = "cannot be told"
_NAMED: Final = 3
_DRAWS: Final = 4000


@dataclass(frozen=True)
class TrialRule:
    """The trial that would prove a campaign: a change of ``effect_share`` of the segment's spend is to be seen.

    With ``power``, two-sided at ``level``; ``held_out_share`` of the customers receive nothing.

    Raises:
        ValueError: a number is not above 0 and below 1.
    """

    effect_share: float
    power: float
    level: float
    held_out_share: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, float | int) or not 0 < value < 1:
                raise ValueError(f"stage.trial.{name} must be above 0 and below 1; got {value!r}.")


def plan(
    sizes: pd.DataFrame,
    *,
    buying: pd.DataFrame,
    habits: pd.DataFrame,
    discounts: pd.DataFrame,
    responses: pd.DataFrame,
    effects: pd.DataFrame,
    spend: pd.DataFrame,
    rule: TrialRule,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """The table `PLAN` of the segments in ``sizes``; where a part cannot be told, it says so.

    ``spend`` has by segment ("YA 0") the mean spend per week and the standard deviation of its change.
    """
    rows = []
    for found in sizes[sizes["segment"] != NOISE].to_dict("records"):
        row = {str(name): value for name, value in found.items()}
        group = f"{row['lifestage']} {row['segment']}"
        told: dict[str, Any] = {**row, **_bought(buying, row), **_habits(habits, row)}
        used = discounts[(discounts["grouping"] == "segment") & (discounts["group"] == group)]
        told |= {name: used[name].iloc[0] if len(used) else np.nan for name in _DISCOUNTED}
        told |= _recommended(group, responses, effects, confidence, seed)
        told |= _trial(group, spend, int(row["customer_count"]), rule)
        rows.append(told)
    return pd.DataFrame(rows, columns=list(PLAN)).astype(PLAN)


_DISCOUNTED: Final = ("discounted_spend_share", "discounted_spend_share_low", "discounted_spend_share_high")


def tool_rows(labels: pd.DataFrame, planned: pd.DataFrame, *, held_out_share: float, seed: int) -> pd.DataFrame:
    """One row per customer in a segment, columns `TOOL`, sorted by customer; ``held_out`` receive nothing.

    Of every segment the same share is held out: the first in the order of a hash of the id and ``seed``, which is as
    good as a lot and the same wherever it is drawn.
    """
    inside = labels.loc[labels["segment"] != NOISE, LABELS]
    rows = inside.merge(planned[[*SEGMENT, "segment_name", "campaign_type"]], on=SEGMENT, how="left")
    draw = rows["customer_id"].map(lambda name: _drawn(f"{name}:{seed}"))
    place = draw.groupby([rows[name] for name in SEGMENT]).rank(method="first")
    size = rows.groupby(SEGMENT)["customer_id"].transform("size")
    rows = rows.assign(held_out=place <= np.round(held_out_share * size))
    return rows.sort_values(["customer_id", "lifestage"], ignore_index=True)[TOOL]


def _drawn(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _bought(buying: pd.DataFrame, row: Mapping[Any, Any]) -> dict[str, str]:
    own = buying[(buying["lifestage"] == row["lifestage"]) & (buying["segment"] == row["segment"]) & buying["differs"]]
    groups = own[own["level"] == "product_group"]
    more = groups[groups["index"] > 100].nlargest(_NAMED, "index")
    less = groups[groups["index"] < 100].nsmallest(_NAMED, "index")
    return {"buys_more": _indexed(more), "buys_less": _indexed(less)}


def _indexed(rows: pd.DataFrame) -> str:
    return ", ".join(f"{row.name_} ({row.index_:.0f})" for row in _plain(rows)) or "nothing that surely differs"


def _plain(rows: pd.DataFrame) -> Any:
    return rows.rename(columns={"name": "name_", "index": "index_"})[["name_", "index_"]].itertuples(index=False)


def _habits(habits: pd.DataFrame, row: Mapping[Any, Any]) -> dict[str, str]:
    own = habits[(habits["lifestage"] == row["lifestage"]) & (habits["segment"] == row["segment"])]
    told = {}
    for habit in (WEEKDAY, HOUR, FORMAT):
        of_habit = own[own["habit"] == habit]
        told[habit] = str(of_habit.nlargest(1, "share")["value"].iloc[0]) if len(of_habit) else ""
    hour = f"most baskets at {told[HOUR]} h" if told[HOUR] else ""
    when = ", ".join(part for part in (told[WEEKDAY], hour) if part)
    return {"when": when or CANNOT, "where": told[FORMAT] or CANNOT}


def _recommended(
    group: str, responses: pd.DataFrame, effects: pd.DataFrame, confidence: float, seed: int
) -> dict[str, Any]:
    own = responses[(responses["grouping"] == "segment") & (responses["group"] == group)]
    if own.empty:
        nothing = dict.fromkeys(("share", "low", "high", "chance_best"), np.nan)
        return {"campaign_type": "", **nothing, "basis": BY_NOTHING, "effect": CANNOT}
    own = own.reset_index(drop=True).assign(chance_best=_chance_best(own, confidence, seed))
    measured = effects[
        (effects["grouping"] == "segment") & (effects["group"] == group) & (effects["response"] == "spend")
    ]
    told = measured[measured["told"].astype(bool)]
    sure = told[told["low"] > 0]
    if len(sure):
        kind, basis = str(sure.nlargest(1, "effect")["campaign_type"].iloc[0]), BY_EFFECT
    else:
        kind, basis = str(own.nlargest(1, "share")["campaign_type"].iloc[0]), BY_SHARE
    row = own[own["campaign_type"] == kind].iloc[0]
    return {
        "campaign_type": kind,
        **{name: row[name] for name in ("share", "low", "high", "chance_best")},
        "basis": basis,
        "effect": _effect(told[told["campaign_type"] == kind], measured[measured["campaign_type"] == kind]),
    }


def _effect(told: pd.DataFrame, measured: pd.DataFrame) -> str:
    if len(told):
        row = told.iloc[0]
        return f"{row['effect']:+.2f} a week ({row['low']:+.2f} to {row['high']:+.2f})"
    reason = str(measured["reason"].iloc[0]) if len(measured) else ""
    return f"{CANNOT}: {reason}" if reason else CANNOT


def _chance_best(own: pd.DataFrame, confidence: float, seed: int) -> Any:
    """By normal laws of the logits, whose widths are those of the intervals."""
    if len(own) == 1:
        return np.nan
    logits = {name: special.logit(own[name].to_numpy(dtype=np.float64)) for name in ("share", "low", "high")}
    width = (logits["high"] - logits["low"]) / (2 * stats.norm.ppf((1 + confidence) / 2))
    drawn = np.random.default_rng(seed).normal(logits["share"], width, size=(_DRAWS, len(own)))
    return np.bincount(drawn.argmax(axis=1), minlength=len(own)) / _DRAWS


def _trial(group: str, spend: pd.DataFrame, customers: int, rule: TrialRule) -> dict[str, Any]:
    mean, deviation = (float(spend[name].get(group, np.nan)) for name in ("mean", "deviation"))
    if not (mean > 0 and deviation > 0):
        return {"trial_effect": np.nan, "trial_received": 0, "trial_held_out": 0, "trial_possible": CANNOT}
    effect = rule.effect_share * mean
    size = trial_for_means(
        deviation,
        effect,
        power=rule.power,
        level=rule.level,
        held_out_share=rule.held_out_share,
    )
    needed = f"no: {size.total} customers are needed, the segment has {customers}"
    possible = "yes" if size.total <= customers else needed
    return {
        "trial_effect": effect,
        "trial_received": size.received,
        "trial_held_out": size.held_out,
        "trial_possible": possible,
    }
