"""The stores and who shops where."""

from dataclasses import dataclass

import numpy as np

from aisle.sources.simulated import parameters as real
from aisle.sources.simulated.draws import Floats, Integers, Keys, apportioned, lasting_uniform, pick, preference


@dataclass(frozen=True, eq=False)
class Shops:
    """One element per store; codes are positions in the tuples of `parameters`.

    ``share`` is the share of trips, ``basket_size`` the shift of the hidden size of its baskets.
    """

    stream: int
    format: Integers
    region: Integers
    share: Floats
    basket_size: Floats

    def choose(self, shopper: Keys, loyalty: Floats, rng: np.random.Generator) -> Integers:
        """The store of each trip: the shopper's main store with probability ``loyalty``, else one of the others."""
        at_main = rng.random(len(shopper)) < loyalty
        place = np.where(at_main, 0, preference(len(shopper), real.OTHER_STORES_DECAY, rng))
        return pick(self.share, lasting_uniform(self.stream, shopper, place))


def open_shops(customers: int, rng: np.random.Generator) -> Shops:
    """Stores for a number of customers: 761 for 5,000 and more, fewer for fewer, at least one of each format."""
    formats = len(real.FORMAT_CODES)
    count = min(real.STORE_COUNT, max(formats, round(real.STORES_PER_CUSTOMER * customers)))
    sizes = 1 + apportioned(count - formats, real.STORE_COUNTS.sum(axis=1))
    regions, shares = [], []
    for row, size in enumerate(sizes):
        by_region = apportioned(int(size), real.STORE_COUNTS[row])
        regions.append(np.repeat(np.arange(len(by_region)), by_region))
        attraction = np.exp(real.FORMAT_SPREAD[row] * rng.standard_normal(size))
        shares.append(real.FORMAT_SHARES[row] * attraction / attraction.sum())
    order = rng.permutation(count)
    format_of_store = np.repeat(np.arange(formats), sizes)[order]
    return Shops(
        stream=int(rng.integers(2**63)),
        format=format_of_store,
        region=np.concatenate(regions)[order],
        share=np.concatenate(shares)[order],
        basket_size=real.SIZE_BY_FORMAT[format_of_store] + real.STORE_SIZE_SPREAD * rng.standard_normal(count),
    )
