"""How much customers buy below the shelf price, by segment, lifestage and all together."""

from typing import Final

import numpy as np
import pandas as pd

from aisle.promotions.gains import Resamples, interval

_SHARES: Final = {
    "discounted_line_share": ("discounted_lines", "lines"),
    "discounted_spend_share": ("discounted_spend", "spend"),
}
DISCOUNT_USE: Final = {
    "grouping": "string",
    "group": "string",
    "customer_count": "int64",
    **{f"{share}{end}": "float64" for share in _SHARES for end in ("", "_low", "_high")},
}
"""Columns of the table of discount use; shares in [0, 1] of all the group's lines or spend, with intervals."""


def discount_use(
    used: pd.DataFrame, groups: pd.DataFrame, *, fewest: int, draws: int, confidence: float, seed: int
) -> pd.DataFrame:
    """The table `DISCOUNT_USE` of every group of every grouping (column of ``groups``, by customer).

    ``used`` is what `Purchases.discount_use` gives. Intervals resample the group's customers; a group of fewer than
    ``fewest`` has no shares, as an interval from so few would promise too much.
    """
    rows = []
    for grouping in map(str, groups):
        for group, members in groups.groupby(grouping, sort=True).groups.items():
            own = used.reindex(members).dropna()
            row = {"grouping": grouping, "group": group, "customer_count": len(own)}
            if len(own) >= fewest:
                resamples = Resamples.of(np.arange(len(own)), draws=draws, seed=seed)
                for name, (part, whole) in _SHARES.items():
                    cheap, bought = (resamples.mean(own[one].to_numpy(dtype=np.float64)) for one in (part, whole))
                    share = np.divide(cheap, bought, out=np.full(len(bought), np.nan), where=bought > 0)
                    row[name], row[f"{name}_low"], row[f"{name}_high"] = interval(share, confidence)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(DISCOUNT_USE)).astype(DISCOUNT_USE)
