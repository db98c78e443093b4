"""Olist's tables as published, read in place."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from aisle.database.engine import Connection, Engine
from aisle.database.foreign import AMOUNT, CODE, ID, MOMENT, Names, Wanted, key, same, text
from aisle.database.layout import in_place
from aisle.database.rounding import rounded_cents, whole_cents
from aisle.features.exact import relation, total
from aisle.tables import CANONICAL, Table

WANTED: Wanted = {
    "customers": {"customer_id": ID, "customer_unique_id": ID},
    "orders": {"order_id": ID, "customer_id": ID, "order_status": CODE, "order_purchase_timestamp": (MOMENT,)},
    "order_payments": {"order_id": ID, "payment_value": AMOUNT},
    "order_items": {"order_id": ID, "product_id": ID, "seller_id": ID, "price": AMOUNT},
    "products": {"product_id": ID, "product_category_name": CODE},
    "sellers": {"seller_id": ID, "seller_state": CODE},
    "translation": {"product_category_name": CODE, "product_category_name_english": CODE},
}
KEYS = {
    "customers": "customer_id",
    "orders": "order_id",
    "products": "product_id",
    "sellers": "seller_id",
    "translation": "product_category_name",
}


@dataclass(frozen=True)
class OlistLayout:
    """The canonical tables of Olist's in a database, by the rules of the source of that name.

    ``customer`` says who a customer is, customer_unique_id or customer_id. ``tables`` and ``columns`` are as in
    `aisle.database.grocery_star_layout.GroceryStarLayout`.
    """

    database: Engine
    customer: str
    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def connect(self, tables: Mapping[str, Table]) -> AbstractContextManager[Connection]:
        """See `aisle.database.layout.in_place`.

        Raises:
            ValueError: ``customer`` is something else.
        """
        if self.customer not in WANTED["customers"]:
            raise ValueError(f"layout.customer must be one of {list(WANTED['customers'])}; got {self.customer!r}.")
        names = Names(self.tables, self.columns)
        return in_place(
            self.database,
            tables,
            names=names,
            wanted=WANTED,
            keys=KEYS,
            relations=lambda own: olist_relations(own, self.customer),
        )


def olist_relations(own: Mapping[str, ir.Table], customer: str) -> dict[str, ir.Table]:
    """The canonical tables as expressions over Olist's; see `aisle.sources.olist.Olist`."""
    sellers = own["sellers"]
    return {
        "customers": _table(
            "customers", own["customers"].select(customer_id=text(own["customers"][customer]))
        ).distinct(),
        "stores": _table(
            "stores", sellers.select(store_id=text(sellers.seller_id), store_region=text(sellers.seller_state))
        ).distinct(),
        "products": _table("products", _products(own)).distinct(),
        "baskets": _table("baskets", _baskets(own, customer)),
        "lines": _lines(_items(own)),
    }


def _table(name: str, known: ir.Table) -> ir.Table:
    types = relation(CANONICAL[name]).schema()
    return known.select(**{c: known[c] if c in known.columns else ibis.null(types[c]) for c in CANONICAL[name].columns})


def _known(own: Mapping[str, ir.Table], table: str) -> ir.Table:
    """The keys of a table; distinct, so that MariaDB gives them an index."""
    return own[table].select(**{f"known_{table}": key(own[table][KEYS[table]])}).distinct()


def _products(own: Mapping[str, ir.Table]) -> ir.Table:
    products = own["products"].select(
        product_id=text(own["products"].product_id), portuguese=text(own["products"].product_category_name)
    )
    translation = own["translation"].select(
        word=text(own["translation"].product_category_name),
        english=text(own["translation"].product_category_name_english),
    )
    joined = products.left_join(translation.distinct(), products.portuguese == translation.word)
    return joined.select("product_id", product_group=ibis.coalesce(joined.english, joined.portuguese))


def _items(own: Mapping[str, ir.Table]) -> ir.Table:
    """The items whose order, product and seller are known, and their price in cents."""
    items = own["order_items"]
    joined = items
    for table, column in (("orders", "order_id"), ("products", "product_id"), ("sellers", "seller_id")):
        rows = _known(own, table)
        joined = joined.inner_join(rows, same(items[column], rows[f"known_{table}"]))
    return joined.select(
        basket="known_orders", product="known_products", store="known_sellers", cents=rounded_cents(joined.price)
    )


def _lines(items: ir.Table) -> ir.Table:
    summed = items.group_by("basket", "product").agg(quantity=items.count().cast("int64"), cents=total(items.cents))
    return summed.select(
        basket_id=text(summed.basket),
        product_id=text(summed.product),
        quantity=summed.quantity,
        spend=whole_cents(summed.cents),
    )


def _baskets(own: Mapping[str, ir.Table], customer: str) -> ir.Table:
    orders, payments, customers = own["orders"], own["order_payments"], own["customers"]
    owners = customers.select(owner_key=key(customers.customer_id), owner=text(customers[customer])).distinct()
    paid = payments.select(paid_order=key(payments.order_id), cents=rounded_cents(payments.payment_value))
    paid = paid.group_by("paid_order").agg(paid_cents=total(paid.cents), payment_count=paid.count().cast("int64"))
    items = _items(own)
    sums = items.group_by("basket", "store").agg(cents=total(items.cents), item_count=items.count().cast("int64"))
    peaks = (
        sums.group_by("basket").agg(most=sums.cents.max(), items_of_all=total(sums.item_count)).rename(peak="basket")
    )
    tops = sums.inner_join(peaks, [sums.basket == peaks.peak, sums.cents == peaks.most])
    most = tops.group_by(most_order=tops.basket).agg(
        store_id=text(tops.store.min()), item_count=tops.items_of_all.max()
    )
    # columns that are made of orders.order_id on both sides must be paired by name: Ibis would take one for the other
    orders = orders.mutate(order_key=key(orders.order_id))
    joined = (
        orders.left_join(owners, same(orders.customer_id, owners.owner_key))
        .left_join(paid, same(orders.order_id, paid.paid_order))
        .left_join(most, [("order_key", "most_order")])
    )
    return joined.select(
        "store_id",
        basket_id=text(joined.order_id),
        customer_id=joined.owner,
        shopped_at=joined.order_purchase_timestamp,
        basket_size=ibis.cases(
            (joined.item_count.isnull(), None), (joined.item_count <= 2, "S"), (joined.item_count <= 9, "M"), else_="L"
        ),
        status=text(joined.order_status),
        paid=whole_cents(joined.paid_cents),
        payment_count=joined.payment_count.fill_null(0),
    )
