"""What customers did in a campaign's window, beside what they did in the weeks before it."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.promotions.campaigns import Mailings
from aisle.promotions.purchases import Flags, Purchases, day_of

Values = npt.NDArray[np.float64]

WEEK: Final = 7
MEASURED: Final = ("spend", "baskets", "promoted_spend", "promoted_baskets")
"""Per week of the window; with ``_before`` per week of the weeks before it, with ``_change`` the difference."""


def responses(mailings: Mailings, everything: Mailings, purchases: Purchases, *, weeks_before: int) -> pd.DataFrame:
    """One row per campaign and customer with a basket before it: who received it, redeemed, and bought what.

    Sorted by the campaigns' order and customer. ``received``; ``redeemed`` and ``redeemed_coupons`` (different ones) in
    the window; `MEASURED` per week, in the window and in the ``weeks_before`` before it; ``running_count``: other
    campaigns that the customer had received and that were still running on its first day. ``promoted`` is what the
    campaign has coupons for. ``mailings`` are those of the studied campaigns, ``everything`` those of all.
    """
    parts = [
        _of_campaign(row, mailings, everything, purchases, weeks_before)
        for row in mailings.campaigns.to_dict("records")
    ]
    return pd.concat(parts, ignore_index=True) if parts else _of_none()


def _of_campaign(
    row: dict[Any, Any], mailings: Mailings, everything: Mailings, purchases: Purchases, weeks_before: int
) -> pd.DataFrame:
    campaign = row["campaign_id"]
    start, end = day_of(row["start_date"]), day_of(row["end_date"]) + 1
    own = mailings.coupons.loc[mailings.coupons["campaign_id"] == campaign, "product_id"]
    promoted = purchases.products.index.isin(own)
    received = mailings.sent.loc[mailings.sent["campaign_id"] == campaign, "customer_id"]
    redeemed = mailings.redemptions[mailings.redemptions["campaign_id"] == campaign]
    coupons = redeemed.groupby("customer_id")["coupon_id"].nunique().reindex(purchases.customers, fill_value=0)
    begun, ended = (everything.campaigns[name] for name in ("start_date", "end_date"))
    running = everything.campaigns.loc[(begun < row["start_date"]) & (ended >= row["start_date"]), "campaign_id"]
    others = everything.sent[everything.sent["campaign_id"].isin(running)].groupby("customer_id").size()
    table = pd.DataFrame(
        {
            "campaign_id": campaign,
            "campaign_type": row["campaign_type"],
            "start_date": row["start_date"],
            "end_date": row["end_date"],
            "customer_id": purchases.customers,
            "received": purchases.customers.isin(received),
            "redeemed": (coupons > 0).to_numpy(),
            "redeemed_coupons": coupons.to_numpy(),
            "running_count": others.reindex(purchases.customers, fill_value=0).to_numpy(),
        }
    )
    measured = compared(purchases, start, end, weeks_before)
    measured |= compared(purchases, start, end, weeks_before, promoted)
    there = purchases.bought(day_of(purchases.first_day), start)["baskets"].to_numpy() > 0
    return table.assign(**measured)[there]


def compared(
    purchases: Purchases, start: int, end: int, weeks_before: int, promoted: Flags | None = None
) -> dict[str, Values]:
    """Spend and baskets of every customer per week from ``start`` on and before ``end``, and how they changed."""
    prefix = "" if promoted is None else "promoted_"
    during = purchases.bought(start, end, promoted) / ((end - start) / WEEK)
    before = purchases.bought(start - WEEK * weeks_before, start, promoted) / weeks_before
    found: dict[str, Values] = {}
    for name in during:
        now, then = during[name].to_numpy(), before[name].to_numpy()
        found |= {f"{prefix}{name}": now, f"{prefix}{name}_before": then, f"{prefix}{name}_change": now - then}
    return found


def _of_none() -> pd.DataFrame:
    names = ["campaign_id", "campaign_type", "start_date", "end_date", "customer_id", "received", "redeemed"]
    measured = [f"{name}{suffix}" for name in MEASURED for suffix in ("", "_before", "_change")]
    return pd.DataFrame(columns=[*names, "redeemed_coupons", "running_count", *measured])
