"""The draws of a calibration, which resumes after any stop, and on any machine.

Each finished draw is a small file in the candidate store. All of them are kept in one table besides, small enough for
git: who has it goes on where it was left.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow

from aisle.features.table import FeatureTable
from aisle.storage.candidates import describe
from aisle.storage.closure import closure_digest
from aisle.storage.files import digest, read_arrow, read_json, write_arrow, write_json

if TYPE_CHECKING:  # they cost seconds, and most stages that store something need neither
    from aisle.calibration import Cell
    from aisle.evidence import Effort, Thresholds

_TRIAL: Final = "aisle.calibration.trial"
_PORTRAIT: Final = "aisle.calibration.portrait"
_DECIDES: Final = ("splits", "null_draws", "null_kind")
"""What of the effort a draw depends on: every candidate is examined, with all splits, and nothing is only reported."""
_SCHEMA: Final = pyarrow.schema(
    [
        ("cell", pyarrow.string()),
        ("key", pyarrow.string()),
        ("code", pyarrow.string()),
        ("draw", pyarrow.int32()),
        ("seconds", pyarrow.float64()),
        ("clusterer", pyarrow.string()),
        ("tuning_value", pyarrow.float64()),
        ("n_clusters", pyarrow.int32()),
        ("eligible", pyarrow.bool_()),
        ("valley", pyarrow.bool_()),
        ("null", pyarrow.bool_()),
        ("separated", pyarrow.bool_()),
        ("splits", pyarrow.int32()),
        ("failed_splits", pyarrow.int32()),
        ("null_draws", pyarrow.int32()),
        ("failed_draws", pyarrow.int32()),
        ("error", pyarrow.string()),
    ]
)
_OF_DRAW: Final = ("cell", "key", "code", "seconds")
_ORDER: Final = ("cell", "key", "draw", "clusterer", "tuning_value")


@dataclass(frozen=True)
class Draw:
    """What a draw gave: `aisle.calibration.trial`'s rows, and the ``seconds`` of a processor that they took."""

    rows: list[dict[str, Any]]
    seconds: float


class Draws:
    """Results of draws, by everything they depend on: below ``<store>/calibration/``, and in the table ``kept``."""

    def __init__(self, store: Path, kept: Path, *, effort: "Effort", thresholds: "Thresholds", floor: float) -> None:
        self.root, self.kept = store / "calibration", kept
        declared = {name: value for name, value in asdict(effort).items() if name in _DECIDES}
        self.settings = {"effort": declared, "thresholds": asdict(thresholds), "floor": floor}

    def file(self, cell: "Cell", number: int) -> Path:
        """Where the result of a draw is or will be in the store."""
        return self.root / f"{_plain(cell.name)}-{self.key(cell)}" / f"{number:05d}.json"

    def portrait(self, features: FeatureTable, clusterer: Any, seed: int) -> Path:
        """Where the rows of the table of silhouettes, nulls and valleys of these customers are or will be."""
        content = {
            "features": features.digest(),
            "clusterer": describe(clusterer),
            "seed": seed,
            "code": _code(_PORTRAIT, [clusterer]),
            **self.settings,
        }
        return self.root / "portraits" / f"{digest(content)[:24]}.json"

    def key(self, cell: "Cell") -> str:
        """Digest of what the draws of a cell depend on, 12 hexadecimal digits."""
        content = {
            "population": _told(cell.drawn_from),
            "names": [cell.population, cell.reduction],
            "scaler": describe(cell.scaler),
            "reducer": describe(cell.reducer),
            "clusterers": {name: describe(clusterer) for name, clusterer in cell.clusterers.items()},
            "null": [cell.null_every, cell.null_draws],
            "code": self.code(cell),
        }
        return digest(content)[:12]

    def code(self, cell: "Cell") -> str:
        """Digest of the code and the settings alone, 12 hexadecimal digits."""
        modules = _code(_TRIAL, [cell.scaler, cell.reducer, *cell.clusterers.values()])
        return digest({"modules": modules, **self.settings})[:12]

    def known(self, cells: Sequence["Cell"]) -> tuple[dict[str, dict[int, "Draw"]], int]:
        """Every draw that is kept or stored, by cell and number, and how many that were kept are of no use any more.

        These are of other code, or of cells that are declared otherwise now. A damaged file in the store counts as
        none.

        Raises:
            ValueError: the table of kept draws is damaged.
        """
        kept, found = self._kept(), {}
        for cell in cells:
            own, folder = kept.get((cell.name, self.key(cell)), ("", {}))[1], self.file(cell, 0).parent
            found[cell.name] = wanted = {number: draw for number, draw in own.items() if number < cell.draws}
            for number in range(cell.draws):
                if number not in wanted:
                    try:
                        wanted[number] = Draw(**read_json(folder / f"{number:05d}.json"))
                    except (FileNotFoundError, ValueError, TypeError):
                        continue
        stale = sum(len(draws) for name, (code, draws) in kept.items() if not self._of_use(name, code, cells))
        return found, stale

    def write(self, cell: "Cell", number: int, draw: "Draw") -> None:
        """Store a draw, whole or not at all."""
        write_json(asdict(draw), self.file(cell, number))

    def keep(self, cells: Sequence["Cell"], known: Mapping[str, Mapping[int, "Draw"]]) -> None:
        """Write the table: the ``known`` draws of these cells, and those of others that the same code has made.

        Others are there where a source of features is not: whoever has it can use them.
        """
        parts = {
            name: (code, dict(draws)) for name, (code, draws) in self._kept().items() if self._of_use(name, code, cells)
        }
        for cell in cells:
            name = cell.name, self.key(cell)
            parts[name] = self.code(cell), {**parts.get(name, ("", {}))[1], **known[cell.name]}
        rows = [
            {"cell": cell, "key": key, "code": code, "seconds": draw.seconds, **row}
            for (cell, key), (code, draws) in parts.items()
            for draw in draws.values()
            for row in draw.rows
        ]
        rows.sort(key=lambda row: tuple((row.get(name) is not None, row.get(name)) for name in _ORDER))
        write_arrow(pyarrow.Table.from_pylist(rows, schema=_SCHEMA), self.kept)

    def _kept(self) -> dict[tuple[str, str], tuple[str, dict[int, "Draw"]]]:
        """By name and key of the cell: the digest of its code, and its draws by number."""
        try:
            table = read_arrow(self.kept)
        except FileNotFoundError:
            return {}
        if not table.schema.equals(_SCHEMA):
            raise ValueError(
                f"{self.kept} must hold draws of a calibration, with the columns {_SCHEMA.names}; it has "
                f"{table.schema.names}: take it from git again, or delete it."
            )
        found: dict[tuple[str, str], tuple[str, dict[int, Draw]]] = {}
        for row in table.to_pylist():
            draws = found.setdefault((row["cell"], row["key"]), (row["code"], {}))[1]
            told = {name: value for name, value in row.items() if name not in _OF_DRAW}
            failed = told["error"] is not None
            own = draws.setdefault(row["draw"], Draw([], row["seconds"])).rows
            own.append({name: value for name, value in told.items() if _belongs(name, failed)})
        return found

    def _of_use(self, name: tuple[str, str], code: str, cells: Sequence["Cell"]) -> bool:
        own = next((cell for cell in cells if cell.name == name[0]), None)
        return code in {self.code(cell) for cell in cells} if own is None else self.key(own) == name[1]


def _belongs(name: str, failed: bool) -> bool:
    """Rows of failures have the sentence and no numbers, the others the contrary."""
    return name in ("draw", "clusterer", "error") if failed else name != "error"


def _code(module: str, components: Sequence[Any]) -> list[str]:
    """Digests of a module and of those of the package's own components, with all that they import."""
    own = {type(one).__module__ for one in components}
    return [closure_digest(name) for name in sorted({module, *(name for name in own if name.startswith("aisle."))})]


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
