"""A simulated grocery chain, faithful to dunnhumby's "Let's Get Sort-of-Real", of any size and with planted segments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from aisle.sources import Batch
from aisle.sources.dirt import dirt_table
from aisle.sources.simulated.assortment import stock
from aisle.sources.simulated.baskets import fill, line_counts
from aisle.sources.simulated.codes import code, price_sensitivities, shelve
from aisle.sources.simulated.population import PLANTED_TRAITS, Population, populate
from aisle.sources.simulated.rows import (
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

_ORIGIN = "simulated source"
_POPULATION, _SHOPS, _ASSORTMENT, _WEEK = range(4)


@dataclass(frozen=True)
class Simulated:
    customers: int
    weeks: int
    seed: int
    anonymous_share: float = 0.2052
    segments: Sequence[float] = ()
    separation: float = 0.0

    def batches(self) -> Iterator[Batch]:
        population = self._population()
        shops = open_shops(self.customers, self._rng(_SHOPS))
        assortment = stock(self._rng(_ASSORTMENT))
        shelf = shelve(assortment)
        yield Batch.checked("customers", customer_rows(population), _ORIGIN)
        yield Batch.checked("stores", store_rows(shops), _ORIGIN)
        yield Batch.checked("products", product_rows(assortment), _ORIGIN)
        customers, stores = pa.array(customer_ids(self.customers)), pa.array(store_ids(len(shops.format)))
        products = pa.array(product_ids(len(assortment.group)))
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

    def planted(self) -> pd.Series:
        population = self._population()
        return pd.Series(
            population.segment, index=pd.Index(customer_ids(self.customers), name="customer_id"), name="segment"
        )

    def _population(self) -> Population:
        return populate(self.customers, tuple(self.segments) or (1.0,), self.separation, self._rng(_POPULATION))

    def _rng(self, *part: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=part))
