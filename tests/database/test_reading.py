"""Rows as DataFrames, on every engine."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pandas as pd
import pytest
from tests.database.conftest import Database
from tests.database.publications import day, drawn, publication, state

from aisle.database import (
    Session,
    publish_segments,
    read_baskets,
    read_customers,
    read_segment_history,
    read_segment_labels,
    read_segment_migration,
    read_segment_runs,
    read_segments,
)
from aisle.tables import CANONICAL, COUNT, MOMENT, MONEY, TEXT

TYPES = {TEXT: "varchar(200)", COUNT: "bigint", MOMENT: "timestamp", MONEY: "numeric(12,2)"}
IDS = ["a", "\\'; DROP TABLE customers", "100%s", "🛒"]


@pytest.fixture
def grocery(server: Database) -> Database:
    """Four customers with a basket each, and one basket of nobody's."""
    stamp = datetime(2026, 1, 31, 9, 30)
    baskets = [(f"b{number}", customer, "s", stamp, "S") for number, customer in enumerate([*IDS, None])]
    with server.writing() as session:
        for name in ("customers", "baskets"):
            columns = [f"{column} {TYPES[kind.type]} NULL" for column, kind in CANONICAL[name].columns.items()]
            session.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        for customer in reversed(IDS):
            session.execute("INSERT INTO customers (customer_id, lifestage) VALUES (%s, %s)", (customer, "YA"))
        for row in reversed(baskets):
            session.execute(
                "INSERT INTO baskets (basket_id, customer_id, store_id, shopped_at, basket_size, paid) "
                "VALUES (%s, %s, %s, %s, %s, 1.10)",
                row,
            )
    return server


def test_customers_and_baskets_come_typed_and_sorted(grocery: Database) -> None:
    with grocery.reading() as session:
        customers, baskets = read_customers(session), read_baskets(session)
    assert customers["customer_id"].tolist() == sorted(IDS, key=str.encode)
    assert customers.columns.tolist() == list(CANONICAL["customers"].columns)
    assert baskets["basket_id"].tolist() == ["b2", "b1", "b0", "b3", "b4"]
    assert baskets["shopped_at"].dtype == "datetime64[us]"
    assert set(baskets["paid"]) == {Decimal("1.10")}


@pytest.mark.parametrize("asked", [IDS[:1], IDS[1:3], [IDS[3], "nobody"], []])
def test_customers_can_be_named(grocery: Database, asked: list[str]) -> None:
    known = sorted(set(asked) & set(IDS), key=str.encode)
    with grocery.reading() as session:
        assert read_customers(session, customer_ids=asked)["customer_id"].tolist() == known
        assert read_baskets(session, customer_ids=iter(asked))["customer_id"].tolist() == known


def test_segments_read_are_those_published(server: Database) -> None:
    for number in (0, 1):
        with server.writing() as session:
            publish_segments(session, drawn(number), at=day(number))
    with server.reading() as session:
        found = {
            "customer_segments": read_segments(session),
            "customer_segment_history": read_segment_history(session),
            "customer_segment_labels": read_segment_labels(session),
            "customer_segment_migration": read_segment_migration(session),
            "customer_segment_runs": read_segment_runs(session),
        }
        one = read_segment_history(session, customer_ids=["c00000"])
    for name, rows in state(server).items():
        if name in found:
            assert len(found[name]) == len(rows)
            assert sorted(found[name].iloc[:, 0]) == sorted(row[0] for row in rows)
    assert found["customer_segment_runs"]["run_number"].tolist() == [1, 2]
    assert found["customer_segment_history"]["valid_to"].isna().any()
    everybody = found["customer_segment_history"]
    expected = everybody[everybody["customer_id"] == "c00000"].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, expected)


@pytest.mark.parametrize(
    ("read", "message"),
    [(read_customers, "table customers; .* stage=load first"), (read_segments, "customer_segments; .* stage=publish")],
)
def test_a_table_that_is_not_there_names_the_stage_that_makes_it(
    server: Database, read: Callable[[Session], pd.DataFrame], message: str
) -> None:
    with server.writing() as session:
        session.execute("CREATE TABLE something (number integer)")
    with server.reading() as session, pytest.raises(ValueError, match=message):
        read(session)


def test_reading_changes_nothing(server: Database) -> None:
    with server.writing() as session:
        publish_segments(session, publication([("a", "YA", 0)]), at=day(0))
    before = state(server)
    with server.reading() as session:
        read_segments(session)
    assert state(server) == before
