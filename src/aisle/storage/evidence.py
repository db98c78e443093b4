"""The dossiers in the candidate store: computed once, written whole, read again when a run is interrupted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from aisle.evidence import Contender, Dossier, Effort, Thresholds
from aisle.storage.candidates import code_digest
from aisle.storage.files import read_arrow, whole_folder, write_arrow

_CODE = ("evidence", "assignment.py")
_TABLES = ("measures", "segments", "gaps")


def dossier_key(
    features_digest: str, contenders: Sequence[Contender], *, effort: Effort, thresholds: Thresholds, seed: int
) -> str:
    """The key of a dossier: everything its numbers depend on, 32 hexadecimal digits.

    A contender's own key stands for its scaler, reducer, clusterer and their seed.
    """
    content = {
        "features": features_digest,
        "contenders": sorted(_told(one) for one in contenders),
        "effort": asdict(effort),
        "thresholds": asdict(thresholds),
        "seed": seed,
        "code": [code_digest(), _evidence_digest()],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _told(one: Contender) -> list[Any]:
    labels = hashlib.sha256(np.ascontiguousarray(one.labelings, dtype="<i8").tobytes()).hexdigest()
    return [one.key, one.method, list(map(float, one.values)), one.eligible.tolist(), labels]


@cache
def _evidence_digest() -> str:
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for entry in _CODE:
        path = package / entry
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            content.update(file.relative_to(package).as_posix().encode() + b"\x00" + file.read_bytes())
    return content.hexdigest()


def read_dossier(root: Path, key: str) -> Dossier | None:
    """A stored dossier; None where there is none or a damaged one: it is computed and stored again."""
    folder = root / "evidence" / key
    try:
        return Dossier(**{name: read_arrow(folder / f"{name}.parquet").to_pandas() for name in _TABLES})
    except (FileNotFoundError, ValueError):
        return None


def write_dossier(root: Path, key: str, dossier: Dossier) -> None:
    """Store a dossier, in the place of a damaged one."""
    tables: Mapping[str, pyarrow.Table] = {
        name: pyarrow.Table.from_pandas(getattr(dossier, name), preserve_index=False) for name in _TABLES
    }
    with whole_folder(root / "evidence" / key, replace=True) as part:
        for name, table in tables.items():
            write_arrow(table, part / f"{name}.parquet")
