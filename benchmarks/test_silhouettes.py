"""Silhouettes of eight partitions at once, against scikit-learn's of one after the other."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from benchmarks.measuring import Measurement, customers, measure
from benchmarks.results import Growth, Report, Row
from sklearn.metrics import pairwise_distances_argmin, silhouette_score

from aisle.kernels.moments import moments
from aisle.kernels.silhouette import silhouette_scores
from aisle.kernels.silhouette_estimate import estimate_silhouettes

PARTITIONS = range(2, 10)
COLUMNS = 20


def labelled(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Customers, and eight partitions of them that are not nested: the nearest of 2, 3, ... 9 of the customers."""
    values = customers(n, columns=COLUMNS)
    rng = np.random.default_rng(1)
    labelings = [pairwise_distances_argmin(values, values[rng.choice(n, k, replace=False)]) for k in PARTITIONS]
    return values, np.array(labelings)


def eight(*, n: int, metric: str) -> Callable[[], object]:
    values, labelings = labelled(n)
    silhouette_scores(values[:500], labelings[:, :500], metric=metric)
    return lambda: silhouette_scores(values, labelings, metric=metric)


def one_of_scikit_learn(*, n: int, metric: str) -> Callable[[], object]:
    values, labelings = labelled(n)
    silhouette_score(values[:500], labelings[3, :500], metric=metric)
    return lambda: silhouette_score(values, labelings[3], metric=metric)


def spreads(*, n: int) -> Callable[[], object]:
    values, labelings = labelled(n)
    moments(values[:500], labelings[:, :500])

    def scored() -> object:
        clusters = moments(values, labelings)
        return clusters.calinski_harabasz(), clusters.davies_bouldin(), clusters.inertia()

    return scored


def estimated(*, n: int, sample_size: int) -> Callable[[], object]:
    values, labelings = labelled(n)
    estimate_silhouettes(values[:500], labelings[:1, :500], sample_size=100, confidence=0.95, seed=0)
    return lambda: estimate_silhouettes(values, labelings[:1], sample_size=sample_size, confidence=0.95, seed=0)


def test_euclidean(ours: Callable[..., Measurement], report: Report) -> None:
    n = 30_000
    report.add(
        Row(
            work=f"Euclidean silhouette, 8 partitions, n = {n:,} x {COLUMNS}",
            ours=ours(eight, repeats=3, n=n, metric="euclidean"),
            peer_name="scikit-learn, 8 calls",
            peer=measure(one_of_scikit_learn, n=n, metric="euclidean").times(8),
            at_least=15,
            at_most_mib=512,  # the distances would be 6,866
            note="peer: one call, times 8",
        )
    )


def test_cosine(ours: Callable[..., Measurement], report: Report) -> None:
    n, smaller = 100_000, 20_000
    report.add(
        Row(
            work=f"cosine silhouette, 8 partitions, n = {n:,} x {COLUMNS}",
            ours=ours(eight, repeats=3, n=n, metric="cosine"),
            peer_name="scikit-learn, 8 calls",
            peer=measure(one_of_scikit_learn, n=smaller, metric="cosine").times(8 * (n / smaller) ** 2),
            at_least=1000,
            note=f"peer: one call with n = {smaller:,}, times 25 for its square, times 8",
        )
    )


def test_estimate(ours: Callable[..., Measurement], report: Report) -> None:
    n, sample_size = 1_000_000, 2_000
    report.add(
        Row(
            work=f"estimated Euclidean silhouette, 1 partition, n = {n:,} x {COLUMNS}, sample of {sample_size:,}",
            ours=ours(estimated, n=n, sample_size=sample_size),
            at_most_mib=2048,
        )
    )


def test_spreads(ours: Callable[..., Measurement], report: Report) -> None:
    n = 1_000_000
    report.add(
        Row(
            work=f"Calinski-Harabasz, Davies-Bouldin, inertia, 8 partitions, n = {n:,} x {COLUMNS}",
            ours=ours(spreads, n=n),
            at_most_mib=2048,
        )
    )


@pytest.mark.parametrize("n", [5_000, 10_000, 20_000, 40_000, 80_000])
def test_growth_of_euclidean(ours: Callable[..., Measurement], report: Report, n: int) -> None:
    report.grow(Growth("silhouettes", "Euclidean, 8 partitions", n, ours(eight, n=n, metric="euclidean")))


@pytest.mark.parametrize("n", [10_000, 100_000, 1_000_000])
def test_growth_of_cosine(ours: Callable[..., Measurement], report: Report, n: int) -> None:
    report.grow(Growth("silhouettes", "cosine, 8 partitions", n, ours(eight, n=n, metric="cosine")))


@pytest.mark.parametrize("n", [5_000, 10_000, 20_000])
def test_growth_of_scikit_learn(ours: Callable[..., Measurement], report: Report, n: int) -> None:
    peer = ours(one_of_scikit_learn, n=n, metric="euclidean")
    report.grow(Growth("silhouettes", "(scikit-learn, Euclidean, 1 partition)", n, peer))
