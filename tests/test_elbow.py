"""The elbow lies where a curve bends, however it is scaled; grades follow the money."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from aisle.elbow import elbow, grades, sum_of_squares


def test_the_bend_of_two_straight_lines_is_found() -> None:
    for bend in range(3, 9):
        curve = {k: 100.0 - 10 * (min(k, bend) - 2) - (max(k, bend) - bend) for k in range(2, 10)}
        assert elbow(curve) == bend


@settings(max_examples=50)
@given(
    falls=st.lists(st.floats(0.1, 100), min_size=2, max_size=9),
    scale=st.floats(0.01, 100),
    shift=st.floats(0, 1000),
)
def test_neither_scale_nor_origin_of_the_curve_matters(falls: list[float], scale: float, shift: float) -> None:
    heights = 1000 - np.cumsum([0.0, *falls])
    curve = {k: float(height) for k, height in enumerate(heights, start=2)}
    found = elbow(curve)
    depth = {
        k: (heights[0] - height) / (heights[0] - heights[-1]) - (k - 2) / len(falls) for k, height in curve.items()
    }
    assert depth[found] == pytest.approx(max(depth.values()), abs=1e-9)
    moved = elbow({k: shift + scale * height for k, height in curve.items()})
    assert depth[moved] == pytest.approx(depth[found], abs=1e-6)


def test_a_curve_that_does_not_fall_or_is_too_short_has_no_elbow() -> None:
    for curve in ({2: 1.0, 3: 1.0, 4: 1.0}, {2: 2.0, 3: 1.0}, {2: 1.0, 3: 2.0, 4: 3.0}):
        with pytest.raises(
            ValueError, match=r"An elbow needs a curve that falls over at least three points; got \{2: "
        ):
            elbow(curve)


def test_the_sum_of_squares_is_the_inertia_of_kmeans() -> None:
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(200, 3)))
    fitted = KMeans(4, n_init=1, random_state=1).fit(values.to_numpy())
    labels = pd.Series(fitted.labels_, index=values.index)
    assert sum_of_squares(values, labels) == pytest.approx(fitted.inertia_, rel=1e-3)
    assert sum_of_squares(values, pd.Series(range(200))) == 0


def test_grades_fall_with_the_mean_money_and_noise_has_none() -> None:
    labels = pd.Series([0, 0, 1, 1, 2, -1], index=list("abcdef"))
    money = pd.Series([1.0, 3.0, 10.0, 20.0, 5.0, 99.0], index=list("abcdef"))
    assert grades(labels, money) == {1: "A", 2: "B", 0: "C"}
