"""Segments written into the database, and taken back: one transaction, as set operations, with their history."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow

from aisle.database.publishing_column import CustomersColumn, add_column, write_columns
from aisle.database.publishing_tables import lock, make_tables, staging, there, update_from
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
        previous = latest["run"] if latest else None
        number = latest["run_number"] + 1 if latest else 1
        with staging(session):
            _write(session, publication, run_of(content, previous), (previous, number, content), at)
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
    with staging(session):
        session.execute(
            "INSERT INTO aisle_opened (customer_id, lifestage, segment, segment_name, valid_from, moved) "
            "SELECT h.customer_id, h.lifestage, h.segment, h.segment_name, h.valid_from, "
            "CASE WHEN n.run IS NULL THEN 0 ELSE 1 END FROM customer_segment_history h "
            "LEFT JOIN customer_segment_history n "
            "ON n.customer_id = h.customer_id AND n.lifestage = h.lifestage AND n.run = %s WHERE h.closed_by = %s",
            (run, run),
        )
        session.execute(
            "INSERT INTO aisle_gone (customer_id, lifestage) SELECT h.customer_id, h.lifestage "
            "FROM customer_segment_history h LEFT JOIN customer_segment_history b "
            "ON b.customer_id = h.customer_id AND b.lifestage = h.lifestage AND b.closed_by = %s "
            "WHERE h.run = %s AND b.customer_id IS NULL",
            (run, run),
        )
        session.execute("DELETE FROM customer_segment_history WHERE run = %s", (run,))
        session.execute(
            "UPDATE customer_segment_history SET valid_to = NULL, closed_by = NULL WHERE closed_by = %s", (run,)
        )
        _replace(session, runs[-2] if len(runs) > 1 else None)
    for table in ("customer_segment_migration", "customer_segment_labels", "customer_segment_runs"):
        session.execute(f"DELETE FROM {table} WHERE run = %s", (run,))  # noqa: S608
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
    session: Session, publication: Publication, run: str, known: tuple[str | None, int, str], at: datetime
) -> None:
    """All that a new run changes; ``known`` is the run before it, its number and the digest of its content."""
    labels = publication.segmented()
    session.insert("aisle_labels", labels)
    _look(session, "aisle_labels")
    common = _common(session)
    used = session.rows("SELECT lifestage, MAX(segment) FROM customer_segment_labels GROUP BY lifestage")
    following = {lifestage: last + 1 for lifestage, last in used}
    segments = publication.described(match_segments(common, following))
    _insert(session, "aisle_segments", segments)
    opened = session.execute(
        "INSERT INTO aisle_opened (customer_id, lifestage, segment, segment_name, valid_from, moved) "
        "SELECT l.customer_id, l.lifestage, s.segment, s.segment_name, %s, "
        "CASE WHEN c.customer_id IS NULL THEN 0 ELSE 1 END FROM aisle_labels l "
        "JOIN aisle_segments s ON s.lifestage = l.lifestage AND s.label = l.label "
        "LEFT JOIN customer_segments c ON c.customer_id = l.customer_id AND c.lifestage = l.lifestage "
        "WHERE c.customer_id IS NULL OR c.segment <> s.segment OR c.segment_name <> s.segment_name",
        (at,),
    )
    gone = session.execute(
        "INSERT INTO aisle_gone (customer_id, lifestage) SELECT c.customer_id, c.lifestage FROM customer_segments c "
        "LEFT JOIN aisle_labels l ON l.customer_id = c.customer_id AND l.lifestage = c.lifestage "
        "WHERE l.customer_id IS NULL"
    )
    ((moved,),) = session.rows("SELECT COUNT(*) FROM aisle_opened WHERE moved = 1")
    counts = (opened, gone + moved, labels.num_rows - opened)
    _look(session, "aisle_opened", "aisle_gone")
    _record(session, run, known, publication.data_digest, at, counts)
    _insert(session, "customer_segment_labels", _counted(segments, common, run))
    _insert(session, "customer_segment_migration", _migration(segments, common, run))
    _close(session, "aisle_opened", "moved = 1", run, at)
    _close(session, "aisle_gone", "1 = 1", run, at)
    session.execute(
        "INSERT INTO customer_segment_history (customer_id, lifestage, segment, segment_name, candidate_key, "
        "evidence_class, data_digest, run, valid_from, valid_to, closed_by) SELECT o.customer_id, o.lifestage, "
        "o.segment, o.segment_name, s.candidate_key, s.evidence_class, %s, %s, o.valid_from, NULL, NULL "
        "FROM aisle_opened o JOIN aisle_segments s ON s.lifestage = o.lifestage AND s.segment = o.segment",
        (publication.data_digest, run),
    )
    _replace(session, run)


def _common(session: Session) -> pd.DataFrame:
    """Customers by lifestage, published segment and new label, -1 for none: what ids are matched by."""
    stayed = session.rows(
        "SELECT l.lifestage, COALESCE(c.segment, -1), l.label, COUNT(*) FROM aisle_labels l "
        "LEFT JOIN customer_segments c ON c.customer_id = l.customer_id AND c.lifestage = l.lifestage "
        "GROUP BY l.lifestage, COALESCE(c.segment, -1), l.label"
    )
    left = session.rows(
        "SELECT c.lifestage, c.segment, -1, COUNT(*) FROM customer_segments c LEFT JOIN aisle_labels l "
        "ON l.customer_id = c.customer_id AND l.lifestage = c.lifestage WHERE l.customer_id IS NULL "
        "GROUP BY c.lifestage, c.segment"
    )
    return pd.DataFrame(sorted([*stayed, *left]), columns=["lifestage", "from_segment", "label", "customer_count"])


def _counted(segments: pd.DataFrame, common: pd.DataFrame, run: str) -> pd.DataFrame:
    counts = common.groupby(["lifestage", "label"], as_index=False)["customer_count"].sum()
    joined: pd.DataFrame = segments.merge(counts, on=["lifestage", "label"], validate="one_to_one").assign(run=run)
    return joined[list(CUSTOMER_SEGMENT_LABELS.columns)]


def _migration(segments: pd.DataFrame, common: pd.DataFrame, run: str) -> pd.DataFrame:
    joined = common.merge(segments, on=["lifestage", "label"], how="left", validate="many_to_one")
    table = joined.assign(run=run, to_segment=joined["segment"].fillna(NOISE).astype("int64"))
    return table[list(CUSTOMER_SEGMENT_MIGRATION.columns)]


def _insert(session: Session, table: str, rows: pd.DataFrame) -> None:
    session.insert(table, pyarrow.Table.from_pandas(rows, preserve_index=False))


def _record(
    session: Session,
    run: str,
    known: tuple[str | None, int, str],
    data_digest: str,
    at: datetime,
    counts: Sequence[int],
) -> None:
    previous, number, content = known
    session.execute(
        "INSERT INTO customer_segment_runs (run, run_number, previous_run, content_digest, data_digest, valid_from, "
        "opened_count, closed_count, unchanged_count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (run, number, previous, content, data_digest, at, *counts),
    )


def _close(session: Session, table: str, which: str, run: str, at: datetime) -> None:
    """End the lasting periods of the customers in a table of the staging."""
    update_from(
        session,
        "customer_segment_history",
        [f"{table} x"],
        {"valid_to": "%s", "closed_by": "%s"},
        f"t.customer_id = x.customer_id AND t.lifestage = x.lifestage AND {which} AND t.valid_to IS NULL",
        (at, run),
    )


def _replace(session: Session, run: str | None) -> None:
    """Take those gone out of the current segments, put those opened in, and name ``run`` on all of them."""
    session.execute(
        "DELETE FROM customer_segments WHERE EXISTS (SELECT 1 FROM aisle_gone x "
        "WHERE x.customer_id = customer_segments.customer_id AND x.lifestage = customer_segments.lifestage)"
    )
    update_from(
        session,
        "customer_segments",
        ["aisle_opened o"],
        {name: f"o.{name}" for name in ("segment", "segment_name", "valid_from")},
        "t.customer_id = o.customer_id AND t.lifestage = o.lifestage AND o.moved = 1",
    )
    session.execute(
        "INSERT INTO customer_segments (customer_id, lifestage, segment, segment_name, candidate_key, evidence_class, "
        "data_digest, run, valid_from) SELECT o.customer_id, o.lifestage, o.segment, o.segment_name, s.candidate_key, "
        "s.evidence_class, r.data_digest, r.run, o.valid_from FROM aisle_opened o "
        "JOIN customer_segment_labels s ON s.lifestage = o.lifestage AND s.segment = o.segment "
        "JOIN customer_segment_runs r ON r.run = s.run WHERE o.moved = 0 AND s.run = %s",
        (run,),
    )
    update_from(
        session,
        "customer_segments",
        ["customer_segment_labels s", "customer_segment_runs r"],
        {
            "candidate_key": "s.candidate_key",
            "evidence_class": "s.evidence_class",
            "data_digest": "r.data_digest",
            "run": "r.run",
        },
        "s.run = r.run AND s.lifestage = t.lifestage AND s.segment = t.segment AND t.run <> r.run AND r.run = %s",
        (run,),
    )


def _look(session: Session, *tables: str) -> None:
    """PostgreSQL plans joins by what it knows of a table, and of a temporary one it knows nothing by itself."""
    if session.dialect == "postgres":
        for table in tables:
            session.execute(f"ANALYZE {table}")
