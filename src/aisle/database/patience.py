"""What to do about a database that is away for a moment: try again, a little later each time, and say so."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from aisle.database.engine import Connection, Engine
from aisle.tables import Table

log = logging.getLogger(__name__)

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts; a server needs about as long to start again."""


def patiently(attempt: Callable[[], T], trouble: type[OSError]) -> T:
    """What ``attempt`` gives, made again after each of the `WAITS` while it raises ``trouble``; the last one counts."""
    for wait in WAITS:
        try:
            return attempt()
        except trouble as error:
            log.info("%s Trying again in %g s.", error, wait)
            time.sleep(wait)
    return attempt()


def in_one_state(engine: Engine, tables: Mapping[str, Table], work: Callable[[Connection], T]) -> T:
    """What ``work`` gives on a connection, all its queries on one state of the database.

    A server that goes away in the middle is connected to anew, and ``work`` begins again: it must change nothing
    outside.

    Raises:
        OSError: the database cannot be reached, also after some attempts, or refuses a query.
        ValueError: its tables are not what the contracts say.
    """

    def whole() -> T:
        with engine.connect(tables) as connection:
            return work(connection)

    return patiently(whole, ConnectionResetError)
