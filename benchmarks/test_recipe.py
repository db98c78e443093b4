"""The classic recipe: agglomerative clustering for every k with its silhouettes, against the loop over scikit-learn."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from benchmarks.measuring import Measurement, customers, measure
from benchmarks.results import Report, Row

N_CLUSTERS = range(2, 10)
LINKAGES = ("average", "complete", "single")


def path_and_silhouettes(*, n: int, linkages: tuple[str, ...]) -> Callable[[], object]:
    from aisle.clusterers import AgglomerativePath
    from aisle.kernels.silhouette import silhouette_scores

    values = pd.DataFrame(customers(n))

    def recipe(part: pd.DataFrame) -> object:
        found = []
        for linkage in linkages:
            path = AgglomerativePath(linkage, "cosine", list(N_CLUSTERS)).fit_path(part)
            labelings = np.stack([partition.labels.to_numpy() for partition in path.partitions.values()])
            found.append(silhouette_scores(part.to_numpy(), labelings, metric="cosine"))
        return found

    recipe(values[:1500])
    return lambda: recipe(values)


def scikit_learn_once(*, n: int, linkage: str) -> Callable[[], object]:
    """One turn of the loop: one linkage and one k."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    values = customers(n)

    def turn(part: "np.typing.NDArray[np.float64]") -> float:
        labels = AgglomerativeClustering(5, metric="cosine", linkage=linkage).fit_predict(part)
        return float(silhouette_score(part, labels, metric="cosine"))

    turn(values[:500])
    return lambda: turn(values)


@pytest.mark.parametrize("n", [5_000, 20_000])
def test_cosine_average_with_silhouettes(ours: Callable[..., Measurement], report: Report, n: int) -> None:
    mine = ours(path_and_silhouettes, repeats=3, n=n, linkages=("average",))
    turn = measure(scikit_learn_once, n=n, linkage="average")
    name = f"cosine average, k = 2..9 with silhouettes, n = {n:,}, d = 13"
    turns = turn.times(len(N_CLUSTERS))
    report.add(Row(name, mine, "scikit-learn loop", turns, at_least=150, note="peer: one k, times 8"))


def test_three_linkages_with_silhouettes(ours: Callable[..., Measurement], report: Report) -> None:
    n = 20_000
    mine = ours(path_and_silhouettes, n=n, linkages=LINKAGES)
    turns = [measure(scikit_learn_once, n=n, linkage=linkage) for linkage in LINKAGES]
    loop = Measurement(sum(one.seconds for one in turns), max(one.peak_mib for one in turns)).times(len(N_CLUSTERS))
    name = f"average, complete, single cosine, k = 2..9 with silhouettes, n = {n:,}, d = 13"
    report.add(Row(name, mine, "scikit-learn loop", loop, at_least=60, note="peer: one k of each linkage, times 8"))
