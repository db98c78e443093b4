"""Dossiers and judgements in the candidate store: computed once, written whole, read again after an interruption."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow

from aisle.storage.candidates import code_digest
from aisle.storage.files import digest, read_arrow, whole_folder, write_arrow

if TYPE_CHECKING:  # it costs seconds, and most stages that store something do not need it
    from aisle.evidence import Contender, Dossier, Effort, Judgement, Thresholds

_CODE = ("evidence", "assignment.py")
_TABLES = ("measures", "segments", "gaps")


def dossier_key(
    features_digest: str, contenders: Sequence["Contender"], *, effort: "Effort", thresholds: "Thresholds", seed: int
) -> str:
    """The key of a dossier: everything its numbers depend on, 32 hexadecimal digits.

    A contender's own key stands for its scaler, reducer, clusterer and their seed.
    """
    return _key(features_digest, {"contenders": sorted(_told(one) for one in contenders)}, effort, thresholds, seed)


def judgement_key(
    features_digest: str,
    given: npt.NDArray[np.int64],
    pipeline: Mapping[str, Any],
    *,
    effort: "Effort",
    thresholds: "Thresholds",
    seed: int,
) -> str:
    """The key of a judgement; ``pipeline`` describes scaler, reducer and stand-ins (`aisle.storage.describe`)."""
    return _key(features_digest, {"given": _digest(given), "pipeline": pipeline}, effort, thresholds, seed)


def _key(features_digest: str, work: Mapping[str, Any], effort: "Effort", thresholds: "Thresholds", seed: int) -> str:
    content = {
        **work,
        "features": features_digest,
        "effort": asdict(effort),
        "thresholds": asdict(thresholds),
        "seed": seed,
        "code": [code_digest(), _evidence_digest()],
    }
    return digest(content)[:32]


def _told(one: "Contender") -> list[Any]:
    return [one.key, one.method, one.name, list(map(float, one.values)), one.eligible.tolist(), _digest(one.labelings)]


def _digest(labels: npt.NDArray[np.int64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(labels, dtype="<i8").tobytes()).hexdigest()


@cache
def _evidence_digest() -> str:
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for entry in _CODE:
        path = package / entry
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            content.update(file.relative_to(package).as_posix().encode() + b"\x00" + file.read_bytes())
    return content.hexdigest()


def read_dossier(root: Path, key: str) -> "Dossier | None":
    """A stored dossier; None where there is none or a damaged one: it is computed and stored again."""
    from aisle.evidence import Dossier

    tables = _read(root, key)
    return Dossier(**tables) if tables else None


def read_judgement(root: Path, key: str) -> "Judgement | None":
    """A stored judgement; None where there is none or a damaged one."""
    from aisle.evidence import Judgement

    tables = _read(root, key)
    return Judgement(**tables) if tables else None


def _read(root: Path, key: str) -> dict[str, pd.DataFrame] | None:
    folder = root / "evidence" / key
    try:
        return {name: read_arrow(folder / f"{name}.parquet").to_pandas() for name in _TABLES}
    except (FileNotFoundError, ValueError):
        return None


def write_dossier(root: Path, key: str, dossier: "Dossier | Judgement") -> None:
    """Store a dossier or a judgement, in the place of a damaged one."""
    tables: Mapping[str, pyarrow.Table] = {
        name: pyarrow.Table.from_pandas(getattr(dossier, name), preserve_index=False) for name in _TABLES
    }
    with whole_folder(root / "evidence" / key, replace=True) as part:
        for name, table in tables.items():
            write_arrow(table, part / f"{name}.parquet")
