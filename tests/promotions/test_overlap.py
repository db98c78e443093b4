"""Who can be compared: the set of least variance, effective numbers of customers, and balance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.promotions.overlap import Overlap, balance, comparable, effective_count, find_overlap


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=9))
def test_no_other_cutoff_has_less_variance(chances: list[float]) -> None:
    propensity = np.array(chances)
    g = 1 / (propensity * (1 - propensity))

    def variance(kept: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(g[kept].sum() / kept.sum() ** 2)

    best = variance(comparable(propensity))
    assert all(best <= variance(g <= bound) * (1 + 1e-12) for bound in g)


def test_everybody_is_kept_where_all_are_equally_unlikely_and_outliers_are_not() -> None:
    rare = np.full(500, 0.02)
    assert comparable(rare).all()
    rare[:5] = 1e-3
    assert comparable(rare).sum() == 495


def test_equal_weights_count_every_customer_once_however_many_rows() -> None:
    assert effective_count(np.full(12, 7.0), np.repeat(np.arange(4), 3)) == pytest.approx(4)
    assert effective_count(np.array([1.0, 0.0, 0.0]), np.arange(3)) == 1
    assert effective_count(np.zeros(3), np.arange(3)) == 0


def test_without_a_propensity_nobody_is_kept() -> None:
    seen = find_overlap(None, np.array([True, False]), np.arange(2))
    assert not seen.kept.any()
    assert (seen.received, seen.others, seen.received_share) == (0, 0, 0)


def test_the_known_propensity_balances_and_half_the_weights_do_not() -> None:
    rng = np.random.default_rng(1)
    trait = rng.normal(size=20_000)
    propensity = 1 / (1 + np.exp(-trait))
    received = rng.random(20_000) < propensity
    columns, number = np.column_stack([trait, np.ones(20_000)]), np.arange(20_000)
    seen = find_overlap(propensity, received, number)
    held = balance(columns, received, seen, most=0.1, level=0.05)
    assert held.before[0] > 0.8
    assert held.holds
    assert held.limit == 0.1
    assert (held.before[1], held.after[1]) == (0, 0)
    flat = Overlap(seen.kept, np.sqrt(seen.weights), 1.0, 1.0, seen.received, seen.others)
    assert not balance(columns, received, flat, most=0.1, level=0.05).holds


def test_a_trial_by_lot_is_called_balanced_as_often_as_promised_however_small() -> None:
    """Of 300 lots among 80 customers with 10 traits at most about one in twenty is called unbalanced."""
    rng = np.random.default_rng(2)
    held = []
    for _ in range(300):
        received = rng.random(80) < 0.5
        seen = find_overlap(np.full(80, 0.5), received, np.arange(80))
        held.append(balance(rng.normal(size=(80, 10)), received, seen, most=0.1, level=0.05).holds)
    assert 0.9 < np.mean(held) <= 1
