"""Trial sizes against published examples, and against trials that are run."""

from math import ceil

import numpy as np
import pytest
from scipy import stats

from aisle.promotions import TrialSize, trial_for_means, trial_for_shares


@pytest.mark.parametrize(
    ("share", "effect", "power", "held_out_share", "received"),
    [
        (0.5, 0.25, 0.9, 0.5, 76.70692845177747),  # 76.7: the example of R's power.prop.test, too
        (0.05, 0.02, 0.8, 0.5, 2212.204782367206),
        (0.2, -0.03, 0.9, 0.5, 3518.492917753593),
        (0.1, 0.05, 0.8, 0.2, 1778.038715907481),
        (0.02, 0.01, 0.8, 0.1, 20208.91402275971),
    ],
)
def test_shares_need_what_statsmodels_says(
    share: float, effect: float, power: float, held_out_share: float, received: float
) -> None:
    """Statsmodels 0.15, samplesize_proportions_2indep_onetail."""
    size = trial_for_shares(share, effect, power=power, level=0.05, held_out_share=held_out_share)
    held_out = ceil(received * held_out_share / (1 - held_out_share))
    assert size == TrialSize(ceil(received), held_out)


@pytest.mark.parametrize(
    ("effect", "power", "received"),
    [
        (1.0, 0.9, 22.021088441446192),  # 22.02: the example of R's power.t.test, too
        (0.5, 0.8, 63.76561058891169),  # 64: Cohen 1988, table 2.4.1
        (0.2, 0.8, 393.4056930002526),
        (0.8, 0.8, 25.524571854446116),
    ],
)
def test_means_need_what_statsmodels_says(effect: float, power: float, received: float) -> None:
    """Statsmodels 0.15, TTestIndPower."""
    size = trial_for_means(1.0, effect, power=power, level=0.05)
    assert size == TrialSize(ceil(received), ceil(received))


@pytest.mark.parametrize(
    ("effect", "power", "held_out_share", "received"),
    [(0.25, 0.9, 0.2, 842.133101276792), (0.1, 0.8, 0.1, 7850.589536919735)],
)
def test_unequal_arms_need_what_statsmodels_says_but_for_rounding_the_smaller_up(
    effect: float, power: float, held_out_share: float, received: float
) -> None:
    size = trial_for_means(1.0, effect, power=power, level=0.05, held_out_share=held_out_share)
    assert received - 4 < size.received <= ceil(received)
    assert size.held_out == ceil(round(size.received * held_out_share / (1 - held_out_share), 6))


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
