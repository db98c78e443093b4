"""Kill a publication and look at what it left. Run as a program, it is the publication that is killed."""

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.database.conftest import Database
from tests.database.publications import day, drawn, state

from aisle.database import MySQL, PostgreSQL, publish_segments, read_receipt, undo_segments
from aisle.database.publishing_tables import lock

CUSTOMERS = 20_000


def _publish(server: Database, number: int) -> None:
    with server.writing() as session:
        publish_segments(session, drawn(number, CUSTOMERS), at=day(number))


def _started(server: Database) -> "subprocess.Popen[str]":
    """A process that is about to publish the second result."""
    program = [sys.executable, "-m", "tests.database.killing", type(server).__name__, server.publish]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    return process


def _settled(server: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that is published, once the server has noticed the death of who wrote."""
    with server.writing() as session:
        lock(session)
    return state(server)


def check_kills(server: Database, moments: Sequence[float]) -> list[str]:
    """Kill the second of two publications at ``moments``, shares of the time it takes; "old" or "new" for each."""
    _publish(server, 0)
    old = state(server)
    process, started = _started(server), time.monotonic()
    process.communicate(timeout=60)
    seconds = time.monotonic() - started
    new = state(server)
    assert process.returncode == 0
    assert new != old
    found = []
    for moment in (0.0, *moments):
        if state(server) != old:
            with server.writing() as session:
                undo_segments(session, str(read_receipt(session).run))
        assert state(server) == old
        with _started(server) as process:
            time.sleep(moment * seconds)
            process.kill()
        now = _settled(server)
        assert now in (old, new), f"half a publication after {moment:.0%} of its time"
        found.append("old" if now == old else "new")
    return found


if __name__ == "__main__":
    kind, url = sys.argv[1:]
    engine = {"PostgreSQL": PostgreSQL, "MySQL": MySQL}[kind](read=url, publish=url)
    print("now", flush=True)  # noqa: T201
    _publish(engine, 1)
