"""A study of eight or twelve candidates that takes seconds, what it leaves, and what is left when it is stopped."""

import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress

from tests.verify.workspace import CommandError, Workspace, stop

from aisle.storage import CandidateStore, read_json

QUICK = "python -m aisle -m study=tiny lifestage=YA,OA reducer=none,pca clusterer=kmeans,ward"
SERIAL = f"{QUICK},hdbscan"
JOBLIB = f"{SERIAL} hydra/launcher=joblib"
_FILES = ("candidates.json", "labels.parquet", "leaderboard.csv", "leaderboard.parquet", "ranking.png")


def results(workspace: Workspace) -> dict[str, bytes]:
    """The study's files, by name."""
    return {name: workspace.read(f"artifacts/tiny/{name}") for name in _FILES}


def runs(workspace: Workspace, study: str = "tiny") -> list[tuple[str, str]]:
    """Identity and status of the study's runs in MLflow, sorted; those in the bin left out."""
    query = """
        SELECT tags.value, runs.status FROM runs JOIN tags USING (run_uuid) JOIN experiments USING (experiment_id)
        WHERE tags.key = 'aisle.identity' AND runs.lifecycle_stage = 'active' AND experiments.name = ? ORDER BY 1
    """
    with closing(sqlite3.connect(workspace.folder / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [(str(identity), str(status)) for identity, status in database.execute(query, [study])]


def interrupt_when(workspace: Workspace, script: str, how: signal.Signals, pattern: str, count: int) -> bool:
    """Start the study and stop it as soon as ``count`` paths match ``pattern``; Ctrl-C must end in one sentence.

    False says that the study was over before.
    """
    with workspace.running(script) as process:
        wait_for(workspace, process, pattern, count)
        said = _interrupt(process, how)
    assert "Traceback" not in said, said
    if process.returncode == 0:
        return False
    assert how != signal.SIGINT or "aisle: interrupted; what is finished is kept" in said, said
    return True


def interrupt_after(workspace: Workspace, script: str, how: signal.Signals, seconds: float) -> None:
    """Start the study and stop it some time later, if it is not over by then."""
    with workspace.running(script) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        _interrupt(process, how)


def wait_for(workspace: Workspace, process: "subprocess.Popen[str]", pattern: str, count: int) -> None:
    """Return as soon as ``count`` paths of the workspace match ``pattern``.

    Raises:
        CommandError: the process ended before, or two minutes have passed.
    """
    patient_until = time.monotonic() + 120
    while len(list(workspace.folder.glob(pattern))) < count:
        if process.poll() is not None or time.monotonic() > patient_until:
            stop(process)
            raise CommandError(f"There were never {count} {pattern}; the study said:\n{process.communicate()[0]}")
        time.sleep(0.005)


def _interrupt(process: "subprocess.Popen[str]", how: signal.Signals) -> str:
    """What the process had said when it was over."""
    stop(process, how)
    return process.communicate(timeout=30)[0]


def check_nothing_is_half(workspace: Workspace) -> None:
    """Every candidate in the store is whole, and the study has these and no others."""
    store = CandidateStore(workspace.folder / ".aisle")
    stored = {path.name for path in (store.root / "candidates").iterdir() if not path.name.startswith(".")}
    told = read_json(workspace.folder / "artifacts" / "tiny" / "candidates.json")["candidates"]
    assert {candidate["status"] for candidate in told} == {"finished"}
    assert stored == {candidate["key"] for candidate in told}
    for key in stored:
        assert store.read(key).key == key
