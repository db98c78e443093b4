"""The extract's files: checked, counted, and the same to the byte whatever the number of threads."""

import logging
import re
from collections.abc import Callable
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet
import pytest

from aisle.database import FILTERS_IN_ORDER, Extraction, ParquetFolder
from aisle.stages import extract
from aisle.storage import read_json, read_table, write_json
from aisle.tables import BASKET_EXTRACT, EXTRACTED, FILTERS, GROUP_SPEND, STORE_GROUP_SPEND

Tables = dict[str, pyarrow.Table]
FILES = ["basket_extract.parquet", "filters.csv", "filters.parquet", "group_spend.parquet"]
FILES += ["store_group_spend.parquet", "summary.json"]


def run(data: Path, output: Path, threads: int = 1, **changes: Any) -> Path:
    usual: dict[str, Any] = {"baskets_xx": False, "customers_xx": False, "sample": "all", "seed": 1}
    write_json({"lines": {"row_count": "1"}}, output.parent / "fingerprint.json")
    extract.run(
        database=ParquetFolder(data, "1GB", threads),
        extraction=Extraction(**(usual | changes)),
        fingerprint=output.parent / "fingerprint.json",
        output=output,
    )
    return output


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_fulfil_their_contracts_and_are_sorted(data: Path, tmp_path: Path) -> None:
    output = run(data, tmp_path / "extract")
    assert sorted(bytes_of(output)) == FILES
    for table in (BASKET_EXTRACT, GROUP_SPEND, STORE_GROUP_SPEND, FILTERS):
        rows = read_table(output / f"{table.name}.parquet", table).to_pandas()
        if table is not FILTERS:
            keys = list(zip(*(rows[name] for name in table.key), strict=True))
            assert keys == sorted(keys)


def test_the_tables_are_also_csv_on_request_and_none_is_left_from_before(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "extract"
    write_json({}, tmp_path / "fingerprint.json")
    for csv in (True, False):
        extract.run(
            database=ParquetFolder(data, "1GB", 1),
            extraction=Extraction(baskets_xx=False, customers_xx=False, sample="all", seed=1),
            fingerprint=tmp_path / "fingerprint.json",
            csv=csv,
            output=output,
        )
        assert sorted(bytes_of(output)) == sorted([*FILES, *(f"{name}.csv" for name in EXTRACTED if csv)])
        if csv:
            read = pd.read_csv(output / "basket_extract.csv", dtype={"spend": str})
            rows = read_table(output / "basket_extract.parquet", BASKET_EXTRACT).to_pandas()
            assert read["spend"].map(Decimal).tolist() == rows["spend"].tolist()
            assert read["quantity_std"].tolist() == rows["quantity_std"].tolist()


def test_without_spend_the_baskets_are_the_same_and_no_spend_is_left_from_before(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "extract"
    write_json({}, tmp_path / "fingerprint.json")
    found = []
    for spend in (True, False):
        extract.run(
            database=ParquetFolder(data, "1GB", 1),
            extraction=Extraction(baskets_xx=False, customers_xx=False, sample=30, seed=1),
            fingerprint=tmp_path / "fingerprint.json",
            output=output,
            spend=spend,
            csv=True,
        )
        found.append(bytes_of(output))
    whole, without = found
    assert set(whole) - set(without) == {
        f"{table.name}.{suffix}" for table in (GROUP_SPEND, STORE_GROUP_SPEND) for suffix in ("parquet", "csv")
    }
    assert without == {name: whole[name] for name in without}


def test_one_thread_and_two_give_the_same_bytes(
    grocery: Callable[..., Tables], save: Callable[..., Path], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for name, rows in grocery(1500, seed=3).items():
        data.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(rows, data / f"{name}.parquet", row_group_size=2000)  # threads share row groups
    for changes in ({"sample": "all"}, {"sample": 400, "seed": 2}):
        one, two, again = (
            run(data, tmp_path / name, threads, **changes) for name, threads in (("1", 1), ("2", 2), ("3", 2))
        )
        assert bytes_of(one) == bytes_of(two) == bytes_of(again)


def test_rows_in_another_order_give_the_same_bytes(
    tables: Tables, save: Callable[..., Path], data: Path, tmp_path: Path
) -> None:
    backwards = {
        name: rows.take(pc.sort_indices(pc.random(rows.num_rows, initializer=1))) for name, rows in tables.items()
    }
    other = run(save(backwards, tmp_path / "data"), tmp_path / "other", sample=30)
    assert bytes_of(other) == bytes_of(run(data, tmp_path / "extract", sample=30))


@pytest.mark.parametrize("changes", [{}, {"sample": 30}, {"baskets_xx": True, "customers_xx": True}], ids=str)
def test_kept_and_dropped_baskets_add_up_to_all(
    data: Path, tables: Tables, tmp_path: Path, changes: dict[str, Any]
) -> None:
    output = run(data, tmp_path / "extract", **changes)
    filters = read_table(output / "filters.parquet", FILTERS).to_pandas()
    summary = read_json(output / "summary.json")
    assert filters["filter"].tolist() == list(FILTERS_IN_ORDER)
    assert filters["basket_count"].sum() + summary["basket_count"] == tables["baskets"].num_rows
    unused = {"undefined" * changes.get("baskets_xx", False), "not sampled" * ("sample" not in changes)} - {""}
    for name, count in zip(filters["filter"], filters["basket_count"], strict=True):
        assert (count == 0) == any(word in name for word in unused), name
    pd.testing.assert_frame_equal(pd.read_csv(output / "filters.csv"), filters, check_dtype=False)


def test_group_spend_is_the_spend_of_the_kept_baskets(data: Path, tmp_path: Path) -> None:
    output = run(data, tmp_path / "extract", sample=30)
    baskets = read_table(output / "basket_extract.parquet", BASKET_EXTRACT)
    groups = read_table(output / "group_spend.parquet", GROUP_SPEND)
    for column in ("spend", "item_count"):
        assert pc.sum(groups.column(column)) == pc.sum(baskets.column(column))
    assert set(groups.column("customer_id").to_pylist()) == set(baskets.column("customer_id").to_pylist())


def test_what_is_spent_at_a_store_is_the_spend_of_its_kept_baskets_half_by_half(data: Path, tmp_path: Path) -> None:
    output = run(data, tmp_path / "extract", sample=30)
    baskets = read_table(output / "basket_extract.parquet", BASKET_EXTRACT).to_pandas(date_as_object=False)
    spend = read_table(output / "store_group_spend.parquet", STORE_GROUP_SPEND).to_pandas()
    hashes = baskets["basket_id"].map(lambda name: md5(name.encode(), usedforsecurity=False).hexdigest())
    ordered = baskets.assign(hash=hashes).sort_values(["store_id", "shopped_at", "hash"])
    turn = ordered.groupby("store_id").cumcount() % 2
    halves = {
        "basket_parity": turn.map({0: "odd", 1: "even"}),
        "time_half": (ordered["shopped_at"] >= pd.Timestamp("2024-02-12")).map({True: "second", False: "first"}),
    }
    keys = ["store_id", *halves]
    expected = ordered.assign(**halves).groupby(keys)[["spend", "item_count"]].sum()
    found = spend.groupby(keys)[["spend", "item_count"]].sum()
    assert found.to_dict() == expected.to_dict()


def test_the_summary_tells_window_lifestages_and_data(data: Path, tmp_path: Path) -> None:
    output = run(data, tmp_path / "extract")
    baskets = read_table(output / "basket_extract.parquet", BASKET_EXTRACT).to_pandas(date_as_object=False)
    summary = read_json(output / "summary.json")
    assert summary["first_day"] == min(baskets["shopped_at"]).date().isoformat()
    assert summary["last_day"] == max(baskets["shopped_at"]).date().isoformat()
    assert summary["second_half_from"] == "2024-02-12"
    groups = (
        read_table(output / "group_spend.parquet", GROUP_SPEND).to_pandas().groupby("time_half")["item_count"].sum()
    )
    later = baskets["shopped_at"] >= pd.Timestamp("2024-02-12")
    assert (
        groups.to_dict() == baskets["item_count"].groupby(later.map({True: "second", False: "first"})).sum().to_dict()
    )
    assert summary["customer_count"] == baskets["customer_id"].nunique()
    assert {name: counts["basket_count"] for name, counts in summary["lifestages"].items()} == dict(
        baskets["lifestage"].value_counts()
    )
    assert sum(counts["customer_count"] for counts in summary["lifestages"].values()) == summary["customer_count"]
    assert len(summary["data_digest"]) >= 32
    assert summary["absent"] == []


def test_what_the_source_does_not_know_is_said(
    tables: Tables, save: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = pyarrow.nulls(tables["stores"].num_rows, pyarrow.string())
    stores = tables["stores"].set_column(1, "store_format", nothing).set_column(2, "store_region", nothing)
    with caplog.at_level(logging.INFO):
        output = run(save(tables | {"stores": stores}, tmp_path / "data"), tmp_path / "extract")
    assert read_json(output / "summary.json")["absent"] == ["store_format", "store_region"]
    assert "the source has no store_format, store_region: features made from them are left out" in caplog.text
    assert "undefined (XX) price sensitivity of the customer" in caplog.text


def test_an_extract_without_baskets_is_refused_and_nothing_is_written(
    tables: Tables, save: Callable[..., Path], tmp_path: Path
) -> None:
    data = save(tables | {"lines": tables["lines"].slice(0, 0)}, tmp_path / "data")
    with pytest.raises(ValueError, match=r"^The extract is empty: every basket was dropped by a filter; see cohort"):
        run(data, tmp_path / "extract")
    assert not (tmp_path / "extract").exists()


def repeated(count: int) -> Callable[[pyarrow.Table], pyarrow.Table]:
    return lambda rows: pyarrow.concat_tables([rows, rows.slice(0, count)])


def filled(column: str, value: Any) -> Callable[[pyarrow.Table], pyarrow.Table]:
    """The first two rows with another value."""

    def change(rows: pyarrow.Table) -> pyarrow.Table:
        values = [value, value, *rows.column(column).to_pylist()[2:]]
        at = rows.column_names.index(column)
        return rows.set_column(at, column, pyarrow.array(values, type=rows.schema.field(column).type))

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("customers", repeated(2), "must have one row per customer_id; 2 rows repeat an earlier key."),
        ("stores", repeated(5), "must have one row per store_id; 5 rows repeat an earlier key."),
        ("products", repeated(1), "must have one row per product_id; 1 rows repeat an earlier key."),
        ("baskets", repeated(3), "must have one row per basket_id; 3 rows repeat an earlier key."),
        ("lines", repeated(4), "must have one row per basket_id, product_id; 4 rows repeat an earlier key."),
        ("lines", filled("quantity", 0), ".quantity must be at least 1; 2 rows are not."),
        ("lines", filled("spend", Decimal("-0.01")), ".spend must be at least 0; 2 rows are not."),
        ("lines", filled("product_id", None), ".product_id must not be null; 2 rows are."),
        ("baskets", filled("shopped_at", None), ".shopped_at must not be null; 2 rows are."),
        ("baskets", filled("basket_size", "XXL"), ".basket_size must be one of ['S', 'M', 'L', 'XX']; 2 rows are not."),
        (
            "stores",
            filled("store_format", "XX"),
            ".store_format must be one of ['LS', 'MS', 'SS', 'XLS']; 2 rows are not.",
        ),
    ],
)
def test_tables_that_break_their_contract_are_refused_with_the_file(
    tables: Tables, tmp_path: Path, name: str, change: Callable[[pyarrow.Table], pyarrow.Table], message: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for other, rows in tables.items():
        loose = rows.cast(pyarrow.schema([field.with_nullable(True) for field in rows.schema]))
        pyarrow.parquet.write_table(change(loose) if other == name else loose, data / f"{other}.parquet")
    space = "" if message.startswith(".") else " "
    with pytest.raises(ValueError, match=rf"^{re.escape(f'{data}/{name}.parquet: {name}{space}{message}')}$"):
        run(data, tmp_path / "extract")
    assert not (tmp_path / "extract").exists()
