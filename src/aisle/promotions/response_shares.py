"""How each group responded to each type of campaign, beside the same customers' earlier weeks."""

from typing import Any, Final

import numpy as np
import pandas as pd

from aisle.promotions.gains import Resamples, interval
from aisle.promotions.responses import MEASURED
from aisle.promotions.shrinkage import shrunken_shares

EVERYBODY: Final = "everybody"
GROUPINGS: Final = (EVERYBODY, "lifestage", "kind", "segment")
"""Everybody together; by lifestage; by kind of segment over all lifestages; by lifestage and segment."""
RESPONSES: Final = {
    "campaign_type": "string",
    "grouping": "string",
    "group": "string",
    "mailing_count": "int64",
    "customer_count": "int64",
    "responder_count": "int64",
    "share": "float64",
    "low": "float64",
    "high": "float64",
    "coupons_per_responder": "float64",
    **{f"{name}_change{end}": "float64" for name in MEASURED for end in ("", "_low", "_high")},
}
"""Columns of the table of responses. ``share``: of the customers who received the type, those who ever redeemed.

Shares are drawn towards those of the other groups (`shrunken_shares`). Changes are per customer and week, of the window
less the weeks before it; they are what happened, not what the campaign caused.
"""


def response_shares(
    rows: pd.DataFrame, groups: pd.DataFrame, *, draws: int, confidence: float, seed: int
) -> pd.DataFrame:
    """The table `RESPONSES` over the rows of `responses` that received; ``groups`` (rows alike) has `GROUPINGS`."""
    received = rows["received"].to_numpy(dtype=bool)
    mailed, members = rows[received], groups[received]
    parts: list[dict[str, Any]] = []
    for kind, own in mailed.groupby("campaign_type", sort=True):
        for grouping in GROUPINGS:
            names = members.loc[own.index, grouping]
            counted = _counted(own, names)
            shares = shrunken_shares(counted["responder_count"], counted["customer_count"], confidence=confidence)
            for group, share in shares.iterrows():
                inside = own[names == group]
                parts.append(
                    {
                        "campaign_type": kind,
                        "grouping": grouping,
                        "group": group,
                        "mailing_count": len(inside),
                        **{str(name): value for name, value in share.items()},
                        "coupons_per_responder": _per_responder(inside),
                        **_changes(inside, draws, confidence, seed),
                    }
                )
    return pd.DataFrame(parts, columns=list(RESPONSES)).astype(RESPONSES)


def _counted(rows: pd.DataFrame, names: "pd.Series[str]") -> pd.DataFrame:
    """Customers of each group who received, and who ever redeemed."""
    told = rows.assign(group=names)
    customers = told.groupby("group", sort=True)["customer_id"].nunique()
    responders = told[told["redeemed"].astype(bool)].groupby("group")["customer_id"].nunique()
    return pd.DataFrame(
        {"customer_count": customers, "responder_count": responders.reindex(customers.index, fill_value=0)}
    )


def _per_responder(rows: pd.DataFrame) -> float:
    redeemed = rows.loc[rows["redeemed"].astype(bool), "redeemed_coupons"]
    return float(redeemed.mean()) if len(redeemed) else float("nan")


def _changes(rows: pd.DataFrame, draws: int, confidence: float, seed: int) -> dict[str, float]:
    number = np.unique(rows["customer_id"].to_numpy(dtype=str), return_inverse=True)[1]
    resamples = Resamples.of(number, draws=draws, seed=seed)
    found: dict[str, float] = {}
    for name in MEASURED:
        means = resamples.mean(rows[f"{name}_change"].to_numpy(dtype=np.float64))
        ends = interval(means, confidence) if number.max() > 0 else (float(means[0]), float("nan"), float("nan"))
        found.update(zip([f"{name}_change{end}" for end in ("", "_low", "_high")], ends, strict=True))
    return found
