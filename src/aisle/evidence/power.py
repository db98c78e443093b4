"""What could have been seen: the smallest gap that the valley test finds among so many customers."""

from bisect import bisect_left
from functools import cache
from typing import Final

import numpy as np

from aisle.evidence.hartigan import dip_test

_GAPS: Final = tuple(2.0 + step / 4 for step in range(41))
_DRAWS: Final = 200
_SEEN: Final = 0.8
_MEDIAN: Final = 0.025
"""The median p-value of the splits is doubled and must then be below .05."""


def smallest_gap(customers: int, smallest_share: float) -> float:
    """Distance, in standard deviations within, of two normal segments that the valley test finds in 80 % of draws.

    ``customers`` are those of both segments, half of whom are held out; ``smallest_share`` in (0, .5] is that of the
    smaller one. Found along the true line, so with many columns somewhat more is needed; infinite beyond 12. Simulated
    with a fixed seed, in steps of a quarter, both numbers rounded to two digits.

    Raises:
        ValueError: the share is out of (0, .5].
    """
    if not 0 < smallest_share <= 0.5:
        raise ValueError(f"The share of the smaller of two segments must be in (0, 0.5]; got {smallest_share}.")
    return _smallest_gap(int(_rounded(customers // 2)), _rounded(smallest_share))


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


@cache
def _smallest_gap(held_out: int, share: float) -> float:
    rng = np.random.default_rng([held_out, round(1e6 * share)])
    normal = rng.standard_normal((_DRAWS, held_out))
    second = rng.random((_DRAWS, held_out)) < share

    def seen(gap: float) -> bool:
        found = [dip_test(row)[1] < _MEDIAN for row in normal + gap * second]
        return bool(np.mean(found) >= _SEEN)

    place = bisect_left(_GAPS, True, key=seen)  # the same draws further apart: what is seen once is seen from there on
    return _GAPS[place] if place < len(_GAPS) else float("inf")
