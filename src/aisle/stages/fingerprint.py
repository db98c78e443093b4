"""What the database looks like -> a file that changes when the data do."""

from pathlib import Path

from aisle.database import Engine, fingerprint
from aisle.pinned import check_pinned
from aisle.storage import write_json
from aisle.tables import CANONICAL


def run(*, database: Engine, data: Path, pinned: Path, output: Path) -> None:
    """Refuse data that differ from what ``pinned`` names, then write rows, largest keys and totals of every table."""
    check_pinned(Path(data), Path(pinned))
    with database.connect(CANONICAL) as connection:
        found = fingerprint(connection)
    write_json(found, Path(output))
