"""Linkages that need all distances: rounds of reciprocal merges over SciPy's condensed matrix, in place.

The distances are written once, by all threads, without a copy. As over means (`aisle.kernels.centroids`), all pairs of
each other's nearest merge at once. A round that merges many passes the matrix once, in the order of memory, and closes
its gaps; a round that merges few touches their rows alone. O(n^2) time in all, and no memory but the matrix. Equal
distances go to the lower row, so nothing depends on the number of threads.
"""

import numpy as np
from numba import prange

from aisle.kernels.compiled import compiled
from aisle.kernels.strips import FAST, STRIP, as_distances, measure_strip, pack
from aisle.kernels.types import Distances, Floats, Integers, Merges

COMPLETE, AVERAGE, WEIGHTED, SINGLE = 0, 1, 2, 3
_CHUNKS = 16
_FEW_MERGES, _FEW_QUERIES = 24, 8
"""Fewer than one row in this many: cheaper row by row than in a pass of the matrix."""
_SMALL = 256
"""Rows below which starting threads costs more than it saves."""


@compiled(inline="always")
def _start(row: int, slots: int) -> int:
    """Where the row of a condensed matrix would hold column 0."""
    return row * (2 * slots - row - 1) // 2 - row - 1


@compiled(inline="always")
def _at(matrix: Distances, slots: int, a: int, b: int) -> float:
    value: float = matrix[_start(min(a, b), slots) + max(a, b)]
    return value


@compiled(inline="always")
def _joined(first: float, second: float, size_first: float, size_second: float, rule: int) -> float:
    """Distance of a merged cluster to a third, from those of its two parts (Lance & Williams 1967)."""
    if rule == COMPLETE:
        return max(first, second)
    if rule == AVERAGE:
        return (size_first * first + size_second * second) / (size_first + size_second)
    return 0.5 * (first + second) if rule == WEIGHTED else min(first, second)


@compiled(parallel=True, fastmath=FAST)
def fill(points: Floats, kind: int, matrix: Distances) -> None:
    """Writes the distances of the rows of ``points`` (n, d) into ``matrix``, in SciPy's condensed order."""
    n = points.shape[0]
    strips = pack(points)
    for turn in prange(n):
        row = turn // 2 if turn % 2 == 0 else n - 1 - turn // 2  # long and short rows in turn, for equal shares
        out = np.empty(STRIP)
        start = _start(row, n)
        for block in range((row + 1) // STRIP, strips.shape[0]):
            measure_strip(strips[block], points[row], kind, out)
            as_distances(out, kind)
            low, high = max(row + 1, block * STRIP), min(n, (block + 1) * STRIP)
            target, values = matrix[start + low : start + high], out[low - block * STRIP :]
            for j in range(high - low):
                target[j] = values[j]


@compiled()
def _search_row(matrix: Distances, slots: int, row: int, nearest: Integers, distance: Floats) -> None:
    best, found = np.inf, -1
    for other in range(row):
        value = matrix[_start(other, slots) + row]
        if value < best:
            best, found = value, other
    start = _start(row, slots)
    for other in range(row + 1, slots):
        value = matrix[start + other]
        if value < best:
            best, found = value, other
    nearest[row], distance[row] = found, best


@compiled(parallel=True)
def _search_rows(matrix: Distances, slots: int, queries: Integers, nearest: Integers, distance: Floats) -> None:
    for i in prange(queries.size):
        _search_row(matrix, slots, queries[i], nearest, distance)


@compiled()
def _pass_rows(
    matrix: Distances, slots: int, first: int, last: int, above: Distances, origin: Integers, nearest: Integers
) -> None:
    """One pass of the rows ``first`` to ``last``: the nearest later row of each, and of the later rows the nearest."""
    for row in range(first, last):
        start = _start(row, slots)
        best, found = matrix.dtype.type(np.inf), -1
        for low in range(row + 1, slots, STRIP):
            high = min(slots, low + STRIP)
            values = matrix[start + low : start + high]
            far, source = above[low:high], origin[low:high]
            hits = 0
            for j in range(high - low):
                closer = values[j] < far[j]
                far[j] = values[j] if closer else far[j]
                source[j] = row if closer else source[j]
                hits += 1 if values[j] < best else 0
            if hits > 0:
                for j in range(high - low):
                    if values[j] < best:
                        best, found = values[j], low + j
        nearest[row] = found


@compiled(parallel=True)
def _search_all(matrix: Distances, slots: int, nearest: Integers, distance: Floats) -> None:
    """Writes the nearest other row of every row: one pass of the matrix."""
    above = np.full((_CHUNKS, slots), np.inf, dtype=matrix.dtype)
    origin = np.full((_CHUNKS, slots), -1, dtype=np.int64)
    bounds = np.empty(_CHUNKS + 1, dtype=np.int64)
    for chunk in range(_CHUNKS + 1):  # equal areas of the triangle
        bounds[chunk] = int(slots * (1.0 - np.sqrt(1.0 - chunk / _CHUNKS)))
    bounds[_CHUNKS] = slots
    for chunk in prange(_CHUNKS):
        _pass_rows(matrix, slots, bounds[chunk], bounds[chunk + 1], above[chunk], origin[chunk], nearest)
    for row in range(slots):
        best, found = np.inf, -1
        for chunk in range(_CHUNKS):
            if above[chunk, row] < best:
                best, found = above[chunk, row], origin[chunk, row]
        later = nearest[row]
        if later >= 0 and matrix[_start(row, slots) + later] < best:
            best, found = matrix[_start(row, slots) + later], later
        nearest[row], distance[row] = found, best


@compiled()
def _merge_row(matrix: Distances, slots: int, low: int, high: int, sizes: Floats, rule: int) -> None:
    """Writes the distances of ``low`` and ``high`` together into ``low``, and infinity into ``high``."""
    for other in range(slots):
        if other in (low, high):
            continue
        kept = _start(min(low, other), slots) + max(low, other)
        lost = _start(min(high, other), slots) + max(high, other)
        if matrix[lost] < np.inf:
            matrix[kept] = _joined(matrix[kept], matrix[lost], sizes[low], sizes[high], rule)
            matrix[lost] = np.inf
    matrix[_start(low, slots) + high] = np.inf


@compiled(parallel=True)
def _merge_all(matrix: Distances, slots: int, partner: Integers, kept: Integers, sizes: Floats, rule: int) -> None:
    """Merges every row with its partner (-1: none), for the ``kept`` rows, at once.

    A thread writes only the kept columns of its own row, and reads of other rows only columns that are not kept.
    """
    merged = kept[partner[kept] >= 0]
    for turn in prange(kept.size):
        place = turn // 2 if turn % 2 == 0 else kept.size - 1 - turn // 2
        a = kept[place]
        a_too = partner[a]
        others = kept[place + 1 :] if a_too >= 0 else merged[np.searchsorted(merged, a + 1) :]
        for b in others:
            b_too = partner[b]
            value = _at(matrix, slots, a, b)
            if b_too >= 0:
                value = _joined(value, _at(matrix, slots, a, b_too), sizes[b], sizes[b_too], rule)
            if a_too >= 0:
                second = _at(matrix, slots, a_too, b)
                if b_too >= 0:
                    second = _joined(second, _at(matrix, slots, a_too, b_too), sizes[b], sizes[b_too], rule)
                value = _joined(value, second, sizes[a], sizes[a_too], rule)
            matrix[_start(a, slots) + b] = value


@compiled()
def _close_gaps(matrix: Distances, slots: int, kept: Integers) -> None:
    """Moves the distances of the ``kept`` rows to the front: a condensed matrix of theirs."""
    target = 0
    for place in range(kept.size):
        start = _start(kept[place], slots)
        for other in kept[place + 1 :]:
            matrix[target] = matrix[start + other]
            target += 1


@compiled()
def merge_condensed(matrix: Distances, n: int, rule: int) -> Merges:
    """Merges the ``n`` rows of the condensed ``matrix``, which it overwrites, until one is left; as `merge_means`."""
    sizes, reached = np.ones(n), np.zeros(n)
    member, nearest, distance = np.arange(n), np.full(n, -1), np.full(n, np.inf)
    gone, renewed = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    partner, place = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    pairs, heights = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    queries = np.arange(n)
    slots, done = int(n), 0
    while done < n - 1:
        if slots > _SMALL and queries.size * _FEW_QUERIES >= slots:
            _search_all(matrix, slots, nearest, distance)
            queries = np.flatnonzero(~gone[:slots])
        elif slots > _SMALL and queries.size * slots > 50_000:
            _search_rows(matrix, slots, queries, nearest, distance)
        else:
            for query in queries:
                _search_row(matrix, slots, int(query), nearest, distance)
        for query in queries:
            # Rounding may bring a new cluster below what another one had found: then it is that one's nearest.
            other = nearest[query]
            closer = distance[query] < distance[other]
            if closer or (distance[query] == distance[other] and query < nearest[other]):
                nearest[other], distance[other] = query, distance[query]
        partner[:slots] = -1
        count = 0
        for query in queries:
            other = nearest[query]
            if not gone[query] and nearest[other] == query and partner[query] < 0 and not gone[other]:
                low, high = min(query, other), max(query, other)
                partner[low] = high
                gone[high] = renewed[low] = True
                reached[low] = max(distance[low], reached[low], reached[high])
                heights[done + count] = reached[low]
                pairs[done + count, 0], pairs[done + count, 1] = member[low], member[high]
                count += 1
        done += count
        kept = np.flatnonzero(~gone[:slots])
        at_once = slots > _SMALL and count * _FEW_MERGES >= slots
        if at_once:
            _merge_all(matrix, slots, partner, kept, sizes, rule)
        for low in kept:
            high = partner[low]
            if high >= 0:
                if not at_once:
                    _merge_row(matrix, slots, int(low), int(high), sizes, rule)
                sizes[low] += sizes[high]
        lost = np.zeros(slots, dtype=np.bool_)
        for row in kept:
            other = nearest[row]
            lost[row] = renewed[row] or gone[other] or renewed[other]
        if at_once or kept.size < 0.75 * slots:
            _close_gaps(matrix, slots, kept)
            place[:slots] = -1
            place[kept] = np.arange(kept.size)
            slots = len(kept)
            for slot, old in enumerate(kept):
                sizes[slot], reached[slot], member[slot] = sizes[old], reached[old], member[old]
                nearest[slot], distance[slot] = place[nearest[old]], distance[old]
            gone[:slots] = False
            queries = np.flatnonzero(lost[kept])
        else:
            queries = np.flatnonzero(lost)
        renewed[:slots] = False
    return pairs, heights
