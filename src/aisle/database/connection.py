"""Ibis expressions run in a session, on tables whose columns were compared with their contracts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow

from aisle.database.dialects import arrow_schema, compiled
from aisle.database.engine import in_order
from aisle.database.keys import faultless_in_duckdb
from aisle.database.session import Session, columns_of
from aisle.database.stored import stored_in_duckdb
from aisle.tables import Table


@dataclass(frozen=True)
class SessionConnection:
    """See `aisle.database.engine.Connection`."""

    session: Session
    names: tuple[str, ...]

    @classmethod
    def checked(cls, session: Session, tables: Mapping[str, Table]) -> "SessionConnection":
        """A connection to those of the ``tables`` that the database has.

        Raises:
            ValueError: a table that is not optional is not there, or its columns are not the contract's.
        """
        found = columns_of(session, list(tables))
        missing = [name for name, table in tables.items() if name not in found and not table.optional]
        if missing:
            raise ValueError(
                f"{session.origin} needs the tables {missing}; they are not there, or its user may not read them; "
                "run stage=load first."
            )
        for name, columns in found.items():
            lacking = [column for column in tables[name].columns if column not in columns]
            if lacking:
                raise ValueError(f"{session.origin}: table {name} lacks the columns {lacking}; it has {columns}.")
        return cls(session, tuple(name for name in tables if name in found))

    def origin(self, name: str) -> str:
        return f"{self.session.origin} {name}"

    def fetch(self, query: ir.Table, *, order_by: Sequence[str]) -> pyarrow.Table:
        """See `aisle.database.engine.Connection`."""
        rows = self.session.arrow(compiled(query, self.session.dialect), arrow_schema(query))
        return in_order(rows, order_by)

    def stored(self, query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table:
        """See `aisle.database.engine.Connection`."""
        if self.session.dialect != "duckdb":
            return query
        for sql in stored_in_duckdb(query, name, coded):
            self.session.execute(sql)
        return ibis.table(query.schema(), name=name)

    def faultless(self, rows: ir.Table) -> bool:
        """See `aisle.database.engine.Connection`."""
        return self.session.dialect == "duckdb" and faultless_in_duckdb(self.session.arrow, rows)
