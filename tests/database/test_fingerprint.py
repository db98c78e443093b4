"""A fingerprint is the same for the same rows in any order, and another one when a number or a key changes."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from aisle.database import ParquetFolder, fingerprint
from aisle.tables import CANONICAL

Tables = dict[str, pyarrow.Table]


@pytest.fixture
def taken(save: Callable[..., Path], tmp_path: Path) -> Callable[[Tables], dict[str, Any]]:
    def of(tables: Tables) -> dict[str, Any]:
        with ParquetFolder(save(tables, tmp_path / "data"), "1GB", 2).connect(CANONICAL) as connection:
            return fingerprint(connection)

    return of


def changed(tables: Tables, name: str, column: str, value: Any) -> Tables:
    """The tables with another value in the first row of a column."""
    rows = tables[name].to_pylist()
    rows[0] = {**rows[0], column: value}
    return tables | {name: pyarrow.Table.from_pylist(rows, schema=tables[name].schema)}


def test_rows_in_another_order_have_the_same_fingerprint(taken: Callable[..., Any], tables: Tables) -> None:
    rng = np.random.default_rng(1)
    shuffled = {name: rows.take(rng.permutation(rows.num_rows)) for name, rows in tables.items()}
    assert json.dumps(taken(tables)) == json.dumps(taken(shuffled))


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("lines", "spend", Decimal("12345.67")),
        ("lines", "quantity", 4321),
        ("lines", "product_id", "p99"),
        ("baskets", "shopped_at", datetime(2024, 1, 1, 0, 0, 0, 1)),
        ("baskets", "status", ""),
        ("baskets", "paid", Decimal("0.00")),
        ("stores", "store_region", "N "),
        ("baskets", "basket_id", "b99999"),
        ("customers", "customer_id", "zz"),
        ("customers", "lifestage", "OF"),
    ],
)
def test_a_changed_value_changes_the_fingerprint_of_its_table_alone(
    taken: Callable[..., Any], tables: Tables, name: str, column: str, value: Any
) -> None:
    before, after = taken(tables), taken(changed(tables, name, column, value))
    assert before[name] != after[name]
    assert {other: print_ for other, print_ in before.items() if other != name} == {
        other: print_ for other, print_ in after.items() if other != name
    }


def test_values_that_change_places_change_the_fingerprint(taken: Callable[..., Any], tables: Tables) -> None:
    rows = tables["products"].to_pylist()
    swapped = [{**row, "department": row["product_class"], "product_class": row["department"]} for row in rows]
    changed_tables = tables | {"products": pyarrow.Table.from_pylist(swapped, schema=tables["products"].schema)}
    assert taken(tables)["products"]["content"] != taken(changed_tables)["products"]["content"]


def test_a_fingerprint_counts_rows_and_adds_up_exactly(taken: Callable[..., Any], tables: Tables) -> None:
    found = taken(tables)
    assert set(found) == set(tables)
    assert {name: int(facts["row_count"]) for name, facts in found.items()} == {
        name: rows.num_rows for name, rows in tables.items()
    }
    assert Decimal(found["lines"]["spend_total"]) == sum(tables["lines"].column("spend").to_pylist())
    assert found["customers"]["customer_id_max"] == max(tables["customers"].column("customer_id").to_pylist())


def test_an_empty_table_has_a_fingerprint(taken: Callable[..., Any], tables: Tables) -> None:
    found = taken(tables | {"stores": tables["stores"].slice(0, 0)})
    assert found["stores"]["row_count"] == "0"
