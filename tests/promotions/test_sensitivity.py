"""Sensitivity to what nobody recorded, against the published example."""

import numpy as np
import pytest

from aisle.promotions import robustness_value
from aisle.promotions.sensitivity import strongest_known


def test_the_robustness_value_is_that_of_the_published_example() -> None:
    """Cinelli & Hazlett 2020, section 4: direct harm in Darfur, t = 4.184 with 783 degrees of freedom: 13.9 %."""
    assert robustness_value(4.18445 / np.sqrt(783)) == pytest.approx(0.13878, abs=1e-5)


@pytest.mark.parametrize("ratio", [1e-12, 1e-3, 0.2, 1.0, 50.0, 1e6])
def test_the_robustness_value_solves_its_equation(ratio: float) -> None:
    share = robustness_value(ratio)
    assert 0 < share < 1
    assert share / np.sqrt(1 - share) == pytest.approx(ratio, rel=1e-3)


def test_the_strongest_known_trait_must_move_both_the_response_and_who_receives() -> None:
    rng = np.random.default_rng(1)
    traits = rng.normal(size=(5000, 4))
    traits[:, 3] = 1.0
    received = traits[:, 0] + traits[:, 1] + rng.normal(size=5000) > 0
    response = traits[:, 1] + traits[:, 2] + rng.normal(size=5000)
    place, strength = strongest_known(traits, received, response)
    assert place == 1
    assert 0.2 < strength < 0.8


def test_a_trait_that_is_there_twice_and_one_that_never_varies_break_nothing() -> None:
    rng = np.random.default_rng(2)
    trait = rng.normal(size=(300, 1))
    received = trait[:, 0] + rng.normal(size=300) > 0
    place, strength = strongest_known(np.hstack([trait, trait, np.ones((300, 1))]), received, trait[:, 0])
    assert place in {0, 1}
    assert 0 <= strength <= 1


def test_where_the_response_is_the_same_for_everybody_no_trait_has_any_strength() -> None:
    rng = np.random.default_rng(3)
    assert strongest_known(rng.normal(size=(50, 2)), rng.random(50) < 0.5, np.ones(50))[1] == 0
