"""Files are written whole or not at all, to the same bytes every time; foreign ones are refused in one sentence."""

import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from matplotlib.figure import Figure
from tests.disks import files_no_larger_than

from aisle.storage import (
    read_arrow,
    read_json,
    read_table,
    whole_file,
    write_arrow,
    write_csv,
    write_figure,
    write_frame,
    write_json,
    write_parts,
    write_table,
)
from aisle.storage.files import whole_folder
from aisle.tables import LINES

ROWS = pyarrow.table({"a": [1, 2, 3], "b": ["x", None, "ö"]})
MANY = pyarrow.table({"a": np.random.default_rng(1).normal(size=50_000)})
FRAME = pd.DataFrame({"a": [0.1, 1 / 3, np.nan], "b": ["x", "y, z", "ö"]})


def figure() -> Figure:
    drawn = Figure(figsize=(2, 1))
    axes = drawn.add_subplot()
    axes.plot([1, 2, 3], label="score")
    axes.legend()
    return drawn


WRITERS: dict[str, Callable[[Path], Any]] = {
    "rows.parquet": lambda path: write_arrow(ROWS, path),
    "frame.parquet": lambda path: write_frame(FRAME, path),
    "frame.csv": lambda path: write_csv(FRAME, path),
    "content.json": lambda path: write_json({"b": 1, "a": [1.5, "ö"]}, path),
    "figure.png": lambda path: write_figure(figure(), path),
    "figure.svg": lambda path: write_figure(figure(), path),
}
EVERY = pytest.mark.parametrize(("name", "write"), WRITERS.items(), ids=WRITERS.keys())


def there(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@EVERY
def test_the_same_content_gives_the_same_bytes(name: str, write: Callable[[Path], Any], tmp_path: Path) -> None:
    write(tmp_path / "one" / name)
    write(tmp_path / "two" / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert there(tmp_path / "one") == [name]


@EVERY
def test_a_file_replaces_the_one_before_and_everybody_may_read_it(
    name: str, write: Callable[[Path], Any], tmp_path: Path
) -> None:
    (tmp_path / name).write_text("old")
    write(tmp_path / name)
    assert (tmp_path / name).read_bytes() != b"old"
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o644


@EVERY
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    name: str, write: Callable[[Path], Any], tmp_path: Path
) -> None:
    (tmp_path / name).write_text("old")
    message = rf"{name} cannot be written: .*[Ff]ile too large.*\.$"
    with files_no_larger_than(10), pytest.raises(OSError, match=message):
        write(tmp_path / name)
    assert (tmp_path / name).read_text() == "old"
    assert there(tmp_path) == [name]


@EVERY
def test_a_folder_that_cannot_be_is_named(name: str, write: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(OSError, match=rf"taken/{name} cannot be written: (File exists|Not a directory)\.$"):
        write(tmp_path / "taken" / name)
    with pytest.raises(OSError, match=rf"taken/below/{name} cannot be written: Not a directory\.$"):
        write(tmp_path / "taken" / "below" / name)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_whatever_happens_in_the_middle_the_old_file_stays(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def interrupted() -> None:
        with whole_file(path) as part:
            part.write_text("half of the n")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert path.read_text() == "old"
    assert there(tmp_path) == ["file.txt"]


def test_json_is_sorted_readable_and_without_words_that_json_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "content.json"
    write_json({"b": {"d": 1, "c": "ö"}, "a": 0.1}, path)
    assert path.read_text(encoding="utf-8") == '{\n  "a": 0.1,\n  "b": {\n    "c": "ö",\n    "d": 1\n  }\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"a": float("nan")}, path)
    assert read_json(path) == {"a": 0.1, "b": {"c": "ö", "d": 1}}


def test_csv_reads_back_equal_to_the_last_bit(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(1).normal(size=200) * 10.0 ** np.arange(-100, 100)})
    write_csv(frame, tmp_path / "frame.csv")
    lines = (tmp_path / "frame.csv").read_text(encoding="utf-8").splitlines()
    assert [float(line) for line in lines[1:]] == frame["x"].tolist()
    assert b"\r" not in (tmp_path / "frame.csv").read_bytes()


def test_rows_read_back_equal_and_carry_no_metadata(tmp_path: Path) -> None:
    write_arrow(ROWS.replace_schema_metadata({"made": "today"}), tmp_path / "rows.parquet")
    found = read_arrow(tmp_path / "rows.parquet")
    assert found.equals(ROWS)
    assert found.schema.metadata is None


@pytest.mark.parametrize("read", [read_arrow, lambda path: read_table(path, LINES)], ids=["read_arrow", "read_table"])
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1 and then nothing"], ids=["empty", "csv", "cut"])
def test_a_file_that_is_not_parquet_is_refused_in_a_sentence(
    read: Callable[[Path], Any], content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "lines.parquet"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"lines\.parquet must be a Parquet file; it is empty, cut short or something"):
        read(path)


def test_parquet_damaged_in_the_middle_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_arrow(pyarrow.table({"a": np.arange(50_000) // 7, "b": np.arange(50_000) % 1000}), path)
    content = bytearray(path.read_bytes())
    content[10:2000] = bytes(1990)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"rows\.parquet must be a Parquet file; "):
        read_arrow(path)


@pytest.mark.parametrize("read", [read_arrow, read_json])
def test_a_missing_file_is_named_with_what_makes_it(read: Callable[[Path], Any], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing is needed and missing; run the stage that writes it"):
        read(tmp_path / "missing")


@pytest.mark.parametrize("read", [read_arrow, read_json])
def test_a_folder_in_the_place_of_a_file_is_refused_in_a_sentence(read: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(ValueError, match=r"place must be a file; it is a folder\.$"):
        read(tmp_path / "place")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must hold JSON; it does not"),
        (b'{"a": 1', "must hold JSON; it does not"),
        (b"\xff\xfe\x00", "must hold JSON; it does not"),
        (b"[1]", "must hold a JSON object; got list"),
        (b"3", "must hold a JSON object; got int"),
    ],
)
def test_a_file_that_is_no_json_object_is_refused_in_a_sentence(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "content.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"content\.json {message}\.$"):
        read_json(tmp_path / "content.json")


def test_a_table_is_checked_when_it_is_written_and_when_it_is_read(tmp_path: Path) -> None:
    good = {"basket_id": ["b"], "product_id": ["p"], "quantity": [1], "spend": [Decimal("1.00")]}
    path = tmp_path / "lines.parquet"
    write_table(pyarrow.table(good), LINES, path)
    assert read_table(path, LINES).schema.equals(LINES.arrow_schema)
    with pytest.raises(ValueError, match=r"lines\.parquet: lines\.quantity must be at least 1; 1 rows are not"):
        write_table(pyarrow.table(good | {"quantity": [0]}), LINES, path)
    assert read_table(path, LINES).column("quantity").to_pylist() == [1]
    write_arrow(pyarrow.table(good | {"spend": ["free"]}), path)
    with pytest.raises(ValueError, match=r"lines\.parquet: lines\.spend must be decimal128\(12, 2\); got string"):
        read_table(path, LINES)


def test_parts_are_put_together_by_name_in_the_order_they_come(tmp_path: Path) -> None:
    parts = [("b", ROWS), ("a", ROWS.slice(0, 1)), ("b", ROWS.slice(1))]
    assert write_parts(iter(parts), tmp_path / "data") == {"b": 5, "a": 1}
    assert there(tmp_path) == ["data", "data/a.parquet", "data/b.parquet"]
    assert read_arrow(tmp_path / "data/b.parquet").column("a").to_pylist() == [1, 2, 3, 2, 3]


def test_parts_replace_the_whole_folder(tmp_path: Path) -> None:
    write_parts([("a", ROWS), ("b", ROWS)], tmp_path / "data")
    write_parts([("b", ROWS.slice(0, 1))], tmp_path / "data")
    assert there(tmp_path) == ["data", "data/b.parquet"]


def test_parts_that_fail_leave_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[str, pyarrow.Table]]:
        yield "a", ROWS
        raise ValueError("the source is rotten")

    write_parts([("a", ROWS)], tmp_path / "data")
    before = (tmp_path / "data/a.parquet").read_bytes()
    with pytest.raises(ValueError, match="the source is rotten"):
        write_parts(failing(), tmp_path / "data")
    with pytest.raises(ValueError, match="schema"):
        write_parts([("a", ROWS), ("a", MANY)], tmp_path / "data")
    message = r"data/a\.parquet cannot be written: .*[Ff]ile too large.*\.$"
    with files_no_larger_than(1000), pytest.raises(OSError, match=message):
        write_parts([("a", MANY)], tmp_path / "data")
    assert there(tmp_path) == ["data", "data/a.parquet"]
    assert (tmp_path / "data/a.parquet").read_bytes() == before


@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_put_there_meanwhile_is_replaced_or_stays(replace: bool, tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with whole_folder(path, replace=replace) as mine:
        (mine / "file").write_text("mine")
        with whole_folder(path, replace=replace) as theirs:
            (theirs / "file").write_text("theirs")
    assert (path / "file").read_text() == ("mine" if replace else "theirs")
    assert there(tmp_path) == ["folder", "folder/file"]


@pytest.mark.parametrize("replace", [True, False])
def test_many_writers_of_one_folder_leave_one_whole_folder(replace: bool, tmp_path: Path) -> None:
    path = tmp_path / "folder"
    start = threading.Barrier(6)
    errors = []

    def write(number: int) -> None:
        try:
            for _ in range(15):
                start.wait()
                with whole_folder(path, replace=replace) as part:
                    for name in ("one", "two"):
                        (part / name).write_text(str(number))
        except Exception as error:
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert there(tmp_path) == ["folder", "folder/one", "folder/two"]
    assert (path / "one").read_text() == (path / "two").read_text()


def test_a_file_in_the_place_of_a_folder_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match=r"data cannot be written: Not a directory\.$"):
        write_parts([("a", ROWS)], tmp_path / "data")
    assert there(tmp_path) == ["data"]


def test_json_of_a_mapping_does_not_depend_on_the_order_of_its_keys(tmp_path: Path) -> None:
    write_json({"a": 1, "b": 2}, tmp_path / "one")
    write_json({"b": 2, "a": 1}, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert json.loads((tmp_path / "one").read_text()) == {"a": 1, "b": 2}
