"""Whether segments of stores are their formats under another name."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.features.stores import UNKNOWN_FORMAT
from aisle.partition import NOISE

Codes = npt.NDArray[np.int64]

_SAME: Final = 0.9
_MUCH: Final = 0.5
_LEVEL: Final = 0.05
SEGMENTS: Final = ["segment", "format", "store_count", "share_of_segment", "share_of_format"]
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Agreement:
    """``table``: stores by segment and format. Numbers are None where there are fewer than two of either.

    ``rand``: adjusted Rand index, 1 = the same groups, 0 = chance; ``cramers_v`` in [0, 1]: 1 = segments are one format
    each or formats one segment each; ``p_value``: of permutations of the stores, those whose V is at least as large;
    ``guessed_share``: stores whose format is the most frequent of their segment, ``guessed_without`` the most frequent
    of all.
    """

    table: pd.DataFrame
    rand: float | None
    cramers_v: float | None
    p_value: float | None
    guessed_share: float | None
    guessed_without: float | None
    sentence: str


def agreement(segments: "pd.Series[int]", formats: "pd.Series[str]", *, permutations: int, seed: int) -> Agreement:
    """How far the ``segments`` of stores are their ``formats``, both by store.

    Stores in no segment, or of unknown format, are left out.
    """
    both = pd.DataFrame({"segment": segments, "format": formats.reindex(segments.index)})
    both = both[(both["segment"] != NOISE) & (both["format"] != UNKNOWN_FORMAT)].dropna().astype({"segment": "int64"})
    counts = pd.crosstab(both["segment"], both["format"])
    table = _long(counts)
    if min(counts.shape) < 2:
        told = f"Segments of stores cannot be held against formats: {_lacking(segments, formats)}."
        return Agreement(table, None, None, None, None, None, told)
    codes = both["segment"].to_numpy(), pd.factorize(both["format"], sort=True)[0]
    v, rand = _cramers_v(*codes), float(adjusted_rand_score(*codes))
    rng = np.random.default_rng(seed)
    as_far = sum(_cramers_v(codes[0], rng.permutation(codes[1])) >= v - _ROUNDING for _ in range(permutations))
    p = (1 + as_far) / (1 + permutations)
    guessed = float(counts.max(axis=1).sum() / len(both))
    without = float(counts.sum().max() / len(both))
    return Agreement(table, rand, v, p, guessed, without, _sentence(rand, v, p, guessed, without))


def _lacking(segments: "pd.Series[int]", formats: "pd.Series[str]") -> str:
    if segments[segments != NOISE].nunique() < 2:
        return "there are fewer than two segments"
    inside = formats.reindex(segments[segments != NOISE].index)
    known = inside[inside != UNKNOWN_FORMAT].dropna()
    if known.empty:
        return "the format of no store is known"
    if len(set(known)) == 1:
        return f"all stores are of one format, {known.iloc[0]}"
    return "formats are known in one segment only"


def _long(counts: pd.DataFrame) -> pd.DataFrame:
    long = counts.reset_index().melt("segment", var_name="format", value_name="store_count")
    totals = {name: long.groupby(name)["store_count"].transform("sum") for name in ("segment", "format")}
    shares = {f"share_of_{name}": long["store_count"] / total for name, total in totals.items()}
    return long.assign(**shares)[SEGMENTS].sort_values(["segment", "format"], ignore_index=True)


def _cramers_v(rows: Codes, columns: Codes) -> float:
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), 1)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / counts.sum() / (min(counts.shape) - 1)))


def _sentence(rand: float, v: float, p: float, guessed: float, without: float) -> str:
    if rand >= _SAME:
        lead = "Segments of stores are the formats"
    elif rand >= _MUCH:
        lead = "Segments of stores are much like the formats"
    elif p <= _LEVEL:
        lead = "Segments of stores are not the formats, but go with them"
    else:
        lead = "Segments of stores have nothing to do with the formats"
    return (
        f"{lead}: adjusted Rand index {rand:.2f} (1 is the same groups, 0 chance), Cramér's V {v:.2f} (p = {p:.3g}); "
        f"by a store's segment one guesses the format of {guessed:.0%} of the stores, without it of {without:.0%}."
    )
