"""Whether rows repeat, told by their hashes: in a fraction of the time that DuckDB takes to compare the rows."""

from collections.abc import Callable

import ibis.expr.types as ir
import numpy as np
import pyarrow

from aisle.database.dialects import compiled
from aisle.database.session import quoted

HASHED = "hashed"
"""The column that the query for hashes gives."""
HASHES_AT_ONCE = 1 << 23
"""About so many hashes, of 8 bytes each, are fetched at once."""


def unrepeated_in_duckdb(arrow: Callable[[str], pyarrow.Table], keys: ir.Table, row_count: int) -> bool:
    """Whether no two of the ``row_count`` rows of ``keys`` have the same hash, which equal rows would have.

    ``arrow`` runs DuckDB's SQL. False says nothing: two unequal rows may, if hardly ever, share a hash of 64 bits.
    """
    columns = ", ".join(quoted(name, "duckdb") for name in keys.columns)
    hashes = f"SELECT hash({columns}) AS {HASHED} FROM ({compiled(keys, 'duckdb')})"  # noqa: S608
    parts = 1 + row_count // HASHES_AT_ONCE
    return all(
        _distinct(arrow(f"SELECT {HASHED} FROM ({hashes}) WHERE {HASHED} % {parts} = {part}"))  # noqa: S608
        for part in range(parts)
    )


def _distinct(rows: pyarrow.Table) -> bool:
    hashes = np.sort(rows.column(HASHED).to_numpy())
    return not bool((hashes[1:] == hashes[:-1]).any())
