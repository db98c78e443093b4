"""The page on publishing tells the truth: its program prints what it says, its tables are those that are made."""

import subprocess
import sys
from pathlib import Path

from tests.verify.workspace import REPOSITORY, blocks

from aisle.publication import PUBLISHED, PUBLISHED_VIEWS

GUIDE = (REPOSITORY / "docs" / "publishing.md").read_text(encoding="utf-8")


def test_the_program_prints_what_the_page_says(tmp_path: Path) -> None:
    program, printed = (next(b.text for b in blocks(GUIDE) if b.language == kind) for kind in ("python", "text"))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == printed.strip()


def test_every_table_is_explained() -> None:
    assert [line.split(" | ")[0] for line in GUIDE.splitlines() if line.startswith("| customer_segment")] == [
        f"| {name}"
        for name in (
            *("customer_segments", "customer_segment_history", "customer_segment_runs", "customer_segment_labels"),
            *("customer_segment_migration", "customer_segment_columns", "customer_segment_periods"),
        )
    ]
    assert all(f"| {name} |" in GUIDE for name in PUBLISHED | PUBLISHED_VIEWS)
