"""What DuckDB runs to keep the rows of a query for other queries of a connection."""

from collections.abc import Collection, Iterator

import ibis.expr.types as ir

from aisle.database.dialects import compiled
from aisle.database.session import quoted


def stored_in_duckdb(query: ir.Table, name: str, coded: Collection[str]) -> Iterator[str]:
    """Statements that make a temporary table; the texts of its columns ``coded`` are numbers there, and still texts.

    Their numbers go in the order of the texts, so all that can be asked of texts has the same answer.
    """
    table = quoted(name, "duckdb")
    yield f"CREATE TEMPORARY TABLE {table} AS {compiled(query, 'duckdb')}"
    for column in coded:
        text, numbers = quoted(column, "duckdb"), quoted(f"{name}_{column}", "duckdb")
        found = f"SELECT {text} FROM {table} WHERE {text} IS NOT NULL"  # noqa: S608
        texts = f"SELECT '' AS {text} UNION {found} ORDER BY {text}"  # of no text at all DuckDB makes no type
        yield f"CREATE TEMPORARY TYPE {numbers} AS ENUM ({texts})"
        yield f"ALTER TABLE {table} ALTER {text} TYPE {numbers}"
