"""Trial sizes against published examples, and against trials that are run."""

import numpy as np
import pytest
from scipy import stats

from aisle.promotions import TrialSize, trial_for_means, trial_for_shares


@pytest.mark.parametrize(
    ("share", "effect", "power", "received"),
    [
        (0.5, 0.25, 0.9, 77),  # 76.7: the example of R's power.prop.test
    ],
)
def test_shares_need_the_published_number(share: float, effect: float, power: float, received: int) -> None:
    assert trial_for_shares(share, effect, power=power, level=0.05) == TrialSize(received, received)


@pytest.mark.parametrize(
    ("effect", "power", "received"),
    [
        (1.0, 0.9, 23),  # 22.02: the example of R's power.t.test
        (0.5, 0.8, 64),  # Cohen 1988, table 2.4.1
        (0.2, 0.8, 394),  # the same: 393
        (0.8, 0.8, 26),
    ],
)
def test_means_need_the_published_number(effect: float, power: float, received: int) -> None:
    assert trial_for_means(1.0, effect, power=power, level=0.05) == TrialSize(received, received)


def test_trials_of_that_size_see_the_effect_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    runs = 4000
    for held_out_share in (0.5, 0.2):
        size = trial_for_shares(0.1, 0.05, power=0.8, level=0.05, held_out_share=held_out_share)
        a, b = rng.binomial(size.received, 0.15, runs), rng.binomial(size.held_out, 0.1, runs)
        pooled = (a + b) / size.total
        error = np.sqrt(pooled * (1 - pooled) * (1 / size.received + 1 / size.held_out))
        seen = np.abs(a / size.received - b / size.held_out) > stats.norm.isf(0.025) * error
        assert seen.mean() == pytest.approx(0.8, abs=0.03)

        size = trial_for_means(20.0, 5.0, power=0.9, level=0.05, held_out_share=held_out_share)
        got = stats.ttest_ind(
            rng.normal(35, 20, (size.received, runs)), rng.normal(30, 20, (size.held_out, runs))
        ).pvalue
        assert (got < 0.05).mean() == pytest.approx(0.9, abs=0.02)


def test_a_rise_needs_as_many_as_the_fall_back_and_the_unit_of_a_mean_is_all_one() -> None:
    assert trial_for_shares(0.1, 0.05, power=0.8, level=0.05) == trial_for_shares(0.15, -0.05, power=0.8, level=0.05)
    assert trial_for_means(20, 5, power=0.8, level=0.05) == trial_for_means(2000, -500, power=0.8, level=0.05)


def test_less_effect_more_power_a_stricter_level_and_unequal_arms_need_more() -> None:
    size = trial_for_shares(0.1, 0.05, power=0.8, level=0.05).total
    assert size < trial_for_shares(0.1, 0.04, power=0.8, level=0.05).total
    assert size < trial_for_shares(0.1, 0.05, power=0.9, level=0.05).total
    assert size < trial_for_shares(0.1, 0.05, power=0.8, level=0.01).total
    assert size < trial_for_shares(0.1, 0.05, power=0.8, level=0.05, held_out_share=0.1).total
    few = trial_for_means(20, 5, power=0.8, level=0.05, held_out_share=0.1)
    assert few.held_out == pytest.approx(few.total / 10, abs=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"effect": 0.0}, "must not be 0; got 0"),
        ({"effect": float("nan")}, "must not be 0; got nan"),
        ({"effect": 0.95}, "Both shares must be above 0 and below 1; got 0.1 and 1.05"),
        ({"power": 1.0}, "power of a trial must be above 0 and below 1; got 1"),
        ({"held_out_share": 0.0}, "held_out_share of a trial must be above 0 and below 1; got 0"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trial_for_shares(**{"share": 0.1, "effect": 0.05, "power": 0.8, "level": 0.05, **arguments})


def test_a_response_that_does_not_vary_is_refused() -> None:
    with pytest.raises(ValueError, match="standard deviation of a response must be above 0; got 0"):
        trial_for_means(0, 1, power=0.8, level=0.05)
