"""What a segment over- and under-buys beside its lifestage, and which of it may be more than chance."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from aisle.partition import NOISE
from aisle.profiles import SEGMENT
from aisle.promotions.purchases import Purchases, day_of

BUYING: Final = {
    "lifestage": "string",
    "segment": "int64",
    "level": "string",
    "name": "string",
    "customer_count": "int64",
    "buyer_count": "int64",
    "share": "float64",
    "lifestage_share": "float64",
    "index": "float64",
    "p_value": "float64",
    "q_value": "float64",
    "differs": "bool",
}
"""Columns of the table of buying. ``index`` = 100 x share of the segment's spend / share of its lifestage's."""
LEVELS: Final = ("product_group", "department")


def buying(
    labels: pd.DataFrame, purchases: Purchases, *, fewest_buyers: int, false_discovery_rate: float
) -> pd.DataFrame:
    """Product groups and departments of every segment, a row each that at least ``fewest_buyers`` of a lifestage buy.

    The p-value is that of Mann & Whitney's test between the shares of spend of the segment's customers and of the other
    customers of its lifestage; q-values are Benjamini & Hochberg's over all rows of a level, and ``differs`` is where
    they are at most ``false_discovery_rate``. Where segments were made from the same baskets, that they differ in what
    depends on basket sizes is no evidence for them. Sorted by lifestage, segment, level and name.
    """
    parts = [pd.DataFrame(columns=list(BUYING))]
    for level in LEVELS:
        spend = _spend(purchases, level)
        lifestages = labels.groupby("lifestage", sort=True)
        rows = [row for _, own in lifestages for row in _rows(own, spend, level, fewest_buyers)]
        if rows:
            table = pd.DataFrame(rows)
            tested = table["p_value"].notna()
            if tested.any():
                table.loc[tested, "q_value"] = stats.false_discovery_control(table.loc[tested, "p_value"])
            parts.append(table.assign(differs=table["q_value"] <= false_discovery_rate))
    joined = pd.concat(parts, ignore_index=True)[list(BUYING)].astype(BUYING)
    return joined.sort_values([*SEGMENT, "level", "name"], kind="stable", ignore_index=True)


def _spend(purchases: Purchases, level: str) -> pd.DataFrame:
    """Spend in cents by customer and name of the ``level``."""
    names, number = np.unique(purchases.products[level].to_numpy(dtype=str), return_inverse=True)
    rows = purchases.between(day_of(purchases.first_day), day_of(purchases.last_day) + 1)
    known = rows[rows["product"] >= 0]
    cell = known["customer"].to_numpy() * len(names) + number[known["product"].to_numpy()]
    size = len(purchases.customers) * len(names)
    spend = np.bincount(cell, weights=known["cents"], minlength=size).reshape(-1, len(names))
    return pd.DataFrame(spend, index=purchases.customers, columns=names)


def _rows(labels: pd.DataFrame, spend: pd.DataFrame, level: str, fewest: int) -> "list[dict[str, object]]":
    own = spend.reindex(labels["customer_id"]).fillna(0.0)
    shares = own.div(own.sum(axis=1).where(own.sum(axis=1) > 0), axis=0).fillna(0.0).to_numpy()
    bought, everybody = own.to_numpy(), own.to_numpy().sum(axis=0)
    kept = np.flatnonzero((bought > 0).sum(axis=0) >= fewest)
    segment = labels["segment"].to_numpy()
    found: list[dict[str, object]] = []
    for one in np.unique(segment[segment != NOISE]):
        inside = segment == one
        share = bought[inside].sum(axis=0) / max(bought[inside].sum(), 1.0)
        expected = everybody / max(everybody.sum(), 1.0)
        p = np.full(len(everybody), np.nan)
        if kept.size and inside.any() and not inside.all():
            p[kept] = stats.mannwhitneyu(shares[inside][:, kept], shares[~inside][:, kept], method="asymptotic").pvalue
        found += [
            {
                "lifestage": labels["lifestage"].iloc[0],
                "segment": int(one),
                "level": level,
                "name": str(spend.columns[int(at)]),
                "customer_count": int(inside.sum()),
                "buyer_count": int((bought[inside, at] > 0).sum()),
                "share": share[at],
                "lifestage_share": expected[at],
                "index": 100 * share[at] / expected[at],
                "p_value": p[at],
                "q_value": np.nan,
            }
            for at in kept
        ]
    return found
