"""Loads of the 3.03 M lines of the real data: against DataFrame.to_sql, and against \\copy with the same constraints.

Ours is the whole load, five tables with keys and relations; to_sql gets the lines alone, fewer of them, no key.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.csv
import pyarrow.parquet
import pytest
from benchmarks.measuring import Measurement, measure
from benchmarks.results import Report, Row
from tests.database.conftest import empty_database

from aisle.database import DuckDB
from aisle.sources.grocery_star import GroceryStar
from aisle.stages import fetch
from aisle.tables import CANONICAL

Ours = Callable[..., Measurement]
TABLES = ("customers", "stores", "products", "baskets", "lines")
LINES = 3_034_288
PEER_LINES = 60_000
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


def to_sql(*, url: str, folder: str, rows: int) -> Callable[[], object]:
    import sqlalchemy

    frame = pyarrow.parquet.read_table(Path(folder) / "lines.parquet").slice(0, rows).to_pandas()
    engine = sqlalchemy.create_engine(url)
    return lambda: frame.to_sql("peer", engine, index=False, if_exists="replace", method="multi", chunksize=1000)


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


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_load_against_to_sql(ours: Ours, report: Report, folder: Path, tmp_path: Path, kind: str) -> None:
    with empty_database(kind, tmp_path) as engine:
        assert not isinstance(engine, DuckDB)
        peer_url = urlsplit(engine.publish)._replace(scheme=DRIVERS[kind]).geturl()
        mine = ours(whole_load, kind=kind, url=engine.publish, folder=str(folder))
        peer = measure(to_sql, url=peer_url, folder=str(folder), rows=PEER_LINES).times(LINES / PEER_LINES)
        note = f"to_sql: {PEER_LINES:,} lines, multiplied; ours with all five tables, keys, relations"
        report.add(Row(f"load, 3.03 M lines, {kind}", mine, "DataFrame.to_sql (multi)", peer, at_least=10, note=note))


def test_load_against_copy(ours: Ours, report: Report, folder: Path, tmp_path: Path) -> None:
    with empty_database("postgresql", tmp_path) as engine:
        assert not isinstance(engine, DuckDB)
        mine = ours(whole_load, kind="postgresql", url=engine.publish, folder=str(folder))
        peer = measure(copy, url=engine.publish, folder=str(folder))
        report.add(Row("load, 3.03 M lines, as psql", mine, r"psql \copy, same constraints", peer, at_least=0.5))
