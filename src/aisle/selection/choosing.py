"""The choice: the highest ranking score among eligible partitions, ties by the declared rule."""

from typing import Any

import pandas as pd

from aisle.leaderboard import RANKED_BY
from aisle.selection.reasons import NOT_KNOWN, percent, why_chosen, why_lost, why_none, why_without
from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Choice, RunnerUp, Tally, Verdict

_RECIPE = ("features", "scaler", "reducer", "clusterer")


def select(board: pd.DataFrame, attempts: pd.DataFrame, *, rule: SelectionRule) -> list[Verdict]:
    """One verdict per lifestage of the leaderboard or of the attempts, sorted by lifestage.

    ``board`` is a leaderboard of one feature block; ``attempts`` has one row per candidate that was asked for:
    lifestage, clusterer, status (finished, skipped or failed) and reason. What the study excluded stays excluded.

    Raises:
        ValueError: the leaderboard has several feature blocks: their scores are of different spaces.
    """
    blocks = sorted(board["features"].unique())
    if len(blocks) > 1:
        raise ValueError(f"Ranking scores of different feature blocks cannot be compared; select one of {blocks}.")
    judged = board.assign(excluded_because=_exclusions(board, rule), cost=board["clusterer"].map(rule.cost))
    return [
        _verdict(name, judged[judged["lifestage"] == name], attempts[attempts["lifestage"] == name], rule)
        for name in sorted({*board["lifestage"], *attempts["lifestage"]})
    ]


def _exclusions(board: pd.DataFrame, rule: SelectionRule) -> "pd.Series[str]":
    if board.empty:
        return board["excluded_because"]
    below = board["eligible"].astype(bool) & (board["smallest_share"] < rule.floor)
    return board["excluded_because"].mask(below, f"a segment is smaller than {percent(rule.floor)} of the customers")


def _verdict(lifestage: str, board: pd.DataFrame, attempts: pd.DataFrame, rule: SelectionRule) -> Verdict:
    eligible = board[board["excluded_because"] == ""]
    tally = _tally(board, attempts)
    customers = None if board.empty else int(board["customer_count"].iloc[0])
    if customers is None or eligible.empty:
        return Verdict(lifestage, customers, None, why_none(lifestage, tally), (), tally, ())
    tied = _tied(eligible, rule)
    chosen = _first(tied)
    runners_up = _runners_up(board, tied, chosen, rule)
    reasons = why_chosen(chosen, runners_up, tally, customers=customers, tied=len(tied), rule=rule)
    return Verdict(lifestage, customers, chosen, reasons, runners_up, tally, NOT_KNOWN)


def _tied(rows: pd.DataFrame, rule: SelectionRule) -> pd.DataFrame:
    lowest = float(rows[RANKED_BY].max()) - rule.tie_tolerance
    return rows.loc[rows[RANKED_BY] >= lowest]


def _first(tied: pd.DataFrame) -> Choice:
    row = tied.sort_values(["n_clusters", "cost", *_RECIPE, "tuning_value"], kind="stable").iloc[0]
    recipe = {name: str(row[name]) for name in (*_RECIPE, "candidate_key", "parameter")}
    measured = [
        str(name) for name in row.index if "/" in str(name) or name in ("coverage", "balance", "smallest_share")
    ]
    scores = {name: float(row[name]) for name in measured}
    return Choice(**recipe, tuning_value=float(row["tuning_value"]), n_clusters=int(row["n_clusters"]), scores=scores)


def _runners_up(board: pd.DataFrame, tied: pd.DataFrame, chosen: Choice, rule: SelectionRule) -> tuple[RunnerUp, ...]:
    """The best of every other method, the highest score first, then the methods that have no eligible partition."""
    found: list[tuple[float, RunnerUp]] = []
    without = []
    for method, rows in board[board["clusterer"] != chosen.clusterer].groupby("clusterer", sort=True):
        level = tied[tied["clusterer"] == method]
        own = rows[rows["excluded_because"] == ""]
        if own.empty:
            without.append(RunnerUp(str(method), None, why_without(_counts(rows["excluded_because"]))))
        else:
            best = _first(_tied(own, rule) if level.empty else level)
            why = why_lost(best, chosen, rule, tied=not level.empty)
            found.append((best.ranking_score, RunnerUp(str(method), best, why)))
    return *(runner for _, runner in sorted(found, key=lambda pair: -pair[0])), *without


def _tally(board: pd.DataFrame, attempts: pd.DataFrame) -> Tally:
    excluded = board.loc[board["excluded_because"] != "", "excluded_because"]
    unfinished = attempts[attempts["status"] != "finished"]
    return Tally(
        candidates=len(attempts),
        methods=int(attempts["clusterer"].nunique()),
        partitions=len(board),
        eligible=len(board) - len(excluded),
        excluded=_counts(excluded),
        unfinished=_counts(unfinished["status"] + ", " + unfinished["reason"]),
    )


def _counts(reasons: "pd.Series[Any]") -> dict[str, int]:
    counted = [(str(reason), int(count)) for reason, count in reasons.value_counts().items()]
    return dict(sorted(counted, key=lambda item: (-item[1], item[0])))
