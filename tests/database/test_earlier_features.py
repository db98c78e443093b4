"""Features before a day are those of a database that ends there; purchases are those of the kept baskets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pytest

from aisle.database import (
    Connection,
    Engine,
    Extraction,
    History,
    ParquetFolder,
    customer_features,
    earlier_features,
    read_campaigns,
    read_trade,
)
from aisle.features import Baskets, Mix, Rfm
from aisle.tables import CANONICAL

Tables = dict[str, pyarrow.Table]
DAY = date(2024, 2, 14)
EVERYBODY = Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1)
BLOCKS: dict[str, Any] = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.05)}
READ = {name: table for name, table in CANONICAL.items() if name != "dirt"}


@contextmanager
def connected(folder: Path) -> Iterator[Connection]:
    with ParquetFolder(folder, "1GB", 1).connect(READ) as connection:
        yield connection


def earlier(connection: Connection) -> dict[str, Any]:
    history = History.of(connection, EVERYBODY, connection.stored(EVERYBODY.judged(), "judged_baskets"))
    return {name: earlier_features(connection, history, {name: block}, DAY).features for name, block in BLOCKS.items()}


@pytest.fixture(scope="module")
def found(data: Path) -> dict[str, Any]:
    with connected(data) as connection:
        return earlier(connection)


def test_features_before_a_day_are_those_of_a_database_that_ends_there(
    tables: Tables, found: dict[str, Any], save: Callable[..., Path], tmp_path: Path
) -> None:
    before = pc.less(tables["baskets"]["shopped_at"], pyarrow.scalar(datetime(2024, 2, 14), pyarrow.timestamp("us")))
    cut = tables | {"baskets": tables["baskets"].filter(before)}
    with connected(save(cut, tmp_path)) as connection:
        relations = {"basket_extract": EVERYBODY.baskets(), "group_spend": EVERYBODY.whole_group_spend()}
        for name, block in BLOCKS.items():
            expected = customer_features(connection, relations, {name: block}, DAY).features
            pd.testing.assert_frame_equal(found[name].values, expected.values)
            assert found[name].cohort.equals(expected.cohort)


@pytest.mark.parametrize("kind", ["duckdb", "postgresql", "mysql"])
def test_every_engine_gives_the_same_features(
    new_server: Callable[[str], Engine], filled: Callable[..., None], tables: Tables, found: dict[str, Any], kind: str
) -> None:
    engine = new_server(kind)
    filled(engine, tables)
    with engine.connect({name: READ[name] for name in tables}) as connection:
        told = earlier(connection)
    for name, features in found.items():
        pd.testing.assert_frame_equal(told[name].values, features.values)


def test_lines_are_those_of_the_kept_baskets_to_the_cent(tables: Tables, data: Path) -> None:
    with connected(data) as connection:
        judged = connection.stored(EVERYBODY.judged(), "judged_baskets")
        trade = read_trade(connection, EVERYBODY, judged)
        spend = connection.fetch(EVERYBODY.baskets(judged).select("basket_id", "spend"), order_by=["basket_id"])
    assert set(trade) == {"baskets", "lines", "products"}
    totals = trade["lines"].groupby("basket_id")["cents"].sum()
    assert totals.index.tolist() == spend["basket_id"].to_pylist()
    assert totals.tolist() == [int(one * 100) for one in spend["spend"].to_pylist()]
    assert trade["baskets"]["basket_id"].tolist() == totals.index.tolist()


def test_discounts_are_those_of_the_kept_baskets(tables: Tables, save: Callable[..., Path], tmp_path: Path) -> None:
    lines = tables["lines"].select(["basket_id", "product_id"])
    money = pyarrow.array([Decimal("0.50")] * lines.num_rows, CANONICAL["discounts"].columns["shelf_discount"].type)
    discounts = lines.append_column("shelf_discount", money).append_column("coupon_discount", money)
    with connected(save(tables | {"discounts": discounts}, tmp_path)) as connection:
        trade = read_trade(connection, EVERYBODY, connection.stored(EVERYBODY.judged(), "judged_baskets"))
    columns = ["basket_id", "product_id"]
    assert trade["discounts"].to_numpy().tolist() == trade["lines"][columns].to_numpy().tolist()


def test_nobody_left_is_one_sentence(data: Path) -> None:
    with connected(data) as connection:
        judged = connection.stored(EVERYBODY.judged(), "judged_baskets")
        with pytest.raises(ValueError, match="No basket is left of the segmented lifestages; see cohort and sample"):
            read_trade(connection, EVERYBODY, judged.filter(judged.lifestage == "nobody's"))


def test_a_database_without_campaigns_has_none(data: Path) -> None:
    with connected(data) as connection:
        assert read_campaigns(connection) is None
