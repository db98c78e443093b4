"""Source -> canonical tables in ``data/``."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow

from aisle.sources import Source
from aisle.storage import write_parts
from aisle.tables import CANONICAL

log = logging.getLogger(__name__)


def run(*, source: Source, output: Path) -> None:
    """Write every canonical table of the source as Parquet into ``output``; the folder is replaced whole.

    Raises:
        ValueError: the source lacks a table that is required, or gives one that is not canonical; ``output`` has not
            changed.
    """
    rows = write_parts(parts(source), Path(output))
    for name, count in rows.items():
        log.info("%-18s %10d rows", name, count)


def parts(source: Source) -> Iterator[tuple[str, pyarrow.Table]]:
    """The source's rows, part by part, each with its table; what its policy did is logged.

    Raises:
        ValueError: after the last part, the source lacks a table that is required, or gives one that is not canonical.
    """
    given = set()
    for batch in source.batches():
        given.add(batch.table)
        if batch.table == "dirt":
            for row in (row for row in batch.rows.to_pylist() if row["row_count"]):
                log.info("%s: %d rows %s: %s", row["table"], row["row_count"], row["action"], row["rule"])
        yield batch.table, batch.rows
    missing = [name for name, table in CANONICAL.items() if not table.optional and name not in given]
    if missing or given - set(CANONICAL):
        raise ValueError(f"{source}: the tables {missing} are required and missing; the source gave {sorted(given)}.")
