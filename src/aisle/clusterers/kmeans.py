"""K-means over the number of clusters."""

import warnings
from collections.abc import Sequence

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from aisle.clusterers.values import as_matrix, check_counts
from aisle.kernels.kmeans import kmeans_path
from aisle.partition import Partition, PartitionPath


class KMeansPath(BaseEstimator):
    """Lloyd's k-means from ``n_init`` greedy k-means++ starts, which all ``n_clusters`` share.

    The partition of a number of clusters does not depend on which others are asked for, nor on threads.
    """

    def __init__(self, n_clusters: Sequence[int], n_init: int = 20, random_state: int = 0) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.random_state = random_state

    @property
    def minimum_customers(self) -> int:
        return int(max(self.n_clusters)) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """See `aisle.clusterers.PathClusterer`. Warns where there are fewer kinds of customers than clusters.

        Raises:
            ValueError: a value is not finite, or a number of clusters is not below that of the customers.
        """
        if self.n_init < 1:
            raise ValueError(f"n_init must be at least 1; got {self.n_init}.")
        matrix = as_matrix(values, fewest=2)
        check_counts("n_clusters", self.n_clusters, len(matrix))
        fits = kmeans_path(matrix, self.n_clusters, n_init=self.n_init, seed=self.random_state)
        partitions: dict[float, Partition] = {
            k: Partition.numbered(fits[k].labels, values.index) for k in self.n_clusters
        }
        for k, partition in partitions.items():
            if partition.n_clusters < k:
                found = f"{partition.n_clusters} clusters instead of {k}: no more customers differ from each other."
                warnings.warn(f"K-means found {found}", ConvergenceWarning, stacklevel=2)
        return PartitionPath("n_clusters", partitions)
