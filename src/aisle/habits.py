"""What segments buy and when: product groups, weekdays, hours and store formats, beside their lifestage.

Where the segments were formed on features that hold the same baskets, that they differ here is no evidence for them.
"""

from typing import Final

import numpy as np
import pandas as pd

from aisle.partition import NOISE
from aisle.profiles import SEGMENT

GROUP, WEEKDAY, HOUR, FORMAT = "product group", "weekday", "hour", "store format"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HABITS: Final = {
    "lifestage": "string",
    "segment": "int64",
    "habit": "string",
    "value": "string",
    "customer_count": "int64",
    "share": "float64",
    "lifestage_share": "float64",
    "index": "float64",
}
"""Columns of the table of habits."""


def habits(labels: pd.DataFrame, baskets: pd.DataFrame, group_spend: pd.DataFrame) -> pd.DataFrame:
    """How the spend and baskets of every segment are spread, one row per lifestage, segment, habit and value.

    ``baskets``: customer_id, shopped_at, store_format, a row each. ``group_spend``: customer_id, product_group, cents.
    ``share`` in [0, 1] is that of all the segment's spend (product group) or baskets (weekday, hour from 00 to 23,
    store format) with the value, so customers count by how much they buy; ``customer_count`` are those who have any.
    ``lifestage_share`` is the same of the whole lifestage, with those in no segment; ``index`` = 100 x share /
    lifestage_share: above 100 a product group is over-bought. What is null is left out of the shares; a habit that is
    null everywhere has no rows. Sorted by lifestage, segment, habit and value, weekdays in their order.
    """
    counted = baskets.assign(amount=1)
    day = counted["shopped_at"].dt.day_of_week
    parts = [
        _spread(labels, group_spend.rename(columns={"product_group": "value", "cents": "amount"}), GROUP),
        _spread(labels, counted.assign(value=day.map(dict(enumerate(WEEKDAYS)))), WEEKDAY),
        _spread(labels, counted.assign(value=counted["shopped_at"].dt.strftime("%H")), HOUR),
        _spread(labels, counted.rename(columns={"store_format": "value"}), FORMAT),
    ]
    table = pd.concat(parts, ignore_index=True)[list(HABITS)].astype(HABITS)
    place = {name: f"{number}" for number, name in enumerate(WEEKDAYS)}
    in_order = table["value"].where(table["habit"] != WEEKDAY, table["value"].map(place))
    keys = table[[*SEGMENT, "habit"]].assign(place=in_order)
    order = keys.sort_values([*SEGMENT, "habit", "place"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _spread(labels: pd.DataFrame, amounts: pd.DataFrame, habit: str) -> pd.DataFrame:
    known = amounts.dropna(subset=["value"])
    by_customer = known.groupby(["customer_id", "value"], as_index=False)["amount"].sum()
    joined = labels.merge(by_customer[by_customer["amount"] > 0], on="customer_id")
    keys = [*SEGMENT, "value"]
    sums = joined.groupby(keys)["amount"].sum()
    whole = joined.groupby(["lifestage", "value"])["amount"].sum()
    expected = (whole / whole.groupby("lifestage").sum()).rename("lifestage_share").reset_index()
    inside = joined.loc[joined["segment"] != NOISE, SEGMENT].drop_duplicates()
    table = inside.merge(expected, on="lifestage")
    found = pd.MultiIndex.from_frame(table[keys])
    totals = joined.groupby(SEGMENT)["amount"].sum()
    amount = sums.reindex(found, fill_value=0).to_numpy(dtype=np.float64)
    share = amount / totals.reindex(pd.MultiIndex.from_frame(table[SEGMENT])).to_numpy(dtype=np.float64)
    return table.assign(
        habit=habit,
        customer_count=joined.groupby(keys).size().reindex(found, fill_value=0).to_numpy(),
        share=share,
        index=100 * share / table["lifestage_share"],
    )
