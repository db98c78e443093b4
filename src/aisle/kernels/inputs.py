"""What the kernels of scores are given: values and partitions, checked and made ready for compiled loops."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, set_num_threads

NOISE = -1
_WORTH_A_THREAD: Final = 5_000_000
"""Operations, a millisecond or two: below, waking and awaiting a second thread costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Labelings:
    """Partitions of the same n customers, their clusters numbered without gaps.

    ``codes`` (m, n): 0..k-1 in the order of the labels, -1 for noise. ``offsets`` (m + 1,): the clusters of all
    partitions are the rows of one table, and those of partition p begin at ``offsets[p]``. ``sizes``: customers of
    every row of that table.
    """

    codes: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Clusters of each partition, (m,)."""
        return np.diff(self.offsets)

    @property
    def assigned(self) -> npt.NDArray[np.int64]:
        """Customers of each partition who are in a cluster, (m,)."""
        return np.diff(np.concatenate([[0], np.cumsum(self.sizes)])[self.offsets])

    def rows(self, partition: int) -> slice:
        """The rows of one partition's clusters."""
        return slice(int(self.offsets[partition]), int(self.offsets[partition + 1]))

    def select(self, partitions: npt.NDArray[np.int64]) -> "Labelings":
        """Some of the partitions, in the order given."""
        sizes = [self.sizes[self.rows(p)] for p in partitions]
        offsets = np.concatenate([[0], np.cumsum([part.size for part in sizes])]).astype(np.int64)
        return Labelings(self.codes[partitions], offsets, np.concatenate([*sizes, np.zeros(0, np.int64)]))

    def at(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """The codes of some customers, or of all in another order, (m, customers)."""
        return np.ascontiguousarray(self.codes[:, customers])


def as_labelings(labelings: npt.ArrayLike, customers: int) -> Labelings:
    """Check and number the labels of m partitions of ``customers``, given as (m, n) whole numbers, -1 = noise.

    Raises:
        ValueError: it is no such table, or a label is below -1.
    """
    given = np.asarray(labelings)
    if given.ndim != 2 or given.shape[1] != customers:
        raise ValueError(
            f"Labelings must have one row per partition and one column for each of the {customers} rows of X; "
            f"got the shape {given.shape}."
        )
    if not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"Labels must be whole numbers, -1 for noise; got {given.dtype}.")
    if given.size and given.min() < NOISE:
        raise ValueError(f"Labels must be at least {NOISE}, which is noise; got {given.min()}.")
    codes, sizes = np.empty(given.shape, dtype=np.int32), []
    for row, labels in enumerate(given):
        found, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
        noise = int(found.size and found[0] == NOISE)
        codes[row] = inverse - noise
        sizes.append(counts[noise:])
    offsets = np.concatenate([[0], np.cumsum([part.size for part in sizes])]).astype(np.int64)
    return Labelings(codes, offsets, np.concatenate([*sizes, np.zeros(0)]).astype(np.int64))


def as_values(X: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Check a table of numbers, customers by columns.

    Raises:
        ValueError: it is not a table, has no columns, or holds text, NaN or infinity.
    """
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"X must be a table of numbers; got {np.asarray(X, dtype=object).ravel()[:3]}.") from None
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(f"X must be a table, customers by at least one column; got the shape {values.shape}.")
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0].tolist()
        raise ValueError(f"X must be finite; row {row}, column {column} is {values[row, column]}.")
    return values


def scaled(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], int]:
    """Values over 2**e, and e: the widest column then spans about 1, so that squares neither overflow nor vanish.

    Constant columns become 0. A power of two changes no digit, and a difference of two values stays what it was.
    """
    if not len(values):
        return values, 0
    low, high = values.min(axis=0), values.max(axis=0)
    half = float((high / 2 - low / 2).max())
    exponent = math.frexp(half)[1] + 1 if half else 0
    return np.ldexp(np.where(high > low, values, 0.0), -exponent), exponent


@contextmanager
def threads_for(operations: int) -> Iterator[None]:
    """One thread for small work, which is what bootstraps and tests are made of; else as many as are set."""
    usual = get_num_threads()
    set_num_threads(usual if operations >= _WORTH_A_THREAD else 1)
    try:
        yield
    finally:
        set_num_threads(usual)
