"""The saved view of a study."""

import base64
import json
import re
import zlib
from typing import Any

import numpy as np

from aisle.candidate import score
from aisle.leaderboard import NAMES
from aisle.tracking.view import AT_BEST, SCORE, VIEW, view_address, view_tag

TAGS = [f"tags.{name}" for name in ("eligible", "evidence_class", "chosen")]
"""What `aisle.tracking.content`, `aisle.tracking.evidence` and `aisle.tracking.chosen` tag runs with."""


def state() -> dict[str, Any]:
    name, value = view_tag()
    assert name == f"mlflow.sharedViewState.{VIEW}"
    kind, packed = json.loads(value)["state"].split(";")
    assert kind == "deflate"
    unpacked: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return unpacked


def test_every_column_and_chart_is_something_that_a_run_says() -> None:
    spaces = dict.fromkeys(("features", "embedding"), np.eye(4))
    (found,) = score(np.array([[0, 0, 1, 1]]), spaces)
    best = {*AT_BEST.values(), "best/tuning"}
    said = {*(f"params.{role}" for role in NAMES), *TAGS, *(f"metrics.{name}" for name in best)}
    assert set(AT_BEST) <= set(found)
    columns = {column.replace("`", "") for column in [*state()["selectedColumns"], state()["orderByKey"]]}
    assert columns <= said
    assert {chart["metricKey"] for chart in state()["compareRunCharts"]} <= {SCORE, *found}
    assert set(re.findall(r"tags\.(\w+)", state()["searchFilter"])) == {"current"}


def test_the_view_is_the_same_every_time_so_that_a_second_sync_changes_nothing() -> None:
    assert view_tag() == view_tag()


def test_the_address_names_the_experiment_and_the_view() -> None:
    assert view_address("7") == "#/experiments/7/runs?viewStateShareKey=leaderboard&workflowType=machine_learning"
