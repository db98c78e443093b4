"""A grocery star: six tables of till data, as dunnhumby's "Let's Get Sort-of-Real" is kept in databases."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow

from aisle.sources import Batch
from aisle.sources.dirt import Rule, Strangers, dirt_table, first_broken
from aisle.sources.kinds import days, weeks
from aisle.sources.line_items import LINE, LINE_POLICY, LinePolicy, Numbers, add_up, line_rows, row_numbers
from aisle.sources.star_files import StarFile, find_star
from aisle.sources.weekly_files import room_in
from aisle.tables import CANONICAL, MOMENT

LINE_NO_BASKET = Rule("lines", "The basket is not in Baskets.")
LINE_NO_PRODUCT = Rule("lines", "The product is not in Products.")
LINE_NO_STORE = Rule("lines", "The store is not in Stores.")
LINE_NO_TIME = Rule("lines", "The time is not in Timestamps.")
LINE_CONFLICT = Rule("lines", "The basket has more than one customer, store or time.")
BASKET_EMPTY = Rule("baskets", "No line of the basket is left.")
BASKET_STRANGER = Rule(
    "baskets", "The customer is not in Customers: the basket counts as one without a card.", "changed"
)
POLICY = (
    LINE_NO_BASKET,
    LINE_NO_PRODUCT,
    LINE_NO_STORE,
    LINE_NO_TIME,
    *LINE_POLICY,
    LINE_CONFLICT,
    BASKET_EMPTY,
    BASKET_STRANGER,
)

_UNSEEN, _STRANGER, _NOBODY = -3, -2, -1
"""In place of a row number: the basket had no line yet, the customer is not in Customers, no customer."""
_HOURS_A_DAY, _MICROSECONDS_AN_HOUR = 24, 3_600_000_000


@dataclass(frozen=True)
class GroceryStar:
    """The canonical tables of the star in the folder ``path``, one Parquet or CSV file per table.

    The product codes 10, 20, 30 and 40 become class, department, product group and division; a basket's customer, store
    and time are those of its lines; codes XX and nulls stay as they are.

    The lines are read once and put, as row numbers of the other tables, into temporary files of one week each (24 bytes
    a line); they come out week by week. Memory holds one week of lines, the baskets' codes and a few numbers per
    basket.

    A line of an unknown basket, product, store or time, without items or without an amount is dropped, and so are the
    lines of a basket with two customers, stores or times: nobody can say whose it was. Baskets without a line go with
    them. The table ``dirt`` counts it all; a line counts under the first rule it breaks, in the order of `POLICY`.
    ``nonpositive_quantity`` is drop, keep or error: `aisle.sources.line_items.LinePolicy`. Columns beyond those that
    are read are passed over: tables of databases have them.
    """

    path: str | Path
    nonpositive_quantity: str = "drop"

    def __post_init__(self) -> None:
        LinePolicy(self.nonpositive_quantity)

    def batches(self) -> Iterator[Batch]:
        """Customers, stores, products, then baskets and lines of each week in turn, then dirt.

        Raises:
            FileNotFoundError: the folder or one of the six files is not there.
            ValueError: a file is empty, foreign, lacks a column, holds values of another type, or repeats a key.
        """
        files = find_star(Path(self.path))
        star = _Star.read(files)
        for table, rows in (("customers", star.customers), ("stores", star.stores), ("products", star.products)):
            yield Batch.checked(table, rows, f"{self.path}")
        with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
            policy = LinePolicy(self.nonpositive_quantity)
            receipts, counts = _sort_into_weeks(files["Transactions"], star, policy, Path(folder))
            kept = np.zeros(star.baskets.num_rows, dtype=bool)
            for file in sorted(Path(folder).iterdir()):
                lines = np.fromfile(file, dtype=LINE)
                fitting = ~receipts.conflict[lines["basket"]]
                counts[LINE_CONFLICT] += int((~fitting).sum())
                week = add_up(lines[fitting], counts)
                if len(week):
                    numbers = np.unique(week["basket"])
                    kept[numbers] = True
                    yield Batch.checked("baskets", _baskets(star, receipts, numbers), f"{self.path}")
                    lines_of_week = line_rows(
                        week, star.baskets.column("basket_id"), star.products.column("product_id")
                    )
                    yield Batch.checked("lines", lines_of_week, f"{self.path}")
        counts[BASKET_EMPTY] = int((~kept).sum())
        counts[BASKET_STRANGER] = int((receipts.customer[kept] == _STRANGER).sum())
        yield Batch.checked("dirt", dirt_table(POLICY, counts), f"{self.path}")


@dataclass(frozen=True, eq=False)
class _Star:
    """Everything but the lines, sorted by key: a row is known by its number."""

    customers: pyarrow.Table
    stores: pyarrow.Table
    products: pyarrow.Table
    baskets: pyarrow.Table
    time_ids: pyarrow.ChunkedArray
    hours: Numbers
    """Hours since 1970-01-01 of each time."""

    @classmethod
    def read(cls, files: Mapping[str, StarFile]) -> "_Star":
        customers = files["Customers"].rows("cust_id")
        times = files["Timestamps"].rows("time_id")
        return cls(
            customers=_renamed("customers", customers.select(["cust_id", "cust_lifestage", "cust_price_sensitivity"])),
            stores=_renamed("stores", files["Stores"].rows("store_id")),
            products=_renamed("products", files["Products"].rows("prod_id")),
            baskets=files["Baskets"].rows("basket_id"),
            time_ids=times.column("time_id"),
            hours=_hours(times),
        )


class _Receipts:
    """What the lines say of each basket: row number of customer and store, hour; and whether they disagree."""

    def __init__(self, basket_count: int) -> None:
        self.customer, self.store, self.hour = np.full((3, basket_count), _UNSEEN, dtype=np.int64)
        self.conflict = np.zeros(basket_count, dtype=bool)

    def add(self, basket: Numbers, *, customer: Numbers, store: Numbers, hour: Numbers) -> None:
        for said, value in ((self.customer, customer), (self.store, store), (self.hour, hour)):
            new = said[basket] == _UNSEEN
            said[basket[new]] = value[new]
            self.conflict[basket[said[basket] != value]] = True


def _sort_into_weeks(file: StarFile, star: _Star, policy: LinePolicy, folder: Path) -> tuple[_Receipts, Counter[Rule]]:
    """Writes the lines that keep the rules into one file per week, Monday to Sunday, whose names sort by time."""
    receipts, counts, strangers = _Receipts(star.baskets.num_rows), Counter[Rule](), Strangers()
    row = 0
    for part in file.parts():
        basket = row_numbers(part.column("basket_id"), star.baskets.column("basket_id"))
        product = row_numbers(part.column("prod_id"), star.products.column("product_id"))
        store = row_numbers(part.column("store_id"), star.stores.column("store_id"))
        time = row_numbers(part.column("time_id"), star.time_ids)
        named = part.column("cust_id").is_valid().to_numpy()
        customer = row_numbers(part.column("cust_id"), star.customers.column("customer_id"))
        customer = np.where(named & (customer == _NOBODY), _STRANGER, customer)
        judged = policy.judge(part.column("quantity"), part.column("spend"), partial(_place, file, row))
        row += part.num_rows
        unknown = {
            LINE_NO_BASKET: ("basket_id", basket < 0),
            LINE_NO_PRODUCT: ("prod_id", product < 0),
            LINE_NO_STORE: ("store_id", store < 0),
            LINE_NO_TIME: ("time_id", time < 0),
        }
        for rule, (column, mask) in unknown.items():
            strangers.add(rule, part.column(column), mask)
        clean, broken = first_broken({rule: mask for rule, (_, mask) in unknown.items()} | dict(judged.broken))
        counts.update(broken)
        hour = star.hours[time[clean]]
        receipts.add(basket[clean], customer=customer[clean], store=store[clean], hour=hour)
        lines = np.empty(int(clean.sum()), dtype=LINE)
        lines["basket"], lines["product"] = basket[clean], product[clean]
        lines["quantity"], lines["cents"] = judged.items[clean], judged.cents(clean, counts)
        week_of_line = weeks(hour // _HOURS_A_DAY)
        for week in np.unique(week_of_line):
            with room_in(folder), (folder / f"{week:06}").open("ab") as week_file:
                week_file.write(lines[week_of_line == week].tobytes())
    strangers.log(file.path, counts)
    return receipts, counts


def _place(file: StarFile, before: int, row: int) -> str:
    return f"{file.place(before + row)}, column quantity"


def _baskets(star: _Star, receipts: _Receipts, numbers: Numbers) -> pyarrow.Table:
    customer = receipts.customer[numbers]
    nobody = customer < 0
    codes = star.baskets.take(pyarrow.array(numbers))
    moments = (receipts.hour[numbers] * _MICROSECONDS_AN_HOUR).astype("datetime64[us]")
    return pyarrow.table(
        {
            "basket_id": codes.column("basket_id"),
            "customer_id": star.customers.column("customer_id").take(pyarrow.array(customer, mask=nobody)),
            "store_id": star.stores.column("store_id").take(pyarrow.array(receipts.store[numbers])),
            "shopped_at": pyarrow.array(moments, MOMENT),
            "basket_size": codes.column("basket_size"),
            "basket_type": codes.column("basket_type"),
            "dominant_mission": codes.column("basket_dominant_mission"),
            "price_sensitivity": codes.column("basket_price_sensitivity"),
            "status": pyarrow.nulls(len(numbers)),
            "paid": pyarrow.nulls(len(numbers)),
            "payment_count": pyarrow.nulls(len(numbers)),
        }
    )


def _renamed(table: str, rows: pyarrow.Table) -> pyarrow.Table:
    return rows.rename_columns(list(CANONICAL[table].columns))


def _hours(times: pyarrow.Table) -> Numbers:
    """Hours since 1970-01-01."""
    return np.asarray(days(times.column("shop_date")) * _HOURS_A_DAY + times.column("shop_hour").to_numpy())
