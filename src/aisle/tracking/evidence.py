"""What the evidence says of a candidate, added to its run: curves over the tuning values, its class, a table."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from aisle.evidence import CLASSES, REPORTED, Thresholds
from aisle.partition import PartitionPath
from aisle.tracking.content import steps
from aisle.tracking.notes import joined, table
from aisle.tracking.run_content import RunContent, Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVES: Final = (
    "null_mean",
    "null_z",
    "null_p",
    "valley_p",
    "jaccard_worst",
    "jaccard_mean",
    "strength",
    "replication",
    "ranking_error",
    *(name for name in REPORTED if not name.endswith("bootstraps")),
)
_SHOWN: Final = {
    "ranking_score": "score",
    "null_mean": "null mean",
    "null_p": "null p",
    "valley_p": "valley p",
    "jaccard_worst": "worst Jaccard",
    "jaccard_mean": "mean Jaccard",
    "strength": "prediction strength",
    "replication": "replication",
}
_BAND: Final = 1.96


def with_evidence(
    content: RunContent,
    measures: pd.DataFrame,
    segments: pd.DataFrame,
    path: PartitionPath,
    thresholds: Thresholds,
) -> RunContent:
    """The run of a candidate with its rows of measures and of segments; unchanged where there are none.

    Every measure is a curve ``evidence/<measure>`` over the tuning values, beside the band in which 95 % of null scores
    lie if they are normal (``evidence/null_low``, ``evidence/null_high``). The tag ``evidence_class`` is the best class
    of its eligible partitions, ``evidence_stage`` whether it was examined in full or only screened. One that was
    examined has the figures of its curves, of the stability of its segments, and of their flow.
    """
    if measures.empty:
        return content
    rows = measures.sort_values("tuning_value")
    eligible = rows[rows["eligible"].astype(bool)]
    found = min(eligible["class"], key=CLASSES.index, default="")
    stage = str(rows["stage"].iloc[0])
    tags = {"evidence_class": found or "nothing is eligible", "evidence_stage": stage}
    return replace(
        content,
        scores=(*content.scores, *_curves(rows)),
        tags={**content.tags, **tags},
        note=joined(content.note, _told(rows, found, stage)),
        figures=partial(_figures, rows, segments, path, thresholds) if stage == "examined" else dict,
    )


def _figures(
    measures: pd.DataFrame, segments: pd.DataFrame, path: PartitionPath, thresholds: Thresholds
) -> "dict[str, Figure]":
    from aisle.figures import evidence_curves, segment_flow, stability_heatmap

    labelings = pd.DataFrame({value: partition.labels for value, partition in path.partitions.items()})
    return {
        "evidence/curves.png": evidence_curves(measures, thresholds),
        "evidence/stability.png": stability_heatmap(segments, thresholds),
        "evidence/flow.png": segment_flow(labelings),
    }


def _curves(rows: pd.DataFrame) -> Iterator[Score]:
    places = steps(rows["tuning_value"].tolist())
    band = {"null_low": -_BAND, "null_high": _BAND}
    columns = {name: rows[name] for name in _CURVES if name in rows}
    columns |= {name: rows["null_mean"] + sign * rows["null_sd"] for name, sign in band.items()}
    for name, values in columns.items():
        for place, value in zip(places, values.tolist(), strict=True):
            if not pd.isna(value):
                yield Score(f"evidence/{name}", float(value), place)


def _told(rows: pd.DataFrame, found: str, stage: str) -> str:
    first: Any = rows.iloc[0]
    samples, lost = first.get("bootstraps", 0), first.get("failed_bootstraps", 0)
    spent = f"{first['splits']:g} splits into halves and {first['null_draws']:g} null draws"
    spent += f" and {samples:g} bootstrap samples" if samples else ""
    title = f"**Evidence: {found or 'no partition is eligible'}** ({stage}: {spent})."
    lines = [
        (
            f"{row['tuning_value']:g}",
            *(_number(row[name]) for name in _SHOWN),
            row["class"] if row["eligible"] else "not eligible",
        )
        for row in rows.to_dict("records")
    ]
    measured = table(["at", *_SHOWN.values(), "class"], lines)
    failed = f"It failed on {first['failed_splits']} splits and {first['failed_draws']} null draws"
    failed += f" and {lost} bootstrap samples: {first['failure']}" if lost else f": {first['failure']}"
    repeated = [
        f"At {row['tuning_value']:g} it only repeats {row['category']}: that is a rule, not segments."
        for row in rows.to_dict("records")
        if row["category"]
    ]
    return "\n\n".join([title, measured, *repeated, *([failed] if first["failure"] else [])])


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"
