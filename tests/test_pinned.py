"""The guard: data that differ from what git has staged in data.dvc are refused, whatever DVC itself would accept."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from aisle.pinned import check_pinned, folder_digest

Make = Callable[[Path], Path]


def made(folder: Path) -> Path:
    """A folder with names that sort differently by letter and by part, and with an empty file."""
    data = folder / "data"
    for name, content in {
        "lines.parquet": b"PAR1",
        "a/b.csv": b"x\r\ny\r\n",
        "a.csv": b"",
        "a-b": b"1",
        "Z": b"2",
        "ö.txt": "ö".encode(),
    }.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    return data


def pin(data: Path, digest: str | None = None) -> Path:
    """A data.dvc as dvc add writes it."""
    pinned = data.parent / "data.dvc"
    out = {"md5": digest or folder_digest(data), "size": 12, "nfiles": 6, "hash": "md5", "path": "data"}
    pinned.write_text(yaml.safe_dump({"outs": [out]}), encoding="utf-8")
    return pinned


def git(folder: Path, *arguments: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=clean)


def test_the_digest_is_the_one_dvc_writes(tmp_path: Path) -> None:
    data = made(tmp_path)
    git(tmp_path, "init", "-q")
    quiet = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / "site"), "HOME": str(tmp_path)}
    for arguments in (["init", "-q"], ["add", "-q", "data"]):
        subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=tmp_path, check=True, env={**os.environ, **quiet})
    written = yaml.safe_load((tmp_path / "data.dvc").read_text(encoding="utf-8"))
    assert folder_digest(data) == written["outs"][0]["md5"]
    check_pinned(data, tmp_path / "data.dvc")


def test_without_a_pin_nothing_was_agreed_on(tmp_path: Path) -> None:
    check_pinned(tmp_path / "data", tmp_path / "data.dvc")


def test_data_as_pinned_are_accepted(tmp_path: Path) -> None:
    data = made(tmp_path)
    check_pinned(data, pin(data))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: (data / "lines.parquet").write_bytes(b"PAR2"),
        lambda data: (data / "lines.parquet").unlink(),
        lambda data: (data / "more.parquet").write_bytes(b""),
        lambda data: (data / "Z").rename(data / "z"),
        lambda data: (data / "a" / "b.csv").write_bytes(b"x\ny\n"),
    ],
    ids=["changed", "missing", "extra", "renamed", "line ends"],
)
def test_data_that_differ_are_refused_with_both_digests_and_both_remedies(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    data = made(tmp_path)
    pinned = pin(data)
    agreed = folder_digest(data)
    change(data)
    with pytest.raises(ValueError, match="differs from") as caught:
        check_pinned(data, pinned)
    assert str(caught.value) == (
        f"{data} differs from {pinned}: {agreed} is agreed on, {folder_digest(data)} is there; to go back, run "
        f"python -m aisle stage=fetch; to accept the new data, run dvc add {data} && git add {pinned}."
    )


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path: Path) -> None:
    data = made(tmp_path)
    before = folder_digest(data)
    content = (data / "Z").read_bytes()
    (data / "Z").unlink()
    (data / "Z").write_bytes(content)
    (data / "empty folder").mkdir()
    assert folder_digest(data) == before


def test_large_files_are_digested_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    content = bytes(range(256)) * 10_000
    (tmp_path / "data" / "large").write_bytes(content)
    listing = f'[{{"md5": "{hashlib.md5(content, usedforsecurity=False).hexdigest()}", "relpath": "large"}}]'
    expected = hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"
    assert folder_digest(tmp_path / "data") == expected


def test_missing_data_are_named_with_what_makes_them(tmp_path: Path) -> None:
    pinned = pin(tmp_path / "data", digest="0" * 32 + ".dir")
    with pytest.raises(FileNotFoundError, match=r"data is missing; make it with python -m aisle stage=fetch\.$"):
        check_pinned(tmp_path / "data", pinned)


@pytest.mark.parametrize("text", ["", "outs: []", "outs:\n- path: data\n", "just text", "a: [", "[1]"])
def test_a_pin_that_names_no_folder_is_refused(text: str, tmp_path: Path) -> None:
    data = made(tmp_path)
    (tmp_path / "data.dvc").write_text(text, encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"data\.dvc must be a file that dvc add wrote; it names no folder and digest\.$"
    ):
        check_pinned(data, tmp_path / "data.dvc")


def test_what_git_has_staged_wins_over_the_file(tmp_path: Path) -> None:
    """DVC rewrites the file without asking; only a person stages it."""
    data = made(tmp_path)
    pinned = pin(data)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "data.dvc")
    (data / "Z").write_bytes(b"changed")
    pin(data)  # as dvc repro would
    with pytest.raises(ValueError, match="differs from"):
        check_pinned(data, pinned)
    git(tmp_path, "add", "data.dvc")
    check_pinned(data, pinned)


def test_a_pin_that_git_does_not_know_is_read_as_it_is(tmp_path: Path) -> None:
    data = made(tmp_path)
    pinned = pin(data)
    git(tmp_path, "init", "-q")
    check_pinned(data, pinned)
    (data / "Z").write_bytes(b"changed")
    with pytest.raises(ValueError, match="differs from"):
        check_pinned(data, pinned)


def test_without_git_the_file_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(tmp_path)
    pinned = pin(data)
    monkeypatch.setenv("PATH", str(tmp_path))
    check_pinned(data, pinned)


def test_a_staged_pin_that_was_deleted_from_the_folder_still_holds(tmp_path: Path) -> None:
    data = made(tmp_path)
    pinned = pin(data)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "data.dvc")
    pinned.unlink()
    check_pinned(data, pinned)
    (data / "Z").write_bytes(b"changed")
    with pytest.raises(ValueError, match="differs from"):
        check_pinned(data, pinned)
