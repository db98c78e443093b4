"""Weekly files as dunnhumby publishes them become canonical tables; their dirt is counted, broken ones are refused."""

import gzip
import os
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.disks import files_no_larger_than
from tests.sources.weekly import line, text, week, write

from aisle.sources import lgsr, line_items
from aisle.sources.grocery_star import GroceryStar
from aisle.sources.lgsr import Lgsr
from aisle.tables import CANONICAL

Tables = dict[str, pyarrow.Table]


def read(path: Path, **policy: str) -> Tables:
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in Lgsr(path, **policy).batches():
        parts.setdefault(batch.table, []).append(batch.rows)
    return {name: pyarrow.concat_tables(rows) for name, rows in parts.items()}


def dirt(tables: Tables) -> dict[str, int]:
    return {row["rule"]: row["row_count"] for row in tables["dirt"].to_pylist() if row["row_count"]}


def changed_rule(table: str) -> str:
    return {"customers": lgsr.CUSTOMER_CHANGED, "stores": lgsr.STORE_CHANGED}[table].sentence


def test_a_week_becomes_all_the_canonical_tables(tmp_path: Path) -> None:
    write(
        tmp_path / "transactions_200607.csv",
        line(PROD_CODE="P2", QUANTITY=3, SPEND="0.3"),
        line(),
        line(BASKET_ID="a9", CUST_CODE=None, CUST_PRICE_SENSITIVITY=None, CUST_LIFESTAGE=None, SHOP_HOUR=8),
    )
    tables = read(tmp_path)
    assert tables["customers"].to_pylist() == [{"customer_id": "C1", "lifestage": "YF", "price_sensitivity": "LA"}]
    assert tables["stores"].to_pylist() == [{"store_id": "STORE1", "store_format": "LS", "store_region": "N01"}]
    assert tables["products"].to_pylist() == [
        {
            "product_id": name,
            "product_class": "CL00001",
            "department": "DEP00001",
            "product_group": "G00001",
            "division": "D00001",
        }
        for name in ("P1", "P2")
    ]
    assert [tuple(row.values()) for row in tables["baskets"].to_pylist()] == [
        ("a9", None, "STORE1", datetime(2006, 4, 10, 8), "S", "Small Shop", "Fresh", "MM", None, None, None),
        ("b1", "C1", "STORE1", datetime(2006, 4, 10, 14), "S", "Small Shop", "Fresh", "MM", None, None, None),
    ]
    assert [tuple(row.values()) for row in tables["lines"].to_pylist()] == [
        ("a9", "P1", 1, Decimal("1.10")),
        ("b1", "P1", 1, Decimal("1.10")),
        ("b1", "P2", 3, Decimal("0.30")),
    ]
    assert not dirt(tables)
    assert {row["rule"] for row in tables["dirt"].to_pylist()} == {rule.sentence for rule in lgsr.POLICY}


def test_plain_gzipped_and_zipped_files_give_the_same_tables(tmp_path: Path) -> None:
    weeks = {number: text(week(number)) for number in range(3)}
    for folder in ("plain", "gzip", "zip"):
        (tmp_path / folder).mkdir()
    for number, content in weeks.items():
        (tmp_path / "plain" / f"transactions_20060{number}.csv").write_text(content)
        (tmp_path / "gzip" / f"transactions_20060{number}.csv.gz").write_bytes(gzip.compress(content.encode()))
    with zipfile.ZipFile(tmp_path / "zip" / "part1.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
        archive.writestr("time.csv", "shop_week,date_from,date_to\n200607,20060410,20060416\n")
        for number, content in weeks.items():
            archive.writestr(f"data/transactions_20060{number}.csv", content)
    plain, *others = (read(tmp_path / folder) for folder in ("plain", "gzip", "zip"))
    assert plain["baskets"].num_rows == 3
    assert all(other[name].equals(plain[name]) for other in others for name in plain)


@settings(max_examples=8)
@given(order=st.permutations(range(6)), split=st.integers(1, 5))
def test_neither_the_order_of_lines_nor_the_cut_into_files_changes_a_row(
    order: list[int], split: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [
        week(number, PROD_CODE=product, BASKET_ID=f"b{number}{product}", CUST_CODE=f"C{number}")
        for number in range(3)
        for product in ("P1", "P2")
    ]
    folder = tmp_path_factory.mktemp("cut")
    write(folder / "transactions_1.csv", *lines)
    write(folder / "cut" / "transactions_b.csv", *(lines[place] for place in order[:split]))
    write(folder / "cut" / "transactions_a.csv", *(lines[place] for place in order[split:]))
    whole, cut = read(folder), read(folder / "cut")
    assert whole.keys() == cut.keys()
    assert all(whole[name].equals(cut[name]) for name in whole)


def test_weeks_missing_in_the_middle_are_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (0, 1, 3, 12):
        write(tmp_path / f"transactions_{number}.csv", week(number))
    read(tmp_path)
    (record,) = caplog.records
    expected = "begin on 2006-04-24, 2006-05-08, 2006-05-15, 2006-05-22, 2006-05-29 and 4 more."
    assert record.levelname == "WARNING"
    assert record.message.endswith(expected)


def test_weeks_without_a_gap_are_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (2, 3, 4):
        write(tmp_path / f"transactions_{number}.csv", week(number))
    read(tmp_path)
    assert not caplog.records


@pytest.mark.parametrize(
    ("told", "stands", "count"),
    [
        (["YF", "OF"], "OF", 1),
        (["OF", "YF"], "YF", 1),
        (["YF", None], "YF", 0),
        ([None, "YF", "XX"], "YF", 0),
        (["XX", None], "XX", 0),
        (["YF", "OF", "YF"], "YF", 1),
        ([None, None], None, 0),
    ],
)
def test_the_latest_known_value_of_a_customer_stands_and_changes_are_counted(
    tmp_path: Path, told: list[str | None], stands: str | None, count: int
) -> None:
    for number, lifestage in enumerate(told):
        write(tmp_path / f"transactions_{9 - number}.csv", week(number, CUST_LIFESTAGE=lifestage))
    tables = read(tmp_path)
    assert tables["customers"].column("lifestage").to_pylist() == [stands]
    assert dirt(tables).get(changed_rule("customers"), 0) == count


def test_a_store_that_changes_is_counted_once(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"transactions_{number}.csv", week(number, STORE_FORMAT="LS" if number else "SS"))
    tables = read(tmp_path)
    assert tables["stores"].column("store_format").to_pylist() == ["LS"]
    assert dirt(tables) == {changed_rule("stores"): 1}


@pytest.mark.parametrize(
    "other",
    [{"CUST_CODE": "C2"}, {"STORE_CODE": "STORE2"}, {"SHOP_HOUR": 15}, {"SHOP_DATE": 20060418}, {"BASKET_SIZE": "M"}],
)
def test_a_basket_of_two_customers_stores_times_or_codes_is_dropped(tmp_path: Path, other: dict[str, object]) -> None:
    write(tmp_path / "transactions_1.csv", line(), line(PROD_CODE="P2", **other), line(BASKET_ID="b2"))
    tables = read(tmp_path)
    assert tables["baskets"].column("basket_id").to_pylist() == ["b2"]
    assert tables["lines"].column("basket_id").to_pylist() == ["b2"]
    assert dirt(tables) == {lgsr.LINE_CONFLICT.sentence: 2, lgsr.BASKET_EMPTY.sentence: 1}


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"QUANTITY": 0}, line_items.LINE_NO_ITEM),
        ({"QUANTITY": -3}, line_items.LINE_NO_ITEM),
        ({"QUANTITY": None}, line_items.LINE_NO_ITEM),
        ({"SPEND": "-0.01"}, line_items.LINE_NO_SPEND),
        ({"SPEND": None}, line_items.LINE_NO_SPEND),
        ({"SPEND": "inf"}, line_items.LINE_NO_SPEND),
    ],
)
def test_a_dirty_line_is_dropped_and_counted(tmp_path: Path, values: dict[str, object], rule: line_items.Rule) -> None:
    write(tmp_path / "transactions_1.csv", line(), line(PROD_CODE="P2", **values))
    tables = read(tmp_path)
    assert tables["lines"].column("product_id").to_pylist() == ["P1"]
    assert dirt(tables) == {rule.sentence: 1}


def test_a_return_is_taken_off_where_it_is_kept_and_refused_where_it_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path / "transactions_1.csv", line(QUANTITY=3, SPEND="3.30"), line(QUANTITY=-1, SPEND="-1.10"))
    tables = read(tmp_path, nonpositive_quantity="keep")
    assert tables["lines"].to_pylist() == [
        {"basket_id": "b1", "product_id": "P1", "quantity": 2, "spend": Decimal("2.20")}
    ]
    with pytest.raises(
        ValueError, match=rf"{file.name}, line 3, column QUANTITY: .* at least 1; got -1; mend it, or set"
    ):
        read(tmp_path, nonpositive_quantity="error")


def test_a_week_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "transactions_1.csv", line())
    (tmp_path / "transactions_1.csv.gz").write_bytes(gzip.compress(text(line()).encode()))
    with pytest.raises(
        ValueError, match=r"_1.csv.gz: its baskets must be in no other file; 1 of them .*_1.csv, .* b1:"
    ):
        read(tmp_path)


def test_other_files_of_a_folder_are_left_alone_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "Baskets.csv", line())
    with pytest.raises(FileNotFoundError, match=r"needs files named transactions_....csv; got \['baskets.csv'\]"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nowhere is not there; give the place of the weekly files"):
        read(tmp_path / "nowhere")


def test_nothing_is_given_out_before_every_file_is_known_to_be_sound(tmp_path: Path) -> None:
    write(tmp_path / "transactions_1.csv", week(0))
    write(tmp_path / "transactions_2.csv", week(1, SHOP_HOUR=24))
    with pytest.raises(ValueError, match=r"transactions_2.csv, line 2, column SHOP_HOUR: must be an hour .* got '24'"):
        next(iter(Lgsr(tmp_path).batches()))


def test_a_full_temporary_folder_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "transactions_1.csv", line())
    (tmp_path / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    message = rf"^{tmp_path}/room must have room for the rows .*, but: File too large; make room there, or .* TMPDIR\.$"
    with files_no_larger_than(10), pytest.raises(OSError, match=message):
        read(tmp_path)
    assert not list((tmp_path / "room").iterdir())


@pytest.fixture(scope="module")
def published() -> Path:
    folder = os.environ.get("AISLE_REAL_DATA")
    if not folder:
        pytest.skip("AISLE_REAL_DATA is not set: no weekly files as published are read.")
    return Path(folder) / "lgsr"


def test_the_published_weeks_are_those_of_the_star(published: Path) -> None:
    """The same data, published in two forms: every basket and line is equal."""
    weeks = read(published)
    assert {name: rows.num_rows for name, rows in weeks.items() if name in ("baskets", "lines")} == {
        "baskets": 16011,
        "lines": 105364,
    }
    assert not dirt(weeks)
    last = pyarrow.compute.max(weeks["baskets"].column("shopped_at"))
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in GroceryStar(published).batches():
        if batch.table == "baskets" and pyarrow.compute.min(batch.rows.column("shopped_at")).as_py() > last.as_py():
            break
        parts.setdefault(batch.table, []).append(batch.rows)
    star = {name: pyarrow.concat_tables(rows) for name, rows in parts.items()}
    assert weeks["baskets"].equals(star["baskets"])
    assert weeks["lines"].equals(star["lines"])
    for name in ("customers", "stores", "products"):
        key = CANONICAL[name].key[0]
        same = star[name].filter(pyarrow.compute.is_in(star[name].column(key), weeks[name].column(key)))
        assert weeks[name].equals(same)
