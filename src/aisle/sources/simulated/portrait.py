"""The portrait a simulation must resemble: named statistics of the real data, how far off is allowed, and their measurement.

The values are those of the real 5,000-customer cut, which lacks four of its 117 weeks; `measure` leaves the same weeks
out. Tolerances allow for the chance in some thousand customers: a real sample of them would differ as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aisle.sources.simulated.parameters import FIRST_DAY
from aisle.tables import BASKET_SIZES, BASKET_TYPES, LIFESTAGES, MISSIONS, PRICE_SENSITIVITIES, STORE_FORMATS, UNDEFINED

ABSENT_WEEKS = (1, 36, 48, 88)
"""200608, 200643, 200703 and 200743, counted from 0: weeks the real data does not have."""

Values = Mapping[str, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """Measured values by label, and the error allowed: ``absolute`` plus ``relative`` times the value."""

    name: str
    values: Values
    relative: float = 0.0
    absolute: float = 0.0

    def misses(self, measured: Values) -> list[str]:
        """One sentence for every value that is further off than allowed."""
        return [
            f"{self.name} {label}: {measured[label]:.4g} instead of {value:.4g}"
            for label, value in self.values.items()
            if not abs(measured[label] - value) <= self.absolute + self.relative * abs(value)
        ]


STATISTICS = (
    Statistic(
        "baskets per customer",
        {"mean": 75.7, "p25": 6, "p50": 39, "p75": 111, "p90": 195, "p95": 265},
        relative=0.08,
        absolute=1,
    ),
    Statistic("customers with one basket", {"share": 0.127}, absolute=0.015),
    Statistic(
        "lines per basket",
        {"mean": 6.41, "p50": 4, "p75": 9, "p95": 21, "p99": 30, "log mean": 1.390, "log sd": 0.980},
        relative=0.05,
    ),
    Statistic("baskets by lines", {"1": 0.193, "2": 0.157, "3": 0.117, "4": 0.085, "5": 0.066}, absolute=0.012),
    Statistic(
        "spend per basket",
        {"mean": 12.21, "p05": 0.66, "p25": 2.46, "p50": 6.48, "p75": 16.16, "p90": 31.37, "p95": 42.61, "p99": 68.83},
        relative=0.1,
    ),
)
