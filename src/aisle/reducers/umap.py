"""UMAP (McInnes, Healy & Melville 2018) as umap-learn computes it, from neighbours that variants share."""

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from aisle.reducers.neighbours import Neighbours

_EXACT_BELOW = 4096
"""Rows from which on umap-learn approximates the neighbours too."""


class NeighbourUMAP(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`umap.UMAP` in two steps: the neighbours, and their layout.

    The neighbours do not depend on ``n_components`` and ``min_dist``. Below 4,096 rows they are exact, and
    the embedding is that of `umap.UMAP` to the byte; above, nearest-neighbour descent approximates them, and it is that
    of `umap.UMAP` with these as its ``precomputed_knn``. The parameters are those of `umap.UMAP`.

    Attributes:
        embedding_: the rows of X in the plane or space of ``n_components`` dimensions, (n, n_components).
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_neighbors: int = 15,
        min_dist: float = 0.1,
        metric: str = "euclidean",
        n_jobs: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state

    def neighbour_params(self) -> dict[str, Any]:
        """The parameters that the neighbours depend on."""
        return {name: getattr(self, name) for name in ("n_neighbors", "metric", "random_state")}

    def neighbours(self, X: npt.ArrayLike) -> Neighbours:
        """The ``n_neighbors`` nearest rows of every row of ``X`` (n, d); with fewer than that many others, all of them.

        Raises:
            ValueError: ``X`` is no finite table of at least 3 rows, or umap-learn has no such metric.
        """
        return self._neighbours(self._checked(X))

    def fit(self, X: npt.ArrayLike, y: None = None, *, neighbours: Neighbours | None = None) -> Self:  # noqa: ARG002
        """Lays out the rows of ``X`` (n, d); see `fit_transform`."""
        import umap  # takes seconds

        values = self._checked(X)
        given = self._neighbours(values) if neighbours is None else neighbours
        expected = (len(values), self._count(values))
        if given.rows.shape != expected:
            raise ValueError(f"Neighbours of this table must have the shape {expected}; got {given.rows.shape}.")
        if expected[1] < self.n_neighbors:
            warnings.warn(
                f"n_neighbors={self.n_neighbors} is more than {len(values)} rows have; all others are taken.",
                stacklevel=2,
            )
        layout = umap.UMAP(
            n_components=self.n_components,
            n_neighbors=expected[1],
            min_dist=self.min_dist,
            metric=self.metric,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
            precomputed_knn=(given.rows.copy(), given.distances.copy()),  # it marks those at infinity in place
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")  # only `transform` would need an index
            self.embedding_ = layout.fit_transform(values)
        return self

    def fit_transform(
        self,
        X: npt.ArrayLike,
        y: None = None,  # noqa: ARG002
        *,
        neighbours: Neighbours | None = None,
    ) -> npt.NDArray[np.float32]:
        """The rows of ``X`` (n, d) laid out in (n, n_components), from ``neighbours``; without, from its own.

        Raises:
            ValueError: as `neighbours`; or those given are of another table, or umap-learn refuses a parameter.
        """
        embedding: npt.NDArray[np.float32] = self.fit(X, neighbours=neighbours).embedding_
        return embedding

    def _checked(self, X: npt.ArrayLike) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = validate_data(self, X, dtype=np.float32, order="C", ensure_min_samples=3)
        return values

    def _count(self, values: npt.NDArray[np.float32]) -> int:
        return min(self.n_neighbors, len(values) - 1)

    def _neighbours(self, values: npt.NDArray[np.float32]) -> Neighbours:
        from umap.distances import named_distances
        from umap.umap_ import nearest_neighbors

        if self.metric not in named_distances:
            raise ValueError(f"metric must be one of {', '.join(sorted(named_distances))}; got {self.metric!r}.")
        table, metric = values, self.metric
        if len(values) < _EXACT_BELOW:
            # umap-learn's own function: another's last bits would make another embedding
            table, metric = pairwise_distances(values, metric=named_distances[metric]), "precomputed"
        random_state = check_random_state(self.random_state)
        rows, distances, _ = nearest_neighbors(
            table, self._count(values), metric, {}, False, random_state, n_jobs=self.n_jobs
        )
        return Neighbours(np.asarray(rows, dtype=np.int32), np.asarray(distances, dtype=np.float32))
