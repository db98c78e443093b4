"""The candidate store: each candidate written once, whole, under a key that digests all it depends on."""

import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grimp
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler

import aisle
from aisle.clusterers import AgglomerativePath, EstimatorPath
from aisle.features import FeatureTable
from aisle.partition import Partition, PartitionPath
from aisle.reducers import Neighbours, NeighbourUMAP
from aisle.storage import (
    CandidateRecord,
    CandidateStore,
    candidate_key,
    candidates,
    describe,
    neighbours_key,
    read_json,
)
from aisle.storage.candidates import _CODE, code_digest

KEY = "0123456789abcdef0123456789abcdef"


def record(key: str = KEY, seed: int = 1) -> CandidateRecord:
    rng = np.random.default_rng(seed)
    index = pd.Index([f"c{number}" for number in rng.permutation(20)], name="customer_id")
    values: list[float] = [0.05, 0.1, 2, 10]
    path = {value: Partition.numbered(rng.integers(-1, 3, 20), index) for value in values}
    scores = {value: {"features/silhouette": rng.normal(), "balance": np.nan, "n_clusters": 3.0} for value in values}
    return CandidateRecord(key, PartitionPath("eps", path), scores, {"seed": 1, "warnings": ["the sea is rough"]})


def assert_equal(found: CandidateRecord, expected: CandidateRecord) -> None:
    assert (found.key, found.path.parameter, found.facts) == (expected.key, expected.path.parameter, expected.facts)
    assert list(found.path.partitions) == list(expected.path.partitions)
    for value, partition in expected.path.partitions.items():
        assert found.path.partitions[value].labels.to_dict() == partition.labels.to_dict()
        assert found.path.partitions[value].labels.index.tolist() == partition.labels.index.tolist()
    scores = pd.DataFrame(found.scores), pd.DataFrame(expected.scores)
    pd.testing.assert_frame_equal(*scores, check_exact=True, check_like=True)


@pytest.fixture
def store(tmp_path: Path) -> CandidateStore:
    return CandidateStore(tmp_path / ".aisle")


def test_a_candidate_reads_back_equal_undefined_scores_included(store: CandidateStore) -> None:
    assert not store.has(KEY)
    store.write(record())
    assert store.has(KEY)
    assert_equal(store.read(KEY), record())


def test_making_a_store_touches_nothing_and_it_may_be_named_by_a_text(tmp_path: Path) -> None:
    store = CandidateStore(str(tmp_path / "store"))
    assert not store.has(KEY)
    assert list(tmp_path.iterdir()) == []
    store.write(record())
    assert_equal(store.read(KEY), record())


def test_a_candidate_is_written_once_the_first_one_stays(store: CandidateStore) -> None:
    store.write(record(seed=1))
    store.write(record(seed=2))
    assert_equal(store.read(KEY), record(seed=1))
    assert [path.name for path in (store.root / "candidates").iterdir()] == [KEY]


def test_many_writers_of_one_candidate_leave_one_whole_candidate(store: CandidateStore) -> None:
    keys = [f"{number:032x}" for number in range(8)]
    start = threading.Barrier(6)
    errors = []

    def write() -> None:
        try:
            for key in keys:
                start.wait()
                store.write(record(key))
                assert_equal(store.read(key), record(key))
        except Exception as error:
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(path.name for path in (store.root / "candidates").iterdir()) == keys


def test_what_a_killed_writer_left_is_no_candidate_and_in_nobodys_way(store: CandidateStore) -> None:
    stale = store.root / "candidates" / f".{KEY}.part-abc"
    stale.mkdir(parents=True)
    (stale / "labels.parquet").write_bytes(b"half")
    assert not store.has(KEY)
    store.write(record())
    assert_equal(store.read(KEY), record())


def test_a_write_that_fails_leaves_nothing(store: CandidateStore) -> None:
    bad = CandidateRecord(KEY, record().path, record().scores, {"seconds": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write(bad)
    assert not store.has(KEY)
    assert list((store.root / "candidates").iterdir()) == []


def test_equal_candidates_are_stored_as_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        CandidateStore(tmp_path / name).write(record())
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert [path.name for path in files] == ["candidate.json", "labels.parquet"]
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_missing_candidate_is_named_with_what_to_do(store: CandidateStore) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{KEY} is needed and missing; run the study again"):
        store.read(KEY)


@pytest.mark.parametrize("damage", ["candidate.json", "labels.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense"], ids=["missing", "empty", "nonsense"])
def test_a_damaged_candidate_is_refused_with_the_file(
    store: CandidateStore, damage: str, content: bytes | None
) -> None:
    store.write(record())
    path = store.root / "candidates" / KEY / damage
    path.unlink() if content is None else path.write_bytes(content)
    message = rf"{KEY} is damaged; delete it and run the study again: .*{KEY}/{damage} (must|is needed)"
    with pytest.raises(ValueError, match=message):
        store.read(KEY)


def test_an_embedding_reads_back_to_the_last_bit(store: CandidateStore) -> None:
    index = pd.Index(["b", "a", "c"], name="customer_id")
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(3, 2)), index=index, columns=["axis_0", "axis_1"])
    assert store.read_embedding(KEY) is None
    store.write_embedding(KEY, values)
    store.write_embedding(KEY, values)
    pd.testing.assert_frame_equal(store.read_embedding(KEY), values, check_exact=True, check_names=False)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_embedding_is_as_good_as_none_and_is_written_anew(store: CandidateStore, content: bytes) -> None:
    values = pd.DataFrame({"axis_0": [1.0]}, index=pd.Index(["a"]))
    store.write_embedding(KEY, values)
    (store.root / "embeddings" / f"{KEY}.parquet").write_bytes(content)
    assert store.read_embedding(KEY) is None
    store.write_embedding(KEY, values)
    assert store.read_embedding(KEY) is not None


def neighbours() -> Neighbours:
    rng = np.random.default_rng(2)
    return Neighbours(rng.integers(9, size=(9, 4), dtype=np.int32), rng.random((9, 4), dtype=np.float32))


def test_neighbours_read_back_to_the_last_bit(store: CandidateStore) -> None:
    assert store.read_neighbours(KEY) is None
    store.write_neighbours(KEY, neighbours())
    found = store.read_neighbours(KEY)
    assert found is not None
    for read, written in ((found.rows, neighbours().rows), (found.distances, neighbours().distances)):
        assert (read.dtype, read.shape, read.tobytes()) == (written.dtype, written.shape, written.tobytes())
        assert read.flags.c_contiguous


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_damaged_neighbours_are_as_good_as_none_and_are_written_anew(store: CandidateStore, content: bytes) -> None:
    store.write_neighbours(KEY, neighbours())
    (store.root / "neighbours" / f"{KEY}.parquet").write_bytes(content)
    assert store.read_neighbours(KEY) is None
    store.write_neighbours(KEY, neighbours())
    assert store.read_neighbours(KEY) is not None


def test_neighbours_have_one_key_for_all_layouts_and_others_for_other_values_parameters_and_seeds() -> None:
    values = np.random.default_rng(1).normal(size=(6, 4))
    key = neighbours_key(values, NeighbourUMAP(random_state=1))
    assert neighbours_key(values.copy(order="F"), NeighbourUMAP(5, min_dist=0.7, random_state=1)) == key
    others = [
        neighbours_key(values, NeighbourUMAP(random_state=2)),
        neighbours_key(values, NeighbourUMAP(random_state=1, n_neighbors=5)),
        neighbours_key(values, NeighbourUMAP(random_state=1, metric="cosine")),
        neighbours_key(values + 1e-15, NeighbourUMAP(random_state=1)),
        neighbours_key(values.reshape(4, 6), NeighbourUMAP(random_state=1)),
    ]
    assert len({key, *others}) == 6


def test_an_embedding_that_many_jobs_need_at_once_is_computed_by_the_first(store: CandidateStore) -> None:
    values = pd.DataFrame({"axis_0": [1.0]}, index=pd.Index(["a"]))
    computed: list[int] = []

    def job(number: int) -> None:
        with store.lock(KEY):
            if store.read_embedding(KEY) is None:
                computed.append(number)
                time.sleep(0.05)  # the others have come by now
                store.write_embedding(KEY, values)

    jobs = [threading.Thread(target=job, args=(number,)) for number in range(6)]
    for one in jobs:
        one.start()
    for one in jobs:
        one.join()
    assert len(computed) == 1
    assert [path.name for path in (store.root / "embeddings").iterdir()] == [f"{KEY}.parquet"]


def test_other_embeddings_do_not_wait(store: CandidateStore) -> None:
    with store.lock(KEY), store.lock(KEY[::-1]):
        assert store.read_embedding(KEY) is None


def test_a_job_that_is_killed_while_it_computes_leaves_the_embedding_to_the_next(store: CandidateStore) -> None:
    holding = (
        "import sys, time; from pathlib import Path; from aisle.storage import CandidateStore\n"
        "with CandidateStore(Path(sys.argv[1])).lock(sys.argv[2]): print('in', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", holding, str(store.root), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        child.kill()
    with store.lock(KEY):
        assert store.read_embedding(KEY) is None


def test_locks_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    store = CandidateStore(tmp_path / "store")
    with pytest.raises(OSError, match=r"store/locks/.*\.lock cannot be written"), store.lock(KEY):
        pass


@pytest.mark.parametrize("library", ["numpy", "umap-learn", "pynndescent", "scikit-learn"])
def test_the_version_of_a_library_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    before = code_digest()
    code_digest.cache_clear()
    monkeypatch.setattr(candidates, "version", lambda name: "0" if name == library else version(name))
    changed = code_digest()
    monkeypatch.undo()
    code_digest.cache_clear()
    assert changed != before
    assert code_digest() == before


INGREDIENTS: dict[str, Any] = {
    "scaler": StandardScaler(),
    "reducer": PCA(n_components=0.8),
    "clusterer": EstimatorPath(KMeans(n_init=10), "n_clusters", [2, 3]),
    "seed": 1,
}


@pytest.mark.parametrize(
    "change",
    [
        {"scaler": RobustScaler()},
        {"scaler": StandardScaler(with_mean=False)},
        {"reducer": PCA(n_components=0.9)},
        {"reducer": PCA(n_components=1)},
        {"reducer": PCA(n_components=True)},
        {"reducer": PCA(n_components=1.0)},
        {"reducer": PCA(n_components=None)},
        {"reducer": PCA(n_components="mle")},
        {"clusterer": EstimatorPath(KMeans(n_init=11), "n_clusters", [2, 3])},
        {"clusterer": EstimatorPath(KMeans(n_init=10), "n_clusters", [2, 3, 4])},
        {"clusterer": EstimatorPath(KMeans(n_init=10), "n_clusters", [3, 2])},
        {"clusterer": EstimatorPath(KMeans(n_init=10), "max_iter", [2, 3])},
        {"clusterer": AgglomerativePath("ward", "euclidean", [2, 3])},
        {"clusterer": None},
        {"seed": 2},
    ],
    ids=str,
)
def test_another_ingredient_is_another_key(change: dict[str, Any]) -> None:
    assert candidate_key("digest", **{**INGREDIENTS, **change}) != candidate_key("digest", **INGREDIENTS)


def test_the_same_ingredients_are_the_same_key() -> None:
    again = {**INGREDIENTS, "clusterer": EstimatorPath(KMeans(n_init=10), "n_clusters", (2, 3))}
    again["clusterer"].estimator.fit([[float(number)] for number in range(8)])
    assert candidate_key("digest", **INGREDIENTS) == candidate_key("digest", **dict(reversed(again.items())))
    assert candidate_key("other", **INGREDIENTS) != candidate_key("digest", **INGREDIENTS)
    assert len(candidate_key("digest", **INGREDIENTS)) == 32


def test_another_value_id_name_cohort_or_order_is_another_digest(planted: Callable[..., Any]) -> None:
    features, _ = planted((8,), separation=0, seed=1)
    values, cohort = features.values, features.cohort
    moved = values.copy()
    moved.iloc[3, 2] = np.nextafter(moved.iloc[3, 2], 9)
    other = {
        "value": FeatureTable(moved, cohort),
        "id": FeatureTable(values.rename({"c0003": "d"}), cohort.rename({"c0003": "d"})),
        "name": FeatureTable(values.rename(columns={"feature_0": "x"}), cohort),
        "cohort": FeatureTable(values, cohort.replace("YA", "OA")),
        "order": FeatureTable(values[::-1], cohort[::-1]),
        "column order": FeatureTable(values.iloc[:, ::-1], cohort),
        "row gone": FeatureTable(values[1:], cohort[1:]),
    }
    digests = {name: table.digest() for name, table in other.items()}
    assert len({features.digest(), *digests.values()}) == 8, digests
    assert FeatureTable(values.copy(), cohort.copy()).digest() == features.digest()


def test_a_description_does_not_depend_on_the_order_of_a_mapping() -> None:
    one, two = DBSCAN(metric_params={"p": 3, "w": [1, 2]}), DBSCAN(metric_params={"w": [1, 2], "p": 3})
    assert describe(one) == describe(two)
    assert describe(one) != describe(DBSCAN(metric_params={"p": 3, "w": [2, 1]}))


def test_a_description_tells_functions_their_arguments_and_arrays() -> None:
    def of(function: Any) -> dict[str, Any]:
        return describe(FunctionTransformer(function))

    assert of(np.log1p) == of(np.log1p)
    assert of(np.log1p) != of(np.sqrt)
    assert of(partial(np.clip, a_min=0)) == of(partial(np.clip, a_min=0))
    assert of(partial(np.clip, a_min=0)) != of(partial(np.clip, a_min=1))
    assert describe(KMeans(init=np.zeros((2, 2)))) != describe(KMeans(init=np.ones((2, 2))))
    assert describe(KMeans(init=np.zeros((2, 2)))) == describe(KMeans(init=[[0.0, 0.0], [0.0, 0.0]]))
    assert describe(make_pipeline(PCA(2), StandardScaler())) != describe(make_pipeline(PCA(3), StandardScaler()))


def test_a_description_can_always_be_stored(store: CandidateStore) -> None:
    for component in (SimpleImputer(missing_values=np.nan), DBSCAN(metric_params={"p": np.float64(np.inf)})):
        key = candidate_key("digest", **{**INGREDIENTS, "scaler": component})
        facts = {"scaler": describe(component)}
        store.write(CandidateRecord(key, record().path, record().scores, facts))
        assert store.read(key).facts == facts
    assert describe(SimpleImputer(missing_values=np.nan)) != describe(SimpleImputer(missing_values=None))


def test_what_cannot_be_told_from_its_text_is_refused() -> None:
    message = r"^A parameter must be a number, a text, a list, .*; got RandomState\.$"
    with pytest.raises(TypeError, match=message):
        candidate_key("digest", **{**INGREDIENTS, "reducer": PCA(random_state=np.random.RandomState(1))})


def test_all_code_a_candidate_is_computed_by_is_in_its_key() -> None:
    package = Path(aisle.__file__).parent
    folders = [package / entry for entry in _CODE if not entry.endswith(".py")]
    covered = {package / entry for entry in _CODE} | {path for folder in folders for path in folder.rglob("*.py")}
    modules = grimp.build_graph("aisle", cache_dir=None).find_upstream_modules("aisle.candidate")
    for module in (*modules, "aisle.candidate"):
        below = package.joinpath(*module.split(".")[1:])
        assert {below.with_suffix(".py"), below / "__init__.py"} & covered, module


def test_the_stored_json_is_readable_by_anybody(store: CandidateStore) -> None:
    store.write(record())
    content = read_json(store.root / "candidates" / KEY / "candidate.json")
    assert content["parameter"] == "eps"
    assert content["scores"][0][0] == 0.05
    assert content["scores"][0][1]["balance"] is None


def test_a_class_from_elsewhere_is_another_candidate_when_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from sklearn.base import BaseEstimator\n\nclass Mine(BaseEstimator):\n    rounds = {}\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    keys = []
    for rounds in (1, 2, 1):
        (tmp_path / "mine_from_elsewhere.py").write_text(text.replace("{}", str(rounds)))
        monkeypatch.delitem(sys.modules, "mine_from_elsewhere", raising=False)
        mine = importlib.import_module("mine_from_elsewhere").Mine()
        keys.append(candidate_key("features", scaler=StandardScaler(), reducer=PCA(2), clusterer=mine, seed=1))
    assert keys[0] == keys[2] != keys[1]


def test_the_version_of_a_library_covers_its_classes() -> None:
    assert "source" not in describe(KMeans())
