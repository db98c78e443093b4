"""What one MLflow run says, as plain values, and what a tracker is. No MLflow, no I/O."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LAYOUT = 4  # raised when runs show something new, so that the next sync writes those of old again

Cell = str | int | float | bool | None


class Score(NamedTuple):
    """A number of a run; ``step`` is its place on the x axis and must be an integer."""

    key: str
    value: float
    step: int


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        odd = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if odd is not None:
            raise ValueError(f"Every row needs the {len(self.columns)} cells {list(self.columns)}; got {list(odd)}.")


@dataclass(frozen=True)
class Dataset:
    """What a run was computed from: a feature table of ``customers`` rows."""

    name: str
    digest: str
    customers: int
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted ``estimator`` to be registered as ``name`` under ``alias``; ``digest`` tells two of them apart.

    ``example`` are rows of its inputs, texts and numbers; ``output`` is what its predictions, whole numbers, are
    called. ``description`` is what its page says, in Markdown. ``trusted`` are the types that must be trusted to load
    it, scikit-learn's own not among them.
    """

    name: str
    alias: str
    estimator: Any
    digest: str
    example: Table
    output: str
    description: str
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RunContent:
    """Everything one run shows.

    ``identity`` says what the run is of: two contents of one identity are two states of the same run. ``provenance``
    are tags about the writing (commit), which do not make it another content. ``tables`` gives tables by artifact name;
    it is called only when the run is written, so they must follow from the rest; so does ``figures``, of PNG files by
    artifact name. ``files`` maps artifact names to files. ``model`` is what the run made, if anything.
    """

    name: str
    identity: str
    status: Literal["FINISHED", "FAILED"]
    note: str
    tags: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    tables: Callable[[], Mapping[str, Table]] = dict
    figures: Callable[[], "Mapping[str, Figure]"] = dict
    dataset: Dataset | None = None
    seconds: float = 0.0
    provenance: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    model: Model | None = None

    def digest(self) -> str:
        """Equal when the run would look the same, but for provenance, seconds and what is inside ``files``."""
        dataset = None if self.dataset is None else [self.dataset.name, self.dataset.digest]
        shown = [self.name, self.status, self.note, dict(self.tags), dict(self.params), self.scores, dataset]
        model = [] if self.model is None else [[self.model.name, self.model.alias, self.model.digest]]
        text = json.dumps([_LAYOUT, *shown, sorted(self.files), *model], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Written(NamedTuple):
    """What a tracker did: runs written, runs that were there already, half-written or outdated runs removed."""

    written: int
    unchanged: int
    removed: int


class Tracker(Protocol):
    """Where the record of studies is shown."""

    def prepare(self) -> None:
        """Make sure that there is a store, before many processes use it."""
        ...

    def write(self, study: str, contents: Iterable[RunContent], description: str) -> Written:
        """Bring the study's runs to these contents; a second time changes nothing."""
        ...


@dataclass(frozen=True)
class NoTracker:
    """Shows nothing and reads nothing."""

    def prepare(self) -> None:
        """Nothing to prepare."""

    def write(self, study: str, contents: Iterable[RunContent], description: str) -> Written:  # noqa: ARG002
        """Nothing is written; ``contents`` is not even looked at, so a generator of it costs nothing."""
        return Written(0, 0, 0)
