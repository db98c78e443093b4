"""What a database looks like from outside, so that a changed one is noticed."""

from typing import Any

import ibis.expr.types as ir

from aisle.database.engine import Connection
from aisle.features.exact import relation
from aisle.tables import CANONICAL, Table


def fingerprint(connection: Connection) -> dict[str, dict[str, Any]]:
    """Per table: its rows, its largest key, and the exact totals of its numbers. Equal data give equal fingerprints."""
    found = {}
    for name in connection.names:
        table = CANONICAL[name]
        row = connection.fetch(_summary(table), order_by=["row_count"]).to_pylist()[0]
        found[name] = {key: str(value) for key, value in row.items()}
    return found


def _summary(table: Table) -> ir.Table:
    rows = relation(table)
    totals = {
        f"{name}_total": rows[name].sum()
        for name, column in table.columns.items()
        if column.minimum is not None and not name.startswith("row_")
    }
    largest = {f"{name}_max": rows[name].max() for name in table.key}
    distinct = {f"{name}_distinct": rows[name].nunique() for name, column in table.columns.items() if column.codes}
    return rows.agg(row_count=rows.count(), **largest, **totals, **distinct)
