"""One row per candidate and tuning value, best first."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

NAMES = ("lifestage", "features", "scaler", "reducer", "clusterer")
"""What a candidate is called: the option chosen for each role."""
KEY = ("candidate_key", "tuning_value")
RANKED_BY = "features/ranking_score"


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
    """All rows, per lifestage best first, with ``eligible`` and ``excluded_because``.

    A partition is eligible when it has a ranking score and at least two clusters, each of at least the share ``floor``
    of the customers. Ties are broken by fewer clusters, then by name, so that the order is the same on every machine.

    Raises:
        ValueError: ``floor`` is not a share in [0, 0.5], or a candidate and tuning value occurs twice.
    """
    if not 0 <= floor <= 0.5:
        raise ValueError(f"The floor must be a share of the customers in [0, 0.5]; got {floor}.")
    board = pd.DataFrame(list(entries))
    if board.empty:
        return pd.DataFrame(columns=[*NAMES, *KEY, RANKED_BY, "eligible", "excluded_because"])
    repeated = board.duplicated(list(KEY)) & board.duplicated([*NAMES, *KEY])
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
    ]
    ascending = [True, False, False, *[True] * 6]
    return board.sort_values(order, ascending=ascending, kind="stable", na_position="last").reset_index(drop=True)


def _exclusions(board: pd.DataFrame, floor: float) -> "pd.Series[str]":
    reasons = pd.Series("", index=board.index)
    small = board["smallest_share"] < floor
    reasons = reasons.mask(small, f"a segment is smaller than {floor:.0%} of the customers")
    reasons = reasons.mask(board[RANKED_BY].isna(), "no silhouette is defined")
    return reasons.mask(board["n_clusters"] < 2, "fewer than two clusters")
