"""The whole pipeline on resamples: halves of the customers and null draws, the same for every measure and clusterer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.candidate import embed, partitions, reference_space
from aisle.clusterers.path import PathClusterer
from aisle.evidence.gap_statistic import Spread, spread
from aisle.evidence.null import Null
from aisle.features.table import FeatureTable
from aisle.kernels.silhouette import silhouette_samples
from aisle.kernels.threads import one_thread
from aisle.scores import ranking_score

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Found = Mapping[str, "Labels | str"]
"""Of each clusterer the labels (m, n) of its m tuning values, or the sentence of why it gave none."""


@dataclass(frozen=True, eq=False)
class Pipelines:
    """Clusterers, by name, that share a scaler and a reducer, and therefore every embedding."""

    scaler: Any
    reducer: Any
    clusterers: Mapping[str, PathClusterer]
    seed: int

    def cluster(self, features: FeatureTable) -> Found:
        """Labels of each clusterer's tuning values, customers in the order of ``features``; a failure is a sentence."""
        try:
            embedding = embed(features, scaler=self.scaler, reducer=self.reducer, seed=self.seed)
        except Exception as error:  # told and counted: one resample must not end the evidence of all
            return dict.fromkeys(self.clusterers, _sentence(error))
        found: dict[str, Labels | str] = {}
        for name, clusterer in self.clusterers.items():
            try:
                path = partitions(embedding, clusterer=clusterer, seed=self.seed)[0]
            except Exception as error:
                found[name] = _sentence(error)
                continue
            labels = pd.DataFrame({place: part.labels for place, part in enumerate(path.partitions.values())})
            found[name] = labels.loc[features.values.index].to_numpy(dtype=np.int64).T
        return found


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@dataclass(frozen=True, eq=False)
class Split:
    """Two halves of the customers, as places in the feature table, and the partitions of each."""

    places: tuple[Labels, Labels]
    found: tuple[Found, Found]


def halves(customers: int, *, number: int, seed: int) -> tuple[Labels, Labels]:
    """Places of the two random halves of split ``number``, each ascending; the same for a seed."""
    order = np.random.default_rng([seed, number]).permutation(customers)
    return np.sort(order[: customers // 2]), np.sort(order[customers // 2 :])


def split(features: FeatureTable, pipelines: Pipelines, *, number: int) -> Split:
    """Both halves of split ``number``, each sent through the pipelines by itself."""
    places = halves(len(features.values), number=number, seed=pipelines.seed)
    first, second = (pipelines.cluster(customers_at(features, half)) for half in places)
    return Split(places, (first, second))


def customers_at(features: FeatureTable, places: Labels) -> FeatureTable:
    """The customers at ``places`` of a feature table."""
    return FeatureTable(features.values.iloc[places], features.cohort.iloc[places])


@dataclass(frozen=True, eq=False)
class Drawn:
    """Of a null draw's m partitions the ranking scores (m,) and, if asked for, their spread, in its reference space."""

    scores: Values
    spread: Spread | None


def null_draw(null: Null, pipelines: Pipelines, *, number: int, with_spread: bool) -> Mapping[str, "Drawn | str"]:
    """What every clusterer makes of null draw ``number``; a failure is a sentence."""
    with one_thread():
        drawn = null.draw(number)
        space = reference_space(drawn).loc[drawn.values.index].to_numpy()
        return {
            name: labels
            if isinstance(labels, str)
            else Drawn(ranking_scores(space, labels), spread(space, labels) if with_spread else None)
            for name, labels in pipelines.cluster(drawn).items()
        }


def null_scores(null: Null, pipelines: Pipelines, *, number: int) -> Mapping[str, "Values | str"]:
    """Ranking scores (m,) of every clusterer's partitions of null draw ``number``, in the draw's reference space."""
    found = null_draw(null, pipelines, number=number, with_spread=False)
    return {name: one if isinstance(one, str) else one.scores for name, one in found.items()}


def ranking_scores(space: Values, labelings: Labels) -> Values:
    """Ranking scores (m,) of partitions (m, n) of the customers of ``space`` (n, d); see `aisle.scores`."""
    samples = silhouette_samples(space, labelings, metric="euclidean")
    return np.array([ranking_score(row) for row in samples])
