"""Agglomerative clustering: one tree, cut at every number of clusters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from aisle.kernels.linkage import linkage_tree
from aisle.kernels.ordering import cut
from aisle.partition import Partition, PartitionPath


class AgglomerativePath(BaseEstimator):
    """Hierarchical clustering: ``linkage`` {average, complete, single, ward, weighted} over the distance ``metric``.

    The tree is built once (`aisle.kernels.linkage.linkage_tree`: the metrics, and the memory each pair needs) and cut
    at each of ``n_clusters``. ward is defined for euclidean only.
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
                of clusters is not below that of the customers, a customer is all zeros under cosine (it has no
                direction), or the distances would not fit.
        """
        wrong = [k for k in self.n_clusters if not 1 <= k < len(values)]
        if wrong:
            raise ValueError(f"n_clusters must be at least 1 and below the {len(values)} customers; got {wrong}.")
        matrix = values.to_numpy()
        if self.metric == "cosine":
            zero = values.index[np.flatnonzero(~matrix.any(axis=1))].tolist()
            if zero:
                raise ValueError(f"Cosine distance needs a direction; these customers are all zeros: {zero[:5]}.")
        tree = linkage_tree(matrix, linkage=self.linkage, metric=self.metric)
        labels = cut(tree, list(self.n_clusters))
        return PartitionPath(
            "n_clusters",
            {k: Partition.numbered(labels[place], values.index) for place, k in enumerate(self.n_clusters)},
        )
