"""Shrunken shares: between the group's own and everybody's, and their intervals hold at the stated rate."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aisle.promotions import SHARE_COLUMNS, share_in_words, shrunken_shares


def shares(responders: list[int], customers: list[int], confidence: float = 0.95) -> pd.DataFrame:
    names = [f"s{number}" for number in range(len(responders))]
    return shrunken_shares(pd.Series(responders, index=names), pd.Series(customers, index=names), confidence=confidence)


def test_intervals_hold_the_true_shares_at_the_stated_rate_whatever_the_sizes() -> None:
    """Groups of 5 to 400 customers, whose true shares are drawn anew from laws of several widths."""
    rng = np.random.default_rng(1)
    customers = np.array([5, 12, 30, 80, 150, 400])
    held, trials = 0, 0
    for _ in range(40):
        mean, total = rng.uniform(0.03, 0.4), rng.choice([5.0, 30.0, 300.0])
        truth = rng.beta(mean * total, (1 - mean) * total, customers.size)
        found = shares(rng.binomial(customers, truth).tolist(), customers.tolist(), confidence=0.9)
        held += int(((found["low"] <= truth) & (truth <= found["high"])).sum())
        trials += customers.size
    assert stats.binomtest(held, trials, 0.9).pvalue > 0.01


def test_a_share_lies_between_the_groups_own_and_that_of_all_and_few_customers_move_most() -> None:
    found = shares([3, 40, 9, 60], [12, 400, 100, 500])
    everybody = 112 / 1012
    assert everybody < found["share"]["s0"] < 3 / 12
    assert 60 / 500 > found["share"]["s3"] > everybody
    moved = (found["share"] - [3 / 12, 40 / 400, 9 / 100, 60 / 500]).abs()
    assert moved.idxmax() == "s0"
    assert list(found) == list(SHARE_COLUMNS)


def test_a_group_without_responders_is_not_at_zero_and_one_without_customers_may_be_anything_alike() -> None:
    found = shares([0, 0, 30, 12, 20], [0, 15, 200, 100, 150])
    width = found["high"] - found["low"]
    assert 0.005 < found["share"]["s1"] < 0.13
    assert found["high"]["s1"] > 0.05
    assert width.idxmax() == "s0"
    assert found["low"]["s0"] < 0.13 < found["high"]["s0"]


def test_groups_that_are_alike_lend_each_other_strength_and_groups_that_are_not_do_not() -> None:
    alike = shares([3] + [12] * 8, [12] + [120] * 8)
    unlike = shares([3, 5, 100, 20, 90, 2, 110, 60, 40], [12] + [120] * 8)
    assert abs(alike["share"]["s0"] - 0.1) < 0.03
    assert unlike["share"]["s0"] > 0.2


def test_one_group_alone_is_drawn_towards_one_half_and_no_further_than_its_interval() -> None:
    found = shares([1], [40]).iloc[0]
    assert 0 < found["low"] < 1 / 40 < found["share"] < found["high"] < 0.2


def test_many_customers_leave_nothing_to_lend() -> None:
    found = shares([2000, 50_000], [20_000, 100_000])
    assert found["share"].to_numpy() == pytest.approx([0.1, 0.5], abs=1e-3)
    exact = stats.beta.ppf([0.025, 0.975], 2000.5, 18_000.5)
    assert found.loc["s0", ["low", "high"]].to_numpy(dtype=float) == pytest.approx(exact, abs=2e-4)


def test_the_order_of_the_groups_changes_nothing() -> None:
    one, other = shares([3, 40, 0], [12, 400, 9]), shares([0, 3, 40], [9, 12, 400])
    assert one[["share", "low", "high"]].iloc[0].tolist() == pytest.approx(
        other[["share", "low", "high"]].iloc[1].tolist(), rel=1e-9
    )


def test_a_share_is_never_printed_without_its_interval_and_customers() -> None:
    assert share_in_words(shares([0], [12]).iloc[0].to_dict()) == "3 % (0 to 19 %; 0 of 12 customers)"


@pytest.mark.parametrize(
    ("responders", "customers", "message"),
    [
        ([], [], "at least one; got 0 and 0"),
        ([13], [12], "'s0' has 13 of 12"),
        ([-1], [12], "'s0' has -1 of 12"),
    ],
)
def test_counts_that_cannot_be_are_refused(responders: list[int], customers: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shares(responders, customers)


def test_other_groups_and_a_confidence_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="same groups, at least one; got 1 and 2 groups"):
        shrunken_shares(pd.Series([1]), pd.Series([2, 3]), confidence=0.9)
    with pytest.raises(ValueError, match="confidence must be above 0 and below 1; got 1"):
        shares([1], [2], confidence=1)
