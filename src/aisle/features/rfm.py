"""Recency, frequency, monetary value and tenure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from aisle.features.block import EPOCH, by_customer
from aisle.features.exact import cents, day_number, ratio


@dataclass(frozen=True)
class Rfm:
    """recency_days since the last visit, frequency in baskets, monetary in money, tenure_days since the first visit.

    Days are counted back from the reference date (the day after the window). Defined for every customer.
    """

    @property
    def undefined(self) -> Mapping[str, str]:
        return {}

    def query(self, extract: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        baskets = extract["basket_extract"]
        today = (reference_date - EPOCH).days
        return baskets.group_by("customer_id").agg(
            recency_days=today - day_number(baskets.shopped_at.max()),
            frequency=baskets.count(),
            monetary=ratio(cents(baskets.spend.sum()), ibis.literal(100)),
            tenure_days=today - day_number(baskets.shopped_at.min()),
        )

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        return by_customer(rows)
