"""Studies that are stopped at random moments, or worked on by eight processes at once, end as one left in peace."""

import os
import signal
import subprocess
import time
from contextlib import ExitStack

import numpy as np
import pytest
from tests.verify.study import (
    JOBLIB,
    SERIAL,
    check_nothing_is_half,
    interrupt_after,
    interrupt_when,
    results,
    runs,
    wait_for,
)
from tests.verify.workspace import Workspace

pytestmark = pytest.mark.verify

CANDIDATES = 12
IN_STORE = ".aisle/candidates/[!.]*"
PROCESSES = 8


@pytest.fixture(scope="module")
def peaceful(groceries: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, float]:
    """A workspace in which the study ran undisturbed, and the seconds it took."""
    undisturbed = groceries.copied(tmp_path_factory.mktemp("peaceful") / "aisle")
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
    for moment in np.random.default_rng([how, len(script)]).uniform(0.2, 1.2, size=4):
        interrupt_after(workspace, script, how, moment * seconds)
    workspace.run(script)
    _check_as_in_peace(workspace, undisturbed)


def test_a_study_killed_at_work_and_interrupted_at_its_end_ends_as_one_left_in_peace(
    workspace: Workspace, peaceful: tuple[Workspace, float]
) -> None:
    assert interrupt_when(workspace, SERIAL, signal.SIGKILL, IN_STORE, 3)
    told = "artifacts/tiny/candidates.json"
    for _ in range(5):  # on a busy machine the study can be over before the signal comes
        (workspace.folder / told).unlink(missing_ok=True)
        if interrupt_when(workspace, SERIAL, signal.SIGINT, told, 1):
            break
    else:
        pytest.fail("The study was never interrupted at its end: it was always over before.")
    assert f"{CANDIDATES} found" in workspace.run(SERIAL)
    _check_as_in_peace(workspace, peaceful[0])


def test_a_study_whose_launcher_alone_is_killed_can_be_started_at_once(
    workspace: Workspace, peaceful: tuple[Workspace, float]
) -> None:
    with workspace.running(f"exec {JOBLIB}") as process:
        wait_for(workspace, process, IN_STORE, 2)
        os.kill(process.pid, signal.SIGKILL)
        workspace.run(JOBLIB)  # while workers of the first may still be at work
    _check_as_in_peace(workspace, peaceful[0])


def test_a_study_that_loses_a_worker_says_so_and_goes_on_when_started_again(
    workspace: Workspace, peaceful: tuple[Workspace, float]
) -> None:
    with workspace.running(f"exec {JOBLIB}") as process:
        wait_for(workspace, process, IN_STORE, 2)
        os.kill(_workers(process.pid)[0], signal.SIGKILL)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "worker" in said
    workspace.run(JOBLIB)
    _check_as_in_peace(workspace, peaceful[0])


def test_eight_studies_can_start_on_a_fresh_store(workspace: Workspace) -> None:
    script = "python -m aisle lifestage=YA clusterer=ward study=study_{number}"
    _all_at_once(workspace, [script.format(number=number) for number in range(PROCESSES)])
    for number in range(PROCESSES):
        found = runs(workspace, f"study_{number}")
        assert [status for _, status in found] == ["FINISHED"] * 2
        assert len(set(found)) == 2


def test_eight_processes_can_work_on_one_study(workspace: Workspace, peaceful: tuple[Workspace, float]) -> None:
    _all_at_once(workspace, [SERIAL] * PROCESSES)
    _check_as_in_peace(workspace, peaceful[0])


def _all_at_once(workspace: Workspace, scripts: list[str]) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(workspace.running(script)) for script in scripts]
        said = [process.communicate(timeout=400)[0] for process in processes]
    assert [text for process, text in zip(processes, said, strict=True) if process.returncode != 0] == []


def _workers(launcher: int) -> list[int]:
    """The processes that compute candidates for the launcher."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], check=True, capture_output=True, text=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, command in rows if int(parent) == launcher and "popen_loky" in command]
