"""Populations are what they are called, and the same for a seed."""

import numpy as np
import pandas as pd
import pytest
from tests.evidence.conftest import mixed, table

from aisle.calibration import (
    Band,
    Copula,
    Dirichlet,
    Lognormal,
    LongAxis,
    Normal,
    NormalsAndLevels,
    Planted,
    Population,
)
from aisle.evidence.structure import structure_of

EVERY = pytest.mark.parametrize(
    "population",
    [
        Normal(400, 5),
        LongAxis(400, 5, 5.0),
        Lognormal(400, 3),
        NormalsAndLevels(400, 4, 3),
        Dirichlet(400, (4.0, 2.0, 1.0)),
        Band(400, 0.5, 0.2),
        Copula(100, table(mixed(200, 1))),
        Planted(400, 5, (0.5, 0.3, 0.2), 6.0),
    ],
    ids=lambda population: type(population).__name__,
)


@EVERY
def test_draws_are_the_same_for_a_seed_and_differ_between_seeds(population: Population) -> None:
    drawn = population.draw([3, 0])
    assert len(drawn.values) == population.customers
    assert drawn.values.equals(population.draw([3, 0]).values)
    assert not drawn.values.equals(population.draw([3, 1]).values)


def test_the_long_axis_is_as_long_as_said_and_no_column_has_it_alone() -> None:
    values = LongAxis(20_000, 10, 5.0).draw([1]).values
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(values.T)))
    assert spread[-1] == pytest.approx(5, rel=0.03)
    assert spread[:-1] == pytest.approx(np.ones(9), rel=0.05)
    assert values.std().max() < 4.5


def test_logarithms_of_the_lognormal_are_standard_normal() -> None:
    logs = np.log(Lognormal(20_000, 3).draw([1]).values)
    assert logs.mean().to_numpy() == pytest.approx(np.zeros(3), abs=0.03)
    assert logs.std().to_numpy() == pytest.approx(np.ones(3), abs=0.03)


def test_levels_are_one_hot_and_shares_add_up() -> None:
    levels = NormalsAndLevels(300, 4, 3).draw([1]).values
    assert [group.kind for group in structure_of(levels)] == ["column"] * 4 + ["one_hot"]
    shares = Dirichlet(300, (4.0, 2.0, 1.0)).draw([1]).values
    assert [group.kind for group in structure_of(shares)] == ["shares"]
    assert shares.mean().to_numpy() == pytest.approx(np.array([4, 2, 1]) / 7, abs=0.04)


def test_a_band_covers_its_share_of_the_circle_evenly() -> None:
    values = Band(20_000, 0.75, 0.01).draw([1]).values.to_numpy()
    assert np.hypot(*values.T) == pytest.approx(1, abs=0.06)
    angle = np.arctan2(values[:, 1], values[:, 0]) % (2 * np.pi) / (2 * np.pi)
    inside = angle[(angle > 0.01) & (angle < 0.74)]
    assert np.histogram(inside, 4)[0] / inside.size == pytest.approx(np.full(4, 0.25), abs=0.02)
    assert ((angle > 0.76) & (angle < 0.99)).sum() == 0


def test_a_copula_has_values_that_were_observed() -> None:
    observed = mixed(300, 2)
    drawn = Copula(120, table(observed)).draw([1]).values
    assert set(drawn["visits"]) <= set(observed["visits"])
    with pytest.raises(ValueError, match=r"^A copula of 301 customers needs as many observed ones; there are 300\.$"):
        Copula(301, table(observed))


@pytest.mark.parametrize("customers", [150, 1000, 4001])
def test_planted_segments_have_their_sizes_and_distances(customers: int) -> None:
    planted = Planted(customers, 10, (0.55, 0.4, 0.05), 200.0)
    values = planted.draw([1]).values.to_numpy()
    centre = values[[0]]
    groups = [values]
    found = []
    while groups[0].size:
        near = np.linalg.norm(groups[0] - centre, axis=1) < 60
        found.append(groups[0][near])
        groups[0] = groups[0][~near]
        centre = groups[0][:1]
    sizes = sorted(map(len, found))
    assert sizes[0] == np.ceil(round(0.05 * customers, 6))
    assert sum(sizes) == customers
    assert planted.segments == len(found) == 3
    means = np.array([group.mean(axis=0) for group in found])
    apart = np.linalg.norm(means[:, np.newaxis] - means, axis=2)[np.triu_indices(3, 1)]
    assert apart == pytest.approx(np.full(3, 200.0), abs=3)
    assert np.concatenate([group - group.mean(axis=0) for group in found]).std() == pytest.approx(1, abs=0.05)


def test_segments_that_cannot_be_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^Shares of planted segments must be above 0 and add up to 1; got \(0.5, 0.4\)"
    ):
        Planted(100, 5, (0.5, 0.4), 6.0)
    with pytest.raises(ValueError, match=r"^3 planted segments need as many columns; got 2\.$"):
        Planted(100, 2, (0.5, 0.25, 0.25), 6.0)


def test_no_population_depends_on_the_global_state() -> None:
    np.random.seed(0)  # noqa: NPY002
    first = Normal(50, 3).draw([1]).values
    np.random.seed(1)  # noqa: NPY002
    pd.testing.assert_frame_equal(first, Normal(50, 3).draw([1]).values)
