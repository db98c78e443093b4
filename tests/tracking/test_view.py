"""The saved view of a study."""

import base64
import json
import re
import zlib
from typing import Any

import numpy as np

from aisle.candidate import score
from aisle.leaderboard import NAMES
from aisle.tracking.view import VIEW, view_address, view_tag

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
    scores = {"tuning_value", *found}
    said = {*(f"params.{role}" for role in NAMES), *TAGS, *(f"metrics.chosen/{name}" for name in scores)}
    columns = {column.replace("`", "") for column in [*state()["selectedColumns"], state()["orderByKey"]]}
    assert columns <= said
    assert {chart["metricKey"].removeprefix("chosen/") for chart in state()["compareRunCharts"]} <= scores
    assert set(re.findall(r"tags\.(\w+)", state()["searchFilter"])) == {"kind", "current"}


def test_the_view_is_the_same_every_time_so_that_a_second_sync_changes_nothing() -> None:
    assert view_tag() == view_tag()


def test_the_address_names_the_experiment_and_the_view() -> None:
    assert view_address("7") == "#/experiments/7/runs?viewStateShareKey=leaderboard&workflowType=machine_learning"
