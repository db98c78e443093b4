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
ACTIVITY_CENTRE, ACTIVITY_SCALE = 0.35, 0.4
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
    """Segments x `PLANTED_TRAITS`: the corners of a regular simplex, mean 0 and mean variance 1 over the customers.

    Activity is drawn together and upwards, because who comes once a year shows no behaviour that could be clustered.
    """
    count, width = len(shares), len(PLANTED_TRAITS)
    # the first count - 1 cosine waves are orthonormal and load on every trait
    waves = np.cos(np.pi * np.outer(np.arange(count), np.arange(width) + 0.5) / width)[: max(count - 1, 1)]
    waves /= np.sqrt((waves**2).sum(axis=1, keepdims=True))
    corners = _simplex(count)
    centres = np.einsum("ki,ij->kj", corners, waves)
    weights = np.array(shares) / sum(shares)
    centres -= np.einsum("k,kj->j", weights, centres)
    centres *= np.sqrt(width / np.einsum("k,kj->", weights, centres**2))
    centres[:, 0] = ACTIVITY_CENTRE + ACTIVITY_SCALE * centres[:, 0]
    return centres


def _simplex(count: int) -> Floats:
    """``count`` corners at equal distances around 0, in ``count`` - 1 dimensions."""
    corners = np.zeros((count, max(count - 1, 1)))
    for axis in range(count - 1):
        remaining = count - 1 - axis
        corners[axis, axis] = np.sqrt(remaining / (remaining + 1))
        corners[axis + 1 :, axis] = -1 / np.sqrt(remaining * (remaining + 1))
    return corners


def populate(customers: int, shares: tuple[float, ...], separation: float, rng: np.random.Generator) -> Population:
    """Customers with planted segments of the given ``shares``; none when there are no shares.

    ``separation`` is the distance of the two closest segment centres, in standard deviations within a segment. The further
    apart the segments, the more alike are the customers of one: the spread over all customers stays about the same.
    """
    segment = planted_segments(customers, shares, rng)
    traits = rng.standard_normal((customers, len(TRAITS)))
    within = 1.0
    if len(shares) > 1:
        centres = segment_centres(shares)
        distance = min(np.linalg.norm(one - other) for i, one in enumerate(centres) for other in centres[:i])
        within = float(1 / np.hypot(1, separation / distance))
        traits *= within
        traits[:, : len(PLANTED_TRAITS)] += np.sqrt(1 - within**2) * centres[segment]
    lifestage = rng.choice(
        len(real.LIFESTAGE_COUNTS), size=customers, p=real.LIFESTAGE_COUNTS / real.LIFESTAGE_COUNTS.sum()
    )
    visits = _expected_visits(lifestage, ndtr(traits[:, TRAITS.index("activity")]))
    size = TRAITS.index("size")
    sensitivity = _price_sensitivity(lifestage, visits, traits[:, size], rng)
    traits[:, size] += real.RARE_SIZE * np.log(real.REGULAR_VISITS / visits).clip(0)
    first, last = _presence(customers, rng)
    stay = np.minimum(last, real.SPAN_WEEKS) - first
    return Population(
        segment=segment,
        lifestage=lifestage,
        price_sensitivity=sensitivity,
        traits=traits,
        taste_scale=within,
        weekly_trips=(visits - 1) / real.MEASURED_WEEKS / PRESENCE,
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


def _presence(customers: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    joins, leaves = rng.random(customers) < real.JOINING_SHARE, rng.random(customers) < real.LEAVING_SHARE
    first = np.where(joins, rng.uniform(0, real.JOINING_WEEKS, customers), 0.0)
    last = np.where(leaves, rng.uniform(first, real.SPAN_WEEKS), np.inf)
    return first, last
