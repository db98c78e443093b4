"""Segments -> the database: current, with history, one transaction; or a run taken back. And who moved, as pictures."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.database import (
    CustomersColumn,
    ParquetFolder,
    Server,
    Session,
    publish_segments,
    read_segment_labels,
    read_segment_migration,
    undo_segments,
)
from aisle.figures import migration_flow
from aisle.partition import NOISE
from aisle.profiles import LABELS
from aisle.publication import Publication, Receipt
from aisle.rules import ASSIGNED, labels_digest
from aisle.selection import selection_from_json
from aisle.storage import read_arrow, read_json, read_table, whole_folder, write_figure, write_json

log = logging.getLogger(__name__)


def run(
    *,
    database: Server | ParquetFolder,
    labels: Path,
    sizes: Path,
    verdicts: Path,
    assign: Path | None,
    at: str | None,
    undo: str | None,
    customers_table: str | None,
    customers_key: str | None,
    customers_column: str | None,
    output: Path,
) -> None:
    """Publish the segments, or restore what was before the run ``undo``; write the receipt of the run in force.

    Beside the receipt, in ``figures``, is for every lifestage who went where from the run before it, if there was one.

    Every customer's segment, of stage=assign, is published where its folder ``assign`` has them; else, or where that is
    None, the ``labels`` of the customers whom the study saw.
    ``at`` is the moment of publishing (ISO 8601, UTC where it names no zone), now where it is None. The three
    ``customers_`` arguments name a column to add to a table of the customers, by the column that holds customer_id.
    """
    if isinstance(database, ParquetFolder):
        raise ValueError(
            "stage=publish must have a database that can be written to; Parquet files cannot. Choose database=duckdb, "
            "postgresql or mysql."
        )
    if undo is not None:
        with database.writing() as session:
            receipt = undo_segments(session, str(undo))
            moved = moved_since(session, receipt)
        log.info("%s undone; %s is in force", undo, receipt.run or "nothing")
    else:
        column = _column(customers_table, customers_key, customers_column)
        known = read_arrow(Path(labels)).to_pandas()
        everybody = _everybody(Path(assign), known, Path(labels)) if assign is not None else None
        if everybody is None:
            log.info("published are the customers whom the study saw; stage=assign gives everybody a segment")
        publication = _publication(known if everybody is None else everybody, Path(sizes), Path(verdicts))
        moment = _moment(at)
        with database.writing() as session:
            receipt = publish_segments(session, publication, at=moment, column=column)
            moved = moved_since(session, receipt)
        told = (receipt.run, receipt.opened, receipt.closed, receipt.unchanged)
        log.info("run %s is in force: it opened %d segments of customers, closed %d, left %d as they were", *told)
    write_json(receipt.to_json(), Path(output))
    with whole_folder(Path(output).parent / "figures", replace=True) as part:
        for lifestage, (rows, names) in moved.items():
            figure = migration_flow(rows, names, lifestage=lifestage)
            for kind in ("png", "svg"):
                write_figure(figure, part / f"{lifestage}_migration.{kind}")


def moved_since(session: Session, receipt: Receipt) -> dict[str, tuple[pd.DataFrame, dict[int, str]]]:
    """Of every lifestage that the run before had: its part of the migration, and what its segments are called.

    A segment that is no more has the name that it had.
    """
    if receipt.previous_run is None:
        return {}
    moves, named = read_segment_migration(session), read_segment_labels(session)
    moves = moves[moves["run"] == receipt.run]
    runs = [named[named["run"] == run] for run in (receipt.previous_run, receipt.run)]
    called = dict(iter(pd.concat(runs).groupby("lifestage")))
    return {
        str(lifestage): (rows, dict(zip(called[lifestage]["segment"], called[lifestage]["segment_name"], strict=True)))
        for lifestage, rows in moves.groupby("lifestage", sort=True)
        if (rows["from_segment"] != NOISE).any()
    }


def _everybody(assign: Path, labels: pd.DataFrame, origin: Path) -> pd.DataFrame | None:
    """The customers to whom stage=assign gave a segment; None where it was not run.

    Raises:
        ValueError: it was run for other segments than those of ``labels``.
    """
    path = assign / "assignments.parquet"
    if not path.exists():
        return None
    told = read_json(assign / "agreement.json")
    missing = {*LABELS, "segment_name"} - set(labels.columns)
    if missing or told.get("labels_digest") != labels_digest(labels.fillna({"segment_name": ""})):
        raise ValueError(
            f"{path} must be of the segments of {origin}; it is of others: run stage=assign again, or publish only the "
            "customers of the study with stage.assign=null."
        )
    rows: pd.DataFrame = read_table(path, ASSIGNED).to_pandas()
    return rows[rows["segment"] != NOISE]


def _publication(labels: pd.DataFrame, sizes: Path, verdicts: Path) -> Publication:
    selection = selection_from_json(read_json(verdicts), str(verdicts))
    evidence = {verdict.lifestage: verdict.evidence_class for verdict in selection.verdicts if verdict.chosen}
    return Publication(
        labels=labels,
        candidates={lifestage: choice.candidate_key for lifestage, choice in selection.chosen.items()},
        evidence={lifestage: word for lifestage, word in evidence.items() if word},
        names=_names(sizes),
        data_digest=_digest(selection.study.get("data_digest"), verdicts),
    )


def _names(sizes: Path) -> dict[tuple[str, int], str]:
    """The names of the segments, where they have been given any."""
    if not sizes.exists():
        raise FileNotFoundError(f"{sizes} is needed and missing; run stage=segments first.")
    table = pd.read_csv(sizes, dtype={"lifestage": str, "segment_name": str}, keep_default_na=False)
    missing = sorted({"lifestage", "segment"} - set(table.columns))
    if missing:
        raise ValueError(f"{sizes} must be the sizes that stage=segments writes; it lacks {missing}.")
    if "segment_name" not in table:
        return {}
    keys = zip(table["lifestage"], table["segment"].astype(int), table["segment_name"], strict=True)
    return {(lifestage, segment): name for lifestage, segment, name in keys if name and segment != NOISE}


def _digest(value: Any, verdicts: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{verdicts} must name the data by study.data_digest; it does not; run stage=select again.")
    return value


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC).replace(tzinfo=None)
    try:
        given = datetime.fromisoformat(str(at))
    except ValueError:
        raise ValueError(f"stage.at must be a moment like 2026-01-31T12:00:00 (UTC); got {at!r}.") from None
    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given


def _column(table: str | None, key: str | None, column: str | None) -> CustomersColumn | None:
    given = {"customers_table": table, "customers_key": key, "customers_column": column}
    lacking = [f"stage.{name}" for name, value in given.items() if not value]
    if table and key and column:
        return CustomersColumn(str(table), str(key), str(column))
    if len(lacking) < len(given):
        raise ValueError(f"A column of the customers' table needs its table, key and name; {lacking} are missing.")
    return None
