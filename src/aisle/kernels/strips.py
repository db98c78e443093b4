"""Distances of vectors to strips of vectors: the innermost loops, laid out so that the compiler vectorises them.

A strip is (d, STRIP): one row per dimension, so that a loop over its columns runs over contiguous memory.
"""

import numpy as np

from aisle.kernels.compiled import compiled
from aisle.kernels.types import Floats

STRIP = 128
"""Vectors side by side: 13 dimensions of them fit the first-level cache."""
FAST = {"contract", "nnan", "nsz"}
"""A product and a sum become one instruction, and nothing is NaN; sums are never reordered."""
SQUARES, PRODUCTS, BLOCKS = 0, 1, 2
"""What is measured: squared Euclidean distance, minus the inner product, sum of absolute differences."""


@compiled(fastmath=FAST)
def square_pairs(strip: Floats, gone: Floats, query: Floats, out: Floats) -> None:
    """``out[i, j]`` = squared distance of the vector ``query[i]``, i in {0, 1}, to the mean ``strip[:, j]``."""
    d = strip.shape[0]
    for j in range(STRIP):
        out[0, j] = gone[j]
        out[1, j] = gone[j]
    t = 0
    while t + 4 <= d:
        a, b, c, e = query[0, t], query[0, t + 1], query[0, t + 2], query[0, t + 3]
        f, g, h, k = query[1, t], query[1, t + 1], query[1, t + 2], query[1, t + 3]
        for j in range(STRIP):
            w, x, y, z = strip[t, j], strip[t + 1, j], strip[t + 2, j], strip[t + 3, j]
            p, q, r, s = w - a, x - b, y - c, z - e
            out[0, j] = (((out[0, j] + p * p) + q * q) + r * r) + s * s
            p, q, r, s = w - f, x - g, y - h, z - k
            out[1, j] = (((out[1, j] + p * p) + q * q) + r * r) + s * s
        t += 4
    while t < d:
        a, f = query[0, t], query[1, t]
        for j in range(STRIP):
            p, q = strip[t, j] - a, strip[t, j] - f
            out[0, j] += p * p
            out[1, j] += q * q
        t += 1


@compiled(fastmath=FAST)
def product_pairs(strip: Floats, gone: Floats, query: Floats, out: Floats) -> None:
    """``out[i, j]`` = minus the inner product of the vector ``query[i]``, i in {0, 1}, and the mean ``strip[:, j]``."""
    d = strip.shape[0]
    for j in range(STRIP):
        out[0, j] = gone[j]
        out[1, j] = gone[j]
    t = 0
    while t + 4 <= d:
        a, b, c, e = query[0, t], query[0, t + 1], query[0, t + 2], query[0, t + 3]
        f, g, h, k = query[1, t], query[1, t + 1], query[1, t + 2], query[1, t + 3]
        for j in range(STRIP):
            w, x, y, z = strip[t, j], strip[t + 1, j], strip[t + 2, j], strip[t + 3, j]
            out[0, j] = (((out[0, j] - w * a) - x * b) - y * c) - z * e
            out[1, j] = (((out[1, j] - w * f) - x * g) - y * h) - z * k
        t += 4
    while t < d:
        a, f = query[0, t], query[1, t]
        for j in range(STRIP):
            out[0, j] -= strip[t, j] * a
            out[1, j] -= strip[t, j] * f
        t += 1


@compiled(fastmath=FAST)
def pack(points: Floats) -> Floats:
    """Rows (n, d) as strips (n / STRIP, d, STRIP); the last one is filled up with zeros."""
    n, d = points.shape
    strips = np.zeros(((n + STRIP - 1) // STRIP, d, STRIP))
    for i in range(n):
        for t in range(d):
            strips[i // STRIP, t, i % STRIP] = points[i, t]
    return strips


@compiled(fastmath=FAST)
def measure_strip(strip: Floats, query: Floats, kind: int, out: Floats) -> None:
    """``out[j]`` = what ``kind``, one of the three above, measures between ``query`` and ``strip[:, j]``."""
    d = strip.shape[0]
    out[:] = 0.0
    t = 0
    while t + 4 <= d:
        a, b, c, e = query[t], query[t + 1], query[t + 2], query[t + 3]
        if kind == SQUARES:
            for j in range(STRIP):
                p, q, r, s = strip[t, j] - a, strip[t + 1, j] - b, strip[t + 2, j] - c, strip[t + 3, j] - e
                out[j] = (((out[j] + p * p) + q * q) + r * r) + s * s
        elif kind == PRODUCTS:
            for j in range(STRIP):
                w, x, y, z = strip[t, j], strip[t + 1, j], strip[t + 2, j], strip[t + 3, j]
                out[j] = (((out[j] - w * a) - x * b) - y * c) - z * e
        else:
            for j in range(STRIP):
                p, q, r, s = strip[t, j] - a, strip[t + 1, j] - b, strip[t + 2, j] - c, strip[t + 3, j] - e
                out[j] = (((out[j] + abs(p)) + abs(q)) + abs(r)) + abs(s)
        t += 4
    while t < d:
        a = query[t]
        if kind == SQUARES:
            for j in range(STRIP):
                p = strip[t, j] - a
                out[j] += p * p
        elif kind == PRODUCTS:
            for j in range(STRIP):
                out[j] -= strip[t, j] * a
        else:
            for j in range(STRIP):
                out[j] += abs(strip[t, j] - a)
        t += 1


@compiled(fastmath=FAST)
def as_distances(values: Floats, kind: int) -> None:
    """Turns what ``kind`` measured into distances, in place; rounding never makes one negative."""
    if kind == SQUARES:
        for j in range(values.size):
            values[j] = np.sqrt(values[j])
    elif kind == PRODUCTS:
        for j in range(values.size):
            values[j] = max(0.0, 1.0 + values[j])
