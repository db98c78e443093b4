"""The whole estimator, drawn again and again: its intervals hold their word under every plan of responses."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.promotions.simulated import simulated

from aisle.promotions import EffectRule, estimate_effects

pytestmark = pytest.mark.verify
RUNS = 40


def drawn(**plan: object) -> pd.DataFrame:
    """Every group of `RUNS` draws with its planted effect as ``truth``; targeting follows recorded habits."""
    tables = []
    for seed in range(RUNS):
        data = simulated(seed=1000 + seed, **plan)  # type: ignore[arg-type]
        found = estimate_effects(
            data.now, data.before, groups=data.groups, responded=data.responded, rule=EffectRule(), seed=seed
        )
        truth = [
            data.truth_of(row.grouping, row.group, found.overlap[f"kept_{row.grouping}"])
            if found.overlap[f"kept_{row.grouping}"].any()
            else np.nan
            for row in found.table.itertuples()
        ]
        tables.append(found.table.assign(truth=truth, run=seed))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    "plan",
    [
        {"by_segment": (2.0, 0.0, -1.0)},
        {"by_lifestage": (1.5, 0.0)},
        {},
        {"by_segment": (2.0, 0.0), "targeting": 0.0},
        {"by_segment": (2.0, 0.0), "received": -2.5, "customers": 2000},
    ],
    ids=["by segment", "by lifestage only", "by nothing", "sent at random", "sent to few"],
)
def test_intervals_hold_the_planted_effect_at_their_rate(plan: dict[str, object]) -> None:
    rows = drawn(**plan)
    told = rows[rows["told"]]
    assert len(told) > 0.8 * len(rows)
    for grouping, own in told.groupby("grouping"):
        held = int(((own["low"] <= own["truth"]) & (own["truth"] <= own["high"])).sum())
        assert stats.binomtest(held, len(own), 0.95, alternative="less").pvalue > 0.01, (grouping, held, len(own))
    missed = told["effect"] - told["truth"]
    by_run = missed.groupby(told["run"]).mean()
    assert abs(by_run.mean()) < 0.15 * told["standard_error"].mean() + 3 * by_run.std() / np.sqrt(len(by_run))
    naive = told["naive"] - told["truth"]
    if plan.get("targeting", 1.0):
        assert naive.mean() > 5 * told["standard_error"].mean()


def test_where_nothing_is_planted_an_effect_is_seldom_claimed() -> None:
    rows = drawn()
    everybody = rows[rows["told"] & (rows["grouping"] == "all")]
    assert stats.binomtest(int((everybody["p_value"] < 0.05).sum()), len(everybody), 0.05).pvalue > 0.01


def test_the_placebo_stops_nearly_all_that_a_hidden_trait_would_fake() -> None:
    rows = drawn(hidden=1.0, customers=1500)
    everybody = rows[rows["grouping"] == "all"]
    assert everybody["told"].mean() < 0.05


def test_without_overlap_nothing_is_told_in_any_draw() -> None:
    rows = drawn(targeting=40.0, by_segment=(3.0, 0.0))
    assert not rows["told"].any()
    assert rows[["naive", "effect", "low", "high"]].isna().all(axis=None)
