"""What could have been seen: the smallest gap that the valley test finds among so many customers."""

from functools import cache
from typing import Final

import numpy as np

from aisle.evidence.hartigan import dip_test

_GAPS: Final = tuple(2.0 + step / 4 for step in range(41))
_DRAWS: Final = 200
_SEEN: Final = 0.8


def smallest_gap(customers: int, smallest_share: float) -> float:
    """Distance, in standard deviations within, of two normal segments that the valley test finds in 80 % of draws.

    ``customers`` are those of both segments, half of whom are held out; ``smallest_share`` in (0, .5] is that of the
    smaller one. Found along the true line, so with many columns somewhat more is needed; infinite beyond 12. Simulated
    with a fixed seed, in steps of a quarter.
    """
    held_out = _round(customers // 2)
    return _smallest_gap(held_out, round(max(0.02, min(0.5, smallest_share)), 2))


def _round(count: int) -> int:
    """Two digits are enough: the gap changes slowly with the number of customers."""
    digits = max(0, len(str(count)) - 2)
    return max(1, int(round(count, -digits)))


@cache
def _smallest_gap(held_out: int, share: float) -> float:
    rng = np.random.default_rng([held_out, round(100 * share)])
    normal = rng.standard_normal((_DRAWS, held_out))
    second = rng.random((_DRAWS, held_out)) < share
    for gap in _GAPS:
        seen = np.mean([dip_test(row)[1] < 0.025 for row in normal + gap * second])
        if seen >= _SEEN:
            return gap
    return float("inf")
