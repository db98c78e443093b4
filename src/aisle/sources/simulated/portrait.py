"""The portrait a simulation must resemble: named statistics of the real data, and how far off is allowed.

The values are those of the real 5,000-customer cut (see `parameters`); `measures.measure` takes them from any canonical
tables. Tolerances allow for the chance in some thousand customers, most of whose spend comes from a few hundred.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Statistic:
    """Real values by label; off by at most ``absolute`` plus ``relative`` times the value is allowed."""

    name: str
    values: Mapping[str, float]
    relative: float = 0.0
    absolute: float = 0.0

    def misses(self, measured: Mapping[str, float]) -> list[str]:
        """One phrase for every value that is further off than allowed."""
        return [
            f"{label}: {measured[label]:.4g} instead of {value:.4g}"
            for label, value in self.values.items()
            if not abs(measured[label] - value) <= self.absolute + self.relative * abs(value)
        ]


STATISTICS = (
    Statistic(
        "baskets per customer",
        {"mean": 75.7, "p25": 6, "p50": 39, "p75": 111, "p90": 195, "p95": 265, "one basket (%)": 12.7},
        relative=0.10,
        absolute=1,
    ),
    Statistic(
        "lines per basket",
        {"mean": 6.41, "log mean": 1.390, "log sd": 0.980, "p50": 4, "p95": 21, "p99": 30}
        | {"1": 0.193, "2": 0.157, "3": 0.117, "4": 0.085, "5": 0.066},
        relative=0.06,
    ),
    Statistic(
        "spend per basket",
        {"mean": 12.21, "p10": 1.03, "p25": 2.46, "p50": 6.48, "p75": 16.16, "p90": 31.37, "p95": 42.61, "p99": 68.83}
        | {"log mean": 1.776, "log sd": 1.365},
        relative=0.10,
    ),
    Statistic(
        "gaps between visits",
        {"1": 0.200, "2": 0.149, "3": 0.113, "4": 0.088, "5": 0.071, "6": 0.058, "7": 0.047, "2 baskets a day": 0.108}
        | {"p50": 4, "mean": 8.5},
        relative=0.12,
    ),
    Statistic(
        "kinds of basket",
        {"S": 0.262, "M": 0.404, "L": 0.334, "Small Shop": 0.552, "Top Up": 0.328, "Full Shop": 0.107}
        | {"Fresh": 0.508, "Grocery": 0.189, "Mixed": 0.239, "Nonfood": 0.052, "undefined": 0.0129}
        | {"LA": 0.229, "MM": 0.512, "UM": 0.241, "XX": 0.0185, "no card": 0.205},
        relative=0.06,
        absolute=0.006,
    ),
    Statistic(
        "store formats",
        {"LS": 0.580, "MS": 0.251, "SS": 0.098, "XLS": 0.071}
        | {"stores LS": 0.434, "stores MS": 0.310, "stores SS": 0.219, "stores XLS": 0.037},
        absolute=0.03,
    ),
    Statistic(
        "hours",
        {"8": 0.0597, "9": 0.0410, "10": 0.0551, "11": 0.0703, "12": 0.0812, "13": 0.0897, "14": 0.0909}
        | {"15": 0.0887, "16": 0.0846, "17": 0.0771, "18": 0.0694, "19": 0.0586, "20": 0.0478, "21": 0.0857},
        absolute=0.01,
    ),
    Statistic(
        "lifestages",
        {"YA": 0.126, "OA": 0.101, "YF": 0.111, "OF": 0.033, "PE": 0.069, "OT": 0.455, "none": 0.104}
        | {"LA": 0.237, "MM": 0.377, "UM": 0.261, "XX": 0.125},
        absolute=0.025,
    ),
    Statistic(
        "popularity of products",
        {"top 10": 0.101, "top 50": 0.192, "top 100": 0.252, "top 500": 0.469, "top 1000": 0.611, "top 2500": 0.840},
        relative=0.06,
        absolute=0.005,
    ),
    Statistic(
        "prices",
        {"p05": 0.28, "p25": 0.71, "p50": 1.19, "p75": 1.96, "p95": 4.44, "log sd": 0.914}
        | {"spend per line": 1.90, "items per line": 1.50, "one item": 0.823, "three items": 0.134, "by weight": 0.106},
        relative=0.12,
    ),
)
"""What a simulation must have in common with the real data."""

FLAT = (
    Statistic("weekdays", {"rarest": 0.1424, "commonest": 0.1431, "spend ratio": 1.012}, absolute=0.02),
    Statistic("regions", {"eta2 spend": 0.0006}, absolute=0.0025),
    Statistic("trend", {"last against first quarter": 1.03}, absolute=0.07),
    Statistic("festivals", {"25 December": 0.70, "1 January": 0.88}, absolute=0.05),
    Statistic(
        "what lifestage explains",
        {"log baskets": 0.11, "log spend": 0.09, "log mean spend": 0.05, "log mean lines": 0.045, "Fresh": 0.009}
        | {"LA": 0.007, "UM": 0.017, "LS": 0.002},
        absolute=0.035,
    ),
    Statistic(
        "what price sensitivity explains",
        {"log baskets": 0.001, "log spend": 0.004, "log mean spend": 0.005, "log mean lines": 0.001, "LS": 0.0}
        | {"LA": 0.44, "UM": 0.41, "Fresh": 0.038},
        relative=0.2,
        absolute=0.015,
    ),
)
"""Where there is nothing to be found, or little: a simulation must not invent it."""

CONTINUUM = Statistic("silhouette of k-means", {"2": 0.177, "3": 0.118, "4": 0.098}, absolute=0.04)
"""By the number of clusters, on the standardised habits of customers with ten baskets and more: one cloud."""
