"""Studies that are stopped at random moments, and processes that work on one study at once, end as one left in peace."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verify.study import JOBLIB, SERIAL, check_nothing_is_half, interrupt_after, results, runs
from tests.verify.workspace import Workspace

pytestmark = pytest.mark.verify

CANDIDATES = 12
PROCESSES = 8


@pytest.fixture(scope="module")
def peaceful(groceries: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, float]:
    """A workspace in which the study ran undisturbed, and the seconds it took."""
    import shutil

    folder = shutil.copytree(groceries.folder, tmp_path_factory.mktemp("peaceful") / "aisle")
    undisturbed = Workspace(Path(folder))
    started = time.monotonic()
    undisturbed.run(SERIAL)
    return undisturbed, time.monotonic() - started


def _check_as_in_peace(workspace: Workspace, peaceful: Workspace) -> None:
    assert results(workspace) == results(peaceful)
    check_nothing_is_half(workspace)
    assert runs(workspace) == runs(peaceful)
    assert [status for _, status in runs(workspace)] == ["FINISHED"] * (CANDIDATES + 1)


def test_both_launchers_give_equal_results(workspace: Workspace, peaceful: tuple[Workspace, float]) -> None:
    workspace.run(JOBLIB)
    _check_as_in_peace(workspace, peaceful[0])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize("script", [SERIAL, JOBLIB], ids=["serial", "joblib"])
def test_a_study_stopped_at_random_moments_ends_as_one_left_in_peace(
    workspace: Workspace, peaceful: tuple[Workspace, float], how: signal.Signals, script: str
) -> None:
    undisturbed, seconds = peaceful
    moments = random.Random(f"{how} {script}")
    for _ in range(4):
        interrupt_after(workspace, script, how, moments.uniform(0.2, 1.2) * seconds)
    workspace.run(script)
    _check_as_in_peace(workspace, undisturbed)
