"""PostgreSQL: read by COPY TO, written by COPY FROM, in one transaction."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pyarrow
import pyarrow.csv

from aisle.database.address import REMEDY, Address
from aisle.database.connection import SessionConnection
from aisle.database.patience import patiently
from aisle.database.session import Dialect, Rows, quoted
from aisle.tables import Table

_FOR_NOW = ("starting up", "shutting down", "recovery", "too many clients", "connection slots")
"""What PostgreSQL says when it refuses a connection that it may take a little later."""


@dataclass(frozen=True)
class PostgreSQL:
    """A PostgreSQL database. ``read`` and ``publish`` are the addresses of its two connections.

    They read postgresql://user:password@host:port/database; a password may also be in the server's own places
    (PGPASSWORD, .pgpass).
    """

    read: str = field(repr=False)
    publish: str = field(repr=False)

    @contextmanager
    def connect(self, tables: Mapping[str, Table]) -> Iterator[SessionConnection]:
        """See `aisle.database.engine.Engine`."""
        with self.reading() as session:
            yield SessionConnection.checked(session, tables)

    @contextmanager
    def reading(self) -> Iterator["PostgreSQLSession"]:
        """See `aisle.database.session.Server`."""
        with _connected(self.read) as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield session

    @contextmanager
    def writing(self) -> Iterator["PostgreSQLSession"]:
        """See `aisle.database.session.Server`."""
        with _connected(self.publish) as session:
            yield session


@contextmanager
def _connected(url: str) -> Iterator["PostgreSQLSession"]:
    """A connection in a transaction; the errors of the server as sentences without the password."""
    address = Address.of(url, scheme="postgresql", port=5432)
    raw = patiently(lambda: _opened(address), ConnectionRefusedError)
    try:
        yield PostgreSQLSession(raw, str(address))
        raw.commit()
    except psycopg.Error as error:
        if raw.broken:
            raise ConnectionResetError(f"{address} went away: {_reason(error)}.") from None
        raise OSError(f"{address}: PostgreSQL refuses: {_reason(error)}.") from None
    finally:
        raw.close()  # what has not been committed is undone


def _opened(address: Address) -> "psycopg.Connection[tuple[Any, ...]]":
    """Raises ConnectionRefusedError when nobody answers there for now, OSError when the server refuses."""
    try:
        return psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user or None,
            password=address.password or None,
            connect_timeout=10,
        )
    except psycopg.Error as error:
        reason = _reason(error)
        if "FATAL" in reason and not any(state in reason for state in _FOR_NOW):
            raise OSError(f"{address}: PostgreSQL refuses: {reason}; {REMEDY}.") from None
        raise ConnectionRefusedError(f"{address} cannot be reached: {reason}.") from None


def _reason(error: psycopg.Error) -> str:
    return " ".join(str(error).split()).rstrip(".")


@dataclass(frozen=True)
class PostgreSQLSession:
    """See `aisle.database.session.Session`."""

    raw: "psycopg.Connection[tuple[Any, ...]]" = field(repr=False)
    origin: str

    @property
    def dialect(self) -> Dialect:
        return "postgres"

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return max(0, self.raw.execute(sql.encode(), parameters or None).rowcount)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        return self.raw.execute(sql.encode(), parameters or None).fetchall()

    def arrow(self, sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        text = io.BytesIO()
        with self.raw.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)".encode()) as copy:
            for block in copy:
                text.write(block)
        if not text.tell():
            return schema.empty_table()
        text.seek(0)
        return pyarrow.csv.read_csv(
            text,
            read_options=pyarrow.csv.ReadOptions(column_names=schema.names),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        ).cast(schema)

    def insert(self, table: str, rows: pyarrow.Table) -> None:
        names = ", ".join(quoted(name, "postgres") for name in rows.column_names)
        statement = f"COPY {quoted(table, 'postgres')} ({names}) FROM STDIN (FORMAT csv)".encode()
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        with self.raw.cursor() as cursor, cursor.copy(statement) as copy:
            for part in rows.to_batches(max_chunksize=1 << 17):
                text = io.BytesIO()
                pyarrow.csv.write_csv(part, text, options)
                copy.write(text.getvalue())
