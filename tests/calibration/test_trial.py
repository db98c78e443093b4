"""A trial is the study's evidence on a draw, and leaving out what cannot matter changes nothing that is counted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.calibration import Cell, Normal, Planted, Population, trial
from aisle.calibration.grid import Cloud, Reduction, cloud_cells, rounds
from aisle.calibration.trial import portrait, tuning
from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath
from aisle.evidence import Effort, Thresholds

EFFORT = Effort(splits=7, screening=4, finalists=3, null_draws=20)
THRESHOLDS = Thresholds()
CLUSTERERS: dict[str, Any] = {
    "kmeans": KMeansPath([2, 3], n_init=2),
    "ward": AgglomerativePath("ward", "euclidean", [2, 3]),
    "hdbscan": HDBSCANPath([0.1], min_samples=5),
}


def cell(population: Population, **more: Any) -> Cell:
    return Cell("cloud", "none", population, StandardScaler(), FunctionTransformer(), CLUSTERERS, 10, **more)


def tried(which: Cell, number: int, effort: Effort = EFFORT) -> list[dict[str, Any]]:
    return trial(which, number, effort=effort, thresholds=THRESHOLDS, floor=0.05)


@pytest.mark.parametrize("apart", [0.5, 6.0])
def test_what_is_separated_or_rejected_is_the_same_with_everything_computed(apart: float) -> None:
    population = Planted(150, 3, (0.4, 0.3, 0.3), apart)
    decided = []
    for number in range(2):
        quick, whole = tried(cell(population), number), tried(cell(population, null_every=1), number)
        names = ("draw", "clusterer", "tuning_value", "n_clusters", "eligible", "separated")
        assert [[row[name] for name in names] for row in quick] == [[row[name] for name in names] for row in whole]
        assert [row["valley_p"] < 0.05 for row in quick] == [row["valley_p"] < 0.05 for row in whole]
        assert all(row["splits"] == 7 for row in whole)
        decided += quick
    assert any(row["separated"] for row in decided) is (apart > 1)
    if apart < 1:
        assert {row["splits"] for row in decided if row["clusterer"] != "hdbscan"} <= {4, 7}
        assert 4 in {row["splits"] for row in decided}
        assert not any(row["null_draws"] for row in decided)


def test_every_method_gets_its_null_where_it_is_asked_for() -> None:
    rows = tried(cell(Normal(200, 4), null_every=2), 1)
    assert all(row["with_null"] for row in rows)
    assert {row["clusterer"] for row in rows if row["null_p"] is not None} >= {"kmeans"}
    assert not any(row["with_null"] for row in tried(cell(Normal(200, 4), null_every=2), 2))
    clustered = [row for row in rows if row["n_clusters"] > 1 and row["eligible"]]
    assert all(row["null_p"] is not None for row in clustered)


def test_a_clusterer_that_fails_is_told_and_the_others_go_on() -> None:
    few = replace(cell(Normal(30, 3)), clusterers={**CLUSTERERS, "hdbscan": HDBSCANPath([0.1], min_samples=40)})
    rows = tried(few, 0)
    (failed,) = [row for row in rows if "error" in row]
    assert failed["clusterer"] == "hdbscan"
    assert "At least 41 customers are needed" in failed["error"]
    assert {row["clusterer"] for row in rows} == set(CLUSTERERS)


def test_draws_differ_by_number_and_not_by_reduction() -> None:
    one = tried(cell(Normal(120, 4)), 0)
    assert one == tried(cell(Normal(120, 4)), 0)
    assert one != tried(cell(Normal(120, 4)), 1)


def test_the_tuning_values_of_every_clusterer_are_found() -> None:
    assert [tuning(clusterer) for clusterer in CLUSTERERS.values()] == [[2, 3], [2, 3], [0.1]]


def test_the_table_knows_real_segments_from_a_cloud() -> None:
    def rows(population: Population) -> list[dict[str, Any]]:
        return portrait(
            population.draw([1]),
            scaler=FunctionTransformer(),
            reducer=FunctionTransformer(),
            clusterer=KMeansPath([2, 3], n_init=2),
            effort=replace(EFFORT, screening=7),
            thresholds=THRESHOLDS,
            floor=0.05,
            seed=1,
        )

    planted, cloud = rows(Planted(200, 4, (0.4, 0.3, 0.3), 8.0)), rows(Normal(200, 4))
    assert planted[1]["class"] == "separated"
    assert planted[1]["null_z"] > 3
    assert cloud[1]["class"] != "separated"
    assert cloud[1]["valley_p"] > 0.5
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    values = Normal(200, 4).draw([1]).values
    labels = KMeans(2, n_init=20, random_state=0).fit_predict(values)
    assert cloud[0]["silhouette"] == pytest.approx(silhouette_score(values, labels), abs=0.01)


def test_cells_take_fewer_customers_where_a_reduction_says_so_and_rounds_go_through_all() -> None:
    reductions = {
        "none": Reduction(FunctionTransformer(), draws=6),
        "pca": Reduction(PCA(2), draws=2, customers=50),
    }
    clouds = {"a": Cloud(Normal(80, 3)), "b": Cloud(Normal(40, 3), counted=False, reductions=["pca"])}
    cells = cloud_cells(clouds, reductions, scaler=StandardScaler(), clusterers=CLUSTERERS)
    assert [(one.name, one.drawn_from.customers, one.counted) for one in cells] == [
        ("a-none", 80, True),
        ("a-pca", 50, True),
        ("b-pca", 40, False),
    ]
    order = [(one.name, number) for one, number in rounds(cells)]
    assert sorted(order) == sorted({(one.name, number) for one in cells for number in range(one.draws)})
    halfway = {name for name, _ in order[: len(order) // 2]}
    assert halfway == {"a-none", "a-pca", "b-pca"}
    with pytest.raises(ValueError, match=r"^Reductions of a must be among \['none', 'pca'\]; got 'umap'\.$"):
        cloud_cells({"a": Cloud(Normal(80, 3), reductions=["umap"])}, reductions, scaler=None, clusterers=CLUSTERERS)
    assert np.all([one.clusterers is CLUSTERERS for one in cells])
