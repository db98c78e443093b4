"""DuckDB in one file: an embedded database that keeps its tables, read and written without a server."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow

from aisle.database.connection import SessionConnection
from aisle.database.patience import patiently
from aisle.database.session import Dialect, Rows, quoted
from aisle.tables import Table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DuckDB:
    """The database in ``file``; ``memory_limit`` in DuckDB's notation (2GB); ``threads`` at most.

    Several processes may read it at once, or one may write; who finds it locked waits some seconds for it.
    """

    file: Path
    memory_limit: str
    threads: int

    @contextmanager
    def connect(self, tables: Mapping[str, Table]) -> Iterator[SessionConnection]:
        """See `aisle.database.engine.Engine`."""
        with self.reading() as session:
            yield SessionConnection.checked(session, tables)

    @contextmanager
    def reading(self) -> Iterator["DuckDBSession"]:
        """See `aisle.database.session.Server`.

        Raises:
            FileNotFoundError: there is no such file.
        """
        if not Path(self.file).exists():
            raise FileNotFoundError(f"{self.file} is needed and missing; run stage=load first.")
        with self._session(read_only=True) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator["DuckDBSession"]:
        """See `aisle.database.session.Server`; the file is made if it is missing."""
        Path(self.file).parent.mkdir(parents=True, exist_ok=True)
        with self._session(read_only=False) as session:
            yield session

    @contextmanager
    def _session(self, *, read_only: bool) -> Iterator["DuckDBSession"]:
        """One transaction; the errors of the engine as sentences."""
        try:
            with patiently(lambda: self._open(read_only), BlockingIOError) as raw:
                raw.begin()
                try:
                    yield DuckDBSession(raw, str(self.file))
                    raw.commit()
                except BaseException:
                    try:
                        raw.rollback()
                    except duckdb.Error:  # the transaction has ended already, by a statement or by an error
                        log.debug("%s: nothing to roll back", self.file)
                    raise
        except duckdb.Error as error:
            raise OSError(f"{self.file}: DuckDB refuses: {_reason(error)}.") from None

    def _open(self, read_only: bool) -> duckdb.DuckDBPyConnection:
        """Raises BlockingIOError when another process holds the file, ValueError when DuckDB refuses the settings."""
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit,
            "threads": self.threads,
        }
        try:
            return duckdb.connect(str(self.file), read_only=read_only, config=settings)
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            message = f"{self.file} must not be in use by another process; one holds it, wait until that has ended."
            raise BlockingIOError(message) from None
        except (duckdb.ParserException, duckdb.InvalidInputException, duckdb.SyntaxException) as error:
            given = f"memory_limit={self.memory_limit}, threads={self.threads}"
            raise ValueError(f"DuckDB refuses {given}: {_reason(error)}.") from None


def _reason(error: duckdb.Error) -> str:
    return " ".join(str(error).split()).rstrip(".")


@dataclass(frozen=True)
class DuckDBSession:
    """See `aisle.database.session.Session`."""

    raw: duckdb.DuckDBPyConnection = field(repr=False)
    origin: str

    @property
    def dialect(self) -> Dialect:
        return "duckdb"

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        done = self._run(sql, parameters)
        counts = done.description is not None and [column[0] for column in done.description] == ["Count"]
        row = done.fetchone() if counts else None
        return int(row[0]) if row else 0

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        return self._run(sql, parameters).fetchall()

    def arrow(self, sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        return self.raw.sql(sql).to_arrow_table().cast(schema)  # made by all threads, after execute by one

    def insert(self, table: str, rows: pyarrow.Table) -> None:
        names = ", ".join(quoted(name, "duckdb") for name in rows.column_names)
        self.raw.register("aisle_rows", rows)
        try:
            self.raw.execute(f"INSERT INTO {quoted(table, 'duckdb')} ({names}) SELECT {names} FROM aisle_rows")  # noqa: S608
        finally:
            self.raw.unregister("aisle_rows")

    def _run(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        """Values are bound at %s, as with the other engines, where DuckDB itself writes a question mark."""
        if not parameters:
            return self.raw.execute(sql)
        pieces = [piece.replace("%s", "?") for piece in sql.split("%%")]
        return self.raw.execute("%".join(pieces), list(parameters))
