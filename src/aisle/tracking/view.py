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
_COLUMNS = (
    "params.`lifestage`",
    "params.`features`",
    "params.`scaler`",
    "params.`reducer`",
    "params.`clusterer`",
    f"metrics.`chosen/{RANKED_BY}`",
    "metrics.`chosen/tuning_value`",
    "metrics.`chosen/n_clusters`",
    "metrics.`chosen/smallest_share`",
    "metrics.`chosen/coverage`",
    "tags.`eligible`",
    "tags.`evidence_class`",
    "tags.`chosen`",
)
_ALONG_PATH = (RANKED_BY, "features/silhouette", "embedding/silhouette", "smallest_share", "coverage", "n_clusters")
_RUNS_IN_CHART = 10
_SECTION = "along-the-path"


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
        "searchFilter": "tags.kind = 'candidate' AND tags.current = 'yes'",
        "orderByKey": f"metrics.`chosen/{RANKED_BY}`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _COLUMNS,
        "runsHiddenMode": "FIRST_10_RUNS",
        "compareRunCharts": [*map(_line, _ALONG_PATH), _bar(f"chosen/{RANKED_BY}")],
        "compareRunSections": [{"uuid": _SECTION, "name": "Scores along the tuning value", "display": True}],
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


def _bar(metric: str) -> Mapping[str, Any]:
    return _chart("BAR", metric)


def _chart(kind: str, metric: str) -> dict[str, Any]:
    return {
        "uuid": metric,
        "type": kind,
        "metricKey": metric,
        "displayName": metric,
        "runsCountToCompare": _RUNS_IN_CHART,
        "metricSectionId": _SECTION,
    }
