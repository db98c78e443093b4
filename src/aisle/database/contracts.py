"""Contracts checked where the rows are: nothing but counts is fetched from a server, however large the tables."""

from collections.abc import Iterator, Mapping

import ibis
import ibis.expr.types as ir

from aisle.database.engine import Connection
from aisle.database.keys import FAULT
from aisle.features.exact import relation, total
from aisle.tables import Column, Table


def check_rows(connection: Connection, tables: Mapping[str, Table]) -> None:
    """That the rows of every table that is there fulfil its contract; columns and types are checked on connecting.

    Raises:
        ValueError: a value that must be there is null, a code is unknown, a number is below its minimum, or a key
            occurs twice.
    """
    for name in connection.names:
        table = tables[name]
        rows = relation(table)
        rules = dict(_rules(rows, table))
        faults: list[ir.BooleanValue] = [*rules.values(), ibis.literal(False)]
        if connection.faultless(rows.select(*table.key, **{FAULT: ibis.or_(*faults)})):
            continue
        counts = {str(number): total(broken.cast("int64")) for number, broken in enumerate(rules.values())}
        found = connection.fetch(rows.agg(row_count=rows.count(), **counts), order_by=["row_count"]).to_pylist()[0]
        for number, rule in enumerate(rules):
            if found[str(number)]:
                raise ValueError(f"{connection.origin(name)}: {rule.replace('#', str(found[str(number)]))}")
        keys = rows.select(*table.key).distinct()
        counted = connection.fetch(keys.agg(key_count=keys.count()), order_by=["key_count"]).to_pylist()[0]
        repeated = found["row_count"] - counted["key_count"]
        if repeated:
            raise ValueError(f"{connection.origin(name)}: {table.repeated(repeated)}")


def _rules(rows: ir.Table, table: Table) -> Iterator[tuple[str, ir.BooleanColumn]]:
    """Every rule of a contract as a sentence, # for the count, with whether a row breaks it."""
    for name, column in table.columns.items():
        values = rows[name]
        if not column.nullable:
            yield f"{table.name}.{name} must not be null; # rows are.", values.isnull()
        if column.codes or column.minimum is not None:
            yield f"{table.name}.{name} {column.requirement}; # rows are not.", _outside(values, column)


def _outside(values: ir.Column, column: Column) -> ir.BooleanColumn:
    return values.notin(column.codes) if column.codes else values < column.minimum
