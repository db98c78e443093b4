"""The extract -> a feature table: one row per customer."""

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow

from aisle.database import CustomerFeatures, Engine, customer_features
from aisle.features import FeatureBlock
from aisle.features.exact import relation
from aisle.storage import read_json, write_features, write_table
from aisle.tables import EXTRACTED, UNSEGMENTED

log = logging.getLogger(__name__)


def run(*, database: Engine, summary: Path, blocks: Mapping[str, FeatureBlock], name: str, output: Path) -> None:
    """Write the features, ``<name>.parquet``, and who has none and why, ``<name>_unsegmented.parquet``."""
    today = _day_after_the_window(Path(summary))
    relations = {table: relation(contract) for table, contract in EXTRACTED.items()}
    with database.connect(EXTRACTED) as connection:
        found = customer_features(connection, relations, blocks, today)
    write_found(found, name, Path(output))


def write_found(found: CustomerFeatures, name: str, output: Path) -> None:
    """The files of a feature table, and what is to be said about it."""
    if found.absent:
        absent = ", ".join(found.absent)
        log.info("features %s: the source lacks what %d columns need: %s", name, len(found.absent), absent)
    for reason, count in found.reasons.value_counts().items():
        log.info("features %s: %d customers left out: %s", name, count, reason)
    log.info("features %s: %d customers, %d features", name, *found.features.values.shape)
    write_features(found.features, output / f"{name}.parquet")
    lifestages = found.lifestages.loc[found.reasons.index]
    left_out = pd.DataFrame({"lifestage": lifestages, "reason": found.reasons}).rename_axis("customer_id")
    rows = pyarrow.Table.from_pandas(left_out.sort_index().reset_index(), preserve_index=False)
    write_table(rows, UNSEGMENTED, output / f"{name}_unsegmented.parquet")


def _day_after_the_window(summary: Path) -> date:
    told = read_json(summary)
    try:
        return date.fromisoformat(told["last_day"]) + timedelta(days=1)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{summary} must name the last_day of the extract; run stage=extract.") from None
