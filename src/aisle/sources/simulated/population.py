"""The customers: lifestage, price sensitivity, hidden traits, and how often they come; planted segments."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.draws import Floats, Integers, apportioned, pick_by_row

PLANTED_TRAITS = ("activity", "size", "multiples", "price", "fresh", "household", "lean")
"""What a segment can differ in: trips, lines per basket, items per line, price level, taste for fresh food and for household
goods, and the lean of its baskets from LA to UM."""
TRAITS = (*PLANTED_TRAITS, "clock", "variety", "schedule")
CHANCE = np.array([0.13, 0.21, 0.18, 0.27, 0.35, 0.40, 0.57])
"""Standard error, in standard deviations of each planted trait, with which 50 baskets show it."""
OWN_TASTES = np.array([0.0, 0.0, 0.0, 0.0, 0.65, 1.0, 0.0])
"""Variance that customers' own tastes add to what is seen of each planted trait."""
INDEPENDENT = 1.0
ALIKE = 2.0
ACTIVITY_STEP = 0.35
REGULAR_VISITS = 76.0
PRESENCE = 1 - (real.JOINING_SHARE * real.JOINING_WEEKS + real.LEAVING_SHARE * real.SPAN_WEEKS) / 2 / real.SPAN_WEEKS
"""Mean share of the measured weeks in which a customer is present."""


@dataclass(frozen=True, eq=False)
class Population:
    """One element per customer, in the order of the customers' numbers.

    Codes are positions in the tuples of `parameters`. ``traits`` are standard normal over all customers, one column
    per name in `TRAITS`. ``weekly_trips`` is the rate while the customer is present, from ``first_week`` to before
    ``last_week``; ``certain_week`` is the week of the one visit that makes a card holder a customer.
    """

    segment: Integers
    lifestage: Integers
    price_sensitivity: Integers
    traits: Floats
    taste_scale: float
    weekly_trips: Floats
    first_week: Floats
    last_week: Floats
    certain_week: Integers
    loyalty: Floats

    def trait(self, name: str) -> Floats:
        return self.traits[:, TRAITS.index(name)]


def planted_segments(customers: int, shares: tuple[float, ...], rng: np.random.Generator) -> Integers:
    """The segment of every customer, 0, 1, ... in the order of ``shares``; sizes are as near to the shares as can be."""
    sizes = apportioned(customers, np.array(shares or (1.0,)))
    return rng.permutation(np.repeat(np.arange(len(sizes)), sizes))


def segment_centres(shares: tuple[float, ...]) -> Floats:
    """Segments x `PLANTED_TRAITS`: one step apart in each trait, in another order from trait to trait; mean 0."""
    levels = np.add.outer(np.arange(len(shares)), np.arange(len(PLANTED_TRAITS))) % len(shares)
    weights = np.array(shares) / sum(shares)
    return levels - np.einsum("k,kj->j", weights, levels)


def populate(customers: int, shares: tuple[float, ...], separation: float, rng: np.random.Generator) -> Population:
    """Customers with planted segments of the given ``shares``; none when there are no shares.

    ``separation`` is the distance of the two closest segment centres, in standard deviations within a segment. The further
    apart the segments, the more alike are the customers of one: the spread over all customers stays about the same.
    """
    segment = planted_segments(customers, shares, rng)
    traits = rng.standard_normal((customers, len(TRAITS)))
    within, shift = 1.0, np.zeros((customers, len(PLANTED_TRAITS)))
    if len(shares) > 1:
        within = float(1 / np.hypot(1, separation / ALIKE))
        visible = np.sqrt(within**2 * (1 + OWN_TASTES) + CHANCE**2)
        shift = separation / np.sqrt(INDEPENDENT) * (visible * segment_centres(shares))[segment]
    level = ndtr(traits[:, TRAITS.index("activity")])
    traits *= within
    traits[:, : len(PLANTED_TRAITS)] += shift
    lifestage = rng.choice(
        len(real.LIFESTAGE_COUNTS), size=customers, p=real.LIFESTAGE_COUNTS / real.LIFESTAGE_COUNTS.sum()
    )
    visits = _expected_visits(lifestage, level)
    visits = visits**within * REGULAR_VISITS ** (1 - within) * np.exp(ACTIVITY_STEP * shift[:, 0])
    size = TRAITS.index("size")
    sensitivity = _price_sensitivity(lifestage, visits, traits[:, size], rng)
    traits[:, size] += real.RARE_SIZE * np.log(real.REGULAR_VISITS / visits).clip(0)
    first, last = _presence(customers, within, rng)
    stay = np.minimum(last, real.SPAN_WEEKS) - first
    return Population(
        segment=segment,
        lifestage=lifestage,
        price_sensitivity=sensitivity,
        traits=traits,
        taste_scale=within,
        weekly_trips=(visits - 1).clip(0) / real.MEASURED_WEEKS / PRESENCE,
        first_week=first,
        last_week=last,
        certain_week=np.floor(first + stay * rng.random(customers)).astype(np.int64),
        loyalty=rng.beta(*real.LOYALTY, size=customers),
    )


def _expected_visits(lifestage: Integers, level: Floats) -> Floats:
    visits = np.empty(len(lifestage))
    for row, quantiles in enumerate(real.VISIT_QUANTILES):
        here = lifestage == row
        visits[here] = np.exp(np.interp(level[here], real.VISIT_LEVELS, np.log(quantiles)))
    return visits


def _price_sensitivity(lifestage: Integers, visits: Floats, size: Floats, rng: np.random.Generator) -> Integers:
    undefined = real.SENSITIVITY_CODES.index("XX")
    sensitivity = pick_by_row(real.SENSITIVITY_COUNTS, lifestage, rng.random(len(lifestage)))
    bought = visits * np.exp(0.8 * size)
    unknown = rng.random(len(lifestage)) < 1 / (1 + (bought / real.UNDEFINED_PIVOT) ** real.UNDEFINED_STEEPNESS)
    return np.where(unknown, undefined, sensitivity)


def _presence(customers: int, within: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    joins, leaves = rng.random(customers) < within * real.JOINING_SHARE, rng.random(customers) < within * real.LEAVING_SHARE
    first = np.where(joins, rng.uniform(0, real.JOINING_WEEKS, customers), 0.0)
    last = np.where(leaves, rng.uniform(first, real.SPAN_WEEKS), np.inf)
    return first, last
