"""Public data sets and simulators, turned into the canonical tables of `aisle.tables`.

A source is a frozen dataclass whose ``batches()`` yields checked parts of canonical tables; a table may arrive in many
parts (a week at a time), so that no source needs all its rows in memory. Parts come in a fixed order and rows
are sorted, so that the same source always gives the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow

from aisle.tables import CANONICAL


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of one canonical table; checked against its contract where it is made."""

    table: str
    rows: pyarrow.Table

    @classmethod
    def checked(cls, table: str, rows: pyarrow.Table, origin: str) -> "Batch":
        """A batch of ``rows`` that fulfil the contract of ``table``; ``origin`` names the source or file in errors."""
        return cls(table, CANONICAL[table].check(rows, origin))


class Source(Protocol):
    """Where canonical tables come from."""

    def batches(self) -> Iterator[Batch]:
        """All rows of all the tables the source has, in parts; rows whose key occurs in two parts are an error."""
        ...
