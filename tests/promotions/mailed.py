"""A small shop with campaigns: who buys what, who received what, and who redeemed."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from aisle.promotions import Mailings, Purchases

FIRST = date(2024, 1, 1)
WEEKS = 40


def day(week: float) -> date:
    """The first day of a week of the data, counted from 0."""
    return FIRST + timedelta(days=int(7 * week))


@dataclass(frozen=True, eq=False)
class Shop:
    """Frames as the database gives them; ``truth`` has the lifestage and segment (0 or 1) of every customer."""

    baskets: pd.DataFrame
    lines: pd.DataFrame
    products: pd.DataFrame
    discounts: pd.DataFrame
    mailings: Mailings
    truth: pd.DataFrame

    @property
    def purchases(self) -> Purchases:
        return Purchases.of(self.baskets, self.lines, self.products, self.discounts)


def shop(*, seed: int, customers: int = 80, by_segment: float = 0.0, by_lifestage: float = 0.0) -> Shop:
    """Customers of two lifestages; segment 1 comes half as often and buys five times as much.

    Every fourth week from the twelfth on a campaign of two weeks is sent to two thirds of them; the log-odds of
    redeeming its coupon, for the products of dairy, grow by ``by_segment`` in segment 1, by ``by_lifestage`` in OA.
    """
    rng = np.random.default_rng(seed)
    ids = np.array([f"c{number:03d}" for number in range(customers)], dtype=object)
    lifestage = np.where(np.arange(customers) % 2, "OA", "YA")
    segment = np.arange(customers) // 2 % 2
    visits = rng.poisson(np.where(segment == 1, WEEKS, 2 * WEEKS)) + 2
    owner = np.repeat(np.arange(customers), visits)
    moment = np.sort(rng.integers(0, WEEKS * 7 * 24 * 60, owner.size))
    order = rng.permutation(owner.size)
    baskets = pd.DataFrame(
        {
            "basket_id": [f"b{number:05d}" for number in range(owner.size)],
            "customer_id": ids[owner[order]],
            "shopped_at": pd.Timestamp(FIRST) + pd.to_timedelta(moment, unit="min").as_unit("us"),
        }
    )
    baskets.loc[len(baskets) - 1, "shopped_at"] = pd.Timestamp(day(WEEKS)) - pd.Timedelta(hours=1)
    baskets.loc[0, "shopped_at"] = pd.Timestamp(FIRST)
    count = 1 + rng.poisson(np.where(segment[owner[order]] == 1, 5, 1))
    place = np.repeat(np.arange(owner.size), count)
    products = pd.DataFrame(
        {
            "product_id": [f"p{number}" for number in range(20)],
            "department": [f"department {number % 5}" for number in range(20)],
            "product_group": [("dairy", "bakery", "fruit", None)[number % 4] for number in range(20)],
        }
    )
    lines = pd.DataFrame(
        {
            "basket_id": baskets["basket_id"].to_numpy()[place],
            "product_id": products["product_id"].to_numpy()[rng.integers(0, 20, place.size)],
            "cents": rng.integers(50, 900, place.size),
        }
    ).drop_duplicates(["basket_id", "product_id"], ignore_index=True)
    cheap = lines.loc[rng.random(len(lines)) < 0.3, ["basket_id", "product_id"]]
    starts = [day(week) for week in range(12, WEEKS - 2, 4)]
    campaigns = pd.DataFrame(
        {
            "campaign_id": [f"m{number}" for number in range(len(starts))],
            "campaign_type": [("leaflet", "letter")[number % 2] for number in range(len(starts))],
            "start_date": starts,
            "end_date": [start + timedelta(days=13) for start in starts],
        }
    )
    sent, redeemed = [], []
    for campaign in campaigns.itertuples():
        to = rng.random(customers) < 2 / 3
        odds = -1.0 + by_segment * segment + by_lifestage * (lifestage == "OA")
        responds = to & (rng.random(customers) < 1 / (1 + np.exp(-odds)))
        sent += [(campaign.campaign_id, name) for name in ids[to]]
        redeemed += [
            (name, f"k{campaign.campaign_id}", campaign.campaign_id, campaign.start_date + timedelta(days=3), 1)
            for name in ids[responds]
        ]
    dairy = products.loc[products["product_group"] == "dairy", "product_id"]
    coupons = [(f"k{one}", product, one) for one in campaigns["campaign_id"] for product in dairy]
    columns = ["customer_id", "coupon_id", "campaign_id", "redemption_date", "redemption_count"]
    mailings = Mailings(
        campaigns,
        pd.DataFrame(sent, columns=["campaign_id", "customer_id"]),
        pd.DataFrame(coupons, columns=["coupon_id", "product_id", "campaign_id"]),
        pd.DataFrame(redeemed, columns=columns),
    )
    truth = pd.DataFrame({"lifestage": lifestage, "segment": segment}, index=pd.Index(ids, name="customer_id"))
    return Shop(baskets, lines, products, cheap, mailings, truth)
