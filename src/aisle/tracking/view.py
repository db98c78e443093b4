"""The view of a study that MLflow's page offers under "Views": the useful columns, best first, and charts over k.

MLflow keeps a saved view as a tag of the experiment: JSON around the page's state, deflated and in base64. A page that
does not understand it offers no such view and is otherwise as ever.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from aisle.leaderboard import RANKED_BY

VIEW = "leaderboard"
"""The key of the view in an address: ``.../runs?viewStateShareKey=leaderboard``."""
SCORE = "best/score"
"""The metric that candidates are sorted by: the ranking score of those that are eligible."""
AT_BEST = {
    RANKED_BY: SCORE,
    "n_clusters": "best/k",
    "smallest_share": "best/smallest",
    "coverage": "best/covered",
}
"""Scores at the best tuning value, and metrics with short names, for the page's columns are narrow."""
# other roles are told by a run's name where they vary
_COLUMNS = (
    *(f"params.`{name}`" for name in ("lifestage", "reducer", "clusterer")),
    *(f"metrics.`{name}`" for name in (*AT_BEST.values(), "best/tuning")),
    *(f"tags.`{name}`" for name in ("eligible", "evidence_class", "chosen")),
)
_ALONG_PATH = (RANKED_BY, "features/silhouette", "embedding/silhouette", "smallest_share", "coverage", "n_clusters")
_RUNS_IN_CHART = 10
_SECTION = "along-the-path"
_WIDE = {"columns": 2, "cardHeight": 400}
"""Two charts a row, so that titles and keys are read."""


def view_tag() -> tuple[str, str]:
    """Name and value of the experiment tag that holds the view."""
    packed = base64.b64encode(zlib.compress(json.dumps(_state()).encode())).decode()
    view = {"name": "Leaderboard", "createdAt": 0, "updatedAt": 0, "state": f"deflate;{packed}"}
    return f"mlflow.sharedViewState.{VIEW}", json.dumps(view)


def view_address(experiment_id: str) -> str:
    """Where the page shows the view, to be put after the server's address."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={VIEW}&workflowType=machine_learning"


def _state() -> dict[str, Any]:
    return {
        "searchFilter": "tags.current = 'yes'",
        "orderByKey": f"metrics.`{SCORE}`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _COLUMNS,
        "runsHiddenMode": "FIRST_10_RUNS",
        "compareRunCharts": [*map(_line, _ALONG_PATH), _chart("BAR", SCORE)],
        "compareRunSections": [{"uuid": _SECTION, "name": "Scores along the tuning value", "display": True} | _WIDE],
        "isAccordionReordered": True,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }


def _line(metric: str) -> Mapping[str, Any]:
    return _chart("LINE", metric) | {
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "yAxisKey": "metric",
        "lineSmoothness": 0,
        "range": {},
        "selectedXAxisMetricKey": "",
        "yAxisExpressions": [],
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _chart(kind: str, metric: str) -> dict[str, Any]:
    return {
        "uuid": metric,
        "type": kind,
        "metricKey": metric,
        "displayName": metric,
        "runsCountToCompare": _RUNS_IN_CHART,
        "metricSectionId": _SECTION,
    }
