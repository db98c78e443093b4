"""Cross-assignment: each lifestage cut by the rule of another, and how well that gives back its own segments."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.assignment import assign
from aisle.comparison import COMMON, WITHIN
from aisle.features.table import EVERYBODY, FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

AGREEMENT = {
    "scale": "string",
    "rule_of": "string",
    "lifestage": "string",
    "customer_count": "int64",
    "agreement": "float64",
    "own_agreement": "float64",
}


def cross_assignment(labels: pd.DataFrame, features: FeatureTable, *, seed: int) -> pd.DataFrame:
    """One row per scale, lifestage and other lifestage whose rule cuts it; columns `AGREEMENT`.

    The rule is that of `aisle.assignment.assign`, in features standardised over everybody (common) or within each
    lifestage. ``agreement`` is the adjusted Rand index with the lifestage's own segments, over its ``customer_count``
    in one: 1 = the same cut, 0 = as by chance. ``own_agreement`` is the most one can hope for: the lifestage's own
    rule, made on either of two random halves (drawn with ``seed``) and used on the other. Lifestages with fewer than
    two segments have no cut to compare and are left out, the pooled one too.
    """
    counts = labels[labels["segment"] != NOISE].groupby("lifestage")["segment"].nunique()
    stages = [str(name) for name in counts.index[counts > 1] if name != EVERYBODY]
    own = {name: labels[labels["lifestage"] == name].sort_values("customer_id") for name in stages}
    segments = {name: part["segment"].to_numpy(dtype=np.int64) for name, part in own.items()}
    values = {name: features.values.loc[part["customer_id"]] for name, part in own.items()}
    rows = []
    with one_thread():
        for scale in (WITHIN, COMMON):
            spaces = _spaces(values, scale)
            hoped = {name: _own(spaces[name], segments[name], seed) for name in stages}
            for rule_of in stages:
                for name in stages:
                    if name == rule_of:
                        continue
                    found = _cut(spaces[rule_of], segments[rule_of], spaces[name])
                    inside = segments[name] != NOISE
                    agreement = float(adjusted_rand_score(segments[name][inside], found[inside]))
                    rows.append((scale, rule_of, name, int(inside.sum()), agreement, hoped[name]))
    return pd.DataFrame(rows, columns=list(AGREEMENT)).astype(AGREEMENT)


def _spaces(values: dict[str, pd.DataFrame], scale: str) -> dict[str, Values]:
    """Standardised features by lifestage; one that is constant (within: in one of them) is 0 where it is."""
    if not values:
        return {}
    pooled = pd.concat(values.values())
    spaces = {}
    for name, own in values.items():
        basis = own if scale == WITHIN else pooled
        deviation = basis.std(ddof=0).where(basis.max() > basis.min(), 1.0)
        middle = basis.mean().where(basis.max() > basis.min(), basis.min())
        spaces[name] = ((own - middle) / deviation).to_numpy()
    return spaces


def _cut(known: Values, segments: Labels, new: Values) -> Labels:
    """The segments of ``new`` by the rule of the known ones, whatever numbers these have."""
    numbers = np.unique(segments[segments != NOISE])
    if not numbers.size:
        return np.full(len(new), NOISE, dtype=np.int64)
    codes = np.where(segments == NOISE, NOISE, np.searchsorted(numbers, segments))
    found = assign(known, codes[np.newaxis], new)[0]
    return np.where(found == NOISE, NOISE, numbers[found])


def _own(space: Values, segments: Labels, seed: int) -> float:
    """Adjusted Rand index of a lifestage's own rule, each half of its customers cut by that of the other."""
    order = np.random.default_rng(seed).permutation(len(space))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    found = np.full(len(space), NOISE, dtype=np.int64)
    for known, new in (halves, halves[::-1]):
        found[new] = _cut(space[known], segments[known], space[new])
    inside = segments != NOISE
    return float(adjusted_rand_score(segments[inside], found[inside]))
