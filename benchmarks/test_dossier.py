"""The evidence on one lifestage, and its bootstrap of clusters against the plain loop over scikit-learn."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from benchmarks.measuring import Measurement, customers, measure
from benchmarks.results import Report, Row

N, K = 5_000, range(2, 10)
SPLITS = 25
CORES = 2


def features(n: int) -> Any:
    from aisle.features import FeatureTable

    values = pd.DataFrame(customers(n), index=pd.Index([f"c{number:06d}" for number in range(n)], name="customer_id"))
    values.columns = [f"feature_{number}" for number in values]
    return FeatureTable(values, pd.Series("YA", index=values.index, name="cohort"))


def pipelines() -> Any:
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    from aisle.clusterers import AgglomerativePath, KMeansPath
    from aisle.evidence import Pipelines

    paths = {"kmeans": KMeansPath(list(K)), "ward": AgglomerativePath("ward", "euclidean", list(K))}
    return Pipelines(StandardScaler(), FunctionTransformer(), paths, seed=1)


def dossier(*, n: int) -> Callable[[], object]:
    """Everything that `evidence=standard` measures, in two processes."""
    import joblib
    from joblib.externals.loky import get_reusable_executor

    from aisle.evidence import Contender, Effort, Family, Thresholds, examine

    def examined(n: int, effort: Effort) -> object:
        table, shared = features(n), pipelines()
        found = {name: labels for name, labels in shared.cluster(table).items() if not isinstance(labels, str)}
        eligible = np.ones(len(K), dtype=bool)
        contenders = [Contender(name, name, tuple(K), labels, eligible) for name, labels in found.items()]
        family = Family(shared, tuple(contenders))
        with joblib.Parallel(n_jobs=CORES, return_as="generator") as pool:

            def spread(what: str, tasks: Sequence[Callable[[], Any]]) -> Iterable[Any]:
                return pool(joblib.delayed(task)() for task in tasks)

            found_out = examine(table, [family], effort=effort, thresholds=Thresholds(), seed=1, run=spread)
        get_reusable_executor().shutdown(wait=True)  # their memory is known when they have ended
        return found_out

    examined(300, Effort(splits=2, screening=1, finalists=2, null_draws=19))
    standard = Effort(splits=SPLITS, screening=5, finalists=5, null_draws=99)
    return lambda: examined(n, standard)


def jaccards_of_halves(*, n: int, splits: int) -> Callable[[], object]:
    """Jaccard coefficients of k-means and ward for every k, on both halves of every split, in one process."""
    from threadpoolctl import threadpool_limits

    from aisle.evidence.agreement import best_jaccards
    from aisle.evidence.resamples import split

    def clusterboot(n: int, splits: int) -> object:
        table, shared = features(n), pipelines()
        whole = shared.cluster(table)
        found = []
        with threadpool_limits(1):
            for number in range(splits):
                halves = split(table, shared, number=number)
                for places, own in zip(halves.places, halves.found, strict=True):
                    for name, labels in whole.items():
                        rows = zip(labels, own[name], strict=True)
                        found += [best_jaccards(full[places], half) for full, half in rows]  # type: ignore[call-overload]
        return found

    clusterboot(300, 1)
    return lambda: clusterboot(n, splits)


def scikit_learn_loop(*, n: int, splits: int) -> Callable[[], object]:
    """The same by one fit of scikit-learn for every k, with as many starts, in one process with its threads."""
    from sklearn.cluster import AgglomerativeClustering, KMeans

    def fitted(values: npt.NDArray[np.float64], k: int) -> list[npt.NDArray[np.int64]]:
        makers = (KMeans(k, n_init=20, random_state=1), AgglomerativeClustering(k, linkage="ward"))
        return [maker.fit_predict(values) for maker in makers]

    def clusterboot(n: int, splits: int) -> object:
        values, rng = customers(n), np.random.default_rng(1)
        whole = {k: fitted(values, k) for k in K}
        found = []
        for _ in range(splits):
            order = rng.permutation(n)
            for places in (order[: n // 2], order[n // 2 :]):
                for k, labels in whole.items():
                    for full, half in zip(labels, fitted(values[places], k), strict=True):
                        table = np.array([[_jaccard(full[places] == i, half == j) for j in range(k)] for i in range(k)])
                        found.append(table.max(axis=1))
        return found

    clusterboot(300, 1)
    return lambda: clusterboot(n, splits)


def _jaccard(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_the_dossier_of_a_lifestage(ours: Callable[..., Measurement], report: Report) -> None:
    mine = ours(dossier, n=N, processes=CORES)
    name = f"evidence=standard on k-means and ward, k = 2..9, n = {N:,}, d = 13"
    report.add(Row(name, mine, at_most_seconds=180, at_most_mib=2048, note="memory: all processes"))


def test_the_bootstrap_of_clusters(ours: Callable[..., Measurement], report: Report) -> None:
    mine = ours(jaccards_of_halves, n=N, splits=SPLITS)
    turn = measure(scikit_learn_loop, n=N, splits=1)
    name = f"Jaccard coefficients on {SPLITS} splits, k-means and ward, k = 2..9, n = {N:,}, d = 13"
    loop = turn.times(SPLITS)
    report.add(Row(name, mine, "scikit-learn loop", loop, at_least=5, note=f"peer: one split, times {SPLITS}"))
