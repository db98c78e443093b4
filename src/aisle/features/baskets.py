"""The classic block: 38 numbers that describe a customer's baskets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from aisle.features.block import by_customer
from aisle.features.exact import cents, day_number, mean_of_double, ratio, total
from aisle.tables import BASKET_SIZES, BASKET_TYPES, MISSIONS, PRICE_SENSITIVITIES

_KINDS: Mapping[str, tuple[str, ...]] = {
    "basket_size": BASKET_SIZES,
    "basket_price_sensitivity": tuple(PRICE_SENSITIVITIES),
    "basket_type": BASKET_TYPES,
    "dominant_mission": MISSIONS,
}


@dataclass(frozen=True)
class Baskets:
    """Means of the four basket numbers, kinds of baskets, price sensitivity, days between visits (38 columns).

    A visit is a day with at least one basket. A customer with a single visit has no days between visits, so these
    three are undefined and the customer is left out with that reason. ``_max`` of a kind is 1 when the customer ever
    had such a basket, ``_share`` the share of baskets that are so, in [0, 1].
    """

    @property
    def undefined(self) -> Mapping[str, str]:
        return {"gap_days_min": "one visit"}

    def query(self, extract: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        baskets = extract["basket_extract"]
        count = baskets.count().cast("int64")
        numbers = baskets.group_by("customer_id").agg(
            basket_count=count,
            quantity_std_mean=mean_of_double(baskets.quantity_std),
            product_count_mean=ratio(total(baskets.product_count), count),
            item_count_mean=ratio(total(baskets.item_count), count),
            spend_mean=ratio(cents(baskets.spend.sum()), count * 100),
            spend_max=ratio(cents(baskets.spend.max()), ibis.literal(100)),
            **dict(_sensitivities(baskets)),
            **dict(_kinds(baskets)),
        )
        gaps = _days_between_visits(baskets)
        return numbers.left_join(gaps, "customer_id").drop("customer_id_right")

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        return by_customer(rows)


def _sensitivities(baskets: ir.Table) -> Iterator[tuple[str, ir.Value]]:
    for code in PRICE_SENSITIVITIES:
        yield f"price_sensitivity_{code}", (baskets.price_sensitivity == code).cast("int64").max()


def _kinds(baskets: ir.Table) -> Iterator[tuple[str, ir.Value]]:
    for kind, codes in _KINDS.items():
        known = baskets[kind].count()
        for code in codes:
            is_code = (baskets[kind] == code).cast("int64")
            name = code.replace(" ", "_").lower()
            yield f"{kind}_{name}_max", is_code.max()
            yield f"{kind}_{name}_share", ratio(total(is_code), known)


def _days_between_visits(baskets: ir.Table) -> ir.Table:
    days = baskets.select("customer_id", day=day_number(baskets.shopped_at)).distinct()
    earlier = days.day.lag().over(group_by=days.customer_id, order_by=days.day)
    gaps = days.mutate(gap=days.day - earlier)
    return gaps.group_by("customer_id").agg(
        gap_days_min=gaps.gap.min(),
        gap_days_max=gaps.gap.max(),
        gap_days_mean=ratio(total(gaps.gap), gaps.gap.count()),
    )
