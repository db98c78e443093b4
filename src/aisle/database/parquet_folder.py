"""The embedded engine: DuckDB over a folder of Parquet files. Nothing to install, nothing left behind."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow
import pyarrow.parquet

from aisle.database.dialects import arrow_schema, compiled
from aisle.database.engine import in_order
from aisle.database.keys import faultless_in_duckdb
from aisle.database.stored import stored_in_duckdb
from aisle.tables import CANONICAL, Table


@dataclass(frozen=True)
class ParquetFolder:
    """Tables are ``<folder>/<table>.parquet``; ``memory_limit`` in DuckDB's notation (2GB); ``threads`` at most."""

    folder: Path
    memory_limit: str
    threads: int

    @contextmanager
    def connect(self, tables: Mapping[str, Table]) -> Iterator["FolderConnection"]:
        """A connection to the files that are there, their columns and types compared with the contracts.

        Raises:
            FileNotFoundError: a table that is not optional has no file.
            ValueError: a file is not Parquet, its columns or types are not the contract's, or DuckDB refuses the
                settings.
        """
        folder = Path(self.folder)
        views = {}
        for name, table in tables.items():
            path = folder / f"{name}.parquet"
            if path.exists():
                _check_schema(path, table)
                views[name] = path
            elif not table.optional:
                stage = "fetch" if name in CANONICAL else "extract"
                raise FileNotFoundError(f"{folder} needs a table {name}: {path} is missing; run stage={stage} first.")
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit,
            "threads": self.threads,
            "preserve_insertion_order": False,  # rows are put in order at the end
        }
        try:
            raw = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            given = f"memory_limit={self.memory_limit}, threads={self.threads}"
            raise ValueError(f"DuckDB refuses {given}: {error}") from None
        with raw:
            for name, path in views.items():
                raw.from_parquet(str(path)).create_view(name)
            yield FolderConnection(raw, folder, tuple(views))


@dataclass(frozen=True)
class FolderConnection:
    """See `aisle.database.engine.Connection`."""

    raw: duckdb.DuckDBPyConnection
    folder: Path
    names: tuple[str, ...]

    def origin(self, name: str) -> str:
        return str(self.folder / f"{name}.parquet")

    def fetch(self, query: ir.Table, *, order_by: Sequence[str]) -> pyarrow.Table:
        """See `aisle.database.engine.Connection`.

        Raises:
            OSError: DuckDB cannot read a file, a number is too large for its type, or memory or disk are full.
        """
        return in_order(self._arrow(compiled(query, "duckdb"), arrow_schema(query)), order_by)

    def stored(self, query: ir.Table, name: str, *, coded: Collection[str] = ()) -> ir.Table:
        """See `aisle.database.engine.Connection`.

        Raises:
            OSError: as `fetch`.
        """
        with self._answering():
            for sql in stored_in_duckdb(query, name, coded):
                self.raw.execute(sql)
        return ibis.table(query.schema(), name=name)

    def faultless(self, rows: ir.Table) -> bool:
        """See `aisle.database.engine.Connection`."""
        return faultless_in_duckdb(self._arrow, rows)

    def _arrow(self, sql: str, schema: pyarrow.Schema) -> pyarrow.Table:
        with self._answering():
            return self.raw.sql(sql).to_arrow_table().cast(schema)  # made by all threads, after execute by one

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise OSError(f"{self.folder}: DuckDB cannot answer: {error}") from error


def _check_schema(path: Path, table: Table) -> None:
    try:
        schema = pyarrow.parquet.read_schema(path)
    except pyarrow.ArrowInvalid:
        raise ValueError(f"{path} must be a Parquet file; it is not one.") from None
    table.check_schema(schema, str(path))
