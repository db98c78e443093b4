"""Whether rows are as their contract asks, told at once; of keys DuckDB is asked hashes, which takes far less time."""

from collections.abc import Callable

import ibis.expr.types as ir
import numpy as np
import pyarrow
import pyarrow.compute as pc

from aisle.database.dialects import compiled
from aisle.database.session import quoted

FAULT = "fault"
"""The column of a query that says whether a row has a fault; its other columns are the row's key."""
HASHES_AT_ONCE = 1 << 23
"""About so many hashes, of 8 bytes each, are fetched at once."""

_COUNTED = pyarrow.schema([("row_count", pyarrow.int64())])
_HASHED = pyarrow.schema([("hashed", pyarrow.uint64()), (FAULT, pyarrow.bool_())])


def faultless_in_duckdb(arrow: Callable[[str, pyarrow.Schema], pyarrow.Table], rows: ir.Table) -> bool:
    """Whether no row of ``rows`` has a `FAULT` and no two have the same hash of their key, as equal keys would have.

    ``arrow`` runs DuckDB's SQL. False says little: two unequal keys may, if hardly ever, share a hash of 64 bits.
    """
    source = f"({compiled(rows, 'duckdb')})"
    key = ", ".join(quoted(name, "duckdb") for name in rows.columns if name != FAULT)
    hashes = f"SELECT hash({key}) AS hashed, {FAULT} FROM {source}"  # noqa: S608
    row_count = arrow(f"SELECT COUNT(*) AS row_count FROM {source}", _COUNTED).column(0)[0].as_py()  # noqa: S608
    parts = 1 + row_count // HASHES_AT_ONCE
    if parts == 1:
        return _faultless(arrow(hashes, _HASHED))
    return all(
        _faultless(arrow(f"SELECT * FROM ({hashes}) WHERE hashed % {parts} = {part}", _HASHED))  # noqa: S608
        for part in range(parts)
    )


def _faultless(rows: pyarrow.Table) -> bool:
    if pc.any(rows.column(FAULT), min_count=0).as_py():
        return False
    hashes = np.sort(rows.column("hashed").to_numpy())
    return not bool((hashes[1:] == hashes[:-1]).any())
