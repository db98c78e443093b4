"""The files of a grocery star: found, opened and read in typed parts; whatever is wrong is said in one sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from aisle.sources.csv_files import CsvFile, CsvForm
from aisle.sources.dirt import first_repeat
from aisle.sources.kinds import AMOUNT, DAY, HOUR, ID, QUANTITY, TEXT, Kind, code, said
from aisle.tables import BASKETS, CUSTOMERS, STORES

_ENDINGS = (".parquet", ".csv")
_PART_ROWS = 2**17
"""Rows read at a time: every part is looked up among all baskets, so parts should be few."""

_TABLES: Mapping[str, Mapping[str, Kind]] = {
    "Baskets": {
        "basket_id": ID,
        "basket_size": code(BASKETS.columns["basket_size"]),
        "basket_price_sensitivity": code(BASKETS.columns["price_sensitivity"]),
        "basket_type": code(BASKETS.columns["basket_type"]),
        "basket_dominant_mission": code(BASKETS.columns["dominant_mission"]),
    },
    "Customers": {
        "cust_id": ID,
        "cust_price_sensitivity": code(CUSTOMERS.columns["price_sensitivity"]),
        "cust_lifestage": code(CUSTOMERS.columns["lifestage"]),
    },
    "Products": {"prod_id": ID, "prod_code_10": TEXT, "prod_code_20": TEXT, "prod_code_30": TEXT, "prod_code_40": TEXT},
    "Stores": {"store_id": ID, "store_format": code(STORES.columns["store_format"]), "store_region": TEXT},
    "Timestamps": {"time_id": ID, "shop_date": DAY, "shop_hour": HOUR},
    "Transactions": {
        "basket_id": TEXT,
        "cust_id": TEXT,
        "store_id": TEXT,
        "time_id": TEXT,
        "prod_id": TEXT,
        "quantity": QUANTITY,
        "spend": AMOUNT,
    },
}
"""The columns that are read; a file may have more, as tables of databases do."""


@dataclass(frozen=True)
class StarFile:
    """One of the six tables, in a Parquet or CSV file."""

    table: str
    path: Path

    def parts(self) -> Iterator[pyarrow.Table]:
        """The rows, about a hundred thousand at a time, in the file's order; ids as text.

        Raises:
            ValueError: the file is no Parquet or CSV file, is empty, lacks a column, or a column holds something else.
        """
        if self.path.suffix.lower() == ".csv":
            yield from CsvFile(self.path).parts(CsvForm(_TABLES[self.table], open=True))
            return
        if self.path.stat().st_size == 0:
            raise ValueError(f"{self.path}: table {self.table} needs rows, but the file is empty; export it again.")
        try:
            yield from self._parquet_parts()
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OSError) as error:
            if getattr(error, "errno", None) is not None:  # the system's own words: no permission, no space
                raise
            reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
            message = f"{self.path}: table {self.table} must be readable as parquet, but: {reason}; export it again."
            raise ValueError(message) from None

    def rows(self, key: str) -> pyarrow.Table:
        """All rows, sorted by ``key``.

        Raises:
            ValueError: as `parts`; or a key occurs twice.
        """
        rows = pyarrow.concat_tables(self.parts())
        repeat = first_repeat(rows.column(key))
        if repeat is not None:
            got = rows.column(key)[repeat].as_py()
            raise ValueError(
                f"{self.place(repeat)}, column {key}: table {self.table} must have one row per {key}; "
                f"{got!r} was there before, take one row out."
            )
        return rows.sort_by(key).combine_chunks()

    def place(self, row: int) -> str:
        """The file and the line, or the row of a Parquet file, counted from 1; ``row`` is counted from 0."""
        if self.path.suffix.lower() == ".csv":
            return f"{self.path}, line {CsvFile(self.path).line(row)}"
        return f"{self.path}, row {row + 1}"

    # One batch is decoded after the other; a scanner reads ahead of a slower consumer without bound.

    def _parquet_parts(self) -> Iterator[pyarrow.Table]:
        kinds = _TABLES[self.table]
        schema = pyarrow.schema([(column, kind.type) for column, kind in kinds.items()])
        rows = 0
        with pyarrow.parquet.ParquetFile(self.path) as file:
            self._check_columns(file.schema_arrow)
            for batch in file.iter_batches(batch_size=_PART_ROWS, columns=list(kinds)):
                part = pyarrow.Table.from_batches([batch]).select(list(kinds)).cast(schema)
                for column, kind in kinds.items():
                    wrong = kind.refused(part.column(column))
                    if wrong is not None:
                        got = part.column(column)[wrong].as_py()
                        message = (
                            f"{self.place(rows + wrong)}, column {column}: must be {kind.meaning}; got {said(got)}"
                        )
                        raise ValueError(f"{message}; mend the row or export the table again.")
                rows += part.num_rows
                yield part
        if rows == 0:
            raise ValueError(f"{self.path}: table {self.table} needs rows, but has none; export it again.")

    def _check_columns(self, schema: pyarrow.Schema) -> None:
        needed = list(_TABLES[self.table])
        wrong = [column for column in needed if schema.names.count(column) != 1]
        if wrong:
            message = f"{self.path}: table {self.table} needs each of the columns {needed} once; {wrong} are missing or"
            raise ValueError(f"{message} there twice among {schema.names}.")
        for column, kind in _TABLES[self.table].items():
            found = schema.field(column).type
            meaning = _misfit(kind, found)
            if meaning:
                raise ValueError(f"{self.path}: {self.table}.{column} must hold {meaning}; got {found}.")


def _misfit(kind: Kind, found: pyarrow.DataType) -> str | None:
    """What a column of a Parquet file must hold, where it holds something else."""
    plain = found.value_type if pyarrow.types.is_dictionary(found) else found
    text = pyarrow.types.is_string(plain) or pyarrow.types.is_large_string(plain) or pyarrow.types.is_null(plain)
    whole = pyarrow.types.is_integer(plain)
    number = whole or pyarrow.types.is_floating(plain) or pyarrow.types.is_decimal(plain)
    if kind.coded:
        return None if text else "text"
    if pyarrow.types.is_string(kind.type) or kind is DAY:
        return None if text or whole else "text or whole numbers"
    if pyarrow.types.is_integer(kind.type):
        return None if whole else "whole numbers"
    return None if number else "numbers"


def find_star(folder: Path) -> dict[str, StarFile]:
    """The six files in ``folder``, by table; the case of file names does not matter.

    Raises:
        FileNotFoundError: the folder or a file is not there.
        ValueError: a table is there twice.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: the folder of the grocery star is not there; give its place as source.path."
        )
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS and path.is_file())
    found = {table: [path for path in files if path.stem.lower() == table.lower()] for table in _TABLES}
    missing = [table for table, paths in found.items() if not paths]
    if missing:
        names = [path.name for path in files]
        raise FileNotFoundError(
            f"{folder}: needs {list(_TABLES)}, each as a .parquet or .csv file; missing {missing} among {names}."
        )
    for table, paths in found.items():
        if len(paths) > 1:
            names = [path.name for path in paths]
            raise ValueError(f"{folder}: table {table} must be in one file; got {names}, take one away.")
    return {table: StarFile(table, paths[0]) for table, paths in found.items()}
