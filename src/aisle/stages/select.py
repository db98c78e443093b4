"""A study's leaderboard and the evidence on it -> a verdict per lifestage, by the declared rule."""

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute
from rich import box
from rich.console import Console
from rich.table import Table

from aisle.evidence import MEASURES, Dossier, Thresholds
from aisle.figures import critical_difference, justification
from aisle.leaderboard import KEY, NAMES, RANKED_BY
from aisle.selection import (
    Selection,
    SelectionRule,
    Verdict,
    ranks,
    select,
    selection_to_json,
    together,
    with_smallest_gap,
)
from aisle.storage import read_arrow, read_json, whole_folder, write_figure, write_json

log = logging.getLogger(__name__)

_NEEDED = {*NAMES, *KEY, RANKED_BY, "parameter", "customer_count", "n_clusters", "coverage", "smallest_share"}
_NEEDED |= {"eligible", "excluded_because"}
_MEASURED = ("null_p", "valley_p", "jaccard_worst", "strength", "replication")


def run(
    *,
    leaderboard: Path,
    candidates: Path,
    evidence: Path | None,
    labels: Path,
    features: str | None,
    rule: SelectionRule,
    thresholds: Thresholds,
    output: Path,
) -> None:
    """Write ``verdicts.json``, ``metrics.json`` and figures into ``output`` and print the verdicts.

    ``evidence`` is the folder that stage=evidence wrote; None ranks by silhouette alone, and the verdicts say so.
    ``features`` names the feature block to select in; it may be None where the leaderboard has only one.
    """
    study = read_json(Path(candidates))
    attempts = _attempts(study, Path(candidates))
    block = _block(attempts, features, Path(leaderboard))
    board = _board(Path(leaderboard))
    chosen_block = board[board["features"] == block]
    attempts = attempts[attempts["features"] == block]
    dossier = None if evidence is None else _dossier(Path(evidence), rule, thresholds)
    measures = dossier.measures if dossier else None
    verdicts = select(chosen_block, attempts, rule=rule, measures=measures, thresholds=thresholds)
    if dossier:
        verdicts = [with_smallest_gap(verdict, dossier.segments, valley_p=thresholds.valley_p) for verdict in verdicts]
    across = ranks(chosen_block, rule)
    told = {name: value for name, value in study.items() if name != "candidates"}
    selection = Selection(block, rule, told, tuple(verdicts), together(verdicts, chosen_block, rule, across))
    folder = Path(output)
    write_json(selection_to_json(selection), folder / "verdicts.json")
    write_json(metrics(verdicts), folder / "metrics.json")
    for kind in ("png", "svg"):
        write_figure(critical_difference(across), folder / f"methods.{kind}")
    with whole_folder(folder / "figures", replace=True) as part:
        if dossier:
            found = read_arrow(Path(labels))
            keys = [choice.candidate_key for choice in selection.chosen.values()]
            own = found.filter(pyarrow.compute.is_in(found["candidate_key"], pyarrow.array(keys, "string"))).to_pandas()
            for name, figure in justification(selection, dossier, own, thresholds):
                for kind in ("png", "svg"):
                    write_figure(figure, part / f"{name}.{kind}")
    _show(selection)


def metrics(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """A few numbers per lifestage for ``dvc metrics diff``; where nothing is chosen only ``segments``: 0."""
    return {verdict.lifestage: _numbers(verdict) for verdict in verdicts}


def _numbers(verdict: Verdict) -> dict[str, float]:
    if verdict.chosen is None:
        return {"segments": 0}
    measured = {name: verdict.chosen.evidence[name] for name in _MEASURED if name in verdict.chosen.evidence}
    measured |= {
        "segments": verdict.chosen.n_clusters,
        "ranking_score": verdict.chosen.ranking_score,
        "coverage": verdict.chosen.scores["coverage"],
        "smallest_share": verdict.chosen.scores["smallest_share"],
    }
    if verdict.margin is not None:
        measured["margin"] = verdict.margin
    return {name: value for name, value in measured.items() if not math.isnan(value)}


def _dossier(folder: Path, rule: SelectionRule, thresholds: Thresholds) -> Dossier:
    """The evidence on all lifestages, found by the same floor and thresholds as are declared now."""
    path = folder / "measures.parquet"
    measures: pd.DataFrame = read_arrow(path).to_pandas()
    missing = sorted({*MEASURES, "candidate_key", "tuning_value", "class", "stage", "category"} - set(measures.columns))
    if missing:
        raise ValueError(f"{path} must hold the measures that stage=evidence writes; it lacks {missing}.")
    declared = read_json(folder / "declared.json")
    now = {"floor": float(rule.floor), **asdict(thresholds)}
    before = {"floor": declared.get("floor"), **declared.get("thresholds", {})}
    other = sorted(name for name, value in now.items() if before.get(name) != value)
    if other:
        told = ", ".join(f"{name} {before.get(name)}, now {now[name]}" for name in other)
        raise ValueError(
            f"{folder} must hold evidence by what is declared now; it was found by {told}: run stage=evidence again, "
            "with the same evidence= as here."
        )
    segments, gaps = (read_arrow(folder / f"{name}.parquet").to_pandas() for name in ("segments", "gaps"))
    return Dossier(measures, segments, gaps)


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


def _show(selection: Selection) -> None:
    """The choice of every lifestage on one line, then the reasons in sentences."""
    table = Table(
        title=f"Chosen by the declared rule, features {selection.features}",
        caption="k: segments; smallest: share of the customers; score: ranking score",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("", "clusterer", "reducer", "k", "smallest", "covered", "score", "class"):
        left = name in ("", "clusterer", "reducer", "class")
        table.add_column(name, justify="left" if left else "right", no_wrap=left)
    for verdict in selection.verdicts:
        table.add_row(verdict.lifestage, *_cells(verdict))
        log.info("%s: %s", verdict.lifestage, " ".join(verdict.reasons))
    for sentence in selection.overall:
        log.info("all: %s", sentence)
    for sentence in dict.fromkeys(sentence for verdict in selection.verdicts for sentence in verdict.not_known):
        log.info("not known: %s", sentence)
    Console(stderr=True).print(table)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    chosen = verdict.chosen
    if chosen is None:
        return *[""] * 6, verdict.evidence_class or "nothing can be chosen"
    shares = (f"{chosen.scores[name]:.1%}" for name in ("smallest_share", "coverage"))
    numbers = *shares, f"{chosen.ranking_score:.4f}"
    return chosen.clusterer, chosen.reducer, str(chosen.n_clusters), *numbers, chosen.evidence_class or "not computed"
