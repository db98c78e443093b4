"""Layouts: a database's own tables read in place as the canonical ones, nothing copied and nothing changed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import ibis.expr.types as ir
import pyarrow

from aisle.database.connection import SessionConnection
from aisle.database.engine import Connection, Engine
from aisle.database.foreign import Names, Wanted, own_tables, text
from aisle.database.session import Server, Session
from aisle.features.exact import relation
from aisle.tables import CANONICAL, Table

Relations = Mapping[str, ir.Table]


@dataclass(frozen=True)
class CanonicalLayout:
    """The database's tables are the canonical ones."""

    database: Engine

    def connect(self, tables: Mapping[str, Table]) -> AbstractContextManager[Connection]:
        """See `aisle.database.engine.Engine`."""
        return self.database.connect(tables)


@dataclass(frozen=True)
class InPlaceConnection:
    """See `aisle.database.engine.Connection`. ``relations`` stand in a query for the canonical tables."""

    inner: SessionConnection
    relations: Relations

    @property
    def names(self) -> Sequence[str]:
        return tuple(self.relations)

    def origin(self, name: str) -> str:
        return self.inner.origin(name)

    def fetch(self, query: ir.Table, *, order_by: Sequence[str]) -> pyarrow.Table:
        """See `aisle.database.engine.Connection`."""
        return self.inner.fetch(substituted(query, self.relations), order_by=order_by)

    def stored(self, query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table:
        """See `aisle.database.engine.Connection`."""
        return self.inner.stored(substituted(query, self.relations), name, coded=coded)

    def faultless(self, rows: ir.Table) -> bool:
        """See `aisle.database.engine.Connection`."""
        return self.inner.faultless(substituted(rows, self.relations))


def substituted(query: ir.Table, relations: Relations) -> ir.Table:
    """The query with expressions in the place of the canonical tables it reads."""
    places = {relation(CANONICAL[name]).op(): rows.op() for name, rows in relations.items()}
    return query.op().replace(places).to_expr()


@contextmanager
def in_place(
    database: Engine,
    tables: Mapping[str, Table],
    *,
    names: Names,
    wanted: Wanted,
    keys: Mapping[str, str],
    relations: Callable[[Mapping[str, ir.Table]], Relations],
) -> Iterator[InPlaceConnection]:
    """A read-only connection to the canonical ``tables`` that ``relations`` makes of a database's own.

    ``keys`` names the column of a table of its own that may not repeat.

    Raises:
        ValueError: the database cannot be read in place, a table or column is not there or holds something else, or a
            key is null or repeats.
    """
    if not isinstance(database, Server):
        raise ValueError(
            "A layout reads a database's own tables: choose database=postgresql, mysql or duckdb; a "
            f"{type(database).__name__} holds canonical tables only."
        )
    with database.reading() as session:
        _prepare(session)
        own = own_tables(session, names, wanted)
        inner = SessionConnection(session, ())
        for table, column in keys.items():
            _check_key(inner, own[table], names.tables[table], column)
        yield InPlaceConnection(inner, {name: rows for name, rows in relations(own).items() if name in tables})


def _prepare(session: Session) -> None:
    """Let the session compare what is cast to text byte by byte, and join without indices; it ends with the session.

    Planners guess that a grouped join has few rows, and would then go through them again for each row of another.
    """
    if session.dialect == "mysql":
        both = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin")
        sql = "SELECT collation_name FROM information_schema.collations WHERE collation_name IN (%s, %s)"
        session.execute("SET collation_connection = %s", session.rows(sql, both)[0])
    if session.dialect == "postgres":
        session.execute("SET LOCAL enable_nestloop = off")


def _check_key(connection: SessionConnection, rows: ir.Table, name: str, column: str) -> None:
    counted = rows.agg(row_count=rows.count(), key_count=text(rows[column]).nunique(), named=rows[column].count())
    found = connection.fetch(counted, order_by=["row_count"]).to_pylist()[0]
    if found["named"] < found["row_count"]:
        missing = found["row_count"] - found["named"]
        raise ValueError(f"{connection.origin(name)} needs a {column} in every row; {missing} rows have none.")
    if found["key_count"] < found["row_count"]:
        repeats = found["row_count"] - found["key_count"]
        raise ValueError(f"{connection.origin(name)} must have one row per {column}; {repeats} rows repeat one.")
