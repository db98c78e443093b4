"""What a store's baskets are like and when they are bought; and the extract seen by store instead of by customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from aisle.features.block import by_customer
from aisle.features.exact import cents, ratio, total
from aisle.tables import BASKET_EXTRACT, GROUP_SPEND, PRICE_SENSITIVITIES, STORE_GROUP_SPEND

UNKNOWN_FORMAT = "unknown"
"""The cohort of stores whose format the source does not know."""
_SATURDAY = 5
_WEEKEND_DAYS, _WEEKDAYS = 2, 5


@dataclass(frozen=True)
class Stores:
    """Means of a store's baskets, shares of their price sensitivity, when they are bought (8 columns).

    Of the extract's baskets, so of the customers drawn for it. ``weekend_share``, in [0, 1], is corrected for the
    number of days: the baskets of a day of the weekend beside those of another day, .5 is as many. ``hour_mean`` is of
    full hours, 0 to 23. A store with fewer than ``minimum_baskets`` has no features: its means are those of a few
    customers. Rows are stores; the cohort is the format, which is no feature.
    """

    minimum_baskets: int

    def __post_init__(self) -> None:
        if self.minimum_baskets < 1:
            raise ValueError(f"features.stores.minimum_baskets must be at least 1; got {self.minimum_baskets}.")

    @property
    def undefined(self) -> Mapping[str, str]:
        return {
            "spend_mean": f"fewer than {self.minimum_baskets} baskets",
            "basket_price_sensitivity_la_share": "no basket with a price sensitivity",
        }

    @property
    def rows_are(self) -> str:
        return "stores"

    def regrouped(self, extract: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        return _ByStore(extract)

    def query(self, extract: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        baskets = extract[BASKET_EXTRACT.name]
        count = baskets.count().cast("int64")
        weekend = total((baskets.shopped_at.day_of_week.index() >= _SATURDAY).cast("int64"))
        known = baskets.basket_price_sensitivity.count()
        sensitivities = {
            f"basket_price_sensitivity_{code.lower()}_share": ratio(
                total((baskets.basket_price_sensitivity == code).cast("int64")), known
            )
            for code in PRICE_SENSITIVITIES
        }
        return baskets.group_by("customer_id").agg(
            basket_count=count,
            spend_mean=ratio(cents(baskets.spend.sum()), count * 100),
            item_count_mean=ratio(total(baskets.item_count), count),
            product_count_mean=ratio(total(baskets.product_count), count),
            **sensitivities,
            hour_mean=ratio(total(baskets.shopped_at.hour().cast("int64")), count),
            weekend_share=ratio(
                weekend * _WEEKDAYS, weekend * _WEEKDAYS + (count - weekend) * ibis.literal(_WEEKEND_DAYS)
            ),
        )

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        """See `aisle.features.FeatureBlock`."""
        found = by_customer(rows)
        enough = found[found["basket_count"] >= self.minimum_baskets]
        return enough.drop(columns="basket_count").reindex(found.index)


class _ByStore(dict[str, ir.Table]):
    """The extract's tables by store: where blocks look for a customer they find a store, and its format as lifestage.

    Spend per product group is that of the store; where the extract lacks it, it is said to lack that table.
    """

    def __init__(self, extract: Mapping[str, ir.Table]) -> None:
        baskets = extract[BASKET_EXTRACT.name]
        format_ = baskets.store_format.fill_null(UNKNOWN_FORMAT)
        super().__init__({BASKET_EXTRACT.name: baskets.mutate(customer_id=baskets.store_id, lifestage=format_)})
        if STORE_GROUP_SPEND.name in extract:
            self[GROUP_SPEND.name] = extract[STORE_GROUP_SPEND.name].rename(customer_id="store_id")
        self._extract = extract

    def __missing__(self, table: str) -> ir.Table:
        return self._extract[STORE_GROUP_SPEND.name if table == GROUP_SPEND.name else table]
