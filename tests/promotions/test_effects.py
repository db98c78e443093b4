"""Effects of campaigns: right where targeting misleads the naive difference, and silent where nothing can be told."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.promotions.simulated import Simulated, simulated
from threadpoolctl import threadpool_limits

from aisle.promotions import BALANCE_COLUMNS, EFFECT_COLUMNS, EffectRule, Effects, Exposure, estimate_effects
from aisle.promotions.nuisances import Nuisances, cross_fit
from aisle.promotions.telling import tell

NUMBERS = ["naive", "effect", "standard_error", "low", "high", "p_value", "robustness", "robustness_low", "strongest"]


def estimated(data: Simulated, rule: EffectRule | None = None) -> Effects:
    return estimate_effects(
        data.now, data.before, groups=data.groups, responded=data.responded, rule=rule or EffectRule(), seed=1
    )


@pytest.fixture(scope="module")
def planted() -> tuple[Simulated, Effects]:
    data = simulated(seed=3, customers=1500, by_segment=(3.0, 0.0))
    return data, estimated(data)


def test_intervals_hold_the_planted_effect_where_the_naive_difference_is_far_off(
    planted: tuple[Simulated, Effects],
) -> None:
    data, found = planted
    assert found.table["told"].all(), found.table["reason"].tolist()
    for row in found.table.itertuples():
        truth = data.truth_of(row.grouping, row.group, found.overlap[f"kept_{row.grouping}"])
        assert row.low < truth < row.high
        assert row.naive - truth > 5 * row.standard_error


def test_an_effect_that_is_planted_in_one_segment_is_found_there_and_not_in_the_other(
    planted: tuple[Simulated, Effects],
) -> None:
    by_segment = planted[1].table.query("grouping == 'segment'").set_index("group")
    assert by_segment["p_value"]["s0"] < 1e-6
    assert by_segment["low"]["s1"] < 0 < by_segment["high"]["s1"]


def test_a_stronger_effect_needs_a_stronger_unknown_trait_and_none_is_needed_where_the_interval_holds_0(
    planted: tuple[Simulated, Effects],
) -> None:
    by_segment = planted[1].table.query("grouping == 'segment'").set_index("group")
    assert by_segment["robustness"]["s0"] > by_segment["robustness_low"]["s0"] > 0.1
    assert by_segment["robustness_low"]["s1"] == 0
    assert by_segment["strongest_covariate"]["s0"] in {"visits", "basket"}
    assert by_segment["strongest"]["s0"] > 0.05


def test_weighting_balances_what_targeting_had_unbalanced(planted: tuple[Simulated, Effects]) -> None:
    data, found = planted
    assert list(found.balance) == list(BALANCE_COLUMNS)
    assert len(found.balance) == 5 * 3
    targeted = found.balance[found.balance["covariate"] != "noise"]
    assert (targeted["before"] > 0.3).all()
    assert (targeted["after"].abs() <= targeted["limit"]).all()
    assert (found.table["imbalance"] <= found.table["imbalance_limit"]).all()
    assert found.overlap.index.equals(data.now.customers.index)
    assert found.overlap["propensity"].between(0, 1).all()


def test_the_counts_are_those_of_customers_and_of_rows(planted: tuple[Simulated, Effects]) -> None:
    data, found = planted
    everybody = found.table.query("grouping == 'all'").iloc[0]
    sent = data.now.received
    assert list(found.table) == list(EFFECT_COLUMNS)
    assert everybody["row_count"] == 3000
    assert everybody["customer_count"] == 1500
    assert everybody["received_count"] == data.now.customers[sent].nunique()
    assert everybody["responder_count"] == data.now.customers[sent & data.responded].nunique()
    assert everybody["effective_received"] < everybody["received_count"]


def test_the_number_of_threads_and_a_second_run_change_nothing() -> None:
    data = simulated(seed=4, customers=300)
    with threadpool_limits(limits=1):
        first = estimated(data)
    with threadpool_limits(limits=2):
        second = estimated(data)
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    pd.testing.assert_frame_equal(first.overlap, second.overlap, check_exact=True)


def refused(found: Effects, **where: str) -> str:
    """The reason given for a group, after checking that no number stands beside it."""
    rows = found.table
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert not rows["told"].any()
    assert rows[NUMBERS].isna().all(axis=None)
    reasons = rows["reason"].unique()
    assert len(reasons) == 1
    return str(reasons[0])


def test_without_overlap_there_is_never_a_number() -> None:
    """Whoever spends much received it, nobody else did."""
    for seed in range(2):
        found = estimated(simulated(seed=seed, customers=400, by_segment=(3.0, 0.0), targeting=40.0))
        assert re.search(r"can be compared|count as", refused(found, grouping="all"))
        assert not found.table["told"].any()


def test_what_is_expected_of_customers_follows_a_product_of_two_habits() -> None:
    """Spend is visits times basket, and noise of variance 3; sums of what is known leave 1.5 more."""
    data = simulated(seed=11)
    found = cross_fit(data.before, data.groups, folds=5, repeats=1, seed=1)
    assert found is not None
    spend = data.before.responses["spend"].to_numpy()
    for arm, expected in ((data.before.received, found.if_received), (~data.before.received, found.if_not)):
        assert ((spend - expected[:, 0])[arm.to_numpy()] ** 2).mean() < 3.9


@pytest.mark.parametrize("received", [-50.0, 50.0])
def test_a_campaign_sent_to_nobody_or_to_everybody_tells_nothing(received: float) -> None:
    data = simulated(seed=5, customers=200, received=received)
    found = estimated(replace(data, responded=pd.Series(True, index=data.responded.index)))
    reason = refused(found, grouping="all")
    assert reason == (
        "0 customers responded; 30 are needed."
        if received < 0
        else "0% of those who received it can be compared with others who were as likely to; 50% are needed."
    )
    assert found.overlap["propensity"].isna().all()
    assert found.balance["after"].isna().all()


def test_fewer_than_thirty_responders_tell_nothing() -> None:
    data = simulated(seed=6, customers=300)
    few = data.now.received & (data.now.received.cumsum() <= 29)
    found = estimated(replace(data, responded=few))
    assert refused(found, grouping="all") == "29 customers responded; 30 are needed."


def test_a_trait_that_nobody_recorded_shows_in_the_weeks_before() -> None:
    found = estimated(simulated(seed=7, customers=1500, hidden=1.0))
    reason = refused(found, grouping="all")
    assert reason.startswith("It seems to work in the weeks before already, when it could not (p = ")
    everybody = found.table.query("grouping == 'all'").iloc[0]
    assert everybody["placebo_low"] > 0
    assert everybody["placebo_p"] < 0.05


def test_what_weighting_leaves_unbalanced_is_not_told() -> None:
    """The propensity is given as if the campaign had been sent at random, though it was not."""
    data = simulated(seed=8, customers=1500)
    rows = len(data.truth)
    nothing = np.zeros((rows, 1))
    blind = Nuisances(np.full(rows, data.now.received.mean()), nothing, nothing)
    told = tell(data.now, data.before, blind, blind, data.responded.to_numpy(), np.arange(rows), EffectRule())
    assert told.kept.all()
    (row,) = told.rows
    assert not row["told"]
    assert re.fullmatch(
        r"After weighting, those who received it still differ in (visits|basket) by 0\.\d\d standard deviations; at "
        r"most 0\.\d\d may be left\.",
        row["reason"],
    )
    assert "effect" not in row


def test_customers_of_no_group_are_left_out_of_that_grouping_alone() -> None:
    data = simulated(seed=9, customers=400)
    groups = data.groups.assign(segment=data.groups["segment"].where(data.groups["segment"] == "s0"))
    found = estimated(replace(data, groups=groups))
    assert found.table.query("grouping == 'segment'")["group"].tolist() == ["s0"]
    assert found.table.query("grouping == 'all'")["row_count"].tolist() == [800]
    assert not found.overlap.loc[groups["segment"].isna(), "kept_segment"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customers": lambda one: one.customers.set_axis(one.customers.index + 1)}, "same index; that of campaigns"),
        ({"customers": lambda one: one.customers.mask(one.customers == "c00001", "c00000")}, "c00000 in campaign m0"),
        ({"received": lambda one: one.received.astype("int64")}, "must be boolean; it is int64"),
        ({"responses": lambda one: one.responses * np.nan}, r"responses must be finite and float64.*\['spend'\]"),
        ({"covariates": lambda one: one.covariates.astype("float32")}, r"covariates must be .*\['visits', 'basket'"),
        ({"covariates": lambda one: one.covariates[[]]}, "must have covariates; it has none"),
    ],
)
def test_an_exposure_that_is_not_whole_is_refused(change: dict[str, object], message: str) -> None:
    exposure = simulated(seed=1, customers=5).now
    with pytest.raises(ValueError, match=message):
        replace(exposure, **{name: make(exposure) for name, make in change.items()})  # type: ignore[operator]


def test_a_placebo_of_other_rows_is_refused() -> None:
    data, other = simulated(seed=1, customers=20), simulated(seed=2, customers=20)
    with pytest.raises(ValueError, match="placebo must have the rows, receivers and responses of the exposure"):
        estimated(replace(data, before=other.before))


def test_groups_of_other_rows_or_without_a_name_are_refused() -> None:
    data = simulated(seed=1, customers=20)
    with pytest.raises(ValueError, match="groups must have the index of the exposure"):
        estimated(replace(data, groups=data.groups.iloc[1:]))
    with pytest.raises(ValueError, match=r"must name a group; got \{'all': 40, 'none': 0\}"):
        estimated(replace(data, groups=data.groups[["all"]].assign(none=None)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("fewest_responders", 0), ("fewest_effective", 2.5), ("folds", 1), ("least_overlap", 1.0), ("confidence", True)],
)
def test_a_rule_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"stage\.settings\.effect\.{name} must be .*; got {value}"):
        EffectRule(**{name: value})  # type: ignore[arg-type]


def test_the_exposure_numbers_customers_by_name() -> None:
    index = pd.RangeIndex(3)
    one = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index)
    names = pd.Series(["b", "a", "b"], index=index)
    exposure = Exposure(names, pd.Series(["1", "1", "2"], index=index), pd.Series([True, False, True]), one, one)
    assert exposure.customer_numbers.tolist() == [1, 0, 1]
