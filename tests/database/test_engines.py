"""DuckDB, PostgreSQL and MySQL give the same bytes, and push the feature blocks down."""

import io
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import (
    Connection,
    Engine,
    Extraction,
    ParquetFolder,
    check_rows,
    customer_features,
    fingerprint,
    population_features,
)
from aisle.features import Baskets, FeatureBlock, Mix, Rfm
from aisle.features.block import seen_by_rows
from aisle.features.exact import relation
from aisle.features.halves import ODD, SECOND, half_of
from aisle.features.stores import Stores
from aisle.sources.grocery_star import GroceryStar
from aisle.storage import write_table
from aisle.tables import BASKET_EXTRACT, CANONICAL, EXTRACTED, GROUP_SPEND, STORE_GROUP_SPEND

Tables = dict[str, pyarrow.Table]
NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
KINDS = ("duckdb", "postgresql", "mysql")
BLOCKS = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.05)}
BY_STORE: dict[str, FeatureBlock] = {"stores": Stores(3), "mix": Mix(1.0, 0.05)}
TODAY = date(2024, 4, 1)
MIDDLE = date(2024, 2, 12)
AWKWARD = [
    "a",
    "A",
    "a ",
    " a",
    "",
    "ä",
    "Ä",
    "🛒",
    "é",
    "e",
    "'; DROP TABLE lines; --",
    "`",
    '"',
    "\\",
    "\t",
    "n" * 64,
]


def parquet(rows: pyarrow.Table) -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(rows.replace_schema_metadata(None), written, compression="zstd")
    return written.getvalue()


def given_by(connection: Connection, extraction: Extraction) -> dict[str, Any]:
    """Everything that a database is asked for, as bytes."""
    pushed = {
        "basket_extract": extraction.baskets(),
        "group_spend": extraction.whole_group_spend(),
        "store_group_spend": extraction.whole_store_group_spend(),
    }

    def told(query: Any, *order: str) -> bytes:
        return parquet(connection.fetch(query, order_by=order))

    return {
        "basket extract": told(extraction.baskets(), *BASKET_EXTRACT.key),
        "groups": told(extraction.group_spend(extraction.split_spend(MIDDLE)), *GROUP_SPEND.key),
        "store groups": told(extraction.store_group_spend(extraction.split_spend(MIDDLE)), *STORE_GROUP_SPEND.key),
        "whole groups": told(extraction.whole_group_spend(), "customer_id", "product_group"),
        **{
            half: told(
                half_of({"basket_extract": extraction.baskets()}, half, MIDDLE)["basket_extract"].select("basket_id"),
                "basket_id",
            )
            for half in (ODD, SECOND)
        },
        "filters": told(extraction.filters(), "filter_number"),
        "fingerprint": fingerprint(connection),
        **{
            name: told(block.query(pushed, TODAY), "customer_id", *(["product_group"] if name == "mix" else []))
            for name, block in BLOCKS.items()
        },
        **{
            f"{name} by store": told(
                block.query(seen_by_rows(pushed, BY_STORE), TODAY),
                "customer_id",
                *(["product_group"] if name == "mix" else []),
            )
            for name, block in BY_STORE.items()
        },
    }


STORED = ("basket extract", "groups", "filters")


def read_from_stored(connection: Connection, extraction: Extraction) -> dict[str, bytes]:
    """The extract from baskets that were judged once, where the engine can keep them."""
    judged = extraction.judged(connection.stored)
    queries = (
        extraction.baskets(judged),
        extraction.group_spend(extraction.split_spend(MIDDLE, judged, connection.stored)),
        extraction.filters(judged),
    )
    orders = (BASKET_EXTRACT.key, GROUP_SPEND.key, ["filter_number"])
    return {
        name: parquet(connection.fetch(query, order_by=order))
        for name, query, order in zip(STORED, queries, orders, strict=True)
    }


@pytest.fixture(scope="module")
def engines(new_server: Callable[[str], Engine]) -> dict[str, Engine]:
    return {kind: new_server(kind) for kind in KINDS}


@pytest.mark.parametrize("sample", [30, "all"])
def test_three_engines_and_parquet_give_the_same_bytes(
    engines: dict[str, Any], filled: Callable[..., None], tables: Tables, data: Path, sample: int | str
) -> None:
    extraction = Extraction(baskets_xx=False, customers_xx=False, sample=sample, seed=1)
    with ParquetFolder(data, "1GB", 2).connect(NEEDED) as connection:
        expected = given_by(connection, extraction)
        assert read_from_stored(connection, extraction) == {name: expected[name] for name in STORED}
    for kind, engine in engines.items():
        filled(engine, tables)
        with engine.connect(NEEDED) as connection:
            check_rows(connection, NEEDED)
            found = given_by(connection, extraction)
            assert read_from_stored(connection, extraction) == {name: expected[name] for name in STORED}, kind
        assert {name for name in expected if found[name] != expected[name]} == set(), kind


def test_three_engines_give_the_same_bytes_on_real_weeks(engines: dict[str, Any], filled: Callable[..., None]) -> None:
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder of real data")
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in GroceryStar(f"{os.environ['AISLE_REAL_DATA']}/lgsr").batches():
        parts.setdefault(batch.table, []).append(batch.rows)
        if len(parts.get("lines", [])) == 2 <= len(parts.get("baskets", [])):
            break
    tables = {name: pyarrow.concat_tables(parts[name]) for name in NEEDED}
    assert tables["lines"].num_rows > 20_000
    extraction = Extraction(baskets_xx=False, customers_xx=False, sample=500, seed=1)
    found = {}
    for kind, engine in engines.items():
        filled(engine, tables)
        with engine.connect(NEEDED) as connection:
            found[kind] = given_by(connection, extraction)
    for kind in KINDS[1:]:
        assert {name for name in found[kind] if found[kind][name] != found["duckdb"][name]} == set(), kind


def text(*more: str | None) -> st.SearchStrategy[Any]:
    return st.sampled_from([*AWKWARD, *more])


def frames(draw: Any) -> Tables:
    """Tables in which ids differ in case and blanks only, moments tie, amounts are large, and anything may be null."""
    customers = draw(st.lists(text(), unique=True, min_size=1, max_size=8))
    stores = draw(st.lists(text(), unique=True, min_size=1, max_size=3))
    products = draw(st.lists(text(), unique=True, min_size=1, max_size=5))
    baskets = draw(st.lists(text(), unique=True, min_size=1, max_size=12))
    keys = draw(st.lists(st.tuples(st.sampled_from(baskets), text()), unique=True, min_size=1, max_size=25))

    def column(size: int, *values: Any) -> list[Any]:
        return draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    moments = [TODAY, date(2023, 12, 31)]
    at = [pyarrow.scalar(day, pyarrow.date32()).cast(pyarrow.timestamp("us")).as_py() for day in moments]
    at = [*at, at[0].replace(hour=23, minute=59, second=59, microsecond=999_999), at[1].replace(microsecond=1)]
    count = len(baskets)
    columns: dict[str, dict[str, list[Any]]] = {
        "customers": {
            "customer_id": customers,
            "lifestage": column(len(customers), "YA", "OF", "XX", None),
            "price_sensitivity": column(len(customers), "LA", "UM", "XX", None),
        },
        "stores": {
            "store_id": stores,
            "store_format": column(len(stores), "LS", None),
            "store_region": column(len(stores), *AWKWARD, None),
        },
        "products": {
            "product_id": products,
            **{
                name: column(len(products), *AWKWARD, None)
                for name in ("product_class", "department", "product_group", "division")
            },
        },
        "baskets": {
            "basket_id": baskets,
            "customer_id": column(count, *customers, *customers, "nobody", None),
            "store_id": column(count, *stores, "closed"),
            "shopped_at": column(count, *at),
            "basket_size": column(count, "S", "L", "XX", None),
            "basket_type": column(count, "Top Up", "Full Shop", None),
            "dominant_mission": column(count, "Fresh", "Mixed", None),
            "price_sensitivity": column(count, "MM", "LA", None),
            "status": column(count, *AWKWARD, None),
            "paid": column(count, None, *[pyarrow.scalar("0.10").cast(pyarrow.decimal128(12, 2)).as_py()]),
            "payment_count": column(count, None, 0, 3),
        },
        "lines": {
            "basket_id": [basket for basket, _ in keys],
            "product_id": [product for _, product in keys],
            "quantity": draw(st.lists(st.integers(1, 1_000_000), min_size=len(keys), max_size=len(keys))),
            "spend": draw(st.lists(st.decimals(0, 99_999_999, places=2), min_size=len(keys), max_size=len(keys))),
        },
    }
    return {name: pyarrow.table(rows, schema=CANONICAL[name].arrow_schema) for name, rows in columns.items()}


@settings(max_examples=4)
@given(st.data())
def test_three_engines_give_the_same_bytes_on_whatever_tables(
    engines: dict[str, Any], filled: Callable[..., None], data: st.DataObject
) -> None:
    tables = frames(data.draw)
    extraction = Extraction(True, True, data.draw(st.sampled_from([1, 3, "all"])), 1)
    found = {}
    for kind, engine in engines.items():
        filled(engine, tables)
        with engine.connect(NEEDED) as connection:
            found[kind] = given_by(connection, extraction)
    for kind in KINDS[1:]:
        assert {name for name in found[kind] if found[kind][name] != found["duckdb"][name]} == set(), kind


@pytest.mark.parametrize("kind", KINDS)
def test_features_pushed_down_are_those_of_the_extract(
    engines: dict[str, Any], filled: Callable[..., None], tables: Tables, tmp_path: Path, kind: str
) -> None:
    filled(engines[kind], tables)
    sampled = Extraction(baskets_xx=False, customers_xx=False, sample=10, seed=1)
    everybody = sampled.of_everybody()
    with engines[kind].connect(NEEDED) as connection:
        pushed = population_features(connection, sampled, BLOCKS)
        for table, query in (
            (BASKET_EXTRACT, everybody.baskets()),
            (GROUP_SPEND, everybody.group_spend(everybody.split_spend(MIDDLE))),
        ):
            write_table(connection.fetch(query, order_by=table.key), table, tmp_path / f"{table.name}.parquet")
    last = pyarrow.parquet.read_table(tmp_path / "basket_extract.parquet").column("shopped_at").to_pandas().max()
    relations = {name: relation(contract) for name, contract in EXTRACTED.items()}
    today = date.fromordinal(last.date().toordinal() + 1)
    with ParquetFolder(tmp_path, "1GB", 1).connect(EXTRACTED) as connection:
        expected = customer_features(connection, relations, BLOCKS, today)
    assert pushed.features.values.equals(expected.features.values)
    assert pushed.features.cohort.equals(expected.features.cohort)
    assert pushed.reasons.equals(expected.reasons)
    assert len(pushed.features.values) > 20
