"""The generated parts of README and docs, from the last run."""

import shutil
from pathlib import Path

import pandas as pd

from aisle.documents import dictionary, entity_diagram, extract_part, leaderboard_part, replace_part, verdict_part
from aisle.rules import ASSIGNED
from aisle.selection import selection_from_json
from aisle.storage import read_json, whole_file
from aisle.tables import CANONICAL, EXTRACTED, FILTERS, UNSEGMENTED

DESCRIBED = (*CANONICAL.values(), *EXTRACTED.values(), FILTERS, UNSEGMENTED, ASSIGNED)
"""The tables of the data dictionary."""


def run(
    *, leaderboard: Path, summary: Path, verdicts: Path, replication: Path, picture: Path, readme: Path, docs: Path
) -> None:
    """Rewrite the generated parts of the README, its picture, the data dictionary and the diagram of the tables."""
    readme, docs = Path(readme), Path(docs)
    text = readme.read_text(encoding="utf-8")
    text = replace_part(text, "leaderboard", leaderboard_part(pd.read_csv(leaderboard), best=3), str(readme))
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    text = replace_part(text, "verdicts", verdict_part(selection, pd.read_csv(replication)), str(readme))
    text = replace_part(text, "extract", extract_part(read_json(Path(summary))), str(readme))
    _write(text, readme)
    _write(dictionary(DESCRIBED), docs / "data_dictionary.md")
    _write(entity_diagram(list(CANONICAL.values())), docs / "schema.md")
    with whole_file(docs / "pictures" / Path(picture).name) as part:
        shutil.copyfile(picture, part)


def _write(text: str, path: Path) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
