"""What is in the baskets: how many lines, of which groups and products, how many items, for how much."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.assortment import DIVISION_OF_GROUP, GROUP_COUNT, PRODUCT_COUNT, Assortment
from aisle.sources.simulated.draws import Floats, Integers, lasting_uniform, pick, pick_by_row
from aisle.sources.simulated.visits import Visits, spread_factor

PRODUCTS_OF_GROUP = np.array([float(group.products) for group in real.GROUPS])
LINE_SHARES = np.array([group.line_shares for group in real.GROUPS]).T
FRESH = real.FRESH_BY_DIVISION[DIVISION_OF_GROUP - 1]
HOUSEHOLD = real.HOUSEHOLD_BY_DIVISION[DIVISION_OF_GROUP - 1]
OWN_TASTE = np.sqrt(
    np.maximum(
        (real.TASTE_PART * np.array([group.taste_spread for group in real.GROUPS])) ** 2 - FRESH**2 - HOUSEHOLD**2, 0.0
    )
)
QUANTITY_SHARES = np.stack([real.QUANTITY_SHARES, real.BAG_QUANTITY_SHARES])
CHANCE_OF_SIZE = np.sqrt(
    1
    - real.SIZE_LOADING**2
    - np.average(real.SIZE_BY_HOUR**2, weights=real.HOUR_COUNTS)
    - np.average(real.SIZE_BY_FORMAT**2, weights=real.FORMAT_SHARES)
    - real.STORE_SIZE_SPREAD**2
)
"""What customer, hour and store leave of the variance of the hidden basket size."""
PATIENT_ROUNDS, LAST_ROUND = 12, 24
"""When a basket already holds a product, so often another one of its group is looked for, then so often one of the
customer's groups; in the end any product will do: a customer's groups may have fewer products than the basket lines."""


@dataclass(frozen=True, eq=False)
class Lines:
    """One element per line item, in the order of basket and product; ``basket`` is the position of the visit."""

    basket: Integers
    product: Integers
    quantity: Integers
    cents: Integers


def line_counts(visits: Visits, store_shift: Floats, rng: np.random.Generator) -> Integers:
    """Line items of each basket: a quantile of the pooled distribution, given by customer, hour, store and chance.

    ``store_shift`` is the shift of the store each visit goes to.
    """
    hour = visits.hour - real.FIRST_HOUR
    shift = real.SIZE_BY_LIFESTAGE[visits.lifestage] + real.SIZE_BY_HOUR[hour] + store_shift
    chance = CHANCE_OF_SIZE * spread_factor(visits.trait("variety"), real.VARIETY_SPREAD)
    hidden = shift + real.SIZE_LOADING * visits.trait("size") + chance * rng.standard_normal(len(hour))
    return 1 + pick(real.LINES_PER_BASKET, ndtr(hidden))


def fill(
    visits: Visits, counts: Integers, assortment: Assortment, taste_scale: float, rng: np.random.Generator
) -> Lines:
    """Lines with ``counts`` different products in each basket; customers' own tastes are scaled by ``taste_scale``."""
    basket = np.repeat(np.arange(len(counts)), counts)
    appetite = _group_shares(visits, counts, assortment.stream, taste_scale)
    group = _groups(appetite, basket, counts, rng)
    product = _products(visits, basket, group, appetite, assortment, rng)
    order = np.argsort(basket * PRODUCT_COUNT + product, kind="stable")
    basket, product = basket[order], product[order]
    quantity = _quantities(assortment, product, visits.trait("multiples")[basket], rng)
    weight = np.where(
        assortment.weighed[product],
        np.exp(real.WEIGHT_SPREAD * rng.standard_normal(len(product)) - real.WEIGHT_SPREAD**2 / 2),
        1.0,
    )
    each = np.maximum(1, np.round(assortment.cents[product] * weight)).astype(np.int64)
    return Lines(basket, product, quantity, each * quantity)


def _group_shares(visits: Visits, counts: Integers, stream: int, taste_scale: float) -> Floats:
    """Baskets x groups: how much of the basket a group is expected to be; rows need not add up to one."""
    size_class = np.searchsorted(real.SIZE_CLASS_LIMITS, counts, side="right")
    own = ndtri(lasting_uniform(stream, visits.shopper[:, None], np.arange(GROUP_COUNT)))
    spread = taste_scale * OWN_TASTE
    fresh = (
        visits.trait("fresh")
        + real.FRESH_BY_LEAN * visits.trait("lean")
        + real.FRESH_BY_SENSITIVITY[visits.price_sensitivity]
    )
    tilt = fresh[:, None] * FRESH + visits.trait("household")[:, None] * HOUSEHOLD + spread * own
    expected_gain = (FRESH**2 + HOUSEHOLD**2 + spread**2) / 2
    appetite: Floats = LINE_SHARES[size_class] * np.exp(tilt - expected_gain)
    return appetite


def _groups(appetite: Floats, basket: Integers, counts: Integers, rng: np.random.Generator) -> Integers:
    """The group of each line. Small baskets are more of one kind than chance makes them: some lines share one group."""
    purpose = pick_by_row(appetite, np.arange(len(counts)), rng.random(len(counts)))
    free = pick_by_row(appetite, basket, rng.random(len(basket)))
    bound = rng.random(len(basket)) < (real.SAME_GROUP * counts**-real.SAME_GROUP_DECAY)[basket]
    return np.where(bound, purpose[basket], free)


def _products(
    visits: Visits,
    basket: Integers,
    group: Integers,
    appetite: Floats,
    assortment: Assortment,
    rng: np.random.Generator,
) -> Integers:
    """Different products in a basket: a product that is already there is chosen again, in the end from any group."""
    group, product = group.copy(), np.zeros(len(basket), dtype=np.int64)
    open_lines = np.arange(len(basket))
    attempt = 0
    while len(open_lines):
        where = basket[open_lines]
        if attempt > LAST_ROUND:
            group[open_lines] = pick(PRODUCTS_OF_GROUP, rng.random(len(where)))
        elif attempt > PATIENT_ROUNDS:
            group[open_lines] = pick_by_row(appetite, where, rng.random(len(where)))
        product[open_lines] = assortment.choose(
            visits.shopper[where], group[open_lines], visits.trait("price")[where], rng
        )
        open_lines = _repeated(basket, product, among=where)
        attempt += 1
    return product


def _repeated(basket: Integers, product: Integers, among: Integers) -> Integers:
    """Positions of the lines that repeat an earlier line of their basket, looked for in the baskets ``among``."""
    changed = np.zeros(basket[-1] + 1, dtype=bool)
    changed[among] = True
    lines = np.flatnonzero(changed[basket])
    key = basket[lines] * PRODUCT_COUNT + product[lines]
    order = np.argsort(key, kind="stable")
    return np.sort(lines[order[1:][key[order[1:]] == key[order[:-1]]]])


def _quantities(assortment: Assortment, product: Integers, multiples: Floats, rng: np.random.Generator) -> Integers:
    """Items of each line: 1, or 3 and more."""
    share = assortment.multiple_share[product]
    odds = share / (1 - share) * np.exp(real.MULTIPLES_LOADING * multiples - real.MULTIPLES_LOADING**2 / 2)
    several = np.flatnonzero(rng.random(len(product)) < odds / (1 + odds))
    of_bags = product[several] == assortment.bag
    step = pick_by_row(QUANTITY_SHARES, of_bags.astype(np.int64), rng.random(len(several)))
    tail = rng.random(len(several)) ** (-1 / real.QUANTITY_TAIL)
    last = QUANTITY_SHARES.shape[1] - 1
    chosen = np.where(step == last, np.floor((3 + last) * tail), 3 + step)
    quantity = np.ones(len(product), dtype=np.int64)
    quantity[several] = np.minimum(chosen, real.LARGEST_QUANTITY).astype(np.int64)
    return quantity
