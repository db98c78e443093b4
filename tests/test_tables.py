"""Contracts reject each kind of bad table, for every table, in one sentence."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aisle.tables import (
    BASKET_EXTRACT,
    CANONICAL,
    COUNT,
    DAY,
    FILTERS,
    GROUP_SPEND,
    LINES,
    MOMENT,
    MONEY,
    NUMBER,
    TEXT,
    UNSEGMENTED,
    Table,
)

TABLES = [*CANONICAL.values(), BASKET_EXTRACT, GROUP_SPEND, FILTERS, UNSEGMENTED]
ORIGIN = "data/somewhere.parquet"
ROWS = 6


def value(type_: pyarrow.DataType, row: int) -> Any:
    """A valid value, another one in every row."""
    return {
        TEXT: f"text {row}",
        COUNT: row + 1,
        MONEY: Decimal(f"{row}.10"),
        MOMENT: datetime(2024, 1, 1 + row, 12, 30),
        DAY: date(2024, 1, 1 + row),
        NUMBER: row / 3,
    }[type_]


def good(table: Table) -> pyarrow.Table:
    """Rows that fulfil the contract, with nulls where they are allowed."""
    columns = {}
    for name, column in table.columns.items():
        values = [
            column.codes[row % len(column.codes)] if column.codes else value(column.type, row) for row in range(ROWS)
        ]
        if column.nullable:
            values[-1] = None
        columns[name] = values
    return pyarrow.table(columns, schema=table.arrow_schema)


def with_value(
    rows: pyarrow.Table, name: str, values: list[Any], type_: pyarrow.DataType | None = None
) -> pyarrow.Table:
    at = rows.column_names.index(name)
    return rows.set_column(at, name, pyarrow.array(values, type=type_ or rows.schema.field(name).type))


def columns_that(condition: Any) -> list[Any]:
    found = [(table, name) for table in TABLES for name, column in table.columns.items() if condition(column)]
    return [pytest.param(*pair, id=f"{pair[0].name}.{pair[1]}") for pair in found]


def refused(table: Table, rows: pyarrow.Table) -> str:
    with pytest.raises(ValueError, match=rf"^{re.escape(ORIGIN)}: ") as caught:
        table.check(rows, ORIGIN)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert table.name in message
    return message


EVERY_TABLE = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


@EVERY_TABLE
def test_a_good_table_comes_back_with_the_declared_schema(table: Table) -> None:
    rows = good(table)
    shuffled = rows.select(list(reversed(rows.column_names)))
    found = table.check(shuffled, ORIGIN)
    assert found.schema.equals(table.arrow_schema)
    assert found.equals(rows)


@EVERY_TABLE
def test_a_table_without_rows_is_good(table: Table) -> None:
    assert table.check(good(table).slice(0, 0), ORIGIN).num_rows == 0


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: True))
def test_a_missing_column_is_named(table: Table, name: str) -> None:
    assert f"missing ['{name}']" in refused(table, good(table).drop_columns(name))


@EVERY_TABLE
def test_an_unknown_column_is_named_and_the_known_are_listed(table: Table) -> None:
    message = refused(table, good(table).append_column("surprise", [[1] * ROWS]))
    assert "unknown ['surprise']" in message
    assert str(list(table.columns)) in message


@EVERY_TABLE
def test_a_column_that_occurs_twice_is_named(table: Table) -> None:
    name = next(iter(table.columns))
    assert f"repeated ['{name}']" in refused(table, good(table).append_column(name, good(table).column(name)))


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: column.type != TEXT))
def test_text_that_is_not_the_declared_type_is_refused(table: Table, name: str) -> None:
    rows = with_value(good(table), name, ["seven"] * ROWS, TEXT)
    assert f"{table.name}.{name} must be {table.columns[name].type}; got string" in refused(table, rows)


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: column.type == TEXT))
def test_numbers_nested_in_a_text_column_are_refused(table: Table, name: str) -> None:
    rows = with_value(good(table), name, [[1]] * ROWS, pyarrow.list_(pyarrow.int64()))
    assert f"{table.name}.{name} must be string; got list<item: int64>" in refused(table, rows)


def test_a_fraction_is_not_a_count() -> None:
    rows = with_value(good(LINES), "quantity", [1.0, 2.0, 2.5, 1.0, 1.0, 1.0], pyarrow.float64())
    assert "lines.quantity must be int64; got double" in refused(LINES, rows)


def test_a_tenth_of_a_cent_is_not_money() -> None:
    rows = with_value(good(LINES), "spend", [Decimal("1.001")] * ROWS, pyarrow.decimal128(12, 3))
    assert "lines.spend must be decimal128(12, 2); got decimal128(12, 3)" in refused(LINES, rows)


def test_whole_numbers_of_another_width_are_counts() -> None:
    rows = with_value(good(LINES), "quantity", [1, 2, 3, 4, 5, 6], pyarrow.int16())
    assert LINES.check(rows, ORIGIN).schema.field("quantity").type == COUNT


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: not column.nullable))
def test_nulls_where_none_may_be_are_counted(table: Table, name: str) -> None:
    values = good(table).column(name).to_pylist()
    message = refused(table, with_value(good(table), name, [None, None, *values[2:]]))
    assert f"{table.name}.{name} must not be null; 2 rows are" in message


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: column.codes))
def test_unknown_codes_are_counted_and_the_known_are_listed(table: Table, name: str) -> None:
    values = good(table).column(name).to_pylist()
    message = refused(table, with_value(good(table), name, ["??", "??", "ya", *values[3:]]))
    assert f"{table.name}.{name} must be one of {list(table.columns[name].codes)}; 3 rows are not" in message
    assert "the first is '??'" in message


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: column.minimum is not None))
def test_numbers_below_the_minimum_are_counted(table: Table, name: str) -> None:
    column = table.columns[name]
    values = good(table).column(name).to_pylist()
    below = [Decimal(column.minimum - 1) if column.type == MONEY else column.minimum - 1] * 2
    message = refused(table, with_value(good(table), name, [*below, *values[2:]]))
    assert f"{table.name}.{name} must be at least {column.minimum}; 2 rows are not" in message


@pytest.mark.parametrize(("table", "name"), columns_that(lambda column: column.minimum is not None))
def test_the_minimum_itself_is_allowed(table: Table, name: str) -> None:
    column = table.columns[name]
    least = Decimal(column.minimum) if column.type == MONEY else column.minimum
    table.check(with_value(good(table), name, [least] * ROWS), ORIGIN)


def test_not_a_number_is_refused_where_a_minimum_is() -> None:
    rows = with_value(good(BASKET_EXTRACT), "quantity_std", [float("nan"), *[1.0] * (ROWS - 1)])
    assert "basket_extract.quantity_std must be at least 0; 1 rows are not" in refused(BASKET_EXTRACT, rows)


@EVERY_TABLE
def test_repeated_keys_are_counted(table: Table) -> None:
    rows = good(table)
    message = refused(table, pyarrow.concat_tables([rows, rows.slice(0, 2), rows.slice(0, 1)]))
    assert f"{table.name} must have one row per {', '.join(table.key)}; 3 rows repeat an earlier key" in message


@EVERY_TABLE
def test_part_of_a_key_may_repeat(table: Table) -> None:
    if len(table.key) == 1:
        return
    rows = good(table)
    first = rows.column(table.key[0]).to_pylist()[0]
    table.check(with_value(rows, table.key[0], [first] * ROWS), ORIGIN)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "ab", "ä"]), st.sampled_from(["", "b", "ba"])), max_size=7))
@example([("a", "b"), ("a", "ba"), ("ab", "")])  # in order
@example([("a", "b"), ("a", "b"), ("ab", "")])
@example([("ab", ""), ("a", "b"), ("ab", "")])  # repeated, and not beside one another
def test_keys_may_not_repeat_whatever_their_order(keys: list[tuple[str, str]]) -> None:
    price = Decimal("1.00")
    columns = [[key[0] for key in keys], [key[1] for key in keys], [1 for _ in keys], [price for _ in keys]]
    rows = pyarrow.table(columns, schema=LINES.arrow_schema)
    parts = pyarrow.concat_tables([rows.slice(0, 2), rows.slice(2)])
    if len(set(keys)) == len(keys):
        LINES.check(parts, ORIGIN)
    else:
        assert f"{len(keys) - len(set(keys))} rows repeat an earlier key" in refused(LINES, parts)


@EVERY_TABLE
def test_a_key_is_made_of_columns_that_cannot_be_null(table: Table) -> None:
    assert set(table.key) <= {name for name, column in table.columns.items() if not column.nullable}


@pytest.mark.parametrize("table", [table for table in TABLES if table.references], ids=lambda table: table.name)
def test_a_table_comes_after_those_it_refers_to(table: Table) -> None:
    names = list(CANONICAL)
    for column, other in table.references.items():
        assert column in table.columns
        assert CANONICAL[other].key == (column,)
        assert names.index(other) < names.index(table.name)


@EVERY_TABLE
def test_the_schema_alone_is_checked_without_reading_values(table: Table) -> None:
    table.check_schema(table.arrow_schema, ORIGIN)
    name = next(iter(table.columns))
    wrong = table.arrow_schema.set(0, pyarrow.field(name, pyarrow.bool_()))
    with pytest.raises(ValueError, match=rf"^{ORIGIN}: {table.name}\.{name} must be .*; got bool\.$"):
        table.check_schema(wrong, ORIGIN)
    with pytest.raises(
        ValueError, match=rf"^{ORIGIN}: table {table.name} needs the columns .*; missing \['{name}'\]\.$"
    ):
        table.check_schema(table.arrow_schema.remove(0), ORIGIN)


def test_text_of_any_width_is_text() -> None:
    """Pandas writes large_string; databases read it as any other text."""
    wide = pyarrow.schema([(n, pyarrow.large_string() if c.type == TEXT else c.type) for n, c in LINES.columns.items()])
    LINES.check_schema(wide, ORIGIN)
    assert LINES.check(good(LINES).cast(wide), ORIGIN).schema.equals(LINES.arrow_schema)
