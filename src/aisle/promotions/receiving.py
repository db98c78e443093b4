"""What receiving a type of campaign changed: the exposures and their placebo, made from purchases and mailings."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.promotions.campaigns import Mailings
from aisle.promotions.effects import EFFECT_COLUMNS, estimate_effects
from aisle.promotions.exposures import Exposure
from aisle.promotions.purchases import Purchases, day_of
from aisle.promotions.responses import WEEK
from aisle.promotions.rule import EffectRule

Values = npt.NDArray[np.float64]

GROUPED: Final = ("everybody", "lifestage", "segment")
"""The groupings of which effects are estimated."""
ANSWERS: Final = ("spend", "promoted_spend")
"""The responses: spend per week in all, and on what the campaign has coupons for."""
_TEXTS: Final = ("grouping", "group", "response", "imbalanced_covariate", "strongest_covariate", "reason")
_COUNTS: Final = ("row_count", "customer_count", "received_count", "responder_count")
_KINDS: Final = {**dict.fromkeys(_TEXTS, "string"), **dict.fromkeys(_COUNTS, "int64"), "told": "bool"}
EFFECTS: Final = {"campaign_type": "string"} | {name: _KINDS.get(name, "float64") for name in EFFECT_COLUMNS}
"""Columns of the table of effects, see `aisle.promotions.estimate_effects`."""


def effects_of_receiving(
    rows: pd.DataFrame,
    groups: pd.DataFrame,
    mailings: Mailings,
    everything: Mailings,
    purchases: Purchases,
    *,
    rule: EffectRule,
    placebo_weeks: int,
    weeks_before: int,
    seed: int,
) -> pd.DataFrame:
    """`EFFECTS`: by type of campaign, group and response what receiving changed per week, or why it cannot be told.

    ``rows`` are those of `responses`, ``groups`` (rows alike) their `GROUPED`. The placebo asks the same of the
    ``placebo_weeks`` weeks before each campaign, knowing only what was before those.
    """
    parts = [pd.DataFrame(columns=list(EFFECTS)).astype(EFFECTS)]
    for kind, own in rows.groupby("campaign_type", sort=True):
        if own["received"].astype(bool).nunique() < 2:
            continue
        now = _exposure(own, mailings, everything, purchases, weeks_back=0, weeks_before=weeks_before)
        before = _exposure(
            own, mailings, everything, purchases, weeks_back=placebo_weeks, weeks_before=weeks_before - placebo_weeks
        )
        found = estimate_effects(
            now,
            before,
            groups=groups.loc[own.index, list(GROUPED)],
            responded=(own["redeemed"] & own["received"]).astype(bool),
            rule=rule,
            seed=seed,
        )
        parts.append(found.table.assign(campaign_type=kind)[list(EFFECTS)].astype(EFFECTS))
    return pd.concat(parts, ignore_index=True)


def _exposure(
    rows: pd.DataFrame,
    mailings: Mailings,
    everything: Mailings,
    purchases: Purchases,
    *,
    weeks_back: int,
    weeks_before: int,
) -> Exposure:
    """The exposure of the window, or, with ``weeks_back``, of so many weeks right before it."""
    answers, covariates = [], []
    for campaign, own in rows.groupby("campaign_id", sort=False):
        facts = own.iloc[0]
        start, end = day_of(facts["start_date"]), day_of(facts["end_date"]) + 1
        if weeks_back:
            start, end = start - WEEK * weeks_back, start
        coupons = mailings.coupons.loc[mailings.coupons["campaign_id"] == campaign, "product_id"]
        promoted = purchases.products.index.isin(coupons)
        place = purchases.customers.get_indexer(pd.Index(own["customer_id"]))
        weeks = (end - start) / WEEK
        bought = {"spend": purchases.bought(start, end), "promoted_spend": purchases.bought(start, end, promoted)}
        answers.append(
            pd.DataFrame({name: table["spend"].to_numpy()[place] / weeks for name, table in bought.items()}, own.index)
        )
        known = _covariates(purchases, everything, start, weeks_before, str(campaign), promoted)
        covariates.append(pd.DataFrame({name: values[place] for name, values in known.items()}, own.index))
    return Exposure(
        customers=rows["customer_id"].astype("str"),
        campaigns=rows["campaign_id"].astype("str"),
        received=rows["received"].astype(bool),
        responses=pd.concat(answers).loc[rows.index].astype("float64"),
        covariates=pd.concat(covariates).loc[rows.index].astype("float64"),
    )


def _covariates(
    purchases: Purchases,
    everything: Mailings,
    day: int,
    weeks_before: int,
    campaign: str,
    promoted: npt.NDArray[np.bool_],
) -> dict[str, Values]:
    """What was known of every customer before ``day``, and which other campaigns than ``campaign`` run on it."""
    first, begin = day_of(purchases.first_day), day - WEEK * weeks_before
    late = purchases.bought(day - WEEK * (weeks_before // 2), day)
    recent = purchases.bought(begin, day)
    long = purchases.bought(first, day)
    own = purchases.bought(begin, day, promoted)
    earlier = purchases.between(first, day)
    last = earlier.groupby("customer")["day"].max().reindex(range(len(purchases.customers)), fill_value=first)
    found = {
        "spend per week": recent["spend"] / weeks_before,
        "baskets per week": recent["baskets"] / weeks_before,
        "spend per week lately": late["spend"] / (weeks_before // 2),
        "spend per week since the beginning": long["spend"] / ((day - first) / WEEK),
        "spend per week on what is promoted": own["spend"] / weeks_before,
        "baskets per week with what is promoted": own["baskets"] / weeks_before,
        "days since the last basket": day - last,
        **_mailed(purchases, everything, day, campaign),
    }
    if purchases.discounts_known:
        used = purchases.discount_use(first, day)
        share = used["discounted_spend"] / used["spend"].where(used["spend"] > 0)
        found["share bought on discount"] = share.fillna(0.0)
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def _mailed(purchases: Purchases, everything: Mailings, day: int, campaign: str) -> dict[str, Any]:
    begun = everything.campaigns["start_date"].map(day_of)
    ended = everything.campaigns["end_date"].map(day_of)
    ids = everything.campaigns["campaign_id"]
    running = ids[(begun <= day) & (ended >= day) & (ids != campaign)]  # also what starts on the same day
    redeemed = everything.redemptions[everything.redemptions["redemption_date"].map(day_of) < day]
    counted = {
        "campaigns received": everything.sent[everything.sent["campaign_id"].isin(ids[begun < day])],
        "other campaigns running": everything.sent[everything.sent["campaign_id"].isin(running)],
        "coupons redeemed": redeemed,
    }
    return {
        name: rows.groupby("customer_id").size().reindex(purchases.customers, fill_value=0)
        for name, rows in counted.items()
    }
