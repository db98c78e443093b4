"""One candidate: scale, reduce, cluster over the whole path, score in the reference space and in the embedding."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from aisle import scores
from aisle.clusterers.path import PathClusterer
from aisle.features.table import FeatureTable
from aisle.partition import PartitionPath

Scores = dict[str, float]


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


def embed(features: FeatureTable, *, scaler: Any, reducer: Any, seed: int) -> Embedding:
    """Customers scaled and reduced. The result does not depend on the order of the rows nor on their names.

    Raises:
        ValueError: every feature is constant, or the reducer cannot work with so few customers.
    """
    ordered = features.varying().in_value_order().values
    with _quiet() as said, threadpool_limits(limits=1):
        scaled = seeded(scaler, seed).fit_transform(ordered.to_numpy())
        reduced = seeded(reducer, seed).fit_transform(scaled)
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


def reference_distances(features: FeatureTable) -> pd.DataFrame:
    """Euclidean distances in the reference space, (n, n): the block's columns standardised.

    Silhouettes of different spaces cannot be compared, so all candidates of a block are scored in this one, whatever
    their own scaler and reducer.
    """
    values = features.varying().in_value_order().values  # means are sums, and sums depend on the order of rows
    with threadpool_limits(limits=1):
        distances = pairwise_distances(StandardScaler().fit_transform(values.to_numpy()))
    np.fill_diagonal(distances, 0.0)
    return pd.DataFrame(distances, index=values.index, columns=values.index)


def fit(features: FeatureTable, embedding: Embedding, *, clusterer: PathClusterer, seed: int) -> Candidate:
    """All partitions of the path and their scores.

    Raises:
        ValueError: there are fewer customers than the tuning values need, or the clusterer refuses its input.
    """
    needed = clusterer.minimum_customers
    if len(embedding.values) < needed:
        raise ValueError(
            f"At least {needed} customers are needed for these tuning values; got {len(embedding.values)}."
        )
    with _quiet() as said, threadpool_limits(limits=1):
        path = seeded(clusterer, seed).fit_path(embedding.values)
        own = pairwise_distances(embedding.values.to_numpy())
    np.fill_diagonal(own, 0.0)
    spaces = {
        "features": reference_distances(features).loc[embedding.values.index, embedding.values.index].to_numpy(),
        "embedding": own,
    }
    scored = {value: score(partition.labels.to_numpy(), spaces) for value, partition in path.partitions.items()}
    return Candidate(path, scored, tuple(sorted({*embedding.warnings, *_sentences(said)})))


def score(labels: npt.NDArray[np.int64], spaces: dict[str, npt.NDArray[np.float64]]) -> Scores:
    """Every score of one partition; ``spaces`` maps a space's name to its distances (n, n)."""
    found: Scores = {
        "n_clusters": float(np.unique(labels[labels >= 0]).size),
        "coverage": scores.coverage(labels),
        "balance": scores.balance(labels),
        "smallest_share": scores.smallest_share(labels),
    }
    for space, distances in spaces.items():
        samples = scores.silhouette_samples(distances, labels)
        found[f"{space}/silhouette"] = scores.silhouette(samples)
        found[f"{space}/ranking_score"] = scores.ranking_score(samples)
    return found
