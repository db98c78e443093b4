"""The dip test's p-values."""

import diptest
import numpy as np
import pytest

from aisle.evidence.hartigan import dip_test


@pytest.mark.parametrize("n", [8, 60, 333, 1000, 9000])
def test_p_values_are_those_of_the_reference_package(n: int) -> None:
    rng = np.random.default_rng(n)
    for apart in (0.0, 1.5, 2.5, 3.0):
        sample = rng.normal(size=n) + apart * (np.arange(n) % 2)
        dip, p = dip_test(sample)
        reference, expected = diptest.diptest(sample)
        assert dip == pytest.approx(reference, abs=1e-12)
        assert p == pytest.approx(expected, abs=0.03)


def test_rejects_uniform_samples_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    p = np.array([dip_test(rng.random(150))[1] for _ in range(2000)])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 2000) + 0.01)


@pytest.mark.parametrize("sample", [[], [1.0, 2.0, 3.0], [5.0] * 40])
def test_too_few_or_equal_values_show_no_gap(sample: list[float]) -> None:
    assert dip_test(sample)[1] == 1


def test_the_order_of_the_values_does_not_matter() -> None:
    sample = np.random.default_rng(1).normal(size=99)
    assert dip_test(sample) == dip_test(sample[::-1])
