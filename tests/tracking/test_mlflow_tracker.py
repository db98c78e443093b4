"""Studies in a real MLflow store."""

import logging
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aisle.tracking import Dataset, MlflowTracker, NoTracker, RunContent, Score, Table, Written, mlflow_tracker
from aisle.tracking.connection import Connection
from aisle.tracking.store import outdated
from aisle.tracking.view import view_address

SIZES = Table(("cluster", "customer_count", "spend_share"), (("cluster 0", 12, 0.6), ("noise", 8, None)))


def candidate(name: str = "YF · pca · kmeans", score: float = 0.3, **changes: Any) -> RunContent:
    content = RunContent(
        name=name,
        identity=name,
        status="FINISHED",
        note="Best at **n_clusters = 3**.",
        tags={"study": "grid", "kind": "candidate", "lifestage": "YF"},
        params={"clusterer": "kmeans", "clusterer.n_init": "4"},
        scores=(Score("features/silhouette", 0.2, 2), Score("features/silhouette", score, 3)),
        tables=lambda: {"cluster_sizes.json": SIZES},
        dataset=Dataset("baskets · YF", "0123456789abcdef" * 4, 20, ("basket_count", "spend_mean")),
        seconds=2.5,
        provenance={"mlflow.source.git.commit": "abc"},
    )
    return replace(content, **changes)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> MlflowTracker:
    """A tracker with a store of its own; every test writes another study into it."""
    folder = tmp_path_factory.mktemp("mlflow")
    return MlflowTracker(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", folder / "locks", patience=5)


@pytest.fixture
def study(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def runs(tracker: MlflowTracker, study: str) -> Callable[[], list[Any]]:
    """The study's runs as MLflow tells them, those in the bin not, by name."""

    def found() -> list[Any]:
        client = Connection(tracker.uri, tracker.patience).client()
        experiment = client.get_experiment_by_name(study)
        assert experiment is not None
        return sorted(client.search_runs([experiment.experiment_id]), key=lambda run: str(run.info.run_name))

    return found


def ask(tracker: MlflowTracker, call: str, *args: Any, **kwargs: Any) -> Any:
    connection = Connection(tracker.uri, tracker.patience)
    return connection.ask(getattr(connection.client(), call), *args, **kwargs)


def test_the_address_of_the_leaderboard_is_told_whole(
    tracker: MlflowTracker, study: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="aisle")
    tracker.write(study, [], "Which is best?")
    number = ask(tracker, "get_experiment_by_name", study).experiment_id
    assert f"mlflow {study}: http://127.0.0.1:5000/{view_address(number)}" in caplog.messages


def test_a_run_shows_its_content(tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]) -> None:
    assert tracker.write(study, [candidate()], "Which is best?") == Written(1, 0, 0)
    (run,) = runs()
    assert run.info.run_name == "YF · pca · kmeans"
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 2500
    assert run.data.params == {"clusterer": "kmeans", "clusterer.n_init": "4"}
    shown = {"study": "grid", "kind": "candidate", "lifestage": "YF", "current": "yes"}
    assert shown.items() <= run.data.tags.items()
    assert run.data.tags["mlflow.note.content"] == "Best at **n_clusters = 3**."
    assert run.data.tags["mlflow.source.git.commit"] == "abc"
    history = ask(tracker, "get_metric_history", run.info.run_id, "features/silhouette")
    assert [(point.step, point.value) for point in history] == [(2, 0.2), (3, 0.3)]
    (dataset,) = run.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == ("baskets · YF", "0123456789abcdef")


def test_mlflow_reads_our_tables(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)  # load_table asks the store of the environment, too
    tracker.write(study, [candidate()], "")
    (experiment_id,) = {run.info.experiment_id for run in runs()}
    table = ask(tracker, "load_table", experiment_id, "cluster_sizes.json")
    assert list(table.columns) == list(SIZES.columns)
    assert table["customer_count"].tolist() == [12, 8]
    assert table["spend_share"].isna().tolist() == [False, True]


def test_files_are_artifacts(tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]], tmp_path: Path) -> None:
    file = tmp_path / "ranking.png"
    file.write_bytes(b"one")
    content = candidate(files={"figures/ranking.png": file})
    tracker.write(study, [content], "")
    (run,) = runs()
    (found,) = ask(tracker, "list_artifacts", run.info.run_id, "figures")
    assert found.path == "figures/ranking.png"
    assert tracker.write(study, [content], "") == Written(0, 1, 0)
    file.write_bytes(b"two")
    assert tracker.write(study, [content], "") == Written(1, 0, 1)


def test_a_second_time_changes_nothing(tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]) -> None:
    contents = [candidate(), candidate("OF · none · ward"), candidate("PE · pca · hdbscan", status="FAILED", scores=())]
    assert tracker.write(study, contents, "") == Written(3, 0, 0)
    before = [run.to_dictionary() for run in runs()]
    assert tracker.write(study, contents, "") == Written(0, 3, 0)
    assert [run.to_dictionary() for run in runs()] == before
    assert [run["info"]["status"] for run in before] == ["FINISHED", "FAILED", "FINISHED"]


def test_another_commit_does_not_make_another_run(tracker: MlflowTracker, study: str) -> None:
    tracker.write(study, [candidate()], "")
    assert tracker.write(study, [candidate(provenance={"mlflow.source.git.commit": "def"})], "") == Written(0, 1, 0)


def test_a_run_whose_content_changed_is_replaced(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    tracker.write(study, [candidate(), candidate("OF · none · ward")], "")
    assert tracker.write(study, [candidate(score=0.4), candidate("OF · none · ward")], "") == Written(1, 1, 1)
    assert [run.data.metrics["features/silhouette"] for run in runs()] == [0.3, 0.4]


def test_a_killed_sync_is_made_good_by_the_next(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    def killed() -> dict[str, Table]:
        raise KeyboardInterrupt

    contents = [candidate(), candidate("OF · none · ward", tables=killed)]
    with pytest.raises(KeyboardInterrupt):
        tracker.write(study, contents, "")
    assert [run.info.status for run in runs()] == ["RUNNING", "FINISHED"]
    assert tracker.write(study, [candidate(), candidate("OF · none · ward")], "") == Written(1, 1, 1)
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"]
    with pytest.raises(KeyboardInterrupt):
        tracker.write(study, [candidate(), candidate("YA · none · ward", tables=killed)], "")
    assert tracker.write(study, [candidate()], "") == Written(0, 1, 1)
    assert [run.info.run_name for run in runs()] == ["OF · none · ward", "YF · pca · kmeans"]


def test_a_run_that_was_written_but_not_ended_is_written_again(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    tracker.write(study, [candidate()], "")
    ask(tracker, "update_run", runs()[0].info.run_id, status="RUNNING")
    assert tracker.write(study, [candidate()], "") == Written(1, 0, 1)
    assert [run.info.status for run in runs()] == ["FINISHED"]


def test_a_run_of_an_earlier_state_of_the_study_stays_and_says_so(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    both = [candidate(), candidate("OF · none · ward")]
    tracker.write(study, both, "")
    for contents, current in ((both[:1], ["no", "yes"]), (both, ["yes", "yes"])):
        assert tracker.write(study, contents, "") == Written(0, len(contents), 0)
        assert [run.data.tags["current"] for run in runs()] == current


def test_runs_of_other_people_in_the_experiment_are_left_alone(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    tracker.write(study, [candidate()], "")
    experiment_id = runs()[0].info.experiment_id
    ask(tracker, "create_run", experiment_id, run_name="by hand")
    assert tracker.write(study, [candidate()], "") == Written(0, 1, 0)
    assert [run.info.status for run in runs()] == ["FINISHED", "RUNNING"]


def test_an_experiment_is_called_after_its_study_and_says_what_it_found(tracker: MlflowTracker, study: str) -> None:
    for said in ("Which is best?", "Which is best? kmeans."):
        tracker.write(study, [], said)
        experiment = ask(tracker, "get_experiment_by_name", study)
        assert experiment.tags["mlflow.note.content"] == said
        assert Path(experiment.artifact_location) == Path(tracker.artifacts) / study


def test_a_study_that_was_deleted_in_mlflow_comes_back(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    tracker.write(study, [candidate()], "")
    ask(tracker, "delete_experiment", runs()[0].info.experiment_id)
    tracker.write(study, [candidate()], "")
    assert [run.data.tags["current"] for run in runs()] == ["yes"]


def test_more_than_mlflow_takes_at_once_is_written_in_batches(
    tracker: MlflowTracker, study: str, runs: Callable[[], list[Any]]
) -> None:
    params = {f"parameter_{number}": str(number) for number in range(230)}
    tags = {f"tag_{number}": str(number) for number in range(150)}
    scores = tuple(Score("features/silhouette", step / 2000, step) for step in range(1700))
    tracker.write(study, [candidate(params=params, tags=tags, scores=scores)], "")
    (run,) = runs()
    assert run.data.params == params
    assert tags.items() <= run.data.tags.items()
    assert len(ask(tracker, "get_metric_history", run.info.run_id, "features/silhouette")) == 1700


def test_every_page_of_runs_is_looked_at(tracker: MlflowTracker, study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [candidate(f"run {number}") for number in range(5)]
    tracker.write(study, contents, "")
    monkeypatch.setattr(mlflow_tracker, "_PER_PAGE", 2)
    assert tracker.write(study, contents, "") == Written(0, 5, 0)


def test_mlflow_is_imported_only_when_it_is_needed() -> None:
    said = "import sys, aisle.stages.sync; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0


def test_no_tracker_does_not_even_look_at_the_contents() -> None:
    contents = iter([candidate()])
    NoTracker().prepare()
    assert NoTracker().write("grid", contents, "") == Written(0, 0, 0)
    assert next(contents).name == candidate().name


def write_as_a_process(folder: Path, study: str, barrier: Any) -> None:
    """Write one run, at the same moment as the others."""
    tracker = MlflowTracker(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", folder / "locks", patience=300)
    barrier.wait()
    tracker.prepare()
    tracker.write(study, [candidate()], "")


@pytest.mark.verify
def test_eight_processes_that_start_on_a_fresh_store_do_not_ruin_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))  # where the processes find this module
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(8)
    # Half of them write the same study, which must then hold one run.
    studies = ["same" if number % 2 else f"study {number}" for number in range(8)]
    processes = [context.Process(target=write_as_a_process, args=(tmp_path, name, barrier)) for name in studies]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    tracker = MlflowTracker(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts", tmp_path / "locks")
    for name in studies:
        assert tracker.write(name, [candidate()], "") == Written(0, 1, 0)


def test_a_store_is_made_once_and_whole_however_many_prepare_it(tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "mlflow.db"
    tracker = MlflowTracker(f"sqlite:///{file}", tmp_path / "artifacts", tmp_path / "locks")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: tracker.prepare(), range(4)))
    made = file.stat()
    tracker.prepare()
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)
    assert [path.name for path in file.parent.iterdir()] == ["mlflow.db"]
    assert not outdated(file)


def test_an_old_store_is_brought_up_to_date_and_keeps_its_runs(tmp_path: Path) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base

    file, tools = tmp_path / "mlflow.db", utils
    engine = tools.create_sqlalchemy_engine(f"sqlite:///{file}")  # type: ignore[no-untyped-call]
    config = tools._get_alembic_config(f"sqlite:///{file}")  # type: ignore[no-untyped-call]
    head = ScriptDirectory.from_config(config).get_revision("heads")
    assert head is not None
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, str(head.down_revision))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (5, 'of old', 'active')"
        )
    engine.dispose()
    assert outdated(file)
    tracker = MlflowTracker(f"sqlite:///{file}", tmp_path / "artifacts", tmp_path / "locks")
    assert tracker.write("grid", [candidate()], "") == Written(1, 0, 0)
    assert not outdated(file)
    assert ask(tracker, "get_experiment_by_name", "of old").experiment_id == "5"


def patient(tracker: MlflowTracker, seconds: float) -> MlflowTracker:
    return replace(tracker, patience=seconds)


def test_a_store_that_stays_locked_is_one_sentence(tracker: MlflowTracker, study: str) -> None:
    tracker.prepare()
    with closing(sqlite3.connect(tracker.uri.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        sentence = r"^The MLflow store sqlite:///\S+ must be free within 0.3 seconds; another process has it locked"
        with pytest.raises(TimeoutError, match=sentence) as told:
            patient(tracker, 0.3).write(study, [candidate()], "")
    assert told.value.__suppress_context__
    assert tracker.write(study, [candidate()], "") == Written(1, 0, 0)


def test_a_store_that_is_freed_in_time_is_written(tracker: MlflowTracker, study: str) -> None:
    tracker.prepare()
    other = sqlite3.connect(tracker.uri.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    with closing(other):
        freed = threading.Timer(0.5, other.execute, ["ROLLBACK"])
        freed.start()
        assert tracker.write(study, [candidate()], "") == Written(1, 0, 0)
        freed.join()


def test_a_question_to_a_locked_store_is_asked_again() -> None:
    refusals = [sqlite3.OperationalError("database is locked")] * 2

    def call() -> str:
        if refusals:
            raise refusals.pop()
        return "answer"

    assert Connection("sqlite:///mlflow.db", patience=5).ask(call) == "answer"


def test_a_study_that_another_process_is_writing_is_waited_for(tracker: MlflowTracker, study: str) -> None:
    def contents() -> Iterator[RunContent]:
        with pytest.raises(TimeoutError, match=r"The lock \S+ must be free within 0.2 seconds; another process holds"):
            patient(tracker, 0.2).write(study, [candidate()], "")
        yield candidate()

    assert tracker.write(study, contents(), "") == Written(1, 0, 0)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to have had a header", b"\x00" * 4096])
def test_a_store_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mlflow.db"
    file.write_bytes(content)
    tracker = MlflowTracker(f"sqlite:///{file}", tmp_path / "artifacts", tmp_path / "locks")
    with pytest.raises(ValueError, match=r"The MLflow store \S+mlflow.db must be a SQLite database; it is something"):
        tracker.write("grid", [candidate()], "")
    assert file.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE baskets (basket_id INTEGER)")
    content = file.read_bytes()
    tracker = MlflowTracker(f"sqlite:///{file}", tmp_path / "artifacts", tmp_path / "locks")
    with pytest.raises(ValueError, match=r"must hold MLflow's tables; it holds \['baskets'\]: change tracker.uri"):
        tracker.write("grid", [candidate()], "")
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "uri",
    [
        "http://ann:s3cr%40t@127.0.0.1:9/mlflow",
        "postgresql://ann:s3cr%40t@127.0.0.1:9/mlflow?sslpassword=s3cr%40t",
        "nonsense://ann:s3cr%40t@127.0.0.1",
    ],
)
def test_a_password_in_the_address_is_never_told(
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)  # else it waits for a database for 100 seconds
    caplog.set_level(logging.DEBUG)
    tracker = MlflowTracker(uri, tmp_path / "artifacts", tmp_path / "locks", patience=0.1)
    with pytest.raises(ConnectionError, match=r"^MLflow at \w+://127.0.0.1\S* must take the study's record; ") as told:
        tracker.write("grid", [candidate()], "")
    shown = [*traceback.format_exception(told.value), repr(tracker), caplog.text, *capfd.readouterr()]
    shown += [path.name for path in (tmp_path / "locks").iterdir()]
    for secret in ("s3cr%40t", "s3cr@t"):
        assert secret not in "".join(shown)


@pytest.mark.parametrize("secret", ["s3cr%40t", "s3cr@t", "t0ken"])
def test_a_secret_in_what_mlflow_says_is_never_told(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")

    def refuse() -> None:
        raise RuntimeError(f"ann may not come in with {secret}.")

    with pytest.raises(ConnectionError, match=r"it said: ann may not come in with \*\*\*\. Check tracker\.uri"):
        Connection("http://ann:s3cr%40t@127.0.0.1:9", patience=0).ask(refuse)
