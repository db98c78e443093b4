"""Source -> canonical tables in a database, with keys and relations."""

import logging
import time

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aisle.database import Server, load
from aisle.sources import Source
from aisle.stages.fetch import parts

log = logging.getLogger(__name__)


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
    started = time.monotonic()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} rows"),
        TextColumn("{task.fields[pace]:,} rows/s"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("loading", total=None, pace=0)
        rows = 0

        def told(table: str, count: int) -> None:
            nonlocal rows
            rows += count
            pace = int(rows / max(time.monotonic() - started, 0.001))
            progress.update(task, description=table, completed=rows, pace=pace)

        done = load(database, parts(source), mode=mode, told=told)
    for name, loaded in done.items():
        there = f", {loaded.skipped} were there before" if loaded.skipped else ""
        log.info("%-18s %10d rows%s", name, loaded.written, there)
    seconds = time.monotonic() - started
    log.info("%d rows in %.1f s, %d rows/s", rows, seconds, rows / max(seconds, 0.001))
