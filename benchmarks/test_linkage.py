"""Trees: against SciPy with fastcluster, against fastcluster's own Ward, and where no peer can follow."""

from collections.abc import Callable

import pytest
from benchmarks.measuring import Measurement, customers, measure
from benchmarks.results import Growth, Report, Row

Ours = Callable[..., Measurement]
PICTURE = "benchmark_linkage"


def tree(*, n: int, linkage: str, metric: str) -> Callable[[], object]:
    from aisle.kernels.linkage import linkage_tree

    X = customers(n)
    for limit in (10**9, 1000):  # compiles both precisions, and both ways of a search
        linkage_tree(X[:1500], linkage=linkage, metric=metric, double_limit=limit)
    return lambda: linkage_tree(X, linkage=linkage, metric=metric)


def distances_and_fastcluster(*, n: int, linkage: str, metric: str) -> Callable[[], object]:
    import fastcluster
    from scipy.spatial.distance import pdist

    X = customers(n)
    return lambda: fastcluster.linkage(pdist(X, metric), method=linkage, preserve_input=False)


def fastcluster_ward(*, n: int) -> Callable[[], object]:
    import fastcluster

    X = customers(n)
    return lambda: fastcluster.linkage_vector(X, method="ward")


def test_cosine_average_tree(ours: Ours, report: Report) -> None:
    arguments = {"n": 20_000, "linkage": "average", "metric": "cosine"}
    mine = ours(tree, repeats=3, **arguments)
    peer = measure(distances_and_fastcluster, **arguments)
    report.add(
        Row("tree, cosine average, n = 20,000, d = 13", mine, "SciPy pdist + fastcluster", peer=peer, at_least=10)
    )


def test_ward_tree(ours: Ours, report: Report) -> None:
    mine = ours(tree, repeats=3, n=20_000, linkage="ward", metric="euclidean")
    peer = measure(fastcluster_ward, n=20_000)
    report.add(Row("tree, ward, n = 20,000, d = 13", mine, "fastcluster.linkage_vector", peer=peer, at_least=2))


def test_complete_tree(ours: Ours, report: Report) -> None:
    arguments = {"n": 20_000, "linkage": "complete", "metric": "cosine"}
    mine = ours(tree, **arguments)
    peer = measure(distances_and_fastcluster, **arguments)
    report.add(Row("tree, cosine complete, n = 20,000, d = 13", mine, "SciPy pdist + fastcluster", peer=peer))


def test_classic_grid_of_50_000_customers(ours: Ours, report: Report) -> None:
    """Average, complete, single and Ward, one after the other: seconds add up, memory is the largest."""
    grid = [("average", "cosine"), ("single", "cosine"), ("ward", "euclidean")]
    parts = [ours(tree, n=50_000, linkage="complete", metric="cosine")]
    parts += [measure(tree, n=50_000, linkage=linkage, metric=metric) for linkage, metric in grid]
    whole = Measurement(sum(part.seconds for part in parts), max(part.peak_mib for part in parts))
    name = "classic grid, n = 50,000, d = 13: average, complete, single cosine, and ward"
    report.add(Row(name, whole, "(scikit-learn cannot)", at_most_seconds=90, at_most_mib=6 * 1024))


@pytest.mark.parametrize(("linkage", "metric"), [("average", "cosine"), ("ward", "euclidean")])
def test_tree_of_200_000_customers(ours: Ours, report: Report, linkage: str, metric: str) -> None:
    mine = ours(tree, n=200_000, linkage=linkage, metric=metric)
    report.grow(Growth(PICTURE, f"{linkage}, {metric}", 200_000, mine))
    report.add(Row(f"tree, {metric} {linkage}, n = 200,000, d = 13", mine, at_most_mib=1024))


CURVES = [
    ("average", "cosine", (2_500, 5_000, 10_000, 20_000, 50_000)),
    ("ward", "euclidean", (2_500, 5_000, 10_000, 20_000, 50_000)),
    ("single", "cosine", (2_500, 5_000, 10_000, 20_000, 50_000)),
    ("complete", "cosine", (2_500, 5_000, 10_000, 20_000, 40_000)),
]


@pytest.mark.parametrize(("linkage", "metric", "sizes"), CURVES)
def test_growth(ours: Ours, report: Report, linkage: str, metric: str, sizes: tuple[int, ...]) -> None:
    measured = [ours(tree, n=sizes[0], linkage=linkage, metric=metric)]
    measured += [measure(tree, n=n, linkage=linkage, metric=metric) for n in sizes[1:]]
    for n, mine in zip(sizes, measured, strict=True):
        report.grow(Growth(PICTURE, f"{linkage}, {metric}", n, mine))


def test_growth_of_the_peer(ours: Ours, report: Report) -> None:
    for linkage in ("average", "complete"):
        for n in (2_500, 5_000, 10_000, 20_000):
            run = ours if (linkage, n) == ("average", 2_500) else measure
            theirs = run(distances_and_fastcluster, n=n, linkage=linkage, metric="cosine")
            report.grow(Growth(PICTURE, f"{linkage}, cosine (SciPy pdist + fastcluster)", n, theirs))
