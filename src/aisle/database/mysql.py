"""MySQL and MariaDB: read through an unbuffered cursor, written by LOAD DATA LOCAL."""

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow
import pyarrow.compute as pc
import pymysql
import pymysql.cursors

from aisle.database.address import Address
from aisle.database.connection import SessionConnection
from aisle.database.session import Dialect, Rows, quoted
from aisle.tables import Table

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class MySQL:
    """A MySQL or MariaDB database. ``read`` and ``publish`` are the addresses of its two connections.

    They read mysql://user:password@host:port/database.
    """

    read: str = field(repr=False)
    publish: str = field(repr=False)

    @contextmanager
    def connect(self, tables: Mapping[str, Table]) -> Iterator[SessionConnection]:
        """See `aisle.database.engine.Engine`."""
        with self.reading() as session:
            yield SessionConnection.checked(session, tables)

    @contextmanager
    def reading(self) -> Iterator["MySQLSession"]:
        """See `aisle.database.session.Server`."""
        with _connected(self.read) as session:
            session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield session

    @contextmanager
    def writing(self) -> Iterator["MySQLSession"]:
        """See `aisle.database.session.Server`."""
        with _connected(self.publish) as session:
            session.execute("START TRANSACTION")
            yield session


@contextmanager
def _connected(url: str) -> Iterator["MySQLSession"]:
    """A connection in a transaction; the errors of the server as sentences without the password."""
    address = Address.of(url, scheme="mysql", port=3306)
    try:
        raw = pymysql.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user or None,
            password=address.password,
            charset="utf8mb4",
            connect_timeout=10,
            local_infile=True,
        )
        try:
            yield MySQLSession(raw, str(address))
            raw.commit()
        except BaseException:
            if raw.open:
                raw.rollback()
            raise
        finally:
            if raw.open:
                raw.close()
    except pymysql.Error as error:
        reason = " ".join(str(error.args[-1] if error.args else error).split()).rstrip(".")
        raise OSError(f"{address}: MySQL refuses: {reason}.") from None


@dataclass(frozen=True)
class MySQLSession:
    """See `aisle.database.session.Session`."""

    raw: "pymysql.connections.Connection[Any]" = field(repr=False)
    origin: str

    @property
    def dialect(self) -> Dialect:
        return "mysql"

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        with self.raw.cursor() as cursor:
            return int(cursor.execute(sql, tuple(parameters) or None))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        with self.raw.cursor() as cursor:
            cursor.execute(sql, tuple(parameters) or None)
            return list(cursor.fetchall())

    def arrow(self, sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        text = pyarrow.schema([(name, pyarrow.string()) for name in schema.names])
        parts = []
        with self.raw.cursor(pymysql.cursors.SSCursor) as cursor:
            # every value as the server's own text: its decimals and doubles are exact, and Arrow reads them fast
            decoders, self.raw.decoders = self.raw.decoders, {}
            try:
                cursor.execute(sql)
                while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                    columns = [pyarrow.array(column, pyarrow.string()) for column in zip(*rows, strict=True)]
                    parts.append(pyarrow.table(columns, schema=text).cast(schema))
            finally:
                self.raw.decoders = decoders
        return pyarrow.concat_tables(parts) if parts else schema.empty_table()

    def insert(self, table: str, rows: pyarrow.Table) -> None:
        names = ", ".join(quoted(name, "mysql") for name in rows.column_names)
        statement = f"LOAD DATA LOCAL INFILE %s INTO TABLE {quoted(table, 'mysql')} CHARACTER SET utf8mb4 ({names})"
        with tempfile.NamedTemporaryFile(prefix="aisle-") as file, self.raw.cursor() as cursor:
            for part in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
                file.write(_tab_separated(part))
            file.flush()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they are looked at below, all of them
                cursor.execute(statement, (file.name,))
            cursor.execute("SHOW WARNINGS LIMIT 1")
            said = cursor.fetchone()
        if said:  # LOAD DATA LOCAL skips or bends rows that do not fit, where others refuse them
            raise pymysql.DataError(said[2])


def _tab_separated(rows: pyarrow.RecordBatch) -> pyarrow.Buffer:
    """Rows as LOAD DATA reads them by default: tabs and line feeds, a backslash before what needs it and N for null."""
    columns = []
    for column in rows.columns:
        text = column.cast(pyarrow.string())
        if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
            for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\0", "\\0")):
                text = pc.replace_substring(text, plain, escaped)
        columns.append(text)
    lines = pc.binary_join_element_wise(*columns, "\t", null_handling="replace", null_replacement="\\N")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    return ended.buffers()[2] if len(ended) else pyarrow.py_buffer(b"")
