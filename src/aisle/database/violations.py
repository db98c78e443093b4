"""Which rows break a key or a relation: counted, and the first five named."""

from collections.abc import Collection, Mapping, Sequence

from aisle.database.schema import Schema
from aisle.database.session import Session
from aisle.tables import CANONICAL, Table

_SHOWN = 5


def repeated_keys(session: Session, schema: Schema, table: Table, source: str) -> str | None:
    """The sentence for rows of ``source`` whose key occurs twice; None if there are none."""
    keys = schema.columns(table.key)
    twice = f"SELECT {keys}, COUNT(*) - 1 AS extra FROM {schema.quoted(source)} GROUP BY {keys} HAVING COUNT(*) > 1"  # noqa: S608
    ((count,),) = session.rows(f"SELECT COALESCE(SUM(extra), 0) FROM ({twice}) AS twice")  # noqa: S608
    if not count:
        return None
    first = session.rows(f"SELECT {keys} FROM ({twice}) AS twice ORDER BY {keys} LIMIT {_SHOWN:d}")  # noqa: S608
    return f"{table.repeated(int(count)).rstrip('.')}, the first of {_listed(first)}."


def orphans(
    session: Session, schema: Schema, table: Table, source: str, parents: Mapping[str, Collection[str]]
) -> str | None:
    """The sentence for rows of ``source`` that refer to nothing; None if there are none.

    ``parents`` names, per referenced table, the tables its key is looked for in.
    """
    for column, parent in table.references.items():
        (key,) = CANONICAL[parent].key
        child = f"c.{schema.quoted(column)}"
        joins, lost = [], []
        for number, place in enumerate(parents[parent]):  # joined, because MariaDB would first copy NOT EXISTS's table
            found = f"p{number:d}.{schema.quoted(key)}"
            joins.append(f"LEFT JOIN {schema.quoted(place)} AS p{number:d} ON {found} = {child}")
            lost.append(f"{found} IS NULL")
        where = f"{' '.join(joins)} WHERE {' AND '.join([f'{child} IS NOT NULL', *lost])}"
        # Many rows refer to one parent: each is looked for once, and rows are counted only where one is missing.
        distinct = f"(SELECT DISTINCT {schema.quoted(column)} FROM {schema.quoted(source)}) AS c"  # noqa: S608
        first = session.rows(f"SELECT {child} FROM {distinct} {where} ORDER BY {child} LIMIT {_SHOWN:d}")  # noqa: S608
        if first:
            ((count,),) = session.rows(f"SELECT COUNT(*) FROM {schema.quoted(source)} AS c {where}")  # noqa: S608
            return (
                f"{table.name}.{column} must be found in {parent}; {count} rows are not, the first of {_listed(first)}."
            )
    return None


def _listed(rows: Sequence[Sequence[object]]) -> str:
    return ", ".join("/".join(str(value) for value in row) for row in rows)
