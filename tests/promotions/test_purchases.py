"""Sums of purchases over customers and days."""

import numpy as np
import pandas as pd
import pytest
from tests.promotions.mailed import FIRST, WEEKS, Shop, day, shop

from aisle.promotions.purchases import UNKNOWN, day_of


@pytest.fixture(scope="module")
def small() -> Shop:
    return shop(seed=1, customers=20)


def plain(small: Shop) -> pd.DataFrame:
    """The lines joined in the plainest way."""
    return small.lines.merge(small.baskets, on="basket_id").merge(small.products, on="product_id")


def test_spend_and_baskets_are_those_of_a_plain_join(small: Shop) -> None:
    rows = plain(small)
    inside = rows[(rows["shopped_at"] >= pd.Timestamp(day(3))) & (rows["shopped_at"] < pd.Timestamp(day(9)))]
    found = small.purchases.bought(day_of(day(3)), day_of(day(9)))
    expected = inside.groupby("customer_id")["cents"].sum().reindex(found.index, fill_value=0) / 100
    np.testing.assert_allclose(found["spend"], expected)
    visits = inside.groupby("customer_id")["basket_id"].nunique().reindex(found.index, fill_value=0)
    assert found["baskets"].tolist() == visits.tolist()


def test_only_the_products_asked_for_count(small: Shop) -> None:
    purchases = small.purchases
    rows = plain(small)
    dairy = rows[rows["product_group"] == "dairy"]
    marked = (purchases.products["product_group"] == "dairy").to_numpy()
    found = purchases.bought(day_of(FIRST), day_of(day(WEEKS)), marked)
    assert found["spend"].sum() == pytest.approx(dairy["cents"].sum() / 100)
    assert found["baskets"].sum() == dairy["basket_id"].nunique()


def test_days_touch_without_a_gap_and_without_overlap(small: Shop) -> None:
    purchases = small.purchases
    parts = [purchases.bought(day_of(day(week)), day_of(day(week + 1))) for week in range(WEEKS)]
    whole = purchases.bought(day_of(FIRST), day_of(day(WEEKS)))
    np.testing.assert_allclose(sum(part["spend"] for part in parts), whole["spend"])
    assert whole["baskets"].sum() == small.lines["basket_id"].nunique()


def test_discounted_lines_are_those_the_source_names(small: Shop) -> None:
    used = small.purchases.discount_use(day_of(FIRST), day_of(day(WEEKS)))
    assert used["discounted_lines"].sum() == len(small.discounts)
    cheap = plain(small).merge(small.discounts, on=["basket_id", "product_id"])
    assert used["discounted_spend"].sum() == pytest.approx(cheap["cents"].sum() / 100)


def test_products_without_a_group_and_unknown_products_are_bought_too(small: Shop) -> None:
    assert (small.purchases.products["product_group"] == UNKNOWN).any()
    odd = small.lines.assign(product_id=small.lines["product_id"].where(small.lines.index != 0, "gone"))
    moved = Shop(small.baskets, odd, small.products, small.discounts, small.mailings, small.truth).purchases
    whole = moved.bought(day_of(FIRST), day_of(day(WEEKS)))
    assert whole["spend"].sum() == pytest.approx(small.lines["cents"].sum() / 100)
    everything = np.ones(len(moved.products), dtype=bool)
    known = moved.bought(day_of(FIRST), day_of(day(WEEKS)), everything)
    assert known["spend"].sum() == pytest.approx(small.lines["cents"][1:].sum() / 100)
