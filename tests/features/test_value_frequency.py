"""Money and frequency from orders equal what plain Python makes of them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pytest

from aisle.database import ParquetFolder
from aisle.features import ValueFrequency
from aisle.features.exact import relation
from aisle.tables import CANONICAL

ORDERS = [  # customer, day, status, paid, payments, spend of its line
    ("a", 1, "delivered", "10.00", 1, "9.00"),
    ("a", 11, "created", "5.50", 3, "5.00"),
    ("a", 3, "canceled", "70.00", 1, "70.00"),
    ("b", 6, "approved", None, 0, "7.25"),
    ("c", 11, "delivered", "500.00", 2, None),
    (None, 2, "delivered", "1.00", 1, "1.00"),
    ("d", 2, "shipped", "1.00", 1, "1.00"),
]
SOUND = {"statuses": ["delivered", "approved", "created"], "counts": "orders", "logs": False}
OPEN = {"most_frequency": None, "most_spent": None}


@pytest.fixture
def rows(tmp_path: Path, save: Callable[..., Path]) -> Callable[[ValueFrequency], pd.DataFrame]:
    """What the query of a block gives for the orders above."""
    nulls: dict[str, Any] = dict.fromkeys(CANONICAL["baskets"].columns)
    baskets = [
        {
            **nulls,
            "basket_id": f"o{number}",
            "customer_id": customer,
            "shopped_at": datetime(2018, 1, day, 12),
            "status": status,
            "paid": None if paid is None else Decimal(paid),
            "payment_count": payments,
        }
        for number, (customer, day, status, paid, payments, _) in enumerate(ORDERS)
    ]
    lines = [
        {"basket_id": f"o{number}", "product_id": "p", "quantity": 1, "spend": Decimal(order[5])}
        for number, order in enumerate(ORDERS)
        if order[5] is not None
    ]
    tables = {"baskets": baskets, "lines": lines}
    made = {
        name: pyarrow.Table.from_pylist(found, schema=CANONICAL[name].arrow_schema) for name, found in tables.items()
    }
    folder = save(made, tmp_path / "data")
    contracts = {name: CANONICAL[name] for name in tables}

    def fetched(block: ValueFrequency) -> pd.DataFrame:
        query = block.query({name: relation(table) for name, table in contracts.items()}, date(2018, 2, 1))
        with ParquetFolder(folder, memory_limit="1GB", threads=1).connect(contracts) as connection:
            return connection.fetch(query, order_by=["customer_id"]).to_pandas()

    return fetched


def test_orders_count_from_the_first_on_and_money_is_what_was_paid(rows: Callable[..., pd.DataFrame]) -> None:
    block = ValueFrequency(**SOUND, **OPEN)
    found = block.finish(rows(block))
    assert found.to_dict("index") == {
        "a": {"frequency": 2 * 10 / 10, "spent": 15.5},
        "b": {"frequency": 1 * 5 / 10, "spent": 7.25},  # nothing paid yet: the sum of its lines
        "c": {"frequency": 0.0, "spent": 500.0},  # first bought on the last day
    }


def test_payments_are_counted_as_published_and_large_values_dropped(rows: Callable[..., pd.DataFrame]) -> None:
    block = ValueFrequency(**{**SOUND, "counts": "payments"}, most_frequency=1.18, most_spent=400.0)
    found = block.finish(rows(block))
    assert found.loc["b"].tolist() == [0.0, 7.25]
    assert found.isna().to_numpy().tolist() == [[True, False], [False, False], [False, True]]  # 4 payments; 500
    assert block.undefined == {"frequency": "frequency over 1.18", "spent": "spent over 400.0"}


def test_logs_are_of_one_more_than_the_features(rows: Callable[..., pd.DataFrame]) -> None:
    plain, logs = (ValueFrequency(**{**SOUND, "logs": logs}, **OPEN) for logs in (False, True))
    pd.testing.assert_frame_equal((plain.finish(rows(plain)) + 1).apply("log"), logs.finish(rows(logs)))


def test_what_cannot_be_counted_is_refused(rows: Callable[..., pd.DataFrame]) -> None:
    unknown = ValueFrequency(**{**SOUND, "statuses": ["lost"]}, **OPEN)
    with pytest.raises(ValueError, match=r"No order of a customer has one of the statuses \['lost'\]"):
        unknown.finish(rows(unknown))
    one_day = ValueFrequency(**{**SOUND, "statuses": ["approved"]}, **OPEN)
    with pytest.raises(ValueError, match=r"All orders are of one day"):
        one_day.finish(rows(one_day))
    silent = ValueFrequency(**{**SOUND, "counts": "payments"}, **OPEN)
    with pytest.raises(ValueError, match=r"does not say with how many payments a basket was paid; count orders"):
        silent.finish(rows(silent).assign(payment_count=None))
    with pytest.raises(ValueError, match=r"counts must be orders or payments; got 'baskets'"):
        ValueFrequency(**{**SOUND, "counts": "baskets"}, **OPEN)
    with pytest.raises(ValueError, match=r"statuses must name the status of an order at least; got none"):
        ValueFrequency(**{**SOUND, "statuses": []}, **OPEN)
