"""The dip test of unimodality (Hartigan & Hartigan 1985): how often a uniform sample has so large a dip."""

import math
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.kernels.dip import dip_of_sorted

Values = npt.NDArray[np.float64]

_DRAWS: Final = 4999
_FINEST: Final = 4096
"""Customers beyond which the dip times the root of their number no longer changes its distribution."""


def dip_test(sample: npt.ArrayLike) -> tuple[float, float]:
    """The dip of ``sample`` (n,), higher is further from one mode, and its p-value in [2e-4, 1].

    The p-value is the share of uniform samples, the unimodal distribution that is hardest to tell from two modes, with
    a dip at least as large. They are drawn once for every size, 4,999 with one seed; sizes between are served by the
    nearest of eight to a doubling, since the dip falls with the root of the size. 1 below four values.

    >>> dip_test([0.0, 0.1, 0.2, 0.3, 9.7, 9.8, 9.9, 10.0])[1] < 0.05
    True
    """
    values = np.sort(np.asarray(sample, dtype=np.float64))
    dip = dip_of_sorted(values)
    if values.size < 4 or dip == 0:
        return dip, 1.0
    size = _nearest_size(values.size)
    null = _uniform_dips(size)
    reached = dip * np.sqrt(values.size / size)
    at_least = int((null >= reached * (1 - 1e-12)).sum())
    return dip, (1 + at_least) / (1 + null.size)


def _nearest_size(n: int) -> int:
    if n <= 16:
        return n
    return min(_FINEST, round(math.pow(2.0, round(8 * math.log2(n)) / 8)))


@cache
def _uniform_dips(n: int) -> Values:
    """Sorted dips of uniform samples of ``n``; the same in every process."""
    rng = np.random.default_rng([n, _DRAWS])
    dips = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        dips[draw] = dip_of_sorted(np.cumsum(rng.standard_exponential(n)))  # spacings of a uniform sample, any scale
    return np.sort(dips)
