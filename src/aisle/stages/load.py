"""Source -> canonical tables in a database, with keys and relations."""

import logging
import time

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aisle.database import Server, load
from aisle.sources import Source
from aisle.stages.fetch import parts

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 15.0


def run(*, source: Source, database: Server, mode: str) -> None:
    """Write every canonical table of the source into the database, all or nothing.

    ``mode`` is ``replace`` or ``append``; see `aisle.database.load`.

    Raises:
        ValueError: see there, or the database is one that is only read.
    """
    if not hasattr(database, "writing"):
        raise ValueError(
            f"stage=load must be given a database that can be written to, database=postgresql, mysql or duckdb; got "
            f"{type(database).__name__}: stage=fetch writes Parquet files."
        )
    with _Progress() as progress:
        done = load(database, parts(source), mode=mode, told=progress.told)
    for name, loaded in done.items():
        there = f", {loaded.skipped} were there before" if loaded.skipped else ""
        log.info("%-18s %10d rows%s", name, loaded.written, there)
    log.info("%d rows in %.1f s, %d rows/s", progress.rows, progress.seconds, progress.pace)


class _Progress:
    """Rows so far, drawn on a terminal's last line, or logged now and then where standard error is none."""

    def __init__(self) -> None:
        self.rows = 0
        self._started = self._said = time.monotonic()
        console = Console(stderr=True)
        self._quiet = not console.is_terminal
        count = TextColumn("{task.completed:,} rows, {task.fields[pace]:,} rows/s")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), count, TimeElapsedColumn())
        self._drawn = Progress(*columns, console=console, disable=self._quiet, transient=True)
        self._task = self._drawn.add_task("loading", total=None, pace=0)

    def __enter__(self) -> "_Progress":
        self._drawn.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._drawn.stop()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @property
    def pace(self) -> int:
        return int(self.rows / max(self.seconds, 0.001))

    def told(self, table: str, count: int) -> None:
        """Some rows of a table have arrived."""
        self.rows += count
        self._drawn.update(self._task, description=table, completed=self.rows, pace=self.pace)
        now = time.monotonic()
        if self._quiet and now - self._said > _SECONDS_BETWEEN_LINES:
            log.info("%d rows so far, %d rows/s", self.rows, self.pace)
            self._said = now
