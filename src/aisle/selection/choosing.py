"""The choice among eligible partitions: the best class of evidence, the highest score, ties by the declared rule."""

import pandas as pd

from aisle.evidence import CLASSES, DO_NOT_SEGMENT, REPORTED, SEPARATED, Thresholds, findings
from aisle.leaderboard import RANKED_BY
from aisle.selection.reasons import (
    NOT_KNOWN,
    percent,
    why_chosen,
    why_class,
    why_lost,
    why_none,
    why_not_segmented,
    why_without,
)
from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Choice, RunnerUp, Tally, Verdict

CLASS = "class"
"""Column of the board that `with_evidence` adds: the class of the evidence, empty where none was computed."""
_ERROR = "evidence/ranking_error"
_RECIPE = ("features", "scaler", "reducer", "clusterer")
_SCREENED = "not examined, because others were better on the first splits"

_FAILED = "it failed on more splits of the customers than it finished"


def with_evidence(board: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard with the measures of every partition as ``evidence/<measure>``, its class and what that excludes.

    ``measures`` has a row per candidate_key and tuning_value, as `aisle.evidence.Dossier` has. What is only reported
    (`aisle.evidence.REPORTED`) is there if it was computed for any partition.

    Raises:
        ValueError: an eligible partition has no measures.
    """
    keys = ["candidate_key", "tuning_value"]
    computed = measures.reindex(columns=list(REPORTED)).fillna(0).to_numpy().any()
    absent = set() if computed else {*REPORTED}
    numbers = [name for name in measures.select_dtypes("number") if name not in {*keys, *board.columns, *absent}]
    numbers.append("ranking_error")
    known = measures[[*keys, CLASS, "stage", "category"]].join(
        measures[list(dict.fromkeys(numbers))].add_prefix("evidence/")
    )
    joined = board.merge(known, on=keys, how="left", validate="many_to_one")
    missing = joined[joined[CLASS].isna() & (joined["excluded_because"] == "")]
    if len(missing):
        raise ValueError(
            f"Every eligible partition needs evidence; {len(missing)} of {len(board)} have none, the first is "
            f"{missing['clusterer'].iloc[0]} of {missing['lifestage'].iloc[0]}: run stage=evidence on this study."
        )
    open_to_all = joined["excluded_because"] == ""
    repeats = open_to_all & (joined["category"].fillna("") != "")
    told = "it only repeats " + joined["category"].fillna("") + ": that is a rule, not segments"
    reasons = joined["excluded_because"].mask(open_to_all & (joined["stage"] == "screened"), _SCREENED)
    unknown = open_to_all & (joined["evidence/failed_splits"] > joined["evidence/splits"])
    joined["excluded_because"] = reasons.mask(repeats, told).mask(unknown, _FAILED)
    joined[CLASS] = joined[CLASS].fillna("")
    return joined.drop(columns=["stage", "category"])


def select(
    board: pd.DataFrame,
    attempts: pd.DataFrame,
    *,
    rule: SelectionRule,
    measures: pd.DataFrame | None = None,
    thresholds: Thresholds | None = None,
) -> list[Verdict]:
    """One verdict per lifestage of the leaderboard or of the attempts, sorted by lifestage.

    ``board`` is a leaderboard of one feature block; ``attempts`` has one row per candidate that was asked for:
    lifestage, clusterer, status (finished, skipped or failed) and reason. What the study excluded stays excluded.
    Without ``measures`` the ranking score decides alone, and the verdict says so.

    Raises:
        ValueError: the leaderboard has several feature blocks: their scores are of different spaces; or a partition
            that could be chosen has no measures.
    """
    blocks = sorted(board["features"].unique())
    if len(blocks) > 1:
        raise ValueError(f"Ranking scores of different feature blocks cannot be compared; select one of {blocks}.")
    judged = board.assign(excluded_because=_exclusions(board, rule), cost=board["clusterer"].map(rule.cost))
    judged = judged.assign(**{CLASS: ""}) if measures is None else with_evidence(judged, measures)
    limits = None if measures is None else thresholds or Thresholds()
    return [
        _verdict(name, judged[judged["lifestage"] == name], attempts[attempts["lifestage"] == name], rule, limits)
        for name in sorted({*board["lifestage"], *attempts["lifestage"]})
    ]


def _exclusions(board: pd.DataFrame, rule: SelectionRule) -> "pd.Series[str]":
    if board.empty:
        return board["excluded_because"]
    below = board["eligible"].astype(bool) & (board["smallest_share"] < rule.floor)
    return board["excluded_because"].mask(below, f"a segment is smaller than {percent(rule.floor)} of the customers")


def _verdict(
    lifestage: str, board: pd.DataFrame, attempts: pd.DataFrame, rule: SelectionRule, thresholds: Thresholds | None
) -> Verdict:
    eligible = board[board["excluded_because"] == ""]
    tally = _tally(board, attempts)
    customers = None if board.empty else int(board["customer_count"].iloc[0])
    not_known = NOT_KNOWN if thresholds is None else ()
    if customers is None or eligible.empty:
        return Verdict(lifestage, customers, None, why_none(lifestage, tally), (), tally, not_known)
    tied = level(eligible, rule)
    best = _first(tied)
    weighed = () if thresholds is None else findings(best.evidence, thresholds)
    if best.evidence_class == DO_NOT_SEGMENT:
        reasons = why_not_segmented(lifestage, best, weighed, tally)
        return Verdict(lifestage, customers, None, reasons, (), tally, not_known, best.evidence_class, weighed, best)
    runners_up = _runners_up(board, tied, best, rule)
    first, *others = why_chosen(best, runners_up, tally, customers=customers, tied=tied, rule=rule)
    reasons = (first, *why_class(best, weighed, thresholds), *others)
    return Verdict(lifestage, customers, best, reasons, runners_up, tally, not_known, best.evidence_class, weighed)


def level(rows: pd.DataFrame, rule: SelectionRule) -> pd.DataFrame:
    """The rows that are level at the top, of which the declared order then takes one.

    Those of the best class; of separated ones, those of most segments; of these, all within one standard error (or the
    rule's tolerance, if that is more) of the highest ranking score.
    """
    place = rows[CLASS].map(lambda name: CLASSES.index(name) if name else 0)
    best: pd.DataFrame = rows[place == place.min()]
    if (best[CLASS] == SEPARATED).any():
        best = best[best["n_clusters"] == best["n_clusters"].max()]
    highest = float(best[RANKED_BY].max())
    top = best[best[RANKED_BY] >= highest - rule.tie_tolerance].sort_values(_order(), kind="stable").iloc[0]
    error = float(top[_ERROR]) if _ERROR in top and pd.notna(top[_ERROR]) else 0.0
    lowest = highest - max(rule.tie_tolerance, error)
    return best.loc[best[RANKED_BY] >= lowest]


def _order() -> list[str]:
    """What decides between rows that are level."""
    return ["n_clusters", "cost", *_RECIPE, "tuning_value"]


def _first(tied: pd.DataFrame) -> Choice:
    row = tied.sort_values(_order(), kind="stable").iloc[0]
    recipe = {name: str(row[name]) for name in (*_RECIPE, "candidate_key", "parameter")}
    measured = [
        str(name) for name in row.index if "/" in str(name) or name in ("coverage", "balance", "smallest_share")
    ]
    scores = {name: float(row[name]) for name in measured}
    count, value = int(row["n_clusters"]), float(row["tuning_value"])
    return Choice(**recipe, tuning_value=value, n_clusters=count, scores=scores, evidence_class=str(row[CLASS]) or None)


def _runners_up(board: pd.DataFrame, tied: pd.DataFrame, chosen: Choice, rule: SelectionRule) -> tuple[RunnerUp, ...]:
    """The best of every other method, best class and highest score first, then methods with no eligible partition."""
    found: list[tuple[int, float, RunnerUp]] = []
    without = []
    for method, rows in board[board["clusterer"] != chosen.clusterer].groupby("clusterer", sort=True):
        same = tied[tied["clusterer"] == method]
        own = rows[rows["excluded_because"] == ""]
        if own.empty:
            without.append(RunnerUp(str(method), None, why_without(_counts(rows["excluded_because"]))))
        else:
            best = _first(level(own, rule) if same.empty else same)
            why = why_lost(best, chosen, rule, tied=not same.empty)
            place = CLASSES.index(best.evidence_class) if best.evidence_class else 0
            found.append((place, -best.ranking_score, RunnerUp(str(method), best, why)))
    return *(runner for *_, runner in sorted(found, key=lambda one: one[:2])), *without


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


def _counts(reasons: "pd.Series[str]") -> dict[str, int]:
    counted = [(str(reason), int(count)) for reason, count in reasons.value_counts().items()]
    return dict(sorted(counted, key=lambda item: (-item[1], item[0])))
