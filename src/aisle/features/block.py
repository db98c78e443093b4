"""What a feature block is: a query for exact numbers, and a finishing step in memory."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol, runtime_checkable

import ibis.expr.types as ir
import pandas as pd

from aisle.features.table import FeatureTable

EPOCH = date(1970, 1, 1)


class FeatureBlock(Protocol):
    """Named features of customers, from the extract."""

    @property
    def undefined(self) -> Mapping[str, str]:
        """Why a feature can be undefined for a customer, by its name, in a few words."""
        ...

    def query(self, extract: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        """Exact numbers by customer_id from the extract's tables; ``reference_date`` is the day after the window."""
        ...

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Features on the index customer_id, float64, from the fetched rows; NaN where a feature is undefined."""
        ...


@runtime_checkable
class Settling(Protocol):
    """A block whose columns depend on who is there: it can be fixed to those of some customers."""

    def settled(self, rows: pd.DataFrame) -> FeatureBlock:
        """The block that gives whatever customers the columns that ``finish`` gives those of ``rows``."""
        ...


@runtime_checkable
class Regrouping(Protocol):
    """A block whose rows are not customers: beside it, all blocks of a feature table see the extract by its rows."""

    @property
    def rows_are(self) -> str:
        """What a row is, in the plural."""
        ...

    def regrouped(self, extract: Mapping[str, ir.Table]) -> Mapping[str, ir.Table]:
        """The extract's tables with the row in place of customer_id and its cohort in place of lifestage."""
        ...


def rows_of(blocks: Mapping[str, FeatureBlock]) -> str:
    """What the rows of these blocks' feature table are, in the plural."""
    return next((block.rows_are for block in blocks.values() if isinstance(block, Regrouping)), "customers")


def seen_by_rows(extract: Mapping[str, ir.Table], blocks: Mapping[str, FeatureBlock]) -> Mapping[str, ir.Table]:
    """The extract as these blocks see it: by customer, unless one of them regroups it."""
    regrouping = (block for block in blocks.values() if isinstance(block, Regrouping))
    return next((block.regrouped(extract) for block in regrouping), extract)


def by_customer(rows: pd.DataFrame) -> pd.DataFrame:
    """The finishing step of a block whose query already gives its features: index and float64."""
    return rows.set_index("customer_id").astype("float64")


def assemble(
    blocks: Sequence[pd.DataFrame], cohort: "pd.Series[str]", undefined_because: Mapping[str, str]
) -> tuple[FeatureTable, "pd.Series[str]", list[str]]:
    """One feature table of several blocks: ``(features, reasons, absent)``.

    A feature that no customer has (the source lacks the attribute) is left out and named in ``absent``. A customer with
    an undefined feature is left out, with the reason in ``reasons`` (index customer_id), worded by
    ``undefined_because`` where it names the feature.

    Raises:
        ValueError: two blocks share a column, or nothing is left.
    """
    joined = pd.concat([block.reindex(cohort.index) for block in blocks], axis=1)
    repeated = joined.columns[joined.columns.duplicated()].tolist()
    if repeated:
        raise ValueError(f"Feature names must be unique over blocks; these repeat: {repeated}.")
    missing = joined.isna()
    absent = joined.columns[missing.all()].tolist()
    missing = missing.drop(columns=absent)
    if missing.columns.empty:
        raise ValueError(f"No feature is defined for any of the {len(joined)} customers.")
    undefined = missing.any(axis=1)
    first = missing[undefined].idxmax(axis=1)
    reasons = first.map(lambda name: undefined_because.get(name, f"{name} undefined")).rename("reason")
    kept = joined.loc[~undefined].drop(columns=absent).sort_index()
    if kept.empty:
        raise ValueError(f"All {len(joined)} customers have an undefined feature: {reasons.iloc[0]}.")
    return FeatureTable(kept, cohort.loc[kept.index]), reasons, absent
