"""The tables that publishing writes and the views of them: made on the first publish, checked on every other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from aisle.database.publishing_views import VIEWS
from aisle.database.session import Dialect, Session, columns_of, quoted
from aisle.publication import LONGEST, PUBLISHED, PUBLISHED_VIEWS
from aisle.tables import COUNT, MOMENT, TEXT, Column, Table

PATIENCE = 60.0
"""Seconds to wait for another publication to end."""
_TRY_AGAIN = 0.2

_RULES = {
    "customer_segment_periods": ("CHECK (closed_by = 0 OR closed_by > opened_by)",),
    "customer_segment_runs": ("UNIQUE (run_number)",),
    "customer_segment_labels": ("UNIQUE (run, lifestage, label)",),
}
_STAGING = {
    "aisle_labels": ("customer_id", "lifestage", "label"),
    "aisle_segments": ("lifestage", "label", "segment", "renamed"),
}
"""Tables of one transaction. ``renamed`` is 1 where the segment is published under another name than before, else 0."""


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
    """Whether the tables and views have been made.

    Raises:
        ValueError: one of them has other columns than ours, or a view is a table.
    """
    found = _found(session)
    return len(found) == len(PUBLISHED) + len(PUBLISHED_VIEWS)


def make_tables(session: Session) -> None:
    """Make those of the tables and views that are missing, empty. In MySQL that commits by itself."""
    found = _found(session)
    for name, table in PUBLISHED.items():
        if name not in found:
            for statement in definition(table, session.dialect, collation(session)):
                session.execute(statement)
    for name, view in PUBLISHED_VIEWS.items():
        if name not in found:
            session.execute(VIEWS[name])
            for statement in [] if session.dialect == "mysql" else _comments("VIEW", view, session.dialect):
                session.execute(statement)


def _found(session: Session) -> set[str]:
    """Those of our tables and views that are there."""
    every = {**PUBLISHED, **PUBLISHED_VIEWS}
    found = columns_of(session, list(every))
    for name, columns in found.items():
        needed = list(every[name].columns)
        if sorted(columns) != sorted(needed):
            raise ValueError(
                f"{session.origin}: table {name} must have the columns {needed} to publish into it; it has {columns}. "
                "Rename it, if it is not Aisle's."
            )
    schema = "DATABASE()" if session.dialect == "mysql" else "current_schema()"
    for name in sorted(found.keys() & PUBLISHED_VIEWS.keys()):
        kinds = session.rows(
            f"SELECT table_type FROM information_schema.tables WHERE table_schema = {schema} "  # noqa: S608
            "AND table_name = %s",
            (name,),
        )
        if kinds != [("VIEW",)]:
            raise ValueError(f"{session.origin}: {name} must be a view to publish; it is a table. Rename it.")
    return set(found)


def definition(table: Table, dialect: Dialect, collate: str) -> list[str]:
    """The statements that make one table: columns, checks, keys, comments."""
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
    place = quoted(table.name, dialect)
    if dialect == "mysql":
        options = f" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 {collate} COMMENT={_grain(table)}"
        return [f"CREATE TABLE {place} ({', '.join([*columns, *rules])}){options}"]
    return [f"CREATE TABLE {place} ({', '.join([*columns, *rules])})", *_comments("TABLE", table, dialect)]


def _comments(kind: str, table: Table, dialect: Dialect) -> list[str]:
    place = quoted(table.name, dialect)
    return [
        f"COMMENT ON {kind} {place} IS {_grain(table)}",
        *(
            f"COMMENT ON COLUMN {place}.{quoted(name, dialect)} IS {_literal(column.meaning)}"
            for name, column in table.columns.items()
        ),
    ]


def _grain(table: Table) -> str:
    return _literal(f"One row per {table.grain}.")


@contextmanager
def staging(session: Session) -> Iterator[None]:
    """The temporary tables of a publication, there as long as the block lasts."""
    collate = collation(session)
    if session.dialect == "postgres":  # or it joins by way of the disk, and compiles statements that run once
        session.execute("SET LOCAL work_mem = '128MB'")
        session.execute("SET LOCAL jit = off")
    every = {name: column for table in PUBLISHED.values() for name, column in table.columns.items()}
    every["renamed"] = Column(COUNT, "1 where the segment has another name than before")
    for table, names in _STAGING.items():
        columns = [f"{name} {_type(name, every[name], session.dialect, collate)}" for name in names]
        if session.dialect == "mysql" and table == "aisle_labels":  # what has no key is read whole for every lookup
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
