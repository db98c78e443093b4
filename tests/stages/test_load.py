"""The stage load writes a source into a database, and says what it wrote."""

import logging
from pathlib import Path

import pytest

from aisle.database import DuckDB, ParquetFolder
from aisle.sources.simulated import Simulated
from aisle.stages import load
from aisle.tables import CANONICAL

SOURCE = Simulated(customers=30, weeks=2, seed=3)


def test_a_source_is_loaded_and_its_rows_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = DuckDB(tmp_path / "aisle.duckdb", memory_limit="1GB", threads=1)
    with caplog.at_level(logging.INFO):
        load.run(source=SOURCE, database=database, mode="replace")
        load.run(source=SOURCE, database=database, mode="append")
    expected = {name: table for name, table in CANONICAL.items() if not table.optional}
    with database.connect(expected) as connection:
        assert set(connection.names) == set(expected)
    assert f"{'customers':18} {30:10} rows" in caplog.text
    assert "rows/s" in caplog.text
    assert "30 were there before" in caplog.text


def test_a_database_that_is_only_read_is_refused(tmp_path: Path) -> None:
    folder = ParquetFolder(tmp_path, memory_limit="1GB", threads=1)
    with pytest.raises(ValueError, match=r"must be given a database that can be written to.*got ParquetFolder"):
        load.run(source=SOURCE, database=folder, mode="replace")  # type: ignore[arg-type]
