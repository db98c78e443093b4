"""The files of a grocery star: found, opened and read in typed parts; whatever is wrong is said in one sentence."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

_ENDINGS = (".parquet", ".csv")
_NULL_TEXTS = ["", "NULL", "\\N"]
_CSV_BLOCK = 8 * 2**20
_PART_ROWS = 2**17
"""Bytes and rows read at a time: every part is looked up among all baskets, so parts should be few."""


@dataclass(frozen=True)
class _Kind:
    """What a column may hold in a Parquet file, and the type it is read as."""

    meaning: str
    type: pyarrow.DataType
    accepts: Callable[[pyarrow.DataType], bool]


def _is_text(found: pyarrow.DataType) -> bool:
    plain = found.value_type if pyarrow.types.is_dictionary(found) else found
    return bool(pyarrow.types.is_string(plain) or pyarrow.types.is_large_string(plain) or pyarrow.types.is_null(plain))


def _is_whole(found: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_integer(found))


def _is_text_or_whole(found: pyarrow.DataType) -> bool:
    return _is_text(found) or _is_whole(found)


def _is_number(found: pyarrow.DataType) -> bool:
    return bool(_is_whole(found) or pyarrow.types.is_floating(found) or pyarrow.types.is_decimal(found))


_ID = _Kind("text or whole numbers", pyarrow.string(), _is_text_or_whole)
_CODE = _Kind("text", pyarrow.string(), _is_text)
_COUNT = _Kind("whole numbers", pyarrow.int64(), _is_whole)
_AMOUNT = _Kind("numbers", pyarrow.float64(), _is_number)

_TABLES: Mapping[str, Mapping[str, _Kind]] = {
    "Baskets": {
        "basket_id": _ID,
        "basket_size": _CODE,
        "basket_price_sensitivity": _CODE,
        "basket_type": _CODE,
        "basket_dominant_mission": _CODE,
    },
    "Customers": {"cust_id": _ID, "cust_price_sensitivity": _CODE, "cust_lifestage": _CODE},
    "Products": {"prod_id": _ID, "prod_code_10": _ID, "prod_code_20": _ID, "prod_code_30": _ID, "prod_code_40": _ID},
    "Stores": {"store_id": _ID, "store_format": _CODE, "store_region": _CODE},
    "Timestamps": {"time_id": _ID, "shop_date": _ID, "shop_hour": _COUNT},
    "Transactions": {
        "basket_id": _ID,
        "cust_id": _ID,
        "store_id": _ID,
        "time_id": _ID,
        "prod_id": _ID,
        "quantity": _COUNT,
        "spend": _AMOUNT,
    },
}
"""The columns that are read; a file may have more."""


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
        if self.path.stat().st_size == 0:
            raise ValueError(f"{self.path}: table {self.table} needs rows, but the file is empty; export it again.")
        try:
            yield from self._typed_parts()
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, UnicodeDecodeError, csv.Error, OSError) as error:
            if getattr(error, "errno", None) is not None:  # the system's own words: no permission, no space
                raise
            reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
            kind = self.path.suffix[1:].lower()
            message = f"{self.path}: table {self.table} must be readable as {kind}, but: {reason}; export it again."
            raise ValueError(message) from None

    def rows(self, key: str) -> pyarrow.Table:
        """All rows, sorted by ``key``.

        Raises:
            ValueError: as `parts`; or a key is null or occurs twice.
        """
        rows = pyarrow.concat_tables(self.parts())
        missing = rows.column(key).null_count
        if missing:
            raise ValueError(f"{self.path}: table {self.table} needs a {key} in every row; {missing} rows have none.")
        repeats = rows.num_rows - pyarrow.compute.count_distinct(rows.column(key)).as_py()
        if repeats:
            raise ValueError(f"{self.path}: table {self.table} must have one row per {key}; {repeats} rows repeat one.")
        return rows.sort_by(key).combine_chunks()

    def _typed_parts(self) -> Iterator[pyarrow.Table]:
        kinds = _TABLES[self.table]
        schema = pyarrow.schema([(column, kind.type) for column, kind in kinds.items()])
        row_count = 0
        for batch in self._parquet_batches() if self.path.suffix.lower() == ".parquet" else self._csv_batches():
            row_count += batch.num_rows
            yield pyarrow.Table.from_batches([batch]).cast(schema)
        if row_count == 0:
            raise ValueError(f"{self.path}: table {self.table} needs rows, but has none; export it again.")

    # The readers below decode one batch after the other; a scanner reads ahead of a slower consumer without bound.

    def _parquet_batches(self) -> Iterator[pyarrow.RecordBatch]:
        kinds = _TABLES[self.table]
        with pyarrow.parquet.ParquetFile(self.path) as file:
            self._check_columns(file.schema_arrow.names)
            for column, kind in kinds.items():
                found = file.schema_arrow.field(column).type
                if not kind.accepts(found):
                    raise ValueError(f"{self.path}: {self.table}.{column} must hold {kind.meaning}; got {found}.")
            yield from file.iter_batches(batch_size=_PART_ROWS, columns=list(kinds))

    def _csv_batches(self) -> Iterator[pyarrow.RecordBatch]:
        kinds = _TABLES[self.table]
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        self._check_columns(header)
        options = pyarrow.csv.ConvertOptions(
            column_types={column: kind.type for column, kind in kinds.items()},
            include_columns=list(kinds),
            null_values=_NULL_TEXTS,
            strings_can_be_null=True,
        )
        blocks = pyarrow.csv.ReadOptions(block_size=_CSV_BLOCK, use_threads=False)  # alone, errors name the row
        try:
            with pyarrow.csv.open_csv(self.path, read_options=blocks, convert_options=options) as reader:
                yield from reader
        except pyarrow.ArrowInvalid as error:
            named = re.sub(r"In CSV column #(\d+)", lambda found: f"column {header[int(found[1])]}", str(error))
            raise pyarrow.ArrowInvalid(named) from None

    def _check_columns(self, got: list[str]) -> None:
        needed = list(_TABLES[self.table])
        wrong = [column for column in needed if got.count(column) != 1]
        if wrong:
            message = (
                f"{self.path}: table {self.table} needs each of the columns {needed} once; {wrong} are missing or "
            )
            raise ValueError(f"{message}there twice among {got}.")


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
