"""The dossier with bootstrap samples: finalists have the reported measures, and what decides stays what it was."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import FunctionTransformer
from tests.evidence.conftest import table
from tests.evidence.test_dossier import Fragile, Planted, assert_same, backwards, dossier, family, in_processes

from aisle.clusterers import HDBSCANPath, KMeansPath
from aisle.evidence import MEASURES, REPORTED, Dossier, Effort
from aisle.features import FeatureTable

PLAIN = Effort(splits=3, screening=2, finalists=2, null_draws=19)
FULL = Effort(splits=3, screening=2, finalists=2, null_draws=19, bootstraps=8)
KMEANS = KMeansPath([2, 3, 4], n_init=3)


@pytest.fixture(scope="module")
def small(planted: Planted) -> FeatureTable:
    return planted((60, 50, 40), separation=8 / np.sqrt(2), seed=5, columns=4)[0]


@pytest.fixture(scope="module")
def full(small: FeatureTable) -> Dossier:
    return dossier(small, family(small, kmeans=KMEANS), effort=FULL)


def test_what_is_reported_speaks_for_planted_segments(full: Dossier) -> None:
    found = full.measures.set_index("n_clusters")
    three = found.loc[3]
    assert three[["bootstrap_jaccard_worst", "bootstrap_rand", "consensus"]].min() > 0.95
    assert three[["instability", "pac"]].max() < 0.02
    assert three["dbcv"] == found["dbcv"].max() > 0
    assert three["gap_statistic"] == found["gap_statistic"].max() > 0
    assert found["gap_clusters"].tolist() == [3, 3, 3]
    assert (found["gap_error"] > 0).all()
    assert found.loc[4, "bootstrap_jaccard_worst"] < 0.8
    assert found.loc[4, "pac"] > 0.1
    assert set(found["bootstraps"]) == {8}
    assert set(found["failed_bootstraps"]) == {0}


def test_segments_have_their_own(full: Dossier) -> None:
    parts = full.segments.groupby("tuning_value")
    worst, mean = parts["bootstrap_jaccard"].min(), parts["bootstrap_jaccard"].mean()
    assert worst.to_list() == pytest.approx(full.measures["bootstrap_jaccard_worst"].to_list())
    assert mean.to_list() == pytest.approx(full.measures["bootstrap_jaccard_mean"].to_list())
    assert parts["consensus"].mean().to_list() == pytest.approx(full.measures["consensus"].to_list())


def test_what_decides_is_the_same_with_and_without(small: FeatureTable, full: Dossier) -> None:
    plain = dossier(small, family(small, kmeans=KMEANS), effort=PLAIN)
    names = [*MEASURES, "class", "eligible", "stage"]
    pd.testing.assert_frame_equal(plain.measures[names], full.measures[names])
    assert plain.measures[list(REPORTED[:-2])].isna().to_numpy().all()
    assert plain.measures[list(REPORTED[-2:])].to_numpy().max() == 0
    assert plain.segments[["bootstrap_jaccard", "consensus"]].isna().to_numpy().all()
    assert [str(kind) for kind in plain.measures[list(REPORTED[:-2])].dtypes] == ["float64"] * (len(REPORTED) - 2)


def test_the_order_of_work_and_the_number_of_processes_change_nothing(small: FeatureTable, full: Dossier) -> None:
    for run in (backwards, in_processes(2)):
        assert_same(dossier(small, family(small, kmeans=KMEANS), effort=FULL, run=run), full)


def test_only_finalists_are_resampled(small: FeatureTable) -> None:
    other = KMeansPath([2, 3], n_init=1)
    found = dossier(small, family(small, kmeans=KMEANS, kmeans_other=other), effort=FULL).measures
    examined = found["stage"] == "examined"
    assert found.loc[examined, list(REPORTED)].notna().to_numpy().all()
    assert found.loc[~examined, list(REPORTED[:-2])].isna().to_numpy().all()
    assert set(found.loc[~examined, "bootstraps"]) == {0}
    assert (~examined).any()


def test_a_bootstrap_sample_that_fails_is_counted(small: FeatureTable) -> None:
    fragile = Fragile([2, 3], "some")
    candidates = family(small, labelled_by=KMeansPath([2, 3], n_init=4), fragile=fragile)
    found = dossier(small, candidates, effort=Effort(4, 2, 1, 39, bootstraps=20)).measures
    one = found.iloc[0]
    assert 0 < one["failed_bootstraps"] < 20
    assert one["bootstraps"] + one["failed_bootstraps"] == 20
    assert one["failure"].startswith("RuntimeError: ")
    assert found["bootstrap_jaccard_worst"].notna().all()


def test_without_clusters_nothing_is_reported_and_nothing_fails(small: FeatureTable) -> None:
    candidates = family(small, kmeans=KMEANS, hdbscan=HDBSCANPath([0.3, 0.9]))
    found = dossier(small, candidates, effort=FULL).measures
    none = found[(found["candidate_key"] == "hdbscan") & (found["n_clusters"] == 0)]
    assert len(none) == 1
    assert none[["dbcv", "pac", "instability", "bootstrap_rand", "bootstrap_jaccard_worst"]].isna().to_numpy().all()
    assert set(none["failed_bootstraps"]) == {0}


def test_the_gap_statistic_of_the_dossier_sees_no_clusters_in_a_cloud() -> None:
    cloud = table(pd.DataFrame(np.random.default_rng(6).normal(size=(200, 3)), columns=list("abc")))
    found = dossier(cloud, family(cloud, kmeans=KMEANS), effort=FULL).measures
    assert set(found["gap_clusters"]) == {1}
    assert found["gap_statistic"].abs().max() < 0.1


def test_bootstrap_jaccards_of_the_dossier_are_the_published_on_iris() -> None:
    flowers = table(pd.DataFrame(load_iris().data, columns=list("abcd")))
    candidates = family(flowers, FunctionTransformer(), kmeans=KMeansPath([3]))
    found = dossier(flowers, candidates, effort=Effort(2, 1, 1, 19, bootstraps=100))
    assert sorted(found.segments["bootstrap_jaccard"]) == pytest.approx([0.944, 0.9545, 1.0], abs=0.05)
