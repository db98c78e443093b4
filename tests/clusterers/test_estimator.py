"""Any scikit-learn clusterer works by configuration alone."""

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from aisle.candidate import Embedding, fit, seeded
from aisle.clusterers import EstimatorPath
from aisle.features import FeatureTable

VALUES = pd.DataFrame(
    np.vstack([np.random.default_rng(1).normal(size=(30, 3)) + centre for centre in (0, 8, 16)]),
    index=pd.Index([f"c{number:02d}" for number in range(90)]),
)


@pytest.mark.parametrize(
    ("estimator", "parameter", "values", "fewest"),
    [
        ({"_target_": "sklearn.cluster.BisectingKMeans"}, "n_clusters", [3, 4], 5),
        ({"_target_": "sklearn.cluster.MiniBatchKMeans", "n_init": 3}, "n_clusters", [3], 4),
        ({"_target_": "sklearn.cluster.Birch"}, "n_clusters", [3], 4),
        ({"_target_": "sklearn.cluster.SpectralClustering", "affinity": "nearest_neighbors"}, "n_clusters", [3], 4),
        ({"_target_": "sklearn.mixture.BayesianGaussianMixture", "reg_covar": 0.01}, "n_components", [3], 4),
        ({"_target_": "sklearn.cluster.MeanShift"}, "bandwidth", [4.0, 5.0], 2),
        ({"_target_": "sklearn.cluster.OPTICS"}, "min_samples", [10, 20], 2),
    ],
)
def test_any_scikit_learn_clusterer_is_a_path(estimator: dict, parameter: str, values: list, fewest: int) -> None:
    config = {"_target_": "aisle.clusterers.EstimatorPath", "estimator": estimator}
    clusterer = instantiate({**config, "parameter": parameter, "values": values}, _convert_="all")
    features = FeatureTable(VALUES, pd.Series("YA", index=VALUES.index))
    candidate = fit(features, Embedding(VALUES, "embedding"), clusterer=clusterer, seed=1)
    assert clusterer.minimum_customers == fewest
    assert candidate.path.parameter == parameter
    assert list(candidate.path.partitions) == values
    labels = candidate.path.partitions[values[0]].labels
    inside = labels != -1
    assert adjusted_rand_score(np.repeat([0, 1, 2], 30)[inside], labels[inside]) > 0.8


def test_the_estimator_itself_is_never_fitted() -> None:
    estimator = KMeans(n_init=1)
    EstimatorPath(estimator, "n_clusters", [2, 3]).fit_path(VALUES)
    assert not hasattr(estimator, "labels_")
    assert estimator.n_clusters == 8


def test_the_seed_reaches_the_estimator_inside() -> None:
    clusterer = EstimatorPath(KMeans(), "n_clusters", [2])
    assert seeded(clusterer, 42).estimator.random_state == 42
    assert clusterer.estimator.random_state is None


def test_a_parameter_the_estimator_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"Invalid parameter 'n_cluster' for estimator KMeans.*'n_clusters'"):
        EstimatorPath(KMeans(), "n_cluster", [2]).fit_path(VALUES)
