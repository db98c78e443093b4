"""Extracts of baskets made elsewhere: one joined CSV file per lifestage, one row per basket, no lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow
import pyarrow.compute

from aisle.sources import Batch
from aisle.sources.csv_files import CsvFile, CsvForm, find_csv
from aisle.sources.dirt import first_repeat
from aisle.sources.kinds import COUNT, DAY, HOUR, ID, MONEY, NUMBER, TEXT, code, days
from aisle.tables import BASKET_EXTRACT, BASKETS, CUSTOMERS, MOMENT, STORES, UNCLASSIFIED, UNDEFINED

FORM = CsvForm(
    {
        "basket_id": ID,
        "cust_id": ID,
        "cust_lifestage": code(CUSTOMERS.columns["lifestage"]),
        "cust_price_sensitivity": code(CUSTOMERS.columns["price_sensitivity"]),
        "store_id": ID,
        "store_format": code(STORES.columns["store_format"]),
        "store_region": TEXT,
        "shop_date": DAY,
        "shop_hour": HOUR,
        "basket_size": code(BASKETS.columns["basket_size"]),
        "basket_type": code(BASKETS.columns["basket_type"]),
        "basket_dominant_mission": code(BASKETS.columns["dominant_mission"]),
        "basket_price_sensitivity": code(BASKETS.columns["price_sensitivity"]),
        "std_quantity": NUMBER,
        "nunique_products": COUNT,
        "n_products": COUNT,
        "sum_spend": MONEY,
    },
    others=frozenset({"time_id", "shop_week", "shop_weekday", "date_from", "date_to"}),
    twice=frozenset({"basket_id", "cust_id", "store_id"}),
)
"""The columns of the join, in any order, its keys once or more often."""

_NAMES = {
    "cust_id": "customer_id",
    "cust_lifestage": "lifestage",
    "cust_price_sensitivity": "price_sensitivity",
    "basket_dominant_mission": "dominant_mission",
    "std_quantity": "quantity_std",
    "nunique_products": "product_count",
    "n_products": "item_count",
    "sum_spend": "spend",
}
_MICROSECONDS_AN_HOUR = 3_600_000_000


@dataclass(frozen=True)
class BasketExtract:
    """The baskets of the CSV file ``path``, or of all those in a folder or zip archive: a ready extract.

    The rows are the table ``basket_extract`` and nothing else: without lines there are no canonical tables, and nothing
    about products but their number. So the stage ``adopt`` takes them where ``fetch`` and ``extract`` would take
    others. A null or undefined lifestage is the cohort "unclassified". ``std_quantity`` must be a population standard
    deviation, as MySQL's STD is.
    """

    path: str | Path

    def batches(self) -> Iterator[Batch]:
        """None.

        Raises:
            ValueError: always: see the class.
        """
        raise ValueError(
            f"{self.path}: an extract of baskets has no lines, so it cannot become canonical tables; "
            "use stage=adopt, then stage=features."
        )

    def extract(self) -> pyarrow.Table:
        """One row per basket, sorted by id: contract `aisle.tables.BASKET_EXTRACT`.

        Raises:
            FileNotFoundError: there is nothing at the path.
            ValueError: a file is empty, foreign, lacks a column or has another, holds values of another type, or
                columns that are there twice and differ; a basket occurs twice, also in two files; a basket has more
                products than items; or a customer has two lifestages or price sensitivities.
        """
        files = find_csv(Path(self.path), "the extracts of baskets")
        tables = [_rows(file) for file in files]
        rows = pyarrow.concat_tables(tables)
        ends = [sum(table.num_rows for table in tables[: number + 1]) for number in range(len(tables))]
        origin = _Origin(files, ends)
        repeat = first_repeat(rows.column("basket_id"))
        if repeat is not None:
            origin.refuse(repeat, "basket_id", f"{rows.column('basket_id')[repeat].as_py()!r} was there before")
        more = pyarrow.compute.greater(rows.column("product_count"), rows.column("item_count"))
        place = pyarrow.compute.index(more, True).as_py()
        if place >= 0:
            origin.refuse(place, "nunique_products", "a basket must not have more products than items, n_products")
        for column in ("lifestage", "price_sensitivity"):
            _check_one(rows, column, origin)
        return BASKET_EXTRACT.check(rows.sort_by("basket_id"), str(self.path))


@dataclass(frozen=True)
class _Origin:
    """Where the rows of several files are from; ``ends`` is the number of rows up to the end of each file."""

    files: list[CsvFile]
    ends: list[int]

    def refuse(self, row: int, column: str, why: str) -> NoReturn:
        number = next(place for place, end in enumerate(self.ends) if row < end)
        line = self.files[number].line(row - (self.ends[number - 1] if number else 0))
        raise ValueError(f"{self.files[number]}, line {line}, column {column}: {why}; mend the extract.")


def _rows(file: CsvFile) -> pyarrow.Table:
    rows = pyarrow.concat_tables(file.parts(FORM))
    hours = days(rows.column("shop_date")) * 24 + rows.column("shop_hour").to_numpy()
    lifestages = rows.column("cust_lifestage").fill_null(UNDEFINED)
    unclassified = pyarrow.compute.equal(lifestages, UNDEFINED)
    named = rows.rename_columns([_NAMES.get(name, name) for name in rows.column_names])
    columns = {name: named.column(name) for name in BASKET_EXTRACT.columns if name != "shopped_at"}
    columns["lifestage"] = pyarrow.compute.if_else(unclassified, UNCLASSIFIED, lifestages)
    columns["shopped_at"] = pyarrow.array((hours * _MICROSECONDS_AN_HOUR).astype("datetime64[us]"), MOMENT)
    return pyarrow.table(columns)


def _check_one(rows: pyarrow.Table, column: str, origin: _Origin) -> None:
    """That a customer has one value in all rows."""
    values = rows.select(["customer_id", column]).to_pandas()
    first = values.groupby("customer_id", sort=False)[column].transform(lambda told: told.iloc[0])
    differs = (values[column] != first) & ~(values[column].isna() & first.isna())
    if differs.any():
        place = int(differs.to_numpy().argmax())
        customer = values["customer_id"].iloc[place]
        got = f"{first.iloc[place]} before and {values[column].iloc[place]} here"
        origin.refuse(place, f"cust_{column}", f"customer {customer} must have the same in all rows; got {got}")
