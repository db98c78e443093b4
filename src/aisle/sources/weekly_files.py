"""Rows that wait in temporary files until their week is due, and what is remembered of the files they came from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.ipc

from aisle.sources.csv_files import CsvFile


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """What a full disk says while rows are written into the temporary ``folder``, as a sentence.

    Raises:
        OSError: the disk is full, or refuses otherwise.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(
            f"{folder.parent} must have room for the rows that wait for their week, but: {reason}; make room there, or "
            "name another folder by the environment variable TMPDIR."
        ) from None


class WeeklyFiles:
    """Rows by week and kind, in files of ``folder``; read back in the order they were written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0
        self._schemas: dict[str, pyarrow.Schema] = {}

    def write(self, weeks: npt.NDArray[np.int64], kind: str, rows: pyarrow.Table) -> None:
        """Rows and the number of each one's week."""
        self._schemas[kind] = rows.schema
        distinct = np.unique(weeks)
        for week in distinct:
            self._written += 1
            path = self._folder / f"{week:06}.{kind}.{self._written:09}"
            of_week = rows if len(distinct) == 1 else rows.filter(pyarrow.array(weeks == week))
            options = pyarrow.ipc.IpcWriteOptions(compression="lz4")
            with room_in(self._folder), pyarrow.ipc.new_file(path, rows.schema, options=options) as file:
                file.write_table(of_week)

    def weeks(self) -> list[int]:
        """The weeks that have rows, in their order."""
        return sorted({int(path.name.split(".")[0]) for path in self._folder.iterdir()})

    def read(self, week: int, kind: str) -> pyarrow.Table:
        """The rows of a kind in a week."""
        paths = sorted(self._folder.glob(f"{week:06}.{kind}.*"))
        parts = [pyarrow.ipc.open_file(path).read_all() for path in paths]
        return pyarrow.concat_tables([self._schemas[kind].empty_table(), *parts])


class FileBaskets:
    """Which baskets were in which file: 8 bytes a basket."""

    def __init__(self) -> None:
        self.count = 0
        self._files: list[tuple[CsvFile, str, str, npt.NDArray[np.uint64]]] = []

    def add(self, file: CsvFile, basket_ids: pyarrow.Array) -> None:
        """The distinct baskets of a file.

        Raises:
            ValueError: one of them was in an earlier file.
        """
        ends = pyarrow.compute.min_max(basket_ids).as_py()
        ids = basket_ids.to_numpy(zero_copy_only=False)
        hashes = pd.util.hash_array(ids, categorize=False)
        for other, first, last, others in self._files:
            if first <= ends["max"] and ends["min"] <= last:
                twice = ids[np.isin(hashes, others)]
                if len(twice):
                    message = f"{file}: its baskets must be in no other file; {len(twice)} of them are in {other}, "
                    raise ValueError(f"{message}the first is {twice[0]}: take one of the files away.")
        self._files.append((file, ends["min"], ends["max"], hashes))
        self.count += len(ids)
