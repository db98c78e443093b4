"""Segments -> features whose cohorts these segments are, so that every stage can be run inside each of them."""

import logging
import shutil
from pathlib import Path

import pandas as pd

from aisle.features import FeatureTable
from aisle.features.halves import HALVES
from aisle.partition import NOISE
from aisle.profiles import LABELS
from aisle.storage import read_arrow, read_features, write_features
from aisle.two_level import cohort_of

log = logging.getLogger(__name__)


def run(*, labels: Path, lifestage: str, features: Path, block: str, name: str) -> None:
    """Write the features ``block`` of the folder ``features``, and those of its halves, as ``name``.

    The cohort of a customer is the segment that ``labels``, a file of stage=segments, gives in ``lifestage``; who is in
    none is left out.

    Raises:
        ValueError: the labels are something else, have nobody of this lifestage, or are of other customers.
    """
    folder = Path(features)
    if name == block:
        raise ValueError(f"stage.name must differ from the features it is made from; both are {block}.")
    whole = read_features(folder / f"{block}.parquet")
    cohort = _cohort(Path(labels), lifestage)
    unknown = len(cohort.index.difference(whole.values.index))
    if unknown:
        raise ValueError(f"{labels} has {unknown} customers without features {block}; run stage=segments again.")
    write_features(_within(whole, cohort), folder / f"{name}.parquet")
    halves = folder / "halves" / name
    shutil.rmtree(halves, ignore_errors=True)  # of segments that were here before
    for half in HALVES:
        path = folder / "halves" / block / f"{half}.parquet"
        if path.exists():
            write_features(_within(read_features(path), cohort), halves / path.name)
    counts = ", ".join(f"{one} ({count:,})" for one, count in cohort.value_counts().sort_index().items())
    log.info("features %s: %s; %d customers are in no segment", name, counts, len(whole.values) - len(cohort))
    log.info("inside each: python -m aisle -cd experiments -cn two_level lifestage=%s", ",".join(sorted(set(cohort))))


def _cohort(path: Path, lifestage: str) -> "pd.Series[str]":
    rows = read_arrow(path).to_pandas()
    missing = [name for name in LABELS if name not in rows]
    if missing:
        raise ValueError(f"{path} must hold the labels that stage=segments writes; it lacks {missing}.")
    own = rows[(rows["lifestage"] == lifestage) & (rows["segment"] != NOISE)].set_index("customer_id")["segment"]
    if own.empty:
        there = sorted(rows["lifestage"].unique())
        raise ValueError(f"{path} has nobody in a segment of {lifestage}; it has {there}: choose by stage.lifestage.")
    found: pd.Series[str] = own.map(lambda segment: cohort_of(int(segment))).rename("cohort")
    return found


def _within(table: FeatureTable, cohort: "pd.Series[str]") -> FeatureTable:
    inside = table.values.index[table.values.index.isin(cohort.index)]
    return FeatureTable(table.values.loc[inside], cohort.loc[inside])
