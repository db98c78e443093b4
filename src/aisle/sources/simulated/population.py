"""The customers: lifestage, price sensitivity, hidden traits, and how often they come; planted segments."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.draws import Floats, Integers, apportioned, pick, pick_by_row

PLANTED_TRAITS = ("activity", "size", "multiples", "price", "fresh", "household", "lean")
"""What segments differ in: trips, lines per basket, items per line, price level, taste for fresh food, taste for
household goods, and the lean of the baskets' price sensitivity from LA to UM."""
TRAITS = (*PLANTED_TRAITS, "clock", "variety", "schedule")
CHANCE = np.array([0.13, 0.21, 0.18, 0.27, 0.35, 0.40, 0.57])
"""How far off 50 baskets show each planted trait (standard error, in standard deviations of the trait)."""
OWN_TASTES = np.array([0.0, 0.0, 0.0, 0.0, 0.65, 1.0, 0.0])
"""What customers' own tastes for single groups add to the variance seen of each planted trait."""
ALIKE_SEPARATION = 2.0
"""From about this separation on the customers of a segment are more alike than customers are in reality."""
ACTIVITY_STEP = 0.35
"""Change of the log number of trips with a segment's shift in activity."""
PRESENCE = 1 - (real.JOINING_SHARE * real.JOINING_WEEKS + real.LEAVING_SHARE * real.SPAN_WEEKS) / 2 / real.SPAN_WEEKS
"""Mean share of the measured weeks in which a customer is present."""


@dataclass(frozen=True, eq=False)
class Population:
    """One element per customer, in the order of the customers' numbers.

    Codes are positions in the tuples of `parameters`. ``traits`` has one column per name in `TRAITS`, standard normal
    where no segments are planted. ``taste_scale`` is what customers' own tastes are multiplied by. ``weekly_trips`` is
    the rate while the customer is present, from ``first_week`` to before ``last_week``; ``certain_week`` is the week
    of the one trip that makes somebody a customer.
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


def segment_centres(shares: tuple[float, ...]) -> Floats:
    """Segments x `PLANTED_TRAITS`: up to four levels, a step of 1 apart; mean 0 over customers.

    Up to four segments differ in every trait, in another order from trait to trait. More are words of an affine code
    over four letters: any two of up to eight differ in five traits or more.
    """
    segment, trait = np.arange(len(shares))[:, None], np.arange(len(PLANTED_TRAITS))
    levels = ((1 + segment // 4) * trait + segment) % min(len(shares), 4)
    weights = np.array(shares) / sum(shares)
    centres: Floats = levels - np.einsum("k,kj->j", weights, levels)
    return centres


def populate(customers: int, shares: tuple[float, ...], separation: float, rng: np.random.Generator) -> Population:
    """Customers in segments of the given ``shares`` of them; none of it shows when there is one share or no separation.

    ``separation`` is the step between segments in every planted trait, in standard deviations of what 50 baskets show
    of the trait within a segment. The larger it is, the more alike are the customers of one segment, in all traits,
    tastes and frequency, so that the spread over all customers stays of the same order.
    """
    sizes = apportioned(customers, np.array(shares))
    segment = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    within = 1.0 if len(shares) == 1 else float(1 / np.hypot(1, separation / ALIKE_SEPARATION))
    visible = np.sqrt(within**2 * (1 + OWN_TASTES) + CHANCE**2)
    shift = (separation * visible * segment_centres(shares))[segment]
    own = rng.standard_normal((customers, len(TRAITS)))
    traits = within * own
    traits[:, : len(PLANTED_TRAITS)] += shift
    lifestage = pick(real.LIFESTAGE_COUNTS, rng.random(customers))
    usual = _usual_visits(lifestage, ndtr(own[:, TRAITS.index("activity")]))
    visits = usual**within * real.MEAN_VISITS ** (1 - within) * np.exp(ACTIVITY_STEP * shift[:, 0])
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


def _usual_visits(lifestage: Integers, level: Floats) -> Floats:
    """Trips in the measured weeks at a quantile ``level`` of each customer's lifestage."""
    visits = np.empty(len(lifestage))
    for row, quantiles in enumerate(real.VISIT_QUANTILES):
        here = lifestage == row
        visits[here] = np.exp(np.interp(level[here], real.VISIT_LEVELS, np.log(quantiles)))
    return visits


def _price_sensitivity(lifestage: Integers, visits: Floats, size: Floats, rng: np.random.Generator) -> Integers:
    known = pick_by_row(real.SENSITIVITY_COUNTS, lifestage, rng.random(len(lifestage)))
    bought = visits * np.exp(real.UNDEFINED_BY_SIZE * size)
    undefined = rng.random(len(lifestage)) < 1 / (1 + (bought / real.UNDEFINED_PIVOT) ** real.UNDEFINED_STEEPNESS)
    return np.where(undefined, real.SENSITIVITY_CODES.index("XX"), known)


def _presence(customers: int, within: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """First and last week of each customer; most are there from the beginning and stay."""
    joins = rng.random(customers) < within * real.JOINING_SHARE
    leaves = rng.random(customers) < within * real.LEAVING_SHARE
    first = np.where(joins, rng.uniform(0, real.JOINING_WEEKS, customers), 0.0)
    last = np.where(leaves, rng.uniform(first, real.SPAN_WEEKS), np.inf)
    return first, last
