"""Folders to type commands in, as a person would, and what the commands said."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow
from hydra.utils import call
from omegaconf import DictConfig

from aisle.storage import write_table
from aisle.tables import CANONICAL
from aisle.tracking import MlflowTracker

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
_INHERITED = re.compile(r"(HYDRA|MLFLOW|PYTHON|PYTEST|VIRTUAL_ENV|COV|AISLE_PATH|DVC|GIT|MAKE|MFLAGS|UV_PROJECT)")
"""What a person's shell does not have set, and a test's may."""


class CommandError(AssertionError):
    """A command that ended otherwise than it should; the message holds what it said."""


def shell_environment(scripts: Path | None = SCRIPTS, **more: str) -> dict[str, str]:
    """A person's environment; ``scripts`` is the folder of the activated virtual environment, if there is one."""
    kept = {name: value for name, value in os.environ.items() if not _INHERITED.match(name)}
    places = [str(scripts)] if scripts else []
    places += [place for place in os.environ["PATH"].split(os.pathsep) if Path(place) != SCRIPTS]
    return {**kept, "PATH": os.pathsep.join(places), "COLUMNS": "120", **more}


def stop(process: "subprocess.Popen[str]", how: signal.Signals = signal.SIGKILL) -> None:
    """Send the signal to the whole group; a group that is gone already is no error."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)


@dataclass(frozen=True)
class Workspace:
    """A folder with an environment. ``run`` types a script into its shell."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=shell_environment, repr=False)

    @contextmanager
    def running(self, script: str) -> "Iterator[subprocess.Popen[str]]":
        """The running script, in a process group of its own; nothing of the group outlives the block."""
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                stop(process)

    def run(self, script: str, *, fails: bool = False, seconds: float = 300) -> str:
        """What the script said, both streams.

        Raises:
            CommandError: it failed, or with ``fails`` it did not, or it took longer than ``seconds``.
        """
        with self.running(script) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                stop(process)
                said, _ = process.communicate()
                raise CommandError(f"{script}\ntook more than {seconds:g} seconds; it said:\n{said}") from None
        if (process.returncode != 0) is not fails:
            raise CommandError(f"{script}\nended with {process.returncode}; it said:\n{said}")
        return said

    def copied(self, folder: Path) -> "Workspace":
        """A copy in another folder; what the environment says of this folder, it says of that one there."""
        shutil.copytree(self.folder, folder)
        there = {name: value.replace(str(self.folder), str(folder)) for name, value in self.environment.items()}
        return Workspace(folder, there)

    def write(self, name: str, text: str) -> None:
        """A file of the workspace."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def read(self, name: str) -> bytes:
        """The content of a file of the workspace."""
        return (self.folder / name).read_bytes()


def check_as_committed(workspace: Workspace) -> None:
    """That a clone holds the committed lock and nothing that the commit has not."""
    assert workspace.read("dvc.lock") == (REPOSITORY / "dvc.lock").read_bytes()
    assert workspace.run("git status --porcelain") == ""


def grocery_workspace(
    folder: Path, tables: Mapping[str, pyarrow.Table], compose: Callable[..., DictConfig], *, source: bool = False
) -> Workspace:
    """The configuration and the experiments of the repository, the features of a small grocery, an empty MLflow store.

    With ``source`` the package's code and the tests' common fixtures are there too, and it is this copy that runs.
    """
    for name in ("conf", "experiments", *(("src",) if source else ())):
        # what is compiled beside the code comes too, or it would be compiled again; but not what is just being written
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*", "*.tmp.*"))
    for name in ("pyproject.toml", "tests/conftest.py") if source else ():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(REPOSITORY / name, folder / name)
    for name, rows in tables.items():
        write_table(rows, CANONICAL[name], folder / "data" / f"{name}.parquet")
    (folder / "mlflow.db").write_bytes(_empty_store())
    stages: tuple[tuple[str, ...], ...] = (("stage=fingerprint",), ("stage=extract",))
    for overrides in (*stages, *(("stage=features", f"features={block}") for block in ("baskets", "rfm", "mix"))):
        call(compose(*overrides, f"paths.root={folder}").stage)
    paths: dict[str, Any] = {"PYTHONPATH": str(folder / "src")} if source else {}
    return Workspace(folder, shell_environment(**paths))


@cache
def _empty_store() -> bytes:
    """A fresh store of MLflow, which takes seconds to make."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mlflow.db"
        MlflowTracker(f"sqlite:///{file}", Path(folder) / "artifacts", Path(folder) / "locks").prepare()
        return file.read_bytes()


Clone = Callable[..., Workspace]
"""Makes a fresh clone of the commit."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a document: its language, the file it is the content of, its heading, and what it needs.

    ``needs`` is slow, server, or empty.
    """

    language: str
    file: str | None
    heading: str
    needs: str
    text: str


_NEEDS = ("<!-- slow -->", "<!-- server -->")


def blocks(document: str) -> list[Block]:
    """The fenced blocks of a Markdown document, in order.

    A block is the content of a file when the line before it is that file's name, as code, with a colon; what it needs
    stands before it: ``<!-- slow -->`` or ``<!-- server -->``.

    >>> blocks("# A\\n<!-- slow -->\\n```sh\\nmake test\\n```\\n")
    [Block(language='sh', file=None, heading='A', needs='slow', text='make test\\n')]
    """
    found = []
    heading, before = "", ""
    lines = iter(document.splitlines())
    for line in lines:
        if line.startswith("```"):
            inside = []
            for text in lines:
                if text.startswith("```"):
                    break
                inside.append(text)
            named = re.fullmatch(r"`([^`]+)`:", before)
            text = "".join(f"{text}\n" for text in inside)
            needs = before.removeprefix("<!-- ").removesuffix(" -->") if before in _NEEDS else ""
            found.append(Block(line.removeprefix("```"), named[1] if named else None, heading, needs, text))
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
        before = line.strip() or before
    return found
