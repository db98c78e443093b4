"""Honest differences: on which features segments differ, by baskets that had no part in making them.

Clusters differ on the features that made them whatever the data, so a test on the same baskets says nothing and is not
offered. Here clusters are found on one half of every customer's baskets and tested on the other. The unit is the
customer: baskets of one customer are no independent cases.

Halves are cut twice. Odd and even baskets share weeks and seasons, but the number of odd baskets gives away that of the
even ones, and their gaps overlap in time; the first and the second weeks share neither. A feature differs where both
say so: its p-value is the larger of the two.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

FEWEST: Final = 5
"""Customers a segment needs among those tested: for fewer the chi-squared law is poor (Kruskal & Wallis 1952)."""
PERMUTATIONS: Final = 4999
_AT_ONCE: Final = 250
_ROUNDING: Final = 1e-12
CAVEAT: Final = "A continuum cut in two also differs: this says what segments are like, not that they are separate."
CONSTANT: Final = "the same for everybody"
SHARED: Final = "the same in both halves"
_TESTED = ["feature", "customer_count", "p_value", "epsilon_squared", "segment", "rank_biserial", "untested"]


def held_out_tests(
    segments: "pd.Series[int]", formed_on: pd.DataFrame, held_out: pd.DataFrame, *, seed: int
) -> pd.DataFrame:
    """Kruskal-Wallis tests of the features ``held_out`` over the ``segments``, which ``formed_on`` made; a row each.

    All three are by customer; those in all of them and in a segment of at least `FEWEST` such are tested. Ranks are
    compared as features are money, counts and shares, skewed and tied: a mean would be that of the largest customers.
    ``p_value`` is by the chi-squared law, corrected for ties; where a segment could be expected to hold fewer than
    `FEWEST` customers of another value than the most frequent, that law sees differences in a single customer, and
    `PERMUTATIONS` of the customers, drawn with ``seed``, take its place. ``epsilon_squared`` = H / (n - 1), in [0, 1],
    is the share of the ranks' variance that segments explain (Tomczak & Tomczak 2014). ``rank_biserial``, in [-1, 1],
    compares the ``segment`` that stands out most with all others: the share of pairs in which its customer is higher,
    less the share in which they are lower (Cureton 1956). ``untested`` says why there is no test: a feature that is the
    same datum in both halves, as a customer's own attribute is, or that does not vary.
    """
    both = segments.index.intersection(held_out.index).intersection(formed_on.index).sort_values()
    inside = segments.loc[both][segments.loc[both] != NOISE]
    sizes = inside.value_counts()
    inside = inside[inside.map(sizes) >= FEWEST]
    names = [str(name) for name in held_out if name in formed_on]
    tested = held_out.loc[inside.index, names].to_numpy(dtype=np.float64)
    formed = formed_on.loc[inside.index, names].to_numpy(dtype=np.float64)
    labels = np.asarray(inside, dtype=np.int64)
    rows = [(name, len(inside), *_tested(tested[:, at], formed[:, at], labels, seed)) for at, name in enumerate(names)]
    return pd.DataFrame(rows, columns=_TESTED)


def _tested(values: Values, formed_on: Values, labels: Labels, seed: int) -> tuple[float, float, int, float, str]:
    segments, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if segments.size < 2:
        return np.nan, np.nan, NOISE, np.nan, f"fewer than two segments have {FEWEST} customers"
    if values.min() == values.max():
        return np.nan, np.nan, NOISE, np.nan, CONSTANT
    if np.array_equal(values, formed_on):
        return np.nan, np.nan, NOISE, np.nan, SHARED
    statistic, p = stats.kruskal(*(values[labels == segment] for segment in segments))
    ranks = stats.rankdata(values)
    n, sums = values.size, np.bincount(place, weights=ranks).astype(np.float64)
    others = n - np.unique(values, return_counts=True)[1].max()
    if others * sizes.min() / n < FEWEST:
        p = _permuted_p(ranks, sums, sizes.astype(np.float64), seed)
    effects = 2 * (sums / sizes - (n * (n + 1) / 2 - sums) / (n - sizes)) / n
    strongest = int(np.abs(effects).argmax())
    return float(p), float(statistic) / (n - 1), int(segments[strongest]), float(effects[strongest]), ""


def _permuted_p(ranks: Values, sums: Values, sizes: Values, seed: int) -> float:
    """Share of permutations, itself one, whose ranks differ as much between segments of these ``sizes``."""
    rng = np.random.default_rng(seed)
    ends = np.append(0, np.cumsum(sizes)[:-1]).astype(np.int64)
    observed = (sums**2 / sizes).sum()
    least = observed * (1 - _ROUNDING)
    as_far = 0
    for begin in range(0, PERMUTATIONS, _AT_ONCE):
        rows = min(_AT_ONCE, PERMUTATIONS - begin)
        drawn = rng.permuted(np.broadcast_to(ranks, (rows, ranks.size)), axis=1)
        as_far += int(((np.add.reduceat(drawn, ends, axis=1) ** 2 / sizes).sum(axis=1) >= least).sum())
    return (1 + as_far) / (1 + PERMUTATIONS)


def differences(baskets: pd.DataFrame, weeks: pd.DataFrame, *, rate: float) -> pd.DataFrame:
    """Features on which segments differ in both tables that `held_out_tests` gives, a row each, largest effect first.

    ``p_value`` is the larger of both; ``q_value`` the same after Benjamini & Hochberg (1995), over the features that
    were tested; a feature ``differs`` where q is at most ``rate``: of those that are said to differ, at most so
    large a share is expected not to. Effects are those of the halves in which the effect is smaller.

    Raises:
        ValueError: ``rate`` is no share.
    """
    if not 0 < rate < 1:
        raise ValueError(f"stage.false_discovery_rate must be above 0 and below 1; got {rate}.")
    both = baskets.merge(weeks, on="feature", suffixes=("_baskets", "_weeks"), validate="one_to_one")
    untested = both["untested_baskets"].where(both["untested_baskets"] != "", both["untested_weeks"])
    weaker = both["epsilon_squared_baskets"] < both["epsilon_squared_weeks"]
    effects = {
        name: both[f"{name}_baskets"].where(weaker, both[f"{name}_weeks"]).where(untested == "", nothing)
        for name, nothing in (("epsilon_squared", np.nan), ("segment", NOISE), ("rank_biserial", np.nan))
    }
    p = both[["p_value_baskets", "p_value_weeks"]].max(axis=1, skipna=False)
    tested = p.notna()
    q = pd.Series(np.nan, index=both.index)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested].to_numpy(), method="bh")
    found = pd.DataFrame(
        {
            "feature": both["feature"],
            "differs": q <= rate,
            **effects,
            "p_value": p,
            "q_value": q,
            **{
                f"{name}_{half}": both[f"{name}_{half}"]
                for half in ("baskets", "weeks")
                for name in ("customer_count", "p_value", "epsilon_squared")
            },
            "untested": untested,
        }
    )
    return found.sort_values(["epsilon_squared", "feature"], ascending=[False, True], kind="stable", ignore_index=True)
