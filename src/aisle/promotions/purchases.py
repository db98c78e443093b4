"""Who bought what, when, and below its shelf price or not, as numbers; and sums of it over customers and days."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.features.block import EPOCH

Flags = npt.NDArray[np.bool_]
UNKNOWN: Final = "unknown"
"""The department or product group of products that have none."""


def day_of(day: date) -> int:
    """Days since 1970-01-01.

    >>> day_of(date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


@dataclass(frozen=True, eq=False)
class Purchases:
    """Lines of the studied customers, in the order of their days.

    ``lines``: customer and product as places in ``customers`` and in ``products`` (-1 = not among them), basket as a
    number, day since 1970-01-01, cents, ``discounted``. ``products`` has department and product_group by product_id.
    ``first_day`` and ``last_day`` are those of the data. Without ``discounts_known`` no line is marked as discounted.
    """

    customers: pd.Index
    products: pd.DataFrame
    lines: pd.DataFrame
    first_day: date
    last_day: date
    discounts_known: bool

    @classmethod
    def of(
        cls, baskets: pd.DataFrame, lines: pd.DataFrame, products: pd.DataFrame, discounts: pd.DataFrame | None
    ) -> "Purchases":
        """From basket_id, customer_id, shopped_at; basket_id, product_id, cents; product_id and its two groups.

        ``discounts`` (basket_id, product_id) are the lines bought below their shelf price; None where the source does
        not tell. Lines of other baskets are left out.
        """
        customers = pd.Index(np.unique(baskets["customer_id"].to_numpy(dtype=object)), name="customer_id")
        tree = products.set_index("product_id")[["department", "product_group"]].fillna(UNKNOWN).sort_index()
        place = pd.Index(baskets["basket_id"]).get_indexer(pd.Index(lines["basket_id"]))
        days = (baskets["shopped_at"].to_numpy().astype("datetime64[D]")).astype(np.int64)
        owner = customers.get_indexer(pd.Index(baskets["customer_id"]))
        discounted = np.zeros(len(lines), dtype=bool)
        if discounts is not None:
            keys = ["basket_id", "product_id"]
            discounted = pd.MultiIndex.from_frame(lines[keys]).isin(pd.MultiIndex.from_frame(discounts[keys]))
        table = pd.DataFrame(
            {
                "customer": owner[place],
                "basket": place,
                "day": days[place],
                "product": tree.index.get_indexer(pd.Index(lines["product_id"])),
                "cents": lines["cents"].to_numpy(dtype=np.int64),
                "discounted": discounted,
            }
        )[place >= 0]
        in_time = table.sort_values(["day", "basket", "product"], kind="stable", ignore_index=True)
        ends = baskets["shopped_at"].min().date(), baskets["shopped_at"].max().date()
        return cls(customers, tree, in_time, *ends, discounts is not None)

    def between(self, first: int, until: int) -> pd.DataFrame:
        """The lines of the days ``first`` to ``until``, the latter not included."""
        begin, end = np.searchsorted(self.lines["day"].to_numpy(), [first, until])
        return self.lines.iloc[begin:end]

    def bought(self, first: int, until: int, products: Flags | None = None) -> pd.DataFrame:
        """Spend (major units) and baskets of every customer from ``first`` on and before ``until``, 0 for who has none.

        ``products`` marks those that count, by their place; None: all, also those that are unknown.
        """
        rows = self.between(first, until)
        if products is not None:
            known = np.append(products, False)  # the place -1 is the last
            rows = rows[known[rows["product"].to_numpy()]]
        return self._totals(rows)

    def discount_use(self, first: int, until: int) -> pd.DataFrame:
        """Lines and spend of every customer in these days, and those of them bought below the shelf price."""
        rows = self.between(first, until)
        owner, cheap = rows["customer"].to_numpy(), rows["discounted"].to_numpy()
        count = len(self.customers)
        return pd.DataFrame(
            {
                "lines": np.bincount(owner, minlength=count),
                "discounted_lines": np.bincount(owner[cheap], minlength=count),
                "spend": np.bincount(owner, weights=rows["cents"] / 100, minlength=count),
                "discounted_spend": np.bincount(owner[cheap], weights=rows["cents"][cheap] / 100, minlength=count),
            },
            index=self.customers,
        )

    def _totals(self, rows: pd.DataFrame) -> pd.DataFrame:
        owner, count = rows["customer"].to_numpy(), len(self.customers)
        first_lines = rows.drop_duplicates("basket")["customer"].to_numpy()
        return pd.DataFrame(
            {
                "spend": np.bincount(owner, weights=rows["cents"] / 100, minlength=count),
                "baskets": np.bincount(first_lines, minlength=count).astype(np.float64),
            },
            index=self.customers,
        )
