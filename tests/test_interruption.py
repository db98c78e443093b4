"""A study that is interrupted and started again ends as if it had not been."""

import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from omegaconf import DictConfig
from tests.verify.study import QUICK, check_nothing_is_half, interrupt_when, results, runs
from tests.verify.workspace import Workspace, grocery_workspace


@pytest.fixture
def workspaces(
    compose: Callable[..., DictConfig], grocery: Callable[..., dict[str, pyarrow.Table]], tmp_path: Path
) -> tuple[Workspace, Workspace]:
    """The same small grocery twice: one to leave in peace, one to interrupt."""
    tables = grocery(400, seed=3)
    peaceful, disturbed = (grocery_workspace(tmp_path / name, tables, compose) for name in ("peaceful", "disturbed"))
    return peaceful, disturbed


def test_a_killed_and_an_interrupted_study_end_as_one_left_in_peace(workspaces: tuple[Workspace, Workspace]) -> None:
    peaceful, disturbed = workspaces
    peaceful.run(QUICK)
    interrupt_when(disturbed, QUICK, signal.SIGKILL, ".aisle/candidates/[!.]*", 3)
    interrupt_when(disturbed, QUICK, signal.SIGINT, "artifacts/tiny/candidates.json", 1)
    assert "8 found" in disturbed.run(QUICK)
    assert results(disturbed) == results(peaceful)
    check_nothing_is_half(disturbed)
    assert runs(disturbed) == runs(peaceful)
    assert [status for _, status in runs(disturbed)] == ["FINISHED"] * 9
