"""The compiled loops of silhouettes: sums of distances from every customer to every cluster, tile by tile.

Customers come in tiles of `TILE`. A tile of values is (d, TILE), so that the inner loops run over customers; d is a
multiple of `BLOCK`, filled up with zeros. A tile of sums is (clusters of all partitions, TILE). ``codes`` (m, n) number
the clusters of each partition from 0, -1 is noise, and partition p's clusters begin at row ``offsets[p]`` of the sums.
Every sum is taken in an order that depends on n alone, so the number of threads changes no bit of a result.

All loops are in this one module: Numba's cache does not see a change in a function that another module calls.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import prange

from aisle.kernels.compiled import compiled

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

TILE = 64
BLOCK = 4
TEAMS = 64
"""So many rounds at most: at the end of each the threads wait for one another."""


@compiled(fastmath={"contract"}, error_model="numpy")
def _distances(left: Values, right: Values, distances: Values) -> None:
    """Euclidean distances between two tiles, (customer of ``right``, customer of ``left``).

    From differences, not from products: equal customers are at distance 0, and near ones lose no digits.
    """
    for j in range(0, TILE, 2):  # two rows at once share the loads of ``left``
        first, second = distances[j], distances[j + 1]
        first[:] = 0.0
        second[:] = 0.0
        for f in range(0, left.shape[0], 4):
            x0, x1, x2, x3 = left[f], left[f + 1], left[f + 2], left[f + 3]
            a0, a1, a2, a3 = right[f, j], right[f + 1, j], right[f + 2, j], right[f + 3, j]
            b0, b1, b2, b3 = right[f, j + 1], right[f + 1, j + 1], right[f + 2, j + 1], right[f + 3, j + 1]
            for i in range(TILE):
                first[i] += (x0[i] - a0) ** 2 + (x1[i] - a1) ** 2 + (x2[i] - a2) ** 2 + (x3[i] - a3) ** 2
                second[i] += (x0[i] - b0) ** 2 + (x1[i] - b1) ** 2 + (x2[i] - b2) ** 2 + (x3[i] - b3) ** 2
        for i in range(TILE):
            first[i] = math.sqrt(first[i])
            second[i] = math.sqrt(second[i])


@compiled()
def _turn(distances: Values, turned: Values) -> None:
    """The transpose, in squares that stay in the nearest cache."""
    for top in range(0, TILE, 8):
        for side in range(0, TILE, 8):
            for j in range(top, top + 8):
                for i in range(side, side + 8):
                    turned[i, j] = distances[j, i]


@compiled(error_model="numpy")
def _add_rows(
    distances: Values, start: int, cells: Numbers, codes: Codes, offsets: Numbers, sums: Values, run: Values
) -> None:
    """Add the rows of ``distances``, those of the customers from ``start`` on, to the sums of their clusters.

    Neighbours in one cell are together in every partition: their rows are added up first.
    """
    run[:] = 0.0
    for j in range(TILE):
        row, here = distances[j], start + j
        for i in range(TILE):
            run[i] += row[i]
        if j == TILE - 1 or cells[here] != cells[here + 1]:
            for p in range(codes.shape[0]):
                if codes[p, here] >= 0:
                    total = sums[offsets[p] + codes[p, here]]
                    for i in range(TILE):
                        total[i] += run[i]
            run[:] = 0.0


@compiled(error_model="numpy")
def _finish(
    sums: Values, start: int, codes: Codes, offsets: Numbers, sizes: Numbers, least: float, out: Values
) -> None:
    """Silhouettes, from the sums of distances, of the customers of a tile that begins at ``start``; NaN for noise.

    The only member of its cluster gets 0, and so does who is no farther than ``least`` from its own and another
    cluster: there is no telling the two apart.
    """
    for p in range(codes.shape[0]):
        low, high = offsets[p], offsets[p + 1]
        for i in range(TILE):
            own = codes[p, start + i]
            if own < 0:
                out[p, start + i] = np.nan
                continue
            within, nearest = 0.0, np.inf
            for row in range(low, high):
                if row != low + own:
                    nearest = min(nearest, sums[row, i] / sizes[row])
            size = sizes[low + own]
            if size > 1:
                within = sums[low + own, i] / (size - 1)
            largest = max(within, nearest)
            out[p, start + i] = (nearest - within) / largest if size > 1 and largest > least else 0.0


@compiled()
def _meet(
    a: int, b: int, tiles: Values, cells: Numbers, codes: Codes, offsets: Numbers, sums: Values, scratch: Values
) -> None:
    """Add the distances between two tiles to the sums of both."""
    distances, turned, run = scratch[:TILE], scratch[TILE : 2 * TILE], scratch[2 * TILE]
    _distances(tiles[a], tiles[b], distances)
    _add_rows(distances, b * TILE, cells, codes, offsets, sums[a], run)
    if a != b:
        _turn(distances, turned)
        _add_rows(turned, a * TILE, cells, codes, offsets, sums[b], run)


@compiled(parallel=True)
def pairwise(tiles: Values, cells: Numbers, codes: Codes, offsets: Numbers, sizes: Numbers) -> Values:
    """Euclidean silhouettes (m, n) of customers sorted so that those of one cell are neighbours.

    Every pair of tiles meets once, in a round-robin tournament of at most `TEAMS` teams of tiles: within a round no
    team plays twice, so its matches run in parallel without sharing a sum, and every tile meets the others in one fixed
    order.
    """
    count = tiles.shape[0]
    size = -(-count // TEAMS)
    teams = -(-count // size)
    sums = np.zeros((count, offsets[-1], TILE))
    out = np.empty((codes.shape[0], count * TILE))
    for team in prange(teams):
        scratch = np.empty((2 * TILE + 1, TILE))
        for a in range(team * size, min(count, (team + 1) * size)):
            for b in range(a, min(count, (team + 1) * size)):
                _meet(a, b, tiles, cells, codes, offsets, sums, scratch)
    players = teams + teams % 2  # of an odd number of teams one rests in each round
    for turn in range(players - 1):
        for match in prange(players // 2):
            home = (turn + match) % (players - 1) if match else players - 1
            away = (turn - match) % (players - 1)
            scratch = np.empty((2 * TILE + 1, TILE))
            for a in range(home * size, min(count, (home + 1) * size)):  # none where the other rests
                for b in range(away * size, min(count, (away + 1) * size)):
                    _meet(a, b, tiles, cells, codes, offsets, sums, scratch)
    for a in prange(count):
        _finish(sums[a], a * TILE, codes, offsets, sizes, 0.0, out)
    return out


@compiled(parallel=True)
def against_everybody(
    tiles: Values, tile_codes: Codes, everybody: Values, cells: Numbers, codes: Codes, offsets: Numbers, sizes: Numbers
) -> Values:
    """Euclidean silhouettes (m, n) of the customers of ``tiles`` among ``everybody``, which is made of tiles as well.

    Needs memory for one tile of sums a thread only, but meets every pair of customers twice where both are asked for.
    """
    count = tiles.shape[0]
    out = np.empty((codes.shape[0], count * TILE))
    for a in prange(count):
        distances, run = np.empty((TILE, TILE)), np.empty(TILE)
        sums = np.zeros((offsets[-1], TILE))
        for b in range(everybody.shape[0]):
            _distances(tiles[a], everybody[b], distances)
            _add_rows(distances, b * TILE, cells, codes, offsets, sums, run)
        _finish(sums, a * TILE, tile_codes, offsets, sizes, 0.0, out)
    return out


@compiled(parallel=True, fastmath={"contract"}, error_model="numpy")
def from_centres(
    tiles: Values,
    codes: Codes,
    offsets: Numbers,
    sizes: Numbers,
    centres: Values,
    remainders: Values,
    squares: Values,
    least: float,
) -> Values:
    """Silhouettes (m, n) of squared Euclidean distances, without any distance between two customers.

    The squared distances from x to a cluster add up to size * |x - mean|² + sum of squares about the mean. The mean is
    ``centres`` + ``remainders``, the second holding the digits that the first has no room for.
    """
    count, clusters = tiles.shape[0], offsets[-1]
    out = np.empty((codes.shape[0], count * TILE))
    for a in prange(count):
        tile, sums = tiles[a], np.zeros((clusters, TILE))
        for row in range(clusters):
            total = sums[row]
            for f in range(tile.shape[0]):
                x, centre, remainder = tile[f], centres[row, f], remainders[row, f]
                for i in range(TILE):
                    total[i] += ((x[i] - centre) - remainder) ** 2
            for i in range(TILE):
                total[i] = sizes[row] * total[i] + squares[row]
        _finish(sums, a * TILE, codes, offsets, sizes, least, out)
    return out
