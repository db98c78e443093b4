"""Rows as DataFrames, by customer: what is in the database and what has been published to it."""

from collections.abc import Iterable, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from aisle.database.engine import in_order
from aisle.database.session import Session, columns_of
from aisle.features.exact import relation
from aisle.publication import (
    CUSTOMER_SEGMENT_HISTORY,
    CUSTOMER_SEGMENT_LABELS,
    CUSTOMER_SEGMENT_MIGRATION,
    CUSTOMER_SEGMENT_RUNS,
    CUSTOMER_SEGMENTS,
)
from aisle.tables import CANONICAL, Table


def read_customers(session: Session, *, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Customers with their lifestage and price sensitivity, sorted by customer_id; all of them, or those named."""
    return _read(session, CANONICAL["customers"], ["customer_id"], customer_ids)


def read_baskets(session: Session, *, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Baskets, sorted by customer and basket; all of them, or those of the customers named."""
    return _read(session, CANONICAL["baskets"], ["customer_id", "basket_id"], customer_ids)


def read_segments(session: Session, *, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """The current segment of every customer, or of those named; sorted by customer and lifestage."""
    return _read(session, CUSTOMER_SEGMENTS, CUSTOMER_SEGMENTS.key, customer_ids)


def read_segment_history(session: Session, *, customer_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Every period of a customer in a segment, sorted by customer, lifestage and beginning.

    valid_to and closed_by are null in periods that last.
    """
    return _read(session, CUSTOMER_SEGMENT_HISTORY, ["customer_id", "lifestage", "valid_from", "run"], customer_ids)


def read_segment_migration(session: Session) -> pd.DataFrame:
    """Customers by the segment they had before a run and after it, -1 for none; sorted by run, lifestage, segments."""
    return _read(session, CUSTOMER_SEGMENT_MIGRATION, CUSTOMER_SEGMENT_MIGRATION.key, None)


def read_segment_labels(session: Session) -> pd.DataFrame:
    """The segments of every run, with their names; sorted by run, lifestage, segment."""
    return _read(session, CUSTOMER_SEGMENT_LABELS, CUSTOMER_SEGMENT_LABELS.key, None)


def read_segment_runs(session: Session) -> pd.DataFrame:
    """Every run in the order of publishing; the last is in force."""
    return _read(session, CUSTOMER_SEGMENT_RUNS, ["run_number"], None)


def _read(session: Session, table: Table, order: Sequence[str], customer_ids: Iterable[str] | None) -> pd.DataFrame:
    if table.name not in columns_of(session, [table.name]):
        stage = "load" if table.name in CANONICAL else "publish"
        raise ValueError(f"{session.origin} must have a table {table.name}; it is not there; run stage={stage} first.")
    rows: ir.Table = relation(table)
    if customer_ids is not None:
        asked = sorted({str(customer) for customer in customer_ids})
        rows = rows.filter(rows.customer_id.isin(asked) if asked else ibis.literal(False))
    found = session.arrow(str(ibis.to_sql(rows, dialect=session.dialect)), table.arrow_schema)
    frame: pd.DataFrame = in_order(found, order).to_pandas()
    return frame
