"""What a session is: one open transaction of an engine, in which SQL is run and rows go in and out in bulk."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, runtime_checkable

import pyarrow

Dialect = Literal["duckdb", "postgres", "mysql"]
"""SQLGlot's names of the engines' languages."""

Rows = list[tuple[Any, ...]]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class Session(Protocol):
    """One transaction: kept when the block that opened it ends, undone when it raises.

    In MySQL a statement that defines something (CREATE, ALTER, DROP, RENAME) commits by itself: what must be whole
    there is prepared in tables of its own, and one RENAME puts it in place.
    """

    @property
    def dialect(self) -> Dialect: ...

    @property
    def origin(self) -> str:
        """The database, for messages; no password in it."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement, its values bound at ``%s``; the number of rows it changed (0 where the engine says none)."""
        ...

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """The rows of a small query, its values bound at ``%s``."""
        ...

    def arrow(self, sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        """The rows of a query in bulk, as columns of these names and types in this order."""
        ...

    def insert(self, table: str, rows: pyarrow.Table) -> None:
        """Append rows to a table by the engine's bulk means; columns are matched by name."""
        ...


@runtime_checkable
class Server(Protocol):
    """An engine that can be written to. Making one connects to nothing."""

    def reading(self) -> AbstractContextManager[Session]:
        """A session that can change nothing and sees one state of the database, by the connection ``read``."""
        ...

    def writing(self) -> AbstractContextManager[Session]:
        """A session that can, by the connection ``publish``."""
        ...


def quoted(name: str, dialect: Dialect) -> str:
    """An identifier from the configuration or a contract, quoted for the engine.

    Raises:
        ValueError: it is not letters, digits and underscores, at most 63 and no digit first.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"A table or column must be named by letters, digits and underscores, at most 63; got {name[:80]!r}."
        )
    mark = "`" if dialect == "mysql" else '"'
    return f"{mark}{name}{mark}"


def columns_of(session: Session, tables: Sequence[str]) -> Mapping[str, list[str]]:
    """The columns of those of the ``tables`` that are there, in their order."""
    schema = "DATABASE()" if session.dialect == "mysql" else "current_schema()"
    marks = ", ".join(["%s"] * len(tables))
    found: dict[str, list[str]] = {}
    for table, column in session.rows(
        f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = {schema} "  # noqa: S608
        f"AND table_name IN ({marks}) ORDER BY table_name, ordinal_position",
        list(tables),
    ):
        found.setdefault(table, []).append(column)
    return found
