"""What segments buy and when, against a slow oracle."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.habits import FORMAT, GROUP, HOUR, WEEKDAY, habits


def drawn(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Labels of 12 customers of two lifestages (some in no segment), baskets, and spend; some are strangers'."""
    rng = np.random.default_rng(seed)
    names = np.array([f"c{number:02d}" for number in range(14)])
    labels = pd.DataFrame(
        {"customer_id": names[:12], "lifestage": np.repeat(["OA", "YA"], 6), "segment": rng.integers(-1, 2, 12)}
    )
    moments = pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.integers(0, 14 * 24, 60), unit="h")
    baskets = pd.DataFrame({"customer_id": rng.choice(names, 60), "shopped_at": moments})
    baskets["store_format"] = rng.choice(np.array(["LS", "SS", None], dtype=object), 60)
    spend = pd.DataFrame(
        {
            "customer_id": rng.choice(names, 40),
            "product_group": rng.choice(["bread", "милк", "=tea"], 40),
            "cents": rng.integers(0, 900, 40),
        }
    )
    return labels, baskets, spend


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_habits_equal_a_slow_oracle(seed: int) -> None:
    labels, baskets, spend = drawn(seed)
    found = habits(labels, baskets, spend)
    amounts: dict[tuple[str, int | None, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    label = {row.customer_id: (row.lifestage, row.segment) for row in labels.itertuples()}
    events = [(row.customer_id, GROUP, row.product_group, row.cents) for row in spend.itertuples()]
    for row in baskets.itertuples():
        events += [(row.customer_id, WEEKDAY, row.shopped_at.day_name(), 1)]
        events += [(row.customer_id, HOUR, f"{row.shopped_at.hour:02d}", 1)]
        events += [(row.customer_id, FORMAT, row.store_format, 1)] if isinstance(row.store_format, str) else []
    for customer, habit, value, amount in events:
        if customer in label and amount:
            lifestage, segment = label[customer]
            amounts[lifestage, segment, habit][value] += amount
            amounts[lifestage, None, habit][value] += amount
    expected = sum(
        len(amounts[key[0], None, key[2]]) for key in list(amounts) if key[1] not in (None, -1) and amounts[key]
    )
    assert len(found) == expected
    for row in found.to_dict("records"):
        own = amounts[row["lifestage"], row["segment"], row["habit"]]
        whole = amounts[row["lifestage"], None, row["habit"]]
        share, lifestage_share = (part[row["value"]] / sum(part.values()) for part in (own, whole))
        assert row["share"] == pytest.approx(share)
        assert row["index"] == pytest.approx(100 * share / lifestage_share)


def test_weekdays_stand_in_their_order() -> None:
    labels, baskets, spend = drawn(3)
    days = habits(labels, baskets, spend).query("habit == 'weekday' and segment == 0 and lifestage == 'OA'")["value"]
    week = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    assert days.tolist() == [day for day in week if day in set(days)]


def test_nobody_in_a_segment_is_an_empty_table() -> None:
    labels, baskets, spend = drawn(3)
    assert habits(labels.assign(segment=-1), baskets, spend).empty
    assert habits(labels.head(0), baskets, spend.head(0)).empty
