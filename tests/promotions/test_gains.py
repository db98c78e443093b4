"""Measures of predictions agree with scikit-learn's, and their intervals hold their word."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from aisle.promotions.gains import Resamples, calibration_error, interval, log_losses


def drawn(seed: int, rows: int = 300) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    rng = np.random.default_rng(seed)
    predicted = np.round(rng.beta(2, 5, rows), 1) / 1.1 + 0.02
    return (rng.random(rows) < predicted).astype(float), predicted, rng.integers(0, rows // 3, rows)


def test_area_and_loss_are_those_of_scikit_learn_also_on_resamples() -> None:
    wanted, predicted, customers = drawn(1)
    number = np.unique(customers, return_inverse=True)[1]
    resamples = Resamples.of(number, draws=5, seed=1)
    areas = resamples.area_under_curve(wanted, predicted)
    losses = resamples.mean(log_losses(wanted, predicted))
    for place, weights in enumerate(resamples.weights):
        assert areas[place] == pytest.approx(roc_auc_score(wanted, predicted, sample_weight=weights))
        assert losses[place] == pytest.approx(log_loss(wanted, predicted, sample_weight=weights))


def test_lift_is_the_rate_of_the_top_tenth_over_that_of_all() -> None:
    wanted = np.r_[np.ones(5), np.zeros(5), np.ones(5), np.zeros(85)]
    resamples = Resamples.of(np.arange(100), draws=100, seed=1)
    assert resamples.lift(wanted, np.r_[np.full(10, 0.9), np.full(90, 0.1)])[0] == pytest.approx(5.0)
    assert resamples.lift(wanted, np.full(100, 0.1))[0] == pytest.approx(1.0)  # all alike: chance
    assert np.isnan(resamples.lift(np.zeros(100), np.arange(100) / 100)[0])


def test_a_household_is_drawn_with_all_its_rows() -> None:
    resamples = Resamples.of(np.array([0, 0, 1, 2]), draws=100, seed=1)
    assert (resamples.weights[:, 0] == resamples.weights[:, 1]).all()
    assert (resamples.weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_calibration_error_is_zero_where_every_tenth_happens_as_often_as_expected() -> None:
    wanted = np.tile([1.0, 0.0], 50)
    assert calibration_error(wanted, np.full(100, 0.5)) == pytest.approx(0.0)
    assert calibration_error(wanted, np.full(100, 0.8)) == pytest.approx(0.3)


def test_intervals_of_a_gain_cover_its_truth_at_their_rate() -> None:
    """Households whose rows are alike: resampling rows instead of households would give intervals far too short."""
    base, better = np.array([0.3, 0.3]), np.array([0.15, 0.45])
    truth = (better * np.log(better / base) + (1 - better) * np.log((1 - better) / (1 - base))).mean()
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 2, 120)
        happens = rng.random(120) < better[kind]
        customers = np.repeat(np.arange(120), 4)
        wanted = happens[customers].astype(float)
        gain = log_losses(wanted, base[kind][customers]) - log_losses(wanted, better[kind][customers])
        _, low, high = interval(Resamples.of(customers, draws=200, seed=seed).mean(gain), 0.95)
        covered.append(low <= truth <= high)
    assert 0.9 <= np.mean(covered) <= 0.99
