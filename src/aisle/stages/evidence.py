"""A study's candidates -> the evidence on them, lifestage by lifestage."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aisle.evidence import Contender, Dossier, Effort, Family, Pipelines, Run, Thresholds, examine
from aisle.storage import (
    CandidateStore,
    dossier_key,
    read_arrow,
    read_dossier,
    read_features,
    rebuilt,
    write_csv,
    write_dossier,
    write_frame,
)

log = logging.getLogger(__name__)

_NAMES = ["features", "scaler", "reducer", "clusterer"]


def run(
    *,
    leaderboard: Path,
    features: Path,
    block: str | None,
    floor: float,
    effort: Effort,
    thresholds: Thresholds,
    workers: int | None,
    seed: int,
    store: Path,
    output: Path,
) -> None:
    """Write ``measures``, ``segments`` and ``gaps`` of every lifestage's candidates into ``output``.

    ``features`` is the folder of feature tables; ``block`` the feature block, which may be None where the leaderboard
    has only one. ``workers`` processes share the work (None: as many as cores); results do not depend on them.
    """
    board = _of_block(read_arrow(Path(leaderboard)).to_pandas(), block, Path(leaderboard))
    name = str(board["features"].iloc[0]).split(" ")[0]
    table = read_features(Path(features) / f"{name}.parquet")
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("measures", "segments", "gaps")}
    for lifestage, rows in board.groupby("lifestage", sort=True):
        chosen = table.select(str(lifestage)).varying()
        families = _families(rows, CandidateStore(Path(store)), chosen.values.index, floor)
        contenders = [one for family in families for one in family.contenders]
        key = dossier_key(chosen.digest(), contenders, effort=effort, thresholds=thresholds, seed=seed)
        dossier = read_dossier(Path(store), key)
        if dossier is None:
            with parallel(str(lifestage), workers) as spread:
                dossier = examine(chosen, families, effort=effort, thresholds=thresholds, seed=seed, run=spread)
            write_dossier(Path(store), key, dossier)
        names = rows.drop_duplicates("candidate_key").set_index("candidate_key")[_NAMES]
        for table_name, parts in tables.items():
            parts.append(_named(getattr(dossier, table_name), str(lifestage), names))
        _tell(str(lifestage), dossier)
    found = {table_name: pd.concat(parts, ignore_index=True) for table_name, parts in tables.items()}
    for table_name, rows in found.items():
        write_frame(rows, Path(output) / f"{table_name}.parquet")
    write_csv(found["measures"], Path(output) / "measures.csv")
    _show(found["measures"])


def _of_block(board: pd.DataFrame, block: str | None, path: Path) -> pd.DataFrame:
    if board.empty:
        raise ValueError(f"{path} must hold at least one candidate; it is empty: run the study first.")
    blocks = sorted(board["features"].unique())
    if (block is None and len(blocks) > 1) or (block is not None and block not in blocks):
        raise ValueError(f"stage.block must be a feature block of {path}, one of {blocks}; got {block!r}.")
    return board[board["features"] == (blocks[0] if block is None else block)]


def _families(rows: pd.DataFrame, store: CandidateStore, customers: pd.Index, floor: float) -> list[Family]:
    """The candidates of a lifestage, together where they share scaler and reducer."""
    pipelines: dict[str, Pipelines] = {}
    contenders: dict[str, list[Contender]] = {}
    for key, own in rows.groupby("candidate_key", sort=True):
        record = store.read(str(key))
        facts = record.facts
        shared = str((facts["scaler"], facts["reducer"], facts["seed"]))
        clusterers: Mapping[str, Any] = pipelines[shared].clusterers if shared in pipelines else {}
        pipelines[shared] = Pipelines(
            rebuilt(facts["scaler"]),
            rebuilt(facts["reducer"]),
            {**clusterers, str(key): rebuilt(facts["clusterer"])},
            facts["seed"],
        )
        labels = [partition.labels.loc[customers] for partition in record.path.partitions.values()]
        own = own.set_index("tuning_value").loc[[float(value) for value in record.path.partitions]]
        contenders.setdefault(shared, []).append(
            Contender(
                str(key),
                str(own["clusterer"].iloc[0]),
                tuple(record.path.partitions),
                np.array(labels, dtype=np.int64),
                (own["eligible"].astype(bool) & (own["smallest_share"] >= floor)).to_numpy(),
            )
        )
    return [Family(pipelines[shared], tuple(found)) for shared, found in sorted(contenders.items())]


@contextmanager
def parallel(lifestage: str, workers: int | None) -> Iterator[Run]:
    """Runs tasks in processes, with a bar for each kind of work."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console, count = Console(stderr=True), workers or os.cpu_count() or 1
    with (
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
        joblib.Parallel(n_jobs=count, return_as="generator") as pool,
    ):

        def spread(what: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
            bar = progress.add_task(f"{lifestage} {what}", total=len(tasks))
            for found in pool(joblib.delayed(task)() for task in tasks):
                progress.advance(bar)
                yield found
            progress.remove_task(bar)

        yield spread


def _named(rows: pd.DataFrame, lifestage: str, names: pd.DataFrame) -> pd.DataFrame:
    named = rows.join(names, on="candidate_key")
    named.insert(0, "lifestage", lifestage)
    return named[["lifestage", *_NAMES, *rows.columns]]


def _tell(lifestage: str, dossier: Dossier) -> None:
    failed = dossier.measures.drop_duplicates("candidate_key")[["failed_splits", "failed_draws"]].sum()
    if failed.any():
        splits, draws = failed["failed_splits"], failed["failed_draws"]
        log.info(
            "%s: %d splits and %d null draws failed for a candidate and are left out of it", lifestage, splits, draws
        )
    for category in dict.fromkeys(name for name in dossier.measures["category"] if name):
        log.info("%s: a partition only repeats %s: that is a rule, not segments", lifestage, category)


_SHOWN = {
    "ranking_score": "score",
    "null_p": "null",
    "valley_p": "valley",
    "jaccard_worst": "J",
    "strength": "PS",
    "replication": "ARI",
}


def _show(measures: pd.DataFrame) -> None:
    """The best examined partition of every method."""
    title = "Evidence on the best partition of every examined method"
    caption = "null, valley: p-values; J: worst Jaccard coefficient; PS: prediction strength; ARI: replication"
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("", "method", "reducer", "k", *_SHOWN.values(), "class"):
        table.add_column(name, justify="left" if name in ("", "method", "reducer", "class") else "right", no_wrap=True)
    examined = measures[(measures["stage"] == "examined") & measures["ranking_score"].notna()]
    best = examined.sort_values("ranking_score", ascending=False).drop_duplicates(["lifestage", "clusterer"])
    for _, row in best.sort_values(["lifestage", "ranking_score"], ascending=[True, False]).iterrows():
        cells = ["" if np.isnan(row[name]) else f"{row[name]:.2f}" for name in _SHOWN]
        table.add_row(row["lifestage"], row["clusterer"], row["reducer"], str(row["n_clusters"]), *cells, row["class"])
    Console(stderr=True).print(table)
