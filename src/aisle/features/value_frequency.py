"""Money spent and frequency of purchase, from orders that have a status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from aisle.features.exact import cents, day_number, total

FREQUENCY, SPENT = "frequency", "spent"


@dataclass(frozen=True)
class ValueFrequency:
    """Two numbers by customer, over the canonical baskets of the ``statuses``: spent and frequency.

    ``spent`` is the money paid, in major units. ``frequency`` is the number of orders, or of payments as published
    studies count them (``counts``), times the share of the observed period that lies after the customer's first
    order, in [0, 1]; the period reaches from the first to the last day with an order. ``logs`` takes log(1 + x) of
    both. Customers above ``most_frequency`` or ``most_spent`` (before logs; null = no limit) get no features.
    """

    statuses: Sequence[str]
    counts: Literal["orders", "payments"]
    logs: bool
    most_frequency: float | None
    most_spent: float | None

    def __post_init__(self) -> None:
        if self.counts not in ("orders", "payments"):
            raise ValueError(f"features.value_frequency.counts must be orders or payments; got {self.counts!r}.")
        if not self.statuses:
            raise ValueError("features.value_frequency.statuses must name the status of an order at least; got none.")

    @property
    def undefined(self) -> Mapping[str, str]:
        return {FREQUENCY: f"frequency over {self.most_frequency}", SPENT: f"spent over {self.most_spent}"}

    def query(self, tables: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        """Exact numbers by customer_id from the canonical baskets and lines."""
        lines = tables["lines"]
        sums = lines.group_by("basket_id").agg(lines_cents=cents(lines.spend.sum()))
        baskets = tables["baskets"].left_join(sums, "basket_id").drop("basket_id_right")
        orders = baskets.drop_null("customer_id").filter(baskets.status.isin(list(self.statuses)))
        day = day_number(orders.shopped_at)
        return orders.group_by("customer_id").agg(
            order_count=orders.count().cast("int64"),
            payment_count=total(orders.payment_count),
            spent_cents=total(cents(orders.paid).fill_null(orders.lines_cents).fill_null(0)),
            first_day=day.min(),
            last_day=day.max(),
        )

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        """See `aisle.features.FeatureBlock`.

        Raises:
            ValueError: no order has one of the statuses, payments are to be counted and are not known, or all orders
                are of one day.
        """
        numbers = rows.set_index("customer_id").astype("float64")
        if numbers.empty:
            raise ValueError(f"No order of a customer has one of the statuses {list(self.statuses)}.")
        count = numbers["payment_count" if self.counts == "payments" else "order_count"]
        if count.isna().any():
            raise ValueError("The source does not say with how many payments a basket was paid; count orders instead.")
        begin, end = numbers["first_day"].min(), numbers["last_day"].max()
        if begin == end:
            raise ValueError("All orders are of one day: there is no period to weight their frequency by.")
        frequency = count * (end - numbers["first_day"]) / (end - begin)
        features = pd.DataFrame({FREQUENCY: frequency, SPENT: numbers["spent_cents"] / 100})
        for name, most in ((FREQUENCY, self.most_frequency), (SPENT, self.most_spent)):
            if most is not None:
                features = features.assign(**{name: features[name].where(features[name] <= most)})
        if not self.logs:
            return features
        return pd.DataFrame(np.log1p(features.to_numpy()), features.index, features.columns)
