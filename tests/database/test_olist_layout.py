# ruff: noqa: E501
"""Olist's tables read in place give what the published files give through the source."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv
import pytest

from aisle.database import Server, check_rows
from aisle.database.engine import in_order
from aisle.database.session import quoted
from aisle.sources.olist import Olist
from aisle.tables import CANONICAL

NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
FILES = {
    "olist_customers_dataset": """customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state
c1,u1,1,x,SP
c2,u1,1,x,SP
c3,u2,1,x,SP
""",
    "olist_orders_dataset": """order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date
o1,c1,delivered,2018-01-02 03:04:05,,,,
o2,c2,canceled,2018-01-03 00:00:00,,,,
o3,c3,created,2018-02-03 23:59:59,,,,
o4,c9,delivered,2018-02-04 00:00:00,,,,
""",
    "olist_order_payments_dataset": """order_id,payment_sequential,payment_type,payment_installments,payment_value
o1,1,x,1,10.29
o1,2,x,1,0.57
o4,1,x,1,3.00
o9,1,x,1,3.00
""",
    "olist_order_items_dataset": """order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value
o1,1,p1,s2,,1.10,0
o1,2,p1,s2,,1.10,0
o1,3,p2,s1,,2.20,0
o2,1,p2,s3,,9.90,0
o4,1,p9,s1,,9.90,0
o4,2,p3,s1,,0.00,0
""",
    "olist_products_dataset": """product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm
p1,artes,1,1,1,1,1,1,1
p2,flores,1,1,1,1,1,1,1
p3,,1,1,1,1,1,1,1
""",
    "olist_sellers_dataset": """seller_id,seller_zip_code_prefix,seller_city,seller_state
s1,1,x,SP
s2,1,x,RJ
s3,1,x,SP
""",
    "product_category_name_translation": """product_category_name,product_category_name_english
artes,arts
""",
}


def create(session: Any, folder: Path) -> None:
    """The files as tables, every text a text, money as double precision."""
    text = {"mysql": "varchar(80)"}.get(session.dialect, "text")
    for path in sorted(folder.glob("*.csv")):
        header = path.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        kinds = {name: pyarrow.string() for name in header}
        kinds.update({name: pyarrow.float64() for name in header if name in ("price", "payment_value")})
        kinds.update({name: pyarrow.timestamp("us") for name in header if name == "order_purchase_timestamp"})
        options = pyarrow.csv.ConvertOptions(column_types=kinds, strings_can_be_null=True)
        rows = pyarrow.csv.read_csv(path, convert_options=options)
        moment = "datetime" if session.dialect == "mysql" else "timestamp"
        types = {pyarrow.string(): text, pyarrow.float64(): "double precision", pyarrow.timestamp("us"): moment}
        columns = [f"{quoted(name, session.dialect)} {types[kinds[name]]}" for name in header]
        session.execute(f"CREATE TABLE {quoted(path.stem, session.dialect)} ({', '.join(columns)})")
        session.insert(path.stem, rows)


def check_equal(server: Server, layout: Any, folder: Path, customer: str) -> None:
    with server.writing() as session:
        create(session, folder)
    placed = type(layout)(server, customer, layout.tables, layout.columns)
    expected = {batch.table: batch.rows for batch in Olist(folder, customer).batches()}
    with placed.connect(NEEDED) as connection:
        check_rows(connection, NEEDED)
        for name, table in NEEDED.items():
            found = table.check(connection.fetch(connection.relations[name], order_by=table.key), name)
            assert found.to_pylist() == in_order(expected[name], table.key).to_pylist()


@pytest.mark.parametrize("customer", ["customer_unique_id", "customer_id"])
def test_the_tables_are_those_of_the_source(
    customer: str, server: Server, role: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / f"{name}.csv").write_text(content)
    check_equal(server, role("layout", "olist"), folder, customer)


def test_the_published_files_give_the_same(server: Server, role: Callable[..., Any]) -> None:
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder of real data")
    check_equal(server, role("layout", "olist"), Path(os.environ["AISLE_REAL_DATA"]) / "olist", "customer_unique_id")


def test_a_customer_is_one_of_two_keys(server: Server, role: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"layout.customer must be one of \['customer_id', 'customer_unique_id'\]"):
        role("layout", "olist", "layout.customer=name").connect(NEEDED)
