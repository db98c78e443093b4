"""Canonical baskets in a database -> a feature table of every customer with orders; no extract is between."""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow

from aisle.database import Engine
from aisle.features import FeatureBlock, assemble
from aisle.features.exact import relation
from aisle.storage import write_features, write_table
from aisle.tables import CANONICAL, UNCLASSIFIED, UNSEGMENTED

log = logging.getLogger(__name__)


def run(*, database: Engine, blocks: Mapping[str, FeatureBlock], name: str, output: Path) -> None:
    """Write the features, ``<name>.parquet``, and who has none and why, ``<name>_unsegmented.parquet``.

    The cohort of all is unclassified: orders are bought by people of whom no lifestage is known.

    Raises:
        ValueError: a feature is undefined for every customer, as when all are above a limit; or as the blocks.
    """
    needed = {table: CANONICAL[table] for table in ("baskets", "lines")}
    relations = {table: relation(contract) for table, contract in needed.items()}
    because = {column: why for block in blocks.values() for column, why in block.undefined.items()}
    finished = []
    with database.connect(needed) as connection:
        for block in blocks.values():
            rows = connection.fetch(block.query(relations, date.min), order_by=["customer_id"])
            finished.append(block.finish(rows.to_pandas()))
    customers = pd.concat(finished, axis=1).index.sort_values()
    cohort = pd.Series(UNCLASSIFIED, index=customers, name="cohort")
    features, reasons, absent = assemble(finished, cohort, because)
    if absent:
        why = "; ".join(because.get(column, f"{column} undefined") for column in absent)
        raise ValueError(f"features {name}: no customer has {', '.join(absent)}: {why}.")
    for reason, count in reasons.value_counts().items():
        log.info("features %s: %d customers left out: %s", name, count, reason)
    log.info("features %s: %d customers, %d features", name, *features.values.shape)
    write_features(features, Path(output) / f"{name}.parquet")
    left_out = pd.DataFrame({"lifestage": cohort.loc[reasons.index], "reason": reasons}).rename_axis("customer_id")
    rows = pyarrow.Table.from_pandas(left_out.sort_index().reset_index(), preserve_index=False)
    write_table(rows, UNSEGMENTED, Path(output) / f"{name}_unsegmented.parquet")
