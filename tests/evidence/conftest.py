"""Feature tables for the tests of evidence."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from aisle.features import FeatureTable


def table(values: pd.DataFrame) -> FeatureTable:
    index = pd.Index([f"c{number:05d}" for number in range(len(values))], name="customer_id")
    return FeatureTable(values.astype("float64").set_axis(index), pd.Series("all", index=index, dtype=str))


def mixed(n: int, seed: int) -> pd.DataFrame:
    """Columns of every kind, related by one hidden size."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    shares = rng.dirichlet([2.0, 1.0, 0.5], n)
    shares[rng.random(n) < 0.2] = [1.0, 0.0, 0.0]
    logs = rng.normal(size=(n, 4)) + size[:, np.newaxis] * np.array([1.0, 0.0, -1.0, 0.0])
    logs -= logs.mean(axis=1, keepdims=True)
    level = np.digitize(size + rng.normal(size=n), [-1.0, 0.5])
    low = rng.integers(1, 4, n)
    middle = low + rng.exponential(2.0, n)
    return pd.DataFrame(
        {
            "visits": rng.poisson(np.exp(2 + size)),
            "spend_mean": np.exp(size + 0.3 * rng.normal(size=n)),
            **{f"level_{name}": level == number for number, name in enumerate("abc")},
            "a_max": shares[:, 0] > 0,
            "a_share": shares[:, 0],
            "b_max": shares[:, 1] > 0,
            "b_share": shares[:, 1],
            "c_share": shares[:, 2],
            **{f"log_{number}": logs[:, number] for number in range(4)},
            "gap_min": low,
            "gap_max": middle + rng.exponential(5.0, n),
            "gap_mean": middle,
        }
    ).astype("float64")


@pytest.fixture
def iris() -> npt.NDArray[np.float64]:
    from sklearn.datasets import load_iris

    values: npt.NDArray[np.float64] = load_iris().data
    return values
