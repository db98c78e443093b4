"""HDBSCAN and DBSCAN: shares and quantiles mean what they say, and are refused when they cannot."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN

from aisle.clusterers import DBSCANPath, HDBSCANPath

RNG = np.random.default_rng(2)
VALUES = pd.DataFrame(np.vstack([RNG.normal(size=(70, 3)), RNG.normal(size=(30, 3)) + 9]))


def test_a_reported_cluster_holds_at_least_its_share_of_the_customers() -> None:
    path = HDBSCANPath([0.05, 0.2, 0.28, 0.4], 5).fit_path(VALUES)
    for share, partition in path.partitions.items():
        assert not (partition.sizes < round(share * len(VALUES))).any()
    assert path.partitions[0.2].n_clusters == 2
    assert path.partitions[0.4].n_clusters == 0


def test_a_tiny_share_means_two_customers() -> None:
    partition = HDBSCANPath([1e-6], 2).fit_path(VALUES).partitions[1e-6]
    assert partition.sizes.min() >= 2


def test_one_dimension_is_enough() -> None:
    partition = HDBSCANPath([0.2], 5).fit_path(VALUES[[0]]).partitions[0.2]
    assert partition.n_clusters == 2


@pytest.mark.parametrize("share", [0, 1, -0.1, 5])
def test_a_smallest_cluster_must_be_a_share(share: float) -> None:
    message = rf"min_cluster_size must be a share of the customers in \(0, 1\); got {share}\."
    with pytest.raises(ValueError, match=message):
        HDBSCANPath([0.1, share], 5).fit_path(VALUES)


@pytest.mark.parametrize("quantile", [0, 1, -0.1, 90])
def test_a_radius_must_be_a_quantile(quantile: float) -> None:
    with pytest.raises(ValueError, match=rf"eps_quantile must be in \(0, 1\); got {quantile}\."):
        DBSCANPath([0.5, quantile], 5).fit_path(VALUES)


@pytest.mark.parametrize("quantile", [0.3, 0.5, 0.9])
def test_the_quantile_is_the_share_of_core_customers(quantile: float) -> None:
    matrix = VALUES.to_numpy()
    distances = np.sort(np.linalg.norm(matrix[:, None] - matrix, axis=2), axis=1)
    eps = float(np.quantile(distances[:, 9], quantile))  # the customer itself is the first neighbour
    model = DBSCAN(eps=eps, min_samples=10).fit(matrix)
    assert model.core_sample_indices_.size == pytest.approx(quantile * len(VALUES), abs=1)
    labels = DBSCANPath([quantile], 10).fit_path(VALUES).partitions[quantile].labels
    assert ((labels.to_numpy() == -1) == (model.labels_ == -1)).all()


def test_a_wider_radius_never_makes_more_noise() -> None:
    path = DBSCANPath([0.1, 0.3, 0.5, 0.7, 0.9], 5).fit_path(VALUES)
    noise = [int((partition.labels == -1).sum()) for partition in path.partitions.values()]
    assert noise == sorted(noise, reverse=True)


def test_a_radius_of_zero_joins_customers_who_are_alike() -> None:
    alike = pd.DataFrame(np.repeat(np.arange(4.0), 25).reshape(-1, 1))
    assert DBSCANPath([0.5], 10).fit_path(alike).partitions[0.5].sizes.tolist() == [25, 25, 25, 25]
