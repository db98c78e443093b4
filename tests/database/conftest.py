"""Fresh databases on every engine that can be written to.

The servers are named by AISLE_TEST_POSTGRESQL_URL and AISLE_TEST_MYSQL_URL (a database that exists, and a user who may
create others). Every database made here has a random name and is dropped.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pyarrow
import pyarrow.compute as pc
import pymysql
import pytest

from aisle.database import DuckDB, MySQL, PostgreSQL
from aisle.database.address import Address
from aisle.database.session import quoted
from aisle.tables import CANONICAL, COUNT, MOMENT, MONEY, TEXT

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


def without_orphans(tables: dict[str, pyarrow.Table]) -> dict[str, pyarrow.Table]:
    """A small grocery without the baskets and lines that refer to nothing, which a database refuses."""
    baskets, lines = tables["baskets"], tables["lines"]
    customers = baskets["customer_id"]
    known = pc.or_(pc.is_null(customers), pc.is_in(customers, tables["customers"]["customer_id"]))
    baskets = baskets.filter(pc.and_(known, pc.is_in(baskets["store_id"], tables["stores"]["store_id"])))
    lines = lines.filter(pc.is_in(lines["product_id"], tables["products"]["product_id"]))
    lines = lines.filter(pc.is_in(lines["basket_id"], baskets["basket_id"]))
    return tables | {"baskets": baskets, "lines": lines}


@pytest.fixture(scope="session")
def sound(tables: dict[str, pyarrow.Table]) -> dict[str, pyarrow.Table]:
    """The small grocery that `without_orphans` leaves."""
    return without_orphans(tables)


_TEXT = {
    "duckdb": "varchar",
    "postgres": 'text COLLATE "C"',
    "mysql": "varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
}


def fill(engine: Database, tables: Mapping[str, pyarrow.Table]) -> None:
    """The canonical tables anew, without relations: a grocery's dirt goes in as it is."""
    with engine.writing() as session:
        kinds = {
            TEXT: _TEXT[session.dialect],
            COUNT: "bigint",
            MONEY: "decimal(12, 2)",
            MOMENT: "timestamp(6)" if session.dialect == "postgres" else "timestamp",
        }
        if session.dialect == "mysql":
            kinds[MOMENT] = "datetime(6)"
        for name, rows in tables.items():
            table = quoted(name, session.dialect)
            columns = [
                f"{quoted(column, session.dialect)} {kinds[contract.type]}"
                for column, contract in CANONICAL[name].columns.items()
            ]
            key = ", ".join(quoted(column, session.dialect) for column in CANONICAL[name].key)
            session.execute(f"DROP TABLE IF EXISTS {table}")
            session.execute(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY ({key}))")
            session.insert(name, rows)


@pytest.fixture(scope="session")
def filled() -> Callable[[Database, Mapping[str, pyarrow.Table]], None]:
    """``filled(engine, tables)``: puts canonical tables into a database."""
    return fill


@contextmanager
def account(engine: PostgreSQL | MySQL, *, may_read: bool) -> Iterator[tuple[str, str]]:
    """User and password of an account of the server, which is dropped afterwards."""
    kind = "mysql" if isinstance(engine, MySQL) else "postgresql"
    user, password = f"aisle_test_{secrets.token_hex(4)}", f"secret-{secrets.token_hex(8)}"
    if kind == "mysql":
        statement(kind, engine.read, f"CREATE USER {user} IDENTIFIED BY '{password}'")
        statement(kind, engine.read, f"GRANT {'SELECT' if may_read else 'CREATE'} ON {database_of(engine)}.* TO {user}")
    else:
        statement(kind, engine.read, f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        if may_read:
            statement(kind, engine.read, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    try:
        yield user, password
    finally:
        if kind == "postgresql":
            statement(kind, engine.read, f"DROP OWNED BY {user}")
        statement(kind, engine.read, f"DROP {'USER' if kind == 'mysql' else 'ROLE'} {user}")


def database_of(engine: PostgreSQL | MySQL) -> str:
    return urlsplit(engine.read).path.removeprefix("/")


def as_user(url: str, user: str, password: str) -> str:
    """The address with another user and password."""
    parts = urlsplit(url)
    host = (parts.netloc or "").rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


@pytest.fixture(params=["postgresql", "mysql"])
def network_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostgreSQL | MySQL]:
    """An engine on an empty database of a server, PostgreSQL, then MySQL."""
    with empty_database(request.param, tmp_path) as engine:
        assert not isinstance(engine, DuckDB)
        yield engine


@pytest.fixture(scope="session")
def temporary_account() -> Callable[..., AbstractContextManager[tuple[str, str]]]:
    """``with temporary_account(engine, may_read=True) as (user, password)``."""
    return account


@pytest.fixture(scope="session")
def address_for() -> Callable[[str, str, str], str]:
    """``address_for(url, user, password)``: the address of the same database for another user."""
    return as_user


@pytest.fixture(scope="session")
def run_statement() -> Callable[[PostgreSQL | MySQL, str], None]:
    """``run_statement(engine, sql)``: one statement as the user of the test server, committed by itself."""
    return lambda engine, sql: statement("mysql" if isinstance(engine, MySQL) else "postgresql", engine.read, sql)
