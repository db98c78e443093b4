"""Segments and knowledge on a day do not change with what happens later."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.promotions.mailed import FIRST, WEEKS, Shop, day, shop

from aisle.clusterers import KMeansPath
from aisle.evidence import Pipelines
from aisle.features import FeatureTable
from aisle.promotions import Purchases, Recipe, Snapshot, period_starts
from aisle.promotions.purchases import day_of
from aisle.promotions.timeline import Timeline, periods, timeline

DAYS = [day(week) for week in (12, 20, 28)]
RECIPE = Recipe(Pipelines(StandardScaler(), FunctionTransformer(), {"kmeans": KMeansPath([2], n_init=3)}, seed=1), 0)


@pytest.fixture(scope="module")
def small() -> Shop:
    return shop(seed=5)


def snapshots(small: Shop, purchases: Purchases) -> Mapping[date, Snapshot]:
    """Features made here from the sums before each day, as the database makes them from baskets."""
    found = {}
    for one in DAYS:
        bought = purchases.bought(day_of(FIRST), day_of(one))
        there = bought["baskets"] > 0
        values = np.log1p(bought[there]).assign(mean=bought["spend"][there] / bought["baskets"][there])
        cohort = small.truth["lifestage"].reindex(values.index).rename("cohort")
        rfm = pd.DataFrame(
            {"recency_days": 1.0, "frequency": bought["baskets"][there], "monetary": bought["spend"][there]}
        )
        found[one] = Snapshot(FeatureTable(values, cohort), rfm, cohort)
    return found


def found(small: Shop) -> Timeline:
    purchases = small.purchases
    return timeline(snapshots(small, purchases), {"YA": RECIPE, "OA": RECIPE}, purchases, small.mailings)


def future_shuffled(small: Shop, since: date) -> Shop:
    """The same shop until ``since``; later baskets belong to others, hold others' lines, and others redeem."""
    rng = np.random.default_rng(7)
    baskets, redemptions = small.baskets.copy(), small.mailings.redemptions.copy()
    late = baskets["shopped_at"] >= pd.Timestamp(since)
    baskets.loc[late, "customer_id"] = rng.permutation(baskets.loc[late, "customer_id"])
    of_late = small.lines["basket_id"].isin(baskets.loc[late, "basket_id"])
    lines = small.lines.copy()
    lines.loc[of_late, "cents"] = rng.permutation(lines.loc[of_late, "cents"]) * 3
    redeemed = redemptions["redemption_date"] >= since
    redemptions.loc[redeemed, "customer_id"] = rng.permutation(redemptions.loc[redeemed, "customer_id"])
    return Shop(
        baskets, lines, small.products, small.discounts, replace(small.mailings, redemptions=redemptions), small.truth
    )


def test_what_was_known_on_a_day_does_not_change_when_the_future_is_shuffled(small: Shop) -> None:
    before, after = found(small), found(future_shuffled(small, DAYS[1]))
    for one in DAYS[:2]:
        pd.testing.assert_frame_equal(after.segments[one].labels, before.segments[one].labels)
        pd.testing.assert_frame_equal(after.known[one].levels, before.known[one].levels)
        pd.testing.assert_frame_equal(after.known[one].numbers, before.known[one].numbers)
    assert not after.known[DAYS[2]].numbers.equals(before.known[DAYS[2]].numbers)


def test_planted_segments_are_found_and_keep_their_numbers_from_day_to_day(small: Shop) -> None:
    days = found(small)
    for one in DAYS:
        labels = days.segments[one].labels.set_index("customer_id")
        table = pd.crosstab([labels["lifestage"], labels["segment"]], small.truth["segment"].reindex(labels.index))
        assert (table.max(axis=1) / table.sum(axis=1) > 0.95).all()
    numbered = [days.segments[one].labels.set_index("customer_id")["segment"] for one in DAYS]
    assert all((one == numbered[0]).mean() > 0.95 for one in numbered)


def test_kinds_join_like_segments_of_different_lifestages(small: Shop) -> None:
    labels = found(small).segments[DAYS[0]].labels.set_index("customer_id")
    kinds = labels["kind"].groupby(small.truth["segment"].reindex(labels.index)).agg(lambda own: own.mode()[0])
    assert kinds[0] != kinds[1]
    assert labels.groupby(["lifestage", "segment"])["kind"].nunique().eq(1).all()


def test_a_lifestage_that_cannot_be_segmented_says_why_and_harms_no_other(small: Shop) -> None:
    purchases = small.purchases
    days = timeline(snapshots(small, purchases), {"YA": RECIPE, "PE": RECIPE}, purchases, None)
    dated = days.segments[DAYS[0]]
    assert set(dated.labels["lifestage"]) == {"YA"}
    assert "'PE' is unknown" in dated.missing["PE"]
    assert (days.known[DAYS[0]].levels["segment"].str.startswith("OA none") == (small.truth["lifestage"] == "OA")).all()


def test_periods_follow_each_other_inside_the_data(small: Shop) -> None:
    purchases = small.purchases
    starts = period_starts(purchases, weeks_before=12, next_weeks=8)
    assert starts == [day(week) for week in (12, 20, 28)]
    rows = periods(purchases, starts, weeks_before=12, next_weeks=8)
    assert not rows.duplicated(["customer_id", "start_date"]).any()
    assert rows["end_date"].max() < day(WEEKS)
    assert (rows["lapsed"] == (rows["spend"] == 0)).all()
    assert period_starts(purchases, weeks_before=12, next_weeks=WEEKS) == []
