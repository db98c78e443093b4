"""What the run of a chosen candidate says besides: that it was chosen, what its segments are called, their pictures."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aisle.partition import NOISE, Partition
from aisle.tracking.notes import joined, table
from aisle.tracking.run_content import RunContent


def as_chosen(
    content: RunContent, tuning_value: float, segments: pd.DataFrame, pictures: Mapping[str, Path]
) -> RunContent:
    """The run of the candidate that was chosen for its lifestage at ``tuning_value``.

    ``segments`` (segment, segment_name, customer_count) and ``pictures`` (files by name) may be empty, where the stage
    segments was not run on this choice.
    """
    told = f"**Chosen for {content.params['lifestage']}**, at {content.params['tuned']} = {tuning_value:g}."
    rows = [
        ("none" if row["segment"] == NOISE else row["segment"], row["segment_name"], row["customer_count"])
        for row in segments.to_dict("records")
    ]
    named = [table(["segment", "name", "customers"], rows)] if rows else []
    return replace(
        content,
        tags={**content.tags, "chosen": "yes"},
        note=joined(told, *named, content.note),
        files={**content.files, **{f"segments/{name}": path for name, path in pictures.items()}},
    )


def same_customers(partition: Partition, segments: "pd.Series[int]") -> bool:
    """Whether the segments are this partition, under whatever numbers."""
    labels = partition.labels
    if not labels.index.sort_values().equals(segments.index.sort_values()):
        return False
    pairs = pd.DataFrame({"label": labels, "segment": segments.loc[labels.index]}).drop_duplicates()
    apart = (pairs["label"] == NOISE) == (pairs["segment"] == NOISE)
    return bool(apart.all()) and len(pairs) == pairs["label"].nunique() == pairs["segment"].nunique()
