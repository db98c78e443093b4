"""MySQL and MariaDB: read through an unbuffered cursor, written by LOAD DATA LOCAL."""

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow
import pyarrow.compute as pc
import pymysql
import pymysql.cursors

from aisle.database.address import REMEDY, Address
from aisle.database.connection import SessionConnection
from aisle.database.patience import patiently
from aisle.database.session import Dialect, Rows, quoted
from aisle.tables import Table

_ROWS_AT_ONCE = 1 << 16
_WRITTEN_AT_ONCE = 1 << 15
_NOT_THERE = (1040, 1053, 2002, 2003, 2013)
"""Errors of connecting that may pass: too many connections, shutting down, nobody answers."""
_WENT_AWAY = (1053, 1927, 2006, 2013, 2055)
"""Errors of a statement whose connection is gone."""
_HASH_JOINS = """
    SET SESSION join_cache_level = 8, optimizer_switch = 'join_cache_hashed=on,join_cache_bka=on',
    join_buffer_size = 268435456, join_buffer_space_limit = 1073741824, sort_buffer_size = 67108864,
    tmp_table_size = 268435456, max_heap_table_size = 268435456
"""
"""MariaDB joins what a query makes on the way row by row, for hours, unless told that it may use a hash."""


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
            if "MariaDB" in session.raw.get_server_info():
                session.execute(_HASH_JOINS)
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
    raw = patiently(lambda: _opened(address), ConnectionRefusedError)
    try:
        yield MySQLSession(raw, str(address))
        raw.commit()
    except pymysql.Error as error:
        if isinstance(error, pymysql.InterfaceError) or error.args[0] in _WENT_AWAY:
            raise ConnectionResetError(f"{address} went away: {_reason(error)}.") from None
        raise OSError(f"{address}: MySQL refuses: {_reason(error)}.") from None
    finally:
        if raw.open:
            raw.close()  # what has not been committed is undone


def _opened(address: Address) -> "pymysql.connections.Connection[Any]":
    """Raises ConnectionRefusedError when nobody answers there for now, OSError when the server refuses."""
    try:
        return pymysql.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user or None,
            password=address.password,
            charset="utf8mb4",
            connect_timeout=10,
            local_infile=True,
        )
    except pymysql.Error as error:
        if error.args[0] in _NOT_THERE:
            raise ConnectionRefusedError(f"{address} cannot be reached: {_reason(error)}.") from None
        raise OSError(f"{address}: MySQL refuses: {_reason(error)}; {REMEDY}.") from None


def _reason(error: pymysql.Error) -> str:
    return " ".join(str(error.args[-1] if error.args else error).split()).rstrip(".")


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
                self._check_warnings(cursor)
            finally:
                self.raw.decoders = decoders
        return pyarrow.concat_tables(parts) if parts else schema.empty_table()

    def insert(self, table: str, rows: pyarrow.Table) -> None:
        names = ", ".join(quoted(name, "mysql") for name in rows.column_names)
        statement = f"LOAD DATA LOCAL INFILE %s INTO TABLE {quoted(table, 'mysql')} CHARACTER SET utf8mb4 ({names})"
        parts = rows.to_batches(max_chunksize=_WRITTEN_AT_ONCE)
        with ThreadPoolExecutor(1) as ahead, self.raw.cursor() as cursor:
            for text in ahead.map(_tab_separated, parts):  # the next part is written while the server takes this one
                with tempfile.NamedTemporaryFile(prefix="aisle-") as file:
                    file.write(text)
                    file.flush()
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # they are looked at below, all of them
                        cursor.execute(statement, (file.name,))
                self._check_warnings(cursor)

    def _check_warnings(self, cursor: "pymysql.cursors.Cursor") -> None:
        """MySQL bends values that do not fit, in queries and in LOAD DATA LOCAL, where the others refuse them."""
        cursor.execute("SHOW WARNINGS LIMIT 1")
        said = cursor.fetchone()
        if said:
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
