"""A grocery star: six tables of till data, as dunnhumby's "Let's Get Sort-of-Real" is kept in databases."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute

from aisle.sources import Batch
from aisle.sources.dirt import Rule, dirt_table, first_broken
from aisle.sources.money import not_whole_cents, to_cents, to_decimals
from aisle.sources.star_files import StarFile, find_star
from aisle.tables import CANONICAL, MOMENT

Numbers = npt.NDArray[np.int64]

LINE_NO_BASKET = Rule("lines", "The basket is not in Baskets.")
LINE_NO_PRODUCT = Rule("lines", "The product is not in Products.")
LINE_NO_STORE = Rule("lines", "The store is not in Stores.")
LINE_NO_TIME = Rule("lines", "The time is not in Timestamps.")
LINE_NO_ITEM = Rule("lines", "The quantity is missing or below 1.")
LINE_NO_SPEND = Rule("lines", "The spend is missing, negative or no number.")
LINE_CONFLICT = Rule("lines", "The basket has more than one customer, store or time.")
LINE_ROUNDED = Rule("lines", "The spend was not in whole cents and was rounded.", "changed")
LINE_REPEATED = Rule("lines", "The product was in the basket before: quantity and spend were added up.", "changed")
BASKET_EMPTY = Rule("baskets", "No line of the basket is left.")
BASKET_STRANGER = Rule(
    "baskets", "The customer is not in Customers: the basket counts as one without a card.", "changed"
)
POLICY = (
    LINE_NO_BASKET,
    LINE_NO_PRODUCT,
    LINE_NO_STORE,
    LINE_NO_TIME,
    LINE_NO_ITEM,
    LINE_NO_SPEND,
    LINE_CONFLICT,
    LINE_ROUNDED,
    LINE_REPEATED,
    BASKET_EMPTY,
    BASKET_STRANGER,
)

_UNSEEN, _STRANGER, _NOBODY = -3, -2, -1
"""In place of a row number: the basket had no line yet, the customer is not in Customers, no customer."""
_LINE = np.dtype([("basket", "i4"), ("product", "i4"), ("quantity", "i8"), ("cents", "i8")])
_HOURS_A_DAY, _MICROSECONDS_AN_HOUR = 24, 3_600_000_000
_FIRST_MONDAY = -3
"""The day on which the week of 1970-01-01 began, in days since then."""


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
    """

    path: str | Path

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
            receipts, counts = _sort_into_weeks(files["Transactions"], star, Path(folder))
            for file in sorted(Path(folder).iterdir()):
                lines = np.fromfile(file, dtype=_LINE)
                fitting = ~receipts.conflict[lines["basket"]]
                counts[LINE_CONFLICT] += int((~fitting).sum())
                week = _add_repeats(lines[fitting])
                counts[LINE_REPEATED] += int(fitting.sum()) - len(week)
                if len(week):
                    yield Batch.checked("baskets", _baskets(star, receipts, np.unique(week["basket"])), f"{self.path}")
                    yield Batch.checked("lines", _lines(star, week), f"{self.path}")
        kept = (receipts.hour != _UNSEEN) & ~receipts.conflict
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
            hours=_hours(times, files["Timestamps"].path),
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


def _sort_into_weeks(file: StarFile, star: _Star, folder: Path) -> tuple[_Receipts, Counter[Rule]]:
    """Writes the lines that keep the rules into one file per week, Monday to Sunday, whose names sort by time."""
    receipts, counts = _Receipts(star.baskets.num_rows), Counter[Rule]()
    for part in file.parts():
        basket = _row_numbers(part.column("basket_id"), star.baskets.column("basket_id"))
        product = _row_numbers(part.column("prod_id"), star.products.column("product_id"))
        store = _row_numbers(part.column("store_id"), star.stores.column("store_id"))
        time = _row_numbers(part.column("time_id"), star.time_ids)
        named = part.column("cust_id").is_valid().to_numpy()
        customer = _row_numbers(part.column("cust_id"), star.customers.column("customer_id"))
        customer = np.where(named & (customer == _NOBODY), _STRANGER, customer)
        quantity = part.column("quantity").fill_null(0).to_numpy()
        spend = part.column("spend").fill_null(np.nan).to_numpy()
        clean, broken = first_broken(
            {
                LINE_NO_BASKET: basket < 0,
                LINE_NO_PRODUCT: product < 0,
                LINE_NO_STORE: store < 0,
                LINE_NO_TIME: time < 0,
                LINE_NO_ITEM: quantity < 1,
                LINE_NO_SPEND: ~(np.isfinite(spend) & (spend >= 0)),
            }
        )
        counts.update(broken)
        counts[LINE_ROUNDED] += int(not_whole_cents(spend[clean]).sum())
        hour = star.hours[time[clean]]
        receipts.add(basket[clean], customer=customer[clean], store=store[clean], hour=hour)
        lines = np.empty(int(clean.sum()), dtype=_LINE)
        lines["basket"], lines["product"] = basket[clean], product[clean]
        lines["quantity"], lines["cents"] = quantity[clean], to_cents(spend[clean])
        weeks = (hour // _HOURS_A_DAY - _FIRST_MONDAY) // 7
        for week in np.unique(weeks):
            with (folder / f"{week:06}").open("ab") as week_file:
                lines[weeks == week].tofile(week_file)
    return receipts, counts


def _row_numbers(ids: pyarrow.ChunkedArray, known: pyarrow.ChunkedArray) -> Numbers:
    """The place of each id among the ``known``; -1 where it is null or not among them."""
    places = pyarrow.compute.index_in(ids, value_set=known, skip_nulls=True)
    return np.asarray(places.fill_null(-1).to_numpy(), dtype=np.int64)


def _add_repeats(lines: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """One line per basket and product, sorted by both."""
    ordered = lines[np.lexsort((lines["product"], lines["basket"]))]
    changed = (np.diff(ordered["basket"]) != 0) | (np.diff(ordered["product"]) != 0)
    starts = np.flatnonzero(np.r_[True, changed])[: len(ordered)]
    summed = ordered[starts]
    for column in ("quantity", "cents"):
        summed[column] = np.add.reduceat(ordered[column], starts) if len(starts) else 0
    return summed


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
        }
    )


def _lines(star: _Star, lines: npt.NDArray[np.void]) -> pyarrow.Table:
    return pyarrow.table(
        {
            "basket_id": star.baskets.column("basket_id").take(pyarrow.array(lines["basket"])),
            "product_id": star.products.column("product_id").take(pyarrow.array(lines["product"])),
            "quantity": pyarrow.array(lines["quantity"]),
            "spend": to_decimals(lines["cents"]),
        }
    )


def _renamed(table: str, rows: pyarrow.Table) -> pyarrow.Table:
    return rows.rename_columns(list(CANONICAL[table].columns))


def _hours(times: pyarrow.Table, path: Path) -> Numbers:
    """Hours since 1970-01-01 from the columns shop_date (yyyymmdd) and shop_hour (0 to 23)."""
    written = times.column("shop_date").to_pandas()
    dates = pd.to_datetime(written, format="%Y%m%d", errors="coerce")
    hours = times.column("shop_hour").to_pandas()
    for column, values, wrong, meaning in (
        ("shop_date", written, dates.isna() | (dates < pd.Timestamp(0)), "a day from 1970 on, written yyyymmdd"),
        ("shop_hour", hours, ~hours.between(0, 23), "an hour from 0 to 23"),
    ):
        if wrong.any():
            message = f"{path}: Timestamps.{column} must be {meaning}; {int(wrong.sum())} rows are not, the first is "
            raise ValueError(f"{message}{values[wrong].tolist()[0]!r}.")
    days = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.asarray(days * _HOURS_A_DAY + hours.to_numpy(np.int64))
