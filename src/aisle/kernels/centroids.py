"""Trees of linkages that need no distance matrix: a cluster is its size and its mean.

Ward's distance of two clusters is that of their means times a function of their sizes; the mean cosine distance of two
clusters is 1 - <a, b>, a and b being the means of their unit vectors. Both are reducible: merging two clusters brings
the new one no nearer to a third than the nearer of them was. So whatever pairs are each other's nearest may be merged,
all at once, and a cluster's nearest stays its nearest until it is merged itself (Murtagh 1983; Müllner 2011). Each
round searches the nearest clusters of those that lost theirs, merges the reciprocal pairs, and closes the gaps.

The search is exact and takes O(n^2 d) time and O(n d) memory. Equal distances go to the lower row, which orders all
pairs, so there is always a reciprocal pair, and nothing depends on the number of threads.
"""

import numpy as np
from numba import prange

from aisle.kernels.compiled import compiled
from aisle.kernels.strips import FAST, STRIP, product_pairs, square_pairs
from aisle.kernels.types import Floats, Integers, Merges

_GROUP = 16
"""Queries that pass a strip of means while it is in the first-level cache."""
_CHUNK = 2048
"""Means a thread takes when there are few queries."""
_SMALL = 200_000
"""Products below which starting threads costs more than it saves."""


@compiled(fastmath=FAST)
def _search_chunk(
    means: Floats,
    sizes: Floats,
    gone: Floats,
    queries: Integers,
    low: int,
    high: int,
    ward: bool,
    found: Integers,
    distance: Floats,
) -> None:
    """The nearest of the clusters ``low`` to ``high`` for each of ``queries``; the lower one of equals."""
    d, count = means.shape[0], queries.size
    out, strip, strip_gone = np.empty((2, STRIP)), np.zeros((d, STRIP)), np.empty(STRIP)
    vectors = np.zeros((count + count % 2, d))
    for i in range(count):
        distance[i], found[i] = np.inf, -1
        for t in range(d):
            vectors[i, t] = means[t, queries[i]]
    for start in range(low, high, STRIP):
        width = min(high - start, STRIP)
        strip_gone[width:] = np.inf
        for j in range(width):
            strip_gone[j] = gone[start + j]
        for t in range(d):
            for j in range(width):
                strip[t, j] = means[t, start + j]
        for i in range(count):
            if i % 2 == 0:
                if ward:
                    square_pairs(strip, strip_gone, vectors[i : i + 2], out)
                else:
                    product_pairs(strip, strip_gone, vectors[i : i + 2], out)
            values, query = out[i % 2], queries[i]
            if start <= query < start + width:
                values[query - start] = np.inf
            bound = distance[i]
            if ward:
                # The factor of two sizes is at least n / (n + 1): most strips are settled before any division.
                bound *= (1.0 + 1e-9) * (sizes[query] + 1.0) / sizes[query]
            hits = 0
            for j in range(STRIP):
                hits += 1 if values[j] < bound else 0
            if hits == 0:
                continue
            for j in range(width):
                value = values[j]
                if ward:
                    other = sizes[start + j]
                    value *= sizes[query] * other / (sizes[query] + other)
                if value < distance[i]:
                    distance[i], found[i] = value, start + j


@compiled(parallel=True, fastmath=FAST)
def _search_parallel(
    means: Floats,
    sizes: Floats,
    gone: Floats,
    queries: Integers,
    slots: int,
    ward: bool,
    nearest: Integers,
    distance: Floats,
) -> None:
    count = queries.size
    groups = (count + _GROUP - 1) // _GROUP
    chunks = 1 if groups >= 16 else (slots + _CHUNK - 1) // _CHUNK
    span = (slots + chunks - 1) // chunks
    found = np.empty((chunks, count), dtype=np.int64)
    least = np.empty((chunks, count))
    for task in prange(groups * chunks):
        group, chunk = task // chunks, task % chunks
        first, last = group * _GROUP, min(count, (group + 1) * _GROUP)
        _search_chunk(
            means,
            sizes,
            gone,
            queries[first:last],
            chunk * span,
            min(slots, (chunk + 1) * span),
            ward,
            found[chunk, first:last],
            least[chunk, first:last],
        )
    for i in range(count):
        best = 0
        for chunk in range(1, chunks):
            if least[chunk, i] < least[best, i]:
                best = chunk
        nearest[queries[i]], distance[queries[i]] = found[best, i], least[best, i]


@compiled(fastmath=FAST)
def _search(
    means: Floats,
    sizes: Floats,
    gone: Floats,
    queries: Integers,
    slots: int,
    ward: bool,
    nearest: Integers,
    distance: Floats,
) -> None:
    """Writes the nearest other cluster of each of ``queries`` and its distance."""
    if queries.size * slots * means.shape[0] >= _SMALL:
        _search_parallel(means, sizes, gone, queries, slots, ward, nearest, distance)
        return
    found, least = np.empty(queries.size, dtype=np.int64), np.empty(queries.size)
    _search_chunk(means, sizes, gone, queries, 0, slots, ward, found, least)
    for i in range(queries.size):
        nearest[queries[i]], distance[queries[i]] = found[i], least[i]


@compiled()
def merge_means(means: Floats, ward: bool) -> Merges:
    """Merges the columns of ``means`` (d, n), which it overwrites, until one is left.

    Returns a row of either cluster of every merge, (n - 1, 2), and the heights, (n - 1,), in the order of merging.
    """
    d, n = means.shape
    sizes, gone, reached = np.ones(n), np.zeros(n), np.zeros(n)
    member, nearest, distance = np.arange(n), np.full(n, -1), np.full(n, np.inf)
    renewed = np.zeros(n, dtype=np.bool_)
    place = np.empty(n, dtype=np.int64)
    pairs, heights = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    queries = np.arange(n)
    slots, alive, done = n, n, 0
    while alive > 1:
        _search(means, sizes, gone, queries, slots, ward, nearest, distance)
        for query in queries:
            # Rounding may bring a new cluster below what another one had found: then it is that one's nearest.
            other = nearest[query]
            closer = distance[query] < distance[other]
            if closer or (distance[query] == distance[other] and query < nearest[other]):
                nearest[other], distance[other] = query, distance[query]
        for query in queries:
            other = nearest[query]
            if renewed[query] or nearest[other] != query or gone[query] > 0.0:
                continue
            low, high = min(query, other), max(query, other)
            height = np.sqrt(2.0 * distance[low]) if ward else max(0.0, 1.0 + distance[low])
            reached[low] = max(height, reached[low], reached[high])
            heights[done] = reached[low]
            pairs[done, 0], pairs[done, 1] = member[low], member[high]
            done += 1
            share = sizes[high] / (sizes[low] + sizes[high])
            for t in range(d):
                means[t, low] += share * (means[t, high] - means[t, low])
            sizes[low] += sizes[high]
            gone[high] = np.inf
            renewed[low] = True
        alive = n - done
        if alive < 0.9 * slots:
            kept = 0
            for slot in range(slots):
                if gone[slot] > 0.0:
                    place[slot] = -1
                    continue
                place[slot] = kept
                sizes[kept], reached[kept], member[kept] = sizes[slot], reached[slot], member[slot]
                nearest[kept], distance[kept], renewed[kept] = nearest[slot], distance[slot], renewed[slot]
                kept += 1
            for t in range(d):
                for slot in range(slots):
                    if place[slot] >= 0:
                        means[t, place[slot]] = means[t, slot]
            gone[:kept] = 0.0
            slots = kept
            for slot in range(slots):
                nearest[slot] = place[nearest[slot]]
        lost = np.empty(slots, dtype=np.bool_)
        count = 0
        for slot in range(slots):
            other = nearest[slot]
            lost[slot] = gone[slot] == 0.0 and (renewed[slot] or other < 0 or gone[other] > 0.0 or renewed[other])
            count += lost[slot]
        queries = np.empty(count, dtype=np.int64)
        count = 0
        for slot in range(slots):
            if lost[slot]:
                queries[count] = slot
                count += 1
        renewed[:slots] = False
    return pairs, heights
