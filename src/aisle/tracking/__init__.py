"""What MLflow shows of a study, and how a sweep is watched. The only room that knows MLflow."""

from aisle.tracking.callback import StudyCallback
from aisle.tracking.mlflow_tracker import MlflowTracker
from aisle.tracking.run_content import Dataset, Model, NoTracker, RunContent, Score, Table, Tracker, Written

__all__ = [
    "Dataset",
    "MlflowTracker",
    "Model",
    "NoTracker",
    "RunContent",
    "Score",
    "StudyCallback",
    "Table",
    "Tracker",
    "Written",
]
