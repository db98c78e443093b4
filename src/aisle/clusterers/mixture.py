"""Gaussian mixtures over the number of components."""

from collections.abc import Sequence

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

from aisle.clusterers.values import as_matrix, check_counts
from aisle.partition import Partition, PartitionPath


class MixturePath(BaseEstimator):
    """scikit-learn's ``GaussianMixture`` for each of ``n_components``; a customer is in the likeliest component.

    A full covariance of many columns has more parameters than a lifestage has customers: ``covariance_type`` is diag
    unless told otherwise. ``reg_covar`` is added to every variance, in squared units of the columns.
    """

    def __init__(
        self,
        n_components: Sequence[int],
        covariance_type: str = "diag",
        reg_covar: float = 1e-3,
        n_init: int = 3,
        max_iter: int = 300,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    @property
    def minimum_customers(self) -> int:
        return int(max(self.n_components)) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """See `aisle.clusterers.PathClusterer`.

        Raises:
            ValueError: a value is not finite, or a number of components is not below that of the customers.
        """
        matrix = as_matrix(values, fewest=2)
        check_counts("n_components", self.n_components, len(matrix))
        shared = {name: value for name, value in self.get_params().items() if name != "n_components"}
        partitions: dict[float, Partition] = {}
        for count in self.n_components:
            labels = GaussianMixture(count, **shared).fit_predict(matrix)
            partitions[count] = Partition.numbered(labels, values.index)
        return PartitionPath("n_components", partitions)
