"""What the database looks like -> a file that changes when the data do."""

from pathlib import Path

from aisle.database import CanonicalLayout, Engine, ParquetFolder, fingerprint, in_one_state
from aisle.pinned import check_pinned
from aisle.storage import write_json
from aisle.tables import CANONICAL


def run(*, database: Engine, data: Path, pinned: Path, output: Path) -> None:
    """Write rows, largest keys, totals and digests of every table.

    Where the database is the folder ``data``, data that differ from what ``pinned`` names are refused before.
    """
    source = database.database if isinstance(database, CanonicalLayout) else database
    if isinstance(source, ParquetFolder) and Path(source.folder) == Path(data):
        check_pinned(Path(data), Path(pinned))
    write_json(in_one_state(database, CANONICAL, fingerprint), Path(output))
