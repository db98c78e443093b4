"""A row of the table of silhouettes, nulls and valleys: what every measure says of one feature table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from aisle import scores
from aisle.calibration.trial import contenders_of, plain
from aisle.candidate import embed
from aisle.clusterers.path import PathClusterer
from aisle.evidence.classes import Thresholds, class_of
from aisle.evidence.dossier import Effort, Family
from aisle.evidence.examination import examine
from aisle.evidence.resamples import Pipelines
from aisle.features.table import FeatureTable
from aisle.kernels.silhouette import silhouette_samples


def portrait(
    features: FeatureTable,
    *,
    scaler: Any,
    reducer: Any,
    clusterer: PathClusterer,
    effort: Effort,
    thresholds: Thresholds,
    floor: float,
    seed: int,
) -> list[dict[str, Any]]:
    """A row per tuning value: silhouette in its own space, ranking score, null mean and z, valley p, class.

    The silhouette is in the space that was clustered, everything else in the reference space. All splits and null
    draws are spent on every partition.
    """
    pipelines = Pipelines(scaler, reducer, {"": clusterer}, seed)
    contenders = contenders_of(pipelines.cluster(features), pipelines.clusterers, floor)
    thorough = replace(effort, screening=effort.splits)
    lenient = replace(thresholds, constructive=0.0)  # whoever has two clusters is compared with the null
    family = Family(pipelines, contenders)
    dossier = examine(features, [family], effort=thorough, thresholds=lenient, seed=seed, run=_in_turn)
    embedding = embed(features, scaler=scaler, reducer=reducer, seed=seed).values.loc[features.values.index]
    samples = silhouette_samples(embedding.to_numpy(), contenders[0].labelings, metric="euclidean")
    names = ("n_clusters", "ranking_score", "null_mean", "null_z", "null_p", "valley_p")
    return [
        {
            "silhouette": plain(scores.silhouette(own)),
            **{name: plain(row[name]) for name in names},
            "class": class_of(row, thresholds),  # type: ignore[arg-type]  # of the declared thresholds
        }
        for own, row in zip(samples, dossier.measures.to_dict("records"), strict=True)
    ]


def _in_turn(_: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
    return (task() for task in tasks)
