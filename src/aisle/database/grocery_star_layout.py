"""The six tables of a grocery star, read in place."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from aisle.database.engine import Connection, Engine
from aisle.database.foreign import AMOUNT, CODE, COUNT, ID, MOMENT, Names, Wanted, key, same, text
from aisle.database.layout import in_place
from aisle.database.rounding import rounded_cents, whole_cents
from aisle.features.exact import relation, total
from aisle.tables import BASKETS, Table

WANTED: Wanted = {
    "Baskets": {
        "basket_id": ID,
        "basket_size": CODE,
        "basket_price_sensitivity": CODE,
        "basket_type": CODE,
        "basket_dominant_mission": CODE,
    },
    "Customers": {"cust_id": ID, "cust_price_sensitivity": CODE, "cust_lifestage": CODE},
    "Products": {"prod_id": ID, "prod_code_10": ID, "prod_code_20": ID, "prod_code_30": ID, "prod_code_40": ID},
    "Stores": {"store_id": ID, "store_format": CODE, "store_region": CODE},
    "Timestamps": {"time_id": ID, "shop_date": (*ID, MOMENT), "shop_hour": COUNT},
    "Transactions": {
        "basket_id": ID,
        "cust_id": ID,
        "store_id": ID,
        "time_id": ID,
        "prod_id": ID,
        "quantity": COUNT,
        "spend": AMOUNT,
    },
}
KEYS = {
    "Baskets": "basket_id",
    "Customers": "cust_id",
    "Products": "prod_id",
    "Stores": "store_id",
    "Timestamps": "time_id",
}
_CODES = ("basket_size", "basket_type", "dominant_mission", "price_sensitivity")
_TOLD = {
    "Baskets": ("basket_size", "basket_price_sensitivity", "basket_type", "basket_dominant_mission"),
    "Timestamps": ("shop_date", "shop_hour"),
}
_NO_AMOUNT = 1e308
"""Infinity and what is no number are above it on every engine that has them."""


@dataclass(frozen=True)
class GroceryStarLayout:
    """The canonical tables of the grocery star in a database, by the rules of the source of that name.

    ``tables`` and ``columns`` say what the database calls what this layout calls Baskets, Customers, Products, Stores,
    Timestamps and Transactions, and their columns; PostgreSQL keeps names that were not quoted in small letters.
    """

    database: Engine
    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def connect(self, tables: Mapping[str, Table]) -> AbstractContextManager[Connection]:
        """See `aisle.database.layout.in_place`."""
        names = Names(self.tables, self.columns)
        return in_place(self.database, tables, names=names, wanted=WANTED, keys=KEYS, relations=star_relations)


def star_relations(own: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """The canonical tables as expressions over the star's six.

    A line of an unknown basket, product, store or time, without items or without an amount is left out, and so are
    the lines of a basket with two customers, stores or hours, as in `aisle.sources.grocery_star.GroceryStar`.
    """
    customers, stores, products = own["Customers"], own["Stores"], own["Products"]
    lines = _clean_lines(own)
    receipts = _receipts(lines)
    relations = {
        "customers": customers.select(
            customer_id=text(customers.cust_id),
            lifestage=text(customers.cust_lifestage),
            price_sensitivity=text(customers.cust_price_sensitivity),
        ),
        "stores": stores.select(**{name: text(stores[name]) for name in stores.columns}),
        "products": products.select(
            product_id=text(products.prod_id),
            product_class=text(products.prod_code_10),
            department=text(products.prod_code_20),
            product_group=text(products.prod_code_30),
            division=text(products.prod_code_40),
        ),
    }
    # their keys are unique: distinct changes nothing, but MariaDB then keeps the rows with an index on what it joins
    found = {name: rows.distinct() for name, rows in relations.items()}
    return {**found, "baskets": _baskets(receipts), "lines": _lines(lines, receipts)}


def _clean_lines(own: Mapping[str, ir.Table]) -> ir.Table:
    """The lines that keep the rules, with all that is known of their basket, by the keys of the star."""
    lines = own["Transactions"]
    joined = lines
    for table, column in KEYS.items():
        rows = _known(own[table], column, _TOLD.get(table, ()))
        pair = same(lines[column], rows[f"known_{column}"])
        joined = joined.left_join(rows, pair) if table == "Customers" else joined.inner_join(rows, pair)
    spend = joined.spend.cast("float64")
    whole = joined.filter(joined.quantity >= 1, spend >= 0, spend < _NO_AMOUNT)
    return whole.select(
        basket=whole.known_basket_id,
        product=whole.known_prod_id,
        store=whole.known_store_id,
        customer=whole.known_cust_id,
        anonymous=whole.cust_id.isnull().ifelse(1, 0),
        hour=_day_digits(whole.shop_date) * 100 + whole.shop_hour,
        basket_size=whole.basket_size,
        basket_type=whole.basket_type,
        dominant_mission=whole.basket_dominant_mission,
        price_sensitivity=whole.basket_price_sensitivity,
        quantity=whole.quantity,
        cents=rounded_cents(whole.spend),
    )


def _known(rows: ir.Table, column: str, told: Sequence[str]) -> ir.Table:
    """The keys of a table and what is told of them; distinct, as in `star_relations`."""
    return rows.select(**{f"known_{column}": key(rows[column])}, **{name: key(rows[name]) for name in told}).distinct()


def _receipts(lines: ir.Table) -> ir.Table:
    """One row per basket whose lines agree on customer, store and hour; customers who are not known are one."""
    said = lines.group_by("basket").agg(
        **{name: lines[name].max() for name in ("customer", "store", "hour")},
        **{f"other_{name}": lines[name].min() for name in ("customer", "store", "hour")},
        line_count=lines.count(),
        known_count=lines.customer.count(),
        anonymous_count=total(lines.anonymous),
        **{name: lines[name].max() for name in _CODES},
    )
    one_customer = (said.known_count == said.line_count) & (said.customer == said.other_customer)
    none_known = (said.known_count == 0) & said.anonymous_count.isin([0, said.line_count])
    return said.filter(said.store == said.other_store, said.hour == said.other_hour, one_customer | none_known)


def _baskets(receipts: ir.Table) -> ir.Table:
    known = {
        "basket_id": text(receipts.basket),
        "customer_id": text(receipts.customer),
        "store_id": text(receipts.store),
        "shopped_at": _moment(text(receipts.hour)),
        **{name: receipts[name] for name in _CODES},
    }
    empty = relation(BASKETS).schema()
    return receipts.select(**{name: known.get(name, ibis.null(empty[name])) for name in BASKETS.columns})


def _lines(lines: ir.Table, receipts: ir.Table) -> ir.Table:
    agreed = receipts.select(agreed="basket")
    kept = lines.inner_join(agreed, lines.basket == agreed.agreed)
    summed = kept.group_by("basket", "product").agg(quantity=total(kept.quantity), cents=total(kept.cents))
    return summed.select(
        basket_id=text(summed.basket),
        product_id=text(summed.product),
        quantity=summed.quantity,
        spend=whole_cents(summed.cents),
    )


def _day_digits(day: ir.Column) -> ir.IntegerColumn:
    """A day as yyyymmdd, from digits, text or a date."""
    if day.type().is_timestamp():
        return (day.year() * 100 + day.month()) * 100 + day.day()
    return day if day.type().is_integer() else text(day).cast("int64")


def _moment(hour: ir.StringColumn) -> ir.TimestampColumn:
    """The moment of ten digits yyyymmddhh."""
    parts = (hour.substr(0, 4), "-", hour.substr(4, 2), "-", hour.substr(6, 2), " ", hour.substr(8, 2), ":00:00")
    return ibis.literal("").concat(*parts).cast("timestamp(6)")
