"""What a candidate's segments are good for stands in its run, at the tuning value it was found at."""

import numpy as np
import pandas as pd

from aisle.partition import Partition, PartitionPath
from aisle.tracking import RunContent, Score
from aisle.tracking.use import with_use

CONTENT = RunContent(name="a", identity="a", status="FINISHED", note="", tags={}, scores=(Score("balance", 1.0, 2),))


def path(*values: float) -> PartitionPath:
    labels = pd.Series([0, 0, 1], name="label")
    return PartitionPath("n_clusters", {value: Partition(labels) for value in values})


def board(value: float) -> pd.DataFrame:
    row = {"candidate_key": "k", "tuning_value": value, "use/redeemed_gain": 0.02, "use/lapsed_gain": np.nan}
    return pd.DataFrame([row])


def test_the_gains_are_metrics_at_the_tuning_value_and_what_cannot_be_told_is_none() -> None:
    found = with_use(CONTENT, board(3.0), path(2.0, 3.0))
    assert found.scores == (Score("balance", 1.0, 2), Score("use/redeemed_gain", 0.02, 3))
    assert with_use(CONTENT, board(0.1), path(0.05, 0.1)).scores[-1].step == 1


def test_a_candidate_that_was_not_compared_has_the_same_run() -> None:
    assert with_use(CONTENT, board(3.0).iloc[:0], path(2.0, 3.0)) is CONTENT
