"""The codes of the baskets: size, type and mission by the rules of `basket_codes`, price sensitivity by chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aisle.sources.basket_codes import KINDS, NEUTRAL, BasketCodes, Codes, code_baskets, dunnhumby_kinds
from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.assortment import DIVISION_OF_GROUP, Assortment
from aisle.sources.simulated.baskets import Lines
from aisle.sources.simulated.draws import Floats, Integers
from aisle.sources.simulated.visits import Visits


@dataclass(frozen=True, eq=False)
class Shelf:
    """What a product means for the codes of a basket, one element per product."""

    group: Integers
    kind: Integers
    silent: npt.NDArray[np.bool_]


def numbered(prefix: str, numbers: Integers, digits: int) -> Codes:
    """Ids as dunnhumby writes them.

    >>> numbered("CL", np.array([72]), 5).tolist()
    ['CL00072']
    """
    plain = numbers.astype(np.str_)
    # zfill cannot be asked for none
    return np.strings.add(prefix, np.strings.zfill(plain, digits) if len(plain) else plain)


def shelve(assortment: Assortment) -> Shelf:
    """The kind of each product, and whether it is silent about price sensitivity."""
    kinds = dunnhumby_kinds(numbered("CL", assortment.product_class + 1, 5), numbered("G", assortment.group + 1, 5))
    silent = np.isin(DIVISION_OF_GROUP[assortment.group], real.SILENT_DIVISIONS)
    return Shelf(
        group=assortment.group,
        kind=np.argmax(kinds[:, None] == np.array([*KINDS, NEUTRAL]), axis=1),
        silent=silent | (assortment.product_class == real.BAG_CLASS - 1),
    )


def code(lines: Lines, shelf: Shelf, basket_count: int) -> BasketCodes:
    """Size, type and mission of each basket."""
    return code_baskets(
        basket=lines.basket,
        group=shelf.group[lines.product],
        kind=shelf.kind[lines.product],
        item_count=lines.quantity,
        cents=lines.cents,
        basket_count=basket_count,
    )


def price_sensitivities(
    visits: Visits, counts: Integers, lines: Lines, shelf: Shelf, missions: Codes, rng: np.random.Generator
) -> Codes:
    """LA, MM or UM by customer, size and mission; XX for baskets of nothing but silent products."""
    telling = np.bincount(lines.basket, weights=~shelf.silent[lines.product], minlength=len(counts)) > 0
    size_class = np.searchsorted(real.SIZE_CLASS_LIMITS, counts, side="right")
    mission = np.argmax(missions[:, None] == np.array(real.MISSION_CODES), axis=1)
    less, up = real.LESS_AFFLUENT_SHARES[size_class, mission], real.UP_MARKET_SHARES[size_class, mission]
    middle = 1 - less - up
    lean = real.LEAN_LOADING * visits.trait("lean")
    less_odds = less / middle * np.exp(real.LESS_AFFLUENT_BY_SENSITIVITY[visits.price_sensitivity] - lean)
    up_odds = up / middle * np.exp(real.UP_MARKET_BY_SENSITIVITY[visits.price_sensitivity] + lean)
    chance: Floats = rng.random(len(counts)) * (less_odds + up_odds + 1)
    drawn = np.select([chance < less_odds, chance < less_odds + up_odds], ["LA", "UM"], "MM")
    return np.select([~telling, missions == "XX"], ["XX", "MM"], drawn)
