"""Exact money: doubles to whole cents, whole cents to decimals."""

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from aisle.tables import MONEY

_NOISE = 1e-4
"""How far, in cents, a double may be from a whole cent and still count as one: sums of binary fractions carry noise."""


_MOST_CENTS = 10**12


def to_cents(amounts: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Amounts in major units, as the nearest whole cents; half a cent goes to the even one. Amounts must be finite.

    >>> to_cents(np.array([0.29, 1.125, 1.115, 4e-16])).tolist()
    [29, 112, 112, 0]
    """
    return np.rint(amounts * 100).astype(np.int64)


def not_whole_cents(amounts: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which amounts `to_cents` changes by more than the noise of binary fractions.

    >>> not_whole_cents(np.array([0.29, 0.1 + 0.2, 1.125])).tolist()
    [False, False, True]
    """
    hundredths = amounts * 100
    return np.abs(hundredths - np.rint(hundredths)) > _NOISE


def to_decimals(cents: npt.NDArray[np.int64]) -> pyarrow.Array:
    """Whole cents as decimals of major units.

    >>> to_decimals(np.array([29, -5])).to_pylist()
    [Decimal('0.29'), Decimal('-0.05')]

    Raises:
        ValueError: one has more than 12 digits.
    """
    largest = int(np.abs(cents).max(initial=0))
    if largest >= _MOST_CENTS:
        raise ValueError(
            f"Money must be below ten thousand million, also where amounts are added up; got {largest // 100}: give it "
            "in a larger unit."
        )
    whole = pyarrow.array(cents).cast(pyarrow.decimal128(19, 0))
    return pyarrow.compute.multiply(whole, pyarrow.scalar(Decimal("0.01"))).cast(MONEY)
