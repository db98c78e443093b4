"""Hartigan's dip: how far a sample is from the nearest distribution with one mode (Hartigan & Hartigan 1985).

The nearest unimodal distribution is convex up to its mode and concave after it, so the search narrows an interval in
which the mode must lie: outside it the greatest convex minorant and the least concave majorant of the sample's own
distribution function are as good as any. Distances are counted in customers and divided by 2n in the end.
"""

import numpy as np
import numpy.typing as npt

from aisle.kernels.compiled import compiled

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@compiled(nogil=True)
def dip_of_sorted(sample: Values) -> float:
    """The dip of an ascending ``sample`` (n,), in [1 / 2n, .25]; 0 when all values are equal or there is none.

    Higher means further from having one mode. A straight line of values has the least, 1 / 2n; two distant points with
    half the sample each have the most.
    """
    n = sample.size
    if n == 0 or sample[0] == sample[n - 1]:
        return 0.0
    below, above = np.empty(n, np.int64), np.empty(n, np.int64)
    low, high, dip = 0, n - 1, 1.0
    while True:
        convex = _hull(sample, low, high, below, 1.0)
        concave = _hull(sample, low, high, above, -1.0)
        gap, new_low, new_high = _widest_gap(sample, below[:convex], above[:concave])
        if gap < dip:
            break
        rise = _above_the_minorant(sample, below[:convex], new_low)
        fall = _below_the_majorant(sample, above[:concave], new_high)
        dip = max(dip, rise, fall)
        if new_low == low and new_high == high:
            break
        low, high = new_low, new_high
    return dip / (2 * n)


@compiled(nogil=True)
def _hull(sample: Values, low: int, high: int, places: Places, sign: float) -> int:
    """Vertices, into ``places``, of the convex (sign 1) or concave (-1) hull of the points (sample[i], i)."""
    count = 0
    for i in range(low, high + 1):
        while count >= 2:
            a, b = places[count - 2], places[count - 1]
            if sign * ((sample[i] - sample[a]) * (b - a) - (sample[b] - sample[a]) * (i - a)) < 0:
                break
            count -= 1
        places[count] = i
        count += 1
    return count


@compiled(nogil=True)
def _on_line(sample: Values, a: int, b: int, x: float) -> float:
    """The height at ``x`` of the line through the points of two places."""
    if sample[b] == sample[a]:
        return float(b)
    return float(a + (b - a) * ((x - sample[a]) / (sample[b] - sample[a])))


@compiled(nogil=True)
def _widest_gap(sample: Values, below: Places, above: Places) -> tuple[float, int, int]:
    """The largest distance of majorant and minorant at a vertex of either, and the interval of the mode it leaves."""
    gap, low, high = 0.0, below[0], above[-1]
    j = 0
    for i in range(1, below.size - 1):
        while above[j + 1] < below[i]:
            j += 1
        distance = _on_line(sample, above[j], above[j + 1], sample[below[i]]) - below[i] + 1
        if distance > gap:
            gap, low, high = distance, below[i], above[j + 1]
    i = 0
    for j in range(1, above.size - 1):
        while below[i + 1] <= above[j]:
            i += 1
        distance = above[j] - _on_line(sample, below[i], below[i + 1], sample[above[j]]) + 1
        if distance > gap:
            gap, low, high = distance, below[i], above[j]
    return gap, low, high


@compiled(nogil=True)
def _above_the_minorant(sample: Values, below: Places, end: int) -> float:
    """How far the distribution function rises above its convex minorant, up to place ``end``."""
    most = 0.0
    for vertex in range(below.size - 1):
        a, b = below[vertex], below[vertex + 1]
        if b > end:
            break
        for i in range(a, b + 1):
            most = max(most, i - _on_line(sample, a, b, sample[i]) + 1)
    return most


@compiled(nogil=True)
def _below_the_majorant(sample: Values, above: Places, start: int) -> float:
    """How far the distribution function falls below its concave majorant, from place ``start`` on."""
    most = 0.0
    for vertex in range(above.size - 1):
        a, b = above[vertex], above[vertex + 1]
        if a < start:
            continue
        for i in range(a, b + 1):
            most = max(most, _on_line(sample, a, b, sample[i]) - i + 1)
    return most
