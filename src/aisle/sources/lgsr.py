"""dunnhumby's "Let's Get Sort-of-Real" as it is published: one CSV file a week, one row per product in a basket."""

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute

from aisle.sources import Batch
from aisle.sources.csv_files import CsvFile, CsvForm, find_csv
from aisle.sources.dirt import Rule, dirt_table, first_broken
from aisle.sources.kinds import AMOUNT, COUNT, DAY, HOUR, ID, QUANTITY, TEXT, code, days, monday, weeks
from aisle.sources.line_items import LINE, LINE_POLICY, LinePolicy, add_up, line_rows, row_numbers
from aisle.sources.settling import Told
from aisle.sources.weekly_files import FileBaskets, WeeklyFiles
from aisle.tables import BASKETS, CANONICAL, CUSTOMERS, MOMENT, STORES

log = logging.getLogger(__name__)

LINE_CONFLICT = Rule("lines", "The basket has more than one customer, store, time or code.")
BASKET_EMPTY = Rule("baskets", "No line of the basket is left.")
CUSTOMER_CHANGED = Rule("customers", "Lines told two values of an attribute: the latest known one stands.", "changed")
STORE_CHANGED = Rule("stores", "Lines told two values of an attribute: the latest known one stands.", "changed")
PRODUCT_CHANGED = Rule("products", "Lines told two values of an attribute: the latest known one stands.", "changed")
POLICY = (*LINE_POLICY, LINE_CONFLICT, BASKET_EMPTY, CUSTOMER_CHANGED, STORE_CHANGED, PRODUCT_CHANGED)

FORM = CsvForm(
    {
        "SHOP_WEEK": COUNT,
        "SHOP_DATE": DAY,
        "SHOP_WEEKDAY": COUNT,
        "SHOP_HOUR": HOUR,
        "QUANTITY": QUANTITY,
        "SPEND": AMOUNT,
        "PROD_CODE": ID,
        "PROD_CODE_10": TEXT,
        "PROD_CODE_20": TEXT,
        "PROD_CODE_30": TEXT,
        "PROD_CODE_40": TEXT,
        "CUST_CODE": TEXT,
        "CUST_PRICE_SENSITIVITY": code(CUSTOMERS.columns["price_sensitivity"]),
        "CUST_LIFESTAGE": code(CUSTOMERS.columns["lifestage"]),
        "BASKET_ID": ID,
        "BASKET_SIZE": code(BASKETS.columns["basket_size"]),
        "BASKET_PRICE_SENSITIVITY": code(BASKETS.columns["price_sensitivity"]),
        "BASKET_TYPE": code(BASKETS.columns["basket_type"]),
        "BASKET_DOMINANT_MISSION": code(BASKETS.columns["dominant_mission"]),
        "STORE_CODE": ID,
        "STORE_FORMAT": code(STORES.columns["store_format"]),
        "STORE_REGION": TEXT,
    }
)
"""The 22 columns as published, in any order; a file with other columns is another format, and refused."""

_TOLD = {
    "customers": ("CUST_CODE", ("CUST_LIFESTAGE", "CUST_PRICE_SENSITIVITY")),
    "stores": ("STORE_CODE", ("STORE_FORMAT", "STORE_REGION")),
    "products": ("PROD_CODE", ("PROD_CODE_10", "PROD_CODE_20", "PROD_CODE_30", "PROD_CODE_40")),
}
_CHANGED = {"customers": CUSTOMER_CHANGED, "stores": STORE_CHANGED, "products": PRODUCT_CHANGED}
_RECEIPT = (
    "BASKET_ID",
    "CUST_CODE",
    "STORE_CODE",
    "SHOP_DATE",
    "SHOP_HOUR",
    "BASKET_SIZE",
    "BASKET_TYPE",
    "BASKET_DOMINANT_MISSION",
    "BASKET_PRICE_SENSITIVITY",
)
_MICROSECONDS_AN_HOUR = 3_600_000_000
_NAMED_WEEKS = 5


@dataclass(frozen=True)
class Lgsr:
    """The canonical tables of the weekly files at ``path``: a folder or a file; plain, gzipped or in zip archives.

    Of the CSV files that are there, those named ``transactions...`` are read, any subset of the weeks; weeks missing
    between them are one warning. Lines are dropped, changed and counted by the rules of `POLICY`;
    ``nonpositive_quantity`` is drop, keep or error (`aisle.sources.line_items.LinePolicy`). A basket is in one file:
    in a second one it is an error, for then a week is there twice. What lines tell of a customer, store or product may
    change from week to week: the latest known value stands, and whoever it changed for is counted.

    Every file is read once, some 8 MB at a time. Its lines wait in temporary files, one set a week, until all are
    known to be sound, and come out week by week; in memory are one week, the customers, stores and products, and 8
    bytes a basket.
    """

    path: str | Path
    nonpositive_quantity: str = "drop"

    def __post_init__(self) -> None:
        LinePolicy(self.nonpositive_quantity)

    def batches(self) -> Iterator[Batch]:
        """Customers, stores, products, then baskets and lines of each week in turn, then dirt.

        Raises:
            FileNotFoundError: there is nothing at the path, or no weekly file.
            ValueError: a file is empty, foreign, lacks a column or has another, holds values of another type, or a
                basket of an earlier file.
        """
        origin, policy = str(self.path), LinePolicy(self.nonpositive_quantity)
        files = _weekly(Path(self.path))
        told = {table: Told(key, attributes) for table, (key, attributes) in _TOLD.items()}
        counts: Counter[Rule] = Counter()
        baskets = FileBaskets()
        with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
            waiting = WeeklyFiles(Path(folder))
            for file in files:
                _read(file, policy, told, baskets, waiting, counts)
            _warn_of_gaps(origin, waiting.weeks())
            settled = {}
            for table in told:
                rows, counts[_CHANGED[table]] = told[table].settled()
                settled[table] = rows.rename_columns(list(CANONICAL[table].columns))
                yield Batch.checked(table, settled[table], origin)
            product_ids = settled["products"].column("product_id")
            for week in waiting.weeks():
                receipts = waiting.read(week, "receipts").sort_by("BASKET_ID").combine_chunks()
                lines = _numbered(waiting.read(week, "lines"), receipts.column("BASKET_ID"), product_ids)
                counts[LINE_CONFLICT] += int((lines["basket"] < 0).sum())
                lines = add_up(lines[lines["basket"] >= 0], counts)
                kept = receipts.take(pyarrow.array(np.unique(lines["basket"])))
                counts[BASKET_EMPTY] -= kept.num_rows
                if len(lines):
                    yield Batch.checked("baskets", _basket_rows(kept), origin)
                    yield Batch.checked("lines", line_rows(lines, receipts.column("BASKET_ID"), product_ids), origin)
        counts[BASKET_EMPTY] += baskets.count
        yield Batch.checked("dirt", dirt_table(POLICY, counts), origin)


def _weekly(path: Path) -> list[CsvFile]:
    found = find_csv(path, "the weekly files transactions_....csv")
    files = [file for file in found if file.name.startswith("transactions")] if path.is_dir() else found
    if not files:
        names = [file.name for file in found]
        raise FileNotFoundError(f"{path}: needs files named transactions_....csv; got {names}.")
    return files


def _read(
    file: CsvFile,
    policy: LinePolicy,
    told: dict[str, Told],
    baskets: FileBaskets,
    waiting: WeeklyFiles,
    counts: Counter[Rule],
) -> None:
    """Puts the lines and receipts of a file where they wait for their week."""
    receipts, seen = [], []
    row = 0
    for part in file.parts(FORM):
        judged = policy.judge(part.column("QUANTITY"), part.column("SPEND"), partial(_place, file, row))
        row += part.num_rows
        clean, broken = first_broken(judged.broken)
        counts.update(broken)
        week = weeks(days(part.column("SHOP_DATE")))
        dated = part.append_column("week", pyarrow.array(week))
        for things in told.values():
            things.add(dated)
        seen.append(pyarrow.compute.unique(part.column("BASKET_ID")))
        sound = dated if clean.all() else dated.filter(pyarrow.array(clean))
        receipts.append(_distinct(sound.select([*_RECEIPT, "week"])))
        lines = sound.select(["BASKET_ID", "PROD_CODE", "QUANTITY"])
        waiting.write(week[clean], "lines", lines.append_column("cents", pyarrow.array(judged.cents(clean, counts))))
    baskets.add(file, pyarrow.compute.unique(pyarrow.chunked_array(seen)))
    found = _distinct(pyarrow.concat_tables(receipts)) if len(receipts) > 1 else receipts[0]
    times = found.column("BASKET_ID").value_counts()
    conflicting = times.field("values").filter(pyarrow.compute.greater(times.field("counts"), 1))
    single = found
    if len(conflicting):
        conflict = pyarrow.compute.is_in(found.column("BASKET_ID"), conflicting)
        single = found.filter(pyarrow.compute.invert(conflict))
    waiting.write(single.column("week").to_numpy(), "receipts", single.drop_columns("week"))


def _place(file: CsvFile, before: int, row: int) -> str:
    return f"{file}, line {file.line(before + row)}, column QUANTITY"


def _distinct(rows: pyarrow.Table) -> pyarrow.Table:
    return rows.group_by(rows.column_names, use_threads=False).aggregate([])


def _numbered(
    lines: pyarrow.Table, basket_ids: pyarrow.ChunkedArray, product_ids: pyarrow.ChunkedArray
) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    numbered = np.empty(lines.num_rows, dtype=LINE)
    numbered["basket"] = row_numbers(lines.column("BASKET_ID"), basket_ids)
    numbered["product"] = row_numbers(lines.column("PROD_CODE"), product_ids)
    numbered["quantity"], numbered["cents"] = lines.column("QUANTITY").to_numpy(), lines.column("cents").to_numpy()
    return numbered


def _basket_rows(receipts: pyarrow.Table) -> pyarrow.Table:
    hours = days(receipts.column("SHOP_DATE")) * 24 + receipts.column("SHOP_HOUR").to_numpy()
    moments = (hours * _MICROSECONDS_AN_HOUR).astype("datetime64[us]")
    nulls = pyarrow.nulls(receipts.num_rows)
    columns = {
        "basket_id": receipts.column("BASKET_ID"),
        "customer_id": receipts.column("CUST_CODE"),
        "store_id": receipts.column("STORE_CODE"),
        "shopped_at": pyarrow.array(moments, MOMENT),
        "basket_size": receipts.column("BASKET_SIZE"),
        "basket_type": receipts.column("BASKET_TYPE"),
        "dominant_mission": receipts.column("BASKET_DOMINANT_MISSION"),
        "price_sensitivity": receipts.column("BASKET_PRICE_SENSITIVITY"),
    }
    return pyarrow.table({name: columns.get(name, nulls) for name in BASKETS.columns})


def _warn_of_gaps(origin: str, found: list[int]) -> None:
    """One warning for all the weeks that are missing between the first and the last."""
    missing = sorted(set(range(found[0], found[-1])) - set(found)) if found else []
    if missing:
        named = ", ".join(monday(week).isoformat() for week in missing[:_NAMED_WEEKS])
        more = f" and {len(missing) - _NAMED_WEEKS} more" if len(missing) > _NAMED_WEEKS else ""
        log.warning("%s: weeks are missing in the middle, those that begin on %s%s.", origin, named, more)
