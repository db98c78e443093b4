"""The gap statistic against its definition by pairs of customers, and on data with and without clusters."""

import numpy as np
import numpy.typing as npt
import pytest

from aisle.clusterers import KMeansPath
from aisle.evidence.gap_statistic import Spread, gap_statistic, spread

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
KS = [2, 3, 4, 5]


def clustered(values: Values) -> Labels:
    import pandas as pd

    path = KMeansPath(KS, n_init=3).fit_path(pd.DataFrame(values))
    return np.array([part.labels for part in path.partitions.values()], dtype=np.int64)


def box(values: Values, draws: int) -> list[Values]:
    """Uniform draws over the range of each column, standardised as the values are."""
    rng = np.random.default_rng(3)
    drawn = [rng.uniform(values.min(axis=0), values.max(axis=0), values.shape) for _ in range(draws)]
    return [standard(one) for one in drawn]


def standard(values: Values) -> Values:
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))


def slow_log_w(values: Values, labels: Labels) -> float:
    """log of the sum over clusters of D / 2n: D is the sum of all ordered squared distances in the cluster."""
    total = 0.0
    for cluster in np.unique(labels):
        inside = values[labels == cluster]
        total += ((inside[:, np.newaxis] - inside) ** 2).sum() / (2 * len(inside))
    return float(np.log(total))


def slow_choice(gap: Values, error: Values) -> int:
    for k in range(1, len(gap)):
        if gap[k - 1] >= gap[k] - error[k]:
            return k
    return len(gap)


@pytest.fixture(scope="module")
def planted() -> Values:
    rng = np.random.default_rng(5)
    return standard(rng.normal(size=(150, 2)) + np.repeat([[0, 0], [12, 0], [0, 12]], 50, axis=0))


@pytest.mark.parametrize("real", [True, False])
def test_it_is_the_definition_and_finds_three_clusters_and_none(planted: Values, real: bool) -> None:
    values = planted if real else standard(np.random.default_rng(2).uniform(size=(150, 2)))
    references = box(values, 20)
    own, drawn = clustered(values), [clustered(one) for one in references]
    found = gap_statistic(spread(values, own), [spread(*pair) for pair in zip(references, drawn, strict=True)])
    logs = np.array([[slow_log_w(one, row) for row in rows] for one, rows in zip(references, drawn, strict=True)])
    gap = logs.mean(axis=0) - [slow_log_w(values, row) for row in own]
    error = logs.std(axis=0) * np.sqrt(1 + 1 / 20)
    assert found.gap == pytest.approx(gap)
    assert found.error == pytest.approx(error)
    assert found.clusters == slow_choice(np.append(0, gap), np.append(0, error)) == (3 if real else 1)


def test_one_cluster_of_standardised_columns_has_the_inertia_of_any_other(planted: Values) -> None:
    one = np.zeros((1, 150), dtype=np.int64)
    assert [float(spread(values, one).inertia[0]) for values in (planted, *box(planted, 2))] == pytest.approx([300] * 3)


def test_noise_is_a_group_and_makes_nothing_tight() -> None:
    found = spread(np.array([[0.0], [2.0], [10.0], [20.0]]), np.array([[0, 0, -1, -1], [-1] * 4]))
    assert found.groups.tolist() == [2, 1]
    assert found.inertia == pytest.approx([2 + 50, 248])


def test_draws_with_another_number_of_groups_are_left_out_and_too_few_are_none() -> None:
    own = Spread(np.array([2, 3]), np.array([10.0, 5.0]))
    other, same = Spread(np.array([2, 4]), np.array([20.0, 1.0])), Spread(np.array([2, 3]), np.array([20.0, 9.0]))
    found = gap_statistic(own, [same] * 15 + [other] * 4)
    assert found.gap == pytest.approx(np.log([2, 1.8]))
    assert found.error == pytest.approx([0, 0], abs=1e-12)
    assert found.clusters == 2
    few = gap_statistic(own, [same] * 14 + [other] * 4)
    assert np.isnan(few.gap).tolist() == [False, True]
    assert few.clusters == 2
    for none in (gap_statistic(own, []), gap_statistic(Spread(own.groups, np.zeros(2)), [same] * 20)):
        assert np.isnan([*none.gap, *none.error, none.clusters]).all()
