"""A study's candidates -> the evidence on them, lifestage by lifestage."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aisle.evidence import CLASSES, Contender, Effort, Family, Pipelines, Run, Thresholds, examine
from aisle.features import FeatureTable
from aisle.leaderboard import KEY, NAMES
from aisle.selection import checked_floor
from aisle.storage import (
    CandidateStore,
    candidate_key,
    dossier_key,
    read_arrow,
    read_dossier,
    read_features,
    rebuilt,
    write_csv,
    write_dossier,
    write_frame,
    write_json,
)

log = logging.getLogger(__name__)

_NAMES = [name for name in NAMES if name != "lifestage"]


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
    """Write ``measures``, ``segments`` and ``gaps`` of every lifestage's candidates, and what was declared.

    ``features`` is the folder of feature tables; ``block`` the feature block, which may be None where the leaderboard
    has only one. ``workers`` processes share the work (None: as many as cores); results do not depend on them.

    Raises:
        ValueError: the leaderboard is empty, none, or has several blocks; or its candidates were computed from other
            features or by other code than there are now.
    """
    if workers is not None and not (isinstance(workers, int) and workers >= 1):
        raise ValueError(f"stage.workers must be at least 1, or null for as many as there are cores; got {workers!r}.")
    floor = checked_floor(floor)
    board = _of_block(_board(Path(leaderboard)), block, Path(leaderboard))
    name = str(board["features"].iloc[0]).split(" ")[0]
    table = read_features(Path(features) / f"{name}.parquet")
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("measures", "segments", "gaps")}
    for lifestage, rows in board.groupby("lifestage", sort=True):
        everything = table.select(str(lifestage))
        families = _families(rows, CandidateStore(Path(store)), everything, floor)
        contenders = [one for family in families for one in family.contenders]
        key = dossier_key(everything.digest(), contenders, effort=effort, thresholds=thresholds, seed=seed)
        dossier = read_dossier(Path(store), key)
        if dossier is None:
            with parallel(str(lifestage), workers) as spread:
                dossier = examine(everything, families, effort=effort, thresholds=thresholds, seed=seed, run=spread)
            write_dossier(Path(store), key, dossier)
        names = rows.drop_duplicates("candidate_key").set_index("candidate_key")[_NAMES]
        for table_name, parts in tables.items():
            parts.append(_named(getattr(dossier, table_name), str(lifestage), names))
        _tell(tables["measures"][-1])
    found = {table_name: pd.concat(parts, ignore_index=True) for table_name, parts in tables.items()}
    for table_name, rows in found.items():
        write_frame(rows, Path(output) / f"{table_name}.parquet")
    write_csv(found["measures"], Path(output) / "measures.csv")
    write_json({"floor": floor, "thresholds": asdict(thresholds)}, Path(output) / "declared.json")
    _show(found["measures"])


def _board(path: Path) -> pd.DataFrame:
    board: pd.DataFrame = read_arrow(path).to_pandas()
    missing = sorted({*NAMES, *KEY, "eligible", "smallest_share"} - set(board.columns))
    if missing:
        raise ValueError(f"{path} must be a study's leaderboard; it lacks {missing}.")
    if board.empty:
        raise ValueError(f"{path} must hold at least one candidate; it is empty: run the study first.")
    return board


def _of_block(board: pd.DataFrame, block: str | None, path: Path) -> pd.DataFrame:
    blocks = sorted(board["features"].unique())
    if (block is None and len(blocks) > 1) or (block is not None and block not in blocks):
        raise ValueError(f"stage.block must be a feature block of {path}, one of {blocks}; got {block!r}.")
    return board[board["features"] == (blocks[0] if block is None else block)]


def _families(rows: pd.DataFrame, store: CandidateStore, features: FeatureTable, floor: float) -> list[Family]:
    """The candidates of a lifestage, together where they share scaler and reducer."""
    digest = features.digest()
    together: dict[str, list[tuple[Mapping[str, Any], Contender]]] = {}
    for key, named in rows.groupby("candidate_key", sort=True):
        record = store.read(str(key))
        parts = {name: rebuilt(record.facts[name]) for name in ("scaler", "reducer", "clusterer")}
        if candidate_key(digest, **parts, seed=record.facts["seed"]) != key:
            raise ValueError(
                f"{named['lifestage'].iloc[0]}: candidate {key} was computed from other features or by other code than "
                f"there are now; run the study again."
            )
        values = [float(value) for value in record.path.partitions]
        own = named.drop_duplicates("tuning_value").set_index("tuning_value").loc[values]  # it may have several names
        labels = [partition.labels.loc[features.values.index] for partition in record.path.partitions.values()]
        contender = Contender(
            str(key),
            str(own["clusterer"].iloc[0]),
            tuple(values),
            np.array(labels, dtype=np.int64),
            (own["eligible"].astype(bool) & (own["smallest_share"] >= floor)).to_numpy(),
            min(" ".join(row) for row in named[_NAMES].itertuples(index=False)),
        )
        shared = str([record.facts[name] for name in ("scaler", "reducer", "seed")])
        together.setdefault(shared, []).append(({**parts, "seed": record.facts["seed"]}, contender))
    return [_family(found) for _, found in sorted(together.items())]


def _family(found: Sequence[tuple[Mapping[str, Any], Contender]]) -> Family:
    first = found[0][0]
    clusterers = {contender.key: parts["clusterer"] for parts, contender in found}
    pipelines = Pipelines(first["scaler"], first["reducer"], clusterers, first["seed"])
    return Family(pipelines, tuple(contender for _, contender in found))


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


def _tell(measures: pd.DataFrame) -> None:
    """How many were examined, what failed and what was done then, and which partitions are rules."""
    lifestage = measures["lifestage"].iloc[0]
    examined = measures.loc[measures["stage"] == "examined", "candidate_key"].nunique()
    log.info("%s: %d of %d candidates examined", lifestage, examined, measures["candidate_key"].nunique())
    for _, one in measures[measures["failure"] != ""].drop_duplicates("candidate_key").iterrows():
        splits = one["splits"] + one["failed_splits"]
        lost = f"{one['failed_splits']} of {splits} splits into halves and {one['failed_draws']} null draws"
        lost += ", which count against it"
        if one["failed_bootstraps"]:
            lost += f", and on {one['failed_bootstraps']} bootstrap samples, which are left out"
        known = "" if one["splits"] else " Without a split nothing speaks for it: do not segment."
        name = f"{lifestage}: {one['clusterer']} ({one['scaler']}, {one['reducer']})"
        log.warning("%s failed on %s: %s%s", name, lost, one["failure"], known)
    for category in dict.fromkeys(measures.loc[measures["category"] != "", "category"]):
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
    """The best examined partition of every method that may be chosen: of the best class, the highest score."""
    title = "Evidence on the best partition of every examined method"
    caption = "null, valley: p-values; J: worst Jaccard coefficient; PS: prediction strength; ARI: replication"
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("", "method", "reducer", "k", *_SHOWN.values(), "class"):
        table.add_column(name, justify="left" if name in ("", "method", "reducer", "class") else "right", no_wrap=True)
    shown = measures[(measures["stage"] == "examined") & measures["eligible"]]
    shown = shown.assign(place=shown["class"].map(CLASSES.index)).sort_values(
        ["lifestage", "place", "ranking_score"], ascending=[True, True, False]
    )
    for _, row in shown.drop_duplicates(["lifestage", "clusterer"]).iterrows():
        cells = ["" if np.isnan(row[name]) else f"{row[name]:.2f}" for name in _SHOWN]
        table.add_row(row["lifestage"], row["clusterer"], row["reducer"], str(row["n_clusters"]), *cells, row["class"])
    terminal = Console(stderr=True)
    (terminal if terminal.is_terminal else Console(stderr=True, width=120)).print(table)
