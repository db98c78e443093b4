"""A simulated grocery, faithful to dunnhumby's "Let's Get Sort-of-Real", of any size and with planted segments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

import numpy as np
import pandas as pd
import pyarrow

from aisle.sources import Batch
from aisle.sources.dirt import dirt_table
from aisle.sources.simulated.assortment import stock
from aisle.sources.simulated.baskets import fill, line_counts
from aisle.sources.simulated.codes import code, price_sensitivities, shelve
from aisle.sources.simulated.population import Population, populate
from aisle.sources.simulated.rows import (
    LAST_WEEK,
    basket_rows,
    customer_ids,
    customer_rows,
    line_rows,
    product_ids,
    product_rows,
    store_ids,
    store_rows,
)
from aisle.sources.simulated.shops import open_shops
from aisle.sources.simulated.visits import visits_of

__all__ = ["Simulated"]

_ORIGIN = "the simulated source"
_MOST_SEGMENTS, _MOST_SEPARATION = 8, 20
_POPULATION, _SHOPS, _ASSORTMENT, _WEEK = range(4)


@dataclass(frozen=True)
class Simulated:
    """A grocery of ``customers`` card holders over ``weeks`` weeks from Monday 2006-04-10; one ``seed``, one result.

    Every rule of the real data holds (one line per basket and product, a strict product tree, constant prices, codes
    by the rules of `aisle.sources.basket_codes`); `portrait` names the statistics it shares with the real data, and
    where both have nothing to find. Rates are per customer and week, whatever ``customers`` and ``weeks`` are; 761
    stores serve 5,000 customers and more. ``anonymous_share`` is the share of baskets without a card. No row is dirty.

    ``segments`` plants segments that have these shares of the customers, in every lifestage alike; without them
    customers are a continuum. Segments differ in seven hidden traits: number of trips, lines per basket, items per
    line, price level, taste for fresh food, taste for household goods, and the lean of the baskets' price sensitivity
    from LA to UM. Any two are at least ``separation`` apart in each trait, in standard deviations of what 50 baskets
    show of the trait within a segment (in number of trips less; of more than four segments, any two in five traits or
    more); the order of the segments changes from trait to trait. As ``separation`` grows, customers of one segment
    become more alike in everything (number of trips, tastes, hours), so that all customers together still look much
    like the real ones; but rare shoppers vanish, and with four segments and more the largest baskets grow. At 0
    nothing tells the segments apart; at 3 they overlap; from 6 on k-means, Ward's linkage and Gaussian mixtures find
    them nearly without error.
    """

    customers: int
    weeks: int
    seed: int
    anonymous_share: float = 0.2052
    segments: Sequence[float] = ()
    separation: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.segments))
        if self.customers < 1:
            raise ValueError(f"source.customers must be at least 1; got {self.customers}.")
        if not 1 <= self.weeks <= LAST_WEEK:
            raise ValueError(f"source.weeks must be from 1 to {LAST_WEEK}; got {self.weeks}.")
        if self.seed < 0:
            raise ValueError(f"source.seed must be at least 0; got {self.seed}.")
        if not 0 <= self.anonymous_share < 1:
            raise ValueError(f"source.anonymous_share must be at least 0 and below 1; got {self.anonymous_share}.")
        if not 0 <= self.separation <= _MOST_SEPARATION:
            raise ValueError(f"source.separation must be from 0 to {_MOST_SEPARATION}; got {self.separation}.")
        if len(self.segments) > _MOST_SEGMENTS:
            raise ValueError(f"source.segments must be at most {_MOST_SEGMENTS}; got {len(self.segments)}.")
        if self.segments and not (min(self.segments) > 0 and isclose(sum(self.segments), 1)):
            raise ValueError(f"source.segments must be shares above 0 that add up to 1; got {list(self.segments)}.")
        if self.separation > 0 and len(self.segments) < 2:
            raise ValueError(f"source.separation is between two source.segments; got only {list(self.segments)}.")

    def batches(self) -> Iterator[Batch]:
        """Customers, stores, products, then baskets and lines of each week in turn, then dirt (no rules, so no rows).

        In memory are one week of lines and some numbers per customer.
        """
        population = self._population()
        shops = open_shops(self.customers, self._rng(_SHOPS))
        assortment = stock(self._rng(_ASSORTMENT))
        shelf = shelve(assortment)
        yield Batch.checked("customers", customer_rows(population), _ORIGIN)
        yield Batch.checked("stores", store_rows(shops), _ORIGIN)
        yield Batch.checked("products", product_rows(assortment), _ORIGIN)
        customers = pyarrow.array(customer_ids(self.customers))
        stores = pyarrow.array(store_ids(len(shops.share)))
        products = pyarrow.array(product_ids(len(assortment.cents)))
        for week in range(self.weeks):
            rng = self._rng(_WEEK, week)
            visits = visits_of(week, population, shops, self.anonymous_share, rng)
            counts = line_counts(visits, shops.basket_size[visits.store], rng)
            lines = fill(visits, counts, assortment, population.taste_scale, rng)
            codes = code(lines, shelf, len(counts))
            sensitivities = price_sensitivities(visits, counts, lines, shelf, codes.missions, rng)
            yield Batch.checked("baskets", basket_rows(week, visits, codes, sensitivities, customers, stores), _ORIGIN)
            yield Batch.checked("lines", line_rows(week, lines, len(counts), products), _ORIGIN)
        yield Batch.checked("dirt", dirt_table((), {}), _ORIGIN)

    def planted(self) -> "pd.Series[int]":
        """The truth: customer_id -> segment, 0, 1, ... in the order of ``segments``; all 0 where none are planted."""
        index = pd.Index(customer_ids(self.customers), name="customer_id", dtype="str")
        return pd.Series(self._population().segment, index=index, name="segment")

    def _population(self) -> Population:
        return populate(self.customers, tuple(self.segments) or (1.0,), self.separation, self._rng(_POPULATION))

    def _rng(self, *part: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=part))
