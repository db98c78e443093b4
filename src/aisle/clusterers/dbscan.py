"""DBSCAN over its radius."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from aisle.clusterers.values import as_matrix
from aisle.partition import NOISE, Partition, PartitionPath


class DBSCANPath(BaseEstimator):
    """Ester et al. 1996, its radius given by quantiles.

    ``eps_quantile`` are quantiles, in (0, 1), of the distance to the ``min_samples``-th neighbour. A radius means
    nothing across spaces; the share of customers who are core points at that radius does. The neighbours within the
    largest radius are found once; the other radii keep the nearer of them. A customer in reach of several clusters
    belongs to the one whose core point is nearest, so the order of rows decides nothing.
    """

    def __init__(self, eps_quantile: Sequence[float], min_samples: int) -> None:
        self.eps_quantile = eps_quantile
        self.min_samples = min_samples

    @property
    def minimum_customers(self) -> int:
        return int(self.min_samples) + 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        """See `aisle.clusterers.PathClusterer`.

        Raises:
            ValueError: a value is not finite, a quantile is not in (0, 1), or there are too few customers.
        """
        for quantile in self.eps_quantile:
            if not 0 < quantile < 1:
                raise ValueError(f"eps_quantile must be in (0, 1); got {quantile}.")
        if self.min_samples < 1:
            raise ValueError(f"min_samples must be at least 1; got {self.min_samples}.")
        matrix = as_matrix(values, fewest=self.minimum_customers)
        # A point counts as its own neighbour in DBSCAN and here, so min_samples means the same in both.
        neighbours = NearestNeighbors(n_neighbors=self.min_samples, n_jobs=1).fit(matrix)
        radius = neighbours.kneighbors(matrix)[0][:, -1]
        eps = {quantile: float(np.quantile(radius, quantile)) for quantile in self.eps_quantile}
        widest = max(eps.values()) * (1 + 1e-12)  # the search compares squares, and would round the farthest away
        graph = neighbours.radius_neighbors_graph(matrix, widest, mode="distance")
        partitions = {
            quantile: Partition.numbered(_labels(graph, radius <= eps[quantile], eps[quantile]), values.index)
            for quantile in self.eps_quantile
        }
        return PartitionPath("eps_quantile", partitions)


def _labels(graph: csr_array, core: npt.NDArray[np.bool_], eps: float) -> npt.NDArray[np.int64]:
    """Clusters are the core points that reach each other within ``eps``, and the others within it of a core point."""
    rows = np.repeat(np.arange(core.size), np.diff(graph.indptr))
    near = (graph.data <= eps) & core[graph.indices]
    rows, others, distances = rows[near], graph.indices[near], graph.data[near]
    inner = core[rows]
    links = csr_array((np.ones(inner.sum(), dtype=bool), (rows[inner], others[inner])), shape=(core.size, core.size))
    component = connected_components(links, directed=False)[1]
    labels = np.where(core, component, NOISE).astype(np.int64)
    rows, others, distances = rows[~inner], others[~inner], distances[~inner]
    order = np.lexsort((distances, rows))
    border, first = np.unique(rows[order], return_index=True)
    labels[border] = component[others[order][first]]
    return labels
