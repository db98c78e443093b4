"""The elbow of a falling curve, and segments graded by a value."""

from collections.abc import Mapping
from string import ascii_uppercase

import numpy as np
import pandas as pd


def sum_of_squares(values: pd.DataFrame, labels: "pd.Series[int]") -> float:
    """Sum of squared distances to the mean of one's own cluster, at least 0; lower is tighter.

    ``values`` (n, d) and ``labels`` have one index; noise (-1) counts as a cluster.
    """
    centres = values.groupby(labels.to_numpy()).transform("mean")
    return float(((values - centres) ** 2).to_numpy().sum())


def elbow(curve: Mapping[int, float]) -> int:
    """The number of clusters at which a falling curve bends most: farthest below the chord of its ends.

    Both axes are scaled to [0, 1] first, as in kneedle (Satopaa, Albrecht, Irwin & Raghavan 2011) without smoothing;
    of equal distances the smallest number counts.

    Raises:
        ValueError: there are fewer than three points, or the curve does not fall from its first to its last.

    >>> elbow({2: 100.0, 3: 40.0, 4: 30.0, 5: 25.0, 6: 22.0})
    3
    """
    numbers = sorted(curve)
    heights = np.array([curve[number] for number in numbers])
    if len(numbers) < 3 or not heights[0] > heights[-1]:
        raise ValueError(f"An elbow needs a curve that falls over at least three points; got {dict(curve)}.")
    across = (np.array(numbers) - numbers[0]) / (numbers[-1] - numbers[0])
    up = (heights - heights[-1]) / (heights[0] - heights[-1])
    return numbers[int(np.argmax(np.round(1 - across - up, 12)))]


def grades(labels: "pd.Series[int]", money: "pd.Series[float]") -> dict[int, str]:
    """The grade of each cluster by its customers' mean money: A the highest, then B, C, ...; noise has none.

    ``money`` has every customer of ``labels`` in its index.

    >>> grades(pd.Series([0, 0, 1], ["a", "b", "c"]), pd.Series([1.0, 2.0, 9.0], ["a", "b", "c"]))
    {1: 'A', 0: 'B'}
    """
    clustered = labels[labels >= 0]
    means = money.loc[clustered.index].groupby(clustered).mean()
    order = means.sort_values(ascending=False, kind="stable").index
    return {int(label): ascii_uppercase[place] for place, label in enumerate(order)}
