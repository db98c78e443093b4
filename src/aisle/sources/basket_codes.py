"""The codes of a basket, by the rules that reproduce dunnhumby's own.

A product is of one kind: Fresh, Grocery, Nonfood or neutral. Neutral products (carrier bags, fuel, tobacco and the
like) count for a basket's size but neither for its type nor for its mission; a basket of nothing else has the
type and the mission XX. On the 473,028 baskets of dunnhumby's "Let's Get Sort-of-Real" (5,000 customers) the rules give
the published size and type of every basket and the published mission of all but 17.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aisle.tables import UNDEFINED

Integers = npt.NDArray[np.integer]
Codes = npt.NDArray[np.str_]

KINDS = ("Fresh", "Grocery", "Nonfood")
"""The kinds of product that make a mission; a kind's number is its position, and neutral is the next number."""
NEUTRAL = "Neutral"
NEUTRAL_NUMBER = len(KINDS)

_NEUTRAL_CLASS = "CL00222"
_KIND_OF_GROUP = {
    f"G{number:05d}": kind
    for kind, numbers in (
        ("Fresh", range(1, 10)),
        ("Grocery", (*range(10, 17), 27, 28, 30)),
        ("Nonfood", (*range(17, 24), 26)),
    )
    for number in numbers
}


@dataclass(frozen=True, eq=False)
class BasketCodes:
    """One code per basket, in the order of the baskets."""

    sizes: Codes
    types: Codes
    missions: Codes


def code_baskets(
    *,
    basket: Integers,
    group: Integers,
    kind: Integers,
    item_count: Integers,
    cents: Integers,
    basket_count: int,
) -> BasketCodes:
    """The codes of the baskets 0..basket_count-1, from one element per line item.

    ``basket``, ``group`` and ``kind`` are numbers from 0: the line's basket, its product group and its kind's place in
    `KINDS` (`NEUTRAL_NUMBER` = neutral). ``cents`` is the line's spend in hundredths.

    >>> line = dict(basket=np.array([0, 0, 1]), group=np.array([0, 1, 2]), kind=np.array([0, 1, 3]))
    >>> codes = code_baskets(**line, item_count=np.array([2, 1, 1]), cents=np.array([90, 10, 5]), basket_count=2)
    >>> codes.sizes.tolist(), codes.types.tolist(), codes.missions.tolist()
    (['M', 'S'], ['Small Shop', 'XX'], ['Fresh', 'XX'])
    """
    items = np.zeros((basket_count, NEUTRAL_NUMBER + 1), dtype=np.int64)
    spend = np.zeros_like(items)
    np.add.at(items, (basket, kind), item_count)
    np.add.at(spend, (basket, kind), cents)
    bought = np.zeros((basket_count, int(group.max(initial=-1)) + 1), dtype=bool)
    counted = kind != NEUTRAL_NUMBER
    bought[basket[counted], group[counted]] = True
    counted_items, counted_spend = items[:, :NEUTRAL_NUMBER], spend[:, :NEUTRAL_NUMBER]
    return BasketCodes(
        sizes=basket_sizes(items.sum(axis=1)),
        types=basket_types(bought.sum(axis=1), counted_items.sum(axis=1)),
        missions=missions(*counted_spend.T, *counted_items.T),
    )


def basket_sizes(item_count: Integers) -> Codes:
    """S = 1-2 items, M = 3-9, L = 10 and more; every item counts, also the neutral ones.

    >>> basket_sizes(np.array([2, 3, 9, 10])).tolist()
    ['S', 'M', 'M', 'L']
    """
    return np.select([item_count <= 2, item_count <= 9], ["S", "M"], "L")


def basket_types(group_count: Integers, item_count: Integers) -> Codes:
    """Small Shop, Top Up or Full Shop from the number of distinct product groups and of items, neutral ones left out.

    A basket without an item that counts is XX.

    >>> basket_types(np.array([0, 3, 3, 8, 8]), np.array([0, 9, 10, 14, 15])).tolist()
    ['XX', 'Small Shop', 'Top Up', 'Top Up', 'Full Shop']
    """
    empty = item_count == 0
    small = (group_count <= 3) & (item_count <= 9)
    full = (group_count >= 8) & (item_count >= 15)
    return np.select([empty, small, full], [UNDEFINED, "Small Shop", "Full Shop"], "Top Up")


def missions(
    fresh_spend: Integers,
    grocery_spend: Integers,
    nonfood_spend: Integers,
    fresh_items: Integers,
    grocery_items: Integers,
    nonfood_items: Integers,
) -> Codes:
    """The kind whose share is at least 60 %, the share being the mean of its share of spend and its share of items.

    Mixed where no kind has that much, XX where nothing was bought of any kind; where all of it was free the share of
    items decides alone. Spend is in cents, so that the comparison is exact: shares of exactly 60 % do occur.

    >>> free, some = np.array([0]), np.array([1])
    >>> missions(np.array([70]), np.array([30]), free, some, some, free).tolist()
    ['Fresh']
    >>> missions(np.array([69]), np.array([31]), free, some, some, free).tolist()
    ['Mixed']
    """
    items = np.stack([fresh_items, grocery_items, nonfood_items]).astype(np.int64)
    paid = np.stack([fresh_spend, grocery_spend, nonfood_spend]).astype(np.int64)
    spend = np.where(paid.sum(axis=0) == 0, items, paid)
    all_items, all_spend = items.sum(axis=0), spend.sum(axis=0)
    # (spend / all_spend + items / all_items) / 2 >= 0.6, without a division
    dominant = 5 * (spend * all_items + items * all_spend) >= 6 * all_spend * all_items
    return np.select([all_items == 0, *dominant], [UNDEFINED, *KINDS], "Mixed")


def dunnhumby_kinds(product_class: Codes, product_group: Codes) -> Codes:
    """The kind of each product of dunnhumby's product tree (prod_code_10 and prod_code_30); unknown groups are neutral.

    >>> dunnhumby_kinds(np.array(["CL00072", "CL00222"]), np.array(["G00007", "G00023"])).tolist()
    ['Fresh', 'Neutral']
    """
    groups, place = np.unique(product_group, return_inverse=True)
    kinds = np.array([_KIND_OF_GROUP.get(str(group), NEUTRAL) for group in groups])
    return np.where(product_class == _NEUTRAL_CLASS, NEUTRAL, kinds[place])
