"""A database that is away for a moment is waited for; one that refuses is one sentence without the password."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aisle.database import Connection, DuckDB, MySQL, PostgreSQL, in_one_state
from aisle.database.connection import SessionConnection
from aisle.features.exact import relation
from aisle.tables import CANONICAL

Server = PostgreSQL | MySQL
STORES = {"stores": CANONICAL["stores"]}
SQL_OF_OWN_ID = {"postgres": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
END = {"postgres": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aisle.database.patience.WAITS", (0.01, 0.02, 0.04))


@pytest.fixture
def shop(network_server: Server, filled: Callable[..., None], tables: dict[str, Any]) -> Server:
    filled(network_server, {"stores": tables["stores"]})
    return network_server


def count_stores(connection: Connection) -> int:
    return connection.fetch(relation(CANONICAL["stores"]), order_by=["store_id"]).num_rows


def ended_at_first(engine: Server, run_statement: Callable[..., None], times: int) -> Callable[[Connection], int]:
    """Work whose connection is ended by the server so many times before it can read."""
    seen: list[int] = []

    def work(connection: Connection) -> int:
        assert isinstance(connection, SessionConnection)
        session = connection.session
        if len(seen) < times:
            seen.append(int(session.rows(SQL_OF_OWN_ID[session.dialect])[0][0]))
            run_statement(engine, END[session.dialect].format(seen[-1]))
        return count_stores(connection)

    return work


def test_work_that_loses_its_connection_begins_again_and_says_so(
    shop: Server, run_statement: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert in_one_state(shop, STORES, ended_at_first(shop, run_statement, 2)) == 5
    said = [record.getMessage() for record in caplog.records if "went away" in record.getMessage()]
    assert [text[-21:] for text in said] == ["Trying again in 0.01 s."[-21:], "Trying again in 0.02 s."[-21:]]


def test_a_server_that_goes_away_again_and_again_is_one_sentence(
    shop: Server, run_statement: Callable[..., None]
) -> None:
    with pytest.raises(OSError, match=r"^(postgresql|mysql)://.*/aisle_test_\w+ went away: .*\.$"):
        in_one_state(shop, STORES, ended_at_first(shop, run_statement, 99))


def test_what_was_being_written_is_not_tried_again(shop: Server, run_statement: Callable[..., None]) -> None:
    def write() -> None:
        with shop.writing() as session:
            session.execute("DELETE FROM stores")
            run_statement(shop, END[session.dialect].format(session.rows(SQL_OF_OWN_ID[session.dialect])[0][0]))
            session.rows("SELECT store_id FROM stores")

    with pytest.raises(OSError, match=r" went away: "):
        write()
    assert in_one_state(shop, STORES, count_stores) == 5


@pytest.mark.parametrize("engine", [PostgreSQL, MySQL])
def test_nobody_there_is_tried_again_then_one_sentence(engine: type[Server], caplog: pytest.LogCaptureFixture) -> None:
    url = f"{engine.__name__.lower()}://reader:secret@127.0.0.1:9/shop"
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(OSError, match=r"://reader@127\.0\.0\.1:9/shop cannot be reached: .*\.$") as caught,
        engine(url, url).reading(),
    ):
        pass
    assert sum("Trying again in" in record.getMessage() for record in caplog.records) == 3
    assert "secret" not in str(caught.value) + caplog.text


def test_an_unknown_database_is_one_sentence_at_once(shop: Server, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = replace(shop, read=shop.read.replace("aisle_test_", "no_such_"))
    with pytest.raises(OSError, match=r"no_such_\w+: (PostgreSQL|MySQL) refuses: .*no_such_.*\.$"), elsewhere.reading():
        pass
    assert "Trying again" not in caplog.text


def test_no_rights_is_one_sentence(
    shop: Server, temporary_account: Callable[..., Any], address_for: Callable[..., str]
) -> None:
    with temporary_account(shop, may_read=False) as (user, password):
        poor = replace(shop, read=address_for(shop.read, user, password))
        with pytest.raises(ValueError, match=r"needs the tables \['stores'\]; .* may not read them; ") as caught:
            in_one_state(poor, STORES, count_stores)
    assert password not in str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> DuckDB:
    engine = DuckDB(tmp_path / "shop.duckdb", "1GB", 1)
    with engine.writing() as session:
        session.execute("CREATE TABLE stores (store_id VARCHAR, store_format VARCHAR, store_region VARCHAR)")
    return engine


def held(file: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that has the file open so long."""
    code = (
        f"import duckdb, time; held = duckdb.connect({str(file)!r}); print('held', flush=True); time.sleep({seconds})"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_a_file_that_another_process_holds_is_tried_again_then_one_sentence(
    file: DuckDB, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    with held(Path(file.file), 60) as other:
        try:
            with (
                caplog.at_level(logging.INFO),
                pytest.raises(OSError, match=r"shop\.duckdb must not be in use by another process; one holds it"),
                getattr(file, way)(),
            ):
                pass
        finally:
            other.kill()
    assert sum("Trying again in" in record.getMessage() for record in caplog.records) == 3


def test_a_file_that_is_let_go_is_read(file: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aisle.database.patience.WAITS", (0.2,) * 50)
    with held(Path(file.file), 0.5):
        started = time.monotonic()
        assert in_one_state(file, STORES, count_stores) == 0
    assert time.monotonic() - started > 0.1


def test_a_missing_file_is_named_with_what_makes_it(tmp_path: Path) -> None:
    missing = r"nothing\.duckdb is needed and missing; run stage=load first\.$"
    with pytest.raises(FileNotFoundError, match=missing), DuckDB(tmp_path / "nothing.duckdb", "1GB", 1).reading():
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.duckdb").write_text("not a database" * 1000)
    with (
        pytest.raises(OSError, match=r"shop\.duckdb: DuckDB refuses: .*\.$"),
        DuckDB(tmp_path / "shop.duckdb", "1GB", 1).reading(),
    ):
        pass


@pytest.mark.parametrize(("limit", "threads"), [("plenty", 1), ("1GB", 0)])
def test_settings_that_duckdb_refuses_are_named(tmp_path: Path, limit: str, threads: int) -> None:
    message = rf"^DuckDB refuses memory_limit={limit}, threads={threads}: .*\.$"
    with pytest.raises(ValueError, match=message), DuckDB(tmp_path / "shop.duckdb", limit, threads).writing():
        pass
