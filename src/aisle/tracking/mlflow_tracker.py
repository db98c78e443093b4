"""The one loop that writes runs into MLflow. MLflow is imported when it is first needed: that costs seconds."""

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout

from aisle.tracking.connection import Connection
from aisle.tracking.registry import is_registered, register
from aisle.tracking.run_content import Dataset, RunContent, Table, Written
from aisle.tracking.store import create_store, outdated, renew_store, store_file
from aisle.tracking.view import view_address, view_tag

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Run
    from mlflow.tracking import MlflowClient

Thing = TypeVar("Thing")
log = logging.getLogger(__name__)

_IDENTITY = "aisle.identity"
_CONTENT = "aisle.content"  # digest of what the run shows; set last, so a run without it is half-written
_CURRENT = "current"
_PER_BATCH = 100  # MLflow takes so many parameters or tags at once,
_METRICS_PER_BATCH = 500  # and 1,000 things in all
_PER_PAGE = 1_000


@dataclass(frozen=True)
class MlflowTracker:
    """Studies as MLflow experiments of the same name.

    ``uri`` is an MLflow tracking address. A SQLite store is made, and its schema brought up to date, here, and its
    artifacts go under ``artifacts``; a server sees to both itself. ``pages`` is where a person will have MLflow's pages
    of a store that is not a server. ``locks`` is the folder of the locks that keep two
    processes of this machine from making one store or writing one study; ``patience`` is how many seconds to wait.
    """

    uri: str = field(repr=False)  # may hold a password
    artifacts: Path
    locks: Path
    patience: float = 120.0
    pages: str = "http://127.0.0.1:5000"

    def prepare(self) -> None:
        """Create the store if there is none. Many processes may do this at once.

        Raises:
            TimeoutError: another process holds the lock.
            OSError: the folder cannot be written.
        """
        file = store_file(self.uri)
        if file is not None and not file.exists():
            connection = Connection(self.uri, self.patience)
            with self._lock("store"), connection.quiet():
                connection.ask(create_store, file, self._artifacts)

    def write(self, study: str, contents: Iterable[RunContent], description: str) -> Written:
        """Bring the experiment ``study`` to these contents: what is missing is written, what is there is left alone.

        Runs of a killed process are removed. Runs that are not among the contents stay and are tagged ``current=no``.

        Raises:
            TimeoutError: the store is locked by another process.
            ConnectionError: the tracking address cannot be used.
        """
        self.prepare()
        file = store_file(self.uri)
        connection = Connection(self.uri, self.patience)
        with self._lock(f"study-{_short(study)}"), connection.quiet():
            if file is not None:
                connection.wait_until_writable(file)
                with self._lock("store"):
                    if outdated(file):
                        connection.ask(renew_store, file, self._artifacts)
            client = connection.client()
            experiment = self._experiment(connection, client, study, description)
            done = _Experiment(connection, client, experiment).bring_to(contents)
        log.info("mlflow %s: %d runs written, %d unchanged, %d removed", study, *done)
        pages = connection.address if self.uri.startswith("http") else self.pages
        log.info("mlflow %s: %s/%s", study, pages.rstrip("/"), view_address(experiment))
        return done

    @property
    def _artifacts(self) -> Path:
        return Path(self.artifacts).resolve()

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        path = Path(self.locks) / f"mlflow-{_short(self.uri)}-{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=self.patience)
        try:
            held = lock.acquire()
        except Timeout:
            raise TimeoutError(
                f"The lock {path} must be free within {self.patience:g} seconds; another process holds it: "
                "wait for it to end and sync again (stage=sync)."
            ) from None
        with held:
            yield

    def _experiment(self, connection: Connection, client: "MlflowClient", study: str, description: str) -> str:
        """The id of the study's experiment, created or brought back from the bin if need be."""
        # The kind spares people a question that MLflow's page otherwise asks at the first visit.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        tags = {"mlflow.note.content": description} | kind | dict([view_tag()])
        found = connection.ask(client.get_experiment_by_name, study)
        if found is None:
            location = None if store_file(self.uri) is None else str(self._artifacts / study)
            return connection.ask(client.create_experiment, study, artifact_location=location, tags=tags)
        if found.lifecycle_stage != "active":
            connection.ask(client.restore_experiment, found.experiment_id)
        for name, value in tags.items():
            if found.tags.get(name) != value:
                connection.ask(client.set_experiment_tag, found.experiment_id, name, value)
        return str(found.experiment_id)


@dataclass(frozen=True)
class _Experiment:
    """The runs of one experiment, to be brought to a state."""

    connection: Connection
    client: "MlflowClient"
    experiment_id: str

    def bring_to(self, contents: Iterable[RunContent]) -> Written:
        known: dict[str, list[Run]] = {}
        for run in self._runs():
            known.setdefault(run.data.tags[_IDENTITY], []).append(run)
        written = unchanged = removed = 0
        for content in contents:
            digest = _digest(content)
            same = known.pop(content.identity, [])
            whole = [run for run in same if run.data.tags.get(_CONTENT) == digest and _ended(run)]
            kept = [run for run in whole if self._offers(run, content)][:1]
            removed += self._remove([run for run in same if run not in kept])
            if kept:
                self._mark(kept[0], "yes")
                unchanged += 1
            else:
                self._write(content, digest)
                written += 1
        for run in (run for runs in known.values() for run in runs):
            if _ended(run):
                self._mark(run, "no")
            else:
                removed += self._remove([run])
        return Written(written, unchanged, removed)

    def _runs(self) -> Iterator["Run"]:
        """The runs written by this module, those of a killed process included, those in the bin not."""
        token = None
        while True:
            page = self.connection.ask(
                self.client.search_runs,
                [self.experiment_id],
                f"tags.`{_IDENTITY}` != ''",
                max_results=_PER_PAGE,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def _write(self, content: RunContent, digest: str) -> None:
        """A new run with everything in it; only then is it marked as whole."""
        from mlflow.entities import Metric, Param, RunTag

        ask, client, now = self.connection.ask, self.client, time.time()
        started = round((now - content.seconds) * 1000)  # so that MLflow's duration is that of the computing
        identity = {_IDENTITY: content.identity}
        run = ask(client.create_run, self.experiment_id, start_time=started, tags=identity, run_name=content.name)
        run_id = run.info.run_id
        shown = {"mlflow.source.name": "aisle", "mlflow.source.type": "LOCAL", "mlflow.note.content": content.note}
        tables = content.tables()
        if tables:
            shown["mlflow.loggedArtifacts"] = json.dumps([{"path": name, "type": "table"} for name in tables])
        tags = [RunTag(*tag) for tag in {**content.tags, **content.provenance, **shown, _CURRENT: "yes"}.items()]
        metrics = [Metric(score.key, score.value, round(now * 1000), score.step) for score in content.scores]
        params = [Param(key, value) for key, value in content.params.items()]
        chunks: tuple[Iterator[Any], ...] = (
            _chunks(metrics, _METRICS_PER_BATCH),
            _chunks(params, _PER_BATCH),
            _chunks(tags, _PER_BATCH),
        )
        for batch in zip_longest(*chunks, fillvalue=()):
            ask(client.log_batch, run_id, *batch)
        if content.dataset is not None:
            ask(client.log_inputs, run_id, [_dataset_input(content.dataset)])
        self._log_artifacts(run_id, tables, content)
        if content.model is not None:
            register(self.connection, client, self.experiment_id, run_id, content.model, content.note)
        ask(client.log_batch, run_id, tags=[RunTag(_CONTENT, digest)])
        ask(client.set_terminated, run_id, status=content.status, end_time=round(now * 1000))

    def _log_artifacts(self, run_id: str, tables: Mapping[str, Table], content: RunContent) -> None:
        figures = content.figures()
        if not (tables or figures or content.files):
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, table in tables.items():
                (Path(folder) / name).write_text(_as_mlflow_table(table), encoding="utf-8")
            for name in (*figures, *content.files):
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            for name, figure in figures.items():
                figure.savefig(Path(folder) / name, format="png", bbox_inches="tight")
            for name, file in content.files.items():
                (Path(folder) / name).write_bytes(file.read_bytes())
            self.connection.ask(self.client.log_artifacts, run_id, folder)

    def _offers(self, run: "Run", content: RunContent) -> bool:
        """Whether the model of the content, if it has one, is registered from this run."""
        model = content.model
        return model is None or is_registered(self.connection, self.client, run.info.run_id, model)

    def _mark(self, run: "Run", current: str) -> None:
        if run.data.tags.get(_CURRENT) != current:
            self.connection.ask(self.client.set_tag, run.info.run_id, _CURRENT, current)

    def _remove(self, runs: Sequence["Run"]) -> int:
        for run in runs:
            self.connection.ask(self.client.delete_run, run.info.run_id)
        return len(runs)


def _chunks(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def _ended(run: "Run") -> bool:
    return run.info.status in ("FINISHED", "FAILED") and _CONTENT in run.data.tags


def _digest(content: RunContent) -> str:
    """Digest of the content and of what is inside its files."""
    inside = "".join(hashlib.sha256(content.files[name].read_bytes()).hexdigest() for name in sorted(content.files))
    return hashlib.sha256((content.digest() + inside).encode()).hexdigest()[:32]


def _dataset_input(dataset: Dataset) -> "DatasetInput":
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag

    columns = [{"type": "double", "name": name, "required": True} for name in dataset.columns]
    shown = MlflowDataset(
        name=dataset.name,
        digest=dataset.digest[:16],
        source_type="feature table",
        source=json.dumps({"digest": dataset.digest}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": dataset.customers, "num_elements": dataset.customers * len(columns)}),
    )
    return DatasetInput(shown, [InputTag("mlflow.data.context", "clustering")])


def _as_mlflow_table(table: Table) -> str:
    return json.dumps({"columns": table.columns, "data": table.rows}, ensure_ascii=False)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
