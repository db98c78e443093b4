"""What a database looks like from outside, so that a changed one is noticed."""

from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.database.dialects import HEX_DIGITS, hex_number
from aisle.database.engine import Connection
from aisle.features.exact import day_number, md5, relation
from aisle.tables import CANONICAL, DAY, MOMENT, MONEY, TEXT, Column, Table


def fingerprint(connection: Connection) -> dict[str, dict[str, Any]]:
    """Per table: its rows, its largest key, the exact totals of its numbers, and a digest of all its values.

    Equal data give equal fingerprints, on every engine and in any order of rows. The digest is the sum over the rows of
    a number of 60 bits from the MD5 of the row: a changed row goes unnoticed once in 10^18 changes.
    """
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
    values = reduce(add, [_written(rows[name], column) for name, column in table.columns.items()])
    content = hex_number(md5(values).substr(0, HEX_DIGITS)).sum().cast("decimal(38, 0)").fill_null(0)
    return rows.agg(row_count=rows.count(), **largest, **totals, content=content)


def _written(values: ir.Column, column: Column) -> ir.StringValue:
    """A value as text that every engine writes alike; where it ends is certain, and null is no text."""
    if column.type == TEXT:
        text = values.length().cast("string") + ":" + values
    elif column.type == MONEY:
        text = _whole((values * 100).cast("int64"))
    elif column.type == MOMENT:
        seconds = values.hour() * 3600 + values.minute() * 60 + values.second()
        text = _whole(day_number(values)) + _whole(seconds) + _whole(values.microsecond())
    elif column.type == DAY:
        text = _whole(values.delta(ibis.date("1970-01-01"), unit="day"))
    else:
        text = _whole(values)
    return text.fill_null("-") if column.nullable else text


def _whole(number: ir.IntegerValue) -> ir.StringValue:
    return number.cast("string") + ";"
