"""The products: their tree, prices and popularity, and which of them a shopper takes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.draws import Floats, Integers, Keys, apportioned, lasting_uniform, preference, spread

PRODUCT_COUNT = sum(group.products for group in real.GROUPS)
GROUP_COUNT = len(real.GROUPS)
DIVISION_OF_GROUP = np.array([group.division for group in real.GROUPS])


@dataclass(frozen=True, eq=False)
class Assortment:
    """One element per product, in the order of the products' numbers; all numbers count from 0, over the whole tree.

    ``multiple_share`` is the share of the purchases that take more than one item, 0 for products sold by weight.
    ``by_price`` lists the products group by group and by price within a group; ``popularity`` is, in that order, the
    number of the group plus the cumulated share of the group's purchases.
    """

    stream: int
    group: Integers
    department: Integers
    product_class: Integers
    cents: Integers
    weighed: npt.NDArray[np.bool_]
    multiple_share: Floats
    bag: int
    by_price: Integers
    popularity: Floats

    def choose(self, shopper: Keys, group: Integers, price_level: Floats, rng: np.random.Generator) -> Integers:
        """A product of the ``group`` for each shopper: one of the shopper's favourites there, mostly the first ones.

        ``price_level`` is the shopper's hidden trait: who has a high one has dearer favourites.
        """
        favourite = preference(len(shopper), real.FAVOURITE_DECAY, rng)
        taste = ndtri(lasting_uniform(self.stream, shopper, group, favourite))
        level = ndtr(real.PRICE_LOADING * price_level + np.sqrt(1 - real.PRICE_LOADING**2) * taste)
        position = np.searchsorted(self.popularity, group + level, side="right")
        chosen: Integers = self.by_price[np.minimum(position, PRODUCT_COUNT - 1)]
        return chosen


def stock(rng: np.random.Generator) -> Assortment:
    """The 4,997 products in 9 divisions, 31 groups, 90 departments and 250 classes."""
    sizes = np.array([group.products for group in real.GROUPS])
    group = np.repeat(np.arange(GROUP_COUNT), sizes)
    product_class, department = _tree(rng)
    columns = [_group_columns(row, rng) for row in real.GROUPS]
    share, cents, multiple_share, weighed = (np.concatenate(column) for column in zip(*columns, strict=True))
    bag = int(np.flatnonzero(product_class == real.BAG_CLASS - 1)[0])
    share[group == group[bag]] *= (1 - real.BAG_SHARE) / (1 - share[bag])
    share[bag], cents[bag], multiple_share[bag] = real.BAG_SHARE, real.BAG_CENTS, real.BAG_MULTIPLES
    # products are numbered at random, so that a number says nothing about the place in the tree
    numbered = rng.permutation(PRODUCT_COUNT)
    by_price = np.lexsort((cents[numbered], group[numbered]))
    return Assortment(
        stream=int(rng.integers(2**63)),
        group=group[numbered],
        department=department[numbered],
        product_class=product_class[numbered],
        cents=cents[numbered],
        weighed=weighed[numbered],
        multiple_share=multiple_share[numbered],
        bag=int(np.flatnonzero(numbered == bag)[0]),
        by_price=by_price,
        popularity=np.cumsum(share[numbered][by_price]),
    )


def _tree(rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Class and department of each product, in the order of the groups."""
    class_sizes: list[int] = []
    department_of_class: list[int] = []
    for number, group in enumerate(real.GROUPS, start=1):
        first_class, first_department = len(class_sizes), len(set(department_of_class))
        classes = _split(group.classes, group.departments, rng)
        department_of_class += (first_department + np.repeat(np.arange(group.departments), classes)).tolist()
        if number == real.BAG_GROUP:
            products = _split(group.products - real.NEUTRAL_CLASS_PRODUCTS, group.classes - 1, rng)
            products = np.insert(products, real.BAG_CLASS - 1 - first_class, real.NEUTRAL_CLASS_PRODUCTS)
        else:
            products = _split(group.products, group.classes, rng)
        class_sizes += products.tolist()
    product_class = np.repeat(np.arange(len(class_sizes)), class_sizes)
    return product_class, np.array(department_of_class)[product_class]


def _split(total: int, parts: int, rng: np.random.Generator) -> Integers:
    """``total`` things in ``parts`` uneven heaps, none of them empty."""
    return 1 + apportioned(total - parts, np.exp(real.CLASS_SPREAD * rng.standard_normal(parts)))


def _group_columns(
    group: real.Group, rng: np.random.Generator
) -> tuple[Floats, Integers, Floats, npt.NDArray[np.bool_]]:
    """Of each product: share of the group's purchases, cents, share of multiple purchases, whether sold by weight."""
    count = group.products
    popular = spread(real.POPULARITY_SHAPE, real.SHAPE_LEVELS, count, rng)
    share = np.exp(group.popularity_spread * popular)
    price = _arranged(spread(real.PRICE_SHAPE, real.SHAPE_LEVELS, count, rng), popular, group.price_by_popularity, rng)
    cents = np.maximum(1, np.round(100 * np.exp(group.price_median + group.price_spread * price))).astype(np.int64)
    weighed = np.zeros(count, dtype=bool)
    ranked = np.argsort(-popular, kind="stable")
    weighed[ranked[np.arange(group.weighed_products) * count // max(group.weighed_products, 1)]] = True
    multiples = _multiple_shares(group, count)
    return (
        share / share.sum(),
        cents,
        np.where(weighed, 0.0, _arranged(multiples, price, real.MULTIPLES_BY_PRICE, rng)),
        weighed,
    )


def _multiple_shares(group: real.Group, count: int) -> Floats:
    mean, variance = group.multiple_share, group.multiple_spread**2
    if variance == 0:
        return np.full(count, mean)
    strength = mean * (1 - mean) / variance - 1
    levels = (np.arange(count) + 0.5) / count
    return np.asarray(beta.ppf(levels, mean * strength, (1 - mean) * strength), dtype=np.float64)


def _arranged(values: Floats, other: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    """``values`` in an order that has about the rank correlation ``correlation`` with ``other``."""
    centred = (other - other.mean()) / (other.std() or 1.0)
    score = correlation * centred + np.sqrt(1 - correlation**2) * rng.standard_normal(len(other))
    arranged = np.empty(len(values))
    arranged[np.argsort(score, kind="stable")] = np.sort(values)
    return arranged
