"""Fetching writes every table of a source or nothing, to the same bytes every time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow
import pytest

from aisle.sources import Batch
from aisle.stages import fetch
from aisle.storage import read_table
from aisle.tables import CANONICAL, DIRT

Tables = dict[str, pyarrow.Table]


@dataclass(frozen=True)
class Given:
    """A source that gives tables in pieces, and may fail at the end."""

    tables: Tables = field(repr=False)
    pieces: int = 3
    fails: bool = False

    def batches(self) -> Iterator[Batch]:
        for name, rows in self.tables.items():
            size = -(-rows.num_rows // self.pieces)
            for start in range(0, rows.num_rows, size):
                yield Batch(name, rows.slice(start, size))
        if self.fails:
            raise OSError("the line is dead")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_table_arrives_whole(tables: Tables, tmp_path: Path) -> None:
    fetch.run(source=Given(tables), output=tmp_path / "data")
    for name, rows in tables.items():
        assert read_table(tmp_path / "data" / f"{name}.parquet", CANONICAL[name]).equals(rows)


def test_the_same_source_gives_the_same_bytes(tables: Tables, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fetch.run(source=Given(tables), output=tmp_path / name)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_the_folder_is_replaced_whole(tables: Tables, tmp_path: Path) -> None:
    dirt = pyarrow.table(
        {"table": ["lines"], "rule": ["quantity is 0"], "row_count": [3], "action": ["dropped"]},
        schema=DIRT.arrow_schema,
    )
    fetch.run(source=Given(tables | {"dirt": dirt}), output=tmp_path / "data")
    assert (tmp_path / "data/dirt.parquet").exists()
    fetch.run(source=Given(tables), output=str(tmp_path / "data"))
    assert sorted(bytes_of(tmp_path)) == sorted(f"data/{name}.parquet" for name in tables)


def test_a_source_without_a_required_table_is_refused_and_the_old_data_stay(tables: Tables, tmp_path: Path) -> None:
    fetch.run(source=Given(tables), output=tmp_path / "data")
    before = bytes_of(tmp_path)
    fewer = {name: rows for name, rows in tables.items() if name not in ("stores", "lines")}
    message = r"the tables \['stores', 'lines'\] are required and missing; the source gave \['baskets', 'customers', "
    with pytest.raises(ValueError, match=message):
        fetch.run(source=Given(fewer), output=tmp_path / "data")
    assert bytes_of(tmp_path) == before


def test_a_source_with_a_table_nobody_knows_is_refused(tables: Tables, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the source gave \[.*'loyalty'"):
        fetch.run(source=Given(tables | {"loyalty": tables["stores"]}), output=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_on_the_way_leaves_the_old_data_and_no_scraps(tables: Tables, tmp_path: Path) -> None:
    fetch.run(source=Given(tables), output=tmp_path / "data")
    before = bytes_of(tmp_path)
    with pytest.raises(OSError, match="the line is dead"):
        fetch.run(source=Given(tables, fails=True), output=tmp_path / "data")
    assert bytes_of(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_was_dropped_and_why_is_said(tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = {
        "table": ["lines", "lines"],
        "rule": ["quantity is 0", "spend is below 0"],
        "row_count": [3, 0],
        "action": ["dropped", "dropped"],
    }
    with caplog.at_level(logging.INFO):
        fetch.run(
            source=Given(tables | {"dirt": pyarrow.table(rows, schema=DIRT.arrow_schema)}), output=tmp_path / "data"
        )
    assert "lines: 3 rows dropped: quantity is 0" in caplog.text
    assert "spend is below 0" not in caplog.text


def test_a_folder_that_cannot_be_written_is_named(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"file/data cannot be written: (Not a directory|File exists)\.$"):
        fetch.run(source=Given(tables), output=tmp_path / "file" / "data")
