"""What an engine is: something that opens a connection which runs Ibis expressions."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import ibis.expr.types as ir
import pyarrow
import pyarrow.compute as pc

from aisle.tables import Table


class Stored(Protocol):
    """`Connection.stored`, or what stands in for it."""

    def __call__(self, query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table: ...


class Connection(Protocol):
    """An open connection. ``names`` are the tables it has."""

    @property
    def names(self) -> Collection[str]: ...

    def origin(self, name: str) -> str:
        """Where a table is, for messages."""
        ...

    def fetch(self, query: ir.Table, *, order_by: Sequence[str]) -> pyarrow.Table:
        """The rows of a query, sorted by ``order_by``; text is compared byte by byte, whatever the engine collates."""
        ...

    def stored(self, query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table:
        """The rows of a query, for other queries of this connection to read.

        An engine that can keep them computes them here, once, under a ``name`` that no table has. On a server, to which
        a reader may not write, they are computed in every query that reads them. ``coded`` are columns of texts that
        occur often: an engine may keep them as numbers, by which it joins and groups faster.
        """
        ...

    def faultless(self, rows: ir.Table) -> bool:
        """Whether the engine is sure, at little cost, that no two rows have the same key and none has a fault.

        The column `aisle.database.keys.FAULT` says whether a row has one; the other columns are the key. False says
        nothing: whoever must know counts.
        """
        ...


class Engine(Protocol):
    """A database that holds tables of known contracts. Making one connects to nothing."""

    def connect(self, tables: Mapping[str, Table]) -> AbstractContextManager[Connection]:
        """A read-only connection, closed on leaving; ``tables`` are the contracts expected there."""
        ...


def in_order(rows: pyarrow.Table, order_by: Sequence[str]) -> pyarrow.Table:
    """Rows sorted in Arrow, which compares text by its bytes."""
    return rows.take(pc.sort_indices(rows, [(name, "ascending") for name in order_by])).combine_chunks()
