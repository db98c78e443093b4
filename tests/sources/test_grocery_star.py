"""A grocery star of awkward data becomes canonical tables, and its dirt is counted."""

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet
import pytest
from tests.disks import files_no_larger_than

from aisle.sources import grocery_star as star
from aisle.sources import line_items
from aisle.sources.grocery_star import GroceryStar
from aisle.tables import CANONICAL

CLEAN = {
    "Baskets": pd.DataFrame(
        [
            (20, "M", "MM", "Small Shop", "Fresh"),
            (7, "S", "XX", "XX", "XX"),
            (100, "S", "LA", "Small Shop", "Grocery"),
            (3, "S", "UM", "Small Shop", "Mixed"),
        ],
        columns=[
            "basket_id",
            "basket_size",
            "basket_price_sensitivity",
            "basket_type",
            "basket_dominant_mission",
        ],
    ),
    "Customers": pd.DataFrame(
        [("C2", "XX", None), ("C1", "LA", "YF"), ("C9", None, "XX")],
        columns=["cust_id", "cust_price_sensitivity", "cust_lifestage"],
    ),
    "Products": pd.DataFrame(
        [("P2", "CL2", "DEP1", "G1", "D1"), ("P10", "CL1", "DEP1", "G1", "D1"), ("P1", "CL3", "DEP2", "G2", "D1")],
        columns=["prod_id", "prod_code_10", "prod_code_20", "prod_code_30", "prod_code_40"],
    ),
    "Stores": pd.DataFrame(
        [("S2", "LS", None), ("S1", None, "N01")], columns=["store_id", "store_format", "store_region"]
    ),
    "Timestamps": pd.DataFrame(
        [(1, 20060416, 23), (2, 20060417, 0), (3, 20060410, 8), (4, 20060417, 0)],
        columns=["time_id", "shop_date", "shop_hour"],
    ),
    # a tie in time (20 and 100), a basket of one line (7), one without a card (3), a Sunday night and the Monday after
    "Transactions": pd.DataFrame(
        [
            (1, 2, 3, 0.30, "P2", "C1", 20, "S1"),
            (2, 2, 1, 1.10, "P10", "C1", 20, "S1"),
            (3, 1, 1, 0.00, "P1", "C2", 7, "S2"),
            (4, 4, 2, 5.00, "P1", "C1", 100, "S1"),
            (5, 3, 1, 0.29, "P1", None, 3, "S2"),
            (6, 3, 1, 2.71, "P2", None, 3, "S2"),
        ],
        columns=["trans_id", "time_id", "quantity", "spend", "prod_id", "cust_id", "basket_id", "store_id"],
    ),
}


def write(folder: Path, tables: dict[str, pd.DataFrame], ending: str = "parquet") -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        table = pyarrow.Table.from_pandas(rows, preserve_index=False)
        if ending == "parquet":
            pyarrow.parquet.write_table(table, folder / f"{name}.parquet")
        else:
            pyarrow.csv.write_csv(table, folder / f"{name.lower()}.CSV")
    return folder


def read(folder: Path, **policy: str) -> dict[str, pyarrow.Table]:
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in GroceryStar(folder, **policy).batches():
        parts.setdefault(batch.table, []).append(batch.rows)
    return {name: pyarrow.concat_tables(rows) for name, rows in parts.items()}


def dirt(tables: dict[str, pyarrow.Table]) -> dict[str, int]:
    rows = tables["dirt"].to_pylist()
    return {row["rule"]: row["row_count"] for row in rows if row["row_count"]}


def changed(table: str, **values: object) -> dict[str, pd.DataFrame]:
    return {**CLEAN, table: CLEAN[table].assign(**values)}


def with_lines(*lines: tuple[object, ...]) -> dict[str, pd.DataFrame]:
    added = pd.DataFrame(list(lines), columns=CLEAN["Transactions"].columns)
    return {**CLEAN, "Transactions": pd.concat([CLEAN["Transactions"], added], ignore_index=True)}


def without(table: str, column: str) -> dict[str, pd.DataFrame]:
    return {**CLEAN, table: CLEAN[table].drop(columns=column)}


@pytest.fixture(params=["parquet", "csv"])
def clean(request, tmp_path) -> dict[str, pyarrow.Table]:
    return read(write(tmp_path / "star", CLEAN, request.param))


def test_the_small_tables_keep_their_codes_and_nulls_and_are_sorted_by_key(clean):
    assert clean["customers"].to_pylist() == [
        {"customer_id": "C1", "lifestage": "YF", "price_sensitivity": "LA"},
        {"customer_id": "C2", "lifestage": None, "price_sensitivity": "XX"},
        {"customer_id": "C9", "lifestage": "XX", "price_sensitivity": None},
    ]
    assert clean["stores"].to_pylist() == [
        {"store_id": "S1", "store_format": None, "store_region": "N01"},
        {"store_id": "S2", "store_format": "LS", "store_region": None},
    ]
    assert [row["product_id"] for row in clean["products"].to_pylist()] == ["P1", "P10", "P2"]
    assert clean["products"].to_pylist()[0] == {
        "product_id": "P1",
        "product_class": "CL3",
        "department": "DEP2",
        "product_group": "G2",
        "division": "D1",
    }


def test_a_basket_takes_customer_store_and_time_from_its_lines(clean):
    baskets = {row["basket_id"]: row for row in clean["baskets"].to_pylist()}
    assert {key: (row["customer_id"], row["store_id"], row["shopped_at"]) for key, row in baskets.items()} == {
        "3": (None, "S2", datetime(2006, 4, 10, 8)),
        "7": ("C2", "S2", datetime(2006, 4, 16, 23)),
        "20": ("C1", "S1", datetime(2006, 4, 17, 0)),
        "100": ("C1", "S1", datetime(2006, 4, 17, 0)),
    }
    assert baskets["7"]["basket_type"] == baskets["7"]["dominant_mission"] == "XX"
    assert (baskets["7"]["paid"], baskets["7"]["status"]) == (None, None)


def test_lines_have_exact_money_and_come_out_by_week_and_key(clean):
    assert [tuple(row.values()) for row in clean["lines"].to_pylist()] == [
        ("3", "P1", 1, Decimal("0.29")),
        ("3", "P2", 1, Decimal("2.71")),
        ("7", "P1", 1, Decimal("0.00")),
        ("100", "P1", 2, Decimal("5.00")),
        ("20", "P10", 1, Decimal("1.10")),
        ("20", "P2", 3, Decimal("0.30")),
    ]


def test_clean_data_has_no_dirt_but_every_rule_is_listed(clean):
    assert not dirt(clean)
    assert {row["rule"] for row in clean["dirt"].to_pylist()} == {rule.sentence for rule in star.POLICY}


def test_weeks_run_from_monday_to_sunday(tmp_path):
    batches = list(GroceryStar(write(tmp_path / "star", CLEAN)).batches())
    weeks = [batch.rows.column("basket_id").to_pylist() for batch in batches if batch.table == "baskets"]
    assert weeks == [["3", "7"], ["100", "20"]]


def test_the_order_of_the_rows_changes_nothing(tmp_path):
    backwards = {name: rows.iloc[::-1] for name, rows in CLEAN.items()}
    first, second = read(write(tmp_path / "a", CLEAN)), read(write(tmp_path / "b", backwards))
    assert first.keys() == second.keys()
    assert all(first[name].equals(second[name]) for name in first)


def test_repeats_of_a_product_in_a_basket_are_added_up_and_counted(tmp_path):
    tables = read(write(tmp_path / "star", with_lines((7, 2, 1, 0.05, "P2", "C1", 20, "S1"))))
    assert dirt(tables) == {line_items.LINE_REPEATED.sentence: 1}
    assert tables["lines"].to_pylist()[-1] == {
        "basket_id": "20",
        "product_id": "P2",
        "quantity": 4,
        "spend": Decimal("0.35"),
    }


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ((9, 2, 1, 1.0, "P1", "C1", 999, "S1"), star.LINE_NO_BASKET),
        ((9, 2, 1, 1.0, "P1", "C1", None, "S1"), star.LINE_NO_BASKET),
        ((9, 2, 1, 1.0, "P999", "C1", 20, "S1"), star.LINE_NO_PRODUCT),
        ((9, 2, 1, 1.0, "P1", "C1", 20, "S999"), star.LINE_NO_STORE),
        ((9, 2, 1, 1.0, "P1", "C1", 20, None), star.LINE_NO_STORE),
        ((9, 999, 1, 1.0, "P1", "C1", 20, "S1"), star.LINE_NO_TIME),
        ((9, 2, 0, 1.0, "P1", "C1", 20, "S1"), line_items.LINE_NO_ITEM),
        ((9, 2, -1, 1.0, "P1", "C1", 20, "S1"), line_items.LINE_NO_ITEM),
        ((9, 2, 1, -0.01, "P1", "C1", 20, "S1"), line_items.LINE_NO_SPEND),
        ((9, 2, 1, float("inf"), "P1", "C1", 20, "S1"), line_items.LINE_NO_SPEND),
        ((9, 2, 1, None, "P1", "C1", 20, "S1"), line_items.LINE_NO_SPEND),
    ],
)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_dirty_line_is_dropped_and_counted_and_harms_no_other(tmp_path, line, rule, ending):
    dirty = with_lines(line)
    dirty["Transactions"] = dirty["Transactions"].astype({"basket_id": "Int64"})
    tables = read(write(tmp_path / "dirty", dirty, ending))
    expected = read(write(tmp_path / "clean", CLEAN))
    assert dirt(tables) == {rule.sentence: 1}
    assert tables["lines"].equals(expected["lines"])
    assert tables["baskets"].equals(expected["baskets"])


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_quantity_below_one_is_refused_where_the_policy_says_so(tmp_path, ending):
    folder = write(tmp_path / "star", with_lines((9, 2, -2, -0.20, "P2", "C1", 20, "S1")), ending)
    place = "row 7" if ending == "parquet" else "line 8"
    with pytest.raises(ValueError, match=rf"{place}, column quantity: .* must be at least 1; got -2; mend it"):
        read(folder, nonpositive_quantity="error")


def test_a_return_is_taken_off_what_the_basket_has_of_the_product(tmp_path):
    folder = write(tmp_path / "star", with_lines((9, 2, -2, -0.20, "P2", "C1", 20, "S1")))
    tables = read(folder, nonpositive_quantity="keep")
    assert tables["lines"].to_pylist()[-1] == {
        "basket_id": "20",
        "product_id": "P2",
        "quantity": 1,
        "spend": Decimal("0.10"),
    }
    assert dirt(tables) == {line_items.LINE_RETURNED.sentence: 1, line_items.LINE_REPEATED.sentence: 1}


def test_a_basket_of_nothing_but_returns_is_dropped(tmp_path):
    lines = CLEAN["Transactions"].assign(quantity=[3, 1, -1, 2, 1, 1])
    tables = read(write(tmp_path / "star", {**CLEAN, "Transactions": lines}), nonpositive_quantity="keep")
    assert tables["baskets"].column("basket_id").to_pylist() == ["3", "100", "20"]
    assert dirt(tables) == {
        line_items.LINE_RETURNED.sentence: 1,
        line_items.LINE_NOTHING.sentence: 1,
        star.BASKET_EMPTY.sentence: 1,
    }


def test_an_unknown_policy_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"nonpositive_quantity must be one of drop, keep, error; got 'ignore'"):
        GroceryStar("anywhere", nonpositive_quantity="ignore")


def test_lines_without_their_basket_or_product_are_counted_and_the_first_five_named(tmp_path, caplog):
    lost = [(9, 2, 1, 1.0, "P1", "C1", 900 + number, "S1") for number in (6, 5, 4, 3, 2, 1, 6)]
    folder = write(tmp_path / "star", with_lines(*lost, (9, 2, 1, 1.0, "P404", "C1", 20, "S1")))
    read(folder)
    assert [record.message.split("Transactions.parquet: ")[1] for record in caplog.records] == [
        "7 lines dropped: The basket is not in Baskets. The first: 906, 905, 904, 903, 902.",
        "1 lines dropped: The product is not in Products. The first: P404.",
    ]


def test_a_line_that_breaks_two_rules_is_counted_once(tmp_path):
    tables = read(write(tmp_path / "star", with_lines((9, 999, 0, -1.0, "P999", "C1", 20, "S1"))))
    assert dirt(tables) == {star.LINE_NO_PRODUCT.sentence: 1}


@pytest.mark.parametrize(
    "line",
    [
        (9, 2, 1, 1.0, "P1", "C2", 20, "S1"),
        (9, 2, 1, 1.0, "P1", None, 20, "S1"),
        (9, 2, 1, 1.0, "P1", "C1", 20, "S2"),
        (9, 3, 1, 1.0, "P1", "C1", 20, "S1"),  # in another week
    ],
)
def test_a_basket_of_two_customers_stores_or_times_is_dropped_with_all_its_lines(tmp_path, line):
    tables = read(write(tmp_path / "star", with_lines(line)))
    assert dirt(tables) == {star.LINE_CONFLICT.sentence: 3, star.BASKET_EMPTY.sentence: 1}
    assert "20" not in tables["baskets"].column("basket_id").to_pylist()
    assert "20" not in tables["lines"].column("basket_id").to_pylist()


def test_two_times_of_the_same_hour_are_one_time(tmp_path):
    tables = read(write(tmp_path / "star", with_lines((9, 4, 1, 1.0, "P1", "C1", 20, "S1"))))
    assert not dirt(tables)


def test_a_basket_without_lines_is_dropped_and_counted(tmp_path):
    lines = CLEAN["Transactions"]
    tables = read(write(tmp_path / "star", {**CLEAN, "Transactions": lines[lines["basket_id"] != 7]}))
    assert dirt(tables) == {star.BASKET_EMPTY.sentence: 1}
    assert tables["baskets"].column("basket_id").to_pylist() == ["3", "100", "20"]


def test_a_basket_of_a_customer_without_a_row_counts_as_one_without_a_card(tmp_path):
    lines = CLEAN["Transactions"].replace({"cust_id": {"C2": "C404"}})
    tables = read(write(tmp_path / "star", {**CLEAN, "Transactions": lines}))
    assert dirt(tables) == {star.BASKET_STRANGER.sentence: 1}
    assert tables["baskets"].to_pylist()[1]["customer_id"] is None


def test_spend_that_is_not_in_cents_is_rounded_and_counted(tmp_path):
    tables = read(write(tmp_path / "star", with_lines((9, 2, 1, 1.125, "P1", "C1", 20, "S1"))))
    assert dirt(tables) == {line_items.LINE_ROUNDED.sentence: 1}
    assert Decimal("1.12") in tables["lines"].column("spend").to_pylist()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"nowhere: the folder of the grocery star is not there; give its place"
    ):
        read(tmp_path / "nowhere")


def test_missing_files_are_named(tmp_path):
    folder = write(tmp_path / "star", CLEAN)
    (folder / "Stores.parquet").unlink()
    (folder / "Timestamps.parquet").rename(folder / "Timestamps.xlsx")
    with pytest.raises(FileNotFoundError, match=r"missing \['Stores', 'Timestamps'\] among \['Baskets.parquet'"):
        read(folder)


def test_a_table_in_two_files_is_refused(tmp_path):
    folder = write(write(tmp_path / "star", CLEAN), {"Stores": CLEAN["Stores"]}, "csv")
    with pytest.raises(ValueError, match=r"table Stores must be in one file; got \['Stores.parquet', 'stores.CSV'\]"):
        read(folder)


@pytest.mark.parametrize("table", CLEAN)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_table_without_rows_is_named(tmp_path, table, ending):
    folder = write(tmp_path / "star", {**CLEAN, table: CLEAN[table].iloc[:0]}, ending)
    with pytest.raises(ValueError, match=rf"(?i){table}\.{ending}.* needs rows.*, but has none; export it again"):
        read(folder)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_empty_file_is_named(tmp_path, ending):
    folder = write(tmp_path / "star", CLEAN, ending)
    file = next(path for path in folder.iterdir() if path.stem.lower() == "products")
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"(?i)products\.(csv|parquet).* needs .*rows, but the file is empty"):
        read(folder)


@pytest.mark.parametrize("table", CLEAN)
def test_a_foreign_file_is_named(tmp_path, table):
    folder = write(tmp_path / "star", CLEAN)
    (folder / f"{table}.parquet").write_bytes(b"\x89PNG\r\n" * 20)
    with pytest.raises(ValueError, match=rf"{table}.parquet: table {table} must be readable as parquet, but: Parquet"):
        read(folder)


def test_a_foreign_csv_file_is_named(tmp_path):
    folder = write(tmp_path / "star", CLEAN, "csv")
    (folder / "stores.CSV").write_bytes(b"\x89PNG\r\n\xff\xfe" * 20)
    with pytest.raises(ValueError, match=r"stores.CSV, line 1: must be UTF-8, but holds the byte 0x89"):
        read(folder)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("Baskets", "basket_type"),
        ("Customers", "cust_lifestage"),
        ("Products", "prod_code_30"),
        ("Stores", "store_id"),
        ("Timestamps", "shop_hour"),
        ("Transactions", "quantity"),
    ],
)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_missing_column_is_named(tmp_path, table, column, ending):
    folder = write(tmp_path / "star", without(table, column), ending)
    message = rf"(?i){table}\.{ending}.* needs .*the columns .*; (missing: \['{column}'\]|\['{column}'\] are missing)"
    with pytest.raises(ValueError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("table", "column", "repeated"),
    [
        ("Baskets", "basket_id", [20, 7, 20, 3]),
        ("Customers", "cust_id", ["C1", "C1", "C9"]),
        ("Products", "prod_id", ["P1", "P2", "P1"]),
        ("Stores", "store_id", ["S1", "S1"]),
        ("Timestamps", "time_id", [1, 2, 3, 1]),
    ],
)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_repeated_key_is_named(tmp_path, table, column, repeated, ending):
    row = next(place for place, key in enumerate(repeated) if key in repeated[:place])
    place = f"row {row + 1}" if ending == "parquet" else f"line {row + 2}"
    folder = write(tmp_path / "star", changed(table, **{column: repeated}), ending)
    message = rf"{table}\.{ending}, {place}, column {column}: .* one row per {column}; '{repeated[row]}' was"
    with pytest.raises(ValueError, match=f"(?i){message}"):
        read(folder)


def test_a_key_that_is_null_is_named(tmp_path):
    folder = write(tmp_path / "star", changed("Stores", store_id=["S1", None]))
    with pytest.raises(ValueError, match=r"Stores.parquet, row 2, column store_id: must be an id; got nothing"):
        read(folder)


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("Transactions", "quantity", ["1"] * 6, r"Transactions.quantity must hold whole numbers; got (large_)?string"),
        ("Transactions", "spend", ["1"] * 6, r"Transactions.spend must hold numbers; got (large_)?string"),
        ("Transactions", "quantity", [1, 2, 3, 4, 5, 2_000_000], r"row 6, column quantity: .* a million .* got 2"),
        ("Transactions", "spend", [1e12, 1, 1, 1, 1, 1], r"row 1, column spend: .* below a thousand million"),
        ("Transactions", "prod_id", [0.5] * 6, r"Transactions.prod_id must hold text or whole numbers; got double"),
        ("Baskets", "basket_type", [1, 2, 3, 4], r"Baskets.basket_type must hold text; got int64"),
        (
            "Timestamps",
            "shop_date",
            [20060416, 20061301, 20060410, 1],
            r"row 2, column shop_date: .* got 20061301",
        ),
        (
            "Timestamps",
            "shop_date",
            [19691231] * 4,
            r"row 1, column shop_date: must be a day from 1970 to",
        ),
        ("Timestamps", "shop_hour", [23, 24, 0, 0], r"row 2, column shop_hour: must be an hour from 0 to 23; got 24"),
        (
            "Baskets",
            "basket_size",
            ["S", "M", "Q", "S"],
            r"row 3, column basket_size: must be one of .* got 'Q'",
        ),
        (
            "Customers",
            "cust_lifestage",
            ["YA", "YF", "ZZ"],
            r"row 3, column cust_lifestage: .* got 'ZZ'",
        ),
    ],
)
def test_values_of_a_wrong_kind_are_named(tmp_path, table, column, values, message):
    folder = write(tmp_path / "star", changed(table, **{column: values}))
    with pytest.raises(ValueError, match=message):
        read(folder)


def test_a_wrong_value_in_a_csv_file_is_named(tmp_path):
    folder = write(tmp_path / "star", changed("Transactions", quantity=["1", "2", "3", "4", "5", "many"]), "csv")
    with pytest.raises(
        ValueError, match=r"transactions.CSV, line 7, column quantity: must be a whole number, .*; got 'many'"
    ):
        read(folder)


def test_a_damaged_parquet_file_is_named(tmp_path):
    file = write(tmp_path / "star", CLEAN) / "Transactions.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:60] + bytes(80) + content[140:])
    with pytest.raises(
        ValueError, match=r"Transactions.parquet: table Transactions must be readable as parquet, but: "
    ):
        read(file.parent)


def test_a_cut_line_in_a_csv_file_is_named(tmp_path):
    file = write(tmp_path / "star", CLEAN, "csv") / "transactions.CSV"
    file.write_text(file.read_text() + "7,2,1\n")
    with pytest.raises(ValueError, match=r"transactions.CSV, line 8: must have 8 values, as its header; got 3"):
        read(file.parent)


def test_real_data_comes_through_whole_and_clean(tmp_path):
    folder = os.environ.get("AISLE_REAL_DATA")
    if not folder:
        pytest.skip("AISLE_REAL_DATA is not set: the star is not read from real data.")
    tables = read(Path(folder) / "lgsr")
    counts = {name: rows.num_rows for name, rows in tables.items() if name != "dirt"}
    assert counts == {"customers": 4965, "stores": 761, "products": 4997, "baskets": 473028, "lines": 3034288}
    assert not dirt(tables)
    assert CANONICAL["lines"].check(tables["lines"], "all weeks").equals(tables["lines"])
    spend = pd.read_parquet(Path(folder) / "lgsr" / "Transactions.parquet", columns=["spend"])["spend"]
    assert pyarrow.compute.sum(tables["lines"].column("spend")).as_py() * 100 == int((spend * 100).round().sum())


def test_temporary_files_are_gone_when_reading_stops_early(tmp_path, monkeypatch):
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    batches = GroceryStar(write(tmp_path / "star", CLEAN)).batches()
    while next(batches).table != "lines":
        pass
    assert list(room.iterdir())
    batches.close()
    assert not list(room.iterdir())


def test_a_full_temporary_folder_is_one_sentence(tmp_path, monkeypatch):
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    folder = write(tmp_path / "star", CLEAN)
    message = rf"^{room} must have room for the rows .*, but: File too large; make room there, or .* TMPDIR\.$"
    with files_no_larger_than(10), pytest.raises(OSError, match=message):
        read(folder)
    assert not list(room.iterdir())
