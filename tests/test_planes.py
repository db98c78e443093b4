"""Customers on a plane."""

import numpy as np
import pandas as pd
import pytest

from aisle.planes import Plane, main_plane, own_plane


def space(columns: int = 4, rows: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    spread = np.arange(columns, 0, -1)
    names = [f"feature_{number}" for number in range(columns)]
    return pd.DataFrame(rng.normal(size=(rows, columns)) * spread, columns=names)


def test_the_main_plane_holds_the_share_of_variance_that_it_says() -> None:
    values = space()
    plane = main_plane(values)
    spread = np.linalg.svd(values - values.mean(), compute_uv=False) ** 2
    assert plane.values.var(ddof=0).sum() * len(values) == pytest.approx(spread[:2].sum())
    assert f", {spread[:2].sum() / spread.sum():.0%} of their variance: " in plane.told
    assert plane.axes[0].startswith(f"{spread[0] / spread.sum():.0%} of the variance:\n")
    assert "feature_0" in plane.axes[0]


def test_the_main_plane_does_not_depend_on_the_order_of_customers() -> None:
    values = space()
    turned = main_plane(values.iloc[::-1]).values.loc[values.index]
    np.testing.assert_allclose(turned, main_plane(values).values, atol=1e-9)


def test_one_column_alone_leaves_the_second_axis_empty() -> None:
    values = space(1)
    plane = main_plane(values)
    assert plane.axes == ("100% of the variance:\nmore feature_0", "no other axis")
    assert plane.values.shape == (len(values), 2)
    assert (plane.values.iloc[:, 1] == 0).all()


def test_the_own_space_is_a_plane_only_if_it_has_two_axes() -> None:
    assert own_plane(space(3), "pca") is None
    assert own_plane(space(1), "pca") is None
    plane = own_plane(space(2), "umap n_neighbors=5")
    assert plane
    assert plane.title == "After umap n_neighbors=5, both axes"
    assert "a gap is no evidence" in plane.told


def test_a_plane_has_two_columns() -> None:
    with pytest.raises(ValueError, match="A plane must have 2 columns; got 3"):
        Plane(space(3), "", "", ("", ""))
