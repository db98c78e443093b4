"""Feature tables as Parquet: the id, the cohort, then one column per feature."""

from pathlib import Path

import pyarrow

from aisle.features.table import FeatureTable
from aisle.storage.files import read_arrow, write_arrow

_ID = "customer_id"
_COHORT = "cohort"


def write_features(features: FeatureTable, path: Path) -> None:
    """The feature table, rows and columns in its order."""
    frame = features.values.rename_axis(_ID)
    frame.insert(0, _COHORT, features.cohort)
    write_arrow(pyarrow.Table.from_pandas(frame.reset_index(), preserve_index=False), path)


def read_features(path: Path) -> FeatureTable:
    """The feature table in a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not Parquet, lacks the id or the cohort, or is not a feature table.
    """
    rows = read_arrow(path)
    missing = [name for name in (_ID, _COHORT) if name not in rows.column_names]
    if missing:
        raise ValueError(f"{path} must be a feature table; it lacks {missing}.")
    frame = rows.to_pandas().set_index(_ID)
    try:
        return FeatureTable(frame.drop(columns=_COHORT), frame[_COHORT])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
