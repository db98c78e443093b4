"""The weighted effect with known nuisances: unbiased, doubly robust, with intervals that hold their word."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from aisle.promotions.weighting import Estimate, augmented_effect

Values = npt.NDArray[np.float64]


def estimate(
    rng: np.random.Generator, *, customers: int = 150, rows_each: int = 3, propensity_known: bool, outcome_known: bool
) -> tuple[Estimate, float]:
    """The effect (true: 1.5) on a confounded response, and the naive difference; what is not known is a constant."""
    number = np.repeat(np.arange(customers), rows_each)
    trait, own = rng.normal(size=customers), rng.normal(size=customers)
    propensity = 1 / (1 + np.exp(-trait[number]))
    received = rng.random(number.size) < propensity
    mean = 3 * trait[number]
    response = mean + own[number] + rng.gamma(1.0, 1.0, number.size) + 1.5 * received
    guess = mean + 1 if outcome_known else np.full(number.size, response.mean())
    found = augmented_effect(
        response,
        received,
        propensity if propensity_known else np.full(number.size, 0.5),
        guess + 1.5 * outcome_known,
        guess,
        number,
        confidence=0.95,
    )
    return found, float(response[received].mean() - response[~received].mean())


def test_intervals_hold_the_effect_at_their_rate_although_rows_of_a_customer_are_alike() -> None:
    rng = np.random.default_rng(1)
    runs = [estimate(rng, propensity_known=True, outcome_known=True)[0] for _ in range(600)]
    held = sum(run.low <= 1.5 <= run.high for run in runs)
    assert stats.binomtest(held, len(runs), 0.95).pvalue > 0.01
    errors = np.array([run.standard_error for run in runs])
    assert errors.mean() == pytest.approx(np.std([run.effect for run in runs]), rel=0.1)


@pytest.mark.parametrize(("propensity_known", "outcome_known"), [(True, False), (False, True)])
def test_either_nuisance_may_be_wrong_and_the_naive_difference_is_biased(
    propensity_known: bool, outcome_known: bool
) -> None:
    rng = np.random.default_rng(2)
    runs = [
        estimate(rng, customers=600, propensity_known=propensity_known, outcome_known=outcome_known) for _ in range(100)
    ]
    effects = np.array([run[0].effect for run in runs])
    assert abs(effects.mean() - 1.5) < 3 * effects.std() / np.sqrt(len(runs)) + 0.02
    assert np.mean([run[1] for run in runs]) > 3


def test_both_nuisances_wrong_is_as_bad_as_naive() -> None:
    rng = np.random.default_rng(3)
    found, naive = estimate(rng, customers=3000, propensity_known=False, outcome_known=False)
    assert found.effect == pytest.approx(naive, abs=1e-9)
    assert found.low > 2


def test_an_unknown_trait_biases_no_more_than_the_robustness_value_allows() -> None:
    """Nothing works, but a hidden trait moves both: the value that is asked for is no more than what it has."""
    rng = np.random.default_rng(4)
    n = 200_000
    trait = rng.normal(size=n)
    for strength in (0.3, 0.8):
        received = rng.random(n) < 1 / (1 + np.exp(-strength * trait))
        response = strength * trait + rng.normal(size=n)
        flat = np.full(n, received.mean())
        arms = [np.full(n, response[arm].mean()) for arm in (received, ~received)]
        found = augmented_effect(response, received, flat, *arms, np.arange(n), confidence=0.95)
        known = 1 / (1 + np.exp(-strength * trait))
        short = received / flat - ~received / (1 - flat)
        long = received / known - ~received / (1 - known)
        missed = np.where(received, arms[0], arms[1])
        of_response = ((strength * trait - missed) ** 2).mean() / ((response - missed) ** 2).mean()
        of_weights = 1 - (short**2).mean() / (long**2).mean()
        assert found.effect > 0.05
        assert max(of_response, of_weights) > found.strength > min(of_response, of_weights) > 0


def test_a_response_that_never_varies_has_no_effect_and_a_certain_one_needs_an_all_powerful_trait() -> None:
    received = np.array([True, False] * 20)
    half, nothing, number = np.full(40, 0.5), np.zeros(40), np.arange(40)
    still = augmented_effect(nothing, received, half, nothing, nothing, number, confidence=0.95)
    assert (still.effect, still.low, still.high, still.p_value, still.strength) == (0, 0, 0, 1, 0)
    sure = augmented_effect(received * 1.0, received, half, nothing + 1, nothing, number, confidence=0.95)
    assert (sure.effect, sure.p_value, sure.strength) == (1, 0, 1)
