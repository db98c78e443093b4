"""How much of the features' variance lifestage explains, beside what segments within a lifestage explain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.features.table import EVERYBODY, FeatureTable
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Explained:
    """Shares of variance in [0, 1]; averages over features, each in its own standard deviations.

    ``features``: feature, lifestage_share, chance_share, segment_share, p_value. ``lifestage_share`` is that between
    lifestages (eta squared), ``chance_share`` what it is on average when lifestages are dealt out at random,
    ``beyond_chance`` = (lifestage_share - chance_share) / (1 - chance_share), ``segment_share`` that between the
    segments within lifestages. Segments were formed on the features, lifestages were not: only these have a p-value.
    """

    features: pd.DataFrame
    lifestage_share: float
    chance_share: float
    beyond_chance: float
    segment_share: float
    p_value: float
    customer_count: int


def explained(labels: pd.DataFrame, features: FeatureTable, *, permutations: int, seed: int) -> Explained | None:
    """Variance of customers in a segment, by lifestage and by segment in it; None with fewer than two lifestages.

    The p-value is the share of ``permutations`` of the customers over the lifestages, and the data themselves, whose
    lifestages explain at least as much. The pooled lifestage is left out.

    Raises:
        ValueError: there is no permutation.
    """
    if permutations < 1:
        raise ValueError(f"stage.permutations must be at least 1; got {permutations}.")
    inside = labels[(labels["segment"] != NOISE) & (labels["lifestage"] != EVERYBODY)]
    inside = inside.sort_values(["lifestage", "segment", "customer_id"], kind="stable")
    if inside["lifestage"].nunique() < 2:
        return None
    values = features.values.loc[inside["customer_id"]]
    values = values.loc[:, (values.max() > values.min()).to_numpy()]
    if values.columns.empty:
        return None
    standard = ((values - values.mean()) / values.std(ddof=0)).to_numpy()
    stages = _starts(inside["lifestage"].to_numpy())
    cells = _starts((inside["lifestage"] + " " + inside["segment"].astype(str)).to_numpy())
    lifestage, both = _between(standard, stages), _between(standard, cells)
    rng = np.random.default_rng(seed)
    as_much, overall, chance = np.ones(values.shape[1]), 1, np.zeros(values.shape[1])
    for _ in range(permutations):
        dealt = _between(standard[rng.permutation(len(standard))], stages)
        as_much += dealt >= lifestage - _ROUNDING
        overall += int(dealt.mean() >= lifestage.mean() - _ROUNDING)
        chance += dealt / permutations
    table = pd.DataFrame(
        {
            "feature": values.columns,
            "lifestage_share": lifestage,
            "chance_share": chance,
            "segment_share": (both - lifestage).clip(min=0.0),
            "p_value": as_much / (1 + permutations),
        }
    ).sort_values(["lifestage_share", "feature"], ascending=[False, True], kind="stable", ignore_index=True)
    share, expected = float(lifestage.mean()), float(chance.mean())
    return Explained(
        features=table,
        lifestage_share=share,
        chance_share=expected,
        beyond_chance=(share - expected) / (1 - expected) if expected < 1 else 0.0,
        segment_share=float(table["segment_share"].mean()),
        p_value=overall / (1 + permutations),
        customer_count=len(inside),
    )


def _starts(groups: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Where each group of equal neighbours begins."""
    return np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))


def _between(standard: Values, starts: npt.NDArray[np.int64]) -> Values:
    """Share of each standardised feature's variance between the groups that begin at ``starts``."""
    counts = np.diff(np.append(starts, len(standard)))
    sums = np.add.reduceat(standard, starts, axis=0)
    return np.asarray((sums**2 / counts[:, np.newaxis]).sum(axis=0) / len(standard))
