"""A CSV file is read in typed parts, or refused in one sentence that names file, line and column."""

import gzip
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.sources import csv_files
from aisle.sources.csv_files import CsvFile, CsvForm, find_csv
from aisle.sources.kinds import COUNT, DAY, HOUR, ID, MOMENT, MONEY, NUMBER, TEXT, code
from aisle.tables import BASKETS

FORM = CsvForm(
    {"id": ID, "name": TEXT, "day": DAY, "hour": HOUR, "items": COUNT, "price": MONEY, "std": NUMBER, "at": MOMENT}
    | {"size": code(BASKETS.columns["basket_size"])},
    others=frozenset({"note"}),
)
HEADER = "id,name,day,hour,items,price,std,at,size,note"
GOOD = "a,Ann,20060410,14,3,1.20,0.5,2006-04-10 14:00:00,S,x"
COLUMNS = HEADER.split(",")


def file(tmp_path: Path, *rows: str, header: str = HEADER) -> CsvFile:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8", newline="")
    return CsvFile(path)


def read(source: CsvFile, form: CsvForm = FORM) -> pyarrow.Table:
    return pyarrow.concat_tables(source.parts(form))


def having(column: str, value: str) -> str:
    values = GOOD.split(",")
    values[COLUMNS.index(column)] = value
    return ",".join(values)


def test_columns_are_read_by_name_and_type_and_come_in_the_order_of_the_form(tmp_path: Path) -> None:
    header = ",".join(reversed(COLUMNS))
    rows = read(file(tmp_path, ",".join(reversed(GOOD.split(","))), header=header))
    assert rows.column_names == list(FORM.columns)
    assert rows.schema.types == [kind.type for kind in FORM.columns.values()]
    assert rows.column("price").to_pylist() == [Decimal("1.20")]


@pytest.mark.parametrize("missing", ["", "NULL", "\\N"])
def test_a_value_that_may_be_missing_is_null(tmp_path: Path, missing: str) -> None:
    rows = read(file(tmp_path, having("name", missing), having("size", missing)))
    assert rows.column("name").to_pylist() == [None, "Ann"]
    assert rows.column("size").to_pylist() == ["S", None]


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_are_accepted(tmp_path: Path) -> None:
    source = file(tmp_path, GOOD)
    expected = read(source)
    source.path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n\r\n{GOOD}\r\n\r\n".encode())
    assert read(source).equals(expected)


def test_gzipped_and_zipped_files_are_read_as_plain_ones(tmp_path: Path) -> None:
    plain = file(tmp_path, GOOD)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(plain.path.read_bytes()))
    with zipfile.ZipFile(tmp_path / "all.ZIP", "w") as archive:
        archive.write(plain.path, "folder/rows.csv")
    found = find_csv(tmp_path, "rows")
    assert [source.name for source in found] == ["rows.csv", "rows.csv", "rows.csv.gz"]
    assert all(read(source).equals(read(plain)) for source in found)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("name,", ""), r"missing: \['name'\]; mend the header or export"),
        (HEADER.replace("price", "prize"), r"missing: \['price'\]; unknown: \['prize'\]; mend the header or export"),
        (f"{HEADER},colour", r"unknown: \['colour'\]; mend the header or export"),
        (f"{HEADER},id", r"there twice: \['id'\]; mend the header or export"),
        (HEADER.replace(",", ";"), r"it is separated by semicolons, export it with commas\."),
        (HEADER.replace(",", "\t"), r"it is separated by tabs"),
        (GOOD, r"missing: \['id', 'name', .*unknown: \['a', 'Ann'"),
    ],
)
def test_a_wrong_header_is_named_on_line_1(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"rows.csv, line 1: needs the columns \['id', 'name', .*; {message}"):
        read(file(tmp_path, GOOD, header=header))


def test_further_columns_are_passed_over_where_the_form_is_open(tmp_path: Path) -> None:
    source = file(tmp_path, f"{GOOD},red", header=f"{HEADER},colour")
    assert read(source, CsvForm(FORM.columns, open=True)).column_names == list(FORM.columns)
    source = file(tmp_path, GOOD, header=HEADER.replace("price", "prize"))
    with pytest.raises(ValueError, match=r"line 1: .*; missing: \['price'\] among \['id', 'name', .*; mend the header"):
        read(source, CsvForm(FORM.columns, open=True))


WRONG_VALUES = [
    ("id", "", r"must be an id; got nothing"),
    ("day", "20061301", r"must be a day from 1970 to 2099, written yyyymmdd; got '20061301'"),
    ("day", "20060230", r"must be a day"),
    ("day", "19691231", r"must be a day"),
    ("day", "21000101", r"must be a day"),
    ("day", "2006-04-10", r"must be a day"),
    ("day", "", r"must be a day .* got nothing"),
    ("hour", "24", r"must be an hour from 0 to 23; got '24'"),
    ("hour", "-1", r"must be an hour"),
    ("items", "0", r"must be a whole number from 1 on; got '0'"),
    ("items", "1.5", r"must be a whole number from 1 on"),
    ("items", "99999999999999999999", r"must be a whole number from 1 on"),
    ("price", '"1,20"', r"must be an amount of money .* decimal point .*; got '1,20'"),
    ("price", "1.205", r"must be an amount of money .* at most 2 places; got '1.205'"),
    ("price", "-1.20", r"must be an amount of money from 0 on"),
    (
        "price",
        "1000000000.00",
        r"must be an amount of money from 0 on and below a thousand million.*; got '1000000000.00'",
    ),
    ("price", "1e30", r"must be an amount of money .* got '1e30'"),
    ("std", "nan", r"must be a number from 0 on, with a decimal point; got 'nan'"),
    ("std", '"0,5"', r"must be a number .* got '0,5'"),
    ("at", "10.04.2006", r"must be a time .* written yyyy-mm-dd hh:mm:ss; got '10.04.2006'"),
    ("at", "2006-02-30 00:00:00", r"must be a time"),
    ("at", "1899-12-30 00:00:00", r"must be a time from 1970 to 2099"),
    ("size", "XL", r"must be one of \['S', 'M', 'L', 'XX'\]; got 'XL'"),
    ("size", "'; DROP TABLE baskets; --", r"must be one of .* got \"'; DROP TABLE baskets; --\""),
]


@pytest.mark.parametrize(("column", "value", "message"), WRONG_VALUES)
def test_a_wrong_value_is_named_by_line_and_column(tmp_path: Path, column: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"rows.csv, line 3, column {column}: {message}.*; mend the line or export"):
        read(file(tmp_path, GOOD, having(column, value), GOOD))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD.removesuffix(",x"), r"must have 10 values, as its header; got 9"),
        (GOOD.replace("1.20", "1,20"), r"must have 10 values, as its header; got 11 \(a comma without quotes\?\)"),
        (GOOD.replace("Ann", '"Ann'), r"must be a row of CSV, but: .* \(is a quote not closed\?\)"),
    ],
)
def test_a_ragged_row_and_an_open_quote_are_named_by_the_line_they_begin_on(
    tmp_path: Path, row: str, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"rows.csv, line 4: {message}.*; mend the line or export the file again"):
        read(file(tmp_path, GOOD, GOOD, row, GOOD))


def test_quoted_line_breaks_commas_and_quotes_are_values_and_lines_are_still_counted_right(tmp_path: Path) -> None:
    names = ['"Ann\nand\nBob"', '"Ann, Bob"', '"Ann ""A"""', '"🛒 `x`"']
    good = [having("name", name) for name in names]
    assert read(file(tmp_path, *good)).column("name").to_pylist() == ["Ann\nand\nBob", "Ann, Bob", 'Ann "A"', "🛒 `x`"]
    with pytest.raises(ValueError, match=r"line 8, column hour: must be an hour from 0 to 23; got '25'"):
        read(file(tmp_path, *good, having("hour", "25")))
    assert file(tmp_path, *good).line(3) == 7


def test_bytes_that_are_not_utf_8_are_named_by_their_line(tmp_path: Path) -> None:
    source = file(tmp_path, GOOD, having("name", "Zoë"))
    source.path.write_bytes(source.path.read_bytes().decode().encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"rows.csv, line 3: must be UTF-8, but holds the byte 0xeb \(Latin-1\?\); exp"
    ):
        read(source)
    source.path.write_text(HEADER, encoding="utf-16")
    with pytest.raises(ValueError, match=r"rows.csv, line 1: must be UTF-8, but holds the byte 0xff"):
        read(source)


def test_the_first_of_several_faults_is_named(tmp_path: Path) -> None:
    rows = [GOOD, having("size", "Q"), having("day", "0"), GOOD[:5]]
    with pytest.raises(ValueError, match=r"line 3, column size: "):
        read(file(tmp_path, *rows))
    with pytest.raises(ValueError, match=r"line 2, column day: "):
        read(file(tmp_path, *rows[2:]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"rows.csv needs a header and rows, but the file is empty; export it again"),
        ("\n\n", r"rows.csv needs a header and rows, but the file is empty"),
        (f"\n{HEADER}\n{GOOD}", r"rows.csv, line 1: must be the header, but is empty; take out the empty lines"),
        (f"{HEADER}\n", r"rows.csv needs rows below its header, but has none"),
        (HEADER, r"rows.csv needs rows below its header, but has none"),
    ],
)
def test_a_file_without_rows_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        read(CsvFile(tmp_path / "rows.csv"))


def test_damaged_archives_are_named(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + f"\n{GOOD}" * 5000).encode())
    (tmp_path / "rows.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"rows.csv.gz must be a whole archive, but: .*; fetch it again"):
        read(CsvFile(tmp_path / "rows.csv.gz"))
    (tmp_path / "rows.csv.gz").write_text(HEADER)
    with pytest.raises(ValueError, match=r"rows.csv.gz must be a whole archive, but: Not a gzipped file"):
        read(CsvFile(tmp_path / "rows.csv.gz"))
    (tmp_path / "rows.zip").write_text(HEADER)
    with pytest.raises(ValueError, match=r"rows.zip must be a zip archive, but: File is not a zip file"):
        find_csv(tmp_path / "rows.zip", "rows")


def test_a_place_without_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no .csv, .csv.gz, .zip file; give the place of rows as source"):
        find_csv(tmp_path, "rows")
    with pytest.raises(FileNotFoundError, match=r"nowhere is not there; give the place of rows as source.path"):
        find_csv(tmp_path / "nowhere", "rows")


def test_columns_of_a_join_may_be_there_twice_if_they_are_equal(tmp_path: Path) -> None:
    form = CsvForm(FORM.columns, FORM.others, twice=frozenset({"id"}))
    assert read(file(tmp_path, f"{GOOD},a", header=f"{HEADER},id"), form).column("id").to_pylist() == ["a"]
    with pytest.raises(ValueError, match=r"line 3, column id: is there twice and must be the same; got 'a' and 'b'"):
        read(file(tmp_path, f"{GOOD},a", f"{GOOD},b", header=f"{HEADER},id"), form)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blocks")


@settings(max_examples=25)
@given(names=st.lists(st.text(alphabet=' ,"\n\rab🛒', max_size=6), min_size=1, max_size=12), bad=st.integers(0, 11))
def test_the_size_of_the_blocks_changes_neither_rows_nor_sentences(names: list[str], bad: int, folder: Path) -> None:
    rows = [having("name", '"' + name.replace('"', '""') + '"') for name in names]
    wrong = [*rows[:bad], having("items", "none"), *rows[bad:]]
    whole, broken = in_blocks(2**23, rows, wrong, folder), in_blocks(150, rows, wrong, folder)
    assert whole == broken
    assert whole[0] == [name or None for name in names]


def in_blocks(size: int, rows: list[str], wrong: list[str], folder: Path) -> tuple[list[str | None], str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "_BLOCK", size)
        found = read(file(folder, *rows)).column("name").to_pylist()
        with pytest.raises(ValueError, match="column items: must be a whole number") as error:
            read(file(folder, *wrong))
    return found, str(error.value)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to(path.parent / "gone")])
def test_what_cannot_be_opened_is_an_error_of_the_system(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "rows.csv")
    with pytest.raises(OSError, match=r"rows.csv"):
        read(CsvFile(tmp_path / "rows.csv"))
