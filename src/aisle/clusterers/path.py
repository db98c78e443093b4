"""What a path clusterer is."""

from typing import Protocol

import pandas as pd

from aisle.partition import PartitionPath


class PathClusterer(Protocol):
    """A clusterer that gives one partition per tuning value. Implementations are scikit-learn estimators.

    ``fit_path`` leaves the clusterer unchanged; rows of ``values`` are customers.
    """

    @property
    def minimum_customers(self) -> int:
        """The fewest customers for which every tuning value makes sense."""
        ...

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """Partitions of the rows of ``values`` (n, d), for every tuning value, in the order they were asked for."""
        ...
