"""DBSCAN over its radius."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors

from aisle.partition import Partition, PartitionPath


class DBSCANPath(BaseEstimator):
    """Ester et al. 1996, its radius given by quantiles.

    ``eps_quantile`` are quantiles, in (0, 1), of the distance to the ``min_samples``-th neighbour. A radius means
    nothing across spaces; the share of customers who are core points at that radius does.
    """

    def __init__(self, eps_quantile: Sequence[float], min_samples: int) -> None:
        self.eps_quantile = eps_quantile
        self.min_samples = min_samples

    @property
    def minimum_customers(self) -> int:
        return int(self.min_samples) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        matrix = values.to_numpy()
        # A point counts as its own neighbour in DBSCAN and here, so min_samples means the same in both.
        neighbours = NearestNeighbors(n_neighbors=self.min_samples, n_jobs=1).fit(matrix)
        radius = neighbours.kneighbors(matrix)[0][:, -1]
        partitions = {}
        for quantile in self.eps_quantile:
            if not 0 < quantile < 1:
                raise ValueError(f"eps_quantile must be in (0, 1); got {quantile}.")
            # DBSCAN refuses a radius of 0, which duplicated customers can give.
            eps = max(float(np.quantile(radius, quantile)), float(np.finfo(np.float64).tiny))
            labels = DBSCAN(eps=eps, min_samples=self.min_samples, n_jobs=1).fit_predict(matrix)
            partitions[quantile] = Partition.numbered(labels, values.index)
        return PartitionPath("eps_quantile", partitions)
