"""The extract -> feature tables: one row per customer or store, from all baskets and from halves of them."""

import logging
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
import pyarrow

from aisle.database import Connection, CustomerFeatures, Engine, customer_features, half_features
from aisle.features import FeatureBlock
from aisle.features.block import rows_of, seen_by_rows
from aisle.features.exact import relation
from aisle.features.halves import FIRST, HALVES
from aisle.features.stores import UNKNOWN_FORMAT
from aisle.storage import read_json, write_features, write_table
from aisle.tables import EXTRACTED, UNSEGMENTED

log = logging.getLogger(__name__)


_TOLD = {
    "odd": "odd baskets",
    "even": "even baskets",
    "first": "first half of the weeks",
    "second": "second half of the weeks",
}


def run(
    *,
    database: Engine,
    summary: Path,
    blocks: Mapping[str, FeatureBlock],
    name: str,
    output: Path,
    halves: bool = False,
) -> None:
    """Write the features, ``<name>.parquet``, and who has none and why, ``<name>_unsegmented.parquet``.

    With ``halves`` also the same from halves of every customer's baskets, ``halves/<name>/<half>.parquet`` with
    ``<half>_unsegmented.parquet``: odd, even, first, second (see `aisle.features.halves`). A half in which no customer
    has features is told and has no file.
    """
    today = _day(Path(summary), "last_day") + timedelta(days=1)
    middle = _day(Path(summary), "second_half_from") if halves else today
    folder = Path(output) / "halves" / name
    with database.connect(EXTRACTED) as connection:
        relations = seen_by_rows(_Extract(connection, name), blocks)
        found = customer_features(connection, relations, blocks, today)
        write_found(found, name, Path(output))
        shutil.rmtree(folder, ignore_errors=True)  # of an extract that was here before
        for half in HALVES if halves else ():
            told, until = f"{name}, {_TOLD[half]}", middle if half == FIRST else today
            try:
                part = half_features(connection, relations, found, until, half=half, middle=middle)
            except ValueError as error:
                log.warning("features %s: none. %s", told, error)
            else:
                write_found(part, half, folder, told=told)


def write_found(found: CustomerFeatures, name: str, output: Path, told: str | None = None) -> None:
    """The files of a feature table, and what is to be said about it, which is called ``told``."""
    told = told or name
    if found.absent:
        absent = ", ".join(found.absent)
        log.info("features %s: the source lacks what %d columns need: %s", told, len(found.absent), absent)
    rows_are = rows_of(found.blocks)
    for reason, count in found.reasons.value_counts().items():
        log.info("features %s: %d %s left out: %s", told, count, rows_are, reason)
    log.info("features %s: %d %s, %d features", told, *_counts(found, rows_are))
    if found.features.cohorts == [UNKNOWN_FORMAT]:
        log.info("features %s: the source knows no store format, so all stores are one cohort", told)
    write_features(found.features, output / f"{name}.parquet")
    lifestages = found.lifestages.loc[found.reasons.index]
    left_out = pd.DataFrame({"lifestage": lifestages, "reason": found.reasons}).rename_axis("customer_id")
    rows = pyarrow.Table.from_pandas(left_out.sort_index().reset_index(), preserve_index=False)
    write_table(rows, UNSEGMENTED, output / f"{name}_unsegmented.parquet")


def _counts(found: CustomerFeatures, rows_are: str) -> tuple[int, str, int]:
    rows, columns = found.features.values.shape
    return rows, rows_are, columns


class _Extract(dict[str, ir.Table]):
    """The tables of the extract that are there, by name; one that is not is said to be missing for ``features``."""

    def __init__(self, connection: Connection, features: str) -> None:
        super().__init__({table: relation(EXTRACTED[table]) for table in connection.names})
        self._connection, self._features = connection, features

    def __missing__(self, table: str) -> ir.Table:
        missing = f"features={self._features} needs a table {table}: {self._connection.origin(table)} is missing"
        raise FileNotFoundError(
            f"{missing}; run stage=extract with stage.spend=true first (after stage=adopt there is none: choose "
            "features without it)."
        )


def _day(summary: Path, name: str) -> date:
    told = read_json(summary)
    try:
        return date.fromisoformat(told[name])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{summary} must name the {name} of the extract; run stage=extract.") from None
