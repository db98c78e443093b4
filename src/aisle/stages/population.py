"""Canonical tables in a database -> features of every customer, computed there: nothing but features is fetched."""

from collections.abc import Mapping
from pathlib import Path

from aisle.database import Engine, Extraction, in_one_state, population_features
from aisle.features import FeatureBlock
from aisle.stages.features import write_found
from aisle.tables import CANONICAL


def run(
    *, database: Engine, extraction: Extraction, blocks: Mapping[str, FeatureBlock], name: str, output: Path
) -> None:
    """Write the features of every customer whom the extraction's filters keep, sampled or not, as stage=features does.

    Of the extraction only the filters count. The day from which recency is counted is the one after the last kept
    basket.
    """
    needed = {table: CANONICAL[table] for table in ("customers", "stores", "products", "baskets", "lines")}
    found = in_one_state(database, needed, lambda connection: population_features(connection, extraction, blocks))
    write_found(found, name, Path(output))
