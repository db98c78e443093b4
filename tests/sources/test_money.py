"""Money is exact to the cent."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.sources.money import not_whole_cents, to_cents, to_decimals

whole_cents = st.integers(-(10**9), 10**9)


@given(st.lists(whole_cents, min_size=1))
def test_amounts_in_whole_cents_survive_the_way_through_doubles(cents):
    amounts = np.array([float(Decimal(value) / 100) for value in cents])
    assert to_cents(amounts).tolist() == cents
    assert not not_whole_cents(amounts).any()
    assert to_decimals(to_cents(amounts)).to_pylist() == [Decimal(value) / 100 for value in cents]


@given(st.integers(-(10**6), 10**6))
def test_half_a_cent_goes_to_the_even_cent(eighths):
    # eighths of a unit are exact doubles, and every odd one ends in half a cent
    amount = eighths / 8
    expected = Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert to_decimals(to_cents(np.array([amount]))).to_pylist() == [expected]
    assert not_whole_cents(np.array([amount])).tolist() == [eighths % 2 == 1]


def test_amounts_of_more_than_twelve_digits_are_one_sentence():
    most = 10**12 - 1
    assert to_decimals(np.array([most, -most])).to_pylist() == [Decimal("9999999999.99"), Decimal("-9999999999.99")]
    assert to_decimals(np.array([], dtype=np.int64)).to_pylist() == []
    with pytest.raises(
        ValueError, match=r"^Money must be below ten thousand million, .*; got 10000000000: give it in a"
    ):
        to_decimals(np.array([1, -(10**12)]))
