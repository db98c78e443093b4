"""What customers did in a campaign's window, and how groups responded."""

import numpy as np
import pandas as pd
import pytest
from tests.promotions.mailed import Shop, shop

from aisle.promotions import studied
from aisle.promotions.purchases import day_of
from aisle.promotions.response_shares import EVERYBODY, response_shares
from aisle.promotions.responses import responses


@pytest.fixture(scope="module")
def small() -> Shop:
    return shop(seed=3, customers=40, by_segment=2.0)


@pytest.fixture(scope="module")
def rows(small: Shop) -> pd.DataFrame:
    found = studied(small.mailings, small.purchases, weeks_before=12)
    return responses(found.mailings, found.everything, small.purchases, weeks_before=12)


def groups(small: Shop, rows: pd.DataFrame) -> pd.DataFrame:
    own = small.truth.reindex(rows["customer_id"]).set_axis(rows.index)
    kind = own["segment"].astype("str")
    return pd.DataFrame(
        {EVERYBODY: "all", "lifestage": own["lifestage"], "kind": kind, "segment": own["lifestage"] + " " + kind}
    )


def test_there_is_a_row_per_campaign_and_customer_who_had_shopped_before(small: Shop, rows: pd.DataFrame) -> None:
    assert not rows.duplicated(["campaign_id", "customer_id"]).any()
    assert rows["received"].sum() == len(small.mailings.sent)
    assert rows["redeemed"].sum() == len(small.mailings.redemptions)
    assert not (rows["redeemed"] & ~rows["received"]).any()


def test_window_and_earlier_weeks_are_per_week(small: Shop, rows: pd.DataFrame) -> None:
    row = rows.iloc[7]
    purchases, start = small.purchases, day_of(row["start_date"])
    during = purchases.bought(start, start + 14).loc[row["customer_id"]]
    before = purchases.bought(start - 84, start).loc[row["customer_id"]]
    assert row["spend"] == pytest.approx(during["spend"] / 2)
    assert row["baskets_before"] == pytest.approx(before["baskets"] / 12)
    assert row["spend_change"] == pytest.approx(during["spend"] / 2 - before["spend"] / 12)
    assert row["promoted_spend"] <= row["spend"]


def test_shares_have_intervals_and_follow_what_was_planted(small: Shop, rows: pd.DataFrame) -> None:
    found = response_shares(rows, groups(small, rows), draws=200, confidence=0.95, seed=1)
    assert (found["low"] < found["share"]).all()
    assert (found["share"] < found["high"]).all()
    for _, own in found[found["grouping"] == "segment"].groupby("campaign_type"):
        share = own.set_index("group")["share"]
        assert share[["OA 1", "YA 1"]].min() > share[["OA 0", "YA 0"]].max()
    everybody = found[found["grouping"] == EVERYBODY]
    assert everybody["mailing_count"].sum() == len(small.mailings.sent)


def test_a_group_without_responders_has_an_interval_above_zero_and_no_coupons(small: Shop, rows: pd.DataFrame) -> None:
    silent = groups(small, rows)["segment"] == "YA 0"
    told = rows.assign(redeemed=rows["redeemed"] & ~silent)
    found = response_shares(told, groups(small, rows), draws=200, confidence=0.95, seed=1)
    row = found[(found["group"] == "YA 0")].iloc[0]
    assert row["responder_count"] == 0
    assert 0 < row["low"] < row["share"] < row["high"]
    assert np.isnan(row["coupons_per_responder"])
