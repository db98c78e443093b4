"""A load that is killed, refused or met by another one leaves the database as it was or as it should be."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pyarrow
import pytest
from tests.database.conftest import Database, address_of, statement, without_orphans
from tests.verify import loads
from tests.verify.loads import check_killed_loads, held, leftovers

from aisle.database import DuckDB, MySQL, PostgreSQL, load

Tables = dict[str, pyarrow.Table]


@pytest.fixture
def folders(
    sound: Tables,
    grocery: Callable[..., Tables],
    save: Callable[[Tables, Path], Path],
    tmp_path: Path,
) -> tuple[Path, Path]:
    """Two groceries, as folders."""
    other = without_orphans(grocery(200, seed=9))
    return save(sound, tmp_path / "one"), save(other, tmp_path / "other")


def put(engine: Database, folder: Path) -> None:
    load(engine, loads.parts(folder), mode="replace", told=lambda table, count: None)


def test_a_load_killed_at_random_moments_leaves_the_old_or_the_new(
    server: Database, folders: tuple[Path, Path]
) -> None:
    check_killed_loads(server, *folders, moments=2, seed=1)


def test_what_a_killed_load_left_is_removed_by_the_next(
    new_server: Callable[[str], Database], folders: tuple[Path, Path]
) -> None:
    engine = new_server("mysql")
    put(engine, folders[1])
    new = held(engine)
    put(engine, folders[0])
    before = held(engine)
    while not leftovers(engine):
        loads.killed_after(engine, "replace", folders[1], 0.15)
    assert held(engine) in (before, new)  # a kill after the one rename leaves the new, and the old to be removed
    put(engine, folders[0])
    assert leftovers(engine) == []
    assert held(engine) == before


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_of_two_loads_one_waits_for_the_other(
    new_server: Callable[[str], Database], folders: tuple[Path, Path], kind: str
) -> None:
    engine = new_server(kind)
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[tuple[str, pyarrow.Table]]:
        inside.set()
        assert go_on.wait(60)
        yield from loads.parts(folders[0])

    first = threading.Thread(
        target=load, args=(engine, slow()), kwargs={"mode": "replace", "told": lambda table, count: None}
    )
    first.start()
    assert inside.wait(60)
    second = threading.Thread(target=put, args=(engine, folders[1]))
    second.start()
    second.join(1)
    assert second.is_alive()
    go_on.set()
    for thread in (first, second):
        thread.join(60)
        assert not thread.is_alive()
    found = held(engine)
    put(engine, folders[1])
    assert held(engine) == found


@pytest.fixture(params=["postgresql", "mysql"])
def powerless(request: pytest.FixtureRequest, new_server: Callable[[str], Database]) -> Iterator[PostgreSQL | MySQL]:
    """A database and a user who may do nothing there but look."""
    engine = new_server(request.param)
    assert not isinstance(engine, DuckDB)
    url = address_of(request.param)
    name, password = f"aisle_{secrets.token_hex(4)}", secrets.token_hex(12)
    parts = urlsplit(engine.read)
    own = urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}"))
    if request.param == "postgresql":
        statement("postgresql", url, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    else:
        statement("mysql", url, f"CREATE USER {name} IDENTIFIED BY '{password}'")
        statement("mysql", url, f"GRANT SELECT ON {parts.path[1:]}.* TO {name}")
    try:
        yield replace(engine, publish=own)
    finally:
        statement(request.param, url, f"DROP {'ROLE' if request.param == 'postgresql' else 'USER'} {name}")


def test_who_may_not_create_tables_gets_one_sentence_without_a_password(
    powerless: PostgreSQL | MySQL, folders: tuple[Path, Path]
) -> None:
    with pytest.raises(OSError, match=r"(?i)permission denied for schema public|command denied to user") as caught:
        put(powerless, folders[0])
    assert str(urlsplit(powerless.publish).password) not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert held(powerless) == {}


def test_the_rights_of_others_outlive_a_load(new_server: Callable[[str], Database], folders: tuple[Path, Path]) -> None:
    engine = new_server("postgresql")
    assert isinstance(engine, PostgreSQL)
    put(engine, folders[0])
    reader = f"aisle_{secrets.token_hex(4)}"
    with psycopg.connect(engine.publish, autocommit=True) as raw:
        raw.execute(f"CREATE ROLE {reader}".encode())
        try:
            raw.execute(f"GRANT SELECT ON customers TO {reader}".encode())
            put(engine, folders[1])
            asked = raw.execute("SELECT has_table_privilege(%s, 'customers', 'SELECT')", [reader]).fetchone()
            refused = raw.execute("SELECT has_table_privilege(%s, 'stores', 'SELECT')", [reader]).fetchone()
        finally:
            raw.execute(f"DROP OWNED BY {reader}".encode())
            raw.execute(f"DROP ROLE {reader}".encode())
    assert (asked, refused) == ((True,), (False,))
