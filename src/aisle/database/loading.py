"""Canonical tables into a database: whole or not at all, whatever happens on the way."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow

from aisle.database.appending import append
from aisle.database.schema import Schema
from aisle.database.session import Server, Session
from aisle.database.staging import Staging
from aisle.tables import CANONICAL

log = logging.getLogger(__name__)

MODES = ("replace", "append")
_PATIENCE = 60.0
"""Seconds that a load waits for another, or for those who read the tables it is about to exchange."""
_LOCK = 4_102_747_311
"""The number by which loads of one PostgreSQL database know each other."""


@dataclass(frozen=True)
class Loaded:
    """Rows of one table that were written, and in ``append`` those that were there before or of weeks that were."""

    written: int
    skipped: int = 0


def load(
    server: Server, parts: Iterable[tuple[str, pyarrow.Table]], *, mode: str, told: Callable[[str, int], None]
) -> dict[str, Loaded]:
    """Write the ``parts`` of canonical tables into the database; every table's rows.

    ``replace`` leaves exactly these tables; ``append`` adds the weeks that are not there yet (see
    `aisle.database.appending.append`) and is the same as ``replace`` where no table is. ``told`` hears of every part
    that has arrived: table and rows.

    Raises:
        ValueError: a row breaks a key or a relation, the database holds tables of such names that Aisle did not make,
            or another load does not end.
        OSError: the server refuses. In every case the tables are as they were.
    """
    if mode not in MODES:
        raise ValueError(f"stage.mode must be one of {list(MODES)}; got {mode!r}.")
    with server.writing() as session, _alone(session):
        staging = Staging(session, Schema.of(session))
        staging.clear()
        found = staging.made_by_aisle()
        adding = mode == "append" and bool(found)
        if adding:
            staging.check_definitions(found)
        else:
            staging.check_removable(found)
        rows = _fill(staging, parts, told)
        if adding:
            done = append(staging, rows, found)
            return {name: Loaded(done[name], rows[name] - done[name]) for name in rows}
        _replace(staging, rows, found)
        return {name: Loaded(count) for name, count in rows.items()}


def _fill(
    staging: Staging, parts: Iterable[tuple[str, pyarrow.Table]], told: Callable[[str, int], None]
) -> dict[str, int]:
    """The rows of every new table, all in."""
    counts: dict[str, int] = {}
    for name, rows in parts:
        table = CANONICAL[name]
        if name not in counts:
            staging.begin(table)
            counts[name] = 0
        if rows.num_rows:
            staging.insert(table, rows)
        counts[name] += rows.num_rows
        told(name, rows.num_rows)
    ordered = {name: counts[name] for name in CANONICAL if name in counts}
    for name in ordered:
        lacking = sorted(set(CANONICAL[name].references.values()) - set(counts))
        if lacking:
            raise ValueError(f"Table {name} refers to the tables {lacking}; the source does not give them.")
    return ordered


def _replace(staging: Staging, rows: Mapping[str, int], found: Mapping[str, str]) -> None:
    log.info("building keys, indices and relations")
    for name in rows:
        staging.add_keys(CANONICAL[name])
    staging.prove_references([CANONICAL[name] for name in rows])
    staging.put_in_place(rows, found)


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    """No other load of this database meanwhile; a file of DuckDB has one writer anyway.

    Raises:
        ValueError: another one did not end within a minute.
    """
    patience = f"{_PATIENCE:.0f}"
    if session.dialect == "postgres":
        session.execute(f"SET LOCAL lock_timeout = '{patience}s'")
        session.execute("SET LOCAL maintenance_work_mem = '256MB'")
        _wait_for(session, f"SELECT pg_try_advisory_xact_lock({_LOCK:d})")
        yield
    elif session.dialect == "mysql":
        session.execute(f"SET SESSION lock_wait_timeout = {patience}")
        _wait_for(session, "SELECT GET_LOCK(CONCAT('aisle.', MD5(DATABASE())), 0)")
        yield  # the lock ends with the connection
    else:
        yield


def _wait_for(session: Session, question: str) -> None:
    until = time.monotonic() + _PATIENCE
    waiting = False
    while session.rows(question) not in ([(True,)], [(1,)]):
        if time.monotonic() > until:
            raise ValueError(
                f"{session.origin} is being loaded by another process, which did not end within {_PATIENCE:.0f} s; "
                "wait until it has ended and try again."
            )
        if not waiting:
            log.info("%s is being loaded by another process; waiting", session.origin)
        waiting = True
        time.sleep(0.5)
