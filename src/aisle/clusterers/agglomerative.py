"""Agglomerative clustering: one tree, cut at every number of clusters."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator

from aisle.partition import Partition, PartitionPath

_LINKAGES = ("average", "complete", "single", "ward")
_METRICS = (
    "braycurtis",
    "canberra",
    "chebyshev",
    "cityblock",
    "correlation",
    "cosine",
    "euclidean",
    "mahalanobis",
    "seuclidean",
    "sqeuclidean",
)


class AgglomerativePath(BaseEstimator):
    """Hierarchical clustering with ``linkage`` {average, complete, single, ward} over the distance ``metric``.

    ``metric`` is any of SciPy's ``pdist`` for numbers; ward is defined for euclidean only. The tree is built once and
    cut at each of ``n_clusters``. Memory is the n (n - 1) / 2 distances in double precision.
    """

    def __init__(self, linkage: str, metric: str, n_clusters: Sequence[int]) -> None:
        self.linkage = linkage
        self.metric = metric
        self.n_clusters = n_clusters

    @property
    def minimum_customers(self) -> int:
        return int(max(self.n_clusters)) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """See `aisle.clusterers.PathClusterer`.

        Raises:
            ValueError: the linkage or the metric is unknown, ward is asked for another metric than euclidean, a number
                of clusters is not below that of the customers, or a customer is all zeros under cosine (it has no
                direction).
        """
        wrong = [k for k in self.n_clusters if not 1 <= k < len(values)]
        if wrong:
            raise ValueError(f"n_clusters must be at least 1 and below the {len(values)} customers; got {wrong}.")
        tree = self._tree(values)
        cuts = cut_tree(tree, n_clusters=list(self.n_clusters))
        return PartitionPath(
            "n_clusters",
            {k: Partition.numbered(cuts[:, column], values.index) for column, k in enumerate(self.n_clusters)},
        )

    def _tree(self, values: pd.DataFrame) -> npt.NDArray[np.float64]:
        if self.linkage not in _LINKAGES:
            raise ValueError(f"linkage must be one of {list(_LINKAGES)}; got {self.linkage!r}.")
        if self.metric not in _METRICS:
            raise ValueError(f"metric must be one of {list(_METRICS)}; got {self.metric!r}.")
        if self.linkage == "ward" and self.metric != "euclidean":
            raise ValueError(f"ward linkage needs metric=euclidean; got {self.metric!r}.")
        matrix = values.to_numpy()
        if self.metric == "cosine":
            zero = values.index[np.flatnonzero(~matrix.any(axis=1))].tolist()
            if zero:
                raise ValueError(f"Cosine distance needs a direction; these customers are all zeros: {zero[:5]}.")
        return np.asarray(linkage(pdist(matrix, metric=self.metric), method=self.linkage))
