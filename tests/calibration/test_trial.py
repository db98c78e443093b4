"""A trial is the study's evidence on a draw, and leaving out what cannot matter changes nothing that is counted."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.calibration import Band, Cell, Normal, Planted, Population, portrait, trial
from aisle.calibration.deciding import decide
from aisle.calibration.grid import Cloud, Reduction, cloud_cells, rounds
from aisle.calibration.trial import contenders_of, tuning
from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath, PathClusterer
from aisle.evidence import Effort, Family, Pipelines, Thresholds, examine
from aisle.features import FeatureTable
from aisle.partition import PartitionPath

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


def whole(features: FeatureTable, clusterers: Mapping[str, PathClusterer], seed: int) -> pd.DataFrame:
    """Every split, and every null draw of whoever may still reject, as the study has it."""
    pipelines = Pipelines(StandardScaler(), FunctionTransformer(), clusterers, seed)
    contenders = contenders_of(pipelines.cluster(features), clusterers, 0.05)
    everything = replace(EFFORT, screening=EFFORT.splits)
    lenient = replace(THRESHOLDS, constructive=0.0)  # whoever has two clusters is a finalist
    family = [Family(pipelines, contenders)]
    return examine(features, family, effort=everything, thresholds=lenient, seed=seed, run=in_turn).measures


def in_turn(_: str, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    return [task() for task in tasks]


@pytest.mark.parametrize(
    ("population", "separates"),
    [
        (Normal(150, 3), False),
        (Planted(150, 3, (0.4, 0.3, 0.3), 4.0), None),
        (Planted(150, 3, (0.4, 0.3, 0.3), 6.5), True),
        (Planted(150, 3, (0.9, 0.06, 0.04), 9.0), None),  # one of the segments is below the floor
        (Band(150, 0.5, 0.2), None),
    ],
    ids=["cloud", "near", "apart", "rare", "band"],
)
def test_every_decision_is_that_of_the_study_with_everything_computed(
    population: Population, separates: bool | None
) -> None:
    spared = 0
    for number in range(2):
        features = population.draw([zlib.crc32(b"cloud"), number])
        expected = whole(features, CLUSTERERS, number)
        for compared in (False, True):
            found = pd.DataFrame(tried(cell(population, null_every=int(compared)), number))
            assert found["n_clusters"].tolist() == expected["n_clusters"].tolist()
            assert found["eligible"].tolist() == expected["eligible"].tolist()
            separated = (expected["class"] == "separated") & expected["eligible"]
            assert found["separated"].tolist() == separated.tolist()
            looked_at = expected["eligible"] if population.segments else expected["n_clusters"] > 1
            valley = (expected["valley_p"] < THRESHOLDS.valley_p) & looked_at
            assert found["valley"].tolist() == valley.tolist()
            asked = found["null"].notna()
            assert asked[expected["n_clusters"] > 1].all() or not compared
            known = asked & expected["null_p"].notna()
            rejected = expected["null_p"] < THRESHOLDS.null_p
            assert found.loc[known, "null"].tolist() == rejected[known].tolist()
            spared += int((EFFORT.splits - found["splits"]).sum())
        assert separates is None or separated.any() == separates
    assert spared > 0


def test_a_half_or_a_draw_that_fails_counts_as_it_does_in_the_study() -> None:
    fragile: dict[str, Any] = {"fragile": Fragile([2, 3], n_init=2), "kmeans": KMeansPath([2, 3], n_init=2)}
    failed = separated = 0
    for number in range(4):
        population = Planted(150, 3, (0.5, 0.5), 9.0)
        features = population.draw([zlib.crc32(b"cloud"), number])
        labels = Pipelines(StandardScaler(), FunctionTransformer(), {"kmeans": fragile["kmeans"]}, number)
        partitions = labels.cluster(features)["kmeans"]
        pipelines = Pipelines(StandardScaler(), FunctionTransformer(), fragile, number)
        contenders = contenders_of(dict.fromkeys(fragile, partitions), fragile, 0.05)
        everything = replace(EFFORT, screening=EFFORT.splits)
        given: dict[str, Any] = {"thresholds": THRESHOLDS}
        expected = examine(
            features, [Family(pipelines, contenders)], effort=everything, seed=number, run=in_turn, **given
        ).measures
        found = decide(features, pipelines, contenders, effort=EFFORT, only_eligible=True, compared=False, **given)
        assert [one.separated for one in found] == (expected["class"] == "separated").tolist()
        failed += sum(one.failed_splits for one in found)
        separated += found[-2].separated
    assert failed > 0
    assert separated > 0


class Fragile(KMeansPath):
    """K-means that refuses a fifth of the tables that it is given."""

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        if round(1e6 * float(values.to_numpy()[:10].sum())) % 5 == 0:
            raise RuntimeError("not these")
        return super().fit_path(values)


def test_nothing_is_separated_where_so_few_resamples_may_not_award_it() -> None:
    quick = replace(THRESHOLDS, first_class=False)
    planted = cell(Planted(150, 3, (0.5, 0.5), 9.0))
    rows = trial(planted, 0, effort=EFFORT, thresholds=quick, floor=0.05)
    assert any(row["valley"] for row in rows)
    assert not any(row["separated"] for row in rows)


def test_every_method_gets_its_null_where_it_is_asked_for() -> None:
    rows = tried(cell(Normal(200, 4), null_every=2), 1)
    assert {row["clusterer"] for row in rows if row["null"] is not None} >= {"kmeans", "ward"}
    assert all((row["null"] is not None) is (row["n_clusters"] > 1) for row in rows)
    assert all(row["null"] is None for row in tried(cell(Normal(200, 4), null_every=2), 2))


def test_a_null_ends_when_it_cannot_be_rejected_any_more() -> None:
    rows = [
        row for number in range(2) for row in tried(cell(Normal(150, 4), null_every=1), number) if row["null_draws"]
    ]
    assert min(row["null_draws"] for row in rows) < EFFORT.null_draws
    assert all(row["null_draws"] == EFFORT.null_draws for row in rows if row["null"])
    few = tried(cell(Planted(150, 3, (0.4, 0.3, 0.3), 8.0), null_draws=21), 2)
    assert {row["null_draws"] for row in few if row["separated"]} == {21}


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
