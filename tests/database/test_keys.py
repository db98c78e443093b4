"""Rows without a fault and with keys of their own are taken for what they are, at once; others never are."""

from collections.abc import Iterator

import duckdb
import ibis
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import keys
from aisle.database.keys import FAULT, faultless_in_duckdb

Rows = list[tuple[str, str, bool | None]]
TEXT = (st.sampled_from(["", "a", "b", "ab", "ä"]), st.sampled_from(["", "a", "b", "ba"]))
ROWS = st.lists(st.tuples(*TEXT, st.sampled_from([False, False, False, None, True])), max_size=8)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as raw:
        yield raw


def faultless(raw: duckdb.DuckDBPyConnection, rows: Rows) -> tuple[bool, int]:
    """What is said of the rows, and how often hashes were asked for."""
    asked = []

    def arrow(sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        asked.append("hash(" in sql)
        return raw.sql(sql).to_arrow_table().cast(schema)

    kinds = pyarrow.schema([("left", pyarrow.string()), ("right", pyarrow.string()), (FAULT, pyarrow.bool_())])
    columns = [[row[place] for row in rows] for place in range(3)]
    raw.register("pairs", pyarrow.table(columns, schema=kinds))
    return faultless_in_duckdb(
        arrow, ibis.table({"left": "string", "right": "string", FAULT: "boolean"}, name="pairs")
    ), sum(asked)


@settings(max_examples=100)
@given(ROWS)
def test_rows_are_faultless_when_none_has_a_fault_and_no_key_repeats(
    database: duckdb.DuckDBPyConnection, rows: Rows
) -> None:
    distinct = len({row[:2] for row in rows}) == len(rows)
    assert faultless(database, rows)[0] == (distinct and not any(row[2] for row in rows))


def test_many_rows_are_hashed_a_part_at_a_time(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Rows = [(str(number), "a", False) for number in range(100)]
    assert faultless(database, rows) == (True, 1)
    monkeypatch.setattr(keys, "HASHES_AT_ONCE", 30)
    assert faultless(database, rows) == (True, 4)
    assert not faultless(database, [*rows, ("57", "a", False)])[0]
    assert not faultless(database, [*rows, ("101", "a", True)])[0]
