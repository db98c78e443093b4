"""Files in and out: Parquet, JSON, CSV and figures, written whole or not at all, the contract checked on read."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from aisle.tables import Table

if TYPE_CHECKING:  # matplotlib costs most of a second, and few stages draw
    from matplotlib.figure import Figure

_STALE = ".part-"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it on success and vanishes on failure.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing of ``path`` has changed.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}{_STALE}", dir=path.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            part.chmod(0o644)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, replace: bool) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place on success and vanishes on failure.

    Where there is a folder already, also one that another process has just put there, it is replaced; or it stays and
    the new one vanishes, if ``replace`` is false.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing of ``path`` has changed.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{path.name}{_STALE}", dir=path.parent))
        part.chmod(0o755)
    try:
        yield part
        with _writing(path):
            _take_place(part, path, replace)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_place(part: Path, path: Path, replace: bool) -> None:
    """Moves a folder where ``path`` is. In one step that is possible only where no folder with files is."""
    aside: list[Path] = []
    try:
        while True:
            try:
                part.replace(path)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return
            if not replace:
                return
            aside.append(Path(tempfile.mkdtemp(prefix=f".{path.name}{_STALE}", dir=path.parent)))
            with suppress(FileNotFoundError):  # another process has just moved it aside
                path.replace(aside[-1])
    except BaseException:
        if aside and not path.exists():
            aside[-1].replace(path)
        raise
    finally:
        for old in aside:
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """The system's errors, as a sentence that names the file one knows and not its temporary name."""
    try:
        yield
    except OSError as error:
        raise type(error)(f"{path} cannot be written: {error.strerror or error}.") from error


def write_arrow(rows: pyarrow.Table, path: Path) -> None:
    """A Parquet file of these rows, in this order."""
    with whole_file(path) as part:
        pyarrow.parquet.write_table(rows.replace_schema_metadata(None), part, compression="zstd")


def write_table(rows: pyarrow.Table, table: Table, path: Path) -> None:
    """A Parquet file of rows that fulfil the contract of ``table``."""
    write_arrow(table.check(rows, str(path)), path)


def read_table(path: Path, table: Table) -> pyarrow.Table:
    """The rows of a Parquet file, checked against the contract of ``table``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not Parquet, or breaks the contract.
    """
    return table.check(read_arrow(path), str(path))


def read_arrow(path: Path) -> pyarrow.Table:
    """The rows of a Parquet file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not Parquet, or a folder.
    """
    _check_there(path)
    try:
        return pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise ValueError(f"{path} must be a Parquet file; it is empty, cut short or something else.") from None


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """A Parquet file of a frame's columns; its index is not written."""
    write_arrow(pyarrow.Table.from_pandas(frame, preserve_index=False), path)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """A CSV file with its header, UTF-8, one line feed a row; floats as the shortest text that reads back equal."""
    with whole_file(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """A JSON object with sorted keys, two spaces of indent and a final line feed."""
    with whole_file(path) as part:
        part.write_text(
            json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON object, whatever the order of its keys; 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a JSON object, or a folder.
    """
    _check_there(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{path} must hold JSON; it does not.") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object; got {type(content).__name__}.")
    return content


def _check_there(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path} is needed and missing; run the stage that writes it (dvc repro runs all).")
    if path.is_dir():
        raise ValueError(f"{path} must be a file; it is a folder.")


def write_figure(figure: "Figure", path: Path) -> None:
    """A figure as PNG or SVG by the suffix; the same figure gives the same bytes."""
    from matplotlib import rc_context

    empty = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}
    with whole_file(path) as part, rc_context({"svg.hashsalt": "aisle"}):
        figure.savefig(part, format=path.suffix.removeprefix("."), metadata=empty[path.suffix], bbox_inches="tight")


def write_parts(parts: Iterable[tuple[str, pyarrow.Table]], folder: Path) -> dict[str, int]:
    """Parquet files ``<folder>/<name>.parquet`` from parts that arrive in any order; the rows written, by name.

    Each part becomes a row group. The folder is replaced when all parts have arrived, and untouched if one fails.
    """
    rows: dict[str, int] = {}
    writers: dict[str, pyarrow.parquet.ParquetWriter] = {}
    with whole_folder(folder, replace=True) as part:
        try:
            for name, table in parts:
                with _writing(folder / f"{name}.parquet"):
                    if name not in writers:
                        path = part / f"{name}.parquet"
                        writers[name] = pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
                        rows[name] = 0
                    writers[name].write_table(table)
                rows[name] += table.num_rows
        finally:
            for name, writer in writers.items():
                with _writing(folder / f"{name}.parquet"):
                    writer.close()
    return rows
