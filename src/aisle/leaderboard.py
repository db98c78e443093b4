"""One row per candidate and tuning value, best first."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from aisle.partition import DECIMALS

NAMES = ("lifestage", "features", "scaler", "reducer", "clusterer")
"""What a candidate is called: the option chosen for each role."""
KEY = ("candidate_key", "tuning_value")
RANKED_BY = "features/ranking_score"
COLUMNS = {
    **dict.fromkeys(NAMES, "str"),
    "parameter": "str",
    "tuning_value": "float64",
    "customer_count": "int64",
    "n_clusters": "int64",
    "coverage": "float64",
    "balance": "float64",
    "smallest_share": "float64",
    "features/silhouette": "float64",
    RANKED_BY: "float64",
    "features/calinski_harabasz": "float64",
    "features/davies_bouldin": "float64",
    "features/inertia": "float64",
    "embedding/silhouette": "float64",
    "embedding/ranking_score": "float64",
    "candidate_key": "str",
    "excluded_because": "str",
    "eligible": "bool",
}
"""A leaderboard's columns in their order, with their types; further scores come before candidate_key."""
_LAST = ("candidate_key", "excluded_because", "eligible")


def rows(
    names: Mapping[str, str], key: str, customers: int, parameter: str, scores: Mapping[float, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """The leaderboard rows of one candidate."""
    return [
        {**names, "parameter": parameter, "tuning_value": float(value), "customer_count": customers, **found}
        | {"candidate_key": key}
        for value, found in scores.items()
    ]


def leaderboard(entries: Iterable[Mapping[str, Any]], *, floor: float) -> pd.DataFrame:
    """All rows, per lifestage best first, with ``eligible`` and ``excluded_because``: the columns `COLUMNS`.

    A partition is eligible when it has a ranking score and at least two clusters, each of at least the share ``floor``
    of the customers. Ties, to nine decimals, are broken by fewer clusters, then by name and key, so that the order is
    the same on every machine.

    Raises:
        ValueError: ``floor`` is not a share in [0, 0.5], or a candidate and tuning value occurs twice.
    """
    if not 0 <= floor <= 0.5:
        raise ValueError(f"The floor must be a share of the customers in [0, 0.5]; got {floor}.")
    board = pd.DataFrame(list(entries))
    if board.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    repeated = board.duplicated([*NAMES, *KEY])  # one candidate may have several names
    if repeated.any():
        raise ValueError(f"A candidate must occur once; {int(repeated.sum())} rows repeat an earlier one.")
    board = board.assign(n_clusters=board["n_clusters"].astype(int), excluded_because=_exclusions(board, floor))
    board = board.assign(eligible=board["excluded_because"] == "")
    order = [
        "lifestage",
        "eligible",
        RANKED_BY,
        "n_clusters",
        "features",
        "scaler",
        "reducer",
        "clusterer",
        "tuning_value",
        "candidate_key",
    ]
    ascending = [True, False, False, *[True] * 7]
    places = board.assign(**{RANKED_BY: board[RANKED_BY].round(DECIMALS)}).sort_values(
        order, ascending=ascending, kind="stable", na_position="last"
    )
    board = board.loc[places.index].reset_index(drop=True)
    known = [name for name in COLUMNS if name in board and name not in _LAST]
    return board[[*known, *sorted(set(board.columns) - set(COLUMNS)), *_LAST]]


def _exclusions(board: pd.DataFrame, floor: float) -> "pd.Series[str]":
    reasons = pd.Series("", index=board.index)
    small = board["smallest_share"] < floor
    reasons = reasons.mask(small, f"a segment is smaller than {100 * floor:.3g}% of the customers")
    reasons = reasons.mask(board[RANKED_BY].isna(), "no silhouette is defined")
    return reasons.mask(board["n_clusters"] < 2, "fewer than two clusters")
