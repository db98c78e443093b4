"""Whether store formats differ: what each is like, and how much of the stores' variance the format explains."""

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from scipy import stats

from aisle.features.stores import UNKNOWN_FORMAT
from aisle.features.table import EVERYBODY, FeatureTable
from aisle.lifestages import Explained, explained
from aisle.lifestages.answer import LARGE, MEDIUM, SMALL
from aisle.profiles import profiles

_LEVEL: Final = 0.05
_PROFILES: Final = ["format", "feature", "store_count", "mean", "median", "mean_of_all", "index", "standardised_mean"]
_DIFFERENCES: Final = {
    "feature": "string",
    "differs": "bool",
    "eta_squared": "float64",
    "chance_share": "float64",
    "p_value": "float64",
    "q_value": "float64",
    "highest": "string",
    "lowest": "string",
}


@dataclass(frozen=True, eq=False)
class Formats:
    """``profiles``: a row per format and feature; ``differences``: a row per feature, the largest effect first.

    ``explained`` is what format explains of the variance, None with fewer than two formats; ``sentence`` the answer.
    """

    profiles: pd.DataFrame
    differences: pd.DataFrame
    explained: Explained | None
    sentence: str


def formats_compared(
    features: FeatureTable, segments: "pd.Series[int]", *, rate: float, permutations: int, seed: int
) -> Formats:
    """Formats side by side; the cohort of ``features`` is the store's format, ``segments`` are labels by store.

    A format's profile has its means and medians in the feature's own unit, index = 100 x mean / mean of all stores and
    standardised_mean, both as in `aisle.profiles.profiles`. Of the differences, ``eta_squared`` in [0, 1] is the share
    of a feature's variance between formats, ``chance_share`` the same on average when formats are dealt out at random,
    ``p_value`` from as many ``permutations`` of the stores over the formats, ``q_value`` the same after Benjamini &
    Hochberg (1995); formats differ on it where q is at most ``rate``. Stores of unknown format are left out.

    Raises:
        ValueError: ``rate`` is no share, or there is no permutation.
    """
    if not 0 < rate < 1:
        raise ValueError(f"stage.false_discovery_rate must be above 0 and below 1; got {rate}.")
    known = features.cohort[features.cohort != UNKNOWN_FORMAT]
    table = FeatureTable(features.values.loc[known.index], known)
    profile = _profiles(table)
    labels = pd.DataFrame({"customer_id": known.index, "lifestage": known.to_numpy()})
    labels["segment"] = segments.reindex(known.index).to_numpy() + 1  # noise is one of the groups within a format
    found = explained(labels, table, permutations=permutations, seed=seed) if len(labels) else None
    return Formats(profile, _differences(found, profile, rate), found, _sentence(table.cohorts, found))


def _profiles(table: FeatureTable) -> pd.DataFrame:
    if table.values.empty:
        return pd.DataFrame(columns=_PROFILES)
    codes = {name: code for code, name in enumerate(table.cohorts)}
    rows = {"customer_id": table.cohort.index, "lifestage": EVERYBODY, "segment": table.cohort.map(codes).to_numpy()}
    found = profiles(pd.DataFrame(rows), table).rename(columns={"lifestage_mean": "mean_of_all"})
    counts = table.cohort.value_counts()
    named = found.assign(format=found["segment"].map(dict(enumerate(table.cohorts))))
    return named.assign(store_count=named["format"].map(counts))[_PROFILES]


def _differences(found: Explained | None, profile: pd.DataFrame, rate: float) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame(columns=list(_DIFFERENCES)).astype(_DIFFERENCES)
    table = found.features.rename(columns={"lifestage_share": "eta_squared"}).drop(columns="segment_share")
    q = stats.false_discovery_control(table["p_value"].to_numpy(), method="bh")
    places = profile.pivot(index="feature", columns="format", values="standardised_mean").loc[table["feature"]]
    ends = {"highest": places.idxmax(axis=1).to_numpy(), "lowest": places.idxmin(axis=1).to_numpy()}
    return table.assign(q_value=q, differs=q <= rate, **ends)[list(_DIFFERENCES)].astype(_DIFFERENCES)


def _sentence(formats: list[str], found: Explained | None) -> str:
    if found is None:
        told = f"only {formats[0]} is known" if formats else "the source knows none"
        return f"Formats cannot be compared: {told}."
    share = found.beyond_chance
    word = "differ" if found.p_value <= _LEVEL and share >= MEDIUM else "are much alike"
    return (
        f"Store formats {word}: format explains {max(share, 0):.1%} of the variance of what stores are like, beyond "
        f"what chance does ({_size(share)} effect, p = {found.p_value:.3g})."
    )


def _size(share: float) -> str:
    steps: list[tuple[float, Any]] = [(LARGE, "a large"), (MEDIUM, "a medium"), (SMALL, "a small")]
    return next((word for least, word in steps if share >= least), "a negligible")
