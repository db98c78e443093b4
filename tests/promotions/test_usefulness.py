"""Segments are called useful where a response by segment was planted, and nowhere else."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from aisle.promotions.predictors import BASE, BOTH, CEILING, LEVELS, LIFESTAGE, TYPE, predictions
from aisle.promotions.usefulness import USEFULNESS, answer, usefulness

RATES = LogisticRegression(C=1.0, max_iter=200)
CEILINGS = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=4, early_stopping=False, random_state=1)


def mailed(
    seed: int, *, by_segment: float = 0.0, by_lifestage: float = 0.0, by_number: float = 0.0, customers: int = 300
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Six campaigns to the same customers: rows with levels and ``redeemed``, and the numbers known of each.

    The log-odds to redeem are -1.5, and more by segment, by lifestage, and by a number that no level tells.
    """
    rng = np.random.default_rng(seed)
    lifestage, segment = rng.integers(0, 2, customers), rng.integers(0, 2, customers)
    numbers = rng.normal(size=(customers, 3))
    odds = -1.5 + by_segment * segment + by_lifestage * lifestage + by_number * numbers[:, 0]
    parts = []
    for campaign in range(6):
        start = date(2024, 1, 1) + timedelta(days=30 * campaign)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"c{number}" for number in range(customers)],
                    "start_date": start,
                    "end_date": start + timedelta(days=20),
                    TYPE: "leaflet",
                    "lifestage": [f"l{one}" for one in lifestage],
                    "segment": [f"l{one} {other}" for one, other in zip(lifestage, segment, strict=True)],
                    "kind": segment.astype(str),
                    **{
                        name: rng.integers(1, 6, customers).astype(str) for name in ("recency", "frequency", "monetary")
                    },
                    "redeemed": rng.random(customers) < 1 / (1 + np.exp(-odds)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True), pd.DataFrame(np.tile(numbers, (6, 1)))


def measured(rows: pd.DataFrame, numbers: "pd.DataFrame | None" = None, draws: int = 200) -> pd.DataFrame:
    levels = LEVELS if numbers is not None else {name: LEVELS[name] for name in (BASE, LIFESTAGE, BOTH)}
    found = predictions(rows, "redeemed", levels=levels, numbers=numbers, rates=RATES, ceiling=CEILINGS, fewest=20)
    return usefulness("redeemed", rows["redeemed"], found, rows["customer_id"], draws=draws, confidence=0.95, seed=1)


def useful(rows: pd.DataFrame) -> bool:
    return answer(measured(rows), "redeemed", "who redeems").useful


def test_a_response_planted_by_segment_is_found_nearly_always() -> None:
    assert sum(useful(mailed(seed, by_segment=1.2)[0]) for seed in range(8)) >= 7


@pytest.mark.parametrize("plan", [{}, {"by_lifestage": 1.2}])
def test_nothing_is_claimed_where_nothing_or_lifestage_alone_was_planted(plan: "dict[str, float]") -> None:
    assert sum(useful(mailed(seed, **plan)[0]) for seed in range(16)) <= 1


@pytest.mark.verify
@pytest.mark.parametrize("plan", [{}, {"by_lifestage": 1.2}], ids=["by nothing", "by lifestage only"])
def test_useful_is_claimed_at_most_at_the_rate_of_the_intervals_where_nothing_is_planted(
    plan: "dict[str, float]",
) -> None:
    """The lower end of a 95 % interval is above 0 in 2.5 % of the draws where there is no gain."""
    claims = sum(useful(mailed(1000 + seed, **plan)[0]) for seed in range(200))
    assert stats.binomtest(claims, 200, 0.025, alternative="greater").pvalue > 0.01


def test_the_segments_capture_their_part_of_what_can_be_known() -> None:
    table = measured(*mailed(1, by_segment=1.5, by_number=1.0, customers=600)).set_index("predictor")
    assert list(table.columns) == [name for name in USEFULNESS if name != "predictor"]
    both, ceiling = table.loc[BOTH], table.loc[CEILING]
    assert 0.2 < both["captured"] < 0.9
    assert both["captured_low"] < both["captured"] < both["captured_high"]
    assert ceiling["captured"] == pytest.approx(1.0)
    assert table.loc[BASE, "gain"] == 0.0
    assert both["auc"] > table.loc[LIFESTAGE, "auc"]
    assert ceiling["lift"] > 1.0
    told = answer(table.reset_index(), "redeemed", "who redeems").sentence
    assert told.startswith(
        f"Of what a per-customer model can know of who redeems, segments with lifestage capture "
        f"{100 * both['captured']:.0f} %"
    )
    assert "better than lifestage alone: they lower the loss by" in told


def test_where_nothing_can_be_known_no_share_of_it_is_told() -> None:
    table = measured(*mailed(2))
    assert table["captured"].isna().all()
    told = answer(table, "redeemed", "who redeems")
    assert not told.useful
    assert told.sentence.startswith("What can be known of who redeems cannot be told")
    assert "cannot be told" in told.sentence


def test_too_little_before_is_said_and_not_predicted() -> None:
    rows, _ = mailed(3)
    first = rows[rows["start_date"] == rows["start_date"].min()].reset_index(drop=True)
    table = measured(first)
    assert table.empty
    assert "too little was over before" in answer(table, "redeemed", "who redeems").sentence


def test_a_prediction_knows_only_outcomes_that_were_over_before_its_day() -> None:
    rows, numbers = mailed(4, by_segment=1.0)
    last = rows["start_date"] == rows["start_date"].max()
    told: dict[str, Any] = {"levels": LEVELS, "rates": RATES, "ceiling": CEILINGS, "fewest": 20}
    before = predictions(rows, "redeemed", numbers=numbers, **told)
    shuffled = rows.copy()
    shuffled.loc[last, "redeemed"] = ~rows.loc[last, "redeemed"]
    pd.testing.assert_frame_equal(predictions(shuffled, "redeemed", numbers=numbers, **told), before)
    running = rows.assign(end_date=rows["start_date"].max())  # nothing is over on any day
    assert predictions(running, "redeemed", numbers=numbers, **told).isna().all(axis=None)


def test_a_number_is_foreseen_by_squared_errors_and_has_no_area() -> None:
    rows, numbers = mailed(5, by_segment=1.0)
    rng = np.random.default_rng(1)
    spent = rows.assign(spend=3 + (rows["kind"] == "1") + rng.normal(size=len(rows)) / 2)
    ceiling = HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=4, early_stopping=False, random_state=1)
    found = predictions(
        spent, "spend", levels=LEVELS, numbers=numbers, rates=Ridge(alpha=1.0), ceiling=ceiling, fewest=20
    )
    table = usefulness("spend", spent["spend"], found, spent["customer_id"], draws=200, confidence=0.95, seed=1)
    assert table["auc"].isna().all()
    both = table.set_index("predictor").loc[BOTH]
    assert both["loss"] == pytest.approx(0.25, abs=0.05)
    assert both["captured"] > 0.9
    assert answer(table, "spend", "what is spent").useful
