"""Fresh clones of the commit, and a small grocery to work in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
import pytest
from omegaconf import DictConfig
from tests.verify.workspace import REPOSITORY, Clone, Workspace, grocery_workspace, shell_environment


def _git(*command: str) -> str:
    return subprocess.run(["git", "-C", str(REPOSITORY), *command], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """``clone()``: the commit in a fresh folder, no virtual environment active."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    if changed:
        pytest.fail(f"The proofs are of the commit, so commit or stash these changes first:\n{changed}")

    def cloned(*, path: Path | None = None) -> Workspace:
        folder = tmp_path_factory.mktemp("clone") / "aisle"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
        environment = shell_environment(None)
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        return Workspace(folder, environment)

    return cloned


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program uv: the machine's, or one that pip installs."""
    found = shutil.which("uv")
    if found:
        return Path(found).parent
    folder = tmp_path_factory.mktemp("uv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installed = subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", "uv"], check=False)
    if installed.returncode != 0:
        pytest.skip("uv is not on this machine and pip cannot install it.")
    return folder / "bin"


@pytest.fixture(scope="session")
def reproduced_clone(clone: Clone) -> tuple[Workspace, str]:
    """A clone in which ``make reproduce`` has run without uv, its environment activated; and what it said."""
    fresh = clone()
    said = fresh.run("make reproduce UV=", seconds=2400)
    return Workspace(fresh.folder, shell_environment(fresh.folder / ".venv" / "bin")), said


@pytest.fixture
def reproduced(reproduced_clone: tuple[Workspace, str], tmp_path: Path) -> Iterator[Workspace]:
    """The reproduced clone; whatever a test does to files of git or DVC is undone afterwards."""
    workspace, _ = reproduced_clone
    data = shutil.copytree(workspace.folder / "data", tmp_path / "data")
    yield workspace
    shutil.rmtree(workspace.folder / "data")
    shutil.copytree(data, workspace.folder / "data")
    workspace.run("git reset --quiet --hard && dvc checkout --quiet --force")


@pytest.fixture(scope="module")
def groceries(
    compose: Callable[..., DictConfig],
    grocery: Callable[..., dict[str, pyarrow.Table]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Workspace:
    """Enough customers in YA and OA for every clusterer; never run in, only copied."""
    return grocery_workspace(tmp_path_factory.mktemp("groceries") / "aisle", grocery(500, seed=11), compose)


@pytest.fixture
def workspace(groceries: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the small grocery to run in, without MLflow's store: commands that are stopped are to make it."""
    copy = groceries.copied(tmp_path / "aisle")
    (copy.folder / "mlflow.db").unlink()
    return copy
