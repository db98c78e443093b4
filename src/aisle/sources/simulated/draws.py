"""Random numbers that need no memory: quantile tables, and lasting choices as functions of who chooses what.

A customer's main store and favourite products must be the same in every week. Storing them would cost a table per
customer and product group; here they are hashed from the customer's number instead (SplitMix64), so that any of them
can be drawn again at any time, in any order.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_LAST_PLACE = 2.0**40
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def lasting_uniform(stream: int, *keys: npt.NDArray[np.integer]) -> Floats:
    """Numbers in (0, 1), uniform over the keys and the same for the same ``stream`` and keys; keys are broadcast.

    >>> who, what = np.array([[7], [8]]), np.array([1, 2])
    >>> lasting_uniform(0, who, what).shape
    (2, 2)
    >>> bool(lasting_uniform(0, who, what)[1, 0] == lasting_uniform(0, np.array([8]), np.array([1]))[0])
    True
    """
    state = _scrambled(np.array([stream], dtype=np.uint64))
    for key in keys:
        state = _scrambled(state ^ key.astype(np.uint64))
    uniform: Floats = ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return uniform


def _scrambled(number: Keys) -> Keys:
    number = number + _GAMMA
    number = (number ^ (number >> np.uint64(30))) * _FIRST
    number = (number ^ (number >> np.uint64(27))) * _SECOND
    return number ^ (number >> np.uint64(31))


def pick(shares: Floats, uniform: Floats) -> Integers:
    """The position in ``shares`` (which need not add up to one) that each uniform number falls on.

    >>> pick(np.array([1.0, 2.0, 1.0]), np.array([0.1, 0.3, 0.7, 0.9])).tolist()
    [0, 1, 1, 2]
    """
    cumulative = np.cumsum(shares)
    position: Integers = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return np.minimum(position, len(shares) - 1)


def pick_by_row(shares: Floats, row: Integers, uniform: Floats) -> Integers:
    """Like `pick`, each number with the shares of its own ``row`` of a matrix.

    >>> pick_by_row(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([0, 0, 1]), np.array([0.2, 0.8, 0.2])).tolist()
    [0, 1, 1]
    """
    width = shares.shape[1]
    cumulative = np.cumsum(shares, axis=1)
    cumulative /= cumulative[:, -1:]
    cumulative += np.arange(len(shares))[:, None]
    position: Integers = np.searchsorted(cumulative.ravel(), row + uniform, side="right") - row * width
    return np.clip(position, 0, width - 1)


def preference(count: int, decay: float, rng: np.random.Generator) -> Integers:
    """Places 1, 2, 3, ... in a list: the k-th or a later one with probability k ** -decay, so mostly the first."""
    place = np.minimum(np.floor(rng.random(count) ** (-1 / decay)), _LAST_PLACE)
    return place.astype(np.int64)


def apportioned(total: int, shares: Floats) -> Integers:
    """``total`` split into whole parts as near to ``shares`` as can be (largest remainders).

    >>> apportioned(10, np.array([0.5, 0.26, 0.24])).tolist()
    [5, 3, 2]
    """
    exact = total * shares / shares.sum()
    parts: Integers = np.floor(exact).astype(np.int64)
    largest = np.argsort(parts - exact, kind="stable")[: total - int(parts.sum())]
    parts[largest] += 1
    return parts


def spread(knots: Floats, levels: Floats, count: int, rng: np.random.Generator) -> Floats:
    """``count`` values spread evenly over the quantile function through ``(levels, knots)``, in random order."""
    uniform = (np.arange(count) + 0.5) / count
    return rng.permutation(np.interp(uniform, levels, knots))
