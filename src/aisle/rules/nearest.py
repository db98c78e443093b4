"""One lifestage's rule: the nearest centroid, or the nearest neighbours, whichever better gives back whom it lacks."""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from aisle.assignment import NEIGHBOURS

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

KINDS: Final = ("centroids", "neighbours")


class NearestRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The label of the nearest centroid, or of most of the nearest known customers, in standardised features.

    Both are asked for the label of every customer by the others alone (leave-one-out; mean and deviation of a feature
    stay those of all), and the kind that gives back more of them is kept; centroids where they are level. A feature
    that is constant is left out of the distance. Level votes go to the nearest of the neighbours. ``noise`` is a label
    that stands for no cluster: it has no centroid, but neighbours may vote for it; None: there is none.

    After fitting: ``kind_``; ``given_back_`` (2, k, k), how many customers of a label (rows, as in ``classes_``) the
    others give which label, by each of the `KINDS`; ``points_`` and ``codes_``, the centroids or customers and their
    places in ``classes_``; ``mean_`` and ``weight_`` of the features.
    """

    def __init__(self, n_neighbors: int = NEIGHBOURS, noise: int | None = None) -> None:
        self.n_neighbors = n_neighbors
        self.noise = noise

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from features (n, d) and labels (n,).

        Raises:
            ValueError: all labels are noise.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        inside = np.ones(len(codes), dtype=bool) if self.noise is None else y != self.noise
        if not inside.any():
            raise ValueError(f"A rule needs a customer in a segment; all {len(codes)} are in none.")
        deviation = X.std(axis=0)
        varies = X.max(axis=0) > X.min(axis=0)
        self.mean_ = X.mean(axis=0)
        self.weight_ = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies & (deviation > 0))
        known = self._standardised(X)
        centres, of_centres = _centroids(known, codes, inside)
        by_kind = (
            _by_other_centroids(known, codes, inside, centres, of_centres),
            _by_other_customers(known, codes, self.n_neighbors),
        )
        self.given_back_ = np.array([_counts(codes, found, len(self.classes_)) for found in by_kind])
        right = np.trace(self.given_back_, axis1=1, axis2=2)
        self.kind_ = KINDS[int(right[1] > right[0])]
        near_centres = self.kind_ == "centroids"
        self.points_, self.codes_ = (centres, of_centres) if near_centres else (known, codes)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Labels (m,) of customers with these features (m, d)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        count = 1 if self.kind_ == "centroids" else min(self.n_neighbors, len(self.points_))
        search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(self.points_)
        nearest = search.kneighbors(self._standardised(X), return_distance=False)
        return np.asarray(self.classes_[_majorities(self.codes_[nearest])])

    def _standardised(self, X: Values) -> Values:
        return np.asarray((X - self.mean_) * self.weight_)


def _centroids(known: Values, codes: Codes, inside: npt.NDArray[np.bool_]) -> tuple[Values, Codes]:
    """Means (k, d) of the clusters, and their codes (k,)."""
    clusters = np.unique(codes[inside])
    return np.array([known[codes == code].mean(axis=0) for code in clusters]), clusters


def _by_other_centroids(
    known: Values, codes: Codes, inside: npt.NDArray[np.bool_], centres: Values, of_centres: Codes
) -> Codes:
    """The cluster with the nearest centroid, each customer left out of its own: (n,).

    Without one of its n members a centroid is n / (n - 1) times as far from that member; a cluster of one has none.
    """
    squares = np.stack([((known - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    for place, code in enumerate(of_centres):
        own = inside & (codes == code)
        size = int(own.sum())
        squares[own, place] *= (size / (size - 1)) ** 2 if size > 1 else 1.0
        if size == 1 and len(of_centres) > 1:
            squares[own, place] = np.inf
    return np.asarray(of_centres[squares.argmin(axis=1)])


def _by_other_customers(known: Values, codes: Codes, n_neighbors: int) -> Codes:
    """The label of most of the nearest other customers: (n,); that of a customer who is alone is its own."""
    count = min(n_neighbors, len(known) - 1)
    if count < 1:
        return codes
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(known)
    return _majorities(codes[search.kneighbors(None, return_distance=False)])


def _counts(codes: Codes, found: Codes, size: int) -> Codes:
    return np.bincount(codes * size + found, minlength=size * size).reshape(size, size)


def _majorities(votes: Codes) -> Codes:
    """The most frequent of the votes (m, c) in each row, nearest first; the nearest where several are level.

    >>> _majorities(np.array([[2, 0, 0], [2, 0, 1]])).tolist()
    [0, 2]
    """
    counts = (votes[:, :, np.newaxis] == votes[:, np.newaxis, :]).sum(axis=-1)
    return np.asarray(np.take_along_axis(votes, counts.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0])
