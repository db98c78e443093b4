"""Fetching from files that are wrong: one sentence that names the place, and nothing is written."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.sources.weekly import line, text, week

from aisle.sources.lgsr import Lgsr
from aisle.stages import fetch

GOOD = text(week(1), week(1, PROD_CODE="P2", QUANTITY=3, SPEND="3.30"))
HEADER, FIRST, SECOND = GOOD.splitlines()


def renamed(old: str, new: str) -> bytes:
    return GOOD.replace(old, new, 1).encode()


def value(**changed: object) -> bytes:
    return text(week(1), week(1, **{"PROD_CODE": "P2", **changed})).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "missing column": (renamed(",STORE_REGION", ""), r"line 1: needs the columns .*; missing: \['STORE_REGION'\]"),
    "extra column": (GOOD.replace("\n", ",\n").encode(), r"line 1: .*; unknown: \[''\]"),
    "renamed header": (renamed("QUANTITY", "QTY"), r"line 1: .*missing: \['QUANTITY'\]; unknown: \['QTY'\]"),
    "lower case header": (renamed(HEADER, HEADER.lower()), r"line 1: .*missing: \['SHOP_WEEK', "),
    "no header": ("\n".join([FIRST, SECOND]).encode(), r"line 1: .*missing: \['SHOP_WEEK', "),
    "wrong delimiter": (GOOD.replace(",", ";").encode(), r"line 1: .* separated by semicolons, export it with commas"),
    "latin-1 bytes": (value(STORE_REGION="Zürich").decode().encode("latin-1"), r"line 3: must be UTF-8, .* byte 0xfc"),
    "utf-16": (GOOD.encode("utf-16"), r"line 1: must be UTF-8"),
    "short row": (renamed(SECOND, SECOND[:30]), r"line 3: must have 22 values, as its header; got \d \("),
    "long row": (renamed(SECOND, f"{SECOND},x"), r"line 3: must have 22 values, as its header; got 23 \("),
    "open quote": (renamed("P2", '"P2'), r"line 3: must be a row of CSV, but: .* \(is a quote not closed\?\)"),
    "decimal comma": (value(SPEND="3,30"), r"line 3, column SPEND: .* with a decimal point; got '3,30'"),
    "decimal comma without quotes": (
        renamed("3.30", "3,30"),
        r"line 3: must have 22 values, .* got 23 \(a comma without",
    ),
    "text in place of a number": (
        value(QUANTITY="many"),
        r"line 3, column QUANTITY: must be a whole number, .*; got 'many'",
    ),
    "more items than there are": (
        value(QUANTITY=1_000_001),
        r"line 3, column QUANTITY: must be .* at most a million either way; got '1000001'",
    ),
    "a huge return": (value(QUANTITY=-(2**63)), r"line 3, column QUANTITY: must be .*; got '-9223372036854775808'"),
    "more money than there is": (
        value(SPEND="1000000000.00"),
        r"line 3, column SPEND: must be an amount of money below a thousand million, .*; got '1000000000.00'",
    ),
    "a number beyond all cents": (value(SPEND="-1e300"), r"line 3, column SPEND: must be .*; got '-1e300'"),
    "no such day": (value(SHOP_DATE=20060231), r"line 3, column SHOP_DATE: must be a day .* got '20060231'"),
    "day out of range": (value(SHOP_DATE=20990101 + 10000), r"line 3, column SHOP_DATE: .* 1970 to 2099.* got '21"),
    "no such hour": (value(SHOP_HOUR=24), r"line 3, column SHOP_HOUR: must be an hour from 0 to 23; got '24'"),
    "unknown code": (value(CUST_LIFESTAGE="ZZ"), r"line 3, column CUST_LIFESTAGE: must be one of .* got 'ZZ'"),
    "no basket": (value(BASKET_ID=None), r"line 3, column BASKET_ID: must be an id; got nothing"),
    "no product": (value(PROD_CODE=None), r"line 3, column PROD_CODE: must be an id; got nothing"),
    "basket of another week": (
        text(week(1), week(1, BASKET_ID="b0")).encode(),
        r"its baskets must be in no other file; 1 of them .* b0",
    ),
    "empty file": (b"", r"needs a header and rows, but the file is empty"),
    "header only": (f"{HEADER}\n".encode(), r"needs rows below its header, but has none"),
    "no text at all": (bytes(range(128, 256)) * 40, r"line \d: must be "),
}
ACCEPTED = {
    "as much as there can be": value(QUANTITY=1_000_000, SPEND="999999999.99"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "windows line ends": GOOD.replace("\n", "\r\n").encode(),
    "quoted newline": renamed("N01", '"N01"').replace(b"DEP00001", b'"DEP\n00001"'),
    "everything quoted": GOOD.replace(",", '","').replace("\n", '"\n"').join(['"', ""]).removesuffix('"').encode(),
    "other order of columns": "\n".join(",".join(reversed(row.split(","))) for row in GOOD.splitlines()).encode(),
    "names that look like SQL": value(STORE_REGION="'; DROP TABLE `stores`; -- 🛒", CUST_CODE="x" * 300),
}


def weeks(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / "transactions_200607.csv").write_text(text(line(BASKET_ID="b0")))
    (folder / "transactions_200608.csv").write_bytes(content)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("before", [True, False], ids=["over old data", "anew"])
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_written(
    tmp_path: Path, kind: str, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    content, message = BAD[kind]
    if before:
        fetch.run(source=Lgsr(weeks(tmp_path / "good", GOOD.encode())), output=tmp_path / "data")
    folder = weeks(tmp_path / "bad", content)
    there = everything(tmp_path)
    with pytest.raises(ValueError, match=rf"transactions_200608\.csv.*{message}") as error:
        fetch.run(source=Lgsr(folder), output=tmp_path / "data")
    sentence = str(error.value).removeprefix(str(folder))
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert everything(tmp_path) == there
    assert not list((tmp_path / "room").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"bad", "room", *(["good", "data"] * before)})


@pytest.mark.parametrize("kind", ACCEPTED)
def test_what_is_unusual_but_right_is_accepted(tmp_path: Path, kind: str) -> None:
    fetch.run(source=Lgsr(weeks(tmp_path / "weeks", ACCEPTED[kind])), output=tmp_path / "data")
    assert (tmp_path / "data" / "lines.parquet").exists()


def test_the_same_weeks_give_the_same_bytes(tmp_path: Path) -> None:
    folder = weeks(tmp_path / "weeks", GOOD.encode())
    for name in ("a", "b"):
        fetch.run(source=Lgsr(folder), output=tmp_path / name)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


def test_the_command_says_the_sentence_and_exits_with_1(tmp_path: Path, repository: Path) -> None:
    folder = weeks(tmp_path / "weeks", value(SHOP_HOUR=24))
    command = [sys.executable, "-m", "aisle", "stage=fetch", "source=lgsr", f"source.path={folder}"]
    ended = subprocess.run(
        [*command, f"paths.root={tmp_path / 'work'}"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"aisle: {folder}/transactions_200608.csv, line 3, column SHOP_HOUR: must be an hour from 0 to 23; got '24'; "
        "mend the line or export the file again.\n"
    )
    assert not (tmp_path / "work" / "data").exists()
