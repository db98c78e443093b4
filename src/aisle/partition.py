"""Partitions of customers into clusters, and paths of them over a tuning value."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

NOISE = -1
"""The label of customers who belong to no cluster."""
DECIMALS = 9
"""Scores of partitions are ranked by so many: beyond them they follow the processor, and equal partitions differ."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Labels of customers: 0..k-1 by size, largest first, and `NOISE` (-1).

    Raises:
        ValueError: labels are not integers, are null, skip a number, or are not numbered by size.
    """

    labels: "pd.Series[int]"

    def __post_init__(self) -> None:
        if not pd.api.types.is_integer_dtype(self.labels.dtype):
            raise ValueError(f"Labels must be integers; got {self.labels.dtype}.")
        if self.labels.hasnans:
            raise ValueError(f"Labels must not be null; got {int(self.labels.isna().sum())} null.")
        if self.labels.size and self.labels.min() < NOISE:
            raise ValueError(f"Labels must be at least {NOISE}; got {self.labels.min()}.")
        sizes = self.sizes
        if (sizes == 0).any() or (np.diff(sizes) > 0).any():
            raise ValueError(f"Labels must be 0..k-1 by size, largest first; got the sizes {sizes.tolist()}.")

    @classmethod
    def numbered(cls, labels: npt.ArrayLike, index: pd.Index) -> "Partition":
        """A partition with any cluster numbers renumbered by size; equal sizes in order of appearance.

        >>> Partition.numbered([7, 3, 3, -1], pd.Index(list("abcd"))).labels.tolist()
        [1, 0, 0, -1]
        """
        raw = np.asarray(labels)
        found, first, inverse, counts = np.unique(raw, return_index=True, return_inverse=True, return_counts=True)
        clusters = np.flatnonzero(found != NOISE)
        order = clusters[np.lexsort((first[clusters], -counts[clusters]))]
        number = np.full(found.size, NOISE, dtype=np.int64)
        number[order] = np.arange(order.size)
        return cls(pd.Series(number[inverse], index=index, name="label", dtype=np.int64))

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Customers per cluster, shape (k,), largest first; noise is not counted."""
        labels = self.labels.to_numpy()
        return np.bincount(labels[labels != NOISE]).astype(np.int64)

    @property
    def n_clusters(self) -> int:
        """Number of clusters; 0 when everybody is noise."""
        return int(self.sizes.size)


@dataclass(frozen=True, eq=False)
class PartitionPath:
    """One clusterer's partitions over its tuning value (k, min_cluster_size, eps), in the order they were asked for."""

    parameter: str
    partitions: Mapping[float, Partition]

    def __post_init__(self) -> None:
        if not self.partitions:
            raise ValueError(f"A path over {self.parameter} needs at least one value; got none.")
        first = next(iter(self.partitions.values())).labels.index
        for value, partition in self.partitions.items():
            if not partition.labels.index.equals(first):
                raise ValueError(f"{self.parameter}={value}: its customers differ from those of the first partition.")
