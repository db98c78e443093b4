"""A disk that is full or cannot be written ends a command with one sentence and leaves nothing half-written."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.verify.workspace import Workspace

from aisle.storage import CandidateStore

pytestmark = pytest.mark.verify

COMMANDS = {
    "a candidate": "python -m aisle lifestage=YA clusterer=ward paths.root=small",
    "a sweep": "python -m aisle -m lifestage=YA clusterer=ward,kmeans paths.root=small",
    "a stage": "python -m aisle stage=features paths.root=small",
}


@pytest.fixture
def disk(workspace: Workspace) -> Iterator[Path]:
    """A disk of six megabytes at ``small``, with the extract and the features on it."""
    if os.geteuid() != 0:
        pytest.skip("Only root can mount a small disk.")
    small = workspace.folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("This machine does not let root mount a small disk.")
    try:
        shutil.copytree(workspace.folder / "artifacts", small / "artifacts")
        yield small
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _fill(disk: Path, leaving: int) -> None:
    """Fill the disk but for so many bytes."""
    free = shutil.disk_usage(disk).free
    (disk / "filler").write_bytes(b"\0" * (free - leaving))


def _one_sentence(said: str) -> str:
    told = [line for line in said.splitlines() if line.strip()]
    assert len(told) == 1, said
    assert told[0].startswith("aisle: ")
    return told[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_cannot_be_written_is_one_sentence(workspace: Workspace, disk: Path, command: str) -> None:
    before = _files(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "Read-only file system" in _one_sentence(workspace.run(COMMANDS[command], fails=True))
    assert _files(disk) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_sentence(workspace: Workspace, disk: Path, command: str) -> None:
    _fill(disk, leaving=0)
    before = _files(disk)
    sentence = _one_sentence(workspace.run(COMMANDS[command], fails=True))
    assert re.search("No space left on device|disk is full", sentence)  # the system's words, and SQLite's
    logs_and_locks = (".aisle/hydra/", ".aisle/locks/")
    assert {name: text for name, text in _files(disk).items() if not name.startswith(logs_and_locks)} == before


@pytest.mark.parametrize("leaving", [20_000, 60_000, 100_000, 400_000, 1_200_000])
def test_a_disk_that_fills_up_leaves_only_whole_results(workspace: Workspace, disk: Path, leaving: int) -> None:
    before = _files(disk / "artifacts")
    _fill(disk, leaving)
    said = workspace.run(COMMANDS["a sweep"], fails=True)
    assert "Traceback" not in said
    assert "aisle: " in said
    after = _files(disk / "artifacts")
    assert {name: after.get(name) for name in before} == before
    store = CandidateStore(disk / ".aisle")
    for path in store.root.glob("candidates/[!.]*"):
        assert store.read(path.name).key == path.name
    assert [path for path in disk.rglob("*.part-*") if path.is_file()] == []
    (disk / "filler").unlink()
    workspace.run(COMMANDS["a sweep"])
    assert len(list(store.root.glob("candidates/[!.]*"))) == 2
