"""The candidate store: content-addressed folders, each written once, whole.

A candidate's key digests everything its result depends on: the features, the configuration of scaler, reducer and
clusterer, the seed, and the code and libraries that compute it. What is in the store is never computed again.
"""

import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
from filelock import FileLock

from aisle.partition import Partition, PartitionPath
from aisle.storage.files import read_arrow, read_json, whole_folder, write_arrow, write_json

if TYPE_CHECKING:  # scikit-learn costs a second, and most stages that store something do not need it
    from aisle.reducers.neighbours import NeighbourReducer, Neighbours

_CODE = ("candidate.py", "partition.py", "scores.py", "clusterers", "kernels", "reducers", "features/table.py")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "hdbscan", "umap-learn", "pynndescent", "numba")


def describe(component: Any) -> dict[str, Any]:
    """A component's class and parameters, nested components included, as plain JSON values.

    Raises:
        TypeError: a parameter has no content that could be told: its text would differ from process to process.
    """
    if hasattr(component, "get_params") and not isinstance(component, type):
        kind = type(component)
        parameters = {name: describe(value) for name, value in component.get_params(deep=False).items()}
        return {"class": f"{kind.__module__}.{kind.__qualname__}", "params": parameters} | _source(kind.__module__)
    if isinstance(component, np.generic | np.ndarray):
        return describe(component.tolist())
    if component is None or isinstance(component, str | bool | int | float):
        plain = not isinstance(component, float) or math.isfinite(component)
        return {"value": component} if plain else {"number": str(component)}  # JSON has no word for nan
    if isinstance(component, Mapping):
        return {"pairs": [describe(pair) for pair in sorted(component.items())]}
    if isinstance(component, Sequence):
        return {"values": [describe(item) for item in component]}
    if isinstance(component, partial):
        given = {"args": describe(component.args), "keywords": describe(component.keywords)}
        return describe(component.func) | given
    if callable(component) and hasattr(component, "__qualname__"):
        return {"function": f"{component.__module__}.{component.__qualname__}"} | _source(component.__module__)
    wanted = "a number, a text, a list, a mapping, a function or an estimator"
    raise TypeError(f"A parameter must be {wanted}; got {type(component).__name__}.")


def _source(module: str) -> dict[str, str]:
    """The digest of a module's file where neither `code_digest` nor the version of a library covers it."""
    if module.split(".")[0] in {"aisle", "numpy", "scipy", "sklearn", "hdbscan", "umap", "pynndescent", "numba"}:
        return {}
    file = getattr(sys.modules.get(module), "__file__", None)  # built-in modules come with Python and have none
    return {"source": hashlib.sha256(Path(file).read_bytes()).hexdigest()} if file else {}


@cache
def code_digest() -> str:
    """Digest of the code and the libraries a candidate's result depends on."""
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for entry in _CODE:
        path = package / entry
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        for file in files:
            content.update(file.relative_to(package).as_posix().encode() + b"\x00" + file.read_bytes())
    for library in LIBRARIES:
        content.update(f"{library}=={version(library)}".encode())
    return content.hexdigest()


def candidate_key(features_digest: str, *, scaler: Any, reducer: Any, clusterer: Any = None, seed: int) -> str:
    """The key of a candidate, or of an embedding when there is no clusterer: 32 hexadecimal digits."""
    content = {
        "features": features_digest,
        "scaler": describe(scaler),
        "reducer": describe(reducer),
        "clusterer": None if clusterer is None else describe(clusterer),
        "seed": seed,
        "code": code_digest(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def neighbours_key(values: npt.NDArray[np.float64], reducer: "NeighbourReducer") -> str:
    """The key of the neighbours of ``values`` (n, d), as it is for all that share them: 32 hexadecimal digits."""
    kind = type(reducer)
    content = {
        "values": [values.shape, hashlib.sha256(np.asarray(values, dtype=np.float64).tobytes()).hexdigest()],
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "params": describe(reducer.neighbour_params()),
        "code": code_digest(),
    } | _source(kind.__module__)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class CandidateRecord:
    """A finished candidate as it is stored; ``facts`` tells of its features, parameters, seconds and warnings."""

    key: str
    path: PartitionPath
    scores: Mapping[float, Mapping[str, float]]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class CandidateStore:
    """Candidates, embeddings and neighbours under ``root``, for many processes: what appears is whole."""

    root: Path

    def _candidate(self, key: str) -> Path:
        return Path(self.root) / "candidates" / key

    def _embedding(self, key: str) -> Path:
        return Path(self.root) / "embeddings" / f"{key}.parquet"

    def _neighbours(self, key: str) -> Path:
        return Path(self.root) / "neighbours" / f"{key}.parquet"

    def has(self, key: str) -> bool:
        """Whether this candidate is finished."""
        return self._candidate(key).exists()

    def write(self, record: CandidateRecord) -> None:
        """Store a finished candidate. If another process was faster, its equal result stays."""
        labels = {str(value): partition.labels for value, partition in record.path.partitions.items()}
        table = pd.DataFrame(labels).rename_axis("id").reset_index()
        scores = [[value, {k: None if np.isnan(v) else v for k, v in s.items()}] for value, s in record.scores.items()]
        with whole_folder(self._candidate(record.key), replace=False) as part:
            write_arrow(pyarrow.Table.from_pandas(table, preserve_index=False), part / "labels.parquet")
            content = {"key": record.key, "parameter": record.path.parameter, "scores": scores, "facts": record.facts}
            write_json(content, part / "candidate.json")

    def read(self, key: str) -> CandidateRecord:
        """A finished candidate.

        Raises:
            FileNotFoundError: it is not in the store.
            ValueError: its files are damaged.
        """
        folder = self._candidate(key)
        if not folder.exists():
            raise FileNotFoundError(
                f"{folder} is needed and missing; run the study again, it computes what is missing."
            )
        try:
            content = read_json(folder / "candidate.json")
            table = read_arrow(folder / "labels.parquet").to_pandas().set_index("id")
        except (ValueError, OSError) as error:
            raise ValueError(f"{folder} is damaged; delete it and run the study again: {error}") from None
        scores = {value: {k: np.nan if v is None else v for k, v in s.items()} for value, s in content["scores"]}
        partitions = {value: Partition(table[str(value)].rename("label")) for value in scores}
        return CandidateRecord(key, PartitionPath(content["parameter"], partitions), scores, content["facts"])

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """While one process is inside, others wait: what many jobs need is computed by the first.

        The system gives the lock back when its process ends, however it ends.
        """
        path = Path(self.root) / "locks" / f"{key}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path).acquire()
        except OSError as error:
            raise type(error)(f"{path} cannot be written: {error.strerror or error}.") from error
        with lock:
            yield

    def read_embedding(self, key: str) -> pd.DataFrame | None:
        """A stored embedding; None where there is none or a damaged one: it is computed and stored again."""
        try:
            stored: pd.DataFrame = read_arrow(self._embedding(key)).to_pandas()
        except (FileNotFoundError, ValueError):
            return None
        return stored.set_index("id")

    def write_embedding(self, key: str, values: pd.DataFrame) -> None:
        """Store an embedding for the other candidates that share it."""
        rows = pyarrow.Table.from_pandas(values.rename_axis("id").reset_index(), preserve_index=False)
        write_arrow(rows, self._embedding(key))

    def read_neighbours(self, key: str) -> "Neighbours | None":
        """Stored neighbours; None where there are none or damaged ones: they are computed and stored again."""
        from aisle.reducers.neighbours import Neighbours

        try:
            columns = [column.to_numpy() for column in read_arrow(self._neighbours(key)).columns]
            half = len(columns) // 2
            return Neighbours(np.column_stack(columns[:half]), np.column_stack(columns[half:]))
        except (FileNotFoundError, ValueError):
            return None

    def write_neighbours(self, key: str, neighbours: "Neighbours") -> None:
        """Store neighbours for the other reducers that share them."""
        tables = {"row": neighbours.rows, "distance": neighbours.distances}
        columns = {f"{name}_{place}": column for name, table in tables.items() for place, column in enumerate(table.T)}
        write_arrow(pyarrow.table(columns), self._neighbours(key))
