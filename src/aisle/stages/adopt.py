"""Extracts of baskets made elsewhere -> the extract, filtered as one's own."""

import hashlib
import logging
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow
import pyarrow.compute as pc

from aisle.database import FILTERS_IN_ORDER, Extraction
from aisle.stages.extract import summary_of
from aisle.storage import digest, write_csv, write_json, write_table
from aisle.tables import BASKET_EXTRACT, FILTERS, GROUP_SPEND, STORE_GROUP_SPEND, UNDEFINED

log = logging.getLogger(__name__)

_BASKET_CODES = ("basket_size", "basket_type", "dominant_mission", "basket_price_sensitivity")
_CUSTOMER_CODES = ("price_sensitivity",)


@runtime_checkable
class ExtractSource(Protocol):
    """A source that is a ready extract."""

    def extract(self) -> pyarrow.Table:
        """One row per basket: contract `aisle.tables.BASKET_EXTRACT`."""
        ...


def run(*, source: object, extraction: Extraction, output: Path) -> None:
    """Write the baskets, the filters' counts and a summary into ``output``, as the stage ``extract`` does.

    Undefined codes are filtered as ``extraction`` says; its sample is not drawn: an extract was drawn where it was
    made. There is no spend per product group. The data digest is that of the baskets written.

    Raises:
        ValueError: the source is no ready extract, or nothing of it is left.
    """
    output = Path(output)
    if not isinstance(source, ExtractSource):
        raise ValueError(f"stage=adopt needs source=basket_extract; {source} has canonical tables: use stage=fetch.")
    _, _, basket_xx, customer_xx, _ = FILTERS_IN_ORDER
    baskets, counts = source.extract(), []
    for name, kept, codes in (
        (basket_xx, extraction.baskets_xx, _BASKET_CODES),
        (customer_xx, extraction.customers_xx, _CUSTOMER_CODES),
    ):
        undefined = _undefined(baskets, codes)
        owners = baskets.column("customer_id").filter(pc.and_(undefined, not kept))
        counts.append({"filter": name, "basket_count": len(owners), "customer_count": len(owners.unique())})
        if len(owners):
            log.info("dropped %7d baskets of %5d customers: %s", len(owners), len(owners.unique()), name)
        baskets = baskets.filter(pc.or_(pc.invert(undefined), kept))
    if baskets.num_rows == 0:
        raise ValueError("The extract is empty: every basket was dropped by a filter; see cohort in the configuration.")
    filters = pyarrow.Table.from_pylist(counts, schema=FILTERS.arrow_schema)
    written = output / f"{BASKET_EXTRACT.name}.parquet"
    write_table(baskets, BASKET_EXTRACT, written)
    for table in (GROUP_SPEND, STORE_GROUP_SPEND):
        (output / f"{table.name}.parquet").unlink(missing_ok=True)  # of an extract that was here before
    write_table(filters, FILTERS, output / "filters.parquet")
    write_csv(filters.to_pandas(), output / "filters.csv")
    data_digest = digest({BASKET_EXTRACT.name: hashlib.sha256(written.read_bytes()).hexdigest()})
    write_json({"data_digest": data_digest, **summary_of(baskets)}, output / "summary.json")


def _undefined(rows: pyarrow.Table, columns: tuple[str, ...]) -> pyarrow.ChunkedArray:
    """Whether one of the codes is XX; null is not."""
    undefined = pc.is_in(rows.column(columns[0]), pyarrow.array([UNDEFINED]))
    for column in columns[1:]:
        undefined = pc.or_(undefined, pc.is_in(rows.column(column), pyarrow.array([UNDEFINED])))
    return undefined
