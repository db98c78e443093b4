"""One draw of a population: what the study's evidence says of it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aisle.calibration.deciding import Decision, decide
from aisle.calibration.populations import Population, shares_of
from aisle.clusterers.path import PathClusterer
from aisle.evidence.classes import Thresholds
from aisle.evidence.dossier import Contender, Effort
from aisle.evidence.resamples import Pipelines


@dataclass(frozen=True, eq=False)
class Cell:
    """A population behind a scaler and a reducer, and the clusterers behind both.

    In every ``null_every``-th draw (0: in none) every method's silhouette is compared with the null; in the others only
    what may be separated is. ``null_draws``: of how many draws the null is (None: as the effort says). ``counted``:
    whether its rejections are held to the level, or only reported.
    """

    population: str
    reduction: str
    drawn_from: Population
    scaler: Any
    reducer: Any
    clusterers: Mapping[str, PathClusterer]
    draws: int
    null_every: int = 0
    null_draws: int | None = None
    counted: bool = True

    @property
    def name(self) -> str:
        return f"{self.population}-{self.reduction}"


def trial(cell: Cell, number: int, *, effort: Effort, thresholds: Thresholds, floor: float) -> list[dict[str, Any]]:
    """Draw ``number`` of a cell: a row per clusterer and tuning value, with what was decided about its partition.

    ``eligible``: each segment holds at least ``floor`` of the customers. Of planted segments only eligible partitions
    are looked at: others cannot be found. A clusterer that fails on the draw has one row with the sentence of its
    failure as ``error``.
    """
    features = cell.drawn_from.draw([zlib.crc32(cell.population.encode()), number])
    pipelines = Pipelines(cell.scaler, cell.reducer, cell.clusterers, seed=number)
    found = pipelines.cluster(features)
    failed = [
        {"draw": number, "clusterer": name, "error": labels}
        for name, labels in found.items()
        if isinstance(labels, str)
    ]
    decisions = decide(
        features,
        pipelines,
        contenders_of(found, cell.clusterers, floor),
        effort=effort if cell.null_draws is None else replace(effort, null_draws=cell.null_draws),
        thresholds=thresholds,
        only_eligible=cell.drawn_from.segments > 0,
        compared=cell.null_every > 0 and number % cell.null_every == cell.null_every - 1,
    )
    return [*failed, *(_row(number, one) for one in decisions)]


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


def _row(number: int, one: Decision) -> dict[str, Any]:
    return {
        "draw": number,
        "clusterer": one.contender.key,
        "tuning_value": one.contender.values[one.place],
        "n_clusters": one.clusters,
        "eligible": one.eligible,
        "valley": bool(one.valley),
        "null": one.null,
        "separated": one.separated,
        "splits": one.splits,
        "failed_splits": int(one.failed_splits),
        "null_draws": one.null_draws,
        "failed_draws": int(one.failed_draws),
    }


def plain(value: Any) -> Any:
    """As JSON has it: no NaN, no numbers of numpy."""
    if isinstance(value, str):
        return value
    return None if np.isnan(value) else (int(value) if isinstance(value, int | np.integer) else float(value))
