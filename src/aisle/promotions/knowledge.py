"""What was known of every customer on a day, before anything of that day or later happened."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from aisle.partition import NOISE
from aisle.promotions.campaigns import Mailings
from aisle.promotions.purchases import Purchases, day_of

QUINTILES: Final = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
"""Level -> the feature of the block rfm it is a fifth of, 1 (smallest) to 5."""
_FIFTHS: Final = 5
_NUMBERED: Final = ("segment", "kind")


@dataclass(frozen=True, eq=False)
class Known:
    """By customer_id: ``levels`` (text: lifestage, segment, kind and `QUINTILES`), ``numbers`` (float64 or NaN).

    Numbers are ranks among the customers of that day, in (0, 1], so that those of days with longer histories compare.
    ``segment`` names lifestage and number ("YA 0", or "YA none" for who is in none), ``kind`` the number alone.
    """

    levels: pd.DataFrame
    numbers: pd.DataFrame


def known_on(
    day: date,
    *,
    cohort: "pd.Series[str]",
    labels: pd.DataFrame,
    features: pd.DataFrame,
    rfm: pd.DataFrame,
    purchases: Purchases,
    everything: Mailings | None,
) -> Known:
    """Of the customers of ``rfm``, all who have a basket before ``day``; ``cohort`` is everybody's lifestage.

    ``features`` and ``labels`` (see `Dated`) are those of the day; a customer without has NaN, and is in no segment.
    Numbers are all features, shares of spend by product group, the use of discounts where it is known, and the
    campaigns received and coupons redeemed on earlier days, of ``everything`` that was sent.
    """
    customers = rfm.index
    own = labels.drop_duplicates("customer_id").set_index("customer_id").reindex(customers)
    told = {
        name: own[name].fillna(NOISE).astype("int64").astype("str").replace(f"{NOISE}", "none") for name in _NUMBERED
    }
    lifestages = cohort.reindex(customers).astype("str")
    segmented = own["lifestage"].astype("object").where(own["lifestage"].notna(), lifestages)
    fifths = {
        name: np.ceil(rfm[feature].rank(pct=True) * _FIFTHS).astype("int64").astype("str")
        for name, feature in QUINTILES.items()
    }
    levels = pd.DataFrame(
        {
            "lifestage": lifestages,
            "segment": segmented + " " + told["segment"],
            "kind": told["kind"],
            **fifths,
        },
        index=customers,
    )
    until = day_of(day)
    parts = [
        features.reindex(customers).add_prefix("feature/"),
        rfm.add_prefix("rfm/"),
        _group_shares(purchases, until).reindex(customers).add_prefix("group/"),
    ]
    if purchases.discounts_known:
        parts.append(_discount_shares(purchases, until).reindex(customers))
    if everything is not None:
        parts.append(_mailed(everything, day, customers))
    numbers = pd.concat(parts, axis=1).astype("float64")
    return Known(levels, numbers.rank(pct=True))


def _group_shares(purchases: Purchases, until: int) -> pd.DataFrame:
    rows = purchases.between(day_of(purchases.first_day), until)
    names, number = np.unique(purchases.products["product_group"].to_numpy(dtype=str), return_inverse=True)
    known = rows[rows["product"] >= 0]
    cell = known["customer"].to_numpy() * len(names) + number[known["product"].to_numpy()]
    size = len(purchases.customers) * len(names)
    spend = np.bincount(cell, weights=known["cents"], minlength=size).reshape(-1, len(names))
    total = spend.sum(axis=1, keepdims=True)
    shares = np.divide(spend, total, out=np.full_like(spend, np.nan), where=total > 0)
    return pd.DataFrame(shares, index=purchases.customers, columns=names)


def _discount_shares(purchases: Purchases, until: int) -> pd.DataFrame:
    used = purchases.discount_use(day_of(purchases.first_day), until)
    return pd.DataFrame(
        {
            "discounted_line_share": used["discounted_lines"] / used["lines"].where(used["lines"] > 0),
            "discounted_spend_share": used["discounted_spend"] / used["spend"].where(used["spend"] > 0),
        }
    )


def _mailed(everything: Mailings, day: date, customers: pd.Index) -> pd.DataFrame:
    begun = everything.campaigns.loc[everything.campaigns["start_date"] < day, "campaign_id"]
    received = everything.sent[everything.sent["campaign_id"].isin(begun)].groupby("customer_id").size()
    redeemed = everything.redemptions[everything.redemptions["redemption_date"] < day].groupby("customer_id").size()
    return pd.DataFrame(
        {
            "campaigns_received": received.reindex(customers, fill_value=0),
            "coupons_redeemed": redeemed.reindex(customers, fill_value=0),
        },
        index=customers,
    )
