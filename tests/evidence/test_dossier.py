"""The evidence on a lifestage: planted segments are seen, a cloud is not, and what fails is told and counted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import table

from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath
from aisle.evidence import MEASURES, REPORTED, Contender, Dossier, Effort, Family, Pipelines, Thresholds, examine
from aisle.features import FeatureTable
from aisle.partition import PartitionPath

Planted = Callable[..., tuple[FeatureTable, "pd.Series[int]"]]
EFFORT = Effort(splits=5, screening=2, finalists=3, null_draws=39)
QUICK = Effort(splits=3, screening=2, finalists=3, null_draws=19)
RULE = Thresholds()
LAX = Thresholds(null_p=0.051)  # 19 draws give p-values from .05 on
KMEANS = KMeansPath([2, 3, 4], n_init=3)
WARD = AgglomerativePath("ward", "euclidean", [2, 3, 4])


def serial(_: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
    return [task() for task in tasks]


def backwards(_: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
    return reversed([task() for task in reversed(tasks)])


def in_processes(workers: int) -> Callable[[str, Sequence[Callable[[], Any]]], Iterable[Any]]:
    def spread(_: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
        return joblib.Parallel(n_jobs=workers, return_as="generator")(joblib.delayed(task)() for task in tasks)

    return spread


def family(features: FeatureTable, scaler: Any = None, labelled_by: Any = None, **clusterers: Any) -> Family:
    """Candidates ``method`` or ``method_variant``; ``labelled_by`` gives the partitions of all instead of each."""
    pipelines = Pipelines(scaler or StandardScaler(), FunctionTransformer(), clusterers, seed=1)
    labelling = dict.fromkeys(clusterers, labelled_by) if labelled_by else clusterers
    found = Pipelines(pipelines.scaler, pipelines.reducer, labelling, seed=1).cluster(features.varying())
    contenders = []
    for key, labels in found.items():
        assert not isinstance(labels, str), labels
        eligible = np.array([np.unique(row[row >= 0]).size > 1 for row in labels])
        values = tuple(float(place) for place in range(2, 2 + len(labels)))
        contenders.append(Contender(key, key.split("_")[0], values, labels, eligible))
    return Family(pipelines, tuple(contenders))


def dossier(features: FeatureTable, *families: Family, effort: Effort = QUICK, **changes: Any) -> Dossier:
    given = {"effort": effort, "thresholds": RULE, "seed": 1, "run": serial} | changes
    return examine(features, families, **given)


def of(found: Dossier, key: str) -> pd.DataFrame:
    return found.measures[found.measures["candidate_key"] == key].set_index("n_clusters")


def assert_same(found: Dossier, expected: Dossier) -> None:
    for name in vars(expected):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)


@pytest.fixture(scope="module")
def three(planted: Planted) -> tuple[FeatureTable, "pd.Series[int]"]:
    """600 customers in three segments, 8 standard deviations from each other."""
    return planted((220, 200, 180), separation=8 / np.sqrt(2), seed=3, columns=4)


@pytest.fixture(scope="module")
def small(planted: Planted) -> FeatureTable:
    features, _ = planted((60, 50, 40), separation=8 / np.sqrt(2), seed=5, columns=4)
    return features


@pytest.fixture(scope="module")
def cloud() -> FeatureTable:
    return table(pd.DataFrame(np.random.default_rng(6).normal(size=(600, 4)), columns=list("abcd")))


@pytest.fixture(scope="module")
def seen(three: tuple[FeatureTable, "pd.Series[int]"]) -> Dossier:
    return dossier(three[0], family(three[0], kmeans=KMEANS, ward=WARD), effort=EFFORT)


@pytest.mark.parametrize("method", ["kmeans", "ward"])
def test_planted_segments_are_separated_and_a_cut_through_one_is_not(seen: Dossier, method: str) -> None:
    found = of(seen, method)
    assert found.loc[3, "class"] == "separated"
    assert found.loc[4, "class"] != "separated"
    assert found.loc[4, "valley_p"] > 0.05
    three = found.loc[3]
    assert three["null_p"] == 1 / 40
    assert three["null_z"] > 5
    assert three["valley_p"] < 0.01
    assert three[["jaccard_worst", "jaccard_mean", "strength", "replication"]].min() > 0.95
    assert 0.3 < three["ranking_score"] < 0.8
    assert 0 < three["ranking_error"] < 0.05
    assert found["null_draws"].tolist() == [39] * 3
    assert found["splits"].tolist() == [5] * 3
    assert found[["failed_splits", "failed_draws"]].to_numpy().max() == 0
    assert (found["failure"] == "").all()
    assert (found["category"] == "").all()


def test_the_tables_tell_every_partition_and_every_segment(
    seen: Dossier, three: tuple[FeatureTable, "pd.Series[int]"]
) -> None:
    names = ["candidate_key", "tuning_value"]
    assert list(seen.measures) == [*names, *MEASURES, *REPORTED, "class", "eligible", "stage", "category", "failure"]
    assert seen.measures[names].to_numpy().tolist() == [
        [key, value] for key in ("kmeans", "ward") for value in (2.0, 3.0, 4.0)
    ]
    parts = seen.segments.groupby(names)
    assert parts["segment"].agg(list).tolist() == [[0, 1], [0, 1, 2], [0, 1, 2, 3]] * 2
    assert parts["customer_count"].sum().tolist() == [600] * 6
    found = parts.agg(worst=("jaccard", "min"), mean=("jaccard", "mean"), valley=("valley_p", "max"))
    told = seen.measures[["jaccard_worst", "jaccard_mean", "valley_p"]].to_numpy()
    assert found.to_numpy() == pytest.approx(told)
    sizes = seen.segments.query("candidate_key == 'kmeans' and tuning_value == 3")["customer_count"]
    assert sizes.to_numpy() == pytest.approx(three[1].value_counts().to_numpy(), abs=2)
    assert seen.gaps.groupby([*names, "segment"])["share"].sum().to_numpy() == pytest.approx(1)


def test_a_cloud_is_never_separated_and_its_null_draws_stop_early(cloud: FeatureTable) -> None:
    found = dossier(cloud, family(cloud, kmeans=KMEANS), effort=EFFORT).measures
    assert (found["stage"] == "examined").all()
    assert not found["class"].eq("separated").any()
    assert found["null_draws"].tolist() == [19] * 3
    assert found["null_p"].min() > 0.25
    assert found["valley_p"].min() > 0.05
    assert found["null_z"].abs().max() < 3


def test_few_resamples_never_award_the_first_class(small: FeatureTable) -> None:
    rule = Thresholds(null_p=0.051, first_class=False)
    candidates = family(small, kmeans=KMEANS)
    assert of(dossier(small, candidates, thresholds=rule), "kmeans").loc[3, "class"] == "reproducible"
    assert of(dossier(small, candidates, thresholds=LAX), "kmeans").loc[3, "class"] == "separated"


def test_the_order_of_work_and_the_number_of_processes_change_nothing(small: FeatureTable) -> None:
    families = (family(small, ward=WARD), family(small, FunctionTransformer(), kmeans=KMeansPath([2, 3], n_init=2)))
    expected = dossier(small, *families)
    for run in (backwards, in_processes(2)):
        assert_same(dossier(small, *families, run=run), expected)


def test_another_seed_draws_other_nulls(small: FeatureTable) -> None:
    one, other = (of(dossier(small, family(small, kmeans=KMEANS), seed=seed), "kmeans") for seed in (1, 2))
    assert (one["null_mean"] != other["null_mean"]).all()
    assert one["jaccard_worst"].equals(other["jaccard_worst"])


def test_only_the_best_candidate_of_a_method_is_examined(three: tuple[FeatureTable, "pd.Series[int]"]) -> None:
    features = three[0]
    noise = np.random.default_rng(1).normal(size=600)
    features = FeatureTable(features.values.assign(noise=1e-3 * noise), features.cohort)
    blind = FunctionTransformer(_last_column)  # clusters by the noise alone
    families = (
        family(features, blind, kmeans_blind=KMeansPath([2]), ward_blind=AgglomerativePath("ward", "euclidean", [2])),
        family(features, kmeans=KMEANS, ward=WARD),
    )
    found = dossier(features, *families).measures
    stages = found.groupby("candidate_key")["stage"].unique().map(list).to_dict()
    assert stages == {
        "kmeans": ["examined"],
        "kmeans_blind": ["screened"],
        "ward": ["examined"],
        "ward_blind": ["screened"],
    }
    screened, examined = (found[found["stage"] == stage] for stage in ("screened", "examined"))
    assert set(screened["splits"]) == {QUICK.screening}
    assert set(screened["null_draws"]) == {0}
    assert screened["null_p"].isna().all()
    assert set(examined["splits"]) == {QUICK.splits}
    assert set(examined["null_draws"]) == {19}


def _last_column(values: Any) -> Any:
    return values[:, -1:]


def _first_column(values: Any) -> Any:
    return np.asarray(values)[:, :1]


def test_gaps_on_the_first_splits_count_more_than_a_higher_score() -> None:
    rng = np.random.default_rng(8)
    factor = rng.normal(size=(300, 1)) + 0.2 * rng.normal(size=(300, 4))  # a continuum that fills the space
    gap = 8 * rng.integers(0, 2, 300) + rng.normal(size=300)
    features = table(pd.DataFrame({"gap": gap, **{f"factor_{number}": factor[:, number] for number in range(4)}}))
    two = KMeansPath([2], n_init=3)
    apart = family(features, FunctionTransformer(_first_column), cut_apart=two)
    through = family(features, FunctionTransformer(_last_column), cut_through=two)
    found = dossier(features, apart, through, effort=Effort(5, 5, 3, 19), thresholds=Thresholds(null_p=0.5))
    scores = found.measures.set_index("candidate_key")["ranking_score"]
    assert scores["cut_through"] > scores["cut_apart"]
    stages = found.measures.set_index("candidate_key")["stage"]
    assert stages.to_dict() == {"cut_apart": "examined", "cut_through": "screened"}


def test_no_more_methods_are_examined_than_there_are_finalists(small: FeatureTable) -> None:
    found = dossier(small, family(small, kmeans=KMEANS, ward=WARD), effort=Effort(2, 1, 1, 19)).measures
    assert found.groupby("candidate_key")["stage"].first().value_counts().to_dict() == {"examined": 1, "screened": 1}


@pytest.mark.parametrize("first", ["kmeans_b", "kmeans_c"])
def test_of_candidates_that_are_level_the_first_by_name_is_examined(small: FeatureTable, first: str) -> None:
    candidates = family(small, kmeans_b=KMEANS, kmeans_c=KMEANS)
    named = [replace(one, name="none" if one.key == first else "pca") for one in candidates.contenders]
    found = dossier(small, Family(candidates.pipelines, tuple(named))).measures
    assert set(found.loc[found["stage"] == "examined", "candidate_key"]) == {first}


def test_a_candidate_that_may_not_be_chosen_is_not_examined(small: FeatureTable) -> None:
    candidates = family(small, kmeans=KMEANS)
    one = candidates.contenders[0]
    barred = Contender(one.key, one.method, one.values, one.labelings, np.zeros(3, dtype=bool))
    found = dossier(small, Family(candidates.pipelines, (barred,)))
    assert set(found.measures["stage"]) == {"screened"}
    assert not found.measures["eligible"].any()
    assert len(found.gaps) == 0


class Fragile(KMeansPath):
    """K-means that refuses customers; ``when``: some halves and draws, whole tables only, or all but whole tables."""

    def __init__(self, n_clusters: Sequence[int], when: str, n_init: int = 4, random_state: int = 0) -> None:
        super().__init__(n_clusters, n_init, random_state)
        self.when = when

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        whole = len(values) == 150
        some = round(1e6 * float(values.to_numpy()[:10].sum())) % 8 == 0
        if {"some": some, "draws": whole, "halves": not whole, "always": True}[self.when]:
            raise RuntimeError(f"{len(values)} customers\nare not to my taste")
        return super().fit_path(values)


def test_what_fails_on_some_resamples_is_counted_against_the_candidate(small: FeatureTable) -> None:
    fragile = Fragile([2, 3], "some")
    effort = Effort(splits=12, screening=6, finalists=3, null_draws=39)
    candidates = family(small, labelled_by=KMeansPath([2, 3], n_init=4), kmeans=KMeansPath([2, 3]), fragile=fragile)
    found = dossier(small, candidates, effort=effort)
    one = of(found, "fragile").loc[3]
    assert 0 < one["failed_splits"] < 12
    assert one["failed_draws"] > 0
    assert one["splits"] == 12 - one["failed_splits"]
    assert one["null_draws"] + one["failed_draws"] in (19, 39)
    assert one["failure"].startswith("RuntimeError: ")
    assert one["failure"].endswith(" customers are not to my taste")
    sound = of(found, "kmeans")
    share = 1 - one["failed_splits"] / 12
    for name in ("jaccard_worst", "jaccard_mean", "strength"):
        assert one[name] == pytest.approx(share * sound.loc[3, name], abs=0.02)
    assert one["null_p"] >= (1 + one["failed_draws"]) / (1 + one["null_draws"] + one["failed_draws"])
    assert one["class"] != "separated"
    assert sound[["failed_splits", "failed_draws"]].to_numpy().max() == 0
    assert sound.loc[3, "class"] == "separated"


def test_what_fails_on_every_half_and_draw_has_nothing_to_show_and_is_not_segmented(small: FeatureTable) -> None:
    candidates = family(small, labelled_by=KMEANS, fragile=Fragile([2, 3, 4], "always"))
    found = of(dossier(small, candidates), "fragile")
    assert found[["null_mean", "null_z", "ranking_error"]].isna().to_numpy().all()
    assert (found[["jaccard_worst", "jaccard_mean", "strength", "replication"]] == 0).to_numpy().all()
    assert (found[["null_p", "valley_p"]] == 1).to_numpy().all()
    assert found["ranking_score"].notna().all()
    assert (found["class"] == "do not segment").all()
    assert found[["splits", "failed_splits", "null_draws", "failed_draws"]].to_numpy().tolist() == [[0, 3, 0, 19]] * 3
    assert set(found["failure"]) == {"RuntimeError: 75 customers are not to my taste"}


def test_without_null_draws_nothing_is_separated(small: FeatureTable) -> None:
    candidates = family(small, labelled_by=KMEANS, fragile=Fragile([2, 3, 4], "draws"))
    found = of(dossier(small, candidates, thresholds=LAX), "fragile").loc[3]
    assert found[["null_draws", "failed_draws", "failed_splits", "null_p"]].tolist() == [0, 19, 0, 1]
    assert found["class"] == "reproducible"
    assert found["failure"] == "RuntimeError: 150 customers are not to my taste"


def test_halves_with_too_few_customers_say_how_many_are_needed(planted: Planted) -> None:
    features, _ = planted((10, 9), separation=8, seed=2)
    many = KMeansPath([2, 9], n_init=2)
    found = dossier(features, family(features, many=many)).measures
    sentence = "ValueError: At least 10 customers are needed for these tuning values; got 9."
    assert set(found["failure"]) == {sentence}
    assert set(found["class"]) == {"do not segment"}
    assert set(found["failed_splits"]) == {3}


def test_a_lifestage_of_forty_customers_is_examined(planted: Planted) -> None:
    features, _ = planted((22, 18), separation=8, seed=2)
    methods = {"kmeans": KMeansPath([2, 9], n_init=2), "hdbscan": HDBSCANPath([0.02, 0.15], min_samples=5)}
    found = dossier(features, family(features, **methods)).measures
    assert set(found["failed_splits"]) == {0}
    assert found.query("n_clusters == 2 and candidate_key == 'kmeans'")["jaccard_worst"].tolist() == [1.0]


def levels(n: int, groups: Sequence[int], seed: int) -> dict[str, Any]:
    """One-hot groups of so many levels each."""
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, size, n) for size in groups]
    return {
        f"{'abc'[group]}_{level}": (drawn[group] == level).astype(float)
        for group, size in enumerate(groups)
        for level in range(size)
    }


def test_a_partition_that_repeats_a_one_hot_group_is_a_rule() -> None:
    rng = np.random.default_rng(8)
    values = pd.DataFrame({**levels(300, [3], seed=8), **{f"x{n}": 0.05 * rng.normal(size=300) for n in range(3)}})
    found = of(dossier(table(values), family(table(values), FunctionTransformer(), kmeans=KMEANS)), "kmeans")
    assert found.loc[3, "category"] == "a_0/a_1/a_2"
    assert found.loc[2, "category"] in ("a_0", "a_1", "a_2")
    assert found["valley_p"].min() > 0.05
    assert not found["class"].eq("separated").any()


def test_segments_that_a_category_repeats_but_a_gap_shows_besides_are_no_rule(planted: Planted) -> None:
    features, truth = planted((80, 70), separation=8, seed=4, columns=3)
    values = features.values.assign(card=(truth == 0).astype(float))
    features = FeatureTable(values, features.cohort)
    found = of(dossier(features, family(features, kmeans=KMeansPath([2], n_init=2)), thresholds=LAX), "kmeans").loc[2]
    assert (found["class"], found["category"]) == ("separated", "")


def test_a_mixture_of_one_hot_columns_alone_is_a_rule() -> None:
    features = table(pd.DataFrame(levels(300, [3, 2, 4], seed=9)))
    found = dossier(features, family(features, kmeans=KMEANS, ward=WARD)).measures
    assert (found["category"] != "").all()
    assert "a_0/a_1/a_2, b_0/b_1, c_0/c_1/c_2/c_3" in set(found["category"])
    assert (found["valley_p"] == 1).all()
    assert not found["class"].eq("separated").any()


def test_constant_columns_change_nothing(small: FeatureTable) -> None:
    with_constant = FeatureTable(small.values.assign(zero=0.0, one=1.0)[["zero", *small.values, "one"]], small.cohort)
    candidates = family(small, kmeans=KMEANS)
    assert_same(dossier(with_constant, candidates), dossier(small, candidates))


def test_noise_is_no_segment_and_counts_nothing(planted: Planted) -> None:
    features, truth = planted((130, 110, 90), separation=8, seed=7, columns=3, scattered=20)
    found = dossier(features, family(features, hdbscan=HDBSCANPath([0.1, 0.9])), thresholds=LAX)
    one = of(found, "hdbscan").loc[3]
    assert one["class"] == "separated"
    assert of(found, "hdbscan").loc[0, "class"] == "do not segment"
    sizes = found.segments["customer_count"].tolist()
    assert len(sizes) == 3
    assert abs(sum(sizes) - int((truth >= 0).sum())) < 15


def test_a_lifestage_without_any_segment_has_tables_of_no_rows(small: FeatureTable) -> None:
    found = dossier(small, family(small, hdbscan=HDBSCANPath([0.9, 0.95])))
    assert found.measures["n_clusters"].tolist() == [0, 0]
    assert set(found.measures["class"]) == {"do not segment"}
    assert (len(found.segments), len(found.gaps)) == (0, 0)
    assert {"candidate_key", "tuning_value", "segment", "valley_p"} <= {*found.segments} & {*found.gaps}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((0, 0, 5, 99), r"evidence\.effort\.splits must be at least 1; got 0\."),
        ((25, 0, 5, 99), r"evidence\.effort\.screening must be in \[1, 25\]; got 0\."),
        ((25, 26, 5, 99), r"evidence\.effort\.screening must be in \[1, 25\]; got 26\."),
        ((25, 5, 0, 99), r"evidence\.effort\.finalists must be at least 1; got 0\."),
        ((25, 5, 5, 18), r"evidence\.effort\.null_draws must be at least 19; got 18\."),
        ((2.5, 2, 5, 99), r"evidence\.effort\.splits must be a whole number; got 2\.5\."),
        ((25, "many", 5, 99), r"evidence\.effort\.screening must be a whole number; got 'many'\."),
        ((25, 5, None, 99), r"evidence\.effort\.finalists must be a whole number; got None\."),
        ((25, 5, 5, True), r"evidence\.effort\.null_draws must be a whole number; got True\."),
        (
            (25, 5, 5, 99, "copula", 7),
            r"evidence\.effort\.bootstraps must be 0 or an even number, as samples are compared in pairs; got 7\.",
        ),
        (
            (25, 5, 5, 99, "copula", -2),
            r"evidence\.effort\.bootstraps must be 0 or an even number, as samples are compared in pairs; got -2\.",
        ),
        (
            (25, 5, 5, 99, "copula", 10.0),
            r"evidence\.effort\.bootstraps must be a whole number; got 10\.0\.",
        ),
        ((25, 5, 5, 99, "gauss"), r"evidence\.effort\.null_kind must be copula or permutation; got 'gauss'\."),
    ],
)
def test_too_little_effort_is_refused(given: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Effort(*given)


def test_a_contender_without_a_partition_for_every_value_is_refused() -> None:
    message = r"^k1: tuning values, partitions and eligible must be as many; got \[2, 1, 2\]\.$"
    with pytest.raises(ValueError, match=message):
        Contender("k1", "kmeans", (2.0, 3.0), np.zeros((1, 9), dtype=np.int64), np.array([True, True]))


def test_all_splits_may_be_spent_on_screening(small: FeatureTable) -> None:
    found = dossier(small, family(small, kmeans=KMEANS), effort=Effort(2, 2, 1, 19)).measures
    assert set(found["splits"]) == {2}
