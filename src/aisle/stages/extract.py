"""Canonical tables in a database -> the extract: one row per kept basket, and spend per product group."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow
import pyarrow.compute as pc

from aisle.database import FILTERS_IN_ORDER, Connection, Engine, Extraction, check_rows, in_one_state
from aisle.features.halves import second_half_from
from aisle.storage import digest, read_json, write_csv, write_json, write_table
from aisle.tables import BASKET_EXTRACT, CANONICAL, EXTRACTED, FILTERS, GROUP_SPEND, STORE_GROUP_SPEND

log = logging.getLogger(__name__)


def run(
    *,
    database: Engine,
    extraction: Extraction,
    fingerprint: Path,
    output: Path,
    spend: bool = True,
    csv: bool = False,
) -> None:
    """Write the extract's tables, the filters' counts and a summary into ``output``.

    ``spend``: also spend per product group, which takes most of the time and which the features of product groups and
    of stores are made of. ``csv``: the tables also as CSV. The summary holds the digest of the ``fingerprint``, by
    which results name the data they were made from.
    """
    output = Path(output)
    data_digest = digest(read_json(Path(fingerprint)))
    needed = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
    found, dropped = in_one_state(database, needed, lambda connection: _fetched(connection, extraction, spend))
    filters = _named(dropped)
    for row in (row for row in filters.to_pylist() if row["basket_count"]):
        log.info("dropped %7d baskets of %5d customers: %s", row["basket_count"], row["customer_count"], row["filter"])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: write_table(found[name], EXTRACTED[name], output / f"{name}.parquet"), found))
    for name in EXTRACTED:
        if csv and name in found:
            write_csv(found[name].to_pandas(), output / f"{name}.csv")
        else:
            (output / f"{name}.csv").unlink(missing_ok=True)  # one of an earlier extract would be taken for this one's
        if name not in found:
            (output / f"{name}.parquet").unlink(missing_ok=True)
    write_table(filters, FILTERS, output / "filters.parquet")
    write_csv(filters.to_pandas(), output / "filters.csv")
    write_json({"data_digest": data_digest, **summary_of(found[BASKET_EXTRACT.name])}, output / "summary.json")


def _fetched(
    connection: Connection, extraction: Extraction, spend: bool
) -> tuple[dict[str, pyarrow.Table], pyarrow.Table]:
    check_rows(connection, {name: CANONICAL[name] for name in connection.names})
    judged = extraction.judged(connection.stored)
    found = {BASKET_EXTRACT.name: connection.fetch(extraction.baskets(judged), order_by=BASKET_EXTRACT.key)}
    if found[BASKET_EXTRACT.name].num_rows == 0:
        raise ValueError(
            "The extract is empty: every basket was dropped by a filter; see cohort and sample in the configuration."
        )
    if spend:
        middle = second_half_from(*_window(found[BASKET_EXTRACT.name]))
        split = extraction.split_spend(middle, judged, connection.stored)
        sums = {
            GROUP_SPEND.name: extraction.group_spend(split),
            STORE_GROUP_SPEND.name: extraction.store_group_spend(split),
        }
        found |= {name: connection.fetch(query, order_by=EXTRACTED[name].key) for name, query in sums.items()}
    return found, connection.fetch(extraction.filters(judged), order_by=["filter_number"])


def _window(baskets: pyarrow.Table) -> tuple[date, date]:
    """The first and the last day with a basket."""
    ends = pc.min_max(baskets.column("shopped_at")).as_py()
    return ends["min"].date(), ends["max"].date()


def _named(dropped: pyarrow.Table) -> pyarrow.Table:
    """Every filter in its order, also those that dropped nothing."""
    counts = dropped.to_pandas().set_index("filter_number").reindex(range(len(FILTERS_IN_ORDER)), fill_value=0)
    named = counts.astype("int64").assign(filter=list(FILTERS_IN_ORDER))
    return pyarrow.Table.from_pandas(named[list(FILTERS.columns)], preserve_index=False)


def summary_of(baskets: pyarrow.Table) -> dict[str, object]:
    """Days, the first of the second half of the weeks, counts and lifestages, and columns the source does not know."""
    first_day, last_day = _window(baskets)
    per_lifestage = baskets.group_by("lifestage").aggregate([("customer_id", "count_distinct"), ("basket_id", "count")])
    absent = [
        name
        for name in ("price_sensitivity", "store_format", "store_region", "basket_price_sensitivity")
        if baskets.column(name).null_count == baskets.num_rows
    ]
    if absent:
        log.info("the source has no %s: features made from them are left out", ", ".join(absent))
    return {
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "second_half_from": second_half_from(first_day, last_day).isoformat(),
        "basket_count": baskets.num_rows,
        "customer_count": pc.count_distinct(baskets.column("customer_id")).as_py(),
        "absent": absent,
        "lifestages": {
            row["lifestage"]: {
                "customer_count": row["customer_id_count_distinct"],
                "basket_count": row["basket_id_count"],
            }
            for row in per_lifestage.sort_by("lifestage").to_pylist()
        },
    }
