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
from aisle.publication import Publication


def _publish(server: Database, number: int, result: Publication) -> None:
    with server.writing() as session:
        publish_segments(session, result, at=day(number))


def _started(server: Database, customers: int) -> "subprocess.Popen[str]":
    """A process that is about to publish the second result."""
    program = [sys.executable, "-m", "tests.database.killing", type(server).__name__, server.publish, str(customers)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    return process


def _settled(server: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that is published, once the server has noticed the death of who wrote."""
    with server.writing() as session:
        lock(session)
    return state(server)


def check_kills(server: Database, moments: Sequence[float], customers: int) -> list[str]:
    """Kill the second of two publications at ``moments``, shares of the time it takes; "old" or "new" for each."""
    _publish(server, 0, drawn(0, customers))
    old = state(server)
    process, started = _started(server, customers), time.monotonic()
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    seconds = time.monotonic() - started
    process.communicate(timeout=60)
    new = state(server)
    assert process.returncode == 0
    assert new != old
    found = []
    for moment in (0.0, *moments):
        if state(server) != old:
            with server.writing() as session:
                undo_segments(session, str(read_receipt(session).run))
        assert state(server) == old
        with _started(server, customers) as process:
            time.sleep(moment * seconds)
            process.kill()
        now = _settled(server)
        assert now in (old, new), f"half a publication after {moment:.0%} of its time"
        found.append("old" if now == old else "new")
    return found


if __name__ == "__main__":
    kind, url, count = sys.argv[1:]
    engine = {"PostgreSQL": PostgreSQL, "MySQL": MySQL}[kind](read=url, publish=url)
    second = drawn(1, int(count))
    print("now", flush=True)  # noqa: T201
    _publish(engine, 1, second)
    print("done", flush=True)  # noqa: T201
