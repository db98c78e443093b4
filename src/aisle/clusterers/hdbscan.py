"""HDBSCAN over the smallest cluster it may report."""

from collections.abc import Sequence

import pandas as pd
from sklearn.base import BaseEstimator

from aisle.partition import Partition, PartitionPath


class HDBSCANPath(BaseEstimator):
    """Campello, Moulavi & Sander 2013, exact. ``min_cluster_size`` are shares of the customers, in (0, 1).

    Shares make halves and lifestages of different size comparable; a cluster has at least 2 customers.
    """

    def __init__(self, min_cluster_size: Sequence[float], min_samples: int) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples

    @property
    def minimum_customers(self) -> int:
        return int(self.min_samples) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        from hdbscan import HDBSCAN  # imported where used: it costs seconds

        matrix = values.to_numpy(copy=True)  # hdbscan wants memory it could write to, and a frame's is read-only
        partitions = {}
        for share in self.min_cluster_size:
            if not 0 < share < 1:
                raise ValueError(f"min_cluster_size must be a share of the customers in (0, 1); got {share}.")
            size = max(2, round(share * len(values)))
            model = HDBSCAN(size, self.min_samples, approx_min_span_tree=False, core_dist_n_jobs=1)
            partitions[share] = Partition.numbered(model.fit_predict(matrix), values.index)
        return PartitionPath("min_cluster_size", partitions)
