"""The trips of one week: who, when, where."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.special import ndtr

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.draws import Floats, Integers, Keys, pick
from aisle.sources.simulated.population import TRAITS, Population
from aisle.sources.simulated.shops import Shops

NOBODY = -1
"""The customer of a trip without a card."""


@dataclass(frozen=True, eq=False)
class Visits:
    """One element per trip, in the order of time.

    ``customer`` is a number from 0 or `NOBODY`; ``shopper`` is the same for all trips of a customer and different for
    every trip without a card; ``day`` counts from Monday = 0.
    """

    customer: Integers
    shopper: Keys
    traits: Floats
    lifestage: Integers
    price_sensitivity: Integers
    day: Integers
    hour: Integers
    store: Integers

    def trait(self, name: str) -> Floats:
        return self.traits[:, TRAITS.index(name)]


def monday(week: int) -> date:
    """The first day of a week, weeks counted from 0."""
    return real.FIRST_DAY + timedelta(weeks=week)


def season(week: int) -> float:
    """How many trips a week has against an ordinary one: only the weeks of 25 December and 1 January stand out."""
    days = {(day.month, day.day) for day in (monday(week) + timedelta(days=step) for step in range(7))}
    if (12, 25) in days:
        return real.CHRISTMAS_FACTOR
    return real.NEW_YEAR_FACTOR if (1, 1) in days else 1.0


def visits_of(
    week: int, population: Population, shops: Shops, anonymous_share: float, rng: np.random.Generator
) -> Visits:
    """The trips of a week, drawn from ``rng`` alone: weeks do not depend on each other."""
    customer = _who(week, population, anonymous_share, rng)
    count = len(customer)
    anonymous = customer == NOBODY
    # the highest bit is never set in a customer's number
    passer_by = rng.integers(2**63, 2**64, size=count, dtype=np.uint64)
    lifestage = np.where(anonymous, len(real.LIFESTAGE_CODES) - 1, population.lifestage[customer])
    traits = np.where(anonymous[:, None], rng.standard_normal((count, len(TRAITS))), population.traits[customer])
    shopper = np.where(anonymous, passer_by, customer.astype(np.uint64))
    day = rng.integers(7, size=count)
    hour = _hours(traits, np.where(anonymous, 0.0, real.HOUR_BY_LIFESTAGE[lifestage]), rng)
    order = np.argsort(day * 24 + hour, kind="stable")
    loyalty = np.where(anonymous, 1.0, population.loyalty[customer])
    return Visits(
        customer=customer[order],
        shopper=shopper[order],
        traits=traits[order],
        lifestage=lifestage[order],
        price_sensitivity=np.where(anonymous, len(real.SENSITIVITY_CODES), population.price_sensitivity[customer])[
            order
        ],
        day=day[order],
        hour=hour[order],
        store=shops.choose(shopper[order], loyalty[order], rng),
    )


def _who(week: int, population: Population, anonymous_share: float, rng: np.random.Generator) -> Integers:
    """The customer of each trip; a part of a customer's trips is as regular as whole trips can be."""
    present = (population.first_week <= week) & (week < population.last_week)
    rate = population.weekly_trips * present * season(week)
    certain = week % real.SPAN_WEEKS == population.certain_week
    regular = np.floor(real.REGULARITY * rate + rng.random(len(rate))).astype(np.int64)
    trips = regular + rng.poisson((1 - real.REGULARITY) * rate) + certain
    with_card = np.repeat(np.arange(len(rate)), trips)
    expected = rate.sum() + len(rate) / real.SPAN_WEEKS * season(week)
    without_card = rng.poisson(expected * anonymous_share / (1 - anonymous_share))
    return np.concatenate([with_card, np.full(without_card, NOBODY)])


def _hours(traits: Floats, shift: Floats, rng: np.random.Generator) -> Integers:
    within = np.sqrt(1 - real.CLOCK_LOADING**2 - real.HOUR_BY_LIFESTAGE.var())
    chance = within * spread_factor(traits[:, TRAITS.index("schedule")], real.SCHEDULE_SPREAD)
    hidden = shift + real.CLOCK_LOADING * traits[:, TRAITS.index("clock")] + chance * rng.standard_normal(len(shift))
    return real.FIRST_HOUR + pick(real.HOUR_COUNTS, ndtr(hidden))


def spread_factor(trait: Floats, spread: float) -> Floats:
    """What a customer's own standard deviation is multiplied by; its mean square is 1."""
    factor: Floats = np.exp(spread * trait - spread**2)
    return factor
