"""Segments written into the database, and taken back: one transaction, as set operations, with their history."""

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from aisle.database.publishing_column import CustomersColumn, add_column, write_columns
from aisle.database.publishing_tables import lock, make_tables, staging, there
from aisle.database.session import Session
from aisle.matching import match_segments
from aisle.partition import NOISE
from aisle.publication import (
    CUSTOMER_SEGMENT_LABELS,
    CUSTOMER_SEGMENT_MIGRATION,
    CUSTOMER_SEGMENT_RUNS,
    NOTHING_PUBLISHED,
    Publication,
    Receipt,
    run_of,
)

log = logging.getLogger(__name__)

_READ = ("customer_segment_periods", "customer_segment_runs", "customer_segment_labels")
_COMMON = ["lifestage", "from_segment", "label", "customer_count"]
_SAME = "p.customer_id = l.customer_id AND p.lifestage = l.lifestage"


def publish_segments(
    session: Session, publication: Publication, *, at: datetime, column: CustomersColumn | None = None
) -> Receipt:
    """Make ``publication`` the current segments from ``at`` (UTC) on; what changes nothing writes nothing.

    Segments get the ids of those already published that they share most customers with. A customer whose segment or
    its name is another now has the old period closed and a new one opened; who is in no segment any more has it
    closed. ``column`` is kept equal to the segments' names from now on.

    Raises:
        ValueError: ``at`` is before the run in force, a text cannot be held by the engine, a table or column of the
            customers is missing or not ours, or a customer with a column would have two segments.
        BlockingIOError: another publication is at work and does not end.
    """
    _check_text(session, publication)
    lock(session)
    make_tables(session)
    if column:
        add_column(session, column)
    latest = _latest(session)
    content = publication.content_digest()
    if latest and latest["content_digest"] == content:
        log.info("%s holds this result already, published at %s UTC", session.origin, latest["valid_from"])
    else:
        if latest and at < latest["valid_from"]:
            raise ValueError(
                f"stage.at must not be before the run in force, {latest['run']} of {latest['valid_from']} UTC; "
                f"got {at}."
            )
        _write(session, publication, latest, content, at)
    write_columns(session)
    return read_receipt(session)


def undo_segments(session: Session, run: str) -> Receipt:
    """Restore the segments, their history and the columns as they were before ``run``, the latest.

    Raises:
        ValueError: it is not the latest run.
        BlockingIOError: another publication is at work and does not end.
    """
    lock(session)
    runs = _runs(session)
    if run not in runs:
        raise ValueError(f"stage.undo must be a run published in {session.origin}, one of {runs[-5:]}; got {run!r}.")
    if run != runs[-1]:
        later = runs[runs.index(run) + 1 :]
        raise ValueError(f"Runs are undone from the last: undo {', '.join(reversed(later))} before {run}.")
    number = len(runs)
    session.execute("DELETE FROM customer_segment_periods WHERE opened_by = %s", (number,))
    session.execute("UPDATE customer_segment_periods SET closed_by = 0 WHERE closed_by = %s", (number,))
    for table in ("customer_segment_migration", "customer_segment_labels", "customer_segment_runs"):
        session.execute(f"DELETE FROM {table} WHERE run = %s", (run,))  # noqa: S608
    _look(session, *_READ)
    write_columns(session)
    return read_receipt(session)


def read_receipt(session: Session) -> Receipt:
    """What the run in force did."""
    latest = _latest(session)
    if latest is None:
        return NOTHING_PUBLISHED
    names = ("lifestage", "segment", "label", "segment_name", "customer_count")
    found = session.rows(
        "SELECT lifestage, segment, label, segment_name, customer_count, candidate_key FROM customer_segment_labels "
        "WHERE run = %s",
        (latest["run"],),
    )
    rows = sorted(found)
    return Receipt(
        run=latest["run"],
        previous_run=latest["previous_run"],
        content_digest=latest["content_digest"],
        data_digest=latest["data_digest"],
        candidate_keys={row[0]: row[5] for row in rows},
        opened=latest["opened_count"],
        closed=latest["closed_count"],
        unchanged=latest["unchanged_count"],
        segments=tuple(dict(zip(names, row, strict=False)) for row in rows),
    )


def _check_text(session: Session, publication: Publication) -> None:
    if session.dialect != "postgres":
        return
    texts = {
        "customer_id": publication.labels["customer_id"],
        "lifestage": publication.labels["lifestage"],
        "segment_name": pd.Series(list(publication.names.values()), dtype=object),
    }
    for name, values in texts.items():
        wrong = values[values.astype(str).str.contains("\0", regex=False)]
        if len(wrong):
            raise ValueError(f"PostgreSQL cannot hold the character NUL; {name} {wrong.iloc[0]!r} has one, remove it.")


def _runs(session: Session) -> list[str]:
    if not there(session):
        return []
    return [run for (run,) in session.rows("SELECT run FROM customer_segment_runs ORDER BY run_number")]


def _latest(session: Session) -> dict[str, Any] | None:
    if not there(session):
        return None
    columns = tuple(CUSTOMER_SEGMENT_RUNS.columns)
    rows = session.rows(
        "SELECT run, run_number, previous_run, content_digest, data_digest, valid_from, opened_count, closed_count, "
        "unchanged_count FROM customer_segment_runs ORDER BY run_number DESC LIMIT 1"
    )
    return dict(zip(columns, rows[0], strict=True)) if rows else None


def _write(
    session: Session, publication: Publication, latest: Mapping[str, Any] | None, content: str, at: datetime
) -> None:
    """All that a new run changes; ``latest`` is the run in force, ``content`` the digest of the new one's."""
    labels = publication.segmented()
    previous = latest["run"] if latest else None
    number = latest["run_number"] + 1 if latest else 1
    run = run_of(content, previous)
    with staging(session) if latest else nullcontext():
        if latest:
            session.insert("aisle_labels", labels)
            _look(session, "aisle_labels")
        before = _published(session, previous)
        common = _common(before, _stayed(session) if latest else labels)
        used = session.rows("SELECT lifestage, MAX(segment) FROM customer_segment_labels GROUP BY lifestage")
        segments = publication.described(match_segments(common, {lifestage: last + 1 for lifestage, last in used}))
        segments = _compared(segments, before)
        moves = _moves(segments, common)
        opened, closed, unchanged = _counts(moves)
        session.execute(
            "INSERT INTO customer_segment_runs (run, run_number, previous_run, content_digest, data_digest, "
            "valid_from, opened_count, closed_count, unchanged_count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (run, number, previous, content, publication.data_digest, at, opened, closed, unchanged),
        )
        _insert(session, "customer_segment_labels", _counted(segments, common, run))
        _insert(session, "customer_segment_migration", _migration(moves, run))
        if not latest:
            _first_periods(session, labels, segments)
        elif opened or closed:
            _insert(session, "aisle_segments", segments[["lifestage", "label", "segment", "renamed"]])
            _look(session, "aisle_segments")
            _change_periods(session, number)
    _look(session, *_READ)


def _published(session: Session, run: str | None) -> pd.DataFrame:
    """The segments of a run: lifestage, from_segment, from_name, published_count."""
    rows = session.rows(
        "SELECT lifestage, segment, segment_name, customer_count FROM customer_segment_labels WHERE run = %s", (run,)
    )
    return pd.DataFrame(sorted(rows), columns=["lifestage", "from_segment", "from_name", "published_count"])


def _stayed(session: Session) -> pd.DataFrame:
    """Customers with a label, by lifestage, the published segment they have (-1 = none) and label."""
    rows = session.rows(
        "SELECT l.lifestage, COALESCE(p.segment, -1), l.label, COUNT(*) FROM aisle_labels l "  # noqa: S608
        f"LEFT JOIN customer_segment_periods p ON {_SAME} AND p.closed_by = 0 "
        "GROUP BY l.lifestage, COALESCE(p.segment, -1), l.label"
    )
    return pd.DataFrame(rows, columns=_COMMON)


def _common(before: pd.DataFrame, found: pd.DataFrame | pyarrow.Table) -> pd.DataFrame:
    """Customers by lifestage, published segment and new label, -1 for none: what ids are matched by.

    ``found`` counts those with a label, or is the labels when nothing is published ``before``. Who has left a segment
    is who was in it and is not found.
    """
    if isinstance(found, pyarrow.Table):
        counts = found.group_by(["lifestage", "label"]).aggregate([([], "count_all")]).to_pandas()
        found = counts.rename(columns={"count_all": "customer_count"}).assign(from_segment=NOISE)
    stayed = found.groupby(["lifestage", "from_segment"], as_index=False)["customer_count"].sum()
    left = before.merge(stayed, on=["lifestage", "from_segment"], how="left")
    gone = (left["published_count"] - left["customer_count"].fillna(0)).astype("int64")
    left = left.assign(label=NOISE, customer_count=gone)[gone > 0]
    common: pd.DataFrame = pd.concat([frame[_COMMON] for frame in (found, left) if len(frame)], ignore_index=True)
    return common.sort_values(_COMMON, ignore_index=True)


def _compared(segments: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The segments, and whether they are published under another name than ``before``: renamed, 1 or 0."""
    earlier = before.rename(columns={"from_segment": "segment"})[["lifestage", "segment", "from_name"]]
    joined = segments.merge(earlier, on=["lifestage", "segment"], how="left", validate="one_to_one")
    renamed = joined["from_name"].notna() & (joined["from_name"] != joined["segment_name"])
    return joined.drop(columns="from_name").assign(renamed=renamed.astype("int64"))


def _moves(segments: pd.DataFrame, common: pd.DataFrame) -> pd.DataFrame:
    """``common`` with the segment every label became, to_segment (-1 = none), and whether that was renamed."""
    moves = common.merge(segments, on=["lifestage", "label"], how="left", validate="many_to_one")
    return moves.assign(
        to_segment=moves["segment"].fillna(NOISE).astype("int64"), renamed=moves["renamed"].fillna(0).astype("int64")
    )


def _counted(segments: pd.DataFrame, common: pd.DataFrame, run: str) -> pd.DataFrame:
    counts = common.groupby(["lifestage", "label"], as_index=False)["customer_count"].sum()
    joined: pd.DataFrame = segments.merge(counts, on=["lifestage", "label"], validate="one_to_one").assign(run=run)
    return joined[list(CUSTOMER_SEGMENT_LABELS.columns)]


def _migration(moves: pd.DataFrame, run: str) -> pd.DataFrame:
    return moves.assign(run=run)[list(CUSTOMER_SEGMENT_MIGRATION.columns)]


def _insert(session: Session, table: str, rows: pd.DataFrame) -> None:
    session.insert(table, pyarrow.Table.from_pandas(rows, preserve_index=False))


def _counts(moves: pd.DataFrame) -> tuple[int, int, int]:
    """Periods opened, closed, unchanged."""
    same = (moves["from_segment"] == moves["to_segment"]) & (moves["renamed"] == 0)
    opened, closed = ~same & (moves["to_segment"] != NOISE), ~same & (moves["from_segment"] != NOISE)
    return (
        int(moves.loc[opened, "customer_count"].sum()),
        int(moves.loc[closed, "customer_count"].sum()),
        int(moves.loc[same, "customer_count"].sum()),
    )


def _first_periods(session: Session, labels: pyarrow.Table, segments: pd.DataFrame) -> None:
    """Everybody's period goes into the empty table as it comes, in the order of its key."""
    stages, marks = (labels[name].combine_chunks().dictionary_encode() for name in ("lifestage", "label"))
    ids = np.full((len(stages.dictionary), len(marks.dictionary)), NOISE)
    places = [
        pc.index_in(pyarrow.array(segments[name]), values.dictionary)
        for name, values in (("lifestage", stages), ("label", marks))
    ]
    ids[places[0].to_numpy(), places[1].to_numpy()] = segments["segment"]
    segment = pyarrow.array(ids[stages.indices.to_numpy(), marks.indices.to_numpy()])
    rows = labels.select(["customer_id", "lifestage"])
    for name, values in {"opened_by": pyarrow.repeat(1, len(rows)), "segment": segment}.items():
        rows = rows.append_column(name, values)
    session.insert("customer_segment_periods", rows.append_column("closed_by", pyarrow.repeat(0, len(rows))))


def _change_periods(session: Session, number: int) -> None:
    """Close the lasting periods of whom the staging has not in the same segment, open one for who has none then."""
    session.execute(
        "UPDATE customer_segment_periods p SET closed_by = %s WHERE closed_by = 0 AND NOT EXISTS ("  # noqa: S608
        f"SELECT 1 FROM aisle_labels l JOIN aisle_segments s ON s.lifestage = l.lifestage AND s.label = l.label "
        f"WHERE {_SAME} AND s.segment = p.segment AND s.renamed = 0)",
        (number,),
    )
    _look(session, "customer_segment_periods")
    session.execute(
        "INSERT INTO customer_segment_periods (customer_id, lifestage, opened_by, segment, closed_by) "  # noqa: S608
        "SELECT l.customer_id, l.lifestage, %s, s.segment, 0 FROM aisle_labels l "
        "JOIN aisle_segments s ON s.lifestage = l.lifestage AND s.label = l.label "
        f"LEFT JOIN customer_segment_periods p ON {_SAME} AND p.closed_by = 0 WHERE p.customer_id IS NULL",
        (number,),
    )


def _look(session: Session, *tables: str) -> None:
    """PostgreSQL plans joins by what it knows of a table, and of a temporary one it knows nothing by itself."""
    if session.dialect == "postgres":
        for table in tables:
            session.execute(f"ANALYZE {table}")
