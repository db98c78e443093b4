"""What could have been seen: the smallest gap that the valley test finds among so many customers."""

import math
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np

from aisle.evidence.hartigan import dip_test

_GAPS: Final = tuple(2.0 + step / 4 for step in range(41))
_DRAWS: Final = 200
_SEEN: Final = 0.8


def unseen_gap(pairs: Iterable[tuple[int, int]], *, valley_p: float) -> float:
    """The largest `smallest_gap` of ``pairs``, the customers of a segment and of its neighbour; infinite without any.

    A gap of less than that may have been missed somewhere.
    """
    return max((smallest_gap(sum(pair), min(pair) / sum(pair), valley_p=valley_p) for pair in pairs), default=math.inf)


def smallest_gap(customers: int, smallest_share: float, *, valley_p: float) -> float:
    """Distance, in standard deviations within, of two normal segments that the valley test finds in 80 % of draws.

    ``customers`` are those of both segments, half of whom are held out; ``smallest_share`` in (0, .5] is that of the
    smaller one; ``valley_p`` is the threshold, which the doubled median p-value of the splits must be below. Found
    along the true line, so with many columns somewhat more is needed; infinite beyond 12. Simulated with a fixed seed,
    in steps of a quarter, customers and share rounded to two digits.

    Raises:
        ValueError: the share is out of (0, .5].
    """
    if not 0 < smallest_share <= 0.5:
        raise ValueError(f"The share of the smaller of two segments must be in (0, 0.5]; got {smallest_share}.")
    return _smallest_gap(int(_rounded(customers // 2)), _rounded(smallest_share), valley_p / 2)


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


@cache
def _smallest_gap(held_out: int, share: float, median: float) -> float:
    rng = np.random.default_rng([held_out, round(1e6 * share)])
    normal = rng.standard_normal((_DRAWS, held_out))
    second = rng.random((_DRAWS, held_out)) < share

    def seen(gap: float) -> bool:
        found = [dip_test(row)[1] < median for row in normal + gap * second]
        return bool(np.mean(found) >= _SEEN)

    place = bisect_left(_GAPS, True, key=seen)  # the same draws further apart: what is seen once is seen from there on
    return _GAPS[place] if place < len(_GAPS) else math.inf
