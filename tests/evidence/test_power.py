"""The smallest gap that so many customers show: where it must rise and fall, and against the valley test itself."""

import math

import numpy as np
import pytest

from aisle.evidence import smallest_gap, unseen_gap
from aisle.evidence.valley import valleys


def test_more_customers_show_a_smaller_gap() -> None:
    gaps = [smallest_gap(customers, 0.5, valley_p=0.05) for customers in (40, 150, 300, 1000, 4000)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] - gaps[-1] > 3
    assert 3.5 <= gaps[2] <= 4.5  # near 4 for balanced segments of 300 customers


def test_a_rarer_segment_needs_a_larger_gap() -> None:
    gaps = [smallest_gap(1000, share, valley_p=0.05) for share in (0.5, 0.3, 0.2, 0.1)]
    assert gaps == sorted(gaps)
    assert gaps[-1] - gaps[0] > 1


@pytest.mark.parametrize(("customers", "share"), [(0, 0.5), (6, 0.5), (20, 0.5), (300, 0.05), (2000, 0.001)])
def test_what_no_gap_would_show_is_infinite(customers: int, share: float) -> None:
    assert smallest_gap(customers, share, valley_p=0.05) == math.inf


def test_gaps_come_in_quarters_and_customers_who_round_alike_share_one() -> None:
    gap = smallest_gap(604, 0.5, valley_p=0.05)
    assert gap == smallest_gap(600, 0.5, valley_p=0.05)
    assert (4 * gap).is_integer()


def test_a_stricter_threshold_needs_a_larger_gap() -> None:
    gaps = [smallest_gap(300, 0.5, valley_p=level) for level in (0.3, 0.05, 0.001)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]


def test_what_may_be_missed_anywhere_is_the_largest_gap_of_any_pair() -> None:
    assert unseen_gap([(150, 150), (150, 30)], valley_p=0.05) == smallest_gap(180, 30 / 180, valley_p=0.05)
    assert unseen_gap([], valley_p=0.05) == math.inf


@pytest.mark.parametrize("share", [0, -0.1, 0.51, math.nan])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    message = rf"^The share of the smaller of two segments must be in \(0, 0\.5\]; got {share}\.$"
    with pytest.raises(ValueError, match=message):
        smallest_gap(300, share, valley_p=0.05)


def found(customers: int, share: float, gap: float, *, draws: int, splits: int) -> float:
    """How often the valley test, splits and all, sees two planted segments along one column."""
    rng = np.random.default_rng([customers, round(100 * gap)])
    seen = []
    for _ in range(draws):
        labels = (rng.random(customers) < share).astype(np.int64)
        values = (rng.normal(size=customers) + gap * labels)[:, np.newaxis]
        p = []
        for _ in range(splits):
            order = rng.permutation(customers)
            known, new = order[: customers // 2], order[customers // 2 :]
            p.append(max(one.p for one in valleys(values[known], labels[known], values[new], labels[new])))
        seen.append(min(1.0, 2 * np.median(p)) < 0.05)
    return float(np.mean(seen))


@pytest.mark.parametrize(("customers", "share"), [(150, 0.5), (600, 0.5), (1000, 0.2)])
def test_the_valley_test_itself_finds_it_within_half_a_standard_deviation(customers: int, share: float) -> None:
    gap = smallest_gap(customers, share, valley_p=0.05)
    assert found(customers, share, gap + 0.5, draws=30, splits=9) >= 0.8
    assert found(customers, share, gap - 0.5, draws=30, splits=9) < 0.8
