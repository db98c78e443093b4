"""Path clusterers: one fit gives a partition for every tuning value."""

from aisle.clusterers.agglomerative import AgglomerativePath
from aisle.clusterers.dbscan import DBSCANPath
from aisle.clusterers.estimator import EstimatorPath
from aisle.clusterers.hdbscan import HDBSCANPath
from aisle.clusterers.kmeans import KMeansPath
from aisle.clusterers.mixture import MixturePath
from aisle.clusterers.path import PathClusterer

__all__ = [
    "AgglomerativePath",
    "DBSCANPath",
    "EstimatorPath",
    "HDBSCANPath",
    "KMeansPath",
    "MixturePath",
    "PathClusterer",
]
