"""Loads of the 3.03 M lines of the real data: against DataFrame.to_sql, and against \\copy with the same constraints.

Both load the five tables whose lines they are; to_sql a share of the rows of each, without keys and relations.
"""

import math
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.csv
import pyarrow.parquet
import pytest
import sqlalchemy
from benchmarks.measuring import Measurement, measure
from benchmarks.results import Report, Row

from aisle.sources.grocery_star import GroceryStar
from aisle.stages import fetch
from aisle.tables import CANONICAL

Ours = Callable[..., Measurement]
TABLES = ("customers", "stores", "products", "baskets", "lines")
SHARE = 0.02
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def whole_load(*, kind: str, url: str, folder: str) -> Callable[[], object]:
    from aisle.database import MySQL, PostgreSQL, load

    engine = {"postgresql": PostgreSQL, "mysql": MySQL}[kind](read=url, publish=url)
    parts = [
        (name, part)
        for name in TABLES
        for part in _batches(pyarrow.parquet.read_table(Path(folder) / f"{name}.parquet"), name)
    ]
    return lambda: load(engine, parts, mode="replace", told=lambda table, count: None)


def _batches(rows: pyarrow.Table, name: str) -> Iterator[pyarrow.Table]:
    for start in range(0, rows.num_rows, 1 << 17):
        yield rows.slice(start, 1 << 17).cast(CANONICAL[name].arrow_schema)


def to_sql(*, url: str, folder: str, share: float) -> Callable[[], object]:
    tables = {name: pyarrow.parquet.read_table(Path(folder) / f"{name}.parquet") for name in TABLES}
    frames = {name: rows.slice(0, math.ceil(rows.num_rows * share)).to_pandas() for name, rows in tables.items()}
    engine = sqlalchemy.create_engine(url)

    def work() -> None:
        for name, frame in frames.items():
            frame.to_sql(f"peer_{name}", engine, index=False, if_exists="replace", method="multi", chunksize=1000)

    return work


def copy(*, url: str, folder: str) -> Callable[[], object]:
    r"""Psql's \copy of CSV files into the same tables, then the same keys, indices, relations and statistics."""
    from aisle.database.schema import Schema

    schema = Schema("postgres")
    script = []
    for name in TABLES:
        rows = pyarrow.parquet.read_table(Path(folder) / f"{name}.parquet")
        pyarrow.csv.write_csv(rows, Path(folder) / f"{name}.csv")
        script += [schema.create(CANONICAL[name], prefix="peer_") + ";"]
        script += [f"\\copy peer_{name} FROM '{folder}/{name}.csv' WITH (FORMAT csv, HEADER)"]
    for name in TABLES:
        script += [f"{sql};" for sql in schema.keys(CANONICAL[name], prefix="peer_")]
    for name in TABLES:
        relation = schema.foreign_keys(CANONICAL[name], prefix="peer_")
        script += [f"{relation};"] if relation else []
    script += [f"ANALYZE peer_{name};" for name in TABLES]
    command = ["psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1", url]
    return lambda: subprocess.run(command, input="\n".join(script), text=True, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data as canonical tables."""
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder of real data")
    place = tmp_path_factory.mktemp("lgsr") / "data"
    fetch.run(source=GroceryStar(Path(os.environ["AISLE_REAL_DATA"]) / "lgsr"), output=place)
    return place


@contextmanager
def fresh(kind: str) -> Iterator[str]:
    """The address of an empty database, dropped afterwards."""
    variable = f"AISLE_TEST_{kind.upper()}_URL"
    if variable not in os.environ:
        pytest.skip(f"{variable} names no server to measure")
    address = urlsplit(os.environ[variable])
    name = f"aisle_bench_{secrets.token_hex(6)}"
    engine = sqlalchemy.create_engine(driven(address.geturl(), kind), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as raw:
            raw.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
            try:
                yield address._replace(path=f"/{name}").geturl()
            finally:
                raw.execute(sqlalchemy.text(f"DROP DATABASE {name}"))
    finally:
        engine.dispose()


def driven(url: str, kind: str) -> str:
    """The address as SQLAlchemy wants it."""
    return urlsplit(url)._replace(scheme=DRIVERS[kind]).geturl()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_load_against_to_sql(ours: Ours, report: Report, folder: Path, kind: str) -> None:
    with fresh(kind) as url:
        mine = ours(whole_load, kind=kind, url=url, folder=str(folder))
        peer = measure(to_sql, url=driven(url, kind), folder=str(folder), share=SHARE).times(1 / SHARE)
        note = f"both five tables; to_sql: {SHARE:.0%} of the rows of each, multiplied, without keys and relations"
        report.add(Row(f"load, 3.03 M lines, {kind}", mine, "DataFrame.to_sql (multi)", peer, at_least=10, note=note))


def test_load_against_copy(ours: Ours, report: Report, folder: Path) -> None:
    with fresh("postgresql") as url:
        mine = ours(whole_load, kind="postgresql", url=url, folder=str(folder))
        peer = measure(copy, url=url, folder=str(folder))
        report.add(Row("load, 3.03 M lines, as psql", mine, r"psql \copy, same constraints", peer, at_least=0.5))
