"""One candidate: scale, reduce, cluster over the whole path, score in the reference space and in the embedding."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from aisle import scores
from aisle.clusterers.path import PathClusterer
from aisle.features.table import FeatureTable
from aisle.kernels.moments import moments
from aisle.kernels.silhouette import silhouette_samples
from aisle.kernels.threads import one_thread
from aisle.partition import PartitionPath
from aisle.reducers.neighbours import NeighbourReducer, Neighbours

Scores = dict[str, float]
NeighboursOf = Callable[[NeighbourReducer, npt.NDArray[np.float64]], Neighbours]
"""Finds or computes what ``reducer.neighbours(values)`` gives."""
REFERENCE = "features"
"""The name of the reference space."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """Customers in the space they are clustered in: ``values`` (n, d) on the customers' index; ``space`` names it.

    ``warnings`` are those its libraries gave while it was made.
    """

    values: pd.DataFrame
    space: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted candidate: its path, the scores of each tuning value, and the warnings given on the way to them."""

    path: PartitionPath
    scores: dict[float, Scores]
    warnings: tuple[str, ...]


def seeded(estimator: Any, seed: int) -> Any:
    """A clone in which every ``random_state`` is ``seed``, at any depth."""
    copy = clone(estimator)
    states = [name for name in copy.get_params() if name == "random_state" or name.endswith("__random_state")]
    return copy.set_params(**dict.fromkeys(states, seed))


def _computed(reducer: NeighbourReducer, values: npt.NDArray[np.float64]) -> Neighbours:
    return reducer.neighbours(values)


def embed(
    features: FeatureTable, *, scaler: Any, reducer: Any, seed: int, neighbours_of: NeighboursOf = _computed
) -> Embedding:
    """Customers scaled and reduced. The result does not depend on the order of the rows nor on their names.

    A reducer that begins with nearest neighbours is given those that ``neighbours_of`` has for its input.

    Raises:
        ValueError: every feature is constant, or the reducer cannot work with so few customers.
    """
    ordered = features.varying().in_value_order().values
    with _quiet() as said, one_thread():
        scaled = seeded(scaler, seed).fit_transform(ordered.to_numpy())
        reducer = seeded(reducer, seed)
        if isinstance(reducer, NeighbourReducer):
            reduced = reducer.fit_transform(scaled, neighbours=neighbours_of(reducer, scaled))
        else:
            reduced = reducer.fit_transform(scaled)
    columns = [f"axis_{number}" for number in range(reduced.shape[1])]
    values = pd.DataFrame(np.asarray(reduced, dtype=np.float64), index=ordered.index, columns=columns)
    return Embedding(values, "embedding", _sentences(said))


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """What libraries warn of is collected, every time, and not shown."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said


def _sentences(said: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(sorted({f"{note.category.__name__}: {note.message}" for note in said}))


def reference_space(features: FeatureTable) -> pd.DataFrame:
    """Customers in the reference space, in value order: the block's varying columns standardised, for Euclidean scores.

    Silhouettes of different spaces cannot be compared, so all candidates of a block are scored in this one, whatever
    their own scaler and reducer.
    """
    values = features.varying().in_value_order().values  # means are sums, and sums depend on the order of rows
    standard = StandardScaler().fit_transform(values.to_numpy())
    return pd.DataFrame(standard, index=values.index, columns=values.columns)


def partitions(embedding: Embedding, *, clusterer: PathClusterer, seed: int) -> tuple[PartitionPath, tuple[str, ...]]:
    """All partitions of the path, and the warnings given on the way.

    Raises:
        ValueError: there are fewer customers than the tuning values need, or the clusterer refuses its input.
    """
    needed = clusterer.minimum_customers
    if len(embedding.values) < needed:
        raise ValueError(
            f"At least {needed} customers are needed for these tuning values; got {len(embedding.values)}."
        )
    with _quiet() as said, one_thread():
        path = seeded(clusterer, seed).fit_path(embedding.values)
    return path, _sentences(said)


def fit(features: FeatureTable, embedding: Embedding, *, clusterer: PathClusterer, seed: int) -> Candidate:
    """All partitions of the path and their scores.

    Raises:
        ValueError: there are fewer customers than the tuning values need, or the clusterer refuses its input.
    """
    path, said = partitions(embedding, clusterer=clusterer, seed=seed)
    spaces = {
        REFERENCE: reference_space(features).loc[embedding.values.index].to_numpy(),
        "embedding": embedding.values.to_numpy(),
    }
    labelings = np.array([partition.labels for partition in path.partitions.values()], dtype=np.int64)
    scored = dict(zip(path.partitions, score(labelings, spaces), strict=True))
    return Candidate(path, scored, tuple(sorted({*embedding.warnings, *said})))


def score(labelings: npt.NDArray[np.int64], spaces: Mapping[str, npt.NDArray[np.float64]]) -> list[Scores]:
    """Every score of each partition ``labelings`` (m, n); ``spaces`` maps the names of spaces to values (n, d).

    Silhouettes are taken in all spaces, the scores that compare spreads in the reference space alone.
    """
    found: list[Scores] = [
        {
            "n_clusters": float(np.unique(labels[labels >= 0]).size),
            "coverage": scores.coverage(labels),
            "balance": scores.balance(labels),
            "smallest_share": scores.smallest_share(labels),
        }
        for labels in labelings
    ]
    for space, values in spaces.items():
        for one, samples in zip(found, silhouette_samples(values, labelings, metric="euclidean"), strict=True):
            one[f"{space}/silhouette"] = scores.silhouette(samples)
            one[f"{space}/ranking_score"] = scores.ranking_score(samples)
    clusters = moments(spaces[REFERENCE], labelings)
    spreads = {
        "calinski_harabasz": clusters.calinski_harabasz(),
        "davies_bouldin": clusters.davies_bouldin(),
        "inertia": clusters.inertia(),
    }
    for name, each in spreads.items():
        for one, value in zip(found, each.tolist(), strict=True):
            one[f"{REFERENCE}/{name}"] = value
    return found
