"""The tables that publishing writes: made on the first publish, compared with their contracts on every other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aisle.database.session import Dialect, Session, columns_of, quoted
from aisle.publication import LONGEST, PUBLISHED
from aisle.tables import COUNT, MOMENT, TEXT, Column, Table

PATIENCE = 60.0
"""Seconds to wait for another publication to end."""
_TRY_AGAIN = 0.2

_INDICES = {
    "customer_segments": ("lifestage", "segment"),
    "customer_segment_history": ("closed_by",),
}
_RULES = {
    "customer_segment_history": (
        "CHECK (valid_to IS NULL OR valid_to >= valid_from)",
        "CHECK ((valid_to IS NULL) = (closed_by IS NULL))",
    ),
    "customer_segment_runs": ("UNIQUE (run_number)",),
    "customer_segment_labels": ("UNIQUE (run, lifestage, label)",),
}
_STAGING = {
    "aisle_labels": ("customer_id", "lifestage", "label"),
    "aisle_segments": ("lifestage", "label", "segment", "segment_name", "candidate_key", "evidence_class"),
    "aisle_opened": ("customer_id", "lifestage", "segment", "segment_name", "valid_from", "moved"),
    "aisle_gone": ("customer_id", "lifestage"),
}
"""Tables of one transaction. ``moved`` is 1 where the customer leaves another segment, 0 where they had none."""


def collation(session: Session) -> str:
    """What makes the engine compare text by its bytes, spaces at the end included, as a clause; MySQL has two names."""
    if session.dialect == "mysql":
        ((version,),) = session.rows("SELECT VERSION()")
        return f"COLLATE utf8mb4_{'nopad_bin' if 'mariadb' in version.lower() else '0900_bin'}"
    return 'COLLATE "C"' if session.dialect == "postgres" else ""


def lock(session: Session, *, patience: float = PATIENCE) -> None:
    """Wait until no other publication is at work in this database; the lock ends with the connection or transaction.

    DuckDB needs none: only one process can write to its file.

    Raises:
        BlockingIOError: another one still is after ``patience`` seconds.
    """
    question = {
        "postgres": "SELECT pg_try_advisory_xact_lock(hashtext('aisle publish ' || current_schema()))",
        "mysql": "SELECT GET_LOCK(CONCAT('aisle ', MD5(DATABASE())), 0)",
        "duckdb": "SELECT true",
    }[session.dialect]
    until = time.monotonic() + patience
    while not session.rows(question)[0][0]:
        if time.monotonic() > until:
            raise BlockingIOError(
                f"{session.origin} can take one publication at a time; another is at work, wait until it has ended."
            )
        time.sleep(_TRY_AGAIN)
    if session.dialect == "mysql":
        session.execute("COMMIT")  # the transaction must see what the one waited for has written


def there(session: Session) -> bool:
    """Whether the tables have been made.

    Raises:
        ValueError: one of them has other columns than ours.
    """
    found = columns_of(session, list(PUBLISHED))
    for name, columns in found.items():
        needed = list(PUBLISHED[name].columns)
        if sorted(columns) != sorted(needed):
            raise ValueError(
                f"{session.origin}: table {name} must have the columns {needed} to publish into it; it has {columns}. "
                "Rename it, if it is not Aisle's."
            )
    return len(found) == len(PUBLISHED)


def make_tables(session: Session) -> None:
    """Make those of the tables that are missing, empty. In MySQL that commits by itself."""
    if there(session):
        return
    found = columns_of(session, list(PUBLISHED))
    for name, table in PUBLISHED.items():
        if name not in found:
            for statement in definition(table, session.dialect, collation(session)):
                session.execute(statement)


def definition(table: Table, dialect: Dialect, collate: str) -> list[str]:
    """The statements that make one table: columns, checks, keys, index, comments."""
    columns = [_column(name, column, dialect, collate) for name, column in table.columns.items()]
    checks = [
        f"CHECK ({quoted(name, dialect)} >= {column.minimum})"
        for name, column in table.columns.items()
        if column.minimum is not None
    ]
    rules = [f"PRIMARY KEY ({_names(table.key, dialect)})", *_RULES.get(table.name, ()), *checks]
    if dialect != "duckdb":  # there a row cannot be deleted in the transaction that deleted what referred to it
        rules += [
            f"FOREIGN KEY ({quoted(column, dialect)}) REFERENCES {quoted(other, dialect)} (run)"
            for column, other in table.references.items()
        ]
    grain = _literal(f"One row per {table.grain}.")
    index = _INDICES.get(table.name)
    place = quoted(table.name, dialect)
    if dialect == "mysql":
        if index:
            rules.append(f"INDEX ({_names(index, dialect)})")
        options = f" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 {collate} COMMENT={grain}"
        return [f"CREATE TABLE {place} ({', '.join([*columns, *rules])}){options}"]
    statements = [f"CREATE TABLE {place} ({', '.join([*columns, *rules])})", f"COMMENT ON TABLE {place} IS {grain}"]
    if index:
        name = quoted(f"{table.name}_{'_'.join(index)}", dialect)
        statements.append(f"CREATE INDEX {name} ON {place} ({_names(index, dialect)})")
    for name, column in table.columns.items():
        statements.append(f"COMMENT ON COLUMN {place}.{quoted(name, dialect)} IS {_literal(column.meaning)}")
    return statements


def update_from(
    session: Session,
    table: str,
    others: Sequence[str],
    values: Mapping[str, str],
    where: str,
    parameters: Sequence[Any] = (),
) -> None:
    """Set columns of ``table`` (t) by the rows of ``others`` that ``where`` pairs it with, as each engine writes it."""
    mark = "t." if session.dialect == "mysql" else ""
    pairs = ", ".join(f"{mark}{name} = {value}" for name, value in values.items())
    rest = ", ".join(others)
    middle = f"t, {rest} SET {pairs}" if session.dialect == "mysql" else f"AS t SET {pairs} FROM {rest}"
    session.execute(f"UPDATE {table} {middle} WHERE {where}", parameters)


@contextmanager
def staging(session: Session) -> Iterator[None]:
    """The temporary tables of a publication, there as long as the block lasts."""
    collate = collation(session)
    every = {name: column for table in PUBLISHED.values() for name, column in table.columns.items()}
    every["moved"] = Column(COUNT, "1 where the customer leaves another segment")
    for table, names in _STAGING.items():
        columns = [f"{name} {_type(name, every[name], session.dialect, collate)}" for name in names]
        if session.dialect == "mysql" and names[0] == "customer_id":  # others hash their joins
            columns.append("PRIMARY KEY (customer_id, lifestage)")
        session.execute(f"CREATE TEMPORARY TABLE {table} ({', '.join(columns)})")
    yield
    for table in _STAGING:  # after an error the transaction is undone, and with it these
        session.execute(f"DROP {'TEMPORARY ' if session.dialect == 'mysql' else ''}TABLE {table}")


def _column(name: str, column: Column, dialect: Dialect, collate: str) -> str:
    parts = [quoted(name, dialect), _type(name, column, dialect, collate), "NULL" if column.nullable else "NOT NULL"]
    if dialect == "mysql":
        parts.append(f"COMMENT {_literal(column.meaning)}")
    return " ".join(parts)


def _type(name: str, column: Column, dialect: Dialect, collate: str) -> str:
    if column.type == TEXT:
        length = LONGEST.get(name, 64)
        kind = {"postgres": "text", "mysql": f"varchar({length}) CHARACTER SET utf8mb4", "duckdb": "varchar"}[dialect]
        return f"{kind} {collate}".rstrip()
    if column.type == MOMENT:
        return "datetime(6)" if dialect == "mysql" else "timestamp"
    if column.type == COUNT:
        return "bigint"
    raise TypeError(f"{name} has no type in SQL: {column.type}.")


def _names(names: tuple[str, ...], dialect: Dialect) -> str:
    return ", ".join(quoted(name, dialect) for name in names)


def _literal(text: str) -> str:
    """A text of a contract between quotes; it has no backslash."""
    return "'" + text.replace("'", "''") + "'"
