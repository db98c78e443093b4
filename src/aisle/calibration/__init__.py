"""Does the verdict stay silent where there are no clusters, and speak where there are? Data whose truth is known."""

from aisle.calibration.grid import Cloud, PlantedGrid, Reduction
from aisle.calibration.page import entry, page
from aisle.calibration.populations import (
    Band,
    Copula,
    Dirichlet,
    Lognormal,
    LongAxis,
    Normal,
    NormalsAndLevels,
    Planted,
    Population,
    shares_of,
)
from aisle.calibration.portrait import portrait
from aisle.calibration.rates import Summary, records, summarised
from aisle.calibration.trial import Cell, trial

__all__ = [
    "Band",
    "Cell",
    "Cloud",
    "Copula",
    "Dirichlet",
    "Lognormal",
    "LongAxis",
    "Normal",
    "NormalsAndLevels",
    "Planted",
    "PlantedGrid",
    "Population",
    "Reduction",
    "Summary",
    "entry",
    "page",
    "portrait",
    "records",
    "shares_of",
    "summarised",
    "trial",
]
