"""Paths of HDBSCAN and k-means against the loops one would write with the libraries."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from benchmarks.measuring import Measurement, customers, measure
from benchmarks.results import Report, Row
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from aisle.clusterers import HDBSCANPath
from aisle.kernels.kmeans import kmeans_path

SHARES = [0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15]
N_CLUSTERS = range(2, 10)
RESAMPLES = 100
PART = 2  # resamples that are measured; the rest is multiplied
JUDGED = 4  # resamples whose inertia is compared


def hdbscan_path(*, n: int) -> Callable[[], object]:
    values = pd.DataFrame(customers(n))
    path = HDBSCANPath(SHARES, 10)
    path.fit_path(values[:500])
    return lambda: path.fit_path(values)


def hdbscan_once(*, n: int, share: float, min_samples: int | None) -> Callable[[], object]:
    from hdbscan import HDBSCAN

    values = customers(n)
    HDBSCAN(10).fit(values[:500].copy())
    return lambda: HDBSCAN(round(share * n), min_samples=min_samples).fit(values)


@pytest.mark.parametrize(
    ("share", "min_samples", "settings", "at_least"),
    [(SHARES[0], None, "default settings", 15), (0.05, 10, "same min_samples", 6)],
)
def test_hdbscan(
    ours: Callable[..., Measurement],
    report: Report,
    share: float,
    min_samples: int | None,
    settings: str,
    at_least: float,
) -> None:
    n = 20_000
    once = measure(hdbscan_once, n=n, share=share, min_samples=min_samples)
    report.add(
        Row(
            f"HDBSCAN, 8 values of min_cluster_size, n = {n:,}, {settings}",
            ours(hdbscan_path, n=n),
            "hdbscan, 8 fits",
            once.times(len(SHARES)),
            at_least=at_least,
            note=f"peer: one fit, min_cluster_size {round(share * n)}, times 8; it approximates, ours is exact",
        )
    )


def resample(values: npt.NDArray[np.float64], number: int) -> npt.NDArray[np.float64]:
    return values[np.random.default_rng(number).integers(len(values), size=len(values))]


def kmeans_resamples(*, n: int, columns: int) -> Callable[[], object]:
    values = customers(n, columns=columns)
    kmeans_path(values[:100], N_CLUSTERS, n_init=2, seed=0)

    def run() -> object:
        with ThreadPoolExecutor(2) as threads:
            draws = (resample(values, number) for number in range(RESAMPLES))
            return list(threads.map(lambda draw: kmeans_path(draw, N_CLUSTERS, n_init=10, seed=1), draws))

    return run


def kmeans_loop(*, n: int, columns: int, threads: int | None) -> Callable[[], object]:
    values = customers(n, columns=columns)
    KMeans(3, n_init=1).fit(values)

    def run() -> object:
        draws = [resample(values, number) for number in range(PART)]
        with threadpool_limits(threads):
            return [KMeans(k, n_init=10, random_state=1).fit(draw) for draw in draws for k in N_CLUSTERS]

    return run


@pytest.mark.parametrize("columns", [13, 38])
def test_kmeans_of_resamples(ours: Callable[..., Measurement], report: Report, columns: int) -> None:
    n = 5_000
    ratios = []
    for number in range(JUDGED):
        draw = resample(customers(n, columns=columns), number)
        found = kmeans_path(draw, N_CLUSTERS, n_init=10, seed=1)
        ratios.append(
            [fit.inertia / KMeans(k, n_init=10, random_state=1).fit(draw).inertia_ for k, fit in found.items()]
        )
    inertia = np.mean(ratios, axis=0).max()
    assert inertia <= 1.01
    # its threads get in each other's way at times, so the faster of two loops counts
    settings = {"its own threads": None, "one thread": 1}
    parts = {name: measure(kmeans_loop, n=n, columns=columns, threads=count) for name, count in settings.items()}
    fastest = min(parts, key=lambda name: parts[name].seconds)
    report.add(
        Row(
            f"K-means k = 2..9 of {RESAMPLES} resamples, n = {n:,}, d = {columns}",
            ours(kmeans_resamples, n=n, columns=columns),
            "scikit-learn loop",
            parts[fastest].times(RESAMPLES / PART),
            at_least=5,
            note=(
                f"ours: two resamples at a time; peer: {PART} resamples, times {RESAMPLES // PART}, with {fastest}, "
                f"the faster way; inertia {100 * (inertia - 1):+.2f} % at the worst k, mean of {JUDGED} resamples"
            ),
        )
    )
