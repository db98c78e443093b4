"""Customers on a plane, to be looked at: the two main axes of the reference space, or the space they were clustered in.

A plane is a shadow. What lies apart in it is apart; what lies together may be apart in what the plane leaves out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA

from aisle.kernels.threads import one_thread

_AXES = 2
_LOUDEST = 2
"""Features an axis is named after."""


@dataclass(frozen=True, eq=False)
class Plane:
    """``values`` (n, 2) on the customers' index; ``title`` and ``told`` say what it is, ``axes`` what its axes are."""

    values: pd.DataFrame
    title: str
    told: str
    axes: tuple[str, str]

    def __post_init__(self) -> None:
        if self.values.shape[1] != _AXES:
            raise ValueError(f"A plane must have {_AXES} columns; got {self.values.shape[1]}.")


def main_plane(space: pd.DataFrame) -> Plane:
    """The plane of the reference space ``space`` (n, d) that holds most of its variance, by principal components.

    The title says how much, in [0, 1]; an axis is named after the features that weigh most on it. One column alone
    leaves the second axis empty.
    """
    matrix = space.to_numpy()
    found = np.zeros((len(matrix), _AXES))
    count = min(_AXES, *matrix.shape)
    with one_thread():
        pca = PCA(n_components=count, svd_solver="covariance_eigh").fit(matrix)
        found[:, :count] = pca.transform(matrix)
    shares = np.zeros(_AXES)
    shares[:count] = pca.explained_variance_ratio_
    names = [_named(shares[place], pca.components_[place], space.columns) for place in range(count)]
    axes = (*names, *["no other axis"] * (_AXES - count))
    return Plane(
        pd.DataFrame(found, index=space.index),
        "First two principal components",
        f"of the standardised features, {shares.sum():.0%} of their variance: "
        f"what the other {1 - shares.sum():.0%} set apart is not seen here",
        (axes[0], axes[1]),
    )


def own_plane(embedding: pd.DataFrame, reducer: str) -> Plane | None:
    """The space a candidate was clustered in, if that is a plane; None if it has more axes, or fewer."""
    if embedding.shape[1] != _AXES:
        return None
    told = "the space the segments were found in; no share of variance is defined for it"
    if reducer.startswith("umap"):
        told = "the space the segments were found in; umap tears continuous data apart, so a gap is no evidence"
    return Plane(embedding, f"After {reducer}, both axes", told, ("axis 1", "axis 2"))


def _named(share: float, weights: npt.NDArray[np.float64], names: pd.Index) -> str:
    loudest = np.argsort(-np.abs(weights), kind="stable")[:_LOUDEST]
    told = [f"{'more' if weights[place] > 0 else 'less'} {names[place]}" for place in loudest]
    return "\n".join([f"{share:.0%} of the variance:", *told])
