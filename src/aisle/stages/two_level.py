"""Verdicts on everybody and inside each segment -> segments of two levels, and what they are worth."""

import logging
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from aisle.features import EVERYBODY
from aisle.leaderboard import RANKED_BY
from aisle.selection import Selection, Verdict, selection_from_json
from aisle.stages.segments import chosen_partitions
from aisle.storage import read_arrow, read_features, read_json, write_csv, write_frame, write_json
from aisle.two_level import cohort_of, levels, nested

log = logging.getLogger(__name__)


def run(*, first: Path, second: Path, features: Path, output: Path) -> None:
    """Write labels, sizes and a summary in words into ``output``.

    ``first`` and ``second`` are the folders of the study of everybody and of the one inside its segments, with their
    verdicts in ``select/``; ``features`` is the folder of feature tables.

    Raises:
        ValueError: nothing is chosen for everybody, or the second study is of other segments than the first chose.
    """
    first, second = Path(first), Path(second)
    above, below = (_selection(folder / "select" / "verdicts.json") for folder in (first, second))
    verdict = _of_everybody(above, first)
    table = read_features(Path(features) / f"{above.block}.parquet")
    outer = chosen_partitions(first / "labels.parquet", above.chosen)[EVERYBODY].loc[table.values.index]
    inner = chosen_partitions(second / "labels.parquet", below.chosen)
    _check_same(outer, inner, below, second)
    inside = pd.concat(inner.values()) if inner else pd.Series(dtype="int64")
    labels = nested(outer, inside)
    flat = _flat(first, int(labels[labels != ""].nunique()))
    verdicts = {one.lifestage: one for one in below.verdicts}
    found = levels(table, labels, outer, above=verdict, below=verdicts, flat=flat)
    folder = Path(output)
    write_frame(labels.rename_axis("customer_id").reset_index(), folder / "labels.parquet")
    write_csv(found.sizes, folder / "sizes.csv")
    told = {name: value for name, value in asdict(found).items() if name != "sizes"}
    write_json(told, folder / "summary.json")
    for sentence in found.sentences:
        log.info(sentence)


def _selection(path: Path) -> Selection:
    return selection_from_json(read_json(path), str(path))


def _of_everybody(selection: Selection, folder: Path) -> Verdict:
    found = next((one for one in selection.verdicts if one.lifestage == EVERYBODY and one.chosen), None)
    if found is None:
        raise ValueError(f"{folder} must choose segments of everybody (lifestage {EVERYBODY}); it does not.")
    return found


def _check_same(outer: "pd.Series[int]", inner: "dict[str, pd.Series[int]]", below: Selection, folder: Path) -> None:
    """Raises ValueError where a cohort of the second study is not a segment of the first, customer by customer."""
    there = {cohort_of(int(segment)): own.index for segment, own in outer.groupby(outer) if int(segment) >= 0}
    missing = sorted(set(there) - {one.lifestage for one in below.verdicts})
    if missing:
        raise ValueError(f"{folder} must be a study of every segment; it lacks {missing}: lifestage={','.join(there)}.")
    for name, labels in inner.items():
        if name not in there or len(labels.index.symmetric_difference(there[name])):
            raise ValueError(
                f"{folder} is of other segments than the first level has; run stage=within and it again ({name})."
            )


def _flat(study: Path, k: int) -> "tuple[str, pd.Series[int]] | None":
    """The eligible partition of everybody into ``k`` segments with the best ranking score, None where there is none."""
    board = read_arrow(study / "leaderboard.parquet").to_pandas()
    own = board[(board["lifestage"] == EVERYBODY) & board["eligible"].astype(bool) & (board["n_clusters"] == k)]
    if own.empty:
        return None
    best = own.sort_values([RANKED_BY, "candidate_key"], ascending=[False, True], kind="stable").iloc[0]
    rows = read_arrow(study / "labels.parquet").to_pandas()
    mine = (rows["candidate_key"] == best["candidate_key"]) & (rows["tuning_value"] == best["tuning_value"])
    labels: pd.Series[int] = rows[mine].set_index("customer_id")["label"]
    return f"{best['clusterer']}, {best['reducer']}", labels
