"""The draws of a calibration in the candidate store: one small file each, so that it resumes after any stop."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from aisle.calibration import Cell
from aisle.evidence import Effort, Thresholds
from aisle.features.table import FeatureTable
from aisle.storage.candidates import describe
from aisle.storage.closure import closure_digest
from aisle.storage.files import digest, read_json, write_json

_CODE = "aisle.calibration.trial"


@dataclass(frozen=True)
class Draw:
    """What a draw gave: `aisle.calibration.trial`'s rows, and the ``seconds`` of a processor that they took."""

    rows: list[dict[str, Any]]
    seconds: float


class Draws:
    """Results of draws below ``<store>/calibration/``, by everything they depend on."""

    def __init__(self, store: Path, *, effort: Effort, thresholds: Thresholds, floor: float) -> None:
        self.root = store / "calibration"
        self.settings = {"effort": asdict(effort), "thresholds": asdict(thresholds), "floor": floor}

    def file(self, cell: Cell, number: int) -> Path:
        """Where the result of a draw is or will be."""
        return self.root / f"{_plain(cell.name)}-{self._key(cell)}" / f"{number:05d}.json"

    def portrait(self, features: FeatureTable, clusterer: Any, seed: int) -> Path:
        """Where the rows of the table of silhouettes, nulls and valleys of these customers are or will be."""
        content = {
            "features": features.digest(),
            "clusterer": describe(clusterer),
            "seed": seed,
            "code": closure_digest(_CODE),
            **self.settings,
        }
        return self.root / "portraits" / f"{digest(content)[:24]}.json"

    def _key(self, cell: Cell) -> str:
        content = {
            "population": _told(cell.drawn_from),
            "names": [cell.population, cell.reduction],
            "scaler": describe(cell.scaler),
            "reducer": describe(cell.reducer),
            "clusterers": {name: describe(clusterer) for name, clusterer in cell.clusterers.items()},
            "null_every": cell.null_every,
            "code": closure_digest(_CODE),
            **self.settings,
        }
        return digest(content)[:12]

    def known(self, cells: Sequence[Cell]) -> dict[str, dict[int, "Draw"]]:
        """Every draw that is stored, by cell and number; a damaged file counts as none."""
        found: dict[str, dict[int, Draw]] = {}
        for cell in cells:
            folder = self.file(cell, 0).parent
            found[cell.name] = {}
            for number in range(cell.draws):
                try:
                    found[cell.name][number] = Draw(**read_json(folder / f"{number:05d}.json"))
                except (FileNotFoundError, ValueError, TypeError):
                    continue
        return found

    def write(self, cell: Cell, number: int, draw: "Draw") -> None:
        """Store a draw, whole or not at all."""
        write_json(asdict(draw), self.file(cell, number))


def _told(population: Any) -> dict[str, Any]:
    """A population's class and values; of a feature table, its digest."""
    if not is_dataclass(population):
        raise TypeError(f"A population must be a dataclass; got {type(population).__name__}.")
    values = {field.name: getattr(population, field.name) for field in fields(population)}
    return {
        "class": f"{type(population).__module__}.{type(population).__qualname__}",
        **{name: value.digest() if isinstance(value, FeatureTable) else value for name, value in values.items()},
    }


def _plain(name: str) -> str:
    """A name as part of a path: letters, digits, dots and dashes, and never the same for two names."""
    plain = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
