"""Any scikit-learn clusterer, refitted for each value of one of its parameters."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, clone

from aisle.partition import Partition, PartitionPath

_COUNTS_OF_CLUSTERS = ("n_clusters", "n_components")


class EstimatorPath(BaseEstimator):
    """``estimator`` fitted once per value of ``parameter``; its ``fit_predict`` gives the labels, -1 meaning noise."""

    def __init__(self, estimator: Any, parameter: str, values: Sequence[float]) -> None:
        self.estimator = estimator
        self.parameter = parameter
        self.values = values

    @property
    def minimum_customers(self) -> int:
        return int(max(self.values)) + 1 if self.parameter in _COUNTS_OF_CLUSTERS else 2

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        partitions = {}
        for value in self.values:
            estimator = clone(self.estimator).set_params(**{self.parameter: value})
            partitions[value] = Partition.numbered(estimator.fit_predict(values.to_numpy()), values.index)
        return PartitionPath(self.parameter, partitions)
