"""How often draws were rejected or found, with binomial intervals, and whether that is what was promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from scipy.stats import beta, binom

from aisle.calibration.trial import Cell

LEVEL: Final = 0.05
"""How often a valid test rejects what is not so; and the error of the judgement on the tests themselves."""
POWER: Final = 0.95
"""Share of the draws in which the planted number of segments must be found where the page promises so."""
TESTS: Final = {
    "valley": ("valley", "draws"),
    "valley, where there are clusters": ("valley", "clustered"),
    "null": ("null", "null_draws"),
}
"""What is pooled: the columns of its rejections and of its trials in `Summary.rejections`."""
PROMISED: Final = ("valley", "null")
"""Of these, what must not exceed `LEVEL`. The same customers decide whether there are clusters, so the rest may."""


def interval(found: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact confidence interval of a rate, in [0, 1] (Clopper & Pearson 1934); all of it without a trial.

    >>> [round(end, 3) for end in interval(0, 10)]
    [0.0, 0.308]
    """
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, found, trials - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, trials - found)) if found < trials else 1.0
    return low, high


def excess(rejected: int, trials: int, *, rate: float = LEVEL) -> float:
    """The one-sided p-value of so many rejections or more where each trial rejects with probability ``rate``."""
    return float(binom.sf(rejected - 1, trials, rate))


def most_allowed(trials: int, *, tests: int, rate: float = LEVEL, level: float = LEVEL) -> int:
    """The most rejections among ``trials`` that are no excess at ``level``, shared by ``tests`` (Bonferroni).

    >>> most_allowed(200, tests=1)
    15
    """
    return int(binom.isf(level / tests, trials, rate))


@dataclass(frozen=True, eq=False)
class Summary:
    """What all draws so far say.

    ``rejections``: a row per population, reduction, clusterer and tuning value, with draws done and asked for, and how
    often valley and null rejected and the class was separated. ``power``: a row per planted cell and clusterer ("any":
    all of them together), with how often the planted number of segments was found. ``pooled``: of `TESTS`, rejections,
    trials and the one-sided p-value over all counted tests. ``faults``: what broke a promise, in sentences. ``done`` of
    ``asked`` draws; ``failures``: clusterers, splits and null draws that failed.
    """

    rejections: pd.DataFrame
    power: pd.DataFrame
    pooled: Mapping[str, Mapping[str, float]]
    faults: tuple[str, ...]
    done: int
    asked: int
    failures: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Everything in plain values, from which `of_json` makes the same summary."""
        return {
            "done": self.done,
            "asked": self.asked,
            "failures": dict(self.failures),
            "faults": list(self.faults),
            "pooled": {name: dict(values) for name, values in self.pooled.items()},
            "rejections": records(self.rejections),
            "power": records(self.power),
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> "Summary":
        """The summary that `as_json` told; a KeyError where something is missing."""
        tables = {name: pd.DataFrame(told[name]) for name in ("rejections", "power")}
        return cls(
            **tables,
            pooled=told["pooled"],
            faults=tuple(told["faults"]),
            done=told["done"],
            asked=told["asked"],
            failures=told["failures"],
        )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table in plain values."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def summarised(rows: Mapping[str, Sequence[Mapping[str, Any]]], cells: Sequence[Cell]) -> Summary:
    """Everything found so far: ``rows`` are those of all trials, by the name of their cell.

    Draws that are missing are counted nowhere.
    """
    clouds = [cell for cell in cells if not cell.drawn_from.segments]
    rejections = pd.concat([_rejections(cell, rows.get(cell.name, ())) for cell in clouds], ignore_index=True)
    power = pd.concat(
        [pd.DataFrame(), *(_power(cell, rows.get(cell.name, ())) for cell in cells if cell.drawn_from.segments)],
        ignore_index=True,
    )
    counted = rejections[rejections["counted"]]
    pooled = {test: _pooled(counted, *columns) for test, columns in TESTS.items()}
    known = [{**row, "cell": name} for name, each in rows.items() for row in each]
    faults = (*_faults(counted, pooled), *_weak(power))
    done = sum(len({row["draw"] for row in each}) for each in rows.values())
    return Summary(rejections, power, pooled, faults, done, sum(cell.draws for cell in cells), _failures(known))


def _failures(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Splits and null draws of a clusterer serve all its tuning values: those of the one that saw most count."""
    once = pd.DataFrame([row for row in rows if "error" not in row])
    counted = {"clusterers": sum("error" in row for row in rows), "splits": 0, "null draws": 0}
    if not once.empty:
        most = once.groupby(["cell", "draw", "clusterer"])[["failed_splits", "failed_draws"]].max().sum()
        counted |= {"splits": int(most["failed_splits"]), "null draws": int(most["failed_draws"])}
    return counted


def _rejections(cell: Cell, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    found = []
    if "tuning_value" in table:
        for (clusterer, value), own in table.dropna(subset=["tuning_value"]).groupby(["clusterer", "tuning_value"]):
            nulls = own["null"].dropna().astype(bool)
            found.append(
                {
                    "clusterer": clusterer,
                    "tuning_value": value,
                    "draws": len(own),
                    "valley": int(own["valley"].astype(bool).sum()),
                    "null_draws": len(nulls),
                    "null": int(nulls.sum()),
                    "separated": int((own["separated"].astype(bool) & own["eligible"].astype(bool)).sum()),
                    "clustered": int((own["n_clusters"] > 1).sum()),
                }
            )
    columns = ["clusterer", "tuning_value", "draws", "valley", "null_draws", "null", "separated", "clustered"]
    told = pd.DataFrame(found, columns=columns)
    told.insert(0, "population", cell.population)
    told.insert(1, "reduction", cell.reduction)
    return told.assign(customers=cell.drawn_from.customers, asked=cell.draws, counted=cell.counted)


def _pooled(counted: pd.DataFrame, rejections: str, of: str) -> dict[str, float]:
    trials, rejected = int(counted[of].sum()), int(counted[rejections].sum())
    low, high = interval(rejected, trials)
    return {"rejected": rejected, "trials": trials, "low": low, "high": high, "p": excess(rejected, trials)}


def _faults(counted: pd.DataFrame, pooled: Mapping[str, Mapping[str, float]]) -> list[str]:
    faults = [
        f"The {test} test rejects {one['rejected']:.0f} of {one['trials']:.0f} draws without clusters, more than "
        f"{LEVEL:.0%} (p = {one['p']:.2g})."
        for test, one in pooled.items()
        if test in PROMISED and one["p"] < LEVEL
    ]
    return [
        *faults,
        *(
            f"The {test} test rejects {row[test]} of {row[trials]} draws of {_named(row)}."
            for test, (_, trials) in TESTS.items()
            if test in PROMISED
            for row in counted.to_dict("records")
            if row[trials] and row[test] > most_allowed(row[trials], tests=len(counted))
        ),
        *(
            f"{row['separated']} of {row['draws']} draws of {_named(row)} are called separated."
            for row in counted[counted["separated"] > 0].to_dict("records")
        ),
    ]


def _named(row: Mapping[Any, Any]) -> str:
    return f"{row['population']}, reduction {row['reduction']}, {row['clusterer']} at {row['tuning_value']:g}"


def _power(cell: Cell, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Of each clusterer and of all together: the largest number of segments that are separated, draw by draw."""
    table = pd.DataFrame(rows)
    planted: Any = cell.drawn_from
    facts = {
        "population": cell.population,
        "shares": "/".join(f"{share:.2g}" for share in planted.shares),
        "apart": planted.apart,
        "customers": planted.customers,
        "segments": planted.segments,
        "asked": cell.draws,
        "promised": is_promised(planted),
    }
    if "separated" not in table:
        return pd.DataFrame()
    known = table.dropna(subset=["tuning_value"])
    separated = known["separated"].astype(bool) & known["eligible"].astype(bool)
    known = known.assign(found=known["n_clusters"].where(separated, 0).astype(int))
    most = known.groupby(["draw", "clusterer"])["found"].max().unstack(fill_value=0)
    most.insert(0, "any", most.max(axis=1))
    return pd.DataFrame(
        [
            {
                **facts,
                "clusterer": name,
                "draws": len(most),
                "right": int((most[name] == planted.segments).sum()),
                "other": int(((most[name] > 0) & (most[name] != planted.segments)).sum()),
            }
            for name in most
        ]
    )


def is_promised(planted: Any) -> bool:
    """Is it promised that so many segments are found? At 6 sd, balanced, from 1,000 customers; with a rare one from 8.

    Of segments of unequal size those with one of 5 % are promised from 8 sd and 4,000 customers on.
    """
    balanced = max(planted.shares) - min(planted.shares) < 0.01
    if balanced:
        return bool(planted.apart >= 6 and planted.customers >= 1000)
    return bool(min(planted.shares) >= 0.05 and planted.apart >= 8 and planted.customers >= 4000)


def _weak(power: pd.DataFrame) -> list[str]:
    if power.empty:
        return []
    promised = power[power["promised"] & (power["clusterer"] == "any")]
    return [
        f"Of {row['draws']} draws of {row['customers']} customers in segments {row['shares']}, {row['apart']:g} sd "
        f"apart, the planted number is found in {row['right']}: {POWER:.0%} are promised."
        for row in promised.to_dict("records")
        if row["right"] < POWER * row["draws"]
    ]
