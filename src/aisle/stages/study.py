"""The outcomes of a sweep -> the study's leaderboard, labels and record, from the candidate store."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from aisle.leaderboard import NAMES, RANKED_BY, leaderboard, rows
from aisle.storage import CandidateStore, read_json, write_csv, write_figure, write_frame, write_json

log = logging.getLogger(__name__)

_STATUSES = ("finished", "found", "skipped", "failed")


def run(
    *,
    sweep: Path,
    study: str,
    question: str,
    hypothesis: str,
    floor: float,
    summary: Path,
    store: Path,
    output: Path,
) -> int:
    """Write the study's files into ``output``, print the best candidates, and return how many candidates failed."""
    from aisle.figures import ranking_curves  # for the end of a sweep alone: every job of it imports this module

    output = Path(output)
    data_digest = _data_digest(Path(summary))
    outcomes = _outcomes(Path(sweep))
    records = CandidateStore(Path(store))
    entries: list[dict[str, Any]] = []
    labels = []
    for outcome in outcomes:
        if outcome["status"] in ("failed", "skipped"):
            continue
        record = records.read(outcome["key"])
        customers = record.facts["features"]["customers"]
        entries += rows(outcome["names"], record.key, customers, record.path.parameter, record.scores)
        labels += [
            partition.labels.rename_axis("customer_id")
            .reset_index()
            .assign(candidate_key=record.key, tuning_value=float(value))
            for value, partition in record.path.partitions.items()
        ]
    board = leaderboard(entries, floor=floor)
    write_frame(board, output / "leaderboard.parquet")
    write_csv(board, output / "leaderboard.csv")
    write_frame(_together(labels), output / "labels.parquet")
    write_figure(ranking_curves(board), output / "ranking.png")
    record_of_study = {
        "study": study,
        "question": question,
        **({"hypothesis": hypothesis} if hypothesis else {}),
        "data_digest": data_digest,
        "candidates": [_told(outcome) for outcome in outcomes],
    }
    write_json(record_of_study, output / "candidates.json")
    _show(board, study)
    return _report(outcomes)


def _data_digest(summary: Path) -> str:
    try:
        return str(read_json(summary)["data_digest"])
    except KeyError:
        raise ValueError(f"{summary} must hold the data_digest of the extract; run stage=extract.") from None


def _together(labels: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Labels of all candidates, sorted; a table without rows where there are none, so that no old one stays."""
    order = ["candidate_key", "tuning_value", "customer_id"]
    kinds = {"candidate_key": "str", "tuning_value": "float64", "customer_id": "str", "label": "int64"}
    if not labels:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    return pd.concat(labels, ignore_index=True)[list(kinds)].drop_duplicates().sort_values(order)


def _outcomes(sweep: Path) -> list[dict[str, Any]]:
    """What every job of the sweep said, in the order of the candidates' names."""
    found = [read_json(path) for path in sweep.rglob("outcome.json")]
    if not found:
        raise FileNotFoundError(f"{sweep} holds no outcome of any candidate; run the study first.")
    unique = {(*(outcome["names"][name] for name in NAMES), outcome["key"] or ""): outcome for outcome in found}
    return [unique[names] for names in sorted(unique)]


def _told(outcome: dict[str, Any]) -> dict[str, Any]:
    """What of an outcome is the same every time it is run."""
    status = "finished" if outcome["status"] == "found" else outcome["status"]
    return {"names": outcome["names"], "key": outcome["key"], "status": status, "reason": outcome["reason"]}


def _report(outcomes: Sequence[dict[str, Any]]) -> int:
    counts = Counter(outcome["status"] for outcome in outcomes)
    log.info("candidates: %s", ", ".join(f"{counts[status]} {status}" for status in _STATUSES if counts[status]))
    for outcome in outcomes:
        if outcome["status"] in ("failed", "skipped"):
            log.warning(
                "%s %s: %s", " · ".join(outcome["names"][name] for name in NAMES), outcome["status"], outcome["reason"]
            )
    return counts["failed"]


def _show(board: pd.DataFrame, study: str) -> None:
    """The three best candidates of every lifestage; a role with one option in all of them is told once, below."""
    eligible = board[board["eligible"].astype(bool)]
    best = eligible.drop_duplicates([*NAMES, "candidate_key"]).groupby("lifestage", sort=True).head(3)
    if best.empty:
        return
    told = [name for name in NAMES if name == "lifestage" or len(set(best[name])) > 1]
    same = [f"{name} {best[name].iloc[0]}" for name in NAMES if name not in told]
    table = Table(title=f"{study}: best by ranking score", caption=", ".join([*same, "noise counts 0"]))
    for name in told:
        table.add_column(name, no_wrap=True)
    for name in ("tuning", "segments", "coverage", "score"):
        table.add_column(name, no_wrap=True, justify="left" if name == "tuning" else "right")
    for row in best.to_dict("records"):
        tuning = f"{row['parameter']}={row['tuning_value']:g}"
        numbers = (str(row["n_clusters"]), f"{row['coverage']:.0%}", f"{row[RANKED_BY]:.3f}")
        table.add_row(*(str(row[name]) for name in told), tuning, *numbers)
    terminal = Console(stderr=True)
    (terminal if terminal.is_terminal else Console(stderr=True, width=120)).print(table)
