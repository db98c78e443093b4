"""HDBSCAN over the smallest cluster it may report."""

from collections.abc import Sequence

import pandas as pd
from sklearn.base import BaseEstimator

from aisle.clusterers.values import as_matrix
from aisle.kernels.density_tree import DensityTree
from aisle.kernels.mutual_reachability import core_distances, spanning_tree
from aisle.partition import Partition, PartitionPath


class HDBSCANPath(BaseEstimator):
    """Campello, Moulavi & Sander 2013, exact. ``min_cluster_size`` are shares of the customers, in (0, 1).

    Shares make halves and lifestages of different size comparable; a cluster has at least 2 customers. Distances are
    Euclidean, and ``min_samples`` is that of the library hdbscan: the core distance is that to the ``min_samples``-th
    other customer. Core distances and the tree do not depend on ``min_cluster_size``: they are made once.
    """

    def __init__(self, min_cluster_size: Sequence[float], min_samples: int = 10) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples

    @property
    def minimum_customers(self) -> int:
        return int(self.min_samples) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """See `aisle.clusterers.PathClusterer`.

        Raises:
            ValueError: a value is not finite, a share is not in (0, 1), or there are too few customers.
        """
        for share in self.min_cluster_size:
            if not 0 < share < 1:
                raise ValueError(f"min_cluster_size must be a share of the customers in (0, 1); got {share}.")
        if self.min_samples < 1:
            raise ValueError(f"min_samples must be at least 1; got {self.min_samples}.")
        matrix = as_matrix(values, fewest=self.minimum_customers)
        core = core_distances(matrix, min_samples=self.min_samples)
        tree = DensityTree.of(*spanning_tree(matrix, core))
        partitions = {}
        for share in self.min_cluster_size:
            labels = tree.labels(max(2, round(share * len(matrix))))
            partitions[share] = Partition.numbered(labels, values.index)
        return PartitionPath("min_cluster_size", partitions)
