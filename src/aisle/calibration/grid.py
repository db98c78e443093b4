"""The declared grid of a calibration: which populations, behind which reductions, how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aisle.calibration.populations import Copula, Planted, Population
from aisle.calibration.trial import Cell
from aisle.clusterers.path import PathClusterer
from aisle.evidence.dossier import FIRST_DRAWS
from aisle.features.table import FeatureTable

_MOST_OBSERVED = 1000


@dataclass(frozen=True, eq=False)
class Reduction:
    """A reducer and how often it is tried: ``draws`` of each population.

    In every ``null_every``-th of them (0: in none) the silhouettes of all methods are compared with the null.
    ``customers``: how many are drawn, where that is to be fewer than the population says; None leaves it.
    """

    reducer: Any
    draws: int
    null_every: int = 0
    customers: int | None = None

    def __post_init__(self) -> None:
        if self.draws < 1 or self.null_every < 0:
            raise ValueError(
                f"Draws must be at least 1 and null_every at least 0; got {self.draws} and {self.null_every}."
            )


@dataclass(frozen=True, eq=False)
class Cloud:
    """A population without clusters, and the names of the reductions it is sent through (None: all).

    ``counted``: whether its rejections are held to the level; those of a stated limit are only reported.
    """

    population: Population
    counted: bool = True
    reductions: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class PlantedGrid:
    """Every ``shapes`` (shares of the segments, by name) at every distance ``apart`` and number of ``customers``.

    ``null_draws``: of how many draws their null is. As few as 20 give a test at the level 1/21: it rejects where none
    of them scores as high, and what is far apart needs no more of them to be told from the null.
    """

    columns: int
    shapes: Mapping[str, Sequence[float]]
    apart: Sequence[float]
    customers: Sequence[int]
    draws: int
    null_draws: int

    def __post_init__(self) -> None:
        if self.draws < 1 or self.null_draws < FIRST_DRAWS:
            raise ValueError(
                f"Planted segments need at least 1 draw and {FIRST_DRAWS} null draws; got {self.draws} and "
                f"{self.null_draws}."
            )


def cloud_cells(
    clouds: Mapping[str, Cloud],
    reductions: Mapping[str, Reduction],
    *,
    scaler: Any,
    clusterers: Mapping[str, PathClusterer],
) -> list[Cell]:
    """Every cloud behind every reduction it is sent through.

    Raises:
        ValueError: a cloud names a reduction that is not there.
    """
    cells = []
    for name, cloud in clouds.items():
        for chosen in reductions if cloud.reductions is None else cloud.reductions:
            if chosen not in reductions:
                raise ValueError(f"Reductions of {name} must be among {list(reductions)}; got {chosen!r}.")
            reduction = reductions[chosen]
            population: Any = cloud.population
            if reduction.customers is not None and reduction.customers < population.customers:
                population = replace(population, customers=reduction.customers)
            cells.append(
                Cell(
                    name,
                    chosen,
                    population,
                    scaler,
                    reduction.reducer,
                    clusterers,
                    reduction.draws,
                    null_every=reduction.null_every,
                    counted=cloud.counted,
                )
            )
    return cells


def planted_cells(
    grid: PlantedGrid, *, scaler: Any, reducer: Any, clusterers: Mapping[str, PathClusterer]
) -> list[Cell]:
    """One cell per shape, distance and number of customers, without a reduction."""
    return [
        Cell(
            f"{shape}-{apart:g}sd-{customers}",
            "none",
            Planted(customers, grid.columns, tuple(shares), apart),
            scaler,
            reducer,
            clusterers,
            grid.draws,
            null_draws=grid.null_draws,
            counted=False,
        )
        for customers in grid.customers
        for apart in grid.apart
        for shape, shares in grid.shapes.items()
    ]


def observed_clouds(tables: Mapping[str, FeatureTable]) -> dict[str, Cloud]:
    """Copulas of observed features, by the name of their source, of at most 1,000 customers."""
    return {
        f"copula of {name}": Cloud(Copula(min(_MOST_OBSERVED, len(table.values)), table))
        for name, table in tables.items()
    }


def rounds(cells: Sequence[Cell]) -> list[tuple[Cell, int]]:
    """Every draw of every cell, so ordered that all cells have about the same share of theirs at any time."""
    draws = [
        ((number + 0.5) / cell.draws, place, number) for place, cell in enumerate(cells) for number in range(cell.draws)
    ]
    return [(cells[place], number) for _, place, number in sorted(draws)]
