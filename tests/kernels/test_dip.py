"""Hartigan's dip against the reference package, which the tests alone may use."""

import diptest
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.kernels.dip import dip_of_sorted

Array = npt.NDArray[np.float64]


@st.composite
def samples(draw: st.DrawFn) -> Array:
    n = draw(st.integers(2, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = {
        "normal": rng.normal(size=n),
        "uniform": rng.random(n),
        "two": np.append(rng.normal(size=n // 2), rng.normal(4, 1, size=n - n // 2)),
        "whole": rng.integers(0, 9, n).astype(float),
        "rounded": np.round(rng.normal(size=n), 1),
        "skewed": rng.lognormal(0, 2, n),
    }
    return np.sort(kinds[draw(st.sampled_from(sorted(kinds)))])


@given(samples())
@settings(max_examples=2000)
def test_equals_the_reference_package(sample: Array) -> None:
    least = 0 if sample[0] == sample[-1] else 1 / (2 * sample.size)  # the package says 0 of evenly spaced values
    assert dip_of_sorted(sample) == pytest.approx(max(least, diptest.dipstat(sample)), abs=1e-12)


@given(samples(), st.sampled_from([-2.0, 0.5, 1024.0]))
@settings(max_examples=200)
def test_does_not_depend_on_the_unit_nor_on_the_direction(sample: Array, factor: float) -> None:
    assert dip_of_sorted(np.sort(sample * factor)) == pytest.approx(dip_of_sorted(sample), abs=1e-12)


@given(samples())
@settings(max_examples=200)
def test_stays_in_its_range(sample: Array) -> None:
    dip = dip_of_sorted(sample)
    assert dip == 0 if sample[0] == sample[-1] else 1 / (2 * sample.size) <= dip <= 0.25


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_a_straight_line_of_values_has_the_least(n: int) -> None:
    assert dip_of_sorted(np.arange(n, dtype=float)) == pytest.approx(1 / (2 * n), abs=1e-12)


def test_two_far_points_have_nearly_the_most() -> None:
    sample = np.sort(np.append(np.linspace(0, 1e-6, 500), np.linspace(1, 1 + 1e-6, 500)))
    assert dip_of_sorted(sample) == pytest.approx(0.25, abs=0.002)


@pytest.mark.parametrize("sample", [[], [1.0], [2.0] * 9])
def test_where_values_do_not_differ_there_is_no_dip(sample: list[float]) -> None:
    assert dip_of_sorted(np.array(sample)) == 0
