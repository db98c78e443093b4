"""A candidate is computed once; whatever goes wrong is recorded in one sentence and raises nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pytest
from hydra.utils import call
from omegaconf import DictConfig, OmegaConf
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import EstimatorPath
from aisle.features import FeatureTable
from aisle.partition import PartitionPath
from aisle.reducers import Neighbours
from aisle.stages import candidate
from aisle.stages.candidate import detailed
from aisle.storage import CandidateRecord, CandidateStore, read_json, write_features

Compose = Callable[..., DictConfig]
Tables = dict[str, pyarrow.Table]
NAMES = {"lifestage": "YA", "features": "baskets", "scaler": "standard", "reducer": "none", "clusterer": "kmeans"}
KMEANS = EstimatorPath(KMeans(n_init=2), "n_clusters", [2, 3])


class Refusing(BaseEstimator):
    """A path clusterer that always fails, over two lines."""

    minimum_customers = 2

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        raise RuntimeError("I would rather\n  not.")


class Interrupted(Refusing):
    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        raise KeyboardInterrupt


@pytest.fixture
def folder(planted: Callable[..., tuple[FeatureTable, Any]], tmp_path: Path) -> Path:
    """Features of 50 young adults, and of 20 pensioners who are all alike."""
    features, _ = planted((30, 20), separation=6, seed=40)
    alike = pd.DataFrame(1.0, index=pd.Index([f"p{number}" for number in range(20)]), columns=features.values.columns)
    everybody = pd.concat([features.values, alike])
    cohort = pd.Series(["YA"] * 50 + ["PE"] * 20, index=everybody.index)
    write_features(FeatureTable(everybody, cohort), tmp_path / "baskets.parquet")
    return tmp_path


def run(folder: Path, number: int = 0, **changes: Any) -> dict[str, Any]:
    """The outcome of a candidate."""
    usual: dict[str, Any] = {
        "features": str(folder / "baskets.parquet"),
        "names": NAMES,
        "overrides": [],
        "scaler": StandardScaler(),
        "reducer": FunctionTransformer(),
        "clusterer": KMEANS,
        "minimum_customers": 15,
        "seed": 1,
        "store": str(folder / "store"),
        "outcome": str(folder / "sweep" / str(number) / "outcome.json"),
    }
    arguments = usual | changes
    candidate.run(**arguments)
    return read_json(Path(arguments["outcome"]))


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "store" / "candidates").glob("*"))


def test_a_candidate_is_fitted_scored_and_stored(folder: Path) -> None:
    outcome = run(folder)
    assert (outcome["status"], outcome["reason"], outcome["names"]) == ("finished", "", NAMES)
    assert stored(folder) == [outcome["key"]]
    record = CandidateStore(folder / "store").read(outcome["key"])
    assert list(record.path.partitions) == [2, 3]
    assert record.scores[2]["features/silhouette"] > record.scores[3]["features/silhouette"] > 0
    assert record.facts["names"] == NAMES
    assert record.facts["features"]["customers"] == 50
    assert record.facts["clusterer"]["params"]["parameter"] == {"value": "n_clusters"}
    assert record.facts["seed"] == 1


def test_a_finished_candidate_is_found_and_not_touched(folder: Path) -> None:
    first = run(folder, 0)
    path = folder / "store" / "candidates" / first["key"] / "candidate.json"
    before = path.stat().st_mtime_ns
    second = run(folder, 1)
    assert (second["status"], second["key"]) == ("found", first["key"])
    assert path.stat().st_mtime_ns == before
    assert stored(folder) == [first["key"]]


def test_the_same_candidate_under_another_name_is_found(folder: Path) -> None:
    first = run(folder, 0)
    second = run(folder, 1, names=NAMES | {"clusterer": "mine"}, overrides=["clusterer.values=[2,3]"])
    assert (second["status"], second["key"]) == ("found", first["key"])
    assert second["names"]["clusterer"] == "mine values=[2,3]"


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"clusterer": EstimatorPath(KMeans(n_init=3), "n_clusters", [2, 3])},
        {"scaler": FunctionTransformer()},
    ],
    ids=["seed", "parameter", "scaler"],
)
def test_another_candidate_is_computed(folder: Path, change: dict[str, Any]) -> None:
    first, second = run(folder, 0), run(folder, 1, **change)
    assert second["status"] == "finished"
    assert stored(folder) == sorted([first["key"], second["key"]])


def test_other_features_are_another_candidate(folder: Path, planted: Callable[..., Any]) -> None:
    first = run(folder, 0)
    features, _ = planted((30, 20), separation=6, seed=41)
    write_features(features, folder / "baskets.parquet")
    second = run(folder, 1)
    assert second["status"] == "finished"
    assert second["key"] != first["key"]


def test_clusterers_of_one_scaler_and_reducer_share_the_embedding(folder: Path) -> None:
    run(folder, 0)
    run(folder, 1, clusterer=EstimatorPath(KMeans(n_init=2), "n_clusters", [4]))
    run(folder, 2, scaler=FunctionTransformer())
    assert len(list((folder / "store" / "embeddings").iterdir())) == 2


def test_a_stored_embedding_gives_the_same_candidate_as_a_computed_one(folder: Path) -> None:
    run(folder, 0, clusterer=EstimatorPath(KMeans(n_init=2), "n_clusters", [4]))  # leaves the embedding
    shared = CandidateStore(folder / "store").read(run(folder, 1)["key"])
    alone = CandidateStore(folder / "other").read(run(folder, 2, store=folder / "other")["key"])
    assert shared.key == alone.key
    pd.testing.assert_frame_equal(pd.DataFrame(shared.scores), pd.DataFrame(alone.scores), check_exact=True)
    for value, partition in alone.path.partitions.items():
        pd.testing.assert_series_equal(partition.labels, shared.path.partitions[value].labels)


class Lazy(BaseEstimator):
    """Reduces to the mean of each row's neighbours, on some axes; counts how often it had to look for neighbours."""

    searches: ClassVar[list[str]] = []

    def __init__(self, n_components: int = 2, n_neighbors: int = 5) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors

    def neighbour_params(self) -> dict[str, Any]:
        return {"n_neighbors": self.n_neighbors}

    def neighbours(self, X: npt.NDArray[np.float64]) -> Neighbours:
        self.searches.append(f"{len(X)} rows")
        time.sleep(0.05)  # the other jobs have come by now
        distances, rows = NearestNeighbors(n_neighbors=self.n_neighbors).fit(X).kneighbors(X)
        return Neighbours(rows.astype(np.int32), distances.astype(np.float32))

    def fit_transform(
        self, X: npt.NDArray[np.float64], y: None = None, *, neighbours: Neighbours | None = None
    ) -> npt.NDArray[np.float64]:
        assert neighbours is not None
        return np.asarray(X[neighbours.rows].mean(axis=1)[:, : self.n_components])


def test_reducers_that_differ_in_the_layout_alone_look_for_neighbours_once(folder: Path) -> None:
    Lazy.searches.clear()
    sizes = [1, 2, 3, 4]
    with ThreadPoolExecutor(4) as threads:
        jobs = threads.map(lambda size: run(folder, size, reducer=Lazy(n_components=size)), sizes)
        outcomes = list(jobs)
    assert [outcome["status"] for outcome in outcomes] == ["finished"] * 4
    assert len({outcome["key"] for outcome in outcomes}) == 4
    assert Lazy.searches == ["50 rows"]
    run(folder, 5, reducer=Lazy(n_neighbors=6))
    run(folder, 6, reducer=Lazy(n_neighbors=6), scaler=FunctionTransformer())
    assert len(Lazy.searches) == 3
    assert len(list((folder / "store" / "neighbours").iterdir())) == 3


def test_stored_neighbours_give_the_same_candidate_as_computed_ones(folder: Path) -> None:
    run(folder, 0, reducer=Lazy(n_components=3))  # leaves the neighbours
    shared = CandidateStore(folder / "store").read(run(folder, 1, reducer=Lazy())["key"])
    alone = CandidateStore(folder / "other").read(run(folder, 2, reducer=Lazy(), store=folder / "other")["key"])
    assert shared.key == alone.key
    pd.testing.assert_frame_equal(pd.DataFrame(shared.scores), pd.DataFrame(alone.scores), check_exact=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"clusterer": Refusing()}, "RuntimeError: I would rather not."),
        (
            {"names": NAMES | {"lifestage": "ya"}},
            "ValueError: Lifestage 'ya' is unknown; the features have ['PE', 'YA', 'all'].",
        ),
        ({"names": NAMES | {"lifestage": "PE"}}, "ValueError: All 6 features are constant over 20 customers."),
        (
            {"clusterer": EstimatorPath(KMeans(), "n_clusters", [2, 0])},
            "InvalidParameterError: The 'n_clusters' parameter of KMeans must be an int in the range [1, inf). "
            "Got 0 instead.",
        ),
    ],
)
def test_a_candidate_that_fails_is_recorded_in_one_sentence_and_raises_nothing(
    folder: Path, change: dict[str, Any], reason: str
) -> None:
    outcome = run(folder, **change)
    assert (outcome["status"], outcome["reason"]) == ("failed", reason)
    assert stored(folder) == []


def test_missing_features_are_a_failure_that_names_the_file(folder: Path) -> None:
    outcome = run(folder, features=folder / "mix.parquet")
    assert outcome["status"] == "failed"
    assert "mix.parquet is needed and missing; run the stage that writes it" in outcome["reason"]


def test_a_failed_candidate_is_tried_again(folder: Path) -> None:
    assert run(folder, 0, clusterer=Refusing())["status"] == "failed"
    assert run(folder, 0, clusterer=Refusing())["status"] == "failed"


def test_an_interruption_is_not_a_failure(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, clusterer=Interrupted())
    assert not (folder / "sweep").exists()
    assert stored(folder) == []


def test_too_few_customers_are_skipped_with_the_numbers(folder: Path) -> None:
    outcome = run(folder, minimum_customers=51)
    assert (outcome["status"], outcome["key"]) == ("skipped", None)
    assert outcome["reason"] == "50 customers are too few; at least 51 are needed"
    greedy = EstimatorPath(KMeans(), "n_clusters", [2, 50])
    assert run(folder, clusterer=greedy)["reason"] == "50 customers are too few; at least 51 are needed"
    assert stored(folder) == []


def test_a_store_that_cannot_be_written_is_a_failure_that_names_it(folder: Path) -> None:
    (folder / "store").write_text("not a folder")
    outcome = run(folder)
    assert outcome["status"] == "failed"
    assert "cannot be written" in outcome["reason"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], "kmeans"),
        (["seed=3", "reducer.n_components=3", "clusterers.x=1"], "kmeans"),
        (["clusterer.values=[2,3]"], "kmeans values=[2,3]"),
        (["clusterer.values=[2]", "clusterer.estimator.n_init=3"], "kmeans estimator.n_init=3 values=[2]"),
        (["clusterer.estimator.n_init=3", "clusterer.values=[2]"], "kmeans estimator.n_init=3 values=[2]"),
        (["+clusterer.estimator.tol=0.1"], "kmeans estimator.tol=0.1"),
        (["++clusterer.estimator.tol=0.1"], "kmeans estimator.tol=0.1"),
    ],
)
def test_what_was_changed_inside_an_option_is_part_of_its_name(overrides: list[str], expected: str) -> None:
    assert detailed(NAMES, overrides)["clusterer"] == expected


def test_a_changed_block_whose_features_nobody_made_is_refused(folder: Path) -> None:
    outcome = run(folder, overrides=["features.mix.smoothing=2"])
    assert outcome["status"] == "failed"
    assert "baskets.parquet, so mix.smoothing=2 has no effect; write it into a new option" in outcome["reason"]


def renamed(tables: Tables) -> tuple[Tables, dict[str, str]]:
    """The grocery with other customer ids, so that customers come in another order; and old name -> new name."""
    ids = tables["customers"].column("customer_id").to_pylist()
    new = np.random.default_rng(5).permutation(len(ids))
    names = {old: f"customer {number:03d}" for old, number in zip(ids, new, strict=True)} | {"nobody knows": "anybody"}
    other = dict(tables)
    for name in ("customers", "baskets"):
        at = tables[name].column_names.index("customer_id")
        column = [old and names[old] for old in tables[name].column("customer_id").to_pylist()]
        other[name] = tables[name].set_column(at, tables[name].schema.field(at), [column])
    return other, names


@pytest.fixture(scope="module")
def ways(
    grocery: Callable[..., Tables],
    save: Callable[..., Path],
    compose: Compose,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, dict[str, str]]:
    """A grocery and the same with other names, from the canonical tables to features, everybody sampled."""
    folder = tmp_path_factory.mktemp("ways")
    tables = grocery(130, seed=50)
    other, names = renamed(tables)
    for name, own in (("given", tables), ("renamed", other)):
        save(own, folder / name / "data")
        for overrides in (["stage=fingerprint"], ["stage=extract"], ["stage=features", "features=baskets_mix"]):
            call(compose(*overrides, "sample=all", f"paths.root={folder / name}").stage)
    return folder / "given", folder / "renamed", names


@pytest.mark.parametrize("reducer", ["none", "pca"])
@pytest.mark.parametrize(
    "clusterer", ["agglomerative", "single_euclidean", "ward", "kmeans", "gaussian_mixture", "hdbscan", "dbscan"]
)
def test_renaming_customers_changes_nothing_when_everybody_is_sampled(
    ways: tuple[Path, Path, dict[str, str]], compose: Compose, reducer: str, clusterer: str
) -> None:
    given, other, names = ways
    found: list[CandidateRecord] = []
    for root in (given, other):
        chosen = ("lifestage=all", "features=baskets_mix", f"reducer={reducer}", f"clusterer={clusterer}")
        stage = OmegaConf.to_container(compose(*chosen, f"paths.root={root}").stage, resolve=True)
        outcome = root / clusterer / reducer / "outcome.json"
        call({**stage, "outcome": outcome})
        told = read_json(outcome)
        assert told["status"] == "finished", told["reason"]
        found.append(CandidateStore(root / ".aisle").read(told["key"]))
    first, second = found
    assert len(first.path.partitions) > 5
    pd.testing.assert_frame_equal(pd.DataFrame(first.scores), pd.DataFrame(second.scores), check_exact=True)
    for value, partition in first.path.partitions.items():
        renamed_labels = partition.labels.rename(index=names)
        pd.testing.assert_series_equal(renamed_labels, second.path.partitions[value].labels)
