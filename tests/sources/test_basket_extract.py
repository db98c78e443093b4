"""Extracts of baskets made elsewhere: the join's rows become the extract, and what does not fit is refused."""

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aisle.sources.basket_extract import BasketExtract
from aisle.tables import BASKET_EXTRACT

HEADER = (
    "basket_id,cust_id,time_id,store_id,std_quantity,nunique_products,n_products,sum_spend,"
    "cust_id,cust_price_sensitivity,cust_lifestage,"
    "basket_id,basket_size,basket_price_sensitivity,basket_type,basket_dominant_mission,"
    "store_id,store_format,store_region,"
    "time_id,shop_week,date_from,date_to,shop_date,shop_hour"
)


def row(basket: str = "b1", customer: str = "C1", lifestage: str = "OF", **changed: str) -> str:
    """A row of the join; ``changed`` by column names replaces the last column of the name."""
    values = (
        f"{basket},{customer},7,S1,0.5,2,4,10.10,{customer},LA,{lifestage},{basket},M,MM,Small Shop,Fresh,"
        "S1,LS,N01,7,200607,20060410,20060416,20060411,21"
    ).split(",")
    names = HEADER.split(",")
    for name, value in changed.items():
        values[len(names) - 1 - names[::-1].index(name)] = value
    return ",".join(values)


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_row_of_the_join_is_a_row_of_the_extract(tmp_path: Path) -> None:
    rows = BasketExtract(write(tmp_path / "of.csv", row("b2"), row("b1", "C2", "NULL"))).extract()
    assert rows.schema == BASKET_EXTRACT.arrow_schema
    assert rows.column("basket_id").to_pylist() == ["b1", "b2"]
    assert rows.column("lifestage").to_pylist() == ["unclassified", "OF"]
    assert rows.to_pylist()[1] == {
        "basket_id": "b2",
        "customer_id": "C1",
        "lifestage": "OF",
        "price_sensitivity": "LA",
        "store_id": "S1",
        "store_format": "LS",
        "store_region": "N01",
        "shopped_at": datetime(2006, 4, 11, 21),
        "basket_size": "M",
        "basket_type": "Small Shop",
        "dominant_mission": "Fresh",
        "basket_price_sensitivity": "MM",
        "quantity_std": 0.5,
        "product_count": 2,
        "item_count": 4,
        "spend": Decimal("10.10"),
    }


def test_a_folder_of_files_is_one_extract_and_a_join_that_dropped_its_copies_is_the_same(tmp_path: Path) -> None:
    whole = BasketExtract(write(tmp_path / "all.csv", row("b1"), row("b2", "C2", "YA"))).extract()
    folder = tmp_path / "lifestages"
    folder.mkdir()
    write(folder / "ya.csv", row("b2", "C2", "YA"))
    names = HEADER.split(",")
    kept = [place for place, name in enumerate(names) if name not in names[:place]]
    slim = [",".join(line.split(",")[place] for place in kept) for line in (HEADER, row("b1"))]
    write(folder / "of.csv", slim[1], header=slim[0])
    assert BasketExtract(folder).extract().equals(whole)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("b1"), row("b1")], r"line 3, column basket_id: 'b1' was there before; mend the extract"),
        ([row("b1"), row("b2", cust_id="C9")], r"line 3, column cust_id: is there twice .* got 'C1' and 'C9'"),
        ([row("b1"), row("b2", basket_id="b3")], r"line 3, column basket_id: is there twice"),
        (
            [row("b1"), row("b2", n_products="1")],
            r"line 3, column nunique_products: a basket must not have more products",
        ),
        (
            [row("b1"), row("b2", lifestage="YA")],
            r"line 3, column cust_lifestage: customer C1 must .* OF before and YA",
        ),
        (
            [row("b1"), row("b2", cust_price_sensitivity="")],
            r"line 3, column cust_price_sensitivity: .* LA before and ",
        ),
        ([row("b1"), row("b2", n_products="0")], r"line 3, column n_products: must be a whole number from 1 on"),
        ([row("b1"), row("b2", std_quantity="NULL")], r"line 3, column std_quantity: .* got 'NULL'"),
        ([row("b1"), row("b2", cust_id="")], r"line 3, column cust_id: "),
        ([row("b1"), row("b2", sum_spend="-1.00")], r"line 3, column sum_spend: must be an amount of money from 0 on"),
        ([row("b1"), row("b2", basket_type="Corner")], r"line 3, column basket_type: must be one of .* got 'Corner'"),
    ],
)
def test_what_does_not_fit_is_named_by_line_and_column(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=rf"of.csv, {message}"):
        BasketExtract(write(tmp_path / "of.csv", *rows)).extract()


def test_a_basket_in_two_files_is_named_where_it_comes_again(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", row("b1"), row("b2"))
    write(tmp_path / "b.csv", row("b3"), row("b2"))
    with pytest.raises(ValueError, match=r"b.csv, line 3, column basket_id: 'b2' was there before"):
        BasketExtract(tmp_path).extract()


def test_it_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no lines, so it cannot become canonical tables; use stage=adopt"):
        BasketExtract(write(tmp_path / "of.csv", row())).batches()


@pytest.mark.parametrize(("name", "baskets"), [("baskets_5000.csv", 5000), ("baskets_older_families.csv", 19191)])
def test_real_extracts_tell_of_their_baskets_what_the_lines_tell(name: str, baskets: int) -> None:
    """Compared with the lines of the same database, as far as its weeks overlap."""
    real = os.environ.get("AISLE_REAL_DATA")
    if not real:
        pytest.skip("AISLE_REAL_DATA is not set: no real extract is read.")
    rows = BasketExtract(Path(real) / "extracts" / name).extract()
    assert rows.num_rows == baskets
    frame = rows.to_pandas().set_index("basket_id")
    columns = ["basket_id", "quantity", "spend", "cust_id", "store_id"]
    lines = pd.read_parquet(Path(real) / "lgsr" / "Transactions.parquet", columns=columns)
    lines["basket_id"] = lines["basket_id"].astype("str")
    lines = lines[lines["basket_id"].isin(frame.index)]
    told = lines.groupby("basket_id").agg(
        customer_id=("cust_id", "first"),
        store_id=("store_id", "first"),
        product_count=("quantity", "size"),
        item_count=("quantity", "sum"),
        spend=("spend", "sum"),
        quantity_std=("quantity", lambda quantity: np.std(quantity.to_numpy())),
    )
    assert len(told) > 0.9 * baskets
    same = frame.loc[told.index]
    for column in ("customer_id", "store_id", "product_count", "item_count"):
        assert (same[column] == told[column]).all(), column
    np.testing.assert_allclose(same["spend"].astype(float), told["spend"], atol=0.001)
    np.testing.assert_allclose(same["quantity_std"], told["quantity_std"], atol=1e-9)


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = [row(f"b{number}", f"C{number % 2}") for number in range(5)]
    forwards = BasketExtract(write(tmp_path / "a.csv", *rows)).extract()
    assert BasketExtract(write(tmp_path / "b.csv", *reversed(rows))).extract().equals(forwards)
