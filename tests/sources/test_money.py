"""Money is exact to the cent."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
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
