"""A study's leaderboard -> a verdict per lifestage, by the declared rule."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from aisle.leaderboard import KEY, NAMES, RANKED_BY
from aisle.selection import Selection, SelectionRule, Verdict, select, selection_to_json
from aisle.storage import read_arrow, read_json, write_json

log = logging.getLogger(__name__)

_NEEDED = {*NAMES, *KEY, RANKED_BY, "parameter", "customer_count", "n_clusters", "coverage", "smallest_share"}
_NEEDED |= {"eligible", "excluded_because"}


def run(*, leaderboard: Path, candidates: Path, features: str | None, rule: SelectionRule, output: Path) -> None:
    """Write ``verdicts.json`` and ``metrics.json`` into ``output`` and print the verdicts.

    ``features`` names the feature block to select in; it may be None where the leaderboard has only one.
    """
    study = read_json(Path(candidates))
    attempts = _attempts(study, Path(candidates))
    block = _block(attempts, features, Path(leaderboard))
    board = _board(Path(leaderboard))
    chosen_block = board[board["features"] == block]
    verdicts = select(chosen_block, attempts[attempts["features"] == block], rule=rule)
    told = {name: value for name, value in study.items() if name != "candidates"}
    write_json(selection_to_json(Selection(block, rule, told, tuple(verdicts))), Path(output) / "verdicts.json")
    write_json(metrics(verdicts), Path(output) / "metrics.json")
    _show(verdicts, block)


def metrics(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """A few numbers per lifestage for ``dvc metrics diff``; where nothing is chosen only ``segments``: 0."""
    return {verdict.lifestage: _numbers(verdict) for verdict in verdicts}


def _numbers(verdict: Verdict) -> dict[str, float]:
    if verdict.chosen is None:
        return {"segments": 0}
    measured = {
        "segments": verdict.chosen.n_clusters,
        "ranking_score": verdict.chosen.ranking_score,
        "coverage": verdict.chosen.scores["coverage"],
        "smallest_share": verdict.chosen.scores["smallest_share"],
    }
    return measured if verdict.margin is None else {**measured, "margin": verdict.margin}


def _board(path: Path) -> pd.DataFrame:
    board: pd.DataFrame = read_arrow(path).to_pandas()
    missing = sorted(_NEEDED - set(board.columns))
    if missing and not board.empty:
        raise ValueError(f"{path} must be a study's leaderboard; it lacks {missing}.")
    return board


def _attempts(study: dict[str, Any], path: Path) -> pd.DataFrame:
    try:
        rows = [
            {**asked["names"], "status": asked["status"], "reason": asked["reason"]} for asked in study["candidates"]
        ]
    except (KeyError, TypeError):
        raise ValueError(
            f"{path} must be a study's record of candidates; it lacks their names, status or reason."
        ) from None
    if not rows:
        raise ValueError(f"{path} names no candidate; run the study first.")
    return pd.DataFrame(rows)


def _block(attempts: pd.DataFrame, features: str | None, path: Path) -> str:
    blocks = sorted(attempts["features"].unique())
    if features is None and len(blocks) > 1:
        raise ValueError(
            f"{path} has {len(blocks)} feature blocks, whose ranking scores cannot be compared; choose one with "
            f"stage.features= and one of {blocks}."
        )
    if features is not None and features not in blocks:
        raise ValueError(f"stage.features must be a feature block of {path}, one of {blocks}; got {features!r}.")
    return blocks[0] if features is None else features


def _show(verdicts: Sequence[Verdict], block: str) -> None:
    """The choice of every lifestage on one line, then the reasons in sentences."""
    table = Table(
        title=f"Chosen by ranking score, features {block}; evidence is not computed yet",
        caption="k: segments; smallest: share of the customers; lead: over the next clusterer",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("lifestage", "clusterer", "reducer", "k", "smallest", "covered", "score", "lead"):
        table.add_column(name, justify="left" if name in ("lifestage", "clusterer", "reducer") else "right")
    for verdict in verdicts:
        table.add_row(verdict.lifestage, *_cells(verdict))
        log.info("%s: %s", verdict.lifestage, " ".join(verdict.reasons))
    for sentence in dict.fromkeys(sentence for verdict in verdicts for sentence in verdict.not_known):
        log.info("not known: %s", sentence)
    Console(stderr=True).print(table)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    chosen = verdict.chosen
    if chosen is None:
        return "nothing can be chosen", *[""] * 6
    shares = (f"{chosen.scores[name]:.1%}" for name in ("smallest_share", "coverage"))
    lead = "" if verdict.margin is None else f"{verdict.margin:.4f}"
    return chosen.clusterer, chosen.reducer, str(chosen.n_clusters), *shares, f"{chosen.ranking_score:.4f}", lead
