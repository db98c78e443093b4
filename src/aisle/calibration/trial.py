"""One draw of a population, examined as the study's evidence examines a lifestage."""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aisle import scores
from aisle.calibration.populations import Population, shares_of
from aisle.candidate import embed
from aisle.clusterers.path import PathClusterer
from aisle.evidence.classes import SEPARATED, Thresholds, class_of
from aisle.evidence.dossier import Contender, Dossier, Effort, Family
from aisle.evidence.examination import examine
from aisle.evidence.resamples import Pipelines
from aisle.features.table import FeatureTable
from aisle.kernels.silhouette import silhouette_samples

_RECORDED = ("n_clusters", "valley_p", "null_p", "null_draws", "splits", "failed_splits", "failed_draws")


@dataclass(frozen=True, eq=False)
class Cell:
    """A population behind a scaler and a reducer, and the clusterers behind both.

    In every ``null_every``-th draw (0: in none) every method's silhouette is compared with the null; in the others only
    what may be separated is. ``counted``: whether its rejections are held to the level, or only reported.
    """

    population: str
    reduction: str
    drawn_from: Population
    scaler: Any
    reducer: Any
    clusterers: Mapping[str, PathClusterer]
    draws: int
    null_every: int = 0
    counted: bool = True

    @property
    def name(self) -> str:
        return f"{self.population}-{self.reduction}"


def trial(cell: Cell, number: int, *, effort: Effort, thresholds: Thresholds, floor: float) -> list[dict[str, Any]]:
    """Draw ``number`` of a cell: a row per clusterer and tuning value, with its measures and whether it is separated.

    ``eligible``: each segment holds at least ``floor`` of the customers. A clusterer that fails on the draw has one row
    with the sentence of its failure as ``error``.
    """
    features = cell.drawn_from.draw([zlib.crc32(cell.population.encode()), number])
    pipelines = Pipelines(cell.scaler, cell.reducer, cell.clusterers, seed=number)
    found = pipelines.cluster(features)
    failed = [
        {"draw": number, "clusterer": name, "error": labels}
        for name, labels in found.items()
        if isinstance(labels, str)
    ]
    with_null = cell.null_every > 0 and number % cell.null_every == cell.null_every - 1
    if with_null:  # then whoever has two clusters is worth comparing, whatever else speaks against it
        thresholds = replace(thresholds, constructive=0.0)
    asked = replace(effort, screening=effort.splits if with_null else effort.screening, only_separated=not with_null)
    contenders = contenders_of(found, cell.clusterers, floor)
    if not contenders:
        return failed
    dossier = examined(features, pipelines, contenders, effort=asked, thresholds=thresholds, seed=number)
    return [*failed, *_rows(number, dossier, with_null)]


def contenders_of(
    found: Mapping[str, Any], clusterers: Mapping[str, PathClusterer], floor: float
) -> tuple[Contender, ...]:
    """Every clusterer that gave partitions, its tuning values numbered in their order."""
    return tuple(
        Contender(
            name,
            name,
            tuple(float(value) for value in tuning(clusterers[name])),
            labels,
            np.array([_eligible(shares_of(row), floor) for row in labels]),
        )
        for name, labels in found.items()
        if not isinstance(labels, str)
    )


def tuning(clusterer: PathClusterer) -> Sequence[float]:
    """The tuning values of a path clusterer: its only parameter that is a list."""
    parameters = clusterer.get_params(deep=False)  # type: ignore[attr-defined]  # every one is an estimator
    (values,) = [value for value in parameters.values() if isinstance(value, Sequence) and not isinstance(value, str)]
    return list(values)


def _eligible(shares: Sequence[float], floor: float) -> bool:
    return len(shares) > 1 and min(shares) >= floor


def examined(
    features: FeatureTable,
    pipelines: Pipelines,
    contenders: tuple[Contender, ...],
    *,
    effort: Effort,
    thresholds: Thresholds,
    seed: int,
) -> Dossier:
    """`aisle.evidence.examine`, one task after the other: the parallel work is over draws."""
    used = {one.key: pipelines.clusterers[one.key] for one in contenders}
    family = Family(replace(pipelines, clusterers=used), contenders)
    return examine(features, [family], effort=effort, thresholds=thresholds, seed=seed, run=_in_turn)


def _in_turn(_: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
    return (task() for task in tasks)


def _rows(number: int, dossier: Dossier, with_null: bool) -> list[dict[str, Any]]:
    return [
        {
            "draw": number,
            "clusterer": str(row["candidate_key"]),
            "tuning_value": float(row["tuning_value"]),
            "eligible": bool(row["eligible"]),
            "with_null": with_null,
            **{name: _plain(row[name]) for name in _RECORDED},
            "separated": row["class"] == SEPARATED,
        }
        for row in dossier.measures.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN, no numbers of numpy."""
    if isinstance(value, str):
        return value
    return None if np.isnan(value) else (int(value) if isinstance(value, int | np.integer) else float(value))


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
    thorough = replace(effort, screening=effort.splits, only_separated=False)
    lenient = replace(thresholds, constructive=0.0)
    dossier = examined(features, pipelines, contenders, effort=thorough, thresholds=lenient, seed=seed)
    embedding = embed(features, scaler=scaler, reducer=reducer, seed=seed).values.loc[features.values.index]
    samples = silhouette_samples(embedding.to_numpy(), contenders[0].labelings, metric="euclidean")
    names = ("n_clusters", "ranking_score", "null_mean", "null_z", "null_p", "valley_p")
    return [
        {
            "silhouette": _plain(scores.silhouette(own)),
            **{name: _plain(row[name]) for name in names},
            "class": class_of(row, thresholds),  # type: ignore[arg-type]  # of the declared thresholds
        }
        for own, row in zip(samples, dossier.measures.to_dict("records"), strict=True)
    ]
