"""K-means: Lloyd's algorithm from k-means++ starts, for one number of clusters or a whole path of them.

The starts are shared: the first k centres of a start for many clusters are a start for k, so a number of clusters gives
the same partition whether it is asked for alone or with others. All starts go a few rounds, the best of them some more,
and the best of those until no row changes its cluster. Starts are compared in single precision; the runs that go on to
the end are exact, in double: Hamerly's bounds (2010) leave out only distances that cannot change an assignment. Loops
run on one thread and let go of the interpreter's lock, so that resamples can run side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aisle.kernels.compiled import compiled
from aisle.kernels.inputs import scaled

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_TRIALS = 4
"""At most so many rows are drawn for every centre of a start, of which the one that lowers the inertia most is taken.

The first start draws one, the next two, and so on: greedy starts are better, and more alike.
"""
_HEATS = ((4, 3), (10, 2))
"""Rounds that starts go before they are compared, and how many then go on; the last go on to the end."""
_MOST_ROUNDS = 1000
_TILE = 128
_FAST = {"contract", "nnan", "nsz"}
"""A product and a sum become one instruction, and nothing is NaN; sums are never reordered."""


@dataclass(frozen=True, eq=False)
class KMeansFit:
    """``labels`` (n,), ``centroids`` (k, d) and ``inertia``, the sum of squared distances to the own centroid.

    With fewer distinct rows than clusters, some clusters hold nobody.
    """

    labels: Integers
    centroids: Floats
    inertia: float


def kmeans_labels(X: Floats, n_clusters: int, *, n_init: int, seed: int) -> KMeansFit:
    """K-means of the rows of ``X`` (n, d), finite, from ``n_init`` starts; 1 <= ``n_clusters`` <= n."""
    return kmeans_path(X, [n_clusters], n_init=n_init, seed=seed)[n_clusters]


def kmeans_path(X: Floats, n_clusters: Sequence[int], *, n_init: int, seed: int) -> dict[int, KMeansFit]:
    """`kmeans_labels` for every number of clusters, from shared starts."""
    mean = X.mean(axis=0)
    rows, exponent = scaled(np.ascontiguousarray(X - mean, dtype=np.float64))
    columns = np.ascontiguousarray(rows.T)
    coarse_rows, coarse_columns = rows.astype(np.float32), columns.astype(np.float32)
    shape = (max(n_clusters), _TRIALS)
    draws = np.stack([np.random.default_rng([seed, start]).random(shape) for start in range(n_init)])
    starts = _starts(coarse_rows, coarse_columns, draws)
    found = {}
    for k in n_clusters:
        best = _best(coarse_rows, coarse_columns, np.ascontiguousarray(starts[:, :k]))
        labels, centroids, inertia = _fit(rows, columns, best.astype(np.float64))
        found[k] = KMeansFit(labels, np.ldexp(centroids, exponent) + mean, float(np.ldexp(inertia, 2 * exponent)))
    return found


@compiled(nogil=True, fastmath=_FAST)
def _squares(columns: Floats, start: int, count: int, centre: Floats, out: Floats) -> None:
    """Squared distances of ``count`` rows of ``columns`` (d, n) to ``centre``, four columns at a time."""
    d, stop = columns.shape[0], start + count
    out[:count] = 0.0
    column = 0
    while column + 4 <= d:
        a, b, c, e = centre[column], centre[column + 1], centre[column + 2], centre[column + 3]
        of_a, of_b = columns[column, start:stop], columns[column + 1, start:stop]
        of_c, of_e = columns[column + 2, start:stop], columns[column + 3, start:stop]
        for row in range(count):
            p, q, r, s = of_a[row] - a, of_b[row] - b, of_c[row] - c, of_e[row] - e
            out[row] = (((out[row] + p * p) + q * q) + r * r) + s * s
        column += 4
    while column < d:
        a, of_a = centre[column], columns[column, start:stop]
        for row in range(count):
            p = of_a[row] - a
            out[row] += p * p
        column += 1


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def _starts(rows: Any, columns: Any, draws: Floats) -> Any:
    """Rows that lie apart, (starts, k, d): greedy k-means++ (Arthur & Vassilvitskii 2007)."""
    n, d = rows.shape
    starts, k, trials = draws.shape
    centres = np.empty((starts, k, d), rows.dtype)
    square, best, summed = np.empty(n, rows.dtype), np.empty(n, rows.dtype), np.empty(n)
    for start in range(starts):
        nearest = np.full(n, np.inf, rows.dtype)
        for centre in range(k):
            if centre > 0:
                total = 0.0
                for row in range(n):
                    total += nearest[row]
                    summed[row] = total
            least = np.inf
            for trial in range(1 + start % trials if centre > 0 else 1):
                draw = draws[start, centre, trial]
                if centre > 0:
                    chosen = min(np.searchsorted(summed, draw * summed[n - 1], side="right"), n - 1)
                else:
                    chosen = min(int(draw * n), n - 1)
                _squares(columns, 0, n, rows[chosen], square)
                total = 0.0
                for row in range(n):
                    square[row] = min(square[row], nearest[row])
                    total += square[row]
                if total < least:
                    least = total
                    centres[start, centre] = rows[chosen]
                    best, square = square, best
            nearest[:] = best
    return centres


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def _best(rows: Any, columns: Any, starts: Any) -> Any:
    """What the most promising of ``starts`` (starts, k, d) reached, best first; they become what they reached."""
    labels = np.zeros(rows.shape[0], dtype=np.int64)
    order = np.arange(starts.shape[0])
    explained = np.empty(starts.shape[0])
    for rounds, survivors in _HEATS:
        for start in order:
            explained[start] = _lloyd(rows, columns, starts[start], labels, rounds)
        order = order[np.argsort(-explained[order], kind="mergesort")][:survivors]
    return starts[order]


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def _fit(rows: Floats, columns: Floats, starts: Floats) -> tuple[Any, Any, float]:
    """Labels, centroids and inertia of the best run. ``starts`` (starts, k, d) become what the runs reached."""
    labels = np.zeros(rows.shape[0], dtype=np.int64)
    explained = np.empty(starts.shape[0])
    for start in range(starts.shape[0] - 1, -1, -1):
        explained[start] = _lloyd(rows, columns, starts[start], labels, _MOST_ROUNDS)
    winner = np.argmax(explained)
    centroids = starts[winner]
    if winner != 0:
        _lloyd(rows, columns, centroids, labels, 1)
    inertia = 0.0
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            gap = rows[row, column] - centroids[labels[row], column]
            inertia += gap * gap
    return labels, centroids, inertia


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def _lloyd(rows: Any, columns: Any, centres: Any, labels: Integers, rounds: int) -> float:
    """Moves ``centres`` to the means of their rows until no row changes its label.

    Returns the sum of squares that the centres explain, which is what the inertia lacks of the total.
    """
    n, d = rows.shape
    k = centres.shape[0]
    kind = rows.dtype
    # of the distance to the own centre, and to the nearest other
    upper, lower = np.full(n, np.inf, kind), np.zeros(n, kind)
    sums, sizes = np.zeros((k, d)), np.zeros(k)
    moved = np.zeros(k)
    half = np.empty(k)  # half the way to the nearest other centre
    wanted = np.arange(_TILE)
    part, square = np.empty((d, _TILE), kind), np.empty(_TILE, kind)
    first, second, own = np.empty(_TILE, kind), np.empty(_TILE, kind), np.empty(_TILE, dtype=np.int64)
    labels[:] = -1
    uncertain = n
    for _ in range(rounds):
        farthest, fastest, next_fastest = -1, 0.0, 0.0
        for centre in range(k):
            half[centre] = np.inf
            for other in range(k):
                if other != centre:
                    gap = 0.0
                    for column in range(d):
                        gap += (centres[centre, column] - centres[other, column]) ** 2
                    half[centre] = min(half[centre], 0.5 * np.sqrt(gap))
            if moved[centre] > fastest:
                farthest, fastest, next_fastest = centre, moved[centre], fastest
            else:
                next_fastest = max(next_fastest, moved[centre])
        everybody = 2 * uncertain > n  # then choosing whom to search for costs more than it saves
        uncertain, changed, row = 0, 0, 0
        while row < n:
            start, count = row, 0
            if everybody:
                count = min(_TILE, n - row)
                row += count
            while not everybody and row < n and count < _TILE:
                label = labels[row]
                upper[row] += moved[label]
                lower[row] -= next_fastest if label == farthest else fastest
                wanted[count] = row
                count += upper[row] >= max(lower[row], half[label])
                row += 1
            if not everybody:
                for place in range(count):
                    this = rows[wanted[place]]
                    for column in range(d):
                        part[column, place] = this[column]
            first[:], second[:], own[:] = np.inf, np.inf, 0
            for centre in range(k):
                if everybody:
                    _squares(columns, start, count, centres[centre], square)
                else:
                    _squares(part, 0, count, centres[centre], square)
                for place in range(count):
                    nearer = square[place] < first[place]
                    second[place] = first[place] if nearer else min(second[place], square[place])
                    own[place] = centre if nearer else own[place]
                    first[place] = square[place] if nearer else first[place]
            for place in range(count):
                first[place], second[place] = np.sqrt(first[place]), np.sqrt(second[place])
            for place in range(count):
                this = start + place if everybody else wanted[place]
                uncertain += second[place] - first[place] < fastest
                upper[this], lower[this] = first[place], second[place]
                old, new = labels[this], own[place]
                if old != new:
                    changed += 1
                    labels[this] = new
                    _move(sums, sizes, rows[this], new, 1.0)
                    if old >= 0:
                        _move(sums, sizes, rows[this], old, -1.0)
        if changed == 0:
            break
        for centre in range(k):
            gap = 0.0
            if sizes[centre] > 0.0:
                for column in range(d):
                    mean = sums[centre, column] / sizes[centre]
                    gap += (mean - centres[centre, column]) ** 2
                    centres[centre, column] = mean
            else:
                row = _farthest(rows, centres, labels, sizes)
                for column in range(d):
                    gap += (rows[row, column] - centres[centre, column]) ** 2
                    centres[centre, column] = rows[row, column]
            moved[centre] = np.sqrt(gap)
    explained = 0.0
    for centre in range(k):
        for column in range(d):
            explained += sizes[centre] * centres[centre, column] ** 2
    return explained


@compiled(nogil=True, fastmath=_FAST)
def _move(sums: Floats, sizes: Floats, row: Floats, centre: int, sign: float) -> None:
    sizes[centre] += sign
    own = sums[centre]
    for column in range(row.size):
        own[column] += sign * row[column]


@compiled(nogil=True, fastmath=_FAST)
def _farthest(rows: Floats, centres: Floats, labels: Integers, sizes: Floats) -> int:
    """The row that is farthest from its centre and not alone there: where a cluster that lost everybody goes on."""
    found, most = 0, -1.0
    for row in range(rows.shape[0]):
        square = 0.0
        for column in range(rows.shape[1]):
            square += (rows[row, column] - centres[labels[row], column]) ** 2
        if square > most and sizes[labels[row]] > 1.0:
            found, most = row, square
    return found
