"""A SQLite store of MLflow: made, or brought up to date, beside its place and then put there whole."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_SQLITE = "sqlite:///"


def store_file(uri: str) -> Path | None:
    """The file of a SQLite address; None for any other.

    >>> store_file("sqlite:///shop/mlflow.db").as_posix()
    'shop/mlflow.db'
    """
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def create_store(file: Path, artifacts: Path) -> None:
    """A fresh store, unless there is one. Many processes that made a store in place would ruin it."""
    if not file.exists():
        with _in_its_place(file) as part:
            _make(part, artifacts)


def outdated(file: Path) -> bool:
    """Whether the store lacks the schema of the installed MLflow.

    Raises:
        ValueError: the file holds tables of something else.
    """
    import mlflow.store.db.utils

    tools: Any = mlflow.store.db.utils  # untyped
    return bool(_schema(file) != tools._get_latest_schema_revision())


def renew_store(file: Path, artifacts: Path) -> None:
    """Bring an outdated store to the schema of the installed MLflow. If that fails, the store is as it was."""
    with _in_its_place(file) as part:
        shutil.copyfile(file, part)
        if _schema(file) is not None:
            _upgrade(part)
        _make(part, artifacts)


def _schema(file: Path) -> str | None:
    """The revision of the store's schema; None for a file without tables."""
    with closing(sqlite3.connect(file)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise ValueError(
                f"The MLflow store {file} must hold MLflow's tables; it holds {sorted(tables)[:3]}: change tracker.uri."
            )
        row = database.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
    return None if row is None else str(row[0])


def _make(part: Path, artifacts: Path) -> None:
    """Tables and default experiment, where they are missing."""
    import mlflow.store.tracking.sqlalchemy_store

    stores: Any = mlflow.store.tracking.sqlalchemy_store  # untyped
    stores.SqlAlchemyStore(f"{_SQLITE}{part}", str(artifacts)).engine.dispose()


def _upgrade(part: Path) -> None:
    import mlflow.store.db.utils

    tools: Any = mlflow.store.db.utils  # untyped
    engine = tools.create_sqlalchemy_engine(f"{_SQLITE}{part}")
    try:
        tools._upgrade_db(engine)
    finally:
        engine.dispose()


@contextmanager
def _in_its_place(file: Path) -> Iterator[Path]:
    """A path beside ``file`` that takes its place on success; a process killed midway leaves ``file`` as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.part-", dir=file.parent) as folder:
        part = Path(folder).resolve() / file.name
        yield part
        part.replace(file)
