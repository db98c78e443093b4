"""Which campaigns are studied; every fault of one is a sentence, and harms no other."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from tests.promotions.mailed import FIRST, WEEKS, Shop, day, shop

from aisle.promotions import CAMPAIGNS, Mailings, studied
from aisle.promotions.campaigns import OVERLAP, UNTYPED


@pytest.fixture(scope="module")
def small() -> Shop:
    return shop(seed=2, customers=60)


def of(small: Shop, mailings: Mailings, weeks: int = 12) -> "tuple[dict[str, str], tuple[str, ...], Mailings]":
    found = studied(mailings, small.purchases, weeks_before=weeks)
    assert list(found.table.columns) == list(CAMPAIGNS)
    return dict(zip(found.table["campaign_id"], found.table["why_not"], strict=True)), found.notes, found.mailings


def changed(small: Shop, **columns: object) -> Mailings:
    """The campaigns, the first of them changed."""
    campaigns = small.mailings.campaigns.copy()
    for name, value in columns.items():
        campaigns[name] = [value, *campaigns[name][1:]]
    return replace(small.mailings, campaigns=campaigns)


def test_sound_campaigns_are_all_studied(small: Shop) -> None:
    why, notes, kept = of(small, small.mailings)
    assert set(why.values()) == {""}
    assert notes == ()
    assert len(kept.redemptions) == len(small.mailings.redemptions)


def test_a_campaign_with_too_few_weeks_before_it_is_left_out(small: Shop) -> None:
    why, notes, kept = of(small, small.mailings, weeks=13)
    assert why["m0"].startswith("fewer than 13 weeks of data lie before it")
    assert list(why.values())[1:] == [""] * (len(why) - 1)
    assert "m0" not in set(kept.campaigns["campaign_id"])
    assert any("m0" in note for note in notes)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"start_date": FIRST - timedelta(days=5)}, "before the first day of the data"),
        ({"end_date": day(WEEKS)}, "after the last day of the data"),
        ({"end_date": day(3)}, "before it starts"),
        ({"end_date": None}, "it has no window"),
    ],
)
def test_a_wrong_window_is_one_sentence(small: Shop, columns: "dict[str, object]", sentence: str) -> None:
    why, _, kept = of(small, changed(small, **columns))
    assert sentence in why["m0"]
    assert len(kept.campaigns) == len(why) - 1


def test_a_campaign_without_households_or_products_is_left_out(small: Shop) -> None:
    sent, coupons = small.mailings.sent, small.mailings.coupons
    mailings = replace(
        small.mailings, sent=sent[sent["campaign_id"] != "m1"], coupons=coupons[coupons["campaign_id"] != "m2"]
    )
    why, _, _ = of(small, mailings)
    assert (why["m1"], why["m2"]) == ("no customer received it", "it has no coupon for a known product")


def test_a_campaign_only_others_received_is_left_out(small: Shop) -> None:
    sent = small.mailings.sent
    foreign = sent["customer_id"].where(sent["campaign_id"] != "m1", "stranger " + sent["customer_id"])
    why, _, _ = of(small, replace(small.mailings, sent=sent.assign(customer_id=foreign)))
    assert why["m1"] == "no studied customer received it"


def test_redemptions_by_unknown_households_and_outside_the_window_count_for_nobody(small: Shop) -> None:
    redeemed = small.mailings.redemptions
    late = redeemed.iloc[[0]].assign(redemption_date=day(WEEKS) - timedelta(days=1))
    stranger = redeemed.iloc[[0]].assign(customer_id="nobody")
    mailings = replace(small.mailings, redemptions=pd.concat([redeemed, late, stranger], ignore_index=True))
    _, notes, kept = of(small, mailings)
    assert len(kept.redemptions) == len(redeemed)
    assert notes[0].startswith("2 redemptions count for nobody")


def test_overlapping_campaigns_are_counted_and_their_treatment_is_told(small: Shop) -> None:
    mailings = changed(small, end_date=day(17))
    found = studied(mailings, small.purchases, weeks_before=12)
    assert found.table["overlap_count"].tolist()[:3] == [1, 1, 0]
    assert OVERLAP in found.notes


def test_a_campaign_without_a_type_has_one_of_its_own(small: Shop) -> None:
    found = studied(changed(small, campaign_type=None), small.purchases, weeks_before=12)
    assert found.table["campaign_type"].iloc[0] == UNTYPED


def test_a_campaign_nobody_responded_to_is_studied_and_told(small: Shop) -> None:
    redeemed = small.mailings.redemptions
    mailings = replace(small.mailings, redemptions=redeemed[redeemed["campaign_id"] != "m3"])
    why, notes, _ = of(small, mailings)
    assert why["m3"] == ""
    assert notes == ("No studied customer redeemed a coupon of: m3.",)
