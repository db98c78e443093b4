"""Which campaigns can be studied, and what is wrong with the others, each in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pandas as pd

from aisle.promotions.purchases import Purchases

CAMPAIGNS: Final = {
    "campaign_id": "string",
    "campaign_type": "string",
    "start_date": "string",
    "end_date": "string",
    "sent_count": "int64",
    "customer_count": "int64",
    "product_count": "int64",
    "responder_count": "int64",
    "unknown_redemption_count": "int64",
    "overlap_count": "int64",
    "why_not": "string",
}
"""Columns of the table of campaigns; ``why_not`` is empty where a campaign is studied."""
UNTYPED: Final = "untyped"
_DAYS: Final = ("start_date", "end_date")
_WEEK: Final = 7
OVERLAP: Final = (
    "Campaigns overlap in time: each is measured by its own coupons and products, and how many others a customer had "
    "received that were still running is given to every model; spend in all may still be moved by the others."
)


@dataclass(frozen=True, eq=False)
class Mailings:
    """The campaign tables of a source: one row per campaign, per campaign and customer, and so on."""

    campaigns: pd.DataFrame
    sent: pd.DataFrame
    coupons: pd.DataFrame
    redemptions: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Studied:
    """``table`` has all campaigns with the columns `CAMPAIGNS`; ``mailings`` holds the studied ones only, in time.

    ``everything`` is all that was sent in some window. ``notes`` say in sentences what was left out and how overlaps
    are treated.
    """

    table: pd.DataFrame
    mailings: Mailings
    everything: Mailings
    notes: tuple[str, ...]


def studied(mailings: Mailings, purchases: Purchases, *, weeks_before: int) -> Studied:
    """The campaigns that can be studied: with ``weeks_before`` full weeks of data before them and a window in the data.

    A redemption counts if its customer was sent the campaign and its day is in the window; the others are counted as
    unknown. Customers are those of ``purchases``; ``sent_count`` is everybody.
    """
    campaigns = mailings.campaigns.sort_values(["start_date", "campaign_id"], ignore_index=True)
    campaigns = campaigns.assign(campaign_type=campaigns["campaign_type"].fillna(UNTYPED))
    windowed = campaigns[campaigns[list(_DAYS)].notna().all(axis=1)]
    sent = mailings.sent[mailings.sent["customer_id"].isin(purchases.customers)]
    by_customer = ["campaign_id", "customer_id"]
    dated = mailings.redemptions.merge(windowed[["campaign_id", *_DAYS]], on="campaign_id")
    in_window = dated["redemption_date"].between(dated["start_date"], dated["end_date"])
    received = pd.MultiIndex.from_frame(dated[by_customer]).isin(pd.MultiIndex.from_frame(mailings.sent[by_customer]))
    redeemed = dated[in_window & received]
    known = redeemed[redeemed["customer_id"].isin(purchases.customers)]
    ids = campaigns["campaign_id"]

    def per_campaign(rows: pd.DataFrame, column: str) -> "pd.Series[int]":
        return ids.map(rows.groupby("campaign_id")[column].nunique()).fillna(0).astype("int64")

    counted = campaigns.assign(
        sent_count=per_campaign(mailings.sent, "customer_id"),
        customer_count=per_campaign(sent, "customer_id"),
        product_count=per_campaign(mailings.coupons, "product_id"),
        responder_count=per_campaign(known, "customer_id"),
        unknown_redemption_count=ids.map(dated[~(in_window & received)].groupby("campaign_id").size())
        .fillna(0)
        .astype("int64"),
        overlap_count=ids.map(_overlaps(windowed)).fillna(0).astype("int64"),
    )
    table = counted.assign(why_not=[_why_not(row, purchases, weeks_before) for row in counted.to_dict("records")])
    kept = table.loc[table["why_not"] == "", "campaign_id"]
    chosen = Mailings(
        table[table["why_not"] == ""].reset_index(drop=True),
        sent[sent["campaign_id"].isin(kept)],
        mailings.coupons[mailings.coupons["campaign_id"].isin(kept)],
        known[known["campaign_id"].isin(kept)].drop(columns=["start_date", "end_date"]),
    )
    texts = {name: table[name].map(lambda day: day.isoformat() if pd.notna(day) else "") for name in _DAYS}
    everything = Mailings(windowed, sent, mailings.coupons, mailings.redemptions)
    return Studied(table.assign(**texts)[list(CAMPAIGNS)].astype(CAMPAIGNS), chosen, everything, _notes(table))


def _why_not(row: Mapping[Any, Any], purchases: Purchases, weeks_before: int) -> str:
    start, end = row["start_date"], row["end_date"]
    if pd.isna(start) or pd.isna(end):
        return "it has no window"
    if end < start:
        return f"its window ends ({end}) before it starts ({start})"
    if start < purchases.first_day:
        return f"its window starts ({start}) before the first day of the data ({purchases.first_day})"
    if start < purchases.first_day + timedelta(days=_WEEK * weeks_before):
        return f"fewer than {weeks_before} weeks of data lie before it ({start})"
    if end > purchases.last_day:
        return f"its window ends ({end}) after the last day of the data ({purchases.last_day})"
    if not row["sent_count"]:
        return "no customer received it"
    if not row["customer_count"]:
        return "no studied customer received it"
    if not row["product_count"]:
        return "it has no coupon for a known product"
    return ""


def _overlaps(campaigns: pd.DataFrame) -> dict[str, int]:
    """With how many others every campaign shares a day."""
    start, end = (campaigns[name] for name in _DAYS)
    found = {}
    for row in campaigns.to_dict("records"):
        together = (start <= row["end_date"]) & (end >= row["start_date"]) & (start <= end)
        found[str(row["campaign_id"])] = int(together.sum()) - bool(row["start_date"] <= row["end_date"])
    return found


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    out = table[table["why_not"] != ""].to_dict("records")
    notes = [f"Campaign {row['campaign_id']} is left out: {row['why_not']}." for row in out]
    used = table[table["why_not"] == ""]
    unknown = int(table["unknown_redemption_count"].sum())
    if unknown:
        notes.append(
            f"{unknown} redemptions count for nobody: their customer was not sent the campaign, or their day lies "
            "outside its window."
        )
    if (used["overlap_count"] > 0).any():
        notes.append(OVERLAP)
    silent = used.loc[used["responder_count"] == 0, "campaign_id"].tolist()
    if silent:
        notes.append(f"No studied customer redeemed a coupon of: {', '.join(silent)}.")
    return tuple(notes)
