"""Loads that are killed: a process of its own that loads a small grocery, and what the database holds afterwards.

As a program, ``loads.py ENGINE MODE FOLDER`` loads the Parquet files of a folder; the engine is a line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from aisle.database import DuckDB, MySQL, PostgreSQL, Session, load
from aisle.database.session import quoted
from aisle.tables import CANONICAL

Database = DuckDB | PostgreSQL | MySQL
Content = dict[str, list[tuple[Any, ...]]]
_PIECES = 4
_STRANGERS = {
    "mysql": "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    "postgres": "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
}


def held(engine: Database) -> Content:
    """Every row of every table that is there, once the server has noticed that nobody else is."""
    patient_until = time.monotonic() + 60
    while True:
        with engine.reading() as session:
            others = session.rows(_STRANGERS[session.dialect]) if session.dialect in _STRANGERS else [(0,)]
            if others == [(0,)] or time.monotonic() > patient_until:
                names = [name for name in _names(session) if not name.startswith("aisle_")]
                content = {}
                for name in names:
                    columns = ", ".join(quoted(column, session.dialect) for column in CANONICAL[name].columns)
                    content[name] = sorted(
                        session.rows(f"SELECT {columns} FROM {quoted(name, session.dialect)}"),  # noqa: S608
                        key=str,
                    )
                return content
        time.sleep(0.05)


def leftovers(engine: Database) -> list[str]:
    """Tables of a load that have not been removed."""
    with engine.reading() as session:
        return [name for name in _names(session) if name.startswith(("aisle_new_", "aisle_old_"))]


def _names(session: Session) -> list[str]:
    listed = {
        "duckdb": "SELECT table_name FROM duckdb_tables()",
        "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
        "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }[session.dialect]
    return sorted(name for (name,) in session.rows(listed))


def killed_after(engine: Database, mode: str, folder: Path, seconds: float) -> bool:
    """Load the folder in a process of its own and kill it so long after it began; whether it was done by then."""
    options = json.dumps({"kind": type(engine).__name__, **asdict(engine)}, default=str)
    with subprocess.Popen(
        [sys.executable, __file__, options, mode, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        return "done" in process.stdout.read()


def check_killed_loads(engine: Database, one: Path, other: Path, moments: int, seed: int) -> None:
    """Kill loads of two groceries at random moments: afterwards the database holds one of them, whole."""
    contents = {}
    for folder in (other, one):
        started = time.monotonic()
        load(engine, parts(folder), mode="replace", told=_nobody)
        seconds = time.monotonic() - started
        contents[folder] = held(engine)
    rng = np.random.default_rng(seed)
    killed = 0
    while killed < moments:
        before = held(engine)
        folder = other if before == contents[one] else one
        finished = killed_after(engine, "replace", folder, rng.uniform(0.0, 1.1) * seconds)
        killed += not finished
        seconds *= 0.8 if finished else 1.0  # loads may be faster now than when they were timed
        assert held(engine) in (before, contents[folder])
    load(engine, parts(one), mode="replace", told=_nobody)
    assert held(engine) == contents[one]
    assert leftovers(engine) == []


def parts(folder: Path) -> Iterator[tuple[str, pyarrow.Table]]:
    """The tables of a folder in pieces, as a weekly source gives them."""
    tables = {
        name: pyarrow.parquet.read_table(folder / f"{name}.parquet").cast(CANONICAL[name].arrow_schema)
        for name in CANONICAL
        if (folder / f"{name}.parquet").exists()
    }
    for piece in range(_PIECES):
        for name, rows in tables.items():
            size = -(-rows.num_rows // _PIECES)
            yield name, rows.slice(piece * size, size)


def _nobody(table: str, count: int) -> None:
    """What nobody is told of."""


def main() -> None:
    """Load a folder, saying when it begins and ends."""
    options, mode, folder = sys.argv[1:]
    kind, arguments = (given := json.loads(options)).pop("kind"), given
    engine = {"DuckDB": DuckDB, "MySQL": MySQL, "PostgreSQL": PostgreSQL}[kind](**arguments)
    print("ready", flush=True)  # noqa: T201
    load(engine, parts(Path(folder)), mode=mode, told=_nobody)
    print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
