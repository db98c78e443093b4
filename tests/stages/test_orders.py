"""The orders stage: money and frequency of every customer, straight from the canonical baskets."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from aisle.database import ParquetFolder
from aisle.features import ValueFrequency
from aisle.stages import orders
from aisle.storage import read_features, read_table
from aisle.tables import CANONICAL, UNSEGMENTED

ORDERS = [  # order, customer, day, status, paid, its one line
    ("o1", "bob", 0, "delivered", None, "10.00"),
    ("o2", "ann", 5, "delivered", "7.50", "9.00"),
    ("o3", "ann", 8, "canceled", "99.00", "99.00"),
    ("o4", "bob", 10, "approved", "2.25", "2.00"),
    ("o5", None, 3, "delivered", "4.00", "4.00"),
]


def engine(folder: Path) -> ParquetFolder:
    columns: dict[str, dict[str, list[Any]]] = {
        "baskets": {
            "basket_id": [row[0] for row in ORDERS],
            "customer_id": [row[1] for row in ORDERS],
            "shopped_at": [datetime(2018, 1, 1, 12) + timedelta(days=row[2]) for row in ORDERS],
            "status": [row[3] for row in ORDERS],
            "paid": [row[4] and Decimal(row[4]) for row in ORDERS],
            "payment_count": [1] * len(ORDERS),
        },
        "lines": {
            "basket_id": [row[0] for row in ORDERS],
            "product_id": ["p"] * len(ORDERS),
            "quantity": [1] * len(ORDERS),
            "spend": [Decimal(row[5]) for row in ORDERS],
        },
    }
    folder.mkdir()
    for name, values in columns.items():
        schema = CANONICAL[name].arrow_schema
        whole = {column: values.get(column, [None] * len(ORDERS)) for column in schema.names}
        pyarrow.parquet.write_table(pyarrow.table(whole, schema=schema), folder / f"{name}.parquet")
    return ParquetFolder(folder, "1GB", 1)


def run(folder: Path, **changes: Any) -> Path:
    usual: dict[str, Any] = {
        "statuses": ["delivered", "approved"],
        "counts": "orders",
        "logs": False,
        "most_frequency": None,
        "most_spent": None,
    }
    blocks = {"value_frequency": ValueFrequency(**usual | changes)}
    orders.run(database=engine(folder / "data"), blocks=blocks, name="money", output=folder / "features")
    return folder / "features"


def test_customers_have_what_they_paid_and_their_weighted_orders(tmp_path: Path) -> None:
    output = run(tmp_path)
    found = read_features(output / "money.parquet")
    assert found.values.to_dict("index") == {
        "ann": {"frequency": 0.5, "spent": 7.5},
        "bob": {"frequency": 2.0, "spent": 12.25},
    }
    assert set(found.cohort) == {"unclassified"}
    assert read_table(output / "money_unsegmented.parquet", UNSEGMENTED).num_rows == 0
    assert {path.name for path in output.iterdir()} == {"money.parquet", "money_unsegmented.parquet"}


def test_customers_above_a_limit_are_left_out_with_the_reason(tmp_path: Path) -> None:
    output = run(tmp_path, most_frequency=1.18)
    assert list(read_features(output / "money.parquet").values.index) == ["ann"]
    assert read_table(output / "money_unsegmented.parquet", UNSEGMENTED).to_pylist() == [
        {"customer_id": "bob", "lifestage": "unclassified", "reason": "frequency over 1.18"}
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"statuses": ["lost"]}, r"^No order of a customer has one of the statuses \['lost'\]\.$"),
        ({"most_spent": 1.0}, r"^features money: no customer has spent: spent over 1\.0\.$"),
    ],
)
def test_a_feature_that_nobody_has_is_a_sentence_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        run(tmp_path, **changes)
    assert not (tmp_path / "features").exists()
