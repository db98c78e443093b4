"""Olist: the orders of a Brazilian marketplace, as published in CSV files."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute

from aisle.sources import Batch
from aisle.sources.basket_codes import basket_sizes
from aisle.sources.dirt import Rule, Strangers, dirt_table, first_broken
from aisle.sources.line_items import LINE, LINE_REPEATED, add_up, line_rows, row_numbers
from aisle.sources.money import to_decimals
from aisle.sources.olist_files import OlistFile, find_olist
from aisle.tables import CANONICAL, COUNT, TEXT

CUSTOMER_KEYS = ("customer_unique_id", "customer_id")

LINE_NO_BASKET = Rule("lines", "The order is not in orders.")
LINE_NO_PRODUCT = Rule("lines", "The product is not in products.")
LINE_NO_STORE = Rule("lines", "The seller is not in sellers.")
PAYMENT_NO_BASKET = Rule("baskets", "A payment's order is not in orders.")
BASKET_NO_ITEM = Rule("baskets", "The order has no items: it stays, without a store and a size.", "changed")
BASKET_NO_PAYMENT = Rule("baskets", "The order has no payment: what was paid is the sum of its lines.", "changed")
BASKET_SELLERS = Rule(
    "baskets", "The order has items of several sellers: the one of most money is its store.", "changed"
)
BASKET_STRANGER = Rule(
    "baskets", "The customer is not in customers: the basket counts as one without a card.", "changed"
)
POLICY = (
    LINE_NO_BASKET,
    LINE_NO_PRODUCT,
    LINE_NO_STORE,
    LINE_REPEATED,
    PAYMENT_NO_BASKET,
    BASKET_NO_ITEM,
    BASKET_NO_PAYMENT,
    BASKET_SELLERS,
    BASKET_STRANGER,
)


@dataclass(frozen=True)
class Olist:
    """The canonical tables of the files in the folder ``path``: olist_..._dataset.csv, plain, gzipped or zipped.

    An order is a basket, with its ``status``; ``paid`` is the sum of its payments (freight included) and
    ``payment_count`` their number. An item row is one item, its price the spend; repeats of a product are added up, and
    freight is no line's. The store is the seller of most money in the order, of equal ones the first in the alphabet;
    the region is the seller's state. Orders without items (unavailable, cancelled, just created) stay, without a
    store: the extract drops them, queries of what was paid see them.

    The marketplace has one level of categories, which is the product group, in English where the translation is there.
    Basket size is derived from the number of items; lifestage, price sensitivity, type and mission do not apply.

    ``customer`` says who a customer is: ``customer_unique_id``, the person, or ``customer_id``, which is new with
    every order, so that nobody ever comes back; published studies used it.
    """

    path: str | Path
    customer: str = "customer_unique_id"

    def __post_init__(self) -> None:
        if self.customer not in CUSTOMER_KEYS:
            raise ValueError(f"source.customer must be one of {', '.join(CUSTOMER_KEYS)}; got {self.customer!r}.")

    def batches(self) -> Iterator[Batch]:
        """Customers, stores, products, baskets, lines, dirt, each whole and sorted by key.

        Of each file only the columns that are needed are in memory.

        Raises:
            FileNotFoundError: the folder or one of the six files is not there.
            ValueError: a file is empty, foreign, lacks a column or has another, holds values of another type, or
                repeats a key.
        """
        files = find_olist(Path(self.path))
        for table, rows in self._tables(files).items():
            yield Batch.checked(table, rows, f"{self.path}")

    def _tables(self, files: Mapping[str, OlistFile]) -> dict[str, pyarrow.Table]:
        counts: Counter[Rule] = Counter()
        customers = files["customers"].rows("customer_id")
        stores = files["sellers"].rows("seller_id")
        products = files["products"].rows("product_id")
        orders = files["orders"].rows("order_id")
        items, sellers = _items(files["order_items"], orders, products, stores, counts)
        lines = add_up(items, counts)
        baskets = {
            "basket_id": orders.column("order_id"),
            "customer_id": self._owners(orders, customers, counts),
            "store_id": _stores_of_orders(sellers, stores, orders.num_rows, counts),
            "shopped_at": orders.column("order_purchase_timestamp"),
            "basket_size": _sizes(lines, orders.num_rows, counts),
            "status": orders.column("order_status"),
            **_paid(files["order_payments"], orders, counts),
        }
        owners = pyarrow.compute.unique(customers.column(self.customer)).sort()
        return {
            "customers": _table("customers", {"customer_id": owners}),
            "stores": _table(
                "stores", {"store_id": stores.column("seller_id"), "store_region": stores.column("seller_state")}
            ),
            "products": _table(
                "products", {"product_id": products.column("product_id"), "product_group": _groups(products, files)}
            ),
            "baskets": _table("baskets", baskets),
            "lines": line_rows(lines, orders.column("order_id"), products.column("product_id")),
            "dirt": dirt_table(POLICY, counts),
        }

    def _owners(self, orders: pyarrow.Table, customers: pyarrow.Table, counts: Counter[Rule]) -> pyarrow.Array:
        row = row_numbers(orders.column("customer_id"), customers.column("customer_id"))
        counts[BASKET_STRANGER] = int((row < 0).sum())
        return customers.column(self.customer).take(pyarrow.array(row, mask=row < 0))


def _items(
    file: OlistFile, orders: pyarrow.Table, products: pyarrow.Table, stores: pyarrow.Table, counts: Counter[Rule]
) -> "tuple[np.ndarray[tuple[int], np.dtype[np.void]], pd.DataFrame]":
    """One line per item, and the money of each order and seller: basket, store, cents."""
    lines, money, strangers = [], [], Strangers()
    for part in file.parts():
        basket = row_numbers(part.column("order_id"), orders.column("order_id"))
        product = row_numbers(part.column("product_id"), products.column("product_id"))
        store = row_numbers(part.column("seller_id"), stores.column("seller_id"))
        unknown = {
            LINE_NO_BASKET: ("order_id", basket < 0),
            LINE_NO_PRODUCT: ("product_id", product < 0),
            LINE_NO_STORE: ("seller_id", store < 0),
        }
        for rule, (column, mask) in unknown.items():
            strangers.add(rule, part.column(column), mask)
        clean, broken = first_broken({rule: mask for rule, (_, mask) in unknown.items()})
        counts.update(broken)
        cents = _cents(part.column("price"))
        found = np.empty(int(clean.sum()), dtype=LINE)
        found["basket"], found["product"], found["quantity"] = basket[clean], product[clean], 1
        found["cents"] = cents[clean]
        lines.append(found)
        money.append(pd.DataFrame({"basket": basket[clean], "store": store[clean], "cents": cents[clean]}))
    strangers.log(file, counts)
    return np.concatenate(lines), pd.concat(money).groupby(["basket", "store"], as_index=False).sum()


def _stores_of_orders(
    sellers: pd.DataFrame, stores: pyarrow.Table, order_count: int, counts: Counter[Rule]
) -> pyarrow.Array:
    ordered = sellers.sort_values(["basket", "cents", "store"], ascending=[True, False, True])
    first = ordered.drop_duplicates("basket")
    counts[BASKET_SELLERS] = int(ordered["basket"].value_counts().gt(1).sum())
    row = np.full(order_count, -1)
    row[first["basket"]] = first["store"]
    return stores.column("seller_id").take(pyarrow.array(row, mask=row < 0))


def _sizes(
    lines: "np.ndarray[tuple[int], np.dtype[np.void]]", order_count: int, counts: Counter[Rule]
) -> pyarrow.Array:
    items = np.zeros(order_count, dtype=np.int64)
    np.add.at(items, lines["basket"], lines["quantity"])
    counts[BASKET_NO_ITEM] = int((items == 0).sum())
    return pyarrow.array(basket_sizes(items).astype(object), TEXT, mask=items == 0)


def _paid(file: OlistFile, orders: pyarrow.Table, counts: Counter[Rule]) -> dict[str, pyarrow.Array]:
    """The sum and the number of each order's payments; where there is none the sum is null."""
    cents, number = np.zeros((2, orders.num_rows), dtype=np.int64)
    strangers = Strangers()
    for part in file.parts():
        basket = row_numbers(part.column("order_id"), orders.column("order_id"))
        known = basket >= 0
        strangers.add(PAYMENT_NO_BASKET, part.column("order_id"), ~known)
        counts[PAYMENT_NO_BASKET] += int((~known).sum())
        np.add.at(cents, basket[known], _cents(part.column("payment_value"))[known])
        np.add.at(number, basket[known], 1)
    strangers.log(file, counts)
    counts[BASKET_NO_PAYMENT] = int((number == 0).sum())
    none = pyarrow.array(number == 0)
    paid = pyarrow.compute.if_else(none, None, to_decimals(cents))
    return {"paid": paid, "payment_count": pyarrow.array(number, COUNT)}


def _cents(money: pyarrow.ChunkedArray) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    hundredths = pyarrow.compute.multiply(money, pyarrow.scalar(100, pyarrow.decimal128(3, 0)))
    return np.asarray(hundredths.cast(pyarrow.int64()).to_numpy())


def _groups(products: pyarrow.Table, files: Mapping[str, OlistFile]) -> pyarrow.ChunkedArray:
    names = products.column("product_category_name")
    if "translation" not in files:
        return names
    translation = files["translation"].rows("product_category_name")
    row = row_numbers(names, translation.column("product_category_name"))
    english = translation.column("product_category_name_english").take(pyarrow.array(row, mask=row < 0))
    return pyarrow.compute.coalesce(english, names)


def _table(name: str, columns: Mapping[str, pyarrow.Array]) -> pyarrow.Table:
    nulls = pyarrow.nulls(len(next(iter(columns.values()))))
    return pyarrow.table({column: columns.get(column, nulls) for column in CANONICAL[name].columns})
