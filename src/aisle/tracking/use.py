"""What a candidate's segments are good for, added to its run."""

from dataclasses import replace

import pandas as pd

from aisle.partition import PartitionPath
from aisle.tracking.content import steps
from aisle.tracking.run_content import RunContent, Score

_PREFIX = "use/"


def with_use(content: RunContent, board: pd.DataFrame, path: PartitionPath) -> RunContent:
    """The run with the metrics ``use/...`` of the rows of ``board`` that are its own, at their tuning values.

    ``board`` is the leaderboard of the study promotions; without a row of this candidate the run is unchanged.
    """
    places = dict(zip(map(float, path.partitions), steps(list(path.partitions)), strict=True))
    found = tuple(
        Score(str(name), float(row[name]), places[float(row["tuning_value"])])
        for row in board.to_dict("records")
        for name in row
        if str(name).startswith(_PREFIX) and not pd.isna(row[name])
    )
    return replace(content, scores=(*content.scores, *found)) if found else content
