"""Questions to MLflow: patient when the store is locked, one sentence when it fails, never a password in it."""

import logging
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

P = ParamSpec("P")
T = TypeVar("T")

_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@dataclass(frozen=True)
class Connection:
    """A way to the tracking address ``uri``; a locked store is asked again for ``patience`` seconds."""

    uri: str = field(repr=False)
    patience: float

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """MLflow, imported here, says nothing on the terminal: its errors are raised."""
        # Both must be set before the import: MLflow reports its use to its makers unless told not to, and tries an
        # unreachable server for four minutes.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        self.ask(import_module, "mlflow.tracking")  # which sets the levels that are changed here

        loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
        before = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)

    def client(self) -> "MlflowClient":
        """A client of this address; it opens the store."""
        from mlflow.tracking import MlflowClient

        return self.ask(MlflowClient, tracking_uri=self.uri)

    def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``call`` gives.

        Raises:
            TimeoutError: the store is locked by another process for longer than the patience.
            OSError: a folder cannot be written, or the disk is full.
            ConnectionError: MLflow refused or could not be reached.
        """
        patient_until = time.monotonic() + self.patience
        pause = 0.1
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # MLflow's own, about its libraries
                    return call(*args, **kwargs)
            except Exception as error:
                locked = "database is locked" in str(error)
                if not locked:
                    raise self._told(error) from None
                if time.monotonic() + pause > patient_until:
                    raise TimeoutError(self._locked()) from None
            time.sleep(pause)
            pause = min(2 * pause, 5.0)

    def wait_until_writable(self, file: Path) -> None:
        """Return when nobody else is writing to the SQLite store.

        MLflow waits 20 seconds for each of its own statements and then prints a traceback; this waits as long as it
        should, silently.

        Raises:
            TimeoutError: another process holds the store for longer than the patience.
            ValueError: the file is not a SQLite database.
        """
        database = sqlite3.connect(file, timeout=self.patience, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise TimeoutError(self._locked()) from None
            raise OSError(f"The MLflow store {file} must be writable; SQLite says: {error}.") from None
        except sqlite3.DatabaseError:
            raise ValueError(
                f"The MLflow store {file} must be a SQLite database; it is something else: move it away and sync again."
            ) from None
        finally:
            database.close()

    @property
    def address(self) -> str:
        """The address without user, password and query."""
        parts = urlsplit(self.uri)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    def _locked(self) -> str:
        return (
            f"The MLflow store {self.address} must be free within {self.patience:g} seconds; another process has it "
            "locked: wait for it to end and sync again (stage=sync)."
        )

    def _told(self, error: Exception) -> Exception:
        """The error as one sentence, of a kind that a stage turns into an exit code."""
        said = self._scrubbed(" ".join(str(error).split())[:500]) or type(error).__name__
        kind = OSError if isinstance(error, OSError) else ConnectionError
        return kind(
            f"MLflow at {self.address} must take the study's record; it said: {said.rstrip('.')}. "
            "Check tracker.uri, or go on without it: tracker=none."
        )

    def _scrubbed(self, text: str) -> str:
        parts = urlsplit(self.uri)
        text = text.replace(self.uri, self.address)
        password = parts.password or ""
        secrets = {password, unquote(password), quote(unquote(password), safe=""), parts.query}
        secrets |= {os.environ.get(name, "") for name in _SECRETS}
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
