"""What is wrong with a CSV file: read line by line until the first fault, which is named in one sentence."""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, NoReturn

from aisle.sources.kinds import Kind, said

Stream = Callable[[], AbstractContextManager[IO[bytes]]]
_ROWS = 20_000
"""Rows whose values are looked at together."""
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Reading:
    """What is read of a file: ``origin`` is its name in sentences, ``twice`` the columns that may be there twice."""

    origin: str
    columns: Mapping[str, Kind]
    twice: frozenset[str] = frozenset()


def read_header(stream: Stream, reading: Reading) -> list[str]:
    """The names in the first line.

    Raises:
        ValueError: the file or its first line is empty, or that line is not UTF-8 or no CSV.
    """
    for line, header in _rows(stream, reading.origin):
        if line > 1:
            raise ValueError(f"{reading.origin}, line 1: must be the header, but is empty; take out the empty lines.")
        return header
    raise ValueError(f"{reading.origin} needs a header and rows, but the file is empty; export it again.")


def check_header(header: list[str], reading: Reading, others: frozenset[str] | None) -> None:
    """That every column is there, once, and no unknown one: none but ``others``, any where ``others`` is None.

    Raises:
        ValueError: it is not so, or the header is not separated by commas.
    """
    needed = list(reading.columns)
    start = f"{reading.origin}, line 1: needs the columns {needed}, separated by commas"
    separator = next((name for sign, name in _SEPARATORS.items() if len(header) == 1 and sign in header[0]), None)
    if separator:
        raise ValueError(f"{start}; it is separated by {separator}, export it with commas.")
    missing = [column for column in needed if column not in header]
    repeated = sorted({column for column in needed if header.count(column) > 1} - reading.twice)
    unknown = [] if others is None else [column for column in header if column not in others and column not in needed]
    wrong = {"missing": missing, "there twice": repeated, "unknown": unknown}
    said = "; ".join(f"{what}: {columns}" for what, columns in wrong.items() if columns)
    if said:
        got = f" among {header}" if missing and others is None else ""
        raise ValueError(f"{start}; {said}{got}; mend the header or export the file again.")


def first_fault(stream: Stream, header: list[str], reading: Reading) -> None:
    """Reads the file up to its first fault, and raises it.

    Raises:
        ValueError: a line is not UTF-8 or no CSV, a row has more or fewer values than the header, a value is not of
            its column's kind, or there is no row.
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    row_count = 0
    found = _rows(stream, reading.origin)
    next(found)
    while True:
        try:
            line, row = next(found, (0, []))
        except ValueError:
            _check_values(lines, rows, header, reading)  # what is wrong further up comes first
            raise
        ragged = bool(row) and len(row) != len(header)
        if ragged or not row or len(rows) == _ROWS:
            _check_values(lines, rows, header, reading)
            lines, rows = [], []
        if ragged:
            _ragged(line, row, header, reading)
        if not row:
            break
        lines.append(line)
        rows.append(row)
        row_count += 1
    if row_count == 0:
        raise ValueError(f"{reading.origin} needs rows below its header, but has none; export it again.")


def line_of_row(stream: Stream, row: int) -> int:
    """The line on which a row of values begins; rows are counted from 0, lines from 1."""
    rows = _rows(stream, "")
    next(rows)
    return next(line for number, (line, _) in enumerate(rows) if number == row)


def _rows(stream: Stream, origin: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, the header among them, with the lines they begin on; empty lines are passed over."""
    with stream() as raw:
        reader = csv.reader(_lines(raw, origin), strict=True)
        begins = 1
        try:
            for row in reader:
                if row:
                    yield begins, row
                begins = reader.line_num + 1
        except csv.Error as error:
            message = f"{origin}, line {begins}: must be a row of CSV, but: {error} (is a quote not closed?)"
            raise ValueError(f"{message}; mend the line or export the file again.") from None


def _lines(raw: IO[bytes], origin: str) -> Iterator[str]:
    for number, line in enumerate(raw, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            wrong = line[error.start : error.start + 1]
            message = f"{origin}, line {number}: must be UTF-8, but holds the byte 0x{wrong.hex()}"
            raise ValueError(f"{message} (Latin-1?); export the file as UTF-8.") from None


def _ragged(line: int, row: list[str], header: list[str], reading: Reading) -> NoReturn:
    message = f"{reading.origin}, line {line}: must have {len(header)} values, as its header; got {len(row)}"
    raise ValueError(f"{message} (a comma without quotes?); mend the line or export the file again.")


def _check_values(lines: list[int], rows: list[list[str]], header: list[str], reading: Reading) -> None:
    faults = []
    for place, column in enumerate(header):
        if rows and column in reading.columns:
            kind = reading.columns[column]
            texts = [row[place] for row in rows]
            wrong = kind.refused_text(texts)
            if wrong is not None:
                faults.append((wrong, place, f"must be {kind.meaning}; got {said(texts[wrong])}"))
            first = header.index(column)
            differs = next((number for number, row in enumerate(rows) if row[first] != row[place]), None)
            if differs is not None:
                got = f"{rows[differs][first]!r} and {texts[differs]!r}"
                faults.append((differs, place, f"is there twice and must be the same; got {got}"))
    if faults:
        wrong, place, sentence = min(faults)
        message = f"{reading.origin}, line {lines[wrong]}, column {header[place]}: {sentence}"
        raise ValueError(f"{message}; mend the line or export the file again.")
