"""Single linkage without a distance matrix: the minimum spanning tree of the rows (Prim 1957; Gower & Ross 1969).

O(n^2 d) time, O(n d) memory. Every step measures the row that joined the tree last against those still outside, which
are kept without gaps. Of equally near rows the lowest joins first, so nothing depends on the number of threads.
"""

import numpy as np
from numba import prange

from aisle.kernels.compiled import compiled
from aisle.kernels.strips import FAST, STRIP, as_distances, measure_strip, pack
from aisle.kernels.types import Floats, Integers, Merges

_SMALL = 400_000
"""Products below which starting threads costs more than it saves."""
_CHUNKS = 8


@compiled(fastmath=FAST)
def _advance(
    strips: Floats,
    labels: Integers,
    outside: int,
    vector: Floats,
    row: int,
    kind: int,
    least: Floats,
    source: Integers,
    first: int,
    last: int,
) -> int:
    """Brings the strips ``first`` to ``last`` up to date with the ``row`` that joined; the slot of the nearest row."""
    out = np.empty(STRIP)
    best, place = np.inf, -1
    for block in range(first, last):
        start = block * STRIP
        width = min(outside - start, STRIP)
        measure_strip(strips[block], vector, kind, out)
        near, origin = least[start : start + width], source[start : start + width]
        hits = 0
        for j in range(width):
            closer = out[j] < near[j]
            near[j] = out[j] if closer else near[j]
            origin[j] = row if closer else origin[j]
            hits += 1 if near[j] <= best else 0
        if hits > 0:
            for j in range(width):
                if near[j] < best or (near[j] == best and (place < 0 or labels[start + j] < labels[place])):
                    best, place = near[j], start + j
    return place


@compiled(parallel=True, fastmath=FAST)
def _advance_parallel(
    strips: Floats,
    labels: Integers,
    outside: int,
    vector: Floats,
    row: int,
    kind: int,
    least: Floats,
    source: Integers,
    places: Integers,
) -> None:
    blocks = (outside + STRIP - 1) // STRIP
    for chunk in prange(_CHUNKS):
        first, last = chunk * blocks // _CHUNKS, (chunk + 1) * blocks // _CHUNKS
        places[chunk] = _advance(strips, labels, outside, vector, row, kind, least, source, first, last)


@compiled()
def spanning_tree(points: Floats, kind: int) -> Merges:
    """The edges of the minimum spanning tree of the rows of ``points`` (n, d), and their lengths."""
    n, d = points.shape
    strips = pack(points[1:])
    labels, source = np.arange(1, n), np.zeros(n - 1, dtype=np.int64)
    least = np.full(n - 1, np.inf)
    places = np.empty(_CHUNKS, dtype=np.int64)
    pairs, lengths = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    row, place = 0, 0
    for step in range(n - 1):
        outside = n - 1 - step
        if outside * d >= _SMALL:
            _advance_parallel(strips, labels, outside, points[row], row, kind, least, source, places)
            place = -1
            for chunk in range(_CHUNKS):
                other = places[chunk]
                if other < 0:
                    continue
                tie = place >= 0 and least[other] == least[place] and labels[other] < labels[place]
                if place < 0 or least[other] < least[place] or tie:
                    place = other
        else:
            blocks = (outside + STRIP - 1) // STRIP
            place = _advance(strips, labels, outside, points[row], row, kind, least, source, 0, blocks)
        row = labels[place]
        pairs[step, 0], pairs[step, 1] = source[place], row
        lengths[step] = least[place]
        final = outside - 1
        labels[place], least[place], source[place] = labels[final], least[final], source[final]
        for t in range(d):
            strips[place // STRIP, t, place % STRIP] = strips[final // STRIP, t, final % STRIP]
    as_distances(lengths, kind)
    return pairs, lengths
