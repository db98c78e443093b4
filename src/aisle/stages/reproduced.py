"""Is this run what was published? Compares with the results git has."""

import io
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from aisle.git import staged
from aisle.reproduction import compare_labels, compare_leaderboards, compare_locks, outputs

log = logging.getLogger(__name__)


def run(*, lock: Path, leaderboard: Path, labels: Path) -> None:
    """Say whether every output equals the published one to the byte; if not, compare scores and labels.

    Raises:
        ValueError: scores or labels differ by more than another machine explains, or nothing was published.
    """
    lock, leaderboard, labels = Path(lock), Path(leaderboard), Path(labels)
    published = _published(lock)
    ours = yaml.safe_load(lock.read_text(encoding="utf-8"))
    differing = compare_locks(yaml.safe_load(published), ours)
    if not differing:
        log.info("Reproduced to the byte: all %d outputs are as published in %s.", len(outputs(ours)), lock)
        return
    log.info("Not equal to the byte (another processor or lock file can cause that): %s.", ", ".join(differing))
    comparisons = (
        compare_leaderboards(_table(_published(leaderboard)), _table(leaderboard.read_text(encoding="utf-8"))),
        compare_labels(_table(_published(labels)), _table(labels.read_text(encoding="utf-8"))),
    )
    for comparison in comparisons:
        for finding in comparison.findings:
            log.info(finding)
    if not all(comparison.same for comparison in comparisons):
        raise ValueError("The run did not give what was published; the differences are listed above.")
    log.info("Reproduced: scores and labels are as published.")


def _published(path: Path) -> str:
    text = staged(path, "HEAD")
    if text is None:
        raise ValueError(f"{path} is in no commit, so there is nothing to compare with; commit it first.")
    return text


def _table(text: str) -> pd.DataFrame:
    columns: dict[str, Any] = {"customer_id": str}
    return pd.read_csv(io.StringIO(text), dtype=columns)
