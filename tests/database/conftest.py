"""Fresh databases on every engine that can be written to.

The servers are named by AISLE_TEST_POSTGRESQL_URL and AISLE_TEST_MYSQL_URL (a database that exists, and a user who may
create others). Every database made here has a random name and is dropped.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymysql
import pytest

from aisle.database import DuckDB, MySQL, PostgreSQL
from aisle.database.address import Address

KINDS = ("duckdb", "postgresql", "mysql")
Database = DuckDB | PostgreSQL | MySQL


def address_of(kind: str) -> str:
    """The address of the test server, or the test is skipped."""
    variable = f"AISLE_TEST_{kind.upper()}_URL"
    if variable not in os.environ:
        pytest.skip(f"{variable} names no server to test on")
    return os.environ[variable]


def statement(kind: str, url: str, sql: str) -> None:
    """Run one statement as the user of the test server, committed by itself."""
    if kind == "postgresql":
        with psycopg.connect(url, autocommit=True) as raw:
            raw.execute(sql.encode())
    else:
        address = Address.of(url, scheme="mysql", port=3306)
        with closing(
            pymysql.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                database=address.database,
                autocommit=True,
            )
        ) as connection:
            connection.cursor().execute(sql)


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[Database]:
    """An engine of this kind on an empty database of its own, which is dropped afterwards."""
    name = f"aisle_test_{secrets.token_hex(6)}"
    if kind == "duckdb":
        yield DuckDB(folder / f"{name}.duckdb", memory_limit="1GB", threads=2)
        return
    url = address_of(kind)
    own = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    collation = " CHARACTER SET utf8mb4" if kind == "mysql" else ""
    statement(kind, url, f"CREATE DATABASE {name}{collation}")
    try:
        yield {"postgresql": PostgreSQL, "mysql": MySQL}[kind](read=own, publish=own)
    finally:
        statement(kind, url, f"DROP DATABASE {name}{' WITH (FORCE)' if kind == 'postgresql' else ''}")


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An engine on an empty database, one engine after the other."""
    with empty_database(request.param, tmp_path) as engine:
        yield engine


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Database]]:
    """``new_server("mysql")``: an engine on an empty database that lasts for the module."""
    with ExitStack() as made:
        yield lambda kind: made.enter_context(empty_database(kind, tmp_path_factory.mktemp(kind)))
