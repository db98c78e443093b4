"""Rows that repeat are found by their hashes; rows that do not are taken for what they are."""

from collections.abc import Iterator

import duckdb
import ibis
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import keys
from aisle.database.keys import unrepeated_in_duckdb

PAIRS = st.lists(st.tuples(st.sampled_from(["", "a", "b", "ab", "ä"]), st.sampled_from(["", "a", "b", "ba"])))


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as raw:
        yield raw


def unrepeated(raw: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]) -> tuple[bool, int]:
    """What the hashes say, and in how many queries."""
    asked = []

    def arrow(sql: str) -> pyarrow.Table:
        asked.append(sql)
        return raw.execute(sql).to_arrow_table()

    text = pyarrow.schema([("left", pyarrow.string()), ("right", pyarrow.string())])
    raw.register("pairs", pyarrow.table([[pair[0] for pair in pairs], [pair[1] for pair in pairs]], schema=text))
    rows = ibis.table({"left": "string", "right": "string"}, name="pairs")
    return unrepeated_in_duckdb(arrow, rows, len(pairs)), len(asked)


@settings(max_examples=60)
@given(PAIRS)
def test_rows_are_sure_not_to_repeat_when_none_does(
    database: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]
) -> None:
    assert unrepeated(database, pairs)[0] == (len(set(pairs)) == len(pairs))


def test_many_rows_are_hashed_a_part_at_a_time(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(str(number), "a") for number in range(100)]
    assert unrepeated(database, pairs) == (True, 1)
    monkeypatch.setattr(keys, "HASHES_AT_ONCE", 30)
    assert unrepeated(database, pairs) == (True, 4)
    assert not unrepeated(database, [*pairs, ("57", "a")])[0]
