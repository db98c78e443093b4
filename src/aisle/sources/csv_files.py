"""CSV files, plain, gzipped or in a zip archive: read in typed parts, and refused in one sentence.

The fast reader knows neither lines nor what a file was meant to be. So whatever it refuses is read once more, slowly,
by `aisle.sources.csv_faults`, which names the file, the line and the column.
"""

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow
import pyarrow.csv

from aisle.sources.csv_faults import Reading, check_header, first_fault, line_of_row, read_header
from aisle.sources.dirt import first_repeat
from aisle.sources.kinds import NULL_TEXTS, Kind

ENDINGS = (".csv", ".csv.gz", ".zip")
_BLOCK = 8 * 2**20
"""Bytes read at a time."""
_DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError)


@dataclass(frozen=True)
class CsvForm:
    """The columns of a kind of file: those that are read, and ``others`` that it is known to have as well.

    Columns in ``twice`` may be there more than once, as a join leaves them, and must then be equal. With ``open``
    further columns are passed over; without, they are refused.
    """

    columns: Mapping[str, Kind]
    others: frozenset[str] = frozenset()
    twice: frozenset[str] = frozenset()
    open: bool = False


@dataclass(frozen=True, order=True)
class CsvFile:
    """A CSV file with a header: UTF-8, with or without a byte order mark, fields quoted or not, separated by commas."""

    path: Path
    member: str = ""
    """Its name in the archive, where ``path`` is a zip archive."""

    def __str__(self) -> str:
        return f"{self.path}{f' ({self.member})' if self.member else ''}"

    @property
    def name(self) -> str:
        """The file's own name, in lower case, without folders."""
        return (self.member or self.path.name).rsplit("/", 1)[-1].lower()

    @contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """The bytes, unpacked."""
        if self.member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
                yield member
        elif self.path.name.lower().endswith(".gz"):
            with gzip.open(self.path) as unpacked:
                yield cast("IO[bytes]", unpacked)
        else:
            with self.path.open("rb") as plain:
                yield plain

    def parts(self, form: CsvForm) -> Iterator[pyarrow.Table]:
        """The columns of ``form``, some 8 MB of the file at a time, in the file's order.

        Raises:
            OSError: the file is not there or cannot be read.
            ValueError: the file is empty or damaged, is not UTF-8, has other columns, a row with more or fewer
                values, or a value of another kind. The sentence names file, line and column.
        """
        reading = Reading(str(self), form.columns, form.twice)
        try:
            header = read_header(self.stream, reading)
            check_header(header, reading, None if form.open else form.others)
            yield from self._blocks(header, reading)
        except _DAMAGED as error:
            raise ValueError(f"{self} must be a whole archive, but: {error}; fetch it again.") from None

    def rows(self, form: CsvForm, key: str) -> pyarrow.Table:
        """All rows, sorted by ``key``.

        Raises:
            ValueError: as `parts`; or a key occurs twice.
        """
        rows = pyarrow.concat_tables(self.parts(form))
        repeat = first_repeat(rows.column(key))
        if repeat is not None:
            got = rows.column(key)[repeat].as_py()
            message = f"{self}, line {self.line(repeat)}, column {key}: there must be one row per {key}"
            raise ValueError(f"{message}; {got!r} was there before, take one row out.")
        return rows.sort_by(key).combine_chunks()

    def line(self, row: int) -> int:
        """The line on which a row of values begins; rows are counted from 0, lines from 1."""
        return line_of_row(self.stream, row)

    def _blocks(self, header: list[str], reading: Reading) -> Iterator[pyarrow.Table]:
        names = numbered(header)
        kinds = {
            name: reading.columns[column]
            for name, column in zip(names, header, strict=True)
            if column in reading.columns
        }
        options = pyarrow.csv.ConvertOptions(
            column_types={name: kind.type for name, kind in kinds.items()},
            include_columns=list(kinds),
            null_values=list(NULL_TEXTS),
            strings_can_be_null=True,
        )
        blocks = pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False, column_names=names, skip_rows=1)
        quotes = pyarrow.csv.ParseOptions(newlines_in_values=True)
        rows = 0
        try:
            with (
                self.stream() as stream,
                pyarrow.csv.open_csv(
                    stream, read_options=blocks, parse_options=quotes, convert_options=options
                ) as reader,
            ):
                for batch in reader:
                    block = pyarrow.Table.from_batches([batch])
                    if _refused(block, kinds, header):
                        first_fault(self.stream, header, reading)
                    rows += batch.num_rows
                    yield block.select(list(reading.columns))
        except pyarrow.ArrowInvalid as error:
            first_fault(self.stream, header, reading)
            reason = str(error).splitlines()[0].rstrip(".")
            raise ValueError(f"{self} must be a CSV file, but: {reason}; export it again.") from None
        if rows == 0:
            raise ValueError(f"{self} needs rows below its header, but has none; export it again.")


def numbered(header: list[str]) -> list[str]:
    """The names of the columns, the second and later ones of a name with a number.

    >>> numbered(["cust_id", "spend", "cust_id"])
    ['cust_id', 'spend', 'cust_id#2']
    """
    seen: dict[str, int] = {}
    names = []
    for column in header:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}#{seen[column]}")
    return names


def _refused(block: pyarrow.Table, kinds: Mapping[str, Kind], header: list[str]) -> bool:
    """Whether a value is wrong, or a column that is there twice differs from itself."""
    wrong = any(kind.refused(block.column(name)) is not None for name, kind in kinds.items())
    copies = [name for name in kinds if name not in header]
    return wrong or any(not block.column(name).equals(block.column(name.rsplit("#", 1)[0])) for name in copies)


def find_csv(path: Path, hint: str) -> list[CsvFile]:
    """The CSV files that ``path`` is, or that the folder ``path`` holds, also in archives, sorted by name.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or no CSV file in it; ``hint`` says what is looked for.
        ValueError: a zip archive is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; give the place of {hint} as source.path.")
    paths = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [
        file for place in paths if place.name.lower().endswith(ENDINGS) and place.is_file() for file in _files(place)
    ]
    if not found:
        raise FileNotFoundError(f"{path} holds no {', '.join(ENDINGS)} file; give the place of {hint} as source.path.")
    return found


def _files(path: Path) -> list[CsvFile]:
    if path.suffix.lower() != ".zip":
        return [CsvFile(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(name for name in archive.namelist() if name.lower().endswith(".csv"))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} must be a zip archive, but: {error}; fetch it again.") from None
    return [CsvFile(path, member) for member in members]
